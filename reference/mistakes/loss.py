"""Mistakes in a loss's mean, and in the cross-entropy: its logarithm, its softmax; some carried through to the gradient."""

import math
from typing import Any

import numpy as np

from grader.model import Array, Variant
from reference.losses import as_they_are, cross_entropy, less_target, probabilities
from reference.mistakes.entry import Mistake, define_kind
from reference.network import Network


def over_examples(z: Array) -> Any:
    return np.exp(z) / np.exp(z).sum(axis=0)


def over_the_batch(z: Array) -> Any:
    return np.exp(z) / np.exp(z).sum()


def loss_over_examples(z: Array, y: Array) -> Any:
    return cross_entropy(over_examples(z), y)


def loss_over_the_batch(z: Array, y: Array) -> Any:
    return cross_entropy(over_the_batch(z), y)


def times(step: Any, c: float) -> Any:
    return lambda z, y: c * step(z, y)


def of_rows(step: Any) -> Any:
    return lambda z, y: step(z, y) * len(y)


def of_a_row(step: Any) -> Any:
    return lambda z, y: step(z, y) / len(y)


def of_an_entry(step: Any) -> Any:
    return lambda z, y: step(z, y) / z.shape[1]


def of_a_class(step: Any) -> Any:
    return lambda z, y: step(z, y) * len(y) / z.shape[1]


# Some are carried through to the gradient.
_IN_LOSS, CARRIED = ("loss", "stability"), ("loss", "gradient", "stability")
SOFTMAX, _L = "p = exp(z) / sum_j exp(z_j)", "data loss = 1/N sum_i -log p[i, y_i]"


of_softmax = define_kind(
    stage="loss", formula=_L, source=("Lecture 4", "derivations"), charged=("data_loss",), about="data loss", shows_in=_IN_LOSS,
    losses=("softmax",),
)  # fmt: skip
_of_any = define_kind(
    stage="loss",
    formula="{data_loss}",
    source=("Lecture 4", "derivations"),
    charged=("data_loss",),
    about="data loss",
    shows_in=_IN_LOSS,
)
_overflow = define_kind(
    stage="loss", formula=f"{SOFTMAX}; subtract the row's maximum first", source=("derivations",), charged=("stability",), about="exp",
    shows_in=("stability",), losses=("softmax",),
)  # fmt: skip

MISTAKES = (
    of_softmax(
        "logarithm_left_out",
        "The data loss uses the probability of the right class, not its logarithm.",
        "Write down the cross-entropy. What is done to p before the mean is taken?",
        {"data_term": lambda z, y: -probabilities(z)[np.arange(len(y)), y].mean()},
        {"data_term": lambda z, y: (1 - probabilities(z)[np.arange(len(y)), y]).mean()},
    ),
    of_softmax(
        "logarithm_of_the_mean",
        "The loss is the logarithm of a mean. It must be the mean of the logarithms.",
        "In which order do the sum over the examples and the logarithm stand in the formula?",
        {"data_term": lambda z, y: -np.log(probabilities(z)[np.arange(len(y)), y].mean())},
    ),
    of_softmax(
        "logarithm_of_every_class",
        "The loss adds up -log p over all classes; only the right class of each example counts.",
        "The formula needs one number per example. How do you pick the right class's number out of a row?",
        {"data_term": lambda z, y: -np.log(probabilities(z)).sum() / len(y)},
        {"data_term": lambda z, _y: -np.log(probabilities(z)).mean()},
    ),
    of_softmax(
        "labels_pick_columns",
        "The labels pick whole columns: each example is counted with all other examples' labels, too.",
        "What shape does p[:, y] have, and what shape should the probabilities of the right classes have?",
        {"data_term": lambda z, y: -np.log(probabilities(z)[:, y]).mean()},
        {"data_term": lambda z, y: -np.log(probabilities(z)[:, y]).sum() / len(y)},
        formula="data loss = 1/N sum_i -log p[i, y_i]: one entry a row",
    ),
    of_softmax(
        "list_for_an_index",
        "The index is a list of two arrays. numpy takes that for rows, so whole rows are counted instead of single entries.",
        "Compare p[[rows, y]] with p[rows, y]: what shape does each have? Before numpy 1.23 they were the same.",
        {"data_term": lambda z, y: -np.log(probabilities(z)[[np.arange(len(y)), y]]).sum() / len(y)},
        {"data_term": lambda z, y: -np.log(probabilities(z)[[np.arange(len(y)), y]]).mean()},
        formula="data loss = 1/N sum_i -log p[i, y_i]: one entry a row",
        # A label that is no row's number raises, and then nothing is returned.
        shows_in=CARRIED,
    ),
    of_softmax(
        "largest_probability",
        "The loss takes the largest probability of each row instead of the right class's.",
        "Where do the labels y enter your loss?",
        {"data_term": lambda z, y: -np.log(probabilities(z).max(axis=1)).sum() / len(y)},
    ),
    of_softmax(
        "softmax_over_examples",
        "The softmax is normalised over the examples (axis 0) instead of over the classes of each example.",
        "Which sums of your probabilities are 1: those of the rows, or those of the columns?",
        {"data_term": loss_over_examples, "d_scores": lambda z, y: less_target(over_examples(z), y) / len(y)},
        {"data_term": loss_over_examples},
        formula=SOFTMAX,
        about="probabilities",
        source=("derivations",),
        shows_in=CARRIED,
    ),
    of_softmax(
        "softmax_over_the_batch",
        "The softmax is normalised by the sum over the whole batch instead of by each row's own sum.",
        "How many numbers is each row divided by: one of its own, or one for all? Look at axis and keepdims.",
        {"data_term": loss_over_the_batch, "d_scores": lambda z, y: less_target(over_the_batch(z), y) / len(y)},
        {"data_term": loss_over_the_batch},
        formula=SOFTMAX,
        about="probabilities",
        source=("derivations",),
        shows_in=CARRIED,
    ),
    of_softmax(
        "maximum_of_each_class",
        "The maximum of each class over the examples is subtracted before exp(). That changes the probabilities.",
        "Along which axis may a constant be subtracted without changing a row's softmax?",
        {"centre": lambda z: z - z.max(axis=0)},
        formula=SOFTMAX,
        about="probabilities",
        source=("derivations",),
        shows_in=CARRIED,
    ),
    _overflow(
        "nothing_subtracted",
        "exp() is taken of the scores themselves, and overflows where they are large.",
        "exp(1000) is inf. What can you subtract from each row of scores without changing its probabilities?",
        {"centre": as_they_are},
    ),
    _overflow(
        "maximum_of_the_batch",
        "The maximum of the whole batch is subtracted before exp(), so that one large row makes the others vanish.",
        "Two rows of scores, one around 0 and one around 1000: what is left of the first after your subtraction?",
        {"centre": lambda z: z - z.max()},
    ),
)


