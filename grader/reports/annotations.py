"""A report as GitHub workflow commands, which become annotations of the commit.

Every line is a command of ours, and a student's text is escaped data in it, so `::stop-commands::` is not needed. Its
random token would also make the text differ from run to run.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import PurePath
from typing import TYPE_CHECKING

from grader.reports import wording
from grader.text.phrases import format_points
from grader.text.sanitise import plain_text

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from grader.model import Diagnosis, Place, Report, StudentReport, Verdict

MOST = 10  # GitHub shows as many errors of one step, and as many warnings


@dataclass(frozen=True)
class _Annotation:
    """One thing that cost points."""

    level: str  # "error" or "warning"
    cost: float
    title: str
    message: str
    place: Place | None = None


def to_annotations(report: StudentReport) -> str:
    """Return a report as workflow commands: the errors and warnings that cost most, then the score as a notice."""
    found = [*_mistakes(report), *map(_of_verdict, report.checks)] if report.status == "graded" else [_ungraded(report)]
    found += _late(report)
    lost = sorted((one for one in found if one.cost > 0), key=lambda one: -one.cost)
    shown = [one for level in ("error", "warning") for one in [one for one in lost if one.level == level][:MOST]]
    lines = [
        _command(one.level, {**find_position(report, one.place), "title": one.title}, one.message) for one in shown
    ]
    left_out = len(lost) - len(shown)
    lines.append(_score(report, f"{left_out} more cost points. The full report lists them." if left_out else ""))
    return "".join(f"{line}\n" for line in lines)


def _score(report: Report, left_out: str) -> str:
    score = f"{format_points(report.score)} of {format_points(report.max_score)} points"
    decided = ", ".join(part for part in ("adjusted" if _adjusted(report) else "", "excused" * report.excused) if part)
    told = [wording.counts(report), left_out, *wording.rulings(report)]
    return _command(
        "notice",
        {"title": f"{report.submission}: {score}{f' ({decided})' if decided else ''}"},
        "\n".join(line for line in told if line) or score,
    )


def _adjusted(report: Report) -> bool:
    return bool(report.penalty) or any(verdict.adjusted_from is not None for verdict in report.checks)


def _late(report: Report) -> Iterable[_Annotation]:
    for ruling in report.rulings:
        if ruling.applies and ruling.decision.kind == "late_days":
            title = wording.late(report).capitalize()
            yield _Annotation("warning", report.penalty, title, wording.ruling(ruling))


def _ungraded(report: Report) -> _Annotation:
    heading, message = wording.banner(report) or ("", "")
    return _Annotation("error", 1.0, heading, message)


def _of_verdict(verdict: Verdict) -> _Annotation:
    return _Annotation(
        level="error" if verdict.status == "failed" else "warning",
        cost=verdict.max_points - verdict.points,
        title=verdict.title,
        message=wording.account(verdict),
        place=verdict.places[-1] if verdict.places else None,  # the innermost
    )


def _mistakes(report: Report) -> Iterable[_Annotation]:
    costs = {verdict.id: verdict.max_points - verdict.points for verdict in report.checks}
    for diagnosis in report.diagnoses:
        # It outranks each of the checks that it explains.
        yield _Annotation(
            "error",
            sum(costs.get(check, 0.0) for check in diagnosis.checks),
            diagnosis.title,
            _hint(diagnosis),
            place=diagnosis.places[-1] if diagnosis.places else None,
        )


def _hint(diagnosis: Diagnosis) -> str:
    told = (diagnosis.hint, wording.costs(diagnosis), f"See: {diagnosis.source}" if diagnosis.source else "")
    return "\n".join(line for line in told if line)


def find_position(report: Report, place: Place | None) -> Mapping[str, str]:
    """Return where an annotation belongs: in the file that was graded, never in one that a student names.

    Only a lone .py file has lines to point at: a notebook's file lines are not its cells', and a zip is no text.
    """
    path = PurePath(report.source)
    if path.suffix.lower() not in {".py", ".ipynb"}:
        return {}
    if place and place.line and path.suffix.lower() == ".py" and place.label == path.name:
        return {"file": report.source, "line": str(place.line)}
    return {"file": report.source}


def _command(name: str, properties: Mapping[str, str], data: str) -> str:
    """Return one command, escaped for GitHub's runner, which keeps 4,096 characters of the data."""
    written = ",".join(
        f"{key}={_escaped(value).replace(':', '%3A').replace(',', '%2C')}" for key, value in properties.items()
    )
    return f"::{name} {written}::{_escaped(plain_text(data))}"


def _escaped(text: str) -> str:
    # The percent sign first: the others' escapes hold one.
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")
