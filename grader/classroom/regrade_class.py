"""A class judged again from its saved replies, after the rubric or the grader changed: no student code runs."""

from __future__ import annotations

import json
import tomllib
from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path

from grader.classroom.batch import grade_tasks
from grader.classroom.cache_keys import CacheKey, cache_key, findings_key
from grader.classroom.compare_reports import ScoreChange, compare_reports, compare_tables, to_csv
from grader.classroom.executors import Workers
from grader.classroom.grade_class import new_grading
from grader.classroom.gradebook import Gradebook, GradebookError, GradingRow
from grader.classroom.output import explain_full_disk, write_overview, write_submission
from grader.classroom.plan import replay_task
from grader.classroom.reference_api import build_questions
from grader.classroom.results import ClassResults
from grader.classroom.storage import write_text
from grader.classroom.worker import FAULT, Graded, GradingSession, Task
from grader.model import Report, Sheet
from grader.rubric import FILE as RUBRIC
from grader.text.sanitise import sanitise_report

TABLE = "regraded.csv"
# Submissions in one transaction: each has to reach the disk before the next, which takes longer than judging one.
TOGETHER = 50
# A worker starts in the time that it takes to score some two hundred.
FEW = 500

NO_REPLIES = "the grader failed on it, so there are no replies: `grader grade` runs it again."
OTHER_SEED = (
    "the questions were drawn from another seed. Name that one with --seed, as when it was graded;"
    " or run `grader grade` to ask the new questions."
)
OTHER_QUESTIONS = (
    "the questions changed: the rubric (sizes, regularisation strengths, the digits task, limits or names) or this"
    " version of the grader asks others than were asked. `grader grade` asks them."
)
FAILED = (
    f"the grader failed on the saved replies, and the earlier grading stands; {FAULT} beside the report says what is"
    " known of it. `grader grade` with that submission and --force runs it again."
)


@dataclass(frozen=True)
class Regraded:
    """What judging again changed."""

    count: int  # judged again
    todo: int  # were to be judged; more than `count` where it was stopped, or the grader failed
    current: int  # were judged by this rubric already
    moves: tuple[
        ScoreChange, ...
    ]  # the largest first; without `force` also those whom this rubric moved at an earlier time
    reworded: int  # whose points are what they were, and whose report says something else
    changes: tuple[str, ...]  # of the rubric and the versions, in words
    left: Mapping[str, str]  # name -> why its replies could not be judged again
    failed: tuple[str, ...]  # of `left`, those where that is the grader's own fault
    sheet: Sheet
    page: Path


class StoppedError(Exception):
    """Somebody pressed Ctrl-C; `found` is what had been judged, and is kept."""

    def __init__(self, found: Regraded) -> None:
        super().__init__("stopped")
        self.found = found


def regrade(
    session: GradingSession,
    book: Gradebook,
    workers: Workers,
    *,
    force: bool = False,
    began: Callable[[int], None] = lambda _: None,
    told: Callable[[Graded | None], None] = lambda _: None,
) -> Regraded:
    """Judge all saved replies by the rubric as it is now, keep that, and write the reports and the class page.

    force : also those that this rubric and this grader judged last. began : called with how many are judged; told :
    called with each. Raises StoppedError for Ctrl-C, GradebookError where none can be judged again, and what `graded`
    raises. What had been judged by then is kept in each case.
    """
    probes = build_questions(session.assignment, session.seed)
    base = cache_key(session.assignment, session.seed, probes.calls, isolated=True)
    before = ClassResults(book)
    todo, left = _sorted_out(before.last, base, force=force)
    if left and len(left) == len(before.last):
        reasons = Counter(left.values()).most_common()
        raise GradebookError(f"{book.path.parent}: {' '.join(f'{count} left: {reason}' for reason, count in reasons)}")
    began(len(todo))
    judging = _Judging(session, before, base, findings_key(session.assignment, probes), todo, force, {}, {})
    with explain_full_disk(book.path.parent):
        try:
            judging.all(workers, told)
        except KeyboardInterrupt:
            raise StoppedError(_regraded(judging, left)) from None
        return _regraded(judging, left)


def _sorted_out(
    last: Mapping[str, GradingRow], base: CacheKey, *, force: bool
) -> tuple[dict[str, GradingRow], dict[str, str]]:
    """Return which are to be judged again, and why others cannot be."""
    todo: dict[str, GradingRow] = {}
    left: dict[str, str] = {}
    for name, kept in last.items():
        theirs = kept.key
        if kept.replies is None:
            left[name] = NO_REPLIES
        elif theirs.seed_id != base.seed_id:
            left[name] = OTHER_SEED
        elif theirs.questions != base.questions:
            left[name] = OTHER_QUESTIONS
        elif force or kept.status == "grader_error" or not _same_rubric(theirs, base):
            todo[name] = kept
    return todo, left


def _same_rubric(one: CacheKey, other: CacheKey) -> bool:
    return (one.assignment_digest, one.versions) == (other.assignment_digest, other.versions)


