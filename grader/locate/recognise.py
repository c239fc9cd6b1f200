"""What a value is: one of the right network's, a multiple of one, a row of one, or a sum of its two parts."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from itertools import combinations
from typing import Literal

import numpy as np

from grader.records import Array, Floats, Params

Right = Mapping[str, Floats]  # all values of a network, by name, as reference.following has them

# "right": it may stand in a right program. "part": a row or an entry of such a value. "near": a multiple of one that no
# right program needs; what comes of it may be right all the same.
Kind = Literal["right", "part", "near"]

# Values that may be carried undivided, or with another sign, and be put right later.
_SCALED = ("d scores", "p - one-hot", "d h", "d u", "-log p true", "p", "sum of losses")
# What rows are taken from, and entries.
_BY_ROW = (
    "-log p true", "p true", "sum exp(scores)", "row max", "true scores", "exp of true scores", "sum exp(scores - row max)",
    "true scores - row max", "log sum exp(scores)", "exp of true scores - row max", "log sum exp(scores - row max)",
)  # fmt: skip
_BY_ENTRY = (
    "p", "exp(scores)", "p - one-hot", "d scores", "exp(scores - row max)", "scores", "scores - row max", "u", "h", "d u", "d h",
    "log p",
)  # fmt: skip


@dataclass(frozen=True)
class Known:
    """What a value is. name : of the right network's value. factor : in words, "" for the value itself."""

    name: str
    kind: Kind
    factor: str = ""
    detail: str = ""  # "row 3 of", "an entry of"


