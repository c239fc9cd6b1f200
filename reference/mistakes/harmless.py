"""Other ways to the same numbers, some of which look like mistakes: listed so that nobody is punished for them."""

from typing import Any

import numpy as np

from grader.model import Array, Params, Stage
from reference.losses import probabilities
from reference.mistakes.entry import Mistake
from reference.regularisers import Names


def by_one_hot(z: Array, y: Array) -> Any:
    return -(np.eye(z.shape[1])[y] * np.log(probabilities(z))).sum() / len(y)


def traces(params: Params, names: Names) -> Any:
    return sum(np.trace(params[weights].T @ params[weights]) for weights, _bias in names)


def without_replacement(rng: Any, X: Array, y: Array, batch_size: int) -> Any:
    indices = rng.permutation(len(X))[:batch_size]
    return X[indices], y[indices]


def at_the_end(rate: float, factor: float, iteration: int, per_epoch: int) -> Any:
    return rate * factor if (iteration + 1) % per_epoch == 0 else rate


def _harmless(identity: str, stage: Stage, title: str, formula: str, *forms: Any, **more: Any) -> Mistake:
    hint = "Nothing to fix."
    return Mistake(identity, stage, title, hint, formula, ("derivations",), (), "", forms, harmless=True, **more)


MISTAKES = (
    _harmless(
        "mask_at_zero",
        "gradients",
        "The mask lets u = 0 through, a value that does not occur.",
        "f'(u)",
        {"d_activate": lambda dh, layer: dh * (layer.u >= 0)},
    ),
    _harmless(
        "mask_of_output",
        "gradients",
        "The mask is taken from h instead of u.",
        "h > 0 where u > 0",
        {"d_activate": lambda dh, layer: np.where(layer.h > 0, dh, 0.0)},
    ),
    _harmless(
        "relu_otherwise",
        "scores",
        "The ReLU is written as (u + |u|) / 2 or u (u > 0).",
        "max(0, u)",
        {"activate": lambda u: (u + np.abs(u)) / 2},
        {"activate": lambda u: u * (u > 0)},
    ),
    _harmless(
        "small_epsilon",
        "loss",
        "1e-8 is added inside the logarithm.",
        "-log p",
        {"data_term": lambda z, y: -np.log(probabilities(z)[np.arange(len(y)), y] + 1e-08).mean()},
    ),
    _harmless(
        "by_one_hot",
        "loss",
        "Labels are one-hot rows.",
        "-sum_j t_j log p_j",
        {"data_term": by_one_hot, "d_scores": lambda z, y: (probabilities(z) - np.eye(z.shape[1])[y]) / len(y)},
    ),
    _harmless(
        "shifted_further",
        "loss",
        "More than the maximum is subtracted.",
        "softmax(z - c)",
        {"centre": lambda z: z - z.max(axis=1, keepdims=True) - 1},
    ),
    _harmless(
        "regulariser_as_trace",
        "loss",
        "The regulariser is a trace.",
        "sum W^2 = tr W^T W",
        {"penalty_term": traces},
    ),
    _harmless(
        "without_replacement",
        "train",
        "Batches are drawn without replacement.",
        "batch_size rows",
        {"draw_batch": without_replacement},
        shows_in=("batches",),
    ),
    _harmless(
        "decay_at_the_end",
        "train",
        "The learning rate decays in the last iteration of an epoch.",
        "once an epoch",
        {"decay": at_the_end},
        shows_in=("moved",),
    ),
    _harmless(
        "argmax_of_probabilities",
        "predict",
        "The class is chosen by probability.",
        "exp grows with z",
        {"label": lambda z: np.argmax(np.exp(z - z.max(axis=1, keepdims=True)), axis=1)},
    ),
)
