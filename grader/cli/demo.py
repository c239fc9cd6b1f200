"""`grader demo`: a made-up class, graded."""

from pathlib import Path
from typing import Never

import click

from grader.classroom.output import PAGE
from grader.classroom.reference_api import ReferenceMissingError
from grader.cli import common, options
from grader.cli.check import NOT_PASSED, check
from grader.cli.grade import grade
from grader.model import Assignment

NO_CLASS = "The demo class is made from the reference, which is not here. This checks one notebook instead."


@click.command(
    epilog="""\b
Example:
  grader demo --out demo

Exit status: the same as for `grader grade`."""
)
@click.option("--out", type=options.PATH, default=Path("demo"), show_default=True, help="Folder to create.")
@options.TWO_JOBS
@options.NO_CACHE
@click.option(
    "--open/--no-open", "show", default=None, help="Open the class page. [default: only if there is a screen]"
)
@click.pass_context
def demo(context: click.Context, out: Path, jobs: int, show: bool | None) -> None:
    """Make up a class of forty submissions (right, wrong, unfinished and hostile), grade it and open the class page."""
    from grader.demo import made_up_class  # noqa: PLC0415 -- other commands have no use for it

    handed_in, graded = out / "submissions", out / "graded"
    if handed_in.exists() and any(handed_in.iterdir()):
        raise click.UsageError(f"--out {out}: {handed_in} already exists. Name another folder, or remove it.")
    common.make_folder(handed_in)
    assignment = common.assignment_of(None)
    try:
        with common.failures_in_words(f"--out {out}"):
            made_up_class.write_class(assignment, handed_in)
    except click.UsageError as error:
        if not isinstance(error.__cause__, ReferenceMissingError):
            raise
        _check_one(context, assignment, out)
    try:
        context.invoke(grade, paths=[handed_in], out=graded, jobs=jobs, seed=assignment.seed)
    finally:
        page = graded / PAGE
        if page.exists():
            options.open_page(page, wanted=show)


def _check_one(context: click.Context, assignment: Assignment, out: Path) -> Never:
    """Check the notebook as it is handed out: what a student sees first."""
    (out / "submissions").rmdir()  # it waited for the class
    mine = out / assignment.notebook
    mine.write_bytes((assignment.folder / assignment.notebook).read_bytes())
    click.echo(f"{NO_CLASS}\n\n$ grader check {mine}\n")
    try:
        context.invoke(check, path=mine)
    except SystemExit as ended:
        # That nothing passes yet is what it is to show.
        raise SystemExit(0 if ended.code in {0, NOT_PASSED} else options.GRADER_FAILED) from None
    raise SystemExit(0)
