"""The report of a self-check: the parts of the notebook at a glance, the mistakes by name, and what to write next."""

from collections.abc import Iterator, Mapping, Sequence

from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.text import Text

from grader.model import Report, StudentReport, Verdict, VerdictStatus
from grader.reports import terminal, wording
from grader.text.phrases import format_points

_WORST_FIRST: tuple[VerdictStatus, ...] = ("failed", "skipped", "partial", "carried", "passed")
PLAIN_PROCESS = (
    "Your code ran in a plain child process, with what limits this system has. For your own code that is all it takes."
)
SAME_PROCESS = (
    "Your class was asked in this kernel itself, since no other process could run it: no time limit was in force. Interrupt the"
    " kernel if it does not end."
)


def count_passed(report: Report) -> str:
    """Return how many public checks pass, in a sentence."""
    passed = sum(verdict.status == "passed" for verdict in report.checks)
    return (
        f"Public checks: {passed} of {len(report.checks)} pass;"
        " the instructor's grading asks other questions of the same kind."
    )


def describe_changes(before: StudentReport, after: StudentReport) -> list[str]:
    """Return what got better and what got worse from one check to the next, a line each; one line where nothing did."""
    old = {verdict.id: verdict for verdict in before.checks}
    both = [(old[verdict.id], verdict) for verdict in after.checks if verdict.id in old]
    told = [_describe_change(was, now) for was, now in both if was.status != now.status or was.points != now.points]
    titles = [{one.title for one in report.diagnoses} for report in (before, after)]
    told += [f"Better: no longer found: {title}" for title in sorted(titles[0] - titles[1])]
    told += [f"Worse: newly found: {title}" for title in sorted(titles[1] - titles[0])]
    points = f"{format_points(before.score)} to {format_points(after.score)} of {format_points(after.max_score)} points"
    return (
        [f"Since the last save: from {points}.", *sorted(told)]
        if told
        else ["Since the last save, no verdict changed."]
    )


def _describe_change(was: Verdict, now: Verdict) -> str:
    rank = [(verdict.points, _WORST_FIRST.index(verdict.status)) for verdict in (was, now)]
    change = f"{wording.STATUSES[was.status]} before, now {wording.STATUSES[now.status]}"
    return f"{'Better' if rank[1] > rank[0] else 'Worse'}: {now.title.removesuffix('.')} ({change})"


def view(report: StudentReport, parts: Mapping[str, Sequence[str]]) -> RenderableType:
    """Lay the report out for a rich console of any width.

    parts : the checks of each part of the notebook by its title, in order.
    """
    by_id = {verdict.id: verdict for verdict in report.checks}
    chosen = [
        (title, found) for title, checks in parts.items() if (found := [by_id[one] for one in checks if one in by_id])
    ]
    head = terminal.show_headline(report)[:1]
    if report.status != "graded":
        return Group(*head, *terminal.show_banner(report))
    body: list[RenderableType] = [*head, Text(count_passed(report)), Text(), _glance(chosen)]
    body += terminal.show_diagnoses(report)
    if wording.is_wrong_somewhere(report):
        body += terminal.show_steps(report)
    for title, verdicts in chosen:
        body += _wrong(title, verdicts)
    body += _next_steps(chosen)
    body += terminal.show_remarks(report)
    if report.environment.isolation and not wording.is_locked_down(report.environment.isolation):
        told = SAME_PROCESS if "same_process" in report.environment.isolation else PLAIN_PROCESS
        body += [Text(), Text(told, style="dim")]
    return Group(*body)


def _glance(parts: Sequence[tuple[str, Sequence[Verdict]]]) -> RenderableType:
    """Return a line for each part: a mark for each check, and the points."""
    rows = []
    for title, verdicts in parts:
        marks = Text.assemble(*(terminal.MARKS[verdict.status] for verdict in verdicts))
        earned, most = (sum(points) for points in zip(*((one.points, one.max_points) for one in verdicts), strict=True))
        rows.append((Text(title), marks, Text(f"{format_points(earned)} / {format_points(most)}")))
    grid = terminal.lay_out(rows, terminal.WHOLE, terminal.WHOLE, terminal.RIGHT, gap=2)
    return Padding(grid, (0, 0, 0, 2))


def _wrong(title: str, verdicts: Sequence[Verdict]) -> Iterator[RenderableType]:
    """Yield what is wrong in a part; what passed stands in the glance, and what is not written yet below."""
    wrong = [verdict for verdict in verdicts if verdict.status not in {"passed", "skipped"}]
    if wrong:
        yield Text()
        yield Text(title, style="bold underline")
        yield from map(terminal.show_verdict, wrong)


def _next_steps(parts: Sequence[tuple[str, Sequence[Verdict]]]) -> Iterator[RenderableType]:
    """Yield what is still to be written, part by part."""
    if waiting := wording.next_steps(parts):
        yield Text()
        yield Text(wording.NEXT_STEPS, style="bold underline")
    for number, (title, reason, worth) in enumerate(waiting, 1):
        text = Text.assemble((title, "bold"), f": {reason}", (f" ({worth})", "dim"))
        yield terminal.show_item(Text(f"{number}."), text)
