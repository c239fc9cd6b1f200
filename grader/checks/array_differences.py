"""Facts about how wrong arrays resemble the right ones, in words.

A fact is told only if it holds in every wrong case, within the tolerance of the check, and if chance could not explain it.
"""

from collections.abc import Callable, Mapping, Sequence
from functools import partial

import numpy as np

from grader.compare import Tolerance, compare, number, ratio
from grader.model import Array, Floats
from grader.records import dataclass, field
from grader.text.phrases import join_words

NOUNS = {"N": "example", "D": "input", "H": "hidden unit", "C": "class"}
FORMULAS: Mapping[str, Callable[..., float]] = {
    "N": lambda N, **_: N, "1/N": lambda N, **_: 1 / N, "1/N^2": lambda N, **_: 1 / N**2, "1/(2N)": lambda N, **_: 0.5 / N,
    "C": lambda C, **_: C, "1/C": lambda C, **_: 1 / C, "1/(N C)": lambda N, C, **_: 1 / (N * C), "N/C": lambda N, C, **_: N / C,
}  # fmt: skip


@dataclass(frozen=True, eq=False)
class ArrayPair:
    """One wrong array and the right one.

    near : with a floor of the array's largest entry. counts : N, D, H (or H1, H2, ...) and C of the case, all different.
    """

    theirs: Floats
    right: Floats
    near: Tolerance
    counts: Mapping[str, int] = field(default_factory=dict)

    def fits(self, guess: Floats) -> bool:
        """Return whether a guess equals their array within the tolerance."""
        if guess.shape != self.theirs.shape or not np.isfinite(guess).all():
            return False
        return compare(self.theirs, guess, self.near, floor=1.0).within

    def wrong_entries(self) -> Array:
        """Return a mask of the entries that are wrong; both arrays have one shape."""
        return ~self.near.covers(compare(self.theirs, self.right, self.near, floor=1.0).error)

    @property
    def axes(self) -> list[tuple[str, str]]:
        """Return the name and the meaning of a line along each axis: ("row", "example"); none of a maxout layer's maps."""
        nouns = {size: NOUNS[letter[0]] for letter, size in self.counts.items()}
        if self.right.ndim > 2 or not nouns.keys() >= {*self.right.shape}:
            return []
        lines = ("row", "column") if self.right.ndim == 2 else ("entry",)
        return [(line, nouns[size]) for line, size in zip(lines, self.right.shape, strict=True)]


def describe_pairs(pairs: Sequence[ArrayPair]) -> list[str]:
    """Return the facts that hold for all pairs, the most useful first."""
    shaped = [pair.theirs.shape == pair.right.shape for pair in pairs]
    if not all(shaped):
        ways = set() if any(shaped) else {_of_another_shape(pair) for pair in pairs}
        return [*ways] if len(ways) == 1 else []
    wrong = [pair.wrong_entries() for pair in pairs]
    if not all(one.any() for one in wrong):  # what is off by less than can be told of arrays
        return []
    whole = _factor(pairs) or _shifted(pairs) or _reordered(pairs)
    # What explains every entry leaves nothing to say of some of them.
    return [whole] if whole else _lines(pairs, wrong)


def _factor(pairs: Sequence[ArrayPair]) -> str:
    if not any(pair.theirs.any() for pair in pairs):
        return "It is 0 everywhere."
    ratios = [float((pair.theirs * pair.right).sum() / ((pair.right**2).sum() or 1.0)) for pair in pairs]
    if not all(ratio and pair.fits(ratio * pair.right) for pair, ratio in zip(pairs, ratios, strict=True)):
        return ""
    same = multiple(ratios, [pair.counts for pair in pairs], pairs[0].near, times=3)
    other = f"a multiple of the right one, with a different factor in each case: {', '.join(map(number, ratios))}"
    return f"It is {same or other}."


def _shifted(pairs: Sequence[ArrayPair]) -> str:
    for axis, line in ((None, "entry"), (1, "row"), (0, "column"))[: 3 if pairs[0].right.ndim == 2 else 1]:
        off = [np.asarray(np.mean(pair.theirs - pair.right, axis=axis, keepdims=True)) for pair in pairs]
        if all(
            one.size < pair.right.size and pair.fits(pair.right + one) for one, pair in zip(off, pairs, strict=True)
        ):
            same = constant([float(one.flat[0]) for one in off], pairs[0].near, times=3) if axis is None else ""
            return f"Every {line} is off by {same or ('one number' if axis is None else 'a number of its own')}."
    return ""


