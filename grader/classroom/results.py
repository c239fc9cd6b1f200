"""The results of a class: the gradebook's reports after people's decisions, with the students of the submissions."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import Any

from grader.apply_decisions import decide
from grader.classroom.gradebook import Gradebook, GradingRow
from grader.classroom.match_roster import EntryName, Matching, match_roster
from grader.classroom.roster import Roster
from grader.classroom.worker import drop_figures
from grader.model import Decision, LatePolicy, Report, Sheet, Standing
from grader.reports.report_json import from_json


class ClassResults:
    """The reports of a gradebook as they count. Each rubric in it is read once."""

    def __init__(self, book: Gradebook) -> None:
        self.book = book
        self.last = book.last()
        self.decisions = book.decisions()
        self._rubrics: dict[str, dict[str, Any]] = {}

    def report(self, name: str) -> Report:
        """Return a submission's report after all decisions, with its figures."""
        row = self.last[name]
        # Whoever graded it may have had no roster yet, or another.
        report = replace(self.book.report(name), student=self.student_names.get(name))
        return decide(report, self._standing(name), self._policy(row), row.key.submission_digest)

    def earlier_report(self, row: GradingRow) -> Report:
        """Return the report of any grading after the current decisions, read from report.json, without figures."""
        report = from_json(self.book.published(row.id))
        return decide(report, self._standing(row.name), self._policy(row), row.key.submission_digest)

    def sheet(self, known: Mapping[str, Report]) -> tuple[Sheet, Matching | None]:
        """Return the whole class and the matching; known : reports already at hand, after decisions, without figures."""
        reports = {name: known.get(name) or drop_figures(self.report(name)) for name in self.last}
        # A grading that was stopped knows a part of the class, which was held against the roster before it began.
        matching = match_sources(self.book.roster(), self.book.sources(), whole=False)
        whose = matching.students if matching else {}
        newest = max(self.last.values(), key=lambda row: row.id, default=None)
        sheet = Sheet(
            title=str(self._rubric(newest)["title"]) if newest else "",
            max_score=newest.max_score if newest else 0.0,
            standings=tuple(Standing(report, whose.get(name)) for name, report in sorted(reports.items())),
            missing=(*matching.missing, *matching.undecided) if matching else (),
            notes=tuple(
                f"{who} took one submission's data out of this class: {at}." for at, who in self.book.forgotten()
            ),
        )
        return sheet, matching

    @cached_property
    def student_names(self) -> dict[str, str]:
        """The name that the roster gives of each submission's student."""
        return student_names(self.book, {})

    def _standing(self, name: str) -> tuple[Decision, ...]:
        return self.decisions.get(name, ())

    def _policy(self, row: GradingRow) -> LatePolicy | None:
        late = self._rubric(row).get("late")
        return LatePolicy(**late) if late else None

    def _rubric(self, row: GradingRow) -> dict[str, Any]:
        digest = row.key.assignment_digest
        if digest not in self._rubrics:
            self._rubrics[digest] = tomllib.loads(self.book.assignment_text(digest))
        return self._rubrics[digest]


def student_names(book: Gradebook, fresh: Mapping[str, str]) -> dict[str, str]:
    """Return the student's name of each submission, by the roster; fresh : paths that may not be in the gradebook."""
    matching = match_sources(book.roster(), {**book.sources(), **fresh}, whole=False)
    return {name: student.name for name, student in matching.students.items()} if matching else {}


def match_sources(roster: Roster | None, sources: Mapping[str, str], *, whole: bool = True) -> Matching | None:
    """Return the matching, or None without a roster; sources : the path of each submission, by name.

    whole : whether these are all submissions. Raises RosterError.
    """
    if roster is None:
        return None
    return match_roster([EntryName(Path(source).name, name) for name, source in sources.items()], roster, whole=whole)
