"""An assignment that calls loss(), train() and predict() something else is graded as any other, in its own words."""

import pytest

from grader.classroom.reference_api import author
from grader.grading import grade
from grader.model import Methods
from grader.records import replace

OWN = Methods("compute_loss", "fit", "classify")


@pytest.fixture(scope="module")
def renamed(assignment):
    """Return the bundled assignment with other names of class and methods; its questions are the same."""
    return replace(assignment, class_name="Net", variant=replace(assignment.variant, methods=OWN))


@pytest.fixture
def grade_text(renamed, questions, host, tmp_path):
    """Return a function that grades a program's source in the renamed assignment."""

    def run(source):
        path = tmp_path / "program.py"
        path.write_text(source, encoding="utf-8")
        return grade(path, "program", renamed, questions, host).report

    return run


def test_the_solution_has_all_points(renamed, grade_text):
    """Its methods have the assignment's names, and none has the usual ones."""
    source = author(renamed).write([])
    assert all(f"def {name}(" in source and f"self.{name}(" in source for name in ("compute_loss", "classify"))
    assert not any(text in source for text in ("def loss(", ".loss(", "def train(", ".predict("))
    assert grade_text(source).score == 100
