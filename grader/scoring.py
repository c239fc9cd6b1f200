"""Findings to verdicts: the rubric's points, and the words for the named mistakes. A few microseconds; nothing is judged."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from grader.checks import CHECKS
from grader.records import (
    Assignment,
    Charge,
    CheckRow,
    Diagnosis,
    Finding,
    Findings,
    Judgement,
    LineUp,
    Place,
    Suspect,
    Verdict,
    VerdictStatus,
)

KNOWN = tuple(CHECKS)


def scored(findings: Findings, assignment: Assignment, line_up: LineUp | None) -> Judgement:
    """Put the rubric's points to what was found, and the mistakes' titles and hints to their positions in the line-up."""
    suspects = line_up.suspects if line_up else ()
    points = {row.id: row.points for row in assignment.checks}
    return Judgement(
        tuple(_verdict(row, findings, suspects) for row in assignment.checks),
        tuple(_diagnosis(charge, points, suspects) for charge in findings.charges),
    )


def not_run(assignment: Assignment, message: str, place: Place | None) -> tuple[Verdict, ...]:
    """Give every row of the rubric to a submission that cannot be run: skipped, with the reason."""
    finding = Finding(0.0, f"Not judged: {message}", places=(place,) if place else (), skipped=True)
    return tuple(_row_verdict(row, finding) for row in assignment.checks)


def _verdict(row: CheckRow, findings: Findings, suspects: tuple[Suspect, ...]) -> Verdict:
    """Give a check's verdict, with the points back that it lost by a mistake that is charged elsewhere."""
    finding, credit = findings.checks[row.id], findings.credits.get(row.id)
    if credit is None:
        return _row_verdict(row, finding)
    titles = "\n".join(f"Not charged here: {suspects[at].title}" for at in credit.elsewhere)
    after = replace(finding, share=credit.share, message=f"{titles}\n{finding.message}", skipped=False)
    return replace(_row_verdict(row, after), credited=round((credit.share - finding.share) * row.points, 2))


def _row_verdict(row: CheckRow, finding: Finding) -> Verdict:
    check = CHECKS[row.id]
    share = min(max(finding.share, 0.0), 1.0)
    status: VerdictStatus = "passed" if share == 1 else "partial" if share else "failed"
    return Verdict(
        id=row.id,
        title=check.title,
        group=check.group,
        status="skipped" if finding.skipped else status,
        points=0.0 if finding.skipped else round(share * row.points, 2),
        max_points=row.points,
        hidden=row.hidden,
        message=finding.message,
        figures=finding.figures,
        places=finding.places,
    )


def _diagnosis(charge: Charge, points: Mapping[str, float], suspects: tuple[Suspect, ...]) -> Diagnosis:
    suspect = suspects[charge.suspect]
    # Ways of one mistake are told in the same words, once.
    others = dict.fromkeys(suspects[at].title for at in charge.alternatives if suspects[at].title != suspect.title)
    title = f"One of: {' Or: '.join([suspect.title, *others])}" if others else suspect.title
    return Diagnosis(
        id=suspect.id,
        title=title,
        hint=suspect.hint,
        source=f"{suspect.formula} ({suspect.source})",
        checks=charge.explains,
        costs={check: round(share * points[check], 2) for check, share in charge.costs.items()},
        places=(charge.place,) if charge.place else (),
    )
