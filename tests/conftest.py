"""What many tests share: the assignment, its questions, a host, and programs made by editing the solution."""

from __future__ import annotations

from pathlib import Path

import coverage
import nbformat
import pytest
from hypothesis import HealthCheck, settings

from chromium import browser, visited  # noqa: F401 -- fixtures are known to all tests by standing here
from grader.assignment import bundled, load
from grader.checks import CHECKS
from grader.judge import judge
from grader.records import Call, Segment, Submission
from grader.student.host import StudentHost
from reference.probes import draw

ROOT = Path(__file__).resolve().parent.parent
BEST = """
best_hyperparameters = dict(
    hidden_size=32, learning_rate=1.0, learning_rate_decay=0.97, reg=1e-3, num_iters=330, batch_size=50
)
"""


# Speed lives in benchmarks: an example that takes half a second on a busy machine says nothing.
settings.register_profile("untimed", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("untimed")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item):
    """Trace no lines while a test runs that asks for it, nor while what it needs is made.

    pytest-cov's own mark fails under --no-cov, and does nothing under xdist: there one tracer waits below another.
    """
    stopped = []
    while item.get_closest_marker("untraced") and (tracing := coverage.Coverage.current()):
        tracing.stop()
        stopped.append(tracing)
    try:
        return (yield)
    finally:
        for tracing in reversed(stopped):
            tracing.start()


@pytest.fixture(scope="session")
def assignment():
    """Give the bundled assignment."""
    return load(bundled(), tuple(CHECKS))


@pytest.fixture(scope="session")
def probes(assignment):
    """Give the questions of the bundled seed, with the reference's answers."""
    return draw(assignment, assignment.seed)


@pytest.fixture(scope="session")
def host(assignment):
    """Give a host whose zygote serves all tests."""
    with StudentHost(assignment.limits) as opened:
        yield opened


@pytest.fixture(scope="session")
def solution_class():
    """Give the source of the solution's class, without the marks."""
    notebook = nbformat.read(ROOT / "reference" / "two_layer_net_solution.ipynb", as_version=4)
    source = next(cell.source for cell in notebook.cells if "class TwoLayerNet" in cell.source)
    return "\n".join(line for line in source.splitlines() if "SOLUTION" not in line)


@pytest.fixture(scope="session")
def edited(solution_class):
    """Give a function that replaces parts of the solution; each part must be there."""

    def edit(*pairs: tuple[str, str]) -> str:
        source = solution_class
        for old, new in pairs:
            assert old in source, f"the solution does not hold {old!r}"
            source = source.replace(old, new)
        return source

    return edit


@pytest.fixture(scope="session")
def judgement_of(assignment, probes, host):
    """Give a function that runs one program's source in a student process and judges it."""

    def run(source: str, best: str = BEST, calls: tuple[Call, ...] = probes.calls):
        program = "import numpy as np\n" + source
        submission = Submission(
            "test",
            "test.py",
            "",
            "test.py",
            segments=(Segment("test.py", program, (0, 1)),),
            extras=(Segment("best", best, (0,)),) if best else (),
        )
        outcome = host.run(submission, "TwoLayerNet", calls)
        assert outcome.load.outcome == "returned", outcome.load
        return judge(assignment, probes, outcome, submission)

    return run


@pytest.fixture(scope="session")
def verdicts_of(judgement_of):
    """Give a function that does the same and gives each check's verdict by its id."""
    return lambda *program, **asked: {verdict.id: verdict for verdict in judgement_of(*program, **asked).verdicts}
