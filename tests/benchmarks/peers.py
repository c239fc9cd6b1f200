"""Measure our grader beside nbgrader and otter-grader: the same class, the same checks, the same machine.

Run by hand, never by pytest: python tests/benchmarks/peers.py [--submissions 8] [--jobs 2] [--keep DIR]

The peers get an environment of their own. A submission is the solution's class in one cell, its imports and its
best_hyperparameters: no plots and no tuning, which our grader would leave out and the peers would run. The peers' checks
are in peer_checks.py. Before anything is timed, each grader must give full marks to a right submission, and to a wrong
one (half of the regulariser's gradient) less by exactly what its wrong gradients cost. Every timed run is held to full
marks as well. A run's time is the wall time of the whole command, start-up included.
"""

from __future__ import annotations

import csv
import json
import os
import platform
import resource
import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from statistics import median

import click
import numpy as np
from peer_checks import GROUPS
from peer_class import (
    FAILED,
    PEERS,
    SLOW_IMPORT,
    Bench,
    install,
    submit,
    write_autograder,
    write_class,
    write_course,
    write_questions,
)
from rich.console import Console
from rich.table import Table

from grader.checks import CHECKS
from grader.rubric import bundled, load

RETRIES = 3
LARGE = 5  # times as many submissions, so that the start-up is spread

# otter's documented Python interface, for many submissions in one process: it saves the command's start-up.
OTTER_LOOP = """
import json, sys
from otter.api import grade_submission
for path in sys.argv[2:]:
    print(json.dumps([grade_submission(path, sys.argv[1], quiet=True).total]))
"""
# The checks alone, in a process that is warm: nearly all that a grader without any cost of its own would take. The fastest
# of many, since what else the machine does can only slow them.
ALONE = """
import sys, time, nbformat, peer_checks
space = {}
for cell in nbformat.read(sys.argv[1], 4).cells:
    exec(cell.source, space)
seconds = []
for _ in range(15):
    start = time.perf_counter()
    peer_checks.run_checks(space["TwoLayerNet"], space["best_hyperparameters"], peer_checks.QUESTIONS)
    seconds.append(time.perf_counter() - start)
print(min(seconds))
"""
OURS = "grader grade"
NOTES = """\
Medians of {rounds} rounds; a ratio is taken within a round. Each tool uses one thread for a submission.
- {slow} is taken out of the peers' environment: with it otter takes more than twice as long.
- otter run stands for otter grade, which needs Docker; otter.api grades in one process, without the command's start-up.
- nbgrader grades one submission after another; {jobs} jobs are that many courses side by side, started by hand.
- {deaths} of the peers' kernels died before they answered; the command was given again, and its time counts.
- grader also locks the student's process and writes an HTML report for each submission; the peers do neither here.
- a peer starts a kernel for each submission and runs the tests in it; grader forks a process that has numpy loaded."""


@dataclass(frozen=True)
class Timing:
    """One run of one grader over a class."""

    tool: str
    jobs: int
    submissions: int
    wall: float  # seconds
    cpu: float  # seconds of all the processes that it started
    scores: tuple[float, ...]
    deaths: int  # kernels that died before they answered, so that the command was given again, on the clock

    @property
    def rate(self) -> float:
        """Submissions a second."""
        return self.submissions / self.wall


def timed(tool: str, jobs: int, submissions: int, work: Callable[[], int], read: Callable[[], list[float]]) -> Timing:
    """Time the work, which gives the number of kernels that died; read the scores afterwards, off the clock."""
    before, start = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    deaths = work()
    wall, after = time.perf_counter() - start, resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return Timing(tool, jobs, submissions, wall, cpu, tuple(read()), deaths)


def stubbornly(bench: Bench, *command: str | Path, cwd: Path) -> int:
    """Run a peer's command again where its kernel died before it answered; give how often one did.

    Seen on one of the first 32 commands of otter's that ran two at a time, cause unknown. An instructor would give the
    command again; a benchmark that stopped there would measure nothing.
    """
    for deaths in range(RETRIES):
        try:
            bench.run(*command, cwd=cwd)
        except click.ClickException as error:
            if "Kernel died" not in error.message:
                raise
        else:
            return deaths
    bench.run(*command, cwd=cwd)
    return RETRIES


def run_ours(bench: Bench, count: int, jobs: int, *, wrong: bool = False) -> Timing:
    """Run `grader grade` over the class."""
    folder = write_class(fresh(bench, "ours") / "class", count, wrong=wrong)
    out = folder.parent / "out"
    command = (Path(sys.executable).with_name("grader"), "grade", folder, "--out", out, "--jobs", str(jobs))
    command += ("--seed", "231")

    def work() -> int:
        bench.run(*command, cwd=folder.parent)
        return 0

    def read() -> list[float]:
        return [json.loads(path.read_text())["score"] for path in out.glob("submissions/*/report.json")]

    return timed(OURS, jobs, count, work, read)


