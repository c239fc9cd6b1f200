"""The rows of predict() in the table of steps: the way to the scores, and the labels that are taken from them."""

from collections.abc import Iterator

import numpy as np

from grader.compare import as_array
from grader.locate.differences import Words, difference, not_finite, wrong_entries
from grader.locate.find_in_predict import leaves
from grader.locate.kept_rows import ANSWER, STEP, UNKNOWN, WRONG, Row, last_line, list_stop, moment, wrong
from grader.locate.recognise import Network
from grader.locate.recorded_case import Case, Spotted, without_layer
from grader.locate.recorded_values import Made, Recorded, Spot
from grader.locate.source_statements import Statements

MOST_LOOKED_AT = 200  # values; a program of scalar loops makes thousands
# What a value of a shape is held against, where it is nothing right.
_WANTED = frozenset({"u", "h", "scores"})


def rows(
    case: Case, recorded: Recorded, base: Network, mistakes: tuple[Spotted, ...], words: Words, text: Statements
) -> list[Row]:
    """Return the rows of one recording of predict(), in no order. base : the right network."""
    if not mistakes and (away := leaves(case, recorded, base)) and away.step == "predict scores":
        mistakes = (away,)  # its labels in these few rows are right by chance
    found = list(_of_values(case, recorded, base, mistakes, words))
    marked = {row.spot for row in found if row.rank == WRONG}
    for one in mistakes:
        if one.step != "stopped" and one.spot not in marked:
            how = _labels(recorded, base) if one.step == "labels" else "the scores go wrong here"
            found.append(wrong(moment(one.spot, recorded.made, recorded), one.spot, "", (), f"differs: {how}"))
    if not mistakes and recorded.answer is None and (end := last_line(recorded, text)):
        found.append(wrong(moment(end, recorded.made, recorded), end, "", (), f"differs: {_labels(recorded, base)}"))
    return found + list_stop(recorded)


def _of_values(
    case: Case, recorded: Recorded, base: Network, mistakes: tuple[Spotted, ...], words: Words
) -> Iterator[Row]:
    labels, own = base["scores"].argmax(axis=1), as_array(recorded.answer)
    marked = {one.made.number for one in mistakes if one.made}
    followed: int | None = None  # the line at which it went wrong
    last: dict[tuple[Spot, str, str], Row] = {}  # of each name on each line one of each kind
    for one in [one for one in recorded.made if not one.given and one.value.size > 1][:MOST_LOOKED_AT]:
        known, kind = base.recognise(one.value), ""
        at = one.born, one.spot, one.name, one.value.shape
        if one.number in marked:
            kind, row = "differs", wrong(*at, _strange(case, one, base, words))
            followed = followed or one.spot[1]
        elif known and known.name in {"X", "y", *case.names}:
            continue
        elif known and known.kind != "near":
            kind, row = known.name, Row(*at, "right", f"right: {words.describe(known)}", STEP)
        elif own is not None and one.value.shape == own.shape and np.array_equal(one.value, own):
            if own.shape == labels.shape and (own == labels).all():
                row = Row(*at, "right", "right: the labels", ANSWER)
            elif followed is None:
                row = wrong(*at, f"differs: {_labels(recorded, base)}")
            else:
                row = Row(*at, "given", f"right, given the mistake in line {followed}", ANSWER)
        elif one.kind == "f" and one.value.any():
            row = Row(*at, "unknown", "", UNKNOWN)
        else:
            continue
        last[one.spot, one.name, kind] = row
    yield from last.values()


def _strange(case: Case, one: Made, base: Network, words: Words) -> str:
    """Return how a value differs from what it should most likely be, by its shape."""
    known = base.recognise(one.value)
    if known and known.kind == "right":
        return f"differs from the scores: it is {words.describe(known)}"
    if not np.isfinite(one.value).all():
        return f"differs: {not_finite(one.value)}"
    alike = [
        name
        for name in base.right
        if without_layer(name) in _WANTED and sorted(base[name].shape) == sorted(one.value.shape)
    ]
    if not alike:
        return "differs: no step of the right forward pass is like it"
    name = min(alike, key=lambda name: wrong_entries(case, one.value, base[name]))
    return f"differs from {words.of(name)}: {difference(case, one.value, base[name])}"


def _labels(recorded: Recorded, base: Network) -> str:
    """Return how the labels differ from those of the right scores."""
    labels, own = base["scores"].argmax(axis=1), as_array(recorded.answer)
    if own is None:
        return "predict(X) should return one label for each row"
    if own.shape != labels.shape:
        return f"the labels should have the shape {labels.shape}"
    if own.dtype.kind not in "iu":
        return "labels should be whole numbers"
    right = np.count_nonzero(own == labels)
    return f"in {labels.size - right} of {labels.size} rows the label is not the class with the largest score"
