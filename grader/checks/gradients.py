"""Gradients: against the reference, and against the numeric gradient of the student's own loss.

Either alone misses a class of mistakes. A gradient that is right for the assignment's loss earns its points though
the student's loss is wrong; one that is right for the student's own loss does, too: nobody pays twice for one mistake.
"""

from __future__ import annotations

from grader.checks.evidence import (
    Evidence,
    allowed_conventions,
    best_array,
    convention,
    fact,
    loss_calls,
    loss_right,
    obstacle,
    own_gradient,
    read_loss,
    settle,
)
from grader.checks.excuse import consistent, difference, excused, home, loss_right_in, right_for_own_loss, sound
from grader.compare import Difference, compare, is_single, number
from grader.records import Call, Finding, Floats, HeatMap

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
    return settle(findings, f"Right in all {cases} cases, entry by entry.", about=about)


@fact
def fault(evidence: Evidence, identity: str, name: str) -> Finding | None:
    """Say what is wrong with a gradient in one plain call; None where it is the right one."""
    call = evidence.call(identity)
    about = f"grads {name}"
    answer = read_loss(evidence, call.id)
    if answer.finding:
        return answer.finding
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


def _nearest(evidence: Evidence, call: Call, name: str, array: Floats) -> Difference:
    """Compare with the right gradient under the loss's own convention; where that is unclear, under the nearer one."""
    fitted = convention(evidence)
    factors = allowed_conventions(evidence) if fitted is None else (fitted,)
    tolerances, expected = evidence.assignment.tolerances, evidence.expected(call.id)
    rights = [expected[f"data_{name}"] + factor * expected["reg"] * expected[f"penalty_{name}"] for factor in factors]

    def nearest(relative: float) -> Difference:
        differences = [compare(array, right, relative=relative, floor=tolerances.floor) for right in rights]
        return min(differences, key=lambda difference: float(difference.error.max(initial=0.0)))

    strict = nearest(tolerances.gradient)
    return strict if strict.within or not is_single(array) else nearest(tolerances.single)


def _hint(evidence: Evidence, call: Call, name: str) -> str:
    """Say what their gradient is, where a factor of the whole or of the regulariser's part explains all of it."""
    own = own_gradient(evidence, call.id, 0, name, call.params[name].shape)
    expected, rows = evidence.expected(call.id), len(call.steps[0].arguments["y"])
    if own is None:
        return ""
    reg, data, penalty = float(expected["reg"]), expected[f"data_{name}"], expected[f"penalty_{name}"]
    if not reg:
        factor = float((own * data).sum() / (data * data).sum())
        if not compare(own, factor * data, relative=1e-6, floor=1.0).within or not factor:
            return ""
        n = f", and there are {rows} examples" if min(abs(factor - rows), abs(factor * rows - 1)) < 1e-5 else ""
        return f" It is {number(factor)} times the right one everywhere{n}."
    if not penalty.any():
        return ""
    share = float(((own - data) * penalty).sum() / (penalty * penalty).sum()) / reg
    if not compare(own, data + share * reg * penalty, relative=1e-5, floor=1.0).within:
        return ""
    k = convention(evidence)
    wanted = f"{number(2 * k)} reg {name}" if k else f"the derivative of what your loss adds, by {name}"
    had = f"{number(2 * share)} reg {name}" if abs(share) > 1e-9 else "nothing"
    return f" It is right but for the regulariser's part: your loss asks for {wanted}; your gradient adds {had}."


def _wrong(evidence: Evidence, call: Call, name: str, difference: Difference) -> Finding:
    shape, reg = call.params[name].shape, float(evidence.expected(call.id)["reg"])
    where = f"[{', '.join(map(str, difference.worst))}]"
    error = difference.error.reshape(1, -1) if difference.error.ndim == 1 else difference.error
    text = (
        f"grads[{name!r}] of loss(X, y, reg={reg:g}), shape {shape}: {difference.wrong_entries} of"
        f" {difference.error.size} entries are wrong; the worst is {name}{where}: yours {number(difference.theirs)},"
        f" right {number(difference.right)}.{_hint(evidence, call, name)}\n{_next(shape)}"
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
    return consistent(evidence, call, name) and sound(evidence, call.id) and not fault(evidence, home(call), name)


def _inconsistent(evidence: Evidence, call: Call, name: str) -> Finding:
    found = difference(evidence, call, name)
    if found is None:
        grads = read_loss(evidence, home(call)).grads
        text = f"{name}: your gradient is of another shape, or your loss does not depend on {name}."
        text = text if grads.get(name) is not None else f"{name}: grads[{name!r}] is missing."
        return Finding(0.0, text, about=f"grads {name}")
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