def run_nbgrader(bench: Bench, count: int, jobs: int, *, wrong: bool = False) -> Timing:
    """Run `nbgrader autograde` over the class; for more than one job, that many courses side by side, by hand."""
    folder = fresh(bench, "nbgrader")
    courses = [folder / f"course{job}" for job in range(jobs)]
    for job, course in enumerate(courses):
        shutil.copytree(bench.home / "course", course)
        submit(course, len(range(job, count, jobs)), wrong=wrong)

    def work() -> int:
        with ThreadPoolExecutor(jobs) as pool:
            return sum(pool.map(lambda course: stubbornly(bench, "nbgrader", "autograde", "ps1", cwd=course), courses))

    def read() -> list[float]:
        scores = []
        for course in courses:
            bench.run("nbgrader", "export", "--to", "grades.csv", cwd=course)
            with (course / "grades.csv").open(newline="") as lines:
                scores += [float(row["score"]) for row in csv.DictReader(lines)]
        return scores

    return timed("nbgrader autograde", jobs, count, work, read)


def run_otter(bench: Bench, count: int, jobs: int, *, wrong: bool = False) -> Timing:
    """Run `otter run` for each submission, so many at once: its way for a machine without Docker."""
    folder = write_class(fresh(bench, "otter") / "class", count, wrong=wrong)
    outs = {path: folder.parent / path.stem for path in sorted(folder.glob("*.ipynb"))}
    for out in outs.values():
        out.mkdir()

    def one(path: Path) -> int:
        zipped = bench.home / "otter" / "autograder.zip"
        return stubbornly(bench, "otter", "run", "--no-logo", "-a", zipped, "-o", outs[path], path, cwd=folder)

    def work() -> int:
        with ThreadPoolExecutor(jobs) as pool:
            return sum(pool.map(one, outs))

    def read() -> list[float]:
        results = [json.loads((out / "results.json").read_text()) for out in outs.values()]
        return [sum(test.get("score", 0.0) for test in result["tests"]) for result in results]

    return timed("otter run", jobs, count, work, read)


def run_otter_api(bench: Bench, count: int, jobs: int, *, wrong: bool = False) -> Timing:
    """Grade the class in one process by otter.api.grade_submission, which saves otter's start-up."""
    folder = write_class(fresh(bench, "otter-api") / "class", count, wrong=wrong)
    printed: list[str] = []
    paths = sorted(folder.glob("*.ipynb"))

    def work() -> int:
        zipped = bench.home / "otter" / "autograder.zip"
        printed.append(bench.run(bench.peers, "-c", OTTER_LOOP, zipped, *paths, cwd=folder))
        return 0

    def read() -> list[float]:
        return [json.loads(line)[0] for line in printed[0].splitlines() if line.startswith("[")]

    return timed("otter.api", jobs, count, work, read)


def fresh(bench: Bench, name: str) -> Path:
    """Return an empty folder for one run."""
    folder = bench.home / "runs" / name
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    return folder


# ---------------------------------------------------------------- proof, rounds, table


def prepare(home: Path) -> Bench:
    """Install the peers and write what each of them needs."""
    assignment = load(bundled(), tuple(CHECKS))
    worth = {row.id: row.points for row in assignment.checks}
    if sorted(worth) != sorted(name for names in GROUPS.values() for name in names):
        raise click.ClickException(
            "peer_checks.GROUPS and the bundled assignment do not hold the same checks: mend GROUPS."
        )
    bench = Bench(home.resolve(), {group: sum(worth[name] for name in names) for group, names in GROUPS.items()})
    (bench.home / "nobody").mkdir(parents=True, exist_ok=True)
    install(bench)
    shutil.copy(Path(__file__).with_name("peer_checks.py"), bench.home)
    write_questions(assignment, bench.home / "questions.npz")
    write_course(bench)
    write_autograder(bench)
    return bench


def prove(bench: Bench) -> None:
    """Hold each grader to the right and to the wrong score before any of them is timed."""
    full = sum(bench.points.values())
    less = full - sum(bench.points[group] for group in FAILED)
    for run in (run_ours, run_nbgrader, run_otter, run_otter_api):
        expect(run(bench, 1, 1), full, full)
        # Ours gives part of a check's points for the parameters that are right.
        expect(run(bench, 1, 1, wrong=True), less, full - 1 if run is run_ours else less)


def expect(timing: Timing, low: float, high: float) -> Timing:
    """Stop where a grader did not give every submission such a score: then it did not do the work that is compared."""
    if len(timing.scores) != timing.submissions or not all(low <= score <= high for score in timing.scores):
        wanted = f"{low:g}" if low == high else f"{low:g} to {high:g}"
        raise click.ClickException(
            f"{timing.tool} gave {timing.scores} to {timing.submissions} submission(s) worth {wanted} each: these graders"
            " do not work alike, so their times are not compared."
        )
    return timing


