"""Which forms of mistakes show in which part of a block, and which sets of them explain every part."""

from collections.abc import Sequence
from itertools import combinations

import numpy as np

from grader.model import Array, MistakeKey
from grader.records import dataclass


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

    def sets(self, size: int) -> Sequence[tuple[int, ...]]:
        """Return the sets of this size."""
        return (self.singles, self.pairs, self.threes)[size - 1]()

    def singles(self) -> Sequence[tuple[int, ...]]:
        """Return the forms that explain every part alone."""
        fine = np.where(self.affects, self.matches, self.right).all(axis=1)
        return [(int(row),) for row in np.flatnonzero(fine & self.has_signal)]

    def pairs(self) -> Sequence[tuple[int, ...]]:
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
        order = np.argsort(met, kind="stable")
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
