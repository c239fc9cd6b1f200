"""Write the made-up class, for `grader demo` to grade like any other."""

from __future__ import annotations

import ast
from pathlib import Path

import nbformat

from grader.classroom.reference_api import author
from grader.demo.students import PROGRAMS, SHEETS, UNTOUCHED, WITHOUT_TRAIN
from grader.model import Assignment

EVERY_THIRD = 3  # student hands in a .py file, the others notebooks


def write_class(assignment: Assignment, folder: Path) -> int:
    """Write the submissions and give their number.

    Raises ReferenceMissingError where the reference, which the programs are written out from, is not at hand.
    """
    known = author(assignment)
    texts = {student: known.write(mistakes) for student, mistakes in PROGRAMS.items()}
    for number, (student, text) in enumerate(texts.items()):
        if number % EVERY_THIRD:
            (folder / f"{student}.ipynb").write_text(as_notebook(text), encoding="utf-8")
        else:
            (folder / f"{student}.py").write_text(text, encoding="utf-8")
    for sheet in SHEETS:
        (folder / sheet.name).write_text(sheet.text, encoding="utf-8")
    skeleton = (assignment.folder / assignment.notebook).read_bytes()
    for name in UNTOUCHED:
        (folder / name).write_bytes(skeleton)
    (folder / WITHOUT_TRAIN).write_text(without_train(next(iter(texts.values()))), encoding="utf-8")
    return len(texts) + len(SHEETS) + len(UNTOUCHED) + 1


def as_notebook(program: str) -> str:
    """Put a program into a notebook as a student would: imports, the class, the numbers, and a plot that is not run."""
    head, _, rest = program.partition("\n\n\n")
    body, _, numbers = rest.rpartition("\n\n\n")
    cells = [
        nbformat.v4.new_markdown_cell("# A two-layer network", id="title"),
        nbformat.v4.new_code_cell(f"%matplotlib inline\nimport matplotlib.pyplot as plt\n{head}", id="imports"),
        nbformat.v4.new_code_cell(body, id="class"),
        nbformat.v4.new_code_cell(numbers, id="numbers"),
        nbformat.v4.new_code_cell('plt.plot(history["loss_history"])', id="plot"),
    ]
    text: str = nbformat.writes(nbformat.v4.new_notebook(cells=cells))
    return text


def without_train(program: str) -> str:
    """Return a program whose train() is still to be written."""
    tree = ast.parse(program)
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef) and node.name == "train":
            node.body = [ast.Pass()]
    return ast.unparse(tree) + "\n"
