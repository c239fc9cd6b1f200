"""Mistakes in the learning rate's decay, and in what train() keeps and returns."""

from typing import Any

import numpy as np

from reference.mistakes.entry import Number, define_kind


def all_but_each_epoch(rate: float, factor: float, iteration: int, per_epoch: int) -> Any:
    return rate if iteration % per_epoch == 0 else rate * factor * factor


def compounded(rate: float, factor: float, iteration: int, per_epoch: int) -> Any:
    epoch = iteration // per_epoch + 1
    return rate * factor**epoch if iteration % per_epoch == 0 else rate


def twice_an_epoch(rate: float, factor: float, iteration: int, per_epoch: int) -> Any:
    return rate * factor * factor if iteration % per_epoch == 0 else rate


def by_a_constant(c: float) -> Any:
    def decay(rate: float, _factor: float, iteration: int, per_epoch: int) -> Any:
        return rate * c if iteration % per_epoch == 0 else rate

    return decay


def each_period(c: int) -> Any:
    def decay(rate: float, factor: float, iteration: int, _per_epoch: int) -> Any:
        return rate * factor if iteration % c == 0 else rate

    return decay


def decayed_for_this_step(rate: float, factor: float) -> Any:
    return rate * factor


def histories(losses: Any, train: Any, val: Any) -> Any:
    return {"loss_history": losses, "train_acc_history": train, "val_acc_history": val}


_RATE = "learning_rate <- learning_rate * learning_rate_decay, once an epoch"
_KEPT = "one loss an iteration; one accuracy of each kind an epoch"
_rate = define_kind(
    stage="train", formula=_RATE, source=("Lecture 4",), charged=("decay",), about="decay", shows_in=("moved",)
)
_kept = define_kind(
    stage="train", formula=_KEPT, source=("Lecture 4",), charged=("histories",), about="returned histories",
    shows_in=("accuracies kept",),
)  # fmt: skip

MISTAKES = (
    _rate(
        "decay_every_iteration",
        "The learning rate decays in every iteration instead of once an epoch.",
        "How many iterations make an epoch? Look at the indentation of the decay.",
        {"decay": lambda rate, factor, _iteration, _per_epoch: rate * factor},
    ),
    _rate(
        "decay_forgotten",
        "The learning rate never decays.",
        "Is learning_rate_decay used anywhere? If so, is it inside `if verbose`?",
        {"decay": lambda rate, _factor, _iteration, _per_epoch: rate},
    ),
    _rate(
        "decay_divides",
        "The learning rate grows: it is divided by the decay.",
        "Is learning_rate_decay above or below 1? What does division by it do?",
        {"decay": lambda rate, factor, iteration, per_epoch: rate / factor if iteration % per_epoch == 0 else rate},
    ),
    _rate(
        "decay_at_other_times",
        "The learning rate decays at the wrong times, or more often than once an epoch.",
        "With two iterations an epoch, write down in which of the first six your rate changes.",
        {"decay": all_but_each_epoch},
        {"decay": twice_an_epoch},
    ),
    _rate(
        "decay_compounded",
        "The decay is compounded: the decayed rate is multiplied by the decay to the power of the epoch.",
        "Either multiply by the decay once an epoch, or multiply the first rate by a power. Which do you do?",
        {"decay": compounded},
        {"decay": lambda rate, factor, iteration, _per_epoch: rate * factor ** (iteration + 1)},
    ),
    _rate(
        "rate_replaced_by_decay",
        "The learning rate is set to the decay instead of being multiplied by it.",
        "Look at = and *=.",
        {"decay": lambda rate, factor, iteration, per_epoch: factor if iteration % per_epoch == 0 else rate},
    ),
    _rate(
        "decay_in_every_step",
        "Every step multiplies the learning rate by the decay, and then forgets the product.",
        "At which rate is the very first step taken? Is your product still there in the next iteration?",
        {"step_rate": decayed_for_this_step, "decay": lambda rate, _factor, _iteration, _per_epoch: rate},
        {"step_rate": decayed_for_this_step},
    ),
    _rate(
        "decay_by_a_constant",
        "The learning rate is multiplied by {c} once an epoch, and learning_rate_decay is ignored.",
        "Where is learning_rate_decay used?",
        number=Number(lambda c: {"decay": by_a_constant(c)}, 1e-3, 2.0, (0.95, 0.9), (0.5, 0.9)),
    ),
    _rate(
        "decay_in_a_fixed_period",
        "The learning rate decays every {c} iterations, however long an epoch is.",
        "How many iterations make an epoch? Where does your condition get that number?",
        number=Number(lambda c: {"decay": each_period(round(c))}, 1.0, 10000.0, (3.0,), (3.0, 100.0)),
    ),
    _kept(
        "losses_not_kept",
        "loss_history does not hold one loss for each iteration.",
        "Where do you append to loss_history? Is that inside the loop?",
        {"report_training": lambda _losses, train, val: histories([], train, val)},
        {"report_training": lambda losses, train, val: histories(losses[-1:], train, val)},
        about="loss history",
        shows_in=("losses kept",),
    ),
    _kept(
        "losses_added_up",
        "loss_history holds running totals instead of losses.",
        "Is the loss added to the one before it?",
        {"report_training": lambda losses, train, val: histories(np.cumsum(losses), train, val)},
        about="loss history",
        shows_in=("losses kept",),
    ),
    _kept(
        "accuracies_in_percent",
        "The accuracies are percentages instead of fractions from 0 to 1.",
        "What is the mean of an array of True and False?",
        {"report_training": lambda losses, train, val: histories(losses, 100 * np.array(train), 100 * np.array(val))},
        about="val accuracy",
    ),
    _kept(
        "error_rates_for_accuracies",
        "The accuracies are error rates: the share of wrong labels.",
        "Should a perfect network have 1 or 0?",
        {"report_training": lambda losses, train, val: histories(losses, 1 - np.array(train), 1 - np.array(val))},
        about="val accuracy",
    ),
    _kept(
        "accuracies_exchanged",
        "train_acc_history and val_acc_history are swapped.",
        "Follow each accuracy from where it is computed to the key under which it is returned.",
        {"report_training": lambda losses, train, val: histories(losses, val, train)},
        about="val accuracy",
    ),
    _kept(
        "accuracies_not_kept",
        "The accuracies are not kept.",
        "Where do you append to the two accuracy histories?",
        {"report_training": lambda losses, _train, _val: histories(losses, [], [])},
        {"report_training": lambda losses, train, _val: histories(losses, train, [])},
        {"is_epoch": lambda _iteration, _per_epoch: False},
        about="val accuracy",
    ),
    _kept(
        "accuracies_each_iteration",
        "The accuracies are kept in every iteration instead of once an epoch.",
        "What must be true of an iteration's number at the end of an epoch?",
        {"is_epoch": lambda _iteration, _per_epoch: True},
        about="epoch",
    ),
    _kept(
        "histories_not_returned",
        "train() does not return the dict of its three histories.",
        "Compare your return statement with what the docstring promises.",
        {"report_training": lambda losses, _train, _val: list(losses)},
        {"report_training": lambda _losses, _train, _val: None},
        shows_in=("losses kept", "accuracies kept"),
    ),
)
