"""Where predict() goes wrong: the first of its values that no right program makes."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from grader.compare import as_array
from grader.locate.loss import Spotted
from grader.locate.recognise import Case, Right
from grader.locate.recorded import Made, Recorded, Spot


def spotted(case: Case, recorded: Recorded, base: Right) -> Iterator[Spotted]:
    """Yield the line at which predict() leaves the right way; nothing where its labels are right."""
    wanted = base["scores"].argmax(axis=1)
    own = as_array(recorded.answer)
    if own is not None and own.shape == wanted.shape and (own == wanted).all() and own.dtype.kind in "iu":
        return
    made = [one for one in recorded.made if not one.given and one.value.size > 1]
    if own is not None and own.shape == wanted.shape and (own == wanted).all():  # right, but not whole numbers
        ends = [one for one in made if np.array_equal(one.value, own)]
        yield from (Spotted("labels", one.spot, one) for one in ends[:1])
        return
    known = {one.number: case.recognise(one.value, base) for one in made}
    unknown = [one for one in made if known[one.number] is None]
    before = [one for one in unknown if one.value.shape != wanted.shape] or unknown
    if before:
        yield Spotted("predict scores" if before[0].value.ndim > 1 else "labels", before[0].spot, before[0])
    elif (spot := role(case, recorded, base, "labels")) is not None:
        yield Spotted("labels", spot)


def role(case: Case, recorded: Recorded, base: Right, about: str) -> Spot | None:
    """Return the line that makes the labels, or the scores that they are taken from."""
    own = as_array(recorded.answer)
    ends: list[Made] = []
    if own is not None and about == "labels":
        ends = [one for one in recorded.made if one.value.shape == own.shape and np.array_equal(one.value, own)]
    if about == "predict scores":
        ends = [one for one in recorded.made if one.value.shape == base["scores"].shape]
    last = [spot for call, spot in recorded.returns if recorded.function(call) == "predict"]
    return (ends[0].spot if about == "labels" else ends[-1].spot) if ends else (last[-1] if last else None)
