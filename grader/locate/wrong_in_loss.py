"""What is told of a wrong value of loss() in the table of steps, and of a wrong line that has none."""

import ast
from collections.abc import Mapping
from functools import cached_property

from grader.locate.differences import Words, difference, gradient_in_words, loss_in_words, not_finite, wrong_entries
from grader.locate.kept_rows import Row, last_line, moment, wrong
from grader.locate.read_loss import Reading
from grader.locate.recorded_case import Right, Spotted, in_layer, without_layer
from grader.locate.recorded_values import Made, Spot
from grader.locate.replacing import Replaced
from grader.locate.wrong_values import changed_in_place
from grader.model import Floats
from grader.records import dataclass, field

# What may stand for a step in a right program: the nearest of them tells how a value differs.
ALIKE: Mapping[str, tuple[str, ...]] = {
    "u": ("u", "h"),
    "d h": ("d h", "d u"),
    "e": ("exp(scores - row max)", "exp(scores)", "exp(scores - max)"),
    "centred": ("scores - row max", "scores", "scores - max"),
}
MOST_MADE = 500  # values of a recording in which changes in place are looked for
FORM = "differs: loss(X, y, reg) should return the loss and a dict of gradients"


@dataclass(eq=False)
class WrongInLoss:
    """Verdicts on wrong values by their number, and rows of wrong lines. mistakes : as `find_in_loss.spotted` has them.

    base : the right network.
    """

    reading: Reading
    mistakes: tuple[Spotted, ...]
    words: Words
    base: Right
    told: dict[int, str] = field(default_factory=dict)
    extra: list[Row] = field(default_factory=list)

    def __post_init__(self) -> None:
        replaced = self._replaced_with_right()
        for one in self.mistakes:
            self._tell(one, replaced)
        self._tell_answers()
        self._tell_changes()
        reading = self.reading
        if not self.mistakes and not reading.own.in_form and (end := last_line(reading.recorded, reading.statements)):
            self._add(end, "", (), FORM)

    def _replaced_with_right(self) -> dict[tuple[int, str], tuple[Replaced, Right]]:
        """Return each replaced value, by number and step, with the network that its predecessors leave."""
        case, found, before = self.reading.case, {}, dict[str, Floats]()
        for one in sorted(self.reading.explained.replaced, key=lambda one: one.made.number):
            found[one.made.number, one.step] = one, case.values(before) if before else self.base
            before[one.step] = one.value
        return found

    def _tell(self, one: Spotted, replaced: Mapping[tuple[int, str], tuple[Replaced, Right]]) -> None:
        made = one.made
        if one.step == "stopped":
            self._tell_behind(one.spot)
        elif made is None:
            self._add(one.spot, *self._without_value(one))
        elif one.step == "not finite":
            self._mark(made, f"differs: {not_finite(made.value)}")
        elif (made.number, one.step) in replaced:
            self._tell_replaced(one, made, *replaced[made.number, one.step])
        elif made.number not in self._wrong_answers and made.value.any():
            known = self.reading.follows[made.number]
            is_now = f"differs: it is {self.words.describe(known)}" if known and known.kind != "part" else ""
            of = self._answer_words(one.step)
            self._mark(made, is_now or f"differs: no step of the right program is like it, and it makes {of} wrong")
            if one.spot != made.spot:
                self._add(one.spot, made.name, made.value.shape, f"differs: {of} goes wrong here")

    def _tell_replaced(self, one: Spotted, made: Made, which: Replaced, right: Right) -> None:
        case, known = self.reading.case, self.reading.right[made.number]
        name = self._nearest(one.step, which.value, right)
        how = difference(case, which.value, right[name])
        still = known is not None and known.kind == "right" and not known.factor and known.name != one.step
        if known and still:
            order = list(right)
            earlier = order.index(known.name) < order.index(name) if known.name in right else False
            plain = not how or how.startswith("all ") or known.name == "p - one-hot"
            more = "" if plain else f", {how}"
            how = f"it is {'still ' if earlier else ''}{self.words.describe(known)}{more}"
        wanted = self.words.of(one.step if one.step in {"e", "centred"} else name)
        verdict = f"differs from {wanted}: {how or 'its entries differ'}"
        if one.spot == made.spot or not still:
            self._mark(made, verdict)
        if one.spot != made.spot:
            held = next((held for held in made.holders if held.spot == one.spot), None)
            if held or still:
                name = held.name if held else made.holders[-1].name
                self._add(one.spot, name, made.value.shape, verdict, used=not held)
            else:
                self._add(one.spot, "", (), f"differs: this line makes {self.words.of(one.step)} wrong")

    def _nearest(self, step: str, value: Floats, right: Right) -> str:
        """Return the name of what a value most likely should be, of those that may stand for a step."""
        kind = without_layer(step)
        positive = kind == "u" and value.min(initial=0.0) >= 0  # an activation is in it
        names = [in_layer(name, step) for name in (("h",) if positive else ALIKE.get(kind, (kind,)))]
        off = {name: wrong_entries(self.reading.case, value, right[name]) for name in names}
        return min((name for name in off if off[name]), key=lambda name: off[name], default=step)

    def _tell_behind(self, spot: Spot) -> None:
        """Add the line that made what the line at which the program stopped could not use."""
        stop = self.reading.recorded.stopped
        made = [one for one in self.reading.values if one.spot == spot and not one.given]
        if stop and stop != spot and made:
            self._mark(made[-1], f"differs: line {stop[1]} stops on it with {self.reading.recorded.error}")

    def _without_value(self, one: Spotted) -> tuple[str, tuple[int, ...], str]:
        """Return name, shape and verdict of something wrong that no value stands for."""
        reading, step = self.reading, one.step
        if step == "parameters":
            return "", (), "differs: a name of one parameter gets the value of another"
        if step == "returned":
            inside = reading.statements.enclosing(*one.spot, (ast.For, ast.While))
            return "", (), "differs: it returns inside a loop, before all rows are done" if inside else FORM
        if step == "scores returned" and reading.own.scores is not None:
            how = difference(reading.case, reading.own.scores, reading.explained.network["scores"])
            return "return", reading.own.scores.shape, f"differs from the scores, which loss(X) should return: {how}"
        name = step.removeprefix("d")
        if (as_wrong := reading.explained.wrong.get(name)) and as_wrong.missing:
            return "", (), f"differs: {self.words.of(step)} is missing"
        return "", (), f"differs: {self._answer_words(step)} goes wrong here"

    def _tell_answers(self) -> None:
        """Add the answers that are wrong whatever came before them."""
        reading, network = self.reading, self.reading.explained.network
        for number, output in self._wrong_answers.items():
            made, form = reading.values[number], reading.explained.wrong[output]
            name, parts = output, ""
            if output == "loss":
                parts = loss_in_words(reading.case, form)
            elif output != "scores":
                name, parts = f"d{output}", gradient_in_words(reading.case, output, form)
            how = parts or difference(reading.case, made.value, network[name])
            if how or output == "loss":  # a gradient may be right, and go with another loss only
                self._mark(made, f"differs from {self.words.of(name)}" + (f": {how}" if how else ""))

    def _tell_changes(self) -> None:
        """Add a line that changes what loss() was given."""
        if len(self.reading.values) <= MOST_MADE:
            for about, what in (("inputs", "X or y"), ("parameters", "a parameter")):
                spot = changed_in_place(self.reading, about)
                if spot and _changes(self.reading.statements.by_line.get(spot)):
                    self._add(spot, "", (), f"differs: this line changes {what} in place")

    @cached_property
    def _wrong_answers(self) -> Mapping[int, str]:
        """Return the values that are wrong answers, by number."""
        reading = self.reading
        answers = {output: reading.own.answer(output) for output in reading.explained.wrong}
        sought = {(value.shape, value.tobytes()): output for output, value in answers.items() if value is not None}
        sizes = {value.size for value in answers.values() if value is not None}
        found = {}
        for one in reading.values:
            if one.value.size in sizes and not one.given:
                output = sought.get((one.value.shape, one.value.tobytes()))
                if output and not self._is_right(one):
                    found[one.number] = output
        return found

    def _is_right(self, one: Made) -> bool:
        known = self.reading.right[one.number]
        return known is not None and known.kind == "right" and not known.factor and known.name == "scores"

    def _answer_words(self, step: str) -> str:
        return "what loss(X) returns" if step == "scores returned" else self.words.of(step)

    def _mark(self, made: Made, verdict: str) -> None:
        self.told.setdefault(made.number, verdict)

    def _add(self, spot: Spot, name: str, shape: tuple[int, ...], verdict: str, *, used: bool = False) -> None:
        """Add a row of a line. used : whether the line is wrong in what it uses, and not in what it makes."""
        when = moment(spot, self.reading.values, self.reading.recorded)
        if used:
            when = min((one.born for one in self.reading.values if one.spot == spot), default=when) - 0.5
        self.extra.append(wrong(when, spot, name, shape, verdict))


def _changes(node: ast.stmt | None) -> bool:
    """Return whether a statement may change entries of an array: it could also put another array under a name."""
    if isinstance(node, ast.Assign):
        places = [part for part in node.targets if isinstance(part, ast.Subscript)]
        return any(not isinstance(part.slice, ast.Constant) for part in places)
    return isinstance(node, ast.AugAssign | ast.Expr)
