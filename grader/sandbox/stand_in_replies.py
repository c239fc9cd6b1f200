"""The replies of the stand-ins for loss() and predict(), and their notes on what they were asked.

Its answers are functions of the question and of how often the parameters have changed so far: the same question has the
same answer, whatever network asks. Gradients have the size of real ones, losses are positive, all different and fall
gently, and the share of right labels rises; so nothing that a careful train() looks at stops it. What is asked about the
regulariser changes no answer, and neither does the number of copies of a row: training on one row, many times over, gives
the same steps whatever rows a program draws.
"""

import hashlib
import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]
Floats = npt.NDArray[np.float64]

GRADIENT_SIZE = 0.06  # of an entry; all four together have a length of 0.6, below what any usual clipping bites
MOST_NOTES = 300  # questions of one kind, and changes of the parameters; what comes after is answered and not noted
MOST_ROWS = 20_000  # rows of all noted questions together
_CHANCE = np.random.RandomState(0)  # seeded for each answer: to make one takes ten times as long


class StandIn:
    """One watched run: the answers of the stand-ins, and the notes on it.

    seed : any integer; it makes the answers. shapes : of each parameter. classes : C, the number of scores of a row.
    known : (X, y) pairs; the share of these rows that is labelled rightly rises as the parameters change.
    times : how much larger than real ones the gradients are.
    """

    def __init__(
        self,
        seed: int,
        shapes: Mapping[str, tuple[int, ...]],
        classes: int,
        known: Sequence[tuple[Array, Array]] = (),
        times: float = 1.0,
    ) -> None:
        self._seed = seed
        self._gradient_size = GRADIENT_SIZE * times
        self._classes = classes
        self._slices: dict[str, tuple[slice, tuple[int, ...]]] = {}
        end = 0
        for name, shape in shapes.items():
            start, end = end, end + math.prod(shape)
            self._slices[name] = slice(start, end), shape
        self._size = end
        self._right = {
            row.tobytes(): int(label)
            for X, y in known
            for row, label in zip(np.asarray(X, dtype=np.float64), y, strict=True)
        }
        # One row that is only validated stays wrong: some stop where every label is right.
        trained = {row.tobytes() for row in np.asarray(known[0][0], dtype=np.float64)} if known else set()
        apart = (
            [row for row in np.asarray(known[-1][0], dtype=np.float64) if row.tobytes() not in trained] if known else []
        )
        self._never = apart[-1].tobytes() if apart else b""
        self._made: dict[tuple[int, bytes], Floats] = {}
        self._states: list[Floats] = []
        self._asked: list[tuple[int, int, float, float]] = []
        self._gradients: list[Floats] = []
        self._rows: tuple[list[Array], list[Array]] = ([], [])  # X and y of the questions
        self._noted_rows = 0

    # ---------------------------------------------------------------- answers

    def loss(self, params: Mapping[str, Array], X: Floats, y: Array, reg: float) -> tuple[float, dict[str, Floats]]:
        """Return a loss and the gradient of each parameter, in the shapes given at the start.

        params : the network's parameters as they are now. X : (N, D). y : (N,). reg : NaN where none was passed.
        """
        moment, question = self._moment(params), _question(X, y)
        made = self._made.get((moment, question))
        if made is None:
            random = self._random("gradient", moment, question)
            gradient = self._gradient_size * random.standard_normal(self._size)
            value = 2.0 / (1 + moment) ** 0.25 + 1e-3 * random.random_sample()
            made = self._made[moment, question] = np.append(gradient, value)
        if len(self._asked) < MOST_NOTES and self._has_room_for(len(X)):
            self._asked.append((moment, len(X), reg, float(made[-1])))
            self._gradients.append(made[:-1])
            self._rows[0].append(np.array(X, dtype=np.float64))
            self._rows[1].append(np.array(y, dtype=np.float64))
        # Copies: an update in place is the student's right, and must not change what the same question is answered.
        return float(made[-1]), {
            name: made[place].reshape(shape).copy() for name, (place, shape) in self._slices.items()
        }

    def predict(self, params: Mapping[str, Array], X: Floats) -> Array:
        """Return a label for each row, (N,) int64."""
        return self.labels(self._moment(params), X)

    def scores(self, params: Mapping[str, Array], X: Floats) -> Floats:
        """Return scores (N, C) of which the largest of each row stands at the label that `predict` answers."""
        return self.scores_at(self._moment(params), X)

    def labels(self, moment: int, X: Floats) -> Array:
        """Return the labels (N,) int64 that rows have once the parameters have changed `moment` times."""
        chance = _chance(X)
        right = np.array([self._right.get(row.tobytes(), -1) for row in X], dtype=np.int64)
        truth = np.where(right < 0, (chance * 7919).astype(np.int64), right) % self._classes
        # A share that rises: 0.4, 0.51, 0.6, ... of the rows.
        wrong = (right >= 0) & (chance >= 1 - 0.6 * 0.82**moment)
        wrong |= np.array([row.tobytes() == self._never for row in X], dtype=bool)
        return np.asarray((truth + wrong) % self._classes)

    def scores_at(self, moment: int, X: Floats) -> Floats:
        """Return the scores (N, C) that rows have once the parameters have changed `moment` times."""
        noise = np.array([_chance(X, shift) for shift in range(1, 1 + self._classes)]).T
        # Below zero in many rows, so that a ReLU on them shows.
        scores = 0.5 * noise.reshape(len(X), self._classes) - 2.0 * _chance(X, self._classes + 1)[:, None]
        scores[np.arange(len(X)), self.labels(moment, X)] += 1.0
        return scores

    # ---------------------------------------------------------------- notes

    def notes(self, params: Mapping[str, Array], answer: Any) -> dict[str, Any]:
        """Return all that was noted, as plain arrays.

        params : the parameters at the end. answer : what the watched method returned.
        "states" (M + 1, P): the parameters, in one row, each time they had changed, and at the end.
        "asked" (E, 4): of each question to loss() with labels how often the parameters had changed, the number of rows,
        reg, and the loss that was answered; "gradients" (E, P), "X" and "y" of all these questions one below the other.
        """
        rows = [np.concatenate(kept) if kept else np.zeros(0) for kept in self._rows]
        return {
            "answer": answer,
            "states": np.array([*self._states, self._flat(params)]),
            "asked": np.array(self._asked, dtype=np.float64).reshape(-1, 4),
            "gradients": np.array(self._gradients, dtype=np.float64).reshape(-1, self._size),
            "X": rows[0],
            "y": rows[1],
        }

    def _moment(self, params: Mapping[str, Array]) -> int:
        flat = self._flat(params)
        if not self._states or (not np.array_equal(flat, self._states[-1]) and len(self._states) < MOST_NOTES):
            self._states.append(flat)
        return len(self._states) - 1

    def _flat(self, params: Mapping[str, Array]) -> Floats:
        """Return all parameters in one row; NaN for one that is missing or of another size."""
        flat = np.full(self._size, np.nan)
        for name, (place, shape) in self._slices.items():
            value = params.get(name)
            if value is not None and value.shape == shape:
                flat[place] = value.reshape(-1)
        return flat

    def _has_room_for(self, rows: int) -> bool:
        self._noted_rows += rows
        return self._noted_rows <= MOST_ROWS

    def _random(self, purpose: str, moment: int, question: bytes) -> np.random.RandomState:
        text = f"{self._seed} {purpose} {moment} ".encode() + question
        _CHANCE.seed(int.from_bytes(hashlib.blake2b(text, digest_size=4).digest(), "big"))
        return _CHANCE


def _question(X: Floats, y: Array) -> bytes:
    """Return a key of a question: its different rows, each with its label."""
    labelled = {row.tobytes() + label.tobytes() for row, label in zip(X, np.asarray(y, np.float64), strict=True)}
    return hashlib.blake2b(b"".join(sorted(labelled)), digest_size=8).digest()


def _chance(X: Floats, shift: int = 0) -> Floats:
    """Return a number from 0 to 1 for each row, (N,): always the same for the same row, and of no meaning."""
    along = X @ np.sin(1.0 + (1 + shift) * np.arange(X.shape[1])) if X.ndim == 2 else np.zeros(len(X))
    return np.asarray(np.abs(np.sin(12.9898 * along + shift) * 437.585453) % 1.0)
