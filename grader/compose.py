"""The report: verdicts, notes, versions and times put together."""

import platform
import time
from dataclasses import replace

import numpy as np

from grader import __version__
from grader.diagnosis.changed_names import explain_version
from grader.model import (
    Assignment,
    Environment,
    Judgement,
    Place,
    Problem,
    Report,
    ReportStatus,
    Run,
    Submission,
)
from grader.score import not_run
from grader.text.variant_words import with_own_methods


def compose_report(
    submission: Submission,
    assignment: Assignment,
    judgement: Judgement,
    run: Run | None,
    started: float,
    status: ReportStatus = "graded",
    notes: tuple[str, ...] = (),
) -> Report:
    """Return the report of one submission.

    started : when its grading began, by `time.perf_counter`. notes : of the grading; the submission's own follow them.
    """
    named = any(note.startswith("graded:") for note in submission.notes)
    graded = (f"Graded: {submission.graded_file}.",) if submission.graded_file and not named else ()
    versions = {"grader": __version__, "assignment": assignment.digest[:12]}
    versions |= {"submission": submission.digest[:12]} if submission.digest else {}
    ours = {"python": platform.python_version(), "numpy": np.__version__}
    return Report(
        submission=submission.name,
        source=submission.source,
        score=add_points(judgement),
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
        example=judgement.example,
    )


def compose_anew(
    before: Report, name: str, source: str, judgement: Judgement, assignment: Assignment, started: float
) -> Report:
    """Return an earlier report with new verdicts, where only points or words changed since."""
    versions = {**before.environment.versions, "assignment": assignment.digest[:12]}
    return replace(
        before,
        submission=name,
        source=source,
        score=add_points(judgement),
        max_score=assignment.max_score,
        checks=judgement.verdicts,
        diagnoses=judgement.diagnoses,
        review=judgement.review,
        steps=judgement.steps,
        example=judgement.example,
        environment=replace(before.environment, versions=versions),
        timing={**before.timing, "total_seconds": round(time.perf_counter() - started, 4)},
    )


def report_not_run(submission: Submission, run: Run | None, assignment: Assignment, started: float) -> Report:
    """Return the report of a submission that could not be run or loaded: every check is skipped, with the reason."""
    if submission.problem or run is None:
        problem = submission.problem or Problem("failed_to_load", "it was never run")
        problem = replace(problem, message=with_own_methods(problem.message, assignment.variant.methods))
        judgement = Judgement(not_run(assignment, problem.message, problem.place))
        return compose_report(submission, assignment, judgement, None, started, problem.status, (problem.message,))
    message, place = _load_failure(run)
    judgement = Judgement(not_run(assignment, message, place))
    return compose_report(submission, assignment, judgement, run, started, "failed_to_load", (message,))


def report_our_failure(source: str, name: str, assignment: Assignment, what: str) -> Report:
    """Return the report of a submission that the grader itself failed on. Its author loses nothing."""
    message = f"The grader failed on this submission: {what}. That is not its author's fault. Grade it again."
    judgement = Judgement(not_run(assignment, message, None))
    submission = Submission(name, source, "", "")
    return compose_report(submission, assignment, judgement, None, time.perf_counter(), "grader_error", (message,))


def add_points(judgement: Judgement) -> float:
    """Return the sum of all checks' points, to two digits."""
    return round(sum(verdict.points for verdict in judgement.verdicts), 2)


def _load_failure(run: Run) -> tuple[str, Place | None]:
    error = run.load.error
    if error is None:
        return "it could not be loaded", None
    place = error.places[-1] if error.places else None
    kind = f"{error.type}: " if error.type else ""
    where = f" It happened in {place}." if place else ""
    by_version = " ".join(explain_version(error.message, run.versions) or ()) if error.type != "StubError" else ""
    return f"The code could not be loaded: {kind}{error.message.rstrip('.')}.{where} {by_version}".rstrip(), place
