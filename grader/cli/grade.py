"""`grader grade`: run and judge a class."""

import gc
import math
import sys
from collections.abc import Sequence
from contextlib import ExitStack, closing, suppress
from importlib import import_module
from pathlib import Path
from typing import Any

import click

from grader.cli import options
from grader.cli.runner import CommandForRunner
from grader.sandbox.forkserver import ForkServer, SandboxError, can_fork

REST = "grader.cli.grade_paths"


@click.command(
    cls=CommandForRunner,
    epilog="""\b
Examples:
  grader grade alice.ipynb --out graded            one notebook
  grader grade submissions/ --out graded --jobs 2  a class: each file or folder in it is one submission
  grader grade clone/ --one --out graded           a folder that is one submission
  grader grade alice.zip --out graded              a zip is one submission
  grader grade submissions.zip --out graded        or a whole class, as Canvas and Moodle pack it
  grader grade submissions/ --out graded --roster roster.csv
  grader grade submissions/ --out graded --cluster tcp://10.0.0.5:8786
  grader grade submissions/ --out graded --format junit   and write JUnit, as `grader export` does
  grader grade . --one --out graded --format github --fail-under 60   a step of GitHub Actions
  grader grade submissions/ --out graded --annotate       and write each notebook with the findings under its cells

Run the same command again to grade what is new or changed, or to continue after a stop.

The questions are drawn from a secret seed. A class gets its own when it is first graded, and keeps it in
DIR/secret-seed.txt. With another --seed, everything is graded again. CI passes it as GRADER_SEED.

Exit status: 0 everything is graded, whatever the scores; 1 the grader itself failed on something; 2 bad usage;
3 graded, but --fail-under or --fail-on is not met; 130 stopped.""",
)
@click.argument("paths", nargs=-1, required=True, type=options.PATH, metavar="PATH...")
@click.option("--out", type=options.PATH, required=True, help="Folder for the gradebook and the reports.")
@options.JOBS
@options.NO_CACHE
@options.CLUSTER
@options.SEED
@click.option("--one", is_flag=True, help="Treat a folder as one submission, not as a class.")
@click.option("--force", is_flag=True, help="Grade everything again, even what has not changed.")
@click.option(
    "--roster",
    type=options.PATH,
    help="List of the class: a CSV from Canvas, Moodle, Gradescope or Classroom 50, or any with a header line.",
)
@click.option(
    "--groups",
    type=options.PATH,
    help="Who works together: a CSV with a column `group`, such as Canvas's. A group's hand-in counts for each member.",
)
@click.option(
    "--attempt",
    type=click.Choice(["latest", "first", "best"]),
    help="Which of a student's hand-ins counts; this needs a roster. Later commands keep it. [default: latest]",
)
@click.option(
    "--format",
    "form",
    metavar="NAME",
    callback=lambda _context, _option, name: _known_format(name),
    help="Also write the class in this format, as `grader export` does: junit, github, classroom50 and others.",
)
@click.option(
    "--fail-under",
    type=click.FloatRange(0, 100),
    metavar="P",
    callback=lambda _context, _option, percent: _number(percent),
    help="Exit with 3 if a submission has less than P percent of the points.",
)
@click.option("--fail-on", type=click.Choice(["mistakes"]), help="Exit with 3 if a mistake was recognised.")
@options.SCHEMA
@options.ANNOTATE
@click.option("--unsafe", is_flag=True, help="Grade even if student code is not isolated. Every report will say so.")
@options.ASSIGNMENT
def grade(paths: Sequence[Path], jobs: int, cluster: str, **given: Any) -> None:
    """Grade submissions (notebooks, .py files, zips or folders) and write a report for each."""
    fresh = "numpy" not in sys.modules
    if fresh:
        gc.disable()  # what is imported stays: looking through it again and again takes a tenth of the time
    with ExitStack() as stack:
        if not cluster and fresh and can_fork():
            with suppress(SandboxError):  # which the worker meets as well, and tells of
                # What a student's process comes from takes as long to start as the rest of the grader to be imported.
                single = [path.suffix for path in paths] in ([".ipynb"], [".py"])
                server = ForkServer(lean=single, meanwhile=lambda: import_module(REST))
                stack.enter_context(closing(server))
                started = import_module("grader.classroom.worker").started_before
                started.append(server)
                stack.callback(started.clear)
        from grader.cli.grade_paths import grade_paths  # noqa: PLC0415 -- options need none of it

        if fresh:
            gc.freeze()
            gc.enable()
        grade_paths(paths, jobs=jobs, cluster=cluster, **given)


def _number(percent: float | None) -> float | None:
    """Return a percentage; raise BadParameter for NaN, which no score is under."""
    if percent is not None and math.isnan(percent):
        raise click.BadParameter("nan is not a percentage: expected 0 to 100.")
    return percent


def _known_format(name: str | None) -> str | None:
    """Return the name of a format; raise BadParameter before anything is graded where there is no such format."""
    if name is None:
        return None
    from grader.reports.formats import CLASS_FORMATS  # noqa: PLC0415 -- only where one is named
    from grader.text.nearest import lookup  # noqa: PLC0415 -- the same

    try:
        return lookup(CLASS_FORMATS, name, "format").name
    except ValueError as error:
        raise click.BadParameter(str(error)) from error
