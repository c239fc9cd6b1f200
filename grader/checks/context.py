"""The context of a check: the replies and the expected answers, and how to read an answer."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import wraps
from typing import Any, Concatenate, ParamSpec, TypeVar

import numpy as np

from grader.compare import Tolerance, as_array, as_number, describe, fit
from grader.model import Array, Assignment, Call, Expectation, Finding, Floats, QuestionId, Questions, Reply, Run
from grader.records import dataclass, field, replace


@dataclass(frozen=True, eq=False)
class GradingContext:
    """One submission's replies with the questions and the right answers; ranges : of the tolerances that were used so far."""

    assignment: Assignment
    questions: Questions
    run: Run
    ranges: dict[str, tuple[float, float]] = field(default_factory=dict)

    @property
    def names(self) -> tuple[str, ...]:
        """First weights, first bias, second weights, second bias, and so on."""
        return self.assignment.variant.names

    def tolerance(self, name: str, least: float = 0.0) -> Tolerance:
        """Return a tolerance of the rubric, such as "gradient", or what it is at least."""
        return Tolerance(getattr(self.assignment.tolerances, name), name, self.ranges, least)

    def calls(self, prefix: str) -> list[Call]:
        """Return the calls of one family, such as "loss", in the order in which they were asked."""
        return _calls_by_kind(self).get(prefix, [])

    def reply(self, call: QuestionId) -> Reply:
        """Return the reply to a call; without one, a reply that says that it was not asked."""
        return self.run.replies.get(call) or Reply(call, "not_asked", error=self.run.load.error)

    def result(self, call: QuestionId, step: int = 0) -> Any:
        """Return what a step of a call returned; None where there is nothing."""
        results = self.reply(call).results
        return results[step] if step < len(results) else None

    def expected(self, call: QuestionId) -> Expectation:
        """Return the reference's answer to a call."""
        return self.questions.expected[call]

    def call(self, identity: QuestionId) -> Call:
        """Return a call by its id."""
        return _calls_by_id(self)[identity]

    def go_on(self, run: Run) -> GradingContext:
        """Return the context of a run that has gone on: what was worked out of the replies before need not be again."""
        after = replace(self, run=run)
        # A reply may be taken back, where a second one to the same question came late.
        if all(run.replies.get(call) is reply for call, reply in self.run.replies.items()):
            vars(after)[WORKED_OUT] = dict(vars(self).get(WORKED_OUT, {}))
        return after


P = ParamSpec("P")
T = TypeVar("T")
# Where a context keeps what was worked out of its replies. It is no field of it, since `replace` would share fields.
WORKED_OUT = "worked_out"


def cached_per_submission(
    function: Callable[Concatenate[GradingContext, P], T],
) -> Callable[Concatenate[GradingContext, P], T]:
    """Compute a function of the context once. Eighteen checks need the same facts; this saves 45 ms a submission."""

    @wraps(function)
    def remembered(context: GradingContext, /, *args: P.args, **kwargs: P.kwargs) -> T:
        if kwargs:
            return function(context, *args, **kwargs)
        cache, key = vars(context).setdefault(WORKED_OUT, {}), (function, args)
        # Asked six hundred times a submission, and answered from here two times of three.
        try:
            found: T = cache[key]
        except KeyError:
            found = cache[key] = function(context, *args, **kwargs)
        return found

    return remembered


@cached_per_submission
def _calls_by_id(context: GradingContext) -> dict[QuestionId, Call]:
    return {call.id: call for call in context.questions.calls}


@cached_per_submission
def _calls_by_kind(context: GradingContext) -> dict[str, list[Call]]:
    found: dict[str, list[Call]] = {}
    for call in context.questions.calls:
        found.setdefault(call.id.kind, []).append(call)
    return found


