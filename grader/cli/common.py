"""What all commands share: options, the screen, and error messages."""

import os
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import NoReturn

import click
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, ProgressColumn, Task, TextColumn, TimeRemainingColumn
from rich.text import Text

from grader.classroom.blind import Blind
from grader.classroom.executors import LOCAL, REMOTE, ClusterError, Workers
from grader.classroom.gradebook import Gradebook, GradebookError, NoSpaceError
from grader.classroom.reference_api import ReferenceMissingError
from grader.classroom.roster import RosterError
from grader.classroom.variant_folders import list_variants
from grader.classroom.worker import Graded
from grader.cli.options import MOST_WORKERS
from grader.model import Assignment, Report
from grader.reports.export_rows import JUnitSchema
from grader.rubric import FILE as RUBRIC
from grader.rubric import AssignmentError, bundled
from grader.rubric import load as load_assignment
from grader.sandbox import self_test
from grader.score import KNOWN
from grader.text.phrases import join_some
from grader.text.sanitise import one_line

REVIEWED = 10  # submissions that a person should look at; the class page lists all
_BINS = 10
_PAUSE = 0.1  # seconds between two looks of the progress bar
_BARS = " ▁▂▃▄▅▆▇█"


def assignment_of(folder: Path | None) -> Assignment:
    """Return the assignment; raise UsageError, which says what is wrong, where it cannot be read."""
    try:
        return load_assignment(folder or bundled(), KNOWN)
    except AssignmentError as error:
        raise click.UsageError(str(error)) from error


def assignments_of(folder: Path | None) -> dict[str, Assignment]:
    """Return the assignment without a name, or those of a class in which students have different ones, by their names."""
    return {name: assignment_of(one) for name, one in list_variants(folder or bundled()).items()}


def schema_of(schema: JUnitSchema | None, form: str) -> Mapping[str, JUnitSchema]:
    """Return what `--schema` asks of a format; raise UsageError where the format has no such thing."""
    if schema and form != "junit":
        raise click.UsageError("--schema says who reads JUnit: give it with --format junit.")
    return {"schema": schema} if schema else {}


def same_folder(book: Gradebook) -> Path | None:
    """Return the folder of the rubric that the class was graded with, since it is most likely the one that was edited.

    None for a new class. Raises UsageError where the folder is gone: another rubric would silently give other points.
    """
    folder = book.rubric_folder()
    if folder and not (folder / RUBRIC).exists():
        raise click.UsageError(
            f"This class was graded with the rubric in {one_line(str(folder))}, which no longer exists. Give its new location"
            f" with --assignment. The grader's own rubric is in {one_line(str(bundled()))}."
        )
    return folder.parent if folder and "" not in list_variants(folder.parent) else folder


def workers_of(jobs: int, cluster: str) -> Workers:
    """Return where the work is to be done; raise UsageError where the address is wrong."""
    if cluster.startswith(LOCAL):
        count = cluster.removeprefix(LOCAL)
        if count.isascii() and count.isdigit() and 1 <= int(count) <= MOST_WORKERS:
            return Workers(cluster=cluster)
        raise click.UsageError(
            f"--cluster {cluster}: expected a number of workers from 1 to {MOST_WORKERS}, such as local:4."
        )
    if cluster and not cluster.startswith(REMOTE):
        raise click.UsageError(
            f"--cluster {cluster}: expected local:N or a scheduler's address, such as tcp://host:8786."
        )
    return Workers(jobs, cluster)


def make_folder(folder: Path, option: str = "--out", what: str = "") -> None:
    """Make the folder to write into; what : the file to be written, "" for several. Ends the command where it cannot."""
    shown = one_line(str(folder))
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise click.UsageError(
            f"{option} {shown}: this folder cannot be made ({error.strerror}). Name another one."
        ) from error
    if what and not os.access(folder, os.W_OK):
        fail(f"{shown}: you may not write there, so {what} cannot be written. Name a folder of your own with {option}.")


@contextmanager
def failures_in_words(where: str, go_on: str = "") -> Iterator[None]:
    """Turn expected errors into messages; where : the command writes to; go_on : what to do once the reason is gone."""
    try:
        yield
    except (ReferenceMissingError, RosterError, ValueError) as error:
        raise click.UsageError(str(error)) from error
    except NoSpaceError as error:
        fail(f"{error} {go_on}")
    except (self_test.NotIsolatedError, GradebookError, ClusterError) as error:
        fail(f"{error}{f' {go_on}' if isinstance(error, ClusterError) else ''}")
    except OSError as error:
        file = f" ({error.filename})" if error.filename else ""
        fail(f"{where}: {error.strerror or error}{file}. {go_on}")


