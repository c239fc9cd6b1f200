"""Where predict() goes wrong: the first of its values that no right program makes."""

import ast
from collections.abc import Iterator

import numpy as np

from grader.compare import as_array
from grader.locate.recognise import Network
from grader.locate.recorded_case import Case, Spotted
from grader.locate.recorded_values import VARIABLE, Made, Recorded, Spot
from grader.locate.source_statements import Statements

# What stands between the inputs and the labels, in order; where the last of them is no value that orders as the scores do,
# the way ends too early there.
_ORDERED = (
    "scores",
    "scores - row max",
    "scores - max",
    "exp(scores)",
    "exp(scores - row max)",
    "exp(scores - max)",
    "p",
    "log p",
)


def spotted(case: Case, recorded: Recorded, base: Network, text: Statements) -> Iterator[Spotted]:
    """Yield the line at which predict() leaves the right way; nothing where its labels are right."""
    wanted = base["scores"].argmax(axis=1)
    own = as_array(recorded.answer)
    if own is not None and own.shape == wanted.shape and (own == wanted).all() and own.dtype.kind in "iu":
        return
    if recorded.stopped and recorded.error:
        yield Spotted("stopped", recorded.stopped)
        return
    end = recorded.end()
    if end and text.enclosing(*end, (ast.For, ast.While)):  # before the loop is through
        yield Spotted("labels", end)
        return
    found = leaves(case, recorded, base)
    if found is not None:
        yield found


def leaves(case: Case, recorded: Recorded, base: Network) -> Spotted | None:
    """Return the first line at which predict() leaves the right way, whatever its labels are."""
    wanted = base["scores"].argmax(axis=1)
    made = [one for one in recorded.made if not one.given and one.value.size > 1]
    known = {one.number: base.recognise(one.value) for one in made}
    for one in made:
        labels = one.value.shape == wanted.shape or one.kind != "f"
        if known[one.number] is None and not labels:
            return Spotted("predict scores", one.spot, one)
    # All that came before the labels is right: it may be too little, as scores without their bias are.
    before = [
        one
        for one in made
        if (of := known[one.number]) and of.name not in {"X", "y", *case.names} and one.value.ndim > 1
    ]
    if before and known[before[-1].number].name not in _ORDERED:  # type: ignore[union-attr]  # only known ones are kept
        last = before[-1]
        held = [held.spot for held in last.holders[1:] if held.how == VARIABLE]
        return Spotted("predict scores", held[-1] if held else last.spot, last)
    spot = role(recorded, base, "labels")
    return Spotted("labels", spot) if spot else None


def role(recorded: Recorded, base: Network, about: str) -> Spot | None:
    """Return the line that makes the labels, or the scores that they are taken from."""
    own = as_array(recorded.answer)
    ends: list[Made] = []
    if own is not None and about == "labels":
        ends = [one for one in recorded.made if one.value.shape == own.shape and np.array_equal(one.value, own)]
    if about == "predict scores":
        ends = [one for one in recorded.made if one.value.shape == base["scores"].shape]
    return (ends[0].spot if about == "labels" else ends[-1].spot) if ends else recorded.end()
