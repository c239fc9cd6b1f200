"""Which rows were in a batch, read off the step that train() took.

The gradient of a batch is the mean of its rows' gradients. The rows' gradients are linearly independent, and the
student's own loss() gives each of them, so one step tells how often each row was used, whatever way it was drawn; and
a step that is no such mean was taken on rows paired with other rows' labels.
"""

from __future__ import annotations

import numpy as np

from grader.checks.evidence import Evidence, obstacle, own_gradient, own_params, read_loss
from grader.records import Finding, Floats

LOOK = "Look at the indices: one draw of batch_size of them from the N rows, used for X and y both, anew in each iteration."
UNEXPLAINED = 1e-3  # of the step's size; a step on mismatched labels leaves 0.3 and more


def minibatch(evidence: Evidence) -> Finding:
    """Each iteration draws a new minibatch of batch_size rows, each with its own label."""
    runs = [call for call in evidence.calls("rows") if call.id != "rows/0"]
    for call in runs:
        problem = read_loss(evidence.reply("rows/0"), 1).finding or obstacle(evidence.reply(call.id), about="train")
        if problem:
            return Finding(0.0, problem.message, (), problem.places, problem.skipped, "train")
    size = int(runs[0].steps[0].arguments["batch_size"])
    counts = []
    for index in range(len(runs)):
        used = _used(evidence, index)
        if isinstance(used, Finding):
            return used
        counts.append(used / used.sum() * size)
    batches = [np.round(count, 3) for count in counts]
    rows = len(batches[0])
    if all((np.abs(batch * rows / size - 1) < 0.01).all() for batch in batches):
        return Finding(
            0.0, f"Every iteration used all {rows} rows; batch_size={size} was asked.\n{LOOK}", about="train"
        )
    whole = all(np.allclose(batch, np.round(batch), atol=0.01) for batch in batches)
    if not whole:
        shown = max(int((batch > 0.01).sum()) for batch in batches)
        text = f"With batch_size={size} the iterations used {shown} different rows and more.\n{LOOK}"
        return Finding(0.0, text, about="train")
    if all(np.array_equal(np.round(batch), np.round(batches[0])) for batch in batches[1:]):
        chosen = ", ".join(str(int(row)) for row in np.flatnonzero(np.round(batches[0])))
        text = f"Three iterations used the same rows ({chosen}) each time.\n{LOOK}"
        return Finding(0.25, text, about="train")
    return Finding(
        1.0, f"Right: {size} rows an iteration, each with its own label, other ones each time.", about="train"
    )


def _used(evidence: Evidence, index: int) -> Floats | Finding:
    """Solve step = -sum_i c_i gradient_i for the weights c_i of the rows, in iteration `index`."""
    runs = [call for call in evidence.calls("rows") if call.id != "rows/0"]
    call = runs[index]
    before = dict(call.params) if index == 0 else own_params(evidence, runs[index - 1], 1)
    after = own_params(evidence, call, 1)
    at = evidence.reply("rows/0" if index == 0 else runs[index - 1].id)
    offset = 1 if index == 0 else 2
    if before is None or after is None:
        return Finding(
            0.0, "Not judged: the parameters are missing or not finite after train().", skipped=True, about="train"
        )
    names = [name for name in call.params if (after[name] - before[name]).any()]
    if not names:
        return Finding(0.0, "Not judged: no parameter moved.", skipped=True, about="train")
    labels = evidence.expected("rows/0")["y"]
    gradients = []
    for row in range(len(labels)):
        parts = [own_gradient(at, offset + row, name, call.params[name].shape) for name in names]
        if any(part is None for part in parts):
            return Finding(0.0, "Not judged: grads is not complete yet.", skipped=True, about="train")
        gradients.append(np.concatenate([part.reshape(-1) for part in parts if part is not None]))
    design = np.array(gradients).T
    step = np.concatenate([(before[name] - after[name]).reshape(-1) for name in names])
    if np.linalg.matrix_rank(design) < len(labels):
        text = "Not judged: the gradients of single rows do not tell the rows apart; mend the gradients first."
        return Finding(0.0, text, skipped=True, about="train")
    weights = np.linalg.lstsq(design, step, rcond=None)[0]
    left = np.linalg.norm(step - design @ weights) / np.linalg.norm(step)
    if left > UNEXPLAINED or (weights < -0.01 * np.abs(weights).max()).any():
        text = (
            "The step is no mean of your own gradients of single rows with their own labels: X and y of a batch do not"
            f" belong together, or the gradient is not the batch's.\n{LOOK}"
        )
        return Finding(0.0, text, about="train")
    return np.asarray(weights)
