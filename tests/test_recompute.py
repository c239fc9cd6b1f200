"""The network with steps replaced: without any it is the network, and with one only what comes after it follows."""

from dataclasses import replace

import numpy as np
import pytest

from reference.cases import network_of
from reference.recompute import follow

REG = 0.3
# What of the replaceable steps stands before what: each leads to those after it.
STEPS = ("u", "h", "scores", "centred", "e", "p", "p back", "d scores", "d h", "mask", "d u")
ANSWERS = ("scores", "data loss", "data dW1", "data db1", "data dW2", "data db2")


@pytest.fixture(scope="module")
def case(assignment):
    """Return the network, and a question of seven rows in which some units are off."""
    network, rng = network_of(assignment), np.random.default_rng(5)
    params = {name: rng.normal(size=shape) for name, shape in network.shapes((5, 9, 4)).items()}
    return network, params, rng.normal(size=(7, 5)), np.arange(7) % 3


@pytest.fixture(scope="module")
def followed(case):
    """Return a function that follows the network with steps replaced."""
    network, params, X, y = case
    return lambda replaced=None, *, whole=True: follow(network, params, X, y, REG, replaced or {}, whole=whole)


@pytest.mark.parametrize("factor", [0.5, 1.0])
def test_without_replacements_it_is_the_network(case, factor):
    """Scores, loss and gradients are those of the network, for either factor of the regulariser."""
    network, params, X, y = case
    network = replace(network, coefficient=factor)
    values = follow(network, params, X, y, REG, {})
    loss, gradients = network.evaluate(params, X, y, REG)
    plain, plain_gradients = network.evaluate(params, X, y, 0.0)
    np.testing.assert_allclose(values["scores"], network.scores(params, X), rtol=1e-12)
    np.testing.assert_allclose(values["loss"], loss, rtol=1e-12)
    np.testing.assert_allclose(values["data loss"], plain, rtol=1e-12)
    for name in params:
        np.testing.assert_allclose(values[f"d{name}"], gradients[name], rtol=1e-12, atol=1e-15)
        np.testing.assert_allclose(values[f"data d{name}"], plain_gradients[name], rtol=1e-12, atol=1e-15)


def test_what_students_make_on_the_way(case, followed):
    """The values beside the way are what their names say."""
    _, params, _, y = case
    values = followed()
    scores, rows = values["scores"], np.arange(len(y))
    shifted = scores - scores.max(axis=1, keepdims=True)
    np.testing.assert_array_equal(values["scores - row max"], shifted)
    np.testing.assert_array_equal(values["exp(scores)"], np.exp(scores))
    np.testing.assert_array_equal(values["sum exp(scores - max)"], np.exp(scores - scores.max()).sum(axis=1))
    np.testing.assert_allclose(values["-log p true"], -np.log(values["p"][rows, y]))
    np.testing.assert_allclose(values["log p, one-hot"].sum(), -values["sum of losses"])
    np.testing.assert_array_equal(values["mask"], values["u"] > 0)
    assert values["sum of squares"] == pytest.approx(sum(values[f"sum {name}^2"] for name in ("W1", "W2")))
    assert set(values) >= {f"{kind}d{name}" for kind in ("", "data ", "regulariser ") for name in params}


def test_all_values_are_floats(followed):
    """Every value is float64, as what is recorded is."""
    assert {value.dtype for value in followed().values()} == {np.dtype(np.float64)}


@pytest.mark.parametrize("step", STEPS)
def test_what_comes_after_a_replaced_step_follows_from_it(followed, step):
    """What is made before a step stays to the last digit, the step has the new value, and the last gradient follows."""
    right = followed()
    other = np.abs(right[step]) * 0.7 + 0.1
    values = followed({step: other})
    np.testing.assert_array_equal(values[step], other)
    for before in STEPS[: STEPS.index(step)]:
        # What the backward pass has of its own does not lead to what was beside it.
        np.testing.assert_array_equal(values[before], right[before], err_msg=before)
    assert not np.allclose(values["data dW1"], right["data dW1"])
    assert list(values) == list(right)


