"""`grader check`: a student's own program against the public questions."""

from __future__ import annotations

import gc
import os
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from threading import Thread
from typing import TYPE_CHECKING, Never

import click

from grader.sandbox.forkserver import ForkServer, SandboxError, can_fork

if TYPE_CHECKING:
    from grader.model import Report
    from grader.sandbox.spawn import SpawnServer

NOT_PASSED, BAD_USAGE, GRADER_FAILED, STOPPED = 1, 2, 4, 130
PARTS = ("forward", "loss", "backward", "train", "predict", "tuning")
# Imported while the student's process starts and while the program runs, in the order in which they are needed.
_MEANWHILE = (
    "grader.sandbox.host",
    "grader.check_program",
    "grader.grading",
    "grader.reports.self_check",
    "grader.reports.student_report",
)


@click.command(
    epilog="""\b
Examples:
  grader check two_layer_net.ipynb
  grader check two_layer_net.ipynb --part loss
  grader check two_layer_net.ipynb --html
  grader check two_layer_net.ipynb --watch   again on each save, until Ctrl-C

Exit status: 0 all public checks pass; 1 some do not; 2 bad usage; 4 the grader failed. With --watch,
Ctrl-C ends it with the status of the last check, or with 130 if there was none."""
)
@click.argument("path", type=click.Path(path_type=Path, readable=False))
@click.option("--part", type=click.Choice(PARTS), help="Check only one part of the notebook.")
@click.option("--html", is_flag=True, help="Write the report as a page beside the notebook, and open it.")
@click.option("--watch", is_flag=True, help="Check again on each save, and show what got better and what got worse.")
@click.option(
    "--questions",
    type=click.Path(path_type=Path, readable=False),
    metavar="FILE",
    help="Frozen questions that your instructor gave you. [default: those that come with the grader]",
)
def check(path: Path, part: str | None, html: bool, watch: bool, questions: Path | None) -> None:
    """Check your own notebook or .py file against the public questions: what passes, what is wrong, and what to write next."""
    gc.disable()  # what is imported stays: looking through it took an eighth of the time
    status = STOPPED
    try:
        _refuse(path)
        saves = _watch(path) if watch else iter([None])
        before = None
        for report in _check(path, part or "", questions, saves):
            _show(report)
            if before is not None:
                _show_changes(before, report)
            if html:
                _write_page(report, path, opened=before is None)
            before = report
            status = 0 if all(verdict.status == "passed" for verdict in report.checks) else NOT_PASSED
            if watch:
                click.echo(f"\n{time.strftime('%H:%M:%S')}: waiting for the next save. Press Ctrl-C to stop.")
    except KeyboardInterrupt:
        click.echo("Stopped.", err=True)
        raise SystemExit(status) from None
    except Exception as error:
        from grader.text.phrases import describe_failure  # noqa: PLC0415 -- only where something is wrong

        click.echo(f"Error: {describe_failure(error)}", err=True)
        raise SystemExit(GRADER_FAILED) from error
    finally:
        gc.enable()
    raise SystemExit(status)


def _watch(path: Path) -> Iterator[None]:
    """Return the saves of a file, the first of them at once."""
    if find_spec("watchfiles") is None:
        _end("--watch needs watchfiles, which is missing: run `pip install watchfiles`.")
    from grader.integrations.watch import watch_saves  # noqa: PLC0415 -- an extra

    return watch_saves(path)


def _refuse(path: Path) -> None:
    """End with a sentence where a path cannot be checked."""
    try:
        path.stat()
        found = os.access(path, os.R_OK)
    except (FileNotFoundError, NotADirectoryError):
        found = True  # that it is not is told below
    except OSError as error:
        _end(f"{path}: it cannot be looked at ({error.strerror}). Name the notebook where you may read it.")
    if not found:
        _end(f"{path}: you may not read it. Change its rights, or check a copy of your own.")
    if path.is_dir():
        inside = sorted(path.glob("*.ipynb")) or [path / "two_layer_net.ipynb"]
        _end(f"{path}: this is a folder. Name the notebook in it, such as {inside[0]}.")
    if not path.is_file():
        near = sorted(one.name for one in path.parent.glob("*.ipynb"))
        there = f" In its folder there is {', '.join(near[:3])}." if near else ""
        _end(f"{path}: there is no such file.{there}")
    if find_spec("numpy") is None:
        _end("numpy is missing: run `pip install numpy` in the Python that runs the grader.")


def _end(problem: str) -> Never:
    """Print what is wrong with what was asked, and how to mend it, in one line."""
    _say_problem(problem)
    raise SystemExit(BAD_USAGE)


def _say_problem(problem: str) -> None:
    from grader.text.sanitise import one_line  # noqa: PLC0415 -- only where something is wrong

    click.echo(f"Error: {one_line(problem)}", err=True)


