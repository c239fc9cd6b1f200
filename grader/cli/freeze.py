"""`grader freeze`: the public questions in one file, so that students check themselves without the reference."""

from pathlib import Path

import click

from grader.classroom.reference_api import build_questions
from grader.cli import common, options
from grader.frozen import FILE, load_frozen
from grader.frozen.freeze import freeze as freeze_questions
from grader.model import Assignment
from grader.text.sanitise import one_line


@click.command(
    epilog="""\b
Examples:
  grader freeze
  grader freeze --assignment DIR --seed 12 --out public_questions.npz

Exit status: 0 written; 1 the file cannot be written; 2 bad usage."""
)
@options.ASSIGNMENT
@click.option(
    "--seed",
    type=click.IntRange(0, 2**32 - 1),
    help="Seed to draw the questions from. Never give the one that you grade with.",
)
@click.option("--out", type=click.Path(path_type=Path, dir_okay=False), help=f"File to write. [default: DIR/{FILE}]")
def freeze(folder: Path | None, seed: int | None, out: Path | None) -> None:
    """Write the questions, their answers and what known mistakes answer into one file for students. This takes two minutes.

    The file holds no solution, no seed and nothing about hidden checks.
    """
    assignment = common.assignment_of(folder)
    file = out or assignment.folder / FILE
    with common.failures_in_words(one_line(str(file)), "Name another file with --out."):
        data = freeze_with_progress(assignment, assignment.seed if seed is None else seed)
        file.write_bytes(data)
    frozen = load_frozen(file)
    asked, checks = len(frozen.questions.calls), len(frozen.assignment.checks)
    common.say(f"Wrote {one_line(str(file))}: {asked} questions for {checks} checks, {len(data) / 1e6:.1f} MB.")


def freeze_with_progress(assignment: Assignment, seed: int, *, with_hidden: bool = False) -> bytes:
    """Return the frozen questions of a seed; with_hidden : for no student's eyes."""
    questions = build_questions(assignment, seed)
    with common.progress("freezing") as (on_start, on_result):
        on_start(1 + (len(questions.catalogue.forms) if questions.catalogue else 0))
        return freeze_questions(assignment, questions, lambda _: on_result(None), with_hidden=with_hidden)
