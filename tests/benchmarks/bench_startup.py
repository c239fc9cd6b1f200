"""What is waited for besides a student's own computation: `python tests/benchmarks/bench_startup.py [--rounds 7]`.

Each figure is a ratio to what Python itself needs for an import, measured in the same round, so that both see the same
machine: the median of all rounds, the ratio of the shortest times, and that of processor time, of all processes together.
Bytecode is warm, as after any first run; the cache folder is the benchmark's own, and warm where nothing else is said.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

from bench_scale import watched
from peer_class import handed_in

SOLUTION = Path(__file__).resolve().parents[2] / "reference" / "two_layer_net_solution.ipynb"
FEW, MANY = 8, 40
WAITING = b"waiting for the next save"
KERNEL = """
import os, sys, time
from pathlib import Path
from IPython.core.interactiveshell import InteractiveShell
shell = InteractiveShell.instance()
shell.history_manager.enabled = False
for cell in ("%load_ext grader", Path(sys.argv[1]).read_text(encoding="utf-8")):
    shell.run_cell(cell, store_history=True)
time.sleep(1)
for number in range(4):
    started, used = time.perf_counter(), sum(os.times()[:4])
    shell.run_cell("%check", store_history=True)
    print("took", time.perf_counter() - started, sum(os.times()[:4]) - used)
