"""What can be said truthfully of a wrong array beside the right one, where no named mistake explains it.

A statement holds in every wrong case, within the tolerance of the check, or it is not made; one that a few entries could
bear out by chance is not made either.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np

from grader.checks.formulas import constant, listed, multiple
from grader.compare import compare, number
from grader.records import Array, Floats

CHANCE = 1e-4  # of a place being hit by so many wrong entries though it has nothing to do with them
ENOUGH = 4  # entries that a statement on a whole array has to fit


@dataclass(frozen=True, eq=False)
class Beside:
    """One wrong array beside the right one, of the same shape.

    counts : N, D, H, C of the case. near : relative tolerance, with a floor of the array's largest entry.
    places : words -> bool mask of the array's shape, such as "where the right score is negative".
    """

    theirs: Floats
    right: Floats
    counts: Mapping[str, int]
    near: float
    places: Mapping[str, Array] = field(default_factory=dict)

    def fits(self, guess: Floats) -> bool:
        """Tell whether a guess gives their array, within the tolerance."""
        if not np.isfinite(guess).all():
            return False
        return compare(self.theirs, guess, relative=self.near, floor=1.0).within

    @cached_property
    def wrong(self) -> Array:
        """Mark the entries that are wrong."""
        return compare(self.theirs, self.right, relative=self.near, floor=1.0).error > 1.0


@dataclass(frozen=True)
class Axis:
    """What one axis of an array counts: the rows of examples, the columns of hidden units."""

    line: str  # "row", "column" or "entry"
    noun: str
    several: str  # of the noun

    def line_of(self, chosen: Sequence[int]) -> str:
        """Name some of its lines: "the columns of hidden units 3 and 7"."""
        if len(chosen) == 1:
            return f"the {self.line} of {self.noun} {chosen[0]}"
        return f"the {self.lines} of {self.several} {listed(chosen)}"

    @property
    def lines(self) -> str:
        """Give the plural of `line`."""
        return "entries" if self.line == "entry" else f"{self.line}s"


Axes = Sequence[Axis]

Guess = Callable[[Floats], Floats]
# Words that follow "It is ".
MADE_OF: Mapping[str, Guess] = {
    "the right one without its signs": np.abs,
    "the right one with all that is below 0 cut off to 0": lambda right: np.maximum(right, 0),
    "the right one with all that is above 0 cut off to 0": lambda right: np.minimum(right, 0),
    "the right one, each entry squared": np.square,
    "the right one in absolute value, with the sign turned": lambda right: -np.abs(right),
    "exp of the right one, entry by entry": np.exp,
    "the sigmoid of the right one, entry by entry": lambda right: 1 / (1 + np.exp(-right)),
    "tanh of the right one, entry by entry": np.tanh,
    "the sign of the right one, entry by entry": np.sign,
}


def told(pairs: Sequence[Beside], axes: Axes) -> list[str]:
    """Give what can be said of wrong arrays, the most telling first; nothing where nothing holds."""
    pairs = [pair for pair in pairs if np.isfinite(pair.theirs).all()]
    if not pairs or sum(pair.right.size for pair in pairs) < ENOUGH:
        return []
    whole = factor(pairs) or made_of(pairs) or shifted(pairs, axes) or reordered(pairs, axes)
    # What explains every entry leaves nothing to say of some of them.
    return [whole] if whole else [fact for fact in (*lines(pairs, axes), spots(pairs)) if fact]


# ---------------------------------------------------------------- the whole array


def factor(pairs: Sequence[Beside]) -> str:
    """Say by which factor they differ, where one factor explains every entry of a case."""
    if not any(pair.theirs.any() for pair in pairs):
        return "It is 0 everywhere."
    ratios = []
    for pair in pairs:
        size = float((pair.right * pair.right).sum())
        ratio = float((pair.theirs * pair.right).sum()) / size if size else 0.0
        if not ratio or not pair.fits(ratio * pair.right):
            return ""
        ratios.append(ratio)
    # One entry is a multiple of anything.
    if max(pair.right.size for pair in pairs) < 2:
        return ""
    return f"It is {multiple(ratios, [pair.counts for pair in pairs], 3 * max(pair.near for pair in pairs))}."


def made_of(pairs: Sequence[Beside]) -> str:
    """Say what function of the right array theirs is."""
    for words, guess in MADE_OF.items():
        if all(pair.fits(guess(pair.right)) for pair in pairs):
            return f"It is {words}."
    if all(pair.right.ndim == 2 and pair.fits(_softmax(pair.right)) for pair in pairs):
        return "It is the softmax of the right one, row by row."
    return ""


def _softmax(scores: Floats) -> Floats:
    raised = np.exp(scores - scores.max(axis=1, keepdims=True))
    return np.asarray(raised / raised.sum(axis=1, keepdims=True))


def shifted(pairs: Sequence[Beside], axes: Axes) -> str:
    """Say that all entries, or those of each row or column, are off by one number."""
    off = [pair.theirs - pair.right for pair in pairs]
    if all(pair.right.size > 1 for pair in pairs) and all(
        pair.fits(pair.right + one.mean()) for pair, one in zip(pairs, off, strict=True)
    ):
        name = constant([float(one.mean()) for one in off], 3 * max(pair.near for pair in pairs))
        by = f"{name}" if name else f"one number, {number(float(off[0].mean()))} in the first case"
        return f"Every entry is off by {by}."
    if any(pair.right.ndim != 2 or min(pair.right.shape) < 2 for pair in pairs):
        return ""
    for axis in (1, 0):
        means = [one.mean(axis=axis, keepdims=True) for one in off]
        if all(pair.fits(pair.right + mean) for pair, mean in zip(pairs, means, strict=True)):
            inside, outside = axes[axis].several, axes[1 - axis].line
            return f"Each {outside} is off by a number of its own, the same for all {inside}."
    return ""


def reordered(pairs: Sequence[Beside], axes: Axes) -> str:
    """Say that theirs holds the right rows, columns or numbers, in other places."""
    for axis in range(pairs[0].right.ndim):
        if all(pair.right.shape[axis] > 1 and pair.fits(np.flip(pair.right, axis)) for pair in pairs):
            return f"The {axes[axis].lines} are the right ones in reverse order."
        if all(_permuted(pair, axis) for pair in pairs):
            return f"The {axes[axis].lines} are the right ones in another order."
    ordered = [
        Beside(np.sort(pair.theirs, axis=None), np.sort(pair.right, axis=None), pair.counts, pair.near)
        for pair in pairs
    ]
    if all(pair.fits(pair.right) for pair in ordered):
        return "It holds the right numbers, but in other places."
    return ""


def _permuted(pair: Beside, axis: int) -> bool:
    theirs, right = np.moveaxis(pair.theirs, axis, 0), np.moveaxis(pair.right, axis, 0)
    mine, other = theirs.reshape(len(theirs), -1), right.reshape(len(right), -1)
    nearest = np.abs(mine[:, None] - other[None]).max(axis=2).argmin(axis=1)
    return len(set(nearest.tolist())) == len(nearest) and pair.fits(np.take(pair.right, nearest, axis=axis))


def of_another_shape(theirs: Floats, right: Floats, near: float) -> str:
    """Say how an array of a wrong shape is the right one all the same; "" where it is not."""

    def fits(mine: Floats, guess: Floats) -> bool:
        same = mine.shape == guess.shape and mine.size > 1
        return same and bool(np.isfinite(mine).all()) and compare(mine, guess, relative=near, floor=1.0).within

    if theirs.ndim == right.ndim == 2 and fits(theirs, right.T):
        return "It is the right one, transposed."
    if theirs.size == right.size and fits(theirs.reshape(right.shape), right):
        return "It holds the right numbers in the right order, in another shape."
    if theirs.size == 1 and fits(np.repeat(theirs.reshape(-1), 2), np.repeat(right.sum(), 2)):
        return "It is the sum of all entries of the right one."
    for axis, which in enumerate(("first", "second")[: theirs.ndim if theirs.size else 0]):
        if fits(theirs.sum(axis=axis), right):
            return f"Summed over its {which} axis it is the right one."
        if fits(theirs.mean(axis=axis), right):
            return f"Averaged over its {which} axis it is the right one."
    return _cut_short(theirs, right, fits)


def _cut_short(theirs: Floats, right: Floats, fits: Callable[[Floats, Floats], bool]) -> str:
    for axis, line in enumerate(("row", "column") if right.ndim > 1 else ("entry",)):
        end = right.shape[axis]
        for which, rest in (("last", range(end - 1)), ("first", range(1, end))):
            if fits(theirs, np.take(right, rest, axis=axis)):
                return f"It is the right one without its {which} {line}."
    return ""


# ---------------------------------------------------------------- some entries


def lines(pairs: Sequence[Beside], axes: Axes) -> list[str]:
    """Say which rows or columns are wrong, where the others are right."""
    found = []
    for axis in range(pairs[0].right.ndim):
        hit = [_hit(pair, axis) for pair in pairs]
        # Half of them and less, and more than one entry: else the count of wrong entries has said it.
        if any(2 * one.sum() > one.size for one in hit) or any(pair.wrong.sum() < 2 for pair in pairs):
            continue
        if len(pairs) > 1 and all(one[-1] and one.sum() == 1 for one in hit):
            found.append(f"It is wrong only in the {axes[axis].line} of the last {axes[axis].noun}.")
            continue
        chosen = [np.flatnonzero(one).tolist() for one in hit]
        where = axes[axis].line_of(chosen[0])
        same = all(one == chosen[0] for one in chosen)
        found.append(f"It is wrong only in {where}." if same else f"In the case shown it is wrong only in {where}.")
    return found


def _hit(pair: Beside, axis: int) -> Array:
    others = tuple(other for other in range(pair.right.ndim) if other != axis)
    return np.asarray(pair.wrong.any(axis=others))


def spots(pairs: Sequence[Beside]) -> str:
    """Say in what kind of place alone entries are wrong, where chance would not put them all there."""
    for words in pairs[0].places:
        chance = 1.0
        for pair in pairs:
            place, wrong = np.broadcast_to(pair.places[words], pair.right.shape), pair.wrong
            # Wrong outside, or hardly wrong inside: it is not the place that matters.
            if (wrong & ~place).any() or 2 * wrong.sum() < place.sum():
                chance = 1.0
                break
            chance *= float(place.mean()) ** int(wrong.sum())
        if chance <= CHANCE:
            return f"It is wrong only {words}."
    return ""
