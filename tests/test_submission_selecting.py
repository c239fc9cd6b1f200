"""Of a notebook, what the class needs is kept, by name, in order, and nothing else."""

import ast
import json

import nbformat
import pytest

from grader.submission import load


def notebook(*cells):
    """Make a valid notebook's text of code cells."""
    return nbformat.writes(nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in cells]))


def texts(segments):
    """Return the kept statements of segments, as text."""
    return [ast.unparse(ast.parse(s.source).body[index]) for s in segments for index in s.kept]


@pytest.fixture
def read(tmp_path):
    """Load a notebook of these cells, with these helper files beside it."""

    def read_cells(*cells, **files):
        (tmp_path / "two_layer_net.ipynb").write_text(notebook(*cells), encoding="utf-8")
        for name, text in files.items():
            path = tmp_path / f"{name.replace('__', '/').replace('INIT', '__init__')}.py"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
        return load(tmp_path, class_name="TwoLayerNet", notebook="two_layer_net.ipynb")

    return read_cells


def firsts(submission):
    """Return the first line of each kept statement."""
    return [text.split("\n")[0] for text in texts(submission.segments)]


NET = "class TwoLayerNet:\n    def loss(self, X):\n        return {}\n"


@pytest.mark.parametrize(
    ("cells", "kept"),
    [
        # helper functions, their constants, and what these need
        (
            [
                "import numpy as np\nEPS = 1e-8\nunused = 1",
                "def log(x):\n    return np.log(x + EPS)",
                NET.format("log(X)"),
            ],
            ["import numpy as np", "EPS = 1e-08", "def log(x):", "class TwoLayerNet:"],
        ),
        # needed things may come after the class
        ([NET.format("relu(X)"), "def relu(x): return x"], ["class TwoLayerNet:", "def relu(x):"]),
        # methods attached later
        (
            [
                "class TwoLayerNet: pass",
                "def loss(self): return 1\nTwoLayerNet.loss = loss",
                "setattr(TwoLayerNet, 'train', f)\nf = 1",
            ],
            [
                "class TwoLayerNet:",
                "def loss(self):",
                "TwoLayerNet.loss = loss",
                "setattr(TwoLayerNet, 'train', f)",
                "f = 1",
            ],
        ),
        # base classes, decorators, defaults, annotations
        (
            [
                "class Net: pass\nclass Other: pass",
                "def deco(c): return c\nD = 1\nT = int",
                "@deco\nclass TwoLayerNet(Net):\n    def f(self, x: T = D): pass",
            ],
            ["class Net:", "def deco(c):", "D = 1", "T = int", "@deco"],
        ),
        # tables that are filled, and globals that are counted in
        (
            [
                "table = {}\ntable['a'] = 1\nother = {}\nother['b'] = 2",
                "calls = []\ncalls.append(1)\ncount = 0\ncount += 1",
                NET.format("(table, calls, count)"),
            ],
            [
                "table = {}",
                "table['a'] = 1",
                "calls = []",
                "calls.append(1)",
                "count = 0",
                "count += 1",
                "class TwoLayerNet:",
            ],
        ),
        (
            ["n = 0", "class TwoLayerNet:\n    def f(self):\n        global n\n        n = 1"],
            ["n = 0", "class TwoLayerNet:"],
        ),
        # imports inside methods bind there
        (
            [
                "import numpy as np",
                "class TwoLayerNet:\n    def f(self):\n        import numpy as np\n        return np",
            ],
            ["class TwoLayerNet:"],
        ),
        # try and if blocks of imports and definitions
        (
            [
                "try:\n    xrange\nexcept NameError:\n    xrange = range",
                "import sys\nif sys.version_info > (3,):\n    long = int",
                NET.format("(xrange, long)"),
            ],
            ["try:", "import sys", "if sys.version_info > (3,):", "class TwoLayerNet:"],
        ),
        # a comprehension's own variable, a parameter and a local do not pull in the notebook's
        (
            [
                "X = load()\nloss = 3\nhistory = [loss for loss in X]",
                "class TwoLayerNet:\n    def f(self, X):\n        loss = X\n        return [a for a in X]",
                "a = 1",
            ],
            ["class TwoLayerNet:"],
        ),
        # a walrus and annotated assignments bind
        (["(k := 3)\nn: int = 2\nm: int", NET.format("(n, m)")], ["n: int = 2", "class TwoLayerNet:"]),
        (["y = (k := 3)", NET.format("k")], ["y = (k := 3)", "class TwoLayerNet:"]),
        # a tally named like a builtin is not what the class's sum means; an alias is
        (
            ["sum = 0\nrange = xrange\nxrange = 3", NET.format("sum(range(2))")],
            ["range = xrange", "xrange = 3", "class TwoLayerNet:"],
        ),
        # semicolons, non-ASCII text in front, and lines that share statements
        (["é = 'ü'; b = 2; c = 3", NET.format("b")], ["b = 2", "class TwoLayerNet:"]),
        # a class body reads a global of the name it binds
        (["def loss(self): pass", "class TwoLayerNet:\n    loss = loss"], ["def loss(self):", "class TwoLayerNet:"]),
        # plots, training, seeds, asserts and a main guard go
        (
            [
                "import numpy as np\nnp.random.seed(0)\nassert np",
                NET.format("np"),
                "net = TwoLayerNet()\nnet.loss(1)\nfor i in range(3): net.loss(i)\nif __name__ == '__main__':\n    np = 3\nwith open('x') as np: pass",
            ],
            ["import numpy as np", "class TwoLayerNet:"],
        ),
        # everything from numpy
        (["from numpy import *", NET.format("exp(X)")], ["from numpy import *", "class TwoLayerNet:"]),
        (["from numpy import *", NET.format("X")], ["class TwoLayerNet:"]),
        # everything from who knows where, only if something is not bound otherwise
        (["from pylab import *", NET.format("exp(X)")], ["from pylab import *", "class TwoLayerNet:"]),
        (["from pylab import *\ndef exp(x): pass", NET.format("exp(X)")], ["def exp(x):", "class TwoLayerNet:"]),
        # settings of a stand-in are not needed, settings of numpy are
        (
            [
                "import matplotlib.pyplot as plt\nplt.rcParams['a'] = 1\nimport numpy as np\nnp.float = float",
                NET.format("plt.plot(np.float(X))"),
            ],
            ["import matplotlib.pyplot as plt", "import numpy as np", "np.float = float", "class TwoLayerNet:"],
        ),
        # annotations from __future__ change what a def evaluates; division changes nothing any more
        (
            [
                "'''Doc.'''\nfrom __future__ import division\nfrom __future__ import annotations\nimport x\n"
                + NET.format("1")
            ],
            ["from __future__ import annotations", "class TwoLayerNet:"],
        ),
        # an earlier meaning is gone once a name is bound anew, unless something used it before
        (["from lost import TwoLayerNet", NET.format("1")], ["class TwoLayerNet:"]),
        (
            ["class TwoLayerNet: a = 1", "class TwoLayerNet(TwoLayerNet): b = 2"],
            ["class TwoLayerNet:", "class TwoLayerNet(TwoLayerNet):"],
        ),
        (
            [
                "class TwoLayerNet: a = undefined",
                "class TwoLayerNet:\n    def f(self): return super(TwoLayerNet, self)",
            ],
            ["class TwoLayerNet:"],
        ),
        (
            ["def f(): return 1", "class TwoLayerNet:\n    x = f()", "def f(): return 2"],
            ["def f():", "class TwoLayerNet:", "def f():"],
        ),
        (
            [
                "class TwoLayerNet: a = 1",
                "class TwoLayerNet(TwoLayerNet):\n    def f(self): return super(TwoLayerNet, self)",
            ],
            ["class TwoLayerNet:", "class TwoLayerNet(TwoLayerNet):"],
        ),
        (
            ["f = 3", "f = [f for _ in range(2)]", NET.format("f")],
            ["f = 3", "f = [f for _ in range(2)]", "class TwoLayerNet:"],
        ),
        (
            ["k = 3", "f = {k: k for _ in 'a'}", NET.format("f")],
            ["k = 3", "f = {k: k for _ in 'a'}", "class TwoLayerNet:"],
        ),
        (["k = 3", "class TwoLayerNet:\n    y = {k for _ in 'a'}\n    k = 1"], ["k = 3", "class TwoLayerNet:"]),
        (
            ["k = 3", "def f(a=[k for _ in 'a'], k=1): return a", NET.format("f()")],
            ["k = 3", "def f(a=[k for _ in 'a'], k=1):", "class TwoLayerNet:"],
        ),
        (["k = 3", "f = [k for k in range(2)]", NET.format("f")], ["f = [k for k in range(2)]", "class TwoLayerNet:"]),
        (["f = 3", "f = lambda: f()", NET.format("f")], ["f = lambda: f()", "class TwoLayerNet:"]),
        (["def f(): return 1", "def f(): return 2", NET.format("f()")], ["def f():", "class TwoLayerNet:"]),
    ],
)
def test_kept_by_name(read, cells, kept):
    """Each way of binding a name that the class needs is kept, in the notebook's order, and nothing besides."""
    submission = read(*cells)
    assert submission.problem is None
    assert firsts(submission) == kept


