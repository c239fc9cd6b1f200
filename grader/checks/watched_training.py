"""What train() did while stand-ins replaced loss() and predict(): its steps, and the calls of loss() that explain them.

The notes come from the student's process, and are its word like any answer: a short run with the program's own loss()
must agree with them, which `training` sees to.
"""

from collections.abc import Mapping
from itertools import pairwise
from typing import Any

import numpy as np

from grader.checks.context import GradingContext, cached_per_submission
from grader.compare import as_array, is_single
from grader.model import Array, Call, Floats, Params, QuestionId
from grader.records import dataclass
from grader.sandbox.stand_in_replies import MOST_NOTES, MOST_ROWS, StandIn

SAME, ROWS, LARGE = (QuestionId("watched", case) for case in ("same", "rows", "large"))
MOST_COLUMNS = 100  # of a noted batch; what is asked has a dozen
NEAR = 1e-5  # of a step
SINGLE_NOISE = 1e-6  # of a parameter's size, that a step keeps where the parameters are in single precision


@dataclass(frozen=True, eq=False)
class Question:
    """One question to loss() with labels, and what the stand-in answered.

    X : (N, D). y : (N,). reg : NaN where none was passed. gradients : by name, in the assignment's shapes.
    """

    X: Floats
    y: Floats
    reg: float
    loss: float
    gradients: Params


@dataclass(frozen=True, eq=False)
class Step:
    """One change of the parameters.

    rates : by name, r where the parameter moved by -r learning_rate gradient, NaN where no answer explains the move.
    question : the one whose answer explains most of the step, else the last one; None where nothing was asked.
    explained : whether its answer explains the step of at least one parameter.
    """

    moves: Params
    rates: Mapping[str, float]
    question: Question | None
    explained: bool


@dataclass(frozen=True, eq=False)
class WatchedRun:
    """One watched run of train().

    answer : what train() returned. steps : one for each time that the parameters changed.
    anew : whether it began with other parameters than it was given. restored : whether it ended with earlier parameters
    again, such as the best ones that it met; what its last step was is then not known.
    misfit : how a call did not fit loss()'s own parameters; "" where all did.
    """

    answer: Any
    steps: tuple[Step, ...]
    anew: bool
    restored: bool
    misfit: str


@cached_per_submission
def read_watched_run(context: GradingContext, identity: QuestionId) -> WatchedRun | None:
    """Return the notes on one watched run; None where there are none that can be read."""
    call, notes = context.call(identity), _notes(context, identity)
    if notes is None:
        return None
    points, questions = _points(notes, call), _questions(notes, call)
    if points is None or questions is None:
        return None
    anew = bool(questions) and not all(
        (np.abs(points[0][n] - v) <= 1e-6 + 1e-5 * np.abs(v)).all() for n, v in call.params.items()
    )
    if not questions:
        points = [{name: np.asarray(value, np.float64) for name, value in call.params.items()}, points[-1]]
    stays = len(points) > 1 and _equal(points[-1], points[-2])
    last = int(arguments_of(call)["num_iters"]) - 1
    # The last iteration asked for its loss as well, and took a step that is gone again.
    gone = stays and last in questions and len(points) == last + 2 > 2
    restored = gone or any(_equal(points[-1], point) for point in points[1:-2])
    if restored or stays:
        points.pop()
    steps = tuple(
        _step(call, before, after, questions.get(moment, [])) for moment, (before, after) in enumerate(pairwise(points))
    )
    misfit = notes.get("misfit")
    return WatchedRun(
        notes.get("answer"), steps, anew, restored, misfit.partition("\n")[0][:300] if isinstance(misfit, str) else ""
    )


def watched_runs(context: GradingContext) -> list[WatchedRun]:
    """Return the runs on identical and on different rows, as far as their notes can be read."""
    return [seen for run in (SAME, ROWS) if (seen := read_watched_run(context, run))]


def _equal(one: Params, other: Params) -> bool:
    return all(np.array_equal(value, other[name]) for name, value in one.items())


def final_params(context: GradingContext, identity: QuestionId) -> Params | None:
    """Return the parameters after a watched run; None where they are not whole."""
    notes = _notes(context, identity)
    points = _points(notes, context.call(identity)) if notes else None
    return points[-1] if points else None


def _notes(context: GradingContext, identity: QuestionId) -> dict[str, Any] | None:
    notes = context.result(identity, [step.method for step in context.call(identity).steps].index("watch"))
    return notes if isinstance(notes, dict) else None


def arguments_of(call: Call) -> Mapping[str, Any]:
    """Return the arguments of the watched method of a call."""
    return next(step.arguments for step in call.steps if step.method == "watch")


