"""`pytest --submission`: each check is a test, its message the failure; nothing is loaded without the option."""

import subprocess
import sys
from contextlib import nullcontext
from dataclasses import replace
from functools import cache
from importlib.metadata import entry_points
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from grader.check_program import check_program
from grader.frozen import FILE, load_frozen
from grader.rubric import bundled
from grader.sandbox.host import StudentHost
from grader.sandbox.spawn import open_own_server
from grader.submission import read

pytest_plugins = ["pytester"]

SAMPLES = Path(__file__).resolve().parent / "submissions"
WRONG, UNFINISHED = "wrong_half_the_gradient.py", "unfinished_skeleton.ipynb"
PLUGIN = "grader.integrations.pytest_plugin"
# As pip installs it; an older installation of this folder does not know it yet.
LOADED = () if PLUGIN in {one.value for one in entry_points(group="pytest11")} else ("-p", PLUGIN)
ID = "gradient_W1[grads['W1'] is the gradient of the loss with respect to the first layer's weights]"


@cache
def report_on(name):
    """Return the report on a sample, which is run once for all tests, or on one of which no part is written."""
    if name == UNFINISHED:
        report = report_on(WRONG)
        unwritten = [replace(one, status="skipped", points=0.0, message="Not started.") for one in report.checks]
        return replace(report, submission=name, source=name, checks=tuple(unwritten), diagnoses=())
    frozen = load_frozen(bundled())
    with StudentHost(frozen.assignment.limits, server=open_own_server()) as host:
        return check_program(read(SAMPLES / name), name, name, frozen, host)


@pytest.fixture
def folder(pytester):
    """Return a folder with samples in it, and a test of one's own."""
    for name in (WRONG, UNFINISHED, "broken_not_json.ipynb"):
        (pytester.path / name).write_bytes((SAMPLES / name).read_bytes())
    pytester.makepyfile(test_mine="def test_mine():\n    assert True\n")
    return pytester


@pytest.fixture
def asked(monkeypatch):
    """Let the reports be those of one run, and return the names of the programs that are asked for."""
    names = []

    def instead(_hand_in, name, *_):
        names.append(name)
        return report_on(name)

    monkeypatch.setattr("grader.check_program.check_program", instead)
    monkeypatch.setattr("grader.sandbox.host.StudentHost", lambda *_, **__: nullcontext())
    monkeypatch.setattr("grader.sandbox.spawn.open_own_server", lambda: None)
    return names


def run(folder, *words):
    """Run pytest in this process, without the plugins that our own tests are run with, and return its result."""
    quiet = [
        word for name in ("randomly", "hypothesispytest", "benchmark", "pytest_cov") for word in ("-p", f"no:{name}")
    ]
    return folder.inline_run(*LOADED, *quiet, "--tb=no", *words)


def outcomes(result):
    """Return how many tests passed, were skipped (or carried), and failed."""
    return tuple(map(len, result.listoutcomes()))


def test_each_check_is_a_test_with_its_message(folder, asked):
    """The failure is the check's message and the student's line, without a traceback; the program is run once."""
    result = folder.runpytest_inprocess(*LOADED, "-p", "no:randomly", "--submission", WRONG, "--junitxml", "out.xml")
    result.assert_outcomes(passed=15, failed=2, xfailed=1)
    said = result.stdout.str()
    assert f"FAILED {WRONG}::{ID}" in said
    assert "\ngrads['W1'] of loss(X, y, reg=0.05), shape (7, 11): 77 of 77 entries are wrong" in said
    assert f'\n  {WRONG}, line 58: `grads["W1"] = ' in said
    assert "Traceback" not in said
    assert "pytest_plugin.py" not in said
    assert asked == [WRONG]
    cases = {case.get("name"): case for case in ET.parse(folder.path / "out.xml").iter("testcase")}  # noqa: S314 -- pytest wrote it
    case = cases[ID]
    assert len(cases) == 18
    assert case.find("failure").get("message").startswith("grads['W1'] of loss(X, y, reg=0.05), shape (7, 11): 77 of")
    properties = {one.get("name"): one.get("value") for one in case.iter("property")}
    assert properties == {
        "points": "0",
        "max_points": "7",
        "mistake": "The regulariser's part of the gradient of W1 and W2 is half of what the loss asks for.",
        "line": f"{WRONG}, line 58",
    }


