"""Mistakes in the gradient of the scores."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from reference.losses import probabilities
from reference.mistakes.entry import Mistake, Number

if TYPE_CHECKING:
    from grader.model import Array


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


def from_scores(z: Array, y: Array) -> Any:
    dz = z.copy()
    dz[np.arange(len(y)), y] -= 1
    return dz / len(y)


def from_exponentials(z: Array, y: Array) -> Any:
    dz = np.exp(z)
    dz[np.arange(len(y)), y] -= 1
    return dz / len(y)


def not_divided(z: Array, y: Array) -> Any:
    dz = probabilities(z)
    dz[np.arange(len(y)), y] -= 1
    return dz


def divided_twice(z: Array, y: Array) -> Any:
    dz = probabilities(z)
    dz[np.arange(len(y)), y] -= 1
    return dz / len(y) ** 2


def divided_by_classes(z: Array, y: Array) -> Any:
    dz = probabilities(z)
    dz[np.arange(len(y)), y] -= 1
    return dz / z.shape[1]


def divided_by_entries(z: Array, y: Array) -> Any:
    dz = probabilities(z)
    dz[np.arange(len(y)), y] -= 1
    return dz / z.size


def times(c: float) -> Any:
    def d_scores(z: Array, y: Array) -> Any:
        dz = probabilities(z)
        dz[np.arange(len(y)), y] -= 1
        return c * dz / len(y)

    return d_scores


def one_hot_of_classes_seen(z: Array, y: Array) -> Any:
    target = np.zeros((len(y), len(set(y))))
    target[np.arange(len(y)), y] = 1
    return (probabilities(z) - target) / len(y)


def one_hot_up_to_the_largest(z: Array, y: Array) -> Any:
    target = np.zeros((len(y), y.max() + 1))
    target[np.arange(len(y)), y] = 1
    return (probabilities(z) - target) / len(y)


def sign_turned(z: Array, y: Array) -> Any:
    dz = probabilities(z)
    dz[np.arange(len(y)), y] -= 1
    return -dz / len(y)


def divided_before_minus_one(z: Array, y: Array) -> Any:
    dz = probabilities(z) / len(y)
    dz[np.arange(len(y)), y] -= 1
    return dz


def minus_one_divided_alone(z: Array, y: Array) -> Any:
    dz = probabilities(z)
    dz[np.arange(len(y)), y] -= 1 / len(y)
    return dz


def over_examples(z: Array, y: Array) -> Any:
    dz = np.exp(z) / np.exp(z).sum(axis=0)
    dz[np.arange(len(y)), y] -= 1
    return dz / len(y)


def over_the_batch(z: Array, y: Array) -> Any:
    dz = np.exp(z) / np.exp(z).sum()
    dz[np.arange(len(y)), y] -= 1
    return dz / len(y)


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


def sigmoid_slope(z: Array, y: Array) -> Any:
    p = probabilities(z)
    return (p - np.eye(z.shape[1])[y]) * p * (1 - p) / len(y)


def own_slope(z: Array, y: Array) -> Any:
    p = probabilities(z)
    return p * (1 - p) / len(y)


_DZ = "dL/dz = (p - onehot(y)) / N"


def _softmax(identity: str, title: str, hint: str, *steps: Any, **more: Any) -> Mistake:
    forms, source = tuple({"d_scores": step} for step in steps), ("001", "004")
    charged, shows_in = ("gradient_W{last}", "gradient_b{last}"), more.pop("shows_in", ("gradient",))
    return Mistake(
        identity, "gradients", title, hint, _DZ, source, charged, "dscores", forms, shows_in=shows_in, **more
    )


MISTAKES = (
    _softmax(
        "minus_one_forgotten",
        "The gradient of the scores lacks the minus one at each example's own class.",
        "For a perfect prediction the gradient must be zero. What is yours where p = 1 at the right class?",
        lambda z, y: probabilities(z) / len(y),
        example="dscores = probabilities / N",
    ),
    _softmax(
        "minus_one_everywhere",
        "One is subtracted at every class instead of only at each example's own class.",
        "The entries of each row of dL/dz add up to zero. Do yours? Which entries does the minus one reach?",
        lambda z, y: (probabilities(z) - 1) / len(y),
        minus_one_in_all_rows,
        minus_one_in_whole_rows,
        example="dscores = (probabilities - 1) / N",
    ),
    _softmax(
        "plus_one_for_minus_one",
        "One is added at each example's own class instead of being subtracted.",
        "The entries of each row of dL/dz add up to zero. Do yours?",
        plus_one,
        example="dscores[np.arange(N), y] += 1",
    ),
    _softmax(
        "one_hot_of_the_labels_seen",
        "The width of the one-hot rows comes from the labels of the batch, but a batch need not hold every class.",
        "Try a batch in which a class is absent. Where else than in y can you read how many classes there are?",
        one_hot_of_classes_seen,
        one_hot_up_to_the_largest,
        # Where the widths do not fit it raises, and then there is no loss either.
        shows_in=("loss", "gradient"),
        example="target = np.zeros((N, len(set(y))))\ntarget[np.arange(N), y] = 1",
    ),
    _softmax(
        "gradient_from_scores",
        "The gradient of the scores is computed from the scores instead of the probabilities.",
        "Which array is one subtracted from: the scores z or the probabilities p?",
        from_scores,
        example="dscores = scores.copy()\ndscores[np.arange(N), y] -= 1",
    ),
    _softmax(
        "gradient_from_exponentials",
        "The gradient of the scores is computed from exp(z) before the division by each row's sum.",
        "Which array is one subtracted from? Do its rows add up to one?",
        from_exponentials,
        example="dscores = exp_scores.copy()\ndscores[np.arange(N), y] -= 1",
    ),
    _softmax(
        "gradient_of_another_softmax",
        "The gradient's probabilities are not normalised like the loss's, but over the examples or over all entries.",
        "Do the rows of the array that you subtract one from add up to one? The loss's do.",
        over_examples,
        over_the_batch,
        example="dscores = exp_scores / exp_scores.sum(axis=0)\ndscores[np.arange(N), y] -= 1",
    ),
    _softmax(
        "gradient_not_divided",
        "The gradient is not divided by N, though the loss is a mean.",
        "Use every example twice: what happens to your loss, and what to your gradient?",
        not_divided,
        example="dscores = probabilities.copy()\ndscores[np.arange(N), y] -= 1",
    ),
    _softmax(
        "gradient_divided_twice",
        "The gradient of the scores is divided by N twice.",
        "Count the divisions by N from the scores on; np.mean is one of them.",
        divided_twice,
        example='dscores /= N\ngrads["W2"] = hidden.T.dot(dscores / N) + 2 * reg * W2',
    ),
    _softmax(
        "gradient_divided_by_wrong_count",
        "The gradient of the scores is divided by the number of classes or of all entries instead of examples.",
        "Which axis of the (N, C) array counts the examples?",
        divided_by_classes,
        divided_by_entries,
        example="dscores /= scores.shape[1]",
    ),
    _softmax(
        "gradient_wrong_factor",
        "The gradient of the scores is {c} times as large as it should be.",
        "Collect the factors of the gradient of the scores. Does the loss have the same ones?",
        number=Number(lambda c: {"d_scores": times(c)}, -1e3, 1e3, (2.0, 0.5), (0.5, 2.0)),
        example="dscores *= 2",
    ),
    _softmax(
        "gradient_sign_turned",
        "The gradient of the scores has the wrong sign.",
        "Should the score of the right class rise or fall to make the loss smaller? Which sign must its gradient have?",
        sign_turned,
        example="dscores = -probabilities\ndscores[np.arange(N), y] += 1",
    ),
    _softmax(
        "minus_one_after_division",
        "The minus one and the division by N come in the wrong order: only one of the two parts is divided.",
        "Write (p - 1) / N without parentheses. What have you written?",
        divided_before_minus_one,
        minus_one_divided_alone,
        example="dscores = probabilities / N\ndscores[np.arange(N), y] -= 1",
    ),
    _softmax(
        "gradient_of_one_side",
        "The gradient of the scores covers only the right class, or only the others. Every score has a gradient.",
        "All scores of a row enter its softmax, through the sum. Which entries of your gradient are zero?",
        true_class_alone,
        other_classes_alone,
        example="dscores = np.zeros_like(scores)\ndscores[np.arange(N), y] = (probabilities[np.arange(N), y] - 1) / N",
    ),
    _softmax(
        "gradient_stops_at_probabilities",
        "The gradient is the one with respect to the probabilities. The derivative of the softmax is missing.",
        "-1/p is the derivative with respect to p. What lies between p and the scores?",
        minus_inverse,
        example="dscores = np.zeros_like(scores)\ndscores[np.arange(N), y] = -1 / probabilities[np.arange(N), y] / N",
    ),
    _softmax(
        "softmax_slope_of_a_sigmoid",
        "The gradient of the scores has a factor p (1 - p), which belongs to a sigmoid.",
        "Derive the gradient of the softmax's cross-entropy by hand once: which factors cancel?",
        sigmoid_slope,
        own_slope,
        example="dscores *= probabilities * (1 - probabilities)",
    ),
)