"""


@dataclass(frozen=True)
class Cost:
    """Seconds on the clock, and of processor time of a command with all that it started."""

    wall: float
    cpu: float


@dataclass(frozen=True)
class Row:
    """One line of the table: what is measured, over what, and the ratio to reach; 0 where none is set."""

    what: str
    over: str
    target: float
    measure: Callable[[], Cost]


def cost(*words: object) -> Cost:
    """Run a command to its end."""
    started = time.perf_counter()
    null = os.open(os.devnull, os.O_RDWR)
    line = [sys.executable, *map(str, words)]
    actions = [(os.POSIX_SPAWN_DUP2, null, 1), (os.POSIX_SPAWN_DUP2, null, 2)]
    pid = os.posix_spawn(line[0], line, os.environ, file_actions=actions)
    _, status, used = os.wait4(pid, 0)
    os.close(null)
    assert status == 0, (words, status)
    return Cost(time.perf_counter() - started, used.ru_utime + used.ru_stime)


def grader(*words: object) -> Cost:
    """Run the grader as its script does."""
    return cost("-c", "from grader.__main__ import run; run()", *words)


def fixed_cost(room: Path, jobs: int) -> Cost:
    """Return where the line through a small and a large class, all of right programs, begins."""
    words = ("--force", "--seed", 231, "--jobs", jobs)
    few, many = (
        grader("grade", room / f"class-{count}", "--out", room / f"graded-{count}", *words) for count in (FEW, MANY)
    )
    return Cost(*((MANY * a - FEW * b) / (MANY - FEW) for a, b in ((few.wall, many.wall), (few.cpu, many.cpu))))


def kernel_check(program: Path) -> Cost:
    """Return the shortest of three `%check` in a running kernel, after a first; its processor time is of our end alone."""
    words = [sys.executable, "-c", KERNEL, str(program)]
    said = subprocess.run(words, capture_output=True, text=True, check=True).stdout
    assert said.count("100 / 100") == 4, said
    took = [line.split() for line in said.splitlines() if line.startswith("took ")]
    return min((Cost(float(wall), float(cpu)) for _, wall, cpu in took[1:]), key=lambda one: one.wall)


def save_to_verdict(room: Path) -> Cost:
    """Return the median of three saves under `--watch`, from the save to the end of the verdict; no processor time."""
    copy, seconds = room / "watched.ipynb", []
    copy.write_bytes(SOLUTION.read_bytes())
    words = [sys.executable, "-u", "-m", "grader", "check", "--watch", str(copy)]
    with subprocess.Popen(words, stdout=subprocess.PIPE) as command:
        assert command.stdout is not None
        for _ in range(4):
            started = time.perf_counter()
            copy.write_bytes(copy.read_bytes() + b"\n")
            while WAITING not in (line := command.stdout.readline()):
                assert line, "it ended"
            seconds.append(time.perf_counter() - started)
            time.sleep(0.5)
        command.terminate()
    return Cost(median(seconds[1:]), 0)


def rows(room: Path) -> tuple[Row, ...]:
    """Return the lines of the table; the room holds what is graded."""
    imports, check = "import numpy, nbformat", "grader check SOLUTION"
    out = ("--out", room / "graded", "--force", "--seed", 231)
    return (
        Row("import click", "", 0, lambda: cost("-c", "import click")),
        Row(imports, "", 0, lambda: cost("-c", imports)),
        Row("grader --version", "import click", 2, lambda: grader("--version")),
        Row("grader --help", "import click", 2, lambda: grader("--help")),
        Row(check, imports, 2.5, lambda: grader("check", SOLUTION)),
        Row("%check in a running kernel", check, 0.33, lambda: kernel_check(room / "solution.py")),
        Row("check --watch, from save to verdict", check, 1.5, lambda: save_to_verdict(room)),
        Row("grader grade SOLUTION", imports, 2.5, lambda: grader("grade", SOLUTION, *out)),
        Row("the same with --no-cache", imports, 0, lambda: grader("grade", SOLUTION, *out, "--no-cache")),
        Row(f"a class's fixed cost ({FEW}, {MANY}), --jobs 1", imports, 2.5, lambda: fixed_cost(room, 1)),
        Row(f"a class's fixed cost ({FEW}, {MANY}), --jobs 2", imports, 2.5, lambda: fixed_cost(room, 2)),
    )


def prepare(room: Path) -> None:
    """Write what is graded, and let what is started by the benchmark find its own cache folder and bytecode."""
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    os.environ["XDG_CACHE_HOME"] = str(room / "cache")
    program = "\n\n".join(handed_in("student", wrong=False).values())
    (room / "solution.py").write_text(program, encoding="utf-8")
    for count in (FEW, MANY):
        folder = room / f"class-{count}"
        folder.mkdir()
        for number in range(count):
            (folder / f"student_{number:02}.py").write_text(f"# {number}\n{program}", encoding="utf-8")


def show(row: Row, found: dict[str, list[Cost]]) -> None:
    """Print the line of what was measured."""
    own = found[row.what]
    walls, cpus = [one.wall for one in own], [one.cpu for one in own]
    shown = f"{row.what:<46} {1000 * median(walls):6.0f} ms, processor {1000 * median(cpus):6.0f} ms"
    if row.over:
        over = found[row.over]
        ratios = [one.wall / base.wall for one, base in zip(own, over, strict=True)]
        least = min(walls) / min(base.wall for base in over)
        processor = median(cpus) / median(base.cpu for base in over)
        aim = f" (aim {row.target:g})" if row.target else ""
        shown += f"   {median(ratios):5.2f}, shortest {least:5.2f}, processor {processor:5.2f} of {row.over}{aim}"
    print(shown, flush=True)


def main() -> None:
    """Measure, and print a line for each figure."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--only", default="", help="measure what has this in its name, and what it is compared with")
    given = parser.parse_args()
    with TemporaryDirectory() as name:
        room = Path(name)
        prepare(room)
        table = [
            row for row in rows(room) if given.only in row.what or not row.over or row.what.startswith("grader check")
        ]
        found: dict[str, list[Cost]] = {row.what: [] for row in table}
        for number in range(given.rounds + 1):
            for row in table:
                measured = row.measure()
                if number:  # the first round makes bytecode and cache warm
                    found[row.what].append(measured)
        load = ", ".join(f"{one:.1f}" for one in os.getloadavg())
        print(f"{given.rounds} rounds on {os.cpu_count()} cores, load {load}; bytecode and cache folder warm")
        for row in table:
            show(row, found)
        run = watched(room / f"class-{MANY}", room / "graded-watched", 2)
        for kind, most in (("command", 60), ("worker", 70), ("zygote", 40)):
            print(
                f"memory of a {kind}, --jobs 2, at most {max((size for _, size in run.memory[kind]), default=0):.1f} MiB (aim {most})"
            )


if __name__ == "__main__":
    main()
