"""Mistakes in the loss's regulariser, some of them carried through to the gradients."""

from typing import Any

import numpy as np

from grader.model import Array, Params, Variant
from reference.mistakes.entry import Mistake, Number, define_kind
from reference.network import Network
from reference.regularisers import Names, d_squared_parameters, d_squared_weights, squared_parameters, squared_weights


def data_alone(data: Any, _penalty: Any, _strength: float, _N: int) -> Any:
    return data


def subtracted(data: Any, penalty: Any, strength: float, _N: int) -> Any:
    return data - strength * penalty


def times(c: float) -> Any:
    def total(data: Any, penalty: Any, strength: float, _N: int) -> Any:
        return data + c * strength * penalty

    return total


def strength_forgotten(data: Any, penalty: Any, _strength: float, _N: int) -> Any:
    return data + penalty


def d_weights_of(layer: int) -> Any:
    def d_penalty(params: Params, names: Names) -> Any:
        gradients = {name: np.zeros_like(theta) for name, theta in params.items()}
        gradients[names[layer][0]] = 2 * params[names[layer][0]]
        return gradients

    return d_penalty


def sizes(params: Params, names: Names) -> Any:
    return sum(np.abs(params[weights]).sum() for weights, _bias in names)


def d_sizes(params: Params, names: Names) -> Any:
    gradients = {name: np.zeros_like(theta) for name, theta in params.items()}
    for weights, _bias in names:
        gradients[weights] = np.sign(params[weights])
    return gradients


def d_times(c: float) -> Any:
    def d_total(d_data: Array, d_penalty: Array, strength: float, _N: int, _k: int) -> Any:
        return d_data + c * strength * d_penalty

    return d_total


def d_divided(d_data: Array, d_penalty: Array, strength: float, N: int, _k: int) -> Any:
    return d_data + strength * d_penalty / N


def d_once_an_example(d_data: Array, d_penalty: Array, strength: float, N: int, _k: int) -> Any:
    return d_data + strength * d_penalty * N


_CARRIED = ("loss", "gradient")  # through to the gradient
_R = "loss = data loss + {regulariser}"
_in_loss = define_kind(
    stage="loss", formula=_R, source=("COMS 4732", "Lecture 4", "derivations"), charged=("regularised_loss",), about="regulariser",
    shows_in=("loss",),
)  # fmt: skip

