"""Compare two reports of one submission: what changed when a class was judged again, and why."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from grader.model import Decision, Report, Verdict
from grader.records import dataclass, replace
from grader.text.csv_text import write_csv
from grader.text.sanitise import csv_cell


@dataclass(frozen=True)
class ScoreChange:
    """What changed between two reports of one submission."""

    name: str
    before: float  # the score that counted, after people's decisions
    after: float
    graders: tuple[float, float]  # the grader's own score, before and after
    of: tuple[float, float]  # the most that there was to earn, before and after
    # id -> the grader's points before and after, where they differ; None: no such check
    checks: Mapping[str, tuple[float | None, float | None]]
    decisions: tuple[str, ...]  # where the points that people gave count otherwise than before, in words
    lateness: tuple[float, float]  # points off for it, before and after
    newly_named: tuple[str, ...]  # mistakes that are named now and were not
    no_longer_named: tuple[str, ...]  # the other way round
    reworded: bool  # something else is said of the submission, whatever its points

    @property
    def points(self) -> bool:
        """Return whether any points changed: the score, a check's points, or what a person's decision is worth."""
        pairs = (self.before, self.after), self.graders, self.lateness
        return any(one != other for one, other in pairs) or bool(self.checks or self.decisions)


def compare_reports(before: Report, after: Report) -> ScoreChange:
    """Return what changed between two reports of one submission, both with the same decisions or both without."""
    old, new = _graders(before), _graders(after)
    return ScoreChange(
        name=after.submission,
        before=before.score,
        after=after.score,
        graders=(round(sum(old.values()), 2), round(sum(new.values()), 2)),
        of=(before.max_score, after.max_score),
        checks={one: (old.get(one), new.get(one)) for one in {**old, **new} if old.get(one) != new.get(one)},
        decisions=_decisions(before, after),
        lateness=(before.penalty, after.penalty),
        newly_named=_appeared(before, after),
        no_longer_named=_appeared(after, before),
        reworded=_words_of(before) != _words_of(after),
    )


def _graders(report: Report) -> dict[str, float]:
    """Return each check's points before any decision."""
    return {one.id: one.points if one.adjusted_from is None else one.adjusted_from for one in report.checks}


def _appeared(there: Report, here: Report) -> tuple[str, ...]:
    """Return the titles of the mistakes that are named here and not there."""
    known = {one.id for one in there.diagnoses}
    return tuple(one.title for one in here.diagnoses if one.id not in known)


def _decisions(before: Report, after: Report) -> tuple[str, ...]:
    old, new = ({one.id: one for one in report.checks if one.adjusted_from is not None} for report in (before, after))
    made = {one.decision.check: one.decision for one in after.rulings if one.applies and one.decision.kind == "points"}
    said = []
    for check in dict.fromkeys([*old, *new]):
        one, other = old.get(check), new.get(check)
        if one and other and check in made and one.max_points != other.max_points:
            # The rubric changed what a person meant: who decided has to hear of it, also where the points stayed.
            said.append(_worth(made[check], other))
        elif (points := [each.points if each else None for each in (one, other)]) and points[0] != points[1]:
            said.append(f"{check} as decided {_arrow(*points)}")
    return tuple(said)


def _worth(decision: Decision, verdict: Verdict) -> str:
    """Return what a decision was worth and is worth now: "decision 2 by Ada: decay 1.5 of 4 counts as 1 of 1 now"."""
    of = "" if decision.of is None else f" of {decision.of:g}"
    counts = f"{verdict.points:g} of {verdict.max_points:g}"
    return (
        f"decision {decision.number} by {decision.by}: {decision.check} {decision.value:g}{of} counts as {counts} now"
    )


def _words_of(report: Report) -> tuple[object, ...]:
    """Return the words of a report, without points."""
    checks = [(one.id, one.title, one.hidden, one.message, one.status == "carried") for one in report.checks]
    mistakes = [(one.id, one.title, one.hint, one.source) for one in report.diagnoses]
    return report.status, report.notes, checks, mistakes


# ---------------------------------------------------------------- in words


def explain(move: ScoreChange) -> str:
    """Return why a score changed: "data_loss 8 -> 10, decay 0 -> 4"."""
    return ", ".join(_reasons(move))


def count_reasons(moves: Iterable[ScoreChange]) -> list[tuple[str, int]]:
    """Return each reason with the number of scores that it changed, the commonest first; people's decisions left out."""
    return Counter(reason for move in moves for reason in _reasons(replace(move, decisions=()))).most_common()


def _reasons(move: ScoreChange) -> list[str]:
    return [
        # What is long is cut in its middle; what people decided is the last that may be missing.
        *move.decisions,
        *[f"points off for lateness {_arrow(*move.lateness)}"] * (move.lateness[0] != move.lateness[1]),
        *(f"{check} {_arrow(*pair)}" for check, pair in move.checks.items()),
        *(f"now named: {title}" for title in move.newly_named),
        *(f"no longer named: {title}" for title in move.no_longer_named),
    ]


def _arrow(old: float | None, new: float | None) -> str:
    return " -> ".join("none" if points is None else f"{points:g}" for points in (old, new))


def to_csv(moves: Sequence[ScoreChange]) -> str:
    """Return the changes as a CSV."""
    rows = []
    for move in moves:
        numbers = (move.before, move.of[0], move.after, move.of[1], *move.graders)
        # Reason by reason: a cell is cut at the length of one line, and a whole rubric may have moved.
        reasons = ", ".join(map(csv_cell, _reasons(move)))
        rows.append([csv_cell(move.name), *(f"{number:g}" for number in numbers), reasons])
    return write_csv(
        ["submission", "before", "max_before", "after", "max_after", "grader_before", "grader_after", "why"], rows
    )


# ---------------------------------------------------------------- what changed


def compare_tables(then: Iterable[Mapping[str, Any]], now: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the values that changed: "checks.scores.points: 8 -> 10".

    then, now : TOML tables, or any others of plain values.
    """
    here = _flat(now)
    found: dict[str, None] = {}
    for there in map(_flat, then):
        for key in dict.fromkeys([*there, *here]):
            if there.get(key) != here.get(key):
                found[f"{key}: {there.get(key, 'not there')} -> {here.get(key, 'not there')}"] = None
    return tuple(found)


def _flat(table: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """Return a table's values by dotted keys; a check's keys hold its id: "checks.data_loss.points"."""
    found: dict[str, Any] = {}
    for key, value in table.items():
        if isinstance(value, Mapping):
            found |= _flat(value, f"{prefix}{key}.")
        elif key == "checks" and isinstance(value, list):
            for row in value:
                found |= _flat({name: one for name, one in row.items() if name != "id"}, f"checks.{row.get('id')}.")
        else:
            found[f"{prefix}{key}"] = value
    return found
