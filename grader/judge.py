"""Replies and expectations to findings and named mistakes: pure, so that a class is judged again without running anything.

Points and words come afterwards, in `grader.score`: what is found here does not depend on them.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from grader.checks import CHECKS, Evidence
from grader.diagnosis import Named, charged_somewhere, settle, tell_causes, to_look_at, told_above
from grader.locate import Located, many_passes, table, with_many_passes
from grader.model import (
    Assignment,
    Charge,
    Credit,
    Finding,
    Findings,
    Judgement,
    LineUp,
    Place,
    Probes,
    Run,
    Submission,
)
from grader.score import lost, methods_of, scored


def judge(assignment: Assignment, probes: Probes, run: Run, submission: Submission) -> Judgement:
    """Judge every row of the rubric on one submission's replies, and name the mistakes behind what failed."""
    return scored(find(assignment, probes, run, submission), assignment, probes.line_up)


def find(assignment: Assignment, probes: Probes, run: Run, submission: Submission) -> Findings:
    """Return what each check of the rubric finds in one submission's replies, and the mistakes that explain it."""
    evidence = Evidence(assignment, probes, run)
    findings = _found(evidence, submission)
    # The answers alone say nothing of how gradients come about. Of most programs this takes microseconds.
    many = many_passes(evidence)
    return with_many_passes(findings, many, assignment, submission) if many else findings


def _found(evidence: Evidence, submission: Submission) -> Findings:
    assignment, probes = evidence.assignment, evidence.probes
    # Replies hold what their process likes, 1e308 and NaN too: a sum that overflows is a wrong answer, not our warning.
    with np.errstate(all="ignore"):
        found = {row.id: CHECKS[row.id].function(evidence) for row in assignment.checks}
        found = charged_somewhere(found)
        account = settle(evidence, found)
        causes = tell_causes(evidence, submission, found, account.named)
        something = any(lost(finding) for finding in found.values())
        lines = Located(evidence, submission) if something or account.named else None
        review = to_look_at(evidence, found) if not account.named else ()
        if lines is not None:
            causes = tuple(replace(cause, origin=lines.origin(cause)) for cause in causes)
        found = {check: told_above(finding, check, causes) for check, finding in found.items()}
        credited = {check: share for check, (share, _) in account.credited.items()}
        placed = {
            check: replace(finding, places=_places(finding, credited.get(check), lines))
            for check, finding in found.items()
        }
        charges = tuple(_charge(named, probes.line_up, lines) for named in account.named) if probes.line_up else ()
        wrong = methods_of(check for check, finding in found.items() if lost(finding))
        steps = table(lines, wrong, assignment.variant.activation) if lines else {}
    if probes.line_up is None:
        return Findings(placed, causes=causes, review=review, steps=steps)
    return Findings(
        placed,
        credits={check: Credit(share, elsewhere) for check, (share, elsewhere) in account.credited.items()},
        charges=charges,
        causes=causes,
        review=review,
        steps=steps,
    )


def _places(finding: Finding, credited: float | None, lines: Located | None) -> tuple[Place, ...]:
    """Return where a check's finding points: an exception's own places, else the line that is wrong or does what it is about.

    credited : the share that it earns after all, where the mistake behind it is charged elsewhere.
    """
    whole = finding.share >= 1 or finding.skipped if credited is None else credited >= 1
    if finding.places or whole or not finding.about or lines is None:
        return finding.places
    place = lines.place(finding.about)
    return (place,) if place else ()


def _charge(named: Named, line_up: LineUp, lines: Located | None) -> Charge:
    about = line_up.suspect_of(named.mistake).about
    return Charge(named.mistake, named.alternatives, named.explains, named.costs, lines.place(about) if lines else None)


def remarks(assignment: Assignment, probes: Probes, run: Run) -> tuple[str, ...]:
    """Return what differs from the assignment's interface though the maths may be right; never costs a point."""
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
