"""What cannot be read as Python 3: the message says where, what Python says, and what to do."""

import nbformat
import pytest

from examples import in_part
from grader.submission import load
from grader.submission.syntax import LARGEST
from hanging import must_end

NET = "class TwoLayerNet:\n    def loss(self, X):\n        return {}\n"


def read(tmp_path, *cells):
    """Load a notebook of these cells."""
    path = tmp_path / "two_layer_net.ipynb"
    made = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in cells])
    path.write_text(nbformat.writes(made), encoding="utf-8")
    return load(path, class_name="TwoLayerNet", notebook=path.name)


def in_class(line):
    """Put a line at line 3 of the cell with the class."""
    return f"class TwoLayerNet:\n    def loss(self, x, f):\n        {line}\n"


@pytest.mark.parametrize(
    ("line", "what", "write"),
    [
        ("print x", "print statement", "print(x)"),
        ("print 'loss', x,", "print statement", "print('loss', x)"),
        ("exec 'x = 1'", "exec statement", "exec(...)"),
        ("try: x\n        except E, e: pass", "except clause with a comma", "except ValueError as error:"),
        ("raise ValueError, 'x'", "raise statement with a comma", 'raise ValueError("...")'),
        ("return x <> 1", "comparison with <>", "!="),
        ("return 0777", "octal number", "0o777 for 0777"),
        ("return 10L", "long number", "10 for 10L"),
        ("return `x`", "backticks", "repr(...)"),
        ("return ur'x'", "ur'' text", "r'...'"),
        ("return map(lambda (a, b): a, x)", "lambda with a tuple as its parameter", "lambda pair: pair[0]"),
    ],
)
def test_python_2(tmp_path, line, what, write):
    """Each of Python 2's own forms is named, with the line and with how Python 3 says it."""
    problem = read(tmp_path, "x = 1", in_class(line)).problem
    assert problem is not None
    place = problem.place
    at = "code cell 2, line 3" if "\n" not in line else "code cell 2, line 4"
    assert problem.message.startswith(f"Written for Python 2: {what} at {at}: `")
    assert problem.message.endswith(f". This grader runs Python 3: write {write}.")
    assert (place.label, place.text.strip()) == ("code cell 2", line.rsplit("\n", maxsplit=1)[-1].strip())


def test_the_whole_message_on_a_print_statement(tmp_path):
    """The sentence reads as one."""
    problem = read(tmp_path, in_class("print x  # the loss")).problem
    assert problem.message == (
        "Written for Python 2: print statement at code cell 1, line 3: `print x  # the loss`. "
        "This grader runs Python 3: write print(x)."
    )


@pytest.mark.parametrize(
    ("line", "said", "plain"),
    [
        ("x = (1,", "'(' was never closed", "A bracket is opened there and not closed"),
        ("x = 1)", "unmatched ')'", "A closing bracket does not match an opening one"),
        ("if x", "expected ':'", "A colon is missing"),
        ("for i in x:\n        # TODO", "expected an indented block", "write the body, or `pass` for now"),
        ("x = 1\n      y = 2", "unindent does not match", "The indentation matches no block above"),
        ("x = 1\n          y = 2", "unexpected indent", "The line is indented further than its block"),
        ("x = 1\n\tif x:\n            y = 2", "inconsistent use of tabs", "Tabs and spaces are mixed"),
        ("x = 'abc", "unterminated string literal", "A text in quotes is not closed"),
        ("x = \u201cabc\u201d", "invalid character", "Python does not know a character"),
        ("x =\u00a01", "invalid non-printable character U+00A0", "Python does not know a character"),
        ("if x = 1: pass", "Maybe you meant '=='", "A single = is written instead of =="),
        ("x = [1 2]", "Perhaps you forgot a comma", "A comma or an operator is missing"),
        ("\0", "null bytes", "The file holds null characters"),
    ],
)
def test_syntax_errors_in_plain_words(tmp_path, line, said, plain):
    """Python's own message is quoted with the place, and said again in words that a beginner knows."""
    problem = read(tmp_path, in_class(line)).problem
    assert problem is not None
    assert problem.status == "failed_to_load"
    assert problem.message.startswith("Python cannot read code cell 1, line ")
    assert "Python says: " in problem.message
    assert said in problem.message
    assert plain in problem.message


