"""Rows of the table of steps while it is made: which of them are kept where there are too many."""

import ast
import math
from collections.abc import Iterable, Sequence

from grader.locate.recorded_values import VARIABLE, Made, Recorded, Spot
from grader.locate.source_statements import Statements
from grader.model import StepRow, StepStatus
from grader.records import dataclass

MOST = 25  # rows of the table
NOWHERE = math.inf  # in the order of the recording: after all that was made
# How soon a row goes where there are too many.
WRONG, ANSWER, STEP, AGAIN, UNKNOWN = range(5)


@dataclass(frozen=True)
class Row:
    """One row. when : in the order of the recording. rank : how soon it goes where there are too many, the highest first."""

    when: float
    spot: Spot
    name: str
    shape: tuple[int, ...]
    status: StepStatus
    verdict: str
    rank: int


def wrong(when: float, spot: Spot, name: str, shape: tuple[int, ...], verdict: str) -> Row:
    """Return a row of something that is wrong."""
    return Row(when, spot, name, shape, "differs", verdict, WRONG)


def limit_rows(rows: Iterable[Row], text: Statements) -> tuple[StepRow, ...]:
    """Return at most 25 rows in their order: what is wrong, the answers, and what is near the first that is wrong."""
    ordered = sorted(rows, key=lambda row: row.when)
    # Of one name that a line makes wrong several times, the last value tells. A helper of both layers may make the gradient
    # of b1 wrong, and that of b2: each has its row.
    last = {(row.spot, row.name): row for row in ordered if row.rank == WRONG}
    last_of = {(row.spot, row.name, _about(row)): row for row in ordered if row.rank == WRONG}
    kept = [*last.values(), *(row for (_, _, about), row in last_of.items() if about)]
    ordered = [row for row in ordered if row.rank != WRONG or any(row is one for one in kept)]
    placed = [(row, place) for row in ordered if (place := text.place(*row.spot))]
    first = next((at for at, (row, _) in enumerate(placed) if row.rank == WRONG), 0)
    chosen = sorted(range(len(placed)), key=lambda at: (placed[at][0].rank, abs(at - first)))[:MOST]
    return tuple(
        StepRow(place, called(row.name), row.shape, row.status, row.verdict)
        for row, place in (placed[at] for at in sorted(chosen))
    )


def _about(row: Row) -> str:
    """Return what a wrong value should be; "" where its verdict does not say so."""
    head, _, value = row.verdict.partition(":")[0].partition("differs from ")
    return "" if head else value


def called(name: str) -> str:
    """Return what a value is called: the student's own name, and "returned" of one that has none."""
    return f"returned{name[6:]}" if name == "return" or name.startswith(("return[", "return.")) else name


def moment(spot: Spot, made: Sequence[Made], recorded: Recorded) -> float:
    """Return when a line comes in the order of the recording: after what it sets first, else before the lines below it."""
    held = [held.when for one in made for held in one.holders if held.spot == spot and held.how == VARIABLE]
    if held or spot == recorded.end():
        return min(held) + 0.5 if held else NOWHERE
    below = [
        (one.spot[1], one.born)
        for one in made
        if one.spot[0] == spot[0] and one.spot[1] > spot[1] and recorded.is_method(one.call) and not one.given
    ]
    return min(below)[1] - 0.5 if below else NOWHERE


def last_line(recorded: Recorded, text: Statements) -> Spot | None:
    """Return the line with which a method ended: its last `return` that ran, where it gave nothing that is recorded."""
    if recorded.error or recorded.end():
        return recorded.end()
    start = text.definition(recorded.method)
    ran = [spot for spot in recorded.ran if start and spot[0] == start[0] and spot[1] >= start[1]]
    returns = [spot for spot in ran if isinstance(text.by_line.get(spot), ast.Return)]
    return max(returns or ran, default=None)


def list_stop(recorded: Recorded) -> list[Row]:
    """Return the row of the line at which a method stopped with an exception; none where it came to its end."""
    if not recorded.stopped or not recorded.error:
        return []
    endless = recorded.error == "StoppedError"  # by the recorder, after very many lines
    verdict = "stopped here: it did not end within its time" if endless else f"stopped here: {recorded.error}"
    return [wrong(NOWHERE, recorded.stopped, "", (), verdict)]
