"""Which file is graded where several could be, and what is said where none can."""

import nbformat
import pytest

from grader.submission import load

NET = "class TwoLayerNet:\n    def loss(self, X):\n        return X\n"
IMPORT = "from neural_net import TwoLayerNet"


def notebook(*cells):
    """Make a valid notebook's text of code cells."""
    return nbformat.writes(nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in cells]))


@pytest.fixture
def read(tmp_path):
    """Load a folder of these files; a notebook's cells are a tuple."""

    def read_files(files):
        for name, content in files.items():
            path = tmp_path / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(notebook(*content) if isinstance(content, tuple) else content, encoding="utf-8")
        return load(tmp_path, class_name="TwoLayerNet", notebook="two_layer_net.ipynb")

    return read_files


@pytest.mark.parametrize(
    ("files", "graded"),
    [
        ({"a.ipynb": (NET,), "two_layer_net.ipynb": (NET,)}, "two_layer_net.ipynb"),
        ({"a.ipynb": (NET,), "z/Two-Layer-Net (1).ipynb": (NET,)}, "z/Two-Layer-Net (1).ipynb"),
        ({"two_layer_net.ipynb": ("net = 1 # TwoLayerNet",), "a.ipynb": (NET,)}, "a.ipynb"),
        ({"a.py": NET, "deep/z.ipynb": (NET,)}, "deep/z.ipynb"),
        ({"deep/a.ipynb": (NET,), "z.ipynb": (NET,)}, "z.ipynb"),
        ({"b.ipynb": (NET,), "a.ipynb": (NET,)}, "a.ipynb"),
        (
            {"two_layer_net.ipynb": ("import neural_net", "neural_net.TwoLayerNet()"), "neural_net.py": NET},
            "neural_net.py",
        ),
        ({"two_layer_net.ipynb": (IMPORT,), "neural_net.py": NET}, "neural_net.py"),
        ({"two_layer_net.ipynb": ("from neural_net import *",), "neural_net.py": NET}, "neural_net.py"),
        (
            {
                "two_layer_net.ipynb": ("from neural_net import Net as TwoLayerNet",),
                "neural_net.py": NET.replace("TwoLayerNet", "Net"),
            },
            "neural_net.py",
        ),
        (
            {"two_layer_net.ipynb": (IMPORT,), "neural_net.py": "from real import TwoLayerNet", "real.py": NET},
            "real.py",
        ),
        ({"two_layer_net.ipynb": ("class Net: pass", "TwoLayerNet = Net")}, "two_layer_net.ipynb"),
        ({"x.ipynb": ("class TwoLayerNet(:",), "y.py": NET}, "y.py"),
        ({"two_layer_net.ipynb": (NET, IMPORT)}, "two_layer_net.ipynb"),
        (
            {
                "two_layer_net.ipynb": (
                    "try:\n    from neural_net import TwoLayerNet\nexcept ImportError:\n    "
                    + NET.replace("\n", "\n    "),
                )
            },
            "two_layer_net.ipynb",
        ),
        ({"net-1.py": NET, "two_layer_net.ipynb": ("from net import TwoLayerNet",)}, "net-1.py"),
    ],
)
def test_preference(read, files, graded):
    """The assignment's own notebook first; then notebooks, the shallowest, the alphabet; what does not bind it never."""
    submission = read(files)
    assert submission.problem is None
    assert submission.graded_file == graded


def test_the_choice_is_told(read):
    """Where several files hold the class, the note says which was graded and which were not."""
    submission = read({"two_layer_net.ipynb": ("a = 1", NET), "old/two_layer_net.ipynb": (NET,), "neural_net.py": NET})
    assert submission.notes[:2] == (
        "graded: TwoLayerNet of two_layer_net.ipynb (code cell 2, line 1: `class TwoLayerNet:`)",
        "not graded, though TwoLayerNet is also in: neural_net.py, old/two_layer_net.ipynb",
    )


