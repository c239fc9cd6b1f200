"""What a run shows of each part of the network, in a form in which two runs can be held against each other.

A signature is a shape and numbers. Two runs agree in a part where their shapes are the same and their numbers are within
what the checks allow. A signature knows nothing of right and wrong.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping
from typing import Any

import numpy as np

from grader.checks.context import GradingContext, cached_per_submission, loss_calls, own_gradient, read_loss
from grader.checks.forward import stability_failure, unchanged
from grader.checks.minibatch import examine_batches
from grader.checks.parameter_updates import first_steps
from grader.checks.read_losses import rounds_losses
from grader.checks.watched_training import SAME, arguments_of, read_watched_run
from grader.compare import Tolerance, as_array, as_number, fit, ratio
from grader.model import Floats, QuestionId
from grader.records import dataclass, field


@dataclass(frozen=True)
class Signature:
    """What one part of one run looks like.

    shape : all that must be the same. values : (n,) float64, 0 where a number is not finite, which `shape` says.
    scale : (n,) float64, what an error is measured in: the entry's own size and its array's largest.
    """

    shape: Hashable
    values: Floats = field(default_factory=lambda: np.zeros(0))
    scale: Floats = field(default_factory=lambda: np.zeros(0))
    pieces: tuple[Signature, ...] = ()  # what it was put together from, one for each call or parameter


def _join(pieces: list[Signature]) -> Signature:
    if not pieces:  # an empty tuple where a loss was asked for
        return Signature(())
    values, scale = [piece.values for piece in pieces], [piece.scale for piece in pieces]
    shape = tuple(piece.shape for piece in pieces)
    return Signature(shape, np.concatenate(values), np.concatenate(scale), tuple(pieces))


def _of_array(value: Any, kind: str = "array") -> Signature:
    array = as_array(value)
    if array is None:
        return Signature((kind, "none" if value is None else type(value).__name__))
    flat = array.reshape(-1).astype(np.float64)
    finite, marks = np.isfinite(flat), ""
    if not finite.all():
        flat, marks = np.where(finite, flat, 0.0), np.packbits(finite).tobytes().hex()
    size = np.abs(flat)
    return Signature((kind, array.shape, marks), flat, size + size.max(initial=0.0))


# The program gave no answer: it raised, was stopped, or was never asked. Too little to name a mistake by.
MISSING = Signature("missing")

ABSENT = Signature("absent")  # there are gradients, but not this one


def distinguishes(own: Signature, base: Signature, allowed: Tolerance) -> bool:
    """Return whether a signature differs from the base's in anything by which one mistake could be told from another.

    That both gave no answer where the base gave one proves nothing: there are a hundred ways to raise an exception. But
    few programs are right in most cases and raise in the others, such as those in which a class is absent.
    """
    alike = own.pieces and len(own.pieces) == len(base.pieces)
    pairs = zip(own.pieces, base.pieces, strict=True) if alike else ((own, base),)
    differing = [mine for mine, right in pairs if not same(mine, right, allowed)]
    few = bool(differing) and 2 * len(differing) <= len(own.pieces)
    return few or any(piece.shape != MISSING.shape for piece in differing)


def _unreadable(context: GradingContext, call: QuestionId) -> Signature:
    """Describe an answer that holds no loss by its parts, and by the numbers in them."""
    results = context.reply(call).results
    if not results or results[0] is None:
        return MISSING
    pieces: list[Signature] = []
    for part in results[0] if isinstance(results[0], tuple | list) else [results[0]]:
        if isinstance(part, dict):
            pieces += [_of_array(part.get(name), f"dict {name}") for name in context.names]
        else:
            pieces.append(_of_array(part, "number" if as_number(part) is not None else type(part).__name__))
    whole = _join(pieces)
    return Signature(("no loss", whole.shape), whole.values, whole.scale)


# ---------------------------------------------------------------- scores, loss, gradients


def _scores(context: GradingContext) -> Signature:
    pieces = []
    for call in context.calls("scores"):
        results = context.reply(call.id).results
        if not results:
            pieces.append(MISSING)
        elif isinstance(results[0], tuple | list) and results[0] and as_array(results[0][0]) is not None:
            # One array is asked for; where several come, the first of them tells how they were computed.
            pieces.append(_of_array(results[0][0], "first of several"))
        else:
            pieces.append(_of_array(results[0]))
    return _join(pieces)


def _losses(context: GradingContext, *, whole: bool) -> Signature:
    pieces = []
    for call, _, reg in loss_calls(context):
        if bool(reg) == whole:
            answer = read_loss(context, call.id)
            kind = "pair" if not answer.surplus else "more"
            known = answer.value is not None
            pieces.append(_of_array(answer.value, kind) if known else _unreadable(context, call.id))
    return _join(pieces)


def _gradients(context: GradingContext, name: str, *, whole: bool) -> Signature:
    pieces = []
    for call, _, reg in loss_calls(context):
        if bool(reg) == whole:
            answer = read_loss(context, call.id)
            own = as_array(answer.grads.get(name))
            # A layout of their own, such as (1, H), is no mistake.
            fitted = None if own is None else fit(own, call.params[name].shape)
            if own is None:
                pieces.append(ABSENT if answer.value is not None and answer.grads else MISSING)
            else:
                pieces.append(_of_array(own if fitted is None else fitted))
    return _join(pieces)


def _single_rows(context: GradingContext) -> Signature:
    """Return the loss and the gradients of each single row, one piece a row."""
    call = context.call(QuestionId("single"))
    pieces = []
    for row in range(len(call.steps)):
        grads = [own_gradient(context, call.id, row, name, call.params[name].shape) for name in context.names]
        pieces.append(_join([_of_array(one) for one in (read_loss(context, call.id, row).value, *grads)]))
    return _join(pieces)


def _stability(context: GradingContext) -> Signature:
    return Signature(tuple(stability_failure(context, call.id) is None for call in context.calls("stability")))


def _purity(context: GradingContext) -> Signature:
    """Return what is left as it was: X and y, the parameters, and the answer to the same question."""
    results, expected = context.reply(QuestionId("purity")).results, context.expected(QuestionId("purity"))
    if len(results) < 4 or not isinstance(results[2], dict) or not isinstance(results[3], dict):
        return MISSING
    inputs = all(unchanged(results[3].get(name), expected[name]) for name in ("X", "y"))
    params = all(unchanged(results[2].get(name), expected[f"param_{name}"]) for name in context.names)
    first, second = (read_loss(context, QuestionId("purity"), index) for index in (0, 1))
    # What it changed shows in the second answer as well, and is told once.
    constant = not (inputs and params) or first.value == second.value
    return Signature((inputs, params, constant))


def _labels(context: GradingContext) -> Signature:
    pieces = []
    for call in (*context.calls("predict"), *context.calls("labels")):
        results = context.reply(call.id).results
        array = as_array(results[0]) if results else None
        kind = "whole" if array is not None and array.dtype.kind in "iu" else "fraction"
        pieces.append(_of_array(results[0], kind) if results else MISSING)
    return _join(pieces)


# ---------------------------------------------------------------- training
# All of it is read off the watched run on identical rows: the stand-ins answer every program alike, so that two programs
# that train alike show the same numbers, whatever their loss() and predict() are worth.


def _moves(context: GradingContext, index: int) -> Signature:
    """Return how the parameters moved in iteration `index`, in units of the learning rate."""
    seen = read_watched_run(context, SAME)
    if seen is None:
        return MISSING
    if index >= len(seen.steps):
        return Signature(("ended", seen.anew))
    rate = float(arguments_of(context.call(SAME))["learning_rate"])
    moves = _join([_of_array(seen.steps[index].moves[name] / rate) for name in context.names])
    # A training that sets everything anew starts from numbers of its own, and steps as any other.
    return Signature(("anew", moves.shape), moves.values, moves.scale) if seen.anew and not index else moves


def _reg(context: GradingContext) -> Signature:
    """Return the reg that loss() was asked with in each iteration."""
    seen = read_watched_run(context, SAME)
    if seen is None:
        return MISSING
    asked = [step.question.reg if step.question else np.nan for step in seen.steps]
    # A program that passes none has loss()'s own default, 0; the number of iterations shows elsewhere.
    return _of_array(np.unique(np.round(np.nan_to_num(asked), 12)))


def _history(context: GradingContext, key: str) -> Signature:
    """Return what train() kept under a key."""
    seen = read_watched_run(context, SAME)
    if seen is None:
        return MISSING
    if not isinstance(seen.answer, dict):
        return Signature(("no dict", type(seen.answer).__name__))
    return _of_array(seen.answer.get(key))


def _batches(context: GradingContext) -> Signature:
    found = examine_batches(context)
    if found.kind == "unknown":
        return MISSING
    # A number that was fitted to one run must hold in the other as well, whose settings are all different.
    sizes = {len(step.question.y) for step in first_steps(context) if step.question and found.kind == "size"}
    return Signature(found.kind, np.array([float(found.rows), float(max(sizes, default=0))]), np.ones(2))


# ---------------------------------------------------------------- the parts


_KINDS: Mapping[str, Callable[[GradingContext, str], Signature]] = {
    "purity": lambda context, _: _purity(context),
    "scores": lambda context, _: _scores(context),
    "loss": lambda context, which: _losses(context, whole=which == "whole"),
    "gradient": lambda context, which: _gradients(context, which.split("/")[0], whole=which.endswith("/whole")),
    "single rows": lambda context, _: _single_rows(context),
    "stability": lambda context, _: _stability(context),
    "labels": lambda context, _: _labels(context),
    "moved": lambda context, index: _moves(context, int(index)),
    "reg": lambda context, _: _reg(context),
    "losses kept": lambda context, _: _history(context, "loss_history"),
    "accuracies kept": _history,
    "batches": lambda context, _: _batches(context),
}


@cached_per_submission
def signature_of(context: GradingContext, part: str) -> Signature:
    """Return the signature of one part, such as "scores", "gradient/W1/bare" or "moved/2"."""
    kind, _, rest = part.partition("/")
    return _KINDS[kind](context, rest)


def tolerance(context: GradingContext, part: str) -> Tolerance:
    """Return how far two signatures of a part may be apart, in units of their scale."""
    kind = part.partition("/")[0]
    # Single precision inside keeps three digits fewer, of what it computes itself and of what is built on it.
    if rounds_losses(context):
        return context.tolerance("single")
    return context.tolerance(kind if kind in {"scores", "loss", "gradient"} else "update", least=1e-7)


def same(one: Signature, other: Signature, allowed: Tolerance) -> bool:
    """Return whether two signatures are the same, but for rounding."""
    if one is other:
        return True
    if one.shape != other.shape or one.values.shape != other.values.shape:
        return False
    return allowed.covers_all(ratio(one.values - other.values, other.scale))


def core_parts(names: tuple[str, ...]) -> tuple[str, ...]:
    """Name the parts of loss(X, y, reg); names : the parameters."""
    gradients = [f"gradient/{name}/{which}" for name in reversed(names) for which in ("bare", "whole")]
    return ("loss/bare", "loss/whole", *gradients, "stability")


TRAIN_PARTS = (
    "moved/0", "moved/1", "moved/2", "moved/3", "reg",
    "losses kept", "accuracies kept/train_acc_history", "accuracies kept/val_acc_history", "batches",
)  # fmt: skip
