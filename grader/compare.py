"""Arrays to differences: how far a student's array is from the right one, and where.

The error of an entry is |theirs - right| / (|right| + floor * max |right|), and a tolerance says how large it may be:
each entry is held to its own size, and the floor keeps entries near zero from asking for more digits than the
array as a whole carries. One ratio over a whole tensor would hide a wrong small entry behind a large right one.

Tolerances are compared with errors by their own methods alone, which note from where to where each could lie without any
other outcome. While a rubric's tolerances stay in these ranges, what was found need not be found again.
"""

from math import inf, isnan
from typing import Any

import numpy as np

from grader.model import Array, Floats, OpaqueValue, Ranges, Tolerances
from grader.records import dataclass, field

TINY = float(np.finfo(np.float64).tiny)
MOST_ENTRIES = 1_000_000  # of lists that are made arrays; as many numbers as travel in lists


@dataclass(frozen=True)
class Tolerance:
    """How large a relative error may be.

    name : in the rubric; "" for one of the grader's own. ranges : where it notes what it could be with the same outcomes.
    least : counts where the value is smaller.
    """

    value: float
    name: str = ""
    ranges: dict[str, tuple[float, float]] = field(default_factory=dict)
    least: float = 0.0

    def covers(self, error: Floats) -> Array:
        """Return for each error whether it is small enough; NaN is not."""
        inside = error <= max(self.value, self.least)
        low = error.max(initial=0.0, where=inside & (error > self.least))
        narrow(self.ranges, self.name, float(low), float(np.fmin.reduce(error, axis=None, initial=inf, where=~inside)))
        return inside

    def covers_all(self, error: Floats | float, *, times: float = 1.0) -> bool:
        """Return whether all errors are at most `times` as large as they may be; the largest alone decides."""
        largest = float(np.asarray(error).max(initial=0.0)) / times
        if largest <= max(self.value, self.least):
            narrow(self.ranges, self.name, largest if largest > self.least else 0.0, inf)
            return True
        narrow(self.ranges, self.name, 0.0, inf if isnan(largest) else largest)
        return False


def narrow(ranges: dict[str, tuple[float, float]], name: str, low: float, high: float) -> None:
    """Take out of a tolerance's range what is below `low`, or not below `high`."""
    if name:
        before = ranges.get(name, (0.0, inf))
        ranges[name] = max(low, before[0]), min(high, before[1])


def lie_within(tolerances: Tolerances, ranges: Ranges) -> bool:
    """Return whether what was found with tolerances in these ranges is found with these as well."""
    return all(low <= getattr(tolerances, name) < high for name, (low, high) in ranges.items())


def narrow_by(ranges: dict[str, tuple[float, float]], others: Ranges) -> None:
    """Leave of ranges what they have in common with others."""
    for name, (low, high) in others.items():
        narrow(ranges, name, low, high)


@dataclass(frozen=True)
class Difference:
    """Theirs against right, entry by entry."""

    error: Floats  # inf where theirs is NaN or infinite
    worst: tuple[int, ...]
    theirs: float  # the worst entry
    right: float
    allowed: Tolerance

    @property
    def within(self) -> bool:
        """Return whether every entry is near enough."""
        return self.allowed.covers_all(self.error)

    @property
    def wrong_entries(self) -> int:
        """Count the entries that are not."""
        return int((~self.allowed.covers(self.error)).sum())


def compare(theirs: Array, right: Array, allowed: Tolerance, *, floor: float) -> Difference:
    """Compare two arrays of one shape, entry by entry.

    theirs, right : the same shape, any real dtype; `right` is finite. allowed, floor : see the module's text.
    """
    mine, reference = np.asarray(theirs, dtype=np.float64), np.asarray(right, dtype=np.float64)
    if mine.shape != reference.shape:
        raise ValueError(f"shapes differ: {mine.shape} and {reference.shape}")
    size = np.abs(reference)
    with np.errstate(all="ignore"):
        # NaN compares as false with everything, so an unguarded NaN would pass as right.
        error = np.where(np.isfinite(mine), ratio(mine - reference, size + floor * size.max(initial=0.0)), np.inf)
    if not error.size:
        return Difference(error, (), 0.0, 0.0, allowed)
    worst = tuple(int(i) for i in np.unravel_index(int(error.argmax()), error.shape))
    return Difference(error, worst, float(mine[worst]), float(reference[worst]), allowed)


def ratio(difference: Floats | float, size: Floats | float) -> Floats:
    """Return how large differences are, in units of a size; 0 is 0 units of 0."""
    found: Floats = np.abs(difference) / (size + TINY)
    return found