def test_merge_marks(tmp_path):
    """A conflict left by Git is named as one."""
    problem = read(tmp_path, f"{NET}<<<<<<< HEAD\nx = 1\n=======\n").problem
    assert problem.message.endswith("It is the mark of a Git merge: resolve the merge first.")


def test_rules_of_scopes(tmp_path):
    """What parses but breaks a rule of scopes is found as well, with the line in its cell."""
    problem = read(tmp_path, "\n\nclass TwoLayerNet:\n    def loss(self, x, x): pass").problem
    assert problem.message == (
        "Python cannot read code cell 1, line 4: `def loss(self, x, x): pass`. Python says: duplicate argument 'x' in "
        "function definition. Two parameters of one function have the same name."
    )


def test_a_broken_cell_that_is_not_needed(tmp_path):
    """A cell without the class that does not parse is left out with a note, and the class is graded."""
    submission = read(tmp_path, "print x", NET.format("X"), "for i in range(3)")
    assert submission.problem is None
    assert submission.notes == (
        (
            "code cell 1 was left out. Written for Python 2: print statement at code cell 1, line 1: `print x`. "
            "This grader runs Python 3: write print(x)."
        ),
        (
            "code cell 3 was left out. Python cannot read code cell 3, line 1: `for i in range(3)`. "
            "Python says: expected ':'. A colon is missing at the end of the line."
        ),
    )


def test_a_broken_cell_that_holds_the_only_definition(tmp_path):
    """A helper that stands only in a broken cell raises an error where it is called, and a later one takes its place."""
    cell = "def relu(x):\n    return (x\n"
    submission = read(tmp_path, cell, NET.format("relu(X)"))
    assert submission.problem is None
    assert "this function cannot be read: '(' was never closed" in submission.segments[0].source
    submission = read(tmp_path, cell, "def relu(x): return x", NET.format("relu(X)"))
    assert [segment.label for segment in submission.segments] == ["code cell 2", "code cell 3"]


def test_a_broken_copy_of_the_class(tmp_path):
    """A broken cell after the class was to replace it; one before it was replaced."""
    assert read(tmp_path, NET.format("X"), NET.format("(X")).problem.place.label == "code cell 2"
    assert read(tmp_path, NET.format("(X"), NET.format("X")).problem is None


def test_a_broken_helper_module(tmp_path):
    """A helper file of which nothing can be read is named with its line; else what can be read of it is imported."""
    (tmp_path / "net.py").write_text("from layers import relu\n" + NET.format("relu(X)"), encoding="utf-8")
    (tmp_path / "layers.py").write_text("relu(x):\n", encoding="utf-8")
    problem = load(tmp_path, class_name="TwoLayerNet", notebook="x.ipynb").problem
    assert problem.message.startswith("Python cannot read layers.py, line 1: `relu(x):`.")
    (tmp_path / "layers.py").write_text("def relu(x): return x\ndef affine(x):\nreturn x\n", encoding="utf-8")
    submission = load(tmp_path, class_name="TwoLayerNet", notebook="x.ipynb")
    assert submission.problem is None
    (note,) = submission.notes
    assert note == (
        "affine() cannot be read and was left out; the rest is graded. Python cannot read layers.py, line 3: "
        "`return x`. Python says: expected an indented block after function definition on line 2. Nothing is indented "
        "below that line: write the body, or `pass` for now."
    )


# ---------------------------------------------------------------- sources made to harm


