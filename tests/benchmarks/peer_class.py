"""The class that is graded for peers.py, and what each peer needs to grade it: an environment, a course, an autograder."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import click
import nbformat
import numpy as np
from nbformat import v4

from grader.model import LEARNT, Assignment
from grader.release import BEGIN, END
from reference.questions import draw

SOLUTION = Path(__file__).resolve().parents[2] / "reference" / "two_layer_net_solution.ipynb"
PEERS = {"nbgrader": "0.9.6", "otter-grader": "7.0.0"}
# What pip installs for a check of addresses that no grader here makes compiles a grammar whenever jsonschema is imported:
# 1.7 s a process, measured, and more than half of otter's time. We take it out: a release may mend it any day.
SLOW_IMPORT = "rfc3987-syntax"
ONE_THREAD = dict.fromkeys(("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"), "1")
# The wrong submission differs from the right one by these replacements, and these groups of checks must fail on it.
HALVED = {"+ 2 * reg * W2": "+ reg * W2", "+ 2 * reg * W1": "+ reg * W1"}
FAILED = ("gradients", "numeric_gradient")


@dataclass(frozen=True)
class Bench:
    """Where everything lies, and what a right and a wrong submission are worth."""

    home: Path
    points: dict[str, float]  # by group of checks

    @property
    def peers(self) -> Path:
        """The peers' Python."""
        return self.home / "peers" / "bin" / "python"

    @property
    def environment(self) -> dict[str, str]:
        """One thread each; no settings of whoever runs this; commands of the peers' environment first."""
        kept = {
            name: value for name, value in os.environ.items() if not name.startswith(("JUPYTER", "IPYTHON", "PYTHON"))
        }
        path = f"{self.peers.parent}{os.pathsep}{os.environ['PATH']}"
        return {**kept, **ONE_THREAD, "PATH": path, "HOME": str(self.home / "nobody")}

    def run(self, *command: str | Path, cwd: Path) -> str:
        """Run a command and give what it printed; stop the benchmark with its last words where it fails."""
        done = subprocess.run(command, cwd=cwd, env=self.environment, capture_output=True, text=True, check=False)
        if done.returncode:
            last = "\n".join((done.stdout + done.stderr).splitlines()[-40:])
            raise click.ClickException(f"{Path(command[0]).name} {command[1]} ended with {done.returncode}:\n{last}")
        return done.stdout


def install(bench: Bench) -> None:
    """Make the peers' environment, unless a run before has: the numpy that we have, and the two."""
    wanted = [f"{name}=={version}" for name, version in (PEERS | {"numpy": np.__version__}).items()]
    mark = bench.home / "peers" / "installed.txt"
    if mark.exists() and mark.read_text() == "\n".join(wanted):
        return
    click.echo(f"Installing {', '.join(wanted)} into an environment of their own ...")
    bench.run(sys.executable, "-m", "venv", "--clear", bench.home / "peers", cwd=bench.home)
    pip = (bench.peers, "-m", "pip", "--disable-pip-version-check", "--quiet")
    for command in ((*pip, "install", *wanted), (*pip, "uninstall", "--yes", SLOW_IMPORT)):
        # Not bench.run, which hides pip's settings, and those say where packages come from.
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode:
            raise click.ClickException(f"pip could not install the peers, so nothing is compared:\n{done.stderr}")
    mark.write_text("\n".join(wanted))


def write_questions(assignment: Assignment, path: Path) -> None:
    """Write our grader's calls and the reference's answers as one .npz; equal arrays are stored once."""
    arrays: dict[str, np.ndarray] = {}
    keys: dict[tuple[str, tuple[int, ...], bytes], str] = {}

    def stored(value: object) -> str:
        array = np.asarray(value)
        key = keys.setdefault((array.dtype.str, array.shape, array.tobytes()), f"a{len(keys)}")
        arrays[key] = array
        return key

    def argument(value: object) -> object:
        return {"array": stored(value)} if isinstance(value, np.ndarray) else value

    questions = draw(assignment, assignment.seed)
    calls = [
        {
            "id": str(call.id),
            "sizes": call.sizes,
            "seed": call.seed,
            "params": {name: stored(value) for name, value in call.params.items()},
            "steps": [
                (step.method, {name: argument(value) for name, value in step.arguments.items()}) for step in call.steps
            ],
        }
        for call in questions.calls
    ]
    tolerances, digits = assignment.tolerances, assignment.digits
    table = {
        "calls": calls,
        "expected": {
            str(call): {k: stored(v) for k, v in answer.items()} for call, answer in questions.expected.items()
        },
        "tolerances": {name: getattr(tolerances, name) for name in tolerances.__dataclass_fields__},
        "thresholds": {"toy": LEARNT["softmax"], "digits": digits.threshold, "tuned": digits.tuned_threshold},
    }
    np.savez_compressed(path, table=np.array(json.dumps(table)), **arrays)


def without_marks(source: str) -> str:
    """Take the solution's marks out, and leave the solution."""
    return "\n".join(line for line in source.splitlines() if line.strip() not in {BEGIN, END})


