"""The writing end of a class of tens of thousands: `python bench_many.py [--submissions 20000] [--jobs 2] [--cluster local:2]`.

No student code runs: a small class is graded once, and its replies and findings stand for all others, each under a name of its
own. Workers score them and write reports, as they do at the end of a grading; the command inserts them into the gradebook with
replies of their own, and writes the table and the class page. Prints the rate and the command's memory along the way, and what
the gradebook takes for each submission.
"""

from __future__ import annotations

import argparse
import itertools
import os
import resource
import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

from bench_class import timed, write_class
from bench_scale import processor_time, resident

from grader.classroom import grading_loop
from grader.classroom.batch import grade_tasks
from grader.classroom.executors import Workers
from grader.classroom.gradebook import Gradebook
from grader.classroom.grading_loop import begin_grading
from grader.classroom.output import PAGE, write_overview
from grader.classroom.plan import replay_task
from grader.classroom.reference_api import author
from grader.classroom.results import ClassResults
from grader.classroom.worker import Graded, GradingSession, Task
from grader.rubric import bundled, load
from grader.score import KNOWN

SAMPLES = 40


def read_samples(folder: Path) -> list[Task]:
    """Return the tasks to score each of a graded class again."""
    with Gradebook(folder) as book:
        tasks = [replay_task(book, row, Task(name, name, None), stands=True) for name, row in book.last().items()]
    return [task for task in tasks if task.known]


def main() -> None:
    """Measure, and print a line for each twentieth of the class."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--submissions", type=int, default=20_000)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--cluster", default="", help="Dask's workers in place of --jobs, as in `grader grade`")
    given = parser.parse_args()
    count, assignment = given.submissions, load(bundled(), KNOWN)
    with TemporaryDirectory() as name:
        room = Path(name)
        write_class(author(assignment), room / "class", SAMPLES, 10)
        timed("grade", "--seed", assignment.seed, room / "class", "--out", room / "samples", "--jobs", given.jobs)
        (room / "many").mkdir()
        with Gradebook(room / "many", create=True) as book:
            grading = begin_grading(GradingSession(assignment, assignment.seed), book)
            samples = read_samples(room / "samples")
            kept = itertools.cycle(samples)
            tasks = (replace(next(kept), name=f"student_{number:06}", source=f"{number}.py") for number in range(count))

            def scored(*words: object) -> Iterator[Graded]:
                for graded in grade_tasks(*words):
                    yield replace(graded, replies=samples[int(graded.source[:-3]) % len(samples)].saved)

            grading_loop.grade_tasks = scored
            started, done = time.perf_counter(), itertools.count(1)

            def on_result(_: Graded) -> None:
                number = next(done)
                if number % max(1, count // 20) == 0:
                    rate = number / (time.perf_counter() - started)
                    mine = 1000 * processor_time(os.getpid()) / number
                    print(
                        f"{number:>7}: {rate:6.1f} a second, {mine:.2f} ms of the command's own each, {resident(os.getpid()):.0f} MiB",
                        flush=True,
                    )

            grading.run(tasks, Workers(given.jobs, given.cluster), on_result)
            spent = time.perf_counter()
            write_overview(book.path.parent, ClassResults(book).sheet(grading.done))
            page = book.path.with_name(PAGE)
            print(f"class page and table: {time.perf_counter() - spent:.1f} s, {page.stat().st_size / 2**20:.1f} MiB")
            path = book.path
        with closing(sqlite3.connect(path)) as database:
            (rows,) = database.execute("SELECT count(*) FROM grading").fetchone()
        size = path.stat().st_size
        print(f"{rows} gradings in {size / 2**20:.0f} MiB: {size / count / 1024:.0f} KiB each")
        print(
            f"peak of the command {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:.0f} MiB; load {os.getloadavg()[0]:.1f}"
        )


if __name__ == "__main__":
    main()
