"""The one table of formats: every command lists formats and reaches them from here.

To add a format, write one file with a function that returns its text, and add one line to `FORMATS`.
"""

from collections.abc import Mapping
from pkgutil import resolve_name
from typing import Any

from grader.model import Report, Sheet
from grader.records import dataclass, replace
from grader.reports.export_rows import ExportOptions
from grader.reports.student_report import student_report
from grader.text.sanitise import sanitise_report


@dataclass(frozen=True)
class Format:
    """What every format says of itself."""

    name: str
    file_name: str  # or the name of the folder, where it writes several files
    function: str  # "file:function" in this folder; the file is imported when the format is first written
    for_students: bool = False  # students see it: it is given the student's report and nothing else

    def call(self, *arguments: Any, **options: Any) -> Any:
        """Return what the format's function returns."""
        return resolve_name(f"grader.reports.{self.function}")(*arguments, **options)

    def readable(self, report: Report) -> Report:
        """Return what the format may say of a report."""
        return student_report(report) if self.for_students else sanitise_report(report)


@dataclass(frozen=True)
class ReportFormat(Format):
    """A way to write the report of one submission: `function` takes a StudentReport or, for the instructor, a Report."""

    in_folder: bool = False  # grading writes it into each submission's folder

    def write(self, report: Report, **options: str) -> str:
        """Return the text of the file; options : of this format, such as JUnit's schema."""
        text: str = self.call(self.readable(report), **options)
        return text


@dataclass(frozen=True)
class ClassFormat(Format):
    """A way to write a class: `function` takes a Sheet and ExportOptions and returns text, or several by their places."""

    of_grades: bool = False  # a platform imports grades from it, and none of whoever has none
    for_runner: bool = False  # a CI's runner reads it: a run without a grade is a fault there, never 0 points
    here: bool = False  # its reader looks for it in the current folder
    for_people: bool = False  # it may be written without names

    def write(self, sheet: Sheet, options: ExportOptions) -> Mapping[str, str | bytes]:
        """Return what each file holds by its place in the folder of exports, with "/" between names.

        Raises ExportError for a class that the format cannot hold.
        """
        standings = tuple(replace(one, report=self.readable(one.report)) for one in sheet.standings)
        written: str | bytes | Mapping[str, str] = self.call(replace(sheet, standings=standings), options)
        if isinstance(written, (str, bytes)):
            return {self.file_name: written}
        return {f"{self.file_name}/{place}": text for place, text in written.items()}


FORMATS: tuple[Format, ...] = (
    ReportFormat("terminal", "report.txt", "terminal:render", for_students=True),
    ReportFormat("html", "report.html", "page:to_html", for_students=True, in_folder=True),
    ReportFormat("json", "report.json", "report_json:to_json", in_folder=True),
    ReportFormat("junit", "report.xml", "junit:to_junit", for_students=True),
    ReportFormat("github", "report.github.txt", "annotations:to_annotations", for_students=True),
    ReportFormat("gradescope", "results.json", "gradescope:to_gradescope", for_students=True),
    ClassFormat("gradebook", "gradebook.csv", "gradebook_csv:to_gradebook", for_people=True),
    ClassFormat("canvas", "canvas.csv", "canvas:to_canvas", of_grades=True),
    ClassFormat("moodle", "moodle.csv", "moodle:to_moodle", for_students=True, of_grades=True),
    ClassFormat("nbgrader", "nbgrader.csv", "nbgrader:to_nbgrader", of_grades=True),
    ClassFormat("gradescope", "gradescope", "gradescope:to_class_gradescope", for_students=True),
    ClassFormat("junit", "junit.xml", "junit:to_class_junit", for_students=True),
    ClassFormat("github", "github", "github:to_class_github", for_students=True, for_runner=True),
    ClassFormat("classroom50", "result.json", "classroom50:to_result", for_students=True, for_runner=True, here=True),
    ClassFormat("codequality", "gl-code-quality-report.json", "codequality:to_codequality", for_students=True),
    ClassFormat("pages", "pages", "feedback_files:to_pages", for_students=True, for_people=True),
    ClassFormat("moodle-feedback", "moodle-feedback.zip", "feedback_files:to_moodle_feedback", for_students=True),
    ClassFormat("canvas-comments", "canvas-comments.csv", "feedback_files:to_canvas_comments", for_students=True),
    ClassFormat("decisions", "decisions.csv", "decisions_csv:to_decisions", for_people=True),
    ClassFormat("class", "class", "class_page:to_folder", for_people=True),
)
REPORT_FORMATS = {one.name: one for one in FORMATS if isinstance(one, ReportFormat)}
CLASS_FORMATS = {one.name: one for one in FORMATS if isinstance(one, ClassFormat)}
IN_FOLDER = tuple(one for one in REPORT_FORMATS.values() if one.in_folder)
