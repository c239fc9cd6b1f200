"""The packaged autograder as Gradescope runs it: unpacked, set up and run as root; what it says, hides and withholds."""

import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import venv
import zipfile
from dataclasses import replace
from pathlib import Path

import pytest

from grader.classroom.reference_api import build_questions
from grader.frozen.freeze import freeze
from grader.grading import grade
from grader.integrations.autograder_zip import build_wheel, write_zip
from grader.integrations.gradescope_run import QUESTIONS
from grader.reports.formats import REPORT_FORMATS
from play_student import SOLUTION
from reports.test_gradescope import TEST, WHOLE, hold_to_specification
from test_wheel import betrayed, files_below, solution_lines, texts_in

SAMPLES = Path(__file__).resolve().parent / "submissions"
WRONG = SAMPLES / "wrong_half_the_gradient.py"
MISTAKE, HIDDEN = "regulariser_gradient_halved", {"gradient_W1", "gradient_W2", "numeric_gradient"}
SEED = 77
READERS = ("gslocal==0.1.1", "gradescope-utils==0.5.0")
METADATA = {
    "id": 1,
    "created_at": "2026-03-02T10:00:00.000000-08:00",
    "assignment": {"due_date": "2026-03-01T23:59:00.000000-08:00", "late_due_date": None, "total_points": "100.0"},
    "users": [{"id": 1, "name": "Ann", "email": "ann@example.com"}],
    "previous_submissions": [
        {"submission_time": "2026-02-28T10:00:00-08:00", "score": 99.0, "results": {"score": 99.0}}
    ],
}

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(sys.platform != "linux" or os.geteuid() != 0, reason="Gradescope runs it as root on Linux"),
]


@pytest.fixture(scope="module")
def hiding(assignment):
    """Return the assignment with hidden checks."""
    return replace(assignment, checks=tuple(replace(row, hidden=row.id in HIDDEN) for row in assignment.checks))


@pytest.fixture(scope="module")
def hidden_questions(hiding):
    """Return the questions of a secret seed; one mistake is known, since to work out all of them takes a minute."""
    drawn = build_questions(hiding, SEED)
    known = drawn.catalogue
    (at,) = (place for place, form in enumerate(known.forms) if form.id == MISTAKE and len(form.steps) > 1)

    def simulate(mistakes, *asked):
        return known.simulate(frozenset(at for _ in mistakes), *asked)

    return replace(drawn, catalogue=replace(known, forms=(known.forms[at],), simulate=simulate, identity=None))


@pytest.fixture(scope="module")
def autograder(hiding, hidden_questions, tmp_path_factory):
    """Return the zip."""
    folder = tmp_path_factory.mktemp("package")
    wheel = build_wheel(folder)
    write_zip(folder / "autograder.zip", freeze(hiding, hidden_questions, with_hidden=True), wheel)
    return folder / "autograder.zip"


