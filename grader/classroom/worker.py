"""A worker grades one submission after another. It reads and writes no files of a submission."""

import threading
import time
import traceback
from collections.abc import Mapping
from functools import cached_property
from multiprocessing.util import Finalize

from grader.classroom.reference_api import build_questions
from grader.compose import report_our_failure
from grader.grading import judge_run, publish, run_and_judge, score_again
from grader.model import Assignment, Decision, Findings, Ranges, Report
from grader.packing import DamagedError, pack, unpack
from grader.records import dataclass, replace
from grader.reports.formats import REPORT_FORMATS
from grader.reports.page import read_templates
from grader.sandbox import self_test
from grader.sandbox.forkserver import ForkServer
from grader.sandbox.host import StudentHost
from grader.submission import HandIn
from grader.text.sanitise import plain_text

TRACEBACK = 100_000  # characters of our own fault that are kept; what a student wrote may stand in it
FAULT = "grader-error.txt"

# What the first host of this process takes: one that a command started in good time.
started_before: list[ForkServer] = []


@dataclass(frozen=True)
class GradingSession:
    """What all submissions of one grading share."""

    assignment: Assignment
    seed: int  # of the questions
    unsafe: bool = False  # grade even where student code is not isolated


@dataclass(frozen=True)
class Known:
    """The saved findings of a submission's last grading."""

    submission_digest: str
    report: bytes  # packed, with its figures
    findings: bytes  # packed, without


@dataclass(frozen=True)
class Task:
    """One submission to be graded, or to be judged again."""

    name: str
    source: str  # where it was handed in, for people to read
    hand_in: HandIn | None  # to be run; None: score `known` again, or judge `saved` again
    saved: bytes = b""  # the replies of an earlier run, packed
    known: Known | None = None  # what was found in them, where that still stands: they need not be judged again
    decisions: tuple[Decision, ...] = ()
    student: str | None = None  # the name that the roster gives


@dataclass(frozen=True)
class Graded:
    """A worker's result: all that is to be saved, and the files that people read."""

    name: str
    source: str
    submission_digest: str
    report: Report  # the grader's own, without figures
    decided: Report  # the same after people's decisions
    published: str  # the grader's own report.json
    record: bytes  # the grader's own report with its figures, packed
    replies: bytes | None  # of the run, packed; None where nothing was run now
    findings: bytes | None  # packed; None where nothing could be judged
    ranges: Ranges  # of the tolerances, for these findings
    files: Mapping[str, str]  # name in the submission's folder -> text


class GradingWorker:
    """The questions of a grading, and a host for students' processes."""

    def __init__(self, session: GradingSession) -> None:
        self.session = session
        self.assignment = session.assignment
        self.questions = build_questions(session.assignment, session.seed)
        read_templates()  # before any student code runs

    @cached_property
    def host(self) -> StudentHost:
        """The host that runs student code; it is not started where saved replies are only judged again."""
        original = started_before[0] if started_before else None
        if original and original.alive:
            return StudentHost(self.assignment.limits, server=started_before.pop())
        return StudentHost(self.assignment.limits, server=ForkServer(original=original) if original else None)

    @cached_property
    def isolation(self) -> tuple[str, str]:
        """Return why student code must not run here, and the note for reports if it runs all the same."""
        # In each worker: one may run where another does not.
        return self_test.assess(self.host, self.assignment.limits)

    def grade(self, task: Task) -> Graded:
        """Grade one submission, or judge it again.

        Raises NotIsolatedError where the self-test fails. A fault of the grader costs this submission's report and no more.
        """
        if task.hand_in and self.isolation[0] and not self.session.unsafe:
            raise self_test.NotIsolatedError(self.isolation[0])
        for last in (False, True):
            try:
                return self._run(task)
            except Exception as error:  # noqa: BLE001 -- any fault
                # Whatever state the fault left behind must not reach the next submission.
                self.close()
                if last:
                    return report_failure(task, self.assignment, type(error).__name__, traceback.format_exc())
        raise AssertionError("the last attempt gives a report in any case")

    def _run(self, task: Task) -> Graded:
        if task.known is not None:
            before, found = unpack(task.known.report), unpack(task.known.findings)
            if not isinstance(before, Report) or not isinstance(found, Findings):
                raise DamagedError("another record stands in the place of what was found")
            report = score_again(before, task.name, task.source, found, self.assignment, self.questions)
            return _finish(task, report, task.known.submission_digest, self.assignment, found, task.known.findings)
        replies: bytes | None = None
        notes: tuple[str, ...] = ()
        if task.hand_in:
            grading = run_and_judge(task.hand_in, task.name, task.source, self.assignment, self.questions, self.host)
            notes = (self.isolation[1],) if self.isolation[1] else ()
            replies = pack((grading.submission, grading.run, notes))
        else:
            started = time.perf_counter()
            submission, run, notes = unpack(task.saved)
            submission = replace(submission, name=task.name, source=task.source)
            grading = judge_run(submission, run, self.assignment, self.questions, started)
        report = replace(grading.report, notes=(*grading.report.notes, *notes))
        findings = pack(_drop_figures(grading.findings)) if grading.findings else None
        digest = grading.submission.digest
        return _finish(task, report, digest, self.assignment, grading.findings, findings, replies)

    def close(self) -> None:
        """End the students' processes; another grading can start new ones."""
        if "host" in self.__dict__:
            self.host.close()
            del self.host


