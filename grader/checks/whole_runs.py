"""train() with the program's own loss(): what it must agree with, and all there is to judge where stand-ins see nothing.

The rows are identical and the batch is half of them, so that sampling cannot matter: after k iterations the parameters
have moved by -rate_k times the program's own gradient at the parameters before.
"""

from __future__ import annotations

from itertools import pairwise

import numpy as np

from grader.checks.evidence import Evidence, fact, obstacle, own_gradient, read_loss
from grader.checks.forward import unchanged
from grader.checks.watched import SAME, arguments_of, end_of, step_rate, watched
from grader.compare import number
from grader.records import Floats, Params

RUNS = ("whole/1", "whole/2", "whole/3")
# Where the program's own loss() was asked before each iteration: call and position of its step.
ASKED = (("whole/1", 0), ("whole/1", 2), ("whole/2", 1))
FLAT = 1e-12  # a gradient below this is zero: dscores.sum() over all entries is, but for rounding


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
    """Tell whether a parameter changes where train() runs with the program's own loss()."""
    known = [point for point in points(evidence) if point is not None]
    return any((after[name] != before[name]).any() for before, after in pairwise(known) for name in before)


@fact
def own_loss_answers(evidence: Evidence) -> bool:
    """Tell whether loss() by itself answers the very question that train() asks, with at least one gradient."""
    asked = read_loss(evidence, *ASKED[0])
    return asked.value is not None and any(value is not None for value in asked.grads.values())


@fact
def disagreement(evidence: Evidence) -> str:
    """Say how the runs with the program's own loss() contradict what was watched; "" where they do not.

    They only withhold: a program whose loss() fails by itself, or answers the same question in two ways, shows nothing.
    """
    if not own_loss_answers(evidence) or evidence.reply(SAME).outcome != "returned":
        return ""
    problem = obstacle(evidence.reply(RUNS[0]), 1, about="train")
    if problem:
        return f"With its own loss() train() does not run. {problem.message}"
    seen = watched(evidence, SAME)
    if not moves(evidence):
        # A train() that moves nothing with a stand-in either contradicts nothing.
        moved = seen is not None and seen.steps
        return (
            "With your own loss() no parameter changes: its gradients are too small to move anything." if moved else ""
        )
    return "" if not repeats_itself(evidence) else _first_difference(evidence)


@fact
def repeats_itself(evidence: Evidence) -> bool:
    """Tell whether loss() changes nothing that it is given, and answers the same question in the same way."""
    results = evidence.reply("purity").results
    first, second = (read_loss(evidence, "purity", index).value for index in (0, 1))
    expected = evidence.expected("purity")
    params = results[2] if len(results) > 2 and isinstance(results[2], dict) else {}
    same = all(unchanged(params.get(name), expected[f"param_{name}"]) for name in evidence.names)
    return first is not None and first == second and same


def _first_difference(evidence: Evidence) -> str:
    seen = watched(evidence, SAME)
    for index, (before, after) in enumerate(pairwise(points(evidence))):
        if seen is None or before is None or after is None or index >= len(seen.steps):
            return "" if seen is None or index else "With its own loss() train() leaves no whole parameters behind."
        for name in evidence.names:
            downhill, rate = gradient(evidence, index, name), seen.steps[index].rates[name]
            if downhill is None or not np.isfinite(rate):
                continue
            move, size = after[name] - before[name], float(np.abs(downhill).max())
            # The program's own gradient may be in single precision, and the parameters as well.
            rounding = (1e-6 if size > FLAT else 1e-14) * float(np.abs(before[name]).max())
            near = 1e-4 * abs(rate) * size + rounding
            if np.abs(move + rate * downhill).max() > near:
                return (
                    f"With its own loss() train() moves {name} otherwise than with a stand-in for it: in iteration {1 + index}"
                    f" not by {number(rate)} times learning_rate times the gradient that loss() gives for the same batch."
                )
    return ""
