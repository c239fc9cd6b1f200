"""The class of mistakes: each written out as a student's file, and graded like any other class."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

from grader.audit.matrix import SOLUTION, Audit, Trial, audit
from grader.classroom.batch import REFERENCE_MISSING, Entry, ReferenceMissingError, Sitting, grade_class
from grader.records import Assignment, Report


def write_class(assignment: Assignment, folder: Path) -> list[Trial]:
    """Write the solution and every way of every mistake as a file each, and give the list.

    Raises ReferenceMissingError where the reference is not at hand.
    """
    try:
        from reference.handwriting import written  # noqa: PLC0415 -- the wheel has no reference
        from reference.misconceptions import suspect, ways  # noqa: PLC0415 -- the same
        from reference.probes import network_of  # noqa: PLC0415 -- the same
    except ImportError as error:
        raise ReferenceMissingError(REFERENCE_MISSING) from error
    network, names = network_of(assignment), assignment.variant.names
    trials = [Trial(SOLUTION, None)]
    texts = [written(network, class_name=assignment.class_name, names=network.names)]
    for way in ways():
        trials.append(Trial(way.name, suspect(way, names)))
        texts.append(written(network, [way], class_name=assignment.class_name, names=network.names))
    for trial, text in zip(trials, texts, strict=True):
        (folder / f"{trial.name}.py").write_text(text, encoding="utf-8")
    return trials


def run(
    assignment: Assignment, seed: int, *, jobs: int, began: Callable[[int], None], told: Callable[[Report], None]
) -> Audit:
    """Grade the class of mistakes in real student processes and judge the rubric by it.

    began : called with the number of submissions. told : called with each report as it comes.
    Raises what grade_class raises, and ReferenceMissingError.
    """
    with TemporaryDirectory(prefix="grader-audit-") as room:
        work = Path(room) / "class"
        work.mkdir()
        trials = write_class(assignment, work)
        began(len(trials))
        entries = [Entry(work / f"{trial.name}.py", trial.name) for trial in trials]
        sitting = Sitting(assignment, seed, Path(room) / "graded")
        reports: Sequence[Report] = grade_class(entries, sitting, jobs=jobs, told=told)
    return audit(assignment, trials, {report.submission: report for report in reports})