@pytest.mark.parametrize(
    "expression",
    in_part(
        [
            "(" * 100_000 + ")" * 100_000,
            "-" * 100_000 + "1",
            "not " * 50_000 + "1",
            "a" + ".b" * 100_000,
            "a" + "()" * 50_000,
            "x" + "+x" * 100_000,
            "x" + "**x" * 50_000,
            "lambda: " * 30_000 + "1",
            "1 if x else " * 20_000 + "1",
            "9" * 100_000,
            'f"{' * 100 + "}" * 100,
            "\0",
        ],
        3,
    ),
    ids=lambda text: text[:4].encode("unicode_escape").decode(),
)
def test_deep_nesting_is_a_problem_of_the_submission(tmp_path, expression):
    """CPython's parser gives up before its stack ends; that costs its author only, with a message."""
    problem = read(tmp_path, NET.format(expression)).problem
    assert problem is not None
    assert "code cell 1" in problem.message
    assert problem.message.startswith(("code cell 1 is nested too deeply", "Python cannot read code cell 1"))


def test_a_chain_that_parses_is_walked(tmp_path):
    """What is just within CPython's own limits must not exhaust ours: every walk is a loop, not a recursion."""
    # pytest's own frames count against the limit that the parser scales its own by.
    for expression in ("x" + "+x" * 600, "a" + ".b" * 600 + "[0]" * 100, "-" * 600 + "1"):
        cells = (
            f"y = {expression}\n{expression} = y" if expression[0] == "a" else f"y = {expression}",
            NET.format("y"),
        )
        assert read(tmp_path, *cells).problem is None


def test_long_source(tmp_path):
    """Code of megabytes is refused before it is parsed."""
    problem = read(tmp_path, f"{NET}x = '{'a' * 5_000_000}'").problem
    assert problem.message == (
        "code cell 1 holds 4,882 KiB of code, and the grader reads at most 256 KiB. Load data from files instead of writing "
        "them into the code."
    )
    assert read(tmp_path, NET.format("X") + "#" * (LARGEST - 100)).problem is None


def test_long_source_in_all(tmp_path):
    """Many cells just below the limit are refused together."""
    problem = read(tmp_path, NET.format("X"), *["#" * (LARGEST - 1)] * 3).problem
    assert problem.message == "The submission holds more than 512 KiB of code. Hand in your own files only."


@pytest.mark.slow
def test_more_statements_than_anybody_writes(tmp_path):
    """A hundred thousand statements are refused before each of them is looked at."""
    problem = read(tmp_path, NET.format("X"), "a\n" * 10_000, "relu = 1\n").problem
    assert problem is None
    problem = read(tmp_path, "a\n" * 10_000, NET.format("X")).problem
    assert problem.message == (
        "With code cell 2 the code has more than 10,000 statements outside of functions. "
        "Load data from files instead of writing them into the code."
    )


@pytest.mark.untraced  # the same lines over and over: a tracer doubles the time and learns nothing
@pytest.mark.parametrize(
    "text",
    [
        "a = 1\n" * 9_000,
        pytest.param("a=1;" * 9_000, marks=pytest.mark.slow),  # the same statements on one line
        pytest.param(
            "".join(f"def f{n}(): return f{n + 1}()\n" for n in range(4_000)) + "def g(): return f0()\n",
            marks=pytest.mark.slow,
        ),
        pytest.param("".join(f"from helper import x{n}\n" for n in range(5_000)), marks=pytest.mark.slow),
        pytest.param("".join(f"import lost{n}\n" for n in range(5_000)), marks=pytest.mark.slow),  # imports as above
        "(" + "TwoLayerNet = 1\n" * 5_000,
    ],
    ids=["lines", "one line", "chain", "from imports", "imports", "broken"],
)
def test_many_statements_take_little_time(tmp_path, text):
    """Selecting is linear in the statements, so that no submission holds up the class."""
    names = ", ".join(f"x{n}, lost{n}" for n in range(0, 5_000, 5))
    (tmp_path / "helper.py").write_text("".join(f"x{n} = 1\n" for n in range(5_000)), encoding="utf-8")
    (tmp_path / "net.py").write_text(
        f"{text}class TwoLayerNet:\n    def f(self): return a, g(), {names}", encoding="utf-8"
    )
    with must_end():
        load(tmp_path, class_name="TwoLayerNet", notebook="x.ipynb")
