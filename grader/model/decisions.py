"""What people decide and say about a submission, after and above what the grader found."""

from typing import Literal

from grader.records import dataclass

DecisionKind = Literal["points", "excused", "late_days", "comment", "request"]


@dataclass(frozen=True)
class Decision:
    """One thing that a person decided, wrote or asked about one submission; it outlives every regrade."""

    number: int  # in its gradebook, counted from 1
    kind: DecisionKind
    check: str  # of "points", and of a "comment" about one check; "" otherwise
    value: float  # "points": what the check counts from now on; "late_days": days; "excused": 1 or 0
    # "comment": 0; "request": 1 while it waits for an answer, 0 of the answer
    comment: str  # why; or what is said or asked
    by: str  # who
    at: str  # when: UTC, ISO 8601, to the second: "2026-11-22T15:19:03Z"
    submission_digest: str  # of what had been handed in then
    of: float | None = None  # "points": the most that the check gave then; None where nobody noted that


@dataclass(frozen=True)
class Ruling:
    """A decision as it stands in one report."""

    decision: Decision
    effect: str  # in words: what it changes in this report, or why it changes nothing
    applies: bool  # false where a later decision, another hand-in or another rubric has overtaken it