@dataclass(frozen=True)
class _Judging:
    """One regrade at work."""

    session: GradingSession
    before: ClassResults
    base: CacheKey  # of this regrade, but for the submission
    findings_key: str  # findings by this stand
    todo: Mapping[str, GradingRow]  # by their last grading before it
    force: bool
    done: dict[str, Report]  # after decisions
    failed: dict[str, str]  # name -> why it could not be judged

    @property
    def rubric(self) -> str:
        """The assignment.toml as it is now."""
        return (self.session.assignment.folder / RUBRIC).read_text(encoding="utf-8")

    def all(self, workers: Workers, told: Callable[[Graded | None], None]) -> None:
        """Judge, write the reports, and keep some at a time."""
        book, rubric = self.before.book, self.rubric
        sources, decisions, students = book.sources(), self.before.decisions, self.before.student_names
        # Whoever asks for all of it again wants it judged, whatever is known.
        stands = "" if self.force else self.findings_key
        tasks = (
            replay_task(
                book,
                kept,
                Task(name, sources[name], None, decisions=decisions.get(name, ()), student=students.get(name)),
                stands,
            )
            for name, kept in self.todo.items()
        )
        ready: list[Graded] = []
        with closing(grade_tasks(tasks, self.session, self._place(workers, stands))) as stream:
            try:
                for one in stream:
                    if self._written(one):
                        ready.append(one)
                    told(one)
                    if len(ready) >= TOGETHER:
                        together, ready = ready, []
                        self._keep(together, rubric)
            finally:
                # Whatever ends it: the gradebook knows what the reports say.
                self._keep(ready, rubric)

    def _place(self, workers: Workers, stands: str) -> Workers:
        """Return where to do it: here, where no more is to be done than workers take to start."""
        # Of what could not be loaded nothing was found, and nothing is judged.
        scored = bool(stands) and all(
            kept.findings_key == stands or kept.status in {"no_submission", "failed_to_load"}
            for kept in self.todo.values()
        )
        return Workers() if scored and len(self.todo) < FEW and not workers.cluster else workers

    def _written(self, one: Graded) -> bool:
        """Write a report; tell whether there is one."""
        out = self.before.book.path.parent
        if one.report.status != "grader_error":
            write_submission(out, one.name, one.files)
            return True
        # A fault of ours takes nobody's grade away: what was found before stands, in the gradebook and in the report.
        write_submission(out, one.name, {FAULT: one.files[FAULT]} if FAULT in one.files else {})
        self.failed[one.name] = FAILED
        return False

    def _keep(self, ready: Sequence[Graded], rubric: str) -> None:
        lines = [
            new_grading(one, replace(self.base, isolated=kept.key.isolated), self.findings_key, kept.replies)
            for one in ready
            for kept in [self.todo[one.name]]
        ]
        self.before.book.insert(lines, rubric, self.session.assignment.folder)
        self.done.update({one.name: one.decided for one in ready})


# ---------------------------------------------------------------- what came of it


def _regraded(judging: _Judging, left: Mapping[str, str]) -> Regraded:
    """Find who moved, and write the tables and the class page."""
    book, out = judging.before.book, judging.before.book.path.parent
    now = ClassResults(book)
    pairs = _pairs(judging, now)
    found = [
        # What has just been written is at hand, and need not be read.
        compare_reports(
            now.then(then), sanitise_report(judging.done[name]) if name in judging.done else now.then(now.last[name])
        )
        for name, then in pairs.items()
    ]
    moves = tuple(
        sorted((move for move in found if move.points), key=lambda move: (-abs(move.after - move.before), move.name))
    )
    sheet, _ = now.sheet(judging.done)
    write_text(out / TABLE, to_csv(moves))
    return Regraded(
        count=len(judging.done),
        todo=len(judging.todo),
        current=len(now.last) - len(judging.todo) - len(left),
        moves=moves,
        reworded=sum(move.reworded and not move.points for move in found),
        changes=_changes(tuple(pairs.values()), judging),
        left={**left, **judging.failed},
        failed=tuple(judging.failed),
        sheet=sheet,
        page=write_overview(out, sheet),
    )


def _pairs(judging: _Judging, now: ClassResults) -> dict[str, GradingRow]:
    """Return the grading against which each that was judged again is held.

    Those too that were judged by this rubric at an earlier time: the list of a regrade that was stopped is whole once
    it has gone on, and the same command gives the same list. Not where all are judged again: what that changed is asked.
    """
    found: dict[str, GradingRow] = {}
    for name, last in now.last.items():
        if name in judging.done:
            found[name] = judging.todo[name]
        elif not judging.force and last.made == "regrade" and _same_rubric(last.key, judging.base):
            same_run = [kept for kept in now.book.gradings(name)[:-1] if kept.replies == last.replies]
            earlier = [kept for kept in same_run if not _same_rubric(kept.key, last.key)]
            if earlier:
                found[name] = earlier[-1]
    return found


def _changes(pairs: Collection[GradingRow], judging: _Judging) -> tuple[str, ...]:
    rubrics = dict.fromkeys(kept.key.assignment_digest for kept in pairs)
    versions = dict.fromkeys(kept.key.versions for kept in pairs)
    then = [tomllib.loads(judging.before.book.assignment_text(digest)) for digest in rubrics]
    return (
        *compare_tables(then, tomllib.loads(judging.rubric)),
        *compare_tables(map(json.loads, versions), json.loads(judging.base.versions)),
    )
