"""Play a student from `pip install WHEEL` to 100 points, with three wrong turns on the way: `python tests/play_student.py`.

It prints what the student types and reads. What is written into the notebook are the solution's marked regions, cell by cell.
"""

import os
import re
import subprocess
import sys
import tempfile
import venv
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import nbformat

ROOT = Path(__file__).resolve().parent.parent
SOLUTION = ROOT / "reference" / "two_layer_net_solution.ipynb"
NAME = "two_layer_net.ipynb"
MARK = re.compile(r"^ *# YOUR CODE$", re.MULTILINE)
REGION = re.compile(r"^ *### BEGIN SOLUTION\n(.*?)\n *### END SOLUTION$", re.MULTILINE | re.DOTALL)


@dataclass(frozen=True)
class Turn:
    """A cell that the student writes, and the check of its part.

    mistake : what stands there instead at first, as (right text, wrong text); None where it is right at once.
    """

    cell: str
    part: str
    mistake: tuple[str, str] | None = None


@dataclass(frozen=True)
class Read:
    """What the student typed, and read."""

    typed: str
    status: int
    said: str


TURNS = (
    Turn("write-1", "forward"),
    Turn("write-2", "loss"),
    Turn("write-3", "backward", ("X.T.dot(dhidden) + 2 * reg * W1", "X.T.dot(dhidden) + reg * W1")),
    Turn("write-4", "train", ("            learning_rate *= learning_rate_decay", "            pass")),
    Turn("write-5", "predict", ("argmax(axis=1)", "argmax(axis=0)")),
    Turn("best", "tuning"),
)


def build_wheel(folder: Path) -> Path:
    """Return the wheel, as it would be published, in a folder."""
    words = [sys.executable, "-m", "pip", "wheel", "-q", "--no-deps", "-w", str(folder), str(ROOT)]
    subprocess.run(words, check=True, timeout=300)
    (found,) = folder.glob("*.whl")
    return found


def install(wheel: Path | str, folder: Path) -> Path:
    """Return the Python of an empty environment in which the wheel alone was installed; wheel : with its extras, if any."""
    venv.create(folder, with_pip=True)
    python = folder / "bin" / "python"
    subprocess.run([python, "-m", "pip", "install", "-q", str(wheel)], check=True, timeout=600)
    return python


def run(python: Path, cwd: Path, *words: object) -> tuple[int, str]:
    """Run the installed command, and return its exit status and what it says."""
    kept = {name: value for name, value in os.environ.items() if name not in {"PYTHONPATH", "DISPLAY"}}
    done = subprocess.run(
        [python.parent / "grader", *map(str, words)],
        cwd=cwd,
        env=kept,
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    return done.returncode, done.stdout + done.stderr


def play(python: Path, folder: Path) -> Iterator[Read]:
    """Yield what the student types and reads, from the empty folder to all points."""

    def command(*words: str) -> Read:
        return Read("$ grader " + " ".join(words), *run(python, cwd, *words))

    cwd = folder
    yield command("kit", "homework")
    cwd = folder / "homework"
    yield command("check", NAME)
    for turn in TURNS:
        if turn.mistake:
            typed = _write(cwd / NAME, turn.cell, turn.mistake)
            yield _typing(typed, command("check", NAME, "--part", turn.part))
        typed = _write(cwd / NAME, turn.cell)
        yield _typing(typed, command("check", NAME, "--part", turn.part))
    yield command("check", NAME)


def _typing(text: str, read: Read) -> Read:
    return Read(f"{text}\n\n{read.typed}", read.status, read.said)


def _write(notebook: Path, cell: str, mistake: tuple[str, str] | None = None) -> str:
    """Write a cell as the solution has it, but for a mistake; return what was typed."""
    solved, handout = (_source(path, cell) for path in (SOLUTION, ROOT / "assignment" / NAME))
    if mistake:
        assert solved.count(mistake[0]) == 1, mistake
        solved = solved.replace(*mistake)
    regions = REGION.findall(solved)
    assert regions, cell
    text = REGION.sub(r"\1", solved)
    opened = nbformat.read(notebook, as_version=4)
    (found,) = (one for one in opened.cells if one["id"] == cell)
    typed = regions if found.source == handout else _new_lines(found.source, text)
    found.source = text
    nbformat.write(opened, notebook)
    return f"(in the cell {cell})\n" + "\n".join(typed)


def _new_lines(before: str, after: str) -> list[str]:
    return [line for line in after.splitlines() if line not in before.splitlines()]


def _source(notebook: Path, cell: str) -> str:
    (found,) = (one for one in nbformat.read(notebook, as_version=4).cells if one["id"] == cell)
    return str(found.source)


def main() -> None:
    """Print the transcript."""
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made)
        wheel = build_wheel(folder)
        python = install(wheel, folder / "venv")
        sys.stdout.write(f"$ pip install {wheel.name}\n")
        for read in play(python, folder):
            sys.stdout.write(f"\n{read.typed}\n\n{read.said}[exit status {read.status}]\n")
            sys.stdout.flush()


if __name__ == "__main__":
    main()
