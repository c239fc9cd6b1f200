"""`grader grade`: a class, run and judged."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import click
from rich.console import Console

from grader.classroom.executors import Workers
from grader.classroom.grade_class import Outcome, StoppedError, grade_class
from grader.classroom.gradebook import FILE as GRADEBOOK
from grader.classroom.gradebook import Gradebook
from grader.classroom.match_roster import describe_matching
from grader.classroom.plan import Entry, assign_names
from grader.classroom.restore import reminder
from grader.classroom.roster import read_roster
from grader.classroom.worker import GradingSession
from grader.cli import common
from grader.reports.terminal import summary
from grader.rubric import FILE as RUBRIC
from grader.rubric import bundled
from grader.submission import list_ignored, list_submissions
from grader.text.phrases import join_some
from grader.text.sanitise import one_line

# A terminal shows some forty lines; a class is looked at on its page.
LISTED = 40
REASONS = 5


@click.command(
    epilog="""\b
Examples:
  grader grade alice.ipynb --out graded            one notebook
  grader grade submissions/ --out graded --jobs 2  a folder: each entry is one submission
  grader grade clone/ --one --out graded           a folder that is one submission
  grader grade submissions.zip --out graded        a zip is one submission; unpack a class's zip first
  grader grade submissions/ --out graded --roster roster.csv
  grader grade submissions/ --out graded --cluster tcp://10.0.0.5:8786

The same command again grades what is new or changed since, and goes on where it was stopped.

