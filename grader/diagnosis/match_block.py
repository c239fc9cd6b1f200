"""One submission held against the forms of one block of the network: who shows what was found, alone or together."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import combinations

import numpy as np

from grader.checks.context import GradingContext
from grader.diagnosis.candidates import Mistakes, cached
from grader.diagnosis.fitting import fit_number
from grader.diagnosis.signature import Signature, distinguishes, same, signature_of, tolerance
from grader.diagnosis.signature_tables import EQUAL, SearchState, Table, tables
from grader.model import Array, MistakeCatalogue, MistakeForm, MistakeKey, Stage

# What is laid out for a block, a base and the parts whose checks have passed: a class asks for some forty of them.
MOST_CANDIDATES = 200


@dataclass(frozen=True)
class Block:
    """A stretch of the network: the stages whose mistakes it searches, and the parts in which they show."""

    name: str
    stages: tuple[Stage, ...]
    parts: tuple[str, ...]
    pairs: (
        int  # that meet in a part, of which one submission may ask for simulations; scores take no time, training does
    )
    harmless: bool = False  # whether other right ways are taken for a base: they change what train() does


@dataclass(frozen=True, eq=False)
class Candidates:
    """Who comes into question in a block on top of a base, and what each can show: the same for every submission.

    forms : positions in the catalogue. concerned : for each part, whether each form can change it.
    """

    state: SearchState
    parts: tuple[str, ...]
    forms: tuple[int, ...]
    concerned: tuple[tuple[bool, ...], ...]

    @cached_property
    def tables(self) -> list[Table]:
        """Lay out what each form shows in each part."""
        return tables(self.state, self.parts, self.forms, dict(zip(self.parts, self.concerned, strict=True)))

    @cached_property
    def affects(self) -> Array:
        """Return which form shows in which part, (forms, parts) bool."""
        return np.array([one.affects for one in self.tables]).T


def select_candidates(
    catalogue: MistakeCatalogue, state: SearchState, block: Block, passed: tuple[bool, ...]
) -> Candidates:
    """Line up the forms of a block; asked anew for each submission, that took 2.5 ms.

    passed : of each part, whether the checks that speak of it have passed.
    """

    def make() -> Candidates:
        forms = tuple(
            index
            for index, form in enumerate(catalogue.forms)
            if not form.harmless and fits_in(catalogue, form, state, block)
        )
        concerned = tuple(
            tuple(concerns(catalogue.forms[index], part, passed=fine) for index in forms)
            for part, fine in zip(block.parts, passed, strict=True)
        )
        return Candidates(state, block.parts, forms, concerned)

    key = (state.assignment.digest, state.factor, state.base, block.name, passed)
    return cached(catalogue, "candidates", key, make, MOST_CANDIDATES)


def fits_in(catalogue: MistakeCatalogue, form: MistakeForm, state: SearchState, block: Block) -> bool:
    """Return whether a form belongs to a block and replaces no step that a mistake of the base replaces."""
    return form.stage in block.stages and not any(form.steps & catalogue.form_of(one).steps for one in state.base)


# Where the checks that speak of a part have passed, a mistake shows in it only if this is all that it shows in: what else
# it changed would have been seen there.
ITS_OWN = frozenset({"losses kept", "accuracies kept", "batches"})


def concerns(form: MistakeForm, part: str, *, passed: bool = False) -> bool:
    """Return whether a form can show in a part at all; if not, it need not be simulated there."""
    kind = part.partition("/")[0]
    if passed and kind in ITS_OWN and not set(form.shows_in) <= ITS_OWN:
        return False
    return kind in form.shows_in


def compatible(catalogue: MistakeCatalogue, mistakes: Mistakes) -> bool:
    """Return whether one program can make all these mistakes: whether no two of them replace the same step."""
    steps = [step for mistake in mistakes for step in catalogue.form_of(mistake).steps]
    return len(steps) == len(set(steps))


@dataclass(frozen=True)
class BlockMatch:
    """One submission held against the forms of one block, on top of one base."""

    state: SearchState
    catalogue: MistakeCatalogue
    block: Block
    passed: tuple[bool, ...]  # of each part: whether the checks that speak of it have passed
    own: tuple[Signature, ...]
    allowed: tuple[float, ...]

    @cached_property
    def matches_base(self) -> tuple[bool, ...]:
        """Return for each part whether the base alone shows what was found there."""
        compared = zip(self.own, self.block.parts, self.allowed, strict=True)
        return tuple(same(mine, self.state.signature(part), near) for mine, part, near in compared)

    @cached_property
    def distinguishing(self) -> tuple[bool, ...]:
        """Return for each part whether it differs from the base in anything by which mistakes can be told apart."""
        compared = zip(self.matches_base, self.own, self.block.parts, self.allowed, strict=True)
        # Where the whole is the same its pieces are.
        return tuple(
            not fine and distinguishes(mine, self.state.signature(part), near) for fine, mine, part, near in compared
        )

    @property
    def nothing_wrong(self) -> bool:
        """Return whether the base alone shows what was found."""
        return all(self.matches_base)

    @property
    def uses_variant(self) -> bool:
        """Return whether the base goes another right way than ours."""
        return any(self.catalogue.form_of(mistake).harmless for mistake in self.state.base)

    @property
    def on_a_mistake(self) -> bool:
        """Return whether the base holds a mistake."""
        return any(not self.catalogue.form_of(mistake).harmless for mistake in self.state.base)

    @property
    def has_signal(self) -> bool:
        """Return whether a part that differs from the base holds anything to tell mistakes by."""
        return any(self.distinguishing)

    @cached_property
    def candidates(self) -> Candidates:
        """Return those who come into question."""
        return select_candidates(self.catalogue, self.state, self.block, self.passed)

    @cached_property
    def _fitted_mistakes(self) -> list[MistakeKey]:
        if self.block.name == "purity" or self.on_a_mistake:
            return []
        telling = [
            (part, own, near)
            for part, own, near, tells_it in zip(
                self.block.parts, self.own, self.allowed, self.distinguishing, strict=True
            )
            if tells_it
        ]
        found: list[MistakeKey] = []
        for index, family in enumerate(self.catalogue.families):
            if fits_in(self.catalogue, family.form, self.state, self.block):
                seen = [one for one in telling if concerns(family.form, one[0])]
                found += fit_number(self.state, self.catalogue, index, seen)
        return found

    @cached_property
    def known_matrix(self) -> CompatibilityMatrix:
        """Hold the submission against each form in each part."""
        laid = self.candidates.tables
        compared = list(zip(laid, self.own, self.allowed, strict=True))
        return CompatibilityMatrix(
            rows=self.candidates.forms,
            affects=self.candidates.affects,
            matches=np.array([one.matches(mine, near) for one, mine, near in compared]).T,
            right=np.array(self.matches_base),
            distinguishing=np.array(self.distinguishing),
        )

    @cached_property
    def matrix(self) -> CompatibilityMatrix:
        """Hold the submission against each form, and against each mistake whose number was fitted to it."""
        grid = self.known_matrix
        affects, matches = grid.affects, grid.matches
        for mistake in self._fitted_mistakes:
            shown = [self.state.signature(part, frozenset({mistake})) for part in self.block.parts]
            changed = [
                not same(one, self.state.signature(p), EQUAL) for one, p in zip(shown, self.block.parts, strict=True)
            ]
            alike = [same(mine, one, near) for mine, one, near in zip(self.own, shown, self.allowed, strict=True)]
            affects, matches = np.vstack([affects, changed]), np.vstack([matches, alike])
        return replace(grid, rows=(*grid.rows, *self._fitted_mistakes), affects=affects, matches=matches)

    def sets(self, size: int) -> list[Mistakes]:
        """Return the sets of this many mistakes that show what was found, simulating those whose parts meet.

        On top of a mistake a single one is looked for, part by part: to lay out a table for each mistake that somebody
        makes took seconds, the first time.
        """
        if self.on_a_mistake:
            return self._singles_by_part() if size == 1 else []
        # A number can be fitted to much that a mistake of the list explains better.
        listed = self._sets(self.known_matrix, size) if size == 1 else []
        return listed or self._sets(self.matrix, size)

    def _sets(self, grid: CompatibilityMatrix, size: int) -> list[Mistakes]:
        candidates = grid.sets(size, self.block.pairs)
        chosen = (frozenset(grid.rows[row] for row in rows) for rows in candidates)
        return [some for some, rows in zip(chosen, candidates, strict=True) if self._shows(some, grid.met(rows))]

    def _singles_by_part(self) -> list[Mistakes]:
        if not self.has_signal:
            return []
        parts = zip(self.own, self.block.parts, self.allowed, self.candidates.concerned, strict=True)
        judged = [(*part, right) for part, right in zip(parts, self.matches_base, strict=True)]
        left = list(range(len(self.candidates.forms)))
        # Where something is wrong most forms are out at once, and the other parts are asked of few.
        for own, part, near, concerned, right in sorted(judged, key=lambda one: one[-1]):
            left = [
                row
                for row in left
                if (
                    same(own, self.state.signature(part, frozenset({self.candidates.forms[row]})), near)
                    if concerned[row]
                    else right
                )
            ]
        return [frozenset({self.candidates.forms[row]}) for row in left]

    def _shows(self, chosen: Mistakes, met: list[int]) -> bool:
        """Return whether mistakes that fit part by part do so together; met : the parts in which several of them show.

        Two that undo each other in a part are not believed, nor two that are one mistake further up.
        """
        if any(self.matches_base[at] for at in met) or self._is_one_further_up(chosen):
            return False
        return compatible(self.catalogue, chosen) and all(
            same(self.own[at], self.state.signature(self.block.parts[at], chosen), self.allowed[at]) for at in met
        )

    def _is_one_further_up(self, chosen: Mistakes) -> bool:
        """Return whether mistakes multiply the gradients of a layer's weights and bias by one number: what reached it has that."""
        steps = {step for mistake in chosen for step in self.catalogue.form_of(mistake).steps}
        names = self.state.assignment.variant.names
        for layer in (0, 1):
            if {f"d_weights@{layer}", f"d_bias@{layer}"} <= steps:
                ratios = [self._multiple(f"gradient/{name}/bare") for name in names[2 * layer : 2 * layer + 2]]
                if ratios[0] and abs(ratios[0] - ratios[1]) <= 1e-6 * abs(ratios[0]):
                    return True
        return False

    def _multiple(self, part: str) -> float:
        """Return how many times what the base shows in a part the submission shows; NaN where it is no multiple."""
        own, base = self.own[self.block.parts.index(part)], self.state.signature(part)
        if own.shape != base.shape or not base.values.any():
            return float("nan")
        ratio = float(own.values @ base.values) / float(base.values @ base.values)
        return ratio if np.allclose(own.values, ratio * base.values, rtol=1e-6, atol=1e-9) else float("nan")


