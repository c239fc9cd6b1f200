"""What is known of a wrong gradient: of the data's part, and of what reg adds to it."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from grader.checks.clues import LARGE, by_sign, counts_of, only_some, single
from grader.checks.evidence import Evidence, best_array, loss_calls, own_gradient, read_loss
from grader.checks.formulas import constant, explained, multiples
from grader.checks.likeness import Axis, Beside, of_another_shape, told
from grader.checks.losses import convention
from grader.compare import as_array, is_single, number
from grader.records import Array, Call

LOWER_DIGITS = 10  # a ratio carries a digit less


def of_gradient(evidence: Evidence, name: str, wrong: Sequence[Call]) -> list[str]:
    """Say what one gradient has in common with the right one, over the calls in which it is wrong."""
    calls = [call for call, _, _ in loss_calls(evidence)]
    bare = [call for call in wrong if not float(evidence.expected(call.id)["reg"])]
    some = only_some(calls, wrong)
    if not bare:
        return [_regulariser_part(evidence, name, wrong), "It is right wherever reg is 0.", some]
    own = [as_array(read_loss(evidence, call.id).grads.get(name)) for call in bare]
    if any(one is not None and one.size > LARGE for one in own):
        return [some]
    tolerances = evidence.assignment.tolerances
    rounds = single(evidence) or any(is_single(one) for one in own if one is not None)
    near = tolerances.single if rounds else tolerances.gradient
    shaped = [
        None if one is None else best_array(one, call.params[name].shape)[0]
        for one, call in zip(own, bare, strict=True)
    ]
    rights = [evidence.expected(call.id)[f"data_{name}"] for call in bare]
    if all(one is not None for one in own) and all(one is None for one in shaped):
        shapes = {
            of_another_shape(np.asarray(one, dtype=np.float64), right, near)
            for one, right in zip(own, rights, strict=True)
        }
        return [*shapes, some] if len(shapes) == 1 else [some]
    pairs = [
        Beside(np.asarray(one, dtype=np.float64), right, counts_of(call), near, _places(evidence, call, name))
        for one, right, call in zip(shaped, rights, bare, strict=True)
        if one is not None
    ]
    if len(pairs) < len(bare):
        return [some]
    return [*told(pairs, _axes(evidence, name)), some, _regulariser_fine(evidence, name, bare)]


def _axes(evidence: Evidence, name: str) -> tuple[Axis, ...]:
    units, inputs = ("hidden unit", "hidden units"), ("input", "inputs")
    classes = ("class", "classes")
    return {
        evidence.names[0]: (Axis("row", *inputs), Axis("column", *units)),
        evidence.names[1]: (Axis("entry", *units),),
        evidence.names[2]: (Axis("row", *units), Axis("column", *classes)),
        evidence.names[3]: (Axis("entry", *classes),),
    }[name]


def _places(evidence: Evidence, call: Call, name: str) -> dict[str, Array]:
    """Give where in a gradient a mistake may show alone: by what the examples make of units and classes."""
    X, y, right = call.steps[0].arguments["X"], call.steps[0].arguments["y"], evidence.expected(call.id)[f"data_{name}"]
    on = X @ call.params[evidence.names[0]] + call.params[evidence.names[1]] > 0
    absent = np.bincount(y, minlength=call.sizes[2]) == 0
    found = by_sign("where the right gradient", right)
    if name in evidence.names[:2]:
        found["for hidden units that are off for some examples"] = ~on.all(axis=0)
        found["for hidden units that are on for some examples"] = on.any(axis=0)
        found["where the right gradient is 0"] = right == 0
    if name in evidence.names[2:]:
        found["for classes that no example has"] = absent
        found["for classes that some example has"] = ~absent
    return {words: np.broadcast_to(place, right.shape) for words, place in found.items()}


def _regulariser_part(evidence: Evidence, name: str, wrong: Sequence[Call]) -> str:
    """Say what a gradient adds for the regulariser, where it is right but for that and adds a multiple of reg theta."""
    shares, ratios = [], []
    for call in wrong:
        share = _added(evidence, call, name)
        if share is None:
            return ""
        shares.append(share)
        ratios.append(share / 2)
    near = LOWER_DIGITS * evidence.assignment.tolerances.numeric
    k = convention(evidence)
    penalised = evidence.expected(wrong[0].id)[f"penalty_{name}"].any()
    wanted = (
        (f"{number(2 * k)} reg {name}" if k else f"the derivative of what your loss adds, by {name}")
        if penalised
        else "nothing"
    )
    head = f"It is right but for the regulariser's part: your loss asks for {wanted}; your gradient adds"
    if max(map(abs, shares)) < 1e-9:
        return f"{head} nothing."
    same = constant(shares, near)
    if same:
        return f"{head} {number(shares[0])} reg {name}."
    formula = next(iter(multiples(shares, [counts_of(call) for call in wrong], near)), None)
    if formula:
        return f"{head} {formula[0]}{formula[1]} reg {name}, {explained(formula[1])}."
    return f"{head} {number(shares[0])} reg {name} in the case shown."


def _added(evidence: Evidence, call: Call, name: str) -> float | None:
    """Give c where a gradient is the right one without regulariser plus c reg theta; None where no c does."""
    own, expected = own_gradient(evidence, call.id, 0, name, call.params[name].shape), evidence.expected(call.id)
    if own is None:
        return None
    theta, reg, data = np.asarray(call.params[name]), float(expected["reg"]), expected[f"data_{name}"]
    size = reg * float((theta * theta).sum())
    share = float(((own - data) * theta).sum()) / size if size else 0.0
    near = evidence.assignment.tolerances.single if single(evidence) else evidence.assignment.tolerances.numeric
    return share if Beside(own, data, {}, near).fits(data + share * reg * theta) else None


def _regulariser_fine(evidence: Evidence, name: str, bare: Sequence[Call]) -> str:
    """Tell whether what reg adds to a gradient is right, though the rest is not."""
    k, near = convention(evidence), 100 * evidence.assignment.tolerances.gradient
    if k is None or single(evidence):
        return ""
    for call in bare:
        case = call.id.rpartition("/")[0]
        without = own_gradient(evidence, call.id, 0, name, call.params[name].shape)
        for other, _, reg in loss_calls(evidence):
            if reg and other.id.rpartition("/")[0] == case:
                whole = own_gradient(evidence, other.id, 0, name, call.params[name].shape)
                right = k * reg * evidence.expected(other.id)[f"penalty_{name}"]
                if whole is None or without is None or not right.any():
                    return ""
                if not Beside(whole - without, right, {}, near).fits(right):
                    return ""
    return "What reg adds to it is right."
