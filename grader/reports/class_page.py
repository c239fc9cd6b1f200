"""The class page: one file with the whole class on it, for an instructor to look through, sort and filter.

It loads nothing, sends nothing and reads without its script. All that the script knows it reads from the rows.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from functools import cache
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from markupsafe import Markup

from grader.model import Report, Sheet, Standing, Student, Verdict
from grader.reports import class_plots, statistics, wording
from grader.reports.page import prose
from grader.reports.page_assets import dress
from grader.reports.terminal import costs
from grader.text.phrases import format_points
from grader.text.sanitise import one_line, plain_text, sanitise_report

if TYPE_CHECKING:
    from jinja2 import Environment

# Of a row: graded and counted, or why not.
STATES = {
    "graded": "graded",
    "excused": "excused",
    "failed_to_load": "did not load",
    "no_submission": "nothing to grade",
    "grader_error": "grader failed",
}


def to_index(sheet: Sheet, *, remarks: Sequence[str] = (), similar: str = "", stale: bool = False) -> str:
    """Write the class page of a sheet: the same sheet gives the same text.

    remarks : what else the instructor should know of this grading, a sentence each, such as two hand-ins of one student.
    similar : the page of similar submissions beside it; "" where there is none. stale : it compared earlier hand-ins.
    """
    counted = [standing.report for standing in sheet.standings if statistics.counts(standing)]
    scores = [report.score for report in counted]
    summary = statistics.summary(scores)
    bars = statistics.histogram(scores, sheet.max_score) if summary else ()
    mistakes = statistics.mistakes(sheet.standings)
    uses = statistics.check_uses(counted)
    checks = _numbered(verdict.id for standing in sheet.standings for verdict in standing.report.checks)
    named = _numbered(statistics.kind(mistake.diagnosis) for mistake in mistakes)
    rows = [_row(standing, checks, named) for standing in sheet.standings]
    titles = {verdict.id: verdict.title for standing in sheet.standings for verdict in standing.report.checks}
    rostered = bool(sheet.missing) or any(standing.student for standing in sheet.standings)
    return (
        environment()
        .get_template("index.html.j2")
        .render(
            title=one_line(sheet.title),
            max_score=sheet.max_score,
            tally=statistics.tally(sheet),
            summary=summary,
            full=sum(score >= sheet.max_score for score in scores),
            bars=bars,
            plot=Markup(class_plots.histogram(bars, summary, sheet.max_score)) if summary and bars else "",  # noqa: S704 -- `element` escapes every text and attribute
            uses=[replace(use, id=one_line(use.id), title=one_line(use.title)) for use in uses],
            chance=statistics.chance(len(counted)) if len(counted) >= statistics.FEWEST else None,
            mistakes=[_mistake(mistake, named, checks, titles) for mistake in mistakes],
            rows=rows,
            states={state: word for state, word in STATES.items() if any(row["state"] == state for row in rows)},
            checks=[(one_line(check), one_line(titles[check]), number) for check, number in checks.items()],
            sections=sorted({row["section"] for row in rows if row["section"]}),
            rostered=rostered,
            late=any(row["late"] or row["penalty"] for row in rows),
            adjusted=any(row["adjusted"] or row["overtaken"] for row in rows),
            ungraded=[_failure(standing) for standing in sheet.standings if standing.report.status != "graded"],
            review=[
                {**_linked(one), "student": _person(one.student), "told": sanitise_report(one.report).review}
                for one in sheet.standings
                if one.report.review
            ],
            missing=[_person(student) for student in sheet.missing],
            similar=similar,
            stale=stale,
            strangers=[row for row in rows if rostered and not row["student"]],
            remarks=[plain_text(remark) for remark in remarks],
            # What could not be loaded was never run, and has no layers to name.
            layers=next(
                (one.report.environment.isolation for one in sheet.standings if one.report.status == "graded"), ()
            ),
        )
    )


def _numbered(names: Iterable[str]) -> dict[str, int]:
    """Return each name its number, in the order in which they come: rows say what they hold by these numbers."""
    return {name: number for number, name in enumerate(dict.fromkeys(names))}


def _row(standing: Standing, checks: dict[str, int], named: dict[str, int]) -> dict[str, Any]:
    report = standing.report
    graded = report.status == "graded"
    lost = [verdict.id for verdict in report.checks if verdict.status != "passed"] if graded else []
    made = dict.fromkeys(map(statistics.kind, report.diagnoses)) if graded else {}
    changed = [verdict for verdict in report.checks if verdict.adjusted_from is not None]
    return {
        **_linked(standing),
        "student": _person(standing.student),
        "section": one_line(standing.student.section) if standing.student else "",
        "state": "excused" if report.excused else report.status,
        "counts": statistics.counts(standing),
        "score": report.score,
        "max_score": report.max_score,
        # Someone may have been given points for what could not be graded.
        "scored": graded or report.score > 0,
        "late": report.late_days,
        "penalty": report.penalty,
        "adjusted": [_adjustment(verdict, report) for verdict in changed],
        "difference": sum(verdict.points - (verdict.adjusted_from or 0.0) for verdict in changed),
        "overtaken": [one_line(ruling.effect) for ruling in report.rulings if not ruling.applies],
        "lost": " ".join(str(checks[check]) for check in lost),
        "mistakes": " ".join(str(named[mistake]) for mistake in made),
        # What people decided has columns of its own.
        "costs": costs(replace(sanitise_report(report), excused=False, late_days=0.0, penalty=0.0)),
    }


def _linked(standing: Standing) -> dict[str, str]:
    name = standing.report.submission
    return {"name": one_line(name), "href": quote(f"submissions/{name}/report.html", errors="replace")}


def _person(student: Student | None) -> dict[str, Any] | None:
    """Return a student's name, what else tells them apart, and the section; None for nobody."""
    if student is None:
        return None
    handles = [student.login, student.sis_id, student.email, student.github, student.id]
    others = [one_line(handle) for handle in dict.fromkeys(handles) if handle and handle != student.name]
    return {"name": one_line(student.name), "others": others, "section": one_line(student.section)}


