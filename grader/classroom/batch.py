"""A class, graded: each submission ends in a report on disk, whatever becomes of the others."""

from __future__ import annotations

import atexit
import os
import traceback
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, wait
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass, replace
from pathlib import Path

from grader.classroom.executors import executor
from grader.pipeline import failure, grade
from grader.records import Assignment, Probes, Report
from grader.report import FORMATS
from grader.report.overview import to_gradebook, to_index
from grader.student.host import StudentHost

WRITTEN = ("json", "html")  # what each submission's folder holds


class ReferenceMissingError(Exception):
    """The reference solution is not at hand, so there are no answers to judge by."""


@dataclass(frozen=True)
class Entry:
    """One submission to be graded."""

    path: Path
    name: str


def draw_probes(assignment: Assignment, seed: int) -> Probes:
    """Draw the questions of this grading; the reference lies beside the grader in a clone and is never installed."""
    try:
        from reference import probes  # noqa: PLC0415 -- the wheel has no reference, and other commands must work there
    except ImportError as error:
        raise ReferenceMissingError(
            "The reference solution is not here: grading needs it, and it is never installed with the package."
            " Clone the repository and install it with `pip install -e .`."
        ) from error
    return probes.draw(assignment, seed)


class Desk:
    """Where submissions are graded one after another: the questions, and a host for students' processes."""

    def __init__(self, assignment: Assignment, seed: int, out: Path) -> None:
        self.assignment = assignment
        self.out = out
        self.probes = draw_probes(assignment, seed)
        self.host = StudentHost(assignment.limits)

    def grade(self, entry: Entry) -> Report:
        """Grade one submission and write its report; give the report without its figures."""
        try:
            report = grade(entry.path, entry.name, self.assignment, self.probes, self.host).report
        except Exception as error:  # noqa: BLE001 -- a fault of ours costs this submission's report, never the batch
            self._keep(entry, traceback.format_exc())
            report = failure(entry.path, entry.name, self.assignment, f"{type(error).__name__}")
        write_report(report, self.out)
        return replace(report, checks=tuple(replace(check, figures=()) for check in report.checks))

    def _keep(self, entry: Entry, text: str) -> None:
        folder = self.out / "submissions" / entry.name
        folder.mkdir(parents=True, exist_ok=True)
        write_text(folder / "grader-error.txt", text)

    def close(self) -> None:
        """End the students' processes."""
        self.host.close()


_desk: Desk | None = None  # this worker's own, made once by the executor's initializer


def _open_desk(assignment: Assignment, seed: int, out: Path) -> None:
    global _desk  # noqa: PLW0603 -- an executor's initializer has no other place to leave what its tasks need
    if _desk is not None:
        _desk.close()
    _desk = Desk(assignment, seed, out)
    atexit.register(_desk.close)


def _grade_entry(entry: Entry) -> Report:
    if _desk is None:
        raise RuntimeError("the worker was not initialised")
    return _desk.grade(entry)


def grade_class(
    entries: Sequence[Entry],
    assignment: Assignment,
    *,
    seed: int,
    out: Path,
    jobs: int,
    told: Callable[[Report], None],
) -> list[Report]:
    """Grade all entries and give their reports in the entries' order.

    told : called with each report as it comes, for a progress bar.
    """
    found: dict[str, Report] = {}
    for entry, report in _completed(entries, assignment, seed, out, jobs):
        found[entry.name] = report
        told(report)
    return [found[entry.name] for entry in entries]


def _completed(
    entries: Sequence[Entry], assignment: Assignment, seed: int, out: Path, jobs: int
) -> Iterator[tuple[Entry, Report]]:
    unfinished: list[Entry] = []
    with executor(jobs, _open_desk, (assignment, seed, out)) as pool:
        waiting: dict[Future[Report], Entry] = {}
        queue = list(reversed(entries))
        while queue or waiting:
            # A few ahead of the workers keep them busy; the whole class at once would hide who was being graded.
            while queue and len(waiting) < 2 * jobs:
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
        yield entry, _alone(entry, assignment, seed, out)


def _alone(entry: Entry, assignment: Assignment, seed: int, out: Path) -> Report:
    """Grade one submission in a worker of its own, after a worker died (out of memory, or killed)."""
    context_jobs = 2  # any number above one makes a process; one task uses one of them
    with executor(context_jobs, _open_desk, (assignment, seed, out)) as pool:
        try:
            return pool.submit(_grade_entry, entry).result()
        except BrokenProcessPool:
            report = failure(entry.path, entry.name, assignment, "the process that graded it was killed")
            write_report(report, out)
            return report


def write_report(report: Report, out: Path) -> None:
    """Write one submission's report in each format."""
    folder = out / "submissions" / report.submission
    folder.mkdir(parents=True, exist_ok=True)
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
