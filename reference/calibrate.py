"""How well a right network does on the digits, over many seeds: where the two thresholds of assignment.toml come from.

Run `python -m reference.calibrate` and write what it prints into [digits]; it takes a minute.
"""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np

from grader.checks import CHECKS
from grader.model import Array, Assignment
from grader.rubric import bundled, load
from reference.cases import network_of
from reference.digits import digits, digits_settings, digits_sizes, digits_start
from reference.oracle import train_and_test
from reference.settings import first_std, tuned_settings
from reference.toy import toy_settings

LEARNS = 0.8  # a right network that reads fewer digits tells nobody whether a program is right
ROOM = 0.02  # between the worst right run and the threshold, so that chance costs nobody a point


def given_accuracy(assignment: Assignment, seed: int) -> float:
    """Train the reference as [digits] says; give the share of the held-out digits that it recognises."""
    network, split = network_of(assignment), digits(assignment.folder, seed)
    start = digits_start(assignment, network, seed)
    return train_and_test(network, start, split, digits_settings(assignment), np.random.RandomState(seed))


def tuned_accuracy(assignment: Assignment, seed: int) -> float:
    """Do the same from the constructor's own weights, with the solution's hyperparameters."""
    network, split = network_of(assignment), digits(assignment.folder, seed)
    settings, std = tuned_settings(assignment.variant), first_std(assignment.variant)
    rng = np.random.RandomState(seed)
    start = network.initialise(digits_sizes(int(settings.pop("hidden_size", 0)), network.depth), std, rng)
    return train_and_test(network, start, split, settings, rng)


def choose_values(assignment: Assignment, runs: int, on_run: Callable[[int], object]) -> dict[str, Any]:
    """Return the values of [digits] that fit the assignment's network: learning rate, thresholds, and where they come from.

    Each threshold is two points below the worst of so many right runs. on_run : is called with the number of each that is done.
    Raises ValueError where the right network itself does not learn what is asked.
    """
    toy_settings(assignment.variant)
    tuned, std, found = tuned_settings(assignment.variant), first_std(assignment.variant), []
    started = {"initial_std": std} if assignment.variant.depth > 2 else {}
    chosen: dict[str, Any] = {"learning_rate": tuned["learning_rate"], **started}
    assignment = replace(assignment, digits=replace(assignment.digits, **chosen))
    for seed in range(runs):
        found.append((given_accuracy(assignment, seed), tuned_accuracy(assignment, seed)))
        if min(found[-1]) < LEARNS:
            raise ValueError(
                f"the right network itself reads only {min(found[-1]):.0%} of the digits: with these layers it does not learn"
                " in so few steps. Choose fewer layers, or another activation."
            )
        on_run(seed)
    given, best = np.array(found).T
    settings = ", ".join(f"{name} {value:g}" for name, value in tuned.items())
    return {
        **chosen,
        "threshold": round(float(given.min()) - ROOM, 2),
        "tuned_threshold": round(float(best.min()) - ROOM, 2),
        "calibration": f"{runs} right runs, numpy {np.__version__}, seeds from 0 on, held-out accuracy of the reference.\n"
        f"As given above: {_describe(given)}.\n"
        f"Tuned ({settings}, weights of std {std:g}): {_describe(best)}.",
    }


def _describe(found: Array) -> str:
    return f"minimum {found.min():.4f}, 1 % quantile {np.quantile(found, 0.01):.4f}, median {np.median(found):.4f}"


def main() -> None:
    """Print what belongs into the bundled assignment."""
    found = choose_values(load(bundled(), tuple(CHECKS)), 200, lambda _: None)
    for name, value in found.items():
        print(f"{name} = {value}")  # noqa: T201 -- a command


if __name__ == "__main__":
    main()
