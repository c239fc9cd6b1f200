"""What several questions are made of: ids, steps, seeds, and the right answer in parts."""

import numpy as np

from grader.model import Array, Call, Expectation, Floats, Params, QuestionId, Step
from reference.cases import Case
from reference.network import Network


def make_call(
    identity: QuestionId,
    case: Case,
    steps: tuple[Step, ...],
    seconds: float,
    *,
    params: Params | None = None,
    seed: int = 0,
) -> Call:
    """Return a question about a case, with the case's own parameters where none are given."""
    return Call(identity, case.sizes, case.params if params is None else params, steps, seed, seconds)


def to_six_digits(reg: float) -> float:
    """Return the regulariser's strength as the text of an id has it: a reply from a gradebook is found by that."""
    return float(f"{reg:g}")


def loss_step(X: Floats, y: Array, reg: float) -> Step:
    """Return the step that asks for loss and gradients."""
    return Step("loss", {"X": X, "y": y, "reg": reg})


def hidden_layers(network: Network, params: Params, X: Floats) -> Expectation:
    """Return the hidden layers' values by name, "h1" the first."""
    return {f"h{k}": layer.h for k, layer in enumerate(network.forward(params, X)[:-1], start=1)}


def loss_parts(network: Network, params: Params, X: Floats, y: Array) -> Expectation:
    """Return loss and gradients in two parts, so that either convention of the regulariser can be put together.

    loss = data_loss + k reg penalty and gradient = data_NAME + k reg penalty_NAME, with k = 1/2 or 1 (COMS 4732: half;
    Lecture 4: full).
    """
    bare, whole = network.gradients(params, X, y, 0.0), network.gradients(params, X, y, 1.0)
    data = network.data_loss(params, X, y)
    # Taken from the whole, not from penalty(): so a wrong network's way of adding the regulariser shows as well.
    parts: dict[str, Array] = {
        "data_loss": np.asarray(data),
        "penalty": np.asarray((network.loss(params, X, y, 1.0) - data) / network.coefficient),
    }
    parts |= {f"data_{name}": value for name, value in bare.items()}
    parts |= {f"penalty_{name}": (whole[name] - bare[name]) / network.coefficient for name in bare}
    return parts
