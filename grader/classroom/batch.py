"""A class, graded: each submission ends in a report on disk, whatever becomes of the others."""

from __future__ import annotations

import atexit
import multiprocessing
import os
import signal
import threading
import traceback
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Executor, Future, wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from grader.classroom.executors import executor
from grader.pipeline import failure, grade
from grader.records import Assignment, Probes, Report
from grader.report import FORMATS
from grader.report.overview import to_gradebook, to_index
from grader.report.page import environment
from grader.report.untrusted import plain
from grader.student import canary
from grader.student.host import StudentHost

TRACEBACK = 100_000  # characters of our own fault that are kept; what a student wrote may stand in it
WRITTEN = ("json", "html")  # what each submission's folder holds


REFERENCE_MISSING = (
    "The reference solution is not here: grading needs it, and it is never installed with the package."
    " Clone the repository and install it with `pip install -e .`."
)


class ReferenceMissingError(Exception):
    """The reference solution is not at hand, so there are no answers to judge by."""


@dataclass(frozen=True)
class Entry:
    """One submission to be graded."""

    path: Path
    name: str


@dataclass(frozen=True)
class Sitting:
    """What all submissions of one grading share."""

    assignment: Assignment
    seed: int  # of the questions
    out: Path
    unsafe: bool = False  # grade even where student code is not isolated


def draw_probes(assignment: Assignment, seed: int) -> Probes:
    """Draw the questions of this grading; the reference lies beside the grader in a clone and is never installed."""
    try:
        from reference import probes  # noqa: PLC0415 -- the wheel has no reference, and other commands must work there
    except ImportError as error:
        raise ReferenceMissingError(REFERENCE_MISSING) from error
    return probes.draw(assignment, seed)


class StoppedError(Exception):
    """Somebody pressed Ctrl-C; `reports` are those that had been written."""

    def __init__(self, reports: list[Report]) -> None:
        super().__init__(f"stopped after {len(reports)} submissions")
        self.reports = reports


class Desk:
    """Where submissions are graded one after another: the questions, and a host for students' processes."""

    def __init__(self, sitting: Sitting) -> None:
        self.assignment = sitting.assignment
        self.out = sitting.out
        self.probes = draw_probes(sitting.assignment, sitting.seed)
        environment()  # our templates are read before any student code runs
        self.host = StudentHost(self.assignment.limits)
        # In each worker: one may run where another does not.
        self.refusal, self.warning = canary.verdict(self.host, self.assignment.limits)
        self.unsafe = sitting.unsafe

    def grade(self, entry: Entry) -> Report:
        """Grade one submission and write its report; give the report without its figures.

        Raises NotIsolatedError where the canary got through.
        """
        if self.refusal and not self.unsafe:
            raise canary.NotIsolatedError(self.refusal)
        report = self._graded(entry, last=False) or self._graded(entry, last=True)
        if report is None:
            raise RuntimeError("the last attempt gives a report in any case")
        if self.warning:
            report = replace(report, notes=(*report.notes, self.warning))
        write_report(report, self.out)
        return replace(report, checks=tuple(replace(check, figures=()) for check in report.checks))

    def _graded(self, entry: Entry, *, last: bool) -> Report | None:
        """Grade, with a fault of ours costing this submission's report and never the batch; None asks for a second try."""
        try:
            return grade(entry.path, entry.name, self.assignment, self.probes, self.host).report
        except Exception as error:  # noqa: BLE001 -- any fault
            # Whatever state the fault left behind must not reach the next submission.
            self.host.close()
            self.host = StudentHost(self.assignment.limits)
            if not last:
                return None
            self._keep(entry, traceback.format_exc())
            return failure(entry.path, entry.name, self.assignment, f"{type(error).__name__}")

    def _keep(self, entry: Entry, text: str) -> None:
        folder = self.out / "submissions" / entry.name
        folder.mkdir(parents=True, exist_ok=True)
        write_text(folder / "grader-error.txt", plain(text, TRACEBACK))

    def close(self) -> None:
        """End the students' processes."""
        self.host.close()


_desk: Desk | None = None  # this worker's own, made once by the executor's initializer


def _open_desk(sitting: Sitting) -> None:
    global _desk  # noqa: PLW0603 -- an executor's initializer has no other place to leave what its tasks need
    if _desk is not None:
        _desk.close()
    if multiprocessing.parent_process() is not None:
        _die_with(multiprocessing.parent_process())
    _desk = Desk(sitting)
    atexit.register(_desk.close)