def test_options_choose_among_the_checks(folder, asked):
    """Unfinished parts fail. -k finds a check by title, id or group; --lf asks again what failed; -x stops; each program is run when it is asked for."""
    both = ("--submission", WRONG, "--submission", UNFINISHED)
    result = run(folder, "--submission", WRONG, "-q", "-k", "gradients")
    assert outcomes(result) == (2, 1, 2)
    result = run(folder, *both, "-x")
    assert outcomes(result) == (4, 0, 1)
    assert asked == [WRONG, WRONG]
    result = run(folder, *both)
    assert outcomes(result) == (15, 1, 20)
    result = run(folder, *both, "--lf")
    assert outcomes(result) == (0, 0, 20)
    result = run(folder, *both, "--collect-only", "-q")
    assert outcomes(result) == (0, 0, 0)
    assert asked == [WRONG, WRONG, *2 * [WRONG, UNFINISHED]]


def test_a_hidden_check_tells_its_verdict_alone(folder, asked, monkeypatch):
    """An instructor's own questions may hold such checks."""
    report = report_on(WRONG)
    hidden = tuple(replace(one, hidden=True) for one in report.checks)
    monkeypatch.setattr("grader.check_program.check_program", lambda *_: replace(report, checks=hidden))
    failed = run(folder, "--submission", WRONG).listoutcomes()[2]
    assert [str(one.longrepr) for one in failed] == 2 * ["0 of 7 points (hidden check)."]
    assert [dict(one.user_properties) for one in failed] == 2 * [{"points": "0", "max_points": "7"}]


def test_other_tests_are_run_where_they_are_named(folder, asked):
    """Without a path the submission's checks are all; a line of a .py file is that of the failure."""
    result = run(folder, "--submission", WRONG, "test_mine.py")
    assert outcomes(result) == (16, 1, 2)
    said = folder.runpytest_inprocess(*LOADED, "--submission", WRONG, "-k", "gradient_W1", "--tb=line").stdout.str()
    assert f"{WRONG}:58: grads['W1'] of loss(" in said


def test_what_cannot_be_read_fails_with_one_line(folder):
    """Every check of it: a missing file is no empty list of tests, and no error of the grader's."""
    names = {
        "broken_not_json.ipynb": "It seems to be cut off. Open it in Jupyter, save it there, and hand in that file.",
        "nosuch.py": "There is no file or folder at",
        "test_mine.py": "No class TwoLayerNet in test_mine.py",
    }
    result = run(folder, *(word for name in names for word in ("--submission", name)))
    failed = result.listoutcomes()[2]
    for name, said in names.items():
        told = {one.longrepr.reprcrash.message for one in failed if one.nodeid.startswith(name)}
        assert len(told) == 1
        assert said in next(iter(told))
        assert "\n" not in next(iter(told))
    assert {str(one.longrepr) for one in failed} == {one.longrepr.reprcrash.message for one in failed}
    assert len(failed) == 3 * 18


@pytest.mark.slow
def test_where_the_grader_fails_no_check_has_failed(folder, monkeypatch):
    """That is an error, and one line says so; --full-trace shows where."""

    def fails(*_):
        raise RuntimeError("no space left")

    monkeypatch.setattr("grader.check_program.check_program", fails)
    words = (*LOADED, "-p", "no:randomly", "--submission", WRONG, "-k", "purity")
    result = folder.runpytest_inprocess(*words)
    result.assert_outcomes(errors=1)
    said = result.stdout.str()
    assert "The grader failed, not your program: RuntimeError: no space left" in said
    assert "Traceback" not in said
    assert "def fails" not in said
    assert "def fails" in folder.runpytest_inprocess(*words, "--full-trace").stdout.str()


def test_questions_of_one_s_own(folder, asked):
    """They may come from a file; one that cannot be used ends pytest with one line and the mend."""
    own = folder.path / "own.npz"
    own.write_bytes((bundled() / FILE).read_bytes())
    result = run(folder, "--submission", WRONG, "--submission-questions", str(own), "-k", "scores")
    assert outcomes(result)[2] == 0
    own.write_bytes(b"no archive")
    result = folder.runpytest_inprocess(*LOADED, "--submission", WRONG, "--submission-questions", str(own))
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    assert "these frozen questions are damaged or were changed." in result.stderr.str()
    assert "with --submission-questions" in result.stderr.str()


def test_nothing_is_loaded_without_the_option():
    """Every run of pytest where the grader is installed imports the plugin's file, and no more of the grader."""
    code = (
        "import sys, pytest, functools, pathlib, typing; before = {*sys.modules}; import grader.integrations.pytest_plugin;"
        " print(*sorted({*sys.modules} - before))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout.split() == ["grader", "grader.integrations", PLUGIN]


def test_without_the_option_pytest_is_as_it_was(folder):
    """The folder's own tests are run, and the notebook beside them is none."""
    result = run(folder)
    assert outcomes(result) == (1, 0, 0)
