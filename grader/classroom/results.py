"""The results of a class: the gradebook's reports after people's decisions, with the students of the submissions."""

import tomllib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType
from typing import Any

from grader.apply_decisions import decide
from grader.classroom.attempts import Attempts
from grader.classroom.gradebook import Gradebook, GradingRow
from grader.classroom.match_roster import Matching, match_roster
from grader.classroom.roster import Roster
from grader.classroom.worker import drop_figures
from grader.model import Decision, LatePolicy, Report, Sheet, Standing
from grader.reports.report_json import from_json
from grader.text.phrases import join_words


class ClassResults:
    """The reports of a gradebook as they count. Each rubric in it is read once."""

    def __init__(self, book: Gradebook) -> None:
        self.book = book
        self.last = book.last()
        self.matching = match_class(book)
        self.decisions = follow_students(book.decisions(), self.matching)
        self.student_names = student_names(self.matching)
        self._rubrics: dict[str, dict[str, Any]] = {}

    def report(self, name: str) -> Report:
        """Return a submission's report after all decisions, with its figures."""
        row = self.last[name]
        # Whoever graded it may have had no roster yet, or another.
        return self._decide(replace(self.book.report(name), student=self.student_names.get(name)), row)

    def earlier_report(self, row: GradingRow) -> Report:
        """Return the report of any grading after the current decisions, read from report.json, without figures."""
        return self._decide(from_json(self.book.published(row.id)), row)

    def sheet(self, known: Mapping[str, Report] = MappingProxyType({})) -> Sheet:
        """Return the whole class; known : reports already at hand, after decisions, without figures."""
        reports = {name: known.get(name) or drop_figures(self.report(name)) for name in self.last}
        matching = self.matching
        earlier = matching.superseded if matching else {}
        newest = max(self.last.values(), key=lambda row: row.id, default=None)
        return Sheet(
            title=str(self._rubric(newest)["title"]) if newest else "",
            max_score=newest.max_score if newest else 0.0,
            standings=tuple(
                Standing(report, one, shared=at > 0)
                for name, report in sorted(reports.items())
                if name not in earlier
                for at, one in enumerate((matching and matching.owners(name)) or (None,))
            ),
            missing=(*matching.missing, *matching.undecided) if matching else (),
            notes=tuple(
                f"{who} took one submission's data out of this class: {at}." for at, who in self.book.forgotten()
            ),
        )

    def _decide(self, report: Report, row: GradingRow) -> Report:
        late = self._rubric(row).get("late")
        policy = LatePolicy(**late) if late else None
        return decide(report, self.decisions.get(row.name, ()), policy, row.key.submission_digest)

    def _rubric(self, row: GradingRow) -> dict[str, Any]:
        digest = row.key.assignment_digest
        if digest not in self._rubrics:
            self._rubrics[digest] = tomllib.loads(self.book.assignment_text(digest))
        return self._rubrics[digest]


def student_names(matching: Matching | None) -> dict[str, str]:
    """Return the name that the roster gives of each submission's student, or their names."""
    found = {name: matching.owners(name) for name in matching.students} if matching else {}
    return {name: join_words([one.name for one in owners]) for name, owners in found.items()}


def follow_students(
    decisions: Mapping[str, tuple[Decision, ...]], matching: Matching | None
) -> dict[str, tuple[Decision, ...]]:
    """Return the decisions about each submission, with those about other hand-ins of its student."""
    found = dict(decisions)
    for earlier, counts in matching.superseded.items() if matching else ():
        found[counts] = (*found.get(counts, ()), *decisions.get(earlier, ()))
    return {name: tuple(sorted(made, key=lambda one: one.number)) for name, made in found.items()}


def class_attempts(
    book: Gradebook, fresh: Mapping[str, str], holds: Callable[[str], bool | None] = lambda _: None
) -> Attempts:
    """Return what is known of the class's hand-ins; fresh, holds : see `Attempts`, for paths that are graded now."""
    return Attempts(book.attempt(), {**book.sources(), **fresh}, book.last(), holds)


def match_class(book: Gradebook, attempts: Attempts | None = None) -> Matching | None:
    """Return whose each submission of the gradebook, and of those graded now, is; None without a roster."""
    attempts = attempts or class_attempts(book, {})
    # A grading that was stopped knows a part of the class, which was held against the roster before it began.
    return match_sources(book.roster(), attempts.paths, whole=False, choose=attempts.choose)


def match_sources(
    roster: Roster | None,
    sources: Mapping[str, str],
    *,
    whole: bool = True,
    choose: Callable[[Sequence[str]], str] | None = None,
) -> Matching | None:
    """Return the matching, or None without a roster; sources : the path of each submission, by name.

    whole, choose : see `match_roster`. Raises RosterError.
    """
    if roster is None:
        return None
    originals = {name: Path(source).name for name, source in sources.items()}
    return match_roster(originals, roster, whole=whole, choose=choose)
