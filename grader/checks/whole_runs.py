"""Runs of train() with the program's own loss(): they must agree with the watched runs, or replace them.

The rows are identical and the batch is half of them, so that sampling cannot matter: after k iterations the parameters
have moved by -rate_k times the program's own gradient at the parameters before.
"""

from collections.abc import Sequence
from itertools import pairwise

import numpy as np

from grader.checks.context import (
    GradingContext,
    cached_per_submission,
    failure_of,
    final_scores,
    own_gradient,
    read_loss,
)
from grader.checks.formulas import loss_of_scores
from grader.checks.forward import unchanged
from grader.checks.gradients import has_wrong_gradient
from grader.checks.watched_training import (
    SAME,
    SINGLE_NOISE,
    Step,
    arguments_of,
    final_params,
    read_watched_run,
    step_rate,
)
from grader.compare import is_single, number
from grader.model import LEARNT, Floats, Params, QuestionId

RUNS = tuple(QuestionId("whole", count) for count in ("1", "2", "3"))
# Where the program's own loss() was asked before each iteration: call and position of its step.
ASKED = ((RUNS[0], 0), (RUNS[0], 2), (RUNS[1], 1))
# Relative to a step, where loss() returns float16: its product with learning_rate is rounded to float16.
HALF_STEP = 2e-3
DOUBLE_NOISE = 1e-12  # of a parameter's size: a gradient that is 0 but for rounding moves nothing


@cached_per_submission
def params_over_time(context: GradingContext) -> list[Params | None]:
    """Return the parameters before the first iteration and after each, as far as they can be used."""
    return [dict(context.call(RUNS[0]).params), *(final_params(context, run) for run in RUNS)]


def own_downhill(context: GradingContext, index: int, name: str) -> Floats | None:
    """Return learning_rate times the program's own gradient before iteration `index`; None where there is none."""
    call, place = ASKED[index]
    asked = context.call(call)
    own = own_gradient(context, call, place, name, asked.params[name].shape, spread=True)
    return None if own is None else own * float(arguments_of(asked)["learning_rate"])


@cached_per_submission
def whole_rates(context: GradingContext) -> dict[str, tuple[float, ...]]:
    """Return for each parameter its rate in each iteration, in units of learning_rate times its own gradient."""

    def rate(index: int, name: str, before: Params | None, after: Params | None) -> float:
        downhill = own_downhill(context, index, name)
        if before is None or after is None or downhill is None:
            return float("nan")
        return step_rate(after[name] - before[name], downhill, before[name], after[name])

    return {
        name: tuple(rate(index, name, *pair) for index, pair in enumerate(pairwise(params_over_time(context))))
        for name in context.names
    }


@cached_per_submission
def changes_parameters(context: GradingContext) -> bool:
    """Return whether a parameter changes where train() runs with the program's own loss()."""
    known = [point for point in params_over_time(context) if point is not None]
    return any((after[name] != before[name]).any() for before, after in pairwise(known) for name in before)


@cached_per_submission
def own_loss_answers(context: GradingContext) -> bool:
    """Return whether loss() by itself answers the same call that train() makes, with usable gradients."""
    return _answers(context, *ASKED[0])


def _answers(context: GradingContext, call: QuestionId, place: int = 0) -> bool:
    shapes = {name: value.shape for name, value in context.call(call).params.items()}
    return read_loss(context, call, place).value is not None and all(
        own_gradient(context, call, place, name, shape, spread=True) is not None for name, shape in shapes.items()
    )


@cached_per_submission
def disagreement(context: GradingContext) -> str:
    """Return how the runs with the program's own loss() contradict the watched runs; "" where they do not.

    They can only withhold points. A loss() that fails by itself says nothing about train(), and one that answers the same
    question in two ways cannot be followed; both are charged where loss() is judged.
    """
    seen = read_watched_run(context, SAME)
    if seen is None or not seen.steps:
        return ""
    if not own_loss_answers(context):
        # One that fails at a few questions only would else be a way round it.
        alone = all(not _answers(context, call.id) for call in context.calls("loss"))
        return (
            ""
            if alone or _changes_parameters_somewhere(context)
            else "With its own loss(), train() changes no parameter."
        )
    problem = failure_of(context.reply(RUNS[0]), 1, about="train")
    if problem:
        return f"With its own loss(), train() does not run. {problem.message}"
    if not changes_parameters(context):
        return "With your own loss(), no parameter changes: its gradients are too small, or train() does nothing."
    # Dropout, or a loss() that changes the parameters, cannot be followed step by step: that it learns has to do.
    if not is_repeatable(context) and (has_wrong_gradient(context) or has_learnt(context)):
        return ""
    return _first_difference(context)


