"""`grader audit`, `demo`, `doctor` and `build`: the rubric, a class to look at, this machine, and what students get."""

from __future__ import annotations

import os
import sys
import webbrowser
from pathlib import Path

import click

from grader.classroom.output import PAGE
from grader.classroom.storage import write_text
from grader.cli import common
from grader.cli.grade import grade
from grader.health import examine, view
from grader.sandbox import self_test
from grader.sandbox.host import IsolationError, UnsupportedPlatformError, ZygoteLostError


@click.command(
    epilog="""\b
Examples:
  grader audit                                     the bundled rubric
  grader audit --assignment mine/ --out audit      your own, with a page and audit.json in audit/

Exit status: 0 the rubric is sound; 1 it is not, with the reasons; 2 bad usage; 130 stopped."""
)
@click.option("--out", type=click.Path(path_type=Path), help="Folder for audit.html and audit.json.")
@click.option("--jobs", type=click.IntRange(1, 256), default=2, show_default=True, help="Submissions at a time.")
@common.SEED
@common.ASSIGNMENT
def audit(out: Path | None, jobs: int, seed: int | None, folder: Path | None) -> None:
    """Prove a rubric: hand in the solution and every known mistake, and see that each costs points and is named."""
    from grader.audit import mistake_class  # noqa: PLC0415 -- other commands have no use for it
    from grader.audit import view as pictured  # noqa: PLC0415 -- the same

    assignment = common.assignment_of(folder)
    if out:
        common.made(out)
    number = assignment.seed if seed is None else seed
    try:
        with common.failures_in_words(f"--out {out}"), common.progress("auditing") as (began, told):
            found = mistake_class.run(assignment, number, jobs=jobs, began=began, told=told)
    except KeyboardInterrupt:
        click.echo("Stopped: an audit needs all of its submissions.", err=True)
        raise SystemExit(common.STOPPED) from None
    screen = common.screen()
    screen.print(pictured.to_terminal(found))
    if out:
        write_text(out / "audit.html", pictured.to_html(found))
        write_text(out / "audit.json", pictured.to_json(found))
        common.point_to(screen, out / "audit.html")
    raise SystemExit(common.GRADER_FAILED if found.problems else 0)


@click.command(
    epilog="""\b
Example:
  grader demo --out demo

Exit status: as for `grader grade`."""
)
@click.option("--out", type=click.Path(path_type=Path), default=Path("demo"), show_default=True, help="Folder to make.")
@click.option("--jobs", type=click.IntRange(1, 256), default=2, show_default=True, help="Submissions at a time.")
@click.option("--open/--no-open", "show", default=None, help="Open the class page; by default where there is a screen.")
@click.pass_context
def demo(context: click.Context, out: Path, jobs: int, show: bool | None) -> None:  # noqa: FBT001 -- click passes options by name
    """Make up a class of forty, right, wrong, unfinished and hostile, grade it, and open the result."""
    from grader.demo import made_up_class as made_up  # noqa: PLC0415 -- other commands have no use for it

    handed_in, graded = out / "submissions", out / "graded"
    if handed_in.exists() and any(handed_in.iterdir()):
        raise click.UsageError(f"--out {out}: there is a {handed_in} already. Name another folder, or remove it.")
    common.made(handed_in)
    with common.failures_in_words(f"--out {out}"):
        made_up.write_class(common.assignment_of(None), handed_in)
    try:
        context.invoke(grade, paths=[handed_in], out=graded, jobs=jobs)
    finally:
        page = graded / PAGE
        has_screen = sys.platform in {"darwin", "win32"} or any(map(os.environ.get, ("DISPLAY", "WAYLAND_DISPLAY")))
        if page.exists() and (has_screen if show is None else show):
            webbrowser.open(page.resolve().as_uri())


@click.command(
    epilog="""\b
Example:
  grader doctor

Exit status: 0 strangers' code can be graded here; 1 something got through, or student code lacks
what it needs, so that `grader grade` refuses to."""
)
@common.ASSIGNMENT
def doctor(folder: Path | None) -> None:
    """Tell how student code is isolated on this system, and try what it must not be able to do and what it must."""
    limits = common.assignment_of(folder).limits
    try:
        found = examine(limits)
    except (self_test.NotIsolatedError, IsolationError, UnsupportedPlatformError, ZygoteLostError) as error:
        click.echo(f"Error: {error}", err=True)
        raise SystemExit(common.GRADER_FAILED) from error
    common.screen().print(view(found))
    raise SystemExit(common.GRADER_FAILED if found.advice else 0)


@click.command(
    epilog="""\b
Example:
  grader build --solution reference/two_layer_net_solution.ipynb --out assignment/two_layer_net.ipynb"""
)
@click.option(
    "--solution", type=click.Path(path_type=Path), required=True, help="The solution notebook, with marked regions."
)
@click.option("--out", type=click.Path(path_type=Path), required=True, help="The students' notebook to write.")
def build(solution: Path, out: Path) -> None:
    """Build the students' notebook from the solution: marked regions and stored outputs are taken out."""
    from grader.release import KitError, skeleton  # noqa: PLC0415 -- nbconvert takes 0.4 s to import, and grading has no use for it

    try:
        text = skeleton(solution)
    except KitError as error:
        raise click.UsageError(str(error)) from error
    try:
        out.write_text(text, encoding="utf-8")
    except OSError as error:
        raise click.UsageError(f"--out {out}: cannot be written ({error.strerror}).") from error
    click.echo(f"Wrote {out}, {out.stat().st_size:,} bytes.")
