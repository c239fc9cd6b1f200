"""Curves: the student's loss over the iterations, over the reference's."""

import math
from collections.abc import Iterator
from functools import lru_cache
from itertools import pairwise
from operator import add
from typing import Any

import numpy as np
from markupsafe import Markup

from grader.model import Array, Curves, Floats
from grader.records import dataclass
from grader.reports.figures import at, drawing, element, number, power_of_ten

POINTS = 300  # of one drawn curve: finer than its pixels
WIDTH, HEIGHT = 440, 250
# All coordinates that a point of a curve can have, in tenths of a pixel: written once, since a page has a thousand points.
WRITTEN = [at(tenth / 10) for tenth in range(10 * max(WIDTH, HEIGHT) + 1)]


@dataclass(frozen=True)
class _Axes:
    """From iteration and loss to the figure's pixels."""

    last: int  # the largest iteration
    low: float  # of the loss, or of its logarithm
    high: float
    logarithmic: bool
    left: float = 56
    right: float = WIDTH - 12
    top: float = 34
    bottom: float = HEIGHT - 36

    def x(self, iteration: Any) -> Any:
        """Place an iteration."""
        return self.left + (self.right - self.left) * (iteration / max(1, self.last))

    def y(self, loss: Any) -> Any:
        """Place a loss."""
        return self.height(np.log10(loss) if self.logarithmic else loss)

    def height(self, value: Any) -> Any:
        """Place a loss, or its logarithm; divided first, so that the difference of two huge numbers stays finite."""
        unit = max(abs(self.low), abs(self.high))
        share = (value / unit - self.low / unit) / (self.high / unit - self.low / unit)
        return self.bottom - (self.bottom - self.top) * np.clip(share, 0, 1)


def draw(figure: Curves, key: str) -> Markup:
    """Draw the series as lines over the iterations, told apart by dashes as well as colour."""
    series = [(label, np.asarray(values, dtype=np.float64).reshape(-1)) for label, values in figure.series]
    finite = np.concatenate([np.empty(0), *(values[np.isfinite(values)] for _, values in series)])
    if finite.size == 0:
        parts = [element("text", "no finite value to draw", x=4, y=16)]
        return drawing(parts, (160, 24), key, figure.title, caption(figure))
    axes = _axes(finite, max(len(values) for _, values in series) - 1)
    lines = [
        element("path", class_=f"line s{index}", d=_path(values, axes)) for index, (_, values) in enumerate(series)
    ]
    # The student's line comes last, so that it lies over the reference's.
    parts = [_ticks(axes), *reversed(lines), _legend(tuple(label for label, _ in series))]
    return drawing(parts, (WIDTH, HEIGHT), key, figure.title, caption(figure))


def _axes(finite: Floats, last: int) -> _Axes:
    low, high = float(finite.min()), float(finite.max())
    if low > 0 and high / 100 > low:
        return _Axes(last, math.floor(math.log10(low)), math.ceil(math.log10(high)), logarithmic=True)
    if low == high:
        margin = abs(low) / 10 or 1.0
        most = float(np.finfo(np.float64).max)
        low, high = max(low - margin, -most), min(high + margin, most)
    step = _step(low, high, 5)
    # The axis ends at round numbers, so that most curves of a class share theirs; not where those are out of range.
    rounded = (math.floor(low / step) * step, math.ceil(high / step) * step) if step else (low, high)
    return _Axes(last, *(rounded if all(map(math.isfinite, rounded)) else (low, high)), logarithmic=False)


@lru_cache(maxsize=200)
def _ticks(axes: _Axes) -> str:
    """Draw what surrounds the curves."""
    return "".join(_tick_marks(axes))


def _tick_marks(axes: _Axes) -> Iterator[str]:
    for mark in _decades(axes) if axes.logarithmic else _nice(axes.low, axes.high, 5):
        y = float(axes.height(mark))
        yield element("path", d=f"M{at(axes.left)} {at(y)}H{at(axes.right)}", class_="gridline")
        text = power_of_ten(mark) if axes.logarithmic else number(mark)
        yield element("text", text, x=axes.left - 7, y=y + 3.5, class_="end")
    for mark in _nice(0, axes.last, 6):
        if mark == int(mark):
            x = axes.x(mark)
            yield element("path", d=f"M{at(x)} {at(axes.bottom)}v4", class_="axisline")
            yield element("text", f"{mark:,.0f}", x=x, y=axes.bottom + 16, class_="middle")
    yield element("path", d=f"M{at(axes.left)} {at(axes.bottom)}H{at(axes.right)}", class_="axisline")
    yield element("text", "iteration", x=axes.right, y=HEIGHT - 4, class_="end")
    yield element("text", "loss (logarithmic)" if axes.logarithmic else "loss", x=4, y=axes.top - 20)


