"""A report as one HTML page: no script, no network, readable on a phone, on paper and by a screen reader."""

from __future__ import annotations

import base64
import hashlib
import re
from functools import cache, lru_cache
from typing import TYPE_CHECKING

from markupsafe import Markup, escape

from grader.model import HeatMap
from grader.reports import curves, heat_map, step_rows, wording
from grader.text.phrases import format_points
from grader.text.sanitise import sanitise_report

if TYPE_CHECKING:
    from collections.abc import Callable

    from jinja2 import Environment

    from grader.model import Figure, Report, Verdict, VerdictStatus

_BAR: tuple[VerdictStatus, ...] = ("passed", "carried", "partial", "failed", "skipped")


def to_html(report: Report) -> str:
    """Write a report as one self-contained HTML page."""
    report = sanitise_report(report)
    return (
        environment()
        .get_template("report.html.j2")
        .render(
            report=report,
            banner=wording.banner(report),
            remarks=wording.remarks(report),
            sections=wording.sections(report),
            counts=wording.counts(report),
            titles=wording.titles(report),
            anchors={verdict.id: f"check-{index}" for index, verdict in enumerate(report.checks, 1)},
            hidden=sum(verdict.hidden for verdict in report.checks),
        )
    )


@cache
def environment() -> Environment:
    """Return the one template environment of this process: everything is escaped, and a missing name is an error."""
    from jinja2 import Environment, PackageLoader, StrictUndefined  # noqa: PLC0415 -- 46 ms `grader check` need not pay

    made = Environment(
        loader=PackageLoader("grader.reports"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        # A template that changes while submissions run was changed by one of them.
        auto_reload=False,
    )
    style = made.get_template("report.css").render()
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    made.globals |= {
        "style": Markup(style),  # noqa: S704 -- our own file, with nothing filled in
        # Should a student's text ever get through as markup, the browser still runs, loads and sends nothing.
        "policy": f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'",
        "statuses": wording.STATUSES,
        "carried": wording.CARRIED,
        "steps_title": step_rows.TITLE,
        "steps_meaning": step_rows.MEANING,
    }
    made.filters |= {
        "points": format_points,
        "prose": prose,
        "quotes": wording.quotes,
        "costs": wording.costs,
        "adjusted": wording.adjusted,
        "signature": wording.signature,
        "isolation": wording.isolation,
        "check": check,
        "bar": bar,
        "drawn": drawn,
        "caption": caption,
        "first_wrong": step_rows.first,
        "labelled": step_rows.labelled,
        "counted": step_rows.counted,
        "shape": step_rows.shape,
        "told": step_rows.told,
    }
    for name in ("report.html.j2", "check.html.j2", "steps.html.j2", "audit.html.j2"):
        made.get_template(name)
    return made


def prose(text: str) -> Markup:
    """Turn `backticks` into code, after escaping: what stands inside them is text like the rest."""
    escaped = str(escape(text))
    if "`" not in escaped:
        return Markup(escaped)  # noqa: S704 -- escaped one line above
    return Markup(re.sub(r"`([^`\n]+)`", r"<code>\1</code>", escaped))  # noqa: S704 -- escaped above


def check(verdict: Verdict, anchor: str) -> Markup:
    """Write one check: the line that is always seen, and under it message, quoted lines and figures."""
    # Texts, so that -0.0 is told from 0.0.
    texts = format_points(verdict.points), format_points(verdict.max_points)
    line = (verdict.status, verdict.title, verdict.hidden, wording.adjusted(verdict), *texts)
    if verdict.places or verdict.figures:
        return _part("check")(anchor, line, verdict.message, verdict.places, verdict.figures)
    return _in_words(anchor, line, verdict.message)


# Eighteen checks a page, and in most pages of a class most of them say the same: written anew they took a third of the
# time. A message has at most 4,000 characters.
@lru_cache(maxsize=1_000)
def _in_words(anchor: str, line: tuple[str, str, bool, str, str, str], message: str) -> Markup:
    return _part("check")(anchor, line, message, (), ())


def bar(verdicts: tuple[Verdict, ...]) -> Markup:
    """Lay a group's checks side by side in a bar, as wide as their points; what was earned comes first."""
    return _bar(tuple((verdict.status, verdict.points, verdict.max_points) for verdict in verdicts))


@lru_cache(maxsize=500)
def _bar(checks: tuple[tuple[VerdictStatus, float, float], ...]) -> Markup:
    """Draw a bar; checks : status, points, and the most points of each."""
    whole = sum(most for _, _, most in checks)
    laid, start = [], 0.0
    for status, earned, most in sorted(checks, key=lambda check: _BAR.index(check[0])):
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
    found: Callable[..., Markup] = getattr(environment().get_template("check.html.j2").module, name)
    return found


def drawn(figure: Figure, key: str) -> Markup:
    """Draw a figure as inline SVG."""
    svg = heat_map.draw(figure, key) if isinstance(figure, HeatMap) else curves.draw(figure, key)
    return Markup(svg)  # noqa: S704 -- `figures.element` escapes every text and attribute


def caption(figure: Figure) -> str:
    """Say in words what a figure shows."""
    return heat_map.caption(figure) if isinstance(figure, HeatMap) else curves.caption(figure)
