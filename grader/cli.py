"""The commands: the only place that prints and exits."""

from __future__ import annotations

import os
import sys
import webbrowser
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import click
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.text import Text

from grader import __version__
from grader.assignment import AssignmentError, bundled
from grader.assignment import load as load_assignment
from grader.checkup import examine, view
from grader.classroom.batch import (
    Entry,
    ReferenceMissingError,
    Sitting,
    StoppedError,
    draw_probes,
    grade_class,
    write_overview,
    write_text,
)
from grader.judge import KNOWN
from grader.records import Assignment, Report
from grader.report.terminal import summary
from grader.report.untrusted import line
from grader.student import canary
from grader.student.host import IsolationError, UnsupportedPlatformError, ZygoteLostError
from grader.submission import entries, ignored, safe_names

GRADER_FAILED = 1
STOPPED = 130  # what a shell gives for Ctrl-C

ASSIGNMENT = click.option(
    "--assignment",
    "folder",
    type=click.Path(path_type=Path),
    default=None,
    help="Folder with an assignment.toml; without it, the bundled assignment.",
)


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(__version__, prog_name="grader")
def main() -> None:
    """Grade the two-layer-net assignment: students' code in a process of its own, every verdict explained."""


@main.command(
    epilog="""\b
Examples:
  grader grade alice.ipynb --out graded            one notebook
  grader grade submissions/ --out graded --jobs 2  a folder: each entry is one submission
  grader grade clone/ --one --out graded           a folder that is one submission
  grader grade submissions.zip --out graded        a zip is one submission; unpack a class's zip first

Exit status: 0 graded, whatever the scores; 1 the grader itself failed on something; 2 bad usage; 130 stopped."""
)
@click.argument("paths", nargs=-1, required=True, type=click.Path(path_type=Path), metavar="PATH...")
@click.option("--out", type=click.Path(path_type=Path), required=True, help="Folder for the reports.")
@click.option("--jobs", type=click.IntRange(1, 256), default=1, show_default=True, help="Submissions at a time.")
@click.option("--seed", type=click.IntRange(0, 2**32 - 1), help="Draw the questions from this secret seed.")
@click.option("--one", is_flag=True, help="A folder is one submission, not a class.")
@click.option("--unsafe", is_flag=True, help="Grade even where student code is not isolated; every report says so.")
@ASSIGNMENT
def grade(
    paths: Sequence[Path],
    out: Path,
    jobs: int,
    seed: int | None,
    one: bool,  # noqa: FBT001 -- click passes options by name
    unsafe: bool,  # noqa: FBT001 -- the same
    folder: Path | None,
) -> None:
    """Grade submissions (notebooks, .py files, zips, folders of them) and write a report for each."""
    console = Console(stderr=True)
    assignment = _assignment(folder)
    chosen, left = _entries(paths, out, one=one)
    _made(out)
    number = assignment.seed if seed is None else seed
    try:
        draw_probes(assignment, number)
    except (ReferenceMissingError, ValueError) as error:
        raise click.UsageError(str(error)) from error
    try:
        stopped, reports = _graded(console, chosen, Sitting(assignment, number, out, unsafe), jobs)
        page = write_overview(reports, assignment, out)
    except canary.NotIsolatedError as error:
        click.echo(f"Error: {error}", err=True)
        raise SystemExit(GRADER_FAILED) from error
    except OSError as error:
        click.echo(f"Error: --out {out}: {error.strerror or error}. The reports written so far are in it.", err=True)
        raise SystemExit(GRADER_FAILED) from error
    screen = _screen()
    screen.print(summary(reports))
    if left:
        # Whoever hands in names the files; a name may hold a terminal's codes, or a command to a CI's runner.
        _say(screen, f"Ignored, since they are no submissions: {', '.join(map(line, left))}.")
    failed = [report for report in reports if report.status == "grader_error"]
    if stopped:
        _say(screen, f"Stopped: {len(reports)} of {len(chosen)} are graded. The same command grades all again.")
    if failed:
        names = ", ".join(line(report.submission) for report in failed)
        _say(
            screen,
            f"The grader itself failed on: {names}. What is known of it is in grader-error.txt beside the report.",
        )
    screen.print(Text(f"Open {page.resolve()}"), soft_wrap=True)
    raise SystemExit(STOPPED if stopped else GRADER_FAILED if failed else 0)


def _screen() -> Console:
    # A file or a pipe has no width; 80 columns would break each message over many lines.
    return Console() if sys.stdout.isatty() else Console(width=140)


def _say(screen: Console, text: str) -> None:
    """Print a text as it is: a Text takes no markup and no emoji out of a student's file name."""
    screen.print(Text(text))


def _graded(console: Console, chosen: list[Entry], sitting: Sitting, jobs: int) -> tuple[bool, list[Report]]:
    """Grade all; or, where Ctrl-C is pressed, tell so and give what there is."""
    try:
        return False, _with_progress(console, chosen, sitting, jobs)
    except StoppedError as stop:
        return True, stop.reports


def _with_progress(console: Console, chosen: list[Entry], sitting: Sitting, jobs: int) -> list[Report]:
    with _progress(console, "grading") as (began, told):
        began(len(chosen))
        return grade_class(chosen, sitting, jobs=min(jobs, len(chosen)), told=told)


@contextmanager
def _progress(console: Console, doing: str) -> Iterator[tuple[Callable[[int], None], Callable[[Report], None]]]:
    """Show a progress bar; give what to call with the number of submissions, and with each report."""
    columns = (TextColumn(doing), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console, transient=True) as progress:
        task = progress.add_task(doing, total=None)
        yield lambda total: progress.update(task, total=total), lambda _: progress.advance(task)