def solution_cells() -> dict[str, str]:
    """Return the solution notebook's class and hyperparameters, with their marks, and the one import that they need."""
    sources = [cell.source for cell in nbformat.read(SOLUTION, as_version=4).cells if cell.cell_type == "code"]
    return {
        "imports": "import numpy as np",
        "network": "\n\n\n".join(
            source
            for source in sources
            if re.search(r"^(?:class TwoLayerNet|TwoLayerNet\.\w+ =)", source, re.MULTILINE)
        ),
        "hyperparameters": next(source for source in sources if source.startswith("best_hyperparameters")),
    }


def notebook(cells: list[nbformat.NotebookNode]) -> nbformat.NotebookNode:
    """Make a notebook for the kernel of whatever environment runs it."""
    kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
    return v4.new_notebook(cells=cells, metadata={"kernelspec": kernel, "language_info": {"name": "python"}})


def handed_in(student: str, *, wrong: bool = False) -> dict[str, str]:
    """Return one student's cells; no two submissions are the same text."""
    cells = {name: without_marks(source) for name, source in solution_cells().items()}
    for old, new in HALVED.items() if wrong else ():
        if old not in cells["network"]:
            raise click.ClickException(
                f"{SOLUTION.name} has no {old!r} any more: mend HALVED in {Path(__file__).name}."
            )
        cells["network"] = cells["network"].replace(old, new)
    return cells | {"imports": f"# {student}\n{cells['imports']}"}


def write_class(folder: Path, count: int, *, wrong: bool = False) -> Path:
    """Write a class as our grader and otter-grader take it: a folder of notebooks."""
    folder.mkdir(parents=True, exist_ok=True)
    for number in range(count):
        student = f"student{number:03}"
        cells = [v4.new_code_cell(source) for source in handed_in(student, wrong=wrong).values()]
        nbformat.write(notebook(cells), folder / f"{student}.ipynb")
    return folder


def marked(name: str, source: str, points: float | None = None, *, solution: bool = False) -> nbformat.NotebookNode:
    """Make a cell as nbgrader's toolbar would: a solution, a test with points, or one that is only kept."""
    grade = points is not None
    mark = {
        "schema_version": 3,
        "grade_id": name,
        "solution": solution,
        "grade": grade,
        "locked": not solution,
        "task": False,
    }
    return v4.new_code_cell(source, metadata={"nbgrader": mark | ({"points": points} if grade else {})})


def write_course(bench: Bench) -> None:
    """Write nbgrader's course: the source with its test cells, released by nbgrader itself."""
    course = bench.home / "course"
    shutil.rmtree(course, ignore_errors=True)
    source = course / "source" / "ps1"
    source.mkdir(parents=True)
    (course / "nbgrader_config.py").write_text('c = get_config()\nc.CourseDirectory.course_id = "net"\n')
    parts = solution_cells()
    cells = [v4.new_code_cell(parts["imports"])]
    cells += [marked(name, parts[name], solution=True) for name in ("network", "hyperparameters")]
    for group, points in bench.points.items():
        call = f'import peer_checks\n\npeer_checks.check("{group}", TwoLayerNet, best_hyperparameters)'
        cells.append(marked(f"test_{group}", call, points))
    nbformat.write(notebook(cells), source / "net.ipynb")
    for name in ("peer_checks.py", "questions.npz"):
        shutil.copy(bench.home / name, source)
    bench.run("nbgrader", "generate_assignment", "ps1", cwd=course)


def submit(course: Path, count: int, *, wrong: bool = False) -> None:
    """Hand in the released notebook with its solution cells filled."""
    for number in range(count):
        student = f"student{number:03}"
        made = nbformat.read(course / "release" / "ps1" / "net.ipynb", as_version=4)
        cells = handed_in(student, wrong=wrong)
        for cell in made.cells:
            name = cell.metadata.get("nbgrader", {}).get("grade_id", "imports")
            cell.source = cells.get(name, cell.source)
        folder = course / "submitted" / student / "ps1"
        folder.mkdir(parents=True)
        nbformat.write(made, folder / "net.ipynb")


def write_autograder(bench: Bench) -> None:
    """Write otter-grader's autograder.zip, by otter itself, from one test file with a case for each group."""
    folder = bench.home / "otter"
    shutil.rmtree(folder, ignore_errors=True)
    (folder / "tests").mkdir(parents=True)
    for name in ("peer_checks.py", "questions.npz"):
        shutil.copy(bench.home / name, folder)
    lines = ["from otter.test_files import test_case", "import peer_checks", "OK_FORMAT = False", 'name = "net"']
    for group, points in bench.points.items():
        lines += [
            f'@test_case(name="{group}", points={points})',
            f"def test_{group}(TwoLayerNet, best_hyperparameters):",
            f'    peer_checks.check("{group}", TwoLayerNet, best_hyperparameters)',
        ]
    (folder / "tests" / "net.py").write_text("\n".join(lines) + "\n")
    bench.run("otter", "generate", "-t", "tests", "-o", "autograder.zip", "peer_checks.py", "questions.npz", cwd=folder)
