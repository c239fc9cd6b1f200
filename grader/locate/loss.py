"""Where loss() goes wrong: the line of each value that explains its answers, in the order of the computation."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from grader.locate.outputs import Form, Outputs
from grader.locate.recognise import Case, GradientForm, Known, LossForm, Network
from grader.locate.recorded import ARGUMENT, RETURNED, VARIABLE, Made, Recorded, Spot
from grader.locate.replacing import Replaced, explain
from grader.locate.statements import Statements
from grader.records import Array

# The line that makes one of these values is the one that does what a role says, by what they are in the right network.
VALUES_OF: Mapping[str, tuple[str, ...]] = {
    "hidden": ("u", "h"),
    "activation": ("h",),
    "scores": ("scores",),
    "exp": (
        "max",
        "scores - max",
        "exp(scores)", "exp(scores - max)", "sum exp(scores)", "log sum exp(scores)", "exp(scores - row max)", "p",
        "-log p true",
    ),
    "probabilities": ("p", "exp(scores - row max)", "exp(scores)"),
    "data loss": ("data loss", "sum of losses", "loss"),
    "regulariser": ("regulariser", "squares", "loss"),
    "total loss": ("loss",),
    "dscores": ("d scores", "p - one-hot"),
    "dhidden": ("d h", "d u"),
    "mask": ("mask", "d u"),
}  # fmt: skip
# A missing step is told at the line that uses the value as it is, where that line is this near; else at the value's own.
NEAR_USE = 2


@dataclass(frozen=True, eq=False)
class Spotted:
    """One thing that is wrong. step : of the network, or the answer that is wrong: "loss", "dW1", "scores returned"."""

    step: str
    spot: Spot
    made: Made | None = None
    used: Spot | None = None  # of a missing step: the line that uses the value as it is
    known: Known | None = None  # what the value is in the right network
    mends: frozenset[str] = frozenset()  # the answers that are right with it


class Finder:
    """One recording of loss() with what is known of its values."""

    def __init__(
        self,
        case: Case,
        statements: Statements,
        recorded: Recorded,
        asked_for_scores: Callable[[], Recorded | None],
        own: Outputs,
        base: Network,
    ) -> None:
        self.case, self.statements, self.recorded, self.own = case, statements, recorded, own
        self.asked_for_scores = asked_for_scores
        self.made: Sequence[Made] = recorded.made
        self.right = {one.number: base.recognise(one.value) for one in self.made}
        self.explained = explained = explain(case, own, self.made, base, self.right)
        first, _, second, _ = case.names  # weights with their biases as one row more
        self.with_ones = {(case.params[name].shape[0] + 1, case.params[name].shape[1]) for name in (first, second)}
        # What a value is in the network that has the replaced ones: it tells what follows from a mistake.
        self.follows = self.right
        if explained.replaced:
            self.follows = {
                n: known or explained.network.recognise(self.made[n].value) for n, known in self.right.items()
            }

    # ---------------------------------------------------------------- values that explain answers

    def spotted(self) -> Iterator[Spotted]:
        """Yield all that is wrong, the values that explain several answers first."""
        if (swapped := self._swapped_names()) is not None:
            yield Spotted("parameters", swapped)
        if self.recorded.stopped and self.recorded.error:
            yield Spotted("stopped", self._behind(self.recorded.stopped))
            return
        if (infinite := self._first_not_finite()) is not None:
            yield Spotted("not finite", infinite.spot, infinite)
            return
        if (self.explained.replaced or self.explained.wrong) and (spot := self._changed_parameter()) is not None:
            yield Spotted("parameters", spot)
        if (found := self._returned("returned")) and (not self.own.in_form or self._in_a_loop(found.spot)):
            yield found
        for one in sorted(self.explained.replaced, key=lambda one: one.made.number):
            yield replace(self._replaced(one), mends=one.mended)
        for output, form in self.explained.wrong.items():
            found = self._answer(output, form)
            if found is not None:
                yield replace(found, mends=frozenset({output}))

    def role(self, about: str) -> Spot | None:
        """Return the line that makes one thing of loss(), right or wrong: "scores", "exp", "grads W1", ..."""
        if about in {"inputs", "parameters"}:
            return self.purity(about)
        kind, _, name = about.rpartition(" ")
        wanted = VALUES_OF.get(about, ())
        if kind in {"grads", "grad regulariser"}:
            wanted = (f"d{name}", f"data d{name}")
        elif kind == "layer":
            wanted = ("u",) if name == "0" else ("scores",)
        for value in wanted:
            for one in self.made:
                known = self.follows[one.number]
                if known is not None and known.kind != "part" and known.name.partition(" of ")[0] == value:
                    return one.spot
                if about == "exp" and known is not None and known.detail.startswith("each row"):
                    return one.spot
        return self._scores_returned() if about == "returned scores" else None

    def _scores_returned(self) -> Spot | None:
        """Return the line with which loss(X) gives its answer."""
        asked = self.asked_for_scores()
        return asked.end() if asked and asked.end() else self.recorded.end()

    def _replaced(self, one: Replaced) -> Spotted:
        made, known = one.made, self.right[one.made.number]
        if known is None or known.kind != "right" or known.factor or known.detail:
            unknown = known is None or known.kind == "near" or known.detail
            first = self._first_unknown(made) if unknown else made
            return Spotted(
                one.step, self._given_no_gradient(first, one.step) or self._outside_shared(first, one.step), made
            )
        # It is right as an earlier step: what is wrong is that the next one is missing, or does nothing.
        idle = self._idle_line(made)
        if idle is not None and one.step in {"d u", "h", "mask", "centred", "d scores"}:
            return Spotted(one.step, idle, made, known=known)
        if one.step in {"u", "scores"} and not known.name.startswith(one.step):  # the bias of a layer is missing
            return Spotted(one.step, made.spot, made, known=known)
        used = self._used_as_it_is(made)
        handed_on = _handed_on(made, used.born if used else None)
        if handed_on is not None:
            return Spotted(one.step, handed_on, made, used=used.spot if used else None, known=known)
        if used is None:
            return Spotted(one.step, made.spot, made, known=known)
        if one.step == "d u" and self.statements.compares(*made.spot):  # the mask is there, and lets everything through
            return Spotted(one.step, made.spot, made, known=known)
        at, own = self._from_use_to_value(made, used)
        near = one.step == "d u" and 0 <= at[1] - own[1] <= NEAR_USE
        return Spotted(one.step, at if near else own, made, used=at, known=known)

    def _from_use_to_value(self, made: Made, used: Made) -> tuple[Spot, Spot]:
        """Return the line that uses a value as it is, and the one that made it; where a shared function did, those that called it."""
        passed = any(held.how == ARGUMENT and held.call == used.call for held in made.holders)
        if not passed or used.call == made.call:
            return used.spot, made.spot
        callers = self.recorded.callers(used.call)
        at = (callers[0][0], self.statements.start(*callers[0])) if callers else used.spot
        shared = [name for _, _, name in self.recorded.calls].count(self.recorded.function(made.call)) > 1
        received = [held.spot for held in made.holders if held.how == VARIABLE and held.call != made.call]
        return at, received[0] if shared and received else made.spot

    def _idle_line(self, made: Made) -> Spot | None:
        """Return a line that ran after a value was made, stores into it, and changed nothing."""
        names = {held.name for held in made.holders}
        changed = {held.spot for one in self.made for held in one.holders if held.name in names}
        for spot in self.recorded.ran:
            after = spot[0] == made.spot[0] and spot[1] > made.spot[1]
            if after and spot not in changed and self.statements.stores_into(*spot, names):
                return spot
        return None

    def _idle_store(self) -> Spot | None:
        """Return a line that stores into something and never changed anything by it."""
        changed = {held.spot for one in self.made for held in one.holders if held.how == VARIABLE}
        names = {held.name for one in self.made for held in one.holders if one.value.size > 1}
        idle = (spot for spot in self.recorded.ran if spot not in changed and self.statements.stores_into(*spot, names))
        return next(idle, None)

    def _used_as_it_is(self, made: Made) -> Made | None:
        wrong = [self.made[user] for user in made.users if self.made[user].value.size > 1 and self.right[user] is None]
        return min(wrong, key=lambda one: one.number) if wrong else None

    def _first_unknown(self, made: Made) -> Made:
        """Return the first value behind a wrong one that is unknown too, though all that it was made of is right."""
        # What is right but for a number in each row, which the softmax takes off, may be what is wrong here.
        origins = self._origins(made.value, {**self.right, made.number: None})
        pieces = [one for one in origins if one.value.size < made.value.size and self._depends_on_arrays(one)]
        deeper = [one for one in origins if one.call > made.call or one.value.size == made.value.size]
        return (pieces or deeper or [made])[0]

    def _depends_on_arrays(self, made: Made) -> bool:
        waiting, seen = list(made.uses), set[int]()
        while waiting:
            number = waiting.pop()
            if self.made[number].value.size > 1 and self.made[number].kind == "f":
                return True
            if number not in seen:
                seen.add(number)
                waiting += self.made[number].uses
        return False

    def _given_no_gradient(self, made: Made, step: str) -> Spot | None:
        """Return where a function of the way back is called without any gradient: what it makes is wrong by what it is given."""
        if step not in {"d h", "d u"} or self.recorded.is_method(made.call):
            return None
        given = [one for one in self.made for held in one.holders if held.call == made.call and held.how == ARGUMENT]
        known = [self.right[one.number] for one in given if one.value.size > 1]
        if not known or any(of is None or of.name.startswith(("d ", "p")) for of in known):
            return None
        callers = self.recorded.callers(made.call)
        return callers[0] if callers else None

    def _outside_shared(self, made: Made, step: str) -> Spot:
        """Return a value's line; where that line also made a right one for the other layer, the line of the call.

        What one layer gets wrong and the other does not is wrong where the shared function is called.
        """
        wrong = [made, *(one.made for one in self.explained.replaced)]
        right_too = [
            other
            for other in self.made
            if other.spot == made.spot and other.call != made.call and other not in wrong and self.follows[other.number]
        ]
        callers = self.recorded.callers(made.call)
        return callers[0] if right_too and callers and step not in {"d h", "d u"} else made.spot

    def _swapped_names(self) -> Spot | None:
        """Return a line that gives a variable called W1 the value of another parameter."""
        for one in self.made:
            known = self.right[one.number]
            if known is not None and known.name in self.case.names and not known.factor:
                for held in one.holders:
                    if held.how == VARIABLE and held.name in self.case.names and held.name != known.name:
                        return held.spot
        return None

    def _of_another_layer(self, stopped: Spot) -> Spot | None:
        """Return the line that took a parameter of the other layer, or one twice, for what a line puts together."""
        names = self.statements.reads(*stopped).names
        read = [
            (held, known.name)
            for one in self.made
            if (known := self.right[one.number]) and not known.factor and not known.detail
            for held in one.holders
            if held.name in names and (held.how == VARIABLE or held.call == len(self.recorded.calls) - 1)
        ]
        w1, b1, w2, b2 = self.case.names
        inputs = {name for _, name in read if name in {"X", "h"}}
        inputs |= {"X"} & {
            known.name
            for one in self.made
            for h in one.holders
            if h.name in names and (known := self.right[one.number])
        }
        wanted = {"X": {w1, b1}, "h": {w2, b2}}.get(next(iter(inputs), "")) if len(inputs) == 1 else None
        if wanted is None:
            return None
        params = [(held, name) for held, name in read if name in self.case.names]
        wrong = [held for held, name in params if name not in wanted]
        twice = [held for held, name in params if sum(name == other for _, other in params) > 1]
        if not wrong and not (twice and len(params) == 2):
            return None
        first = (wrong or twice)[0]
        callers = self.recorded.callers(first.call) if first.how == ARGUMENT else []
        return callers[0] if callers else first.spot

    def _changed_parameter(self) -> Spot | None:
        """Return the line that changes a parameter in place, also under another name: what comes after has the wrong one."""
        held_right: set[tuple[int, str]] = set()
        events = [(held, made) for made in self.made for held in made.holders]
        for held, one in sorted(events, key=lambda pair: pair[0].when):
            known, key = self.right[one.number], (held.call, held.name)
            if known is not None and known.name in self.case.names and not known.factor and known.kind == "right":
                held_right.add(key)
            elif key in held_right and (held.name in self.case.names or "params[" in held.name):
                if not self.statements.binds(*held.spot, held.name) and not one.given:
                    return one.spot
                held_right.discard(key)
        return None

    def _is_called_from(self, made: Made, spot: Spot) -> bool:
        callers = self.recorded.callers(made.call)
        return made.value.size > 1 and any((at[0], self.statements.start(*at)) == spot for at in callers)

    def _first_not_finite(self) -> Made | None:
        """Return the first value that is infinite or NaN, where an answer is."""
        own = self.own
        answers = [own.scores, own.loss, *(own.gradients or {}).values()]
        if all(one is None or np.isfinite(one).all() for one in answers):
            return None
        return next((one for one in self.made if not one.given and not np.isfinite(one.value).all()), None)

    def _behind(self, stopped: Spot) -> Spot:
        """Return the line that made what the line at which the program stopped could not use, where that is plain."""
        if (caller := self.recorded.shared_caller()) is not None:
            return caller
        if (other_layer := self._of_another_layer(stopped)) is not None:
            return other_layer
        reads = self.statements.reads(*stopped)
        held = {held.name: one for one in self.made for held in one.holders}
        used = [one for name, one in held.items() if name in reads.names | reads.parts and one.value.size > 1]
        used += [
            self.made[number] for number in self.recorded.pending if self._is_called_from(self.made[number], stopped)
        ]
        unknown = sorted(
            (one for one in used if self.right[one.number] is None and not one.given), key=lambda one: one.number
        )
        origins = self._origins(unknown[0].value) if unknown else []
        if origins:
            # Zeros of one shape are one value: the line that set the name last made them for this one.
            named = [h.spot for h in origins[0].holders if h.name in reads.names and h.how == VARIABLE]
            return named[-1] if named and not origins[0].value.any() else origins[0].spot
        # One number of each row, for which an axis of length one should have been kept.
        rows = [one for one in used if one.value.shape == (self.case.N,) and one.kind == "f" and not one.given]
        return rows[0].spot if rows and len(used) > 1 else stopped

    # ---------------------------------------------------------------- answers that no value explains

    def _answer(self, output: str, wrong_as: Form) -> Spotted | None:
        step = output if output in {"scores", "loss"} else f"d{output}"
        if wrong_as.missing:
            return self._missing(step)
        value = self._value_of(output)
        if output == "scores" and (value is None or not self._same(value)) and (spot := self._scores_returned()):
            return Spotted("scores returned", spot)
        if value is None:
            return None
        firsts = self._same(value)
        if firsts and self._is_another_gradient(firsts[0], output):
            held = [h.spot for h in firsts[0].holders if h.name.endswith(f"[{output!r}]") and h.name != firsts[0].name]
            if held:
                spot = held[0][0], self.statements.part_line(*held[0], f"[{output!r}]")
                return Spotted(step, spot, firsts[0])
        form = wrong_as.form
        if form is not None:
            return self._of_wrong_form(step, form, self._of_form(output, form, value) or next(iter(firsts), None))
        origins = self._origins(value)
        if (idle := self._idle_store()) is not None:
            return Spotted(step, idle)
        if origins:
            first = origins[0]
            return Spotted(step, self._last_of_loop(first) or self._outside_shared(first, step), first)
        if firsts:
            return Spotted(step if output != "scores" else "scores returned", firsts[0].spot, firsts[0])
        return self._returned(step)

    def _of_wrong_form(self, step: str, form: LossForm | GradientForm, made: Made | None) -> Spotted | None:
        if made is None:
            return self._returned(step)
        bare = not form[1] and self.case.close(form[0], 1.0)
        return Spotted(step, self._left_alone(made) if bare else made.spot, made)

    def _is_another_gradient(self, made: Made, output: str) -> bool:
        known = self.right[made.number]
        others = {*self.case.names, *(f"d{name}" for name in self.case.names if name != output)}
        return known is not None and not known.factor and known.name.removeprefix("data ") in others

    def _value_of(self, output: str) -> Array | None:
        if output == "scores":
            return self.own.scores
        if output == "loss":
            return None if self.own.loss is None else np.asarray(self.own.loss)
        return None if self.own.gradients is None else self.own.gradients.get(output)

    def _in_a_loop(self, spot: Spot) -> bool:
        return bool(self.statements.enclosing(*spot, (ast.For, ast.While)))

    def _missing(self, step: str) -> Spotted | None:
        """Return the line that should set a gradient, where one is missing: the one that names it, else the last that sets one."""
        end = self.recorded.end()
        line = self.statements.setting(*end, step.removeprefix("d")) if end else None
        if end and line:
            return Spotted(step, (end[0], line))
        kept = [
            (one, held.spot)
            for one in self.made
            for held in one.holders
            if held.how == VARIABLE and held.name.endswith("']") and "param" not in held.name
        ]
        misspelt = [
            spot for one, spot in kept if (of := self.follows[one.number]) and of.name.removeprefix("data ") == step
        ]
        setting = misspelt[:1] or [spot for _, spot in kept][-1:]
        return Spotted(step, setting[0]) if setting else self._returned(step)

    def purity(self, about: str) -> Spot | None:
        """Return the line that changes, in place, the inputs or the parameters that loss() was given."""
        wanted = {"X", "y"} if about == "inputs" else set(self.case.names)
        holds: dict[tuple[int, str], bool] = {}
        events = sorted(((h, one) for one in self.made for h in one.holders), key=lambda pair: pair[0].when)
        for held, one in events:
            known = self.right[one.number]
            now = known is not None and known.name in wanted and not known.factor and not known.detail
            before = holds.get((held.call, held.name), False)
            if before and not now and not self.statements.binds(*held.spot, held.name):
                return held.spot
            holds[held.call, held.name] = now
        return None

    def _returned(self, step: str) -> Spotted | None:
        end = self.recorded.end()
        return Spotted(step, end) if end else None

    def _of_form(self, output: str, form: LossForm | GradientForm, value: Array) -> Made | None:
        """Return the first value that has a wrong answer's form: there it went wrong."""
        if len(form) == 3:
            return self._loss_of_form(form)
        network, close = self.explained.network, self.case.close
        shaped = [one for one in self.made if one.value.size == np.size(value) and not self._is_input(one)]
        alike = [(one, own) for one in shaped if (own := network.gradient_form(one.value, output))]
        if not form[0]:  # nothing of the data is in it: the zeros that were never filled
            behind = self._behind_value(value)
            empty = [one for one in self.made if one.number in behind and one.value.size > 1 and not one.value.any()]
            empty = empty or [one for one in shaped if not one.value.any()]
            bare = empty or [one for one, own in alike if not own[0]]
            return bare[0] if bare else None
        same = [one for one, own in alike if np.allclose(own, form, rtol=1e-6)]
        scaled = [one for one, own in alike if close(own[0], form[0])]
        wrong_scale = not close(form[0], 1.0) and self.case.in_words(form[0]) in (None, "N times ", "1/N of ")
        chosen = (scaled or same) if wrong_scale else same
        return chosen[0] if chosen else None

    def _left_alone(self, made: Made) -> Spot:
        """Return where a value without its regulariser is handed on last by loss() itself."""
        own = [held.spot for held in made.holders if held.how == VARIABLE and self.recorded.is_method(held.call)]
        return own[-1] if own else made.spot

    def _is_input(self, made: Made) -> bool:
        known = self.right[made.number]
        return made.given or (known is not None and known.name in {"X", "y", *self.case.names} and not known.factor)

    def _loss_of_form(self, form: LossForm) -> Made | None:
        """Return the value in which a wrong factor or a wrong sum of squares came in; else the first loss of this form."""
        numbers = [one for one in self.made if one.value.size == 1 and one.kind == "f"]
        data = form[0] * float(self.explained.network["data loss"])
        scaled = [one for one in numbers if self.case.close(float(one.value.ravel()[0]), data)]
        if form[0] < 0:  # also in a part of the sum
            added = -np.cumsum(self.explained.network["-log p true"])
            parts = [one for one in numbers if np.isclose(float(one.value.ravel()[0]), added, rtol=1e-9, atol=0).any()]
            scaled = [*parts, *scaled][:1]
        if form[0] != 1 and scaled:
            return scaled[-1]
        wanted = f"squares of {' + '.join(form[2])}"
        sums = [one for one in numbers if (known := self.right[one.number]) and known.name == wanted]
        if {*form[2]} != self.case.covered and sums:
            return sums[0]
        same = [one for one in numbers if self.explained.network.loss_form(float(one.value.ravel()[0])) == form]
        return same[0] if same else None

    def _last_of_loop(self, made: Made) -> Spot | None:
        """Return the line of a loop that made the last row of what should have been added up."""
        known = self.follows[made.number]
        if known is None or known.kind != "part":
            return None
        before = [self.made[use] for use in made.uses if self.made[use].value.shape == made.value.shape]
        looped = [one for one in (*before, made) if self.recorded.ran.get(one.spot, 0) > 1]
        return looped[-1].spot if looped else None

    def _same(self, value: Array) -> list[Made]:
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

    def _origins(self, value: Array, labels: Mapping[int, Known | None] | None = None) -> list[Made]:
        """Return the unknown values behind a wrong answer that were made of right ones alone, the first made first.

        labels : what each value is; by default in the network that has the replaced ones.
        """
        labels = labels or self.follows
        behind = self._behind_value(value, labels)
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

    def _behind_value(self, value: Array, labels: Mapping[int, Known | None] | None = None) -> set[int]:
        """Return what a value was made of, directly or not, as far as it is not right by these labels."""
        ends, behind = self._same(value), set[int]()
        waiting = [one.number for one in ends[:1]]
        while waiting:
            number = waiting.pop()
            if number not in behind:
                behind.add(number)
                waiting += [use for use in self.made[number].uses if labels is None or not _is_right(labels[use])]
        return behind

    def _fine(self, number: int, labels: Mapping[int, Known | None]) -> bool:
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


def _is_right(known: Known | None) -> bool:
    return known is not None and known.kind == "right"


def _handed_on(made: Made, until: int | None) -> Spot | None:
    """Return the line that gives a value another name, as if something had been done to it; None where none does."""
    before = made.holders[0]
    for held in made.holders[1:]:
        if until is not None and held.when >= until:
            break
        received = before.how == RETURNED and held.how == VARIABLE
        given_back = before.how == VARIABLE and held.how == RETURNED and before.call == held.call
        if given_back:
            before = held
            continue
        if held.how != ARGUMENT and not received:
            return held.spot
        before = held
    return None
