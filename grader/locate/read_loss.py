"""What is known of one recording of loss(): what each value is, what it was made of, and which explain the answers."""

from collections.abc import Callable, Mapping, Sequence

import numpy as np

from grader.locate.outputs import Outputs
from grader.locate.recognise import Network
from grader.locate.recorded_case import Case, Known, Spotted
from grader.locate.recorded_values import Made, Recorded, Spot
from grader.locate.replacing import Explained, Search
from grader.locate.source_statements import Statements
from grader.model import Array
from grader.records import dataclass


@dataclass(frozen=True, eq=False)
class Ancestry:
    """The values of one recording of loss(), each with what it was made of.

    right : what each value is in the right network. follows : the same in the network that has the replaced values.
    with_ones : the shapes of weights that have their biases as one row more.
    """

    made: Sequence[Made]
    right: Mapping[int, Known | None]
    follows: Mapping[int, Known | None]
    with_ones: frozenset[tuple[int, int]]

    def origins(self, value: Array, labels: Mapping[int, Known | None] | None = None) -> list[Made]:
        """Return the unknown values behind a wrong answer that were made of right ones alone, the first made first.

        labels : what each value is; by default in the network that has the replaced ones.
        """
        labels = labels or self.follows
        behind = self.behind(value, labels)
        feeding = self._feeding_right(labels)
        origins = [
            self.made[number]
            for number in behind
            if not _is_right(labels[number])
            and not self.made[number].given
            and all(self._fine(use, labels) or use in feeding for use in self.made[number].uses)
        ]
        outside = [
            one for one in origins if one.number not in feeding and not (one.kind in "bi" and one.value.ndim < 1)
        ]
        speaking = [one for one in outside if one.value.any()] or outside
        unknown = [one for one in speaking if (of := labels[one.number]) is None or of.kind == "near"]
        return sorted(unknown or speaking, key=lambda one: one.number)

    def behind(self, value: Array, labels: Mapping[int, Known | None] | None = None) -> set[int]:
        """Return what a value was made of, directly or not, as far as it is not right by these labels."""
        return {number for one in self.same(value)[:1] for number in (one.number, *self.made_of(one, labels))}

    def made_of(self, made: Made, labels: Mapping[int, Known | None] | None = None) -> set[int]:
        """Return what a recorded value was made of, directly or not, as far as it is not right by these labels."""
        waiting, found = [made.number], set[int]()
        while waiting:
            for use in self.made[waiting.pop()].uses - found:
                if labels is None or not _is_right(labels[use]):
                    found.add(use)
                    waiting.append(use)
        return found

    def same(self, value: Array) -> list[Made]:
        """Return the values that are the same, also transposed or within a larger one as its first or last rows."""
        found = []
        for one in self.made:
            own = one.value
            pieces = [own, own.T] if own.ndim == 2 and own.size == value.size else [own]
            if own.ndim == value.ndim == 2 and own.shape[0] == value.shape[0] + 1:
                pieces = [own[1:], own[:-1]]
            elif own.ndim == 2 and value.ndim == 1 and own.shape in self.with_ones:
                pieces = [own[0], own[-1]]
            if any(piece.shape == value.shape and np.array_equal(piece, value) for piece in pieces):
                found.append(one)
        return found

    def _fine(self, number: int, labels: Mapping[int, Known | None]) -> bool:
        """Return whether what is made of a value is not wrong by it."""
        known = labels[number]
        return self.made[number].value.size <= 1 or (known is not None and known.kind != "near")

    def _feeding_right(self, labels: Mapping[int, Known | None]) -> set[int]:
        """Return the values of which something right was made, directly or not."""
        feeding: set[int] = set()
        for one in reversed(self.made):
            for user in one.users:
                known = labels[user]
                if user in feeding or (known is not None and known.kind != "near" and self.made[user].value.size > 1):
                    feeding.add(one.number)
        return feeding

    def first_unknown(self, made: Made) -> Made:
        """Return the first value behind a wrong one that is unknown too, though all that it was made of is right."""
        # What is right but for a number in each row, which the softmax takes off, may be what is wrong here.
        origins = self.origins(made.value, {**self.right, made.number: None})
        pieces = [one for one in origins if one.value.size < made.value.size and self._depends_on_arrays(one)]
        deeper = [one for one in origins if one.call > made.call or one.value.size == made.value.size]
        return (pieces or deeper or [made])[0]

    def _depends_on_arrays(self, made: Made) -> bool:
        """Return whether an array of floats is among what a value was made of."""
        behind = (self.made[number] for number in self.made_of(made))
        return any(one.value.size > 1 and one.kind == "f" for one in behind)


def _is_right(known: Known | None) -> bool:
    return known is not None and known.kind == "right"


@dataclass(frozen=True, eq=False)
class Reading:
    """One recording of loss() with what is known of its values.

    own : what the program answered. right : what each value is in the right network. follows : the same in the network
    that has the replaced values, which tells what follows from a mistake. asked_for_scores : the recording of loss(X).
    """

    case: Case
    statements: Statements
    recorded: Recorded
    own: Outputs
    right: Mapping[int, Known | None]
    follows: Mapping[int, Known | None]
    explained: Explained
    ancestry: Ancestry
    asked_for_scores: Callable[[], Recorded | None]

    @property
    def values(self) -> Sequence[Made]:
        """Return the recorded values, the first made first."""
        return self.recorded.made

    def returned(self, step: str) -> Spotted | None:
        """Return the line with which loss() returned as what is wrong; None where it did not return."""
        end = self.recorded.end()
        return Spotted(step, end) if end else None

    def scores_returned(self) -> Spot | None:
        """Return the line with which loss(X) gives its answer."""
        asked = self.asked_for_scores()
        return asked.end() if asked and asked.end() else self.recorded.end()


def read_loss(
    case: Case,
    statements: Statements,
    recorded: Recorded,
    asked_for_scores: Callable[[], Recorded | None],
    own: Outputs,
    base: Network,
) -> Reading:
    """Return what is known of one recording. base : the right network."""
    made = recorded.made
    right = {one.number: base.recognise(one.value) for one in made}
    follows, explained = right, Search(case, own, made, right).explain(base)
    if explained.replaced:
        follows = {n: known or explained.network.recognise(made[n].value) for n, known in right.items()}
    weights = (case.params[name].shape for name in case.names[::2])
    with_ones = frozenset((shape[-2] + 1, shape[-1]) for shape in weights)
    ancestry = Ancestry(made, right, follows, with_ones)
    return Reading(case, statements, recorded, own, right, follows, explained, ancestry, asked_for_scores)
