"""How the cost of a class grows: run by hand, `python tests/benchmarks/bench_scale.py [--submissions 200]`.

Grades one made-up class with one worker and with two, then a quarter of it, each as a whole command into a folder of its own.
Prints the rates and their ratio, what one more submission costs and what a run costs besides, the memory of the grader and of
each kind of process under it early and late in the run, and what the command itself, which alone writes, spends on each:
that bounds what a cluster can bring.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import time
from collections import defaultdict
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory

from bench_class import write_class

from grader.classroom.reference_api import author
from grader.rubric import bundled, load
from grader.score import KNOWN

TICKS = os.sysconf("SC_CLK_TCK")
EVERY = 0.25  # seconds between two looks at the processes


@dataclass
class Run:
    """One `grader grade`, watched."""

    seconds: float = 0.0
    own_seconds: float = 0.0  # processor time of the command's own process
    # kind -> (seconds since the start, MiB of the largest process of that kind)
    memory: dict[str, list[tuple[float, float]]] = field(default_factory=lambda: defaultdict(list))


def watched(folder: Path, out: Path, jobs: int) -> Run:
    """Grade a class and look at its processes meanwhile."""
    words = [sys.executable, "-m", "grader", "grade", str(folder), "--out", str(out), "--jobs", str(jobs)]
    words += ["--seed", "231"]
    run, started = Run(), time.perf_counter()
    with subprocess.Popen(words, stdout=subprocess.DEVNULL) as command:
        while command.poll() is None:
            at = time.perf_counter() - started
            for kind, size in sizes(command.pid).items():
                run.memory[kind].append((at, size))
            run.own_seconds = processor_time(command.pid) or run.own_seconds
            time.sleep(EVERY)
    assert command.returncode == 0, command.returncode
    run.seconds = time.perf_counter() - started
    return run


def sizes(root: int) -> dict[str, float]:
    """Return the resident MiB of the largest process of each kind under a command: itself, workers, zygotes, students."""
    children = defaultdict(list)
    for path in Path("/proc").iterdir():
        if path.name.isdigit() and (line := stat(int(path.name))):
            children[int(line[1])].append(int(path.name))
    found: dict[str, float] = {}
    below = [("command", root)]
    while below:
        kind, pid = below.pop()
        found[kind] = max(found.get(kind, 0.0), resident(pid))
        below += [(kind_of(kind, child), child) for child in children[pid]]
    return found


def kind_of(parent: str, pid: int) -> str:
    """Name a process by what started it; a reader is what a student's text is read in."""
    try:
        words = Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        words = b""
    if b"zygote.main" in words:
        # A student's process begins a session of its own; a worker's zygote is forked from the command's, and is in its.
        is_student = parent == "zygote" and (line := stat(pid)) and line[3] == str(pid)
        return "student" if is_student else "zygote"
    if b"multiprocessing" in words and b"spawn_main" not in words:
        return "tracker"
    # A forked worker has the command's own words, as a reader has; it alone waits for the command's end, in a thread.
    alone = not (line := stat(pid)) or line[17] == "1"
    return "reader" if parent == "worker" or (alone and b"spawn_main" not in words) else "worker"


def stat(pid: int) -> list[str]:
    """Return /proc/PID/stat after the name, which may hold anything."""
    try:
        return Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()
    except OSError:
        return []


def resident(pid: int) -> float:
    """Return a process's resident memory in MiB."""
    line = stat(pid)
    return int(line[21]) * os.sysconf("SC_PAGE_SIZE") / 2**20 if line else 0.0


def processor_time(pid: int) -> float:
    """Return the processor seconds of a process itself, without its children."""
    line = stat(pid)
    return (int(line[11]) + int(line[12])) / TICKS if line else 0.0


def flat(samples: list[tuple[float, float]]) -> str:
    """Say how large a kind of process was in the second and in the last tenth of the run."""
    last = samples[-1][0]
    tenth = {
        name: max((size for at, size in samples if low * last <= at <= high * last), default=0.0)
        for name, low, high in (("second", 0.1, 0.2), ("last", 0.9, 1.0))
    }
    return f"{tenth['second']:.0f} and {tenth['last']:.0f} MiB, at most {max(size for _, size in samples):.0f}"


def main() -> None:
    """Measure, and print a line for each figure."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--submissions", type=int, default=200)
    parser.add_argument("--mistakes", type=int, default=30)
    given = parser.parse_args()
    count, part = given.submissions, given.submissions // 4
    with TemporaryDirectory() as room:
        whole, few = Path(room) / "class", Path(room) / "few"
        known = author(load(bundled(), KNOWN))
        write_class(known, whole, count, given.mistakes)
        write_class(known, few, part, given.mistakes)
        runs = {jobs: watched(whole, Path(room) / f"graded-{jobs}", jobs) for jobs in (1, 2)}
        small = watched(few, Path(room) / "graded-few", 2)
    for jobs, run in runs.items():
        print(f"{count} submissions, --jobs {jobs}: {run.seconds:.1f} s, {count / run.seconds:.2f} a second")
    print(f"two workers over one: {runs[1].seconds / runs[2].seconds:.2f} times")
    each = (runs[2].seconds - small.seconds) / (count - part)
    print(f"{part} submissions, --jobs 2: {small.seconds:.1f} s; so one more costs {1000 * each:.0f} ms,")
    print(f"and the rest of a run {small.seconds - part * each:.1f} s")
    own = (runs[2].own_seconds - small.own_seconds) / (count - part)
    print(f"of one more, the command itself, which alone writes: {1000 * own:.1f} ms of processor time")
    for jobs, run in runs.items():
        for kind in ("command", "worker", "zygote"):
            if kind in run.memory:
                print(f"--jobs {jobs}: {kind}, second and last tenth of the run: {flat(run.memory[kind])}")


if __name__ == "__main__":
    main()
