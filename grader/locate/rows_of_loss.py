"""The rows of loss() in the table of steps: what each of its lines made, and what that is in the right network."""

import re
from collections.abc import Iterator, Sequence

import numpy as np

from grader.locate.differences import wrong_entries
from grader.locate.kept_rows import AGAIN, ANSWER, STEP, UNKNOWN, WRONG, Row, list_stop
from grader.locate.recorded_case import Known
from grader.locate.recorded_values import VARIABLE, Made, Spot
from grader.locate.wrong_in_loss import WrongInLoss
from grader.model import StepStatus
from grader.records import dataclass, replace

_ENTRY = re.compile(r"\[\d+\]$")  # of a list that a loop fills
FEW_CALLS = 3  # of a function that is called for each layer; one that is called for each entry is a loop


@dataclass(frozen=True)
class Standing:
    """How one value stands. rank : as of a row. whole : whether it is more than a piece of a right value."""

    status: StepStatus
    verdict: str
    rank: int
    whole: bool = True


@dataclass(eq=False)
class LossRows:
    """The rows of one recording of loss()."""

    wrong: WrongInLoss

    def __post_init__(self) -> None:
        self.reading = self.wrong.reading

    def rows(self) -> list[Row]:
        """Return all rows, in no order."""
        chosen = list(self._select_rows())
        marked = {row.spot for row in chosen if row.rank == WRONG}
        # The first that is told of a line stands, and a value's own row tells more than one of its line.
        extra = {row.spot: row for row in reversed(self.wrong.extra) if row.name or row.spot not in marked}
        for spot, row in extra.items():  # a value on the line that is nothing right is what the row is about
            strange = next((one for one in chosen if one.spot == spot and one.rank == UNKNOWN), None)
            if strange and not row.name:
                extra[spot] = replace(row, when=strange.when, name=strange.name, shape=strange.shape)
                chosen.remove(strange)
        again = self._again({row.spot for row in chosen} | {*extra})
        return [*chosen, *extra.values(), *again, *list_stop(self.reading.recorded)]

    # ---------------------------------------------------------------- how each value stands

    def _standing(self, one: Made) -> Standing | None:
        """Return how a value stands; None of one that is not worth a row."""
        if one.number in self.wrong.told:
            return Standing("differs", self.wrong.told[one.number], WRONG)
        known = self.reading.right[one.number]
        if one.given or (known and not known.factor and known.name in {"X", "y", *self.reading.case.names}):
            return None
        if self._is_given(one, known):
            return Standing("given", self._describe_given(one), self._rank(one, STEP))
        if known and known.kind != "near":
            whole = known.kind == "right"
            return Standing("right", f"right: {self.wrong.words.describe(known)}", self._rank(one, STEP), whole)
        plain = one.value.size == 1 and not np.any(one.value % 1) if np.isfinite(one.value).all() else False
        if one.kind in "ib" or plain or not one.value.any():
            return None
        return Standing("unknown", "", self._rank(one, UNKNOWN), whole=False)

    def _is_given(self, one: Made, known: Known | None) -> bool:
        """Return whether a value is right by the network that has the replaced values, and not by the right one."""
        replaced = self.reading.explained.replaced
        if not replaced or (known and known.kind == "right" and not known.factor) or (known and known.kind == "part"):
            return False
        if known is None:
            follows = self.reading.follows[one.number]
            return follows is not None and follows.kind == "right"
        value = self.reading.explained.network.right.get(known.name)
        return value is not None and wrong_entries(self.reading.case, one.value, value) == 0

    def _describe_given(self, one: Made) -> str:
        lines = sorted({spot[1] for spot in self._spots_before(one)})
        s = "s" if len(lines) > 1 else ""
        return f"right, given the mistake{s} in line{s} {' and '.join(map(str, lines))}"

    def _spots_before(self, one: Made) -> list[Spot]:
        """Return where the mistakes are that a value was made of; where that is not known, those before it."""
        spots = {(wrong.made.number, wrong.step): wrong.spot for wrong in self.wrong.mistakes if wrong.made}
        found = {
            made.number: spots.get((made.number, which.step), made.spot)
            for which in self.reading.explained.replaced
            if (made := which.made)
        }
        behind = self.reading.ancestry.made_of(one) & {*found}
        before = behind or {number for number in found if number < one.number} or {*found}
        return [found[number] for number in before]

    def _rank(self, one: Made, otherwise: int) -> int:
        """Return the rank of a row: an answer of loss(X, y, reg) is kept longer than others."""
        is_method = self.reading.recorded.is_method
        answers = any(held.name.startswith("return") and is_method(held.call) for held in one.holders)
        return ANSWER if answers else otherwise

    # ---------------------------------------------------------------- which values have a row

    def _select_rows(self) -> Iterator[Row]:
        """Yield rows: of each name on each line what is whole, each thing once; of a loop's pieces the last."""
        groups: dict[tuple[Spot, str], dict[int, list[Made]]] = {}
        for one in self.reading.values:
            groups.setdefault((one.spot, _ENTRY.sub("", one.name)), {}).setdefault(one.call, []).append(one)
        for calls in groups.values():
            seen: set[str] = set()
            pieces: list[Row] = []  # the last of each call
            for made in calls.values():
                standing = [(one, at) for one in made if (at := self._standing(one))]
                whole = [(one, at) for one, at in standing if at.whole and at.verdict not in seen]
                seen |= {at.verdict for _, at in whole}
                yield from self._rows_of(whole, made[0].born)
                if standing and not any(at.whole for _, at in standing):
                    pieces += self._rows_of(standing[-1:], made[0].born)
            yield from pieces if seen and len(calls) <= FEW_CALLS else pieces[-1:] if not seen else ()

    def _rows_of(self, values: Sequence[tuple[Made, Standing]], when: float) -> Iterator[Row]:
        """Yield the rows of values. when : a loop's lines come in the order in which they ran first."""
        for one, at in values:
            yield Row(when, one.spot, one.name, one.value.shape, at.status, at.verdict, at.rank)

    def _again(self, taken: set[Spot]) -> Iterator[Row]:
        """Yield what lines give another name to, where nothing else stands on the line."""
        for one in self.reading.values:
            names = {one.name}
            for held in one.holders[1:]:
                if held.how == VARIABLE and held.name not in names and held.spot not in taken:
                    standing = self._standing(one)
                    if standing is None or not standing.whole or standing.status == "differs":
                        break
                    taken.add(held.spot)
                    yield Row(
                        held.when, held.spot, held.name, one.value.shape, standing.status, standing.verdict, AGAIN
                    )
                names.add(held.name)
