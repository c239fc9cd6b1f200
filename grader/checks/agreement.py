"""Answers that are those of the right program, digit for digit: what a check finds of them is known beforehand.

Most submissions are right in most questions, and all right programs that follow one convention give the same numbers but
for the order of their sums. So the right program is judged once, and whoever agrees with it in all that a check looks at
gets what it got. Agreement is far nearer than any tolerance; whatever is not laid out as was asked, is in single
precision, or is right in another way is judged entry by entry as ever.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from grader.checks.evidence import Evidence, fact, given
from grader.checks.losses import allowed_conventions
from grader.compare import as_array
from grader.records import Finding, Floats, Reply, Run

Family = Literal["scores", "loss", "sweep", "predict", "train", "kept"]

# Of each array's largest entry. Orders of summation differ by 1e-15 of it, and by ten times that after four steps.
EQUAL: Mapping[Family, float] = {
    "scores": 1e-12,
    "loss": 1e-12,
    "sweep": 1e-13,  # a slope is its difference over 2h: 1e-8 of the loss
    "predict": 1e-12,
    "train": 1e-12,
    "kept": 1e-12,
}
# A rubric that asks for more digits than this, or for steps of the differences smaller than this, is judged the long way.
FINEST, SHORTEST = 1e-8, 1e-6
HISTORIES = ("loss_history", "train_acc_history", "val_acc_history")


@dataclass(frozen=True)
class Way:
    """One right way to do the assignment: the regulariser's factor, and suspects that are none."""

    factor: float
    harmless: frozenset[int]  # positions in the line-up


@dataclass(frozen=True, eq=False)
class Answers:
    """What the right program answers in one family of questions.

    laid : (call, position of the step, result) of each question. values, allowed : (n,) all numbers in one row, and how
    near to each is the same.
    """

    laid: tuple[tuple[str, int, Any], ...]
    values: Floats
    allowed: Floats


def finding(evidence: Evidence, check: Callable[[Evidence], Finding], looks_at: tuple[Family, ...]) -> Finding:
    """Give what a check finds.

    looks_at : all families of questions whose replies the check reads; none for one that must always be worked out.
    """
    if looks_at:
        for way in _ways(evidence):
            if all(agrees(evidence, family, way) for family in looks_at):
                known = _right_finding(evidence, check, looks_at, way)
                if known is not None:
                    return known
    return check(evidence)


def agrees(evidence: Evidence, family: Family, way: Way) -> bool:
    """Tell whether all replies of a family are those of the right program in this way; not so of a way that is not known."""
    return way in _ways(evidence) and _agrees(evidence, family, _as_far_as_it_shows(evidence, family, way))


@fact
def _agrees(evidence: Evidence, family: Family, way: Way) -> bool:
    answers, theirs = _right_answers(evidence, family, way), _numbers(evidence, family)
    if answers is None or theirs is None or theirs.size != answers.values.size:
        return False
    # NaN is near to nothing.
    return bool((np.abs(theirs - answers.values) <= answers.allowed).all())


def _as_far_as_it_shows(evidence: Evidence, family: Family, way: Way) -> Way:
    """Leave out of a way what does not show in a family: it is then compared once for several of them."""
    if family in {"train", "kept"}:
        return way
    return Way(way.factor if family in {"loss", "sweep"} else _ways(evidence)[0].factor, frozenset())


@fact
def _numbers(evidence: Evidence, family: Family) -> Floats | None:
    """Give all numbers of a family's replies in one row; None where they are laid out otherwise than the right ones."""
    # All ways lay theirs out alike.
    answers = _right_answers(evidence, family, _as_far_as_it_shows(evidence, family, _ways(evidence)[0]))
    pieces: list[Any] = []
    for call, index, right in answers.laid if answers else ():
        reply = evidence.run.replies.get(call)
        if reply is None or reply.outcome != "returned" or reply.error or len(reply.results) <= index:
            return None
        if not _gather(reply.results[index], right, pieces):
            return None
    return np.concatenate(pieces, dtype=np.float64) if pieces else None


