"""One submission held against the forms of one block of the network: who shows what was found, alone or together."""

from functools import cached_property
from itertools import islice

import numpy as np

from grader.checks.context import GradingContext
from grader.compare import Tolerance
from grader.diagnosis.candidates import Mistakes, cached
from grader.diagnosis.compatibility_matrix import CompatibilityMatrix
from grader.diagnosis.fitting import fit_number
from grader.diagnosis.signature import Signature, distinguishes, same, signature_of, tolerance
from grader.diagnosis.signature_tables import EQUAL, SearchState, Table, tables
from grader.model import Array, MistakeCatalogue, MistakeForm, MistakeKey, Stage
from grader.records import dataclass, replace

# What is laid out for a block, a base and the parts whose checks have passed: a class asks for some forty of them.
MOST_CANDIDATES = 200


@dataclass(frozen=True)
class Block:
    """A stretch of the network: the stages whose mistakes it searches, and the parts in which they show."""

    name: str
    stages: tuple[Stage, ...]
    parts: tuple[str, ...]
    # Pairs that meet in a part, of which one submission may ask for simulations; scores take no time, training does.
    pairs: int
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


def select_candidates(state: SearchState, block: Block, passed: tuple[bool, ...]) -> Candidates:
    """Line up the forms of a block; asked anew for each submission, that took 2.5 ms.

    passed : of each part, whether the checks that speak of it have passed.
    """

    def make() -> Candidates:
        known = state.catalogue.forms
        forms = tuple(at for at, form in enumerate(known) if not form.harmless and fits_in(form, state, block))
        concerned = tuple(
            tuple(concerns(known[at], part, passed=fine) for at in forms)
            for part, fine in zip(block.parts, passed, strict=True)
        )
        return Candidates(state, block.parts, forms, concerned)

    key = (state.assignment.digest, state.factor, state.base, block.name, passed)
    return cached(state.catalogue, "candidates", key, make, MOST_CANDIDATES)


def fits_in(form: MistakeForm, state: SearchState, block: Block) -> bool:
    """Return whether a form belongs to a block and replaces no step that a mistake of the base replaces."""
    taken = (state.catalogue.form_of(one).steps for one in state.base)
    return form.stage in block.stages and not any(form.steps & steps for steps in taken)


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
class PartMatch:
    """What one part of a block shows, and what the base alone shows there.

    matches_base : whether the two are the same. distinguishing : whether they differ in anything by which mistakes can be
    told apart.
    """

    name: str
    own: Signature
    base: Signature
    allowed: Tolerance
    matches_base: bool
    distinguishing: bool

    def shows(self, other: Signature) -> bool:
        """Return whether another signature is what was found here."""
        return same(self.own, other, self.allowed)