def failure_of(reply: Reply, index: int = 0, about: str = "") -> Finding | None:
    """Return why a call did not answer its step `index`; None where it did."""
    if len(reply.results) > index:
        return None
    error = reply.error
    if error is None:
        return Finding(0.0, "Not judged: the grader did not run this.", skipped=True, about=about)
    where = f"\nIt happened in {error.places[-1]}." if error.places else ""
    during = error.during if "(" in error.during or " " in error.during else f"{error.during}()"
    if reply.outcome == "raised":
        if error.type == "NotImplementedError":
            text = f"Not started: {during} raises NotImplementedError.{where}"
            return Finding(0.0, text, skipped=True, about=about, error=error)
        text = f"{during} raised {error.type}: {error.message}{where}"
        return Finding(0.0, text, places=error.places, about=about, error=error)
    skipped = reply.outcome == "not_asked"
    text = f"{during}: {error.message}{where}"
    return Finding(0.0, text, places=error.places, skipped=skipped, about=about, error=error)


@dataclass(frozen=True)
class LossAnswer:
    """What loss(X, y, reg) returned, taken apart."""

    value: float | None
    grads: dict[str, Any]
    finding: Finding | None  # why there is no value
    surplus: str = ""  # what was wrong with the shape of the answer, though a loss could be read from it


@cached_per_submission
def read_loss(context: GradingContext, call: QuestionId, index: int = 0) -> LossAnswer:
    """Return loss and gradients from a call's step, however the program wrapped them."""
    answer = context.result(call, index)
    if isinstance(answer, tuple) and len(answer) == 2 and isinstance(answer[1], dict):
        value = as_number(answer[0])
        if value is not None:  # what was asked for, and what 80 of 80 answers of most submissions are
            return LossAnswer(value, answer[1], None)
    problem = failure_of(context.reply(call), index, about="loss")
    if problem:
        return LossAnswer(None, {}, problem)
    if is_not_started(answer):
        wrong = (
            "None for the loss" if isinstance(answer, tuple | list) else f"{describe(answer)} instead of (loss, grads)"
        )
        text = f"Not started: loss(X, y, reg) returned {wrong}."
        return LossAnswer(None, {}, Finding(0.0, text, skipped=True, about="loss"))
    parts = list(answer) if isinstance(answer, tuple | list) else [answer]
    value = as_number(parts[0]) if parts else None
    grads = next((part for part in parts[1:] if isinstance(part, dict)), {})
    if value is None:
        found = describe(answer) if not parts else f"{describe(answer)} that begins with {describe(parts[0])}"
        text = f"loss(X, y, reg) must return (loss, grads), with one number as the loss; it returned {found}."
        return LossAnswer(None, grads, Finding(0.0, text, about="loss"))
    if isinstance(answer, tuple | list) and len(parts) == 2 and isinstance(parts[1], dict):
        return LossAnswer(value, grads, None)
    came = f"a pair whose second part is {describe(parts[1])}" if len(parts) == 2 else describe(answer)
    return LossAnswer(value, grads, None, came)


def is_not_started(answer: Any) -> bool:
    """Return whether an answer comes from an untouched skeleton: None, Ellipsis, or a tuple of these and empty dicts."""
    if isinstance(answer, tuple | list):
        # Not `part == {}`: held against an array that is many answers, and `return None, dW1` ended the judging.
        rest = (part is None or (isinstance(part, dict) and not part) for part in answer[1:])
        return bool(len(answer)) and is_not_started(answer[0]) and all(rest)
    return answer is None or (type(answer).__name__ == "OpaqueValue" and answer.type == "ellipsis")


def own_params(
    context: GradingContext, call: Call, index: int, shapes: Mapping[str, tuple[int, ...]] | None = None
) -> dict[str, Floats] | None:
    """Return the parameters after a call's step `index` in the assignment's shapes; None where any is missing or unusable.

    shapes : for a call that did not set the parameters; otherwise the shapes are those of the call's own.
    """
    params = context.result(call.id, index)
    if shapes is None:
        shapes = {name: given.shape for name, given in call.params.items()}
    if not isinstance(params, dict):
        return None
    found: dict[str, Floats] = {}
    for name, shape in shapes.items():
        array = as_array(params.get(name))
        fitted = None if array is None else fit(array, shape)
        if fitted is None or not np.isfinite(fitted).all():
            return None
        found[name] = np.asarray(fitted, dtype=np.float64)
    return found