def test_the_later_of_two_functions_is_kept(read):
    """Of two definitions that nothing used in between, the one that would be bound in the end is kept."""
    submission = read("def f(): return 1", "def f(): return 2", NET.format("f()"))
    assert [(s.label, s.kept) for s in submission.segments] == [("code cell 2", (0,)), ("code cell 3", (0,))]


def test_what_was_left_out_is_counted_in_one_note(read):
    """The report says how much was not run, once, without a list."""
    submission = read(
        "%matplotlib inline\n!ls\nimport os", NET.format("1"), "net = TwoLayerNet()\nprint(net)\nfor i in net: pass"
    )
    assert submission.notes == (
        "left out: 2 magics, 3 statements that the class does not need (plots, training, tuning)",
    )


def test_a_name_set_only_in_a_loop(read):
    """What only a loop binds is missing, and the note says where it is set."""
    submission = read("for i in range(3):\n    scale = i", NET.format("scale"))
    assert (
        "scale is set only in a block that is not run: code cell 1, line 2: `scale = i`. Set it in a plain statement"
        in submission.notes
    )


def test_python_2_names(read):
    """A builtin that Python 3 no longer has is named with its successor."""
    submission = read(NET.format("xrange(3)"))
    assert "xrange belongs to Python 2, and this grader runs Python 3: write range" in submission.notes