def _decades(axes: _Axes) -> list[float]:
    """Return at most six whole decades between the axes' ends."""
    step = max(1, math.ceil((axes.high - axes.low) / 5))
    return [float(mark) for mark in range(int(axes.low), int(axes.high) + 1, step)]


def _nice(low: float, high: float, most: int) -> list[float]:
    """Return round numbers between low and high, 1, 2 or 5 times a power of ten apart."""
    step = _step(low, high, most)
    if step is None:
        return [low, high] if high > low else [low]
    # A multiple of a step that no float is exactly may lie a hair beyond the end.
    first, last = math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9)
    if last - first > 2 * most:  # the range is below the numbers' own precision
        return [low, high]
    return [index * step for index in range(first, last + 1) if math.isfinite(index * step)]


def _step(low: float, high: float, most: int) -> float | None:
    """Return the distance between round numbers; None where there are none: the range is too narrow or too wide."""
    rough = high / most - low / most
    if not rough > 0:
        return None
    power = 10.0 ** math.floor(math.log10(rough))
    if power == 0:  # the range is narrower than the smallest normal number
        return None
    step = next((factor * power for factor in (1, 2, 5) if factor * power >= rough), 10 * power)
    return step if math.isfinite(step) else None


def _path(values: Floats, axes: _Axes) -> str:
    """Write a line through the finite points; a gap stays where a value is not finite."""
    kept = thinned(values)
    if kept.size == 0:
        return ""
    broken = np.cumsum(~np.isfinite(values))[kept]
    xs, ys = _write_coordinates(axes.x(kept)), _write_coordinates(axes.y(values[kept]))
    points = list(map(add, [f"{x} " for x in xs], ys))
    edges = [0, *(np.flatnonzero(np.diff(broken)) + 1).tolist(), len(points)]
    # "h0" makes a point between two gaps a dot: a path of one point draws nothing.
    return "".join(["M" + "L".join([points[begin] + "h0", *points[begin + 1 : end]]) for begin, end in pairwise(edges)])


def _write_coordinates(coordinates: Floats) -> list[str]:
    """Write coordinates, which are finite and within the figure, as `at` does."""
    return [WRITTEN[tenth] for tenth in np.rint(10 * coordinates).astype(int).tolist()]


def thinned(values: Floats) -> Array:
    """Choose which points of a series (length n) to draw: indices, at most `POINTS`, of finite values only.

    Each bucket of neighbours keeps its smallest and largest value, so no peak is lost.
    """
    finite = np.flatnonzero(np.isfinite(values))
    if finite.size <= POINTS:
        return finite
    size = math.ceil(finite.size / (POINTS // 2 - 1))
    filling = np.full(-finite.size % size, finite[-1])
    buckets = np.concatenate([finite, filling]).reshape(-1, size)
    of_buckets = np.arange(len(buckets))
    lowest = buckets[of_buckets, values[buckets].argmin(axis=1)]
    highest = buckets[of_buckets, values[buckets].argmax(axis=1)]
    return np.unique(np.concatenate([finite[[0, -1]], lowest, highest]))


@lru_cache(maxsize=200)
def _legend(labels: tuple[str, ...]) -> str:
    x, y, drawn = _Axes.left + 86.0, _Axes.top - 24, []
    for index, label in enumerate(labels):
        shown = label if len(label) <= 22 else label[:21] + "…"
        drawn.append(element("path", d=f"M{at(x)} {at(y)}h24", class_=f"line s{index}"))
        drawn.append(element("text", shown, x=x + 30, y=y + 4, class_="label"))
        x += 44 + 6.2 * len(shown)
    return "".join(drawn)


def caption(figure: Curves) -> str:
    """Return in words where each line begins and ends, and where it is not finite."""
    return "\n".join(
        _series_caption(label, np.asarray(values, dtype=np.float64).reshape(-1)) for label, values in figure.series
    )


def _series_caption(label: str, values: Floats) -> str:
    finite = np.isfinite(values)
    if not values.size:
        return f"{label}: no values."
    if not finite.any():
        return f"{label}: none of {values.size:,} values is finite."
    first, last = values[finite][0], values[finite][-1]
    text = f"{label}: from {number(first)} to {number(last)} over {values.size:,} iterations"
    if not finite.all():
        text += f", not finite in {int((~finite).sum()):,} of them, first at iteration {int(np.argmin(finite)):,}"
    return text + "."
