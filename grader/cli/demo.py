"""`grader demo`: a made-up class, graded."""

from __future__ import annotations

import os
import sys
import webbrowser
from pathlib import Path

import click

from grader.classroom.output import PAGE
from grader.cli import common
from grader.cli.grade import grade


@click.command(
    epilog="""\b
Example:
  grader demo --out demo

Exit status: the same as for `grader grade`."""
)
@click.option(
    "--out", type=click.Path(path_type=Path), default=Path("demo"), show_default=True, help="Folder to create."
)
@common.TWO_JOBS
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
    with common.failures_in_words(f"--out {out}"):
        made_up_class.write_class(assignment, handed_in)
    try:
        context.invoke(grade, paths=[handed_in], out=graded, jobs=jobs, seed=assignment.seed)
    finally:
        page = graded / PAGE
        has_screen = sys.platform in {"darwin", "win32"} or any(map(os.environ.get, ("DISPLAY", "WAYLAND_DISPLAY")))
        if page.exists() and (has_screen if show is None else show):
            webbrowser.open(page.resolve().as_uri())
