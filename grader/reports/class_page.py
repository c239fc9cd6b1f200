"""The class page: one file with the whole class on it, for an instructor to look through, sort and filter.

It loads nothing, sends nothing and reads without its script. All that the script knows it reads from the rows.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any
from urllib.parse import quote

from grader.model import Report, Ruling, Sheet, Standing, Student, Verdict
from grader.reports import class_plots, statistics, wording
from grader.reports.export_rows import ExportOptions
from grader.reports.page import to_html
from grader.reports.page_assets import fill_in, page_assets
from grader.reports.report_json import to_json
from grader.reports.student_report import student_report
from grader.reports.terminal import costs
from grader.text.phrases import format_points, plural
from grader.text.sanitise import one_line, plain_text, sanitise_report

# Of a row: graded and counted, or why not.
STATES = {
    "graded": "graded",
    "excused": "excused",
    "failed_to_load": "did not load",
    "no_submission": "nothing to grade",
    "grader_error": "grader failed",
}


def to_index(sheet: Sheet, *, similar: str = "", stale: bool = False) -> str:
    """Return the class page of a sheet; the same sheet gives the same text.

    similar : the page of similar submissions beside it; "" where there is none. stale : it compared earlier hand-ins.
    """
    titles = {verdict.id: verdict.title for one in sheet.standings for verdict in one.report.checks}
    checks = _number(titles)
    mistakes = statistics.mistakes(sheet.standings)
    named = _number(statistics.kind(mistake.diagnosis) for mistake in mistakes)
    rows = [_row(standing, checks, named) for standing in sheet.standings]
    return fill_in(
        "index.html.j2",
        # The report's own style sheet comes first: the pages are one product.
        assets=page_assets(("report.css", "index.css"), ("index.js", "find.js")),
        statuses=[wording.STATUSES[status] for status in wording.BEST_FIRST],
        title=one_line(sheet.title),
        max_score=sheet.max_score,
        mistakes=[_mistake(mistake, named, checks, titles) for mistake in mistakes],
        rows=rows,
        states={state: word for state, word in STATES.items() if any(row["state"] == state for row in rows)},
        checks=[(one_line(check), one_line(titles[check]), number) for check, number in checks.items()],
        sections=sorted({row["section"] for row in rows if row["section"]}),
        late=any(row["late"] or row["penalty"] for row in rows),
        adjusted=any(row["adjusted"] or row["overtaken"] for row in rows),
        similar=similar,
        stale=stale,
        remarks=[plain_text(note) for note in sheet.notes],
        **_statistics(sheet),
        **_people(sheet, rows),
    )


def to_folder(sheet: Sheet, _: ExportOptions) -> dict[str, str]:
    """Return the class page and, where it links to them, each student's page and report.json."""
    pages = {f"submissions/{one.submission}/report.html": f"{to_html(student_report(one))}\n" for one in sheet.reports}
    data = {f"submissions/{one.submission}/report.json": to_json(one) for one in sheet.reports}
    return {"index.html": f"{to_index(sheet)}\n", **pages, **data}


def _statistics(sheet: Sheet) -> dict[str, Any]:
    """Return what the page says of scores and checks."""
    counted = [standing.report for standing in sheet.standings if statistics.counts(standing)]
    scores = [report.score for report in counted]
    summary = statistics.summary(scores)
    bars = statistics.histogram(scores, sheet.max_score) if summary else ()
    plot = class_plots.histogram(bars, summary, sheet.max_score) if summary and bars else ""
    return {
        "tally": statistics.tally(sheet),
        "summary": summary,
        "full": sum(score >= sheet.max_score for score in scores),
        "bars": bars,
        "plot": plot,
        "uses": [
            replace(use, id=one_line(use.id), title=one_line(use.title)) for use in statistics.check_uses(counted)
        ],
        "variants": {one_line(name): shares for name, shares in statistics.compare_variants(sheet.standings).items()},
        "chance": statistics.chance(len(counted)) if len(counted) >= statistics.FEWEST else None,
        # What could not be loaded was never run, and has no layers to name.
        "layers": next(
            (one.report.environment.isolation for one in sheet.standings if one.report.status == "graded"), ()
        ),
        "versions": _count_versions(counted),
    }