MISTAKES = (
    _in_loss(
        "regulariser_left_out",
        "The loss has no regulariser: it does not change with reg.",
        "Where does reg enter your loss? Look at what is returned, too.",
        {"total": lambda data, _penalty, _strength, _N: data},
        {"total": data_alone, "d_total": lambda d_data, _d_penalty, _strength, _N, _k: d_data},
        shows_in=_CARRIED,
    ),
    _in_loss(
        "regulariser_of_one_matrix",
        "Only one of the weight matrices is in the loss's regulariser.",
        "Each layer has weights. Which of them enter your sum of squares?",
        {"penalty_term": lambda params, names: (params[names[0][0]] ** 2).sum()},
        {"penalty_term": lambda params, names: (params[names[-1][0]] ** 2).sum()},
        {"penalty_term": lambda params, names: (params[names[0][0]] ** 2).sum(), "d_penalty": d_weights_of(0)},
        {"penalty_term": lambda params, names: (params[names[-1][0]] ** 2).sum(), "d_penalty": d_weights_of(-1)},
        shows_in=_CARRIED,
        fewest_layers=2,
    ),
    _in_loss(
        "regulariser_takes_one_matrix_twice",
        "One weight matrix is in the loss's regulariser twice, and another not at all.",
        "Read the names in your sum of squares aloud.",
        {"penalty_term": lambda params, names: 2 * (params[names[0][0]] ** 2).sum()},
        {"penalty_term": lambda params, names: 2 * (params[names[-1][0]] ** 2).sum()},
        fewest_layers=2,
    ),
    _in_loss(
        "biases_regularised",
        "The biases are regularised as well, in the loss and in the gradients. Only the weights should be.",
        "Which parameters are in the regulariser's formula, and which in yours?",
        {"penalty_term": squared_parameters, "d_penalty": d_squared_parameters},
        shows_in=_CARRIED,
    ),
    _in_loss(
        "biases_regularised_in_loss",
        "The biases are in the loss's regulariser. Only the weights should be.",
        "Which parameters are in the regulariser's formula, and which in yours?",
        {"penalty_term": squared_parameters},
    ),
    _in_loss(
        "regulariser_subtracted",
        "The regulariser is subtracted from the loss instead of added.",
        "Should large weights make the loss larger or smaller?",
        {"total": lambda data, penalty, strength, _N: data - strength * penalty},
        {"total": subtracted, "d_total": lambda d_data, d_penalty, strength, _N, _k: d_data - strength * d_penalty},
        shows_in=_CARRIED,
    ),
    _in_loss(
        "regulariser_divided_by_N",
        "The loss's regulariser is divided by the number of examples.",
        "Which part of the loss is a mean over examples? The weights are there only once. Look at the parentheses.",
        {"total": lambda data, penalty, strength, N: data + strength * penalty / N},
        {"total": lambda data, penalty, strength, N: data + strength * penalty / N, "d_total": d_divided},
        shows_in=_CARRIED,
    ),
    _in_loss(
        "regulariser_once_an_example",
        "The loss's regulariser is added once for each example.",
        "Is the regulariser added inside a loop or a sum over the examples?",
        {"total": lambda data, penalty, strength, N: data + strength * penalty * N},
        {"total": lambda data, penalty, strength, N: data + strength * penalty * N, "d_total": d_once_an_example},
        shows_in=_CARRIED,
    ),
    _in_loss(
        "regulariser_wrong_factor",
        "The loss's regulariser is {c} times as large as it should be. The gradients have it right.",
        "Collect all factors before the sum of squares.",
        number=Number(lambda c: {"total": times(c)}, 1e-3, 1e3, (4.0, 0.25), (0.5, 2.0)),
    ),
    _in_loss(
        "regulariser_scaled",
        "The regulariser is {c} times as large as it should be, in the loss and in the gradients.",
        "Collect all factors before the sum of squares, and check whether reg is changed before it is used.",
        number=Number(lambda c: {"total": times(c), "d_total": d_times(c)}, 1e-3, 1e3, (3.0, 0.1), (0.5, 2.0)),
        shows_in=_CARRIED,
    ),
    _in_loss(
        "regulariser_without_weights",
        "reg itself is added to the loss, without the weights.",
        "What is reg multiplied by?",
        {"total": lambda data, _penalty, strength, _N: data + strength},
    ),
    _in_loss(
        "weights_not_squared",
        "The loss's regulariser adds up the weights instead of their squares.",
        "What do weights of -3 and +3 add to your sum?",
        {"penalty_term": lambda params, names: sum((params[weights].sum() for weights, _bias in names))},
    ),
    _in_loss(
        "absolute_values_for_squares",
        "The loss's regulariser adds up absolute values (L1) instead of squares (L2).",
        "Which norm of the weights does the assignment name?",
        {"penalty_term": sizes},
        {"penalty_term": sizes, "d_penalty": d_sizes},
        shows_in=_CARRIED,
    ),
    _in_loss(
        "regulariser_takes_a_root",
        "The loss's regulariser takes a square root: the norm of the weights, not its square.",
        "np.linalg.norm is the root of the sum of squares. What does the formula ask for?",
        {"penalty_term": lambda params, names: sum(np.sqrt((params[weights] ** 2).sum()) for weights, _bias in names)},
        {"total": lambda data, penalty, strength, _N: data + strength * np.sqrt(penalty)},
    ),
    _in_loss(
        "sum_squared_instead_of_squares",
        "The loss's regulariser is the square of the sum of the weights instead of the sum of their squares.",
        "Which comes first in the formula, squaring or adding up? Look at the parentheses.",
        {"penalty_term": lambda params, names: sum((params[weights].sum() ** 2 for weights, _bias in names))},
    ),
    _in_loss(
        "regulariser_is_a_mean",
        "The loss's regulariser is the mean of the squared weights instead of their sum.",
        "Does the formula divide by the number of weights?",
        {"penalty_term": lambda params, names: sum(((params[weights] ** 2).mean() for weights, _bias in names))},
    ),
)


def list_mistakes(variant: Variant, _network: Network) -> tuple[Mistake, ...]:
    """Return the mistakes whose entry, or whose being one, depends on the variant."""
    # The questions about large scores have large biases, and large weights where units are at most 1.
    large = variant.regulariser == "every" or variant.activation in {"sigmoid", "tanh"}
    strength = _in_loss(
        "regularisation_strength_forgotten",
        "The sum of squares is added to the loss without being multiplied by reg.",
        "What should be left of the regulariser if reg is 0?",
        {"total": lambda data, penalty, _strength, _N: data + penalty},
        {"total": lambda data, penalty, _strength, _N: data + 0.5 * penalty},
        {"total": strength_forgotten, "d_total": lambda d_data, d_penalty, _strength, _N, _k: d_data + d_penalty},
        shows_in=(*_CARRIED, "stability") if large else _CARRIED,
    )
    forgotten = _in_loss(
        "biases_not_regularised",
        "The biases are missing from the regulariser. Every parameter should be in it.",
        "Which parameters are in the regulariser's formula, and which in yours?",
        {"penalty_term": squared_weights, "d_penalty": d_squared_weights},
        {"penalty_term": squared_weights},
        shows_in=_CARRIED,
    )
    return (strength, forgotten) if variant.regulariser == "every" else (strength,)