def _made(out: Path) -> None:
    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise click.UsageError(f"--out {out}: cannot be made a folder ({error.strerror}). Name another.") from error


def _entries(paths: Sequence[Path], out: Path, *, one: bool) -> tuple[list[Entry], list[str]]:
    """Find the submissions in what was named: a file or zip is one, a folder is a class, unless `one`."""
    found: list[Path] = []
    left: list[str] = []
    for path in paths:
        if not path.exists():
            raise click.UsageError(f"{line(str(path))}: there is no such file or folder.")
        if path.is_dir() and not one:
            found += [entry for entry in entries(path) if not _is_output(entry) and entry.resolve() != out.resolve()]
            left += [entry.name for entry in ignored(path)]
        else:
            found.append(path)
    if not found:
        shown = ", ".join(line(str(path)) for path in paths)
        raise click.UsageError(
            f"{shown}: nothing to grade in it. A submission is an .ipynb, a .py, a .zip or a folder."
        )
    return [Entry(path, name) for path, name in safe_names(found).items()], left


def _is_output(entry: Path) -> bool:
    """Tell a folder that an earlier grading wrote from a submission."""
    return all((entry / part).exists() for part in ("index.html", "gradebook.csv", "submissions"))


def _assignment(folder: Path | None) -> Assignment:
    try:
        return load_assignment(folder or bundled(), KNOWN)
    except AssignmentError as error:
        raise click.UsageError(str(error)) from error


@main.command(
    epilog="""\b
Examples:
  grader audit                                     the bundled rubric
  grader audit --assignment mine/ --out audit      your own, with a page and audit.json in audit/

Exit status: 0 the rubric is sound; 1 it is not, with the reasons; 2 bad usage; 130 stopped."""
)
@click.option("--out", type=click.Path(path_type=Path), help="Folder for audit.html and audit.json.")
@click.option("--jobs", type=click.IntRange(1, 256), default=2, show_default=True, help="Submissions at a time.")
@click.option("--seed", type=click.IntRange(0, 2**32 - 1), help="Draw the questions from this secret seed.")
@ASSIGNMENT
def audit(out: Path | None, jobs: int, seed: int | None, folder: Path | None) -> None:
    """Prove a rubric: hand in the solution and every known mistake, and see that each costs points and is named."""
    from grader.audit import trials  # noqa: PLC0415 -- other commands have no use for it
    from grader.audit import view as shown  # noqa: PLC0415 -- the same

    assignment = _assignment(folder)
    if out:
        _made(out)
    number = assignment.seed if seed is None else seed
    console = Console(stderr=True)
    try:
        with _progress(console, "auditing") as (began, told):
            found = trials.run(assignment, number, jobs=jobs, began=began, told=told)
    except (ReferenceMissingError, ValueError) as error:
        raise click.UsageError(str(error)) from error
    except canary.NotIsolatedError as error:
        click.echo(f"Error: {error}", err=True)
        raise SystemExit(GRADER_FAILED) from error
    except StoppedError as stop:
        click.echo(f"Stopped: {len(stop.reports)} submissions were graded; an audit needs them all.", err=True)
        raise SystemExit(STOPPED) from stop
    screen = _screen()
    screen.print(shown.to_terminal(found))
    if out:
        write_text(out / "audit.html", shown.to_html(found))
        write_text(out / "audit.json", shown.to_json(found))
        screen.print(Text(f"Open {(out / 'audit.html').resolve()}"), soft_wrap=True)
    raise SystemExit(GRADER_FAILED if found.problems else 0)


@main.command(
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
    from grader.demo import demo as made_up  # noqa: PLC0415 -- other commands have no use for it

    handed_in, graded = out / "submissions", out / "graded"
    if handed_in.exists() and any(handed_in.iterdir()):
        raise click.UsageError(f"--out {out}: there is a {handed_in} already. Name another folder, or remove it.")
    _made(handed_in)
    try:
        made_up.write_class(_assignment(None), handed_in)
    except ReferenceMissingError as error:
        raise click.UsageError(str(error)) from error
    try:
        context.invoke(grade, paths=[handed_in], out=graded, jobs=jobs, seed=None, one=False, unsafe=False, folder=None)
    finally:
        page = graded / "index.html"
        has_screen = sys.platform in {"darwin", "win32"} or any(map(os.environ.get, ("DISPLAY", "WAYLAND_DISPLAY")))
        if page.exists() and (has_screen if show is None else show):
            webbrowser.open(page.resolve().as_uri())


@main.command(
    epilog="""\b
Example:
  grader doctor

Exit status: 0 strangers' code can be graded here; 1 something got through, so that `grader grade` refuses to."""
)
@ASSIGNMENT
def doctor(folder: Path | None) -> None:
    """Tell how student code is isolated on this system, and try what it must not be able to do."""
    limits = _assignment(folder).limits
    try:
        found = examine(limits)
    except (canary.NotIsolatedError, IsolationError, UnsupportedPlatformError, ZygoteLostError) as error:
        click.echo(f"Error: {error}", err=True)
        raise SystemExit(GRADER_FAILED) from error
    _screen().print(view(found))
    raise SystemExit(GRADER_FAILED if found.advice else 0)


@main.command(
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
    from grader.kit import KitError, skeleton  # noqa: PLC0415 -- nbconvert takes 0.4 s to import, and grading has no use for it

    try:
        text = skeleton(solution)
    except KitError as error:
        raise click.UsageError(str(error)) from error
    try:
        out.write_text(text, encoding="utf-8")
    except OSError as error:
        raise click.UsageError(f"--out {out}: cannot be written ({error.strerror}).") from error
    click.echo(f"Wrote {out}, {out.stat().st_size:,} bytes.")
