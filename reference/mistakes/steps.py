"""Mistakes in the step that train() takes: which parameters move, which way, and how far."""

from collections.abc import Callable
from typing import Any

import numpy as np

from grader.model import Params, Variant
from reference.mistakes.entry import Mistake, Number, define_kind
from reference.network import Network
from reference.regularisers import Names


def scale(times: Callable[[str, Names], float]) -> Any:
    """Make an update whose step is so many times as long; times : of a parameter, given the names of all."""

    def update(params: Params, gradients: Params, rate: float, names: Names, _memory: dict[str, Any]) -> Any:
        return {name: theta - times(name, names) * rate * gradients[name] for name, theta in params.items()}

    return update


def without_rate(params: Params, gradients: Params, _rate: float, _names: Names, _memory: dict[str, Any]) -> Any:
    return {name: theta - gradients[name] for name, theta in params.items()}


def rate_squared(params: Params, gradients: Params, rate: float, _names: Names, _memory: dict[str, Any]) -> Any:
    return {name: theta - rate * rate * gradients[name] for name, theta in params.items()}


def replaced(_params: Params, gradients: Params, rate: float, _names: Names, _memory: dict[str, Any]) -> Any:
    return {name: -rate * gradient for name, gradient in gradients.items()}


def momentum(c: float) -> Any:
    def update(params: Params, gradients: Params, rate: float, _names: Names, memory: dict[str, Any]) -> Any:
        for name, gradient in gradients.items():
            memory[name] = c * memory.get(name, 0) - rate * gradient
        return {name: theta + memory[name] for name, theta in params.items()}

    return update


def remember(old: float, new: float) -> Any:
    """Make an update by old times what it remembers and new times the gradient, which it remembers in turn."""

    def update(params: Params, gradients: Params, rate: float, _names: Names, memory: dict[str, Any]) -> Any:
        for name, gradient in gradients.items():
            memory[name] = old * memory.get(name, 0) + new * gradient
        return {name: theta - rate * memory[name] for name, theta in params.items()}

    return update


def nesterov(params: Params, gradients: Params, rate: float, _names: Names, memory: dict[str, Any]) -> Any:
    before = dict(memory)
    for name, gradient in gradients.items():
        memory[name] = 0.9 * memory.get(name, 0) - rate * gradient
    return {name: theta - 0.9 * before.get(name, 0) + 1.9 * memory[name] for name, theta in params.items()}


def adam(params: Params, gradients: Params, rate: float, _names: Names, memory: dict[str, Any]) -> Any:
    memory["t"] = memory.get("t", 0) + 1
    after = {}
    for name, theta in params.items():
        m, v = memory.get(name, (0, 0))
        m, v = 0.9 * m + 0.1 * gradients[name], 0.999 * v + 0.001 * gradients[name] ** 2
        memory[name] = m, v
        corrected = m / (1 - 0.9 ** memory["t"]), v / (1 - 0.999 ** memory["t"])
        after[name] = theta - rate * corrected[0] / (np.sqrt(corrected[1]) + 1e-8)
    return after


def adagrad(params: Params, gradients: Params, rate: float, _names: Names, memory: dict[str, Any]) -> Any:
    for name, gradient in gradients.items():
        memory[name] = memory.get(name, 0) + gradient**2
    return {name: theta - rate * gradients[name] / (np.sqrt(memory[name]) + 1e-8) for name, theta in params.items()}


def rmsprop(params: Params, gradients: Params, rate: float, _names: Names, memory: dict[str, Any]) -> Any:
    for name, gradient in gradients.items():
        memory[name] = 0.9 * memory.get(name, 0) + 0.1 * gradient**2
    return {name: theta - rate * gradients[name] / (np.sqrt(memory[name]) + 1e-8) for name, theta in params.items()}


def sign_of_gradient(params: Params, gradients: Params, rate: float, _names: Names, _memory: dict[str, Any]) -> Any:
    return {name: theta - rate * np.sign(gradients[name]) for name, theta in params.items()}


def unit_gradient(params: Params, gradients: Params, rate: float, _names: Names, _memory: dict[str, Any]) -> Any:
    return {name: theta - rate * gradients[name] / np.linalg.norm(gradients[name]) for name, theta in params.items()}


def all_but(layer: int, first: int) -> Any:
    """Make an update without one layer's parameters, from the first on: 0 for its weights and bias, 1 for the bias."""
    return scale(lambda name, names: name not in names[layer][first:])


_STEP = "theta <- theta - learning_rate dL/dtheta, for W1, b1, W2 and b2"
_step = define_kind(
    stage="train", formula=_STEP, source=("Lecture 4",), charged=("update_rule",), about="update", shows_in=("moved",)
)

