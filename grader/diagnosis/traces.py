"""What a run shows of each part of the network, in a form in which two runs can be held against each other.

A trace is a shape and numbers. Two runs agree in a part where their shapes are the same and their numbers are within
what the checks allow. A trace knows nothing of right and wrong.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass, field
from functools import partial
from math import isfinite
from typing import Any

import numpy as np

from grader.checks.candour import BARE, LOSS, loss_there, reached
from grader.checks.evidence import Evidence, fact, loss_calls, read_loss
from grader.checks.forward import shifted, unchanged
from grader.checks.losses import loss_tolerance
from grader.checks.minibatch import drawn
from grader.checks.training import rate, slope, travelled
from grader.compare import TINY, as_array, as_number, fit
from grader.records import Floats, Params

LIKENESS = 0.6  # cosine


@dataclass(frozen=True)
class Trace:
    """What one part of one run looks like.

    shape : all that must be the same. values : (n,) float64, 0 where a number is not finite, which `shape` says.
    scale : (n,) float64, what an error is measured in: the entry's own size and its array's largest.
    """

    shape: Hashable
    values: Floats = field(default_factory=lambda: np.zeros(0))
    scale: Floats = field(default_factory=lambda: np.zeros(0))
    pieces: tuple[Trace, ...] = ()  # what it was put together from, one for each call or parameter


def _joined(pieces: list[Trace]) -> Trace:
    if not pieces:  # an empty tuple where a loss was asked for
        return Trace(())
    values, scale = [piece.values for piece in pieces], [piece.scale for piece in pieces]
    shape = tuple(piece.shape for piece in pieces)
    return Trace(shape, np.concatenate(values), np.concatenate(scale), tuple(pieces))


def _of_array(value: Any, kind: str = "array") -> Trace:
    array = as_array(value)
    if array is None:
        return Trace((kind, "none" if value is None else type(value).__name__))
    flat = array.reshape(-1).astype(np.float64)
    finite, marks = np.isfinite(flat), ""
    if not finite.all():
        flat, marks = np.where(finite, flat, 0.0), np.packbits(finite).tobytes().hex()
    size = np.abs(flat)
    return Trace((kind, array.shape, marks), flat, size + size.max(initial=0.0))


# The program gave no answer: it raised, was stopped, or was never asked. Too little to name a mistake by.
MISSING = Trace("missing")

ABSENT = Trace("absent")  # there are gradients, but not this one


def tells(own: Trace, base: Trace, allowed: float) -> bool:
    """Tell whether a trace differs from the base's in anything by which one mistake could be told from another.

    That both gave no answer where the base gave one proves nothing: there are a hundred ways to raise an exception.
    """
    alike = own.pieces and len(own.pieces) == len(base.pieces)
    pairs = zip(own.pieces, base.pieces, strict=True) if alike else ((own, base),)
    differing = [mine for mine, right in pairs if not same(mine, right, allowed)]
    return any(piece.shape != MISSING.shape for piece in differing)


def _unreadable(evidence: Evidence, call: str) -> Trace:
    """Describe an answer that holds no loss by its parts, and by the numbers in them."""
    results = evidence.reply(call).results
    if not results or results[0] is None:
        return MISSING
    pieces: list[Trace] = []
    for part in results[0] if isinstance(results[0], tuple | list) else [results[0]]:
        if isinstance(part, dict):
            pieces += [_of_array(part.get(name), f"dict {name}") for name in evidence.names]
        else:
            pieces.append(_of_array(part, "number" if as_number(part) is not None else type(part).__name__))
    whole = _joined(pieces)
    return Trace(("no loss", whole.shape), whole.values, whole.scale)


# ---------------------------------------------------------------- scores, loss, gradients


def _scores(evidence: Evidence) -> Trace:
    pieces = []
    for call in evidence.calls("scores"):
        results = evidence.reply(call.id).results
        if not results:
            pieces.append(MISSING)
        elif isinstance(results[0], tuple | list) and results[0] and as_array(results[0][0]) is not None:
            # One array is asked for; where several come, the first of them tells how they were computed.
            pieces.append(_of_array(results[0][0], "first of several"))
        else:
            pieces.append(_of_array(results[0]))
    return _joined(pieces)


def _losses(evidence: Evidence, *, whole: bool) -> Trace:
    pieces = []
    for call, _, reg in loss_calls(evidence):
        if bool(reg) == whole:
            answer = read_loss(evidence, call.id)
            kind = "pair" if not answer.surplus else "more"
            known = answer.value is not None
            pieces.append(_of_array(answer.value, kind) if known else _unreadable(evidence, call.id))
    return _joined(pieces)


def _gradients(evidence: Evidence, name: str, *, whole: bool) -> Trace:
    pieces = []
    for call, _, reg in loss_calls(evidence):
        if bool(reg) == whole:
            answer = read_loss(evidence, call.id)
            own = as_array(answer.grads.get(name))
            # A layout of their own, such as (1, H), is no mistake.
            fitted = None if own is None else fit(own, call.params[name].shape)
            if own is None:
                pieces.append(ABSENT if answer.value is not None and answer.grads else MISSING)
            else:
                pieces.append(_of_array(own if fitted is None else fitted))
    return _joined(pieces)


def _stability(evidence: Evidence) -> Trace:
    return Trace(tuple(shifted(evidence, call.id) is None for call in evidence.calls("stability")))


def _purity(evidence: Evidence) -> Trace:
    """Tell what is left as it was: X and y, the parameters, and the answer to the same question."""
    results, expected = evidence.reply("purity").results, evidence.expected("purity")
    if len(results) < 4 or not isinstance(results[2], dict) or not isinstance(results[3], dict):
        return MISSING
    inputs = all(unchanged(results[3].get(name), expected[name]) for name in ("X", "y"))
    params = all(unchanged(results[2].get(name), expected[f"param_{name}"]) for name in evidence.names)
    first, second = (read_loss(evidence, "purity", index) for index in (0, 1))
    # What it changed shows in the second answer as well, and is told once.
    constant = not (inputs and params) or first.value == second.value
    return Trace((inputs, params, constant))


def _labels(evidence: Evidence) -> Trace:
    pieces = []
    for call in (*evidence.calls("predict"), *evidence.calls("labels")):
        results = evidence.reply(call.id).results
        array = as_array(results[0]) if results else None
        kind = "whole" if array is not None and array.dtype.kind in "iu" else "fraction"
        pieces.append(_of_array(results[0], kind) if results else MISSING)
    return _joined(pieces)


# ---------------------------------------------------------------- training


def _moved(evidence: Evidence, index: int) -> Trace:
    """Tell how the parameters moved in iteration `index`, in units of their own gradient where that tells all.

    So a mistake in loss() does not hide one in train(). A step that is no multiple of the own gradient is given as it is.
    """
    before, after = reached(evidence, index), reached(evidence, index + 1)
    if before is None or after is None:
        return MISSING
    # A training that sets everything anew starts from numbers of its own: only that it does can be compared.
    if index and trace(evidence, "moved/0").shape == ANEW.shape:
        return ANEW
    if not index and _unlike(before, after, evidence.names) and not _replaced(evidence, after):
        return ANEW
    pieces = []
    for name in evidence.names:
        step = np.asarray(after[name] - before[name])
        if not step.any():
            pieces.append(Trace("still"))
        elif isfinite(along := travelled(evidence, index, name, LOSS)):
            pieces.append(Trace("along", np.array([along]), np.array([1.0 + abs(along)])))
        elif isfinite(bare := travelled(evidence, index, name, BARE)):
            pieces.append(Trace("without reg", np.array([bare]), np.array([1.0 + abs(bare)])))
        else:
            pieces.append(_of_array(step, OTHERWISE))
    return _joined(pieces)


ANEW = Trace("anew")
OTHERWISE = "otherwise"  # a step that is no multiple of the own gradient


def _unlike(before: Params, after: Params, names: tuple[str, ...]) -> bool:
    """Tell whether the weights after a step have nothing in common with those before it."""
    for name in names[::2]:
        one, other = before[name].reshape(-1), after[name].reshape(-1)
        size = float(np.linalg.norm(one) * np.linalg.norm(other))
        # Small weights drawn anew are alike by a tenth; the largest right step leaves all but a hundredth.
        if not size or abs(float(one @ other)) > LIKENESS * size:
            return False
    return True


def _replaced(evidence: Evidence, after: Params) -> bool:
    """Tell whether the parameters have become a multiple of their gradient: assigned where they had to be moved."""
    return any(np.isfinite(rate(evidence, np.asarray(after[name]), slope(evidence, 0, name, LOSS))) for name in after)


def _history(evidence: Evidence, key: str, tell: Callable[[Any], Trace]) -> Trace:
    """Tell what train() kept under a key; tell : what an entry shows, where it is of the parameters that were given."""
    results = evidence.reply("train/4").results
    if not results:
        return MISSING
    answer = results[0]
    if not isinstance(answer, dict):
        return Trace(("no dict", type(answer).__name__))
    if trace(evidence, "moved/0").shape == ANEW.shape:
        kept = as_array(answer.get(key))
        return Trace(("of other parameters", None if kept is None else kept.shape))
    return tell(answer.get(key))


def _in_own_losses(evidence: Evidence, history: Any) -> Trace:
    """Give the losses kept in units of the own loss: whatever is wrong with loss() is not wrong with keeping it."""
    kept, own = as_array(history), [loss_there(evidence, index, LOSS) for index in range(4)]
    if (
        kept is None
        or kept.size != len(own)
        or any(value is None or not np.isfinite(value) or not value for value in own)
    ):
        return _of_array(history)
    ratio = kept.reshape(-1) / np.array(own, dtype=np.float64)
    return Trace("own losses", ratio, 1 + np.abs(ratio)) if np.isfinite(ratio).all() else _of_array(kept)


def _batches(evidence: Evidence) -> Trace:
    later = (trace(evidence, f"moved/{index}").shape for index in (0, 1, 2))
    if any(
        isinstance(shape, tuple) and any(isinstance(piece, tuple) and piece[0] == OTHERWISE for piece in shape)
        for shape in later
    ):
        # A step that is no multiple of the gradient tells its batch by chance, right or wrong.
        return Trace("not told")
    found = drawn(evidence)
    return MISSING if found.kind == "unknown" else Trace((found.kind, found.rows))


# ---------------------------------------------------------------- the parts


_KINDS: Mapping[str, Callable[[Evidence, str], Trace]] = {
    "purity": lambda evidence, _: _purity(evidence),
    "scores": lambda evidence, _: _scores(evidence),
    "loss": lambda evidence, which: _losses(evidence, whole=which == "whole"),
    "gradient": lambda evidence, which: _gradients(evidence, which.split("/")[0], whole=which.endswith("/whole")),
    "stability": lambda evidence, _: _stability(evidence),
    "labels": lambda evidence, _: _labels(evidence),
    "moved": lambda evidence, index: _moved(evidence, int(index)),
    "losses kept": lambda evidence, _: _history(evidence, "loss_history", partial(_in_own_losses, evidence)),
    "accuracies kept": lambda evidence, key: _history(evidence, key, _of_array),
    "batches": lambda evidence, _: _batches(evidence),
}


@fact
def trace(evidence: Evidence, part: str) -> Trace:
    """Give the trace of one part, such as "scores", "gradient/W1/bare" or "moved/2"."""
    kind, _, rest = part.partition("/")
    return _KINDS[kind](evidence, rest)


def tolerance(evidence: Evidence, part: str) -> float:
    """Give how far two traces of a part may be apart, in units of their scale."""
    tolerances = evidence.assignment.tolerances
    # Single precision inside keeps three digits fewer, of what it computes itself and of what is built on it.
    single = loss_tolerance(evidence) == tolerances.single
    kind = part.partition("/")[0]
    fine = {"scores": tolerances.scores, "loss": tolerances.loss, "gradient": tolerances.gradient}
    return tolerances.single if single else max(fine.get(kind, tolerances.update), 1e-7)


def same(one: Trace, other: Trace, allowed: float) -> bool:
    """Tell whether two traces are the same, but for rounding."""
    if one is other:
        return True
    if one.shape != other.shape or one.values.shape != other.values.shape:
        return False
    return bool((np.abs(one.values - other.values) <= allowed * other.scale + TINY).all())


def core_parts(names: tuple[str, ...]) -> tuple[str, ...]:
    """Name the parts of loss(X, y, reg); names : the parameters."""
    gradients = [f"gradient/{name}/{which}" for name in reversed(names) for which in ("bare", "whole")]
    return ("loss/bare", "loss/whole", *gradients, "stability")


TRAIN_PARTS = (
    "moved/0", "moved/1", "moved/2", "moved/3",
    "losses kept", "accuracies kept/train_acc_history", "accuracies kept/val_acc_history", "batches",
)  # fmt: skip