def test_an_imported_class_is_told(read):
    """Where the notebook imports the class, the note names both files; the .py is not called a rival."""
    submission = read({"two_layer_net.ipynb": (IMPORT,), "neural_net.py": NET})
    assert submission.notes == (
        "graded: TwoLayerNet of neural_net.py, which two_layer_net.ipynb imports (code cell 1, line 1: `from neural_net import TwoLayerNet`)",
    )


def test_two_definitions_in_one_notebook(read):
    """The last of two definitions counts, as in Python, and the note names both places."""
    submission = read({"two_layer_net.ipynb": (NET, "x = 1", NET)})
    assert [s.label for s in submission.segments] == ["code cell 3"]
    assert submission.notes[0] == (
        "TwoLayerNet is defined 2 times (code cell 1, line 1: `class TwoLayerNet:`; then code cell 3, line 1: "
        "`class TwoLayerNet:`): the last one counts, as in Python"
    )


# ---------------------------------------------------------------- none


@pytest.mark.parametrize(
    ("files", "message"),
    [
        (
            {"two_layer_net.ipynb": ("x = 1", "class TwoLayerNetwork: pass")},
            (
                "No class TwoLayerNet in two_layer_net.ipynb. Did you mean TwoLayerNetwork (code cell 2, line 1: "
                "`class TwoLayerNetwork: pass`)? Then rename it to TwoLayerNet."
            ),
        ),
        (
            {"net.py": "class A: pass\nclass TwoLayernet: pass"},
            (
                "No class TwoLayerNet in net.py. Did you mean TwoLayernet (net.py, line 2: `class TwoLayernet: pass`)? "
                "Then rename it to TwoLayerNet."
            ),
        ),
        (
            {"net.py": "class TwoLay\u0435rNet: pass"},
            (
                "No class TwoLayerNet in net.py. Did you mean TwoLay\u0435rNet (net.py, line 1: `class TwoLay\u0435rNet: pass`)? "
                "Its \u0435 is CYRILLIC SMALL LETTER IE. Then rename it to TwoLayerNet."
            ),
        ),
        (
            {"net.py": "def loss(): pass\ndef train(): pass\ndef predict(): pass"},
            (
                "No class TwoLayerNet in net.py. It defines no class and the functions loss, train, predict. "
                "Write the functions as methods of `class TwoLayerNet`."
            ),
        ),
        (
            {"net.py": "class Zebra: pass"},
            (
                "No class TwoLayerNet in net.py. It defines class Zebra. "
                "Write `class TwoLayerNet` with the methods loss(), train() and predict()."
            ),
        ),
        (
            {"two_layer_net.ipynb": ("import os\nfrom cs231n.classifiers.neural_net import TwoLayerNet",)},
            (
                "two_layer_net.ipynb imports TwoLayerNet from cs231n.classifiers.neural_net (code cell 1, line 2: "
                "`from cs231n.classifiers.neural_net import TwoLayerNet`), but neural_net.py was not handed in. "
                "Hand in a zip that holds the notebook and neural_net.py."
            ),
        ),
        (
            {"net.py": "if True:\n    for i in []:\n        class TwoLayerNet: pass"},
            "TwoLayerNet is defined inside another block at net.py, line 3: `class TwoLayerNet: pass`. Move it to the margin.",
        ),
    ],
)
def test_no_class(read, files, message):
    """Whoever's class is not found is told what was, what was probably meant, and how to mend it."""
    submission = read(files)
    assert submission.problem is not None
    assert submission.problem.status == "failed_to_load"
    assert submission.problem.message == message


def test_a_class_in_a_markdown_cell(tmp_path):
    """A cell whose type was changed by a slip still looks like code to its author."""
    cells = [nbformat.v4.new_code_cell("x = 1"), nbformat.v4.new_markdown_cell(NET)]
    path = tmp_path / "two_layer_net.ipynb"
    path.write_text(nbformat.writes(nbformat.v4.new_notebook(cells=cells)), encoding="utf-8")
    problem = load(path, class_name="TwoLayerNet", notebook=path.name).problem
    assert problem is not None
    assert problem.message == (
        "In two_layer_net.ipynb, class TwoLayerNet is in a Markdown or raw cell, which Python does not run. "
        "Change the cell's type to Code."
    )
