from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]


@dataclass
class Cache:
    """What the forward pass keeps for the backward pass."""

    X: Array
    hidden: Array
    scores: Array


@dataclass
class History:
    loss_history: list[float] = field(default_factory=list)
    train_acc_history: list[float] = field(default_factory=list)
    val_acc_history: list[float] = field(default_factory=list)


class LossAndGrads(NamedTuple):
    loss: float
    grads: dict[str, Array]


def activation(name: str, u: Array) -> Array:
    match name:
        case "relu":
            return np.maximum(u, 0.0)
        case "tanh":
            return np.tanh(u)
        case _:
            raise ValueError(f"no such activation: {name!r}")


def slope(name: str, h: Array) -> Array:
    match name:
        case "relu":
            return np.heaviside(h, 0.0)
        case "tanh":
            return 1.0 - h * h
        case _:
            raise ValueError(f"no such activation: {name!r}")


def batches(n: int, size: int) -> Iterator[npt.NDArray[np.intp]]:
    """Indices for ever: without replacement inside a batch."""
    rng = np.random.default_rng()
    while True:
        yield rng.choice(n, size, replace=False)


class TwoLayerNet:
    def __init__(self, input_size: int, hidden_size: int, output_size: int, std: float = 1e-4) -> None:
        self.kind: str = "relu"
        self.params: dict[str, Array] = {
            "W1": std * np.random.randn(input_size, hidden_size),
            "b1": np.zeros(hidden_size),
            "W2": std * np.random.randn(hidden_size, output_size),
            "b2": np.zeros(output_size),
        }

    def forward(self, X: Array) -> Cache:
        p = self.params
        hidden = activation(self.kind, X @ p["W1"] + p["b1"])
        return Cache(X=X, hidden=hidden, scores=hidden @ p["W2"] + p["b2"])

    def loss(self, X: Array, y: npt.NDArray[np.int_] | None = None, reg: float = 0.0) -> Array | LossAndGrads:
        cache = self.forward(X)
        if y is None:
            return cache.scores
        log_p: Array = cache.scores - np.logaddexp.reduce(cache.scores, axis=1, keepdims=True)
        nll = -float(log_p[np.arange(len(y)), y].mean())
        l2 = 0.5 * reg * float(sum(np.vdot(W, W) for name, W in self.params.items() if name.startswith("W")))
        return LossAndGrads(nll + l2, self.backward(cache, log_p, y, reg))

    def backward(self, cache: Cache, log_p: Array, y: npt.NDArray[np.int_], reg: float) -> dict[str, Array]:
        d = np.exp(log_p)
        np.subtract.at(d, (np.arange(len(y)), y), 1.0)
        d /= len(y)
        du = (d @ self.params["W2"].T) * slope(self.kind, cache.hidden)
        return {
            "W1": cache.X.T @ du + reg * self.params["W1"],
            "b1": du.sum(axis=0),
            "W2": cache.hidden.T @ d + reg * self.params["W2"],
            "b2": d.sum(axis=0),
        }

    def train(
        self,
        X: Array,
        y: npt.NDArray[np.int_],
        X_val: Array,
        y_val: npt.NDArray[np.int_],
        learning_rate: float = 1e-3,
        learning_rate_decay: float = 0.95,
        reg: float = 5e-6,
        num_iters: int = 100,
        batch_size: int = 200,
        verbose: bool = False,
    ) -> dict[str, list[float]]:
        history = History()
        iterations_per_epoch: int = max(len(X) // batch_size, 1)
        for it, rows in zip(range(num_iters), batches(len(X), min(batch_size, len(X)))):
            loss, grads = self.loss(X[rows], y[rows], reg)
            history.loss_history.append(loss)
            # the rate as a function of the iteration: decayed once an epoch, after its first iteration
            epochs_done = (it + iterations_per_epoch - 1) // iterations_per_epoch
            rate = learning_rate * learning_rate_decay**epochs_done
            for name, grad in grads.items():
                self.params[name] -= rate * grad
            if verbose and it % 100 == 0:
                print(f"iteration {it} of {num_iters}: {loss=:.4f} {rate=:.2e}")
            if it % iterations_per_epoch == 0:
                history.train_acc_history.append(float(np.mean(self.predict(X[rows]) == y[rows])))
                history.val_acc_history.append(float(np.mean(self.predict(X_val) == y_val)))
        return vars(history)

    def predict(self, X: Array) -> npt.NDArray[np.intp]:
        return self.forward(X).scores.argmax(axis=1)


best_hyperparameters: dict[str, float] = dict(
    hidden_size=32, learning_rate=1.0, learning_rate_decay=0.97, reg=2e-3, num_iters=330, batch_size=50
)
