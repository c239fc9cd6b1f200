"""IPython is translated by what it does: a program means the same as in the notebook, however a tool saved it."""

import ast
import json
import sys
import types
from contextlib import suppress

import numpy as np
import pytest

from grader.submission import load

NUMPY = "import numpy as np\n"
CLASS = "class TwoLayerNet:\n    def loss(self, X):\n        return relu(X)\n"
RELU = "def relu(u):\n    return np.maximum(0, u)\n"
HELPERS = {"helpers.py": NUMPY + RELU}
LOST = "class TwoLayerNet\n    def loss(self, X):\n        return (X\n"


def notebook(*sources):
    """Return a notebook's text."""
    held = [{"cell_type": "code", "source": source, "metadata": {}, "outputs": []} for source in sources]
    return json.dumps({"cells": held, "metadata": {}, "nbformat": 4, "nbformat_minor": 5})


@pytest.fixture
def read(tmp_path):
    """Return a function that loads files of these texts as one hand-in."""

    def read_files(files):
        for name, text in files.items():
            (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / name).write_text(text, encoding="utf-8")
        return load(tmp_path, class_name="TwoLayerNet", notebook="two_layer_net.ipynb")

    return read_files


def execute(segment, namespace):
    """Run the kept statements of a cell; a stub of what could not be read is skipped, as in the sandbox."""
    body = ast.parse(segment.source).body
    for at in segment.kept:
        with suppress(SyntaxError):
            exec(compile(ast.Module([body[at]], []), segment.label, "exec"), namespace)  # noqa: S102
    return namespace


@pytest.fixture
def answers(read, monkeypatch):
    """Return a function that runs what was kept of files, and returns the class's answer to (-1, 2)."""

    def answer(files):
        submission = read(files)
        assert submission.problem is None, submission.problem
        for module in submission.modules:
            made = types.ModuleType(module.name)
            execute(module.segment, vars(made))
            monkeypatch.setitem(sys.modules, module.name, made)
            parent, _, name = module.name.rpartition(".")
            while parent:
                above = sys.modules.get(parent) or types.ModuleType(parent)
                setattr(above, name, sys.modules[f"{parent}.{name}"])
                monkeypatch.setitem(sys.modules, parent, above)
                parent, _, name = parent.rpartition(".")
        namespace = {"__name__": "student"}
        for segment in submission.segments:
            execute(segment, namespace)
        return list(namespace["TwoLayerNet"]().loss(np.array([-1, 2])))

    return answer


@pytest.mark.parametrize(
    "run",
    [
        "%run helpers.py",
        "%run helpers",
        "%run -i helpers",
        "%run ./helpers.py --epochs 3",
        '%run "helpers.py"',
        "%run -m helpers",
        "%time %run helpers.py",
        "get_ipython().run_line_magic('run', 'helpers.py')",
        "get_ipython().magic(u'run helpers.py')",
        "exec(open('helpers.py').read())",
        'exec(compile(open("helpers.py").read(), "helpers.py", "exec"), globals())',
        "with open('helpers.py') as f:\n    exec(f.read())",
        "from pathlib import Path\nexec(Path('helpers.py').read_text())",
        "execfile('helpers.py')",
        "import runpy\nglobals().update(runpy.run_path('helpers.py'))",
        "import runpy\nfound = runpy.run_path('helpers.py')\nrelu = found['relu']",
        "import runpy\nrelu = runpy.run_path(path_name='helpers.py')['relu']",
        "%aimport helpers\nrelu = helpers.relu",
        "source = open('helpers.py').read()\nexec(source)",
        "path = 'helpers.py'\nwith open(path) as f:\n    code = compile(f.read(), path, 'exec')\nexec(code, globals())",
        "import importlib\nhelpers = importlib.import_module('helpers')\nrelu = helpers.relu",
        "import importlib.util as u\ns = u.spec_from_file_location('h', './helpers.py')\nh = u.module_from_spec(s)\ns.loader.exec_module(h)\nrelu = h.relu",
        "import importlib.machinery as m\nrelu = m.SourceFileLoader('h', '../x/helpers.py').load_module().relu",
        "import importlib.machinery as m\nh = m.SourceFileLoader('h', 'helpers.py').load_module()\nrelu = h.relu",
    ],
)
def test_a_file_that_is_run_is_an_import(run, answers):
    """Whatever runs a file that was handed in gives its names."""
    assert answers({"two_layer_net.ipynb": notebook(NUMPY, run, CLASS), **HELPERS}) == [0, 2]


@pytest.mark.parametrize(
    "run",
    [
        "%run helpers.ipynb",
        "import import_ipynb\nfrom helpers import relu",
        "import nbimporter\nimport helpers\nrelu = helpers.relu",
        "from importnb import Notebook\nwith Notebook():\n    from helpers import relu",
        "from ipynb.fs.full.helpers import relu",
        "import ipynb.fs.full.helpers as h\nrelu = h.relu",
    ],
)
def test_a_notebook_that_is_run_is_an_import(run, answers):
    """A second notebook gives names as a .py file does; of a cell in it that cannot be read, no more is lost."""
    helpers = notebook(NUMPY, "%matplotlib inline\nx = (", RELU)
    assert answers({"two_layer_net.ipynb": notebook(NUMPY, run, CLASS), "helpers.ipynb": helpers}) == [0, 2]


