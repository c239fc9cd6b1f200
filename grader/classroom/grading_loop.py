"""The loop of both `grader grade` and `grader regrade`: workers do the tasks, and the results are written and saved.

A task says where a submission's replies come from: a run of the program, or an earlier run.
"""

import json
from collections.abc import Callable, Iterable
from contextlib import closing
from typing import Any

from grader.classroom.batch import grade_tasks
from grader.classroom.cache_keys import CacheKey, cache_key, findings_key
from grader.classroom.executors import Workers
from grader.classroom.gradebook import Gradebook, GradingRow, NewGrading
from grader.classroom.output import write_submission
from grader.classroom.reference_api import build_questions
from grader.classroom.worker import Graded, GradingSession, Task
from grader.compare import lie_within
from grader.model import Report
from grader.records import dataclass, field, replace
from grader.rubric import FILE as RUBRIC

# Replayed submissions in one transaction: each has to reach the disk before the next, which takes longer than judging.
TOGETHER = 50


@dataclass
class ClassGrading:
    """One grading of a class: what it depends on, and its results so far."""

    session: GradingSession
    book: Gradebook
    key: CacheKey  # but for the submission
    findings_key: str
    other_versions: str = ""  # a sentence where another grader, Python or numpy graded before; "" where none did
    replayed: dict[str, GradingRow] = field(default_factory=dict)  # whose replies are judged again; others are run
    done: dict[str, Report] = field(default_factory=dict)  # after decisions
    _parts: dict[Any, Any] = field(default_factory=dict)  # of reports in `done`
    failed: dict[str, Graded] = field(default_factory=dict)  # replies that the grader failed on; the old grading stands

    def stands(self, row: GradingRow) -> bool:
        """Return whether what was found in an earlier grading is what would be found now."""
        same = row.findings_key == self.findings_key and row.ranges is not None
        return same and lie_within(self.session.assignment.tolerances, row.ranges or {})

    def run(self, tasks: Iterable[Task], workers: Workers, on_result: Callable[[Graded], None]) -> None:
        """Do all tasks: write each submission's files, then insert its grading into the gradebook.

        However it ends, gradebook and files agree. If the grader fails on saved replies, nobody loses a grade: nothing
        is written, and the failure goes into `failed`. Raises what `grade_tasks` raises.
        """
        ready: list[Graded] = []
        try:
            with closing(grade_tasks(tasks, self.session, workers)) as stream:
                for graded in stream:
                    if graded.name in self.replayed and graded.report.status == "grader_error":
                        self.failed[graded.name] = graded
                        continue
                    # The files first: what the gradebook knows has its report beside it, whenever the grader is killed.
                    write_submission(self.book.path.parent, graded.name, graded.files)
                    ready.append(graded)
                    if len(ready) >= TOGETHER or graded.name not in self.replayed:
                        together, ready = ready, []
                        self._insert(together)
                    on_result(graded)
        finally:
            if ready:
                self._insert(ready)

    def _insert(self, ready: list[Graded]) -> None:
        folder = self.session.assignment.folder
        rubric = (folder / RUBRIC).read_text(encoding="utf-8")
        self.book.insert([self._new_grading(graded) for graded in ready], rubric, folder)
        self.done.update({graded.name: self._share(graded.decided) for graded in ready})

    def _share(self, report: Report) -> Report:
        """Return the report with parts of earlier ones in place of equal ones: those of ten thousands would fill the memory."""

        def keep(one: Any) -> Any:
            return self._parts.setdefault(one, one)

        return replace(
            report,
            checks=tuple(map(keep, report.checks)),
            steps=tuple(map(keep, report.steps)),
            environment=self._parts.setdefault(repr(report.environment), report.environment),
        )

    def _new_grading(self, graded: Graded) -> NewGrading:
        key = replace(self.key, submission_digest=graded.submission_digest)
        before = self.replayed.get(graded.name)
        return NewGrading(
            name=graded.name,
            source=graded.source,
            made="regrade" if before else "grade",
            key=replace(key, isolated=before.key.isolated) if before else key,
            report=graded.report,
            published=graded.published,
            record=graded.record,
            replies=before.replies if before else graded.replies,
            findings=graded.findings,
            findings_key=self.findings_key,
            ranges=graded.ranges,
        )


def begin_grading(session: GradingSession, book: Gradebook) -> ClassGrading:
    """Return a new grading; raises ReferenceMissingError."""
    questions = build_questions(session.assignment, session.seed)
    key = cache_key(session.assignment, session.seed, questions.calls, isolated=not session.unsafe)
    found = findings_key(session.assignment, questions)
    return ClassGrading(session, book, key, found, describe_other_versions(book.last().values(), key))


def describe_other_versions(graded: Iterable[GradingRow], key: CacheKey) -> str:
    """Return a sentence where gradings come from another grader, Python or numpy than those that run; or ""."""
    now = _releases(key)
    for row in sorted(graded, key=lambda row: row.id):
        if (before := _releases(row.key)) != now:
            return (
                f"This class was begun with {before}; {now} runs now."
                " A program may be right under one and fail under the other."
            )
    return ""


def _releases(key: CacheKey) -> str:
    versions = json.loads(key.versions)
    return f"grader {versions.get('grader')}, Python {versions.get('python')} and numpy {versions.get('numpy')}"
