"""Where loss() goes wrong: the line of each value that explains its answers, in the order of the computation."""

import ast
from collections.abc import Iterator, Mapping
from dataclasses import replace

import numpy as np

from grader.locate.outputs import Form
from grader.locate.read_loss import Reading
from grader.locate.recorded_case import GradientForm, LossForm, Spotted, without_layer
from grader.locate.recorded_values import VARIABLE, Made, Spot
from grader.locate.wrong_values import (
    behind_replaced,
    behind_stop,
    changed_in_place,
    changed_parameter,
    first_not_finite,
    outside_shared,
    swapped_names,
)
from grader.model import Array


def behind_answer(reading: Reading, output: str, wrong_as: Form) -> Spotted | None:
    """Return the line behind one wrong answer; None where no line is known."""
    step = output if output in {"scores", "loss"} else f"d{output}"
    if wrong_as.missing:
        return _missing(reading, step)
    value = reading.own.answer(output)
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


def _missing(reading: Reading, step: str) -> Spotted | None:
    """Return the line that should set a gradient, where one is missing: the one that names it, else the last that sets one."""
    end = reading.recorded.end()
    line = reading.statements.setting(*end, step.removeprefix("d")) if end else None
    if end and line:
        return Spotted(step, (end[0], line))
    kept = [
        (one, held.spot)
        for one in reading.values
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
    changed = {held.spot for one in reading.values for held in one.holders if held.how == VARIABLE}
    names = {held.name for one in reading.values for held in one.holders if one.value.size > 1}
    idle = (
        spot for spot in reading.recorded.ran if spot not in changed and reading.statements.stores_into(*spot, names)
    )
    return next(idle, None)


def _last_of_loop(reading: Reading, made: Made) -> Spot | None:
    """Return the line of a loop that made the last row of what should have been added up."""
    known = reading.follows[made.number]
    if known is None or known.kind != "part":
        return None
    before = [reading.values[use] for use in made.uses if reading.values[use].value.shape == made.value.shape]
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
    shaped = [one for one in reading.values if one.value.size == np.size(value) and not _is_input(reading, one)]
    alike = [(one, own) for one in shaped if (own := network.gradient_form(one.value, output))]
    if not form[0]:  # nothing of the data is in it: the zeros that were never filled
        behind = reading.ancestry.behind(value)
        empty = [one for one in reading.values if one.number in behind and one.value.size > 1 and not one.value.any()]
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
    numbers = [one for one in reading.values if one.value.size == 1 and one.kind == "f"]
    data = form[0] * float(reading.explained.network["data loss"])
    scaled = [one for one in numbers if reading.case.close(one.entry, data)]
    of_rows = reading.explained.network.right.get("-log p true")
    if form[0] < 0 and of_rows is not None:  # also in a part of the sum
        added = -np.cumsum(of_rows)
        parts = [one for one in numbers if np.isclose(one.entry, added, rtol=1e-9, atol=0).any()]
        scaled = [*parts, *scaled][:1]
    if form[0] != 1 and scaled:
        return scaled[-1]
    wanted = f"squares of {' + '.join(form[2])}"
    sums = [one for one in numbers if (known := reading.right[one.number]) and known.name == wanted]
    if {*form[2]} != reading.case.covered and sums:
        return sums[0]
    same = [one for one in numbers if reading.explained.network.loss_form(one.entry) == form]
    return same[0] if same else None


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


def spotted(reading: Reading) -> Iterator[Spotted]:
    """Yield all that is wrong in one recording of loss(), the values that explain several answers first."""
    recorded, explained = reading.recorded, reading.explained
    if (swapped := swapped_names(reading)) is not None:
        yield Spotted("parameters", swapped)
    if recorded.stopped and recorded.error:
        yield Spotted("stopped", behind_stop(reading, recorded.stopped))
        return
    if (infinite := first_not_finite(reading)) is not None:
        yield Spotted("not finite", infinite.spot, infinite)
        return
    if (explained.replaced or explained.wrong) and (spot := changed_parameter(reading)) is not None:
        yield Spotted("parameters", spot)
    found = reading.returned("returned")
    if found and (not reading.own.in_form or reading.statements.enclosing(*found.spot, (ast.For, ast.While))):
        yield found
    for one in sorted(explained.replaced, key=lambda one: one.made.number):
        yield replace(behind_replaced(reading, one), mends=one.mended)
    for output, form in explained.wrong.items():
        found = behind_answer(reading, output, form)
        if found is not None:
            yield replace(found, mends=frozenset({output}))


def role(reading: Reading, about: str) -> Spot | None:
    """Return the line that makes one thing of loss(), right or wrong: "scores", "exp", "grads W1", ..."""
    if about in {"inputs", "parameters"}:
        return changed_in_place(reading, about)
    kind, _, name = about.rpartition(" ")
    wanted = VALUES_OF.get(about, ())
    if kind in {"grads", "grad regulariser"}:
        wanted = (f"d{name}", f"data d{name}")
    elif kind == "layer":
        wanted = reading.case.outputs_of(int(name))
    for value in wanted:
        for one in reading.values:
            known = reading.follows[one.number]
            is_now = known.name.partition(" of ")[0] if known is not None and known.kind != "part" else ""
            if value in {is_now, without_layer(is_now)}:
                return one.spot
            if about == "exp" and known is not None and known.detail.startswith("each row"):
                return one.spot
    return reading.scores_returned() if about == "returned scores" else None