@dataclass(frozen=True, eq=False)
class Case:
    """The recorded question, with what is right there."""

    params: Params
    X: Array
    y: Array
    reg: float
    names: tuple[str, str, str, str]
    factors: tuple[float, ...]  # that the assignment accepts of the regulariser
    follow: Callable[[float, Mapping[str, Floats]], Right]
    fine: float = 1e-6  # relative tolerance: of a program in single precision 1e-3

    @property
    def N(self) -> int:  # noqa: N802 -- the field's own name
        """Number of rows."""
        return len(self.y)

    def close(self, one: float, other: float, within: float = 0.0) -> bool:
        """Return whether two numbers are the same, relative to the larger one."""
        return abs(one - other) <= (within or self.fine) * max(abs(one), abs(other), 1e-30)

    def multiple(self, value: Floats, of: Floats) -> float | None:
        """Return c where a value is c times another, else None."""
        square = float((of * of).sum())
        largest = float(np.abs(value).max(initial=0.0))
        if not square or not largest or not np.isfinite(square) or not np.isfinite(largest):
            return None
        c = float((value * of).sum()) / square
        return c if float(np.abs(value - c * of).max()) <= self.fine * largest else None

    def in_words(self, c: float) -> str | None:
        """Return what a factor is in a right program's terms: 1, N, 1 / N or minus one of them; else None."""
        N = self.N
        table = (
            (1.0, ""),
            (-1.0, "minus "),
            (N, "N times "),
            (1 / N, "1/N of "),
            (-N, "minus N times "),
            (-1 / N, "minus 1/N of "),
        )
        return next((text for factor, text in table if self.close(c, factor)), None)

    def other_words(self, c: float) -> str:
        """Return any factor in words."""
        N, reg, C = self.N, self.reg, int(self.params[self.names[3]].size)
        table = (
            (2.0, "twice "), (0.5, "half of "), (N * N, "N^2 times "), (1 / N**2, "1/N^2 of "), (C, "C times "),
            (1 / C, "1/C of "), (reg, "reg times "), (2 * reg, "2 reg times "), (reg / 2, "reg/2 times "), (reg / N, "reg/N times "),
        )  # fmt: skip
        return next((text for factor, text in table if self.close(c, factor)), f"{c:.4g} times ")

    # ---------------------------------------------------------------- losses and gradients

    def penalties(self) -> Iterator[tuple[float, tuple[str, ...]]]:
        """Yield the sum of squares of each set of parameters, the right one first."""
        first, _, second, _ = self.names
        sets = [one for size in (1, 2, 3, 4) for one in combinations(self.names, size)]
        for chosen in sorted(sets, key=lambda one: set(one) != {first, second}):
            yield sum(float((self.params[name] ** 2).sum()) for name in chosen), chosen

    def loss_form(self, value: float, right: Right) -> tuple[float, float, tuple[str, ...]] | None:
        """Return (a, k, parameters) where a value is a times the data loss plus k reg times their squares; else None."""
        data = float(right["data loss"])
        if not np.isfinite(value) or not np.isfinite(data):
            return None
        for squares, chosen in self.penalties():
            for a in (1.0, float(self.N), 1.0 / self.N, -1.0):
                for k in (0.0, 0.5, 1.0, 0.25, 2.0, 1 / self.N, 0.5 / self.N, -0.5, -1.0):
                    if self.close(value, a * data + k * self.reg * squares, self.fine / 10):
                        return a, k, chosen if k else (self.names[0], self.names[2])
        return None

    def gradient_form(self, value: Floats, right: Right, name: str) -> tuple[float, float] | None:
        """Return (a, k) where a value is a times the data's gradient plus 2 k reg times the parameter; else None."""
        data, theta = right[f"data d{name}"], self.params[name]
        laid = laid_out(value, data.shape)
        if laid is None or not np.isfinite(laid).all() or not np.isfinite(data).all():
            return None
        columns = np.stack([data.ravel(), theta.ravel()], axis=1)
        found = np.linalg.lstsq(columns, laid.ravel(), rcond=None)[0]
        if np.abs(columns @ found - laid.ravel()).max() > self.fine * max(float(np.abs(laid).max()), 1e-12):
            return None
        found[np.abs(found) < self.fine / 10] = 0.0
        return float(found[0]), float(found[1]) / (2 * self.reg)

    def loss_is_right(self, form: tuple[float, float, tuple[str, ...]] | None) -> bool:
        """Return whether a loss of this form is the assignment's."""
        covered = {self.names[0], self.names[2]}
        return form is not None and form[0] == 1 and form[1] in self.factors and set(form[2]) == covered

    def gradient_is_right(self, form: tuple[float, float] | None, name: str, factors: tuple[float, ...]) -> bool:
        """Return whether a gradient of this form is the assignment's."""
        if form is None or not self.close(form[0], 1.0):
            return False
        bias = name in {self.names[1], self.names[3]}
        return form[1] == 0 if bias else any(self.close(form[1], k) for k in factors)

    # ---------------------------------------------------------------- recognising

    def recognise(self, value: Floats, right: Right) -> Known | None:
        """Return what a value is among the values of a network, the right one or one with replaced steps."""
        if value.size == 1:
            return self._number(float(value.ravel()[0]), right)
        squeezed = np.squeeze(value)
        return (
            self._array(squeezed, right)
            or self._gradient(value, right)
            or self._trick(squeezed)
            or self._row(squeezed, right)
        )

    def _number(self, value: float, right: Right) -> Known | None:
        if not np.isfinite(value) or not value or value == int(value):
            return None
        for name, one in right.items():
            if one.size == 1 and self.close(value, float(one.ravel()[0])):
                return Known(name, "right")
        for name in ("sum of losses", "data loss"):
            factor = self.in_words(value / float(right[name])) if float(right[name]) else None
            if factor is not None:
                return Known(name, "right", factor)
        return self._penalty(value) or self._loss(value, right) or self._part(value, right)

    def _penalty(self, value: float) -> Known | None:
        for squares, chosen in self.penalties():
            for k in (1.0, self.reg, self.reg / 2, 2 * self.reg, 0.5):
                if self.close(value, k * squares, self.fine / 100):
                    biases = {self.names[1], self.names[3]} & {*chosen}
                    return Known(f"squares of {' + '.join(chosen)}", "near" if biases else "right")
        return None

    def _loss(self, value: float, right: Right) -> Known | None:
        form = self.loss_form(value, right)
        if form is None or form[0] not in (1, self.N) or not form[1]:
            return None
        if form[1] in self.factors and {*form[2]} < {self.names[0], self.names[2]}:
            return Known("loss", "part", detail="a part of")
        return Known("loss", "right" if self.loss_is_right((1.0, *form[1:])) else "near")

    def _part(self, value: float, right: Right) -> Known | None:
        size = abs(value)
        for name in _BY_ROW:
            rows = np.flatnonzero(np.isclose(size, np.abs(right[name]), rtol=1e-9, atol=0))
            if rows.size:
                return Known(name, "part", detail=f"row {rows[0]} of")
        if np.isclose(size, np.cumsum(right["-log p true"]), rtol=1e-9, atol=0).any():
            return Known("sum of losses", "part", detail="a part of")
        for name in _BY_ENTRY:
            if np.isclose(value, right[name], rtol=1e-10, atol=0).any():
                return Known(name, "part", detail="an entry of")
        return None

    def _array(self, value: Floats, right: Right) -> Known | None:
        best: Known | None = None
        inputs = {**{name: self.params[name] for name in self.names}, "X": self.X, "y": self.y.astype(np.float64)}
        for name, one in (*right.items(), *inputs.items()):
            other = np.squeeze(one)
            for laid in (value, value.T) if value.ndim == 2 else (value,):
                c = self.multiple(laid, other) if laid.shape == other.shape else None
                if c is None:
                    continue
                factor = self.in_words(c)
                if factor == "":
                    return Known(name, "right")
                plain = name in inputs
                if factor is not None and (name in _SCALED or plain or name.startswith("data d")):
                    best = best or Known(name, "right", factor)
                elif (
                    plain
                    or name.startswith("regulariser d")
                    or (factor is not None and name.startswith(("exp(", "sum exp")))
                ):
                    best = best or Known(name, "right", factor or self.other_words(c))
                else:
                    best = best or Known(name, "near", factor or self.other_words(c))
        return best or self._shifted(value, right)

    def _shifted(self, value: Floats, right: Right) -> Known | None:
        """Recognise scores from which each row has something taken off: the softmax is the same."""
        for laid in (value, value.T) if value.ndim == 2 else ():
            if laid.shape == right["scores"].shape:
                off = laid - right["scores"]
                if np.abs(off - off[:, :1]).max() <= self.fine * max(float(np.abs(off).max()), 1e-12):
                    return Known("scores", "right", detail="each row moved:")
        return None

    def _gradient(self, value: Floats, right: Right) -> Known | None:
        for name in self.names:
            form = self.gradient_form(value, right, name) if value.size == self.params[name].size else None
            if form is None or not form[0] or not form[1]:
                continue
            if self.gradient_is_right(form, name, self.factors):
                return Known(f"d{name}", "right")
            return Known(f"d{name}", "near", self.other_words(form[0]) if not self.close(form[0], 1) else "")
        return None

    def _trick(self, value: Floats) -> Known | None:
        """Recognise inputs with a column of ones, for programs that keep biases in the weights."""
        if value.ndim != 2 or value.shape != (self.N, self.X.shape[1] + 1):
            return None
        inside = any(np.allclose(cut, self.X) for cut in (value[:, 1:], value[:, :-1]))
        return Known("X", "right", detail="with ones:") if inside else None

    def _row(self, value: Floats, right: Right) -> Known | None:
        if value.ndim != 1:
            return None
        for name, one in (*right.items(), ("X", self.X)):
            if one.ndim == 2 and one.shape == (self.N, value.size):
                for row in range(self.N):
                    c = self.multiple(value, one[row])
                    if c is not None and self.in_words(c) is not None:
                        return Known(name, "part", self.in_words(c) or "", f"row {row} of")
        return None


def laid_out(value: Array, shape: tuple[int, ...]) -> Floats | None:
    """Return a value in a shape that it has transposed, or with other axes of length one; else None."""
    array = np.asarray(value, dtype=np.float64)
    if array.shape == shape:
        return array
    if array.ndim == 2 and array.T.shape == shape:
        return array.T
    return array.reshape(shape) if array.size == int(np.prod(shape)) and array.ndim != len(shape) else None
