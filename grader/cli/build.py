"""`grader build`: the solution, made from the lesson's template, and the students' notebook, made from the solution."""

from pathlib import Path

import click

from grader.classroom.reference_api import write_lesson
from grader.cli import common, options
from grader.frozen import FILE
from grader.release import ReleaseError, build_release
from grader.rubric import bundled


@click.command(
    epilog="""\b
Examples:
  grader build --lesson --out reference/two_layer_net_solution.ipynb
  grader build --solution reference/two_layer_net_solution.ipynb --out assignment/two_layer_net.ipynb

Exit status: 0 the notebook is written; 2 bad usage."""
)
@click.option("--solution", type=options.PATH, help="The solution notebook, with marked regions.")
@click.option("--lesson", is_flag=True, help="Write the solution notebook itself, from the lesson's template.")
@click.option("--out", type=options.PATH, required=True, help="The notebook to write.")
@options.ANY_ASSIGNMENT
def build(solution: Path | None, lesson: bool, out: Path, folder: Path | None) -> None:
    """Build the students' notebook: the solution without its marked regions and its outputs."""
    if lesson == (solution is not None):
        raise click.UsageError("Name what to build from: --solution FILE, or --lesson.")
    try:
        with common.failures_in_words(f"--out {out}", "Name another file."):
            text = build_release(solution) if solution else _write_solution(folder)
            out.write_text(text, encoding="utf-8")
    except ReleaseError as error:
        raise click.UsageError(str(error)) from error
    click.echo(f"Wrote {out}, {out.stat().st_size:,} bytes.")


def _write_solution(folder: Path | None) -> str:
    assignment = common.assignment_of(folder)
    return write_lesson(assignment, "" if assignment.folder.resolve() == bundled().resolve() else FILE)
