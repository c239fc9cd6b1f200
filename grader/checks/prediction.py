"""predict() on given parameters, and the hyperparameters that the student chose."""

from __future__ import annotations

import numpy as np

from grader.checks.evidence import Evidence, not_started, obstacle, settle
from grader.checks.training import final_scores
from grader.compare import as_array, as_number, describe
from grader.records import Array, Call, Finding

# Their own scores against the right ones: a missing bias leaves 0.8, a function of something else leaves chance.
OWN_SCORES = 0.5
ABOUT = "best_hyperparameters"


def predict(evidence: Evidence) -> Finding:
    """predict(X) returns for each row the class with the highest score, as whole numbers."""
    calls = evidence.calls("predict")
    return settle([_of_case(evidence, call) for call in calls], f"Right on all {len(calls)} sets of sizes.", "predict")


def _of_case(evidence: Evidence, call: Call) -> Finding | None:
    reply = evidence.reply(call.id)
    problem = obstacle(reply, about="predict")
    if problem:
        return problem
    answer, right = reply.results[0], evidence.expected(call.id)["labels"]
    if not_started(answer):
        return Finding(0.0, f"Not started: predict(X) returned {describe(answer)}.", skipped=True, about="predict")
    array = as_array(answer)
    if array is None or array.size != right.size:
        text = (
            f"predict(X) with {right.size} rows must return {right.size} labels, shape ({right.size},); it returned"
            f" {describe(answer)}.\nLook at the axis of the maximum, and that positions are returned, not scores."
        )
        return Finding(0.0, text, about="predict")
    accepted = [right]
    own = _own_labels(evidence, call, right)
    if own is not None:
        accepted.append(own)
    if not any(np.array_equal(array.reshape(-1), labels) for labels in accepted):
        row = int(np.flatnonzero(array.reshape(-1) != right)[0])
        text = (
            f"{int((array.reshape(-1) != right).sum())} of {right.size} labels are wrong; row {row}: yours"
            f" {array.reshape(-1)[row]:g}, right {right[row]}.\n"
            "Look at whether predict() computes the same scores as loss(X): both layers, both biases, the ReLU between."
        )
        return Finding(0.0, text, about="predict")
    if array.shape != right.shape:
        text = f"The labels are right, but of shape {array.shape} instead of {right.shape}: (predict(X) == y) then compares all with all."
        return Finding(0.5, text, about="predict")
    if array.dtype.kind not in "iu":
        return Finding(0.75, f"The labels are right, but {array.dtype} instead of whole numbers.", about="predict")
    return None


def _own_labels(evidence: Evidence, call: Call, right: Array) -> Array | None:
    """Give the labels that follow from their own scores, where those are wrong but of the right kind."""
    reply = evidence.reply(call.id.replace("predict", "scores"))
    own = as_array(reply.results[0]) if reply.results else None
    scores = evidence.expected(call.id)["scores"]
    if own is None or own.shape != scores.shape or not np.isfinite(own).all() or not own.std():
        return None
    alike = np.corrcoef(own.reshape(-1), scores.reshape(-1))[0, 1] >= OWN_SCORES
    return own.argmax(axis=1).astype(right.dtype) if alike else None


def best_hyperparameters(evidence: Evidence) -> Finding:
    """A network trained with your best_hyperparameters recognises digits that it never saw."""
    reply = evidence.reply("tuned")
    problem = obstacle(reply, about=ABOUT)
    if problem:
        return problem
    settings = _settings(evidence, reply.results[0])
    if isinstance(settings, Finding):
        return settings
    threshold = evidence.assignment.digits.tuned_threshold
    inputs, _, classes = evidence.call("tuned").sizes
    hidden = int(settings["hidden_size"])
    shapes = dict(zip(evidence.names, ((inputs, hidden), (hidden,), (hidden, classes), (classes,)), strict=True))
    scores = final_scores(evidence, "tuned", shapes)
    if isinstance(scores, str):
        shown = ((problem := obstacle(reply, 1)) and problem.message) or f"After training {scores}."
    else:
        accuracy = float((scores.argmax(axis=1) == evidence.expected("tuned")["y"]).mean())
        shown = f"Trained with them, {accuracy:.1%} of 400 digits that it never saw are recognised; {threshold:.1%} are asked."
        if accuracy >= threshold:
            return Finding(1.0, shown, about=ABOUT)
    # With a wrong loss() or train() the choice can still be a good one: the reference trains with it.
    if evidence.probes.oracle is not None:
        reference = evidence.probes.oracle.trained_accuracy(settings)
        if reference >= threshold:
            text = f"A right network trained with them reaches {reference:.1%}. Yours does not, which is charged elsewhere."
            return Finding(1.0, f"{text}\n{shown}", about=ABOUT)
    return Finding(
        0.0, f"{shown}\nLook at the loss curve: too slow (larger learning_rate), or unsteady (smaller)?", about=ABOUT
    )


def _settings(evidence: Evidence, value: object) -> dict[str, float] | Finding:
    """Give the hyperparameters as numbers within their bounds, or say what is wrong with them."""
    bounds = evidence.assignment.hyperparameters
    example = "best_hyperparameters = dict(" + ", ".join(f"{name}=..." for name in bounds) + ")"
    if not isinstance(value, dict):
        started = not not_started(value)
        text = f"best_hyperparameters is {describe(value)}. Write numbers: {example}."
        return Finding(0.0, text if started else f"Not started: {text}", skipped=not started, about=ABOUT)
    if all(value.get(name) is None for name in bounds):
        text = f"Not started: best_hyperparameters holds no numbers yet. Write them: {example}."
        return Finding(0.0, text, skipped=True, about=ABOUT)
    faults, found = [], {}
    for name, bound in bounds.items():
        number = as_number(value.get(name))
        kind = "a whole number" if bound.whole else "a number"
        if number is None or not bound.low <= number <= bound.high or (bound.whole and number != int(number)):
            shown = f"is {describe(value[name])}" if name in value else "is missing"
            faults.append(f"{name} {shown}; it must be {kind} from {bound.low:g} to {bound.high:g}.")
        else:
            found[name] = number
    return Finding(0.0, "best_hyperparameters: " + " ".join(faults), about=ABOUT) if faults else found