def fail(text: str) -> NoReturn:
    """End the command with why the grader failed; its exit status is click's 1."""
    raise click.ClickException(text.strip())


def screen() -> Console:
    """Return where results are printed."""
    # A file or a pipe has no width; a small one would break each message over many lines, and cut names.
    return Console() if sys.stdout.isatty() else Console(width=400)


def say(*texts: str) -> None:
    """Print each text that is not empty on a line, as it is: a rich Text reads no markup and no emoji codes in a file's name."""
    console = screen()
    for text in filter(None, texts):
        console.print(Text(text))


def say_reasons(left: Mapping[str, str], what: str) -> None:
    """Print one line for each reason why submissions were left out; left : name -> reason, what : "not compared"."""
    for reason, count in Counter(left.values()).items():
        names = [name for name, why in left.items() if why == reason]
        say(f"{count} {what} ({join_some(names)}): {reason}")


def say_standings(reports: Sequence[Report], names: Blind | None = None) -> None:
    """Print each submission's score and the decisions about it; names : what to hide."""
    for report in map(names.hide_report, reports) if names else reports:
        excused = ", excused" if report.excused else ""
        whose = f" ({one_line(report.student)})" if report.student else ""
        say(f"{one_line(report.submission)}{whose}: {report.score:g} of {report.max_score:g} points{excused}.")
        for ruling in report.rulings:
            aside = "" if ruling.applies else " (not in force)"  # the effect says why
            say(f"  {ruling.decision.number}. {one_line(ruling.effect)}{aside}")


def say_review(reports: Sequence[Report]) -> None:
    """Print what a person should look at, one line for each submission, up to a limit.

    Students may read the log of a CI: where checks are hidden, what was found stands on the class page alone.
    """
    told = [one for one in reports if one.review]
    for one in told[:REVIEWED]:
        is_secret = any(verdict.hidden for verdict in one.checks)
        sentences = "The class page says why." if is_secret else " ".join(map(one_line, one.review))
        say(f"To look at: {one_line(one.submission)}: {sentences}")
    if len(told) > REVIEWED:
        say(f"To look at: {len(told) - REVIEWED} more. The class page lists them.")


def point_to(page: Path) -> None:
    """Print the page's path on one line, so that a terminal makes it a link."""
    screen().print(Text(f"Open {page.resolve()}"), soft_wrap=True)


class _Rate(ProgressColumn):
    """Submissions a second."""

    def render(self, task: Task) -> Text:
        return Text(f"{task.speed:.1f}/s" if task.speed else "", style="progress.data.speed")


@contextmanager
def progress(doing: str) -> Iterator[tuple[Callable[[int], None], Callable[[Graded | None], None]]]:
    """Show a progress bar with the rate, the time left and the distribution of scores so far.

    Yields two functions: one to call with the number of submissions, one to call with each that is done.
    """
    console = Console(stderr=True)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), _Rate(), TimeRemainingColumn())
    scores = TextColumn("{task.fields[scores]}")
    # Without rich's thread, of which a forked worker would have the locks.
    with Progress(*columns, scores, console=console, transient=True, auto_refresh=False) as shown:
        task = shown.add_task(doing, total=None, scores="")
        found: Counter[int] = Counter()
        drawn = 0.0

        def on_result(one: Graded | None) -> None:
            nonlocal drawn
            found.update(count_tenths([one.decided] if one else []))
            shown.update(task, advance=1, scores=distribution(found))
            if (now := time.monotonic()) > drawn + _PAUSE:
                drawn = now
                shown.refresh()

        yield lambda total: shown.update(task, total=total, refresh=True), on_result


def count_tenths(reports: Iterable[Report]) -> Counter[int]:
    """Return how many of the graded submissions have a score in each tenth of the points."""
    graded = (one for one in reports if one.status == "graded" and one.max_score)
    return Counter(min(int(_BINS * one.score / one.max_score), _BINS - 1) for one in graded)


def distribution(found: Counter[int]) -> str:
    """Return a tiny bar chart of the scores in each tenth of the points, lowest first: "0 ▁  ▂▅█ 100 %"."""
    if not found:
        return ""
    most = max(found.values())
    bars = "".join(_BARS[-(-found[tenth] * (len(_BARS) - 1) // most)] for tenth in range(_BINS))
    return f"0 {bars} 100 %"
