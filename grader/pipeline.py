"""One submission, read top to bottom: load, run, judge, report."""

from __future__ import annotations

import platform
import time
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from grader import __version__
from grader.judge import find, remarks
from grader.model import (
    Assignment,
    Environment,
    Findings,
    Judgement,
    Place,
    Probes,
    Problem,
    Report,
    ReportStatus,
    Run,
    Submission,
)
from grader.sandbox.host import StudentHost
from grader.score import not_run, scored
from grader.submission import HandIn, receive, understand


@dataclass(frozen=True)
class Grading:
    """What one submission leaves behind: the replies, from which it can be judged again, and the report."""

    submission: Submission
    run: Run | None  # None where nothing could be run
    findings: Findings | None  # None where nothing could be judged
    report: Report


def grade(path: Path, name: str, assignment: Assignment, probes: Probes, host: StudentHost) -> Grading:
    """Grade one submission.

    path : a notebook, a .py file, a zip or a folder. name : what to call it in the report.
    Whatever a student handed in ends in a report; an exception here is a fault of the grader.
    """
    return grade_hand_in(receive(path), name, str(path), assignment, probes, host)


def grade_hand_in(
    hand_in: HandIn, name: str, source: str, assignment: Assignment, probes: Probes, host: StudentHost
) -> Grading:
    """Grade what has been read of one submission; source : where from, for people to read."""
    started = time.perf_counter()
    submission = understand(hand_in, name, source, class_name=assignment.class_name, notebook=assignment.notebook)
    run = None if submission.problem else host.run(submission, assignment.class_name, probes.calls)
    return judged(submission, run, assignment, probes, started)


def judged(
    submission: Submission, run: Run | None, assignment: Assignment, probes: Probes, started: float | None = None
) -> Grading:
    """Judge what a run brought home; no student code is needed, so it can be done again whenever the rubric changes."""
    started = time.perf_counter() if started is None else started
    findings = None
    if submission.problem or run is None:
        problem = submission.problem or Problem("failed_to_load", "it was never run")
        judgement = Judgement(not_run(assignment, problem.message, problem.place))
        report = _report(submission, assignment, judgement, None, started, problem.status, (problem.message,))
    elif run.load.outcome != "returned":
        message, place = _load_failure(run)
        judgement = Judgement(not_run(assignment, message, place))
        report = _report(submission, assignment, judgement, run, started, "failed_to_load", (message,))
    else:
        findings = find(assignment, probes, run, submission)
        judgement = scored(findings, assignment, probes.line_up)
        notes = judgement.notes + remarks(assignment, probes, run)
        report = _report(submission, assignment, judgement, run, started, "graded", notes)
    return Grading(submission, run, findings, report)


def scored_again(
    before: Report, name: str, source: str, findings: Findings, assignment: Assignment, probes: Probes
) -> Report:
    """Return the report anew where only points or words changed since: nothing is judged again, and no reply is looked at.

    before : a report of the same findings, with its figures.
    """
    started = time.perf_counter()
    figures = {verdict.id: verdict.figures for verdict in before.checks if verdict.figures}
    whole = dict(findings.checks) | {id_: replace(findings.checks[id_], figures=one) for id_, one in figures.items()}
    judgement = scored(replace(findings, checks=whole), assignment, probes.line_up)
    versions = {**before.environment.versions, "assignment": assignment.digest[:12]}
    return replace(
        before,
        submission=name,
        source=source,
        score=_sum(judgement),
        max_score=assignment.max_score,
        checks=judgement.verdicts,
        diagnoses=judgement.diagnoses,
        review=judgement.review,
        steps=judgement.steps,
        environment=replace(before.environment, versions=versions),
        timing={**before.timing, "total_seconds": round(time.perf_counter() - started, 4)},
    )


def _sum(judgement: Judgement) -> float:
    return round(sum(verdict.points for verdict in judgement.verdicts), 2)


def failure(source: str, name: str, assignment: Assignment, what: str) -> Report:
    """Report that the grader itself failed on a submission: its author loses nothing by it."""
    message = f"The grader failed on this submission, and that is no fault of its author: {what}. Grade it again."
    submission = Submission(name, source, "", "")
    return _report(
        submission,
        assignment,
        Judgement(not_run(assignment, message, None)),
        None,
        time.perf_counter(),
        "grader_error",
        (message,),
    )


def _load_failure(run: Run) -> tuple[str, Place | None]:
    error = run.load.error
    if error is None:
        return "it could not be loaded", None
    place = error.places[-1] if error.places else None
    kind = f"{error.type}: " if error.type else ""
    where = f" It happened in {place}." if place else ""
    return f"The code could not be loaded: {kind}{error.message.rstrip('.')}.{where}", place


def _report(
    submission: Submission,
    assignment: Assignment,
    judgement: Judgement,
    run: Run | None,
    started: float,
    status: ReportStatus,
    notes: tuple[str, ...],
) -> Report:
    told = any(note.startswith("graded:") for note in submission.notes)
    graded = (f"Graded: {submission.graded_file}.",) if submission.graded_file and not told else ()
    versions = {"grader": __version__, "assignment": assignment.digest[:12]}
    versions |= {"submission": submission.digest[:12]} if submission.digest else {}
    ours = {"python": platform.python_version(), "numpy": np.__version__}
    return Report(
        submission=submission.name,
        source=submission.source,
        score=_sum(judgement),
        max_score=assignment.max_score,
        status=status,
        checks=judgement.verdicts,
        diagnoses=judgement.diagnoses,
        notes=notes + graded + submission.notes,
        environment=Environment({**versions, **(run.versions if run else ours)}, run.isolation if run else ()),
        timing={
            "total_seconds": round(time.perf_counter() - started, 4),
            "student_seconds": round(run.seconds, 4) if run else 0.0,
            "student_cpu_seconds": round(run.cpu_seconds, 4) if run else 0.0,
        },
        review=judgement.review,
        steps=judgement.steps,
    )
