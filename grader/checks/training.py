"""train(): judged on the student's own gradients, so that a mistake in loss() is not paid for again.

The rows are identical and the batch is half of them, so that sampling cannot matter: after k iterations the parameters
have moved by -rate_k times the student's own gradient at the parameters before, and the rates show the decay.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any

import numpy as np

from grader.checks.evidence import (
    Evidence,
    fact,
    loss_right,
    not_started,
    obstacle,
    own_gradient,
    own_params,
    read_loss,
)
from grader.checks.gradients import gradient_b1, gradient_b2, gradient_W1, gradient_W2
from grader.checks.minibatch import minibatch
from grader.checks.prediction import predict
from grader.compare import as_array, describe, number
from grader.records import Curves, Finding, Floats

# Steps of a train/K call: train, params, loss with reg, loss without, predict on the validation rows, on the row.
PARAMS, LOSS, BARE, PREDICT_VAL, PREDICT_ROW = 1, 2, 3, 4, 5
SLOPE = 1e-12  # a gradient below this is zero: dscores.sum() over all entries is, but for rounding
LEARNT = 0.1  # the toy's final loss; the published run reaches 0.017, one that does not learn stays above 0.9


@dataclass(frozen=True)
class Movement:
    """How one parameter moved over the iterations, in units of -learning_rate times their own gradient."""

    name: str
    rates: tuple[float, ...]  # one per iteration; NaN where it did not move along its gradient
    still: bool  # it never moved
    led: bool  # loss() gave a gradient for it that is not zero
    without_reg: bool  # it moved along the gradient of the loss without regulariser

    @property
    def along(self) -> bool:
        """Tell whether every step went along the student's own gradient."""
        return bool(self.rates) and bool(np.isfinite(self.rates).all())


def blocked(evidence: Evidence, call: str) -> Finding | None:
    """Say why train() cannot be judged: it, or the loss() that it needs, gives nothing."""
    reply = evidence.reply(call)
    bare = read_loss(evidence, "train/0", 1)
    if bare.finding and (bare.finding.skipped or not reply.results):
        text = f"Not judged: train() needs loss(). {bare.finding.message}"
        return Finding(0.0, text, skipped=True, about="train")
    problem = obstacle(reply, about="train")
    predict = evidence.reply("train/0")
    if problem and len(predict.results) > 3 and not_started(_at(predict.results, 3)):
        text = "Not judged: train() needs predict(), which is not started.\n" + problem.message
        return Finding(0.0, text, skipped=True, about="train")
    return problem


def _at(results: tuple[Any, ...], index: int) -> Any:
    return results[index] if len(results) > index else None


@fact
def movements(evidence: Evidence) -> dict[str, Movement]:
    """Measure each parameter's steps; nothing where the parameters after train() are not whole."""
    runs = [call for call in evidence.calls("train") if call.id != "train/0"]
    start = dict(evidence.call("train/0").params)
    points = [start, *(own_params(evidence, call, PARAMS) for call in runs)]
    if any(point is None for point in points):
        return {}
    found = {}
    for name in start:
        steps = [np.asarray(after[name] - before[name]) for before, after in pairwise(points) if before and after]
        slopes = [_slope(evidence, index, name, LOSS) for index in range(len(runs))]
        bare = [_slope(evidence, index, name, BARE) for index in range(len(runs))]
        rates = tuple(_rate(evidence, step, slope) for step, slope in zip(steps, slopes, strict=True))
        bare_rates = [_rate(evidence, step, slope) for step, slope in zip(steps, bare, strict=True)]
        found[name] = Movement(
            name,
            rates,
            still=not any(step.any() for step in steps),
            led=all(slope is not None and np.abs(slope).max() > SLOPE for slope in slopes),
            without_reg=bool(np.isfinite(bare_rates).all() and not np.isfinite(rates).all()),
        )
    return found


def _slope(evidence: Evidence, index: int, name: str, loss: int) -> Floats | None:
    """Give learning_rate times their own gradient at the parameters before iteration `index`."""
    call = evidence.call("train/1")
    # train/0 has no train step: its loss steps stand one place earlier.
    gradient = own_gradient(evidence, f"train/{index}", loss - (index == 0), name, call.params[name].shape, spread=True)
    return None if gradient is None else gradient * float(call.steps[0].arguments["learning_rate"])


