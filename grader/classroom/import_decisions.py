"""People's decisions from a file, taken into a gradebook that lacks them: the old one was damaged, or lost."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path

from grader.classroom.decide import rewritten
from grader.classroom.decisions_csv import LedgerError, missing, read
from grader.classroom.gradebook import Gradebook, Ruled
from grader.classroom.storage import LEDGER
from grader.model import Report
from grader.text.sanitise import one_line


@dataclass(frozen=True)
class Restored:
    """What became of the decisions that a file holds."""

    taken: int
    withdrawn: int  # were here, and have been taken back by what the file says
    present: int  # were here as the file has them
    unknown: Mapping[str, int]  # name of a submission that is not here -> its decisions, which were not taken
    renumbered: Mapping[int, int]  # old number -> new one, of decisions that were here and now have another
    reports: tuple[Report, ...]  # of the submissions concerned, after all decisions


def restore(book: Gradebook, path: Path) -> Restored:
    """Take what a file of decisions holds and the gradebook does not, and write the reports and the class page.

    Doing it again changes nothing. Raises LedgerError for a file that cannot be read whole: nothing is taken then.
    """
    listed, here, names = read(path), book.ruled(), set(book.last())
    more, withdrawn = missing(listed, here)
    _unaltered(more, here, path)
    fitting = [one for one in more if one.name in names]
    taken, renumbered = _numbered(fitting, here) if fitting else ([], {})
    unknown: dict[str, int] = {}
    for one in more:
        if one.name not in names:
            unknown[one.name] = unknown.get(one.name, 0) + 1
    book.take(taken, withdrawn, renumbered)
    touched = {one.name for one in taken}
    touched |= {one.name for one in here if one.decision.number in withdrawn or one.decision.number in renumbered}
    return Restored(
        taken=len(taken),
        withdrawn=len(withdrawn),
        present=len(listed) - len(more) - len(withdrawn),
        unknown=unknown,
        renumbered=renumbered,
        reports=tuple(rewritten(book, sorted(touched))) if touched else (),
    )


def _unaltered(more: Sequence[Ruled], here: Sequence[Ruled], path: Path) -> None:
    """Raise LedgerError where a decision that is here stands in the file with another value or comment."""
    made = {_made(one): one.decision for one in here}
    for one in more:
        if there := made.get(_made(one)):
            raise LedgerError(
                f"{one_line(str(path))}: decision {one.decision.number} about {one_line(one.name)} is in the gradebook, and says"
                f" something else there ({there.value:g}: {one_line(there.comment, 60)}). Expected is the file as the grader"
                " wrote it: to decide otherwise, use `grader adjust`. Nothing was taken."
            )


def _made(one: Ruled) -> tuple[int, str, str, str, str, str]:
    decision = one.decision
    return decision.number, one.name, decision.kind, decision.check, decision.at, decision.by


def reminder(book: Gradebook) -> str:
    """Say that the file beside the gradebook holds decisions that it lacks, and how they are taken over; "" if not.

    Scores without them would go out unnoticed after a damaged gradebook was replaced.
    """
    beside = book.path.with_name(LEDGER)
    try:
        more, withdrawn = missing(read(beside), book.ruled()) if beside.exists() else ([], {})
    except LedgerError as error:
        # Where there are decisions it is somebody's own file of that name; the next decision puts it aside.
        return "" if book.ruled() else f"{error} If decisions stand in it, none of them counts before it can be read."
    names = book.sources()
    count = sum(one.name in names for one in more) + len(withdrawn)
    if not count:
        return ""
    what = "1 decision that is" if count == 1 else f"{count} decisions that are"
    folder = one_line(str(book.path.parent))
    return (
        f"{one_line(str(beside))} holds {what} not in the gradebook, and not counted:"
        f" `grader adjust {folder} --restore {one_line(str(beside))}` takes over what is there."
    )


def _numbered(taken: Sequence[Ruled], here: Sequence[Ruled]) -> tuple[list[Ruled], dict[int, int]]:
    """Return the decisions that are taken with the numbers that they get, and the new numbers of those that were here.

    A later decision overtakes an earlier one by its number, so that older ones have to come first. In a gradebook
    without decisions each keeps its number.
    """
    one_after_another = _merged(_in_order(taken), here)
    old = [one.decision.number for one, _ in one_after_another]
    ascending = all(first < second for first, second in pairwise(old))
    new = old if ascending else list(range(1, len(old) + 1))
    pairs = list(zip(one_after_another, new, strict=True))
    numbered = [
        replace(one, decision=replace(one.decision, number=number)) for (one, is_new), number in pairs if is_new
    ]
    moved = {
        one.decision.number: number for (one, is_new), number in pairs if not is_new and one.decision.number != number
    }
    return numbered, moved


def _in_order(taken: Sequence[Ruled]) -> list[Ruled]:
    """Bring decisions into the order in which they were made: a file may hold those of two gradebooks."""
    numbers = {one.decision.number for one in taken}
    if len(numbers) == len(taken):
        return sorted(taken, key=lambda one: one.decision.number)
    return sorted(taken, key=lambda one: (one.decision.at, one.decision.number))


def _merged(taken: Sequence[Ruled], here: Sequence[Ruled]) -> list[tuple[Ruled, bool]]:
    """Bring two lists into one order by when each was decided, and keep each list's own: a clock may have gone back."""
    merged: list[tuple[Ruled, bool]] = []
    first, second = list(taken), list(here)
    while first or second:
        is_new = bool(first) and (not second or first[0].decision.at <= second[0].decision.at)
        merged.append(((first if is_new else second).pop(0), is_new))
    return merged