def _count_versions(reports: Iterable[Report]) -> list[str]:
    """Return under which Python and numpy how many programs ran, the most first: versions may decide a grade."""
    run = [one.environment.versions for one in reports]
    pairs = [f"Python {one['python']}, numpy {one['numpy']}" for one in run if {"python", "numpy"} <= one.keys()]
    found = Counter(map(one_line, pairs)).most_common()
    return [f"{text}: {plural(count, 'submission')}" if len(found) > 1 else text for text, count in found]


def _people(sheet: Sheet, rows: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Return what the page lists for the instructor to look at: the ungraded, the doubtful, and the roster's gaps."""
    rostered = bool(sheet.missing) or any(standing.student for standing in sheet.standings)
    return {
        "rostered": rostered,
        "ungraded": [_failure(standing) for standing in sheet.standings if standing.report.status != "graded"],
        "review": [
            _linked(one) | {"told": sanitise_report(one.report).review} for one in sheet.standings if one.report.review
        ],
        "missing": [_person(student) for student in sheet.missing],
        "strangers": [row for row in rows if rostered and not row["student"]],
    }


def _number(names: Iterable[str]) -> dict[str, int]:
    """Return each name its number, in the order in which they come: rows say what they hold by these numbers."""
    return {name: number for number, name in enumerate(dict.fromkeys(names))}


def _row(standing: Standing, checks: dict[str, int], named: dict[str, int]) -> dict[str, Any]:
    report = standing.report
    graded = report.status == "graded"
    lost = [verdict.id for verdict in report.checks if verdict.status != "passed"] if graded else []
    made = dict.fromkeys(map(statistics.kind, report.diagnoses)) if graded else {}
    changed = [verdict for verdict in report.checks if verdict.adjusted_from is not None]
    decided = [one for one in report.rulings if one.decision.kind not in {"comment", "request"}]
    return {
        **_linked(standing),
        "section": one_line(standing.student.section) if standing.student else "",
        "state": "excused" if report.excused else report.status,
        "counts": statistics.counts(standing),
        "score": report.score,
        "max_score": report.max_score,
        # Someone may have been given points for what could not be graded.
        "scored": graded or report.score > 0,
        "late": report.late_days,
        "penalty": report.penalty,
        "adjusted": [_adjustment(verdict, decided) for verdict in changed],
        "difference": sum(verdict.points - (verdict.adjusted_from or 0.0) for verdict in changed),
        "overtaken": [one_line(one.effect) for one in decided if not one.applies],
        "lost": " ".join(str(checks[check]) for check in lost),
        "mistakes": " ".join(str(named[mistake]) for mistake in made),
        # What people decided has columns of its own.
        "costs": costs(replace(sanitise_report(report), excused=False, late_days=0.0, penalty=0.0)),
    }


def _linked(standing: Standing) -> dict[str, Any]:
    """Return a submission's name, whose it is, and the address of its report."""
    name = standing.report.submission
    href = quote(f"submissions/{name}/report.html", errors="replace")
    return {"name": one_line(name), "href": href, "student": _person(standing.student)}


def _person(student: Student | None) -> dict[str, Any] | None:
    """Return a student's name, what else tells them apart, and the section; None for nobody."""
    if student is None:
        return None
    handles = [student.login, student.sis_id, student.email, student.github, student.id]
    others = [one_line(handle) for handle in dict.fromkeys(handles) if handle and handle != student.name]
    return {"name": one_line(student.name), "others": others, "section": one_line(student.section)}


def _adjustment(verdict: Verdict, decided: Sequence[Ruling]) -> tuple[str, str]:
    """Return which points a person changed, and why and who."""
    decisions = [ruling.decision for ruling in decided if ruling.applies and ruling.decision.check == verdict.id]
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
        "students": [_linked(one) | {"excused": False} for one in mistake.standings]
        + [_linked(one) | {"excused": True} for one in mistake.excused],
    }


def _failure(standing: Standing) -> dict[str, Any]:
    heading, message = wording.banner(sanitise_report(standing.report)) or ("", "")
    return _linked(standing) | {"heading": heading, "message": message, "excused": standing.report.excused}
