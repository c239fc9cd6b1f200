"""The way of one submission from bytes to text in nine steps. This page is the program.

    read -> reduce -> run -> check -> diagnose -> locate -> score -> decide -> render

`run_and_judge` takes a hand-in that was read as far as its score. The workers of a class call it; `grade` does the same
from a path, for tests and benchmarks. `find` is check, diagnose and locate. `publish` is decide and render.

Student code runs in the third step only. Everything after it is pure: no student code, no randomness, and no clock that
decides anything. So a class can be graded again from saved replies (`judge_run`) or, where only points or words changed,
from saved findings (`score_again`).
"""

import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from grader.apply_decisions import decide
from grader.checks import GradingContext, run_checks
from grader.checks.tuning import TUNED, may_train_in_its_place
from grader.compare import narrow_by
from grader.compose import compose_anew, compose_report, report_not_run
from grader.diagnosis.diagnose import diagnose
from grader.locate import locate
from grader.model import (
    Assignment,
    Decision,
    Figure,
    Findings,
    HeatMap,
    Questions,
    Report,
    Run,
    Submission,
    Tolerances,
)
from grader.records import dataclass, replace
from grader.remarks import remarks
from grader.reports.formats import IN_FOLDER
from grader.sandbox.host import StudentHost
from grader.score import score
from grader.submission import HandIn, read, reduce_limited


@dataclass(frozen=True)
class Grading:
    """What is kept of one submission: the replies, from which it can be judged again, and the report."""

    submission: Submission
    run: Run | None  # None where nothing could be run
    findings: Findings | None  # None where nothing could be judged
    report: Report  # the grader's own, before people's decisions


def grade(path: Path, name: str, assignment: Assignment, questions: Questions, host: StudentHost) -> Grading:
    """Return the grading of a notebook, a .py file, a zip or a folder; name : its name in the report.

    Whatever a student hands in ends in a report, so an exception means a fault of the grader.
    """
    return run_and_judge(read(path), name, str(path), assignment, questions, host)


def run_and_judge(
    hand_in: HandIn, name: str, source: str, assignment: Assignment, questions: Questions, host: StudentHost
) -> Grading:
    """Return the grading of a hand-in that was read; source : its path, for people to read."""
    started = time.perf_counter()
    submission = reduce_limited(hand_in, name, source, class_name=assignment.class_name, notebook=assignment.notebook)
    begun: list[GradingContext] = []  # what is worked out before the run's end need not be again

    def is_needless(run: Run) -> bool:
        begun.append(GradingContext(assignment, questions, run))
        with np.errstate(all="ignore"):
            return may_train_in_its_place(begun[-1])

    asked = assignment.class_name, questions.calls, assignment.variant.methods, {TUNED: is_needless}
    run = None if submission.problem else host.run(submission, *asked)
    context = begun[-1].go_on(run) if begun and run else None
    return judge_run(submission, run, assignment, questions, started, context)


def judge_run(
    submission: Submission,
    run: Run | None,
    assignment: Assignment,
    questions: Questions,
    started: float | None = None,
    context: GradingContext | None = None,
) -> Grading:
    """Return the grading of replies, new or saved.

    run : None where the submission could not be run. context : of the run, where some of it was judged before its end.
    """
    started = time.perf_counter() if started is None else started
    if submission.problem or run is None or run.load.outcome != "returned":
        return Grading(submission, run, None, report_not_run(submission, run, assignment, started))
    findings = find(submission, run, assignment, questions, context)
    judgement = score(findings, assignment, questions.catalogue)
    notes = judgement.notes + remarks(assignment, questions, run)
    report = compose_report(submission, assignment, judgement, run, started, notes=notes)
    return Grading(submission, run, findings, report)


def find(
    submission: Submission,
    run: Run,
    assignment: Assignment,
    questions: Questions,
    context: GradingContext | None = None,
) -> Findings:
    """Return what the checks find in the replies, the mistakes that explain it, and the lines where they are made."""
    context = context or GradingContext(assignment, questions, run)
    # Replies may hold anything, 1e308 and NaN too: a sum that overflows is a wrong answer, not a warning of ours.
    with np.errstate(all="ignore"):
        checked = run_checks(context)
        explained = diagnose(context, submission, checked)
        located = locate(context, submission, explained)
    narrow_by(context.ranges, located.ranges)
    return replace(located, ranges=context.ranges)


def score_again(
    before: Report, name: str, source: str, findings: Findings, assignment: Assignment, questions: Questions
) -> Report:
    """Return a new report from saved findings, where only points or words changed; no reply is read.

    before : the earlier report of the same findings, with its figures.
    """
    started = time.perf_counter()
    figures = {
        verdict.id: tuple(_hold_to(assignment.tolerances, one) for one in verdict.figures)
        for verdict in before.checks
        if verdict.figures
    }
    whole = dict(findings.checks) | {id_: replace(findings.checks[id_], figures=one) for id_, one in figures.items()}
    judgement = score(replace(findings, checks=whole), assignment, questions.catalogue)
    return compose_anew(before, name, source, judgement, assignment, started)


def _hold_to(tolerances: Tolerances, figure: Figure) -> Figure:
    """Return a figure with what is allowed now."""
    named = isinstance(figure, HeatMap) and figure.tolerance
    return replace(figure, allowed=getattr(tolerances, named)) if named else figure


def publish(
    report: Report, decisions: Sequence[Decision], assignment: Assignment, digest: str
) -> tuple[Report, dict[str, str]]:
    """Return the report after people's decisions, and the text of each file of its folder, by name.

    digest : of the current hand-in; points that were given for another one do not count.
    """
    after = decide(report, decisions, assignment.late, digest)
    return after, render(after)


def render(report: Report) -> dict[str, str]:
    """Return the text of each file of a submission's folder, by name."""
    return {one.file_name: one.write(report) for one in IN_FOLDER}
