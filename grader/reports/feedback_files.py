"""Feedback for platforms to hand back: pages under the names of the hand-ins, Moodle's zip of them, and comments for Canvas."""

import io
from collections import Counter
from collections.abc import Callable
from pathlib import PurePath
from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo

from grader.model import Report, Sheet, StudentReport
from grader.reports.export_rows import ExportError, ExportOptions, by_student, name_few, safe_identifier
from grader.reports.moodle import feedback
from grader.reports.page import to_html
from grader.text.csv_text import write_csv
from grader.text.sanitise import csv_cell

_ENDINGS = {".ipynb", ".py", ".zip", ".json", ".txt", ".md"}
_MOODLE = "_assignsubmission_"


def to_pages(sheet: Sheet, _: ExportOptions) -> dict[str, str]:
    """Return each report's page, under the name that the platform gave the hand-in: Canvas finds the student by it."""
    return {f"{name}.html": to_html(StudentReport(report)) + "\n" for name, report in _hand_ins(sheet, _stem).items()}


def to_moodle_feedback(sheet: Sheet, _: ExportOptions) -> bytes:
    """Return the zip that Moodle takes under "Upload multiple feedback files in a zip": its own folders, a page in each.

    Raises ExportError where a hand-in has no folder of Moodle's, since Moodle would pass over its page in silence.
    """
    hand_ins = _hand_ins(sheet)
    if others := [name for name in hand_ins if _MOODLE not in name]:
        raise ExportError(
            f"Moodle finds a student by a folder that it made, such as Jane Doe_101_assignsubmission_file. These are in none:"
            f" {name_few(others)}. Grade Moodle's own download, or use --format pages."
        )
    made = io.BytesIO()
    with ZipFile(made, "w") as file:
        for name, report in sorted(hand_ins.items()):
            # The date of no file: the same class gives the same zip.
            file.writestr(ZipInfo(f"{name}/report.html"), to_html(StudentReport(report)), ZIP_DEFLATED)
    return made.getvalue()


def to_canvas_comments(sheet: Sheet, _: ExportOptions) -> str:
    """Return a CSV with Canvas's columns for a student and a comment for each: what cost points, on one line."""
    return write_csv(
        ["Student", "ID", "SIS User ID", "SIS Login ID", "Section", "Comment"],
        [
            [
                csv_cell(student.name),
                *(safe_identifier(text, student) for text in (student.id, student.sis_id, student.login)),
                csv_cell(student.section),
                feedback(report) or "Everything is right.",
            ]
            for student, report in by_student(sheet, "Canvas", excused=False)
        ],
    )


def _hand_ins(sheet: Sheet, name_of: Callable[[str], str] = str) -> dict[str, Report]:
    """Return the reports by the names of what was handed in.

    A name that two share gives way to those in the gradebook, which differ; so does one that the gradebook gives to
    another's: nobody's page may replace another's. name_of : what counts of a name.
    """
    names = {report.submission: name_of(PurePath(report.source).name) for report in sheet.reports}
    times = Counter(name for both in names.items() for name in {one.casefold() for one in both})
    chosen = {one: name if times[name.casefold()] == 1 else one for one, name in names.items()}
    return {chosen[report.submission]: report for report in sheet.reports}


def _stem(name: str) -> str:
    while PurePath(name).suffix.lower() in _ENDINGS:
        name = name[: -len(PurePath(name).suffix)]
    return name
