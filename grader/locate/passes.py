"""Remarks on gradients that come from many forward passes: the parameters moved a little, the loss asked again.

What the answers do not show (`grader.diagnosis.backward_pass`) the recorded values may: versions of a parameter that are the
given one but for one entry, another entry each time, or that have a complex part. Loops that fill a gradient entry by entry
make no such versions, and a check of a few entries beside a backward pass makes few. A recording is for words, not points.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from itertools import combinations

import numpy as np

from grader.checks.context import GradingContext
from grader.checks.read_losses import accepted_factors
from grader.diagnosis.backward_pass import NO_BACKWARD_PASS, differences_of_losses, exact_gradients
from grader.locate.located import LOSS, QUESTION
from grader.locate.recorded_values import ARGUMENT, KINDS, Spot, take_apart
from grader.locate.source_statements import statements
from grader.model import Array, Findings, Floats, Params, Place, Submission
from grader.records import dataclass, replace

FEWEST = 20  # entries that are moved, of parameters of which at least half is moved: a check of ten each moves fewer
DIFFERENCES, COMPLEX = "finite differences", "the complex step"


@dataclass(frozen=True)
class Move:
    """One value that is whole parameters, moved. entry : the one that is moved; None where all have a complex part."""

    names: tuple[str, ...]
    entry: int | None
    now: float


@dataclass(frozen=True)
class ManyPasses:
    """Gradients that come from many forward passes."""

    kind: str  # DIFFERENCES or COMPLEX
    count: int  # of passes that were seen
    names: tuple[str, ...]  # the parameters whose gradients come from them
    spot: Spot | None  # where the parameters are moved


def remark_on_passes(findings: Findings, evidence: GradingContext, submission: Submission) -> Findings:
    """Return the findings with a remark on gradients from many forward passes, and the line of a cause that says the same."""
    many = find_many_passes(evidence)
    if many is None:
        return findings
    place = statements(submission).place(*many.spot) if many.spot else None
    counted = f"from at least {many.count} forward passes"
    if any(cause.id == NO_BACKWARD_PASS for cause in findings.causes):
        return _point_at(findings, counted, place)
    some = "" if len(many.names) == len(evidence.names) else f" of {' and '.join(many.names)}"
    where = f" ({place.label}, line {place.line})" if place else ""
    title = f"No backward pass: loss() works out its gradients{some} by {many.kind}, {counted}{where}."
    if evidence.assignment.rules.backpropagation == "required":
        review = (
            f"{title} The rubric asks for one. The answers alone do not show it, so no points are taken. Please look."
        )
    else:
        review = f'{title} Right answers keep their points, unless the rubric says backpropagation = "required".'
    note = f"{title} On a network of real size that takes thousands of times as long as a backward pass."
    return replace(findings, review=(*findings.review, review), notes=(*findings.notes, note))


def _point_at(findings: Findings, counted: str, place: Place | None) -> Findings:
    """Return the findings with a place for the points that were taken for want of a backward pass."""
    (own,) = [cause for cause in findings.causes if cause.id == NO_BACKWARD_PASS]
    told = replace(own, hint=f"They come {counted}. {own.hint}", place=place)
    checks = {
        check: replace(finding, places=(place,)) if place and check in own.costs else finding
        for check, finding in findings.checks.items()
    }
    return replace(findings, checks=checks, causes=tuple(told if one is own else one for one in findings.causes))


def find_many_passes(evidence: GradingContext) -> ManyPasses | None:
    """Return what answers and recording tell of gradients from many forward passes; None where they tell of none."""
    oracle, reply = evidence.questions.oracle, evidence.reply(QUESTION)
    follow = oracle.follow if oracle else None
    parts = take_apart(reply.results[LOSS]) if follow and len(reply.results) > LOSS else None
    if follow is None or parts is None or parts[1]["ran"][:, 2].max(initial=0) < FEWEST:  # no line ran often enough
        return None
    try:
        with np.errstate(all="ignore"):  # a recording holds what its process likes, infinities too
            recorded = _Moves(*parts, evidence.call(QUESTION).params)
            names, kind = differences_of_losses(evidence), DIFFERENCES
            if not names and recorded.complex:  # as exact as a backward pass, which is then looked for
                reached = [
                    _first_gradient(follow(factor, {}, False)) for factor in accepted_factors(evidence.assignment)
                ]
                names, kind = () if recorded.holds_one_of(reached) else recorded.most_moved(), COMPLEX
            elif not names and len(recorded.moves) >= FEWEST:
                exact = exact_gradients(evidence)
                names = tuple(name for name in recorded.most_moved() if name not in exact)
            return ManyPasses(kind, recorded.count_passes(), names, recorded.first_spot()) if names else None
    except (IndexError, ValueError, OverflowError):
        return None  # numbers that point to nothing: they come from the student's process


def _first_gradient(right: Mapping[str, Floats]) -> Floats:
    """Return the gradient of the first layer's output in the right network."""
    return next(right[name] for name in ("d u", "d u1", "d scores") if name in right)


