"""Gradients: against the reference, and against the numeric gradient of the student's own loss.

Either alone misses a class of mistakes. A gradient that is right for the assignment's loss earns its points though
the student's loss is wrong; one that is right for the student's own loss does, too: nobody pays twice for one mistake.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import prod

import numpy as np

from grader.checks.clues import with_clues
from grader.checks.evidence import (
    Evidence,
    best_array,
    fact,
    given,
    loss_calls,
    obstacle,
    own_gradient,
    read_loss,
    settle,
)
from grader.checks.excuse import (
    agrees,
    difference,
    excused,
    home,
    loss_right_in,
    right_for_own_loss,
    right_gradient,
    sound,
)
from grader.checks.gradient_clues import of_gradient
from grader.checks.losses import (
    allowed_conventions,
    convention,
    fitted_factors,
    loss_right,
    loss_tolerance,
    numeric_gradients,
    rounded,
)
from grader.compare import Difference, allowance, as_array, compare, fit, is_single, number
from grader.records import Array, Call, Finding, Floats, HeatMap

NEXT = {
    "weights": "Look at the input of this layer, transposed, times the gradient of its output; then at the regulariser's part.",
    "bias": "Look at the gradient of this layer's output, summed over the rows of the batch; a bias has one entry per unit.",
}


def _against_reference(evidence: Evidence, position: int) -> Finding:
    name = evidence.names[position]
    about = f"grads {name}"
    if all(read_loss(evidence, call.id).finding for call, _, _ in loss_calls(evidence)):
        finding = next(read_loss(evidence, call.id).finding for call, _, _ in loss_calls(evidence))
        return finding or Finding(0.0, "Not judged.", skipped=True, about=about)
    calls = [call for call, _, _ in loss_calls(evidence)]
    findings = [fault(evidence, call.id, name) for call in calls]
    cases = len(findings)
    wrong = [call for call, finding in zip(calls, findings, strict=True) if finding]
    if wrong and excused(evidence, name, wrong):
        text = (
            "Right for your own loss: it agrees with the numeric gradient of the loss that you compute,"
            " so the mistake in the loss is not charged again here."
        )
        return Finding(1.0, text, about=about)
    settled = settle(findings, f"Right in all {cases} cases, entry by entry.", about=about)
    return with_clues(settled, lambda: of_gradient(evidence, name, wrong))


@fact
def fault(evidence: Evidence, identity: str, name: str) -> Finding | None:
    """Say what is wrong with a gradient in one plain call; None where it is the right one."""
    call = evidence.call(identity)
    about = f"grads {name}"
    answer = read_loss(evidence, call.id)
    if answer.finding:
        return answer.finding
    if (identity, name) in plainly_right(evidence):
        return None
    shape = call.params[name].shape
    if name not in answer.grads:
        if answer.surplus and not answer.grads:
            text = f"grads must be a dict with the keys W1, b1, W2, b2; loss(X, y, reg) returned {answer.surplus}."
            return Finding(0.0, text, about=about)
        if not answer.grads:
            text = f"Not started: loss(X, y, reg) returns no gradients, so grads[{name!r}] is missing."
            return Finding(0.0, text, skipped=True, about=about)
        text = f"grads[{name!r}] is missing; the keys are {', '.join(map(str, answer.grads))[:80]}."
        return Finding(0.0, text, about=about)
    if answer.grads[name] is None:
        return Finding(0.0, f"Not started: grads[{name!r}] is None.", skipped=True, about=about)
    array, found = best_array(answer.grads[name], shape)
    if array is None:
        text = f"grads[{name!r}] must have the shape of {name}, {shape}; it is {found}.\n{_next(shape)}"
        return Finding(0.0, text, about=about)
    difference = _nearest(evidence, call, name, array)
    return None if difference.within else _wrong(evidence, call, name, difference)


@fact
def plainly_right(evidence: Evidence) -> frozenset[tuple[str, str]]:
    """Give (call, name) of the gradients that are right in double precision.

    All are compared at once: one by one, thirty-six comparisons took 2 ms, and most submissions need no more than this.
    """
    laid = _laid_out(evidence, followed(evidence))
    own = [_flat(read_loss(evidence, call).grads.get(name), shape) for call, name, shape in laid.places]
    # NaN is within nothing.
    near = np.abs(np.concatenate(own) - laid.right) / laid.allowed <= 1.0
    if near.all():
        return laid.every
    fine = np.logical_and.reduceat(near, laid.starts)
    return frozenset((call, name) for (call, name, _), right in zip(laid.places, fine, strict=True) if right)


def _flat(value: object, shape: tuple[int, ...]) -> Floats:
    """Give a gradient's entries in one row; NaN for one that has no such entries."""
    array = as_array(value)
    fitted = None if array is None else fit(array, shape)
    return np.full(prod(shape), np.nan) if fitted is None else np.asarray(fitted, dtype=np.float64).reshape(-1)


