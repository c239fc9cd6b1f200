"""Replies and expectations to verdicts and named mistakes: pure, so that a class is judged again without running anything."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from grader.checks import CHECKS, Evidence
from grader.diagnosis import Account, Named, settle
from grader.records import (
    Assignment,
    CheckRow,
    Diagnosis,
    Finding,
    Judgement,
    Place,
    Probes,
    Run,
    Submission,
    Verdict,
    VerdictStatus,
)
from grader.submission import statement_place

KNOWN = tuple(CHECKS)


def judge(assignment: Assignment, probes: Probes, run: Run, submission: Submission) -> Judgement:
    """Judge every row of the rubric on one submission's replies, and name the mistakes behind what failed."""
    evidence = Evidence(assignment, probes, run)
    # Replies hold what their process likes, 1e308 and NaN too: a sum that overflows is a wrong answer, not our warning.
    with np.errstate(all="ignore"):
        findings = {row.id: CHECKS[row.id].finding(evidence) for row in assignment.checks}
        account = settle(evidence, findings)
    credited = {check: _credited(account, check, finding) for check, finding in findings.items()}
    verdicts = tuple(
        replace(
            _verdict(row, credited[row.id], submission, assignment),
            credited=round((credited[row.id].share - findings[row.id].share) * row.points, 2),
        )
        for row in assignment.checks
    )
    points = {row.id: row.points for row in assignment.checks}
    return Judgement(verdicts, tuple(_diagnosis(named, points, submission, assignment) for named in account.named))


def _credited(account: Account, check: str, finding: Finding) -> Finding:
    """Give a check the points back that it lost by a mistake that is charged elsewhere."""
    if check not in account.credited:
        return finding
    share, elsewhere = account.credited[check]
    titles = "\n".join(f"Not charged here: {suspect.title}" for suspect in elsewhere)
    return replace(finding, share=share, message=f"{titles}\n{finding.message}", skipped=False)


def _diagnosis(named: Named, points: Mapping[str, float], submission: Submission, assignment: Assignment) -> Diagnosis:
    suspect = named.suspect
    title = suspect.title
    if named.alternatives:
        others = " Or: ".join(other.title for other in named.alternatives)
        title = f"One of: {title} Or: {others}"
    place = statement_place(submission, assignment.class_name, suspect.about, names=assignment.variant.names)
    return Diagnosis(
        id=suspect.id,
        title=title,
        hint=suspect.hint,
        source=f"{suspect.formula} ({suspect.source})",
        checks=named.explains,
        costs={check: round(share * points[check], 2) for check, share in named.costs.items()},
        places=(place,) if place else (),
    )


def not_run(assignment: Assignment, message: str, place: Place | None) -> tuple[Verdict, ...]:
    """Give every row of the rubric to a submission that cannot be run: skipped, with the reason."""
    finding = Finding(0.0, f"Not judged: {message}", places=(place,) if place else (), skipped=True)
    return tuple(_row_verdict(row, finding, finding.places) for row in assignment.checks)


def _verdict(row: CheckRow, finding: Finding, submission: Submission, assignment: Assignment) -> Verdict:
    places = finding.places
    if not places and finding.share < 1 and not finding.skipped and finding.about:
        place = statement_place(submission, assignment.class_name, finding.about, names=assignment.variant.names)
        places = (place,) if place else ()
    return _row_verdict(row, finding, places)


def _row_verdict(row: CheckRow, finding: Finding, places: tuple[Place, ...]) -> Verdict:
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
        places=places,
    )


def remarks(assignment: Assignment, probes: Probes, run: Run) -> tuple[str, ...]:
    """Say what differs from the assignment's interface though the maths may be right; never costs a point."""
    replies = [reply for reply in run.replies.values() if reply.own_shapes or reply.positional]
    found: dict[str, None] = {}
    asked = {call.id: call for call in probes.calls}
    for reply in replies:
        for name, given in asked[reply.call].params.items():
            own = reply.own_shapes.get(name)
            if own is not None and own != given.shape and sorted(own) != sorted(given.shape):
                found[
                    f"{name} is made with {'one axis more' if len(own) > given.ndim else 'fewer axes'} than asked ({len(own)} instead of {given.ndim})."
                ] = None
            elif own is not None and own != given.shape:
                found[f"{name} is made transposed; its values were read accordingly."] = None
        extra = sorted(set(reply.own_shapes) - set(assignment.variant.names))
        if extra and asked[reply.call].params:
            found[f"params holds more than was asked: {', '.join(extra)[:100]}."] = None
        for method in reply.positional:
            found[f"{method}() names its parameters otherwise than asked; it was called by position."] = None
    for reply in (run.load, *run.replies.values()):
        for warning in reply.warnings:
            found[f"Warning: {warning}"] = None
    return tuple(found)[:20] + _printed(run)


def _printed(run: Run) -> tuple[str, ...]:
    talking = [reply.call for reply in run.replies.values() if reply.printed]
    if not talking:
        return ()
    return (f"It printed something while being graded, in {len(talking)} of {len(run.replies)} calls.",)