class Gradescope:
    """A folder that is laid out as /autograder."""

    def __init__(self, root, autograder):
        self.root, self.results = root, root / "results" / "results.json"
        for name in ("source", "submission", "results"):
            (root / name).mkdir()
        with zipfile.ZipFile(autograder) as opened:
            opened.extractall(root / "source")
        shutil.copy(root / "source" / "run_autograder", root)
        (root / "run_autograder").chmod(0o755)
        (root / "submission_metadata.json").write_text(json.dumps(METADATA))
        self.run("bash", "source/setup.sh")

    def run(self, *words):
        """Run a command as the platform does; return what it prints."""
        kept = {name: value for name, value in os.environ.items() if name.startswith("PIP_")}
        path = f"{Path(sys._base_executable).parent}:/usr/local/bin:/usr/bin:/bin"
        done = subprocess.run(
            words, cwd=self.root, env={**kept, "PATH": path}, capture_output=True, text=True, check=False, timeout=300
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def grade(self, **files):
        """Hand in files, by name without the dots' ending; return what results.json holds then, and what was printed."""
        shutil.rmtree(self.root / "submission")
        (self.root / "submission").mkdir()
        for name, data in files.items():
            (self.root / "submission" / name.replace("__", ".")).write_bytes(data)
        printed = self.run("./run_autograder")
        return json.loads(self.results.read_text(encoding="ascii"), parse_constant=pytest.fail), printed


@pytest.fixture(scope="module")
def gradescope(autograder):
    """Return the folder after setup.sh; every user may enter it, as /autograder."""
    root = Path(tempfile.mkdtemp(prefix="autograder-"))
    root.chmod(0o755)
    yield Gradescope(root, autograder)
    shutil.rmtree(root)


def test_a_right_program_gets_all_points(gradescope):
    """By the specification's keys; nothing is printed, and neither lateness nor an earlier attempt changes anything."""
    data, printed = gradescope.grade(two_layer_net__ipynb=SOLUTION.read_bytes())
    hold_to_specification(data)
    assert (data["score"], printed) == (100.0, "")
    assert {test["status"] for test in data["tests"]} == {"passed"}
    hidden = {test["tags"][0] for test in data["tests"] if test["visibility"] == "after_published"}
    assert (hidden, len(data["tests"])) == (HIDDEN, 18)


def test_it_judges_as_the_reference_does(gradescope, hiding, hidden_questions, host):
    """Each sample gets the tests, points and words that it gets where the reference is at hand, but for one check.

    What hyperparameters are worth while something else is wrong, only a right network could tell.
    """
    for name in (
        "wrong_half_the_gradient.py",
        "wrong_predict_axis.py",
        "unfinished_train.ipynb",
        "broken_syntax.ipynb",
    ):
        data, _ = gradescope.grade(**{name.replace(".", "__"): (SAMPLES / name).read_bytes()})
        report = grade(gradescope.root / "submission", "submission", hiding, hidden_questions, host).report
        expected = json.loads(REPORT_FORMATS["gradescope"].write(report))
        differing = [
            one["tags"][0] for one, other in zip(data["tests"], expected["tests"], strict=True) if one != other
        ]
        assert differing == (["best_hyperparameters"] if name == "wrong_predict_axis.py" else []), name
        assert data["output"] == expected["output"]


def test_nothing_tells_of_what_only_hidden_checks_found(gradescope):
    """The mistake is charged at hidden checks alone: at the top there is no word of it, and these have their verdict alone."""
    data, printed = gradescope.grade(two_layer_net__py=WRONG.read_bytes())
    assert data["score"] == 86.0
    assert (data["output"], printed) == ("Graded: two_layer_net.py.", "")
    shown = {test["tags"][0]: test["output"] for test in data["tests"]}
    assert [shown[check] for check in ("gradient_W1", "gradient_W2")] == ["Failed. 0 of 7 points (hidden check)."] * 2
    assert not {word for word in ("half", "regulariser's part", "differs") if word in json.dumps(data)}
    assert data["extra_data"]["diagnoses"] == []


ATTACK = '''
"""Looks for the questions, the wheel and the results in every way that it can think of, and says what it found."""
import gc, os
import numpy as np

ROOT = {root!r}
TARGETS = [os.path.join(ROOT, *one.split("/")) for one in (
    "source/{questions}", "source/no_grade.json", "source/setup.sh", "source/requirements.txt", "results/results.json",
    "submission_metadata.json", "run_autograder", "submission/two_layer_net.py")]

def by_opening():
    for path in TARGETS:
        for way in (lambda: open(path, "rb").read(), lambda: os.read(os.open(path, os.O_RDONLY), 9), lambda: np.fromfile(path, "u1")):
            yield way

def by_folders():
    for path in (ROOT, *map(os.path.dirname, TARGETS), "/", "/tmp", "/proc", os.getcwd()):
        yield lambda: os.listdir(path)
        yield lambda: [one.name for one in os.scandir(path)]

def by_processes():
    for process in ("self", os.getpid(), os.getppid(), *range(os.getpid() - 20, os.getpid())):
        for fact in ("environ", "maps", "cmdline", "stat"):
            yield lambda: open(f"/proc/{{process}}/{{fact}}", "rb").read(9)
        if process not in ("self", os.getpid()):
            yield lambda: os.readlink(f"/proc/{{process}}/cwd")
        for path in TARGETS:
            yield lambda: open(f"/proc/{{process}}/root{{path}}", "rb").read(9)

# Only where nothing comes of it.
def by_descriptors():
    for process in (os.getppid(), *range(os.getpid() - 20, os.getpid())):
        for number in range(12):
            yield lambda: os.read(os.open(f"/proc/{{process}}/fd/{{number}}", os.O_RDONLY | os.O_NONBLOCK), 9)

def by_writing():
    for path in TARGETS:
        yield lambda: open(path, "r+b").write(b"x")
        yield lambda: os.unlink(path) or 1
        yield lambda: os.replace(TARGETS[-1], path) or 1
    yield lambda: os.symlink(TARGETS[0], os.path.join(ROOT, "results", "x")) or 1
    yield lambda: open(os.path.join(ROOT, "results", "y"), "w").write("x")

def by_objects():
    yield lambda: [one for one in gc.get_objects() if type(one).__name__ in ("Questions", "Frozen", "Oracle", "Report")]

def found(*families):
    for ways in families:
        got = tried = 0
        for way in ways():
            tried += 1
            try:
                got += bool(way())
            except Exception:
                pass
        yield f"{{ways.__name__}}: {{got}} of {{tried}};"

class TwoLayerNet:
    def __init__(self, *sizes, **more):
        self.params = {{}}
    def loss(self, X, y=None, reg=0.0):
        raise ValueError("ATTACK " + " ".join(found(by_opening, by_folders, by_processes, by_descriptors, by_writing, by_objects)))
    train = predict = loss
'''


def test_a_hostile_program_reads_neither_questions_nor_results(gradescope):
    """It looks at every path, process and object, and its error message says that it got nothing; outside it gets much."""
    gradescope.grade(two_layer_net__py=WRONG.read_bytes())
    before = {one: one.read_bytes() for one in files_below(gradescope.root / "source")}
    attack = ATTACK.format(root=str(gradescope.root), questions=QUESTIONS)
    harmless = "by_opening, by_folders, by_processes"
    words = [sys.executable, "-c", f"{attack}\nprint(*found({harmless}))"]
    outside = subprocess.run(words, capture_output=True, text=True, check=True, timeout=60).stdout
    assert re.fullmatch(r"(by_\w+: [1-9]\d* of \d+;\s?){3}", outside), outside
    data, _ = gradescope.grade(two_layer_net__py=attack.encode())
    assert re.search(r"ATTACK( by_\w+: 0 of [1-9]\d*;){6}", data["tests"][0]["output"]), data["tests"][0]["output"]
    assert data["score"] < 10
    assert {one: one.read_bytes() for one in files_below(gradescope.root / "source")} == before
    assert [one.name for one in (gradescope.root / "results").iterdir()] == ["results.json"]
    assert all(one.stat().st_mode & 0o077 == 0 for one in before)


def test_odd_hand_ins_get_a_reason(gradescope):
    """Nothing that can be graded is its author's 0, with why; two notebooks, a huge file and links are told."""
    for files, reason in (
        ({"two_layer_net__ipynb": b""}, "is empty. Open it in Jupyter, save it there"),
        ({"report__pdf": b"%PDF"}, "holds no notebook (.ipynb) and no .py file: it holds report.pdf."),
        ({"two_layer_net__ipynb": b" " * (300 << 20)}, "larger than 12 MiB"),
        ({"a__py": WRONG.read_bytes(), "b__py": WRONG.read_bytes()}, "not graded, though TwoLayerNet is also in: b.py"),
    ):
        data, printed = gradescope.grade(**files)
        hold_to_specification(data)
        assert reason in data["output"], data["output"]
        assert printed == ""


def test_no_grade_is_no_score(gradescope):
    """An empty hand-in, a grader that was stopped, and one that was never set up: plain words, and nothing that counts."""
    data, printed = gradescope.grade()
    assert "No file was handed in" in data["output"]
    assert "No file was handed in" in printed
    python = gradescope.root / "venv" / "bin" / "python"
    real = python.rename(python.with_name("kept"))
    for stand_in in ("#!/bin/sh\nkill -9 $$\n", None):
        if stand_in:
            python.write_text(stand_in)
            python.chmod(0o755)
        data, _ = gradescope.grade(two_layer_net__py=WRONG.read_bytes())
        assert data["output"].startswith("Infrastructure: ")
        assert not {"score", "tests"} & {*data}
        python.unlink(missing_ok=True)
    real.rename(python)


def test_no_file_of_the_zip_holds_the_solution(autograder, tmp_path):
    """The wheel's inside is searched too, and the questions' texts and arrays; neither reference nor seed goes along."""
    with zipfile.ZipFile(autograder) as opened:
        opened.extractall(tmp_path)
    (wheel,) = tmp_path.glob("*.whl")
    with zipfile.ZipFile(wheel) as opened:
        opened.extractall(tmp_path / "inside")
    wheel.unlink()
    text = "\n".join(texts_in(tmp_path / QUESTIONS))
    assert {line for line in solution_lines() if line in text} == set()
    assert {one.name: found for one in files_below(tmp_path) if (found := betrayed(one))} == {}
    assert not [one for one in files_below(tmp_path) if "reference" in one.parts or "solution" in one.name]


READ = """
import io, json, sys, unittest
from pathlib import Path
from gradescope_utils.autograder_utils.decorators import number, tags, visibility, weight
from gradescope_utils.autograder_utils.json_test_runner import JSONTestRunner
from gslocal.results import format_results

class Test(unittest.TestCase):
    @weight(2)
    @number("1.1")
    @tags("a")
    @visibility("after_published")
    def test_it(self):
        print("said")

stream = io.StringIO()
JSONTestRunner(stream=stream, stdout_visibility="hidden").run(unittest.defaultTestLoader.loadTestsFromTestCase(Test))
print(json.dumps(json.loads(stream.getvalue())))
for path in sys.argv[1:]:
    format_results(Path(path))
"""


def test_other_tools_read_it(gradescope, tmp_path):
    """gradescope-utils writes the same keys with the same types, and gslocal shows the tests; its container was not run."""
    readers = tmp_path / "venv"
    venv.create(readers, with_pip=True)
    subprocess.run([readers / "bin" / "python", "-m", "pip", "install", "-q", *READERS], check=True, timeout=300)
    ours, _ = gradescope.grade(two_layer_net__py=WRONG.read_bytes())
    no_grade = gradescope.root / "source" / "no_grade.json"
    words = [readers / "bin" / "python", "-c", READ, gradescope.results, no_grade]
    said = subprocess.run(words, capture_output=True, text=True, check=True, env={"NO_COLOR": "1"}).stdout
    theirs = json.loads(said.splitlines()[0])
    assert {*theirs} <= WHOLE
    assert {*theirs["tests"][0]} <= TEST
    for name in {*theirs} & {*ours} - {"execution_time"}:  # a text there, and a number in the specification
        assert isinstance(theirs[name], int | float) if name == "score" else type(theirs[name]) is type(ours[name])
    mine = ours["tests"][0]
    assert {*theirs["tests"][0]} <= {*mine}
    assert all(isinstance(theirs["tests"][0][name], int | float | type(mine[name])) for name in theirs["tests"][0])
    assert "86.00 / 100.00" in said
    assert said.count("FAIL") == 2
    assert "Infrastructure: " in said
