"""How much two programs of a class share, weighed by how rare it is, and which pairs stand out."""

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from typing import TypeVar

import numpy as np

from grader.model.arrays import Floats
from grader.records import dataclass

# Weights are whole numbers of these, so that sums are exact and no order of programs changes one.
_BIT = 1024
# A program that holds little of its own is not judged by that little alone.
_FEWEST = 12
_COLUMNS = 2048
Linked = TypeVar("Linked")


@dataclass(frozen=True)
class Weights:
    """The fingerprints of one class, and what each weighs."""

    owners: Mapping[int, int]  # by fingerprint: how many programs hold it
    size: int  # programs of the class

    def bits(self, fingerprint: int) -> float:
        """Return -log2 of the chance that one more program would hold it, seen from two that do.

        Of the other size - 2, owners - 2 do: by Laplace's rule of succession the chance is (owners - 1) / size. What
        two of 400 share weighs 8.6 bits, what all share next to nothing; in a class of two everything shared weighs
        one bit, so that similarity is then the plain share of the smaller program.
        """
        return _whole(self.size, self.owners[fingerprint]) / _BIT


def count_owners(prints: Mapping[str, AbstractSet[int]]) -> Weights:
    """Count in how many programs each fingerprint stands."""
    return Weights(Counter(value for held in prints.values() for value in held), len(prints))


def compute_similarities(prints: Mapping[str, AbstractSet[int]], weights: Weights) -> Floats:
    """Compare each two programs: the weight of what they share, of the weight of the smaller.

    Returns an array (len(prints), len(prints)) of 0..1, in the order of `prints`; each program with itself is 1 if it
    holds as much as every program is taken to hold at least.
    """
    total = np.array([sum(_whole(weights.size, weights.owners[value]) for value in held) for held in prints.values()])
    shared = _shared([*prints.values()], weights)
    least = _FEWEST * _whole(weights.size, 1)
    np.fill_diagonal(shared, total)
    smaller = np.maximum(np.minimum(total[:, None], total[None, :]), max(least, 1))
    return np.asarray(shared / smaller, float)


def _shared(held: Sequence[AbstractSet[int]], weights: Weights) -> Floats:
    columns = sorted(value for value, count in weights.owners.items() if count > 1)
    shared = np.zeros((len(held), len(held)))
    for start in range(0, len(columns), _COLUMNS):
        block = {value: column for column, value in enumerate(columns[start : start + _COLUMNS])}
        has = np.zeros((len(held), len(block)))
        for row, values in enumerate(held):
            has[row, [block[value] for value in values & block.keys()]] = 1
        shared += (has * [_whole(weights.size, weights.owners[value]) for value in block]) @ has.T
    return shared


def _whole(size: int, owners: int) -> int:
    return round(_BIT * math.log2(size / max(owners - 1, 1))) if size > 1 else _BIT


# Independent programs of this assignment share up to a quarter of what is rare in them; see tests/similarity.
LEAST = 0.35
# With fewer pairs nothing can be said about what is usual, and nothing can be told to be rare.
FEW, LEAST_OF_FEW = 45, 0.5
# Whatever is usual in a class, a pair as alike as this is worth a look.
CERTAIN = 0.9
MOST_PAIRS = 200  # a page of more is not read


def outlier_limit(alike: Floats) -> float:
    """Return the similarity from which a pair stands out of its class.

    alike : the similarities of all pairs, in no order.
    A pair stands out that lies four times as far above the median as a tenth of all pairs lies below it. Only the lower
    half tells how far honest pairs scatter, so this holds while less than half of all pairs are copies: that is two
    thirds of a class copying from one another.
    """
    if len(alike) < FEW:
        return LEAST_OF_FEW
    lower, median = np.quantile(alike, [0.1, 0.5])
    return float(min(max(LEAST, median + 4 * (median - lower)), CERTAIN))


def choose_pairs(found: Sequence[tuple[float, str, str]]) -> list[tuple[float, str, str]]:
    """Choose at most MOST_PAIRS of (similarity, first, second), the most alike first; of each program the best if it fits."""
    ordered = sorted(found, key=lambda pair: (-pair[0], pair[1], pair[2]))
    met: set[str] = set()
    best: list[tuple[float, str, str]] = []
    others: list[tuple[float, str, str]] = []
    for pair in ordered:
        (others if met.issuperset(pair[1:]) else best).append(pair)
        met.update(pair[1:])
    kept = set((best + others)[:MOST_PAIRS])
    return [pair for pair in ordered if pair in kept]


def group_linked(pairs: Iterable[tuple[str, str]]) -> tuple[tuple[str, ...], ...]:
    """Return the names that are linked by pairs, three and more, the largest group first."""
    linked = (tuple(sorted(names)) for names in join_linked(pairs) if len(names) > 2)
    return tuple(sorted(linked, key=lambda names: (-len(names), names)))


def join_linked(pairs: Iterable[tuple[Linked, Linked]]) -> list[list[Linked]]:
    """Return the groups of all that pairs link, directly or not, in no order."""
    group: dict[Linked, list[Linked]] = {}
    for first, second in pairs:
        few, many = sorted((group.setdefault(first, [first]), group.setdefault(second, [second])), key=len)
        if few is not many:
            many += few
            group |= dict.fromkeys(few, many)
    return list({id(found): found for found in group.values()}.values())
