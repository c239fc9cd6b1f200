"""What the reference can still answer once the replies are there."""

import hashlib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from functools import cache
from typing import Any

import numpy as np

from grader.model import Array, Assignment, Call, Floats, Oracle, Params, QuestionId, Reply, Variant
from reference.digits import Digits, digits, digits_sizes, hash_seed
from reference.network import Network, network_of_variant
from reference.recompute import follow
from reference.same_network import alike
from reference.simulate import perform

# iterations x batch x hidden units that the grader spends itself on a training with hyperparameters: about 1 s.
TRIAL_BUDGET = 2e7
MOST_TRIALS = 1_000  # that a process remembers
ALIKE = 1e-6  # of two answers, relative to the largest entry


def find_variant(variants: Mapping[str, Variant], calls: Iterable[Call], replies: Mapping[QuestionId, Reply]) -> str:
    """Return the name of the variant whose network gives these replies to what is asked of loss(); "" of none."""
    asked = [call for call in calls if call.id.kind in {"scores", "loss"}]
    for name, variant in variants.items():
        network = network_of_variant(variant)
        if all(
            call.id in replies and alike(replies[call.id].results, perform(network, call).results, ALIKE)
            for call in asked
        ):
            return name
    return ""


def build_oracle(
    assignment: Assignment,
    network: Network,
    seed: int,
    recorded: Call,
    keep: Callable[[object, Callable[[], Any]], Any],
) -> Oracle:
    """Return what the reference answers about replies to the questions of this seed; keep : as of `questions.draw`."""
    # Classmates try the same few numbers; each trial costs almost as much as a student's own training.
    known: dict[str, float] = {}
    split = cache(lambda: digits(assignment.folder, seed))
    with_factor = {factor: replace(network, coefficient=factor) for factor in (0.5, 1.0)}

    def trained_accuracy(settings: Mapping[str, float], start: Params | None, factor: float | None) -> float:
        settings = dict(sorted(settings.items()))
        hidden = int(settings.pop("hidden_size", 1))  # a linear classifier has none
        if settings["num_iters"] * settings["batch_size"] * hidden > TRIAL_BUDGET:
            return 0.0

        def trial() -> float:
            rng = np.random.RandomState(hash_seed(seed, "trial"))
            right = network if factor is None else with_factor[factor]
            std, sizes = assignment.digits.initial_std, digits_sizes(hidden, network.depth)
            first = right.initialise(sizes, std, rng) if start is None else start
            # Half the digits take a tenth less time. Only where the result must be well above what is required.
            kind = np.float64 if start is None else np.float32
            return train_and_test(
                right, {one: value.astype(kind) for one, value in first.items()}, split(), settings, rng
            )

        digests = [(one, value.shape, hashlib.sha256(value.tobytes()).digest()) for one, value in (start or {}).items()]
        name = repr(("trial", settings, hidden, factor, digests))
        if name not in known:
            if len(known) >= MOST_TRIALS:
                known.clear()
            known[name] = keep(name, trial)
        return known[name]

    asked = recorded.steps[1].arguments

    def follow_replaced(factor: float, replaced: Mapping[str, Floats], whole: bool) -> Mapping[str, Floats]:  # noqa: FBT001 -- of the record's type
        right = with_factor[factor]
        return follow(right, recorded.params, asked["X"], asked["y"], asked["reg"], replaced, whole=whole)

    return Oracle(scores=network.scores, trained_accuracy=trained_accuracy, follow=follow_replaced)


def train_and_test(
    network: Network, params: Params, split: Digits, settings: Mapping[str, float], rng: np.random.RandomState
) -> float:
    """Return the share of the held-out digits that a network recognises once it is trained, in its parameters' precision."""
    X = split.data["X"].astype(params[network.names[0][0]].dtype)
    with np.errstate(all="ignore"):  # a learning rate that is too large runs away, and that is the answer
        trained = train_silently(network, params, X, split.data["y"], settings, rng)
        return float((network.predict(trained, split.X_test) == split.y_test).mean())


def train_silently(
    network: Network, params: Params, X: Array, y: Array, settings: Mapping[str, float], rng: np.random.RandomState
) -> Params:
    """Return the parameters that `Network.train` ends with, without the losses and accuracies on the way."""
    given: dict[str, Any] = {**settings, **{one: int(settings[one]) for one in ("num_iters", "batch_size")}}
    # The same rows as one by one, in a fifth less time.
    batches = iter(rng.choice(len(X), (given["num_iters"], given["batch_size"])))

    def draw(_rng: np.random.RandomState, X: Array, y: Array, _size: int) -> tuple[Array, Array]:
        rows = next(batches)
        return X[rows], y[rows]

    def evaluate(params: Params, X: Array, y: Array, reg: float) -> tuple[float, dict[str, Array]]:
        return 0.0, network.backward(network.forward(params, X), params, y, reg)

    trained, silent = params, replace(network, draw_batch=draw)
    for after, *_ in silent.take_steps(params, X, y, **given, rng=rng, evaluate=evaluate):
        trained = after
    return trained