def stand_in_of(call: Call) -> StandIn:
    """Return the stand-in that answered in a watched call to train()."""
    given = arguments_of(call)
    shapes = {name: value.shape for name, value in call.params.items()}
    return StandIn(call.seed, shapes, call.sizes[-1], [(given["X"], given["y"]), (given["X_val"], given["y_val"])])


def split_params(flat: Floats, params: Params) -> dict[str, Floats]:
    """Return the parameters that a row (n,) holds one after another, in the shapes of these."""
    found, start = {}, 0
    for name, value in params.items():
        found[name] = flat[start : start + value.size].reshape(value.shape)
        start += value.size
    return found


def _points(notes: Mapping[str, Any], call: Call) -> list[dict[str, Floats]] | None:
    states = _table(notes.get("states"), sum(value.size for value in call.params.values()))
    if states is None or not len(states) or not np.isfinite(states).all():
        return None
    return [split_params(state, call.params) for state in states]


def _questions(notes: Mapping[str, Any], call: Call) -> dict[int, list[Question]] | None:
    """Return the questions by how often the parameters had changed before; None where the notes are not whole."""
    asked, gradients = (
        _table(notes.get("asked"), 4),
        _table(notes.get("gradients"), sum(v.size for v in call.params.values())),
    )
    X, y = as_array(notes.get("X")), as_array(notes.get("y"))
    if asked is None or gradients is None or len(asked) != len(gradients) or not np.isfinite(asked[:, [0, 1, 3]]).all():
        return None
    counts = asked[:, 1].astype(np.int64)
    if len(asked) and (
        X is None
        or y is None
        or X.ndim != 2
        or max(len(X) / MOST_ROWS, X.shape[1] / MOST_COLUMNS) > 1
        or y.ndim != 1
        or (counts < 1).any()
        or not counts.sum() == len(X) == len(y)
    ):
        return None
    found: dict[int, list[Question]] = {}
    ends = np.cumsum(counts)
    for (moment, rows, reg, loss), gradient, end in zip(asked.tolist(), gradients, ends.tolist(), strict=True):
        if X is not None and y is not None:
            here = slice(end - int(rows), end)
            question = Question(
                X[here].astype(np.float64), y[here].astype(np.float64), reg, loss, split_params(gradient, call.params)
            )
            found.setdefault(int(moment), []).append(question)
    return found


def _table(value: Any, columns: int) -> Floats | None:
    array = as_array(value)
    # As float64 a forged table of 64 MiB of single bytes would take half a gibibyte.
    if array is None or array.ndim != 2 or array.shape[1] != columns or len(array) > MOST_NOTES + 2:
        return None
    return array.astype(np.float64)


def _step(call: Call, before: Params, after: Params, questions: list[Question]) -> Step:
    moves = {name: np.asarray(after[name] - before[name]) for name in before}
    given = arguments_of(call)
    best: tuple[int, bool, Question | None, Mapping[str, float]] = (
        0,
        False,
        questions[-1] if questions else None,
        dict.fromkeys(moves, float("nan")),
    )
    # A batch may be asked about in pieces, row by row, whose gradients are averaged.
    for question in (*questions, *([_join_questions(questions)] if len(questions) > 1 else [])):
        rates = {
            name: step_rate(move, question.gradients[name] * given["learning_rate"], before[name], after[name])
            for name, move in moves.items()
        }
        fits = (
            sum(np.isfinite(rate) and rate != 0 for rate in rates.values()),
            abs(question.reg - given["reg"]) <= 1e-12,
        )
        if fits > best[:2] and fits[0]:
            best = (*fits, question, rates)
    return Step(moves, best[3], best[2], explained=best[0] > 0)


def _join_questions(questions: list[Question]) -> Question:
    """Return several questions as one about all their rows: losses and gradients are means over the rows."""
    shares = np.array([len(one.y) for one in questions]) / sum(len(one.y) for one in questions)
    return Question(
        np.concatenate([one.X for one in questions]),
        np.concatenate([one.y for one in questions]),
        questions[-1].reg,
        float(shares @ [one.loss for one in questions]),
        {name: np.tensordot(shares, [one.gradients[name] for one in questions], 1) for name in questions[0].gradients},
    )


def step_rate(move: Floats, downhill: Floats, before: Array, after: Array) -> float:
    """Return r where move = -r downhill, entry by entry; NaN where no r does.

    move, downhill, before, after : one shape; downhill is learning_rate times the gradient.
    """
    size = float((downhill * downhill).sum())
    if not size:
        return float("nan")
    rate = -float((move * downhill).sum()) / size
    off = float(np.abs(move + rate * downhill).max()) - NEAR * abs(rate) * float(np.abs(downhill).max())
    if off <= 0:
        return rate
    largest = max(np.abs(before).max(), np.abs(after).max())
    rounded = off <= 1e-14 * largest or (off <= SINGLE_NOISE * largest and is_single(np.asarray(after)))
    return rate if rounded else float("nan")
