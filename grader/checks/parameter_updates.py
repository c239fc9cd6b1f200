"""How train() moves the parameters, and how its learning rate decays.

Stand-ins replace loss() and predict(), so that each step can be compared with the gradients that train() got.
"""

import numpy as np

from grader.checks.context import GradingContext, cached_per_submission
from grader.checks.describe_difference import describe_steps, with_details
from grader.checks.given_gradients import regulariser_right
from grader.checks.preconditions import observation, precondition
from grader.checks.registry import check
from grader.checks.watched_training import LARGE, ROWS, SAME, Step, arguments_of, read_watched_run, watched_runs
from grader.checks.whole_runs import RUNS, own_downhill, whole_rates
from grader.compare import median_of_rows, number
from grader.model import Call, Finding, QuestionId

NEAR = 1e-4  # of a rate
LOOK = "Look at the update: each parameter changes by -learning_rate * grads[name], once per iteration."


@cached_per_submission
def step_rates(context: GradingContext) -> list[tuple[Call, dict[str, tuple[float, ...]]]]:
    """Return the runs that train() is judged by, with each parameter's rate in each iteration; NaN: not along the gradient."""
    if observation(context) == "whole":
        return [(context.call(RUNS[-1]), whole_rates(context))]
    return [
        (context.call(run), {name: tuple(step.rates[name] for step in seen.steps) for name in context.names})
        for run in (SAME, ROWS)
        if (seen := read_watched_run(context, run)) is not None
    ]


@check("train", needs=precondition)
def update_rule(context: GradingContext) -> Finding:
    """train() moves each parameter by -learning_rate times its gradient."""
    if any(seen.anew for seen in watched_runs(context)):
        text = "train() resets the parameters instead of continuing with the network's own."
        return Finding(0.0, f"{text}\nLook at what it does before the loop.", about="train")
    for call, rates in step_rates(context):
        asked, taken = int(arguments_of(call)["num_iters"]), len(rates[context.names[0]])
        one = read_watched_run(context, call.id)
        if taken and asked not in {taken, taken + (one is not None and one.restored)}:
            text = f"train() took {taken} steps for num_iters={asked}.\nLook at how often the loop runs, and where it returns."
            return Finding(0.0, text, about="train")
    told = {name: _update_fault(context, name) for name in context.names}
    texts = [text for text in told.values() if text]
    right = [name for name, text in told.items() if text is None]
    misfit = next((seen.misfit for seen in watched_runs(context) if seen.misfit), "")
    if misfit:
        text = f"train() calls loss() with arguments that loss() does not accept: {misfit}.\nCompare the call with the line `def loss(`."
        return Finding(0.0, text, about="train")
    reg = _reg_fault(context)
    if reg:
        right = [name for name in right if name not in context.names[::2]]
        texts.append(reg)
    if not texts:
        text = "Right for every parameter: each step is -learning_rate times the gradient."
        large = read_watched_run(context, LARGE)
        if large and large.steps and not large.steps[0].explained:
            text += "\nIt clips gradients that are thousands of times larger than usual. The assignment does not ask for that, but it costs nothing."
        return Finding(1.0, text, about="train")
    finding = Finding(len(right) / len(context.names), "\n".join([*texts, LOOK]), about="train")
    first_wrong = {name: _first_wrong(context, name) for name, text in told.items() if text}
    return with_details(finding, lambda: describe_steps([] if reg else right, first_wrong))


def _update_fault(context: GradingContext, name: str) -> str | None:
    """Return what is wrong with the moves of one parameter; None where they are right."""
    told = (_update_fault_in_run(context, call, name, rates[name]) for call, rates in step_rates(context))
    return next(filter(None, told), None)


def _update_fault_in_run(context: GradingContext, call: Call, name: str, rates: tuple[float, ...]) -> str | None:
    if not rates:
        return f"{name} did not change."
    if call.id == RUNS[-1] and _has_no_gradient(context, name):
        # Without a gradient it has to stay; that is right where others show that train() does move what it can.
        return (
            None
            if np.isfinite(list(whole_rates(context).values())).any()
            else f"loss() returns no gradient for {name}."
        )
    if not np.any(rates) and np.isfinite(rates).all():
        return f"{name} did not change in {len(rates)} iterations."
    if np.isfinite(rates).all():
        decay = float(arguments_of(call)["learning_rate_decay"])
        # A rate that was decayed before the first step is the decay's affair.
        if min(abs(rates[0] - 1), abs(rates[0] - decay)) < NEAR:
            return None
        if rates[0] < 0:
            return f"{name} moved up its gradient instead of down: the sign is wrong."
        return f"{name} moved by {number(rates[0])} times learning_rate times its gradient in the first iteration."
    if abs(rates[0] - 1) < NEAR:
        return (
            f"{name}: the first step is right, but a later step does not follow the gradient of its batch. Is it momentum,"
            " Adam, or the gradient of another iteration?"
        )
    return f"{name} did not move along the gradient that loss() returned."


