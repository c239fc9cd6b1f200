"""How well a right network does on the digits, over many seeds: where the two thresholds of assignment.toml come from.

Run `python -m reference.calibrate` and write what it prints into [digits]; it takes a minute.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from grader.checks import CHECKS
from grader.model import Assignment
from grader.rubric import bundled, load
from reference.cases import network_of
from reference.digits import digits, digits_settings, digits_sizes, digits_start

CLASSIC_STD = 1e-4  # the classic constructor's own small weights, from which best_hyperparameters has to start
TUNED: Mapping[str, float] = {
    "hidden_size": 32,
    "learning_rate": 1.0,
    "learning_rate_decay": 0.97,
    "reg": 1e-3,
    "num_iters": 330,
    "batch_size": 50,
}


def given_accuracy(assignment: Assignment, seed: int) -> float:
    """Train the reference as [digits] says; give the share of the held-out digits that it recognises."""
    network, split = network_of(assignment), digits(assignment.folder, seed)
    start = digits_start(assignment, network, seed)
    rng = np.random.RandomState(seed)
    trained = network.train(start, **split.data, **digits_settings(assignment), rng=rng)  # type: ignore[arg-type]  # the counts of an Assignment are whole
    return float((network.predict(trained.params, split.X_test) == split.y_test).mean())


def tuned_accuracy(assignment: Assignment, seed: int) -> float:
    """Do the same from the classic constructor's weights, with the solution's hyperparameters."""
    network, split = network_of(assignment), digits(assignment.folder, seed)
    settings = {name: value for name, value in TUNED.items() if name != "hidden_size"}
    rng = np.random.RandomState(seed)
    start = network.initialise(digits_sizes(int(TUNED["hidden_size"]), network.depth), CLASSIC_STD, rng)
    trained = network.train(start, **split.data, **settings, rng=rng)  # type: ignore[arg-type]  # whole counts
    return float((network.predict(trained.params, split.X_test) == split.y_test).mean())


def main(seeds: int = 200) -> None:
    """Print both distributions."""
    assignment = load(bundled(), tuple(CHECKS))
    for name, measure in (("given", given_accuracy), ("tuned", tuned_accuracy)):
        found = np.array([measure(assignment, seed) for seed in range(seeds)])
        low, one, middle = found.min(), np.quantile(found, 0.01), np.median(found)
        print(f"{name}: {seeds} seeds, minimum {low:.4f}, 1 % {one:.4f}, median {middle:.4f}")  # noqa: T201 -- a command


if __name__ == "__main__":
    main()
