"""`grader history`: every grading of one submission, and every decision about it."""

from pathlib import Path

import click

from grader.classroom.blind import hide_names
from grader.classroom.compare_reports import compare_reports, explain
from grader.classroom.find_student import find_submission
from grader.classroom.gradebook import DecisionRecord, Gradebook, GradingRow
from grader.classroom.restore import reminder
from grader.classroom.results import ClassResults
from grader.cli import common, options
from grader.model import Report
from grader.reports.report_json import from_json
from grader.text.phrases import plural
from grader.text.sanitise import MESSAGE, one_line

_MADE = {"grade": "graded", "regrade": "judged again"}


@click.command(
    epilog="""\b
Example:
  grader history graded alice

Exit status: 0 the history is shown; 1 the gradebook cannot be used; 2 bad usage."""
)
@options.GRADED
@click.argument("name")
@options.BLIND
def history(out: Path, name: str, blind: bool) -> None:
    """List every grading of one submission, the changes between them, and people's decisions."""
    with common.failures_in_words(one_line(str(out))), Gradebook(out, reading=True) as book:
        name = find_submission(book, name, blind=blind)
        gradings = [(kept, from_json(book.published(kept.id))) for kept in book.gradings(name)]
        records = book.decision_records(name)
        source = book.sources()[name]
        report = ClassResults(book).report(name)
        names = hide_names(book, blind=blind)
        reminded = reminder(book)
    common.say(names.hide(f"{one_line(name)}, from {one_line(Path(source).name if blind else source)}"))
    events = [*_grading_events(gradings), *map(_decision_event, records)]
    for at, text in sorted(events, key=lambda event: event[0]):
        # Longer than a line of a report: a comment stands in it, and all that a rubric may have moved.
        common.say(names.hide(f"{at}  {one_line(text, 2 * MESSAGE)}"))
    common.say("Now:")
    common.say_standings([report], names)
    common.say(reminded)


def _grading_events(gradings: list[tuple[GradingRow, Report]]) -> list[tuple[str, str]]:
    events = []
    before: Report | None = None
    for kept, report in gradings:
        text = f"{_MADE[kept.made]}: {kept.score:g} of {kept.max_score:g}"
        text += "" if kept.status == "graded" else f" ({kept.status.replace('_', ' ')})"
        text += "" if kept.key.isolated else ", with --unsafe"
        if before is not None:
            text += f"; {explain(compare_reports(before, report)) or 'no change'}"
            # A namesake from another folder is taken for the same submission: whoever looks for the mix-up finds it here.
            text += f"; from {report.source}, earlier from {before.source}" if report.source != before.source else ""
        of = f"submission {kept.key.submission_digest[:12] or 'unread'}, rubric {kept.key.assignment_digest[:12]}"
        events.append((kept.at, f"{text} [{of}, seed {kept.key.seed_id[:6]}]"))
        before = report
    return events


def _decision_event(one: DecisionRecord) -> tuple[str, str]:
    decision = one.decision
    of = "" if decision.of is None else f" of {decision.of:g}"
    what = {
        "points": f"{decision.check} set to {decision.value:g}{of} points",
        "late_days": f"late by {plural(decision.value, 'day')}",
        "excused": "excused" if decision.value else "not excused",
        "comment": f"comment on {decision.check}" if decision.check else "comment",
        "request": "regrade request" if decision.value else "regrade request answered",
    }[decision.kind]
    taken_back = f" Taken back by {one.withdrawn}" if one.withdrawn else ""
    words = ": ".join(part for part in (what, " ".join(decision.comment.split())) if part)
    return one_line(decision.at), f"decision {decision.number} by {decision.by}: {words}{taken_back}"
