"""`grader regrade`: judge a class again from its saved replies."""

from pathlib import Path

import click
from rich.table import Table
from rich.text import Text

from grader.classroom.compare_reports import count_reasons, explain
from grader.classroom.gradebook import Gradebook
from grader.classroom.output import PAGE
from grader.classroom.regrade_class import TABLE, Regraded
from grader.classroom.seed_file import choose_to_judge
from grader.classroom.variants import regrade_variants
from grader.classroom.worker import GradingSession
from grader.cli import common, options
from grader.text.phrases import plural
from grader.text.sanitise import one_line

LISTED = 40  # a terminal shows some forty lines; the file lists all
REASONS = 5


@click.command(
    epilog="""\b
Examples:
  grader regrade graded                            after you edited the class's rubric
  grader regrade graded --assignment mine/ --jobs 2
  grader regrade graded --seed 4711                if its secret-seed.txt is lost

No student code runs: the saved replies are judged again. People's decisions stay. Hints and checks that
changed in this clone are used, too. If the rubric now asks other questions, run `grader grade` instead.

Exit status: 0 judged again; 1 the grader itself failed; 2 bad usage; 130 stopped."""
)
@options.GRADED
@options.JOBS
@options.NO_CACHE
@options.CLUSTER
@options.SEED
@click.option("--force", is_flag=True, help="Judge everything again, even what this rubric has already judged.")
@options.ASSIGNMENT
def regrade(
    out: Path,
    jobs: int,
    cluster: str,
    seed: int | None,
    force: bool,
    folder: Path | None,
) -> None:
    """Judge saved replies again after a change of points, tolerances, thresholds or hints. Show whose score changed and why."""
    workers = common.workers_of(jobs, cluster)
    again = "Run the same command again to judge the rest."
    with (
        common.failures_in_words(one_line(str(out)), again),
        Gradebook(out) as book,
        common.progress("judging") as (on_start, on_result),
    ):
        assignments = common.assignments_of(folder or common.same_folder(book))
        secret = choose_to_judge(book, next(iter(assignments.values())).seed, seed)
        common.say(*secret.remarks)
        sessions = {name: GradingSession(one, secret.seed) for name, one in assignments.items()}
        try:
            found = regrade_variants(sessions, book, workers, force=force, on_start=on_start, on_result=on_result)
        except KeyboardInterrupt:
            # Between two steps: what was judged is kept, and the same command writes the pages.
            click.echo(f"Stopped. {again}", err=True)
            raise SystemExit(options.STOPPED) from None
    _print_changes(found, out)
    raise SystemExit(options.STOPPED if found.stopped else options.GRADER_FAILED if found.failed else 0)


def _print_changes(found: Regraded, out: Path) -> None:
    common.say(found.other_versions)
    if found.causes:
        causes = [f"  {one_line(cause)}" for cause in found.causes]
        common.say("What changed in the rubric or the grader:", *causes)
    if found.changes:
        common.screen().print(_table(found))
        if len(found.changes) > LISTED:
            # Forty lines that say the same tell less than how many there are of them.
            most = [f"{one_line(reason)} ({count})" for reason, count in count_reasons(found.changes)[:REASONS]]
            common.say(f"and {len(found.changes) - LISTED} more, most often: {', '.join(most)}")
            # What a person decided is never one of many.
            rest = [(change.name, text) for change in found.changes[LISTED:] for text in change.decisions]
            common.say(*(f"{one_line(name)}: {one_line(text)}" for name, text in rest))
    said = [f"{found.count} judged again."]
    if found.current:
        said.append(f"{found.current} had already been judged by this rubric (--force judges them again).")
    when = "" if found.count else " when this rubric was first used"
    many = f"{plural(len(found.changes), 'score')} changed{when}; see {one_line(str(out / TABLE))}."
    said.append(many if found.changes else "No score changed.")
    if found.reworded:
        said.append(f"{found.reworded} keep their points, but their report has new wording.")
    common.say(" ".join(said))
    common.say_reasons(found.left, "not changed")
    common.say_review(found.sheet.reports)
    if found.stopped:
        done = f"{found.count} of {found.todo} are judged again and saved."
        common.say(f"Stopped. {done} Run the same command again to judge the rest.")
    common.point_to(out / PAGE)


def _table(found: Regraded) -> Table:
    """Return a table of the changed scores; where decisions changed what counts, with the grader's own scores as well."""
    table = Table(box=None, pad_edge=False, header_style="bold", padding=(0, 2, 0, 0))
    table.add_column("submission", overflow="ellipsis", no_wrap=True, max_width=32)
    table.add_column("before", justify="right")
    table.add_column("after", justify="right")
    listed = found.changes[:LISTED]
    both = any(change.graders != (change.before, change.after) for change in listed)
    if both:
        table.add_column("by the grader", justify="right")
    table.add_column("why", overflow="fold")
    for change in listed:
        scores = [f"{score:g} / {most:g}" for score, most in zip((change.before, change.after), change.of, strict=True)]
        own = [f"{change.graders[0]:g} -> {change.graders[1]:g}"] if both else []
        table.add_row(Text(one_line(change.name)), *scores, *own, Text(one_line(explain(change))))
    return table
