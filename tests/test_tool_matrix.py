"""One right notebook, saved by each tool that students and teachers use, is graded to 100.

Not run, since neither pip nor npm has it here: Deepnote's converter (@deepnote/convert; tests/test_submission_forms.py holds
its format by hand). Nor jupytext's formats for Quarto and Pandoc, whose programs they call; Quarto's text is by hand there
too. Colab's download is written below by hand, after what Colab writes.
"""

import os
import re
import subprocess
import venv

import nbformat
import pytest

from grader.grading import grade
from play_student import SOLUTION

pytestmark = pytest.mark.slow

TOOLS = """
ipykernel==6.31.0 jupytext==1.19.6 marimo==0.25.2 nbconvert==7.17.2 nbdev==3.3.26 nbgrader==0.9.6 nbstripout==0.9.1
papermill==2.7.0
"""
NAME = "two_layer_net.ipynb"
MARKS = re.compile(r"^[ \t]*### (?:BEGIN|END) SOLUTION\n?", re.MULTILINE)
COLAB = "# Commented out IPython magic to ensure Python compatibility."
MAGICS = "%matplotlib inline\n!pip install -q tqdm\n%time import numpy as np"
LANGUAGE = {"name": "python", "version": "3.11.7", "file_extension": ".py", "nbconvert_exporter": "python"}
EXPORTED = ("import numpy as np\nfrom", "class TwoLayerNet", "def ", "best_hyperparameters =")
COMMANDS = {
    "nbconvert, script": ("net.py", f"jupyter nbconvert --to script --output net {NAME}"),
    "nbconvert, python": ("net.py", f"jupyter nbconvert --to python --no-prompt --output net {NAME}"),
    "nbconvert, markdown": ("net.md", f"jupyter nbconvert --to markdown --output net {NAME}"),
    "nbconvert, cleared": (NAME, f"jupyter nbconvert --clear-output --inplace {NAME}"),
    "nbconvert, version 3": ("net.ipynb", f"jupyter nbconvert --to notebook --nbformat 3 --output net {NAME}"),
    "marimo": ("net.py", f"marimo -y convert {NAME} -o net.py"),
    "marimo, markdown": ("net.md", f"marimo -y convert {NAME} -o net.py\nmarimo -y export md net.py -o net.md"),
    "papermill": ("net.ipynb", f"papermill --prepare-only -p seed 7 {NAME} net.ipynb"),
    "nbstripout": (NAME, f"nbstripout {NAME}"),
    "nbdev, clean": (NAME, f"nbdev-clean --fname {NAME}"),
    **{
        f"jupytext, {form}": (f"net.{ending}", f"jupytext --to {form} -o net.{ending} {NAME}")
        for ending, forms in (("py", "percent light sphinx hydrogen nomarker marimo"), ("md", "markdown myst"))
        for form in (f"{ending}:{one}" for one in forms.split())
    },
    "jupytext, Rmd": ("net.Rmd", f"jupytext --to Rmd -o net.Rmd {NAME}"),
    "jupytext, text in quotes": ("net.py", f"jupytext --to py:percent --opt cell_markers=''' -o net.py {NAME}"),
    "jupytext, magics as they are": ("net.py", f"jupytext --to py:percent --opt comment_magics=false -o net.py {NAME}"),
    "jupytext, regions": ("net.py", f"jupytext --to py:light --opt cell_markers=region,endregion -o net.py {NAME}"),
    "jupytext, and back": (NAME, f"jupytext --to py -o net.py {NAME}\njupytext --to ipynb -o {NAME} net.py"),
}


@pytest.fixture(scope="module")
def tools(tmp_path_factory):
    """Return the folder of programs of an environment that holds the tools."""
    folder = tmp_path_factory.mktemp("tools")
    venv.create(folder / "venv", with_pip=True)
    programs = folder / "venv" / "bin"
    subprocess.run([programs / "python", "-m", "pip", "install", "-q", *TOOLS.split()], check=True, timeout=900)
    return programs


@pytest.fixture
def run(tools, tmp_path):
    """Return a function that runs one of the tools beside the notebook."""
    kept = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}

    def run_tool(*words):
        done = subprocess.run(
            [tools / words[0], *words[1:]],
            cwd=tmp_path,
            env={**kept, "HOME": str(tmp_path), "PATH": f"{tools}:{kept['PATH']}"},
            capture_output=True,
            text=True,
            check=False,
            timeout=300,
        )
        assert done.returncode == 0, done.stderr

    return run_tool


