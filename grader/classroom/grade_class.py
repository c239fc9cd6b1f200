"""A class, graded: what is new or changed is run, each grading is kept as it ends, and the pages are written."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path

from grader.classroom.batch import grade_tasks
from grader.classroom.cache_keys import CacheKey, cache_key, findings_key
from grader.classroom.executors import Workers
from grader.classroom.gradebook import Gradebook, NewGrading
from grader.classroom.match_roster import Matching
from grader.classroom.output import explain_full_disk, folder_of, write_overview, write_submission
from grader.classroom.plan import Action, Entry, Plan
from grader.classroom.reference_api import build_questions
from grader.classroom.results import ClassResults, match_sources, student_names
from grader.classroom.roster import Roster
from grader.classroom.worker import Graded, GradingSession
from grader.grading import render
from grader.model import Report, Sheet
from grader.reports.formats import IN_FOLDER, REPORT_FORMATS
from grader.rubric import FILE as RUBRIC


@dataclass(frozen=True)
class Outcome:
    """What became of the submissions that were named."""

    reports: tuple[Report, ...]  # after decisions, in the entries' order, of those that are graded
    actions: Mapping[str, Action]  # by name
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
    session: GradingSession,
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
        match_sources(roster, {**book.sources(), **paths})
        book.set_roster(roster)
    probes = build_questions(session.assignment, session.seed)
    base = cache_key(session.assignment, session.seed, probes.calls, isolated=not session.unsafe)
    found = findings_key(session.assignment, probes)
    plan = Plan(book, base, found, student_names(book, paths), force=force, idle=lambda: told(None))
    done: dict[str, Report] = {}
    with explain_full_disk(book.path.parent):
        try:
            _grade(entries, session, book, workers, plan, done, told)
        except KeyboardInterrupt:
            raise StoppedError(_outcome(book, entries, plan, done)) from None
        return _outcome(book, entries, plan, done)


def _grade(
    entries: Sequence[Entry],
    session: GradingSession,
    book: Gradebook,
    workers: Workers,
    plan: Plan,
    done: dict[str, Report],
    told: Callable[[Graded | None], None],
) -> None:
    out = book.path.parent
    folder = session.assignment.folder
    rubric = (folder / RUBRIC).read_text(encoding="utf-8")
    unread: list[str] = []
    with closing(grade_tasks(plan.tasks(entries), session, workers)) as stream:
        for one in stream:
            replies = plan.replies.get(one.name)
            if replies is not None and one.report.status == "grader_error":
                unread.append(one.name)
                continue
            # The files first: what the gradebook knows has its report beside it, whenever the grader is killed.
            write_submission(out, one.name, one.files)
            book.insert([new_grading(one, plan.base, plan.findings_key, replies)], rubric, folder)
            done[one.name] = one.decided
            told(one)
    if unread:
        # Saved replies that cannot be judged any more are no reason to take a grade away: the program is here to be run.
        plan.force = True
        plan.replies.clear()
        again = [entry for entry in entries if entry.name in unread]
        _grade(again, session, book, workers, plan, done, told)
    unchanged = [name for name, fate in plan.actions.items() if fate == "unchanged"]
    if lost := [name for name in unchanged if not _is_there(out, name, plan.students)]:
        rewrite_reports(book, lost)


def new_grading(one: Graded, base: CacheKey, findings_key: str, replies: int | None) -> NewGrading:
    """Return what the gradebook keeps of a grading; replies : those that were judged again, None for a run."""
    return NewGrading(
        name=one.name,
        source=one.source,
        made="grade" if replies is None else "regrade",
        key=replace(base, submission_digest=one.submission_digest),
        report=one.report,
        published=one.published,
        record=one.record,
        replies=one.replies if replies is None else replies,
        findings=one.findings,
        findings_key=findings_key,
    )


def rewrite_reports(book: Gradebook, names: Sequence[str]) -> None:
    """Write reports from what the gradebook keeps: after a decision, or where somebody removed them."""
    standings = ClassResults(book)
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


def _outcome(book: Gradebook, entries: Sequence[Entry], plan: Plan, done: Mapping[str, Report]) -> Outcome:
    sheet, matching = ClassResults(book).sheet(done)
    found = {standing.report.submission: standing.report for standing in sheet.standings}
    here = {entry.name for entry in entries}
    return Outcome(
        reports=tuple(found[entry.name] for entry in entries if entry.name in found),
        actions={name: fate for name, fate in plan.actions.items() if fate == "unchanged" or name in done},
        moved=plan.moved,
        others=tuple(name for name in found if name not in here),
        sheet=sheet,
        matching=matching,
        page=write_overview(book.path.parent, sheet),
    )
