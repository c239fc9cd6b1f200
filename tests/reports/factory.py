"""Classes made by hand: reports from the points of each check, and sheets from reports."""

from collections.abc import Mapping, Sequence
from typing import Any

from grader.model import (
    Decision,
    DecisionKind,
    Diagnosis,
    Environment,
    Report,
    ReportStatus,
    Ruling,
    Sheet,
    Standing,
    Student,
    Verdict,
)

# id, title, group, points, hidden
RUBRIC: tuple[tuple[str, str, Any, float, bool], ...] = (
    ("scores", "Scores are those of a two-layer net", "loss", 20, False),
    ("loss", "The loss is softmax cross-entropy", "loss", 20, False),
    ("grad_W1", "Gradient of W1", "gradients", 20, False),
    ("grad_hidden", "Gradients at other sizes", "gradients", 10, True),
    ("train_digits", "Training learns the digits", "train", 20, False),
    ("predict", "Predictions are the classes with the largest scores", "predict", 10, False),
)


def verdict(check: tuple[str, str, Any, float, bool], points: float | None, before: float | None = None) -> Verdict:
    """Return a check's verdict; None stands for one that could not be judged."""
    name, title, group, full, hidden = check
    got = 0.0 if points is None else points
    status = "skipped" if points is None else "passed" if got >= full else "partial" if got > 0 else "failed"
    said = "" if status == "passed" else f"`{name}` is not what it should be."
    return Verdict(name, title, group, status, got, full, hidden, said, adjusted_from=before)


def report(
    name: str,
    score_by_check: Mapping[str, float | None] | None = None,
    *,
    status: ReportStatus = "graded",
    diagnoses: Sequence[Diagnosis] = (),
    notes: Sequence[str] = (),
    rulings: Sequence[Ruling] = (),
    adjusted: Mapping[str, float] | None = None,
    penalty: float = 0.0,
    late_days: float = 0.0,
    excused: bool = False,
) -> Report:
    """Return a report; checks that `score_by_check` does not name have full points, `adjusted` is what they had before."""
    given, before = dict(score_by_check or {}), dict(adjusted or {})
    graded = status == "graded"
    checks = tuple(
        verdict(row, given.get(row[0], row[3]) if graded else None, before.get(row[0]) if graded else None)
        for row in RUBRIC
    )
    return Report(
        submission=name,
        source=f"handed_in/{name}.ipynb",
        score=max(0.0, sum(check.points for check in checks) - penalty),
        max_score=sum(row[3] for row in RUBRIC),
        status=status,
        checks=checks,
        diagnoses=tuple(diagnoses),
        notes=tuple(notes),
        environment=Environment({"python": "3.11.9", "numpy": "2.4.6"}, ("process", "rlimits") if graded else ()),
        timing={"run": 0.5},
        rulings=tuple(rulings),
        penalty=penalty,
        late_days=late_days,
        excused=excused,
    )


def mistake(name: str, title: str, **costs: float) -> Diagnosis:
    """Return a named mistake with what it costs in each check."""
    return Diagnosis(name, title, "Look at it again.", "CS231n notes", tuple(costs), costs)


def ruling(
    kind: DecisionKind, value: float, check: str = "", *, comment: str = "agreed", number: int = 1, applies: bool = True
) -> Ruling:
    """Return a decision as it stands in a report."""
    decision = Decision(number, kind, check, value, comment, "teacher", "2026-11-22T15:19:03Z", "digest")
    return Ruling(decision, f"{check or kind} is now {value:g}.", applies)


def student(name: str, **others: str) -> Student:
    """Return one line of a roster."""
    return Student(name, **others)


def sheet(
    *reports: Report,
    students: Mapping[str, Student] | None = None,
    missing: Sequence[Student] = (),
    title: str = "Two-layer net",
) -> Sheet:
    """Return a class of these reports, by name; `students` says whose submission is whose."""
    known = students or {}
    standings = [Standing(one, known.get(one.submission)) for one in sorted(reports, key=lambda one: one.submission)]
    return Sheet(title, sum(row[3] for row in RUBRIC), tuple(standings), tuple(missing))
