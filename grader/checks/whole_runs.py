"""train() with the program's own loss(): what it must agree with, and all there is to judge where stand-ins see nothing.

The rows are identical and the batch is half of them, so that sampling cannot matter: after k iterations the parameters
have moved by -rate_k times the program's own gradient at the parameters before.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import numpy as np

from grader.checks.context import Evidence, fact, obstacle, own_gradient, read_loss
from grader.checks.final_scores import learnt
from grader.checks.forward import unchanged
from grader.checks.gradients import strayed
from grader.checks.watched_training import SAME, SINGLE_NOISE, Step, arguments_of, end_of, step_rate, watched
from grader.compare import is_single, number
from grader.model import Floats, Params, QuestionId

RUNS = tuple(QuestionId("whole", count) for count in ("1", "2", "3"))
# Where the program's own loss() was asked before each iteration: call and position of its step.
ASKED = ((RUNS[0], 0), (RUNS[0], 2), (RUNS[1], 1))
DOUBLE_NOISE = 1e-12  # of a parameter's size: a gradient that is 0 but for rounding moves nothing


@fact
def points(evidence: Evidence) -> list[Params | None]:
    """Return the parameters before the first iteration and after each, as far as they are whole."""
    return [dict(evidence.call(RUNS[0]).params), *(end_of(evidence, run) for run in RUNS)]


def gradient(evidence: Evidence, index: int, name: str) -> Floats | None:
    """Return learning_rate times the program's own gradient before iteration `index`; None where there is none."""
    call, place = ASKED[index]
    asked = evidence.call(call)
    own = own_gradient(evidence, call, place, name, asked.params[name].shape, spread=True)
    return None if own is None else own * float(arguments_of(asked)["learning_rate"])


@fact
def whole_rates(evidence: Evidence) -> dict[str, tuple[float, ...]]:
    """Return for each parameter its rate in each iteration, in units of learning_rate times its own gradient."""

    def rate(index: int, name: str, before: Params | None, after: Params | None) -> float:
        downhill = gradient(evidence, index, name)
        if before is None or after is None or downhill is None:
            return float("nan")
        return step_rate(after[name] - before[name], downhill, before[name], after[name])

    return {
        name: tuple(rate(index, name, *pair) for index, pair in enumerate(pairwise(points(evidence))))
        for name in evidence.names
    }


@fact
def moves(evidence: Evidence) -> bool:
    """Return whether a parameter changes where train() runs with the program's own loss()."""
    known = [point for point in points(evidence) if point is not None]
    return any((after[name] != before[name]).any() for before, after in pairwise(known) for name in before)


@fact
def own_loss_answers(evidence: Evidence) -> bool:
    """Return whether loss() by itself answers the very question that train() asks, with gradients that can be used."""
    return _answers(evidence, *ASKED[0])


def _answers(evidence: Evidence, call: QuestionId, place: int = 0) -> bool:
    shapes = {name: value.shape for name, value in evidence.call(call).params.items()}
    return read_loss(evidence, call, place).value is not None and all(
        own_gradient(evidence, call, place, name, shape, spread=True) is not None for name, shape in shapes.items()
    )


@fact
def disagreement(evidence: Evidence) -> str:
    """Return how the runs with the program's own loss() contradict what was watched; "" where they do not.

    They only withhold. A loss() that fails when it is asked alone shows nothing of train(), and one that answers the same
    question in two ways cannot be followed; both are charged where loss() is judged.
    """
    seen = watched(evidence, SAME)
    if seen is None or not seen.steps:
        return ""
    if not own_loss_answers(evidence):
        # One that fails at a few questions only would else be a way round it.
        alone = all(not _answers(evidence, call.id) for call in evidence.calls("loss"))
        return "" if alone or _moves_somewhere(evidence) else "With its own loss() train() moves nothing anywhere."
    problem = obstacle(evidence.reply(RUNS[0]), 1, about="train")
    if problem:
        return f"With its own loss() train() does not run. {problem.message}"
    if not moves(evidence):
        return "With your own loss() no parameter changes: its gradients are too small to move anything, or train() does nothing."
    # Dropout, or a loss() that changes the parameters, cannot be followed step by step: that it learns has to do.
    if not repeats_itself(evidence) and (strayed(evidence) or learnt(evidence)):
        return ""
    return _first_difference(evidence)


def _moves_somewhere(evidence: Evidence) -> bool:
    """Return whether train() as it is changes a parameter in any run of one iteration."""
    ends = [(call, end_of(evidence, call.id)) for call in evidence.calls("alone")]
    return any(end is not None and any((end[n] != v).any() for n, v in call.params.items()) for call, end in ends)


@fact
def repeats_itself(evidence: Evidence) -> bool:
    """Return whether loss() changes nothing that it is given, and answers the same question in the same way."""
    results = evidence.reply(QuestionId("purity")).results
    first, second = (read_loss(evidence, QuestionId("purity"), index).value for index in (0, 1))
    expected = evidence.expected(QuestionId("purity"))
    params = results[2] if len(results) > 2 and isinstance(results[2], dict) else {}
    same = all(unchanged(params.get(name), expected[f"param_{name}"]) for name in evidence.names)
    return first is not None and first == second and same


def _first_difference(evidence: Evidence) -> str:
    seen, given = watched(evidence, SAME), arguments_of(evidence.call(SAME))
    if (
        seen is None
        or seen.anew
        or any(abs(step.question.reg - given["reg"]) > 1e-9 for step in seen.steps if step.question)
    ):
        return ""  # charged already, and the gradient that such a program goes by is not the one that was asked for
    for index, (before, after) in enumerate(pairwise(points(evidence))):
        earlier = [point for point in points(evidence)[: index + 1] if point is not None]
        if after is not None and any(all((after[n] == point[n]).all() for n in after) for point in earlier):
            return ""  # it ended with the best parameters that it met, which may be those of any iteration
        if before is None or after is None or index >= len(seen.steps):
            return "" if index else "With its own loss() train() leaves no whole parameters behind."
        for name in _rightly_moved(evidence, seen.steps):
            downhill, rate = gradient(evidence, index, name), seen.steps[index].rates[name]
            if downhill is None:
                continue
            move, size = after[name] - before[name], float(np.abs(downhill).max())
            # The program's own gradient may be in single precision, and the parameters as well.
            rounding = SINGLE_NOISE if is_single(np.asarray(after[name])) else DOUBLE_NOISE
            near = 1e-4 * abs(rate) * size + rounding * float(np.abs(before[name]).max())
            if np.abs(move + rate * downhill).max() > near:
                return (
                    f"With its own loss() train() moves {name} otherwise than with a stand-in for it: in iteration {1 + index}"
                    f" not by {number(rate)} times learning_rate times the gradient that loss() gives for the same batch."
                )
    return ""


def _rightly_moved(evidence: Evidence, steps: Sequence[Step]) -> list[str]:
    """Return the parameters that earn points by how they moved; a step that is wrong may go by the size of its gradient."""
    decay = float(arguments_of(evidence.call(SAME))["learning_rate_decay"])
    return [
        name
        for name in evidence.names
        if all(np.isfinite(step.rates[name]) for step in steps)
        and min(abs(steps[0].rates[name] - 1), abs(steps[0].rates[name] - decay)) < 1e-4
    ]
