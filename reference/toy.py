"""The toy case, which train() has to learn by heart: five rows, a network to start from, and settings with which it works."""

from functools import cache

import numpy as np

from grader.model import LEARNT, Array, Assignment, Call, Expectation, QuestionId, Step, Variant
from reference.cases import Case, with_hidden
from reference.network import Network, network_of_variant
from reference.question_parts import make_call
from reference.sgd import Training

# Each row stands ten times: of five rows that are drawn from five, some miss one for so long that chance cost two points.
COPIES = 10
PUBLISHED = {"learning_rate": 1e-1, "learning_rate_decay": 0.95, "reg": 5e-6, "num_iters": 100, "batch_size": 25}
# Units that saturate learn it with larger steps, and later.
LONGER = {**PUBLISHED, "learning_rate": 0.3, "learning_rate_decay": 0.99, "num_iters": 200}
# Tried in turn where there are several hidden layers: in small steps chance hardly matters.
RATES = (0.003, 0.01, 0.03, 0.1, 0.3, 1.0)
RUNS = 5  # that have to learn it at the same rate


def toy_case(network: Network) -> Case:
    """Draw the published toy case, but without the constructor: numpy's legacy seeds 0 for the network and 1 for the data.

    Through several hidden layers nothing of its weights of 0.1 arrives. There the rows are a tenth as large, and each
    hidden unit's u has mean 0 and deviation 1 over them.
    """
    rng, deep = np.random.RandomState(0), network.depth > 2
    weights = {layer[0] for layer in network.names}
    params: dict[str, Array] = {
        name: 0.1 * rng.randn(*shape) if name in weights else np.zeros(shape)
        for name, shape in network.shapes(with_hidden((5, 4, 10, 3), network.depth)[1:]).items()
    }
    X = (1 if deep else 10) * np.random.RandomState(1).randn(5, 4)
    for k, (name, bias) in enumerate(network.names[:-1] if deep else ()):
        u = network.forward(params, X)[k].u
        spread = u.std(axis=-2, keepdims=True)
        params[name] = params[name] / spread
        params[bias] = -(u / spread).mean(axis=-2)
    return Case("toy", X, np.array([0, 1, 2, 2, 1]), params, 3)


def ask_toy(assignment: Assignment, network: Network) -> tuple[Call, Expectation]:
    """Ask for a training on the toy case, and the scores after it."""
    case, settings = toy_case(network), toy_settings(assignment.variant)
    X, y = _copied(case)
    steps = (
        Step("train", {"X": X, "y": y, "X_val": case.X, "y_val": case.y, **settings, "verbose": False}),
        Step("params"),
        Step("loss", {"X": case.X}),
    )
    history = np.asarray(train_toy(network, case, settings, 0).loss_history, dtype=np.float64)
    answer = {"X": case.X, "y": case.y, "loss_history": history}
    return make_call(QuestionId("toy"), case, steps, assignment.limits.train_seconds), answer


@cache
def toy_settings(variant: Variant) -> dict[str, float]:
    """Return settings with which the right network learns the toy case twice as well as is asked.

    Raises ValueError where it does not with any of those that are tried.
    """
    if variant.depth <= 2:
        return LONGER if variant.activation in {"sigmoid", "tanh"} else PUBLISHED
    network = network_of_variant(variant)
    case = toy_case(network)
    for rate in RATES:
        settings = {**LONGER, "learning_rate": rate}
        with np.errstate(all="ignore"):  # what runs away learns nothing
            trained = (train_toy(network, case, settings, seed).params for seed in range(RUNS))
            if all(network.data_loss(params, case.X, case.y) <= LEARNT[variant.loss] / 2 for params in trained):
                return settings
    raise ValueError(
        "the right network itself does not learn the toy case of five rows: choose fewer layers, or another activation."
    )


def _copied(case: Case) -> tuple[Array, Array]:
    return np.tile(case.X, (COPIES, 1)), np.tile(case.y, COPIES)


def train_toy(network: Network, case: Case, settings: dict[str, float], seed: int) -> Training:
    """Train a network on the toy case, with rows that are drawn by this seed."""
    X, y = _copied(case)
    rng = np.random.RandomState(seed)
    return network.train(case.params, X, y, case.X, case.y, **settings, rng=rng)  # type: ignore[arg-type]  # counts are whole