def make_notebook(*, is_marked=False):
    """Return the solution in the students' layout, with magics; is_marked: with the marks around what students write."""
    notebook = nbformat.read(SOLUTION, as_version=4)
    for cell in notebook.cells:
        if not is_marked:
            cell.source = MARKS.sub("", cell.source)
        if cell.source.startswith("class TwoLayerNet"):
            cell.source = f"%%time\n# the network\n{cell.source}"
    notebook.metadata["language_info"] = LANGUAGE
    notebook.cells.insert(2, nbformat.v4.new_code_cell(MAGICS))
    return notebook


@pytest.fixture
def lost(assignment, questions, host):
    """Return a function that grades what a tool wrote, and returns what cost points."""

    def grade_it(path):
        report = grade(path, path.name, assignment, questions, host).report
        wrong = [one for one in report.checks if one.points < one.max_points]
        return report.score, {one.id: one.message for one in wrong}

    return grade_it


@pytest.mark.parametrize("name", COMMANDS)
def test_each_tool(name, run, tmp_path, lost):
    """One command, or one and the way back."""
    nbformat.write(make_notebook(), tmp_path / NAME)
    written, commands = COMMANDS[name]
    for command in commands.splitlines():
        run(*command.split())
    assert lost(tmp_path / written) == (100, {})


def test_nbdev_export(run, tmp_path, lost):
    """The module that nbdev makes of the cells with its directive."""
    notebook = make_notebook()
    for cell in notebook.cells:
        cell.source = cell.source.replace("%%time\n# the network\n", "")  # it exports magics, which no module may hold
        if cell.cell_type == "code" and cell.source.startswith(EXPORTED):
            cell.source = f"#| export\n{cell.source}"
    notebook.cells.insert(0, nbformat.v4.new_code_cell("#| default_exp net"))
    nbformat.write(notebook, tmp_path / NAME)
    run("python", "-c", f"from nbdev.export import nb_export; nb_export({NAME!r}, 'lib')")
    assert lost(tmp_path / "lib" / "net.py") == (100, {})


def test_nbgrader_release(run, tmp_path, lost):
    """What nbgrader hands out, with the solutions written into it again, and its own cells of tests."""
    notebook = make_notebook(is_marked=True)
    known = {"schema_version": 3, "locked": False, "task": False}
    for number, cell in enumerate(notebook.cells):
        if "### BEGIN SOLUTION" in cell.source:
            cell.metadata["nbgrader"] = {**known, "grade": False, "solution": True, "grade_id": f"part-{number}"}
    asks = {**known, "grade": True, "solution": False, "grade_id": "test", "points": 1, "locked": True}
    tests = "assert net\n### BEGIN HIDDEN TESTS\nassert False\n### END HIDDEN TESTS"
    notebook.cells.append(nbformat.v4.new_code_cell(tests, metadata={"nbgrader": asks}))
    (tmp_path / "source" / "one").mkdir(parents=True)
    nbformat.write(notebook, tmp_path / "source" / "one" / NAME)
    run("nbgrader", "generate_assignment", "one", f"--course-dir={tmp_path}", "--create")
    released = tmp_path / "release" / "one" / NAME
    assert lost(released)[1]
    filled = nbformat.read(released, as_version=4)
    solved = {cell.metadata["nbgrader"]["grade_id"]: cell for cell in make_marked(notebook)}
    for cell in filled.cells:
        if cell.metadata.get("nbgrader", {}).get("solution"):
            cell.source = solved[cell.metadata["nbgrader"]["grade_id"]].source
    nbformat.write(filled, released)
    assert lost(released) == (100, {})


def make_marked(notebook):
    """Return the cells of a notebook that nbgrader knows, with the marks taken out."""
    for cell in notebook.cells:
        cell.source = MARKS.sub("", cell.source)
    return [cell for cell in notebook.cells if "nbgrader" in cell.metadata]


def test_colab(tmp_path, lost):
    """Prose becomes texts in quotes, magics comments, and commands stay."""
    parts = [f'# -*- coding: utf-8 -*-\n"""{NAME}\n\nAutomatically generated by Colab.\n"""']
    for cell in make_notebook().cells:
        if cell.cell_type == "markdown":
            parts.append(f'"""{cell.source}"""')
            continue
        begins = cell.source.startswith("%%")
        lines = cell.source.splitlines()
        parts.append("\n".join(f"# {line}" if begins or line.lstrip().startswith("%") else line for line in lines))
        if begins or "\n%" in f"\n{cell.source}":
            parts[-1] = re.sub(r"^(?=# %)", f"{COLAB}\n", parts[-1], count=1, flags=re.MULTILINE)
    (tmp_path / "net.py").write_text("\n\n".join(parts), encoding="utf-8")
    assert lost(tmp_path / "net.py") == (100, {})
