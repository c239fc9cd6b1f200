"""What grading costs, as ratios and absolute figures: run with `pytest tests/benchmarks/bench_grading.py --benchmark-enable`.

Machines differ and are noisy: the ratios compare two things measured in the same run; absolute figures are medians.
"""

from __future__ import annotations

import os
import resource
import statistics
import struct
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from grader.checks import CHECKS, GradingContext, run_checks
from grader.classroom.reference_api import build_questions
from grader.diagnosis.diagnose import diagnose
from grader.grading import Grading, grade
from grader.model import Segment, Submission
from grader.reports.formats import REPORT_FORMATS
from grader.rubric import bundled, load
from grader.sandbox.host import StudentHost
from grader.sandbox.policy import LAYERS, DisabledLayers
from judging import judge
from reference.questions import draw

ROOT = Path(__file__).resolve().parents[2]
SAMPLES = ROOT / "tests" / "submissions"
RIGHT, WRONG = SAMPLES / "right_vectorised.ipynb", SAMPLES / "wrong_half_the_gradient.py"
ROUNDS = 15


@pytest.fixture(scope="module")
def assignment():
    """Return the bundled assignment."""
    return load(bundled(), tuple(CHECKS))


@pytest.fixture(scope="module")
def questions(assignment):
    """Return its questions."""
    return draw(assignment, assignment.seed)


@pytest.fixture(scope="module")
def host(assignment):
    """Return a host with one warm zygote."""
    with StudentHost(assignment.limits) as opened:
        yield opened


def test_start_run_reap(benchmark, assignment, host):
    """A submission that computes nothing: start, lock, load, reap; <= 10 ms."""
    source = "class TwoLayerNet:\n    pass\n"
    submission = Submission("empty", "empty.py", "", "empty.py", (Segment("empty.py", source, (0,)),))
    benchmark.pedantic(lambda: host.run(submission, "TwoLayerNet", ()), rounds=100, warmup_rounds=5)


def test_what_the_lock_down_adds(benchmark, assignment, host):
    """The same with and without the layers that only the kernel can give, in turns: they add <= 3 ms."""
    source = "class TwoLayerNet:\n    pass\n"
    submission = Submission("empty", "empty.py", "", "empty.py", (Segment("empty.py", source, (0,)),))
    kernel = tuple(layer for layer in LAYERS if layer not in {"process", "rlimits"})

    def seconds(one: StudentHost) -> float:
        start = time.perf_counter()
        one.run(submission, "TwoLayerNet", ())
        return time.perf_counter() - start

    with StudentHost(assignment.limits, DisabledLayers(kernel)) as bare:
        for _ in range(20):
            seconds(bare), seconds(host)
        pairs = [(seconds(host), seconds(bare)) for _ in range(300)]
    benchmark.extra_info |= {
        "locked_ms": round(1000 * statistics.median(locked for locked, _ in pairs), 2),
        "bare_ms": round(1000 * statistics.median(bare for _, bare in pairs), 2),
        "added_ms": round(1000 * statistics.median(locked - bare for locked, bare in pairs), 2),
    }
    sys.stdout.write(f"\n{dict(benchmark.extra_info)}\n")
    benchmark.pedantic(lambda: seconds(host), rounds=20)


@pytest.mark.parametrize("path", [RIGHT, WRONG], ids=["right", "wrong"])
def test_judging_saved_replies(benchmark, assignment, questions, host, path):
    """Judge saved replies and write report.json, as a regrade does: >= 200 submissions a second, so <= 5 ms."""
    grading = grade(path, "x", assignment, questions, host)

    def regrade() -> None:
        judge(assignment, questions, grading.run, grading.submission)
        REPORT_FORMATS["json"].write(grading.report)

    benchmark.pedantic(regrade, rounds=ROUNDS, iterations=3, warmup_rounds=2)


def test_diagnosis(benchmark, assignment, questions, host):
    """Of the wrong samples, by processor time: first of its mistake in a process <= 20 ms, once a process <= 200 ms.

    Each is measured in processes of its own, forked from one that has diagnosed nothing. What simulated mistakes show is
    kept between runs, and is made before.
    """
    unasked = build_questions(assignment, assignment.seed)  # the same ones, of whose mistakes nothing was simulated
    graded = [grade(path, path.name, assignment, questions, host) for path in sorted(SAMPLES.glob("wrong_*"))]

    def seconds(one: Grading) -> float:
        context = GradingContext(assignment, unasked, one.run)
        with np.errstate(all="ignore"):
            checked = run_checks(context)
            start = time.process_time()
            diagnose(context, one.submission, checked)
        return time.process_time() - start

    in_a_fork(lambda: sum(map(seconds, graded)))
    found = {"once_a_process": [], "first_of_its_mistake": [], "again": []}
    for number, one in enumerate(graded):
        first = in_a_fork(lambda one=one: seconds(one))
        later = in_a_fork(lambda one=one, other=graded[number - 1]: (seconds(other), seconds(one))[1])
        found["again"].append(in_a_fork(lambda one=one: (seconds(one), seconds(one))[1]))
        found["first_of_its_mistake"].append(later)
        found["once_a_process"].append(first - later)
    for what, costs in found.items():
        benchmark.extra_info[f"{what}_ms"] = round(1000 * statistics.median(costs), 1)
        benchmark.extra_info[f"{what}_at_most_ms"] = round(1000 * max(costs), 1)
    sys.stdout.write(f"\n{dict(benchmark.extra_info)}\n")
    benchmark.pedantic(lambda: seconds(graded[0]), rounds=ROUNDS)


def in_a_fork(measure: Callable[[], float]) -> float:
    """Return what a function returns in a process of its own."""
    reading, writing = os.pipe()
    if not (child := os.fork()):
        os.write(writing, struct.pack("d", measure()))
        os._exit(0)
    os.waitpid(child, 0)
    os.close(writing)
    told = os.read(reading, 8)
    os.close(reading)
    return struct.unpack("d", told)[0]


def test_writing_the_page(benchmark, assignment, questions, host):
    """Write report.html, with its figures."""
    report = grade(WRONG, "x", assignment, questions, host).report
    benchmark.pedantic(lambda: REPORT_FORMATS["html"].write(report), rounds=ROUNDS, warmup_rounds=2)


def test_cold_command(benchmark, tmp_path):
    """`grader grade` on one notebook, from the shell to the verdict."""
    command = [sys.executable, "-m", "grader", "grade", "--seed", "231", str(RIGHT), "--out", str(tmp_path / "out")]
    benchmark.pedantic(lambda: subprocess.run(command, check=True, capture_output=True), rounds=5)


def test_memory_is_flat(benchmark, assignment, questions, host):
    """Resident memory of the grader after 100 and after 1,000 submissions: flat, and <= 150 MB."""
    path = SAMPLES / "unfinished_skeleton.ipynb"
    page = resource.getpagesize() / 2**20

    def resident() -> float:
        return int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1]) * page

    def many(count: int) -> None:
        for _ in range(count):
            REPORT_FORMATS["html"].write(grade(path, "x", assignment, questions, host).report)

    many(100)
    early = resident()
    many(900)
    late = resident()
    descriptors = len(list(Path("/proc/self/fd").iterdir()))
    benchmark.extra_info |= {
        "MB_after_100": round(early, 1),
        "MB_after_1000": round(late, 1),
        "descriptors": descriptors,
    }
    sys.stdout.write(f"\n{dict(benchmark.extra_info)}\n")
    benchmark.pedantic(lambda: many(1), rounds=3)