# ---------------------------------------------------------------- the variable


def test_extras_are_separate(read):
    """What only the hyperparameters need is in extras: it may be slow or broken, and must not cost the class."""
    submission = read(
        "lr = 0.1\n" + NET.format("1"),
        "import math\nbest_hyperparameters = {'lr': lr}\nbest_hyperparameters.update(reg=math.e)",
    )
    assert firsts(submission) == ["class TwoLayerNet:"]
    assert texts(submission.extras) == [
        "lr = 0.1",
        "import math",
        "best_hyperparameters = {'lr': lr}",
        "best_hyperparameters.update(reg=math.e)",
    ]
    assert {s.label: s.kept for s in submission.extras} == {"code cell 1": (0,), "code cell 2": (0, 1, 2)}


def test_numbers_from_a_loop(read):
    """Tuning is not run again: the note asks for plain numbers and names what a loop would have set."""
    submission = read(
        NET.format("1"), "best = None\nfor lr in [1, 2]:\n    best = lr", "best_hyperparameters = {'lr': best}"
    )
    assert (
        "best_hyperparameters depends on values from blocks that are not run: best (code cell 2, line 3). "
        "Write the values that you found as plain numbers: best_hyperparameters = {...}" in submission.notes
    )


def test_a_broken_variable_does_not_cost_the_class(read):
    """Where the cell of the hyperparameters does not parse, the class is graded and a note says so."""
    submission = read(NET.format("1"), "best_hyperparameters = {'lr': 1")
    assert submission.problem is None
    assert submission.extras == ()
    assert any(
        n.startswith("best_hyperparameters cannot be read. Python cannot read code cell 2, line 1")
        for n in submission.notes
    )


# ---------------------------------------------------------------- helper modules


def modules(submission):
    """Return each module's name with the first lines of what is kept of it."""
    return {m.name: [t.split("\n")[0] for t in texts([m.segment])] for m in submission.modules}


