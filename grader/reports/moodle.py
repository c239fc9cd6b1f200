"""Grades and feedback for Moodle, as its CSV import reads them.

Moodle (grade/import/csv/classes/load_data.php) asks which column is which. One unknown user or one grade above its
limit makes it import nothing. A row without a user goes to the user above. `-` means no grade, and deletes an older one: excused students get no row.
"""

import re
from collections.abc import Callable, Iterator

from grader.model import Report, Sheet, Student, Verdict
from grader.reports import wording
from grader.reports.export_rows import (
    ExportError,
    ExportOptions,
    all_differ,
    by_student,
    name_few,
    safe_identifier,
    title_of,
)
from grader.text.csv_text import write_csv
from grader.text.phrases import format_points, plural
from grader.text.sanitise import csv_cell

FEEDBACK = 1_500  # characters: about what Moodle's page of grades shows without hiding the rest
LIMIT = 100.0  # Moodle imports no grade above it, unless its administrator has raised it
# As Moodle's own export calls these columns, and what the roster says there.
USERS: dict[str, tuple[str, Callable[[Student], str]]] = {
    "idnumber": ("ID number", lambda student: student.sis_id),
    "email": ("Email address", lambda student: student.email),
    "username": ("Username", lambda student: student.login),
}


def to_moodle(sheet: Sheet, options: ExportOptions) -> str:
    """Return a CSV for Moodle's gradebook: the student, the grade, and as feedback what cost points.

    Raises ExportError where Moodle would refuse the file or give a grade to somebody else.
    """
    column, user_of = USERS[options.moodle_user]
    rows = by_student(sheet, "Moodle", excused=False)
    users = [safe_identifier(user_of(student), student).strip() for student, _ in rows]
    # "0" is nothing to Moodle's language.
    all_differ(
        ["" if user == "0" else user for user in users],
        [student.name for student, _ in rows],
        "Moodle",
        column,
    )
    _within(sheet, rows)
    title = title_of(sheet, options)
    return write_csv(
        [column, "Student", f"{title} (Real)", f"{title} (Feedback)"],
        [
            [user, csv_cell(student.name), format_points(report.score + 0.0), feedback(report)]
            for user, (student, report) in zip(users, rows, strict=True)
        ],
    )


def _within(sheet: Sheet, rows: list[tuple[Student, Report]]) -> None:
    for most, whose, mend in (
        (sheet.max_score, "the assignment's maximum of", "Lower the points that people gave."),
        (LIMIT, "Moodle's limit of", "Enter these grades by hand, or regrade with a rubric of fewer points."),
    ):
        over = [student.name for student, report in rows if round(report.score, 2) > round(most, 2)]
        if over:
            raise ExportError(
                f"{plural(len(over), 'grade is', 'grades are')} above {whose} {format_points(most)} ({name_few(over)}),"
                f" and one such grade makes Moodle refuse the whole file. {mend}"
            )


def feedback(report: Report) -> str:
    """Return what cost points on one line of at most `FEEDBACK` characters: lateness, named mistakes, then checks.

    People's comments come first. It holds sentences of the grader's and of the people who teach, and nothing that a student wrote.
    """
    told, left = "", 0
    for sentence in _sentences(report):
        # Moodle shows feedback as HTML; a tag's name cannot begin with a blank.
        piece = csv_cell(re.sub(r"<(?=[A-Za-z/!?])", "< ", sentence), FEEDBACK - 100)
        if left or len(told) + len(piece) > FEEDBACK:
            left += 1
        else:
            told = f"{told} {piece}".lstrip()
    return f"{told} The report holds {left} more remarks.".lstrip() if left else told


def _sentences(report: Report) -> Iterator[str]:
    for ruling in report.rulings:
        if ruling.applies and ruling.decision.kind == "comment":
            where = f" on {ruling.decision.check}" if ruling.decision.check else ""
            yield f"{ruling.decision.by}{where}: {' '.join(ruling.decision.comment.split())}"
    if banner := wording.banner(report):
        yield f"{banner[0]}."
    if report.penalty:
        yield f"{wording.late(report).capitalize()}: {format_points(report.penalty)} points taken off."
    lost = {check.id for check in report.checks if check.points < check.max_points}
    for diagnosis in report.diagnoses:
        # Where people gave the points all the same, mending it returns none.
        if not diagnosis.checks or lost & set(diagnosis.checks):
            yield f"{diagnosis.title.removesuffix('.')}. {wording.costs(diagnosis)}".strip()
    for check in report.checks:
        if check.id in lost or check.adjusted_from is not None:
            yield f"{check.title.removesuffix('.')}: {format_points(check.points)} of {_worth(check)}."


def _worth(check: Verdict) -> str:
    remark = wording.adjusted(check)
    return f"{format_points(check.max_points)} points{f' ({remark})' if remark else ''}"
