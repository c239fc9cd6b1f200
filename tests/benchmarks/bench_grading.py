"""What grading costs, as ratios and absolute figures: run with `pytest tests/benchmarks/bench_grading.py --benchmark-enable`.

Machines differ and are noisy: the ratios compare two things measured in the same run; absolute figures are medians.
"""

from __future__ import annotations

import os
import resource
import statistics
import subprocess
import sys
import time
from pathlib import Path

import pytest

from grader.checks import CHECKS
from grader.grading import grade
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

# The student's own computation, warm: the same calls on the same inputs in one process that has done them once before.
WARM = """
import sys, time, pickle
import numpy as np
with open(sys.argv[1], "rb") as file:
    source, best, calls = pickle.load(file)
space = {"np": np}
exec(source, space)
def once():
    for sizes, params, steps, seed in calls:
        np.random.seed(seed)
        net = space["TwoLayerNet"](*sizes)
        for name, value in params.items():
            net.params[name] = value.copy()
        for method, arguments in steps:
            if method in {"loss", "train", "predict"}:
                getattr(net, method)(**arguments)
            elif method == "sweep":
                h = arguments["h"]
                for name, value in net.params.items():
                    flat = value.reshape(-1)
                    for entry in range(flat.size):
                        old = flat[entry]
                        for move in (h, -h):
                            flat[entry] = old + move
                            net.loss(arguments["X"], arguments["y"], arguments["reg"])
                        flat[entry] = old
            elif method == "train_with":
                rest = dict(best)
                net = space["TwoLayerNet"](sizes[0], rest.pop("hidden_size"), sizes[2])
                net.train(**{k: arguments[k] for k in ("X", "y", "X_val", "y_val")}, **rest)
once()
for _ in range(int(sys.argv[2])):
    start = time.process_time()
    once()
    print(time.process_time() - start)
"""


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


def _solution() -> tuple[str, dict[str, float]]:
    import ast

    import nbformat

    cells = [cell.source for cell in nbformat.read(RIGHT, as_version=4).cells if cell.cell_type == "code"]
    best = next(cell for cell in cells if cell.startswith("best_hyperparameters"))
    tree = ast.parse(best).body[-1].value
    return next(cell for cell in cells if "class TwoLayerNet" in cell), {
        k.arg: ast.literal_eval(k.value) for k in tree.keywords
    }


def _own_seconds(questions, tmp_path, rounds: int) -> list[float]:
    """Measure the student's own computation in a warm process, in seconds of processor time."""
    import pickle

    calls = [
        (call.sizes, dict(call.params), [(step.method, dict(step.arguments)) for step in call.steps], call.seed)
        for call in questions.calls
    ]
    path = tmp_path / "calls.pickle"
    path.write_bytes(pickle.dumps((*_solution(), calls)))
    threads = dict.fromkeys(("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"), "1")
    output = subprocess.run(
        [sys.executable, "-c", WARM, str(path), str(rounds)],
        env=os.environ | threads,
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    return [float(line) for line in output.split()]


def test_processor_time_over_the_students_own(benchmark, assignment, questions, host, tmp_path):
    """Processor time of a submission (grader and student's process) over the student's own computation: <= 1.3."""
    ratios, totals, owns = [], [], []

    def graded() -> float:
        start = time.process_time()
        grading = grade(RIGHT, "x", assignment, questions, host)
        for name in ("json", "html"):
            REPORT_FORMATS[name].write(grading.report)
        assert grading.run is not None
        return time.process_time() - start + grading.run.cpu_seconds

    graded()
    # In turns, so that both see the same machine.
    for _ in range(5):
        own = statistics.median(_own_seconds(questions, tmp_path, 5))
        total = statistics.median(graded() for _ in range(5))
        ratios.append(total / own)
        totals.append(total)
        owns.append(own)
    benchmark.extra_info |= {
        "ratio_median": round(statistics.median(ratios), 3),
        "ratio_min": round(min(ratios), 3),
        "graded_ms": round(1000 * statistics.median(totals), 1),
        "own_ms": round(1000 * statistics.median(owns), 1),
    }
    sys.stdout.write(f"\n{dict(benchmark.extra_info)}\n")
    benchmark.pedantic(graded, rounds=3)


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