def final_scores(
    context: GradingContext, call: QuestionId, shapes: Mapping[str, tuple[int, ...]] | None = None
) -> Floats | str:
    """Return the scores at the final parameters, or why there are none.

    The reference computes them from the parameters where it is at hand, since scores that the student's side claims
    prove nothing. Frozen questions have only the claim.
    """
    X = context.expected(call)["X"]
    asked = context.call(call)
    position = [step.method for step in asked.steps].index("params")
    params = own_params(context, asked, position, shapes)
    oracle = context.questions.oracle
    if oracle is not None and oracle.scores is not None:
        return "the parameters are missing or not finite afterwards" if params is None else oracle.scores(params, X)
    claimed = as_array(context.result(call, position + 1))
    # No column more than there are classes: as float64 a claim of 64 MiB of single bytes took half a gibibyte.
    if claimed is None or claimed.shape != (len(X), asked.sizes[-1]) or not np.isfinite(claimed).all():
        return "loss(X) gives no scores afterwards"
    return claimed.astype(np.float64)


def own_gradient(
    context: GradingContext, call: QuestionId, index: int, name: str, shape: tuple[int, ...], *, spread: bool = False
) -> Floats | None:
    """Return one gradient from a loss step in the assignment's shape; None where there is none.

    spread : take fewer entries for all, as numpy does in an update. A scalar bias gradient is a mistake of loss(),
        not of the train() that uses it.
    """
    found = read_loss(context, call, index).grads.get(name)
    if isinstance(found, np.ndarray) and found.dtype == np.float64 and found.shape == shape:
        return found if np.isfinite(found).all() else None
    array = as_array(found)
    fitted = None if array is None else fit(array, shape)
    if fitted is None and array is not None and spread:
        try:
            fitted = np.broadcast_to(array, shape)
        except ValueError:
            return None
    return None if fitted is None or not np.isfinite(fitted).all() else np.asarray(fitted, dtype=np.float64)


@cached_per_submission
def loss_calls(context: GradingContext) -> list[tuple[Call, str, float]]:
    """Return each loss call with its case's letter and its reg."""
    calls = context.calls("loss")
    return [(call, call.id.case, float(context.expected(call.id)["reg"])) for call in calls]


@cached_per_submission
def swept_losses(context: GradingContext, identity: QuestionId) -> dict[str, Array] | None:
    """Return the losses of a sweep, {name: (2, *shape)}, all finite; None where any is missing."""
    losses = context.result(identity)
    if not isinstance(losses, dict):
        return None
    found: dict[str, Array] = {}
    for name, given in context.call(identity).params.items():
        pair = as_array(losses.get(name))
        if pair is None or pair.shape != (2, *given.shape) or not np.isfinite(pair).all():
            return None
        found[name] = pair
    return found


def best_array(value: Any, shape: tuple[int, ...]) -> tuple[Array | None, str]:
    """Return an answer in the expected shape, or words for what it is instead."""
    array = as_array(value)
    if array is None:
        return None, describe(value)
    fitted = fit(array, shape)
    return (fitted, "") if fitted is not None else (None, describe(array))


def combine_cases(findings: list[Finding | None], fine: str, about: str) -> Finding:
    """Return one finding for several cases; None stands for a right case. The text is that of the first problem.

    The credit is the share of right cases if at least half are right: fewer is luck, not understanding.
    """
    problem = next((finding for finding in findings if finding and not finding.carried), None)
    carried = next((finding for finding in findings if finding and finding.carried), None)
    if problem is None:
        return carried or Finding(1.0, fine, about=about)
    right = sum(1.0 if finding is None else finding.share for finding in findings)
    share = right / len(findings) if 2 * right >= len(findings) else 0.0
    told = f"\n{findings.count(None)} of {len(findings)} cases are right." if None in findings else ""
    skipped = problem.skipped and not right
    return replace(problem, share=share, message=problem.message + told, skipped=skipped)