def has_learnt(context: GradingContext) -> bool:
    """Return whether training on the toy case ended with parameters that know its five examples."""
    scores, variant = final_scores(context, QuestionId("toy")), context.assignment.variant
    y = context.expected(QuestionId("toy"))["y"]
    return not isinstance(scores, str) and loss_of_scores(variant, scores, y) <= LEARNT[variant.loss]


def _changes_parameters_somewhere(context: GradingContext) -> bool:
    """Return whether train() with its own loss() changes a parameter in any run of one iteration."""
    ends = [(call, final_params(context, call.id)) for call in context.calls("alone")]
    return any(end is not None and any((end[n] != v).any() for n, v in call.params.items()) for call, end in ends)


@cached_per_submission
def is_repeatable(context: GradingContext) -> bool:
    """Return whether loss() changes nothing that it is given, and answers the same question in the same way."""
    first, second = (read_loss(context, QuestionId("purity"), index).value for index in (0, 1))
    expected = context.expected(QuestionId("purity"))
    params = context.result(QuestionId("purity"), 2)
    same = isinstance(params, dict) and all(
        unchanged(params.get(name), expected[f"param_{name}"]) for name in context.names
    )
    return first is not None and first == second and same


def _first_difference(context: GradingContext) -> str:
    seen, given = read_watched_run(context, SAME), arguments_of(context.call(SAME))
    if (
        seen is None
        or seen.anew
        or any(abs(step.question.reg - given["reg"]) > 1e-9 for step in seen.steps if step.question)
    ):
        return ""  # charged already, and the gradient that such a program goes by is not the one that was asked for
    for index, (before, after) in enumerate(pairwise(params_over_time(context))):
        earlier = [point for point in params_over_time(context)[: index + 1] if point is not None]
        if after is not None and any(all((after[n] == point[n]).all() for n in after) for point in earlier):
            return ""  # it ended with the best parameters that it met, which may be those of any iteration
        if before is None or after is None or index >= len(seen.steps):
            return "" if index else "With its own loss(), train() leaves parameters missing or with wrong shapes."
        for name in _names_moved_right(context, seen.steps):
            downhill, rate = own_downhill(context, index, name), seen.steps[index].rates[name]
            if downhill is None:
                continue
            move, size = after[name] - before[name], float(np.abs(downhill).max())
            # The program's own gradient may be in single precision, and the parameters as well.
            rounding = SINGLE_NOISE if is_single(np.asarray(after[name])) else DOUBLE_NOISE
            near = (HALF_STEP if _is_half(downhill / given["learning_rate"]) else 1e-4) * abs(
                rate
            ) * size + rounding * float(np.abs(before[name]).max())
            if np.abs(move + rate * downhill).max() > near:
                return (
                    f"With its own loss(), train() moves {name} differently than with a stand-in for loss(): in iteration {1 + index}"
                    f" not by {number(rate)} times learning_rate times the gradient that loss() returns for the same batch."
                )
    return ""


def _is_half(gradient: Floats) -> bool:
    """Return whether a gradient is one of float16."""
    with np.errstate(over="ignore"):
        half = gradient.astype(np.float16).astype(np.float64)
    return bool(gradient.any() and (np.abs(half - gradient) <= 1e-12 * np.abs(gradient)).all())


def _names_moved_right(context: GradingContext, steps: Sequence[Step]) -> list[str]:
    """Return the parameters that always moved along their gradient, and the first time at a right rate."""
    decay = float(arguments_of(context.call(SAME))["learning_rate_decay"])
    return [
        name
        for name in context.names
        if all(np.isfinite(step.rates[name]) for step in steps)
        and min(abs(steps[0].rates[name] - 1), abs(steps[0].rates[name] - decay)) < 1e-4
    ]