def _check(path: Path, part: str, questions: Path | None, saves: Iterator[None]) -> Iterator[Report]:
    """Yield the report on the program in a file at each of its saves."""
    meanwhile = Thread(target=lambda: [import_module(name) for name in _MEANWHILE])
    server = _open_server(meanwhile)
    # The first of the above, as those that follow.
    from grader.check_program import (  # noqa: PLC0415
        NothingToCheckError,
        judge_program,
        refuse_old_numpy,
        run_program,
    )
    from grader.frozen import FrozenError, load_frozen  # noqa: PLC0415 -- the same
    from grader.rubric import bundled  # noqa: PLC0415 -- the same
    from grader.sandbox.host import StudentHost  # noqa: PLC0415 -- the same
    from grader.submission import read  # noqa: PLC0415 -- the same

    try:
        refuse_old_numpy()
        frozen = load_frozen(questions or bundled())
        host = StudentHost(frozen.assignment.limits, server=server)
        checked = False
        for _ in saves:
            started = time.perf_counter()
            try:
                saved = time.localtime(path.stat().st_mtime)
                submission, run = run_program(read(path), path.name, str(path), frozen, host, part)
                meanwhile.join()  # before anything is forked from here
                yield _note_save(judge_program(submission, run, frozen, part, started), path, saved)
                checked = True
            except NothingToCheckError as error:
                if not checked:
                    _end(str(error))
                _say_problem(str(error))  # and the next save may mend it
    except (FrozenError, NothingToCheckError) as error:
        _end(str(error))
    finally:
        server.close()


def _note_save(report: Report, path: Path, saved: time.struct_time) -> Report:
    """Return the report with when the notebook was saved: what is in the editor or the kernel alone is not in it."""
    if path.suffix != ".ipynb":
        return report
    at = f"{time.strftime('%H:%M:%S', saved)} on {saved.tm_mday} {time.strftime('%B', saved)}"
    note = f"This is the version saved at {at}. Later changes are not in it: save, and check again."
    return replace(report, notes=(*(one for one in report.notes if one != f"Graded: {path.name}."), note))


def _open_server(meanwhile: Thread) -> ForkServer | SpawnServer:
    """Start what the program's process comes from; it lives as long as the thread that starts it, which must be the first.

    meanwhile : started once no process is to be forked from here any more.
    """
    if can_fork():
        with suppress(SandboxError):  # for one's own code the lock-down may be missing
            return ForkServer(lean=True, forked=True, meanwhile=meanwhile.start)
    if meanwhile.ident is None:
        meanwhile.start()
    from grader.sandbox.spawn import SpawnServer  # noqa: PLC0415 -- it imports numpy, for which a zygote need not wait

    return SpawnServer()


def _show(report: Report) -> None:
    from rich.console import Console  # noqa: PLC0415 -- imported by now

    from grader.check_program import BY_TITLE  # noqa: PLC0415 -- the same
    from grader.reports.self_check import view  # noqa: PLC0415 -- the same
    from grader.reports.student_report import student_report  # noqa: PLC0415 -- the same
    from grader.reports.terminal import write_plain  # noqa: PLC0415 -- the same

    shown = view(student_report(report), BY_TITLE)
    if sys.stdout.isatty():
        Console().print(shown)
    else:
        click.echo(write_plain(shown), nl=False)


def _show_changes(before: Report, after: Report) -> None:
    from grader.reports.self_check import describe_changes  # noqa: PLC0415 -- imported by now
    from grader.reports.student_report import student_report  # noqa: PLC0415 -- the same

    click.echo("\n" + "\n".join(describe_changes(student_report(before), student_report(after))))


def _write_page(report: Report, path: Path, *, opened: bool) -> None:
    """Write the page beside the notebook; opened : and open it."""
    from grader.check_program import BY_TITLE  # noqa: PLC0415 -- imported by now
    from grader.cli.options import open_page  # noqa: PLC0415 -- only where it is asked for
    from grader.reports.page import to_html  # noqa: PLC0415 -- the same
    from grader.reports.self_check import count_passed  # noqa: PLC0415 -- imported by now
    from grader.reports.student_report import student_report  # noqa: PLC0415 -- the same

    page = path.with_name(f"{path.stem}.check.html")
    try:
        told = student_report(replace(report, notes=(count_passed(report), *report.notes)))
        page.write_text(to_html(told, BY_TITLE), encoding="utf-8")
    except OSError as error:
        _end(f"{page}: the page cannot be written there ({error.strerror}). Check a copy in a folder of your own.")
    click.echo(f"Wrote {page.resolve()}")
    if opened:
        open_page(page)
