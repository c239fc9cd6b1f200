"""All processor time of a right submission over the student's own computation, warm: `python bench_overhead.py [--rounds 20]`.

Counted are all processes: the grader's, the one that reads the hand-in, the zygote's and the student's; so is what is kept
and both reports. The student's own computation is the same questions in one process that has answered them before, among them
the training with the student's hyperparameters: the grader's reference may do it in the program's place, and keeps the result,
so that all rounds but the first are without it. With `--new-numbers` the hyperparameters of each round are new. Both are
measured in turns. `--against PYTHON` measures another build in the same turns, by the interpreter that it is installed for.
"""

from __future__ import annotations

import argparse
import ast
import json
import os
import pickle
import subprocess
import sys
import time
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

RIGHT = Path(__file__).resolve().parents[1] / "submissions" / "right_vectorised.ipynb"
THREADS = dict.fromkeys(("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"), "1")

WARM = """
import json, pickle, sys, time
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
for _ in sys.stdin:
    start = time.process_time()
    once()
    print(json.dumps({"own": time.process_time() - start}), flush=True)
"""


def grade_on_demand(copy: Path, *, new_numbers: bool) -> None:
    """Grade the right submission, written to a path, for each line that comes, and print the seconds of each process."""
    import grader.submission as reading
    from grader.classroom.worker import GradingSession, GradingWorker, Task
    from grader.packing import unpack
    from grader.rubric import bundled, load
    from grader.sandbox.deadline import processor_seconds
    from grader.score import KNOWN

    assignment = load(bundled(), KNOWN)
    worker = GradingWorker(GradingSession(assignment, assignment.seed))

    whole = RIGHT.read_text(encoding="utf-8")

    def once(number: int) -> dict[str, float]:
        # As in a class, no two have the same class, and all have what the assignment gives.
        text = whole.replace('"class TwoLayerNet:', f'"# {number}\\n", "class TwoLayerNet:')
        if new_numbers:
            text = text.replace("learning_rate=1.0,", f"learning_rate=1.0{time.time_ns()},")
        copy.write_text(text, encoding="utf-8")
        others = {"zygote": worker.host.server.pid, "reading": reading._reducer._child}
        before = {name: processor_seconds(pid) or 0.0 if pid else 0.0 for name, pid in others.items()}
        start = time.process_time()
        graded = worker.grade(Task("x", str(copy), reading.read(copy)))
        spent = {"grader": time.process_time() - start}
        assert graded.report.score == graded.report.max_score
        others["reading"] = reading._reducer._child
        spent |= {name: (processor_seconds(pid) or 0.0) - before[name] for name, pid in others.items()}
        return spent | {"student": unpack(graded.replies)[1].cpu_seconds}

    once(0)
    for number, _ in enumerate(sys.stdin, start=1):
        spent = once(number)
        print(json.dumps({**spent, "all": sum(spent.values())}), flush=True)


def write_own(path: Path) -> None:
    """Write the program's class, its hyperparameters and all questions, to be computed without a grader."""
    from grader.rubric import bundled, load
    from grader.score import KNOWN
    from reference.questions import draw

    assignment = load(bundled(), KNOWN)
    cells = ["".join(cell["source"]) for cell in json.loads(RIGHT.read_text(encoding="utf-8"))["cells"]]
    best = ast.parse(next(cell for cell in cells if cell.startswith("best_hyperparameters"))).body[-1].value
    settings = {keyword.arg: ast.literal_eval(keyword.value) for keyword in best.keywords}
    calls = [
        (call.sizes, dict(call.params), [(step.method, dict(step.arguments)) for step in call.steps], call.seed)
        for call in draw(assignment, assignment.seed).calls
    ]
    path.write_bytes(pickle.dumps((next(cell for cell in cells if "class TwoLayerNet" in cell), settings, calls)))


def ask(process: subprocess.Popen[str]) -> dict[str, float]:
    """Return the seconds of one more time."""
    process.stdin.write("\n")
    process.stdin.flush()
    return json.loads(process.stdout.readline())


def main() -> None:
    """Measure in turns, and print each process's median and the ratios."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--rounds", type=int, default=20)
    parser.add_argument("--against", help="the interpreter of another build")
    parser.add_argument(
        "--new-numbers", action="store_true", help="hyperparameters that nobody has tried, in each round"
    )
    parser.add_argument("--serve", action="store_true", help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.serve:
        with TemporaryDirectory() as room:
            grade_on_demand(Path(room) / RIGHT.name, new_numbers=given.new_numbers)
        return
    with TemporaryDirectory() as room:
        calls = Path(room) / "calls.pickle"
        write_own(calls)
        serve = [__file__, "--serve", *(["--new-numbers"] if given.new_numbers else [])]
        lines = {"own": [sys.executable, "-c", WARM, calls], "this": [sys.executable, *serve]}
        if given.against:
            lines["other"] = [given.against, *serve]
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
        sides = {name: subprocess.Popen(line, env=os.environ | THREADS, **pipes) for name, line in lines.items()}
        rounds = [{name: ask(side) for name, side in sides.items()} for _ in range(given.rounds)]
        for side in sides.values():
            side.communicate()
    for name in sides:
        shown = {what: f"{1000 * median(one[name][what] for one in rounds):.1f} ms" for what in rounds[0][name]}
        print(f"{name}: {', '.join(f'{what} {time_}' for what, time_ in shown.items())}")
    for name in list(sides)[1:]:
        print(f"{name}: all over own {median(one[name]['all'] / one['own']['own'] for one in rounds):.3f}")
    if given.against:
        print(f"this over other: {median(one['this']['all'] / one['other']['all'] for one in rounds):.3f}")
    print(f"load {os.getloadavg()[0]:.1f} on {os.cpu_count()} processors")


if __name__ == "__main__":
    main()
