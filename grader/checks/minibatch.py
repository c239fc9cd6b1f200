"""Which rows were in a batch, read off the step that train() took.

The gradient of a batch is the mean of its rows' gradients. The rows' gradients are linearly independent, and the
student's own loss() gives each of them, so one step tells how often each row was used, whatever way it was drawn; and
a step that is no such mean was taken on rows paired with other rows' labels.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from grader.checks.candour import row_gradients_as_elsewhere, rows_reached
from grader.checks.evidence import Evidence, fact, own_gradients, read_loss
from grader.checks.trainable import blocked
from grader.records import Finding, Floats

LOOK = "Look at the indices: one draw of batch_size of them from the N rows, used for X and y both, anew in each iteration."
UNEXPLAINED = 1e-3  # of the step's size; a step on mismatched labels leaves 0.3 and more


@dataclass(frozen=True)
class Drawn:
    """What the steps of train() tell of its batches.

    kind : "right", "whole", "same", "narrow", "fewer", "more", "unexplained" or "unknown".
    rows : how many rows an iteration used, where that says something.
    """

    kind: str
    finding: Finding
    rows: int = 0


def minibatch(evidence: Evidence) -> Finding:
    """Each iteration draws a new minibatch of batch_size rows, each with its own label."""
    return drawn(evidence).finding


@fact
def drawn(evidence: Evidence) -> Drawn:
    """Tell how train() draws its batches."""
    runs = [call for call in evidence.calls("rows") if call.id != "rows/0"]
    for call in runs:
        obstacle = blocked(evidence, call.id)
        if obstacle:
            return Drawn("unknown", obstacle)
    given = runs[0].steps[0].arguments
    size, inputs = int(given["batch_size"]), given["X"].shape[1]
    found = [_used(evidence, index) for index in range(len(runs))]
    problem = next((used for used in found if isinstance(used, Drawn)), None)
    shares = [used for used in found if not isinstance(used, Drawn)]
    # Momentum takes its first step as plain descent does; its later ones do not show their batch.
    if problem and not (shares and isinstance(found[-1], Drawn) and not isinstance(found[0], Drawn)):
        return problem
    return _judged([np.round(share * size, 3) for share in shares], size, inputs)


def _judged(batches: list[Floats], size: int, inputs: int) -> Drawn:
    """Judge how often each row was used in each iteration, in units of 1 / batch_size of the step.

    inputs : D, the number of features, which some draw the indices from instead of from the number of rows.
    """

    def wrong(kind: str, text: str, share: float = 0.0, used: int = 0) -> Drawn:
        return Drawn(kind, Finding(share, f"{text}\n{LOOK}", about="train"), used)

    rows = len(batches[0])
    if all((np.abs(batch * rows / size - 1) < 0.01).all() for batch in batches):
        return wrong("whole", f"Every iteration used all {rows} rows; batch_size={size} was asked.")
    counts = [np.round(batch).astype(int) for batch in batches]
    most = max(int((batch > 0.01).sum()) for batch in batches)
    # What np.allclose asks, at a tenth of its time.
    if not all(
        (np.abs(batch - count) <= 0.01 + 1e-5 * np.abs(count)).all()
        for batch, count in zip(batches, counts, strict=True)
    ):
        kind = "more" if most > size else "fewer"
        return wrong(kind, f"With batch_size={size} an iteration used {most} rows.")
    common = int(np.gcd.reduce(np.concatenate(counts)))
    if common > 1:
        text = f"With batch_size={size} each iteration used {size // common} row(s)."
        return wrong("fewer", text, used=size // common)
    if len(counts) > 1 and all(np.array_equal(count, counts[0]) for count in counts[1:]):
        chosen = ", ".join(str(int(row)) for row in np.flatnonzero(counts[0]))
        return wrong("same", f"All iterations used the same rows ({chosen}).", 0.25)
    if len(batches) > 2 and not np.array(batches)[:, max(size, inputs) :].any():
        # Twelve right draws of five among twelve rows: once in forty thousand.
        last = 1 + int(np.flatnonzero(np.sum(counts, axis=0)).max())
        return wrong("narrow", f"Of {rows} rows only the first {last} were ever used.", 0.25)
    text = f"Right: {size} rows an iteration, each with its own label, other ones each time."
    return Drawn("right", Finding(1.0, text, about="train"))


def _used(evidence: Evidence, index: int) -> Floats | Drawn:
    """Give each row's share of the step of iteration `index`."""
    runs = [call for call in evidence.calls("rows") if call.id != "rows/0"]
    call = runs[index]
    before, after = rows_reached(evidence, index), rows_reached(evidence, index + 1)
    at = "rows/0" if index == 0 else runs[index - 1].id
    if before is None or after is None:
        text = "Not judged: the parameters are missing or not finite after train()."
        return Drawn("unknown", Finding(0.0, text, skipped=True, about="train"))
    if not any((after[name] - before[name]).any() for name in call.params):
        return Drawn("unknown", Finding(0.0, "Not judged: no parameter moved.", skipped=True, about="train"))
    labels, told = evidence.expected("rows/0")["y"], False
    # A parameter whose own gradient or update is wrong is charged for that elsewhere: one that fits is enough.
    for name in call.params:
        first = 1 if index == 0 else 2
        parts = own_gradients(evidence, at, range(first, first + len(labels)), name, call.params[name].shape)
        design = np.array([part.reshape(-1) for part in parts if part is not None]).T
        if design.ndim < 2 or design.shape[1] < len(labels):
            continue
        step = (before[name] - after[name]).reshape(-1)
        weights, _, rank, _ = np.linalg.lstsq(design, step, rcond=None)
        if rank < len(labels):
            continue
        told = True
        shares = _shares(design, step, weights)
        if shares is None:
            continue
        if not row_gradients_as_elsewhere(evidence, name, design, index):
            text = f"loss() gives a right gradient for {name} where it is asked alone, and another one here for single rows."
            return Drawn("unknown", Finding(0.0, f"Not judged: {text}", about="train"))
        return shares
    if not told:
        first = 1 if index == 0 else 2
        raised = next(filter(None, (read_loss(evidence, at, first + row).finding for row in range(len(labels)))), None)
        if raised:
            text = f"Not judged: loss() does not answer for a single row. {raised.message}"
            return Drawn("unknown", Finding(0.0, text, skipped=True, about="train"))
        text = "Not judged: the gradients of single rows do not tell the rows apart; mend the gradients first."
        return Drawn("unknown", Finding(0.0, text, skipped=True, about="train"))
    text = (
        "The step is no mean of your own gradients of single rows with their own labels: X and y of a batch do not"
        f" belong together, or the gradient is not the batch's.\n{LOOK}"
    )
    return Drawn("unexplained", Finding(0.0, text, about="train"))


def _shares(design: Floats, step: Floats, weights: Floats) -> Floats | None:
    """Give c_i / sum c for the step's weights c_i; None where no mean of the gradients gives the step."""
    size = np.linalg.norm(step)
    if not size or np.linalg.norm(step - design @ weights) > UNEXPLAINED * size or not weights.sum():
        return None
    shares = weights / weights.sum()  # whatever the rate and the sign of the step, which are judged elsewhere
    return None if (shares < -0.01).any() else np.asarray(shares)
