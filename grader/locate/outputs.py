"""What loss() answered in the recorded question, held against a network: which of its answers are right, and in what form."""

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

from grader.compare import as_array, as_number
from grader.locate.recognise import Network
from grader.locate.recorded_case import Case, GradientForm, LossForm, Right, laid_out
from grader.model import Floats
from grader.records import dataclass


@dataclass(frozen=True, eq=False)
class Outputs:
    """The answers of loss(): None where there is none of a kind.

    scores : of loss(X). gradients : by parameter, in its shape where they can be laid out so.
    """

    scores: Floats | None
    loss: float | None
    gradients: Mapping[str, Floats] | None
    in_form: bool  # the answer is (loss, gradients)

    def answer(self, name: str) -> Floats | None:
        """Return the "scores", the "loss" or a parameter's gradient; None where there is none."""
        if name == "loss":
            return None if self.loss is None else np.asarray(self.loss, np.float64)
        return self.scores if name == "scores" else (self.gradients or {}).get(name)


def outputs(case: Case, scores: Any, answer: Any) -> Outputs:
    """Return what loss(X) and loss(X, y, reg) answered, taken apart."""
    parts = list(answer) if isinstance(answer, tuple | list) else [answer]
    value = as_number(parts[0]) if parts else None
    grads = next((part for part in parts[1:] if isinstance(part, dict)), None)
    arrays = None
    if grads is not None:
        found = {name: as_array(grads.get(name)) for name in case.names}
        arrays = {name: _reshape(one, case.params[name].shape) for name, one in found.items() if one is not None}
    own = as_array(scores)
    in_form = isinstance(answer, tuple) and len(parts) == 2 and value is not None and grads is not None
    shape = (case.N, case.params[case.names[-1]].size)
    return Outputs(None if own is None else _reshape(own, shape), value, arrays, in_form)


def _reshape(value: Any, shape: tuple[int, ...]) -> Floats:
    laid = laid_out(value, shape)
    return np.asarray(value, np.float64) if laid is None else laid


@dataclass(frozen=True)
class Form:
    """What is wrong with an answer. form : how it is put together from right parts, None where it is not.

    missing : there is no such answer.
    """

    form: LossForm | GradientForm | None = None
    missing: bool = False


def wrong(case: Case, own: Outputs, network: Network) -> dict[str, Form]:
    """Return the answers that are wrong by a network."""
    found: dict[str, Form] = {}
    if own.scores is None or not _same(case, own.scores, network["scores"]):
        found["scores"] = Form()
    of_loss = None if own.loss is None else network.loss_form(own.loss)
    if own.loss is not None and not case.loss_is_right(of_loss):
        found["loss"] = Form(of_loss)
    factors = (of_loss[1],) if of_loss is not None and of_loss[1] in case.factors else case.factors
    if own.gradients is None:
        return found
    for name in case.names:
        value = own.gradients.get(name)
        if value is None:
            found[name] = Form(missing=True)
            continue
        form = network.gradient_form(value, name)
        if not case.gradient_is_right(form, name, factors):
            found[name] = Form(form)
    return found


def mends_one(case: Case, own: Outputs, right: Right, answers: Iterable[str]) -> bool:
    """Return whether one of these answers is right by a network; a hundredth of the time that `wrong` takes."""
    return any(_is_right(case, own, right, answer) for answer in answers)


def _is_right(case: Case, own: Outputs, right: Right, answer: str) -> bool:
    if answer == "scores":
        return own.scores is not None and _same(case, own.scores, right["scores"])
    if answer == "loss":
        if own.loss is None:
            return False
        # With whatever regulariser: that is judged apart.
        off = abs(case.regularisers - (own.loss - float(right["data loss"])))
        return bool((off <= case.fine * max(abs(own.loss), 1e-30)).any())
    return comes_of(case, own.answer(answer), right[f"data d{answer}"], answer)


def comes_of(case: Case, value: Floats | None, data: Floats, name: str) -> bool:
    """Return whether a gradient is the data's part, whatever multiple of its parameter is added."""
    if value is None or value.shape != data.shape:
        return False
    theta, rest = case.params[name], value - data
    k = float((rest * theta).sum()) / float((theta * theta).sum())
    return bool(np.abs(rest - k * theta).max() <= case.fine * max(float(np.abs(value).max()), 1e-12))


def _same(case: Case, value: Floats, right: Floats) -> bool:
    if value.shape != right.shape:
        return False
    return bool(np.abs(value - right).max() <= case.fine * float(np.abs(right).max()))


def is_told_by_form(case: Case, output: str, wrong_as: Form) -> bool:
    """Return whether a wrong answer needs no replaced step: what is wrong is its regulariser or its factor."""
    if wrong_as.form is None:
        return False
    return output == "loss" or case.close(wrong_as.form[0], 1.0)
