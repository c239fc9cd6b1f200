"""`grader export`: the class as a file that a platform imports."""

import os
import re
import sys
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

import click

from grader.classroom.blind import hide_names
from grader.classroom.file_lines import find_line
from grader.classroom.find_student import find_submission
from grader.classroom.gradebook import Gradebook
from grader.classroom.lateness import read_due
from grader.classroom.match_roster import describe_matching
from grader.classroom.output import BLIND, EXPORTS, explain_full_disk, write_export, write_overview
from grader.classroom.restore import reminder
from grader.classroom.results import ClassResults, match_sources
from grader.classroom.roster import Roster, read_roster
from grader.classroom.roster_text import canvas_columns
from grader.cli import common, options
from grader.model import Sheet
from grader.reports.classroom50 import VARIABLES
from grader.reports.export_rows import (
    ExportError,
    ExportOptions,
    JUnitSchema,
    describe_left_out,
    is_grade,
    name_few,
    title_of,
)
from grader.reports.formats import CLASS_FORMATS, ClassFormat
from grader.text.nearest import lookup
from grader.text.phrases import join_some, plural
from grader.text.sanitise import one_line


@click.command(
    epilog="""\b
Examples:
  grader export graded --format canvas --roster canvas.csv
  grader export graded --format canvas --column "Two-layer net (4711)"
  grader export graded --format moodle --to grades/
  grader export graded --format moodle-feedback        a zip of pages for Moodle's "Upload multiple feedback files"
  grader export graded --format pages                  pages named as the hand-ins, for Canvas's upload of feedback files
  grader export graded --format canvas --without old_alice --without ta_notes
  grader export graded --format class --blind          the class's pages without names, for who grades: graded/blind/

Exit status: 0 the file is written; 1 the gradebook cannot be used; 2 bad usage."""
)
@options.GRADED
@click.option("--format", "name", required=True, metavar="NAME", help=f"One of {', '.join(CLASS_FORMATS)}.")
@click.option("--to", type=options.PATH, help="Folder. [default: DIR/exports or DIR/blind; classroom50: here]")
@click.option("--title", default="", help="The assignment's name on the platform. [default: the rubric's title]")
@click.option("--column", default="", help='Canvas: the column of the assignment, as in "Two-layer net (4711)".')
@click.option(
    "--canvas-id", default="", help="Canvas: the assignment's number, which is the last one in the address of its page."
)
@click.option(
    "--moodle-user",
    type=click.Choice(["idnumber", "email", "username"]),
    default="email",
    show_default=True,
    help="Moodle: the field by which it finds users.",
)
@click.option("--due", default="", help="nbgrader: when the assignment was due, as 2026-03-01T23:59.")
@click.option(
    "--without",
    multiple=True,
    metavar="NAME",
    help="Leave out this submission, such as one that belongs to no student.",
)
@click.option("--roster", type=options.PATH, help="List of the class. It replaces the one given before.")
@options.SCHEMA
@options.BLIND
def export(
    out: Path,
    name: str,
    to: Path | None,
    title: str,
    column: str,
    canvas_id: str,
    moodle_user: Literal["idnumber", "email", "username"],
    due: str,
    without: tuple[str, ...],
    roster: Path | None,
    schema: JUnitSchema | None,
    blind: bool,
) -> None:
    """Write the grades of a class as a file that a platform imports."""
    if found := re.fullmatch(r"(.*\S)\s*\((\d+)\)", column):
        title, canvas_id = found[1], found[2]
    read_by = common.schema_of(schema, name).get("schema", "gitlab")
    with common.failures_in_words(one_line(str(to or out))):
        utc = str(read_due(due).replace(tzinfo=None)) if due else ""
        options = ExportOptions(
            title or column, canvas_id, moodle_user, utc, read_by, find_line, _values_of_classroom50()
        )
        form = _find_format(name, blind=blind)
        target = to or (Path() if form.here else out / (BLIND if blind else EXPORTS))
        listed = read_roster(roster) if roster else None
        # A new roster is kept in the gradebook; without one, it is only read.
        with Gradebook(out, reading=listed is None) as book, explain_full_disk(target):
            sheet = hide_names(book, blind=blind).hide_sheet(_without(_sheet(book, listed), without, book))
            reminded = reminder(book)
            if name == "canvas" and not canvas_id:
                options = _choose_column(options, sheet, canvas_columns(roster) if roster else [])
            try:
                files = form.write(sheet, options)
            except ExportError as error:
                hint = f"{error} To leave out a submission that belongs to no student or no longer counts, use --without NAME."
                raise ExportError(hint) from error
            common.make_folder(target, "--to", form.file_name)
            others = write_export(target, form.file_name, files)
    common.say(reminded)
    where = target / form.file_name
    common.say(f"Wrote {where}{_count(form, files, sheet)}")
    if others:
        common.say(f"{where} also holds what this export did not write: {one_line(join_some(others))}.")
    if form.of_grades:
        common.say(*describe_left_out(sheet))


