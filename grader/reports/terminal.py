"""A report in the terminal: one submission in full, or many as a table.

Texts go into rich as `Text`, which reads no markup, after `sanitise_report` made every control character visible.
"""

import io
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from rich.console import Console, Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from grader.model import Place, Report, Ruling, StepStatus, StudentReport, Verdict, VerdictStatus
from grader.reports import step_rows, wording
from grader.text.phrases import format_points

WIDTH = 96
# Columns of a grid: what is as wide as its text, what is broken over several lines, and what takes the rest of the line.
WHOLE, FOLDED, WIDE = {"no_wrap": True}, {"overflow": "fold"}, {"ratio": 1, "overflow": "fold"}
RIGHT = {"justify": "right", "no_wrap": True}

MARKS: dict[VerdictStatus, tuple[str, str]] = {
    "passed": ("✓", "green"),
    "partial": ("◐", "yellow"),
    "failed": ("✗", "red"),
    "carried": ("→", "cyan"),
    "skipped": ("-", "bright_black"),
}
_STEP_MARKS: dict[StepStatus, tuple[str, str]] = {
    "right": MARKS["passed"],
    "differs": MARKS["failed"],
    "given": MARKS["carried"],
    "unknown": ("·", "bright_black"),
}


def render(report: StudentReport, width: int = WIDTH, *, colour: bool = False) -> str:
    """Write a report as lines of at most `width` characters; without colour there is no escape code in them."""
    return write_plain(view(report), width, colour=colour)


def write_plain(shown: RenderableType, width: int = WIDTH, *, colour: bool = False) -> str:
    """Write what rich would show in the same way."""
    console = Console(
        file=io.StringIO(),
        width=width,
        force_terminal=colour,
        force_jupyter=False,  # in a notebook rich would show it by itself
        color_system="standard" if colour else None,
        no_color=not colour,
        highlight=False,
        legacy_windows=False,
    )
    with console.capture() as capture:
        console.print(shown)
    # Rich pads lines to the full width; a file or a diff has no use for that.
    return "\n".join(line.rstrip() for line in capture.get().split("\n"))


def view(report: StudentReport) -> RenderableType:
    """Lay a report out for a rich console of any width."""
    parts: list[RenderableType] = [*show_headline(report)]
    if report.rulings:
        parts += [Text(), Text("Decided and written by people", style="bold underline"), *map(_ruling, report.rulings)]
    if report.status != "graded":
        parts += show_banner(report)
    else:
        parts += [*show_diagnoses(report), *show_steps(report)]
        for section in wording.sections(report):
            earned = Text(f"{format_points(section.points)} / {format_points(section.max_points)}", style="bold")
            parts += [Text(), _spread(Text(section.title, style="bold underline"), earned)]
            parts += [show_verdict(verdict) for verdict in section.verdicts]
    parts += show_remarks(report)
    versions = ", ".join(f"{name} {version}" for name, version in sorted(report.environment.versions.items()))
    parts += [Text(), Text(f"{wording.isolation(report.environment.isolation)} {versions}".rstrip(), style="dim")]
    return Group(*parts)


def show_headline(report: Report) -> list[RenderableType]:
    """Return name and score, where the submission stands, and how many checks passed."""
    score = f"{format_points(report.score)} / {format_points(report.max_score)}"
    score += ", excused" if report.excused else ""
    lines: list[RenderableType] = [
        _spread(Text(report.student or report.submission, style="bold"), Text(score, style="bold")),
        Text(report.source, style="dim"),
    ]
    return [*lines, Text(wording.counts(report), style="dim")] if report.status == "graded" else lines


def show_banner(report: Report) -> list[RenderableType]:
    """Return why nothing was graded; nothing where something was."""
    heading, message = wording.banner(report) or ("", "")
    return [Text(), Text(heading, style="bold red"), _indent(Text(message))] if heading else []


def show_remarks(report: Report) -> list[RenderableType]:
    """Return the notes, under a heading where there are any."""
    notes = [show_item(Text("·"), Text(note)) for note in wording.remarks(report)]
    return [Text(), Text("Notes (they cost no points)", style="bold"), *notes] if notes else []


def lay_out(rows: Iterable[Sequence[Text]], *columns: Mapping[str, Any], gap: int, expand: bool = False) -> Table:
    """Return rows in columns without lines; columns : as rich describes each. gap : blanks between two."""
    grid = Table.grid(expand=expand, padding=(0, gap, 0, 0))
    for column in columns:
        grid.add_column(**column)
    for row in rows:
        grid.add_row(*row)
    return grid


def _indent(shown: RenderableType) -> Padding:
    return Padding(shown, (0, 0, 0, 2))


def _ruling(ruling: Ruling) -> RenderableType:
    text = Text(wording.ruling(ruling), style="" if ruling.applies else "dim")
    return show_item(Text(f"{ruling.decision.number}."), text)


def _spread(left: Text, right: Text) -> RenderableType:
    return lay_out([(left, right)], WIDE, RIGHT, gap=2, expand=True)


def show_diagnoses(report: Report) -> list[RenderableType]:
    """Return each named mistake with its hint, what it explains and costs, and its lines."""
    titles = wording.titles(report)
    parts: list[RenderableType] = []
    for diagnosis in report.diagnoses:
        explained = "; ".join(titles.get(check, check) for check in diagnosis.checks)
        body: list[RenderableType] = [Text(diagnosis.hint), Text(f"Explains: {explained}", style="dim")]
        if costs := wording.costs(diagnosis):
            body.append(Text(costs, style="dim"))
        if diagnosis.source:
            body.append(Text(f"See: {diagnosis.source}", style="dim"))
        body += [_quote(label, lines) for label, lines in wording.quotes(diagnosis.places)]
        parts += [Text(), Text(f"The mistake, named: {diagnosis.title}", style="bold")]
        parts.append(_indent(Group(*body)))
    return parts