def match_block(
    context: GradingContext, state: SearchState, catalogue: MistakeCatalogue, block: Block, passed: tuple[bool, ...]
) -> BlockMatch:
    """Lay out what a submission shows in a block."""
    # Where the checks have passed, what the submission shows counts as what the base does: it is right in its own way.
    own = [
        state.signature(part) if fine else signature_of(context, part)
        for part, fine in zip(block.parts, passed, strict=True)
    ]
    return BlockMatch(
        state, catalogue, block, passed, tuple(own), tuple(tolerance(context, part) for part in block.parts)
    )


@dataclass(frozen=True)
class CompatibilityMatrix:
    """Which form shows in which part, and whether it shows what was found.

    rows : the forms. affects, matches : (forms, parts) bool. right : (parts,) bool, where nothing is wrong.
    tells : (parts,) bool, where what was found is enough to tell mistakes apart.
    """

    rows: tuple[MistakeKey, ...]
    affects: Array
    matches: Array
    right: Array
    distinguishing: Array

    @property
    def has_signal(self) -> Array:
        """Return for each form, (forms,) bool, whether it shows in a part that tells anything."""
        return np.asarray((self.affects & self.matches & self.distinguishing).any(axis=1))

    def sets(self, size: int, most: int) -> Sequence[tuple[int, ...]]:
        """Return sets of this size; of pairs that are still to be simulated, at most so many."""
        return (self.singles, lambda: self.pairs(most), self.threes)[size - 1]()

    def singles(self) -> Sequence[tuple[int, ...]]:
        """Return the forms that explain every part alone."""
        fine = np.where(self.affects, self.matches, self.right).all(axis=1)
        return [(int(row),) for row in np.flatnonzero(fine & self.has_signal)]

    def pairs(self, most: int) -> Sequence[tuple[int, ...]]:
        """Return the pairs that explain every part, or may: where both show, it is still to be simulated."""
        count = len(self.affects)
        fine = np.ones((count, count), dtype=bool)
        for part in range(len(self.right)):
            a, m = self.affects[:, part], self.matches[:, part]
            one = a[:, None] & ~a[None, :] & m[:, None]
            fine &= one | one.T | (a[:, None] & a[None, :]) | (~a[:, None] & ~a[None, :] & self.right[part])
        # One of the two must be seen, or both together where a part tells: there the pair is simulated.
        telling = self.affects & self.distinguishing
        fine &= self.has_signal[:, None] | self.has_signal[None, :] | (telling @ telling.T)
        first, second = np.nonzero(np.triu(fine, 1))
        # Those that are put together from what was seen come before those that are still to be simulated.
        met = (self.affects[first] & self.affects[second]).sum(axis=1)
        order = np.argsort(met, kind="stable")[:most]
        return list(zip(first[order].tolist(), second[order].tolist(), strict=True))

    def threes(self) -> Sequence[tuple[int, ...]]:
        """Return three that show in different parts; what three do together in one part is beyond telling apart."""
        useful = np.flatnonzero((self.affects & self.matches & ~self.right).any(axis=1))[:24]
        found = []
        for rows in combinations((int(row) for row in useful), 3):
            affected = self.affects[list(rows)]
            fine = np.where(affected, self.matches[list(rows)], True).all(axis=0)
            if affected.sum(axis=0).max() <= 1 and (fine & (affected.any(axis=0) | self.right)).all():
                found.append(rows)
        return found

    def met(self, rows: tuple[int, ...]) -> list[int]:
        """Return the parts in which more than one of some forms shows."""
        if len(rows) == 1:
            return []
        found: list[int] = np.flatnonzero(self.affects[list(rows)].sum(axis=0) > 1).tolist()
        return found
