"""`grader grade`: grade what is new or changed in a class, and write the pages."""

import json
import re
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path

from grader.classroom.adjust import ask, rewrite_reports, save_decisions
from grader.classroom.attempts import Attempt, Attempts
from grader.classroom.executors import Workers
from grader.classroom.gradebook import Gradebook
from grader.classroom.grading_loop import ClassGrading, begin_grading
from grader.classroom.match_roster import Matching
from grader.classroom.output import explain_full_disk, folder_of, write_overview
from grader.classroom.plan import Action, Entry, Plan
from grader.classroom.results import (
    ClassResults,
    class_attempts,
    follow_students,
    match_class,
    match_sources,
    student_names,
)
from grader.classroom.roster import Roster
from grader.classroom.worker import Graded, GradingSession
from grader.model import Assignment, Decision, Report
from grader.records import dataclass
from grader.reports.formats import IN_FOLDER, REPORT_FORMATS
from grader.submission import read


@dataclass(frozen=True)
class Outcome:
    """The result of grading some submissions."""

    reports: tuple[Report, ...]  # after decisions, in the entries' order, of those that are graded
    actions: Mapping[str, Action]  # by name
    moved: Mapping[str, str]  # name -> where it came from before, if that was elsewhere
    others: tuple[str, ...]  # in the gradebook from an earlier time, and not among these
    matching: Matching | None  # None without a roster
    other_versions: str  # see ClassGrading
    stopped: bool  # by Ctrl-C; what had been done is kept


def grade_class(
    entries: Sequence[Entry],
    session: GradingSession,
    book: Gradebook,
    workers: Workers,
    *,
    roster: Roster | None = None,
    attempt: Attempt | None = None,
    force: bool = False,
    on_result: Callable[[Graded | None], None] = lambda _: None,
) -> Outcome:
    """Grade the entries that are new or changed, save the results, and write the reports and the class page.

    attempt : which of a student's hand-ins counts from now on; None changes nothing. Others of the same student are left
    out. on_result : called with each result, and with None for an unchanged submission.
    Raises NoSpaceError where the disk is full, RosterError, and what `grade_tasks` raises. Whatever was graded before
    that, or before Ctrl-C, is saved.
    """
    if roster:
        match_sources(roster, {**book.sources(), **{entry.name: str(entry.path) for entry in entries}})
        book.set_roster(roster)
    if attempt:
        book.set_attempt(attempt)
    chosen, matching = _choose_entries(entries, session, book)
    grading = begin_grading(session, book)
    plan = Plan(
        book,
        grading.key,
        grading.stands,
        student_names(matching),
        follow_students(book.decisions(), matching),
        force=force,
        on_unchanged=lambda: on_result(None),
        replayed=grading.replayed,
    )
    stopped = False
    with explain_full_disk(book.path.parent):
        try:
            grading.run(plan.tasks(chosen), workers, on_result)
            if grading.failed:
                # The program is here to be run, whatever became of its saved replies.
                again = [entry for entry in chosen if entry.name in grading.failed]
                plan.force = True
                grading.replayed.clear()
                grading.run(plan.tasks(again), workers, on_result)
            _save_requests(book, plan, entries, matching)
            _rewrite_others(book, plan, follow_students(book.decisions(), matching))
        except KeyboardInterrupt:
            stopped = True
        return _outcome(grading, chosen, plan, stopped=stopped)


def _holds_program(assignment: Assignment, today: frozenset[str], path: str) -> bool | None:
    """Return whether a path holds the text of the class, right or wrong; None for a path that is not graded now."""
    if path not in today:
        return None
    found = read(Path(path))
    defines = re.compile(rf"class\s+{re.escape(assignment.class_name)}\b".encode())
    return any(defines.search(file.data) for file in found.files) or (
        found.problem is not None and found.problem.status != "no_submission"
    )


def _choose_entries(
    entries: Sequence[Entry], session: GradingSession, book: Gradebook
) -> tuple[list[Entry], Matching | None]:
    """Return the entries to grade, and whose each is: of several hand-ins of one student not all may be needed."""
    paths = {entry.name: str(entry.path) for entry in entries}
    attempts = class_attempts(book, paths, partial(_holds_program, session.assignment, frozenset(paths.values())))
    matching = match_class(book, attempts)
    return [entry for entry in entries if not _is_left_out(entry.name, attempts, matching)], matching


def _is_left_out(name: str, attempts: Attempts, matching: Matching | None) -> bool:
    """Return whether another hand-in of the same student counts, whatever this one would get."""
    if matching is None or name not in matching.superseded:
        return False
    return attempts.policy != "best" or not attempts.is_gradable(name)


def _save_requests(book: Gradebook, plan: Plan, every: Sequence[Entry], matching: Matching | None) -> None:
    """Save what students ask of a person, also in hand-ins that do not count."""
    superseded = matching.superseded if matching else {}
    for entry in every:
        if entry.name not in plan.actions and entry.name in superseded and (request := read(entry.path).request):
            plan.requests.setdefault(superseded[entry.name], request)
    if plan.requests:
        save_decisions(book, [(name, ask(text)) for name, text in sorted(plan.requests.items())])
        book.write_copy()


def _rewrite_others(book: Gradebook, plan: Plan, made: Mapping[str, Sequence[Decision]]) -> None:
    """Write the files that somebody removed, or that lack their student or people's last words."""
    out, names = book.path.parent, [name for name, action in plan.actions.items() if action == "unchanged"]
    counts = {name: len(made.get(name, ())) for name in dict.fromkeys([*names, *plan.requests])}
    missing = [name for name, count in counts.items() if not _is_written(out, name, plan.students, count)]
    if missing:
        rewrite_reports(book, missing)


def _is_written(out: Path, name: str, students: Mapping[str, str], decisions: int) -> bool:
    """Return whether a submission's files exist, name its student and hold so many decisions: these may be newer."""
    folder = folder_of(out, name)
    if not all((folder / one.file_name).exists() for one in IN_FOLDER):
        return False
    try:
        written = json.loads((folder / REPORT_FORMATS["json"].file_name).read_bytes())
        return bool(written.get("student") == students.get(name) and len(written.get("rulings", ())) == decisions)
    except (ValueError, AttributeError, TypeError):
        return False


def _outcome(grading: ClassGrading, entries: Sequence[Entry], plan: Plan, *, stopped: bool) -> Outcome:
    known = {name: report for name, report in grading.done.items() if name not in plan.requests}
    results = ClassResults(grading.book)
    sheet = results.sheet(known)
    write_overview(grading.book.path.parent, sheet)
    found = {standing.report.submission: standing.report for standing in sheet.standings}
    here = {entry.name for entry in entries}
    return Outcome(
        reports=tuple(found[entry.name] for entry in entries if entry.name in found),
        actions={
            name: action for name, action in plan.actions.items() if action == "unchanged" or name in grading.done
        },
        moved=plan.moved,
        others=tuple(name for name in found if name not in here),
        matching=results.matching,
        other_versions=grading.other_versions,
        stopped=stopped,
    )
