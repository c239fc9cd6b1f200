"""The class in the form of `nbgrader export`, for tools that read its grades.csv.

With the same scores in its gradebook, nbgrader 0.9.6 writes the same bytes (tests/reports/test_nbgrader.py), with two
exceptions. It writes 0.0 for who handed in nothing, and has no word for who is excused or on whom the grader failed: their
scores are empty here, since a zero would be a grade that nobody gave. And it puts no quotes around a comma in a name.
"""

from grader.model import Report, Sheet, Student
from grader.reports.export_rows import ExportError, ExportOptions, all_differ, is_grade, title_of
from grader.text.csv_text import write_csv
from grader.text.sanitise import csv_cell

COLUMNS = (
    "assignment", "duedate", "timestamp", "student_id", "last_name", "first_name", "email",
    "raw_score", "late_submission_penalty", "score", "max_score",
)  # fmt: skip


def to_nbgrader(sheet: Sheet, options: ExportOptions) -> str:
    """Return a CSV in nbgrader's columns; without a roster, `student_id` is the submission's name, as in nbgrader.

    Raises ExportError for a class without anyone in it, and where two students have one `student_id`.
    """
    if not sheet.standings and not sheet.missing:
        raise ExportError("The class has no submission and no student, so nbgrader's table would be empty.")
    people: list[tuple[str, Student | None, Report | None]] = [
        *(
            (_id(one.student) if one.student else csv_cell(one.report.submission), one.student, one.report)
            for one in sheet.standings
        ),
        *((_id(student), student, None) for student in sheet.missing),
    ]
    all_differ(
        [key for key, _, _ in people],
        [student.name if student else key for key, student, _ in people],
        "nbgrader",
        "login, SIS User ID, email, ID or name",
    )
    assignment = [csv_cell(title_of(sheet, options)), csv_cell(options.due), ""]
    rows = [
        [*assignment, key, *_names(student), *_scores(report), str(float(sheet.max_score))]
        for key, student, report in sorted(people, key=lambda row: row[0])
    ]
    rows.sort(key=lambda row: row[4:6])  # by last and first name
    return write_csv(COLUMNS, rows)


def _id(student: Student) -> str:
    found = next(filter(None, (student.login, student.sis_id, student.email, student.id)), "")
    return csv_cell(found or student.name)


def _names(student: Student | None) -> list[str]:
    if student is None:
        return ["", "", ""]
    return [
        csv_cell(student.last_name or student.name),
        csv_cell(student.first_name),
        csv_cell(student.email),
    ]


def _scores(report: Report | None) -> list[str]:
    if report is None or report.excused or not is_grade(report):
        return ["", "", ""]
    raw, penalty = (round(value, 6) + 0.0 for value in (report.score + report.penalty, report.penalty))
    return [str(value) for value in (raw, penalty, max(0.0, raw - penalty))]
