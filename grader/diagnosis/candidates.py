"""Runs that were never run: the context that a program with given mistakes would leave, made on demand."""

from collections import OrderedDict
from collections.abc import Callable, Hashable, Iterator, Mapping
from functools import partial
from math import inf
from typing import Any, TypeVar, get_args

from grader.checks import CHECKS
from grader.checks.context import GradingContext
from grader.compare import lie_within, narrow_by
from grader.disk_cache import keep
from grader.model import (
    Assignment,
    Fitted,
    MistakeCatalogue,
    MistakeKey,
    NotFrozenError,
    QuestionId,
    Questions,
    Ranges,
    Reply,
    Run,
    Stage,
)
from grader.records import dataclass

T = TypeVar("T")

# Runs kept, those used last: each holds what checks and signatures have worked out of it, up to half a megabyte.
MOST = 100
# Trainings of a program, of which the worst tells whether a check that chance has a say in can fail by its mistakes. With one
# row a batch, five in six do not learn the toy case; with one that is too small for most, one in six.
DRAWS = 8
MOST_LINE_UPS = 4  # whose caches are kept: a class has one, tests have some
_CACHES: OrderedDict[MistakeCatalogue, dict[str, OrderedDict[Hashable, Any]]] = OrderedDict()
# The tolerances' ranges of what is simulated for what is being made; those of what is made for it in turn come last.
_watched: list[dict[int, Ranges]] = []
STAGES = get_args(Stage)

Mistakes = frozenset[MistakeKey]


def catalogue_of(questions: Questions) -> MistakeCatalogue:
    """Return the catalogue of questions that have one, else raise ValueError."""
    if questions.catalogue is None:
        raise ValueError("these questions know no mistakes")
    return questions.catalogue


def in_order(catalogue: MistakeCatalogue, mistakes: Mistakes) -> list[MistakeKey]:
    """Return mistakes in the order of the catalogue, those with a fitted number after the others of their stage."""

    def place(mistake: MistakeKey) -> tuple[int, bool, int]:
        stage = STAGES.index(catalogue.form_of(mistake).stage)
        return (stage, True, mistake.family) if isinstance(mistake, Fitted) else (stage, False, mistake)

    return sorted(mistakes, key=place)


def cache_of(catalogue: MistakeCatalogue, kind: str) -> OrderedDict[Hashable, Any]:
    """Return the cache of one kind that stands beside a catalogue; those of the last few catalogues are kept."""
    caches = _CACHES.setdefault(catalogue, {})
    _CACHES.move_to_end(catalogue)
    if len(_CACHES) > MOST_LINE_UPS:
        _CACHES.popitem(last=False)
    return caches.setdefault(kind, OrderedDict())


def cached(catalogue: MistakeCatalogue, kind: str, key: Hashable, make: Callable[[], T], most: float = inf) -> T:
    """Return what is cached for a catalogue under a key, made where it is missing; the last `most` asked for stay."""
    entries: OrderedDict[Hashable, tuple[T, dict[int, Ranges]]] = cache_of(catalogue, kind)
    if key not in entries:
        entries[key] = _watch(make)
        while len(entries) > most:
            entries.popitem(last=False)
    entries.move_to_end(key)
    made, seen = entries[key]
    note_ranges(*seen.values())
    return made


def note_ranges(*some: Ranges) -> None:
    """Note with tolerances in which ranges something was simulated that is asked for now."""
    if _watched:
        _watched[-1].update((id(one), one) for one in some)


def _watch(make: Callable[[], T]) -> tuple[T, dict[int, Ranges]]:
    _watched.append({})
    try:
        return make(), _watched[-1]
    finally:
        _watched.pop()


def watch_ranges(make: Callable[[], T]) -> tuple[T, dict[str, tuple[float, float]]]:
    """Return what is made, and in which ranges the tolerances may lie for all that is simulated for it, or was before."""
    made, seen = _watch(make)
    found: dict[str, tuple[float, float]] = {}
    for ranges in seen.values():
        narrow_by(found, ranges)
    note_ranges(found)
    return made, found


