"""A class, graded: what is new or changed is run, each grading is kept as it ends, and the pages are written."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path

from grader.classroom.batch import graded
from grader.classroom.cache_keys import Basis, basis, found_by
from grader.classroom.executors import Workers
from grader.classroom.gradebook import Gradebook, Line
from grader.classroom.match_roster import Matching
from grader.classroom.output import folder_of, full_disk_in_words, write_overview, write_submission
from grader.classroom.plan import Entry, Fate, Planning
from grader.classroom.reference_api import draw_probes
from grader.classroom.results import Standings, matched, students
from grader.classroom.roster import Roster
from grader.classroom.worker import Graded, Sitting
from grader.grading import render
from grader.model import Report, Sheet
from grader.reports.formats import IN_FOLDER, REPORT_FORMATS
from grader.rubric import FILE as RUBRIC


@dataclass(frozen=True)
class Outcome:
    """What became of the submissions that were named."""

    reports: tuple[Report, ...]  # after decisions, in the entries' order, of those that are graded
    fates: Mapping[str, Fate]  # by name
    moved: Mapping[str, str]  # name -> where it came from before, if that was elsewhere
    others: tuple[str, ...]  # in the gradebook from an earlier time, and not among these
    sheet: Sheet
    matching: Matching | None  # None without a roster
    page: Path


class StoppedError(Exception):
    """Somebody pressed Ctrl-C; `outcome` is what had been done, and is kept."""

    def __init__(self, outcome: Outcome) -> None:
        super().__init__("stopped")
        self.outcome = outcome


def grade_class(
    entries: Sequence[Entry],
    sitting: Sitting,
    book: Gradebook,
    workers: Workers,
    *,
    roster: Roster | None = None,
    force: bool = False,
    told: Callable[[Graded | None], None] = lambda _: None,
) -> Outcome:
    """Grade what is new or changed among the entries, keep it, and write the reports and the class page.

    told : called with each as it ends, and with None for one that had nothing to be done.
    Raises StoppedError for Ctrl-C, NoSpaceError where the disk is full, RosterError, and what `graded` raises. What had
    been graded by then is kept in each case.
    """
    paths = {entry.name: str(entry.path) for entry in entries}
    if roster:
        matched(roster, {**book.sources(), **paths})
        book.set_roster(roster)
    probes = draw_probes(sitting.assignment, sitting.seed)
    base = basis(sitting.assignment, sitting.seed, probes.calls, isolated=not sitting.unsafe)
    found = found_by(sitting.assignment, probes)
    planning = Planning(book, base, found, students(book, paths), force=force, idle=lambda: told(None))
    done: dict[str, Report] = {}
    with full_disk_in_words(book.path.parent):
        try:
            _grade(entries, sitting, book, workers, planning, done, told)
        except KeyboardInterrupt:
            raise StoppedError(_outcome(book, entries, planning, done)) from None
        return _outcome(book, entries, planning, done)


def _grade(
    entries: Sequence[Entry],
    sitting: Sitting,
    book: Gradebook,
    workers: Workers,
    planning: Planning,
    done: dict[str, Report],
    told: Callable[[Graded | None], None],
) -> None:
    out = book.path.parent
    folder = sitting.assignment.folder
    rubric = (folder / RUBRIC).read_text(encoding="utf-8")
    unread: list[str] = []
    with closing(graded(planning.tasks(entries), sitting, workers)) as stream:
        for one in stream:
            replies = planning.replies.get(one.name)
            if replies is not None and one.report.status == "grader_error":
                unread.append(one.name)
                continue
            # The files first: what the gradebook knows has its report beside it, whenever the grader is killed.
            write_submission(out, one.name, one.files)
            book.keep([line(one, planning.base, planning.found_by, replies)], rubric, folder)
            done[one.name] = one.decided
            told(one)
    if unread:
        # Saved replies that cannot be judged any more are no reason to take a grade away: the program is here to be run.
        planning.force = True
        planning.replies.clear()
        again = [entry for entry in entries if entry.name in unread]
        _grade(again, sitting, book, workers, planning, done, told)
    unchanged = [name for name, fate in planning.fates.items() if fate == "unchanged"]
    if lost := [name for name in unchanged if not _is_there(out, name, planning.students)]:
        write_again(book, lost)


def line(one: Graded, base: Basis, found_by: str, replies: int | None) -> Line:
    """Return what the gradebook keeps of a grading; replies : those that were judged again, None for a run."""
    return Line(
        name=one.name,
        source=one.source,
        made="grade" if replies is None else "regrade",
        basis=replace(base, submission_digest=one.submission_digest),
        report=one.report,
        published=one.published,
        record=one.record,
        replies=one.replies if replies is None else replies,
        findings=one.findings,
        found_by=found_by,
    )


def write_again(book: Gradebook, names: Sequence[str]) -> None:
    """Write reports from what the gradebook keeps: after a decision, or where somebody removed them."""
    standings = Standings(book)
    for name in names:
        write_submission(book.path.parent, name, render(standings.report(name)))


def _is_there(out: Path, name: str, students: Mapping[str, str]) -> bool:
    """Return whether a submission's files are there and name its student: the roster may have come later."""
    folder = folder_of(out, name)
    if not all((folder / one.file_name).exists() for one in IN_FOLDER):
        return False
    if not students:
        return True
    try:
        return bool(
            json.loads((folder / REPORT_FORMATS["json"].file_name).read_bytes()).get("student") == students.get(name)
        )
    except (ValueError, AttributeError):
        return False


def _outcome(book: Gradebook, entries: Sequence[Entry], planning: Planning, done: Mapping[str, Report]) -> Outcome:
    sheet, matching = Standings(book).sheet(done)
    found = {standing.report.submission: standing.report for standing in sheet.standings}
    here = {entry.name for entry in entries}
    return Outcome(
        reports=tuple(found[entry.name] for entry in entries if entry.name in found),
        fates={name: fate for name, fate in planning.fates.items() if fate == "unchanged" or name in done},
        moved=planning.moved,
        others=tuple(name for name in found if name not in here),
        sheet=sheet,
        matching=matching,
        page=write_overview(book.path.parent, sheet),
    )
