"""Mistakes on the way back: from the scores' gradient to those of the parameters."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from reference.losses import probabilities
from reference.mistakes.entry import EACH, Misconception

if TYPE_CHECKING:
    from grader.records import Array
    from reference.layers import Layer


# ---------------------------------------------------------------- dL/dz


def no_minus_one(z: Array, y: Array) -> Any:
    return probabilities(z) / len(y)


def minus_one_everywhere(z: Array, y: Array) -> Any:
    return (probabilities(z) - 1) / len(y)


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


# ---------------------------------------------------------------- dL/dh and dL/du


def mask_left_out(dh: Array, _layer: Layer) -> Any:
    return dh


def gradient_cut_off(dh: Array, _layer: Layer) -> Any:
    return dh * (dh > 0)


def mask_inverted(dh: Array, layer: Layer) -> Any:
    return dh * (layer.u < 0)


def times_hidden(dh: Array, layer: Layer) -> Any:
    return dh * layer.h


def times_input(dh: Array, layer: Layer) -> Any:
    return dh * layer.u


def mask_alone(dh: Array, layer: Layer) -> Any:
    return np.ones_like(dh) * (layer.u > 0)


def sigmoid_local(dh: Array, layer: Layer) -> Any:
    return dh * layer.h * (1 - layer.h)


def sigmoid_of_input(dh: Array, layer: Layer) -> Any:
    s = 1 / (1 + np.exp(-layer.u))
    return dh * s * (1 - s)


def tanh_local(dh: Array, layer: Layer) -> Any:
    return dh * (1 - layer.h**2)


def mask_above_one(dh: Array, layer: Layer) -> Any:
    return dh * (layer.u > 1)


def through_changed_weights(du: Array, layer: Layer) -> Any:
    return du @ (layer.W - layer.x.T @ du).T


def weights_wrong_sign(du: Array, layer: Layer) -> Any:
    return -du @ layer.W.T


def weights_as_ones(du: Array, layer: Layer) -> Any:
    return du @ np.ones_like(layer.W).T


def input_divided(du: Array, layer: Layer) -> Any:
    return du @ layer.W.T / len(du)


# ---------------------------------------------------------------- dL/dW and dL/db


def weights_divided(du: Array, layer: Layer) -> Any:
    return layer.x.T @ du / len(du)


def weights_multiplied(du: Array, layer: Layer) -> Any:
    return layer.x.T @ du * len(du)


def weights_uphill(du: Array, layer: Layer) -> Any:
    return -layer.x.T @ du


def weights_zero(_du: Array, layer: Layer) -> Any:
    return np.zeros_like(layer.W)


def input_as_mask(du: Array, layer: Layer) -> Any:
    return (layer.x > 0).T.astype(float) @ du


def mean_over_rows(du: Array, _layer: Layer) -> Any:
    return du.mean(axis=0)


def everything_summed(du: Array, _layer: Layer) -> Any:
    return du.sum()


def everything_for_each(du: Array, _layer: Layer) -> Any:
    return np.full(du.shape[1], du.sum())


def not_summed(du: Array, _layer: Layer) -> Any:
    return du


def over_units(du: Array, _layer: Layer) -> Any:
    return du.sum(axis=1)


def bias_multiplied(du: Array, _layer: Layer) -> Any:
    return du.sum(axis=0) * len(du)


def bias_zero(_du: Array, layer: Layer) -> Any:
    return np.zeros_like(layer.b)


def bias_missing(_du: Array, _layer: Layer) -> Any:
    return None


def first_row(du: Array, _layer: Layer) -> Any:
    return du[0]


def times_bias(du: Array, layer: Layer) -> Any:
    return du.sum(axis=0) * layer.b


def bias_sign_turned(du: Array, _layer: Layer) -> Any:
    return -du.sum(axis=0)


_DZ = "dL/dz = (p - onehot(y)) / N"
_DU = "dL/dh = dL/dz W2^T, and dL/du is that where u > 0, else 0"
_DW, _DB = "dL/dW = x^T dL/du", "dL/db = dL/du summed over the rows"


def _softmax(identity: str, title: str, hint: str, *steps: Any) -> Misconception:
    ways = tuple({"d_scores": step} for step in steps)
    charged = ("gradient_W2", "gradient_b2")
    return Misconception(identity, "gradients", title, hint, _DZ, ("001", "004"), charged, "dscores", ways)


def _hidden(identity: str, title: str, hint: str, *ways: Any, about: str = "mask") -> Misconception:
    charged = ("gradient_W1", "gradient_b1")
    return Misconception(identity, "gradients", title, hint, _DU, ("001",), charged, about, ways)


def _weights(identity: str, title: str, hint: str, *steps: Any) -> Misconception:
    ways, source = tuple({"d_weights": step} for step in steps), ("001", "004")
    return Misconception(identity, "gradients", title, hint, _DW, source, ("gradient_W{}",), "grads {W}", ways, EACH)


def _bias(identity: str, title: str, hint: str, *steps: Any) -> Misconception:
    ways, source = tuple({"d_bias": step} for step in steps), ("001", "004")
    return Misconception(identity, "gradients", title, hint, _DB, source, ("gradient_b{}",), "grads {b}", ways, EACH)


GRADIENTS = (
    _softmax(
        "minus_one_forgotten",
        "The gradient of the scores lacks the minus one at each example's own class.",
        "For a perfect prediction the gradient must vanish. What is yours where p = 1 at the right class?",
        no_minus_one,
    ),
    _softmax(
        "minus_one_everywhere",
        "One is subtracted at every class; it belongs at each example's own class alone.",
        "The entries of each row of dL/dz add up to zero. Do yours? Which entries does the minus one reach?",
        minus_one_everywhere,
        minus_one_in_all_rows,
        minus_one_in_whole_rows,
    ),
    _softmax(
        "plus_one_for_minus_one",
        "One is added at each example's own class instead of subtracted.",
        "The entries of each row of dL/dz add up to zero. Do yours?",
        plus_one,
    ),
    _softmax(
        "gradient_from_scores",
        "The gradient of the scores is made from the scores, not from the probabilities.",
        "Which array is one subtracted from: the scores z or the probabilities p?",
        from_scores,
    ),
    _softmax(
        "gradient_from_exponentials",
        "The gradient of the scores is made from exp(z), before it is divided by each row's sum.",
        "Which array is one subtracted from: do its rows add up to one?",
        from_exponentials,
    ),
    _softmax(
        "gradient_of_another_softmax",
        "The gradient's probabilities are normalised otherwise than the loss's: over the examples, or over all entries.",
        "Do the rows of the array that you subtract one from add up to one? The loss's do.",
        over_examples,
        over_the_batch,
    ),
    _softmax(
        "gradient_not_divided",
        "The gradient is not divided by N, though the loss is a mean.",
        "Hand in every example twice: what happens to your loss, and what to your gradient?",
        not_divided,
    ),
    _softmax(
        "gradient_divided_twice",
        "The gradient of the scores is divided by N twice.",
        "Count the divisions by N from the scores on; np.mean is one of them.",
        divided_twice,
    ),
    _softmax(
        "gradient_divided_by_wrong_count",
        "The gradient of the scores is divided by the number of classes, or of all entries, not of examples.",
        "Which axis of the (N, C) array counts the examples?",
        divided_by_classes,
        divided_by_entries,
    ),
    _softmax(
        "gradient_sign_turned",
        "The gradient of the scores has the wrong sign.",
        "Should the score of the right class rise or fall, to make the loss smaller? Which sign has its gradient then?",
        sign_turned,
    ),
    _softmax(
        "minus_one_after_division",
        "The minus one and the division by N come in the wrong order: only one of the two parts is divided.",
        "Write (p - 1) / N without parentheses. What have you written?",
        divided_before_minus_one,
        minus_one_divided_alone,
    ),
    _softmax(
        "gradient_of_one_side",
        "The gradient of the scores covers the right class alone, or the others alone; every score has one.",
        "All scores of a row enter its softmax, through the sum. Which entries of your gradient are zero?",
        true_class_alone,
        other_classes_alone,
    ),
    _softmax(
        "gradient_stops_at_probabilities",
        "The gradient is the one by the probabilities; the softmax's own derivative is missing.",
        "-1/p is the derivative by p. What is still between p and the scores?",
        minus_inverse,
    ),
    _softmax(
        "softmax_slope_of_a_sigmoid",
        "The gradient of the scores has a factor p (1 - p), which belongs to a sigmoid.",
        "Derive the cross-entropy of the softmax once by hand: which factors cancel?",
        sigmoid_slope,
        own_slope,
    ),
    _hidden(
        "mask_left_out",
        "The ReLU is missing on the way back: the gradient passes where the unit was off.",
        "Where u is negative the ReLU gives 0 whatever u is. What is its derivative there?",
        {"d_activate": mask_left_out},
    ),
    _hidden(
        "gradient_cut_off",
        "The gradient itself is cut off at zero; it must be stopped where the hidden unit was off.",
        "Which array decides where the gradient passes: the gradient, or what the unit had on the way forward?",
        {"d_activate": gradient_cut_off},
    ),
    _hidden(
        "mask_inverted",
        "The ReLU's mask is upside down: the gradient passes where the unit was off.",
        "Look at the sign of the comparison.",
        {"d_activate": mask_inverted},
    ),
    _hidden(
        "multiplied_by_hidden",
        "The gradient is multiplied by the hidden values themselves instead of by the ReLU's slope.",
        "The slope of the ReLU is 0 or 1. Which values does your factor take?",
        {"d_activate": times_hidden},
        {"d_activate": times_input},
    ),
    _hidden(
        "upstream_gradient_dropped",
        "The ReLU's mask takes the place of the gradient instead of being multiplied with it.",
        "The chain rule is a product. What are its two factors at the hidden layer?",
        {"d_activate": mask_alone},
    ),
    _hidden(
        "slope_of_another_activation",
        "The way back uses the slope of a sigmoid or tanh, though the hidden layer is a ReLU.",
        "Does the slope belong to the activation of your forward pass?",
        {"d_activate": sigmoid_local},
        {"d_activate": sigmoid_of_input},
        {"d_activate": tanh_local},
    ),
    _hidden(
        "mask_above_one",
        "The ReLU's mask begins at 1 instead of at 0.",
        "Where does the ReLU's slope change?",
        {"d_activate": mask_above_one},
    ),
    _hidden(
        "weights_changed_before_use",
        "W2 has been changed before the gradient is passed back through it.",
        "In which order do you compute dL/dh and change W2?",
        {"d_input": through_changed_weights},
        about="dhidden",
    ),
    _hidden(
        "passed_back_with_wrong_sign",
        "The gradient changes its sign on the way to the hidden layer.",
        "Look at the product with W2: is there a minus?",
        {"d_input": weights_wrong_sign},
        about="dhidden",
    ),
    _hidden(
        "passed_back_without_weights",
        "The gradient reaches the hidden layer without being weighed by W2.",
        "By how much does each score change with one hidden unit?",
        {"d_input": weights_as_ones},
        about="dhidden",
    ),
    _hidden(
        "passed_back_divided",
        "The gradient is divided by N once more on its way to the hidden layer.",
        "Count the divisions by N from the loss to the hidden layer.",
        {"d_input": input_divided},
        about="dhidden",
    ),
    _weights(
        "weights_gradient_divided",
        "The gradient of {W} is divided by N once more than the one of the scores.",
        "Count the divisions by N from the loss to the gradient of {W}.",
        weights_divided,
    ),
    _weights(
        "weights_gradient_multiplied",
        "The gradient of {W} is multiplied by N: the division of the scores' gradient is undone.",
        "Count the factors N from the loss to the gradient of {W}.",
        weights_multiplied,
    ),
    _weights(
        "weights_gradient_uphill",
        "The data part of the gradient of {W} has the wrong sign.",
        "Look for a minus in front of the product.",
        weights_uphill,
    ),
    _weights(
        "weights_gradient_zero",
        "The gradient of {W} holds no data part: it is zero but for the regulariser.",
        "Is the product of the layer's input with its output's gradient ever assigned?",
        weights_zero,
    ),
    _weights(
        "weights_gradient_of_mask",
        "The gradient of {W} uses where the layer's input is positive, not the input itself.",
        "What is the derivative of x W by W?",
        input_as_mask,
    ),
    _bias(
        "bias_gradient_averaged",
        "The gradient of {b} is the mean over the rows; the sum is asked for.",
        "The division by N is done once already. Is it done again in {b}?",
        mean_over_rows,
    ),
    _bias(
        "bias_gradient_scalar",
        "The gradient of {b} is one number for all units; each unit has its own.",
        "What shape has the bias? Over which axis may be summed, and over which not?",
        everything_summed,
        everything_for_each,
    ),
    _bias(
        "bias_gradient_not_summed",
        "The gradient of {b} is not summed over the rows.",
        "A bias is added to every row. What shape must its gradient have?",
        not_summed,
    ),
    _bias(
        "bias_gradient_over_units",
        "The gradient of {b} is summed over the units of each row instead of over the rows.",
        "Which axis must be left: the examples or the units?",
        over_units,
    ),
    _bias(
        "bias_gradient_multiplied",
        "The gradient of {b} is multiplied by N: the division of the scores' gradient is undone.",
        "Count the factors N from the loss to {b}.",
        bias_multiplied,
    ),
    _bias(
        "bias_gradient_missing",
        "The gradient of {b} is missing.",
        "Count the parameters and the keys of grads. A bias has a gradient as well.",
        bias_missing,
    ),
    _bias(
        "bias_gradient_zero",
        "The gradient of {b} is zero.",
        "Is the gradient of {b} ever computed, or only made?",
        bias_zero,
    ),
    _bias(
        "bias_gradient_of_first_row",
        "The gradient of {b} is the one of the first row alone.",
        "A bias is added to every row of the batch.",
        first_row,
    ),
    _bias(
        "bias_gradient_times_bias",
        "The gradient of {b} is multiplied by the bias itself.",
        "What is the derivative of x W + b by b?",
        times_bias,
    ),
    _bias(
        "bias_gradient_uphill",
        "The gradient of {b} has the wrong sign.",
        "Look for a minus in front of the sum.",
        bias_sign_turned,
    ),
)