def _die_with(parent: multiprocessing.process.BaseProcess | None) -> None:
    """End this worker when the command ends, however that ends: a killed grader must leave nothing running."""

    def wait_for_the_end() -> None:
        if parent is not None:
            parent.join()
        os._exit(1)  # the zygote, whose control socket this closes, goes as well

    threading.Thread(target=wait_for_the_end, daemon=True).start()
    # Ctrl-C reaches the whole terminal; it is the command's to answer.
    signal.signal(signal.SIGINT, signal.SIG_IGN)


def _grade_entry(entry: Entry) -> Report:
    if _desk is None:
        raise RuntimeError("the worker was not initialised")
    return _desk.grade(entry)


def grade_class(
    entries: Sequence[Entry], sitting: Sitting, *, jobs: int, told: Callable[[Report], None]
) -> list[Report]:
    """Grade all entries and give their reports in the entries' order.

    told : called with each report as it comes, for a progress bar.
    Raises StoppedError for Ctrl-C, and canary.NotIsolatedError where student code is not isolated.
    """
    found: dict[str, Report] = {}
    try:
        for entry, report in _completed(entries, sitting, jobs):
            found[entry.name] = report
            told(report)
    except KeyboardInterrupt:
        raise StoppedError([found[entry.name] for entry in entries if entry.name in found]) from None
    return [found[entry.name] for entry in entries]


def _completed(entries: Sequence[Entry], sitting: Sitting, jobs: int) -> Iterator[tuple[Entry, Report]]:
    unfinished: list[Entry] = []
    with executor(jobs, _open_desk, (sitting,)) as pool, _stopping(pool):
        waiting: dict[Future[Report], Entry] = {}
        queue = list(reversed(entries))
        while queue or waiting:
            # A few ahead of the workers keep them busy; alone, each is told of before the next is begun.
            while queue and len(waiting) < (1 if jobs == 1 else 2 * jobs):
                entry = queue.pop()
                try:
                    waiting[pool.submit(_grade_entry, entry)] = entry
                except BrokenProcessPool:
                    unfinished.append(entry)
            for future in wait(waiting, return_when=FIRST_COMPLETED).done:
                entry = waiting.pop(future)
                try:
                    yield entry, future.result()
                except BrokenProcessPool:
                    unfinished.append(entry)
    for entry in unfinished:
        yield entry, _alone(entry, sitting)


@contextmanager
def _stopping(pool: Executor) -> Iterator[None]:
    """On Ctrl-C end the workers at once, instead of waiting for what they are grading."""
    try:
        yield
    except KeyboardInterrupt:
        pool.shutdown(wait=False, cancel_futures=True)
        for worker in multiprocessing.active_children():
            worker.terminate()
        raise


def _alone(entry: Entry, sitting: Sitting) -> Report:
    """Grade one submission in a worker of its own, after a worker died (out of memory, or killed)."""
    context_jobs = 2  # any number above one makes a process; one task uses one of them
    with executor(context_jobs, _open_desk, (sitting,)) as pool:
        try:
            return pool.submit(_grade_entry, entry).result()
        except BrokenProcessPool:
            what = "the grader's process was killed twice in grading it"
            report = failure(entry.path, entry.name, sitting.assignment, what)
            write_report(report, sitting.out)
            return report


def write_report(report: Report, out: Path) -> None:
    """Write one submission's report in each format."""
    folder = out / "submissions" / report.submission
    folder.mkdir(parents=True, exist_ok=True)
    if report.status != "grader_error":
        (folder / "grader-error.txt").unlink(missing_ok=True)
    for name in WRITTEN:
        form = FORMATS[name]
        write_text(folder / form.file_name, form.write(report))


def write_overview(reports: Sequence[Report], assignment: Assignment, out: Path) -> Path:
    """Write the class page and the gradebook; give the page's path."""
    write_text(out / "gradebook.csv", to_gradebook(reports))
    page = out / "index.html"
    write_text(page, to_index(reports, assignment.title))
    return page


def write_text(path: Path, text: str) -> None:
    """Write a file so that it is there whole or not at all."""
    partial = path.with_name(f".{path.name}.{os.getpid()}.part")
    partial.write_text(text, encoding="utf-8")
    partial.replace(path)
