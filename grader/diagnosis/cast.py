"""Runs that were never run: the evidence that a program with given mistakes would leave, made on demand."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from grader.checks import CHECKS
from grader.checks.evidence import Evidence
from grader.records import Assignment, LineUp, Probes, Reply, Run

if TYPE_CHECKING:
    from collections.abc import Hashable

# Runs kept, those used last: each holds what checks and traces have worked out of it, up to half a megabyte.
MOST = 100

Mistakes = frozenset[int]  # positions in LineUp.suspects


class Rehearsed(Mapping[str, Reply]):
    """The replies of a program with some mistakes; each is worked out when it is looked at."""

    def __init__(self, line_up: LineUp, mistakes: Mistakes, factor: float, calls: tuple[str, ...]) -> None:
        self.line_up = line_up
        self.mistakes = mistakes
        self.factor = factor
        self.calls = calls

    def __getitem__(self, call: str) -> Reply:
        return self.line_up.rehearse(self.mistakes, self.factor, call)

    def __iter__(self) -> Iterator[str]:
        return iter(self.calls)

    def __len__(self) -> int:
        return len(self.calls)


def evidence_of(assignment: Assignment, probes: Probes, mistakes: Mistakes, factor: float) -> Evidence:
    """Give the evidence that a program leaves which is right but for these mistakes; the last hundred are remembered.

    factor : k in loss = data loss + k reg penalty, where the assignment accepts more than one.
    """
    if probes.line_up is None:
        raise ValueError("these probes know no mistakes")
    kept: OrderedDict[Hashable, Evidence] = probes.line_up.known.setdefault("evidence", OrderedDict())
    key = (assignment.digest, mistakes, factor)
    if key not in kept:
        kept[key] = fresh_evidence(assignment, probes, mistakes, factor)
    kept.move_to_end(key)
    while len(kept) > MOST:
        kept.popitem(last=False)
    return kept[key]


def fresh_evidence(assignment: Assignment, probes: Probes, mistakes: Mistakes, factor: float) -> Evidence:
    """Give the same for one use only."""
    if probes.line_up is None:
        raise ValueError("these probes know no mistakes")
    calls = tuple(call.id for call in probes.calls)
    rehearsed = Rehearsed(probes.line_up, mistakes, factor, calls)
    return Evidence(assignment, probes, Run(Reply("load", "returned"), rehearsed, (), {}, 0.0, 0.0))


def share(assignment: Assignment, probes: Probes, mistakes: Mistakes, factor: float, check: str) -> float:
    """Give the share of a check's points that a program with these mistakes earns by itself; remembered for the run."""
    if probes.line_up is None:
        raise ValueError("these probes know no mistakes")
    kept: dict[Hashable, float] = probes.line_up.known.setdefault("shares", {})
    key = (assignment.digest, mistakes, factor, check)
    if key not in kept:
        finding = CHECKS[check].function(evidence_of(assignment, probes, mistakes, factor))
        kept[key] = 0.0 if finding.skipped else min(max(finding.share, 0.0), 1.0)
    return kept[key]
