"""Apply people's decisions to the grader's report. It is pure, so it is repeated after every regrade."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace

from grader.model import Decision, Diagnosis, LatePolicy, Report, Ruling, Verdict, VerdictStatus
from grader.text.phrases import format_points, plural
from grader.text.sanitise import one_line

EARLIER = "It was made for an earlier hand-in and does not count for this one: decide again"
GONE = "The rubric no longer has this check, so it changes nothing"


def decide(report: Report, decisions: Sequence[Decision], policy: LatePolicy | None, submission_digest: str) -> Report:
    """Return the report after people's decisions about its submission.

    report : the grader's own, never a result of this function. decisions : in any order; higher numbers are later.
    policy : the assignment's; None if lateness costs nothing. submission_digest : of the current hand-in; points that
    were given for another one do not count. Without decisions the report itself is returned.
    """
    if not decisions:
        return report
    found = {verdict.id: verdict for verdict in report.checks}
    ordered = sorted(decisions, key=lambda decision: decision.number)
    in_force = {_about(one): one for one in ordered if _counts(one, found, submission_digest)}
    points = {check: _points(one, found[check]) for (kind, check), one in in_force.items() if kind == "points"}
    checks = tuple(_adjusted(one, points[one.id]) if one.id in points else one for one in report.checks)
    earned = sum(verdict.points for verdict in checks)
    late, excused = in_force.get(("late_days", "")), in_force.get(("excused", ""))
    waiting = [" ".join(one.comment.split()) for one in in_force.values() if one.kind == "request" and one.value]
    late_days = max(0.0, late.value) if late else 0.0
    penalty = _penalty(late_days, policy, earned, report.max_score)
    said = _lateness(late_days, policy, earned, report.max_score)
    effects = {one.number: _effect(one, found, late=said) for one in in_force.values()}
    latest = {_about(one): one for one in ordered} | in_force
    return replace(
        report,
        # A rubric may have finer points than a score has digits.
        score=min(max(0.0, round(earned - penalty, 2)), report.max_score),
        checks=checks,
        diagnoses=tuple(_recosted(one, {check.id: check for check in checks}) for one in report.diagnoses),
        rulings=tuple(
            Ruling(one, effects[one.number], applies=True)
            if one.number in effects
            else Ruling(one, _idle(one, latest[_about(one)], found), applies=False)
            for one in ordered
        ),
        penalty=penalty,
        late_days=late_days,
        excused=bool(excused and excused.value),
        review=(*report.review, *(one_line(f"Regrade request: {text}", 1_000) for text in waiting)),
    )


def _about(decision: Decision) -> tuple[str, str]:
    """Return what a decision is about. A later decision about the same thing replaces it; a comment replaces none."""
    if decision.kind == "comment":
        return decision.kind, str(decision.number)
    return decision.kind, decision.check if decision.kind == "points" else ""


def _counts(decision: Decision, found: Mapping[str, Verdict], submission_digest: str) -> bool:
    # Lateness, excuses and requests are about the student; points and comments are about the program that was read.
    if decision.kind not in {"points", "comment"}:
        return True
    return (not decision.check or decision.check in found) and decision.submission_digest == submission_digest


# ---------------------------------------------------------------- points


def _points(decision: Decision, verdict: Verdict) -> float:
    return min(max(0.0, round(decision.value, 2)), verdict.max_points)


def _adjusted(verdict: Verdict, points: float) -> Verdict:
    status: VerdictStatus = "passed" if points >= verdict.max_points else "partial" if points else "failed"
    # Points that a person gave were given by nobody else.
    return replace(verdict, points=points, status=status, adjusted_from=verdict.points, credited=0.0)


def _recosted(diagnosis: Diagnosis, checks: Mapping[str, Verdict]) -> Diagnosis:
    """Return a diagnosis whose costs are at most what is still lost after people's decisions."""
    left = dict(diagnosis.costs)
    for check in diagnosis.costs:
        verdict = checks.get(check)
        if verdict and verdict.adjusted_from is not None:
            left[check] = round(min(left[check], verdict.max_points - verdict.points), 2)
            if not left[check]:
                del left[check]
    return replace(diagnosis, costs=left)


# ---------------------------------------------------------------- lateness


