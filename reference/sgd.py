"""The steps of training by plain stochastic gradient descent, in the schedule of the assignment (end of Lecture 4)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from grader.records import dataclass

if TYPE_CHECKING:
    from collections.abc import Mapping

    import numpy as np

    from grader.model import Array, Floats, Params
    from reference.regularisers import Names


@dataclass(frozen=True)
class Training:
    """What train() leaves behind; a wrong network may return something else than histories."""

    params: Params
    histories: Mapping[str, Floats]

    @property
    def loss_history(self) -> Floats:
        """(num_iters,): on each batch before its step."""
        return self.histories["loss_history"]

    @property
    def train_acc_history(self) -> Floats:
        """One for each epoch: on the batch, after its step."""
        return self.histories["train_acc_history"]

    @property
    def val_acc_history(self) -> Floats:
        """One for each epoch: on the validation rows, after its step."""
        return self.histories["val_acc_history"]


def begin(params: Params, _rng: np.random.RandomState) -> dict[str, Array]:
    """Return the parameters to start from: copies of the network's own, for a wrong update may work in place."""
    return {name: theta.copy() for name, theta in params.items()}


def iterations_per_epoch(N: int, batch_size: int) -> int:
    """Return how many batches make one pass over the data; a batch larger than the data is a pass of its own."""
    return max(N // batch_size, 1)


def iterations(num_iters: int, _per_epoch: int) -> int:
    """Return how many steps are taken: as many as were asked."""
    return num_iters


def rows_drawn(batch_size: int, _num_iters: int, _X: Array) -> int:
    """Return how many rows a batch has: as many as were asked."""
    return batch_size


def draw_batch(rng: np.random.RandomState, X: Array, y: Array, batch_size: int) -> tuple[Array, Array]:
    """Draw rows with replacement; X and y by the same indices."""
    indices = rng.choice(len(X), batch_size)
    return X[indices], y[indices]


def loss_arguments(X: Array, y: Array, reg: float) -> tuple[Array, Array, float]:
    """Return what train() asks loss() with: the batch, and its own reg."""
    return X, y, reg


def step_rate(rate: float, _factor: float) -> float:
    """Return the rate that a step is taken at: the learning rate, with all decay in it already."""
    return rate


def descend(params: Params, gradients: Params, rate: float, _names: Names, _memory: dict[str, Any]) -> dict[str, Array]:
    """Take one step down the gradient, theta - rate * dL/dtheta, for every parameter.

    The memory lives as long as one training. Plain descent keeps nothing in it; a momentum would.
    """
    return {name: theta - rate * gradients[name] for name, theta in params.items()}


def is_epoch(iteration: int, per_epoch: int) -> bool:
    """Return whether this iteration, counted from 0, is one where accuracies are recorded and the rate decays."""
    return iteration % per_epoch == 0


def decay_each_epoch(rate: float, factor: float, iteration: int, per_epoch: int) -> float:
    """Return the rate for the next iteration."""
    return rate * factor if is_epoch(iteration, per_epoch) else rate


def histories(losses: Floats, train_accuracies: Floats, val_accuracies: Floats) -> dict[str, Floats]:
    """Return what train() returns: (num_iters,) losses, and one accuracy of each kind for each epoch."""
    return {"loss_history": losses, "train_acc_history": train_accuracies, "val_acc_history": val_accuracies}
