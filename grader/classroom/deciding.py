"""People's decisions: looked at, kept, and written into the reports."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from difflib import get_close_matches

from grader.classroom.gradebook import Gradebook
from grader.classroom.grading import write_again
from grader.classroom.standing import Standings
from grader.classroom.writing import full_disk_in_words, write_overview
from grader.records import Decision, Report
from grader.report.untrusted import line


class DecisionError(ValueError):
    """There is nothing that this decision could be about; the text says what there is."""


def decide(book: Gradebook, name: str, made: Sequence[Decision]) -> Report:
    """Keep decisions about one submission, write its report and the class page, and give the report after them.

    made : numbers and digests are filled in here. Raises DecisionError, before anything is kept.
    """
    report = _report(book, name)
    for decision in made:
        if decision.kind == "points":
            _look_at_points(decision, report)
    digest = book.last()[name].basis.submission_digest
    for decision in made:
        book.decide(name, replace(decision, submission_digest=digest))
    return _written(book, name)


def withdraw(book: Gradebook, name: str, number: int, said: str) -> Report:
    """Take a decision back; said : who, when and why. Raises DecisionError where there is none of that number."""
    _report(book, name)
    standing = [ruled.decision.number for ruled in book.ruled(name) if not ruled.withdrawn]
    if number not in standing:
        known = f"There are {', '.join(map(str, standing))}." if standing else "There are none."
        raise DecisionError(f"--withdraw {number}: no decision of that number stands for {line(name)}. {known}")
    book.withdraw(number, said)
    return _written(book, name)


def known(book: Gradebook, name: str) -> None:
    """Raise DecisionError where the gradebook has no such submission."""
    names = book.last()
    if name not in names:
        near = get_close_matches(name, names, n=3)
        hint = f"did you mean {' or '.join(map(line, near))}?" if near else "gradebook.csv lists their names."
        raise DecisionError(f"{line(name)}: there is no such submission in {book.path.parent}: {hint}")


def _report(book: Gradebook, name: str) -> Report:
    known(book, name)
    return book.report(name)


def _look_at_points(decision: Decision, report: Report) -> None:
    rows = {verdict.id: verdict for verdict in report.checks}
    if decision.check not in rows:
        near = get_close_matches(decision.check, rows, n=1)
        hint = f"did you mean {near[0]!r}?" if near else f"there are {', '.join(rows)}."
        raise DecisionError(f"--check {line(decision.check)}: the rubric has no such check: {hint}")
    most = rows[decision.check].max_points
    if not (math.isfinite(decision.value) and 0 <= decision.value <= most):
        raise DecisionError(f"--points {decision.value:g}: {decision.check} gives 0 to {most:g} points.")


def _written(book: Gradebook, name: str) -> Report:
    with full_disk_in_words(book.path.parent):
        write_again(book, [name])
        standings = Standings(book)
        sheet, _ = standings.sheet({})
        write_overview(book.path.parent, sheet)
        return standings.report(name)
