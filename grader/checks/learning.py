"""Checks that train() learns: a toy example by heart, and real digits well enough."""

from dataclasses import replace

import numpy as np

from grader.checks.context import GradingContext, cached_per_submission, final_scores, read_loss
from grader.checks.formulas import loss_of_scores
from grader.checks.gradients import has_wrong_gradient
from grader.checks.minibatch import minibatch
from grader.checks.parameter_updates import decay, step_rates, update_rule
from grader.checks.preconditions import run_failure
from grader.checks.prediction import predict
from grader.checks.registry import check
from grader.checks.watched_training import arguments_of, watched_runs
from grader.compare import as_array, median_of_rows, number
from grader.model import LEARNT, Curves, Finding, QuestionId, StudentError

LONGEST_CURVE = 100_000


def _carry_forward(context: GradingContext, problem: Finding, *, too_slow: bool = False) -> Finding:
    """Return the finding, carried if its cause is charged elsewhere: train() makes right steps on right batches.

    The causes that remain are wrong gradients, a loss() or predict() that fails, and too_slow, a rate that decays too
    fast. One of them must really be the cause: otherwise a slightly spoilt gradient would excuse a lack of training.
    """
    first = read_loss(context, context.calls("loss")[0].id)
    if first.finding and first.finding.skipped:
        return Finding(0.0, f"Not judged: train() needs loss(). {first.finding.message}", skipped=True, about="train")
    drawn, steps = minibatch(context), update_rule(context)
    misfit = any(seen.misfit for seen in watched_runs(context))
    fine = (steps.share == 1 or misfit) and (drawn.share == 1 or drawn.skipped)
    stopped_by = problem.error is not None and (_fails_alone(context, problem.error) or predict(context).share == 0)
    if not (fine and (has_wrong_gradient(context) or stopped_by or misfit or too_slow)):
        return problem
    text = f"{problem.message}\nNo points are lost here. Fix what loses points elsewhere, and this will work as well."
    return replace(problem, share=1.0, message=text, skipped=False, carried=True)


def _fails_alone(context: GradingContext, error: StudentError) -> bool:
    """Return whether loss() or predict() also fails in this way by itself, where it is charged."""
    alone = [context.reply(call.id).error for kind in ("loss", "predict") for call in context.calls(kind)]
    if not error.type:
        return any(one is not None and not one.type for one in alone)
    return any(
        one is not None and (one.type, one.places[-1:]) == (error.type, error.places[-1:]) for one in alone
    ) or all(one is not None for one in alone)


@cached_per_submission
def _decays_too_fast(context: GradingContext) -> bool:
    """Return whether the reference does not learn the digits either when its rate decays like the student's."""
    seen = step_rates(context)
    call, moved = seen[0] if seen else (None, {})
    along = [rates for rates in moved.values() if len(rates) > 2 and np.isfinite(rates).all() and np.any(rates)]
    oracle = context.questions.oracle
    train = oracle.trained_accuracy if oracle else None
    if call is None or decay(context).share == 1 or not along or train is None:
        return False
    rates = median_of_rows(np.array(along))
    asked = float(arguments_of(call)["learning_rate_decay"])
    if not 0 < rates[-1] < rates[0] * asked**2 * 0.99:
        return False  # two iterations an epoch: four of them see it decay twice at most
    per_iteration = float(np.log(rates[-1] / rates[0]) / np.log(asked)) / (len(rates) - 1)
    call = context.call(QuestionId("digits"))
    given = call.steps[0].arguments
    settings = {name: float(given[name]) for name in ("learning_rate", "reg", "num_iters", "batch_size")}
    settings["learning_rate_decay"] = float(given["learning_rate_decay"]) ** (
        per_iteration * max(len(given["X"]) // given["batch_size"], 1)
    )
    hidden = {"hidden_size": call.sizes[1]} if len(call.sizes) > 2 else {}
    return train({**settings, **hidden}, None, None) < context.assignment.digits.threshold


def _curves(context: GradingContext, call: QuestionId, title: str) -> tuple[Curves, ...]:
    answer = context.result(call)
    own = as_array(answer.get("loss_history")) if isinstance(answer, dict) else None
    # A hundred are asked for. Drawing takes forty bytes an entry: 64 MiB of single bytes in a forged reply became 2.4 GiB.
    if own is None or own.ndim != 1 or not 0 < own.size <= LONGEST_CURVE:
        return ()
    right = np.asarray(context.expected(call)["loss_history"], dtype=np.float64)
    return (Curves(title, (("yours", own.astype(np.float64)), ("reference", right))),)


@check("train", by_chance=True)
def learns_toy(context: GradingContext) -> Finding:
    """train() memorises the five examples of the toy case."""
    found = run_failure(context.reply(QuestionId("toy"))) or _judge_toy(context)
    return found if found.share else _carry_forward(context, found)


def _judge_toy(context: GradingContext) -> Finding:
    figures = _curves(context, QuestionId("toy"), "loss on the toy case")
    scores, variant = final_scores(context, QuestionId("toy")), context.assignment.variant
    count, y = context.call(QuestionId("toy")).steps[0].arguments["num_iters"], context.expected(QuestionId("toy"))["y"]
    if isinstance(scores, str):
        return Finding(0.0, f"After {count} iterations on the toy case {scores}.", figures, about="train")
    loss = loss_of_scores(variant, scores, y)
    # Whoever ends with the parameters of the best accuracy may have stopped while the loss was still falling.
    kept_best = any(seen.restored for seen in watched_runs(context))
    if loss <= LEARNT[variant.loss] or (kept_best and (scores.argmax(axis=1) == y).all()):
        return Finding(1.0, f"The loss on the toy case falls to {number(loss)}.", figures, about="train")
    text = (
        f"After {count} iterations the loss on the five toy examples is {number(loss)};"
        f" it must be below {LEARNT[variant.loss]}.\n"
        "Look at the curve: does it never fall, or does it fall and then rise again?"
    )
    return Finding(0.0, text, figures, about="train")


@check("train", by_chance=True)
def learns_digits(context: GradingContext) -> Finding:
    """train() learns real handwritten digits well enough."""
    found = run_failure(context.reply(QuestionId("digits"))) or _judge_digits(context)
    return found if found.share else _carry_forward(context, found, too_slow=_decays_too_fast(context))


def _judge_digits(context: GradingContext) -> Finding:
    figures = _curves(context, QuestionId("digits"), "loss on the digits")
    scores = final_scores(context, QuestionId("digits"))
    if isinstance(scores, str):
        return Finding(0.0, f"After training on the digits {scores}.", figures, about="train")
    accuracy = float((scores.argmax(axis=1) == context.expected(QuestionId("digits"))["y"]).mean())
    threshold = context.assignment.digits.threshold
    asked = f"It recognises {accuracy:.1%} of 400 digits that it never saw; {threshold:.1%} is required."
    if accuracy >= threshold:
        return Finding(1.0, asked, figures, about="train")
    return Finding(0.0, f"{asked}\nLook at the loss curve beside the reference's.", figures, about="train")
