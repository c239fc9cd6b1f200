"""A report as one HTML page: no script, no network, readable on a phone, on paper and by a screen reader."""

import re
from collections.abc import Callable, Mapping, Sequence
from functools import cache, lru_cache
from typing import Any

from markupsafe import Markup

from grader.model import Figure, HeatMap, StudentReport, Verdict, VerdictStatus
from grader.reports import curves, heat_map, step_rows, wording
from grader.reports.page_assets import environment, fill_in, output_style, page_assets
from grader.text.phrases import format_points


def to_html(report: StudentReport, parts: Mapping[str, Sequence[str]] | None = None) -> str:
    """Return a report as one self-contained HTML page; parts : of the notebook, see `wording.sections`."""
    return render(report, "report.html.j2", "Graded submission", parts=parts)


def to_output(report: StudentReport, kicker: str, prefix: str, parts: Mapping[str, Sequence[str]]) -> str:
    """Return a report as a piece of a page, for a notebook's output.

    kicker : what stands above all else. prefix : of what its links lead to, which must be unlike those of the other outputs.
    """
    piece = render(report, "report.html.j2", kicker, layout="output.html.j2", parts=parts)
    # Where a notebook is not trusted its pictures are left out, but for their words: apart they can be read.
    piece = re.sub(r"</(text|title|desc)>", r"</\1> ", piece)
    # Ours alone: a quotation mark in a student's text is escaped.
    return re.sub(r' (id="|href="#|aria-labelledby=")(?!icon-|slant"|not-finite")', rf" \1{prefix}", piece)


def render(
    report: StudentReport,
    page: str,
    kicker: str,
    styles: tuple[str, ...] = ("report.css",),
    *,
    layout: str = "layout.html.j2",
    pictures: bool = False,
    parts: Mapping[str, Sequence[str]] | None = None,
    **more: Any,
) -> str:
    """Return a page; page : the template. pictures : it shows some that it holds itself. more : what the template needs besides."""
    read_templates()
    sections = wording.sections(report, parts)
    return fill_in(
        page,
        layout=layout,
        kicker=kicker,
        style=output_style(),
        assets=page_assets(styles, pictures=pictures),
        report=report,
        banner=wording.banner(report),
        remarks=wording.remarks(report),
        sections=sections,
        next_steps=wording.next_steps((one.title, one.verdicts) for one in sections) if parts else [],
        shows_steps=bool(report.steps) and wording.is_wrong_somewhere(report),
        counts=wording.counts(report),
        titles=wording.titles(report),
        anchors={verdict.id: f"check-{index}" for index, verdict in enumerate(report.checks, 1)},
        hidden=sum(verdict.hidden for verdict in report.checks),
        **more,
    )


@cache
def read_templates() -> None:
    """Read the page's templates, and give them what they call; a worker does so before it runs any student code."""
    made = environment()
    made.globals |= {
        "statuses": wording.STATUSES,
        "next_title": wording.NEXT_STEPS,
        "steps_title": step_rows.TITLE,
        "explain_steps": step_rows.explain,
    }
    made.filters |= {
        "quotes": wording.quotes,
        "costs": wording.costs,
        "adjusted": wording.adjusted,
        "signature": wording.signature,
        "check": check,
        "bar": bar,
        "draw": draw,
        "caption": caption,
        "first_wrong": step_rows.find_first,
        "labelled": step_rows.group_by_label,
        "count_rows": step_rows.count_rows,
        "shape": step_rows.format_shape,
        "split_verdict": step_rows.split_verdict,
    }
    for name in ("check.html.j2", "steps.html.j2", "report.html.j2"):
        made.get_template(name)


def check(verdict: Verdict, anchor: str, closed: tuple[VerdictStatus, ...] = ("passed",)) -> Markup:
    """Write one check: the line that is always seen, and under it message, quoted lines and figures, which may be closed."""
    # Texts, so that -0.0 is told from 0.0.
    texts = format_points(verdict.points), format_points(verdict.max_points)
    line = (verdict.status, verdict.title, verdict.hidden, wording.adjusted(verdict), *texts)
    standing, is_open = wording.standing(verdict), verdict.status not in closed
    if verdict.places or verdict.figures:
        return _part("check")(anchor, line, is_open, standing, verdict.message, verdict.places, verdict.figures)
    return _in_words(anchor, line, standing, verdict.message, is_open=is_open)


# Eighteen checks a page, and in most pages of a class most of them say the same: written anew they took a third of the
# time. A message has at most 4,000 characters.
@lru_cache(maxsize=1_000)
def _in_words(
    anchor: str, line: tuple[str, str, bool, str, str, str], standing: str, message: str, *, is_open: bool
) -> Markup:
    return _part("check")(anchor, line, is_open, standing, message, (), ())


def bar(verdicts: tuple[Verdict, ...]) -> Markup:
    """Lay a group's checks side by side in a bar, as wide as their points; what was earned comes first."""
    return _bar(tuple((verdict.status, verdict.points, verdict.max_points) for verdict in verdicts))


@lru_cache(maxsize=500)
def _bar(checks: tuple[tuple[VerdictStatus, float, float], ...]) -> Markup:
    """Draw a bar; checks : status, points, and the most points of each."""
    whole = sum(most for _, _, most in checks)
    laid, start = [], 0.0
    for status, earned, most in sorted(checks, key=lambda check: wording.BEST_FIRST.index(check[0])):
        width = 100 * most / whole if whole else 100 / len(checks)
        share = min(1.0, earned / most) if most else float(not whole)
        laid.append(
            {
                "status": status,
                "x": f"{start:.2f}%",
                "width": f"{width:.2f}%",
                # What is carried is one piece, and has the stripes of what failed: on paper there is no colour.
                "earned": f"{width * share:.2f}%" if share and status != "carried" else "",
                "slanted": "yes" if status in {"failed", "partial", "carried"} else "",
            }
        )
        start += width
    return _part("bar")(laid)


@cache
def _part(name: str) -> Callable[..., Markup]:
    """Return a macro of check.html.j2."""
    read_templates()
    found: Callable[..., Markup] = getattr(environment().get_template("check.html.j2").module, name)
    return found


def draw(figure: Figure, key: str) -> Markup:
    """Return a figure as inline SVG."""
    return heat_map.draw(figure, key) if isinstance(figure, HeatMap) else curves.draw(figure, key)


def caption(figure: Figure) -> str:
    """Return in words what a figure shows."""
    return heat_map.caption(figure) if isinstance(figure, HeatMap) else curves.caption(figure)
