"""A text of which a part cannot be read: the rest is kept whole, and the part raises what is wrong with it."""

import ast

import nbformat
import pytest

from examples import in_part
from grader.locate.source_statements import statements
from grader.submission import load
from grader.submission.errors import SubmissionError
from grader.submission.salvage import parse_or_salvage
from hanging import must_end

NET = '''import numpy as np


def relu(x):
    """Cut off at zero."""
    return np.maximum(
        0,
        x,
    )


WIDTH = 3


class TwoLayerNet:
    """A net.

    With two layers.
    """

    def __init__(self, n):
        self.n = n

    def loss(self, X, y=None):
        """Compute

        the loss: (N,) of [x
        """
        scores = relu(X)
        if y is None:
            return scores
        return scores.sum(), {}

    def train(self, X):
        for it in range(2):
            loss, grads = self.loss(X, 1)
        return {"loss_history": [loss]}

    def predict(self, X):
        """Predict."""
        return self.loss(X) + WIDTH


best_hyperparameters = {"hidden_size": 3}
'''
METHODS = {"loss", "train", "predict"}


def broken(before, after):
    """Put something else in the place of one piece of the program."""
    assert NET.count(before) == 1, before
    return NET.replace(before, after)


def graded(tmp_path, text):
    """Load a file as the bundled assignment would."""
    path = tmp_path / "net.py"
    path.write_text(text, encoding="utf-8")
    return load(path, class_name="TwoLayerNet", notebook="two_layer_net.ipynb")


def notebook(tmp_path, *cells):
    """Load a notebook of these cells."""
    path = tmp_path / "two_layer_net.ipynb"
    made = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in cells])
    path.write_text(nbformat.writes(made), encoding="utf-8")
    return load(path, class_name="TwoLayerNet", notebook=path.name)


def run(submission):
    """Run what is kept, which here is our own text; return its names."""
    names = {}
    for segment in submission.segments:
        body = ast.parse(segment.source).body
        kept = ast.Module([body[index] for index in segment.kept], [])
        exec(compile(kept, segment.label, "exec"), names)  # noqa: S102
    return names


def members(body):
    """Return what stands in a text and in its classes, as it is compared."""
    found = []
    for node in body:
        found += [ast.dump(part) for part in node.body] if isinstance(node, ast.ClassDef) else [ast.dump(node)]
    return found


WHOLE = members(ast.parse(NET).body)
# What is broken, how, which method is lost by it, at which line, and what Python says.
BROKEN_METHODS = [
    ("def predict(self, X):", "def predict(self, X)", "predict", 39, "expected ':'"),
    ("def train(self, X):", "def train(self, X)", "train", 34, "expected ':'"),
    ("def loss(self, X, y=None):", "def loss(self, X, y=None)", "loss", 24, "expected ':'"),
    ("if y is None:", "if y is None", "loss", 30, "expected ':'"),
    ("for it in range(2):", "for it in range(2)", "train", 35, "expected ':'"),
    ("scores = relu(X)", "scores = relu((X)", "loss", 29, "'(' was never closed"),
    ("[loss]}", "[loss]", "train", 37, "'{' was never closed"),
    ("self.loss(X) + WIDTH", "self.loss(X + WIDTH", "predict", 41, "'(' was never closed"),
    ("scores = relu(X)", "scores = relu(X))", "loss", 29, "unmatched ')'"),
    ("        scores = relu(X)", "       scores = relu(X)", "loss", 29, "unindent does not match"),
    ("        scores = relu(X)", "            scores = relu(X)", "loss", 29, "unexpected indent"),
    ("        scores = relu(X)", "    scores = relu(X)", "loss", 30, "unexpected indent"),
    ("        scores = relu(X)", "scores = relu(X)", "loss", 29, "unindent does not match"),
    ("        if y is None:", "if y is None:", "loss", 30, "unindent does not match"),
    (
        "        return self.loss(X) + WIDTH",
        "    return self.loss(X) + WIDTH",
        "predict",
        41,
        "'return' outside function",
    ),
    ("        return self.loss(X) + WIDTH", "return self.loss(X) + (WIDTH", "predict", 41, "unindent does not match"),
    ("        scores = relu(X)", "\nscores = relu(X)", "loss", 30, "unindent does not match"),
    ("        for it in range(2):", "\n  # once\n\n  for it in range(2):", "train", 38, "unindent does not match"),
    ("    def predict(self, X):", "     def predict(self, X):", "predict", 39, "unexpected indent"),
    ("    def predict(self, X):", "   def predict(self, X):", "predict", 39, "unindent does not match"),
    ("    def train(self, X):", "     def train(self, X):", "train", 34, "unexpected indent"),
    ("def predict(self, X):", "dfe predict(self, X):", "predict", 39, "invalid syntax"),
    ("def predict(self, X):", "predict(self, X):", "predict", 39, "invalid syntax"),
    ('"loss_history"', '"loss_history', "train", 37, "unterminated string literal (detected at line 37)"),
    ('"loss_history"', "\N{LEFT DOUBLE QUOTATION MARK}loss_history", "train", 37, "invalid character"),
    ('"""Predict."""', '"""Predict.', "predict", 40, "unterminated triple-quoted string literal"),
    ("for it", '"""Train.\n        for it', "train", 35, "unterminated triple-quoted string literal"),
    (
        "        for it in range(2):\n",
        "        for it in range(2):\n<<<<<<< HEAD\n",
        "train",
        36,
        "unindent does not match",
    ),
    ("    def predict(self, X):", "    @staticmethod\n    def predict(self, X)", "predict", 40, "expected ':'"),
]