def show_steps(report: Report) -> list[RenderableType]:
    """Return the first value that differs and its neighbours, a line each, where something failed; the page has them all."""
    rows = step_rows.around(report.steps)
    if not rows or all(verdict.status == "passed" for verdict in report.checks):
        return []
    told = []
    labels = {row.place.label for row in report.steps}
    for row in rows:
        mark, colour = _STEP_MARKS[row.status]
        word, rest = step_rows.split_verdict(row)
        where = f"{row.place.label}, " if len(labels) > 1 else ""
        name = f"{row.name} {step_rows.format_shape(row)}".rstrip()
        verdict = Text.assemble((word, colour), rest)
        told.append((Text(mark, style=colour), Text(f"{where}line {row.place.line}"), Text(name), verdict))
    grid = lay_out(told, WHOLE, FOLDED, FOLDED, FOLDED, gap=2)
    title = Text(step_rows.TITLE, style="bold")
    aside = [f"{len(rows)} of {len(report.steps)}", *(labels if len(labels) == 1 else ())]
    return [Text(), title.append(f"  ({', '.join(aside)})", style="dim"), _indent(grid)]


def show_verdict(verdict: Verdict) -> RenderableType:
    """Return one check: its mark and points, and unless it passed what was found."""
    mark, colour = MARKS[verdict.status]
    title = Text(verdict.title)
    title.append(f"  {wording.STATUSES[verdict.status]}", style=colour)
    if verdict.hidden:
        title.append("  (hidden check)", style="dim")
    if adjusted := wording.adjusted(verdict):
        title.append(f"  ({adjusted})", style="dim")
    earned = Text(f"{format_points(verdict.points)} / {format_points(verdict.max_points)}")
    head = show_item(Text(mark, style=colour), title, earned)
    # What passed needs no more lines than one.
    standing = wording.standing(verdict)
    if verdict.status == "passed" or not (standing or verdict.message or verdict.places):
        return head
    body: list[RenderableType] = [Text(standing, style="dim")] if standing else []
    body += [Text(verdict.message)] if verdict.message else []
    body += [_quote(label, lines) for label, lines in wording.quotes(verdict.places)]
    return Group(head, _indent(Group(*body)))


def show_item(mark: Text, text: Text, right: Text | None = None) -> RenderableType:
    """Return a text behind its mark, with what stands at the right end of the line."""
    return lay_out([(mark, text, right or Text())], {**WHOLE, "width": mark.cell_len}, WIDE, RIGHT, gap=1, expand=True)


def _quote(label: str, lines: list[Place]) -> RenderableType:
    rows = [(Text(str(place.line) if place.line else ""), Text("│"), Text(place.text)) for place in lines]
    grid = lay_out(rows, {**RIGHT, "style": "dim"}, {**WHOLE, "width": 1, "style": "dim"}, FOLDED, gap=1)
    return Group(Text(label, style="dim"), _indent(grid))


def summary(reports: Iterable[StudentReport], *, whole: bool = False) -> Table:
    """Lay many reports out as a table, one line each, in the order given: name, score, and what cost points.

    whole : long names are not cut.
    """
    table = Table(box=None, pad_edge=False, header_style="bold", padding=(0, 2, 0, 0))
    table.add_column("submission", overflow="ellipsis", no_wrap=True, max_width=None if whole else 32)
    table.add_column("score", justify="right", no_wrap=True)
    table.add_column("", no_wrap=True)
    table.add_column("what cost points", overflow="fold")
    for report in reports:
        mark, colour = _overall(report)
        table.add_row(
            Text(report.student or report.submission),
            Text(f"{format_points(report.score)} / {format_points(report.max_score)}"),
            Text(mark, style=colour),
            Text(costs(report)),
        )
    return table


def _overall(report: Report) -> tuple[str, str]:
    if report.status != "graded":
        return "!", "bold red"
    if report.score >= report.max_score:
        return MARKS["passed"]
    return MARKS["partial"] if report.score > 0 else MARKS["failed"]


def costs(report: Report) -> str:
    """Name the mistakes, or the checks where no mistake has a name, with the points lost; the dearest first.

    What people decided stands before them: that it does not count, and what lateness cost.
    """
    late = f"{wording.late(report)} -{format_points(report.penalty)}" if report.penalty else wording.late(report)
    above = [part for part in ("excused" if report.excused else "", late) if part]
    if banner := wording.banner(report):
        heading, message = banner
        return "; ".join([*above, f"{heading}: {message.partition(chr(10))[0]}"])
    # A mistake whose every check a person gave in full costs nothing any more.
    pardoned = {one.id for one in report.checks if one.adjusted_from is not None and one.points >= one.max_points}
    named = [one.title.removesuffix(".") for one in report.diagnoses if not one.checks or set(one.checks) - pardoned]
    explained = {check for diagnosis in report.diagnoses for check in diagnosis.checks}
    lost = [verdict for verdict in report.checks if verdict.points < verdict.max_points and verdict.id not in explained]
    lost.sort(key=lambda verdict: verdict.points - verdict.max_points)
    shown = [*named, *(f"{verdict.id} -{format_points(verdict.max_points - verdict.points)}" for verdict in lost)]
    return "; ".join([*above, *shown[:4]]) + (f" and {len(shown) - 4} more" if len(shown) > 4 else "")
