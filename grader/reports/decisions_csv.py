"""People's decisions about a class, one a row: for whoever looks them over in a spreadsheet."""

from grader.model import Ruling, Sheet
from grader.reports.export_rows import ExportOptions
from grader.text.csv_text import write_csv
from grader.text.sanitise import csv_cell

COLUMNS = ("submission", "number", "kind", "check", "value", "of", "comment", "by", "at", "applies", "effect")


def to_decisions(sheet: Sheet, _: ExportOptions) -> str:
    """Return a CSV of all decisions that nobody took back, by submission and number, with what each changes now."""
    return write_csv(COLUMNS, [_row(one.submission, ruling) for one in sheet.reports for ruling in one.rulings])


def _row(submission: str, ruling: Ruling) -> list[str]:
    decision = ruling.decision
    return [
        csv_cell(submission),
        str(decision.number),
        decision.kind,
        csv_cell(decision.check),
        f"{decision.value:g}",
        "" if decision.of is None else f"{decision.of:g}",
        *map(csv_cell, (decision.comment, decision.by, decision.at)),
        "yes" if ruling.applies else "",
        csv_cell(ruling.effect),
    ]
