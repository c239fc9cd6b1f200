"""What students install: the grader and the frozen questions, few other packages, and nothing of the solution."""

import ast
import json
import re
import subprocess
import zipfile
from functools import cache
from pathlib import Path
from xml.etree import ElementTree as ET

import nbformat
import numpy as np
import pytest

from grader import __version__
from grader.frozen import FILE
from grader.packing import unpack
from grader.rubric import bundled
from play_student import SOLUTION, build_wheel, install, play, run

ROOT = Path(__file__).resolve().parent.parent
SAMPLES = ROOT / "tests" / "submissions"
# Lines of the solution that say nothing: they stand in any program.
TRIVIAL = {")", "", "best_hyperparameters = dict(", "np.random.seed(0)", "for name in self.params:"}
MOST_PACKAGES, MOST_BYTES = 20, 7e6


@cache
def solution_lines():
    """Return what stands in the marked regions of the solution, line by line."""
    inside, found = False, set()
    for cell in nbformat.read(SOLUTION, as_version=4).cells:
        for line in cell.source.splitlines():
            inside = inside and "END SOLUTION" not in line
            if inside:
                found.add(line.strip())
            inside = inside or "BEGIN SOLUTION" in line
    assert len(found) > 30
    return found - TRIVIAL


@cache
def reference_bodies():
    """Return the bodies of all functions of the reference."""
    found = set().union(*(bodies(one.read_text(encoding="utf-8")) for one in (ROOT / "reference").rglob("*.py")))
    assert len(found) > 300
    return found


def bodies(text):
    """Return the bodies of all functions in a source, without docstrings and layout."""
    found = set()
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.FunctionDef):
            documented = isinstance(node.body[0], ast.Expr) and isinstance(node.body[0].value, ast.Constant)
            found.add("\n".join(map(ast.unparse, node.body[documented:])))
    return found - {"", "..."}


def texts_in(data):
    """Return the texts in frozen questions, and the arrays' bytes as a text."""
    with np.load(data) as stored:
        for part in ("questions", "mistakes"):
            packed = unpack(stored[part].tobytes())
            yield packed["texts"]
            yield from (array.tobytes().decode("latin-1") for array in packed["arrays"])


def betrayed(path):
    """Return what a file holds of the solution: its lines, or whole functions of the reference."""
    if path.suffix == ".npz":
        text = "\n".join(texts_in(path)) if path.name == FILE else ""
        return {line for line in solution_lines() if line in text}
    text = path.read_text(encoding="utf-8")
    # A notebook's lines stand in quotes, and its own quotes behind backslashes.
    lines = {line.strip() for line in text.splitlines()}
    if path.suffix == ".ipynb":
        lines = {line.strip() for cell in json.loads(text)["cells"] for line in "".join(cell["source"]).splitlines()}
    found = solution_lines() & lines
    if path.suffix == ".py":
        found |= reference_bodies() & bodies(text)
    return found


def files_below(*folders):
    """Return the files that are installed."""
    return [one for folder in folders for one in sorted(folder.rglob("*")) if one.is_file() and one.suffix != ".pyc"]


@pytest.mark.slow
def test_nothing_that_is_installed_holds_the_solution():
    """Neither a line of it nor a function of the reference, in any file of the two folders that the wheel is made of."""
    files = files_below(ROOT / "grader", ROOT / "assignment")
    assert bundled() / FILE in files
    assert {str(path): found for path in files if (found := betrayed(path))} == {}


def test_the_search_finds_the_solution_where_it_is(tmp_path):
    """A step of the reference, a line of the solution, in a notebook too, and as a text among frozen answers."""
    copied = tmp_path / "copied.py"
    copied.write_text((ROOT / "reference" / "layers.py").read_text(encoding="utf-8"), encoding="utf-8")
    assert betrayed(copied)
    assert betrayed(SOLUTION)
    copied.write_text("def f():\n    dscores[np.arange(N), y] -= 1\n", encoding="utf-8")
    assert betrayed(copied)


# ---------------------------------------------------------------- built and installed


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    """Build the wheel as it would be published."""
    return build_wheel(tmp_path_factory.mktemp("wheel"))


@pytest.fixture(scope="module")
def python(wheel, tmp_path_factory):
    """Return the Python of an empty environment in which the wheel alone was installed."""
    return install(wheel, tmp_path_factory.mktemp("student") / "venv")


@pytest.mark.slow
def test_the_wheel_is_small_and_holds_two_folders(wheel, tmp_path):
    """No reference, no tests; and the files in it are searched again."""
    with zipfile.ZipFile(wheel) as opened:
        names = opened.namelist()
        opened.extractall(tmp_path)
    tops = {name.split("/")[0] for name in names}
    assert tops == {"grader", "assignment", f"twolayer_grader-{__version__}.dist-info"}
    assert f"assignment/{FILE}" in names
    assert wheel.stat().st_size < MOST_BYTES
    assert {path.name: found for path in files_below(tmp_path) if (found := betrayed(path))} == {}


@pytest.mark.slow
def test_a_student_installs_few_packages(python):
    """Fewer than twenty in all, the grader among them."""
    listed = subprocess.run([python, "-m", "pip", "list", "--format", "json"], capture_output=True, check=True)
    names = {one["name"] for one in json.loads(listed.stdout)} - {"pip", "setuptools"}
    assert "twolayer-grader" in names
    assert len(names) < MOST_PACKAGES, sorted(names)


