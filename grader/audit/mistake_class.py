"""Every mistake written as a student's file, and the whole graded like any other class."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from tempfile import TemporaryDirectory

from grader.audit.matrix import SOLUTION, Audit, Trial, audit
from grader.classroom.batch import grade_tasks
from grader.classroom.executors import Workers
from grader.classroom.reference_api import author
from grader.classroom.worker import Graded, GradingSession, Task
from grader.model import Assignment
from grader.submission import read


def write_class(assignment: Assignment, folder: Path) -> list[Trial]:
    """Write the solution and every form of every mistake as a file each; return the list.

    Raises ReferenceMissingError where the reference is not at hand.
    """
    known = author(assignment)
    trials = [Trial(SOLUTION, None), *(Trial(name, form) for name, form in known.forms.items())]
    for trial in trials:
        text = known.write([trial.name] if trial.form else [])
        (folder / f"{trial.name}.py").write_text(text, encoding="utf-8")
    return trials


def run(
    assignment: Assignment, seed: int, *, jobs: int, began: Callable[[int], None], told: Callable[[Graded], None]
) -> Audit:
    """Grade the files in real student processes, and return what they show about the rubric.

    began : called with the number of submissions. told : called with each as it is graded.
    Raises what `graded` raises.
    """
    with TemporaryDirectory(prefix="grader-audit-") as room:
        work = Path(room)
        trials = write_class(assignment, work)
        began(len(trials))
        reports = {}
        with closing(grade_tasks(_tasks(trials, work), GradingSession(assignment, seed), Workers(jobs))) as stream:
            for one in stream:
                reports[one.name] = one.report
                told(one)
    return audit(assignment, trials, reports)


def _tasks(trials: list[Trial], work: Path) -> Iterator[Task]:
    for trial in trials:
        path = work / f"{trial.name}.py"
        yield Task(trial.name, str(path), read(path))
