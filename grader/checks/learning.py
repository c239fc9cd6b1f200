"""That train() learns: a toy by heart, and real digits well enough."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from grader.checks.evidence import Evidence, loss_right, own_params
from grader.checks.gradients import gradient_b1, gradient_b2, gradient_W1, gradient_W2
from grader.checks.minibatch import minibatch
from grader.checks.prediction import predict
from grader.checks.trainable import at, blocked
from grader.checks.training import decay, update_rule
from grader.compare import as_array, number
from grader.records import Curves, Finding, Floats

LEARNT = 0.1  # the toy's final loss; the published run reaches 0.017, one that does not learn stays above 0.9


def _excused(evidence: Evidence, problem: Finding) -> Finding:
    """Give the points back where the cause has been charged elsewhere: train() steps as asked on the batches asked.

    What is left then are loss(), predict() and the decay.
    """
    drawn = minibatch(evidence)
    fine = update_rule(evidence).share == 1 and (drawn.share == 1 or drawn.skipped)
    gradients = (gradient_W1, gradient_b1, gradient_W2, gradient_b2)
    elsewhere = not loss_right(evidence) or any(check(evidence).share < 1 for check in gradients)
    stopped = bool(evidence.reply("toy").error) and predict(evidence).share < 1
    if not (fine and (elsewhere or stopped or decay(evidence).share < 1)):
        return problem
    text = f"{problem.message}\nNot charged again: mend what has lost points elsewhere, and this follows."
    return replace(problem, share=1.0, message=text, skipped=False)


def _curves(evidence: Evidence, call: str, title: str) -> tuple[Curves, ...]:
    answer = at(evidence.reply(call).results, 0)
    own = as_array(answer.get("loss_history")) if isinstance(answer, dict) else None
    if own is None or own.ndim != 1 or not own.size:
        return ()
    right = np.asarray(evidence.expected(call)["loss_history"], dtype=np.float64)
    return (Curves(title, (("yours", own.astype(np.float64)), ("reference", right))),)


def final_scores(evidence: Evidence, call: str, shapes: Mapping[str, tuple[int, ...]] | None = None) -> Floats | str:
    """Give the scores at the parameters that training ended with, or say why there are none.

    Where the reference is at hand it computes them from the parameters: scores that the student's side claims
    prove nothing. Frozen probes have only the claim.
    """
    X = evidence.expected(call)["X"]
    asked = evidence.call(call)
    position = [step.method for step in asked.steps].index("params")
    params = own_params(evidence, asked, position, shapes)
    if evidence.probes.oracle is not None:
        return (
            "the parameters are missing or not finite afterwards"
            if params is None
            else evidence.probes.oracle.scores(params, X)
        )
    claimed = as_array(at(evidence.reply(call).results, position + 1))
    if claimed is None or claimed.ndim != 2 or len(claimed) != len(X) or not np.isfinite(claimed).all():
        return "loss(X) gives no scores afterwards"
    return claimed.astype(np.float64)


def learns_toy(evidence: Evidence) -> Finding:
    """train() learns the five examples of the toy case by heart."""
    problem = blocked(evidence, "toy")
    if problem:
        return _excused(evidence, problem)
    figures = _curves(evidence, "toy", "loss on the toy case")
    scores = final_scores(evidence, "toy")
    y = evidence.expected("toy")["y"]
    if isinstance(scores, str):
        text = f"After 100 iterations on the toy case {scores}."
        return _excused(evidence, Finding(0.0, text, figures, about="train"))
    shifted = scores - scores.max(axis=1, keepdims=True)
    loss = float(np.mean(np.log(np.exp(shifted).sum(axis=1)) - shifted[np.arange(len(y)), y]))
    if loss <= LEARNT:
        return Finding(1.0, f"The loss on the toy case falls to {number(loss)}.", figures, about="train")
    text = (
        f"After 100 iterations the loss on the five toy examples is {number(loss)}; it must be below {LEARNT}.\n"
        "Look at the curve: does it fall at all, does it fall and rise again?"
    )
    return _excused(evidence, Finding(0.0, text, figures, about="train"))


def learns_digits(evidence: Evidence) -> Finding:
    """train() learns real handwritten digits well enough."""
    problem = blocked(evidence, "digits")
    if problem:
        return _excused(evidence, problem)
    figures = _curves(evidence, "digits", "loss on the digits")
    scores = final_scores(evidence, "digits")
    if isinstance(scores, str):
        return _excused(evidence, Finding(0.0, f"After training on the digits {scores}.", figures, about="train"))
    accuracy = float((scores.argmax(axis=1) == evidence.expected("digits")["y"]).mean())
    threshold = evidence.assignment.digits.threshold
    asked = f"Of 400 digits that it never saw, {accuracy:.1%} are recognised; at least {threshold:.1%} are asked."
    if accuracy >= threshold:
        return Finding(1.0, asked, figures, about="train")
    text = f"{asked}\nLook at the loss curve beside the reference's."
    return _excused(evidence, Finding(0.0, text, figures, about="train"))
