"""Settings of train() that do well on the digits, for each network of the family; tried by hand on three splits.

A sigmoid passes a quarter of the gradient on at most, and the SVM's gradient is larger than softmax's: the learning rate makes
up for both. All else may stay the same.
"""

from __future__ import annotations

from dataclasses import dataclass

DEEP = 3  # layers, with which the smallest of weights would let nothing through


@dataclass(frozen=True)
class Rates:
    """Learning rates of one network."""

    first: float  # the lesson's own, which does well from larger weights and badly from the classic constructor's
    tuned: float  # the solution's
    toy: float  # of the toy case; small enough that its loss does not end at exactly 0, where nothing is to be seen


def classic_std(depth: int) -> float:
    """Return the deviation of the constructor's own weights, from which best_hyperparameters has to start."""
    return 0.1 if depth >= DEEP else 1e-4


def learning_rates(activation: str, loss: str, depth: int = 2) -> Rates:
    """Return the rates for one network of the family."""
    first, tuned, toy = (0.05, 0.5, 3e-3) if loss == "svm" else (0.5, 1.0, 1e-1)
    if depth >= DEEP:
        first /= 2
    return Rates(4 * first, 4 * tuned, max(toy, 1e-2)) if activation == "sigmoid" else Rates(first, tuned, toy)


def first_settings(activation: str, loss: str, depth: int = 2) -> dict[str, float]:
    """Return what the lesson trains with, and a student starts tuning from."""
    return _settings(16, learning_rates(activation, loss, depth).first, 0.95, 176)


def tuned_settings(activation: str, loss: str) -> dict[str, float]:
    """Return the solution's best_hyperparameters."""
    return _settings(32, learning_rates(activation, loss).tuned, 0.97, 330)


def _settings(hidden_size: int, learning_rate: float, decay: float, num_iters: int) -> dict[str, float]:
    return {
        "hidden_size": hidden_size,
        "learning_rate": learning_rate,
        "learning_rate_decay": decay,
        "reg": 1e-3,
        "num_iters": num_iters,
        "batch_size": 50,
    }