@dataclass(frozen=True, eq=False)
class BlockMatch:
    """One submission held against the forms of one block, on top of one base; what is asked of it is worked out once."""

    state: SearchState
    block: Block
    passed: tuple[bool, ...]  # of each part: whether the checks that speak of it have passed
    parts: tuple[PartMatch, ...]

    @property
    def nothing_wrong(self) -> bool:
        """Return whether the base alone shows what was found."""
        return all(part.matches_base for part in self.parts)

    @property
    def uses_variant(self) -> bool:
        """Return whether the base goes another right way than ours."""
        return any(self.state.catalogue.form_of(mistake).harmless for mistake in self.state.base)

    @property
    def on_a_mistake(self) -> bool:
        """Return whether the base holds a mistake."""
        return any(not self.state.catalogue.form_of(mistake).harmless for mistake in self.state.base)

    @property
    def has_signal(self) -> bool:
        """Return whether a part that differs from the base holds anything to tell mistakes by."""
        return any(part.distinguishing for part in self.parts)

    @cached_property
    def candidates(self) -> Candidates:
        """Return the forms that come into question."""
        return select_candidates(self.state, self.block, self.passed)

    @cached_property
    def _fitted_mistakes(self) -> list[MistakeKey]:
        if self.block.name == "purity" or self.on_a_mistake:
            return []
        telling = [(part.name, part.own, part.allowed) for part in self.parts if part.distinguishing]
        found: list[MistakeKey] = []
        for index, family in enumerate(self.state.catalogue.families):
            if fits_in(family.form, self.state, self.block):
                seen = [one for one in telling if concerns(family.form, one[0])]
                found += fit_number(self.state, index, seen)
        return found

    @cached_property
    def known_matrix(self) -> CompatibilityMatrix:
        """Return how the submission compares with each form in each part."""
        laid = zip(self.candidates.tables, self.parts, strict=True)
        return CompatibilityMatrix(
            rows=self.candidates.forms,
            affects=self.candidates.affects,
            matches=np.array([table.matches(part.own, part.allowed) for table, part in laid]).T,
            right=np.array([part.matches_base for part in self.parts]),
            distinguishing=np.array([part.distinguishing for part in self.parts]),
        )

    @cached_property
    def matrix(self) -> CompatibilityMatrix:
        """Return the same, with each mistake whose number was fitted to the submission."""
        known = self.known_matrix
        affects, matches = known.affects, known.matches
        for mistake in self._fitted_mistakes:
            shown = [(part, self.state.signature(part.name, frozenset({mistake}))) for part in self.parts]
            affects = np.vstack([affects, [not same(one, part.base, EQUAL) for part, one in shown]])
            matches = np.vstack([matches, [part.shows(one) for part, one in shown]])
        return replace(known, rows=(*known.rows, *self._fitted_mistakes), affects=affects, matches=matches)

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

    def _sets(self, matrix: CompatibilityMatrix, size: int) -> list[Mistakes]:
        candidates = ((frozenset(matrix.rows[row] for row in rows), rows) for rows in matrix.sets(size))
        possible = (one for one in candidates if compatible(self.state.catalogue, one[0]))
        asked = islice(possible, self.block.pairs if size == 2 else None)
        return [some for some, rows in asked if self._shows(some, matrix.met(rows))]

    def _singles_by_part(self) -> list[Mistakes]:
        if not self.has_signal:
            return []
        left = list(range(len(self.candidates.forms)))
        # Where something is wrong most forms are out at once, and the other parts are asked of few.
        parts = zip(self.parts, self.candidates.concerned, strict=True)
        for part, concerned in sorted(parts, key=lambda one: one[0].matches_base):
            left = [row for row in left if self._shows_in(part, row, concerned=concerned[row])]
        return [frozenset({self.candidates.forms[row]}) for row in left]

    def _shows_in(self, part: PartMatch, row: int, *, concerned: bool) -> bool:
        """Return whether a candidate shows what was found in a part; one that cannot show there leaves the base's answer."""
        if not concerned:
            return part.matches_base
        return part.shows(self.state.signature(part.name, frozenset({self.candidates.forms[row]})))

    def _shows(self, chosen: Mistakes, met: list[int]) -> bool:
        """Return whether mistakes that fit part by part do so together; met : the parts in which several of them show.

        Two that undo each other in a part are not believed, nor two that are one mistake further up.
        """
        if any(self.parts[at].matches_base for at in met) or self._is_one_further_up(chosen):
            return False
        return all(self.parts[at].shows(self.state.signature(self.parts[at].name, chosen)) for at in met)

    def _is_one_further_up(self, chosen: Mistakes) -> bool:
        """Return whether mistakes multiply the gradients of a layer's weights and bias by one number: what reached it has that."""
        steps = {step for mistake in chosen for step in self.state.catalogue.form_of(mistake).steps}
        names = self.state.assignment.variant.names
        for layer in range(len(names) // 2):
            if {f"d_weights@{layer}", f"d_bias@{layer}"} <= steps:
                ratios = [self._multiple(f"gradient/{name}/bare") for name in names[2 * layer : 2 * layer + 2]]
                if ratios[0] and abs(ratios[0] - ratios[1]) <= 1e-6 * abs(ratios[0]):
                    return True
        return False

    def _multiple(self, name: str) -> float:
        """Return how many times what the base shows in a part the submission shows; NaN where it is no multiple."""
        own, base = next((part.own, part.base) for part in self.parts if part.name == name)
        if own.shape != base.shape or not base.values.any():
            return float("nan")
        ratio = float(own.values @ base.values) / float(base.values @ base.values)
        return ratio if np.allclose(own.values, ratio * base.values, rtol=1e-6, atol=1e-9) else float("nan")


def match_block(context: GradingContext, state: SearchState, block: Block, passed: tuple[bool, ...]) -> BlockMatch:
    """Return what a submission shows in a block, beside what the base shows."""
    parts = []
    for name, fine in zip(block.parts, passed, strict=True):
        base = state.signature(name)
        # Where the checks have passed, what the submission shows counts as what the base does: it is right in its own way.
        own = base if fine else signature_of(context, name)
        allowed = tolerance(context, name)
        alike = same(own, base, allowed)
        # Where the whole is the same its pieces are.
        telling = not alike and distinguishes(own, base, allowed)
        parts.append(PartMatch(name, own, base, allowed, alike, telling))
    return BlockMatch(state, block, passed, tuple(parts))
