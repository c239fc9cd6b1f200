"""A class that is graded once and copied for each test: grading takes seconds, and what comes after it moments."""

from __future__ import annotations

import json
import os
import shutil
import sqlite3
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

from click.testing import CliRunner

from classroom.conftest import BARE, SAMPLES, write_rubric
from grader.classroom import reference_api
from grader.classroom.cache_keys import digest_questions
from grader.classroom.gradebook import FILE, Gradebook
from grader.cli import main
from grader.model import Assignment, MistakeCatalogue, Questions
from grader.rubric import bundled

RIGHT, WRONG, BROKEN, UNFINISHED = (
    "right_einsum.py",
    "wrong_half_the_gradient.py",
    "broken_syntax.ipynb",
    "unfinished_train.ipynb",
)
SMALL = (RIGHT, WRONG, BROKEN)  # and `bare`, a program of which nothing but the constructor is there


@dataclass(frozen=True)
class Folder:
    """A folder with rubric/, class/ and graded/, in which the commands are run."""

    path: Path

    @property
    def out(self) -> Path:
        """Where it is graded."""
        return self.path / "graded"

    def change(self, *changes: tuple[str, str]) -> None:
        """Change the rubric's text; each change must apply."""
        file = self.path / "rubric" / "assignment.toml"
        text = file.read_text(encoding="utf-8")
        for old, new in changes:
            assert old in text, old
            text = text.replace(old, new, 1)
        file.write_text(text, encoding="utf-8")

    def report(self, name: str) -> dict:
        """Return a submission's report.json."""
        return json.loads((self.out / "submissions" / name / "report.json").read_text(encoding="utf-8"))

    def page(self, name: str) -> str:
        """Return a submission's report.html."""
        return (self.out / "submissions" / name / "report.html").read_text(encoding="utf-8")

    def text(self, name: str) -> str:
        """Return a file of the graded folder."""
        return (self.out / name).read_text(encoding="utf-8")

    def grade(self, *words: object, status: int = 0) -> str:
        """Grade the class."""
        return say("grade", "class", "--assignment", "rubric", "--out", "graded", *words, status=status)

    def regrade(self, *words: object, status: int = 0) -> str:
        """Judge it again."""
        return say("regrade", "graded", "--assignment", "rubric", *words, status=status)

    def book(self) -> Gradebook:
        """Open the gradebook."""
        return Gradebook(self.out)

    def damage(self, query: str, *values: object) -> None:
        """Change what the gradebook holds, behind its back."""
        database = sqlite3.connect(self.out / FILE)
        with database:
            assert database.execute(query, values).rowcount
        database.close()


def say(*words: object, status: int = 0) -> str:
    """Run a command here, and give what it says on one line."""
    done = CliRunner().invoke(main, list(map(str, words)), env={"COLUMNS": "1000"})
    if done.exception and not isinstance(done.exception, SystemExit):
        raise done.exception
    assert done.exit_code == status, done.output
    assert "Traceback" not in done.output
    return " ".join(done.output.split())


def points(check: str, old: object, new: object) -> tuple[str, str]:
    """Return the change of a check's points."""
    return f'id = "{check}"\npoints = {old}\n', f'id = "{check}"\npoints = {new}\n'


_drawn: dict[tuple[str, int], Questions] = {}
_line_ups: dict[tuple[str, str], MistakeCatalogue | None] = {}


def staying(assignment: Assignment) -> Assignment:
    """Return the assignment with its data where they stay: a test's folder is gone before what was drawn from it."""
    here, bundle = (folder / "data" / "digits.npz" for folder in (assignment.folder, bundled()))
    stays = here.is_file() and here.read_bytes() == bundle.read_bytes()
    return replace(assignment, folder=bundled()) if stays else assignment


def remembered(assignment: Assignment, seed: int) -> Questions:
    """Draw questions once for each rubric: what is worked out about them takes seconds, and is the same.

    So is what wrong programs answer to the same questions, whatever each rubric makes of it.
    """
    key = (assignment.digest, seed)
    if key not in _drawn:
        drawn = reference_api.build_questions(staying(assignment), seed)
        asked = (digest_questions(assignment, drawn.calls), repr(assignment.variant))
        _drawn[key] = replace(drawn, catalogue=_line_ups.setdefault(asked, drawn.catalogue))
    return _drawn[key]


def at_hand(monkeypatch) -> None:
    """Let all commands of this process remember what they drew."""
    for module in ("worker", "grading_loop"):
        monkeypatch.setattr(f"grader.classroom.{module}.build_questions", remembered)


def class_of(folder: Path, names: tuple[str, ...]) -> None:
    """Write a class and its rubric."""
    write_rubric(folder / "rubric")
    (folder / "class").mkdir()
    for name in names:
        shutil.copy(SAMPLES / name, folder / "class")
    (folder / "class" / "bare.py").write_text(BARE, encoding="utf-8")


@cache
def _graded(make: Callable[[str], Path], names: tuple[str, ...]) -> Path:
    folder = make("once")
    class_of(folder, names)
    here = Path.cwd()
    os.chdir(folder)
    try:
        Folder(folder).grade("--seed", 231)
    finally:
        os.chdir(here)
    return folder


def graded_once(tmp_path_factory, tmp_path, monkeypatch, names=SMALL) -> Folder:
    """Return a copy of a graded class, and go there: its paths are relative, so that a copy is as the original."""
    at_hand(monkeypatch)
    original = _graded(tmp_path_factory.mktemp, names)
    shutil.copytree(original, tmp_path / "here")
    monkeypatch.chdir(tmp_path / "here")
    return Folder(tmp_path / "here")