class _Moves:
    """The values of one recording of loss() that are parameters moved, by their numbers.

    Raises IndexError, ValueError or OverflowError where the numbers of a recording do not fit each other.
    """

    def __init__(self, texts: Sequence[str], tables: Mapping[str, Array], data: Floats, params: Params) -> None:
        values = tables["values"]
        shapes = np.where(values[:, 1:] < 0, 1, np.minimum(values[:, 1:], 10_000))
        self.sizes = np.minimum(shapes.prod(axis=1), len(data) + 1)
        self.starts = np.cumsum(self.sizes) - self.sizes
        self.texts, self.data, self.kinds, self.params = texts, data, values[:, 0], params
        if self.sizes.sum() > len(data):
            raise ValueError("values of more numbers than there are")
        sizes = {sum(some) for many in range(1, 5) for some in combinations([v.size for v in params.values()], many)}
        moves = {number: move for size in sorted(sizes) for number, move in self._find_moved(size)}
        whole = {number: move for number, move in moves.items() if move.entry is None}
        self.complex = bool(whole)
        self.moves = whole or moves
        self.events = [event for event in tables["events"].tolist() if event[4] in self.moves]
        self.calls: Sequence[Sequence[int]] = tables["calls"].tolist()

    def rows(self, size: int) -> tuple[Array, Floats]:
        """Return the numbers of the values of a size, and each of them as a row."""
        numbers = np.flatnonzero(self.sizes == size)
        return numbers, self.data[self.starts[numbers][:, None] + np.arange(size)]

    def _find_moved(self, size: int) -> Iterator[tuple[int, Move]]:
        """Yield the values that hold whole parameters, laid end to end in any order, complex or but for one entry."""
        names = [name for name, value in self.params.items() for _ in range(value.size)]
        entries = [entry for value in self.params.values() for entry in range(value.size)]
        numbers, rows = self.rows(size)
        known, places = _find_given(rows, np.concatenate([np.ravel(value) for value in self.params.values()]))
        for at in np.flatnonzero(known.sum(axis=1) >= size - 1).tolist():
            inside = {*places[at][known[at]].tolist()}
            owners = {names[one] for one in inside}
            missing = [one for one, name in enumerate(names) if name in owners and one not in inside]
            whole = tuple(name for name in self.params if name in owners)
            if KINDS[int(self.kinds[numbers[at]])] == "c" and len(inside) == size:
                yield int(numbers[at]), Move(whole, None, 0.0)
            elif len(missing) == 1 and len(inside) + 1 == size:
                yield int(numbers[at]), Move((names[missing[0]],), entries[missing[0]], float(rows[at][~known[at]][0]))

    def most_moved(self) -> tuple[str, ...]:
        """Return the parameters that are moved in half of their entries at least; none where these are few."""
        marks: dict[str, set[int]] = {name: set() for name in self.params}
        # All complex versions of a parameter are one value here: its real part. So each is counted where it was noted.
        for number, event in enumerate(self.events):
            move = self.moves[event[4]]
            for name in move.names:
                marks[name].add(number if move.entry is None else move.entry)
        half = tuple(name for name, value in self.params.items() if 2 * len(marks[name]) >= value.size)
        return half if sum(self.params[name].size for name in half) >= FEWEST else ()

    def count_passes(self) -> int:
        """Return how many passes were seen: different moves, or calls of the function that saw most complex values."""
        if not self.complex:
            return max(len({*self.moves.values()}), FEWEST)
        seen = {self.calls[event[2]][3] for event in self.events}
        return Counter(call[3] for call in self.calls if call[3] in seen).most_common(1)[0][1]

    def first_spot(self) -> Spot | None:
        """Return the line at which the first moved value was seen; of an argument the line that calls with it."""
        if not self.events:
            return None
        label, line, call, _, _, how = self.events[0]
        _, outer, at, _ = self.calls[call]
        return (self.texts[outer], at) if how == ARGUMENT and outer >= 0 else (self.texts[label], line)

    def holds_one_of(self, wanted: Sequence[Floats]) -> bool:
        """Return whether one of some values was made, in either layout."""
        for value in wanted:
            _, rows = self.rows(value.size)
            for laid in (value, value.T):
                off = np.abs(rows - laid.reshape(-1)).max(axis=1)
                if (off <= 1e-6 * np.abs(value).max()).any():
                    return True
        return False


def _find_given(rows: Floats, given: Floats) -> tuple[Array, Array]:
    """Return which numbers are entries of a given parameter, in double or single precision, and which entries."""
    order = np.argsort(given)
    known, places = np.zeros(rows.shape, bool), np.zeros(rows.shape, np.int64)
    for exact in (given[order], given[order].astype(np.float32).astype(np.float64)):
        at = np.minimum(np.searchsorted(exact, rows), len(exact) - 1)
        same = (exact[at] == rows) & ~known
        places[same] = order[at][same]
        known |= same
    return known, places