@pytest.mark.slow
def test_a_student_s_program_is_checked_without_the_reference(python, tmp_path):
    """The solution passes, a mistake has its name and its line, and the demo shows a report."""
    for path in (SOLUTION, SAMPLES / "wrong_half_the_gradient.py"):
        (tmp_path / path.name).write_bytes(path.read_bytes())
    status, said = run(python, tmp_path, "check", SOLUTION.name)
    assert (status, "Public checks: 18 of 18 pass" in said) == (0, True), said
    status, said = run(python, tmp_path, "check", "wrong_half_the_gradient.py", "--html")
    assert (status, "half of what the loss" in said) == (1, True), said
    assert (tmp_path / "wrong_half_the_gradient.check.html").exists()
    status, said = run(python, tmp_path, "demo", "--out", "demo")
    assert (status, "Next steps, in the order of the notebook" in said) == (0, True), said


@pytest.mark.slow
def test_a_program_s_checks_are_pytest_s_tests_without_the_reference(python, tmp_path):
    """`pytest --submission` finds the plugin by itself; its tests are spread over two processes, and JUnit has them all."""
    subprocess.run([python, "-m", "pip", "install", "-q", "pytest", "pytest-xdist"], check=True, timeout=600)
    (tmp_path / SOLUTION.name).write_bytes(SOLUTION.read_bytes())
    wrong = "wrong_half_the_gradient.py"
    (tmp_path / wrong).write_bytes((SAMPLES / wrong).read_bytes())
    (tmp_path / "test_mine.py").write_text(
        "def test_mine():\n    assert 'grader.grading' not in __import__('sys').modules\n"
    )

    def tests(*words):
        done = subprocess.run(
            [python, "-m", "pytest", "--junitxml=out.xml", *words],
            cwd=tmp_path,
            capture_output=True,
            text=True,
            check=False,
        )
        suite = next(ET.parse(tmp_path / "out.xml").iter("testsuite"))  # noqa: S314 -- pytest wrote it
        return done.returncode, tuple(int(suite.get(name)) for name in ("tests", "failures", "errors", "skipped"))

    assert tests("--submission", SOLUTION.name) == (0, (18, 0, 0, 0))
    # What is carried is an expected failure, which pytest's JUnit counts among the skipped.
    assert tests("--submission", SOLUTION.name, "--submission", wrong, "-n", "2") == (1, (36, 2, 0, 1))
    assert tests("--submission", wrong, "--lf") == (1, (2, 2, 0, 0))
    assert tests() == (0, (1, 0, 0, 0))


@pytest.mark.slow
def test_the_annotated_notebook_takes_the_wheel_and_its_extra_alone(wheel, tmp_path):
    """`jupyter nbconvert --to feedback` finds the exporter by itself; mistake, line and formulas are on its page."""
    python = install(f"{wheel}[instructor]", tmp_path / "venv")
    text = SOLUTION.read_text(encoding="utf-8")
    wrong = text.replace("X.T.dot(dhidden) + 2 * reg * W1", "X.T.dot(dhidden) + reg * W1")
    assert wrong != text
    (tmp_path / "mine.ipynb").write_text(wrong, encoding="utf-8")
    words = [python.parent / "jupyter", "nbconvert", "--to", "feedback", "mine.ipynb"]
    done = subprocess.run(words, cwd=tmp_path, capture_output=True, text=True, check=False, timeout=300)
    assert done.returncode == 0, done.stderr
    page = (tmp_path / "mine.html").read_text(encoding="utf-8")
    assert "The regulariser&#39;s part of the gradient of W1 is half of what the loss asks for." in page
    assert re.search(r'<code class="named"><span class="number">\d+</span> *grads\[&#34;W1&#34;\]', page)
    assert page.count("<math") > 20
    assert "\\frac" not in page


@pytest.mark.slow
def test_what_needs_more_packages_says_which(python, tmp_path):
    """In one line, with the command that installs them."""
    status, said = run(python, tmp_path, "check", SOLUTION, "--watch")
    assert status == 2
    assert "run `pip install watchfiles`" in said
    status, said = run(python, tmp_path, "new", "assignment")
    assert status == 2
    assert "The reference solution is missing." in said
    status, said = run(python, tmp_path, "grade", SOLUTION, "--out", "graded")
    assert status == 2
    assert "To check your own notebook, run `grader check`" in said
    status, refused = run(python, tmp_path, "package", "--for", "gradescope")
    assert (status, refused.splitlines()[-1]) == (2, said.splitlines()[-1])
    assert not (tmp_path / "secret-seed.txt").exists()


@pytest.mark.slow
def test_a_student_gets_from_pip_install_to_all_points(python, tmp_path):
    """Part by part, from the kit; each of three wrong turns is named with its line, and mended it passes."""
    reads = list(play(python, tmp_path))
    assert [read.status for read in reads] == [0, 1, 0, 0, 1, 0, 1, 0, 1, 0, 0, 0], reads
    wrong = [read.said for read in reads if read.status][1:]
    for said, name, line in zip(
        wrong,
        ("The regulariser's part of the gradient of W1 is half", "never decays.", "along the wrong axis."),
        ('17 │     grads["W1"] = X.T.dot(dhidden) + reg * W1', "47 │         if it %", "8 │     y_pred = self.loss(X)"),
        strict=True,
    ):
        assert "The mistake, named: " in said
        assert name in " ".join(said.split())
        assert line in said
    assert "100 / 100" in reads[-1].said
    assert not [read.said for read in reads if "Traceback" in read.said]