MISTAKES = (
    _step(
        "biases_never_updated",
        "train() updates the weights alone: the biases never change.",
        "How many parameters are there, and how many of them does one iteration change?",
        {"update": scale(lambda name, names: name in [weights for weights, _bias in names])},
    ),
    _step(
        "weights_never_updated",
        "train() updates the biases alone: the weights never change.",
        "How many parameters are there, and how many of them does one iteration change?",
        {"update": scale(lambda name, names: name in [bias for _weights, bias in names])},
    ),
    _step(
        "one_bias_never_updated",
        "train() does not change one of the biases.",
        "Tick off W1, b1, W2, b2 in your update.",
        {"update": scale(lambda name, names: name != names[-1][1])},
        {"update": scale(lambda name, names: name != names[0][1])},
        fewest_layers=2,
    ),
    _step(
        "one_parameter_updated_twice",
        "train() updates one parameter twice, and the same parameter of another layer not at all.",
        "Read the names in your update aloud: a 1 where a 2 should stand?",
        {"update": scale(lambda name, names: {names[0][1]: 2, names[-1][1]: 0}.get(name, 1))},
        {"update": scale(lambda name, names: {names[0][0]: 2, names[-1][0]: 0}.get(name, 1))},
        fewest_layers=2,
    ),
    _step(
        "one_layer_never_updated",
        "train() updates the parameters of one layer only.",
        "Tick off W1, b1, W2, b2 in your update.",
        {"update": scale(lambda name, names: name in names[-1])},
        {"update": scale(lambda name, names: name in names[0])},
        fewest_layers=2,
    ),
    _step(
        "uphill",
        "train() moves up the gradient instead of down.",
        "The gradient points in the direction in which the loss grows. Which sign takes you the other way?",
        {"update": scale(lambda _name, _names: -1)},
    ),
    _step(
        "biases_uphill",
        "train() moves the biases up their gradient; the weights go down.",
        "Compare the signs of all four updates.",
        {"update": scale(lambda name, names: -1 if name in [bias for _weights, bias in names] else 1)},
    ),
    _step(
        "rate_left_out",
        "The step is the whole gradient: the learning rate is missing.",
        "Which of train()'s arguments says how long a step is?",
        {"update": without_rate},
    ),
    _step(
        "rate_twice",
        "The gradient is multiplied by the learning rate twice.",
        "Follow the learning rate through your update: where is it used?",
        {"update": rate_squared},
    ),
    _step(
        "step_taken_twice",
        "Each step is taken twice.",
        "How often does one iteration change each parameter?",
        {"update": scale(lambda _name, _names: 2)},
    ),
    _step(
        "parameters_replaced",
        "The parameters are replaced by the step instead of moved by it.",
        "What is left of the old value in your update? Look at = and +=.",
        {"update": replaced},
    ),
    _step(
        "nothing_updated",
        "train() changes no parameter.",
        "Is the new value stored in self.params, or in a variable that nobody reads?",
        {"update": lambda params, _gradients, _rate, _names, _memory: dict(params)},
        # Where no parameter changes, the stand-ins say the same each time, and no batch is told.
        shows_in=("moved", "reg", "losses kept", "accuracies kept", "batches"),
    ),
    _step(
        "momentum",
        "train() uses a momentum of {c}. The assignment asks for plain gradient descent.",
        "Does a step depend on the steps before it? Here it must not.",
        number=Number(lambda c: {"update": momentum(c)}, 1e-3, 2.0, (0.9, 0.5, 0.95), (0.5, 0.9)),
    ),
    _step(
        "momentum_of_gradients",
        "train() adds each gradient to {c} times the sum so far (momentum). The assignment asks for plain gradient descent.",
        "Does a step depend on the steps before it? Here it must not.",
        number=Number(lambda c: {"update": remember(c, 1)}, 1e-3, 0.99, (0.9, 0.5), (0.5, 0.9)),
    ),
    _step(
        "running_mean_of_gradients",
        "train() steps along a running mean of the gradients, {c} of it old. The assignment asks for plain gradient descent.",
        "Does a step depend on the steps before it? Here it must not.",
        number=Number(lambda c: {"update": remember(c, 1 - c)}, 1e-3, 0.999, (0.9, 0.5), (0.5, 0.9)),
    ),
    _step(
        "nesterov_momentum",
        "train() uses Nesterov's momentum. The assignment asks for plain gradient descent.",
        "Does a step depend on the steps before it? Here it must not.",
        {"update": nesterov},
    ),
    _step(
        "gradients_added_up",
        "Each step uses the sum of all gradients so far.",
        "Is the old gradient thrown away before the next one is computed?",
        {"update": remember(1, 1)},
    ),
    _step(
        "adaptive_steps",
        "train() scales the step of each entry (Adam, RMSprop, Adagrad). The assignment asks for plain gradient descent.",
        "What is between the gradient and the step in your update?",
        {"update": adam},
        {"update": adagrad},
        {"update": rmsprop},
    ),
    _step(
        "length_of_gradient_lost",
        "The step uses only the gradient's direction or sign, not its length.",
        "Is the gradient divided by something before the step?",
        {"update": sign_of_gradient},
        {"update": unit_gradient},
    ),
)


def list_mistakes(variant: Variant, _network: Network) -> tuple[Mistake, ...]:
    """Return the mistakes that pass over one layer of three or more; of two, and of the outer biases, MISTAKES tell."""
    layers = range(1, variant.depth + 1)
    left = [(f"W{k} and b{k}", all_but(k - 1, 0)) for k in layers] + [
        (f"b{k}", all_but(k - 1, 1)) for k in layers[1:-1]
    ]
    return tuple(
        _step(
            f"{words.replace(' ', '_')}_never_updated",
            f"train() never changes {words}.",
            "Tick off W1, b1, W2, b2 in your update.",
            {"update": update},
            fewest_layers=3,
        )
        for words, update in left
    )
