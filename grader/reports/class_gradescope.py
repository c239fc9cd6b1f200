"""A class for Gradescope: a results.json for each submission."""

from __future__ import annotations

from collections.abc import Mapping

from grader.model import Sheet
from grader.reports.export_rows import ExportError
from grader.reports.gradescope import to_gradescope
from grader.text.sanitise import line


def to_results(sheet: Sheet) -> Mapping[str, str]:
    """Return the text of each submission's results.json, by its place in the folder: "ann/results.json".

    Raises ExportError for a class without submissions, and where a submission's name is no folder's.
    """
    if not sheet.standings:
        raise ExportError("The class has no submission, so there is no result to give to Gradescope.")
    files = {}
    for report in (one.report for one in sheet.standings):
        name = report.submission
        if name in {"", ".", ".."} or not name.isprintable() or set(name) & set("/\\") or name in files:
            raise ExportError(
                f"The submission {line(repr(name))} cannot have a folder of its own: its name is empty, stands twice"
                " in the class or holds characters that no folder may have. Rename what was handed in."
            )
        files[name] = to_gradescope(report)
    return {f"{name}/results.json": text for name, text in files.items()}
