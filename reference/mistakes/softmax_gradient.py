"""Mistakes in the gradient of the scores."""

import types
from typing import Any

import numpy as np

from grader.model import Array, Variant
from grader.records import replace
from reference.activations import sigmoid
from reference.losses import less_target, probabilities
from reference.mistakes.entry import Mistake, Number, define_kind
from reference.mistakes.loss import of_a_class, of_a_row, of_an_entry, of_rows, times
from reference.network import Network


def minus_one_in_all_rows(z: Array, y: Array) -> Any:
    dz = probabilities(z)
    dz[:, y] -= 1
    return dz / len(y)


def minus_one_in_whole_rows(z: Array, y: Array) -> Any:
    dz = probabilities(z)
    dz[y % len(y)] -= 1
    return dz / len(y)


def plus_one(z: Array, y: Array) -> Any:
    dz = probabilities(z)
    dz[np.arange(len(y)), y] += 1
    return dz / len(y)


def one_hot_of_classes_seen(z: Array, y: Array) -> Any:
    target = np.zeros((len(y), len(set(y))))
    target[np.arange(len(y)), y] = 1
    return (probabilities(z) - target) / len(y)


def one_hot_up_to_the_largest(z: Array, y: Array) -> Any:
    target = np.zeros((len(y), y.max() + 1))
    target[np.arange(len(y)), y] = 1
    return (probabilities(z) - target) / len(y)


def minus_one_divided_alone(z: Array, y: Array) -> Any:
    dz = probabilities(z)
    dz[np.arange(len(y)), y] -= 1 / len(y)
    return dz


def true_class_alone(z: Array, y: Array) -> Any:
    dz = np.zeros_like(z)
    dz[np.arange(len(y)), y] = probabilities(z)[np.arange(len(y)), y] - 1
    return dz / len(y)


def other_classes_alone(z: Array, y: Array) -> Any:
    dz = probabilities(z)
    dz[np.arange(len(y)), y] = 0
    return dz / len(y)


def minus_inverse(z: Array, y: Array) -> Any:
    dz = np.zeros_like(z)
    dz[np.arange(len(y)), y] = -1 / probabilities(z)[np.arange(len(y)), y]
    return dz / len(y)


_entry = define_kind(
    stage="gradients", formula="{dz}", source=("COMS 4732", "derivations"), charged=("gradient_W{last}", "gradient_b{last}"), about="dscores",
    shows_in=("gradient",),
)  # fmt: skip


def _of_any(identity: str, title: str, hint: str, *steps: Any, **own: Any) -> Mistake:
    return _entry(identity, title, hint, *({"d_scores": step} for step in steps), **own)


def _softmax(*told: Any, **own: Any) -> Mistake:
    return _of_any(*told, losses=("softmax",), **own)


