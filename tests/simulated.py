"""What a network shows in each part of a program's answers: two networks differ in a part where these differ."""

from __future__ import annotations

import warnings

import numpy as np

from grader.records import dataclass, field, fields, replace
from reference.network import Network
from reference.simulate import perform

LOSS_PARTS = ("purity", "scores", "loss", "gradient", "labels")
TRAIN_PARTS = ("moved", "reg", "losses kept", "accuracies kept", "batches")
RAISED = "raised"


# What these steps show is worked out in train(), and what the others show outside of it.
OF_TRAINING = {
    *(
        "begin",
        "iterations_per_epoch",
        "iterations",
        "rows_drawn",
        "draw_batch",
        "loss_arguments",
        "step_rate",
        "update",
    ),
    *("is_epoch", "decay", "report_training"),
}


def parts(network, calls):
    """Return what loss(), predict() and train() show, part by part."""
    return {**_answers(network, calls), **_training(network, calls)}


def parts_beside(right, shown, wrong, calls):
    """Return what a wrong network shows, and of what it shares with the right one what that does; shown : the right one's."""
    steps = {step.name for step in fields(Network) if getattr(right, step.name) is not getattr(wrong, step.name)}
    found = dict(shown)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # a wrong network overflows, and takes means of nothing
        if steps - OF_TRAINING:
            found |= _answers(wrong, calls)
        if steps & OF_TRAINING:
            found |= _training(wrong, calls)
    return found


def alike(one, other):
    """Return whether two answers are the same but for rounding, in kind and shape as well."""
    if one is other:
        return True
    if isinstance(one, dict) and isinstance(other, dict):
        return set(one) == set(other) and all(alike(one[key], other[key]) for key in one)
    if isinstance(one, tuple | list) and isinstance(other, tuple | list):
        return len(one) == len(other) and all(map(alike, one, other))
    if any(isinstance(value, str | dict | tuple | list | type(None)) for value in (one, other)):
        return type(one) is type(other) and one == other
    one, other = np.asarray(one), np.asarray(other)
    if one.shape != other.shape or one.dtype.kind != other.dtype.kind:
        return False
    return np.allclose(one, other, rtol=1e-6, atol=1e-7, equal_nan=True)


def _answers(network, calls):
    shown = {part: [] for part in LOSS_PARTS}
    for call in calls:
        kind = call.id.kind
        if kind == "purity":
            shown["purity"].append(_purity(network, call))
        if kind not in {"scores", "loss", "predict", "labels"} and kind != "single":
            continue
        # Of the single rows three are enough.
        for step in call.steps[:3]:
            reply = perform(network, replace(call, steps=(step,)))
            answer = reply.results[0] if reply.results else RAISED
            if step.method == "predict":
                shown["labels"].append(answer)
            elif step.method == "loss" and "y" not in step.arguments:
                shown["scores"].append(answer)
            elif step.method == "loss":
                loss, gradients = answer if isinstance(answer, tuple) and len(answer) == 2 else (answer, answer)
                shown["loss"].append(loss)
                shown["gradient"].append(gradients)
    return shown


def _purity(network, call):
    reply = perform(network, call)
    if len(reply.results) < len(call.steps):
        return RAISED
    first, second, params, arguments = reply.results
    before = call.steps[0].arguments
    kept = all(np.array_equal(params[name], call.params[name]) for name in call.params)
    return [kept, all(np.array_equal(arguments[name], before[name]) for name in ("X", "y")), alike(first, second)]


@dataclass(frozen=True, kw_only=True)
class _StandIn(Network):
    """A network whose loss and labels are given: what train() asks is noted, and the reply depends on nothing else."""

    asked: list = field(default_factory=list)
    given: list = field(default_factory=list)

    def evaluate(self, params, X, y, reg):
        at, rng = len(self.asked), np.random.default_rng(len(self.asked))
        self.asked.append(({name: np.array(value) for name, value in params.items()}, np.array(X), np.array(y), reg))
        return 2.0 / (1 + at), {name: rng.normal(size=np.shape(value)) for name, value in params.items()}

    def predict(self, params, X):
        self.given.append(_Labels(0.5 + 0.01 * len(self.given)))
        return self.given[-1]


class _Dice:
    """A generator whose indices do not depend on what else was drawn: other weights are not another batch."""

    def __init__(self):
        indices, numbers = np.random.RandomState(7), np.random.RandomState(8)
        self.choice, self.permutation, self.standard_normal = (
            indices.choice,
            indices.permutation,
            numbers.standard_normal,
        )


@dataclass(frozen=True, eq=False)
class _Labels:
    """Labels of a given share of which is right, whatever they are compared with."""

    share: float

    __hash__ = None

    def __eq__(self, other):
        return np.array([self.share])


def _training(network, calls):
    """Ask for the trainings that are watched; a row of X is known by its numbers, and a step by what it was taken from."""
    shown = {part: [] for part in TRAIN_PARTS}
    for call in (one for one in calls if str(one.id) in {"watched/same", "watched/rows"}):
        stand_in = _StandIn(**{step.name: getattr(network, step.name) for step in fields(Network)})
        about = {"method", "replaced", "verbose"}
        given = {name: value for name, value in call.steps[0].arguments.items() if name not in about}
        try:
            with np.errstate(all="ignore"):
                trained = stand_in.train(call.params, **given, rng=_Dice())
        except Exception as error:  # noqa: BLE001 -- a wrong step fails in whatever way it likes
            trained = type(error).__name__
        params = [*(one[0] for one in stand_in.asked), getattr(trained, "params", trained)]
        if isinstance(params[-1], dict) and all(
            np.array_equal(params[-1][name], params[0][name]) for name in call.params
        ):
            # Where nothing moves there is no step to look at, and histories of no training are easily kept.
            for part in TRAIN_PARTS:
                shown[part].append("nothing moved")
            continue
        histories = getattr(trained, "histories", trained)
        known = isinstance(histories, dict)
        shown["moved"].append(params)
        shown["reg"].append(sorted({one[3] for one in stand_in.asked}))
        shown["losses kept"].append(histories["loss_history"] if known else histories)
        shown["accuracies kept"].append(
            [histories[f"{which}_acc_history"] for which in ("train", "val")] if known else histories
        )
        shown["batches"].append([one[1:3] for one in stand_in.asked])
    return shown