@pytest.mark.parametrize(("before", "after", "method", "line", "said"), BROKEN_METHODS)
def test_a_broken_method(tmp_path, before, after, method, line, said):
    """All but one method is kept as it was, on its own lines; that one raises what Python says, and where."""
    text = broken(before, after)
    submission = graded(tmp_path, text)
    assert submission.problem is None
    (segment,) = submission.segments
    kept = members(ast.parse(segment.source).body)
    lost = [one for one in WHOLE if one not in kept]
    assert len(lost) == 1
    assert f"name='{method}'" in lost[0]
    assert [one for one in kept if one not in WHOLE and "this method cannot be read: " not in one] == []
    lines, original = segment.source.split("\n"), text.split("\n")
    assert len(lines) == len(original)
    assert all(
        new in {old, ""} or "cannot be read" in new or "def " in new for new, old in zip(lines, original, strict=True)
    )
    with pytest.raises(SyntaxError, match="this method cannot be read: ") as raised:
        getattr(run(submission)["TwoLayerNet"](1), method)(None)
    assert said in raised.value.msg
    assert raised.value.msg.endswith(f"(line {line}: `{original[line - 1].strip()}`)")
    assert raised.traceback[-1].lineno + 1 == line
    note = f"TwoLayerNet.{method}() cannot be read: it raises an error where it is called, and the rest is graded. "
    assert submission.notes[0].startswith(
        f"{note}Python cannot read net.py, line {line}: `{original[line - 1].strip()}`"
    )


def test_what_is_not_broken_is_never_looked_at(tmp_path):
    """A text that Python reads is the student's, letter for letter."""
    (segment,) = graded(tmp_path, NET).segments
    assert (segment.source, segment.original) == (NET, "")


def test_quotations_are_the_students_own(tmp_path):
    """A place in a part that was replaced quotes what the student wrote there."""
    submission = graded(tmp_path, broken("def predict(self, X):", "def predict(self, X)"))
    text = statements(submission)
    assert text.place("net.py", 39).text == "    def predict(self, X)"
    assert text.place("net.py", 41).text == "        return self.loss(X) + WIDTH"
    assert text.place(*text.definition("loss")).text == "    def loss(self, X, y=None):"


def test_a_statement_below_the_class_that_is_indented_amiss(tmp_path):
    """An empty line before it parts it from the last method, which is kept."""
    submission = graded(tmp_path, broken("best_hyperparameters", " best_hyperparameters"))
    assert members(ast.parse(submission.segments[0].source).body) == WHOLE[:-1]
    assert "net.py, line 44: `best_hyperparameters" in submission.notes[0]


def test_a_text_that_is_not_closed_ends_before_the_next_definition(tmp_path):
    """What stands between two docstrings, the first of which has no end, is not taken for a text."""
    text = broken('    """Cut off at zero."""', '    """Cut off at zero.')
    submission = graded(tmp_path, text)
    lost = [one for one in WHOLE if one not in members(ast.parse(submission.segments[0].source).body)]
    assert "name='relu'" in lost[0]
    assert all("name='relu'" in one or "WIDTH" in one for one in lost)
    assert submission.notes[0].startswith("relu() cannot be read: ")


def test_two_broken_methods(tmp_path):
    """Each is told by itself."""
    text = broken("def predict(self, X):", "def predict(self, X)").replace("relu(X)", "relu(X))")
    submission = graded(tmp_path, text)
    assert [note.partition(" ")[0] for note in submission.notes if "cannot be read" in note] == [
        "TwoLayerNet.loss()",
        "TwoLayerNet.predict()",
    ]
    assert run(submission)["TwoLayerNet"](1).n == 1


@pytest.mark.parametrize(
    ("before", "after", "line"),
    [
        ("class TwoLayerNet:", "class TwoLayerNet", 15),
        ("class TwoLayerNet:", "class TwoLayerNet(:", 15),
        ("self.n = n", "self.n = (n", 22),
        ("def __init__(self, n):", "def __init__(self, n)", 21),
    ],
)
def test_a_class_that_cannot_be_made(tmp_path, before, after, line):
    """Without its header or its __init__ nothing of a class can be asked for."""
    problem = graded(tmp_path, broken(before, after)).problem
    assert problem is not None
    assert problem.status == "failed_to_load"
    assert problem.message.startswith(f"Python cannot read net.py, line {line}: `")