def _rate(evidence: Evidence, step: Floats, downhill: Floats | None) -> float:
    """Give r where step = -r downhill, entry by entry; NaN where no r does."""
    if downhill is None or np.abs(downhill).max() <= SLOPE:
        return float("nan")
    size = float((downhill * downhill).sum())
    rate = -float((step * downhill).sum()) / size
    allowed = evidence.assignment.tolerances.update * float(np.abs(downhill).max())
    moved = bool(np.abs(step).max() > allowed)
    return rate if moved and np.abs(step + rate * downhill).max() <= allowed * max(1.0, abs(rate)) else float("nan")


@fact
def update_rule(evidence: Evidence) -> Finding:
    """train() moves each parameter by -learning_rate times its gradient."""
    problem = blocked(evidence, "train/1")
    if problem:
        return problem
    found = movements(evidence)
    decay = float(evidence.call("train/1").steps[0].arguments["learning_rate_decay"])
    if not found:
        text = "After train() the parameters are missing, not finite or of another shape."
        return Finding(0.0, text, about="train")
    moving = any(movement.along for movement in found.values())
    texts, right = [], 0
    for name in evidence.names:
        fault = _step_text(found[name], decay, moving=moving)
        right += fault is None
        texts += [fault] if fault else []
    if not texts:
        return Finding(1.0, "Right for all four parameters, on your own gradients.", about="train")
    texts.append("Look at the update: each parameter changes by -learning_rate * grads[name], once per iteration.")
    return Finding(right / 4, "\n".join(texts), about="train")


def _step_text(movement: Movement, decay: float, *, moving: bool) -> str | None:
    name = movement.name
    if not movement.led:
        # Without a gradient it has to stay; that is right where the others show that train() does move what it can.
        stays = movement.still or not np.nan_to_num(movement.rates).any()
        return None if stays and moving else f"{name} cannot be judged: loss() gives no gradient for it."
    if movement.still:
        return f"{name} did not change in four iterations."
    if movement.along:
        # A rate that was decayed before the first step is the decay's affair.
        if min(abs(movement.rates[0] - 1), abs(movement.rates[0] - decay)) < 1e-4:
            return None
        if movement.rates[0] < 0:
            return f"{name} moved up its gradient instead of down: the sign is wrong."
        return f"{name} moved by {number(movement.rates[0])} times learning_rate times its gradient in the first iteration."
    if movement.without_reg:
        return f"{name} moved along the gradient for reg = 0: train() does not pass reg on to loss()."
    if np.isfinite(movement.rates[0]) and abs(movement.rates[0] - 1) < 1e-4:
        return (
            f"{name}: the first step is right, a later one is not along its gradient there: momentum, Adam, or a"
            " gradient taken at other parameters?"
        )
    return f"{name} did not move along your own gradient for the batch."


def decay(evidence: Evidence) -> Finding:
    """The learning rate is multiplied by learning_rate_decay once an epoch."""
    problem = blocked(evidence, "train/4")
    if problem:
        return problem
    along = [movement.rates for movement in movements(evidence).values() if movement.along]
    if not along:
        text = "Not judged: no parameter moves along its gradient yet, so no rate can be read off."
        return Finding(0.0, text, skipped=True, about="train")
    rates = np.median(np.array(along), axis=0)
    if not rates[0]:
        return Finding(0.0, "Not judged: the first step is zero.", skipped=True, about="train")
    factor = float(evidence.call("train/4").steps[0].arguments["learning_rate_decay"])
    # Two iterations an epoch: decayed after the first, or the second, or the third of them is once an epoch all the same.
    accepted = np.array([[0, 1, 1, 2], [0, 0, 1, 1], [0, 0, 0, 1]])
    shown = ", ".join(number(rate) for rate in rates)
    if (np.abs(rates / rates[0] - factor**accepted).max(axis=1) < 1e-4).any() and abs(rates[0] - factor) > 1e-4:
        return Finding(1.0, f"Right: the rates of four iterations, two an epoch, were {shown}.", about="train")
    told = ""
    if np.abs(rates / rates[0] - factor ** np.arange(4)).max() < 1e-4:
        told = " It was decayed in every iteration instead of once an epoch."
    elif np.ptp(rates) < 1e-4 * abs(rates[0]):
        told = " It was never decayed (verbose was False: does the decay stand inside `if verbose`?)."
    text = (
        f"With learning_rate_decay={factor:g} and two iterations an epoch, the rates of four iterations must be"
        f" 1, 0.5, 0.5, 0.25 of learning_rate; yours were {shown}.{told}\n"
        "Look at where the rate is multiplied: only where an epoch begins or ends, iterations_per_epoch = max(N // batch_size, 1)."
    )
    return Finding(0.0, text, about="train")