def test_a_file_that_is_run_uses_the_notebooks_names_and_private_ones(answers):
    """As with %run -i: helpers that import nothing, and names that begin with an underscore."""
    helpers = {"helpers.py": RELU.replace("relu", "_relu")}
    assert answers(
        {"two_layer_net.ipynb": notebook(NUMPY, "%run -i helpers", CLASS.replace("relu", "_relu")), **helpers}
    )


def test_files_that_run_each_other_come_to_an_end(read):
    """A circle, and a file that runs another twice and so on, are read once or a few times."""
    many = {f"f{n}.py": f"exec(open('f{n + 1}.py').read())\n" * 2 + f"x{n} = 1\n" for n in range(20)}
    files = {"two_layer_net.ipynb": notebook("%run f0.py", CLASS), **many, "f20.py": "exec(open('f0.py').read())\n"}
    assert read(files).problem is None


def test_the_class_of_a_file_that_is_run_is_that_files(read):
    """The report names the file that the class stands in, and does not say that it was not graded."""
    submission = read({"two_layer_net.ipynb": notebook("%run net.py"), "net.py": NUMPY + RELU + CLASS})
    assert submission.notes == (
        "graded: TwoLayerNet of net.py, which two_layer_net.ipynb imports (net.py, line 4: `class TwoLayerNet:`)",
        "left out: 1 magic",
    )
    assert {segment.label for segment in submission.segments} == {"net.py"}


@pytest.mark.parametrize(
    "cell",
    [
        f"%%time\n{RELU}",
        f"%%capture out\n\n%%time\n{RELU}",
        f"%%snakeviz\n{RELU}",
        f"%%heat -o x.png\n{RELU}",
        "%time relu = lambda u: np.maximum(0, u)",
        "%prun -s cumulative relu = lambda u: np.maximum(0, u)",
        "relu = %time lambda u: np.maximum(0, u)",
        "%time relu = lambda u: np.maximum( \\\n    0, u)",
        "get_ipython().run_line_magic('time', 'relu = lambda u: np.maximum(0, u)')",
        ">>> def relu(u):\n...     return np.maximum(0, u)",
        "settings['x'] = !ls\n" + RELU,
        f"{RELU}\nsettings['x'] = %time relu(1)",
    ],
)
def test_a_magic_runs_its_python(cell, answers):
    """What a magic only times, captures or profiles binds its names."""
    assert answers({"two_layer_net.ipynb": notebook(NUMPY, cell, CLASS)}) == [0, 2]


def test_pylab_binds_numpys_names(answers):
    """%pylab gives np, and numpy's functions by their own names."""
    relu = "def relu(u):\n    return maximum(0, np.array(u)) + 0 * len(randn(1)) + 0 * norm(u)\n"
    assert answers({"two_layer_net.ipynb": notebook("%pylab inline", relu, CLASS)}) == [0, 2]


@pytest.mark.parametrize("cell", [f"%%bash\n{RELU}", f"%%script false\n{RELU}", f"%%python3\n{RELU}"])
def test_what_runs_elsewhere_binds_nothing(cell, read):
    """Another process's names never reach the notebook."""
    assert len(read({"two_layer_net.ipynb": notebook(cell, CLASS)}).segments) == 1


def test_what_nobody_understands_is_quoted(read):
    """A line or a cell that may bind anything is named, and so is it where a name is missing."""
    unknown = "%store -r relu\n%load_ext autoreload\n!pip install x"
    notes = read({"two_layer_net.ipynb": notebook(unknown, "%%sql_like x\nselect relu from y", CLASS)}).notes
    line, cell = "code cell 1, line 1: `%store -r relu`", "code cell 2, line 1: `%%sql_like x`"
    assert notes[-3:] == (
        f"left out, since the grader cannot tell what it does: {line}",
        f"left out, since the grader cannot tell what it does: {cell}",
        f"nothing that is run defines relu; perhaps a line that was left out does: {line}, {cell}",
    )


def test_a_file_that_is_run_but_was_not_handed_in(read):
    """The note says which, and that a missing name may come from there."""
    notes = read({"two_layer_net.ipynb": notebook("x = 1\n%run helpers.py", CLASS)}).notes
    assert notes[-2:] == (
        "code cell 1, line 2 runs helpers.py, which was not handed in: hand it in beside the notebook",
        "nothing that is run defines relu; perhaps a line that was left out does: code cell 1, line 2: `helpers.py`",
    )


# ---------------------------------------------------------------- .py files that tools made of notebooks