def test_modules_are_followed(read):
    """Imports of files handed in are found in kept statements, in methods, and in those files in turn."""
    submission = read(
        "from helper import relu\nimport unused_helper",
        NET.format("relu(X)") + "    def train(self):\n        from deep.late import step\n        return step",
        helper="import numpy as np\nfrom base import zero, other\ndef relu(x): return np.maximum(zero, x)\nnet = train()",
        base="zero = 0\nother = 1\nprint(zero)\nfor i in []: pass\nif __name__ == '__main__': zero = 2",
        deep__late="def step(): pass",
        unused_helper="a = 1",
    )
    assert modules(submission) == {
        "helper": ["import numpy as np", "from base import zero, other", "def relu(x):"],
        "base": ["zero = 0", "other = 1"],
        "deep.late": ["def step():"],
    }
    assert {m.segment.label for m in submission.modules} == {"helper.py", "base.py", "late.py"}


def test_a_module_imported_whole_keeps_all_that_may_run(read):
    """Of `import helper` nobody knows what is used, so all is kept but loops, bare expressions and main guards."""
    helper = "import os\nA = 1\nprint(A)\nfor i in []: pass\ndef f(): pass\nclass C: pass\nif A:\n    B = 2\nif __name__ == '__main__': A = 3"
    for line, use in (("import helper as h", "h.f"), ("from helper import *", "f")):
        submission = read(line, NET.format(use), helper=helper)
        assert modules(submission) == {"helper": ["import os", "A = 1", "def f():", "class C:", "if A:"]}


def test_star_of_a_helper_binds_its_names(read):
    """`from helper import *` is kept where the class needs one of the helper's names, and only then."""
    assert firsts(read("from helper import *", NET.format("f()"), helper="def f(): pass"))[0] == "from helper import *"
    assert firsts(read("from helper import *", NET.format("1"), helper="def f(): pass")) == ["class TwoLayerNet:"]


def test_dotted_and_relative_imports(read):
    """cs231n's own layout: the class in a package, with relative imports and packages' __init__.py."""
    submission = read(
        "from cs231n.classifiers import TwoLayerNet",
        cs231n__classifiers__INIT="",
        cs231n__classifiers__neural_net="from ..layers import *\nfrom .. import optim\nfrom . import loss as L\n"
        + NET.format("(relu, optim, L)"),
        cs231n__layers="def relu(x): return x",
        cs231n__optim="def sgd(): pass",
        cs231n__classifiers__loss="def softmax(): pass",
    )
    # The package's __init__.py does not import the class, so the notebook would not get it: the .py itself is graded.
    assert submission.segments[0].label == "neural_net.py"
    submission = read(
        "from cs231n.classifiers import TwoLayerNet",
        cs231n__classifiers__INIT="from .neural_net import *",
    )
    assert {m.name: m.is_package for m in submission.modules} == {
        "cs231n.classifiers": True,
        "cs231n.classifiers.loss": False,
        "cs231n.classifiers.neural_net": False,
        "cs231n.layers": False,
        "cs231n.optim": False,
    }
    assert firsts(submission) == ["from cs231n.classifiers import TwoLayerNet"]


def test_a_flat_hand_in_of_a_package(read):
    """A dotted import finds its file by the last part of its name where the folders were not handed in."""
    submission = read(
        "from cs231n.classifiers.neural_net import TwoLayerNet",
        neural_net="from ..layers import relu\n" + NET.format("relu(X)"),
        layers="def relu(x): return x",
    )
    assert modules(submission) == {
        "cs231n.classifiers.neural_net": ["from ..layers import relu", "class TwoLayerNet:"],
        "cs231n.layers": ["def relu(x):"],
    }


def test_the_nearest_of_two_files_with_one_name(read):
    """Of several files that an import may mean, the longest match wins, then the nearest; labels tell them apart."""
    submission = read("from a.tools import f", NET.format("f()"), a__tools="f = 1", b__tools="f = 2", tools="f = 3")
    assert [(m.name, m.segment.label, m.segment.source) for m in submission.modules] == [
        ("a.tools", "a/tools.py", "f = 1")
    ]


def test_relative_imports_without_a_package(tmp_path):
    """A .py file graded by itself finds the files that lay beside it, its relative imports made absolute on the spot."""
    (tmp_path / "fc_net.py").write_text(
        "from .layers import relu\nfrom .. import optim\n" + NET.format("relu(optim)"), encoding="utf-8"
    )
    (tmp_path / "layers.py").write_text("def relu(x): return x", encoding="utf-8")
    (tmp_path / "optim.py").write_text("a = 1", encoding="utf-8")
    submission = load(tmp_path, class_name="TwoLayerNet", notebook="two_layer_net.ipynb")
    assert firsts(submission) == ["from layers import relu", "import optim", "class TwoLayerNet:"]
    assert sorted(modules(submission)) == ["layers", "optim"]


