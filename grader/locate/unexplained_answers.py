"""Wrong answers of loss() that no replaced value explains: missing, in a wrong form, or made of something unknown."""

from __future__ import annotations

import numpy as np

from grader.locate.loss_recording import Reading
from grader.locate.outputs import Form
from grader.locate.recorded_case import GradientForm, LossForm
from grader.locate.recorded_values import VARIABLE, Made, Spot
from grader.locate.shared_lines import outside_shared
from grader.locate.spotted import Spotted
from grader.model import Array


def behind_answer(reading: Reading, output: str, wrong_as: Form) -> Spotted | None:
    """Return the line behind one wrong answer; None where no line is known."""
    step = output if output in {"scores", "loss"} else f"d{output}"
    if wrong_as.missing:
        return _missing(reading, step)
    value = _value_of(reading, output)
    if (
        output == "scores"
        and (value is None or not reading.ancestry.same(value))
        and (spot := reading.scores_returned())
    ):
        return Spotted("scores returned", spot)
    if value is None:
        return None
    firsts = reading.ancestry.same(value)
    if firsts and _is_another_gradient(reading, firsts[0], output):
        held = [h.spot for h in firsts[0].holders if h.name.endswith(f"[{output!r}]") and h.name != firsts[0].name]
        if held:
            spot = held[0][0], reading.statements.part_line(*held[0], f"[{output!r}]")
            return Spotted(step, spot, firsts[0])
    form = wrong_as.form
    if form is not None:
        return _of_wrong_form(reading, step, form, _of_form(reading, output, form, value) or next(iter(firsts), None))
    origins = reading.ancestry.origins(value)
    if (idle := _idle_store(reading)) is not None:
        return Spotted(step, idle)
    if origins:
        first = origins[0]
        return Spotted(step, _last_of_loop(reading, first) or outside_shared(reading, first, step), first)
    if firsts:
        return Spotted(step if output != "scores" else "scores returned", firsts[0].spot, firsts[0])
    return reading.returned(step)


def _value_of(reading: Reading, output: str) -> Array | None:
    """Return one of the program's answers by its name."""
    if output == "scores":
        return reading.own.scores
    if output == "loss":
        return None if reading.own.loss is None else np.asarray(reading.own.loss)
    return None if reading.own.gradients is None else reading.own.gradients.get(output)


def _missing(reading: Reading, step: str) -> Spotted | None:
    """Return the line that should set a gradient, where one is missing: the one that names it, else the last that sets one."""
    end = reading.recorded.end()
    line = reading.statements.setting(*end, step.removeprefix("d")) if end else None
    if end and line:
        return Spotted(step, (end[0], line))
    kept = [
        (one, held.spot)
        for one in reading.made
        for held in one.holders
        if held.how == VARIABLE and held.name.endswith("']") and "param" not in held.name
    ]
    misspelt = [
        spot for one, spot in kept if (of := reading.follows[one.number]) and of.name.removeprefix("data ") == step
    ]
    setting = misspelt[:1] or [spot for _, spot in kept][-1:]
    return Spotted(step, setting[0]) if setting else reading.returned(step)


def _is_another_gradient(reading: Reading, made: Made, output: str) -> bool:
    """Return whether a value is a parameter, or the right gradient of another one."""
    known = reading.right[made.number]
    others = {*reading.case.names, *(f"d{name}" for name in reading.case.names if name != output)}
    return known is not None and not known.factor and known.name.removeprefix("data ") in others


def _idle_store(reading: Reading) -> Spot | None:
    """Return a line that stores into something and never changed anything by it."""
    changed = {held.spot for one in reading.made for held in one.holders if held.how == VARIABLE}
    names = {held.name for one in reading.made for held in one.holders if one.value.size > 1}
    idle = (
        spot for spot in reading.recorded.ran if spot not in changed and reading.statements.stores_into(*spot, names)
    )
    return next(idle, None)


def _last_of_loop(reading: Reading, made: Made) -> Spot | None:
    """Return the line of a loop that made the last row of what should have been added up."""
    known = reading.follows[made.number]
    if known is None or known.kind != "part":
        return None
    before = [reading.made[use] for use in made.uses if reading.made[use].value.shape == made.value.shape]
    looped = [one for one in (*before, made) if reading.recorded.ran.get(one.spot, 0) > 1]
    return looped[-1].spot if looped else None


def _of_wrong_form(reading: Reading, step: str, form: LossForm | GradientForm, made: Made | None) -> Spotted | None:
    """Return the line of a wrong form: of the value that has it, or where its regulariser should have come in."""
    if made is None:
        return reading.returned(step)
    bare = not form[1] and reading.case.close(form[0], 1.0)
    return Spotted(step, _left_alone(reading, made) if bare else made.spot, made)


def _left_alone(reading: Reading, made: Made) -> Spot:
    """Return where a value without its regulariser is handed on last by loss() itself."""
    own = [held.spot for held in made.holders if held.how == VARIABLE and reading.recorded.is_method(held.call)]
    return own[-1] if own else made.spot


def _of_form(reading: Reading, output: str, form: LossForm | GradientForm, value: Array) -> Made | None:
    """Return the first value that has a wrong answer's form: there it went wrong."""
    if len(form) == 3:
        return _loss_of_form(reading, form)
    network, close = reading.explained.network, reading.case.close
    shaped = [one for one in reading.made if one.value.size == np.size(value) and not _is_input(reading, one)]
    alike = [(one, own) for one in shaped if (own := network.gradient_form(one.value, output))]
    if not form[0]:  # nothing of the data is in it: the zeros that were never filled
        behind = reading.ancestry.behind(value)
        empty = [one for one in reading.made if one.number in behind and one.value.size > 1 and not one.value.any()]
        empty = empty or [one for one in shaped if not one.value.any()]
        bare = empty or [one for one, own in alike if not own[0]]
        return bare[0] if bare else None
    same = [one for one, own in alike if np.allclose(own, form, rtol=1e-6)]
    scaled = [one for one, own in alike if close(own[0], form[0])]
    wrong_scale = not close(form[0], 1.0) and reading.case.in_words(form[0]) in (None, "N times ", "1/N of ")
    chosen = (scaled or same) if wrong_scale else same
    return chosen[0] if chosen else None


def _is_input(reading: Reading, made: Made) -> bool:
    known = reading.right[made.number]
    return made.given or (known is not None and known.name in {"X", "y", *reading.case.names} and not known.factor)


def _loss_of_form(reading: Reading, form: LossForm) -> Made | None:
    """Return the value in which a wrong factor or a wrong sum of squares came in; else the first loss of this form."""
    numbers = [one for one in reading.made if one.value.size == 1 and one.kind == "f"]
    data = form[0] * float(reading.explained.network["data loss"])
    scaled = [one for one in numbers if reading.case.close(float(one.value.ravel()[0]), data)]
    if form[0] < 0:  # also in a part of the sum
        added = -np.cumsum(reading.explained.network["-log p true"])
        parts = [one for one in numbers if np.isclose(float(one.value.ravel()[0]), added, rtol=1e-9, atol=0).any()]
        scaled = [*parts, *scaled][:1]
    if form[0] != 1 and scaled:
        return scaled[-1]
    wanted = f"squares of {' + '.join(form[2])}"
    sums = [one for one in numbers if (known := reading.right[one.number]) and known.name == wanted]
    if {*form[2]} != reading.case.covered and sums:
        return sums[0]
    same = [one for one in numbers if reading.explained.network.loss_form(float(one.value.ravel()[0])) == form]
    return same[0] if same else None