def _reordered(pairs: Sequence[ArrayPair]) -> str:
    orders = [(f"The {_plural(line)} are the right ones", axis) for axis, (line, _) in enumerate(pairs[0].axes)]
    for words, axis in orders:
        if all(pair.right.shape[axis] > 1 and pair.fits(np.flip(pair.right, axis)) for pair in pairs):
            return f"{words} in reverse order."
    for words, along in (*orders, ("It holds the right numbers", None)):
        order = partial(_in_order, axis=along)
        if all(ArrayPair(order(pair.theirs), pair.right, pair.near).fits(order(pair.right)) for pair in pairs):
            return f"{words} in another order."
    return ""


def _in_order(array: Floats, axis: int | None) -> Floats:
    """Return the rows (axis 0) or columns (axis 1) of an array sorted by their sums, or all its numbers sorted."""
    if axis is None or array.ndim == 1:
        return np.sort(array, axis=None)
    return np.asarray(np.take(array, np.argsort(array.sum(axis=1 - axis)), axis=axis))


def _of_another_shape(pair: ArrayPair) -> str:
    """Return how an array of a wrong shape holds the right values; "" where it does not."""
    theirs, right = pair.theirs, pair.right
    if not theirs.size:
        return ""
    if right.ndim == 2 and pair.fits(right.T):
        return "It is the right one, transposed."
    if theirs.size == right.size and pair.fits(right.reshape(theirs.shape)):
        return "It holds the right numbers in the right order, in another shape."
    for axis, which in enumerate(("first", "second")[: theirs.ndim]):
        for word, made in (("Summed", theirs.sum(axis=axis)), ("Averaged", theirs.mean(axis=axis))):
            if ArrayPair(made, right, pair.near).fits(right):
                return f"{word} over its {which} axis it is the right one."
    return ""


def _lines(pairs: Sequence[ArrayPair], wrong: Sequence[Array]) -> list[str]:
    """Return which rows or columns are the only wrong ones: the same in all cases, or the last."""
    found = []
    for axis, (line, noun) in enumerate(pairs[0].axes):
        hit = [np.asarray(mask.any(axis=1 - axis)) if mask.ndim == 2 else mask for mask in wrong]
        # Half of them and less, and more than one entry: else the count of wrong entries has said it.
        if any(2 * one.sum() > one.size for one in hit) or any(mask.sum() < 2 for mask in wrong):
            continue
        chosen = [np.flatnonzero(one).tolist() for one in hit]
        if len(pairs) > 1 and all(one[-1] and one.sum() == 1 for one in hit):
            found.append(f"It is wrong only in the {line} of the last {noun}.")
        elif all(one == chosen[0] for one in chosen):
            lines, nouns = (_plural(line), _plural(noun)) if len(chosen[0]) > 1 else (line, noun)
            found.append(f"It is wrong only in the {lines} of {nouns} {join_words([str(line) for line in chosen[0]])}.")
    return found


def multiple(
    ratios: Sequence[float], counts: Sequence[Mapping[str, int]], near: Tolerance, *, times: float = 1.0
) -> str:
    """Return factors in words: "2 times the right one", or as a formula of the counts; "" where nothing fits."""
    same = constant(ratios, near, times=times)
    if same == "-1":
        return "the right one with the opposite sign"
    for name, formula in () if same else FORMULAS.items():
        rights = [formula(**one) for one in counts]
        if near.covers_all(ratio(np.subtract(ratios, rights), np.array(rights)), times=times):
            same = name
    return f"{same} times the right one" if same else ""


def constant(values: Sequence[float], near: Tolerance, *, times: float = 1.0) -> str:
    """Return the number that all values are; "" where they are not one."""
    same = near.covers_all(ratio(np.array(values) - values[0], abs(values[0])), times=times)
    return number(values[0]) if same else ""


def _plural(noun: str) -> str:
    """Return the plural of "row", "class" or "entry"."""
    return f"{noun[:-1]}ies" if noun.endswith("y") else f"{noun}es" if noun.endswith("s") else f"{noun}s"
