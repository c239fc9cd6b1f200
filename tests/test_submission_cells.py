"""IPython's syntax is replaced where a statement begins, nowhere else, and no line moves."""

import ast

import pytest

from grader.submission.cells import translate
from hanging import must_end


@pytest.mark.parametrize(
    ("cell", "python"),
    [
        ("%matplotlib inline\nx = 1", "pass\nx = 1"),
        ("!pip install numpy", "pass"),
        ("?np.dot", "pass"),
        ("np.dot?", "pass"),
        ("np.dot??\ny = 2", "pass\ny = 2"),
        ("if x:\n    %time f()\n\t!ls", "if x:\n    f()\n\tpass"),
        ("x = !ls", "x = None"),
        ("  \nx = %time f()", "  \nx = f()"),
        ("a, b = %time f()", "a, b = f()"),
        ("a, b = !ls", "a = b = None"),
        ("!pip install a \\\n   b\nx = 1", "pass\n\nx = 1"),
        ("%%time\nx = 1", "\nx = 1"),
        ("%%capture out\n%%time\n%run a.py\nx = 1", "\n\npass\nx = 1"),
        ("%%bash\nls\nrm x", "\n\n"),
        ("%%javascript\nlet x = 1", "\n"),
        ("    def f(self):\n        return 1\n", "def f(self):\n    return 1\n"),
    ],
)
def test_magics_become_python(cell, python):
    """Each kind of magic becomes Python on the same lines."""
    assert translate(cell).source == python
    assert len(python.split("\n")) == len(cell.split("\n"))


@pytest.mark.parametrize(
    "cell",
    [
        'doc = """\n%matplotlib inline\n!ls\nnp.dot?\n"""',
        "doc = '''it's\n% here \\''' still\n%x\n'''",
        "x = (a\n% b)",
        "x = a \\\n% b",
        "x = 'a' \\\n!= b",
        "x = [1,  # ( not open\n% 2]",
        "y = 'what?'",
        "# is it right?\nx = 1",
        "x %= 3",
        "print('%d' % x, \"'''\")\ny = x % 2",
        "if a != b: pass",
    ],
)
def test_python_is_left_alone(cell):
    """A per cent sign that goes on with an expression, or stands in a text or a comment, is Python's."""
    assert translate(cell).source == cell
    assert translate(cell).magics == 0


def test_brackets_and_quotes_before_a_magic_do_not_hide_it():
    """After strings that hold brackets and quotes, escapes and comments, the next statement is seen again."""
    cell = "a = \"([{'\" + '\\'' + r'\\('  # (((\nb = '''x\n''' + (')')\n%time b"
    assert translate(cell).source.split("\n")[-1] == "b"
    ast.parse(translate(cell).source)


def test_writefile():
    """%%writefile names a helper module; its body keeps the cell's lines, and the magic's own line is blank."""
    found = translate("%%writefile -a cs231n/layers.py\nx = 1")
    assert (found.source, found.writes, found.appends) == ("\nx = 1", "cs231n/layers.py", True)


def test_magics_are_counted():
    """The report says how many lines were IPython's."""
    assert translate("%%time\n%a\n!b\nx = !c\ny = 1").magics == 4


@pytest.mark.parametrize(
    "line", ['"' + '\\"' * 240_000, "'\"" * 240_000, "(" * 480_000, "a, " * 160_000 + "= !x", "\\" * 480_000]
)
def test_a_line_made_to_take_for_ever_takes_no_time(line):
    """The scan is linear: a line of escaped quotes must not be searched again from each of them."""
    with must_end():
        translate(f"{line}\n%x\n")