def keep_within(
    assignment: Assignment, depends_on: object, make: Callable[[], Any]
) -> tuple[Any, dict[str, tuple[float, float]]]:
    """Return what is simulated, of this run or of an earlier one, and the ranges of tolerances for which it was."""
    made, within = keep(depends_on, lambda: watch_ranges(make))
    if not lie_within(assignment.tolerances, within):
        made, within = keep((depends_on, assignment.tolerances), lambda: watch_ranges(make))
    note_ranges(within)
    return made, within


@dataclass(frozen=True, eq=False)
class SimulatedReplies(Mapping[QuestionId, Reply]):
    """The replies of a program with some mistakes; each is worked out when it is looked at."""

    questions: Questions
    mistakes: Mistakes
    factor: float
    draw: int

    def __getitem__(self, call: QuestionId) -> Reply:
        return catalogue_of(self.questions).simulate(self.mistakes, self.factor, call, self.draw)

    def __iter__(self) -> Iterator[QuestionId]:
        return (call.id for call in self.questions.calls)

    def __len__(self) -> int:
        return len(self.questions.calls)


def simulate_context(assignment: Assignment, questions: Questions, mistakes: Mistakes, factor: float) -> GradingContext:
    """Return the context that a program leaves which is right but for these mistakes; the last hundred are remembered.

    factor : k in loss = data loss + k reg penalty, where the assignment accepts more than one.
    """

    def make() -> GradingContext:
        return simulate_fresh_context(assignment, questions, mistakes, factor)

    return cached(catalogue_of(questions), "contexts", (assignment.digest, mistakes, factor), make, MOST)


def simulate_fresh_context(
    assignment: Assignment, questions: Questions, mistakes: Mistakes, factor: float, draw: int = 0
) -> GradingContext:
    """Return the same for one use only; draw : another number for other chance."""
    replies = SimulatedReplies(questions, mistakes, factor, draw)
    run = Run(Reply(QuestionId("load"), "returned"), replies, (), {}, 0.0, 0.0)
    context = GradingContext(assignment, questions, run)
    note_ranges(context.ranges)
    return context


def simulate_outcome(
    assignment: Assignment, questions: Questions, mistakes: Mistakes, factor: float, check: str
) -> tuple[float, bool]:
    """Return the share of a check's points that a program with these mistakes earns, and whether it is carried.

    Where chance has a say, it is the first of several draws that does not simply pass: a mistake that keeps most trainings
    from learning may let one learn. Where it is not known what they answer together, it is the least that one of them
    earns. Remembered for the run.
    """

    def judge(context: GradingContext, check: str) -> tuple[float, bool]:
        finding = CHECKS[check].function(context)
        return 0.0 if finding.skipped else min(max(finding.share, 0.0), 1.0), finding.carried

    def simulate(check: str) -> tuple[float, bool]:
        try:
            outcome = judge(simulate_context(assignment, questions, mistakes, factor), check)
        except NotFrozenError:
            singles = (frozenset({one}) for one in mistakes)
            return min(simulate_outcome(assignment, questions, one, factor, check) for one in singles)
        for draw in range(1, DRAWS if CHECKS[check].by_chance else 1):
            if outcome != (1.0, False):
                break
            outcome = judge(simulate_fresh_context(assignment, questions, mistakes, factor, draw), check)
        return outcome

    identity, key = catalogue_of(questions).identity, (assignment.digest, mistakes, factor)
    if identity is None or not all(isinstance(one, int) for one in mistakes):
        return cached(catalogue_of(questions), "outcomes", (*key, check), partial(simulate, check))
    # Where one check is asked for most are, and the next class with this mistake asks for the same.
    steady = [row.id for row in assignment.checks if not CHECKS[row.id].by_chance]
    rows = [check] if check not in steady else [one for one in steady if CHECKS[one].of_network]
    depends_on = [identity(), rows, sorted(map(str, mistakes)), factor]

    def make() -> dict[str, tuple[float, bool]]:
        found, _ = keep_within(assignment, depends_on, lambda: {one: simulate(one) for one in rows})
        return dict(found)

    return cached(catalogue_of(questions), "outcomes", (*key, *rows), make)[check]