def _has_no_gradient(context: GradingContext, name: str) -> bool:
    found = [own_downhill(context, index, name) for index in range(len(RUNS))]
    return all(one is None or np.abs(one).max() <= 1e-12 for one in found)


def _first_wrong(context: GradingContext, name: str) -> int | None:
    """Return the first iteration, counted from 1, that does not follow the gradient; None where that is unknown."""
    rates = step_rates(context)[0][1][name]
    return next((1 + index for index, rate in enumerate(rates) if not np.isfinite(rate)), None)


def regs_asked(context: GradingContext, run: QuestionId) -> list[float]:
    """Return the reg of the question that explains each step of a watched run; NaN where none was passed."""
    seen = read_watched_run(context, run)
    return [step.question.reg for step in seen.steps if step.question] if seen else []


def _reg_fault(context: GradingContext) -> str:
    if observation(context) != "watched":
        return ""
    for run in (SAME, ROWS):
        asked = float(arguments_of(context.call(run))["reg"])
        wrong = [reg for reg in regs_asked(context, run) if not abs(reg - asked) <= 1e-9]
        if wrong and run == SAME and _reg_arrives(context):
            return ""
        if wrong:
            shown = "no reg" if np.isnan(wrong[0]) else f"reg = {number(wrong[0])}"
            return f"train() is called with reg = {number(asked)}, but calls loss() with {shown}."
    return ""


def _reg_arrives(context: GradingContext) -> bool:
    """Return whether whole runs follow the gradient with the regulariser: a program may pass its reg in another way."""
    weights = context.names[::2]
    return all(regulariser_right(context, name) and np.isfinite(whole_rates(context)[name]).all() for name in weights)


@check("train", needs=precondition)
def decay(context: GradingContext) -> Finding:
    """The learning rate is multiplied by learning_rate_decay once an epoch."""
    for call, rates in step_rates(context):
        finding = _judge_decay(call, rates)
        if finding.share < 1:
            return finding
    return finding


def _judge_decay(call: Call, rates: dict[str, tuple[float, ...]]) -> Finding:
    along = [one for one in rates.values() if one and np.isfinite(one).all() and np.any(one)]
    if not along:
        text = "Not judged: no parameter follows its gradient yet, so the learning rate cannot be measured."
        return Finding(0.0, text, skipped=True, about="train")
    seen, given = median_of_rows(np.array(along)), arguments_of(call)
    if not seen[0]:
        return Finding(0.0, "Not judged: the first step is zero.", skipped=True, about="train")
    factor, per_epoch = float(given["learning_rate_decay"]), max(len(given["X"]) // int(given["batch_size"]), 1)
    shown = ", ".join(number(rate) for rate in seen)
    expected = [factor ** np.array(often) for often in _once_an_epoch(len(seen), per_epoch)]
    if any(np.abs(seen / seen[0] - one).max() < NEAR for one in expected) and abs(seen[0] - factor) > NEAR:
        return Finding(1.0, f"Right: the rates, {per_epoch} iterations an epoch, were {shown}.", about="train")
    told = ""
    if np.abs(seen / seen[0] - factor ** np.arange(len(seen))).max() < NEAR:
        told = " It was decayed in every iteration instead of once an epoch."
    elif np.ptp(seen) < NEAR * abs(seen[0]):
        told = " It was never decayed (verbose was False: is the decay inside `if verbose`?)."
    text = (
        f"With learning_rate_decay={factor:g} and {per_epoch} iterations an epoch, the rates of {len(seen)} iterations must be"
        f" {', '.join(number(rate) for rate in expected[0])} of learning_rate; yours were {shown}.{told}\n"
        "Look at where the rate is multiplied. It must be once an epoch, with iterations_per_epoch = max(N // batch_size, 1)."
    )
    return Finding(0.0, text, about="train")


def _once_an_epoch(iterations: int, per_epoch: int) -> list[list[int]]:
    """Return the possible numbers of decays before each iteration: one after any iteration of each epoch."""
    found = [
        [sum(before % per_epoch == phase for before in range(index)) for index in range(iterations)]
        for phase in range(per_epoch)
    ]
    # Not after the very first iteration, and from then on as the template does.
    return [*found, [sum(before % per_epoch == 0 for before in range(1, index)) for index in range(iterations)]]


def first_steps(context: GradingContext) -> tuple[Step, ...]:
    """Return the steps of the watched run on identical rows; none where there is no such run."""
    seen = read_watched_run(context, SAME)
    return seen.steps if seen else ()