def _finish(
    task: Task,
    report: Report,
    digest: str,
    assignment: Assignment,
    findings: Findings | None = None,
    packed: bytes | None = None,
    replies: bytes | None = None,
) -> Graded:
    """Return what is saved and published; report : the grader's own, with figures. packed : the findings without."""
    report = replace(report, student=task.student)
    after, written = publish(report, task.decisions, assignment, digest)
    as_json = REPORT_FORMATS["json"]
    return Graded(
        name=task.name,
        source=task.source,
        submission_digest=digest,
        report=drop_figures(report),
        decided=drop_figures(after),
        # Where nobody decided anything, what is published is what stands in the folder.
        published=written[as_json.file_name] if after is report else as_json.write(report),
        record=pack(report),
        replies=replies,
        findings=packed,
        ranges=findings.ranges if findings else {},
        files=written,
    )


def report_failure(task: Task, assignment: Assignment, what: str, fault: str = "") -> Graded:
    """Return the report that the grader failed on a submission, and the traceback for developers."""
    report = report_our_failure(task.source, task.name, assignment, what)
    graded = _finish(task, report, task.hand_in.digest if task.hand_in else "", assignment)
    return replace(graded, files={**graded.files, FAULT: plain_text(fault, TRACEBACK)}) if fault else graded


def _drop_figures(findings: Findings) -> Findings:
    """Return findings without the figures, which the report keeps."""
    checks = {check: replace(found, figures=()) if found.figures else found for check, found in findings.checks.items()}
    return replace(findings, checks=checks)


def drop_figures(report: Report) -> Report:
    """Return a report without figures, which only its own page shows: those of a whole class would fill the memory."""
    return replace(
        report, checks=tuple(replace(check, figures=()) if check.figures else check for check in report.checks)
    )


_worker: GradingWorker | None = None  # this worker's own
_one_at_a_time = threading.Lock()  # a worker of a cluster may have several threads; there is one zygote


def run_task(session: GradingSession, task: Task) -> Graded:
    """Return the result of one task, done by a worker that stays in this process for the next task of the session."""
    global _worker  # noqa: PLW0603 -- a worker has no other place to leave what its tasks share
    with _one_at_a_time:
        if _worker is None or _worker.session != session:
            shutdown()
            _worker = GradingWorker(session)
            Finalize(None, shutdown, exitpriority=0)  # a forked worker runs nothing else at its end
        return _worker.grade(task)


def shutdown() -> None:
    """End the students' processes of this process's worker."""
    global _worker  # noqa: PLW0603 -- the same
    if _worker is not None:
        _worker.close()
        _worker = None