@given
def _ways(evidence: Evidence) -> tuple[Way, ...]:
    """Give the ways that are known; none where the rubric asks for more than agreement promises."""
    line_up, tolerances = evidence.probes.line_up, evidence.assignment.tolerances
    relative = (
        tolerances.scores,
        tolerances.loss,
        tolerances.gradient,
        tolerances.numeric,
        tolerances.update,
        tolerances.single,
    )
    if line_up is None or min(relative) * min(1.0, tolerances.floor) < FINEST or tolerances.step < SHORTEST:
        return ()
    # Of what is done otherwise and right, only this shows in numbers that are asked for here.
    later = [
        frozenset({index})
        for index, suspect in enumerate(line_up.suspects)
        if suspect.harmless and suspect.steps == {"decay"}
    ]
    return tuple(
        Way(factor, harmless) for harmless in (frozenset[int](), *later) for factor in allowed_conventions(evidence)
    )


@given
def _right_finding(
    evidence: Evidence, check: Callable[[Evidence], Finding], looks_at: tuple[Family, ...], way: Way
) -> Finding | None:
    """Give what a check finds of the right program; None where that is not full points."""
    # Of the other families there is nothing: a check that needs them after all falls short here.
    replies = {
        call.id: _reply(evidence, call.id, way)
        for family in looks_at
        for call in evidence.calls("train" if family == "kept" else family)
    }
    found = check(Evidence(evidence.assignment, evidence.probes, Run(Reply("load", "returned"), replies, (), {}, 0, 0)))
    return found if found.share == 1 and not found.skipped else None


@given
def _right_answers(evidence: Evidence, family: Family, way: Way) -> Answers | None:
    """Lay out what the right program answers; None where it gives no answer."""
    laid: list[tuple[str, int, Any]] = []
    for call in evidence.calls("train" if family == "kept" else family):
        reply = _reply(evidence, call.id, way)
        if reply.outcome != "returned" or len(reply.results) != len(call.steps):
            return None
        laid += [
            (call.id, index, reply.results[index])
            for index, step in enumerate(call.steps)
            if (step.method == "train") == (family == "kept")
        ]
    pieces: list[Any] = []
    if not laid or not all(_gather(result, result, pieces) for _, _, result in laid):
        return None
    values = np.concatenate(pieces, dtype=np.float64)
    allowed = [np.full(len(piece), EQUAL[family] * np.abs(piece).max(initial=0.0)) for piece in pieces]
    return Answers(tuple(laid), values, np.concatenate(allowed)) if np.isfinite(values).all() else None


def _reply(evidence: Evidence, call: str, way: Way) -> Reply:
    line_up = evidence.probes.line_up
    if line_up is None:
        raise ValueError("these probes know no right program")
    return line_up.rehearse(way.harmless, way.factor, call)


def _gather(theirs: Any, right: Any, into: list[Any]) -> bool:
    """Add the numbers of an answer to a row, piece by piece; tell whether it is laid out as the right one."""
    if isinstance(right, np.ndarray):
        if type(theirs) is float and right.shape == () and right.dtype == np.float64:
            into.append((theirs,))
            return True
        if not isinstance(theirs, np.ndarray) or theirs.shape != right.shape:
            return False
        # Whole numbers have many types, and all are right; a float in single precision is another answer.
        fine = theirs.dtype == np.float64 if right.dtype.kind == "f" else theirs.dtype.kind in "iu"
        into.append(theirs.reshape(-1))
        return fine
    if isinstance(right, dict):
        if not isinstance(theirs, dict):
            return False
        if HISTORIES[0] in right:
            return all(_gather_history(theirs.get(key), right[key], into) for key in HISTORIES)
        return all(key in theirs and _gather(theirs[key], one, into) for key, one in right.items())
    if isinstance(right, tuple):
        same = isinstance(theirs, tuple) and len(theirs) == len(right)
        return same and all(_gather(one, other, into) for one, other in zip(theirs, right, strict=True))
    return False


def _gather_history(theirs: Any, right: Any, into: list[Any]) -> bool:
    """Do the same for a list of numbers in whatever dress: lists, tuples and arrays of any type count."""
    mine, other = as_array(theirs), as_array(right)
    if mine is None or other is None or mine.size != other.size:
        return False
    into.append(mine.reshape(-1))
    return True