@dataclass(frozen=True, eq=False)
class _LaidOut:
    """The right gradients of all plain calls, one after the other, and how far from them is near enough."""

    places: tuple[tuple[str, str, tuple[int, ...]], ...]  # call, name, shape
    every: frozenset[tuple[str, str]]
    starts: Array
    right: Floats
    allowed: Floats


@given
def _laid_out(evidence: Evidence, factor: float) -> _LaidOut:
    tolerances = evidence.assignment.tolerances
    rights = {
        (call.id, name): right_gradient(evidence, call, name, factor)
        for call, _, _ in loss_calls(evidence)
        for name in evidence.names
    }
    allowed = [allowance(one, relative=tolerances.gradient, floor=tolerances.floor) for one in rights.values()]
    sizes = [one.size for one in rights.values()]
    return _LaidOut(
        tuple((call, name, right.shape) for (call, name), right in rights.items()),
        frozenset(rights),
        np.cumsum([0, *sizes[:-1]]),
        np.concatenate([one.reshape(-1) for one in rights.values()]),
        np.concatenate([one.reshape(-1) for one in allowed]),
    )


def _nearest(evidence: Evidence, call: Call, name: str, array: Floats) -> Difference:
    """Compare with the right gradient under the loss's own convention."""
    tolerances, factor = evidence.assignment.tolerances, followed(evidence)

    def nearest(relative: float) -> Difference:
        return compare(array, right_gradient(evidence, call, name, factor), relative=relative, floor=tolerances.floor)

    strict = nearest(tolerances.gradient)
    # The regulariser may be added in double precision to a gradient that was computed in single.
    return strict if strict.within or not (is_single(array) or rounded(evidence)) else nearest(tolerances.single)


@fact
def followed(evidence: Evidence) -> float:
    """Give the factor of the regulariser that gradients are held to: the loss's own, else the one that more of them show.

    One for all of them: half of it in W1 and the whole in W2 is right under no convention, however unclear the loss.
    """
    fitted, single = convention(evidence), evidence.assignment.tolerances.single
    if fitted is not None:
        return fitted

    def shown(factor: float) -> int:
        return sum(
            own is not None
            and compare(own, right_gradient(evidence, call, name, factor), relative=single, floor=1.0).within
            for call, _, reg in loss_calls(evidence)
            for name in evidence.names[::2]
            if reg
            for own in (own_gradient(evidence, call.id, 0, name, call.params[name].shape),)
        )

    # A loss that shows a convention anywhere has chosen.
    tolerance = 10 * loss_tolerance(evidence)
    allowed, seen = allowed_conventions(evidence), fitted_factors(evidence)
    chosen = [k for k in allowed if any(abs(factor - k) <= tolerance * k for factor in seen)]
    return max(chosen or allowed, key=shown)


def _wrong(evidence: Evidence, call: Call, name: str, difference: Difference) -> Finding:
    shape, reg = call.params[name].shape, float(evidence.expected(call.id)["reg"])
    where = f"[{', '.join(map(str, difference.worst))}]"
    error = difference.error.reshape(1, -1) if difference.error.ndim == 1 else difference.error
    text = (
        f"grads[{name!r}] of loss(X, y, reg={reg:g}), shape {shape}: {difference.wrong_entries} of"
        f" {difference.error.size} entries are wrong; the worst is {name}{where}: yours {number(difference.theirs)},"
        f" right {number(difference.right)}.\n{_next(shape)}"
    )
    worst = difference.worst if difference.error.ndim == 2 else (0, *difference.worst)
    return Finding(0.0, text, (HeatMap(f"{name}, reg = {reg:g}", error, worst),), about=f"grads {name}")


def _next(shape: tuple[int, ...]) -> str:
    return NEXT["weights" if len(shape) == 2 else "bias"]


@fact
def strayed(evidence: Evidence) -> bool:
    """Tell whether a gradient is not the assignment's in most plain calls, whatever excuses it: training goes by it."""
    calls = [call for call, _, _ in loss_calls(evidence)]
    return any(
        2 * sum(fault(evidence, call.id, name) is not None for call in calls) > len(calls) for name in evidence.names
    )


