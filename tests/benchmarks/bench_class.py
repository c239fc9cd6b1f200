"""What a whole class costs: run by hand, `python tests/benchmarks/bench_class.py [--submissions 400] [--jobs 2] [--mistakes 30]`.

Makes up a class (half right, two fifths with one of so many different mistakes, some broken or unfinished), grades it with the
bundled rubric, then: runs the same command again, judges all again after a tolerance changed, scores all again after points
changed, decides one thing, exports. Each figure is the wall time of a whole command, start-up included, unless it is said to
be otherwise. `alone` is what one process needs for one submission, once it has seen the class's mistakes.
"""

from __future__ import annotations

import argparse
import os
import random
import re
import resource
import shutil
import statistics
import subprocess
import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory, gettempdir

from grader.classroom.gradebook import Gradebook
from grader.classroom.plan import replay_task
from grader.classroom.reference_api import Author, author
from grader.classroom.worker import GradingSession, GradingWorker, Task
from grader.demo.students import SHEETS
from grader.rubric import bundled, load
from grader.score import KNOWN


def write_class(known: Author, folder: Path, count: int, mistakes: int) -> None:
    """Write so many submissions, each different in a comment at least.

    mistakes : how many different ones there are. A class shares its mistakes; each worker simulates each once.
    """
    dice = random.Random(5)
    forms = dice.sample([name for name, form in known.forms.items() if not form.harmless], mistakes)
    folder.mkdir()
    for number in range(count):
        drawn = dice.random()
        if drawn < 0.05:
            text = dice.choice([SHEETS["aalto_mika.py"], SHEETS["diallo_awa.py"]])
        elif drawn < 0.1:
            text = "class TwoLayerNet:\n    def __init__(self, *sizes):\n        self.params = {}\n"
        else:
            text = known.write(dice.sample(forms, 0 if drawn < 0.6 else 1))
        (folder / f"student_{number:04}.py").write_text(f"# {number}\n{text}", encoding="utf-8")


def timed(*words: object, python: str = sys.executable) -> tuple[float, str]:
    """Run the grader and give the seconds that it took and what it said."""
    started = time.perf_counter()
    # Not from here, where Python would find this clone's grader whichever build it is asked for.
    done = subprocess.run(
        [python, "-m", "grader", *map(str, words)], capture_output=True, text=True, check=True, cwd=gettempdir()
    )
    return time.perf_counter() - started, done.stdout


def used(*words: object, python: str) -> tuple[float, float]:
    """Return the seconds of a command, and those of processor time of it and all that it started."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    seconds, _ = timed(*words, python=python)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return seconds, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def compare(room: Path, other: str, jobs: int, rounds: int) -> None:
    """Grade and regrade the class with this build and another in turns, and print the ratios' medians."""
    text = (bundled() / "assignment.toml").read_text(encoding="utf-8")
    changes = {
        "regrade, a tolerance": ("gradient = 1e-6", "gradient = 2e-6"),
        "regrade, points": ("points = 4", "points = 5"),
    }
    found: dict[str, list[tuple[float, ...]]] = {}
    for turn in range(rounds):
        costs: dict[str, dict[str, tuple[float, float]]] = {}
        for python in (sys.executable, other)[:: -1 if turn % 2 else 1]:
            out, rubric = (
                room / f"graded-{turn}-{Path(python).parts[-3]}",
                room / f"rubric-{turn}-{Path(python).parts[-3]}",
            )
            shutil.copytree(bundled(), rubric, ignore=shutil.ignore_patterns("__pycache__"))
            words = ["--seed", 231, room / "class", "--out", out, "--assignment", rubric, "--jobs", jobs]
            costs.setdefault("grade", {})[python] = used("grade", *words, python=python)
            changed = text
            for what, change in changes.items():
                changed = changed.replace(
                    *change, 1
                )  # what was changed before stays, or points would change with a tolerance
                (rubric / "assignment.toml").write_text(changed, encoding="utf-8")
                costs.setdefault(what, {})[python] = used(
                    "regrade", out, "--assignment", rubric, "--jobs", jobs, python=python
                )
        for what, cost in costs.items():
            found.setdefault(what, []).append(
                tuple(b / a for a, b in zip(cost[sys.executable], cost[other], strict=True))
            )
    for what, ratios in found.items():
        wall, processor = (statistics.median(one) for one in zip(*ratios, strict=True))
        print(
            f"{what}: {wall:.2f} times as fast, {processor:.2f} times by processor time; load {os.getloadavg()[0]:.1f}"
        )


