"""People's decisions: checked, saved in the gradebook, and written into the reports."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from grader.classroom.find_student import DecisionError
from grader.classroom.grade_class import rewrite_reports
from grader.classroom.gradebook import Gradebook
from grader.classroom.output import explain_full_disk, write_overview
from grader.classroom.results import ClassResults
from grader.model import Decision, Report
from grader.text.nearest import nearest
from grader.text.phrases import join_words
from grader.text.sanitise import one_line


def add_decisions(book: Gradebook, names: Sequence[str], made: Sequence[Decision]) -> list[Report]:
    """Save decisions, write the reports and the class page, and return the reports.

    made : the decisions, each about every one of `names`; numbers and digests are filled in here.
    Raises DecisionError before anything is saved.
    """
    worths: dict[str, dict[str, float]] = {}
    for name in names:
        report = book.report(name)
        for decision in made:
            if decision.kind == "points":
                _check_points(decision, report)
        worths[name] = {verdict.id: verdict.max_points for verdict in report.checks}
    last = book.last()
    for name, worth in worths.items():
        digest = last[name].key.submission_digest
        for decision in made:
            book.decide(name, replace(decision, submission_digest=digest, of=worth.get(decision.check)))
    return rewrite(book, names)


def find_mistaken(book: Gradebook, mistake: str) -> list[str]:
    """Return the submissions that count and in which a known mistake was found, by its id.

    Raises DecisionError, with proposals, where nobody made it.
    """
    sheet, _ = ClassResults(book).sheet({})
    made: dict[str, list[str]] = {}
    for report in sheet.reports:
        for key in dict.fromkeys(one.id for one in report.diagnoses):
            made.setdefault(key, []).append(report.submission)
    if mistake not in made:
        near = nearest(mistake, made, most=3)
        hint = f"did you mean {join_words(near, 'or')}?" if near else f"there are {join_words(sorted(made)) or 'none'}."
        raise DecisionError(f"--mistake {one_line(mistake)}: nobody in this class made it: {hint}")
    return made[mistake]


def withdraw_decision(book: Gradebook, name: str, number: int, said: str) -> Report:
    """Take a decision back and return the new report; said : who, when and why.

    Raises DecisionError where that submission has no such decision.
    """
    records = {one.decision.number: one for one in book.decision_records()}
    one = records.get(number)
    if one is None or one.name != name or one.withdrawn:
        standing = [
            str(there.decision.number) for there in records.values() if there.name == name and not there.withdrawn
        ]
        if one is None:
            what = f"there is no decision with that number about {one_line(name)}."
        elif one.name != name:
            what = f"that decision is about {one_line(one.name)}, not about {one_line(name)}."
        else:
            what = f"it has already been taken back by {one_line(one.withdrawn)}"
        there = f"Decisions in force: {', '.join(standing)}." if standing else "There are no decisions in force."
        raise DecisionError(f"--withdraw {number}: {what} {there}")
    book.withdraw(number, said)
    return rewrite(book, [name])[0]


def _check_points(decision: Decision, report: Report) -> None:
    rows = {verdict.id: verdict for verdict in report.checks}
    if decision.check not in rows:
        near = nearest(decision.check, rows, most=3)
        hint = f"did you mean {join_words(near, 'or')}?" if near else f"there are {', '.join(rows)}."
        raise DecisionError(f"--check {one_line(decision.check)}: the rubric has no such check: {hint}")
    most = rows[decision.check].max_points
    if not 0 <= decision.value <= most:  # true for NaN too
        raise DecisionError(f"--points {decision.value:g}: {decision.check} gives 0 to {most:g} points.")


def rewrite(book: Gradebook, names: Sequence[str]) -> list[Report]:
    """Write the safety copy, then the reports and pages that these decisions change; return the reports."""
    with explain_full_disk(book.path.parent):
        book.write_copy()
        rewrite_reports(book, names)
        standings = ClassResults(book)
        sheet, _ = standings.sheet({})
        write_overview(book.path.parent, sheet)
        return [standings.report(name) for name in names]