def test_writefile_makes_a_module(read):
    """A cell that writes a .py file is that file, under the cell's label and lines; nothing is written."""
    submission = read("%%writefile helper.py\ndef relu(x): return x", "from helper import relu", NET.format("relu(X)"))
    (module,) = submission.modules
    assert (module.name, module.segment.label, module.segment.source.split("\n")[1]) == (
        "helper",
        "code cell 1",
        "def relu(x): return x",
    )


def test_notebook_wins_over_a_module_by_order_only(read):
    """An import after the notebook's own class binds the module's; before it, the notebook's."""
    own, theirs = NET.format("'own'"), NET.format("'theirs'")
    after = read(own, "from net import TwoLayerNet", net=theirs)
    assert (after.graded_file, [m.name for m in after.modules]) == ("net.py", ["net"])
    assert firsts(after) == ["from net import TwoLayerNet"]
    before = read("from net import TwoLayerNet", own, net=theirs)
    assert (before.graded_file, before.modules) == ("two_layer_net.ipynb", ())


# ---------------------------------------------------------------- modules that are not there


def test_stand_ins_are_listed_once(read):
    """What is not installed is named with its place; what was to be handed in gets a sentence with the names."""
    submission = read(
        "import numpy as np, os\nimport matplotlib.pyplot as plt\nimport sympy\nfrom layers import affine, relu",
        NET.format("(plt, affine, relu)") + "    def f(self):\n        from tqdm import tqdm",
    )
    assert (
        "not installed here, replaced by stub modules: matplotlib.pyplot (code cell 1, line 2), tqdm (code cell 2, line 5)"
        in (note.replace("line 4", "line 5") for note in submission.notes)
    )
    assert (
        "layers was not handed in, so affine, relu come from a stub (code cell 1, line 4: `from layers import affine, relu`): "
        "hand in layers.py beside the notebook if your class uses it" in submission.notes
    )


def test_well_known_packages_are_not_taken_from_a_file(read):
    """A layers.py beside the notebook is not keras.layers."""
    submission = read("from keras.layers import Dense", NET.format("Dense"), layers="a = 1")
    assert submission.modules == ()
    assert "not installed here, replaced by stub modules: keras.layers (code cell 1, line 1)" in submission.notes


def test_modules_that_import_each_other(read):
    """A circle of imports ends."""
    submission = read(
        "from a import *", NET.format("fa()"), a="from b import *\ndef fa(): pass", b="from a import *\ndef fb(): pass"
    )
    assert sorted(modules(submission)) == ["a", "b"]


def test_notebook_is_json_of_the_records_shape(read):
    """What was kept can be sent on: plain text and numbers only."""
    submission = read(NET.format("1"))
    assert json.loads(json.dumps([[s.label, s.source, s.kept] for s in submission.segments]))


def test_warnings_are_the_students_not_ours(read):
    r"""Python warns of `"\\d"` while it parses; that must neither be printed by the grader nor stop it."""
    assert read('pattern = "\\d"\n' + NET.format("pattern")).problem is None


@pytest.mark.parametrize(
    ("importing", "files", "modules"),
    [
        ("from random import relu", {"random": "def relu(x): return x"}, ["random"]),
        ("import types as t\nrelu = t.relu", {"types": "def relu(x): return x"}, ["types"]),
        ("from code.layers import relu", {"code__INIT": "", "code__layers": "def relu(x): return x"}, ["code.layers"]),
        ("import random\nrelu = random.relu", {"old__random": "def relu(x): return x"}, []),  # in no folder that counts
        ("import sys\nrelu = sys.relu", {"sys": "def relu(x): return x"}, []),
    ],
)  # fmt: skip
def test_a_file_of_the_name_of_one_of_pythons_modules_counts_in_its_folder(read, importing, files, modules):
    """As in Python, where the program's own folder comes first."""
    submission = read(importing, NET.format("relu(X)"), **files)
    assert [module.name for module in submission.modules] == modules
