"""A small class that is graded in a moment: a shortened rubric, and programs of every fate."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from grader.classroom.gradebook import Gradebook
from grader.packing import unpack

ROOT = Path(__file__).resolve().parents[2]
SAMPLES = ROOT / "tests" / "submissions"
SHORT = {
    "num_iters = 154": "num_iters = 40",
    "threshold = 0.91": "threshold = 0.5",
}
# Its constructor is right, and every method is still to be written: it is run, and takes a moment.
BARE = "class TwoLayerNet:\n    def __init__(self, *sizes):\n        self.params = {}\n"
# Each command that grades them works out anew what is known of mistakes: this wrong one is soon understood.
HANDED_IN = ("right_einsum.py", "wrong_predict_axis.py", "broken_syntax.ipynb")


def write_rubric(folder: Path, *changes: tuple[str, str]) -> Path:
    """Write the shortened assignment with changes to its text; each must apply."""
    folder.mkdir(parents=True, exist_ok=True)
    shutil.copytree(ROOT / "assignment" / "data", folder / "data")
    text = (ROOT / "assignment" / "assignment.toml").read_text(encoding="utf-8")
    for old, new in (*SHORT.items(), *changes):
        assert old in text, old
        text = text.replace(old, new)
    (folder / "assignment.toml").write_text(text, encoding="utf-8")
    return folder


@pytest.fixture
def rubric(tmp_path):
    """Return a folder with the shortened assignment."""
    return write_rubric(tmp_path / "rubric")


@pytest.fixture
def handed_in(tmp_path):
    """Return a class's folder: three samples and seven programs that do nothing."""
    folder = tmp_path / "class"
    folder.mkdir()
    for name in HANDED_IN:
        shutil.copy(SAMPLES / name, folder)
    for number in range(7):
        (folder / f"bare_{number}.py").write_text(f"# {number}\n{BARE}", encoding="utf-8")
    return folder


@pytest.fixture
def few_handed_in(handed_in):
    """Return the same with three that do nothing: for commands that start several processes, or several times."""
    for number in range(3, 7):
        (handed_in / f"bare_{number}.py").unlink()
    return handed_in


def command(*words: object) -> list[str]:
    """Return the command line that starts the grader in a process of its own."""
    return [sys.executable, "-m", "grader", *map(str, words)]


def run(*words: object, status: int = 0) -> str:
    """Run the grader in a process of its own, and give what it says."""
    done = subprocess.run(command(*words), capture_output=True, text=True, check=False, env=quiet())
    assert done.returncode == status, done.stdout + done.stderr
    assert "Traceback" not in done.stderr, done.stderr
    return " ".join((done.stdout + done.stderr).split())


def quiet() -> dict[str, str]:
    """Return an environment in which what the command says is not broken into lines."""
    return {**os.environ, "COLUMNS": "1000"}


def contents(out: Path) -> dict[str, object]:
    """Return all that a graded folder says of each submission, but for times."""
    found: dict[str, object] = {}
    with Gradebook(out) as book:
        for name, kept in book.last().items():
            submission, replies, said = unpack(book.replies(kept.replies)) if kept.replies else (None, None, None)
            answers = replies and {call: (reply.outcome, reply.error) for call, reply in replies.replies.items()}
            found[name] = (
                *(kept.made, kept.key, kept.status, kept.score, kept.max_score, len(book.gradings(name))),
                *(timeless(book.published(kept.id)), submission, answers, said),
                timeless((out / "submissions" / name / "report.json").read_text(encoding="utf-8")),
                timeless((out / "submissions" / name / "report.html").read_text(encoding="utf-8")),
            )
    found["gradebook.csv"] = (out / "gradebook.csv").read_text(encoding="utf-8")
    found["index.html"] = (out / "index.html").read_text(encoding="utf-8")
    found["files"] = sorted(str(path.relative_to(out)) for path in out.rglob("*") if path.is_file())
    return found


def timeless(text: str) -> str:
    """Return a report.json or report.html without the one part that differs from run to run."""
    less, count = re.subn(r'"timing": \{[^}]*\}|<dl [^>]*aria-label="Timing">.*?</dl>', "", text, flags=re.DOTALL)
    assert count == 1
    return less