MISTAKES = (
    _softmax(
        "minus_one_forgotten",
        "The gradient of the scores lacks the minus one at each example's own class.",
        "For a perfect prediction the gradient must be zero. What is yours where p = 1 at the right class?",
        lambda z, y: probabilities(z) / len(y),
    ),
    _softmax(
        "minus_one_everywhere",
        "One is subtracted at every class instead of only at each example's own class.",
        "The entries of each row of dL/dz add up to zero. Do yours? Which entries does the minus one reach?",
        lambda z, y: (probabilities(z) - 1) / len(y),
        minus_one_in_all_rows,
        minus_one_in_whole_rows,
    ),
    _softmax(
        "plus_one_for_minus_one",
        "One is added at each example's own class instead of being subtracted.",
        "The entries of each row of dL/dz add up to zero. Do yours?",
        plus_one,
    ),
    _softmax(
        "one_hot_of_the_labels_seen",
        "The width of the one-hot rows comes from the labels of the batch, but a batch need not hold every class.",
        "Try a batch in which a class is absent. Where else than in y can you read how many classes there are?",
        one_hot_of_classes_seen,
        one_hot_up_to_the_largest,
        # Where the widths do not fit it raises, and then there is no loss either.
        shows_in=("loss", "gradient"),
    ),
    _softmax(
        "gradient_from_scores",
        "The gradient of the scores is computed from the scores instead of the probabilities.",
        "Which array is one subtracted from: the scores z or the probabilities p?",
        lambda z, y: less_target(z, y) / len(y),
    ),
    _softmax(
        "gradient_from_exponentials",
        "The gradient of the scores is computed from exp(z) before the division by each row's sum.",
        "Which array is one subtracted from? Do its rows add up to one?",
        lambda z, y: less_target(np.exp(z), y) / len(y),
    ),
    _softmax(
        "gradient_of_another_softmax",
        "The gradient's probabilities are not normalised like the loss's, but over the examples or over all entries.",
        "Do the rows of the array that you subtract one from add up to one? The loss's do.",
        lambda z, y: less_target(np.exp(z) / np.exp(z).sum(axis=0), y) / len(y),
        lambda z, y: less_target(np.exp(z) / np.exp(z).sum(), y) / len(y),
    ),
    _softmax(
        "minus_one_after_division",
        "The minus one and the division by N come in the wrong order: only one of the two parts is divided.",
        "Write (p - 1) / N without parentheses. What have you written?",
        lambda z, y: less_target(probabilities(z) / len(y), y),
        minus_one_divided_alone,
    ),
    _softmax(
        "gradient_of_one_side",
        "The gradient of the scores covers only the right class, or only the others. Every score has a gradient.",
        "All scores of a row enter its softmax, through the sum. Which entries of your gradient are zero?",
        true_class_alone,
        other_classes_alone,
    ),
    _softmax(
        "gradient_stops_at_probabilities",
        "The gradient is the one with respect to the probabilities. The derivative of the softmax is missing.",
        "-1/p is the derivative with respect to p. What lies between p and the scores?",
        minus_inverse,
    ),
    _softmax(
        "softmax_slope_of_a_sigmoid",
        "The gradient of the scores has a factor p (1 - p), which belongs to a sigmoid.",
        "Derive the gradient of the softmax's cross-entropy by hand once: which factors cancel?",
        lambda z, y: less_target(probabilities(z), y) * probabilities(z) * (1 - probabilities(z)) / len(y),
        lambda z, y: probabilities(z) * (1 - probabilities(z)) / len(y),
    ),
)


# Those whose words are true of sigmoid outputs as well, with their s in the place of p.
_OF_SIGMOID = frozenset(
    ("minus_one_forgotten", "one_hot_of_the_labels_seen", "gradient_from_scores", "minus_one_after_division")
)


def _with_sigmoid(one: Mistake) -> Mistake:
    """Return an entry in whose steps `probabilities` are each output's own sigmoid."""
    steps = (form["d_scores"] for form in one.forms)
    forms = (
        types.FunctionType(step.__code__, {**step.__globals__, "probabilities": sigmoid}, step.__name__)
        for step in steps
    )
    return replace(one, losses=("sigmoid",), forms=tuple({"d_scores": step} for step in forms))


def list_mistakes(_variant: Variant, network: Network) -> tuple[Mistake, ...]:
    """Return the mistakes in the size of any loss's gradient, and those of the softmax's that sigmoid outputs have, too."""
    return (
        *(_with_sigmoid(one) for one in MISTAKES if one.id in _OF_SIGMOID),
        _of_any(
            "gradient_not_divided",
            "The gradient is not divided by N, though the loss is a mean.",
            "Use every example twice: what happens to your loss, and what to your gradient?",
            of_rows(network.d_scores),
        ),
        _of_any(
            "gradient_divided_twice",
            "The gradient of the scores is divided by N twice.",
            "Count the divisions by N from the scores on; np.mean is one of them.",
            of_a_row(network.d_scores),
        ),
        _of_any(
            "gradient_divided_by_wrong_count",
            "The gradient of the scores is divided by the number of classes or of all entries instead of examples.",
            "Which axis of the (N, C) array counts the examples?",
            of_a_class(network.d_scores),
            of_an_entry(network.d_scores),
        ),
        _of_any(
            "gradient_wrong_factor",
            "The gradient of the scores is {c} times as large as it should be.",
            "Collect the factors of the gradient of the scores. Does the loss have the same ones?",
            number=Number(lambda c: {"d_scores": times(network.d_scores, c)}, -1e3, 1e3, (2.0, 0.5), (0.5, 2.0)),
        ),
        _of_any(
            "gradient_sign_turned",
            "The gradient of the scores has the wrong sign.",
            "Should the score of the right class rise or fall to make the loss smaller? Which sign must its gradient have?",
            times(network.d_scores, -1),
        ),
    )
