"""The figures that the lesson prints: what the right network of a variant answers to the lesson's own cells."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import numpy as np

from grader.model import Array
from reference.digits import digits_sizes
from reference.network import Network

TOY_STD = 0.1
TOY_LABELS = np.array([0, 1, 2, 2, 1])
TOY_RUN = {"learning_rate_decay": 0.95, "reg": 5e-6, "num_iters": 100, "batch_size": 5}


@dataclass(frozen=True)
class Toy:
    """The toy case: scores to eight digits, losses without and with the regulariser, labels, and how training ends."""

    scores: list[list[float]]
    losses: tuple[str, str]
    labels: str
    are_wrong: int
    first: str
    last: str
    once: str  # where each batch holds each example once
    never: str  # without the decay


def work_out_toy(network: Network, reg: float, rate: float) -> Toy:
    """Return the toy case's figures; reg : for the second loss. rate : the learning rate."""
    X, y = 10 * np.random.RandomState(1).randn(5, 4), TOY_LABELS  # as the lesson draws them
    params = network.initialise(_toy_sizes(network), TOY_STD, np.random.RandomState(0))
    scores, labels = network.scores(params, X), network.predict(params, X)
    losses = _train(network, X, y, rate)
    return Toy(
        scores=[[float(round(score, 8)) for score in row] for row in scores],
        losses=(f"{network.loss(params, X, y, 0.0):.8f}", f"{network.loss(params, X, y, reg):.8f}"),
        labels=str(labels),
        are_wrong=int((labels != y).sum()),
        first=f"{losses[0]:.4f}",
        last=f"{losses[-1]:.4f}",
        once=f"{_train(replace(network, draw_batch=_draw_each_once), X, y, rate)[-1]:.4f}",
        never=f"{_train(replace(network, decay=lambda rate, *_: rate), X, y, rate)[-1]:.4f}",
    )


def _toy_sizes(network: Network) -> tuple[int, ...]:
    return 4, *[10] * (network.depth - 1), 3


def _draw_each_once(rng: np.random.RandomState, X: Array, y: Array, rows: int) -> tuple[Array, Array]:
    indices = rng.permutation(len(X))[:rows]
    return X[indices], y[indices]


def _train(network: Network, X: Array, y: Array, rate: float) -> Array:
    rng = np.random.RandomState(0)  # it draws the network first, as the lesson's does
    params = network.initialise(_toy_sizes(network), TOY_STD, rng)
    run = partial(network.train, params, X, y, X, y, learning_rate=rate, rng=rng)
    losses: Array = run(**TOY_RUN).loss_history  # type: ignore[arg-type]  # the counts are whole
    return losses


def read_digits(folder: Path) -> dict[str, Array]:
    """Return the digits for training and validation as the lesson splits them."""
    with np.load(folder / "data" / "digits.npz") as stored:
        images, labels = stored["images"] / 16, stored["labels"].astype(int)
    order = np.random.RandomState(0).permutation(len(labels))
    images, labels = images[order], labels[order]
    centred = images - images[:1100].mean(axis=0)
    return {"X": centred[:1100], "y": labels[:1100], "X_val": centred[1100:1397], "y_val": labels[1100:1397]}


def read_share(network: Network, data: Mapping[str, Array], settings: Mapping[str, float], std: float) -> float:
    """Return the share of validation digits that a network reads which starts from weights of this deviation."""
    rng, run = np.random.RandomState(0), dict(settings)
    params = network.initialise(digits_sizes(int(run.pop("hidden_size", 0)), network.depth), std, rng)
    trained = network.train(params, **data, **run, rng=rng)  # type: ignore[arg-type]  # whole counts
    return float(np.mean(network.predict(trained.params, data["X_val"]) == data["y_val"]))
