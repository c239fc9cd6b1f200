"""Mistakes in what train() trains on: the batch, the arguments of loss(), where it starts and how long it goes on."""

from typing import Any

import numpy as np

from grader.model import Array, Params
from reference.mistakes.entry import Number, define_kind


def other_labels(rng: Any, X: Array, y: Array, batch_size: int) -> Any:
    X_batch = X[rng.choice(len(X), batch_size)]
    return X_batch, y[rng.choice(len(X), batch_size)]


def labels_in_order(rng: Any, X: Array, y: Array, batch_size: int) -> Any:
    X_batch = X[rng.choice(len(X), batch_size)]
    return X_batch, y[:batch_size]


def from_features(rng: Any, X: Array, y: Array, batch_size: int) -> Any:
    indices = rng.choice(X.shape[1], batch_size)
    return X[indices], y[indices]


def from_batch_size(rng: Any, X: Array, y: Array, batch_size: int) -> Any:
    indices = rng.choice(batch_size, batch_size)
    return X[indices], y[indices]


def one_row_many_times(rng: Any, X: Array, y: Array, batch_size: int) -> Any:
    indices = np.repeat(rng.choice(len(X), 1), batch_size)
    return X[indices], y[indices]


def rows_of(c: int) -> Any:
    def rows_drawn(_batch_size: int, _num_iters: int, _X: Array) -> Any:
        return c

    return rows_drawn


def small_weights(params: Params, rng: Any) -> Any:
    return {name: 1e-4 * rng.standard_normal(theta.shape) for name, theta in params.items()}


def zero_biases(params: Params, rng: Any) -> Any:
    return {
        name: 1e-4 * rng.standard_normal(theta.shape) if theta.ndim > 1 else np.zeros(theta.shape)
        for name, theta in params.items()
    }


# What shows that train() takes another number of steps.
_HOW_OFTEN = ("moved", "losses kept", "accuracies kept", "batches")
_STEP = "theta <- theta - learning_rate dL/dtheta, for W1, b1, W2 and b2"
_BATCH = "batch_size new rows drawn in each iteration, each with its own label"
_step = define_kind(
    stage="train", formula=_STEP, source=("Lecture 4",), charged=("update_rule",), about="update", shows_in=("moved",)
)
_batch = define_kind(
    stage="train", formula=_BATCH, source=("Lecture 4",), charged=("minibatch",), about="batch", shows_in=("batches",)
)

MISTAKES = (
    _step(
        "reg_not_passed_on",
        "train() does not pass reg to loss(): it trains without a regulariser.",
        "Which of train()'s arguments does the call of loss() get?",
        {"loss_arguments": lambda X, y, _reg: (X, y, 0.0)},
        about="loss call",
        shows_in=("reg",),
    ),
    _step(
        "reg_doubled",
        "train() calls loss() with twice its reg.",
        "Follow reg from train()'s argument to the call of loss().",
        {"loss_arguments": lambda X, y, reg: (X, y, 2 * reg)},
        about="loss call",
        shows_in=("reg",),
    ),
    _step(
        "started_anew",
        "train() resets the parameters instead of starting from the network's own.",
        "Where are the parameters created? What happens to them when train() is called a second time?",
        {"begin": small_weights},
        {"begin": zero_biases},
        about="train",
    ),
    _step(
        "ends_after_one_iteration",
        "train() stops after its first iteration.",
        "Look at the indentation of the return.",
        {"iterations": lambda _num_iters, _per_epoch: 1},
        about="returned histories",
        shows_in=_HOW_OFTEN,
    ),
    _step(
        "iterations_are_epochs",
        "train() runs num_iters epochs, but num_iters is the number of steps.",
        "How often does your loop run for num_iters=4, with two batches an epoch?",
        {"iterations": lambda num_iters, per_epoch: num_iters * per_epoch},
        about="train",
        shows_in=_HOW_OFTEN,
    ),
    _step(
        "one_iteration_off",
        "train() takes one step too few or one too many.",
        "How often does your loop run for num_iters=1?",
        {"iterations": lambda num_iters, _per_epoch: num_iters - 1},
        {"iterations": lambda num_iters, _per_epoch: num_iters + 1},
        about="train",
        shows_in=_HOW_OFTEN,
    ),
    _batch(
        "whole_set_each_time",
        "Every iteration uses all rows: no minibatch is drawn.",
        "Where do you use batch_size?",
        {"draw_batch": lambda _rng, X, y, _batch_size: (X, y)},
    ),
    _batch(
        "same_batch_each_time",
        "Every iteration uses the same rows.",
        "Is the batch drawn inside the loop? Is it drawn at random?",
        {"draw_batch": lambda _rng, X, y, batch_size: (X[:batch_size], y[:batch_size])},
    ),
    _batch(
        "labels_of_other_rows",
        "The labels of a batch do not belong to its rows.",
        "How many times are indices drawn in one iteration? X and y need the same ones.",
        {"draw_batch": other_labels},
        {"draw_batch": labels_in_order},
    ),
    _batch(
        "drawn_from_wrong_range",
        "The batches use only the first few rows: the range of the indices is not the number of rows.",
        "How large can an index become in your draw, and how many rows are there? X.shape is (N, D).",
        {"draw_batch": from_features},
        {"draw_batch": from_batch_size},
    ),
    _batch(
        "one_row_a_batch",
        "Each iteration uses one row only.",
        "How many indices are drawn for a batch?",
        {"rows_drawn": rows_of(1)},
        {"draw_batch": one_row_many_times},
    ),
    _batch(
        "batch_too_large",
        "Each iteration uses more rows than batch_size.",
        "How many indices are drawn for a batch?",
        {"rows_drawn": lambda batch_size, _num_iters, _X: 2 * batch_size},
    ),
    _batch(
        "batch_of_a_fixed_size",
        "Each iteration uses {c} rows, and ignores batch_size.",
        "How many indices are drawn for a batch, and what decides that?",
        number=Number(lambda c: {"rows_drawn": rows_of(round(c))}, 1.0, 1000.0, (2.0, 5.0), (2.0, 8.0)),
    ),
    _batch(
        "batch_size_of_another_number",
        "The number of rows in a batch is not batch_size but another number.",
        "Read aloud the argument that gives the number of indices. Does it change with batch_size?",
        {"rows_drawn": lambda _batch_size, num_iters, _X: num_iters},
        {"rows_drawn": lambda _batch_size, _num_iters, X: len(X) // 2},
        {"rows_drawn": lambda _batch_size, _num_iters, X: X.shape[1]},
    ),
)
