"""Submissions built by hand, and one host that all tests of this room ask."""

import ast
import textwrap

import numpy as np
import pytest

from grader.model import Call, Limits, Module, Segment, Step, Submission
from grader.sandbox.host import StudentHost

LIMITS = Limits(
    load_seconds=10.0,
    call_seconds=2.0,
    train_seconds=4.0,
    total_seconds=30.0,
    memory_mb=512,
    printed_characters=400,
)
D, H, C, N = 4, 5, 3, 6

NETWORK = """
import numpy as np
{top}
class TwoLayerNet(object):
    def __init__(self, input_size, hidden_size, output_size, std=1e-4):
        {init}
        self.params = {{}}
        self.params["W1"] = std * np.random.randn(input_size, hidden_size)
        self.params["b1"] = np.zeros(hidden_size)
        self.params["W2"] = std * np.random.randn(hidden_size, output_size)
        self.params["b2"] = np.zeros(output_size)

    def loss(self, X, y=None, reg=0.0):
        if reg == 666:
            {misdeed}
        W1, b1, W2, b2 = (self.params[name] for name in ("W1", "b1", "W2", "b2"))
        hidden = np.maximum(0, X.dot(W1) + b1)
        scores = hidden.dot(W2) + b2
        if y is None:
            return scores
        shifted = scores - scores.max(axis=1, keepdims=True)
        P = np.exp(shifted)
        P /= P.sum(axis=1, keepdims=True)
        loss = -np.mean(np.log(P[np.arange(len(X)), y])) + reg * (np.sum(W1 * W1) + np.sum(W2 * W2))
        P[np.arange(len(X)), y] -= 1
        P /= len(X)
        dh = P.dot(W2.T)
        dh[hidden <= 0] = 0
        return loss, {{
            "W1": X.T.dot(dh) + 2 * reg * W1,
            "b1": dh.sum(axis=0),
            "W2": hidden.T.dot(P) + 2 * reg * W2,
            "b2": P.sum(axis=0),
        }}

    def train(self, X, y, X_val, y_val, learning_rate=1e-3, learning_rate_decay=0.95, reg=5e-6,
              num_iters=100, batch_size=200, verbose=False):
        history = []
        for it in range(num_iters):
            rows = np.random.choice(len(X), batch_size)
            loss, grads = self.loss(X[rows], y[rows], reg)
            history.append(loss)
            for name in self.params:
                self.params[name] -= learning_rate * grads[name]
        return {{"loss_history": history}}

    def predict(self, X):
        return np.argmax(self.loss(X), axis=1)
{bottom}
"""


def _indented(text, spaces):
    return textwrap.indent(textwrap.dedent(text).strip("\n"), " " * spaces).lstrip() or "pass"


def _segment(label, source):
    return Segment(label, source, tuple(range(len(ast.parse(source).body))))


@pytest.fixture(scope="session")
def network():
    """Return the text of a right network, with statements put in: at `reg` 666, in the constructor, around the class."""

    def write(misdeed="", init="", top="", bottom=""):
        return NETWORK.format(
            misdeed=_indented(misdeed, 12),
            init=_indented(init, 8),
            top=textwrap.dedent(top),
            bottom=textwrap.dedent(bottom),
        )

    return write


@pytest.fixture(scope="session")
def submission():
    """Make a Submission of sources, each a code cell; `extras` is one more, `modules` are {dotted name: source}."""

    def make(*sources, extras=None, modules=None):
        return Submission(
            name="someone",
            source="someone.ipynb",
            digest="",
            graded_file="someone.ipynb",
            segments=tuple(_segment(f"code cell {n}", source) for n, source in enumerate(sources, start=1)),
            extras=() if extras is None else (_segment("code cell 90", extras),),
            modules=tuple(
                Module(name, _segment(f"{name.replace('.', '/')}.py", source))
                for name, source in (modules or {}).items()
            ),
        )

    return make


@pytest.fixture(scope="session")
def question():
    """Make a Call with random parameters; by default it asks for the loss at `reg`."""
    random = np.random.default_rng(7)
    params = {
        "W1": random.standard_normal((D, H)),
        "b1": random.standard_normal(H),
        "W2": random.standard_normal((H, C)),
        "b2": random.standard_normal(C),
    }
    X, y = random.standard_normal((N, D)), random.integers(0, C, N)

    def make(name="call", *steps, reg=0.1, seconds=10.0, given=params, seed=3):
        taken = steps or (Step("loss", {"X": X, "y": y, "reg": reg}),)
        return Call(name, (D, H, C), given, tuple(taken), seed, seconds)

    make.X, make.y, make.params = X, y, params
    return make


@pytest.fixture(scope="session")
def limits():
    """Return the limits of the tests' host."""
    return LIMITS


@pytest.fixture(scope="session")
def host():
    """Return one host for all tests: that each gets a fresh process is part of what they prove."""
    with StudentHost(LIMITS) as one:
        yield one


@pytest.fixture
def ask(host, submission):
    """Run sources as one submission and give the Run."""

    def run(sources, *calls, **parts):
        sources = [sources] if isinstance(sources, str) else sources
        return host.run(submission(*sources, **parts), "TwoLayerNet", calls)

    return run


@pytest.fixture
def misbehave(ask, network, question):
    """Ask a right network that misbehaves in the second of three calls; give that reply, when the others are right."""

    def run(misdeed, *, seconds=2.0, **parts):
        calls = question("before"), question("bad", reg=666, seconds=seconds), question("after")
        result = ask(network(misdeed, **parts), *calls)
        assert result.load.outcome == "returned", result.load
        for name in ("before", "after"):
            assert result.replies[name].outcome == "returned", (name, result.replies[name])
        return result.replies["bad"]

    return run
