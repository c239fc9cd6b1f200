"""Runs that were never run: the evidence that a program with given mistakes would leave, made on demand."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from grader.checks import CHECKS
from grader.checks.evidence import Evidence
from grader.records import Assignment, LineUp, Probes, Reply, Run

if TYPE_CHECKING:
    from collections.abc import Hashable

# Runs kept: each holds what the checks and traces have worked out of it, some 20 KiB.
MOST = 2_000

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
    """Give the evidence that a program leaves which is right but for these mistakes.

    factor : k in loss = data loss + k reg penalty, where the assignment accepts more than one.
    """
    line_up = probes.line_up
    if line_up is None:
        raise ValueError("these probes know no mistakes")
    key: Hashable = ("evidence", assignment.digest, mistakes, factor)
    if key not in line_up.known:
        if len(line_up.known) >= MOST:
            # The single mistakes stay: every failing submission is held against them.
            for old in [k for k in line_up.known if k[0] == "evidence" and len(k[2]) > 1]:
                del line_up.known[old]
        calls = tuple(call.id for call in probes.calls)
        run = Run(Reply("load", "returned"), Rehearsed(line_up, mistakes, factor, calls), (), {}, 0.0, 0.0)
        line_up.known[key] = Evidence(assignment, probes, run)
    found: Evidence = line_up.known[key]
    return found


def share(evidence: Evidence, check: str) -> float:
    """Give the share of a check's points that a run earns by itself."""
    key = ("share", check)
    if key not in evidence.known:
        finding = CHECKS[check].function(evidence)
        evidence.known[key] = 0.0 if finding.skipped else min(max(finding.share, 0.0), 1.0)
    found: float = evidence.known[key]
    return found
