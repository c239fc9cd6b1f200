"""The rows of each batch: those of the call of loss() that explains the step."""

import numpy as np

from grader.checks.context import GradingContext, cached_per_submission
from grader.checks.preconditions import observation, precondition
from grader.checks.registry import check
from grader.checks.watched_training import ROWS, arguments_of, final_params, read_watched_run
from grader.model import Array, Call, Finding, Floats
from grader.records import dataclass

LOOK = "Look at the indices: in each iteration, draw batch_size of the N rows, and use the same indices for X and y."
NEAR = 1e-5  # of a row, relative: a program may train in single precision
BY_CHANCE = 1e-5


@dataclass(frozen=True)
class Batches:
    """What is known about train()'s batches.

    kind : "right", "whole", "same", "narrow", "size", "labels", "foreign" or "unknown".
    rows : for "size", the largest number of different rows in an iteration.
    """

    kind: str
    finding: Finding
    rows: int = 0


@check("train", by_chance=True)
def minibatch(context: GradingContext) -> Finding:
    """Each iteration draws a new minibatch of batch_size rows, each with its own label."""
    return examine_batches(context).finding


@cached_per_submission
def examine_batches(context: GradingContext) -> Batches:
    """Return how train() draws its batches."""
    problem = precondition(context)
    if problem:
        return Batches("unknown", problem)
    if observation(context) == "whole":
        return _batches_from_steps(context)
    seen, call = read_watched_run(context, ROWS), context.call(ROWS)
    questions = [step.question for step in seen.steps if step.question] if seen else []
    if not questions:
        text = (
            "Not judged: train() changes no parameter yet."
            if not seen or not seen.steps
            else "train() does not call loss()."
        )
        return Batches("unknown", Finding(0.0, text, skipped=True, about="train"))
    given = arguments_of(call)
    X, y = given["X"], given["y"]
    found = [positions(question.X, X) for question in questions]
    if any(rows is None for rows in found):
        text = f"train() calls loss() with rows that are not among the {len(X)} rows of X.\n{LOOK}"
        return Batches("foreign", Finding(0.0, text, about="train"))
    rows = [one for one in found if one is not None]
    if any((question.y != y[one]).any() for question, one in zip(questions, rows, strict=True)):
        return Batches("labels", Finding(0.0, f"Rows of a batch have the labels of other rows.\n{LOOK}", about="train"))
    return judge_rows(call, rows)


def positions(batch: Floats, X: Floats) -> Array | None:
    """Return which row of X each row of a batch is, (n,) int64; None where one is none."""
    if batch.ndim != 2 or batch.shape[1] != X.shape[1]:
        return None
    apart = np.abs(batch[:, None] - X[None]).max(axis=2)
    nearest = apart.argmin(axis=1)
    return nearest if (apart[np.arange(len(batch)), nearest] <= NEAR * np.abs(X).max()).all() else None


def judge_rows(call: Call, batches: list[Array]) -> Batches:
    """Judge the rows of each iteration, given as positions (n,)."""
    given = arguments_of(call)
    (rows, inputs), size = given["X"].shape, int(given["batch_size"])

    def wrong(kind: str, text: str, share: float = 0.0, used: int = 0) -> Batches:
        return Batches(kind, Finding(share, f"{text}\n{LOOK}", about="train"), used)

    counts = [np.bincount(batch, minlength=rows) for batch in batches]
    if all((count == count[0]).all() for count in counts):
        return wrong("whole", f"Every iteration used all {rows} rows, but batch_size is {size}.")
    sizes = {len(batch) for batch in batches}
    if sizes != {size}:
        shown = " or ".join(str(one) for one in sorted(sizes))
        return wrong("size", f"With batch_size={size}, an iteration used {shown} rows.", used=max(sizes))
    different = {int((count > 0).sum()) for count in counts}
    if different == {1}:
        return wrong("size", f"With batch_size={size}, each iteration used one row {size} times.", used=1)
    if len(counts) > 1 and len({count.tobytes() for count in counts}) <= len(counts) // 3:
        chosen = ", ".join(str(int(row)) for row in np.flatnonzero(counts[0]))
        return wrong("same", f"All iterations used the same rows ({chosen}).", 0.25)
    edge = max(size, inputs, 2 * rows // 3)
    # As seldom right draws stay among the first rows by chance; three batches of three do so once in forty times.
    if (edge / rows) ** (size * len(counts)) < BY_CHANCE and not np.sum(counts, axis=0)[edge:].any():
        last = 1 + int(np.flatnonzero(np.sum(counts, axis=0)).max())
        return wrong("narrow", f"Only the first {last} of {rows} rows were ever used.", 0.25)
    text = f"Right: {size} rows in each iteration, each with its own label, and different rows each time."
    return Batches("right", Finding(1.0, text, about="train"))


def _batches_from_steps(context: GradingContext) -> Batches:
    """Return the batches, worked out from steps of one iteration on rows with linearly independent gradients.

    For programs that stand-ins cannot watch. It needs right gradients, since it uses the reference's for each row.
    """
    calls = context.calls("alone")
    batches = []
    for call in calls:
        batch = _rows_used(context, call)
        if batch is None:
            text = (
                "The step is not the mean of the right gradients of single rows with their own labels: X and y of a batch do not"
                f" belong together, or the gradients are not right yet.\n{LOOK}"
            )
            return Batches("labels", Finding(0.0, text, about="train"))
        batches.append(batch)
    return judge_rows(calls[0], batches)


def _rows_used(context: GradingContext, call: Call) -> Array | None:
    """Return the rows of the batch of one iteration, as positions; None where no batch explains the step."""
    given, after = arguments_of(call), final_params(context, call.id)
    if after is None:
        return None
    names = context.names
    right = [context.expected(call.id)[f"row_{name}"] for name in names]
    design = np.concatenate([one.reshape(len(one), -1) for one in right], axis=1).T
    step = np.concatenate([(call.params[name] - after[name]).ravel() for name in names]) / given["learning_rate"]
    shares, *_ = np.linalg.lstsq(design, step, rcond=None)
    if not step.any() or np.linalg.norm(step - design @ shares) > 1e-3 * np.linalg.norm(step):
        return None
    # A batch of n rows gives each of them 1/n; the smallest share that any row has tells n.
    smallest = shares[shares > 1e-3].min(initial=1.0)
    counts = np.round(shares / smallest).astype(np.int64)
    if (counts < 0).any() or np.abs(shares / smallest - counts).max() > 0.01 or counts.sum() > 10 * len(counts):
        return None
    # All shares are a multiple of 1/n: 1/3 of each of three, or 2/6.
    times = max(1, round(1 / (smallest * counts.sum())))
    return np.repeat(np.arange(len(counts)), counts * times)
