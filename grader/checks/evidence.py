"""What a check looks at: the replies, the expectations, and what several checks need to know of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import wraps
from typing import Any, Concatenate, ParamSpec, TypeVar

import numpy as np

from grader.checks.rounding import quantum, rough, slope_noise
from grader.compare import as_array, as_number, compare, describe, fit
from grader.records import Array, Assignment, Call, Expectation, Finding, Floats, Probes, Reply, Run

# Own losses of twelve single rows against the right ones. A hinge or squared error instead of the cross-entropy
# reaches 0.9; a loss that ignores labels or inputs, which would make "right for your own loss" free, stays near 0.
RESEMBLANCE = 0.7


@dataclass(frozen=True, eq=False)
class Evidence:
    """One submission's replies beside the questions and the right answers."""

    assignment: Assignment
    probes: Probes
    run: Run
    known: dict[Any, Any] = field(default_factory=dict, repr=False)  # what `fact` has worked out already

    @property
    def names(self) -> tuple[str, str, str, str]:
        """First weights, first bias, second weights, second bias."""
        return self.assignment.variant.names

    def calls(self, prefix: str) -> list[Call]:
        """Give the calls of one family, such as "loss", in the order in which they were asked."""
        key = ("calls", prefix)
        if key not in self.known:
            self.known[key] = [call for call in self.probes.calls if call.id.partition("/")[0] == prefix]
        found: list[Call] = self.known[key]
        return found

    def reply(self, call: str) -> Reply:
        """Give the reply to a call; one that never came counts as not asked."""
        return self.run.replies.get(call) or Reply(call, "not_asked", error=self.run.load.error)

    def expected(self, call: str) -> Expectation:
        """Give the reference's answer to a call."""
        return self.probes.expected[call]

    def call(self, identity: str) -> Call:
        """Give a call by its id."""
        if "call" not in self.known:
            self.known["call"] = {call.id: call for call in self.probes.calls}
        found: Call = self.known["call"][identity]
        return found


P = ParamSpec("P")
T = TypeVar("T")


def fact(function: Callable[Concatenate[Evidence, P], T]) -> Callable[Concatenate[Evidence, P], T]:
    """Work a function of the evidence out once: eighteen checks ask for the same facts, 45 ms a submission without this."""

    @wraps(function)
    def remembered(evidence: Evidence, /, *args: P.args, **kwargs: P.kwargs) -> T:
        key = (function, args)
        if kwargs or key not in evidence.known:
            evidence.known[key] = function(evidence, *args, **kwargs)
        found: T = evidence.known[key]
        return found

    return remembered


def obstacle(reply: Reply, index: int = 0, about: str = "") -> Finding | None:
    """Say what kept a call from answering its step `index`; None where it answered."""
    if len(reply.results) > index:
        return None
    error = reply.error
    if error is None:
        return Finding(0.0, "Not judged: this was not asked.", skipped=True, about=about)
    where = f"\nIt happened in {error.places[-1]}." if error.places else ""
    during = error.during if "(" in error.during or " " in error.during else f"{error.during}()"
    if reply.outcome == "raised":
        if error.type == "NotImplementedError":
            return Finding(0.0, f"Not started: {during} raises NotImplementedError.{where}", skipped=True, about=about)
        return Finding(0.0, f"{during} raised {error.type}: {error.message}{where}", places=error.places, about=about)
    skipped = reply.outcome == "not_asked"
    return Finding(0.0, f"{during}: {error.message}{where}", places=error.places, skipped=skipped, about=about)


@dataclass(frozen=True)
class Loss:
    """What loss(X, y, reg) returned, taken apart."""

    value: float | None
    grads: dict[str, Any]
    finding: Finding | None  # why there is no value
    surplus: str = ""  # what was wrong with the shape of the answer, though a loss could be read from it


