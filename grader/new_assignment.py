"""A whole assignment for one network of the family: rubric with measured thresholds, lesson, solution and frozen questions."""

import json
import re
import shutil
import tomllib
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
from grader.model import CLASSIC, Assignment
from grader.records import replace
from grader.release import build_release
from grader.rubric import FILE as RUBRIC
from grader.rubric import bundled, load
from grader.score import KNOWN
from grader.text.variant_words import COUNTS

# What begins, and of how many steps -> what is called with each step that is done.
Told = Callable[[str, int], Callable[[object], None]]


def write_assignment(folder: Path, choices: Mapping[str, Mapping[str, Any]], runs: int, told: Told) -> Assignment:
    """Fill an empty folder with an assignment, and return it.

    choices : section of the rubric -> key -> value, where they differ from the bundled rubric. runs : how many right
    runs the thresholds are measured by.
    Raises AssignmentError for choices that the rubric refuses, and ReferenceMissingError.
    """
    shutil.copytree(bundled() / "data", folder / "data", ignore=shutil.ignore_patterns(".*", "__pycache__"))
    text = (bundled() / RUBRIC).read_text(encoding="utf-8").replace("worst of 200 right", f"worst of {runs} right")
    depth = len(choices.get("variant", {}).get("names", "WbWb")) // 2
    (folder / RUBRIC).write_text(text if depth == 2 else fit_depth(text, depth), encoding="utf-8")
    assignment = _change(folder, choices)
    key = ("calibration", replace(assignment.variant, methods=CLASSIC), runs, versions())
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


def fit_depth(text: str, depth: int) -> str:
    """Return the bundled rubric's text for a network of so many layers: its name, its cases' sizes, a check of each gradient.

    The gradients of all layers are worth together what they are in the bundled one. Each hidden layer is wider than the one before.
    """
    word = COUNTS[depth - 1]
    title, name, file = f"A {word}-layer neural network", "MultiLayerNet", f"{word}_layer_net.ipynb"
    if depth == 1:
        title, name, file = "A linear classifier", "LinearClassifier", "linear_classifier.ipynb"
        text = re.sub(r"^hidden_size = .*\n", "", text, flags=re.MULTILINE)
    sizes = [
        [rows, inputs, *range(hidden, hidden + depth - 1), classes]
        for rows, inputs, hidden, classes in tomllib.loads(text)["probes"]["sizes"]
    ]
    text = text.replace(
        "# N, D, H, C: all", "# N, D, C: all" if depth == 1 else "# N, D, each hidden layer's H, C: all"
    )
    for section, key, value in (
        ("", "title", title),
        ("", "class_name", name),
        ("", "notebook", file),
        ("probes", "sizes", sizes),
    ):
        text = set_value(text, section, key, value)
    rows = list(re.finditer(r'\[\[checks\]\]\nid = "gradient_([Wb])\d"\npoints = (\d+)\n\n', text))
    worth = {kind: sum(int(row[2]) for row in rows if row[1] == kind) for kind in "Wb"}
    new = "".join(
        f'[[checks]]\nid = "gradient_{kind}{layer + 1}"\npoints = {points // depth + (layer < points % depth)}\n\n'
        for layer in range(depth)
        for kind, points in worth.items()
    )
    return text[: rows[0].start()] + new + text[rows[-1].end() :]


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
    elif isinstance(value, dict):
        shown = f"{{ {', '.join(f'{name} = {json.dumps(one)}' for name, one in value.items())} }}"
    else:
        # JSON has no nan, and the rubric's reader refuses it with its line.
        shown = repr(value) if isinstance(value, float) else json.dumps(value, ensure_ascii=False)
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
