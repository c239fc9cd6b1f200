"""Mistakes in train(): batches, steps, the learning rate, and what is kept."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from reference.mistakes.entry import Misconception

if TYPE_CHECKING:
    from grader.records import Array, Params
    from reference.regularisers import Names


# ---------------------------------------------------------------- the step


def weights_alone(params: Params, gradients: Params, rate: float, names: Names, _memory: dict[str, Any]) -> Any:
    weights = [name for name, _bias in names]
    return {name: theta - rate * gradients[name] if name in weights else theta for name, theta in params.items()}


def biases_alone(params: Params, gradients: Params, rate: float, names: Names, _memory: dict[str, Any]) -> Any:
    biases = [name for _weights, name in names]
    return {name: theta - rate * gradients[name] if name in biases else theta for name, theta in params.items()}


def all_but_second_bias(params: Params, gradients: Params, rate: float, names: Names, _memory: dict[str, Any]) -> Any:
    return {name: theta - rate * gradients[name] * (name != names[1][1]) for name, theta in params.items()}


def all_but_first_bias(params: Params, gradients: Params, rate: float, names: Names, _memory: dict[str, Any]) -> Any:
    return {name: theta - rate * gradients[name] * (name != names[0][1]) for name, theta in params.items()}


def first_bias_twice(params: Params, gradients: Params, rate: float, names: Names, _memory: dict[str, Any]) -> Any:
    times = {names[0][1]: 2, names[1][1]: 0}
    return {name: theta - rate * gradients[name] * times.get(name, 1) for name, theta in params.items()}


def first_weights_twice(params: Params, gradients: Params, rate: float, names: Names, _memory: dict[str, Any]) -> Any:
    times = {names[0][0]: 2, names[1][0]: 0}
    return {name: theta - rate * gradients[name] * times.get(name, 1) for name, theta in params.items()}


def last_layer_alone(params: Params, gradients: Params, rate: float, names: Names, _memory: dict[str, Any]) -> Any:
    return {name: theta - rate * gradients[name] * (name in names[1]) for name, theta in params.items()}


def first_layer_alone(params: Params, gradients: Params, rate: float, names: Names, _memory: dict[str, Any]) -> Any:
    return {name: theta - rate * gradients[name] * (name in names[0]) for name, theta in params.items()}


def uphill(params: Params, gradients: Params, rate: float, _names: Names, _memory: dict[str, Any]) -> Any:
    return {name: theta + rate * gradients[name] for name, theta in params.items()}


def biases_uphill(params: Params, gradients: Params, rate: float, names: Names, _memory: dict[str, Any]) -> Any:
    biases = [name for _weights, name in names]
    return {
        name: theta + rate * gradients[name] if name in biases else theta - rate * gradients[name]
        for name, theta in params.items()
    }


def without_rate(params: Params, gradients: Params, _rate: float, _names: Names, _memory: dict[str, Any]) -> Any:
    return {name: theta - gradients[name] for name, theta in params.items()}


def rate_squared(params: Params, gradients: Params, rate: float, _names: Names, _memory: dict[str, Any]) -> Any:
    return {name: theta - rate * rate * gradients[name] for name, theta in params.items()}


def step_twice(params: Params, gradients: Params, rate: float, _names: Names, _memory: dict[str, Any]) -> Any:
    return {name: theta - 2 * rate * gradients[name] for name, theta in params.items()}


def replaced(_params: Params, gradients: Params, rate: float, _names: Names, _memory: dict[str, Any]) -> Any:
    return {name: -rate * gradient for name, gradient in gradients.items()}


def nothing(params: Params, _gradients: Params, _rate: float, _names: Names, _memory: dict[str, Any]) -> Any:
    return dict(params)


def momentum(params: Params, gradients: Params, rate: float, _names: Names, memory: dict[str, Any]) -> Any:
    for name, gradient in gradients.items():
        memory[name] = 0.9 * memory.get(name, 0) - rate * gradient
    return {name: theta + memory[name] for name, theta in params.items()}


def momentum_of_half(params: Params, gradients: Params, rate: float, _names: Names, memory: dict[str, Any]) -> Any:
    for name, gradient in gradients.items():
        memory[name] = 0.5 * memory.get(name, 0) - rate * gradient
    return {name: theta + memory[name] for name, theta in params.items()}


def momentum_of_95(params: Params, gradients: Params, rate: float, _names: Names, memory: dict[str, Any]) -> Any:
    for name, gradient in gradients.items():
        memory[name] = 0.95 * memory.get(name, 0) - rate * gradient
    return {name: theta + memory[name] for name, theta in params.items()}


def running_mean(params: Params, gradients: Params, rate: float, _names: Names, memory: dict[str, Any]) -> Any:
    for name, gradient in gradients.items():
        memory[name] = 0.9 * memory.get(name, 0) + 0.1 * gradient
    return {name: theta - rate * memory[name] for name, theta in params.items()}


def nesterov(params: Params, gradients: Params, rate: float, _names: Names, memory: dict[str, Any]) -> Any:
    before = dict(memory)
    for name, gradient in gradients.items():
        memory[name] = 0.9 * memory.get(name, 0) - rate * gradient
    return {name: theta - 0.9 * before.get(name, 0) + 1.9 * memory[name] for name, theta in params.items()}


def gradients_added_up(params: Params, gradients: Params, rate: float, _names: Names, memory: dict[str, Any]) -> Any:
    for name, gradient in gradients.items():
        memory[name] = memory.get(name, 0) + gradient
    return {name: theta - rate * memory[name] for name, theta in params.items()}


def adam(params: Params, gradients: Params, rate: float, _names: Names, memory: dict[str, Any]) -> Any:
    memory["t"] = memory.get("t", 0) + 1
    after = {}
    for name, theta in params.items():
        m, v = memory.get(name, (0, 0))
        m, v = 0.9 * m + 0.1 * gradients[name], 0.999 * v + 0.001 * gradients[name] ** 2
        memory[name] = m, v
        corrected = m / (1 - 0.9 ** memory["t"]), v / (1 - 0.999 ** memory["t"])
        after[name] = theta - rate * corrected[0] / (np.sqrt(corrected[1]) + 1e-8)
    return after


def adagrad(params: Params, gradients: Params, rate: float, _names: Names, memory: dict[str, Any]) -> Any:
    for name, gradient in gradients.items():
        memory[name] = memory.get(name, 0) + gradient**2
    return {name: theta - rate * gradients[name] / (np.sqrt(memory[name]) + 1e-8) for name, theta in params.items()}


def rmsprop(params: Params, gradients: Params, rate: float, _names: Names, memory: dict[str, Any]) -> Any:
    for name, gradient in gradients.items():
        memory[name] = 0.9 * memory.get(name, 0) + 0.1 * gradient**2
    return {name: theta - rate * gradients[name] / (np.sqrt(memory[name]) + 1e-8) for name, theta in params.items()}


def sign_of_gradient(params: Params, gradients: Params, rate: float, _names: Names, _memory: dict[str, Any]) -> Any:
    return {name: theta - rate * np.sign(gradients[name]) for name, theta in params.items()}


def unit_gradient(params: Params, gradients: Params, rate: float, _names: Names, _memory: dict[str, Any]) -> Any:
    return {name: theta - rate * gradients[name] / np.linalg.norm(gradients[name]) for name, theta in params.items()}


# ---------------------------------------------------------------- the batch, and what loss() is asked


def without_reg(X: Array, y: Array, _reg: float) -> Any:
    return X, y, 0.0


def reg_doubled(X: Array, y: Array, reg: float) -> Any:
    return X, y, 2 * reg


def whole_set(_rng: Any, X: Array, y: Array, _batch_size: int) -> Any:
    return X, y


def first_rows(_rng: Any, X: Array, y: Array, batch_size: int) -> Any:
    return X[:batch_size], y[:batch_size]


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


def one_row(rng: Any, X: Array, y: Array, _batch_size: int) -> Any:
    indices = rng.choice(len(X), 1)
    return X[indices], y[indices]


def one_row_many_times(rng: Any, X: Array, y: Array, batch_size: int) -> Any:
    indices = np.repeat(rng.choice(len(X), 1), batch_size)
    return X[indices], y[indices]


def twice_the_rows(rng: Any, X: Array, y: Array, batch_size: int) -> Any:
    indices = rng.choice(len(X), 2 * batch_size)
    return X[indices], y[indices]


# ---------------------------------------------------------------- the rate, the epochs, what is kept


def never(rate: float, _factor: float, _iteration: int, _per_epoch: int) -> Any:
    return rate


def every_iteration(rate: float, factor: float, _iteration: int, _per_epoch: int) -> Any:
    return rate * factor


def divided(rate: float, factor: float, iteration: int, per_epoch: int) -> Any:
    return rate / factor if iteration % per_epoch == 0 else rate


def all_but_each_epoch(rate: float, factor: float, iteration: int, per_epoch: int) -> Any:
    return rate if iteration % per_epoch == 0 else rate * factor * factor


def compounded(rate: float, factor: float, iteration: int, per_epoch: int) -> Any:
    epoch = iteration // per_epoch + 1
    return rate * factor**epoch if iteration % per_epoch == 0 else rate


def compounded_every_iteration(rate: float, factor: float, iteration: int, _per_epoch: int) -> Any:
    return rate * factor ** (iteration + 1)


def replaced_by_factor(rate: float, factor: float, iteration: int, per_epoch: int) -> Any:
    return factor if iteration % per_epoch == 0 else rate


def twice_an_epoch(rate: float, factor: float, iteration: int, per_epoch: int) -> Any:
    return rate * factor * factor if iteration % per_epoch == 0 else rate


def always(_iteration: int, _per_epoch: int) -> Any:
    return True


def never_an_epoch(_iteration: int, _per_epoch: int) -> Any:
    return False


def one_iteration(_num_iters: int, _per_epoch: int) -> Any:
    return 1


def epochs(num_iters: int, per_epoch: int) -> Any:
    return num_iters * per_epoch


def one_too_few(num_iters: int, _per_epoch: int) -> Any:
    return num_iters - 1


def one_too_many(num_iters: int, _per_epoch: int) -> Any:
    return num_iters + 1


def small_weights(params: Params, rng: Any) -> Any:
    return {name: 1e-4 * rng.standard_normal(theta.shape) for name, theta in params.items()}


def zero_biases(params: Params, rng: Any) -> Any:
    return {
        name: 1e-4 * rng.standard_normal(theta.shape) if theta.ndim > 1 else np.zeros(theta.shape)
        for name, theta in params.items()
    }


def no_losses(_losses: Array, train: Array, val: Array) -> Any:
    return {"loss_history": [], "train_acc_history": train, "val_acc_history": val}


def last_loss(losses: Array, train: Array, val: Array) -> Any:
    return {"loss_history": losses[-1:], "train_acc_history": train, "val_acc_history": val}


def running_total(losses: Array, train: Array, val: Array) -> Any:
    return {"loss_history": np.cumsum(losses), "train_acc_history": train, "val_acc_history": val}


def percentages(losses: Array, train: Array, val: Array) -> Any:
    return {
        "loss_history": losses,
        "train_acc_history": 100 * np.array(train),
        "val_acc_history": 100 * np.array(val),
    }


def error_rates(losses: Array, train: Array, val: Array) -> Any:
    return {
        "loss_history": losses,
        "train_acc_history": 1 - np.array(train),
        "val_acc_history": 1 - np.array(val),
    }


def exchanged(losses: Array, train: Array, val: Array) -> Any:
    return {"loss_history": losses, "train_acc_history": val, "val_acc_history": train}


def no_accuracies(losses: Array, _train: Array, _val: Array) -> Any:
    return {"loss_history": losses, "train_acc_history": [], "val_acc_history": []}


def no_validation(losses: Array, train: Array, _val: Array) -> Any:
    return {"loss_history": losses, "train_acc_history": train, "val_acc_history": []}


def losses_alone(losses: Array, _train: Array, _val: Array) -> Any:
    return list(losses)


def not_returned(_losses: Array, _train: Array, _val: Array) -> Any:
    return None


_STEP = "theta <- theta - learning_rate dL/dtheta, for W1, b1, W2 and b2"
_BATCH = "batch_size rows drawn anew in each iteration, each with its own label"
_RATE = "learning_rate <- learning_rate * learning_rate_decay, once an epoch"
_KEPT = "one loss an iteration; one accuracy of each kind an epoch"


def _of(check: str, about: str, formula: str) -> Any:
    """Give a maker of entries that are charged at one check."""

    def made(identity: str, title: str, hint: str, *ways: Any, about: str = about, **more: Any) -> Misconception:
        return Misconception(identity, "train", title, hint, formula, ("003",), (check,), about, ways, **more)

    return made


_step, _batch = _of("update_rule", "update", _STEP), _of("minibatch", "batch", _BATCH)
_rate, _kept = _of("decay", "decay", _RATE), _of("histories", "returned histories", _KEPT)

TRAIN = (
    _step(
        "biases_never_updated",
        "train() updates the weights alone: the biases never change.",
        "How many parameters are there, and how many of them does one iteration change?",
        {"update": weights_alone},
    ),
    _step(
        "weights_never_updated",
        "train() updates the biases alone: the weights never change.",
        "How many parameters are there, and how many of them does one iteration change?",
        {"update": biases_alone},
    ),
    _step(
        "one_bias_never_updated",
        "train() leaves one of the two biases as it is.",
        "Tick off W1, b1, W2, b2 in your update.",
        {"update": all_but_second_bias},
        {"update": all_but_first_bias},
    ),
    _step(
        "one_parameter_updated_twice",
        "train() updates one parameter twice, and the one of the other layer not at all.",
        "Read the names in your update aloud: a 1 where a 2 should stand?",
        {"update": first_bias_twice},
        {"update": first_weights_twice},
    ),
    _step(
        "one_layer_never_updated",
        "train() updates the parameters of one layer only.",
        "Tick off W1, b1, W2, b2 in your update.",
        {"update": last_layer_alone},
        {"update": first_layer_alone},
    ),
    _step(
        "uphill",
        "train() moves up the gradient instead of down.",
        "The gradient points to where the loss grows. Which sign takes you away from there?",
        {"update": uphill},
    ),
    _step(
        "biases_uphill",
        "train() moves the biases up their gradient; the weights go down.",
        "Compare the signs of all four updates.",
        {"update": biases_uphill},
    ),
    _step(
        "rate_left_out",
        "The step is the whole gradient: the learning rate is missing.",
        "Which of train()'s arguments says how long a step is?",
        {"update": without_rate},
    ),
    _step(
        "rate_twice",
        "The gradient is multiplied by the learning rate twice.",
        "Follow the learning rate through your update: where does it enter?",
        {"update": rate_squared},
    ),
    _step(
        "step_taken_twice",
        "Each step is taken twice.",
        "How often does one iteration change each parameter?",
        {"update": step_twice},
    ),
    _step(
        "parameters_replaced",
        "The parameters are replaced by the step instead of moved by it.",
        "What is left of the old value in your update? Look at = and +=.",
        {"update": replaced},
    ),
    _step(
        "nothing_updated",
        "train() changes no parameter.",
        "Is the new value stored in self.params, or in a variable that is forgotten?",
        {"update": nothing},
    ),
    _step(
        "momentum",
        "train() uses momentum; plain gradient descent is asked for.",
        "Does a step depend on the steps before it? Here it must not.",
        {"update": momentum},
        {"update": momentum_of_half},
        {"update": momentum_of_95},
        {"update": running_mean},
        {"update": nesterov},
    ),
    _step(
        "gradients_added_up",
        "Each step uses the sum of all gradients so far.",
        "Is the gradient of the last iteration thrown away before the next is computed?",
        {"update": gradients_added_up},
    ),
    _step(
        "adaptive_steps",
        "train() scales each entry's step by itself (Adam, RMSprop, Adagrad); plain gradient descent is asked for.",
        "What stands between the gradient and the step in your update?",
        {"update": adam},
        {"update": adagrad},
        {"update": rmsprop},
    ),
    _step(
        "length_of_gradient_lost",
        "The step uses the gradient's direction or sign only, not its length.",
        "Is the gradient divided by something before the step?",
        {"update": sign_of_gradient},
        {"update": unit_gradient},
    ),
    _step(
        "reg_not_passed_on",
        "train() does not pass reg on to loss(): it trains without a regulariser.",
        "Which of train()'s arguments reach the call of loss()?",
        {"loss_arguments": without_reg},
        about="loss call",
    ),
    _step(
        "reg_doubled",
        "train() asks loss() with twice its reg.",
        "Follow reg from train()'s argument to the call of loss().",
        {"loss_arguments": reg_doubled},
        about="loss call",
    ),
    _step(
        "started_anew",
        "train() sets the parameters anew instead of going on from those that it was given.",
        "Where are the parameters made? What becomes of them when train() is called a second time?",
        {"begin": small_weights},
        {"begin": zero_biases},
        about="train",
    ),
    _step(
        "ends_after_one_iteration",
        "train() ends after its first iteration.",
        "Look at the indentation of the return.",
        {"iterations": one_iteration},
        about="returned histories",
    ),
    _step(
        "iterations_are_epochs",
        "train() takes num_iters epochs; num_iters is the number of steps.",
        "How often does your loop run for num_iters=4, with two batches an epoch?",
        {"iterations": epochs},
        about="train",
    ),
    _step(
        "one_iteration_off",
        "train() takes one step too few, or one too many.",
        "How often does your loop run for num_iters=1?",
        {"iterations": one_too_few},
        {"iterations": one_too_many},
        about="train",
    ),
    _batch(
        "whole_set_each_time",
        "Every iteration uses all rows: no minibatch is drawn.",
        "Where does batch_size enter?",
        {"draw_batch": whole_set},
    ),
    _batch(
        "same_batch_each_time",
        "Every iteration uses the same rows.",
        "Is the batch drawn inside the loop? Does chance enter?",
        {"draw_batch": first_rows},
    ),
    _batch(
        "labels_of_other_rows",
        "The labels of a batch are not those of its rows.",
        "How many times are indices drawn in one iteration? X and y need the same ones.",
        {"draw_batch": other_labels},
        {"draw_batch": labels_in_order},
    ),
    _batch(
        "drawn_from_wrong_range",
        "The rows of a batch are drawn from the first few only: the range of the indices is not the number of rows.",
        "How large can an index become in your draw, and how many rows are there? X.shape is (N, D).",
        {"draw_batch": from_features},
        {"draw_batch": from_batch_size},
    ),
    _batch(
        "one_row_a_batch",
        "Each iteration uses one row only.",
        "How many indices are drawn for a batch?",
        {"draw_batch": one_row},
        {"draw_batch": one_row_many_times},
    ),
    _batch(
        "batch_too_large",
        "Each iteration uses more rows than batch_size.",
        "How many indices are drawn for a batch?",
        {"draw_batch": twice_the_rows},
    ),
    _rate(
        "decay_every_iteration",
        "The learning rate decays in every iteration instead of once an epoch.",
        "How many iterations make an epoch? Look at the indentation of the decay.",
        {"decay": every_iteration},
    ),
    _rate(
        "decay_forgotten",
        "The learning rate never decays.",
        "Where is learning_rate_decay used? If it is: does it stand inside `if verbose`?",
        {"decay": never},
    ),
    _rate(
        "decay_divides",
        "The learning rate grows: it is divided by the decay.",
        "Is learning_rate_decay above or below 1? What does dividing by it do?",
        {"decay": divided},
    ),
    _rate(
        "decay_at_other_times",
        "The learning rate decays at other times, or more often, than once an epoch.",
        "Write down for six iterations, two an epoch, in which of them your rate changes.",
        {"decay": all_but_each_epoch},
        {"decay": twice_an_epoch},
    ),
    _rate(
        "decay_compounded",
        "The decay is compounded: the rate, decayed already, is multiplied by the decay to the power of the epoch.",
        "Either multiply by the decay once an epoch, or start from the first rate and take a power. Which do you do?",
        {"decay": compounded},
        {"decay": compounded_every_iteration},
    ),
    _rate(
        "rate_replaced_by_decay",
        "The learning rate is set to the decay instead of multiplied by it.",
        "Look at = and *=.",
        {"decay": replaced_by_factor},
    ),
    _kept(
        "losses_not_kept",
        "loss_history does not hold one loss for each iteration.",
        "Where is loss_history added to? Is that inside the loop?",
        {"report_training": no_losses},
        {"report_training": last_loss},
        about="loss history",
    ),
    _kept(
        "losses_added_up",
        "loss_history holds the running total of the losses.",
        "Is the loss added to the one before it?",
        {"report_training": running_total},
        about="loss history",
    ),
    _kept(
        "accuracies_in_percent",
        "The accuracies are percentages; fractions from 0 to 1 are asked for.",
        "What does the mean of an array of True and False give?",
        {"report_training": percentages},
        about="val accuracy",
    ),
    _kept(
        "error_rates_for_accuracies",
        "The accuracies are error rates: the share of wrong labels.",
        "Is a perfect network at 1 or at 0?",
        {"report_training": error_rates},
        about="val accuracy",
    ),
    _kept(
        "accuracies_exchanged",
        "train_acc_history and val_acc_history are exchanged.",
        "Follow each accuracy from where it is computed to the key under which it is returned.",
        {"report_training": exchanged},
        about="val accuracy",
    ),
    _kept(
        "accuracies_not_kept",
        "The accuracies are not kept.",
        "Where are the two accuracy histories added to?",
        {"report_training": no_accuracies},
        {"report_training": no_validation},
        {"is_epoch": never_an_epoch},
        about="val accuracy",
    ),
    _kept(
        "accuracies_each_iteration",
        "The accuracies are kept in every iteration; once an epoch is asked for.",
        "What must be true of an iteration's number at the end of an epoch?",
        {"is_epoch": always},
        about="epoch",
    ),
    _kept(
        "histories_not_returned",
        "train() does not return the dict of its three histories.",
        "Compare your return statement with what the docstring promises.",
        {"report_training": losses_alone},
        {"report_training": not_returned},
    ),
)