@fact
def read_loss(evidence: Evidence, call: str, index: int = 0) -> Loss:
    """Take (loss, grads) of a call's step apart, however it was wrapped."""
    reply = evidence.reply(call)
    problem = obstacle(reply, index, about="loss")
    if problem:
        return Loss(None, {}, problem)
    answer = reply.results[index]
    if not_started(answer):
        found = "a loss that is None" if isinstance(answer, tuple | list) else describe(answer)
        text = f"Not started: loss(X, y, reg) returned {found} instead of (loss, grads)."
        return Loss(None, {}, Finding(0.0, text, skipped=True, about="loss"))
    parts = list(answer) if isinstance(answer, tuple | list) else [answer]
    value = as_number(parts[0]) if parts else None
    grads = next((part for part in parts[1:] if isinstance(part, dict)), {})
    if value is None:
        found = describe(answer) if not parts else f"{describe(answer)} that begins with {describe(parts[0])}"
        text = f"loss(X, y, reg) must return (loss, grads), the loss being one number; it returned {found}."
        return Loss(None, grads, Finding(0.0, text, about="loss"))
    if isinstance(answer, tuple | list) and len(parts) == 2 and isinstance(parts[1], dict):
        return Loss(value, grads, None)
    came = f"a pair whose second part is {describe(parts[1])}" if len(parts) == 2 else describe(answer)
    return Loss(value, grads, None, came)


def not_started(answer: Any) -> bool:
    """Tell an untouched skeleton's answer: None, Ellipsis, or a tuple that begins with None and holds nothing."""
    if isinstance(answer, tuple | list):
        # Not `part == {}`: held against an array that is many answers, and `return None, dW1` ended the judging.
        rest = (part is None or (isinstance(part, dict) and not part) for part in answer[1:])
        return bool(len(answer)) and not_started(answer[0]) and all(rest)
    return answer is None or (type(answer).__name__ == "Foreign" and answer.type == "ellipsis")


def own_params(
    evidence: Evidence, call: Call, index: int, shapes: Mapping[str, tuple[int, ...]] | None = None
) -> dict[str, Floats] | None:
    """Give the parameters after a call's step `index` in the assignment's shapes; None where they are not whole.

    shapes : for a call that did not set the parameters; otherwise the shapes are those of the call's own.
    """
    reply = evidence.reply(call.id)
    if shapes is None:
        shapes = {name: given.shape for name, given in call.params.items()}
    if len(reply.results) <= index or not isinstance(reply.results[index], dict):
        return None
    found: dict[str, Floats] = {}
    for name, shape in shapes.items():
        array = as_array(reply.results[index].get(name))
        fitted = None if array is None else fit(array, shape)
        if fitted is None or not np.isfinite(fitted).all():
            return None
        found[name] = np.asarray(fitted, dtype=np.float64)
    return found


def own_gradient(
    evidence: Evidence, call: str, index: int, name: str, shape: tuple[int, ...], *, spread: bool = False
) -> Floats | None:
    """Give one gradient from a loss step in the assignment's shape; None where there is none.

    spread : take fewer entries for all, as numpy does in an update. A scalar bias gradient is a mistake of loss(),
        not of the train() that uses it.
    """
    array = as_array(read_loss(evidence, call, index).grads.get(name))
    fitted = None if array is None else fit(array, shape)
    if fitted is None and array is not None and spread:
        try:
            fitted = np.broadcast_to(array, shape)
        except ValueError:
            return None
    return None if fitted is None or not np.isfinite(fitted).all() else np.asarray(fitted, dtype=np.float64)


@fact
def loss_calls(evidence: Evidence) -> list[tuple[Call, str, float]]:
    """Give each loss call with its case's letter and its reg."""
    calls = evidence.calls("loss")
    return [(call, call.id.split("/")[1], float(evidence.expected(call.id)["reg"])) for call in calls]


def allowed_conventions(evidence: Evidence) -> tuple[float, ...]:
    """Give the factors k that the assignment accepts in loss = data loss + k reg penalty."""
    return {"half": (0.5,), "full": (1.0,), "every": (1.0,), "either": (0.5, 1.0)}[
        evidence.assignment.variant.regulariser
    ]


