"""Which statement of a method plays which role, read from a walk through it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import lru_cache, partial

from grader.records import Segment
from grader.submission.definitions import definitions
from grader.submission.flow import followed
from grader.submission.traces import NOTHING, PENALTY, Note, Value, Walk, whole

_METHODS = {
    "loss": (
        "scores, hidden, activation, returned scores, data loss, exp, probabilities, regulariser, total loss, dscores, "
        "dhidden, mask, grads, grad regulariser"
    ),
    "train": ("batch, loss call, update, decay, epoch, loss history, train accuracy, val accuracy, returned histories"),
    "predict": "labels, predict scores",
}
METHOD_OF = {role: method for method, roles in _METHODS.items() for role in roles.split(", ")}
_HISTORIES = {
    "loss history": "loss_history",
    "train accuracy": "train_acc_history",
    "val accuracy": "val_acc_history",
}


@lru_cache(maxsize=16)
def roles(
    segments: tuple[Segment, ...], class_name: str, method: str, names: tuple[str, str, str, str]
) -> Mapping[str, tuple[Segment, int]]:
    """Give the cell or file, and the line in it, of each role's statement; what is not sure is left out."""
    walk = followed(definitions(segments, class_name), method, names)
    if walk is None:
        return {}
    read = {"loss": _loss_roles, "train": _train_roles, "predict": _predict_roles}[method]
    shared = _shared(walk)
    return {role: _place(walk, event, shared) for role, event in read(walk) if event >= 0}


def _shared(walk: Walk) -> set[tuple[int, int]]:
    """Find the lines that are reached by calls from different lines, as an affine layer's is from both layers."""
    callers: dict[tuple[int, int], set[tuple[int, int]]] = {}
    for event in walk.events:
        if event.caller >= 0:
            caller = walk.events[event.caller]
            callers.setdefault((id(event.segment), event.line), set()).add((id(caller.segment), caller.line))
    return {line for line, found in callers.items() if len(found) > 1}


def _place(walk: Walk, number: int, shared: set[tuple[int, int]]) -> tuple[Segment, int]:
    event = walk.events[number]
    # What one layer gets wrong and the other does not is wrong where the layer is called.
    while event.caller >= 0 and (id(event.segment), event.line) in shared:
        event = walk.events[event.caller]
    return event.segment, event.line


def _loss_roles(walk: Walk) -> Iterator[tuple[str, int]]:
    loss, gradients = _answer(walk)
    returned = _returned_scores(walk)
    backward = 0
    for gradient in gradients.values():
        backward |= gradient.trail
    answer = loss.trail | backward
    forward = answer | whole(walk, returned.of[0]).trail if returned else answer
    for role in ("scores", "hidden", "activation"):
        yield role, _last(walk, role, forward)
    # The first exp meets the scores themselves, and is the one that overflows.
    yield "exp", min((note.event for note in _notes(walk, "exp", answer)), default=-1)
    yield "returned scores", returned.event if returned else -1
    plain = [note.event for note in _notes(walk, "probabilities", answer) if "y" not in note.of[0].marks]
    normalised = plain or [note.event for note in _notes(walk, "probabilities", answer)]
    yield "probabilities", max(normalised, default=_last(walk, "exp", answer))
    if loss.marks & {"exp", "log", "y"}:
        yield "total loss", loss.last
        yield "data loss", loss.main
        yield "regulariser", _last(walk, "regulariser", loss.trail)
    dhidden = _last(walk, "dhidden", backward)
    products = [*_notes(walk, "dscores", backward), *_notes(walk, "dhidden", backward)]
    yield "dscores", max((note.of[0].last for note in products), default=-1)
    yield "dhidden", dhidden
    mask = _last(walk, "mask", backward)
    yield "mask", mask if mask >= 0 else dhidden
    for name, gradient in gradients.items():
        if not gradient.marks - PENALTY:
            continue
        yield f"grads {name}", gradient.main
        yield f"grad regulariser {name}", gradient.penalty if gradient.penalty >= 0 else gradient.main


def _answer(walk: Walk) -> tuple[Value, Mapping[str, Value]]:
    """Give the loss and the gradients that are returned together, or what of them is returned."""
    for _, value in reversed(walk.returned):
        parts = value.parts or {}
        held = [
            part for part in (*parts.values(), value) if part.parts and any(name in part.parts for name in walk.names)
        ]
        if held:
            gradients = {str(key): part for key, part in (held[0].parts or {}).items()}
            return parts.get(0, NOTHING) if held[0] is not value else NOTHING, gradients
    for _, value in reversed(walk.returned):
        # What holds the gradients too, but not as a tuple or dict, cannot be told apart.
        if "y" in value.marks and "dh" not in value.marks:
            return value, {}
        if value.parts and "y" in value.parts.get(0, NOTHING).marks:
            return value.parts[0], {}
    return NOTHING, {}