def histories(evidence: Evidence) -> Finding:
    """train() returns loss_history for every iteration, and accuracies for every epoch."""
    problem = blocked(evidence, "train/4")
    if problem:
        return problem
    if all(movement.still for movement in movements(evidence).values()):
        # Histories of a training that does not take place are easily kept.
        return Finding(0.0, "Not judged: train() changes no parameter yet.", skipped=True, about="train")
    reply = evidence.reply("train/4")
    answer = reply.results[0]
    if not isinstance(answer, dict):
        text = (
            "train() must return a dict with loss_history, train_acc_history and val_acc_history; it returned"
            f" {describe(answer)}."
        )
        return Finding(0.0, text, skipped=not_started(answer), about="train")
    faults = [
        (0.5, _loss_history_fault(evidence, answer.get("loss_history"))),
        (0.25, _accuracy_fault(evidence, "train_acc_history", answer.get("train_acc_history"), PREDICT_ROW, "y")),
        (0.25, _accuracy_fault(evidence, "val_acc_history", answer.get("val_acc_history"), PREDICT_VAL, "y_val")),
    ]
    wrong = [(share, text) for share, text in faults if text]
    if not wrong:
        return Finding(1.0, "Right: one loss an iteration, one accuracy of each kind an epoch.", about="train")
    return Finding(1 - sum(share for share, _ in wrong), "\n".join(text for _, text in wrong), about="train")


def _loss_history_fault(evidence: Evidence, history: Any) -> str:
    array = as_array(history)
    if array is None:
        return f"loss_history must hold one loss per iteration; it is {describe(history)}."
    if array.size != 4:
        return f"loss_history must hold one loss per iteration: 4 after num_iters=4; it holds {array.size}."
    # A train() that does not pass reg on has paid for that in its update; its losses are those without.
    moved = movements(evidence).values()
    step = BARE if any(movement.without_reg for movement in moved) else LOSS
    own = [read_loss(evidence, f"train/{index}", step - (index == 0)).value for index in range(4)]
    if any(value is None or not np.isfinite(value) for value in own):
        return ""  # a loss that is no number is judged elsewhere
    values, right = array.reshape(-1).astype(np.float64), np.array(own, dtype=np.float64)
    worst = int(np.nanargmax(np.abs(values - right))) if np.isfinite(values).all() else 0
    # Float32 inside keeps seven digits; a loss of other rows or parameters differs in the first two.
    if np.isfinite(values).all() and (np.abs(values - right) <= 1e-4 * np.abs(right)).all():
        return ""
    return (
        f"loss_history[{worst}] is {number(float(values[worst]))}, but your own loss there, before the step and with reg, is"
        f" {number(float(right[worst]))}."
    )


def _accuracy_fault(evidence: Evidence, key: str, history: Any, step: int, labels: str) -> str:
    array = as_array(history)
    if array is None:
        return f"{key} must hold one accuracy per epoch; it is {describe(history)}."
    if array.size not in {2, 3}:
        return f"{key} must hold one accuracy per epoch: 2 after four iterations, two an epoch; it holds {array.size}."
    values = array.reshape(-1).astype(np.float64)
    if not (np.isfinite(values).all() and (values >= 0).all() and (values <= 1).all()):
        return f"{key} must hold fractions from 0 to 1; it holds {', '.join(number(float(v)) for v in values)}."
    possible = set()
    for index in range(5):
        reply = evidence.reply(f"train/{index}")
        position = step - (index == 0)
        predicted = as_array(_at(reply.results, position))
        truth = evidence.expected("train/0")[labels]
        if predicted is None or predicted.reshape(-1).shape != truth.shape:
            return ""  # predict() is judged elsewhere; without it no accuracy can be held against train()
        possible.add(round(float((predicted.reshape(-1) == truth).mean()), 6))
    strange = [value for value in values if round(float(value), 6) not in possible]
    if strange:
        return f"{key} holds {number(strange[0])}, which is not the accuracy of your own predict() at that time."
    return ""