def alone(out: Path, folder: Path, *, judged: bool) -> list[float]:
    """Do all again in this process, twice, and give the seconds of each of the second time.

    judged : from the replies; otherwise scored from what was found.
    """
    assignment = load(folder, KNOWN)
    worker = GradingWorker(GradingSession(assignment, assignment.seed))
    with Gradebook(out) as book:
        tasks = [
            replay_task(book, kept, Task(name, name, None), stands=not judged) for name, kept in book.last().items()
        ]
    seconds = []
    for _ in range(2):
        seconds.clear()
        for task in tasks:
            started = time.perf_counter()
            worker.grade(task)
            seconds.append(time.perf_counter() - started)
    return seconds


def main() -> None:
    """Measure, and print a line for each figure."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--submissions", type=int, default=400)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--mistakes", type=int, default=30)
    parser.add_argument("--against", help="the interpreter of another build: print only how many times as fast this is")
    parser.add_argument("--rounds", type=int, default=1, help="of the comparison with another build")
    given = parser.parse_args()
    count, jobs = given.submissions, given.jobs

    def say(what: str, seconds: float, each: int = count) -> None:
        print(f"{what:<52} {seconds:8.2f} s   {each / seconds:8.1f} a second", flush=True)

    with TemporaryDirectory() as room:
        folder, out, rubric = Path(room) / "class", Path(room) / "graded", Path(room) / "rubric"
        write_class(author(load(bundled(), KNOWN)), folder, count, given.mistakes)
        if given.against:
            compare(Path(room), given.against, jobs, given.rounds)
            return
        shutil.copytree(bundled(), rubric, ignore=shutil.ignore_patterns("__pycache__"))
        words = ["grade", "--seed", "231", folder, "--out", out, "--assignment", rubric, "--jobs", jobs]
        say("grade", timed(*words)[0])
        say("the same again: nothing changed", timed(*words)[0])
        text = (rubric / "assignment.toml").read_text(encoding="utf-8")
        for change in (("gradient = 1e-6", "gradient = 2e-6"), ("points = 4", "points = 5")):
            text = text.replace(*change, 1)
            (rubric / "assignment.toml").write_text(text, encoding="utf-8")
            seconds, said = timed("regrade", out, "--assignment", rubric, "--jobs", jobs)
            assert f"{count} judged again" in said, said
            changed = re.search(r"(\d+ scores?|No score) changed", said)
            say(f"regrade, {change[0]} -> {change[1]} ({changed and changed[0]})", seconds)
        for what, judged in (("judging", True), ("scoring", False)):
            each = alone(out, rubric, judged=judged)
            print(
                f"{what} alone with both reports, in one process: median {1000 * statistics.median(each):.1f} ms,"
                f" mean {1000 * statistics.mean(each):.1f} ms, {1 / statistics.mean(each):.0f} a second"
            )
        say("adjust one", timed("adjust", out, "student_0007", "--late-days", 1, "--comment", "x")[0], 1)
        say("export nbgrader", timed("export", out, "--format", "nbgrader")[0])
        size = (out / "gradebook.db").stat().st_size / 2**20
        print(f"gradebook.db {size:.0f} MiB, {1024 * size / count:.0f} KiB a submission with three gradings each")
        print(f"index.html {(out / 'index.html').stat().st_size / 2**10:.0f} KiB")


if __name__ == "__main__":
    main()
