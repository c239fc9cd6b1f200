"""A class on one sheet, in every format that people and platforms take: each is one function from Sheet to files."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from grader.model import Sheet
from grader.reports import named
from grader.reports.canvas import to_canvas
from grader.reports.class_gradescope import to_results
from grader.reports.class_junit import to_class_junit
from grader.reports.export_rows import ExportError, ExportOptions
from grader.reports.gradebook_csv import to_gradebook
from grader.reports.moodle import to_moodle
from grader.reports.nbgrader import to_nbgrader

__all__ = ["SHEETS", "ExportError", "ExportOptions", "SheetFormat", "sheet_format_named"]


@dataclass(frozen=True)
class SheetFormat:
    """One way to write a class.

    write : (sheet, options) -> the text of each file by its place in the folder of exports, with "/" between names;
        raises ExportError for a class that it cannot write.
    """

    file_name: str  # or the name of the folder, where it writes several
    write: Callable[[Sheet, ExportOptions], Mapping[str, str]]


def _file(name: str, text: Callable[[Sheet, ExportOptions], str]) -> SheetFormat:
    return SheetFormat(name, lambda sheet, options: {name: text(sheet, options)})


SHEETS: dict[str, SheetFormat] = {
    "gradebook": _file("gradebook.csv", lambda sheet, _: to_gradebook(sheet)),
    "canvas": _file("canvas.csv", to_canvas),
    "moodle": _file("moodle.csv", to_moodle),
    "nbgrader": _file("nbgrader.csv", to_nbgrader),
    "gradescope": SheetFormat(
        "gradescope", lambda sheet, _: {f"gradescope/{place}": text for place, text in to_results(sheet).items()}
    ),
    "junit": _file("junit.xml", lambda sheet, _: to_class_junit(sheet)),
}


def sheet_format_named(name: str) -> SheetFormat:
    """Return the format of that name.

    Raises ValueError, with the nearest name there is, for a name that is not in `SHEETS`.
    """
    return named(SHEETS, name)
