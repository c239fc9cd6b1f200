"""Whether the gradients of loss() come from many forward passes: the parameters moved a little, the loss asked again.

Such a program has no backward pass. Its versions of a parameter tell: all are the given one but for one entry, another
entry each time, or equal steps in all entries, or a complex part. Loops that fill a gradient entry by entry make no such
versions, and a check of a few entries beside a backward pass makes few.

A recording is for words alone: points rest on the answers (`grader.diagnosis.backward_pass`).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import combinations
from typing import Any

import numpy as np

from grader.checks.context import GradingContext
from grader.checks.read_losses import allowed_conventions
from grader.compare import as_array
from grader.diagnosis.backward_pass import NO_BACKWARD_PASS, exact_gradients
from grader.locate.located import LOSS, QUESTION
from grader.locate.recorded_values import ARGUMENT, KINDS, Spot
from grader.locate.source_statements import statements
from grader.model import Array, Cause, Findings, Floats, Params, Submission

FEWEST = 20  # entries that are moved, of parameters of which at least half is moved: a check of ten each moves fewer
IN_A_ROW = 8  # of a recording that was cut short: entries moved one after another from the first on
SMALL = 0.05  # a step into all entries, by the largest of the parameter
DIFFERENCES, COMPLEX, DIRECTIONS = "finite differences", "the complex step", "steps in random directions"
# The parameters, the entry that is moved (None: all of them), and what it is then.
Move = tuple[tuple[str, ...], int | None, float]


@dataclass(frozen=True)
class ManyPasses:
    """Gradients that come from many forward passes."""

    kind: str  # DIFFERENCES, COMPLEX or DIRECTIONS
    count: int  # of passes
    more: bool  # the recording was cut short: there are more of them
    names: tuple[str, ...]  # the parameters whose gradients come from them
    spot: Spot  # where the parameters are moved


@dataclass(frozen=True, eq=False)
class _Values:
    """The values of a recording, one after another in `data`."""

    data: Floats
    kinds: Array
    sizes: Array
    starts: Array

    def rows(self, size: int) -> tuple[Array, Floats]:
        """Return the numbers of the values of a size, and each of them as a row."""
        numbers = np.flatnonzero(self.sizes == size)
        return numbers, self.data[self.starts[numbers][:, None] + np.arange(size)]


@dataclass(frozen=True, eq=False)
class _Moved:
    """Values that are parameters moved, by their numbers."""

    values: Mapping[int, Move]
    kind: str

    def count(self) -> int:
        """Return how many different moves there are: a pass may see one in several values."""
        if self.kind == DIRECTIONS:  # of each parameter, all at once
            return max(Counter(names for names, _, _ in self.values.values()).values())
        return len(set(self.values.values()))


def remark_on_passes(findings: Findings, evidence: GradingContext, submission: Submission) -> Findings:
    """Return the findings with a remark on gradients from many forward passes, and the line of a cause that says the same."""
    many = many_passes(evidence)
    if many is None:
        return findings
    place = statements(submission).place(*many.spot)
    counted = f"from {'more than ' if many.more else ''}{many.count} forward passes"
    if any(cause.id == NO_BACKWARD_PASS for cause in findings.causes):

        def point(cause: Cause) -> Cause:
            return replace(cause, hint=f"They come {counted}. {cause.hint}", place=place)

        charged = {check for cause in findings.causes if cause.id == NO_BACKWARD_PASS for check in cause.costs}
        checks = {
            check: replace(finding, places=(place,)) if place and check in charged else finding
            for check, finding in findings.checks.items()
        }
        causes = tuple(point(cause) if cause.id == NO_BACKWARD_PASS else cause for cause in findings.causes)
        return replace(findings, checks=checks, causes=causes)
    some = "" if len(many.names) == len(evidence.names) else f" of {' and '.join(many.names)}"
    where = f" ({place.label}, line {place.line})" if place else ""
    title = f"No backward pass: loss() works out its gradients{some} by {many.kind}, {counted}{where}."
    if evidence.assignment.rules.backpropagation == "required":
        review = (
            f"{title} The rubric asks for one. The answers alone do not show it, so no points are taken: have a look."
        )
    else:
        review = f'{title} Right answers keep their points, unless the rubric says backpropagation = "required".'
    note = f"{title} On a network of real size that takes thousands of times as long as a backward pass."
    return replace(findings, review=(*findings.review, review), notes=(*findings.notes, note))


def many_passes(evidence: GradingContext) -> ManyPasses | None:
    """Return what the recorded question tells of gradients from many forward passes; None where it tells of none."""
    oracle, reply = evidence.questions.oracle, evidence.reply(QUESTION)
    follow = oracle.follow if oracle else None
    if follow is None or len(reply.results) <= LOSS or not repeats(reply.results[LOSS]):
        return None
    params, factors = evidence.call(QUESTION).params, allowed_conventions(evidence)
    try:
        with np.errstate(all="ignore"):  # a recording holds what its process likes, infinities too
            return passes(
                reply.results[LOSS],
                params,
                reached=lambda: [follow(factor, {}, False)["d u"] for factor in factors],
                exact=lambda: exact_gradients(evidence),
            )
    except (IndexError, ValueError, OverflowError):
        return None  # numbers that point to nothing: they come from the student's process


def repeats(result: Any) -> bool:
    """Return whether any line of a recording ran often enough to be part of so many passes. It takes microseconds."""
    if not isinstance(result, dict) or result.get("whole") is not True:
        return False
    ran = as_array(result.get("ran"))
    return ran is not None and _fits(ran, 3) and bool(ran[:, 2].max(initial=0) >= FEWEST)


def passes(
    result: Mapping[str, Any],
    params: Params,
    *,
    reached: Callable[[], list[Floats]],
    exact: Callable[[], frozenset[str]],
) -> ManyPasses | None:
    """Return what one recording of loss(X, y, reg) tells; None where its gradients come from no such passes.

    reached : gives the gradient that reaches the hidden layer on the same question, by each convention that is allowed.
    exact : gives the parameters whose gradients are more exact than differences can be.
    Raises IndexError, ValueError or OverflowError where the numbers of a recording do not fit each other.
    """
    values = _values(result)
    moved = _moved(values, params) if values else None
    events, calls, ran, texts = (result.get(name) for name in ("events", "calls", "ran", "texts"))
    fitting = all(_fits(as_array(table), width) for table, width in ((events, 6), (calls, 4), (ran, 3)))
    if values is None or moved is None or not fitting or not isinstance(texts, list):
        return None
    noted = [event for event in np.asarray(events).tolist() if event[4] in moved.values]
    cut = result.get("error") == "StoppedError" or bool((values.sizes == 0).any())
    names = _names(moved, noted, params, cut=cut)
    if names and moved.kind == COMPLEX:  # it is as exact as a backward pass, which is then looked for
        names = () if _made(values, reached()) else names
    elif names:
        without = exact()
        names = tuple(name for name in names if name not in without)
    if sum(params[name].size for name in names) < FEWEST or not noted:
        return None
    spot = _spot(noted, np.asarray(calls).tolist(), texts)
    count = _most_called(noted, np.asarray(calls).tolist()) if moved.kind == COMPLEX else moved.count()
    return ManyPasses(moved.kind, count, cut, names, spot)


def _fits(table: Array | None, width: int) -> bool:
    return table is not None and table.ndim == 2 and table.shape[1] == width and table.dtype.kind in "iu"


def _spot(noted: list[list[int]], calls: list[list[int]], texts: list[Any]) -> Spot:
    """Return the line at which the first moved value was seen; of an argument the line that calls with it."""
    label, line, call, _, _, how = noted[0]
    _, outer, at, _ = calls[call]
    return (str(texts[outer]), at) if how == ARGUMENT and outer >= 0 else (str(texts[label]), line)


def _most_called(noted: list[list[int]], calls: list[list[int]]) -> int:
    """Return how often the function was called, of those that saw moved values, that was called most."""
    seen = {calls[call][3] for _, _, call, *_ in noted}
    return Counter(call[3] for call in calls if call[3] in seen).most_common(1)[0][1]


# ---------------------------------------------------------------- the parameters, moved


def _values(result: Mapping[str, Any]) -> _Values | None:
    table, data = as_array(result.get("values")), as_array(result.get("data"))
    if table is None or data is None or data.ndim != 1 or not _fits(table, 5):
        return None
    shapes = np.where(table[:, 1:] < 0, 1, np.minimum(table[:, 1:], 10_000))
    sizes = np.minimum(shapes.prod(axis=1), len(data) + 1)
    ends = np.cumsum(sizes)
    if len(ends) and ends[-1] > len(data):
        raise ValueError("values of more numbers than there are")
    return _Values(np.asarray(data, np.float64), table[:, 0], sizes, ends - sizes)


def _moved(values: _Values, params: Params) -> _Moved | None:
    """Return the values that are parameters moved, alone or laid end to end, in any order; None where there are few."""
    names = [name for name, value in params.items() for _ in range(value.size)]
    places = [place for value in params.values() for place in range(value.size)]
    entries: dict[int, Move] = {}
    steps: dict[int, Move] = {}
    whole: dict[int, Move] = {}
    of = [value.size for value in params.values()]
    for size in sorted({sum(some) for many in range(1, len(of) + 1) for some in combinations(of, many)}):
        numbers, rows = values.rows(size)
        for at, owners, missing, now in _nearly_given(rows, params, names) if len(rows) else ():
            if KINDS[int(values.kinds[numbers[at]])] == "c":
                whole[int(numbers[at])] = owners, None, 0.0
            elif missing is not None:
                entries[int(numbers[at])] = (names[missing],), places[missing], now
        for name, value in params.items():
            if value.size == size and len(rows):
                steps |= {int(numbers[at]): ((name,), None, 0.0) for at in _stepped(rows, value)}
    found = ((whole, COMPLEX, 1), (entries, DIFFERENCES, IN_A_ROW), (steps, DIRECTIONS, FEWEST))
    return next((_Moved(one, kind) for one, kind, least in found if len(one) >= least), None)


def _nearly_given(
    rows: Floats, params: Params, names: list[str]
) -> Iterator[tuple[int, tuple[str, ...], int | None, float]]:
    """Yield the rows that hold whole parameters, but for one entry at most: the row, whose it is, that entry, and what it is now."""
    known, places = _known(rows, np.concatenate([np.ravel(value) for value in params.values()]))
    for at in np.flatnonzero(known.sum(axis=1) >= rows.shape[1] - 1).tolist():
        inside = {*places[at][known[at]].tolist()}
        owners = {names[one] for one in inside}
        missing = [one for one, name in enumerate(names) if name in owners and one not in inside]
        if len(missing) <= 1 and len(inside) + len(missing) == rows.shape[1]:
            now = float(rows[at][~known[at]].sum())  # one number, or none
            yield at, tuple(name for name in params if name in owners), missing[0] if missing else None, now


def _known(rows: Floats, given: Floats) -> tuple[Array, Array]:
    """Return which numbers are entries of a given parameter, in double or single precision, and which entries."""
    order = np.argsort(given)
    known, places = np.zeros(rows.shape, bool), np.zeros(rows.shape, np.int64)
    for exact in (given[order], given[order].astype(np.float32).astype(np.float64)):
        at = np.minimum(np.searchsorted(exact, rows), len(exact) - 1)
        same = (exact[at] == rows) & ~known
        places[same] = order[at][same]
        known |= same
    return known, places


def _stepped(rows: Floats, value: Floats) -> list[int]:
    """Return the rows that are a parameter after a small step of one length into each of its entries."""
    found: set[int] = set()
    for laid in (value, value.T):
        length = np.abs(rows - laid.reshape(-1))
        most, least = length.max(axis=1), length.min(axis=1)
        alike = (least > 0) & (most <= SMALL * np.abs(value).max()) & (most - least <= 1e-3 * most)
        found |= set(np.flatnonzero(alike).tolist())
    return sorted(found)


# ---------------------------------------------------------------- whose gradients come from it


def _names(moved: _Moved, events: list[list[int]], params: Params, *, cut: bool) -> tuple[str, ...]:
    """Return the parameters that are moved in half of their entries at least; all where a recording was cut short."""
    marks: dict[str, set[int]] = {name: set() for name in params}
    # All complex versions of a parameter are one value here: its real part. So they are counted where they were noted.
    each = enumerate(events) if moved.kind == COMPLEX else ((number, None) for number in moved.values)
    for number, event in each:
        names, entry, _ = moved.values[event[4] if event else number]
        for name in names:
            marks[name].add(number if entry is None else entry)
    half = tuple(name for name, value in params.items() if 2 * len(marks[name]) >= value.size)
    if sum(min(len(marks[name]), params[name].size) for name in half) >= FEWEST:
        return tuple(params) if cut else half
    if cut and any(_in_a_row(marks[name], value.shape) for name, value in params.items()):
        return tuple(params)
    return ()


def _in_a_row(entries: set[int], shape: tuple[int, ...]) -> bool:
    """Return whether entries are the first ones of a parameter, by rows or by columns."""
    by_columns = np.arange(int(np.prod(shape))).reshape(shape).ravel(order="F")[: len(entries)]
    return len(entries) >= IN_A_ROW and entries in ({*range(len(entries))}, {*by_columns.tolist()})


def _made(values: _Values, wanted: list[Floats]) -> bool:
    """Return whether one of some values was made, in either layout."""
    for value in wanted:
        _, rows = values.rows(value.size)
        for laid in (value, value.T):
            off = np.abs(rows - laid.reshape(-1)).max(axis=1)
            if (off <= 1e-6 * np.abs(value).max()).any():
                return True
    return False
