"""In networks of several hidden layers the wrong line is found as with one, and told with its layer's number."""

import numpy as np
import pytest

from deep import write_deep
from grader.checks import GradingContext
from grader.classroom.reference_api import author
from grader.locate.differences import Words
from grader.locate.located import Located
from grader.locate.step_table import table
from grader.rubric import load
from grader.sandbox.host import StudentHost
from grader.score import KNOWN
from reference.questions import draw

# What is edited in the solution; what the line begins with, and how it differs.
WRONG = {
    "units of the first layer": (
        ("hidden1 = np.maximum(u1, 0)", "hidden1 = np.tanh(u1) * np.maximum(u1, 0)"),
        "differs from hidden layer 1 after the ReLU: ",
    ),
    "no ReLU in the second layer": (
        ("hidden2 = np.maximum(u2, 0)", "hidden2 = u2"),
        "differs from hidden layer 2 after the ReLU: it is still hidden layer 2 before the ReLU (h1 W2 + b2), ",
    ),
    "an affine map of the second layer": (
        ("u2 = hidden1 @ W2 + b2", "u2 = hidden1 @ W2 * 1.01 + b2 + 0.01"),
        "differs from hidden layer 2 before the ReLU (h1 W2 + b2): all 70 entries differ",
    ),
    "a mask of the second layer": (
        ("du2 = dhidden2 * (u2 > 0)", "du2 = dhidden2 * (u2 > 0.3)"),
        "differs from the gradient of hidden layer 2 before the ReLU: ",
    ),
    "the gradient on its way to the first layer": (
        ("dhidden1 = du2 @ W2.T", "dhidden1 = (du2 @ W2.T) ** 3"),
        "differs from the gradient of hidden layer 1 after the ReLU: all 63 entries differ",
    ),
    "the gradient on its way to the second layer": (
        ("dhidden2 = dscores @ W3.T", "dhidden2 = 1.1 * dscores @ W3.T + 0.01"),
        "differs from the gradient of hidden layer 2 after the ReLU: all 70 entries differ",
    ),
}


@pytest.fixture(scope="module")
def asked(tmp_path_factory):
    """Return an assignment of three layers with its questions and its solution."""
    assignment = load(write_deep(tmp_path_factory.mktemp("deep"), 3), KNOWN)
    return assignment, draw(assignment, assignment.seed), author(assignment).write(())


@pytest.fixture(scope="module")
def located(asked, handed_in):
    """Return a function that runs the solution with an edit, and gives what its recording tells."""
    assignment, questions, solution = asked
    calls = tuple(call for call in questions.calls if call.id.kind in {"loss", "scores", "recorded"})
    with StudentHost(assignment.limits) as host:

        def run(old="", new=""):
            assert old in solution
            submission = handed_in(solution.replace(old, new) if old else solution)
            return Located(
                GradingContext(assignment, questions, host.run(submission, assignment.class_name, calls)), submission
            )

        yield run


@pytest.mark.parametrize("edit", WRONG.values(), ids=list(WRONG))
def test_the_line_of_a_wrong_layer_is_found(located, edit):
    """One line alone differs, told with its layer, and all that comes of it is right given the mistake."""
    (old, new), verdict = edit
    rows = table(located(old, new), ("loss",), "relu")["loss"]
    wrong = [(row.place.text.strip(), row.verdict) for row in rows if row.status == "differs"]
    assert [line for line, _ in wrong] == [new]
    assert wrong[0][1].startswith(verdict)
    assert "given" in {row.status for row in rows}


def test_nothing_of_the_solution_differs(located):
    """Each line's value is known by its layer."""
    rows = table(located(), ("loss",), "relu")["loss"]
    assert {row.status for row in rows} == {"right"}
    assert "right: the gradient of hidden layer 2 before the ReLU" in {row.verdict for row in rows}
    assert located().place("layer 1").text.strip() == "u2 = hidden1 @ W2 + b2"


def test_every_value_of_a_deep_network_has_words(asked):
    """With the names and the number of its layer."""
    words = Words(asked[0].variant.names, "relu")
    for name in asked[1].oracle.follow(0.5, {}, True):
        assert words.of(name) != name, name
    assert words.of("h1 W2") == "hidden layer 1 times W2, before b2 is added"


@pytest.mark.parametrize("layer", [1, 2])
def test_a_value_in_place_of_a_step_is_followed_to_the_answers(asked, layer):
    """Of each hidden layer: what comes before it stays, and what comes after it changes."""
    follow = asked[1].oracle.follow
    right = follow(1.0, {}, True)
    changed = follow(1.0, {f"h{layer}": 2 * right[f"h{layer}"]}, True)
    moved = {name for name in right if not np.array_equal(right[name], changed[name])}
    assert {"scores", "loss", "dW3", f"dW{layer + 1}"} <= moved
    assert not moved & {"u1", f"u{layer}"}