def _excused(evidence: Evidence, problem: Finding) -> Finding:
    """Give the points back where train() does as asked and loss() or predict(), which it calls, does not."""
    fine = update_rule(evidence).share == 1 and minibatch(evidence).share == 1
    gradients = (gradient_W1, gradient_b1, gradient_W2, gradient_b2)
    elsewhere = not loss_right(evidence) or any(check(evidence).share < 1 for check in gradients)
    stopped = bool(evidence.reply("toy").error) and predict(evidence).share < 1
    if not (fine and (elsewhere or stopped)):
        return problem
    text = (
        f"{problem.message}\nNot charged: train() does what it should with what loss() and predict() give; mend those."
    )
    return replace(problem, share=1.0, message=text, skipped=False)


def _curves(evidence: Evidence, call: str, title: str) -> tuple[Curves, ...]:
    answer = _at(evidence.reply(call).results, 0)
    own = as_array(answer.get("loss_history")) if isinstance(answer, dict) else None
    if own is None or own.ndim != 1 or not own.size:
        return ()
    right = np.asarray(evidence.expected(call)["loss_history"], dtype=np.float64)
    return (Curves(title, (("yours", own.astype(np.float64)), ("reference", right))),)


def final_scores(evidence: Evidence, call: str, shapes: Mapping[str, tuple[int, ...]] | None = None) -> Floats | str:
    """Give the scores at the parameters that training ended with, or say why there are none.

    Where the reference is at hand it computes them from the parameters: scores that the student's side claims
    prove nothing. Frozen probes have only the claim.
    """
    X = evidence.expected(call)["X"]
    asked = evidence.call(call)
    at = [step.method for step in asked.steps].index("params")
    params = own_params(evidence, asked, at, shapes)
    if evidence.probes.oracle is not None:
        return (
            "the parameters are missing or not finite afterwards"
            if params is None
            else evidence.probes.oracle.scores(params, X)
        )
    claimed = as_array(_at(evidence.reply(call).results, at + 1))
    if claimed is None or claimed.ndim != 2 or len(claimed) != len(X) or not np.isfinite(claimed).all():
        return "loss(X) gives no scores afterwards"
    return claimed.astype(np.float64)


def learns_toy(evidence: Evidence) -> Finding:
    """train() learns the five examples of the toy case by heart."""
    problem = blocked(evidence, "toy")
    if problem:
        return _excused(evidence, problem)
    figures = _curves(evidence, "toy", "loss on the toy case")
    scores = final_scores(evidence, "toy")
    y = evidence.expected("toy")["y"]
    if isinstance(scores, str):
        text = f"After 100 iterations on the toy case {scores}."
        return _excused(evidence, Finding(0.0, text, figures, about="train"))
    shifted = scores - scores.max(axis=1, keepdims=True)
    loss = float(np.mean(np.log(np.exp(shifted).sum(axis=1)) - shifted[np.arange(len(y)), y]))
    if loss <= LEARNT:
        return Finding(1.0, f"The loss on the toy case falls to {number(loss)}.", figures, about="train")
    text = (
        f"After 100 iterations the loss on the five toy examples is {number(loss)}; it must be below {LEARNT}.\n"
        "Look at the curve: does it fall at all, does it fall and rise again?"
    )
    return _excused(evidence, Finding(0.0, text, figures, about="train"))


def learns_digits(evidence: Evidence) -> Finding:
    """train() learns real handwritten digits well enough."""
    problem = blocked(evidence, "digits")
    if problem:
        return _excused(evidence, problem)
    figures = _curves(evidence, "digits", "loss on the digits")
    scores = final_scores(evidence, "digits")
    if isinstance(scores, str):
        return _excused(evidence, Finding(0.0, f"After training on the digits {scores}.", figures, about="train"))
    accuracy = float((scores.argmax(axis=1) == evidence.expected("digits")["y"]).mean())
    threshold = evidence.assignment.digits.threshold
    asked = f"Of 400 digits that it never saw, {accuracy:.1%} are recognised; at least {threshold:.1%} are asked."
    if accuracy >= threshold:
        return Finding(1.0, asked, figures, about="train")
    text = f"{asked}\nLook at the loss curve beside the reference's."
    return _excused(evidence, Finding(0.0, text, figures, about="train"))