def _returned_scores(walk: Walk) -> Note | None:
    asked = [note for note in walk.notes if note.kind == "returned scores"]
    if asked:
        return asked[0]
    # `if y is not None: ... return loss, grads` leaves the scores to the last line.
    plain = [(event, value) for event, value in walk.returned if "W2" in value.marks and "y" not in value.marks]
    return Note("returned scores", plain[-1][0], (plain[-1][1],)) if plain else None


def _train_roles(walk: Walk) -> Iterator[tuple[str, int]]:
    calls = [note for note in walk.notes if note.kind == "loss call"]
    yield "loss call", calls[-1].event if calls else -1
    yield "batch", _batch(walk, calls[-1]) if calls else -1
    yield from _updates(walk)
    decay = _last(walk, "decay") if _last(walk, "decay") >= 0 else _last(walk, "rate")
    yield "decay", decay
    kept = [note for note in walk.notes if note.kind == "kept"]
    answers = [(event, value) for event, value in walk.returned if value.parts or value.marks]
    yield "returned histories", answers[-1][0] if answers else -1
    parts = answers[-1][1].parts or {} if answers else {}
    for role, key in _HISTORIES.items():
        history = parts.get(key, NOTHING)
        yield role, history.last if history.marks & {"loss", "labels"} else -1
    accuracies = [note for note in kept if "labels" in note.of[0].marks]
    once = accuracies or [note for note in walk.notes if note.kind in {"decay", "rate"}]
    if once and calls:
        yield "epoch", _epoch(once[-1], calls[-1])


def _batch(walk: Walk, call: Note) -> int:
    """Find where the rows of a batch are drawn; where X and y are drawn apart, that is the mistake."""
    rows, labels = ([*map(partial(_rows, walk), call.of[:2]), {}, {}])[:2]
    drawn = [event for event, is_drawn in rows.items() if is_drawn]
    apart = {event for event, is_drawn in labels.items() if is_drawn and event not in rows}
    return max(apart) if rows and apart else max(drawn or rows, default=-1)


def _rows(walk: Walk, given: Value) -> dict[int, bool]:
    """Give where the rows in a batch are picked, and whether by chance."""
    picked = {}
    for note in _notes(walk, "rows", given.trail):
        index = note.of[0]
        picked[index.last if index.last >= 0 else note.event] = "drawn" in index.marks
    return picked


def _updates(walk: Walk) -> Iterator[tuple[str, int]]:
    places: dict[str, int] = {}
    for note in walk.notes:
        if note.kind != "update":
            continue
        given = note.of[0]
        computed = given.last if "gradient" in given.marks and given.last >= 0 else note.event
        for name in walk.names if note.key == "*" else [str(note.key)]:
            places[name] = computed
    last = max(places.values(), default=-1)
    yield "update", last
    for name in {*walk.names, *places}:
        yield f"update {name}", places.get(name, last)


def _epoch(once: Note, call: Note) -> int:
    """Find the test behind which something happens once an epoch, or the loop around the loop over batches."""
    for guard in reversed(once.guards):
        if not guard.is_loop and "verbose" not in guard.test.marks:
            return guard.test.last if guard.test.last >= 0 else guard.event
    around = [guard for guard in once.guards if guard.is_loop]
    inside = [guard for guard in call.guards if guard.is_loop]
    return around[-1].event if around and len(inside) > len(around) else -1


def _predict_roles(walk: Walk) -> Iterator[tuple[str, int]]:
    answers = [value for _, value in walk.returned if value.marks]
    if not answers:
        return
    answer = answers[-1]
    chosen = _notes(walk, "labels", answer.trail)
    labels = chosen[-1].event if chosen else answer.last
    scores = max(_last(walk, "scores", answer.trail), _last(walk, "loss call", answer.trail))
    yield "labels", labels
    yield "predict scores", scores if scores >= 0 else labels


def _notes(walk: Walk, kind: str, trail: int) -> list[Note]:
    return [note for note in walk.notes if note.kind == kind and trail >> note.event & 1]


def _last(walk: Walk, kind: str, trail: int = -1) -> int:
    return max((note.event for note in _notes(walk, kind, trail)), default=-1)
