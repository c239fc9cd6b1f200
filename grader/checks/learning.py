"""That train() learns: a toy by heart, and real digits well enough."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from grader.checks.context import Evidence, fact, read_loss
from grader.checks.final_scores import LEARNT, final_scores
from grader.checks.gradients import strayed
from grader.checks.minibatch import minibatch
from grader.checks.parameter_updates import decay, runs, update_rule
from grader.checks.preconditions import at, stopped
from grader.checks.prediction import predict
from grader.checks.read_losses import cross_entropy
from grader.checks.watched_training import ROWS, SAME, arguments_of, watched
from grader.compare import as_array, number
from grader.model import Curves, Finding, QuestionId, StudentError

LONGEST_CURVE = 100_000


def _follows(evidence: Evidence, problem: Finding, *, too_slow: bool = False) -> Finding:
    """Carry a failure whose cause is charged elsewhere: train() steps as asked on the batches asked.

    What is left then are gradients that are wrong, a loss() or predict() that stops it, and too_slow, a rate that decays
    too fast. It must be a cause: a loss, a gradient or a decay that is spoilt a little would else pay for not training.
    """
    first = read_loss(evidence, evidence.calls("loss")[0].id)
    if first.finding and first.finding.skipped:
        return Finding(0.0, f"Not judged: train() needs loss(). {first.finding.message}", skipped=True, about="train")
    drawn, steps = minibatch(evidence), update_rule(evidence)
    misfit = any(seen.misfit for run in (SAME, ROWS) if (seen := watched(evidence, run)))
    fine = (steps.share == 1 or misfit) and (drawn.share == 1 or drawn.skipped)
    stopped_by = problem.error is not None and (_fails_alone(evidence, problem.error) or predict(evidence).share == 0)
    if not (fine and (strayed(evidence) or stopped_by or misfit or too_slow)):
        return problem
    text = f"{problem.message}\nNot charged again: mend what has lost points elsewhere, and this follows."
    return replace(problem, share=1.0, message=text, skipped=False, carried=True)


def _fails_alone(evidence: Evidence, error: StudentError) -> bool:
    """Return whether loss() or predict() fails in this way by itself as well, where it is charged."""
    alone = [evidence.reply(call.id).error for kind in ("loss", "predict") for call in evidence.calls(kind)]
    if not error.type:
        return any(one is not None and not one.type for one in alone)
    return any(
        one is not None and (one.type, one.places[-1:]) == (error.type, error.places[-1:]) for one in alone
    ) or all(one is not None for one in alone)


@fact
def _decays_too_fast(evidence: Evidence) -> bool:
    """Return whether the reference does not learn the digits either, with a rate that decays as the student's does."""
    seen = runs(evidence)
    call, moved = seen[0] if seen else (None, {})
    along = [rates for rates in moved.values() if len(rates) > 2 and np.isfinite(rates).all() and np.any(rates)]
    if call is None or decay(evidence).share == 1 or not along or evidence.probes.oracle is None:
        return False
    rates = np.median(np.array(along), axis=0)
    asked = float(arguments_of(call)["learning_rate_decay"])
    if not 0 < rates[-1] < rates[0] * asked**2 * 0.99:
        return False  # two iterations an epoch: four of them see it decay twice at most
    per_iteration = float(np.log(rates[-1] / rates[0]) / np.log(asked)) / (len(rates) - 1)
    call = evidence.call(QuestionId("digits"))
    given = call.steps[0].arguments
    settings = {name: float(given[name]) for name in ("learning_rate", "reg", "num_iters", "batch_size")}
    settings["learning_rate_decay"] = float(given["learning_rate_decay"]) ** (
        per_iteration * max(len(given["X"]) // given["batch_size"], 1)
    )
    reached = evidence.probes.oracle.trained_accuracy({**settings, "hidden_size": call.sizes[1]})
    return reached < evidence.assignment.digits.threshold


def _curves(evidence: Evidence, call: QuestionId, title: str) -> tuple[Curves, ...]:
    answer = at(evidence.reply(call).results, 0)
    own = as_array(answer.get("loss_history")) if isinstance(answer, dict) else None
    # A hundred are asked for. Drawing takes forty bytes an entry: 64 MiB of single bytes in a forged reply became 2.4 GiB.
    if own is None or own.ndim != 1 or not 0 < own.size <= LONGEST_CURVE:
        return ()
    right = np.asarray(evidence.expected(call)["loss_history"], dtype=np.float64)
    return (Curves(title, (("yours", own.astype(np.float64)), ("reference", right))),)


def learns_toy(evidence: Evidence) -> Finding:
    """train() learns the five examples of the toy case by heart."""
    problem = stopped(evidence.reply(QuestionId("toy")))
    if problem:
        return _follows(evidence, problem)
    figures = _curves(evidence, QuestionId("toy"), "loss on the toy case")
    scores = final_scores(evidence, QuestionId("toy"))
    if isinstance(scores, str):
        text = f"After 100 iterations on the toy case {scores}."
        return _follows(evidence, Finding(0.0, text, figures, about="train"))
    loss = cross_entropy(scores, evidence.expected(QuestionId("toy"))["y"])
    # Whoever ends with the parameters of the best accuracy may have stopped while the loss was still falling.
    kept_best = any(seen.restored for run in (SAME, ROWS) if (seen := watched(evidence, run)))
    if loss <= LEARNT or (kept_best and (scores.argmax(axis=1) == evidence.expected(QuestionId("toy"))["y"]).all()):
        return Finding(1.0, f"The loss on the toy case falls to {number(loss)}.", figures, about="train")
    text = (
        f"After 100 iterations the loss on the five toy examples is {number(loss)}; it must be below {LEARNT}.\n"
        "Look at the curve: does it fall at all, does it fall and rise again?"
    )
    return _follows(evidence, Finding(0.0, text, figures, about="train"))


def learns_digits(evidence: Evidence) -> Finding:
    """train() learns real handwritten digits well enough."""
    problem = stopped(evidence.reply(QuestionId("digits")))
    if problem:
        return _follows(evidence, problem, too_slow=_decays_too_fast(evidence))
    figures = _curves(evidence, QuestionId("digits"), "loss on the digits")
    scores = final_scores(evidence, QuestionId("digits"))
    if isinstance(scores, str):
        problem = Finding(0.0, f"After training on the digits {scores}.", figures, about="train")
        return _follows(evidence, problem, too_slow=_decays_too_fast(evidence))
    accuracy = float((scores.argmax(axis=1) == evidence.expected(QuestionId("digits"))["y"]).mean())
    threshold = evidence.assignment.digits.threshold
    asked = f"Of 400 digits that it never saw, {accuracy:.1%} are recognised; at least {threshold:.1%} are asked."
    if accuracy >= threshold:
        return Finding(1.0, asked, figures, about="train")
    text = f"{asked}\nLook at the loss curve beside the reference's."
    problem = Finding(0.0, text, figures, about="train")
    return _follows(evidence, problem, too_slow=_decays_too_fast(evidence))
