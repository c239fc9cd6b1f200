"""One host for a module's programs, and what the recorded question tells of each."""

import ast

import numpy as np
import pytest

from grader.checks import GradingContext
from grader.locate.located import Located
from grader.model import Module, Segment, Submission
from grader.sandbox.host import StudentHost

BEST = "best_hyperparameters = dict(hidden_size=32, learning_rate=1.0, learning_rate_decay=0.97, reg=1e-3, num_iters=330, batch_size=50)"


@pytest.fixture(autouse=True)
def _overflows_are_no_warnings():
    """Do as the judge does: what a program's numbers overflow is no warning of ours."""
    with np.errstate(all="ignore"):
        yield


@pytest.fixture(scope="module")
def asking(assignment):
    """Return a host."""
    with StudentHost(assignment.limits) as host:
        yield host


@pytest.fixture(scope="session")
def handed_in():
    """Return a function that makes a submission of a program and its helper modules."""

    def segment(label, source):
        return Segment(label, source, tuple(range(len(ast.parse(source).body))))

    def make(program, **modules):
        return Submission(
            "test",
            "net.py",
            "",
            "net.py",
            segments=(segment("net.py", program),),
            extras=(segment("best", BEST),),
            modules=tuple(Module(name, segment(f"{name}.py", source)) for name, source in modules.items()),
        )

    return make


@pytest.fixture(scope="module")
def located(assignment, questions, asking, handed_in):
    """Return a function that asks a program for its losses and for what is recorded, and nothing else."""
    calls = tuple(call for call in questions.calls if call.id.kind in {"loss", "sweep", "recorded"})

    def run(program, **modules):
        submission = handed_in(program, **modules)
        outcome = asking.run(submission, "TwoLayerNet", calls)
        assert outcome.load.outcome == "returned", outcome.load
        return Located(GradingContext(assignment, questions, outcome), submission)

    return run
