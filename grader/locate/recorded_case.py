"""The recorded question with what is right there, and what is known of a value in it."""

import re
from collections.abc import Callable, Mapping
from functools import cached_property
from itertools import combinations
from typing import Literal

import numpy as np

from grader.locate.recorded_values import Made, Spot
from grader.model import Array, Floats, Params
from grader.records import dataclass

Right = Mapping[str, Floats]  # all values of a network, by name, as reference.recompute has them

# "right": it may stand in a right program. "part": a row or an entry of such a value. "near": a multiple of one that no
# right program needs; what comes of it may be right all the same.
Kind = Literal["right", "part", "near"]


@dataclass(frozen=True)
class Known:
    """What a value is. name : of the network's value. factor : in words, "" for the value itself."""

    name: str
    kind: Kind
    factor: str = ""
    detail: str = ""  # "row 3 of", "an entry of"


LossForm = tuple[float, float, tuple[str, ...]]  # (a, k, parameters): a * data loss + k reg * their squares
GradientForm = tuple[float, float]  # (a, k): a * the data's gradient + 2 k reg * the parameter


@dataclass(frozen=True, eq=False)
class Case:
    """The recorded question, with what is right there."""

    params: Params
    X: Array
    y: Array
    reg: float
    names: tuple[str, ...]
    covered: frozenset[str]  # by the regulariser
    factors: tuple[float, ...]  # that the assignment accepts of the regulariser
    follow: Callable[[float, Mapping[str, Floats], bool], Right]
    fine: float = 1e-6  # relative tolerance: of a program in single precision 1e-4
    replaces: bool = True  # whether steps can be replaced; else the right network's own values are all that is known

    @property
    def N(self) -> int:  # noqa: N802 -- the field's own name
        """Number of rows."""
        return len(self.y)

    def values(self, replaced: Mapping[str, Floats]) -> Right:
        """Return all values of the right network, or of the one with some steps replaced."""
        return self.follow(self.factors[0], replaced, True)

    def answers(self, replaced: Mapping[str, Floats]) -> Right:
        """Return what leads to the answers of a network with some steps replaced."""
        return self.follow(self.factors[0], replaced, False)

    def outputs_of(self, k: int) -> tuple[str, ...]:
        """Return what layer k, counted from 0, puts out: the scores, or u and h of a hidden layer."""
        layers = len(self.names) // 2
        number = "" if layers == 2 else 1 + k
        return (f"u{number}", f"h{number}") if k + 1 < layers else ("scores",)

    def close(self, one: float, other: float, within: float = 0.0) -> bool:
        """Return whether two numbers are the same, relative to the larger one."""
        return abs(one - other) <= (within or self.fine) * max(abs(one), abs(other), 1e-30)

    def in_words(self, c: float) -> str | None:
        """Return what a factor is in a right program's terms: 1, N, 1 / N or minus one of them; else None."""
        N, close = self.N, self.close
        if close(c, 1.0):
            return ""
        table = (
            (-1.0, "minus "),
            (N, "N times "),
            (1 / N, "1/N of "),
            (-N, "minus N times "),
            (-1 / N, "minus 1/N of "),
        )
        return next((text for factor, text in table if close(c, factor)), None)

    def other_words(self, c: float) -> str:
        """Return any factor in words."""
        N, reg, C = self.N, self.reg, int(self.params[self.names[-1]].size)
        table = (
            (2.0, "twice "), (0.5, "half of "), (N * N, "N^2 times "), (1 / N**2, "1/N^2 of "), (C, "C times "),
            (1 / C, "1/C of "), (reg, "reg times "), (2 * reg, "2 reg times "), (reg / 2, "reg/2 times "), (reg / N, "reg/N times "),
        )  # fmt: skip
        return next((text for factor, text in table if self.close(c, factor)), f"{c:.4g} times ")

    @cached_property
    def penalties(self) -> list[tuple[float, tuple[str, ...]]]:
        """The sum of squares of each set of parameters, the right one first."""
        few = range(1, min(4, len(self.names) - 1) + 1)
        sets = [*(one for size in few for one in combinations(self.names, size)), self.names]
        right = tuple(name for name in self.names if name in self.covered)
        sets += [right] if right not in sets else []
        squares = {name: float((self.params[name] ** 2).sum()) for name in self.names}
        ordered = sorted(sets, key=lambda one: set(one) != self.covered)
        return [(sum(squares[name] for name in chosen), chosen) for chosen in ordered]

    @cached_property
    def regularisers(self) -> Floats:
        """Return what a program may add to its data loss for a regulariser, right or wrong."""
        return np.array([k * self.reg * squares for squares, _ in self.penalties for k in (0.0, 0.5, 1.0, 0.25, 2.0)])

    def loss_is_right(self, form: LossForm | None) -> bool:
        """Return whether a loss of this form is the assignment's."""
        return form is not None and form[0] == 1 and form[1] in self.factors and set(form[2]) == self.covered

    def gradient_is_right(self, form: GradientForm | None, name: str, factors: tuple[float, ...]) -> bool:
        """Return whether a gradient of this form is the assignment's."""
        if form is None or not self.close(form[0], 1.0):
            return False
        return any(self.close(form[1], k) for k in factors) if name in self.covered else form[1] == 0


_OF_LAYER = re.compile(r"(u|h|mask|d h|d u)(\d?)")


def without_layer(name: str) -> str:
    """Return the name of a hidden layer's value without the layer's number, which there is where there are several."""
    found = _OF_LAYER.fullmatch(name)
    return found[1] if found else name


def in_layer(name: str, like: str) -> str:
    """Return the name of a hidden layer's value in the layer of another one, such as "d u2" of "d u" and "h2"."""
    found = _OF_LAYER.fullmatch(like)
    return name + found[2] if found and without_layer(name) == name and _OF_LAYER.fullmatch(name) else name


def multiple(value: Floats, of: Floats, fine: float = 1e-6) -> float | None:
    """Return c where a value is c times another of its shape, else None."""
    flat, other = value.ravel(), of.ravel()
    square, largest = float(other @ other), float(np.abs(flat).max(initial=0.0))
    if not square or not largest or not np.isfinite(square) or not np.isfinite(largest):
        return None
    c = float(flat @ other) / square
    return c if float(np.abs(flat - c * other).max()) <= fine * largest else None


def laid_out(value: Array, shape: tuple[int, ...]) -> Floats | None:
    """Return a value in a shape that it has transposed, or with other axes of length one; else None."""
    array = np.asarray(value, dtype=np.float64)
    if array.shape == shape:
        return array
    if array.ndim == 2 and array.T.shape == shape:
        return array.T
    return array.reshape(shape) if array.size == int(np.prod(shape)) and array.ndim != len(shape) else None


@dataclass(frozen=True, eq=False)
class Spotted:
    """One thing that is wrong. step : of the network, or the answer that is wrong: "loss", "dW1", "scores returned"."""

    step: str
    spot: Spot
    made: Made | None = None
    used: Spot | None = None  # of a missing step: the line that uses the value as it is
    known: Known | None = None  # what the value is in the right network
    mends: frozenset[str] = frozenset()  # the answers that are right with it
