"""What is right given what it was given: carried where the gradient that arrived can be solved for, and for nothing else."""

from dataclasses import replace

import numpy as np
import pytest

from grader.checks import GradingContext
from grader.checks.formulas import d_loss_of_scores, loss_of_scores, slope_at
from grader.checks.given_gradients import judge_given_gradients, regulariser_right
from grader.checks.own_units import hidden_layer_found, solve_for_units
from grader.checks.solved_arrays import is_plausible
from grader.model import QuestionId, Reply, Run, Variant
from reference.cases import network_of
from reference.network import build
from reference.questions import draw
from reference.simulate import perform

NAMES = ("W1", "b1", "W2", "b2")
SOFTMAX = Variant("relu", "softmax", "half", NAMES)
LEFT_OUT = ("digits", "tuned")


@pytest.fixture(scope="module")
def evidence_of(assignment, questions):
    """Return a function that answers as a network does, its gradients changed by a function of (call, step, params, gradients)."""
    right = network_of(assignment)

    def make(network=None, change=None, **steps):
        network = network or replace(right, **steps)
        replies = {}
        with np.errstate(all="ignore"):
            for call in (one for one in questions.calls if one.id.kind in {"scores", "loss", "narrow", "sweep"}):
                reply = perform(network, call)
                results = [
                    (result[0], change(call, step, result[1]))
                    if change and step.method == "loss" and "y" in step.arguments
                    else result
                    for step, result in zip(call.steps, reply.results, strict=False)
                ]
                replies[call.id] = replace(reply, results=tuple(results))
        return GradingContext(
            assignment, questions, Run(Reply(QuestionId("load"), "returned"), replies, (), {}, 0.0, 0.0)
        )

    return make


@pytest.fixture(scope="module")
def right(assignment):
    """Return the right network."""
    return network_of(assignment)


def verdicts(evidence):
    """Return the four verdicts, in the order of the backward pass."""
    with np.errstate(all="ignore"):
        found = judge_given_gradients(evidence)
    assert found.solvable
    return [found.verdicts[name] for name in ("W2", "b2", "W1", "b1")]


def test_a_right_program_is_right(evidence_of):
    """All four."""
    assert verdicts(evidence_of()) == ["right"] * 4


@pytest.mark.parametrize("factor", [7.0, -1.0, 0.02, 100.0])
def test_what_follows_a_scaled_d_is_right_given_it(factor, evidence_of, right):
    """A wrong gradient of the scores is found at the second layer; the first layer's gradients are right given it."""
    evidence = evidence_of(d_scores=lambda z, y: factor * right.d_scores(z, y))
    assert verdicts(evidence) == ["found", "found", "carried", "carried"]


def test_what_follows_a_d_that_is_no_factor_is_right_given_it(evidence_of, right):
    """No name is needed: d is solved for whatever it is, as long as it reaches the rows."""
    evidence = evidence_of(d_scores=lambda z, y: np.tanh(3 * right.d_scores(z, y)) + 0.02)
    assert verdicts(evidence) == ["found", "found", "carried", "carried"]


def test_a_wrong_mask_is_charged_at_the_first_layer_alone(evidence_of):
    """What reaches the mask is right; what leaves it is solved for, and b1 goes with W1."""
    evidence = evidence_of(d_activate=lambda dh, _: dh)
    assert verdicts(evidence) == ["right", "right", "found", "found"]


@pytest.mark.parametrize(
    "garbage",
    {
        "zeros": lambda z: 0 * z,
        "next to nothing": lambda z: 1e-22 * np.sin(np.arange(z.size)).reshape(z.shape),
        "a ten-thousandth": lambda z: 1e-5 * np.sin(np.arange(z.size)).reshape(z.shape),
        "far too much": lambda z: 1e6 * np.sin(np.arange(z.size)).reshape(z.shape),
        "constant": lambda z: np.full(z.shape, 0.1),
        "one row": lambda z: np.where(np.arange(len(z))[:, None] == 0, 0.3, 0.0) * np.cos(np.arange(z.shape[1])),
        "no number": lambda z: np.full(z.shape, np.nan),
    }.items(),
    ids=lambda one: one[0],
)
def test_a_d_of_garbage_carries_nothing(garbage, evidence_of):
    """Zero, tiny, huge, constant and one-row gradients are no gradients: what follows from them earns nothing."""
    evidence = evidence_of(d_scores=lambda z, _: garbage[1](z))
    assert "carried" not in verdicts(evidence)
    assert "right" not in verdicts(evidence)
    assert verdicts(evidence)[0] == "wrong"


