"""The canary decides whether a class is graded: `grader doctor` shows what it found, `grader grade` heeds it."""

import json
from functools import partial
from pathlib import Path

import pytest
from click.testing import CliRunner

from classroom.once import at_hand
from grader import health
from grader.classroom import worker
from grader.cli import main
from grader.sandbox import isolation_tests, self_test
from grader.sandbox.host import StudentHost
from grader.sandbox.policy import LAYERS, DisabledLayers

SAMPLE = Path(__file__).parent / "submissions" / "right_einsum.py"
OPEN = DisabledLayers(("landlock",))
# Modules can be read neither from the disk nor from memory, as on no system that is in order.
BARE = DisabledLayers(landlock=0, library=False)


@pytest.fixture(autouse=True)
def _at_hand(monkeypatch):
    """Let the commands of this process remember what they drew."""
    at_hand(monkeypatch)


@pytest.fixture
def weakened(monkeypatch):
    """Have every command of a test run without Landlock, as if somebody had taken it out."""
    for module in (worker, health):
        monkeypatch.setattr(module, "StudentHost", partial(StudentHost, disabled=OPEN))


@pytest.fixture
def bare(monkeypatch):
    """Have every command of a test run where student code finds no module that was not loaded beforehand."""
    for module in (worker, health):
        monkeypatch.setattr(module, "StudentHost", partial(StudentHost, disabled=BARE))


def run(*words):
    """Run a command and give its exit status and all that it says."""
    done = CliRunner().invoke(main, words, catch_exceptions=False)
    return done.exit_code, done.output


def test_the_doctor_names_every_layer_and_every_trial():
    """Whoever doubts the isolation sees what is in force and what was tried."""
    status, said = run("doctor")
    assert status == 0, said
    assert [line.split()[0] for line in said.splitlines() if line.split()[:1] and line.split()[0] in LAYERS] == list(
        LAYERS
    )
    for one in (*isolation_tests.TESTS, *isolation_tests.NEEDS):
        assert one.__doc__.rstrip(".")[1:] in said
    assert "GOT THROUGH" not in said
    assert "It is safe to grade strangers' code here: nothing got through." in said


@pytest.mark.slow
def test_the_doctor_says_what_got_through(weakened):
    """Exit status 1, the layer that is missing and why, the trial, and what can be done."""
    status, said = run("doctor")
    assert status == 1
    assert "landlock      missing   switched off" in said
    assert "GOT THROUGH: read" in said
    plain = " ".join(said.split())
    assert "Student code is not isolated on this system: a test process could read a file that everybody" in plain
    assert "Use --unsafe only if you trust all of this code." in plain


def test_the_doctor_says_what_right_programs_would_miss(bare):
    """Exit status 1, the module that cannot be read, and what can be done; that nothing got through does not help them."""
    status, said = run("doctor")
    plain = " ".join(said.split())
    assert status == 1
    assert "GOT THROUGH" not in said
    assert "FAILED: ModuleNotFoundError: No module named 'cProfile'" in plain
    assert (
        "Right programs would lose points on this system: a test process could not import modules of Python's" in plain
    )
    assert "in folders that every user may enter and read, or run the grader as an ordinary user." in plain


@pytest.mark.parametrize("unsafe", [False, True])
def test_nobody_is_graded_where_right_programs_would_lose_points(bare, tmp_path, unsafe):
    """The message says which module is missing and what to do; with --unsafe every report says it."""
    status, said = run(
        "grade", "--seed", "231", str(SAMPLE), "--out", str(tmp_path / "out"), *(["--unsafe"] if unsafe else [])
    )
    if unsafe:
        assert status == 0
        text = (tmp_path / "out" / "submissions" / "right_einsum" / "report.json").read_text(encoding="utf-8")
        warning = "Graded with --unsafe: student code could not import modules of Python's library"
        assert [
            note for note in json.loads(text)["notes"] if note.startswith(warning) and "points may be missing" in note
        ]
    else:
        assert status == 1
        assert (
            "\nError: Right programs would lose points on this system: a test process could not import modules" in said
        )
        assert not (tmp_path / "out" / "submissions").exists()


@pytest.mark.slow
def test_strangers_code_is_refused_where_the_canary_got_through(weakened, tmp_path):
    """No report is written, the exit status is 1, and the message says why and what can be done."""
    status, said = run("grade", "--seed", "231", str(SAMPLE), "--out", str(tmp_path / "out"))
    assert status == 1
    assert "\nError: Student code is not isolated on this system: a test process could read" in said
    assert "`grader doctor` shows which layers are missing and why." in said
    assert not (tmp_path / "out" / "submissions").exists()


@pytest.mark.slow
def test_with_unsafe_it_is_graded_and_every_report_says_so(weakened, tmp_path):
    """Points are as ever; the report of a right program bears the warning in every format."""
    status, said = run("grade", "--seed", "231", str(SAMPLE), "--out", str(tmp_path / "out"), "--unsafe")
    assert status == 0, said
    folder = tmp_path / "out" / "submissions" / "right_einsum"
    report = json.loads((folder / "report.json").read_text(encoding="utf-8"))
    assert report["score"] == report["max_score"]
    warning = "Graded with --unsafe: student code was not isolated, and could read a file that everybody on this machine may read"
    assert [note for note in report["notes"] if note.startswith(warning)]
    assert "landlock" not in report["environment"]["isolation"]
    assert warning in (folder / "report.html").read_text(encoding="utf-8")


@pytest.mark.slow
def test_unsafe_says_nothing_where_nothing_got_through(tmp_path):
    """The flag alone marks no report: what counts is what got through."""
    status, _ = run("grade", "--seed", "231", str(SAMPLE), "--out", str(tmp_path / "out"), "--unsafe")
    assert status == 0
    text = (tmp_path / "out" / "submissions" / "right_einsum" / "report.json").read_text(encoding="utf-8")
    assert "unsafe" not in text


@pytest.mark.slow
@pytest.mark.parametrize("unsafe", [False, True])
def test_a_canary_that_does_not_come_back_is_no_good_sign(monkeypatch, tmp_path, unsafe):
    """When nothing is known, strangers' code is refused; with --unsafe the report says that nothing is known."""
    monkeypatch.setattr(self_test, "SECONDS", 0.0)
    status, said = run(
        "grade", "--seed", "231", str(SAMPLE), "--out", str(tmp_path / "out"), *(["--unsafe"] if unsafe else [])
    )
    if unsafe:
        assert status == 0
        text = (tmp_path / "out" / "submissions" / "right_einsum" / "report.json").read_text(encoding="utf-8")
        assert "Graded with --unsafe: it is not known whether student code was isolated." in text
    else:
        assert status == 1
        assert "Error: The test process, which tries what student code must not do, gave no result: " in said


@pytest.mark.slow
def test_the_doctor_says_when_the_canary_does_not_come_back(monkeypatch):
    """One line and exit status 1, no traceback."""
    monkeypatch.setattr(self_test, "SECONDS", 0.0)
    status, said = run("doctor")
    assert status == 1
    assert said.startswith("Error: The test process, which tries what student code must not do, gave no result: ")


def test_every_trial_works_where_nothing_defends(assignment):
    """A trial that cannot succeed proves nothing: with every layer off, each gets through."""
    with StudentHost(assignment.limits, DisabledLayers(LAYERS)) as host:
        tried = self_test.run(host, assignment.limits).tests
    assert [trial.id for trial in tried if not trial.wrong] == []
