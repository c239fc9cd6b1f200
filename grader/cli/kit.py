"""`grader kit`: the folder to hand out."""

import json
import os
import shutil
from pathlib import Path

import click

from grader.cli import common, options
from grader.frozen import FILE
from grader.model import Assignment
from grader.rubric import bundled
from grader.text.sanitise import one_line

README = """\
# {title}

1. You need Python 3.11 or newer. Run `pip install jupyterlab matplotlib` and `pip install WHEEL`, the grader's file or address from your course.
2. Run `jupyter lab` in this folder and open `{notebook}`. Keep the folder `data` beside it.
3. Go from top to bottom, and write where it says `YOUR CODE`.
4. Run the cell with `%check` below each part. It says what passes, what is wrong and where, and what to write next.
5. In a terminal, `{command}` checks the whole notebook as it was saved last.
6. Add `--part loss` to check one part, or `--html` to read the report as a page.
7. Your instructor asks other questions of the same kind.
8. Before you hand in, restart the kernel, run all cells, save, and check once more.
9. Hand in `{notebook}` alone.
"""


@click.command(
    epilog="""\b
Examples:
  grader kit handout
  grader kit handout --assignment DIR

Exit status: 0 written; 1 the disk is full or fails; 2 bad usage."""
)
@click.argument("out", type=click.Path(path_type=Path, readable=False), metavar="DIR")
@options.ANY_ASSIGNMENT
def kit(out: Path, folder: Path | None) -> None:
    """Write the folder to hand out to students into DIR, which must be new or empty.

    It holds the notebook, its data and a README, but no rubric, seed or solution. Frozen questions that lie beside an
    assignment of your own are added; those of the bundled assignment come with the grader.
    """
    shown = one_line(str(out))
    try:
        assignment = common.assignment_of(folder)
        _make_folder(assignment, out)
    except click.UsageError as error:
        click.echo(f"Error: {one_line(error.message, 1_000)}", err=True)
        raise SystemExit(error.exit_code) from None
    with common.failures_in_words(shown, "Name another folder."):
        shutil.copyfile(assignment.folder / assignment.notebook, out / assignment.notebook)
        shutil.copytree(assignment.folder / "data", out / "data", ignore=shutil.ignore_patterns(".*"))
        command = f"grader check {assignment.notebook}"
        if assignment.folder.resolve() != bundled().resolve() and (assignment.folder / FILE).is_file():
            shutil.copyfile(assignment.folder / FILE, out / FILE)
            command += f" --questions {FILE}"
        readme = README.format(title=assignment.title, notebook=assignment.notebook, command=command)
        (out / "README.md").write_text(readme, encoding="utf-8")
    names = sorted(str(path.relative_to(out)) for path in out.rglob("*") if path.is_file())
    click.echo(f"Wrote {shown}: {', '.join(names)}.")


def make_empty_folder(out: Path) -> None:
    """Make the folder that a command fills. Ends the command where it holds something, or cannot be made or written."""
    shown = one_line(str(out))
    try:
        if out.exists() and not (out.is_dir() and not any(out.iterdir())):
            raise click.UsageError(f"{shown}: it must be a new or an empty folder. Name another one.")
        out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise click.UsageError(f"{shown}: this folder cannot be made ({error.strerror}). Name another one.") from error
    if not os.access(out, os.W_OK | os.X_OK):
        raise click.UsageError(f"{shown}: you may not write there. Name a folder of your own.")


def _make_folder(assignment: Assignment, out: Path) -> None:
    """Make the folder; raise UsageError where there is nothing to hand out, where it holds the solution, or where it cannot go."""
    notebook = assignment.folder / assignment.notebook
    where = one_line(str(notebook))
    if not (assignment.folder / "data").is_dir():
        raise click.UsageError(
            f"{one_line(str(assignment.folder))}: the folder `data`, which the notebook reads, is missing."
        )
    try:
        cells = json.loads(notebook.read_text(encoding="utf-8"))["cells"]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise click.UsageError(f"{where}: there is no notebook that can be read. `grader build` writes it.") from error
    if any("BEGIN SOLUTION" in "".join(cell["source"]) or cell.get("outputs") for cell in cells):
        raise click.UsageError(
            f"{where}: it holds a solution or outputs. `grader build --solution {where} --out FILE` takes them out."
        )
    make_empty_folder(out)