def list_mistakes(_variant: Variant, network: Network) -> tuple[Mistake, ...]:
    """Return the mistakes in the mean of any loss."""
    return (
        _of_any(
            "loss_summed",
            "The data loss is the sum over the examples instead of the mean.",
            "What should happen to the loss when every example is there twice?",
            {"data_term": of_rows(network.data_term)},
            {"data_term": of_rows(network.data_term), "d_scores": of_rows(network.d_scores)},
            shows_in=CARRIED,
        ),
        _of_any(
            "data_loss_counted_twice",
            "The data loss is added to the loss twice.",
            "List everything that is added to the loss between its first line and the return.",
            {"total": lambda data, penalty, strength, _N: data + data + strength * penalty},
            {"total": lambda data, penalty, strength, _N: 2 * (data + strength * penalty)},
        ),
        _of_any(
            "loss_divided_twice",
            "The data loss is divided by N twice.",
            "Count the divisions by N on the way to the loss; np.mean is one of them.",
            {"data_term": of_a_row(network.data_term)},
            {"data_term": of_a_row(network.data_term), "d_scores": of_a_row(network.d_scores)},
            shows_in=CARRIED,
        ),
        _of_any(
            "loss_divided_by_classes",
            "The data loss is averaged over the classes, or over all N times C entries, not over the N examples.",
            "What is one term of the sum: an example, or an entry of an (N, C) array? How many terms are there?",
            {"data_term": of_an_entry(network.data_term)},
            {"data_term": of_a_class(network.data_term)},
            {"data_term": of_an_entry(network.data_term), "d_scores": of_an_entry(network.d_scores)},
            {"data_term": of_a_class(network.data_term), "d_scores": of_a_class(network.d_scores)},
            shows_in=CARRIED,
        ),
        *_of_logarithms(network),
    )


def _of_logarithms(network: Network) -> tuple[Mistake, ...]:
    return (
        _of_any(
            "loss_without_minus",
            "The data loss has the wrong sign: the logarithm of a probability is negative, the loss is not.",
            "What is -log p for p = 1/2, and what is your term?",
            {"data_term": times(network.data_term, -1)},
            {"data_term": times(network.data_term, -1), "d_scores": times(network.d_scores, -1)},
            shows_in=CARRIED,
            losses=("softmax", "sigmoid"),
        ),
        _of_any(
            "wrong_logarithm",
            "The data loss uses a logarithm to base 2 or 10 instead of the natural one.",
            "Which function of numpy is the inverse of np.exp?",
            {"data_term": times(network.data_term, 1 / math.log(10))},
            {"data_term": times(network.data_term, 1 / math.log(2))},
            losses=("softmax", "sigmoid"),
        ),
    )
