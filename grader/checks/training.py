"""train(): judged on the student's own gradients, so that a mistake in loss() is not paid for again.

The rows are identical and the batch is half of them, so that sampling cannot matter: after k iterations the parameters
have moved by -rate_k times the student's own gradient at the parameters before, and the rates show the decay.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from grader.checks.candour import BARE, LOSS, gradient_as_elsewhere, gradient_there, reached
from grader.checks.clues import of_steps, with_clues
from grader.checks.evidence import Evidence, fact
from grader.checks.trainable import blocked
from grader.compare import number
from grader.records import Finding, Floats

SLOPE = 1e-12  # a gradient below this is zero: dscores.sum() over all entries is, but for rounding


@dataclass(frozen=True)
class Movement:
    """How one parameter moved over the iterations, in units of -learning_rate times their own gradient."""

    name: str
    rates: tuple[float, ...]  # one per iteration; NaN where it did not move along its gradient
    still: bool  # it never moved
    led: bool  # loss() gave a gradient for it that is not zero
    without_reg: bool  # it moved along the gradient of the loss without regulariser
    candid: bool  # the gradients that it is held against are as right as elsewhere

    @property
    def along(self) -> bool:
        """Tell whether every step went along the student's own gradient."""
        return bool(self.rates) and bool(np.isfinite(self.rates).all())


@fact
def movements(evidence: Evidence) -> dict[str, Movement]:
    """Measure each parameter's steps; nothing where the parameters after train() are not whole."""
    runs = [call for call in evidence.calls("train") if call.id != "train/0"]
    start = dict(evidence.call("train/0").params)
    points = [reached(evidence, index) for index in range(1 + len(runs))]
    if any(point is None for point in points):
        return {}
    found = {}
    for name in start:
        steps = [np.asarray(after[name] - before[name]) for before, after in pairwise(points) if before and after]
        slopes = [slope(evidence, index, name, LOSS) for index in range(len(runs))]
        rates = tuple(travelled(evidence, index, name, LOSS) for index in range(len(runs)))
        candid = all(gradient_as_elsewhere(evidence, index, name) for index in range(len(runs)))
        found[name] = Movement(
            name,
            rates if candid else (float("nan"),) * len(runs),
            still=not any(step.any() for step in steps),
            led=all(slope is not None and np.abs(slope).max() > SLOPE for slope in slopes),
            without_reg=not np.isfinite(rates).all()
            and all(np.isfinite(travelled(evidence, index, name, BARE)) for index in range(len(runs))),
            candid=candid,
        )
    return found


@fact
def travelled(evidence: Evidence, index: int, name: str, loss: int) -> float:
    """Give `rate` of the step of iteration `index`, where the parameters before and after it are whole; else NaN."""
    before, after = reached(evidence, index), reached(evidence, index + 1)
    if before is None or after is None:
        return float("nan")
    return rate(evidence, np.asarray(after[name] - before[name]), slope(evidence, index, name, loss))


def slope(evidence: Evidence, index: int, name: str, loss: int) -> Floats | None:
    """Give learning_rate times their own gradient at the parameters before iteration `index`."""
    call, gradient = evidence.call("train/1"), gradient_there(evidence, index, loss, name)
    return None if gradient is None else gradient * float(call.steps[0].arguments["learning_rate"])


def rate(evidence: Evidence, step: Floats, downhill: Floats | None) -> float:
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
    told = {name: _step_text(found[name], decay, moving=moving) for name in evidence.names}
    texts = [text for text in told.values() if text]
    right = [name for name, text in told.items() if text is None]
    if not texts:
        return Finding(1.0, "Right for all four parameters, on your own gradients.", about="train")
    texts.append("Look at the update: each parameter changes by -learning_rate * grads[name], once per iteration.")
    first_wrong = {name: _first_wrong(found[name], decay) for name, text in told.items() if text}
    finding = Finding(len(right) / 4, "\n".join(texts), about="train")
    return with_clues(finding, lambda: of_steps(right, first_wrong))


def _first_wrong(movement: Movement, decay: float) -> int | None:
    """Give the first iteration, counted from 1, that does not go along the own gradient; None where that is unknown."""
    if not movement.candid or not movement.led or movement.still:
        return None
    if not min(abs(movement.rates[0] - 1), abs(movement.rates[0] - decay)) < 1e-4:
        return 1
    return next((1 + index for index, rate in enumerate(movement.rates) if not np.isfinite(rate)), None)


def _step_text(movement: Movement, decay: float, *, moving: bool) -> str | None:
    name = movement.name
    if not movement.candid:
        return f"{name} cannot be judged: loss() gives a right gradient where it is asked alone, and another one here."
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


@fact
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
        told = " It was decayed in every iteration, or twice an epoch, instead of once an epoch."
    elif np.ptp(rates) < 1e-4 * abs(rates[0]):
        told = " It was never decayed (verbose was False: does the decay stand inside `if verbose`?)."
    text = (
        f"With learning_rate_decay={factor:g} and two iterations an epoch, the rates of four iterations must be"
        f" 1, 0.5, 0.5, 0.25 of learning_rate; yours were {shown}.{told}\n"
        "Look at where the rate is multiplied: only where an epoch begins or ends, iterations_per_epoch = max(N // batch_size, 1)."
    )
    return Finding(0.0, text, about="train")