def _adjustment(verdict: Verdict, report: Report) -> tuple[str, str]:
    """Return which points a person changed, and why and who."""
    decisions = [ruling.decision for ruling in report.rulings if ruling.applies and ruling.decision.check == verdict.id]
    why = "; ".join(
        f"{one.comment} ({one.by})" if one.comment and one.by else one.comment or one.by for one in decisions
    )
    before, after = format_points(verdict.adjusted_from or 0.0), format_points(verdict.points)
    return f"{one_line(verdict.id)} {before} \N{RIGHTWARDS ARROW} {after}", one_line(why)


def _mistake(
    mistake: statistics.Mistake, named: dict[str, int], checks: dict[str, int], titles: dict[str, str]
) -> dict[str, Any]:
    diagnosis = mistake.diagnosis
    return {
        "id": one_line(statistics.kind(diagnosis)),
        "number": named[statistics.kind(diagnosis)],
        "title": one_line(diagnosis.title),
        "hint": plain_text(diagnosis.hint),
        "explains": [
            one_line(titles.get(check, check)) for check in sorted(diagnosis.checks, key=lambda one: checks.get(one, 0))
        ],
        "count": len(mistake.standings),
        "cost": mistake.cost,
        "students": [{**_linked(one), "student": _person(one.student), "excused": False} for one in mistake.standings]
        + [{**_linked(one), "student": _person(one.student), "excused": True} for one in mistake.excused],
    }


def _failure(standing: Standing) -> dict[str, Any]:
    heading, message = wording.banner(sanitise_report(standing.report)) or ("", "")
    excused = standing.report.excused
    return {
        **_linked(standing),
        "student": _person(standing.student),
        "heading": heading,
        "message": message,
        "excused": excused,
    }


@cache
def environment() -> Environment:
    """Return this room's template environment: everything is escaped, and a missing name is an error."""
    from jinja2 import (  # noqa: PLC0415 -- 46 ms that `grader check` need not pay
        Environment,
        PackageLoader,
        StrictUndefined,
    )

    made = Environment(
        loader=PackageLoader("grader.reports"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        # A template that changes while submissions run was changed by one of them.
        auto_reload=False,
    )
    made.globals |= {
        # The report's own style sheet comes first: the two pages are one product.
        "dress": dress(made, ("report.css", "index.css"), ("index.js", "find.js")),
        "statuses": tuple(wording.STATUSES[status] for status in statistics.STATUSES),
    }
    made.filters |= {
        "points": format_points,
        "prose": prose,
        "isolation": wording.isolation,
        "exact": repr,
        "stacked": lambda counts: Markup(class_plots.stacked(counts)),  # noqa: S704 -- `element` escapes every text and attribute
        "meter": lambda score, most: Markup(class_plots.meter(score, most)),  # noqa: S704 -- the same
        "range": class_plots.said,
        "verdict": statistics.verdict_on,
    }
    made.get_template("index.html.j2")
    return made