Exit status: 0 graded, whatever the scores; 1 the grader itself failed on something; 2 bad usage; 130 stopped."""
)
@click.argument("paths", nargs=-1, required=True, type=click.Path(path_type=Path), metavar="PATH...")
@click.option("--out", type=click.Path(path_type=Path), required=True, help="Folder for gradebook and reports.")
@common.JOBS
@common.CLUSTER
@common.SEED
@click.option("--one", is_flag=True, help="A folder is one submission, not a class.")
@click.option("--force", is_flag=True, help="Grade all, also what is unchanged.")
@click.option("--roster", type=click.Path(path_type=Path), help="CSV of the class: Canvas's, Moodle's, or a plain one.")
@click.option("--unsafe", is_flag=True, help="Grade even where student code is not isolated; every report says so.")
@common.ASSIGNMENT
def grade(
    paths: Sequence[Path],
    out: Path,
    jobs: int,
    cluster: str,
    seed: int | None,
    one: bool,
    force: bool,
    roster: Path | None,
    unsafe: bool,
    folder: Path | None,
) -> None:
    """Grade submissions (notebooks, .py files, zips, folders of them) and write a report for each."""
    given, workers = folder and common.assignment_of(folder), common.workers_of(jobs, cluster)
    found, left = _named_on_the_command_line(paths, out, one=one)
    if not given and not (out / GRADEBOOK).exists():
        given = common.assignment_of(None)
    common.make_folder(out)
    again = "What was graded before is kept: the same command goes on with the rest."
    stopped = False
    with common.failures_in_words(f"--out {out}", again):
        listed = read_roster(roster) if roster else None
        with Gradebook(out, create=True) as book, common.progress("grading") as (began, told):
            assignment = given or common.assignment_of(common.same_folder(book))
            chosen = assign_names(found, book.sources())
            began(len(chosen))
            session = GradingSession(assignment, assignment.seed if seed is None else seed, unsafe)
            few = workers if workers.cluster else Workers(min(jobs, len(chosen)))
            try:
                outcome = grade_class(chosen, session, book, few, roster=listed, force=force, told=told)
            except StoppedError as stop:
                stopped, outcome = True, stop.outcome
            reminded = reminder(book)
    screen = common.screen()
    if not given and assignment.folder.resolve() != bundled():
        common.say(
            screen, f"Graded by {one_line(str(assignment.folder / RUBRIC))}, as before; --assignment names another."
        )
    failed = _print_outcome(screen, outcome, chosen, left, stopped=stopped)
    if reminded:
        common.say(screen, reminded)
    raise SystemExit(common.STOPPED if stopped else common.GRADER_FAILED if failed else 0)


def _print_outcome(
    screen: Console, outcome: Outcome, chosen: Sequence[Entry], left: Sequence[str], *, stopped: bool
) -> bool:
    """Say what became of the class; tell whether the grader failed on something."""
    _scores(screen, outcome)
    if left:
        # Whoever hands in names the files; a name may hold a terminal's codes, or a command to a CI's runner.
        hidden = (
            " A dot hides a file: rename what is to be graded." if any(name.startswith(".") for name in left) else ""
        )
        common.say(screen, f"Ignored, since they are no submissions: {join_some(left, most=len(left))}.{hidden}")
    counts = Counter(outcome.actions.values())
    common.say(screen, f"{', '.join(f'{count} {fate}' for fate, count in sorted(counts.items())) or 'Nothing'}.")
    elsewhere = [name for name in outcome.moved if outcome.actions.get(name, "unchanged") != "unchanged"]
    if elsewhere:
        common.say(
            screen,
            "Taken for the same submission as one of that name from another folder:"
            f" {join_some([f'{name} (was {outcome.moved[name]})' for name in elsewhere])}.",
        )
    overtaken = [
        report.submission
        for report in outcome.reports
        if outcome.actions.get(report.submission) == "changed"
        and any(one.decision.kind == "points" and not one.applies for one in report.rulings)
    ]
    if overtaken:
        common.say(
            screen,
            f"Points that were decided for an earlier hand-in do not count for the new one: {join_some(overtaken)}."
            " `grader history` shows them.",
        )
    if outcome.others:
        common.say(screen, f"In the gradebook from before, and not among these: {join_some(outcome.others)}.")
    for text in describe_matching(outcome.matching) if outcome.matching else ():
        common.say(screen, text)
    if stopped:
        graded = len(outcome.actions)
        common.say(
            screen,
            f"Stopped: {graded} of {len(chosen)} are graded and kept. The same command goes on with the rest.",
        )
    common.say_review(screen, outcome.reports)
    failed = [report.submission for report in outcome.reports if report.status == "grader_error"]
    if failed:
        common.say(
            screen,
            f"The grader itself failed on: {join_some(failed)}."
            " What is known of it is in grader-error.txt beside the report.",
        )
    common.point_to(screen, outcome.page)
    return bool(failed)


def _scores(screen: Console, outcome: Outcome) -> None:
    if len(outcome.reports) <= LISTED:
        screen.print(summary(outcome.reports))
        return
    scores = sorted(report.score for report in outcome.reports if report.status == "graded")
    unread = len(outcome.reports) - len(scores)
    tenths = Counter(
        min(int(10 * report.score / report.max_score), 9)
        for report in outcome.reports
        if report.status == "graded" and report.max_score
    )
    median = f", median {scores[len(scores) // 2]:g}" if scores else ""
    common.say(
        screen,
        f"{len(scores)} graded{median}, {unread} could not be: {common.distribution(tenths)}".rstrip(": "),
    )


def _named_on_the_command_line(paths: Sequence[Path], out: Path, *, one: bool) -> tuple[list[Path], list[str]]:
    """Find the submissions in what was named: a file or zip is one, a folder is a class, unless `one`."""
    found: list[Path] = []
    left: list[str] = []
    for path in paths:
        if not path.exists():
            raise click.UsageError(f"{one_line(str(path))}: there is no such file or folder.")
        if path.is_dir() and not one:
            found += [
                entry for entry in list_submissions(path) if not _is_output(entry) and entry.resolve() != out.resolve()
            ]
            left += [entry.name for entry in list_ignored(path)]
        else:
            found.append(path)
    if not found:
        raise click.UsageError(
            f"{join_some([str(path) for path in paths])}: nothing to grade in it. A submission is an .ipynb, a .py, a .zip or a folder."
        )
    return list(dict.fromkeys(found)), left


def _is_output(entry: Path) -> bool:
    """Tell a folder that an earlier grading wrote from a submission."""
    return all((entry / part).exists() for part in ("index.html", "gradebook.csv", "submissions"))
