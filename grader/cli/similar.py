"""`grader similar`: the programs of a class that are built alike, as a place to look."""

from pathlib import Path

import click
from rich.table import Table
from rich.text import Text

from grader.classroom.compare_programs import compare_class
from grader.classroom.gradebook import Gradebook
from grader.classroom.output import SIMILAR
from grader.cli import common, options
from grader.model import Likeness
from grader.reports.similar_page import percent
from grader.text.phrases import join_some
from grader.text.sanitise import one_line

LISTED = 20
A_PLACE_TO_LOOK = "This is a place to look, not a verdict. Read both programs, and talk to the people."


@click.command(
    epilog="""\b
Examples:
  grader similar graded
  grader similar graded --against last_year/      with hand-ins of others, which are read and never run
  grader similar archive/graded --to similar/     if you may not write into DIR

Exit status: 0 done, whatever was found; 1 the gradebook cannot be used; 2 bad usage."""
)
@options.GRADED
@click.option(
    "--to",
    type=options.PATH,
    help="Folder to write the page to, instead of DIR. Its links to reports work only in DIR.",
)
@click.option(
    "--against",
    type=options.PATH,
    multiple=True,
    metavar="FOLDER",
    help="Compare with these programs as well: last year's hand-ins, public solutions. May be given more than once.",
)
@options.ASSIGNMENT
def similar(out: Path, to: Path | None, against: tuple[Path, ...], folder: Path | None) -> None:
    """Show which programs of a class are built alike. Code that was handed out, or that many write, counts for little."""
    with common.failures_in_words(one_line(str(to or out))), Gradebook(out, reading=True) as book:
        assignment = common.assignment_of(folder or common.same_folder(book))
        common.make_folder(to or out, "--to", SIMILAR)
        likeness = compare_class(book, assignment, to, against)
    _tell(likeness)
    common.point_to((to or out) / SIMILAR)


def _tell(likeness: Likeness) -> None:
    common.say_reasons(likeness.left, "not compared")
    count = len(likeness.programs)
    counted = f"{count} programs compared"
    if outside := len(likeness.outside & likeness.programs.keys()):
        counted += f", {outside} of them from outside the class"
    for twins in likeness.twins:
        common.say(f"{len(twins)} are the same apart from names and layout: {join_some(twins)}.")
    if count < 2:
        common.say(f"There {'is one program' if count else 'is no program'}, so there is nothing to compare.")
        return
    if not likeness.pairs:
        others = "no other pair stands out" if likeness.twins else "no pair stands out"
        common.say(f"{counted}; {others}.")
        return
    table = Table(box=None, pad_edge=False)
    for title in ("first", "second", "alike", "passages"):
        table.add_column(title, justify="left" if title in {"first", "second"} else "right")
    for pair in likeness.pairs[:LISTED]:
        cells = (one_line(pair.first), one_line(pair.second), percent(pair.similarity), str(len(pair.passages)))
        table.add_row(*map(Text, cells))
    common.screen().print(table)
    whole = len(likeness.pairs) + likeness.unlisted
    pairs = "1 pair stands out" if whole == 1 else f"{whole} pairs stand out"
    more = f"; the page shows the first {len(likeness.pairs)}" if likeness.unlisted else ""
    common.say(f"{counted}; {pairs}{more}.")
    common.say(A_PLACE_TO_LOOK)
