"""`grader export`: the class as a file that a platform imports."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Literal

import click
from rich.console import Console

from grader.classroom.find_student import find_submission
from grader.classroom.gradebook import Gradebook
from grader.classroom.match_roster import describe_matching
from grader.classroom.output import explain_full_disk, write_overview
from grader.classroom.restore import reminder
from grader.classroom.results import ClassResults, match_sources
from grader.classroom.roster import Roster, read_roster
from grader.classroom.storage import write_text
from grader.cli import common
from grader.model import Sheet
from grader.reports.export_rows import ExportError, ExportOptions, name_few, without_grade
from grader.reports.formats import CLASS_FORMATS
from grader.text.nearest import lookup
from grader.text.phrases import plural
from grader.text.sanitise import one_line


@click.command(
    epilog="""\b
Examples:
  grader export graded --format canvas --roster canvas.csv
  grader export graded --format moodle --to grades/
  grader export graded --format canvas --without old_alice --without ta_notes

Exit status: 0 the file is written; 1 the gradebook cannot be used; 2 bad usage."""
)
@common.GRADED
@click.option("--format", "name", required=True, metavar="NAME", help=f"One of {', '.join(CLASS_FORMATS)}.")
@click.option("--to", type=click.Path(path_type=Path), help="Folder to write to. [default: DIR/exports]")
@click.option("--title", default="", help="The assignment's name on the platform. [default: the rubric's title]")
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
@click.option("--due", default="", help="nbgrader: when the assignment was due.")
@click.option(
    "--without",
    multiple=True,
    metavar="NAME",
    help="Leave out this submission, such as one that belongs to no student.",
)
@click.option("--roster", type=click.Path(path_type=Path), help="List of the class. It replaces the one given before.")
def export(
    out: Path,
    name: str,
    to: Path | None,
    title: str,
    canvas_id: str,
    moodle_user: Literal["idnumber", "email", "username"],
    due: str,
    without: tuple[str, ...],
    roster: Path | None,
) -> None:
    """Write the grades of a class as a file that a platform imports."""
    target = to or out / "exports"
    options = ExportOptions(assignment=title, canvas_id=canvas_id, moodle_user=moodle_user, due=due)
    screen = common.screen()
    with common.failures_in_words(one_line(str(target))):
        form = lookup(CLASS_FORMATS, name, "format")
        listed = read_roster(roster) if roster else None
        # A new roster is kept in the gradebook; without one, it is only read.
        with Gradebook(out, reading=listed is None) as book, explain_full_disk(target):
            sheet = _without(_sheet(book, listed, screen), without, book)
            reminded = reminder(book)
            try:
                files = form.write(sheet, options)
            except ExportError as error:
                hint = f"{error} To leave out a submission that belongs to no student or no longer counts, use --without NAME."
                raise ExportError(hint) from error
            common.make_folder(target, "--to", form.file_name)
            for place, text in files.items():
                (target / place).parent.mkdir(parents=True, exist_ok=True)
                write_text(target / place, text)
    if reminded:
        common.say(screen, reminded)
    where = target / form.file_name
    common.say(screen, f"Wrote {where}" + (f", {len(files)} files." if len(files) > 1 else "."))
    if form.only_grades and (left_out := without_grade(sheet)):
        common.say(screen, f"Left out, without a grade: {plural(len(left_out), 'student')} ({name_few(left_out)}).")


def _sheet(book: Gradebook, roster: Roster | None, screen: Console) -> Sheet:
    """Return the class. A new roster is saved and described first, even if the export then fails."""
    if roster is None:
        return ClassResults(book).sheet({})[0]
    match_sources(roster, book.sources())
    book.set_roster(roster)
    sheet, matching = ClassResults(book).sheet({})
    write_overview(book.path.parent, sheet)
    # Before the format, which may refuse the class: this says which submissions belong to nobody, and how to mend it.
    for text in describe_matching(matching) if matching else ():
        common.say(screen, text)
    return sheet


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
