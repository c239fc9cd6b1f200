"""The signatures of all forms, laid out so that one submission is held against each of them in a few array operations."""

from collections import OrderedDict
from collections.abc import Hashable, Mapping, Sequence
from functools import partial

import numpy as np

from grader.checks.context import GradingContext
from grader.compare import Tolerance, ratio
from grader.diagnosis.candidates import (
    Mistakes,
    cache_of,
    cached,
    catalogue_of,
    keep_within,
    note_ranges,
    simulate_context,
    simulate_fresh_context,
    watch_ranges,
)
from grader.diagnosis.signature import Signature, same, signature_of
from grader.model import Array, Assignment, Floats, MistakeCatalogue, NotFrozenError, Questions, Ranges
from grader.records import dataclass

MOST_SIGNATURES = 6_000  # some three KiB each
# Half a MiB each at most. On top of no other mistake there are some fifty, and ten on top of each that is found in a class.
MOST_TABLES = 150
# Two simulations that are this near to each other are the same but for the order of their sums.
EQUAL = Tolerance(1e-9)
NOT_FROZEN = Signature("not frozen")  # what no submission shows, so that nothing is named by it


@dataclass(frozen=True)
class SearchState:
    """What all questions of one search share: the assignment, the regulariser's factor, and what is known to be wrong."""

    assignment: Assignment
    questions: Questions
    factor: float
    base: Mistakes

    @property
    def catalogue(self) -> MistakeCatalogue:
        """The known mistakes."""
        return catalogue_of(self.questions)

    def signature(self, part: str, more: Mistakes = frozenset()) -> Signature:
        """Return the signature of a program with the base's mistakes and some more; the last thousands are remembered."""
        mistakes = self.base | more

        def make() -> Signature:
            return _simulate(simulate_context(self.assignment, self.questions, mistakes, self.factor), part)

        key = (self.assignment.digest, self.factor, mistakes, part)
        return cached(self.catalogue, "signatures", key, make, MOST_SIGNATURES)


# The forms whose signatures of one part have one shape: their positions among the table's forms, (k,) int64; the values, (k, n);
# the scales, (k, n).
Group = tuple[Array, Floats, Floats]


@dataclass(frozen=True)
class Table:
    """One part: what each form would show, on top of a base.

    groups : by shape and size of a signature. affects : (forms,) bool, whether a form changes the part at all.
    ranges : of the tolerances, for what was simulated.
    """

    groups: dict[Hashable, Group]
    affects: Array
    ranges: Ranges

    def matches(self, own: Signature, allowed: Tolerance) -> Array:
        """Return for each form, (forms,) bool, whether it shows what was found."""
        note_ranges(self.ranges)
        found = np.zeros(len(self.affects), dtype=bool)
        group = self.groups.get((own.shape, own.values.size))
        if group is not None:
            rows, values, scale = group
            found[rows] = allowed.covers(ratio(values - own.values, scale).max(axis=1, initial=0.0))
        return found


def tables(
    state: SearchState, parts: Sequence[str], forms: Sequence[int], concerned: Mapping[str, Sequence[bool]]
) -> list[Table]:
    """Lay out the parts of a block; the last ones used are remembered.

    forms : positions in the catalogue. concerned : by part, whether each form can change it; others are not simulated.
    """
    cache: OrderedDict[Hashable, Table] = cache_of(state.catalogue, "tables")
    situation = (state.assignment.digest, state.factor, state.base, tuple(forms))
    keys = {part: (*situation, part, tuple(concerned[part])) for part in parts}
    missing = [part for part in parts if keys[part] not in cache]
    if missing:  # to lay out nothing, too, made three hundred programs
        laid = _lay_out_once(state, missing, forms, concerned)
        cache.update(zip((keys[part] for part in missing), laid, strict=True))
    found = [cache[key] for key in keys.values()]
    for key in keys.values():
        cache.move_to_end(key)
    while len(cache) > MOST_TABLES:
        cache.popitem(last=False)
    return found


def _lay_out_once(
    state: SearchState, parts: Sequence[str], forms: Sequence[int], concerned: Mapping[str, Sequence[bool]]
) -> list[Table]:
    """Lay out the parts, or take them from an earlier run: on top of no other mistake each class needs the same."""
    identity, make = state.catalogue.identity, partial(_lay_out, state, parts, forms, concerned)
    if state.base or identity is None:
        laid, within = watch_ranges(make)
    else:
        asked = [(one, tuple(concerned[one])) for one in parts]
        laid, within = keep_within(state.assignment, (identity(), state.factor, tuple(forms), asked), make)
    return [Table(groups, affects, within) for groups, affects in laid]


def _lay_out(
    state: SearchState, parts: Sequence[str], forms: Sequence[int], concerned: Mapping[str, Sequence[bool]]
) -> list[tuple[dict[Hashable, Group], Array]]:
    # One form after the other, so that what was simulated for one can be forgotten before the next.
    rows = [
        _signatures_of(state, parts, form, [concerned[part][at] for part in parts]) for at, form in enumerate(forms)
    ]
    return [_table(state.signature(part), [row[at] for row in rows]) for at, part in enumerate(parts)]


def _signatures_of(state: SearchState, parts: Sequence[str], form: int, concerned: Sequence[bool]) -> list[Signature]:
    context = simulate_fresh_context(state.assignment, state.questions, state.base | {form}, state.factor)
    return [
        _simulate(context, part) if concerns else state.signature(part)
        for part, concerns in zip(parts, concerned, strict=True)
    ]


def _simulate(context: GradingContext, part: str) -> Signature:
    """Return what a simulated program shows in a part."""
    try:
        return signature_of(context, part)
    except NotFrozenError:
        return NOT_FROZEN


def _table(right: Signature, signatures: Sequence[Signature]) -> tuple[dict[Hashable, Group], Array]:
    gathered: dict[Hashable, list[int]] = {}
    for row, one in enumerate(signatures):
        gathered.setdefault((one.shape, one.values.size), []).append(row)
    groups = {}
    for shape, rows in gathered.items():
        alike = [signatures[row] for row in rows]
        groups[shape] = np.array(rows), np.array([one.values for one in alike]), np.array([one.scale for one in alike])
    return groups, np.array([not same(one, right, EQUAL) for one in signatures], dtype=bool)
