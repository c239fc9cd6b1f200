"""`grader audit`: proof that a rubric finds every known mistake."""

from pathlib import Path

import click

from grader.classroom.storage import write_whole
from grader.cli import common, options


@click.command(
    epilog="""\b
Examples:
  grader audit                                     the bundled rubric
  grader audit --assignment mine/ --out audit      your own, with a page and audit.json in audit/

Exit status: 0 the rubric is sound; 1 it is not, and the output says why; 2 bad usage; 130 stopped."""
)
@click.option("--out", type=options.PATH, help="Folder for audit.html and audit.json.")
@options.TWO_JOBS
@options.NO_CACHE
@click.option("--seed", type=click.IntRange(0), help="Seed to draw the questions from. [default: the public one]")
@click.option(
    "--programs", is_flag=True, help="Run each mistake as a program in a process of its own: four times as long."
)
@options.ANY_ASSIGNMENT
def audit(out: Path | None, jobs: int, seed: int | None, folder: Path | None, *, programs: bool) -> None:
    """Prove a rubric: grade the solution and every known mistake, and check that each mistake costs points and is named."""
    from grader.audit import mistake_class, view  # noqa: PLC0415 -- other commands have no use for them

    assignment = common.assignment_of(folder)
    if out:
        common.make_folder(out)
    number = assignment.seed if seed is None else seed
    try:
        with common.failures_in_words(f"--out {out}"), common.progress("auditing") as (began, told):
            found = mistake_class.run(assignment, number, jobs=jobs, programs=programs, began=began, told=told)
    except KeyboardInterrupt:
        click.echo("Stopped. An audit is complete only when all of its submissions are graded.", err=True)
        raise SystemExit(options.STOPPED) from None
    common.screen().print(view.to_terminal(found))
    if out:
        write_whole(out / "audit.html", view.to_html(found))
        write_whole(out / "audit.json", view.to_json(found))
        common.point_to(out / "audit.html")
    raise SystemExit(options.GRADER_FAILED if found.problems else 0)