@pytest.mark.parametrize("which", range(6))
def test_a_d_of_one_row_in_one_case_alone_is_still_one(which, evidence_of, right):
    """A mask may leave one row of a case by chance, which the seed decides: the other cases tell that it is a gradient."""
    seen = []

    def d_scores(z, y):
        if not any(np.array_equal(z, other) for other in seen):
            seen.append(z)
        d = np.tanh(3 * right.d_scores(z, y)) + 0.02
        return (
            np.where(np.arange(len(z))[:, None] == 0, d, 0.0)
            if len(seen) > which and np.array_equal(z, seen[which])
            else d
        )

    evidence = evidence_of(d_scores=d_scores)
    assert verdicts(evidence) == ["found", "found", "carried", "carried"]


def made_up(seed):
    """Make gradients at random up, of about the right size."""
    rng = np.random.default_rng(seed)
    return lambda _, __, grads: {name: np.std(value) * rng.normal(size=value.shape) for name, value in grads.items()}


@pytest.mark.parametrize("seed", range(4))
def test_gradients_at_random_carry_nothing(seed, evidence_of):
    """dW2 at random may be solved for, since few rows reach everything; nothing that follows fits it."""
    assert not {"carried", "right"} & set(verdicts(evidence_of(change=made_up(seed))))


def test_a_first_layer_that_does_not_follow_is_charged_beside_the_second(evidence_of, right):
    """Two mistakes: d is too large, and dW1 is not what it leads to either."""
    evidence = evidence_of(
        d_scores=lambda z, y: 7 * right.d_scores(z, y),
        change=lambda _, __, grads: {**grads, "b1": 1.3 * grads["b1"]},
    )
    assert verdicts(evidence)[:3] == ["found", "found", "carried"]
    assert verdicts(evidence)[3] == "wrong"


def test_too_few_losses_tell_nothing(evidence_of, assignment, questions):
    """Where fewer than two cases answer, nothing is said."""
    whole = evidence_of().run.replies
    evidence = GradingContext(
        assignment,
        questions,
        Run(
            Reply(QuestionId("load"), "returned"),
            {name: one for name, one in whole.items() if str(name).startswith(("loss/a", "scores"))},
            (),
            {},
            0.0,
            0.0,
        ),
    )
    assert not judge_given_gradients(evidence).solvable
    assert set(judge_given_gradients(evidence).verdicts.values()) == {"wrong"}


def test_a_hidden_layer_that_is_wrong_is_found_in_narrow_networks(evidence_of):
    """Its units are read out of the scores; loss and gradients are right given them."""
    evidence = evidence_of(activate=lambda u: 2 * np.maximum(u, 0))
    assert hidden_layer_found(evidence)
    assert set(judge_given_gradients(evidence).verdicts.values()) <= {"right", "carried"}
    for call in evidence.calls("narrow"):
        own = solve_for_units(evidence, call)
        assert np.allclose(own, 2 * evidence.expected(call.id)["h1"])


def test_a_right_hidden_layer_is_not_found_wrong(evidence_of, right):
    """Right units, and a wrong gradient after them: nothing is carried by a hidden layer."""
    assert not hidden_layer_found(evidence_of())
    evidence = evidence_of(d_scores=lambda z, y: 7 * right.d_scores(z, y))
    assert all(solve_for_units(evidence, call) is None for call in evidence.calls("narrow"))
    assert not hidden_layer_found(evidence)


@pytest.mark.parametrize(
    "units", [lambda u: 0 * u, lambda u: 0 * u + 1.0, lambda u: np.where(np.arange(u.shape[-1]) == 0, u, 0.0)]
)
def test_units_that_do_not_vary_are_no_hidden_layer(units, evidence_of):
    """Zero, constant, or all but one of them off: everything follows from that, and earns nothing."""
    assert not hidden_layer_found(evidence_of(activate=units))