def numeric_gradient(evidence: Evidence) -> Finding:
    """Each gradient is the derivative of your own loss, by central differences."""
    calls = evidence.calls("sweep")
    for call in calls:
        base = read_loss(evidence, home(call))
        problem = base.finding or obstacle(evidence.reply(call.id), about="loss")
        if problem:
            return problem
        if not base.grads:
            return Finding(0.0, "Not started: loss(X, y, reg) returns no gradients.", skipped=True, about="loss")
    pardoned = not loss_right(evidence)
    findings: list[Finding | None] = []
    for name in evidence.names:
        right = all(_derivative_of_own_loss(evidence, call, name) for call in calls)
        if not right and pardoned and not any(fault(evidence, c.id, name) for c, _, _ in loss_calls(evidence)):
            # Their loss is wrong and their gradient is the right one: the loss has paid already.
            right = True
        findings.append(None if right else _inconsistent(evidence, calls[0], name))
    wrong = [finding for finding in findings if finding]
    if not wrong:
        text = "Each gradient agrees with your own loss"
        text += ", or is the right one though your loss is not." if pardoned else "."
        return Finding(1.0, text, about="loss")
    text = "\n".join(finding.message for finding in wrong)
    text += "\nLook at what enters the loss but not the gradient, or the other way round; a factor is a usual cause."
    figures = tuple(figure for finding in wrong for figure in finding.figures)
    return Finding(1 - len(wrong) / len(findings), text, figures, about=wrong[0].about)


def _derivative_of_own_loss(evidence: Evidence, call: Call, name: str) -> bool:
    """Tell whether the gradient is the derivative of the student's loss, whatever a sweep says of one that is right."""
    if not loss_right_in(evidence, home(call)):
        return right_for_own_loss(evidence, name)
    own = own_gradient(evidence, home(call), 0, name, call.params[name].shape)
    if own is None or fault(evidence, home(call), name):
        return False
    return agrees(evidence, call, name, own) and sound(evidence, call.id)


def _inconsistent(evidence: Evidence, call: Call, name: str) -> Finding:
    found = difference(evidence, call, name)
    if found is None:
        return Finding(0.0, f"{name}: {_without_slope(evidence, call, name)}", about=f"grads {name}")
    if found.within:
        known = loss_right_in(evidence, home(call)) and fault(evidence, home(call), name)
        text = f"{name}: near the question your loss changes in another way than the loss that it is at the question."
        text = (
            f"{name}: your loss is right here, so its derivative is known; your gradient is another." if known else text
        )
        return Finding(0.0, text, about=f"grads {name}")
    where = ", ".join(map(str, found.worst))
    text = (
        f"{name}[{where}]: your gradient is {number(found.theirs)}, but your loss changes"
        f" by {number(found.right)} per unit of it."
    )
    error = found.error.reshape(1, -1) if found.error.ndim == 1 else found.error
    worst = found.worst if found.error.ndim == 2 else (0, *found.worst)
    return Finding(0.0, text, (HeatMap(f"{name} against your own loss", error, worst),), about=f"grads {name}")


def _without_slope(evidence: Evidence, call: Call, name: str) -> str:
    """Say why a gradient cannot be held against the changes of the loss."""
    grads, numeric = read_loss(evidence, home(call)).grads, numeric_gradients(evidence, call.id)
    if grads.get(name) is None:
        return f"grads[{name!r}] is missing."
    if own_gradient(evidence, home(call), 0, name, call.params[name].shape) is None:
        return "your gradient is of another shape, or holds no finite numbers."
    if numeric is None:
        return "your loss is no finite number near the question."
    if not numeric[name][0].any() and not rounded(evidence):
        return f"your loss does not change with {name}."
    return f"your loss is rounded too much to show a slope along {name}, and your gradient is not the right one."


@fact
def gradient_W1(evidence: Evidence) -> Finding:
    """grads['W1'] is the gradient of the loss by the first layer's weights."""
    return _against_reference(evidence, 0)


@fact
def gradient_b1(evidence: Evidence) -> Finding:
    """grads['b1'] is the gradient of the loss by the first layer's bias."""
    return _against_reference(evidence, 1)


@fact
def gradient_W2(evidence: Evidence) -> Finding:
    """grads['W2'] is the gradient of the loss by the second layer's weights."""
    return _against_reference(evidence, 2)


@fact
def gradient_b2(evidence: Evidence) -> Finding:
    """grads['b2'] is the gradient of the loss by the second layer's bias."""
    return _against_reference(evidence, 3)
