"""Where train() and predict() go wrong: the line that is told is the one that was changed."""

import numpy as np
import pytest

from grader.locate.training_lines import iterations
from locate.programs import CLASSIC, SHARED, changed

# Nothing is learnt here from which lines are taken: the finders' lines are proved by what they tell.
pytestmark = pytest.mark.untraced

UPDATES = "".join(
    f"            self.params['{name}'] -= learning_rate * grads['{name}']\n" for name in ("W1", "b1", "W2", "b2")
)
LOOP = "            for name in {}:\n                self.params[name] {} learning_rate * grads[name]\n"
# What is wrong: the change, a text of the line that is told first, and the step that it is told as.
WRONG_IN_TRAIN = {
    "labels from other indices": ("y_batch = y[rows]", "y_batch = y[np.random.choice(num_train, batch_size)]", "y_batch = y[", "labels"),
    "the first labels": ("y_batch = y[rows]", "y_batch = y[:batch_size]", "y_batch = y[", "labels"),
    "the whole set each time": ("X_batch = X[rows]", "X_batch, y = X[np.arange(num_train)], y[np.arange(num_train)]; rows = np.arange(num_train)", "np.arange(num_train)", "batch"),
    "one batch for ever": ("rows = np.random.choice(num_train, batch_size)", "rows = np.arange(batch_size)", "rows = np.arange", "batch"),
    "a regulariser that is not passed on": ("y=y_batch, reg=reg", "y=y_batch", "self.loss(X_batch, y=y_batch)", "loss call"),
    "uphill": ("self.params['W2'] -=", "self.params['W2'] +=", "self.params['W2'] +=", "update W2"),
    "twice the step": ("self.params['b1'] -= learning_rate", "self.params['b1'] -= 2 * learning_rate", "self.params['b1'] -= 2", "update b1"),
    "uphill in a loop": (UPDATES, LOOP.format("self.params", "+="), "+= learning_rate", "update W1"),
    "some names only": (UPDATES, LOOP.format("['W1', 'W2']", "-="), "for name in ['W1', 'W2']", "update b1"),
    "parameters made anew": ("        for it in range(num_iters):", "        self.params['W1'] = self.params['W1'] * 0.5\n        for it in range(num_iters):", "* 0.5", "anew"),
    "decay at every step": ("                learning_rate *=", "            learning_rate *=", "learning_rate *=", "decay"),
    "decay at the wrong times": ("                learning_rate *=", "            if it % 2 == 0:\n                learning_rate *=", "if it % 2 == 0", "decay"),
    "another decay": ("*= learning_rate_decay", "*= learning_rate_decay ** 2", "learning_rate *=", "decay"),
    "a decay that the step does not use": ("                learning_rate *= learning_rate_decay", "                rate = learning_rate * learning_rate_decay", "self.params['b2']", "decay"),
    "a history of the last loss": ("loss_history.append(loss)", "loss_history = [loss]", "loss_history = [loss]", "loss history"),
    "a history that is scaled": ("loss_history.append(loss)", "loss_history.append(loss / batch_size)", "loss_history.append", "loss history"),
    "accuracy of the wrong set": ("(self.predict(X_val) == y_val).mean()", "(self.predict(X_val) == y_val).sum() / 100", "val_acc = ", "val accuracy"),
    "accuracies at every step": ("if it % per_epoch == 0:", "if it >= 0:", "if it >= 0", None),
    "ends early": ("        return {\n", "            return {\n", "return {", "iterations"),
    "nothing is returned": ("        return {\n            'loss_history'", "        kept = {\n            'loss_history'", None, "returned histories"),
    "an exception": ("loss_history.append(loss)", "loss_history.add(loss)", "loss_history.add", "stopped"),
}  # fmt: skip


# Every third is in the default run.
@pytest.mark.parametrize(
    ("old", "new", "told", "step"),
    [
        pytest.param(*case, id=name, marks=[pytest.mark.slow] if at % 3 else [])
        for at, (name, case) in enumerate(WRONG_IN_TRAIN.items())
    ],
)
def test_the_line_of_train_that_is_wrong(located, old, new, told, step):
    """What the changed line does is the first thing told of train(); loss() and predict() are right."""
    found = located(changed(CLASSIC, (old, new)))
    wrong = found.spotted("train")
    if told is None:  # a line that does nothing makes nothing
        assert step in [one.step for one in wrong] or not wrong
    else:
        quoted = found.statements.place(*wrong[0].spot).text
        assert told in quoted, (wrong[0].step, quoted)
        assert step in {wrong[0].step, None}
    assert not found.spotted("loss")
    assert not found.spotted("predict")


WRONG_IN_PREDICT = {
    "the wrong axis": ("labels = np.argmax(scores, axis=1)", "labels = np.argmax(scores, axis=0)", "axis=0", "labels"),
    "the lowest": ("labels = np.argmax(scores, axis=1)", "labels = np.argmin(scores, axis=1)", "argmin", "labels"),
    "a missing layer": ("scores = a1.dot(self", "scores = z1.dot(self", "scores = z1.dot", "predict scores"),
    "a missing bias": (" + self.params['b2']\n        labels", "\n        labels", "scores = a1.dot(self", "predict scores"),
    "the first label alone": (
        "        labels = np.argmax(scores, axis=1)\n        return labels",
        "        labels = np.zeros(len(X), dtype=int)\n        for i in range(len(X)):\n            labels[i] = np.argmax(scores[i])\n            return labels",
        "return labels",
        "labels",
    ),
    "an exception": ("np.argmax(scores, axis=1)", "np.argmax(scores, axis=2)", "axis=2", "stopped"),
}  # fmt: skip


@pytest.mark.parametrize(("old", "new", "told", "step"), WRONG_IN_PREDICT.values(), ids=WRONG_IN_PREDICT)
def test_the_line_of_predict_that_is_wrong(located, old, new, told, step):
    """The line at which predict() leaves the right way is told, and nothing of loss() and train()."""
    found = located(changed(CLASSIC, (old, new)))
    (wrong,) = found.spotted("predict")
    assert (told in found.statements.place(*wrong.spot).text, wrong.step) == (True, step)
    assert not found.spotted("loss")
    assert not found.spotted("train")


def test_the_roles_of_a_wrong_train(located):
    """A check of one part of train() is told the step that goes with it before what else is wrong."""
    found = located(
        changed(
            SHARED,
            ("y_batch = y[rows]", "y_batch = y[:batch_size]"),
            ("loss_history.append(loss)", "loss_history.append(loss * 2)"),
        )
    )
    assert "y_batch = y[:batch_size]" in found.place("batch").text
    assert "loss_history.append(loss * 2)" in found.place("loss history").text


def test_a_single_number_in_place_of_rows_is_no_iteration():
    """A forged recording may hold anything; it ends in nothing found."""
    one = np.ones((1, 1))
    notes = {
        "states": np.ones((2, 1)),
        "asked": np.zeros((1, 4)),
        "gradients": one,
        "X": np.array(1.0),
        "y": np.ones(1),
    }
    assert iterations(notes, {"W1": one}) == []
    assert len(iterations(notes | {"X": one}, {"W1": one})) == 1
