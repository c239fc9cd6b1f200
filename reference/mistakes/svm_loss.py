"""Mistakes in the multiclass SVM's hinge loss (Lecture 4, derivations)."""

from typing import Any

import numpy as np

from grader.model import Array, Variant
from reference.losses import centred, d_softmax_loss, margins_of, softmax_loss, svm
from reference.mistakes.entry import Mistake, Number, define_kind
from reference.network import Network


def squared(margins: Any) -> Any:
    return lambda z, y: (np.maximum(margins(z, y), 0) ** 2).sum() / len(y)


def d_squared(margins: Any) -> Any:
    def d_scores(z: Array, y: Array) -> Any:
        dz = 2 * np.maximum(margins(z, y), 0)
        dz[np.arange(len(y)), y] = -dz.sum(axis=1)
        return dz / len(y)

    return d_scores


def at_true_class(margins: Any, times: float, more: float) -> Any:
    """Make a gradient that has times the number of violated margins, and more, at the true class."""

    def d_scores(z: Array, y: Array) -> Any:
        dz = (margins(z, y) > 0) * 1.0
        dz[np.arange(len(y)), y] = times * dz.sum(axis=1) + more
        return dz / len(y)

    return d_scores


def other_margin(c: float) -> Any:
    return {"data_term": svm(c).forward, "d_scores": svm(c).backward}


_loss = define_kind(
    stage="loss", formula="{data_loss}", source=("Lecture 4", "derivations"), charged=("data_loss",), about="data loss",
    shows_in=("loss", "gradient", "stability"), losses=("svm",),
)  # fmt: skip
_gradient = define_kind(
    stage="gradients", formula="{dz}", source=("derivations",), charged=("gradient_W{last}", "gradient_b{last}"),
    about="dscores", shows_in=("gradient",), losses=("svm",),
)  # fmt: skip
MISTAKES = (
    _loss(
        "margin_forgotten",
        "The margin is missing: a wrong class costs nothing as soon as its score is the smaller one.",
        "What should the loss be where all scores of a row are equal?",
        other_margin(0.0),
        {"data_term": svm(0.0).forward},
    ),
    _loss(
        "wrong_margin",
        "The margin is {c}; the assignment asks for {margin}.",
        "What should the loss be where all scores of a row are equal?",
        number=Number(other_margin, 1e-3, 100.0, (0.5, 2.0), (0.5, 2.0)),
    ),
    _loss(
        "cross_entropy_for_hinge",
        "The loss is the softmax's cross-entropy instead of {loss}.",
        "Look up which loss the assignment names. Is there an exp or a log in it?",
        {"centre": centred, "data_term": softmax_loss, "d_scores": d_softmax_loss},
        {"data_term": softmax_loss},
    ),
)


def list_mistakes(variant: Variant, network: Network) -> tuple[Mistake, ...]:
    """Return those of the margin that the variant has."""
    margin, margins, right = variant.margin, margins_of(variant.margin), network.data_term
    return (
        _loss(
            "true_class_counted",
            "The sum over the classes counts the true class, too: each example costs {margin} more.",
            "Over which classes does the sum go? What is the term of the true class itself?",
            {"data_term": lambda z, y: right(z, y) + margin},
            shows_in=("loss", "stability"),
        ),
        _loss(
            "margins_not_cut_off",
            "The margins are added up as they are: max(0, ...) is missing.",
            "What does a class cost whose score is far below the true one's?",
            {"data_term": lambda z, y: margins(z, y).sum() / len(y)},
        ),
        _loss(
            "margins_squared",
            "The margins are squared.",
            "Is there a square in the formula of the hinge loss?",
            {"data_term": squared(margins), "d_scores": d_squared(margins)},
            {"data_term": squared(margins)},
        ),
        *_in_gradient(margins),
    )


def _in_gradient(margins: Any) -> tuple[Mistake, ...]:
    return (
        _gradient(
            "no_gradient_at_the_true_class",
            "The gradient has nothing at the true class. It is minus the number of violated margins there.",
            "The true class's score is in every margin of its row. With which sign?",
            {"d_scores": at_true_class(margins, 0, 0)},
        ),
        _gradient(
            "minus_one_at_the_true_class",
            "The gradient at the true class is minus one. It is minus the number of violated margins of the row.",
            "In how many terms of a row does the true class's score stand?",
            {"d_scores": at_true_class(margins, 0, -1)},
        ),
        _gradient(
            "true_class_counted_in_gradient",
            "The number of violated margins counts the true class, too: the gradient there is one too low.",
            "Which margins are counted? That of the true class with itself is always violated.",
            {"d_scores": at_true_class(margins, -1, -1)},
        ),
    )