COLAB = "# Commented out IPython magic to ensure Python compatibility.\n"
AS_COMMENTS = "\n".join(f"# {line}" for line in RELU.splitlines())
SCRIPTS = {
    "colab": f"!pip install -q tqdm\n%load_ext autoreload\n{NUMPY}\n{RELU}\n{CLASS}",
    "colab cell magic": f"{NUMPY}\n{COLAB}# %%time\n{AS_COMMENTS}\n\n{CLASS}",
    "colab bash": f"{NUMPY}{COLAB}# %%bash\n# ls\n\n{RELU}\n{CLASS}",
    "colab line magics": f"{NUMPY}{COLAB}# %matplotlib inline\n# %run helpers.py\n# a comment\n{CLASS}",
    "percent": f"# %%\n{NUMPY}\n# %% [markdown]\n# It is\n\n# %%\n%time x = 1\n{RELU}\n# %%\n{CLASS}",
    "percent, a cell magic": f"# %%\n{NUMPY}\n# %% time it\n%%time\n{RELU}\n# %%\n%%bash\nls |\n#%%\n{CLASS}",
    "percent, a broken cell": f'# %%\n{NUMPY}{RELU}\n# %%\nx = """\n# %%\n{CLASS}',
    "nbconvert": f"#!/usr/bin/env python\n# coding: utf-8\n\n# # Net\n\n# In[1]:\n\n\n{NUMPY}\n\n"
    f"# In[ ]:\n\n\nget_ipython().run_line_magic('matplotlib', 'inline')\n\n\n"
    f"# In[2]:\n\n\nget_ipython().run_cell_magic('time', '', {RELU!r})\n\n\n# In[3]:\n\n\n{CLASS}",
    "nbconvert, a file": f"# In[1]:\nget_ipython().run_cell_magic('writefile', 'own.py', {NUMPY + RELU!r})\n"
    f"# In[2]:\nfrom own import relu\n{CLASS}",
    "databricks": f"# Databricks notebook source\n{NUMPY}\n# COMMAND ----------\n\n# MAGIC %md\n# MAGIC # It's\n\n"
    f"# COMMAND ----------\n\n# MAGIC %run ./helpers\n\n# COMMAND ----------\n\n{CLASS}",
    "jupytext": "# ---\n# jupyter:\n#   jupytext:\n#     text_representation:\n#       extension: .py\n# ---\n\n"
    f"# %run helpers.py\n\n# +\n{CLASS}",
    "jupytext, prose, and a try of magics alone": "# ---\n# jupyter: {jupytext: 1}\n# ---\n\n# %% [markdown]\n# Net\n\n"
    f"# %%\ntry:\n    # %load_ext grader\nexcept ImportError:\n    pass\n{NUMPY}{RELU}\n# %%\nx = (\n# %%\n{CLASS}",
    "marimo, what it cannot read": 'import marimo as m\n\nnotebook = m.App()\n\nnotebook._unparsable_cell(\n    r"""\n'
    '    !pip install numpy\n    import numpy as np\n    """,\n    name=\'_\'\n)\n\n@notebook.function\n'
    f"{RELU}\n\n@notebook.class_definition\n{CLASS}\n",
    "marimo": "import marimo\n\napp = marimo.App(width='full')\n\nwith app.setup:\n    import numpy as np\n\n\n"
    "@app.cell\ndef _(mo):\n    mo.md(r'''\n    # Net\n    ''')\n    return\n\n\n"
    "@app.function(hide_code=True)\ndef relu(u):\n    return 0 * u\n\n\n"
    "@app.cell(hide_code=True)\ndef _(np):\n    '''two\n    lines'''\n    def relu(u):\n        return np.maximum(0, u)\n    return (relu,)\n\n\n"
    "@app.class_definition\nclass TwoLayerNet:\n    pass\n\n\n"
    "@app.cell\ndef _(relu):\n    class TwoLayerNet_1:\n        def loss(self, X):\n            return relu(X)\n    return (TwoLayerNet_1,)\n\n\n"
    "if __name__ == '__main__':\n    app.run()\n",
}


@pytest.mark.parametrize("name", SCRIPTS)
def test_a_script_is_the_notebook_that_it_was(name, answers):
    """Each tool's .py form of the same right notebook is read to the same program."""
    helpers = HELPERS if "helpers" in SCRIPTS[name] else {}
    assert answers({"two_layer_net.py": SCRIPTS[name], **helpers}) == [0, 2]


def test_a_plain_python_file_is_left_as_it_is(read):
    """Comments and texts that look like magics are a file's own, and its label stays."""
    text = f'{NUMPY}# %run helpers.py\n"""\n%time x = 1\n"""\n{RELU}\n{CLASS}'
    submission = read({"two_layer_net.py": text, **HELPERS})
    assert [(s.label, s.source) for s in submission.segments] == [("two_layer_net.py", text)]
    assert submission.notes == ()


def test_lines_of_an_unfolded_script_are_said_to_be(read):
    """The lines of what nbconvert folded into one are counted where it is unfolded."""
    submission = read({"two_layer_net.py": SCRIPTS["nbconvert"]})
    assert {s.label for s in submission.segments} == {"two_layer_net.py with its cell magics unfolded"}
