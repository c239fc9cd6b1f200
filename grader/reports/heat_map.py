"""A heat map: where in a parameter the error sits."""

import math
from collections.abc import Iterator, Sequence
from functools import lru_cache

import numpy as np
from markupsafe import Markup

from grader.model import Array, Floats, HeatMap
from grader.records import dataclass
from grader.reports.figures import drawing, element, number, power_of_ten

SHADES = 6  # classes h1..h6 of the style sheet; h0 is "allowed", hx "not finite"
MOST_CELLS = 96  # rows or columns; beyond, a cell stands for a block and shows its worst entry


@dataclass(frozen=True)
class _Scale:
    """Which shade an error gets: shade k covers 10**edges[k - 1] to 10**edges[k]; shade 0 what is allowed."""

    edges: tuple[float, ...]

    def shades(self, error: Floats) -> Array:
        """Return each entry its shade; -1 where the entry is not finite."""
        finite = np.isfinite(error)
        logarithm = np.log10(np.where(finite & (error > 1), error, 1.0))
        shades = np.clip(np.searchsorted(self.edges, logarithm, side="right"), 1, len(self.edges) - 1)
        return np.where(finite, np.where(error > 1, shades, 0), -1)


def _scale(error: Floats) -> _Scale:
    """Span the wrong entries with at most six steps of half a decade, one decade, two, ..."""
    wrong = error[np.isfinite(error) & (error > 1)]
    if wrong.size == 0:
        return _Scale((0.0, 1.0))
    low, high = np.log10(wrong.min()), np.log10(wrong.max())
    for step in (0.5, 1, 2, 5, 10, 20, 60):
        first = math.floor(low / step)
        count = max(1, math.ceil(high / step - first))
        if count <= SHADES:
            break
    return _Scale(tuple((first + index) * step for index in range(count + 1)))


def _matrix(figure: HeatMap) -> Floats:
    """Return the error as a matrix, in units of what is allowed: a bias is one row."""
    error = np.asarray(figure.error, dtype=np.float64) / figure.allowed
    return np.atleast_2d(error) if error.ndim < 3 else error.reshape(error.shape[0], -1)


def _pooled(error: Floats) -> tuple[Floats, int, int]:
    """Shrink to at most `MOST_CELLS` a side: each cell the worst of its block, not-finite being worst of all."""
    down, across = (math.ceil(side / MOST_CELLS) for side in error.shape)
    if down == across == 1:
        return error, 1, 1
    ranked = np.where(np.isfinite(error), error, np.inf)
    ranked = np.maximum.reduceat(ranked, np.arange(0, error.shape[0], down), axis=0)
    return np.maximum.reduceat(ranked, np.arange(0, error.shape[1], across), axis=1), down, across