@pytest.mark.parametrize("slope", [0.0, 0.1])
def test_a_layer_that_goes_back_in_small_networks_alone_is_not_found(slope, assignment):
    """Zero, or one slope for all units, where the scores do not tell the units, is no backward pass of a bend."""
    tanh = replace(assignment, variant=replace(assignment.variant, activation="tanh"))
    drawn, network = draw(tanh, 5), replace(network_of(tanh), activate=lambda u: np.tanh(u / 2))
    lazy = replace(network, d_activate=lambda dh, _: slope * dh)

    def evidence(plain):
        replies = {
            call.id: perform(plain if call.id.kind == "loss" else network, call)
            for call in drawn.calls
            if call.id.kind in {"scores", "loss", "narrow"}
        }
        return GradingContext(tanh, drawn, Run(Reply(QuestionId("load"), "returned"), replies, (), {}, 0.0, 0.0))

    assert hidden_layer_found(evidence(network))
    assert not hidden_layer_found(evidence(lazy))


def test_the_regulariser_is_right_or_wrong_by_itself(evidence_of):
    """What reg adds is told apart from the rest, right or wrong."""
    seven = evidence_of(
        change=lambda call, step, grads: {
            name: 7 * value - (12 * step.arguments["reg"] * call.params[name] if name in {"W1", "W2"} else 0)
            for name, value in grads.items()
        }
    )
    assert all(regulariser_right(seven, name) for name in NAMES)
    half = evidence_of(
        change=lambda call, step, grads: {**grads, "W1": grads["W1"] - step.arguments["reg"] * call.params["W1"]}
    )
    assert not regulariser_right(half, "W1")
    assert regulariser_right(half, "W2")


@pytest.mark.parametrize(
    ("found", "fine"),
    [
        (lambda d: d, True),
        (lambda d: 500 * d, True),
        (lambda d: d / 500, True),
        (lambda d: 2000 * d, False),
        (lambda d: d / 2000, False),
        (lambda d: 0 * d, False),
        (lambda d: np.outer(np.ones(len(d)), d[0]), False),
        (lambda d: d * (np.arange(len(d)) == 0)[:, None], False),
    ],
)
def test_a_solved_gradient_counts_only_where_it_may_be_one(found, fine):
    """A thousandth to a thousand times the size, more than one direction, and most of the rows."""
    rng = np.random.default_rng(0)
    scores, y = rng.normal(size=(6, 4)), np.arange(6) % 4
    d = d_loss_of_scores(SOFTMAX, scores, y)
    assert is_plausible(found(d), d) == fine


@pytest.mark.parametrize("loss", ["softmax", "svm", "sigmoid"])
def test_the_formulas_are_those_of_the_reference(loss):
    """Loss and gradient of scores, which the wheel has to know as well, are the network's own steps."""
    rng, variant = np.random.default_rng(1), replace(SOFTMAX, loss=loss, margin=0.7)
    scores, y, right = rng.normal(size=(5, 3)), np.array([0, 1, 2, 1, 0]), build(loss=loss, margin=0.7)
    assert loss_of_scores(variant, scores, y) == pytest.approx(right.data_term(right.centre(scores), y), rel=1e-12)
    d = right.d_scores(right.centre(scores), y)
    assert d_loss_of_scores(variant, scores, y) == pytest.approx(d, rel=1e-12, abs=1e-15)


@pytest.mark.parametrize("activation", ["relu", "leaky_relu", "sigmoid", "tanh", "elu", "maxout"])
def test_the_units_tell_what_the_activation_passes_back(activation):
    """The slope at the units is what the network's own step multiplies by."""
    right, variant = (
        build(activation, slope=0.3, alpha=2.0),
        replace(SOFTMAX, activation=activation, slope=0.3, alpha=2.0),
    )
    rng = np.random.default_rng(1)
    params = {name: rng.normal(size=shape) for name, shape in right.shapes((4, 6, 3)).items()}
    layer = right.forward(params, rng.normal(size=(5, 4)))[0]
    slope = slope_at(variant, layer.h, layer.u)
    assert slope == pytest.approx(right.d_activate(np.ones_like(layer.h), layer), rel=1e-12)
