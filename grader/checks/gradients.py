"""Gradients: against the reference, and against the numeric gradient of the student's own loss.

Either alone misses a class of mistakes. A gradient that is right for the assignment's loss earns its points though
the student's loss is wrong; one that is right for the student's own loss does, too: nobody pays twice for one mistake.
"""

from __future__ import annotations

import numpy as np

from grader.checks.evidence import (
    Evidence,
    allowed_conventions,
    best_array,
    convention,
    fact,
    loss_calls,
    loss_right,
    numeric_gradients,
    obstacle,
    own_gradient,
    read_loss,
    resembles_the_loss,
    settle,
)
from grader.compare import Difference, compare, is_single, number
from grader.records import Call, Finding, Floats, HeatMap

SLOPE_LIKENESS = 0.3  # cosine, for each parameter
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
    findings = [_of_call(evidence, call, name) for call, _, _ in loss_calls(evidence)]
    cases = len(findings)
    if any(findings) and not loss_right(evidence) and _right_for_own_loss(evidence, name):
        text = (
            "Right for your own loss: it agrees with the numeric gradient of the loss that you compute,"
            " so the mistake in the loss is not charged again here."
        )
        return Finding(1.0, text, about=about)
    return settle(findings, f"Right in all {cases} cases, entry by entry.", about=about)


def _of_call(evidence: Evidence, call: Call, name: str) -> Finding | None:
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


def numeric_gradient(evidence: Evidence) -> Finding:
    """Each gradient is the derivative of your own loss, by central differences."""
    calls = evidence.calls("sweep")
    for call in calls:
        base = read_loss(evidence, call.id.replace("sweep", "loss"))
        problem = base.finding or obstacle(evidence.reply(call.id), about="loss")
        if problem:
            return problem
        if not base.grads:
            return Finding(0.0, "Not started: loss(X, y, reg) returns no gradients.", skipped=True, about="loss")
    excused = not loss_right(evidence)
    findings: list[Finding | None] = []
    for name in evidence.names:
        right = _derivative_of_own_loss(evidence, name)
        if not right and excused and not any(_of_call(evidence, c, name) for c, _, _ in loss_calls(evidence)):
            # Their loss is wrong and their gradient is the right one: the loss has paid already.
            right = True
        findings.append(None if right else _inconsistent(evidence, calls[0], name))
    wrong = [finding for finding in findings if finding]
    if not wrong:
        text = "Each gradient agrees with your own loss"
        text += ", or is the right one though your loss is not." if excused else "."
        return Finding(1.0, text, about="loss")
    text = "\n".join(finding.message for finding in wrong)
    text += "\nLook at what enters the loss but not the gradient, or the other way round; a factor is a usual cause."
    figures = tuple(figure for finding in wrong for figure in finding.figures)
    return Finding(1 - len(wrong) / len(findings), text, figures, about=wrong[0].about)


def _difference(evidence: Evidence, call: Call, name: str) -> Difference | None:
    """Compare their gradient with the central differences of their loss; None where either is missing."""
    numeric = numeric_gradients(evidence, call)
    own = own_gradient(evidence, call.id.replace("sweep", "loss"), 0, name, call.params[name].shape)
    if numeric is None or own is None:
        return None
    values, noise = numeric[name]
    tolerances = evidence.assignment.tolerances
    largest = float(np.abs(values).max())
    if largest <= noise:
        return None
    # The noise of the differences is allowed on top; for a loss in double precision it is a thousandth of the rest.
    relative = tolerances.numeric + noise / largest
    return compare(own, values, relative=relative, floor=tolerances.floor)


def _consistent(evidence: Evidence, call: Call, name: str) -> bool:
    difference = _difference(evidence, call, name)
    return difference is not None and difference.within


def _derivative_of_own_loss(evidence: Evidence, name: str) -> bool:
    """Tell whether the gradient is the derivative of a loss that is right, or wrong and of the right kind."""
    if loss_right(evidence):
        return all(_consistent(evidence, call, name) for call in evidence.calls("sweep"))
    return _right_for_own_loss(evidence, name)


def _right_for_own_loss(evidence: Evidence, name: str) -> bool:
    """Tell whether the gradient belongs to a wrong loss of the right kind."""
    return resembles_the_loss(evidence) and all(
        _consistent(evidence, call, name) and _slopes_alike(evidence, call) for call in evidence.calls("sweep")
    )


def _slopes_alike(evidence: Evidence, call: Call) -> bool:
    """Tell whether the student's loss slopes as the right one does, at least roughly, along each parameter.

    A loss that is made up around the point where it is asked can have any derivative: noise from the input, for one,
    handed in as "its own gradient". A mistaken loss still points the same way: a sum for a mean, another factor of the
    regulariser and a hinge reach 0.6 and more; noise stays near 0 for the weights. A bias that is forgotten in the scores
    has no slope at all, and says nothing.
    """
    numeric = numeric_gradients(evidence, call)
    if numeric is None:
        return False
    expected = evidence.expected(call.id.replace("sweep", "loss"))
    likenesses = []
    for name, (slope, noise) in numeric.items():
        right = expected[f"data_{name}"] + expected["reg"] * expected[f"penalty_{name}"]
        size = float(np.linalg.norm(slope) * np.linalg.norm(right))
        if np.abs(slope).max() > noise and size:
            likenesses.append(float((slope * right).sum()) / size)
    return len(likenesses) >= 2 and min(likenesses) >= SLOPE_LIKENESS


def _inconsistent(evidence: Evidence, call: Call, name: str) -> Finding:
    difference = _difference(evidence, call, name)
    if difference is None:
        grads = read_loss(evidence, call.id.replace("sweep", "loss")).grads
        text = f"{name}: your gradient is of another shape, or your loss does not depend on {name}."
        text = text if grads.get(name) is not None else f"{name}: grads[{name!r}] is missing."
        return Finding(0.0, text, about=f"grads {name}")
    where = ", ".join(map(str, difference.worst))
    text = (
        f"{name}[{where}]: your gradient is {number(difference.theirs)}, but your loss changes"
        f" by {number(difference.right)} per unit of it."
    )
    error = difference.error.reshape(1, -1) if difference.error.ndim == 1 else difference.error
    worst = difference.worst if difference.error.ndim == 2 else (0, *difference.worst)
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
