"""Write the made-up class, for `grader demo` to grade like any other."""

import ast
import json
from pathlib import Path

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
        ending, content = (".ipynb", as_notebook(text)) if number % EVERY_THIRD else (".py", text)
        (folder / f"{student}{ending}").write_text(content, encoding="utf-8")
    for name, text in SHEETS.items():
        (folder / name).write_text(text, encoding="utf-8")
    skeleton = (assignment.folder / assignment.notebook).read_bytes()
    for name in UNTOUCHED:
        (folder / name).write_bytes(skeleton)
    (folder / WITHOUT_TRAIN).write_text(without_train(next(iter(texts.values()))), encoding="utf-8")
    return len(texts) + len(SHEETS) + len(UNTOUCHED) + 1


def as_notebook(program: str) -> str:
    """Put a program into a notebook as a student would: imports, the class, the numbers, and a plot that is not run."""
    head, _, rest = program.partition("\n\n\n")
    body, _, numbers = rest.rpartition("\n\n\n")
    code = {
        "imports": f"%matplotlib inline\nimport matplotlib.pyplot as plt\n{head}",
        "class": body,
        "numbers": numbers,
        "plot": 'plt.plot(history["loss_history"])',
    }
    title = {"cell_type": "markdown", "id": "title", "metadata": {}, "source": "# A two-layer network"}
    cells: list[dict[str, object]] = [
        {"cell_type": "code", "id": name, "metadata": {}, "source": source, "outputs": [], "execution_count": None}
        for name, source in code.items()
    ]
    return json.dumps({"cells": [title, *cells], "metadata": {}, "nbformat": 4, "nbformat_minor": 5}, indent=1)


def without_train(program: str) -> str:
    """Return a program whose train() is still to be written."""
    tree = ast.parse(program)
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef) and node.name == "train":
            node.body = [ast.Pass()]
    return ast.unparse(tree) + "\n"
