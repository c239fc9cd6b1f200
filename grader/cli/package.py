"""`grader package`: what a platform needs to grade submissions by itself."""

import math
import tempfile
from pathlib import Path

import click

from grader.classroom.reference_api import build_questions
from grader.classroom.seed_file import choose_to_package
from grader.cli import common, options
from grader.cli.freeze import freeze_with_progress
from grader.integrations.autograder_zip import WheelError, build_wheel, write_zip
from grader.sandbox.policy import WALL_FACTOR
from grader.text.sanitise import one_line

BESIDE = 256  # mebibytes; the grader takes 142 with a usual program, and 104 more than the most that a program may take


@click.command(
    epilog="""\b
Examples:
  grader package --for gradescope
  grader package --for gradescope --assignment DIR --out graded/autograder.zip

The questions are drawn from a secret seed: the one in secret-seed.txt beside the file, --seed or GRADER_SEED, or a new one,
which is kept there. So the same questions are asked after you mend a rubric and package it again.

Exit status: 0 written; 1 the wheel cannot be built, or the file not be written; 2 bad usage."""
)
@click.option(
    "--for", required=True, type=click.Choice(["gradescope"]), expose_value=False, help="The platform that is to grade."
)
@click.option(
    "--out", type=options.PATH, default="autograder.zip", show_default=True, help="File to write, which must be new."
)
@options.SEED
@options.ANY_ASSIGNMENT
def package(out: Path, seed: int | None, folder: Path | None) -> None:
    """Write the zip with which Gradescope grades each submission as it is handed in; takes two minutes.

    It holds the grader's wheel, pinned versions and frozen questions with their answers, hidden checks among them, and
    neither the seed nor the solution. Keep it from students.
    """
    assignment, shown = common.assignment_of(folder), one_line(str(out))
    if out.exists() or out.is_symlink():
        raise click.UsageError(f"--out {shown}: it exists already. Remove it, or name another file.")
    common.make_folder(out.parent, what=out.name)
    with common.failures_in_words(shown, "Name another file with --out."), tempfile.TemporaryDirectory() as made:
        build_questions(assignment, assignment.seed)  # where the reference is missing it ends here, and no seed is kept
        chosen = choose_to_package(out.parent, assignment.seed, seed)
        common.say(*chosen.remarks)
        try:
            wheel = build_wheel(Path(made))
        except WheelError as error:
            common.fail(str(error))
        data = freeze_with_progress(assignment, chosen.seed, with_hidden=True)
        write_zip(out, data, wheel)
    hidden, limits = sum(row.hidden for row in assignment.checks), assignment.limits
    minutes = math.ceil(WALL_FACTOR * limits.total_seconds / 60) + 1
    size = f"{out.stat().st_size / 1e6:.1f} MB"
    common.say(f"Wrote {shown}: {len(assignment.checks)} checks, {hidden} of them hidden, {size}.")
    common.say(
        f"Upload it under Configure Autograder. Its settings need at least {limits.memory_mb + BESIDE} MB of memory and a"
        f" timeout of {minutes} minutes. Then test it with a submission.",
    )
    if assignment.late:
        common.say("The rubric's rule for late days is not applied there: Gradescope knows who has an extension.")
