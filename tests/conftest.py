"""What many tests share: the assignment, its questions, a host, and programs made by editing the solution."""

from __future__ import annotations

import ast
import os
import pkgutil
import shutil
import tempfile
from importlib import import_module
from pathlib import Path
from uuid import uuid4

import coverage
import nbformat
import pytest
from hypothesis import settings

import grader
import reference
from chromium import browser, visited  # noqa: F401 -- fixtures are known to all tests by standing here
from classroom.once import remembered
from examples import register_profiles
from grader.checks import CHECKS
from grader.model import Call, Segment, Submission
from grader.rubric import bundled, load
from grader.sandbox.host import StudentHost
from judging import judge
from tracing import untraced

ROOT = Path(__file__).resolve().parent.parent
STARTED = {"grader.__main__"}  # does what it is for when it is imported
BEST = """
best_hyperparameters = dict(
    hidden_size=32, learning_rate=1.0, learning_rate_decay=0.97, reg=1e-3, num_iters=330, batch_size=50
)
"""


def pytest_configure(config):
    """Try all of hypothesis's examples where the slow tests run, or FUZZ asks for more of them."""
    register_profiles()
    os.environ["XDG_CACHE_HOME"] = str(_cache_of_this_run(config))
    whole = config.option.markexpr != "not slow" or "FUZZ" in os.environ
    settings.load_profile("many" if whole else "few")


def _cache_of_this_run(config) -> Path:
    """Return a folder for what commands keep between runs: one for all workers of this run, and none of the user's."""
    run = getattr(config, "workerinput", {}).get("testrunuid") or uuid4().hex
    folder = Path(tempfile.gettempdir()) / f"grader-tests-{run}"
    if not hasattr(config, "workerinput"):
        config.add_cleanup(lambda: shutil.rmtree(folder, ignore_errors=True))
    return folder


@pytest.hookimpl(wrapper=True)
def pytest_collection(session):
    """Where coverage is measured, trace what our modules do when they are imported, but not test files being read."""
    if coverage.Coverage.current() is None:
        return (yield)
    for package in (grader, reference):
        for module in pkgutil.walk_packages(package.__path__, package.__name__ + "."):
            if module.name not in STARTED:
                import_module(module.name)
    with untraced():
        return (yield)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item):
    """Trace no lines while a test runs that asks for it, nor while what it needs is made.

    Nor while hypothesis looks for examples: by a tracer it finds fewer of them in the same time.
    """
    if not (item.get_closest_marker("untraced") or item.get_closest_marker("hypothesis")):
        return (yield)
    with untraced():
        return (yield)


@pytest.fixture(scope="session")
def assignment():
    """Return the bundled assignment."""
    return load(bundled(), tuple(CHECKS))


@pytest.fixture(scope="session")
def questions(assignment):
    """Return the questions of the bundled seed, with the reference's answers: those that commands at hand ask as well.

    What is found out about mistakes is kept beside them; it takes seconds, once.
    """
    return remembered(assignment, assignment.seed)


@pytest.fixture(scope="session")
def host(assignment):
    """Return a host whose zygote serves all tests."""
    with StudentHost(assignment.limits) as opened:
        yield opened


@pytest.fixture(scope="session")
def solution_class():
    """Return the source of a right class that stands in one cell, as the solution of the former notebook did."""
    notebook = nbformat.read(ROOT / "tests" / "submissions" / "right_vectorised.ipynb", as_version=4)
    return next(cell.source for cell in notebook.cells if "class TwoLayerNet" in cell.source)


@pytest.fixture(scope="session")
def edited(solution_class):
    """Return a function that replaces parts of the solution; each part must be there."""

    def edit(*pairs: tuple[str, str]) -> str:
        source = solution_class
        for old, new in pairs:
            assert old in source, f"the solution does not hold {old!r}"
            source = source.replace(old, new)
        return source

    return edit


@pytest.fixture(scope="session")
def judgement_of(assignment, questions, host):
    """Return a function that runs one program's source in a student process and judges it."""

    def run(source: str, best: str = BEST, calls: tuple[Call, ...] = questions.calls):
        program = "import numpy as np\n" + source
        statements = tuple(range(len(ast.parse(program).body)))
        submission = Submission(
            "test",
            "test.py",
            "",
            "test.py",
            segments=(Segment("test.py", program, statements),),
            extras=(Segment("best", best, (0,)),) if best else (),
        )
        outcome = host.run(submission, "TwoLayerNet", calls)
        assert outcome.load.outcome == "returned", outcome.load
        return judge(assignment, questions, outcome, submission)

    return run


@pytest.fixture(scope="session")
def verdicts_of(judgement_of):
    """Return a function that does the same and gives each check's verdict by its id."""
    return lambda *program, **asked: {verdict.id: verdict for verdict in judgement_of(*program, **asked).verdicts}
