"""What a value is: one of a network's own, a multiple of one, a row of one, or a sum of a loss's two parts."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from typing import Generic, TypeVar

import numpy as np

from grader.locate.recorded_case import Case, GradientForm, Kind, Known, LossForm, Right, laid_out, without_layer
from grader.model import Floats

Named = TypeVar("Named")

# Values that may be carried undivided, or with another sign, and be put right later.
_SCALED = frozenset({"d scores", "p - one-hot", "d h", "d u", "-log p true", "p", "sum of losses"})
# What rows are taken from, and entries.
_BY_ROW = (
    "-log p true", "p true", "sum exp(scores)", "row max", "true scores", "exp of true scores", "sum exp(scores - row max)",
    "true scores - row max", "log sum exp(scores)", "exp of true scores - row max", "log sum exp(scores - row max)",
)  # fmt: skip
_BY_ENTRY = (
    "p", "exp(scores)", "p - one-hot", "d scores", "exp(scores - row max)", "scores", "scores - row max", "u", "h", "d u", "d h",
    "log p",
)  # fmt: skip


class Network:
    """One network's values with the tables in which a program's values are looked up; each is made when it is needed."""

    def __init__(self, case: Case, right: Right) -> None:
        self.case, self.right = case, right

    @classmethod
    def of(cls, case: Case, replaced: Mapping[str, Floats]) -> Network:
        """Return the right network, or the one with some steps replaced."""
        return cls(case, case.values(replaced))

    def __getitem__(self, name: str) -> Floats:
        return self.right[name]

    # ---------------------------------------------------------------- losses and gradients

    @cached_property
    def _losses(self) -> tuple[Floats, list[LossForm]]:
        """All losses that a program may answer with a wrong factor or a wrong sum of squares, the right ones first."""
        case, data = self.case, float(self.right["data loss"])
        N, covered = case.N, tuple(name for name in case.names if name in case.covered)
        found, forms = [], list[LossForm]()
        for squares, chosen in case.penalties:
            for a in (1.0, float(N), 1.0 / N, -1.0):
                for k in (0.0, 0.5, 1.0, 0.25, 2.0, 1 / N, 0.5 / N, -0.5, -1.0):
                    found.append(a * data + k * case.reg * squares)
                    forms.append((a, k, chosen if k else covered))
        return np.array(found), forms

    def loss_form(self, value: float) -> LossForm | None:
        """Return (a, k, parameters) where a value is a times the data loss plus k reg times their squares; else None."""
        losses, forms = self._losses
        if not np.isfinite(value) or not np.isfinite(losses[0]):
            return None
        near = np.abs(losses - value) <= self.case.fine / 10 * np.maximum(np.abs(losses), abs(value))
        return forms[int(near.argmax())] if near.any() else None

    @cached_property
    def _solvers(self) -> dict[str, tuple[Floats, Floats] | None]:
        """By parameter, the data's gradient and the parameter as columns, and what solves for their factors."""
        found: dict[str, tuple[Floats, Floats] | None] = {}
        for name in self.case.names:
            columns = np.stack([self.right[f"data d{name}"].ravel(), self.case.params[name].ravel()], axis=1)
            found[name] = (columns, np.linalg.pinv(columns)) if np.isfinite(columns).all() else None
        return found

    def gradient_form(self, value: Floats, name: str) -> GradientForm | None:
        """Return (a, k) where a value is a times the data's gradient plus 2 k reg times the parameter; else None."""
        laid, solver = laid_out(value, self.case.params[name].shape), self._solvers[name]
        if laid is None or solver is None:
            return None
        flat, (columns, inverse), fine = laid.ravel(), solver, self.case.fine
        largest = float(np.abs(flat).max())
        if not np.isfinite(largest):
            return None
        a, k = (inverse @ flat).tolist()
        if float(np.abs(columns @ (a, k) - flat).max()) > fine * max(largest, 1e-12):
            return None
        a, k = (0.0 if abs(one) < fine / 10 else one for one in (a, k))
        return a, k / (2 * self.case.reg)

    # ---------------------------------------------------------------- recognising

    def recognise(self, value: Floats) -> Known | None:
        """Return what a value is among the values of this network; None where it is none of them."""
        if value.size == 1:
            return self._number(float(value.ravel()[0]))
        squeezed = np.squeeze(value)
        return self._array(squeezed) or self._gradient(value) or self._trick(squeezed) or self._row(squeezed)

    @cached_property
    def _numbers(self) -> tuple[list[Known], Floats]:
        """Single numbers: the network's own, and sums of squares with the factors that they are multiplied by."""
        case, known, found = self.case, list[Known](), list[float]()
        for name, one in self.right.items():
            if one.size == 1:
                known.append(Known(name, "right"))
                found.append(float(one.ravel()[0]))
        for name in ("sum of losses", "data loss"):
            for factor, words in ((-1.0, "minus "), (case.N, "N times "), (1 / case.N, "1/N of ")):
                known.append(Known(name, "right", words))
                found.append(factor * float(self.right[name]))
        for squares, chosen in case.penalties:
            for k in (1.0, case.reg, case.reg / 2, 2 * case.reg, 0.5):
                kind: Kind = "right" if case.covered >= {*chosen} else "near"
                known.append(Known(f"squares of {' + '.join(chosen)}", kind))
                found.append(k * squares)
        return known, np.array(found)

    def _number(self, value: float) -> Known | None:
        if not np.isfinite(value) or not value or value == int(value):
            return None
        known, numbers = self._numbers
        near = np.abs(numbers - value) <= self.case.fine * abs(value)
        return known[int(near.argmax())] if near.any() else self._loss(value) or self._part(value)

    def _loss(self, value: float) -> Known | None:
        form = self.loss_form(value)
        if form is None or form[0] not in (1, self.case.N) or not form[1]:
            return None
        if form[1] in self.case.factors and {*form[2]} < self.case.covered:
            return Known("loss", "part", detail="a part of")
        return Known("loss", "right" if self.case.loss_is_right((1.0, *form[1:])) else "near")

    @cached_property
    def _parts(self) -> tuple[list[Known], Floats]:
        known, found = list[Known](), list[Floats]()
        for name in self._there(_BY_ROW):
            known += [Known(name, "part", detail=f"row {row} of") for row in range(self.case.N)]
            found.append(np.abs(self.right[name]))
        for name in self._there(("-log p true",)):
            known += [Known("sum of losses", "part", detail="a part of")] * self.case.N
            found.append(np.abs(np.cumsum(self.right[name])))
        for name in self._there(_BY_ENTRY):
            known += [Known(name, "part", detail="an entry of")] * self.right[name].size
            found.append(np.abs(self.right[name].ravel()))
        return known, np.concatenate(found)

    def _there(self, names: Sequence[str]) -> list[str]:
        """Return those of these values that this network has, of all its layers."""
        return [name for name in self.right if without_layer(name) in names]

    def _part(self, value: float) -> Known | None:
        known, numbers = self._parts
        near = np.abs(numbers - abs(value)) <= 1e-9 * abs(value)
        return known[int(near.argmax())] if near.any() else None

    @cached_property
    def _by_shape(self) -> dict[tuple[int, ...], _Rows[str]]:
        """By shape, the arrays of the network and the inputs, by their names."""
        case, groups = self.case, dict[tuple[int, ...], list[tuple[str, Floats]]]()
        inputs = {**{name: case.params[name] for name in case.names}, "X": case.X, "y": case.y.astype(np.float64)}
        for name, one in (*self.right.items(), *inputs.items()):
            if one.size > 1:
                squeezed = np.squeeze(one)
                groups.setdefault(squeezed.shape, []).append((name, squeezed.ravel()))
        return {shape: _Rows(group) for shape, group in groups.items()}

    def _array(self, value: Floats) -> Known | None:
        best: Known | None = None
        for laid in (value, value.T) if value.ndim == 2 else (value,):
            group = self._by_shape.get(laid.shape)
            for name, factor in group.multiples(laid.ravel(), self.case.fine) if group else ():
                found = self._multiple(name, factor)
                if found.kind == "right" and not found.factor:
                    return found
                best = best or found
        return best or self._shifted(value)

    def _multiple(self, name: str, c: float) -> Known:
        """Return what c times a value of the network is."""
        case, factor = self.case, self.case.in_words(c)
        if factor == "":
            return Known(name, "right")
        plain = name in {"X", "y", *case.names}
        if factor is not None and (
            without_layer(name) in _SCALED or plain or name.startswith(("data d", "exp(", "sum exp"))
        ):
            return Known(name, "right", factor)
        kind: Kind = "right" if plain or name.startswith("regulariser d") else "near"
        return Known(name, kind, factor or case.other_words(c))

    def _shifted(self, value: Floats) -> Known | None:
        """Recognise scores from which each row has something taken off: the softmax is the same."""
        scores = self.right["scores"]
        for laid in (value, value.T) if value.ndim == 2 else ():
            if laid.shape == scores.shape:
                off = (laid - laid[:, :1]) - (scores - scores[:, :1])
                if np.abs(off).max() <= self.case.fine * float(np.abs(scores).max()):
                    return Known("scores", "right", detail="each row moved:")
        return None

    def _gradient(self, value: Floats) -> Known | None:
        case = self.case
        for name in case.names:
            form = self.gradient_form(value, name) if value.size == case.params[name].size else None
            if form is None or not form[0] or not form[1]:
                continue
            if case.gradient_is_right(form, name, case.factors):
                return Known(f"d{name}", "right")
            return Known(f"d{name}", "near", case.other_words(form[0]) if not case.close(form[0], 1) else "")
        return None

    def _trick(self, value: Floats) -> Known | None:
        """Recognise inputs and hidden units with a column of ones, for programs that keep biases in the weights."""
        for name, right in (("X", self.case.X), *((name, self.right[name]) for name in self._there(("h",)))):
            fits = value.ndim == 2 and value.shape == (len(right), right.shape[1] + 1)
            if fits and any(np.allclose(cut, right) for cut in (value[:, 1:], value[:, :-1])):
                return Known(name, "right", detail="with ones:")
        return None

    @cached_property
    def _rows(self) -> dict[int, _Rows[tuple[str, int]]]:
        """By length, the rows of the network's arrays and of X, by their names and numbers."""
        case, groups = self.case, dict[int, list[tuple[tuple[str, int], Floats]]]()
        for name, one in (*self.right.items(), ("X", case.X)):
            if one.ndim == 2 and len(one) == case.N:
                groups.setdefault(one.shape[1], []).extend(((name, row), one[row]) for row in range(case.N))
        return {length: _Rows(group) for length, group in groups.items()}

    def _row(self, value: Floats) -> Known | None:
        group = self._rows.get(value.size) if value.ndim == 1 else None
        for (name, row), c in group.multiples(value, self.case.fine) if group else ():
            factor = self.case.in_words(c)
            if factor is not None:
                return Known(name, "part", factor, f"row {row} of")
        return None


class _Rows(Generic[Named]):
    """Arrays of one size, each as a row under its name, of which a value may be a multiple."""

    def __init__(self, group: Sequence[tuple[Named, Floats]]) -> None:
        self.names = [name for name, _ in group]
        self.rows = np.array([row for _, row in group])
        self.squares = (self.rows * self.rows).sum(axis=1)

    def multiples(self, value: Floats, fine: float) -> Iterator[tuple[Named, float]]:
        """Yield those of which a value (n,) is a multiple, with the factor."""
        largest = float(np.abs(value).max(initial=0.0))
        if largest and np.isfinite(largest):
            with np.errstate(all="ignore"):
                factors = self.rows @ value / self.squares
                off = np.abs(value - factors[:, None] * self.rows).max(axis=1)
            for place in np.flatnonzero(off <= fine * largest).tolist():
                yield self.names[place], float(factors[place])
