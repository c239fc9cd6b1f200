"""Restore decisions and roster from the safety copy into a new gradebook, after the old one was damaged or lost."""

from collections import Counter
from collections.abc import Mapping, Sequence
from heapq import merge
from itertools import pairwise
from pathlib import Path

from grader.classroom.adjust import rewrite
from grader.classroom.gradebook import Gradebook
from grader.classroom.results import match_sources
from grader.classroom.safety_copy import CopyError, DecisionRecord, missing, read_copy
from grader.classroom.storage import COPY
from grader.model import Report
from grader.records import dataclass, replace
from grader.text.sanitise import one_line


@dataclass(frozen=True)
class Restored:
    """What was restored, and what was not."""

    added: int
    withdrawn: int  # were here, and have been taken back, as the copy says
    present: int  # were here as the copy has them
    unknown: Mapping[str, int]  # name of a submission that is not here -> its decisions, which were not added
    renumbered: Mapping[int, int]  # old number -> new one, of decisions that were here and now have another
    students: int  # of the roster, where the gradebook had none
    reports: tuple[Report, ...]  # of the submissions whose decisions changed, after all decisions


def restore(book: Gradebook, path: Path) -> Restored:
    """Add what the gradebook lacks from a safety copy, and write the reports and the class page.

    Doing it again changes nothing. Raises CopyError for a file that cannot be read completely, and RosterError for a
    roster that names a submission which is not there; nothing is added then.
    """
    copy, here, names = read_copy(path), book.decision_records(), set(book.last())
    roster = None if book.roster() else copy.roster
    # Before anything is kept: a roster that does not fit would block every command.
    match_sources(roster, book.sources())
    more, withdrawn = missing(copy.records, here)
    fitting = [one for one in more if one.name in names]
    added, renumbered = _number(fitting, here) if fitting else ([], {})
    book.merge_decisions(added, withdrawn, renumbered)
    changed = {one.name for one in added}
    changed |= {one.name for one in here if one.decision.number in withdrawn or one.decision.number in renumbered}
    if roster:
        book.set_roster(roster)
    reports = rewrite(book, sorted(names if roster else changed)) if roster or changed else []
    return Restored(
        added=len(added),
        withdrawn=len(withdrawn),
        present=len(copy.records) - len(more) - len(withdrawn),
        unknown=Counter(one.name for one in more if one.name not in names),
        renumbered=renumbered,
        students=len(roster.students) if roster else 0,
        reports=tuple(report for report in reports if report.submission in changed),
    )


def reminder(book: Gradebook) -> str:
    """Return what the gradebook lacks from the safety copy and how to restore it; "" if nothing.

    Without it, scores without decisions could be published after a damaged gradebook was replaced.
    """
    path = book.path.with_name(COPY)
    if not path.exists():
        return ""
    beside, here = one_line(str(path)), book.decision_records()
    try:
        copy = read_copy(path)
    except CopyError as error:
        # Where there are decisions, the file is somebody's own; the next decision puts it aside.
        return "" if here else f"{error} Decisions in it do not count until it can be read."
    more, withdrawn = missing(copy.records, here)
    names = book.sources()
    count = sum(one.name in names for one in more) + len(withdrawn)
    held = [f"{count} decision{'' if count == 1 else 's'}"] * bool(count)
    held += ["a roster"] * bool(copy.roster and not book.roster())
    if not held:
        return ""
    return (
        f"{beside} holds {' and '.join(held)} that the gradebook lacks and that do not count yet."
        f" To restore them, run `grader adjust {one_line(str(book.path.parent))} --restore {beside}`."
    )


def _number(
    added: Sequence[DecisionRecord], here: Sequence[DecisionRecord]
) -> tuple[list[DecisionRecord], dict[int, int]]:
    """Return the decisions to add with their new numbers, and the new numbers of the decisions here.

    Numbers tell which decision is later, so older ones come first. In a gradebook without decisions each keeps its
    number.
    """
    twice = len({one.decision.number for one in added}) < len(added)  # the copy holds those of two gradebooks
    ordered = sorted(added, key=lambda one: (one.decision.at if twice else "", one.decision.number))
    # By time, and each list in its own order: a clock may have gone back.
    together = list(merge(((one, True) for one in ordered), ((one, False) for one in here), key=_time))
    old = [one.decision.number for one, _ in together]
    new = old if all(first < second for first, second in pairwise(old)) else range(1, len(old) + 1)
    pairs = list(zip(together, new, strict=True))
    return (
        [replace(one, decision=replace(one.decision, number=number)) for (one, is_new), number in pairs if is_new],
        {before: number for (one, is_new), number in pairs if not is_new and (before := one.decision.number) != number},
    )


def _time(pair: tuple[DecisionRecord, bool]) -> str:
    return pair[0].decision.at