@fact
def fitted_factors(evidence: Evidence) -> list[float]:
    """Fit k for each call with a regulariser, on the student's own data loss, so that its mistakes do not count here."""
    factors = []
    for call, case, reg in loss_calls(evidence):
        own, bare = read_loss(evidence, call.id).value, read_loss(evidence, f"loss/{case}/0").value
        if reg and own is not None and bare is not None:
            factors.append((own - bare) / (reg * float(evidence.expected(call.id)["penalty"])))
    return factors


@fact
def convention(evidence: Evidence) -> float | None:
    """Give the one accepted k that all of the student's losses show; None where they show another or none."""
    factors = np.array(fitted_factors(evidence))
    tolerance = loss_tolerance(evidence) * 10  # a difference of two losses carries a digit less
    for factor in allowed_conventions(evidence):
        if factors.size and (np.abs(factors - factor) <= tolerance * factor).all():
            return factor
    return None


@fact
def loss_tolerance(evidence: Evidence) -> float:
    """Give the tolerance of losses: the wider one where the student computes in float32, or cuts digits off.

    A regulariser that is added in double precision hides what the losses without one show.
    """
    values: dict[bool, list[Array]] = {True: [], False: []}
    for call, _, reg in loss_calls(evidence):
        answers = evidence.reply(call.id).results
        answer = answers[0] if answers else None
        value = as_array(answer[0]) if isinstance(answer, tuple | list) and answer else None
        if value is not None and value.size == 1:
            values[reg == 0].append(value)
    tolerances = evidence.assignment.tolerances
    rounds = quantum(values[True] + values[False]) or quantum(values[True])
    return tolerances.single if rounds else tolerances.loss


@fact
def rounded(evidence: Evidence) -> bool:
    """Tell whether single precision, or a rounding, is somewhere inside: in the losses, or in how they change."""
    if loss_tolerance(evidence) == evidence.assignment.tolerances.single:
        return True
    return any(rough(list(swept.values())) for call in evidence.calls("sweep") if (swept := sweep(evidence, call.id)))


@fact
def data_loss_right(evidence: Evidence, case: str) -> bool:
    """Tell whether the loss without regulariser is right on one case."""
    call = f"loss/{case}/0"
    value = read_loss(evidence, call).value
    if value is None:
        return False
    right = evidence.expected(call)["data_loss"]
    return compare(np.asarray(value), right, relative=loss_tolerance(evidence), floor=0.0).within


@fact
def loss_right(evidence: Evidence) -> bool:
    """Tell whether the whole loss is right: on every case, with the regulariser."""
    cases = {case for _, case, _ in loss_calls(evidence)}
    return all(data_loss_right(evidence, case) for case in cases) and convention(evidence) is not None


@fact
def resembles_the_loss(evidence: Evidence) -> bool:
    """Tell whether the student's loss is of the right kind.

    It is right on half of the cases, perhaps for scores of its own, or it rises and falls with the right one over
    single rows.
    """
    cases = [case for _, case, reg in loss_calls(evidence) if reg == 0]
    right = [data_loss_right(evidence, case) or right_for_own_scores(evidence, case) for case in cases]
    if 2 * sum(right) >= len(cases):
        return True
    expected = evidence.expected("rows/0")["losses"]
    own = [read_loss(evidence, "rows/0", index).value for index in range(1, 1 + expected.size)]
    values = np.array([np.nan if value is None else value for value in own])
    if not np.isfinite(values).all() or values.std() == 0:
        return False
    return bool(np.corrcoef(values, expected)[0, 1] >= RESEMBLANCE)


@fact
def sweep(evidence: Evidence, identity: str) -> dict[str, Array] | None:
    """Give the losses of a sweep, {name: (2, *shape)}, all finite; None where they are not whole."""
    reply, call = evidence.reply(identity), evidence.call(identity)
    if not reply.results or not isinstance(reply.results[0], dict):
        return None
    found: dict[str, Array] = {}
    for name, given in call.params.items():
        pair = as_array(reply.results[0].get(name))
        if pair is None or pair.shape != (2, *given.shape) or not np.isfinite(pair).all():
            return None
        found[name] = pair
    return found


