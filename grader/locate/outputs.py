"""What loss() answered in the recorded question, held against a network: which of its answers are right, and in what form."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from grader.compare import as_array, as_number
from grader.locate.recognise import Case, Right, laid_out
from grader.records import Floats

MISSING = "missing"


@dataclass(frozen=True, eq=False)
class Outputs:
    """The answers of loss(): None where there is none of a kind.

    scores : of loss(X). gradients : by parameter, as they came. shape : what loss(X, y, reg) returned, in words.
    """

    scores: Floats | None
    loss: float | None
    gradients: Mapping[str, Floats] | None
    in_form: bool  # the answer is (loss, gradients)


def outputs(scores: Any, answer: Any, names: tuple[str, ...]) -> Outputs:
    """Return what loss(X) and loss(X, y, reg) answered, taken apart."""
    parts = list(answer) if isinstance(answer, tuple | list) else [answer]
    value = as_number(parts[0]) if parts else None
    grads = next((part for part in parts[1:] if isinstance(part, dict)), None)
    arrays = None
    if grads is not None:
        arrays = {name: np.asarray(one, np.float64) for name in names if (one := as_array(grads.get(name))) is not None}
    found = as_array(scores)
    in_form = isinstance(answer, tuple) and len(parts) == 2 and value is not None and grads is not None
    return Outputs(None if found is None else np.asarray(found, np.float64), value, arrays, in_form)


Form = Any  # (a, k) of a gradient, (a, k, names) of a loss, MISSING, or None where it has none


def wrong(case: Case, own: Outputs, right: Right) -> dict[str, Form]:
    """Return the answers that are wrong by a network, each with its form; None where it has none."""
    found: dict[str, Form] = {}
    laid = None if own.scores is None else laid_out(own.scores, right["scores"].shape)
    c = None if laid is None else case.multiple(laid, right["scores"])
    if c is None or not case.close(c, 1.0):
        found["scores"] = None
    form = None if own.loss is None else case.loss_form(own.loss, right)
    if own.loss is not None and not case.loss_is_right(form):
        found["loss"] = form
    factors = (form[1],) if form is not None and form[1] in case.factors else case.factors
    if own.gradients is None:
        return found
    for name in case.names:
        value = own.gradients.get(name)
        if value is None:
            found[name] = MISSING
            continue
        of = case.gradient_form(value, right, name)
        if not case.gradient_is_right(of, name, factors):
            found[name] = of
    return found


def is_told_by_form(case: Case, output: str, form: Form) -> bool:
    """Return whether a wrong answer needs no replaced step: what is wrong is its regulariser, or that it is missing."""
    if form is None or form == MISSING:
        return False
    return output == "loss" or case.close(form[0], 1.0)