def as_array(value: Any) -> Array | None:
    """Return a real numeric array for what a student returned, or None where it is none.

    Lists and tuples of numbers count; text, objects and None do not.
    """
    if isinstance(value, np.ndarray):
        return _countable(value) if value.dtype.kind in "biuf" else None
    if isinstance(value, bool | int | float):
        try:
            return np.asarray(value, dtype=np.float64)
        except OverflowError:  # an integer of a thousand bits
            return None
    if isinstance(value, list | tuple):
        # Counted first: numpy gives each entry the room of the widest, and a text of 2,000 characters among a hundred
        # thousand numbers, which is a header of 1 MiB, took 760 MiB.
        if _entries(value) > MOST_ENTRIES:
            return None
        try:
            made = np.asarray(value)
        except (ValueError, TypeError, OverflowError):  # rows of different length, or of different kinds
            return None
        return _countable(made) if made.dtype.kind in "biuf" and made.size else None
    return None


def _countable(array: Array) -> Array:
    """Return truth values as the numbers 0 and 1: numpy refuses to subtract them, which ended the judging of a forged reply."""
    return array.view(np.int8) if array.dtype == np.bool_ else array


def _entries(value: Any) -> float:
    """Count the numbers in nested lists and tuples; infinitely many where something in them is no number."""
    if isinstance(value, list | tuple):
        plain = {bool, int, float}.issuperset(map(type, value))
        return len(value) if plain else sum(map(_entries, value))
    if isinstance(value, np.ndarray | np.generic):
        return value.size if value.dtype.kind in "biuf" else np.inf
    return 1 if isinstance(value, bool | int | float) else np.inf


def as_number(value: Any) -> float | None:
    """Return the one number in a reply: a Python number, or an array of exactly one entry; else None."""
    if isinstance(value, float):
        return float(value)
    array = as_array(value)
    return float(array.reshape(())) if array is not None and array.size == 1 else None


def fit(array: Array, shape: tuple[int, ...]) -> Array | None:
    """Bring a parameter-shaped array to the assignment's shape, where only the layout differs.

    (1, H), (H, 1) and the like become (H,); a transposed matrix is turned; anything else gives None.
    All sizes of a case differ, so no two layouts can be confused.
    """
    if array.shape == shape:
        return array
    if array.ndim == 2 and len(shape) == 2 and array.shape == shape[::-1]:
        return array.T
    if tuple(n for n in array.shape if n != 1) == tuple(n for n in shape if n != 1):
        return array.reshape(shape)
    return None


def is_single(*arrays: Array) -> bool:
    """Return whether all numbers fit float32 exactly: the student computes in single precision somewhere.

    A double that came out of real arithmetic has a chance of 2^-29 of that, so a handful of entries is proof.
    """
    seen = 0
    for array in arrays:
        if array.dtype.kind == "f" and array.dtype.itemsize < 8:
            return True
        wide = array.astype(np.float64)
        wide = wide[np.isfinite(wide) & (wide != np.round(wide))]
        if not np.array_equal(wide.astype(np.float32).astype(np.float64), wide):
            return False
        seen += wide.size
    return seen >= 1


def describe(value: Any) -> str:
    """Return a few words for what a student returned."""
    if value is None:
        return "None"
    if isinstance(value, np.ndarray):
        if value.ndim == 0:
            return f"the number {number(float(value))}" if value.dtype.kind in "biuf" else f"a {value.dtype} scalar"
        return f"an array of shape {value.shape}, dtype {value.dtype}"
    if isinstance(value, bool | int | float):
        return f"the number {value!r}"
    if isinstance(value, str):
        return f"the text {value[:40]!r}"
    if isinstance(value, list | tuple):
        return f"a {type(value).__name__} of {len(value)}"
    if isinstance(value, dict):
        keys = (
            "".join(char if char.isprintable() else "\N{REPLACEMENT CHARACTER}" for char in str(key)[:20])
            for key in list(value)[:8]
        )
        return "a dict with the keys " + (", ".join(keys) or "(none)")
    if isinstance(value, OpaqueValue):
        told = f" ({value.text[:60]})" if value.type == "ndarray" else ""
        return f"an object of type {value.type[:60]}{told}"
    return f"a {type(value).__name__}"


def number(value: float) -> str:
    """Write a number with six digits, as a report shows it."""
    return f"{value:.6g}"


def median_of_rows(rows: Floats) -> Floats:
    """Return the median of each column; rows : (n, k), n > 0. `np.median` first imports numpy.ma, in 15 ms."""
    ordered = np.sort(rows, axis=0)
    half: Floats = (ordered[(len(rows) - 1) // 2] + ordered[len(rows) // 2]) / 2
    return half