def rounds(bench: Bench, submissions: int, jobs: int, count: int) -> Iterator[list[Timing]]:
    """Run all graders `count` times over, ours between theirs, every second round the other way about."""
    large, full = LARGE * submissions, sum(bench.points.values())
    order = [
        (run_ours, submissions, 1),
        (run_nbgrader, submissions, 1),
        (run_ours, large, 1),
        (run_otter, submissions, 1),
        (run_nbgrader, large, 1),
        (run_otter_api, submissions, 1),
    ]
    if jobs > 1:
        order += [
            (run_ours, submissions, jobs),
            (run_nbgrader, submissions, jobs),
            (run_ours, large, jobs),
            (run_otter, submissions, jobs),
        ]
    for number in range(count):
        timings = []
        for run, size, at_once in order if number % 2 == 0 else reversed(order):
            timing = expect(run(bench, size, at_once), full, full)
            click.echo(f"round {number + 1}: {timing.tool}, {at_once} job(s), {size}: {timing.wall:.1f} s", err=True)
            timings.append(timing)
        yield timings


def table(found: Sequence[list[Timing]], submissions: int) -> Table:
    """Set the medians of all rounds beside each other, and the ratios within each round.

    A peer with a run of the large class is held against ours on the same class only: its start-up is spread there too.
    """
    shown = Table(title="The same class, the same checks, the same machine")
    for name in ("tool", "jobs", "submissions", "wall s", "CPU s each", "a second"):
        shown.add_column(name, justify="left" if name == "tool" else "right")
    sizes = (submissions, LARGE * submissions)
    for size in sizes:
        shown.add_column(f"grader on {size} is\nfaster by min, median", justify="right")
    kinds = {(timing.jobs, timing.tool, timing.submissions) for timing in found[0]}
    for jobs, tool, size in sorted(kinds, key=lambda kind: (kind[0], kind[1] != OURS, kind)):
        runs = [pick(timings, tool, jobs, size) for timings in found]
        ratios = []
        for other in sizes:
            ours = [pick(timings, OURS, jobs, other) for timings in found]
            each = [mine.rate / theirs.rate for mine, theirs in zip(ours, runs, strict=True)]
            told = tool != OURS and (other == size or (jobs, tool, other) not in kinds)
            ratios.append(f"{min(each):.1f}, {median(each):.1f}" if told else "")
        wall, cpu = median(run.wall for run in runs), median(run.cpu / size for run in runs)
        shown.add_row(tool, str(jobs), str(size), f"{wall:.2f}", f"{cpu:.2f}", f"{size / wall:.2f}", *ratios)
    return shown


def pick(timings: Sequence[Timing], tool: str, jobs: int, submissions: int) -> Timing:
    """Return one round's run of a kind."""
    return next(t for t in timings if (t.tool, t.jobs, t.submissions) == (tool, jobs, submissions))


@click.command()
@click.option("--submissions", type=click.IntRange(1), default=8, show_default=True, help="Submissions in the class.")
@click.option(
    "--jobs", type=click.IntRange(1), default=2, show_default=True, help="Submissions at a time, besides one."
)
@click.option("--rounds", "count", type=click.IntRange(2), default=3, show_default=True, help="Times that all is run.")
@click.option(
    "--keep", type=click.Path(path_type=Path), help="Work in this folder, and keep it: a second run installs nothing."
)
def main(submissions: int, jobs: int, count: int, keep: Path | None) -> None:
    """Measure our grader beside nbgrader and otter-grader."""
    if submissions < jobs:
        raise click.UsageError(f"--submissions {submissions} is less than --jobs {jobs}: each job needs one.")
    with tempfile.TemporaryDirectory() as temporary:
        bench = prepare(keep or Path(temporary))
        prove(bench)
        click.echo("All graders give full marks to the right submission, and find what is wrong in the wrong one.")
        found = list(rounds(bench, submissions, jobs, count))
        one = write_class(fresh(bench, "alone"), 1) / "student000.ipynb"
        alone = float(bench.run(bench.peers, "-c", ALONE, one, cwd=bench.home))
    Console(width=140).print(table(found, submissions))
    versions = {"Python": platform.python_version(), "numpy": np.__version__, **PEERS}
    click.echo(", ".join(f"{name} {version}" for name, version in versions.items()) + f"; {os.cpu_count()} processors")
    click.echo(
        f"The checks alone, in a warm process, at their fastest: {alone:.3f} s a submission, start-up and reports left out."
    )
    deaths = sum(timing.deaths for timings in found for timing in timings)
    click.echo(NOTES.format(deaths=deaths, jobs=jobs, rounds=count, slow=SLOW_IMPORT))


if __name__ == "__main__":
    main()