def test_a_class_of_broken_methods(tmp_path):
    """Where no method is left, the first mistake is told at once."""
    problem = graded(tmp_path, "class TwoLayerNet:\n    def loss(self):\n        x = (\n    def train(self)\n").problem
    assert problem.message.startswith("Python cannot read net.py, line 3: `x = (`")


@pytest.mark.parametrize(
    ("before", "after", "kept"),
    [
        ("def relu(x):", "def relu(x)", {"train", "predict"}),
        ("        x,\n    )", "        x,\n    ", {"train", "predict"}),
        ("    return np.maximum(", "  return np.maximum(", {"train", "predict"}),
    ],
)
def test_a_broken_function(tmp_path, before, after, kept):
    """A function raises where it is called, so that what does not call it is graded."""
    submission = graded(tmp_path, broken(before, after))
    assert submission.problem is None
    assert submission.notes[0].startswith("relu() cannot be read: it raises an error where it is called")
    names = run(submission)
    with pytest.raises(SyntaxError, match="this function cannot be read: "):
        names["TwoLayerNet"](1).loss(None)
    assert set(dir(names["TwoLayerNet"])) >= kept


@pytest.mark.parametrize("value", ["(3", "[1 2]", "'a", "3 +", "def", "3)"])
def test_a_broken_statement(tmp_path, value):
    """An assignment that is needed raises where it is run, which the student's process notes; the rest is kept."""
    submission = graded(tmp_path, broken("WIDTH = 3", f"WIDTH = {value}"))
    assert submission.problem is None
    assert submission.notes[0].startswith(
        f"a statement was left out, and the rest of net.py is graded. Python cannot read net.py, line 12: `WIDTH = {value}"
    )
    with pytest.raises(SyntaxError, match="this statement cannot be read: "):
        run(submission)


@pytest.mark.parametrize(
    "text", ["Here is my solution\n\n", "plt.plot(x\n\n", "for i in range(3)\n    x\n\n", ")\n", "else:\n"]
)
def test_a_broken_statement_that_nobody_needs(tmp_path, text):
    """What binds no name leaves nothing behind."""
    submission = graded(tmp_path, text + NET)
    assert submission.problem is None
    assert members(ast.parse(submission.segments[0].source).body) == WHOLE
    assert run(submission)["WIDTH"] == 3


@pytest.mark.parametrize(
    "line", ["import numpy as", "import numpy as np np", "from numpy import as np", "import numpy np"]
)
def test_a_broken_import_that_is_needed(tmp_path, line):
    """Without it nothing runs: its own message is better than one that a name is not defined."""
    problem = graded(tmp_path, broken("import numpy as np", line)).problem
    assert problem.message.startswith(f"Python cannot read net.py, line 1: `{line}`.")


def test_a_broken_import_that_is_not_needed(tmp_path):
    """A plot library's import costs nothing."""
    submission = graded(tmp_path, f"import matplotlib.pyplot as as plt\n{NET}")
    assert submission.problem is None
    assert run(submission)["TwoLayerNet"](1).train(1) == {"loss_history": [1]}


def test_a_cell_keeps_its_other_statements(tmp_path):
    """One broken line of a cell costs that line."""
    cell = "import numpy as np\nprint 'hello'\ndef relu(x): return x\nplt.plot(x"
    submission = notebook(tmp_path, cell, "class TwoLayerNet:\n    def loss(self): return relu(np.ones(1))")
    assert submission.problem is None
    assert run(submission)["TwoLayerNet"]().loss() == 1
    first, second = submission.notes
    assert first == (
        "a statement was left out, and the rest of code cell 1 is graded. Written for Python 2: print statement at code "
        "cell 1, line 2: `print 'hello'`. This grader runs Python 3: write print('hello')."
    )
    assert second == (
        "a statement was left out, and the rest of code cell 1 is graded. Python cannot read code cell 1, line 4: "
        "`plt.plot(x`. Python says: '(' was never closed. A bracket is opened there and not closed before the end."
    )


def test_an_earlier_function_stands_in_for_a_broken_one(tmp_path):
    """In a notebook the cell that Python refuses leaves what was there before."""
    cells = ("def relu(x): return x", "def relu(x)\n    return 2 * x\nn = 1", "class TwoLayerNet:\n    a = relu(n)")
    submission = notebook(tmp_path, *cells)
    assert run(submission)["TwoLayerNet"].a == 1
    assert submission.notes[0].startswith("relu() cannot be read and was left out; the rest is graded. Python cannot")