@dataclass(frozen=True)
class _Frame:
    """Where the cells lie, in pixels, and how many rows and columns of the parameter one cell stands for."""

    rows: int
    columns: int
    down: int
    across: int
    left: int = 34
    top: int = 36

    @property
    def cell(self) -> int:
        return max(4, min(18, 400 // max(self.rows, self.columns)))

    @property
    def bottom(self) -> int:
        return self.top + self.rows * self.cell


def draw(figure: HeatMap, key: str) -> Markup:
    """Draw where in a parameter the error sits: shades on a logarithmic scale, the worst entry outlined.

    Equal steps are equal factors, because mistakes differ by factors, not by amounts.
    """
    whole = _matrix(figure)
    if whole.size == 0:
        return drawing([element("text", "no entries", y=16)], (120, 24), key, figure.title, caption(figure))
    error, down, across = _pooled(whole)
    frame = _Frame(error.shape[0], error.shape[1], down, across)
    scale = _scale(error)
    cells = "".join(_cells(scale.shades(error), len(scale.edges) - 1))
    parts = [
        element("g", inside=cells, class_="grid", transform=f"translate({frame.left} {frame.top}) scale({frame.cell})"),
        *_outline(_worst(figure.worst, whole), frame),
        _surroundings(frame, scale, broken=not np.isfinite(error).all()),
    ]
    width = frame.left + max(frame.columns * frame.cell + 12, 240)
    return drawing(parts, (width, frame.bottom + 68), key, figure.title, caption(figure))


def _cells(shades: Array, steps: int) -> Iterator[str]:
    """Draw the commonest shade as one ground, each other shade as one path of row-wise runs; a cell is 1 by 1."""
    rows, columns = shades.shape
    values, counts = np.unique(shades, return_counts=True)
    ground = int(values[counts.argmax()])
    yield element("rect", width=columns, height=rows, class_=_shade_class(ground, steps))
    # A run begins at column 0 and wherever the shade changes.
    begins = np.ones(shades.shape, dtype=bool)
    begins[:, 1:] = shades[:, 1:] != shades[:, :-1]
    ys, xs = np.nonzero(begins)
    ends = np.append(np.where(ys[1:] == ys[:-1], xs[1:], columns), columns)
    kinds = shades[ys, xs]
    for shade in values[values != ground].tolist():
        chosen = kinds == shade
        runs = np.column_stack([xs, ys, ends - xs, ends - xs])[chosen]
        drawn = "M%d %dh%dv1h-%dz" * len(runs) % tuple(runs.reshape(-1).tolist())
        yield element("path", class_=_shade_class(shade, steps), d=drawn)


def _shade_class(shade: int, steps: int) -> str:
    """Spread the steps in use over all the shades, so that two steps still look far apart."""
    if shade < 0:
        return "hx"
    if shade == 0:
        return "h0"
    return f"h{SHADES if steps == 1 else 1 + round((shade - 1) * (SHADES - 1) / (steps - 1))}"


def _worst(worst: Sequence[int], error: Floats) -> tuple[int, int] | None:
    """Return the worst entry's row and column; None where the record names no entry of this matrix."""
    row, column = (0, *worst)[-2:] if 1 <= len(worst) <= 2 else (-1, -1)
    inside = 0 <= row < error.shape[0] and 0 <= column < error.shape[1]
    return (int(row), int(column)) if inside else None


def _outline(place: tuple[int, int] | None, frame: _Frame) -> Iterator[str]:
    if place is None:
        return
    x = frame.left + place[1] // frame.across * frame.cell
    y = frame.top + place[0] // frame.down * frame.cell
    for name, margin in (("halo", 2.5), ("worst", 1.0)):
        side = frame.cell + 2 * margin
        yield element("rect", x=x - margin, y=y - margin, width=side, height=side, class_=name)


@lru_cache(maxsize=200)
def _surroundings(frame: _Frame, scale: _Scale, *, broken: bool) -> str:
    """Draw what stands around the cells; a class has four shapes and a few scales."""
    return "".join([*_rulers(frame), *_legend(scale, frame, broken=broken)])


def _rulers(frame: _Frame) -> Iterator[str]:
    """Write the numbers of rows and columns, from 0, as numpy does."""
    for row in _numbered(frame.rows, frame.cell, 14):
        y = frame.top + (row + 0.5) * frame.cell + 3.5
        yield element("text", str(row * frame.down), x=frame.left - 5, y=y, class_="end")
    for column in _numbered(frame.columns, frame.cell, 24):
        x = frame.left + (column + 0.5) * frame.cell
        yield element("text", str(column * frame.across), x=x, y=frame.top - 5, class_="middle")
    yield element("text", "column", x=frame.left, y=frame.top - 21)
    if frame.rows > 1:
        yield element("text", "row", x=frame.left - 5, y=frame.top - 5, class_="end")


def _numbered(count: int, cell: int, room: int) -> range:
    """Choose which rows or columns get their number: every 1, 2, 5, 10, ... as there is room."""
    return range(0, count, next(step for step in (1, 2, 5, 10, 20) if step * cell >= room))


def _legend(scale: _Scale, frame: _Frame, *, broken: bool) -> Iterator[str]:
    """Draw the shades in use, "allowed" first, with the edges in units of what is allowed."""
    left, top = frame.left, frame.bottom + 24
    yield element("text", "error, in units of what is allowed", x=left, y=top - 6)
    yield element("rect", x=left, y=top, width=24, height=10, class_="h0")
    yield element("text", "≤ 1", x=left + 12, y=top + 23, class_="middle")
    steps = len(scale.edges) - 1
    side = 120 / max(4, steps)
    for shade in range(1, steps + 1):
        x = left + 46 + (shade - 1) * side
        yield element("rect", x=x, y=top, width=side, height=10, class_=_shade_class(shade, steps))
    for index in range(0, steps + 1, 1 if steps <= 3 else 2):
        edge = power_of_ten(scale.edges[index])
        yield element("text", edge, x=left + 46 + index * side, y=top + 23, class_="middle")
    if broken:
        # In units of a cell, as in the grid: the hatching's pattern is one cell wide.
        hatched = element("rect", width=3, height=1.2, class_="hx")
        yield element("g", inside=hatched, transform=f"translate({left + 196} {top}) scale(8)")
        yield element("text", "not finite", x=left + 208, y=top + 23, class_="middle")


def caption(figure: HeatMap) -> str:
    """Return in words how much is wrong, and which entry most."""
    error = _matrix(figure)
    if error.size == 0:
        return f"{figure.title}: it has no entries."
    broken = int((~np.isfinite(error)).sum())
    wrong = int((error > 1).sum()) + int(np.isnan(error).sum())
    if not wrong:
        return f"All {error.size:,} entries are within what is allowed."
    text = f"{wrong:,} of {error.size:,} entries {'is' if wrong == 1 else 'are'} wrong."
    if broken:
        text += f" {broken:,} of them {'is' if broken == 1 else 'are'} not finite."
    place = _worst(figure.worst, error)
    if place:
        value = float(error[place])
        index = ", ".join(str(int(axis)) for axis in figure.worst)
        text += f" The worst is entry [{index}]"
        text += f": {number(value)} times what is allowed." if math.isfinite(value) else f": it is {number(value)}."
    return text
