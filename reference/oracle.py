"""What the reference can still answer once the replies are there."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import lru_cache

import numpy as np

from grader.model import Assignment, Call, Floats, Oracle
from reference.digits import digits, digits_sizes, hash_seed
from reference.network import Network
from reference.recompute import follow

# iterations x batch x hidden units that the grader spends itself on a second opinion of hyperparameters: about 1 s.
TRIAL_BUDGET = 2e7


def build_oracle(assignment: Assignment, network: Network, seed: int, recorded: Call) -> Oracle:
    """Return what the reference answers about replies to the questions of this seed."""

    def trained_accuracy(settings: Mapping[str, float]) -> float:
        return trial(tuple(sorted(settings.items())))

    # Classmates try the same few numbers; each trial costs as much as grading a submission.
    @lru_cache(maxsize=256)
    def trial(items: tuple[tuple[str, float], ...]) -> float:
        settings = dict(items)
        hidden = int(settings.get("hidden_size", 1))  # a linear classifier has none
        if settings["num_iters"] * settings["batch_size"] * hidden > TRIAL_BUDGET:
            return 0.0
        split = digits(assignment.folder, seed)
        rng = np.random.RandomState(hash_seed(seed, "trial"))
        params = network.initialise(digits_sizes(hidden, network.depth), assignment.digits.initial_std, rng)
        arguments = {name: value for name, value in settings.items() if name != "hidden_size"}
        arguments |= {name: int(arguments[name]) for name in ("num_iters", "batch_size")}
        with np.errstate(all="ignore"):  # a learning rate that is too large runs away, and that is the answer
            trained = network.train(params, **split.data, **arguments, rng=rng)  # type: ignore[arg-type]  # made whole above
            return float((network.predict(trained.params, split.X_test) == split.y_test).mean())

    asked = recorded.steps[1].arguments

    with_factor = {factor: replace(network, coefficient=factor) for factor in (0.5, 1.0)}

    def follow_replaced(factor: float, replaced: Mapping[str, Floats], whole: bool) -> Mapping[str, Floats]:  # noqa: FBT001 -- of the record's type
        right = with_factor[factor]
        return follow(right, recorded.params, asked["X"], asked["y"], asked["reg"], replaced, whole=whole)

    # Which step's value explains the answers is searched for with one hidden layer only.
    return Oracle(
        scores=network.scores, trained_accuracy=trained_accuracy, follow=follow_replaced, replaces=network.depth == 2
    )
