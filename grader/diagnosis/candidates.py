"""Runs that were never run: the context that a program with given mistakes would leave, made on demand."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, TypeVar, get_args

from grader.checks import CHECKS
from grader.checks.context import GradingContext
from grader.model import Assignment, Fitted, LineUp, Mistake, Probes, QuestionId, Reply, Run, Stage

if TYPE_CHECKING:
    from collections.abc import Hashable

T = TypeVar("T")

# Runs kept, those used last: each holds what checks and signatures have worked out of it, up to half a megabyte.
MOST = 100
STAGES = get_args(Stage)

Mistakes = frozenset[Mistake]


def line_up_of(probes: Probes) -> LineUp:
    """Return the line-up of probes that have one, else raise ValueError."""
    if probes.line_up is None:
        raise ValueError("these probes know no mistakes")
    return probes.line_up


def in_order(line_up: LineUp, mistakes: Mistakes) -> list[Mistake]:
    """Return mistakes in the order of the line-up, those with a fitted number after the others of their stage."""

    def place(mistake: Mistake) -> tuple[int, bool, int]:
        stage = STAGES.index(line_up.suspect_of(mistake).stage)
        return (stage, True, mistake.family) if isinstance(mistake, Fitted) else (stage, False, mistake)

    return sorted(mistakes, key=place)


def cached(line_up: LineUp, shelf: str, most: int, key: Hashable, make: Callable[[], T]) -> T:
    """Return what stands on a shelf of the run's under a key, made where it is missing; the last `most` asked for stay."""
    on_shelf: OrderedDict[Hashable, T] = line_up.known.setdefault(shelf, OrderedDict())
    if key in on_shelf:
        on_shelf.move_to_end(key)
        return on_shelf[key]
    made = on_shelf[key] = make()
    while len(on_shelf) > most:
        on_shelf.popitem(last=False)
    return made


class SimulatedReplies(Mapping[QuestionId, Reply]):
    """The replies of a program with some mistakes; each is worked out when it is looked at."""

    def __init__(self, probes: Probes, mistakes: Mistakes, factor: float) -> None:
        self.probes = probes
        self.line_up = line_up_of(probes)
        self.mistakes = mistakes
        self.factor = factor

    def __getitem__(self, call: QuestionId) -> Reply:
        return self.line_up.rehearse(self.mistakes, self.factor, call)

    def __iter__(self) -> Iterator[QuestionId]:
        return (call.id for call in self.probes.calls)

    def __len__(self) -> int:
        return len(self.probes.calls)


def simulate_context(assignment: Assignment, probes: Probes, mistakes: Mistakes, factor: float) -> GradingContext:
    """Return the context that a program leaves which is right but for these mistakes; the last hundred are remembered.

    factor : k in loss = data loss + k reg penalty, where the assignment accepts more than one.
    """

    def make() -> GradingContext:
        return simulate_fresh_context(assignment, probes, mistakes, factor)

    return cached(line_up_of(probes), "context", MOST, (assignment.digest, mistakes, factor), make)


def simulate_fresh_context(assignment: Assignment, probes: Probes, mistakes: Mistakes, factor: float) -> GradingContext:
    """Return the same for one use only."""
    run = Run(Reply(QuestionId("load"), "returned"), SimulatedReplies(probes, mistakes, factor), (), {}, 0.0, 0.0)
    return GradingContext(assignment, probes, run)


def simulate_share(assignment: Assignment, probes: Probes, mistakes: Mistakes, factor: float, check: str) -> float:
    """Return the share of a check's points that a program with these mistakes earns by itself; remembered for the run."""
    earned: dict[Hashable, float] = line_up_of(probes).known.setdefault("shares", {})
    key = (assignment.digest, mistakes, factor, check)
    if key not in earned:
        finding = CHECKS[check].function(simulate_context(assignment, probes, mistakes, factor))
        earned[key] = 0.0 if finding.skipped else min(max(finding.share, 0.0), 1.0)
    return earned[key]
