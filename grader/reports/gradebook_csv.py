"""The gradebook: everything about a class in one table, for the people who teach it."""

from grader.model import Report, Sheet, Student
from grader.reports.export_rows import ExportOptions
from grader.text.csv_text import write_csv
from grader.text.phrases import format_points
from grader.text.sanitise import csv_cell

COLUMNS = (
    "submission", "student", "id", "sis_id", "login", "email", "source",
    "score", "max_score", "raw_score", "late_days", "penalty", "excused", "status", "adjusted",
    "carried",
)  # fmt: skip


def to_gradebook(sheet: Sheet, _: ExportOptions) -> str:
    """Return a CSV with a row for each submission, then one for each student who handed in nothing.

    `score` is the score that counts, `raw_score` the sum of the checks' points before lateness. `adjusted` names the
    checks that a person decided, with the grader's own points; `carried` those that failed because of a mistake that
    is charged elsewhere. Text of a student or a roster is made safe, so that no cell is a formula.
    """
    checks = list(dict.fromkeys(check.id for one in sheet.standings for check in one.report.checks))
    handed_in = [_row(one.report, one.student, checks) for one in sheet.standings]
    missing = [_missing(student, len(checks)) for student in sheet.missing]
    return write_csv([*COLUMNS, *checks], [*handed_in, *missing])


def _row(report: Report, student: Student | None, checks: list[str]) -> list[str]:
    points = {check.id: _number(check.points) for check in report.checks}
    adjusted = [
        f"{check.id} (was {_number(check.adjusted_from)})" for check in report.checks if check.adjusted_from is not None
    ]
    return [
        csv_cell(report.submission),
        *_person(student),
        csv_cell(report.source),
        _number(report.score),
        _number(report.max_score),
        _number(report.score + report.penalty),
        _number(report.late_days),
        _number(report.penalty),
        "yes" if report.excused else "",
        report.status,
        "; ".join(adjusted),
        "; ".join(csv_cell(check.id) for check in report.checks if check.status == "carried"),
        *(points.get(check, "") for check in checks),
    ]


def _missing(student: Student, checks: int) -> list[str]:
    """Return a row without a score, since nobody has decided what a missing submission counts."""
    row = dict.fromkeys(COLUMNS, "") | {"status": "missing"}
    row |= zip(("student", "id", "sis_id", "login", "email"), _person(student), strict=True)
    return [*row.values(), *[""] * checks]


def _person(student: Student | None) -> list[str]:
    if student is None:
        return [""] * 5
    return [csv_cell(text) for text in (student.name, student.id, student.sis_id, student.login, student.email)]


def _number(value: float) -> str:
    return format_points(value + 0.0)  # -0.0 would be written with its sign
