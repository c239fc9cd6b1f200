"""A whole assignment for one network of the family: rubric with measured thresholds, lesson, solution and frozen questions."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Callable, Mapping
from dataclasses import fields
from pathlib import Path
from typing import Any

import numpy as np

from grader.classroom.cache_keys import versions
from grader.classroom.reference_api import build_questions, calibrate, write_lesson
from grader.disk_cache import keep
from grader.frozen import FILE
from grader.frozen.freeze import freeze
from grader.frozen.load_frozen import VERSION
from grader.model import Assignment
from grader.release import build_release
from grader.rubric import FILE as RUBRIC
from grader.rubric import bundled, load
from grader.score import KNOWN

# Points of each layer's weights and bias, by the number of layers.
GRADIENTS = {3: (5, 3), 4: (4, 2), 5: (3, 1.8), 6: (2.5, 1.5)}
# What begins, and of how many steps -> what is called with each step that is done.
Told = Callable[[str, int], Callable[[object], None]]


def write_assignment(folder: Path, choices: Mapping[str, Mapping[str, Any]], runs: int, told: Told) -> Assignment:
    """Fill an empty folder with an assignment, and return it.

    choices : section of the rubric -> key -> value, where they differ from the bundled rubric. runs : how many right
    runs the thresholds are measured by.
    Raises AssignmentError for choices that the rubric refuses, and ReferenceMissingError.
    """
    shutil.copytree(bundled() / "data", folder / "data", ignore=shutil.ignore_patterns(".*", "__pycache__"))
    text = (bundled() / RUBRIC).read_text(encoding="utf-8")
    (folder / RUBRIC).write_text(text.replace("worst of 200 right", f"worst of {runs} right"), encoding="utf-8")
    _deepen(folder, len(choices["variant"].get("names", ())) // 2)
    assignment = _change(folder, choices)
    key = ("calibration", assignment.variant, runs, versions())
    found = keep(key, lambda: calibrate(assignment, runs, lambda: told("calibrating", runs)))
    assignment = _change(folder, {"digits": found})
    solution = folder / f"{Path(assignment.notebook).stem}_solution.ipynb"
    solution.write_text(write_lesson(assignment, FILE), encoding="utf-8")
    (folder / assignment.notebook).write_text(build_release(solution), encoding="utf-8")
    (folder / FILE).write_bytes(_freeze_once(assignment, told))
    return assignment


def _change(folder: Path, choices: Mapping[str, Mapping[str, Any]]) -> Assignment:
    """Write values into the folder's rubric, and return the assignment that it then is."""
    text = (folder / RUBRIC).read_text(encoding="utf-8")
    for section, values in choices.items():
        for key, value in values.items():
            text = set_value(text, section, key, value)
    (folder / RUBRIC).write_text(text, encoding="utf-8")
    return load(folder, KNOWN)


def _deepen(folder: Path, depth: int) -> None:
    """Give the rubric cases with so many layers, and a check for each gradient of theirs: in all worth what two layers are."""
    if depth <= 2:
        return
    file = folder / RUBRIC
    text = file.read_text(encoding="utf-8")
    sizes = [[n, d, *range(h, h + depth - 1), c] for n, d, h, c in ((4, 7, 11, 3), (5, 9, 12, 3), (6, 8, 13, 5))]
    worth = dict(zip("Wb", GRADIENTS[depth], strict=True))
    rows = [
        f'[[checks]]\nid = "gradient_{one}{k}"\npoints = {points}\n\n'
        for k in range(1, depth + 1)
        for one, points in worth.items()
    ]
    head, *_, tail = re.split(r'\[\[checks\]\]\nid = "gradient_\w+"\npoints = \d+\n\n', text)
    file.write_text(set_value(head + "".join(rows) + tail, "probes", "sizes", sizes), encoding="utf-8")


def set_value(text: str, section: str, key: str, value: Any) -> str:
    """Return a rubric's text with one value replaced, or added where its section has no such key; section "" : the top.

    All else, the comments too, stays as it is.
    """
    begin = text.index(f"[{section}]\n") + len(section) + 3 if section else 0
    after = re.compile(r"^\[", re.MULTILINE).search(text, begin)
    end = after.start() if after else len(text)
    line = re.compile(rf'^{key} = (?:"""[\s\S]*?"""|.*)\n', re.MULTILINE)
    if key == "calibration":
        shown = f'"""\n{value}\n"""'
    else:
        shown = (
            repr(value) if isinstance(value, float) else json.dumps(value, ensure_ascii=False)
        )  # nan is none of JSON's
    new = f"{key} = {shown}\n"
    changed, count = line.subn(lambda _: new, text[begin:end], count=1)
    return text[:begin] + (changed if count else new + changed) + text[end:]


def _freeze_once(assignment: Assignment, told: Told) -> bytes:
    """Return the file of frozen questions, which takes minutes, so that it is kept for the next time."""

    def make() -> Any:
        questions = build_questions(assignment, assignment.seed)
        mistakes = len(questions.catalogue.forms) if questions.catalogue else 0
        return np.frombuffer(freeze(assignment, questions, told("freezing", 1 + mistakes)), np.uint8)

    rubric = [getattr(assignment, one.name) for one in fields(assignment) if one.name not in {"folder", "digest"}]
    return bytes(keep(("frozen questions", rubric, versions(), VERSION), make))
