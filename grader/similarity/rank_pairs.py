"""Which pairs of a class stand out from it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np

from grader.model.arrays import Floats

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
    group: dict[str, list[str]] = {}
    for first, second in pairs:
        mine, theirs = group.setdefault(first, [first]), group.setdefault(second, [second])
        if mine is not theirs:
            mine += theirs
            group |= dict.fromkeys(theirs, mine)
    linked = {tuple(sorted(names)) for names in group.values() if len(names) > 2}
    return tuple(sorted(linked, key=lambda names: (-len(names), names)))
