"""Settings of train() that do well on the digits, for each network of the family; tried by hand on three splits.

A sigmoid passes a quarter of the gradient on at most, and the SVM's gradient is larger than softmax's: the learning rate makes
up for both. A deep network needs larger weights to start from, or nothing gets through. All else may stay the same.
"""

from dataclasses import dataclass

from grader.model import Variant

CLASSIC_STD = 1e-4  # the classic constructor's own small weights, from which best_hyperparameters has to start


@dataclass(frozen=True)
class Rates:
    """Learning rates of one network."""

    first: float  # the lesson's own, which does well from larger weights and badly from the classic constructor's
    tuned: float  # the solution's
    toy: float  # of the toy case; small enough that its loss does not end at exactly 0, where nothing is to be seen


def first_std(variant: Variant) -> float:
    """Return the standard deviation of the weights that the constructor draws, unless it is told another."""
    if variant.depth <= 2:
        return CLASSIC_STD
    return 0.7 if variant.activation == "sigmoid" else 0.25


def learning_rates(variant: Variant) -> Rates:
    """Return the rates for one network of the family."""
    first, tuned, toy = (0.05, 0.5, 3e-3) if variant.loss == "svm" else (0.5, 1.0, 1e-1)
    if variant.depth == 1:
        return Rates(0.001 if variant.loss == "svm" else 0.02, tuned, 1e-3 if variant.loss == "svm" else 1e-2)
    if variant.depth > 2:
        first, tuned = (0.01, 0.1) if variant.loss == "svm" else (0.05, 0.5)
        tuned /= 1 if variant.depth == 3 else 2
    if variant.activation == "sigmoid":
        return Rates(4 * first, 4 * tuned, max(toy, 1e-2))
    return Rates(first, tuned, toy)


def first_settings(variant: Variant) -> dict[str, float]:
    """Return what the lesson trains with, and a student starts tuning from."""
    return _settings(variant, 16, learning_rates(variant).first, 0.95, 176)


def tuned_settings(variant: Variant) -> dict[str, float]:
    """Return the solution's best_hyperparameters."""
    return _settings(variant, 32, learning_rates(variant).tuned, 0.97, 330)


def _settings(
    variant: Variant, hidden_size: int, learning_rate: float, decay: float, num_iters: int
) -> dict[str, float]:
    return {
        **({"hidden_size": hidden_size} if variant.depth > 1 else {}),
        "learning_rate": learning_rate,
        "learning_rate_decay": decay,
        "reg": 1e-3,
        "num_iters": num_iters,
        "batch_size": 50,
    }