def test_a_method_added_to_a_class(tmp_path):
    """A broken function below %%add_to is a method that raises."""
    made = "class TwoLayerNet:\n    def loss(self): return 1"
    submission = notebook(
        tmp_path, made, "%%add_to TwoLayerNet\ndef predict(self, X)\n    return 1\ndef train(self): return 2"
    )
    net = run(submission)["TwoLayerNet"]()
    assert (net.loss(), net.train()) == (1, 2)
    with pytest.raises(SyntaxError, match="this function cannot be read: expected ':' "):
        net.predict(1)


def test_relative_imports_beside_a_broken_method(tmp_path):
    """A file of a package, handed in alone and with a mistake, is read as such a file is, and its mistake is told."""
    (tmp_path / "layers.py").write_text("def relu(x): return x\n", encoding="utf-8")
    net = "from .layers import relu\nclass TwoLayerNet:\n    def loss(self): return relu(1)\n    def predict(self)\n"
    (tmp_path / "net.py").write_text(net, encoding="utf-8")
    submission = load(tmp_path, class_name="TwoLayerNet", notebook="x.ipynb")
    assert [module.name for module in submission.modules] == ["layers"]
    assert submission.segments[0].source.startswith("from layers import relu\n")
    assert submission.notes[0].startswith("TwoLayerNet.predict() cannot be read: ")


def test_a_text_with_a_definition_inside(tmp_path):
    """What is quoted in a docstring is no code, whatever it looks like."""
    text = broken('"""Predict."""', '"""Predict.\n    def f(self):\n        pass\nx = 1\n"""').replace(
        "relu(X)", "relu(X))"
    )
    submission = graded(tmp_path, text)
    assert [note.partition(" ")[0] for note in submission.notes if "cannot be read" in note] == ["TwoLayerNet.loss()"]
    assert set(vars(run(submission)["TwoLayerNet"])) & {"f", *METHODS} == METHODS


@pytest.mark.untraced
@pytest.mark.parametrize("seed", in_part(range(6), 3))
def test_a_statement_is_kept_whole_or_not_at_all(seed):
    """Whatever letter is put in or lost, no part of a method is left where the rest of it is not."""
    import random

    chance = random.Random(seed)  # noqa: S311
    for _ in range(120):
        at = chance.randrange(len(NET))
        text = NET[:at] + chance.choice(["", *"()[]{}:'\"=,\\ "]) + NET[at + chance.randrange(2) :]
        try:
            ast.parse(text)
        except SyntaxError:
            found = parse_or_salvage(text, "net.py")
            strange = [one for one in members(found.body) if one not in WHOLE and "cannot be read" not in one]
            assert not [one for one in strange if one.startswith(("FunctionDef", "Assign"))], text
            assert found.lost_parts


def test_more_mistakes_than_anybody_makes():
    """Of a text with a hundred broken statements the first is told, as where nothing of it can be read."""
    for count, is_read in ((50, True), (400, False)):
        text = "y = 1\n" + "x = (1 2)\n" * count
        if is_read:
            assert len(parse_or_salvage(text, "net.py").lost_parts) == count
        else:
            with pytest.raises(SubmissionError, match=r"Python cannot read net\.py, line 2"):
                parse_or_salvage(text, "net.py")
    with pytest.raises(SubmissionError, match=r"Python cannot read net\.py, line 5001"):
        parse_or_salvage("y = 1\n" * 5_000 + "x = (1 2)\n", "net.py")


CLASS = "class TwoLayerNet:\n    def loss(self): return 1\n"


@pytest.mark.untraced
@pytest.mark.parametrize(
    "text",
    in_part(
        [
            CLASS + "".join(f"    def f{n}(self)\n        return 1\n" for n in range(6_000)),
            CLASS + "".join(f"    def f{n}(self): return 1\n" for n in range(6_000)) + "    def x(self)\n",
            "".join(f"def f{n}(self)\n    return 1\n" for n in range(8_000)),
            "x = (\n" * 40_000,
            'def f():\n  """\n' * 15_000,
            CLASS + "    def f(self): pass\nself.x = 1\n" * 7_000 + "(",
            CLASS + "<<<<<<< a\n" * 20_000,
            "class A(\n" + "    x,\n" * 30_000 + "    def f(self): pass\n",
            'x = f"{a["b"]}"\n' * 15_000 + ")",
        ],
        9,
    ),
    ids=["methods", "good methods", "functions", "brackets", "texts", "strays", "merge", "header", "f-strings"],
)
def test_thousands_of_mistakes_take_little_time(text):
    """Looking for what can be read is bounded, whatever a text is made of."""
    with must_end(30):
        try:
            parse_or_salvage(text, "net.py")
        except SubmissionError as error:
            assert error.problem.message.startswith("Python cannot read net.py")  # noqa: PT017