@fact
def numeric_gradients(evidence: Evidence, identity: str) -> dict[str, tuple[Floats, float]] | None:
    """Give the central differences of the student's own loss, and what rounding may have done to them.

    (L(theta + h) - L(theta - h)) / 2h per entry; the second figure is the absolute noise, the same for all.
    """
    swept = sweep(evidence, identity)
    if swept is None:
        return None
    step = evidence.assignment.tolerances.step
    noise = slope_noise(list(swept.values()), step)
    found: dict[str, tuple[Floats, float]] = {}
    for name, pair in swept.items():
        # A forged reply may hold unsigned numbers, whose differences wrap around.
        slope = (pair[0].astype(np.float64) - pair[1].astype(np.float64)) / (2 * step)
        if not np.isfinite(slope).all():
            return None  # losses near the largest number there is
        found[name] = (slope, noise)
    return found


def best_array(value: Any, shape: tuple[int, ...]) -> tuple[Array | None, str]:
    """Give an answer in the expected shape, or say what it is instead."""
    array = as_array(value)
    if array is None:
        return None, describe(value)
    fitted = fit(array, shape)
    return (fitted, "") if fitted is not None else (None, describe(array))


def settle(findings: list[Finding | None], fine: str, about: str) -> Finding:
    """Put the findings of several cases together: None is right; the first problem's text is told.

    The share is that of the right cases, where at least half are right: fewer is luck, not understanding.
    """
    problem = next((finding for finding in findings if finding), None)
    if problem is None:
        return Finding(1.0, fine, about=about)
    right = sum(1.0 if finding is None else finding.share for finding in findings)
    share = right / len(findings) if 2 * right >= len(findings) else 0.0
    told = f"\n{findings.count(None)} of {len(findings)} cases are right." if None in findings else ""
    skipped = problem.skipped and not right
    return Finding(share, problem.message + told, problem.figures, problem.places, skipped, problem.about)


# Their own scores against the right ones, over all cases: a missing bias leaves 0.8, a sigmoid for the ReLU 0.6, a
# function of something else chance.
OWN_SCORES = 0.5


@fact
def scores_alike(evidence: Evidence) -> bool:
    """Tell whether the student's scores are wrong, perhaps, but of the right kind."""
    own, right = [], []
    for call in evidence.calls("scores"):
        reply, expected = evidence.reply(call.id), evidence.expected(call.id)["scores"]
        array = as_array(reply.results[0]) if reply.results else None
        if array is None or array.shape != expected.shape or not np.isfinite(array).all():
            return False
        own.append(array.reshape(-1).astype(np.float64))
        right.append(expected.reshape(-1))
    theirs = np.concatenate(own)
    return bool(theirs.std() > 0 and np.corrcoef(theirs, np.concatenate(right))[0, 1] >= OWN_SCORES)


def own_scores(evidence: Evidence, case: str) -> Floats | None:
    """Give the student's own scores of a case, where they are of the right kind."""
    return np.asarray(evidence.reply(f"scores/{case}").results[0], dtype=np.float64) if scores_alike(evidence) else None


@fact
def right_for_own_scores(evidence: Evidence, case: str) -> bool:
    """Tell whether the loss is the cross-entropy of scores that are wrong, but of the right kind."""
    own, value = own_scores(evidence, case), read_loss(evidence, f"loss/{case}/0").value
    if own is None or value is None:
        return False
    shifted = own - own.max(axis=1, keepdims=True)
    y = evidence.call(f"loss/{case}/0").steps[0].arguments["y"]
    mean = float(np.mean(np.log(np.exp(shifted).sum(axis=1)) - shifted[np.arange(len(y)), y]))
    return compare(np.asarray(value), np.asarray(mean), relative=loss_tolerance(evidence), floor=0.0).within
