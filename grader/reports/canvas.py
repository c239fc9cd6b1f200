"""Scores for Canvas, as its gradebook imports them.

Canvas (lib/gradebook_importer.rb) finds a student by `ID`, else by `SIS User ID`, `SIS Login ID` or name, and the
assignment by the number in its column's title, else by the title. It reads an empty cell as no score and deletes the one
that it has, so students without a score get no row.
"""

import re

from grader.model import Report, Sheet, Student
from grader.reports.export_rows import ExportError, ExportOptions, all_differ, by_student, safe_identifier, title_of
from grader.text.csv_text import write_csv
from grader.text.sanitise import csv_cell

# A column whose title holds one of these is one of Canvas's own totals, which it does not import.
_TOTALS = re.compile(r"(Current|Final) (Score|Points|Grade)|Override (Score|Grade|Status)")
_POINTS = "Points Possible"


def to_canvas(sheet: Sheet, options: ExportOptions) -> str:
    """Return a CSV for Canvas's gradebook: points with two decimals, EX for excused students.

    Raises ExportError where Canvas would not find the assignment's column or each student.
    """
    rows = by_student(sheet, "Canvas")
    accounts = [[safe_identifier(text, one) for text in (one.id, one.sis_id, one.login)] for one, _ in rows]
    names = [student.name for student, _ in rows]
    found_by = [next(filter(None, found), name) for found, name in zip(accounts, names, strict=True)]
    all_differ(found_by, names, "Canvas", "ID, SIS User ID, SIS Login ID or name")
    header = ["Student", "ID", "SIS User ID", "SIS Login ID", "Section", _column(sheet, options)]
    # Canvas knows this row by its first cell.
    lines = [[f"    {_POINTS}", "", "", "", "", f"{sheet.max_score:.2f}"]]
    for (student, report), found in zip(rows, accounts, strict=True):
        lines.append([_name(student), *found, csv_cell(student.section), _score(report)])
    return write_csv(header, lines)


def _column(sheet: Sheet, options: ExportOptions) -> str:
    title = title_of(sheet, options)
    if total := _TOTALS.search(title):
        raise ExportError(
            f"The assignment is called {title!r}, but Canvas takes a column with {total.group()!r} in its title for one of its"
            " own totals and does not import it. Give the assignment another name."
        )
    if options.canvas_id and not re.fullmatch("[0-9]+", options.canvas_id):
        raise ExportError(
            f"{options.canvas_id!r} is not a Canvas assignment. Give the assignment's number, the last one in the address of"
            " its page."
        )
    return f"{title} ({options.canvas_id})" if options.canvas_id else title


def _name(student: Student) -> str:
    # One of this name would be taken for the row that says what the assignment is worth.
    return csv_cell(student.name.replace(_POINTS, _POINTS.replace(" ", "-")))


def _score(report: Report) -> str:
    return "EX" if report.excused else f"{report.score + 0.0:.2f}"
