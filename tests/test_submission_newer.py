"""Syntax that this Python is too old for: both versions are told, and the student is not blamed."""

import sys

import nbformat
import pytest

from grader.submission import load, newer_syntax
from grader.submission.newer_syntax import find_newer_syntax as found_in
from hanging import must_end

HERE = f"{sys.version_info[0]}.{sys.version_info[1]}"
F_STRING, GENERIC, ALIAS, T_STRING, EXCEPT = "PEP 701", "PEP 695)", "`type` statement (PEP 695)", "PEP 750", "PEP 758"


@pytest.fixture(autouse=True)
def _old(monkeypatch):
    """Read as Python 3.11 does, which the tests below 3.12 run on."""
    if sys.version_info >= (3, 12):
        pytest.skip("this Python reads most of what is asked here")
    monkeypatch.setattr(newer_syntax, "HERE", (3, 11))


def read(tmp_path, *cells, version="3.12.4"):
    """Load a notebook of these cells that says which Python it was run with."""
    path = tmp_path / "two_layer_net.ipynb"
    made = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in cells])
    if version:
        made.metadata["language_info"] = {"name": "python", "version": version}
    path.write_text(nbformat.writes(made), encoding="utf-8")
    return load(path, class_name="TwoLayerNet", notebook=path.name)


@pytest.mark.parametrize(
    ("text", "pep", "version"),
    [
        ('x = f"loss {g["W1"].mean():.3f}"', F_STRING, (3, 12)),
        ("f'{d['a']}'", F_STRING, (3, 12)),
        ('f"{"\\n".join(x)}"', F_STRING, (3, 12)),
        ('f"{f"{f"{1}"}"}"', F_STRING, (3, 12)),
        ('f"{x!r:>{w["a"]}}" "b"', F_STRING, (3, 12)),
        ('f"{x["a"]=}"', F_STRING, (3, 12)),
        ('f"""{\na # c\n}"""', F_STRING, (3, 12)),
        ('f"{{{a["b"]}}}"', F_STRING, (3, 12)),
        ('f"{"#"}{x["}"]}"', F_STRING, (3, 12)),
        ('f"\\N{DIGIT ONE}{x["a"]}"', F_STRING, (3, 12)),
        ('rf"\\{x["a"]}"', F_STRING, (3, 12)),
        ("def f[T](x): pass", GENERIC, (3, 12)),
        ("class A[T: int, *Ts](B): pass", GENERIC, (3, 12)),
        ("type X = int", ALIAS, (3, 12)),
        ("type X[T] = list[T]", ALIAS, (3, 12)),
        ('t"a{b}"', T_STRING, (3, 14)),
        ("try: pass\nexcept ValueError, KeyError: pass", EXCEPT, (3, 14)),
        ("try: pass\nexcept a.A, b.b: pass", EXCEPT, (3, 14)),
        ("try: pass\nexcept a, b, c: pass", EXCEPT, (3, 14)),
    ],
)
def test_each_is_known(text, pep, version):
    """Each is told by its name and by the first version that reads it."""
    found = found_in(text)
    assert found is not None
    assert pep in found.what
    assert (found.version, found.line) == (version, 2 if "except" in text else 1)


@pytest.mark.parametrize(
    "text",
    [
        'f"{a b}"',
        'f"{x"',
        'f"{a["b"}"',
        'f"{a["b"] c}"',
        "f'{x!z}'",
        'f"{}"',
        'f"{a["b"]',
        'x = (f"{a["b"]}"',
        "def f[T(x): pass",
        "type X int",
        "x = (1",
        "try: pass\nexcept ValueError, e: pass",
    ],
)
def test_what_no_python_reads_is_not_newer(text):
    """A mistake is not excused by a version."""
    assert found_in(text) is None


def test_of_several_the_latest_version_is_needed():
    """The first is shown, and the version is one that reads them all."""
    found = found_in('x = f"{a["b"]}"\ny = t"{x}"\n')
    assert (found.version, found.line) == ((3, 14), 1)


@pytest.mark.parametrize(
    ("version", "is_newer"), [("3.14.0", True), ("3.15", True), ("2.7.18", False), ("3.9.1", False), ("", False)]
)
def test_except_with_a_small_name(version, is_newer):
    """`except Wrong, other:` is Python 2's, unless the notebook says that it was run with a Python that reads it so."""
    assert (found_in("try: pass\nexcept Wrong, other: pass", version) is not None) is is_newer


def test_the_whole_message(tmp_path):
    """Both versions are in it, where the notebook says its own, and nothing is called wrong."""
    cell = "class TwoLayerNet:\n    def __init__(self):\n        print(f'{self.params['W1']}')"
    told = (
        "this grader runs 3.11: an f-string with its own quotes, a backslash or a comment inside its braces (PEP 701) "
        "at code cell 1, line 3: `print(f'{self.params['W1']}')`. Use the other kind of quotes inside the braces, or "
        "put the value into a variable first."
    )
    written = "The submission is written for Python 3.12 or newer"
    assert read(tmp_path, cell).problem.message == f"{written} (the notebook says 3.12.4); {told}"
    assert read(tmp_path, cell, version="").problem.message == f"{written}; {told}"
    assert read(tmp_path, cell, version="three").problem.message == f"{written}; {told}"


def test_only_the_method_is_lost(tmp_path):
    """The rest is graded, and the method says what it needs."""
    cell = "class TwoLayerNet:\n    def loss(self): return 1\n    def train[T](self, X: T): return X\n"
    submission = read(tmp_path, cell)
    assert submission.problem is None
    assert "this method cannot be read: type parameters in brackets (PEP 695), which needs Python 3.12" in (
        submission.segments[0].source
    )
    assert submission.notes[0].startswith(
        "TwoLayerNet.train() cannot be read: it raises an error where it is called, and the rest is graded. "
        "The submission is written for Python 3.12 or newer (the notebook says 3.12.4); this grader runs 3.11: "
    )


def test_python_2_is_called_so_still(tmp_path):
    """A name for what was caught is no exception."""
    cell = "class TwoLayerNet:\n    def loss(self):\n        try: pass\n        except ValueError, e: pass"
    assert read(tmp_path, cell).problem.message.startswith("Written for Python 2: except clause with a comma at")
    cell = cell.replace("ValueError, e", "ValueError, KeyError")
    assert "Python 3.14 or newer (the notebook says 3.12.4)" in read(tmp_path, cell).problem.message


@pytest.mark.untraced
@pytest.mark.parametrize(
    "text",
    [
        'f"{' * 20_000,
        'f"{a["' * 10_000,
        "f'{a['b']:" * 6_000,
        'f"{(("' * 10_000,
        "except " + "A, " * 20_000,
        "def f[" * 9_000,
    ],
)
def test_hostile_texts_take_little_time(text):
    """Each text is followed to its end once."""
    with must_end(20):
        assert found_in(text) is None
