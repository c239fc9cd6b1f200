"""`grader show`: one submission's report, in any format."""

from pathlib import Path

import click

from grader.classroom.blind import hide_names
from grader.classroom.find_student import find_submission
from grader.classroom.gradebook import Gradebook
from grader.classroom.results import ClassResults
from grader.classroom.storage import COPY, FILE
from grader.cli import common, options
from grader.reports.export_rows import JUnitSchema
from grader.reports.formats import REPORT_FORMATS
from grader.reports.student_report import student_report
from grader.reports.terminal import view
from grader.text.nearest import lookup
from grader.text.sanitise import one_line


@click.command(
    epilog="""\b
Examples:
  grader show graded alice
  grader show graded alice --format html --to alice.html
  grader show graded alice --format json | jq .score

Exit status: 0 the report is shown; 1 the gradebook cannot be used; 2 bad usage."""
)
@options.GRADED
@click.argument("name")
@click.option(
    "--format",
    "form",
    default="terminal",
    show_default=True,
    metavar="FORMAT",
    help=f"One of {', '.join(REPORT_FORMATS)}.",
)
@click.option(
    "--to",
    type=click.Path(path_type=Path, dir_okay=False, readable=False),
    metavar="FILE",
    help="Write to this file instead.",
)
@options.SCHEMA
@options.BLIND
def show(out: Path, name: str, form: str, to: Path | None, schema: JUnitSchema | None, blind: bool) -> None:
    """Show the report of one submission and the decisions about it.

    Only json tells more about hidden checks than title and verdict: it is for you, the other formats are for students.
    """
    with common.failures_in_words(one_line(str(to or out))), Gradebook(out, reading=True) as book:
        written_as, options = lookup(REPORT_FORMATS, form, "format"), common.schema_of(schema, form)
        report = ClassResults(book).report(find_submission(book, name, blind=blind))
        report = hide_names(book, blind=blind).hide_report(report)
    text = written_as.write(report, **options)
    if to:
        if to.resolve() in {(out / name).resolve() for name in (FILE, COPY)}:
            raise click.UsageError(f"--to {one_line(str(to))}: the grades are in this file. Name another one.")
        with common.failures_in_words(one_line(str(to))):
            to.write_text(text, encoding="utf-8")  # through links and devices, not in their place
        common.say(f"Wrote {one_line(str(to))}.")
    elif form == "terminal" and (screen := common.screen()).is_terminal:
        screen.print(view(student_report(report)))  # in the terminal's own colours and width
    else:
        click.echo(text, nl=False)