def _find_format(name: str, *, blind: bool) -> ClassFormat:
    """Return the format of that name; raise ValueError where there is none, or none without names."""
    known = {one.name: one for one in CLASS_FORMATS.values() if one.for_people}
    if blind and name in CLASS_FORMATS.keys() - known.keys():
        raise ExportError(f"--blind: {name} is for platforms, which need names. Without names: {', '.join(known)}.")
    return lookup(CLASS_FORMATS, name, "format")


def _sheet(book: Gradebook, roster: Roster | None) -> Sheet:
    """Return the class. A new roster is saved and described first, even if the export then fails."""
    if roster is None:
        return ClassResults(book).sheet()
    match_sources(roster, book.sources())
    book.set_roster(roster)
    results = ClassResults(book)
    sheet = results.sheet()
    write_overview(book.path.parent, sheet)
    # Before the format, which may refuse the class: this says which submissions belong to nobody, and how to mend it.
    common.say(*(describe_matching(results.matching) if results.matching else ()))
    return sheet


def _values_of_classroom50() -> dict[str, str]:
    """Return what its runner says of the submission, and the time; SOURCE_DATE_EPOCH fixes it, as for any build."""
    epoch = os.environ.get("SOURCE_DATE_EPOCH", "")
    now = datetime.fromtimestamp(int(epoch), UTC) if epoch.isdecimal() else datetime.now(UTC)
    values = {key: one_line(os.environ.get(variable, "")) for key, variable in VARIABLES.items()}
    return {**values, "datetime": now.isoformat(timespec="seconds").replace("+00:00", "Z")}


def _choose_column(options: ExportOptions, sheet: Sheet, columns: list[str]) -> ExportOptions:
    """Return the options with Canvas's own column: the one of the assignment's name in the roster, or what a person says."""
    wanted = title_of(sheet, options)
    fitting = [one for one in columns if one.rpartition(" (")[0] == wanted]
    if columns and len(fitting) != 1:
        if not _can_ask():
            raise ExportError(
                f'No column of the roster is called "{wanted}". Canvas would make a new one. Name one with --column:'
                f" {name_few(columns)}. To make a new one, give a roster without columns of assignments."
            )
        common.say(*[f"{number}. {one}" for number, one in enumerate(columns, 1)])
        fitting = [columns[click.prompt("Which column is it?", type=click.IntRange(1, len(columns))) - 1]]
    if not fitting:
        common.say(f'Canvas finds the column "{wanted}" by its name, or makes a new one; see --column.')
        return options
    title, _, number = fitting[0].rpartition(" (")
    common.say(f"Column: {fitting[0]}")
    return replace(options, assignment=title, canvas_id=number.rstrip(")"))


def _can_ask() -> bool:
    return sys.stdin.isatty() and sys.stdout.isatty()


def _count(form: ClassFormat, files: Mapping[str, str | bytes], sheet: Sheet) -> str:
    """Return how many files or grades were written, as the end of a sentence."""
    if not form.of_grades:
        return f", {len(files)} files." if len(files) > 1 else "."
    graded = sum(is_grade(one.report) and not one.report.excused for one in sheet.standings)
    return f": the grades of {plural(graded, 'student')}."


def _without(sheet: Sheet, names: tuple[str, ...], book: Gradebook) -> Sheet:
    """Return the class without some submissions. Raises ExportError where the rest were not judged by one rubric."""
    names = tuple(find_submission(book, name, exact=True) for name in names)
    shown = {one.report.submission for one in sheet.standings}.difference(names)
    kept = {name: one for name, one in book.last().items() if name in shown}
    newest = max(kept.values(), key=lambda one: one.id, default=None)
    others = [
        name for name, one in kept.items() if newest and one.key.assignment_digest != newest.key.assignment_digest
    ]
    if others:
        raise ExportError(
            f"{len(others)} of {len(kept)} submissions were judged by another rubric than the rest ({name_few(others)})."
            f" To judge all by one, run `grader regrade {one_line(str(book.path.parent))}`."
        )
    return replace(sheet, standings=tuple(one for one in sheet.standings if one.report.submission not in names))