def _cost(days: float, policy: LatePolicy, earned: float, maximum: float) -> float:
    """Return the cost of these days of lateness without the lowest score."""
    share = max(0.0, days - policy.free_days) * policy.percent_a_day / 100
    return round(share * (maximum if policy.of == "maximum" else earned), 2)


def _penalty(days: float, policy: LatePolicy | None, earned: float, maximum: float) -> float:
    if policy is None:
        return 0.0
    spare = max(0.0, earned - maximum * policy.lowest_percent / 100)
    # Rounded down, or the last half of a hundredth would take the score below the lowest; 1e-6 is for sums of floats.
    return min(_cost(days, policy, earned, maximum), math.floor(spare * 100 + 1e-6) / 100)


def _lateness(days: float, policy: LatePolicy | None, earned: float, maximum: float) -> str:
    """Return a sentence on what lateness costs and, if that is less than the full cost, why."""
    late = f"Late by {plural(days, 'day')}"
    if not days:
        return "Not late: no points off"
    if policy is None:
        return f"{late}: no points off, since this assignment has no rule for lateness"
    if days <= policy.free_days:
        first = "day costs" if policy.free_days == 1 else f"{policy.free_days} days cost"
        return f"{late}: no points off, since the first {first} nothing"
    penalty = _penalty(days, policy, earned, maximum)
    free = f", {format_points(policy.free_days)} of them free" if policy.free_days else ""
    off = f"{late}{free}: {plural(penalty, 'point') if penalty else 'no points'} off"
    if penalty < _cost(days, policy, earned, maximum):
        off += f", since lateness lowers no score below {plural(maximum * policy.lowest_percent / 100, 'point')}"
    return off


# ---------------------------------------------------------------- in words


def _effect(decision: Decision, found: Mapping[str, Verdict], *, late: str) -> str:
    match decision.kind:
        case "late_days":
            return late
        case "excused":
            return "Excused: this does not count" if decision.value else "Not excused: this counts"
        case "comment":
            return f"Comment on {decision.check}" if decision.check else "Comment"
        case "request":
            return f"Regrade request {'received: nobody has answered it yet' if decision.value else 'answered'}"
        case "points":
            verdict = found[decision.check]
            points, most = _points(decision, verdict), format_points(verdict.max_points)
            given = "confirmed" if points == verdict.points else f"now {format_points(points)} of {most}"
            if aside := worth_otherwise(decision, verdict.max_points):
                given += f" ({aside})"
            return f"{decision.check}: {format_points(verdict.points)} of {most} by the grader, {given}"


def worth_otherwise(decision: Decision, maximum: float) -> str:
    """Return how given points mean something different now, because the check's worth changed; "" if they do not.

    decision : one of points. maximum : the check's points now.
    """
    value, most = format_points(decision.value), format_points(maximum)
    if decision.of is None:
        return f"{value} was given, but the rubric allows at most {most}" if decision.value > maximum else ""
    if decision.of == maximum or not decision.value:
        return ""
    whole = decision.value >= decision.of
    if decision.value > maximum:
        counts = f"this counts for less, and is {'still ' if whole else ''}full marks"
    elif decision.value == maximum:
        counts = "the same points are full marks"
    elif maximum < decision.of:
        counts = "the same points are a larger part of it"
    else:
        counts = f"{'what was full marks is a' if whole else 'the same points are a smaller'} part of it"
    return f"{value} of {format_points(decision.of)} was given, and the check is now worth {most}: {counts}"


def _idle(decision: Decision, latest: Decision, found: Mapping[str, Verdict]) -> str:
    """Return a decision and why it changes nothing; latest : the one that counts, or the last about the same thing."""
    what = {
        "points": f"{decision.check}: {plural(decision.value, 'point')}",
        "late_days": f"Late by {plural(decision.value, 'day')}" if decision.value else "Not late",
        "excused": "Excused" if decision.value else "Not excused",
        "comment": _effect(decision, found, late="") if decision.kind == "comment" else "",
        "request": "Regrade request",
    }[decision.kind]
    if decision.kind == "comment" and (not decision.check or decision.check in found):
        return f"{what} of an earlier hand-in"
    if latest.number > decision.number:
        did = "Answered" if latest.kind == "request" and not latest.value else "Replaced"
        return f"{what}. {did} by decision {latest.number}"
    return f"{what}. {EARLIER if decision.check in found else GONE}"
