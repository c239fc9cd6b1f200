"""A report as data: `report.json`, schema "grader/report/2", published beside this file as JSON Schema.

The same report gives the same bytes: keys in one order, numbers rounded, ASCII only. Figures stay out: they are
for people, and a regrade makes them again from the saved replies. `reading` reads it back.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

from grader.model import Diagnosis, Place, Report, Ruling, StepRow, Verdict
from grader.text.sanitise import sanitise_report

if TYPE_CHECKING:
    from collections.abc import Sequence

SCHEMA = "grader/report/2"
DIGITS = 6  # after the point: finer than any points table, coarser than the noise of a sum
LARGEST = 1e300  # an integer beyond every float is valid JSON; no points table comes near
DIMENSIONS = 64  # of an array; numpy has no more
_CELL = re.compile(r"code cell ([1-9][0-9]{0,5})")


def to_json(report: Report) -> str:
    """Write a report as JSON, by the schema "grader/report/2".

    Raises ValueError where a number is negative or not finite, or a shape is none: they come from the grader, so that is
    its own mistake.
    """
    report = sanitise_report(report)
    data: dict[str, Any] = {
        "schema": SCHEMA,
        "submission": report.submission,
        "student": report.student,
        "source": report.source,
        "score": _rounded(report.score, "score"),
        "max_score": _rounded(report.max_score, "max_score"),
        "status": report.status,
        "checks": [_check(verdict) for verdict in report.checks],
        "diagnoses": [_diagnosis(diagnosis) for diagnosis in report.diagnoses],
        "steps": [_step(row) for row in report.steps],
        "review": report.review,
        "notes": report.notes,
        "environment": {
            "versions": dict(sorted(report.environment.versions.items())),
            "isolation": report.environment.isolation,
        },
        "timing": {name: _rounded(value, f"timing.{name}") for name, value in sorted(report.timing.items())},
    }
    if report.rulings or report.penalty or report.late_days or report.excused:
        data |= {
            "rulings": [_ruling(ruling) for ruling in report.rulings],
            "penalty": _rounded(report.penalty, "penalty"),
            "late_days": _rounded(report.late_days, "late_days"),
            "excused": report.excused,
        }
    # ASCII: the bytes do not depend on the encoding that whoever writes the file happens to choose.
    return json.dumps(data, ensure_ascii=True, allow_nan=False, indent=2) + "\n"


def _check(verdict: Verdict) -> dict[str, Any]:
    written = {
        "id": verdict.id,
        "title": verdict.title,
        "group": verdict.group,
        "status": verdict.status,
        "points": _rounded(verdict.points, f"points of {verdict.id}"),
        "max_points": _rounded(verdict.max_points, f"max_points of {verdict.id}"),
        "hidden": verdict.hidden,
        "message": verdict.message,
        "places": _places(verdict.places),
    }
    if verdict.adjusted_from is not None:
        written["adjusted_from"] = _rounded(verdict.adjusted_from, f"adjusted_from of {verdict.id}")
    return written


def _diagnosis(diagnosis: Diagnosis) -> dict[str, Any]:
    return {
        "id": diagnosis.id,
        "title": diagnosis.title,
        "hint": diagnosis.hint,
        "source": diagnosis.source,
        "checks": diagnosis.checks,
        "costs": {check: _rounded(points, f"costs of {diagnosis.id}") for check, points in diagnosis.costs.items()},
        "places": _places(diagnosis.places),
    }


def _places(places: Sequence[Place]) -> list[dict[str, Any]]:
    # One without a line is the remark that some were left out.
    return [_place(place) for place in places if place.line]


def _place(place: Place) -> dict[str, Any]:
    label = {"cell": int(cell[1])} if (cell := _CELL.fullmatch(place.label)) else {"file": place.label}
    return {**label, "line": place.line, "text": place.text}


def _step(row: StepRow) -> dict[str, Any]:
    if len(row.shape) > DIMENSIONS or any(size < 0 for size in row.shape):
        raise ValueError(f"the shape of {row.name} is {row.shape}: an array has at most {DIMENSIONS} sizes, 0 or more")
    shape = [int(size) for size in row.shape]
    return {**_place(row.place), "name": row.name, "shape": shape, "status": row.status, "verdict": row.verdict}


def _ruling(ruling: Ruling) -> dict[str, Any]:
    decision = ruling.decision
    return {
        "number": decision.number,
        "kind": decision.kind,
        "check": decision.check,
        "value": _rounded(decision.value, f"value of decision {decision.number}"),
        "comment": decision.comment,
        "by": decision.by,
        "at": decision.at,
        "submission_digest": decision.submission_digest,
        "effect": ruling.effect,
        "applies": ruling.applies,
    }


def _rounded(number: float, where: str) -> float:
    if not 0 <= number <= LARGEST:  # false for NaN too
        raise ValueError(f"{where} is {number}: a report holds finite numbers only, 0 or more")
    return round(float(number), DIGITS) + 0.0  # adding 0.0 turns -0.0 into 0.0