@pytest.mark.parametrize(
    ("step", "stays", "follows"),
    [
        ("u", (), ANSWERS),
        ("h", (), ANSWERS),
        ("scores", (), ANSWERS),
        ("p", ("scores",), ANSWERS[1:]),
        ("p back", ("scores", "data loss", "loss"), ANSWERS[2:]),
        ("d scores", ("scores", "data loss"), ANSWERS[2:]),
        ("d h", ("scores", "data loss", "data dW2", "data db2"), ("data dW1", "data db1")),
        ("mask", ("scores", "data loss", "data dW2", "data db2"), ("data dW1", "data db1")),
        ("d u", ("scores", "data loss", "data dW2", "data db2"), ("data dW1", "data db1")),
    ],
)
def test_which_answers_a_step_leads_to(followed, step, stays, follows):
    """A wrong step spoils the answers that come of it and no others."""
    right = followed()
    values = followed({step: np.abs(right[step]) * 0.7 + 0.1})
    for name in stays:
        np.testing.assert_array_equal(values[name], right[name], err_msg=name)
    for name in follows:
        assert not np.allclose(values[name], right[name]), name


def test_a_replaced_value_is_the_right_one_of_another_program(case, followed):
    """Hidden units that are cut off nowhere give what the network without its activation answers."""
    _, params, X, y = case
    values = followed({"h": followed()["u"], "mask": np.ones((7, 9))})
    scores = (X @ params["W1"] + params["b1"]) @ params["W2"] + params["b2"]
    np.testing.assert_allclose(values["scores"], scores)
    e = np.exp(scores)
    d = e / e.sum(axis=1, keepdims=True)
    d[np.arange(7), y] -= 1
    np.testing.assert_allclose(values["data dW1"], X.T @ (d / 7 @ params["W2"].T))


@pytest.mark.parametrize("step", [None, *STEPS])
def test_the_short_way_is_the_same(followed, step):
    """What whole=False leaves out leads to no answer: all that it has is what whole=True has."""
    replaced = {step: followed()[step] * 0.5 + 0.1} if step else {}
    short, whole = followed(replaced, whole=False), followed(replaced)
    assert set(ANSWERS) <= set(short) < set(whole)
    for name, value in short.items():
        np.testing.assert_array_equal(value, whole[name], err_msg=name)


@pytest.mark.parametrize("value", [np.inf, -np.inf, np.nan, 1e308])
def test_a_value_that_overflows_is_no_warning(followed, value):
    """Values of a program's may be anything: warnings are errors here, and none comes."""
    for step in ("u", "scores", "e", "p", "d scores"):
        followed({step: np.full_like(followed()[step], value)})


def test_what_is_asked_stays_as_it_is(case, followed):
    """Neither parameters nor replaced values are written to."""
    _, params, X, _ = case
    before = {name: value.copy() for name, value in params.items()} | {"X": X.copy()}
    own = np.ones((7, 4))
    followed({"p": own})
    np.testing.assert_array_equal(own, np.ones((7, 4)))
    for name, value in {**params, "X": X}.items():
        np.testing.assert_array_equal(value, before[name])


def test_the_oracle_follows_the_recorded_question(questions, assignment):
    """The grader's oracle answers for the question that is recorded, with either factor."""
    call = next(call for call in questions.calls if call.id.kind == "recorded")
    asked = call.steps[1].arguments
    for factor in (0.5, 1.0):
        right = replace(network_of(assignment), coefficient=factor)
        loss, gradients = right.evaluate(call.params, asked["X"], asked["y"], asked["reg"])
        values = questions.oracle.follow(factor, {}, True)
        assert values["loss"] == pytest.approx(loss, rel=1e-12)
        np.testing.assert_allclose(values["dW1"], gradients["W1"], rtol=1e-12)
