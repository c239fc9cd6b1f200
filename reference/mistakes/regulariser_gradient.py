"""Mistakes in the regulariser's part of the gradients."""

from grader.model import Variant
from reference.mistakes.entry import Mistake, Number, define_kind
from reference.mistakes.regulariser import d_times
from reference.network import Network
from reference.regularisers import d_squared_parameters, d_squared_weights

_DR = "the regulariser adds its own derivative to dL/dW: 2 reg W, or reg W where the loss has 1/2"
_in_gradient = define_kind(
    stage="gradients", formula=_DR, source=("COMS 4732", "derivations"), charged=("gradient_W{}",), about="grad regulariser {W}",
    layers="each", shows_in=("gradient",),
)  # fmt: skip

MISTAKES = (
    _in_gradient(
        "biases_regularised_in_gradient",
        "The gradients of the biases have a regulariser's part, but the loss regularises only the weights.",
        "Which parameters are in the loss's regulariser? It adds nothing to the gradients of the others.",
        {"d_penalty": d_squared_parameters},
        charged=("gradient_b{each}",),
        about="grad regulariser b1",
        layers="all",
    ),
    _in_gradient(
        "regulariser_gradient_left_out",
        "The gradient of {W} has no regulariser's part, though the loss has one.",
        "Take the derivative of every term of your loss by {W}.",
        {"d_total": lambda d_data, _d_penalty, _strength, _N, _k: d_data},
    ),
    _in_gradient(
        "regulariser_gradient_halved",
        "The regulariser's part of the gradient of {W} is half of what the loss asks for.",
        "What is the derivative of w^2? Compare the factor in your loss with the one in your gradient.",
        {"d_total": lambda d_data, d_penalty, strength, _N, _k: d_data + 0.5 * strength * d_penalty},
    ),
    _in_gradient(
        "regulariser_gradient_doubled",
        "The regulariser's part of the gradient of {W} is twice what the loss asks for.",
        "What is the derivative of w^2, and which factor is before it in your loss?",
        {"d_total": lambda d_data, d_penalty, strength, _N, _k: d_data + 2 * strength * d_penalty},
    ),
    _in_gradient(
        "regulariser_gradient_wrong_factor",
        "The regulariser's part of the gradient of {W} is {c} times what the loss asks for.",
        "Take the derivative of your loss's regulariser, and compare the factors one by one.",
        number=Number(lambda c: {"d_total": d_times(c)}, 1e-3, 1e3, (3.0, 0.1), (0.5, 2.0)),
    ),
    _in_gradient(
        "regulariser_gradient_subtracted",
        "The regulariser's part is subtracted from the gradient of {W} instead of added.",
        "Compare the sign with the one in the loss.",
        {"d_total": lambda d_data, d_penalty, strength, _N, _k: d_data - strength * d_penalty},
    ),
    _in_gradient(
        "regulariser_gradient_divided_by_N",
        "The regulariser's part of the gradient of {W} is divided by the number of examples.",
        "Is the regulariser a mean over the examples? Look at which lines come before the division by N.",
        {"d_total": lambda d_data, d_penalty, strength, N, _k: d_data + strength * d_penalty / N},
    ),
    _in_gradient(
        "gradient_divided_once_more",
        "The gradient of {W} is divided by N once more, including the regulariser's part.",
        "Count the divisions by N between the scores and the gradient of {W}.",
        {"d_total": lambda d_data, d_penalty, strength, N, _k: (d_data + strength * d_penalty) / N},
    ),
    _in_gradient(
        "regulariser_gradient_without_strength",
        "The weights are added to the gradient of {W} without being multiplied by reg.",
        "What should be left of the regulariser's part if reg is 0?",
        {"d_total": lambda d_data, d_penalty, _strength, _N, _k: d_data + d_penalty},
        {"d_total": lambda d_data, d_penalty, _strength, _N, _k: d_data + 0.5 * d_penalty},
    ),
    _in_gradient(
        "regulariser_gradient_without_weights",
        "reg itself is added to the gradient of {W}, without the weights.",
        "Take the derivative of the regulariser by one weight. Is the weight still in it?",
        {"d_total": lambda d_data, _d_penalty, strength, _N, _k: d_data + strength},
    ),
    _in_gradient(
        "regulariser_gradient_of_squares",
        "The regulariser itself is added to the gradient of {W}, not its derivative.",
        "What is the derivative of w^2 by w? It has the shape of {W}, and each entry depends on its own weight only.",
        {"d_total": lambda d_data, d_penalty, strength, _N, _k: d_data + strength * (d_penalty / 2) ** 2},
        {"d_total": lambda d_data, d_penalty, strength, _N, _k: d_data + strength * ((d_penalty / 2) ** 2).sum()},
        {"d_total": lambda d_data, d_penalty, strength, _N, _k: d_data + strength * d_penalty.sum()},
    ),
)


def list_mistakes(variant: Variant, _network: Network) -> tuple[Mistake, ...]:
    """Return the mistake of whoever forgets the biases' part where every parameter is regularised."""
    forgotten = _in_gradient(
        "bias_regulariser_gradient_left_out",
        "The gradients of the biases have no regulariser's part, though the loss regularises every parameter.",
        "Take the derivative of every term of your loss by {b}.",
        {"d_penalty": d_squared_weights},
        formula="the regulariser adds 2 reg theta to the gradient of every parameter",
        source=("COL 865",),
        charged=("gradient_b{each}",),
        about="grad regulariser b1",
        layers="all",
    )
    return (forgotten,) if variant.regulariser == "every" else ()
