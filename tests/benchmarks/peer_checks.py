"""Our checks, written as an instructor would for nbgrader or otter-grader: plain assertions in the student's own kernel.

Copied beside each peer's tests together with questions.npz: the calls that our grader makes, on the same inputs, and the
reference's answers. So this file imports numpy alone. A call is made once, however many checks look at its reply; that is
how our grader does it, and it saves the peers time. train() is run once on the data of our watched run, in a subclass that
notes what loss() is asked; ours runs it a few times more. The tolerances are the assignment's.
"""

import json
import random
from itertools import pairwise
from pathlib import Path

import numpy as np

QUESTIONS = Path(__file__).with_name("questions.npz")
# Our checks by the test cell, or test case, that they stand in. Every cell costs the peers a little: eight, not eighteen.
GROUPS = {
    "scores": ("scores",),
    "loss": ("data_loss", "regularised_loss", "stability", "purity"),
    "gradients": ("gradient_W1", "gradient_b1", "gradient_W2", "gradient_b2"),
    "numeric_gradient": ("numeric_gradient",),
    "train": ("update_rule", "decay", "minibatch", "histories", "learns_toy"),
    "digits": ("learns_digits",),
    "predict": ("predict",),
    "hyperparameters": ("best_hyperparameters",),
}


class Exam:
    """One submission's class and hyperparameters, and what it has replied so far."""

    def __init__(self, make, hyperparameters, path):
        self._make = make
        self._hyperparameters = hyperparameters
        with np.load(path, allow_pickle=False) as stored:
            # All arrays at once: an open archive would unpack one again at each look.
            self._arrays = {name: stored[name] for name in stored.files}
        table = json.loads(str(self._arrays["table"]))
        self.tolerances = table["tolerances"]
        self.thresholds = table["thresholds"]
        self.calls = {call["id"]: call for call in table["calls"]}
        self._expected = table["expected"]
        self._replies = {}

    def family(self, prefix):
        """Return the ids of one family's calls, in the order in which they are asked."""
        return [identity for identity in self.calls if identity.split("/")[0] == prefix]

    def expected(self, identity):
        """Return the reference's answer to a call."""
        return {name: self._arrays[key] for name, key in self._expected[identity].items()}

    def given(self, identity):
        """Return a call's parameters."""
        return {name: self._arrays[key] for name, key in self.calls[identity]["params"].items()}

    def reply(self, identity):
        """Make a network, give it its parameters, take the steps: as our worker does."""
        if identity not in self._replies:
            call = self.calls[identity]
            random.seed(call["seed"])
            np.random.seed(call["seed"])  # noqa: NPY002 -- students use the global generator
            net = None if call["steps"][0][0] == "variable" else self._network(call["sizes"], self.given(identity))
            first, results = {}, []
            for number, (method, raw) in enumerate(call["steps"]):
                arguments = {name: self._restored(value) for name, value in raw.items()}
                first = arguments if number == 0 else first
                if method == "variable":
                    results.append(dict(self._hyperparameters))
                elif method == "train_with":
                    settings = dict(self._hyperparameters)
                    net = self._make(call["sizes"][0], settings.pop("hidden_size"), call["sizes"][2])
                    data = {name: arguments[name] for name in ("X", "y", "X_val", "y_val")}
                    results.append(net.train(**data, **settings))
                elif method == "params":
                    results.append({name: np.array(value) for name, value in net.params.items()})
                elif method == "arguments":
                    results.append(first)
                elif method == "sweep":
                    results.append(self._sweep(net, self.given(identity), **arguments))
                else:
                    results.append(getattr(net, method)(**arguments))
            self._replies[identity] = results
        return self._replies[identity]

    def training(self):
        """Train once, and note what loss() is asked with labels: return arguments, notes, answer and last parameters."""
        if "training" not in self._replies:
            call, seen = self.calls["watched/rows"], []

            class Watched(self._make):
                def loss(self, X, y=None, reg=0.0):
                    answer = super().loss(X, y, reg)
                    if y is not None:
                        params = {name: value.copy() for name, value in self.params.items()}
                        seen.append({"params": params, "X": X, "y": y, "loss": answer[0], "grads": answer[1]})
                    return answer

            arguments = {name: self._restored(value) for name, value in call["steps"][0][1].items()}
            arguments = {name: value for name, value in arguments.items() if name not in {"method", "replaced"}}
            random.seed(call["seed"])
            np.random.seed(call["seed"])  # noqa: NPY002 -- students use the global generator
            net = self._network(call["sizes"], self.given("watched/rows"), Watched)
            self._replies["training"] = (arguments, seen, net.train(**arguments), net.params)
        return self._replies["training"]

    def _network(self, sizes, params, make=None):
        net = (make or self._make)(*sizes)
        for name, value in params.items():
            net.params[name] = value.copy()
        return net

    def _restored(self, value):
        return self._arrays[value["array"]].copy() if isinstance(value, dict) and "array" in value else value

    @staticmethod
    def _sweep(net, params, X, y, reg, h):
        losses = {name: np.empty((2, *value.shape)) for name, value in params.items()}
        for name, value in params.items():
            for entry in np.ndindex(*value.shape):
                for side, move in enumerate((h, -h)):
                    for other, right in params.items():
                        net.params[other] = right.copy()
                    net.params[name][entry] += move
                    losses[name][(side, *entry)] = net.loss(X.copy(), y=y.copy(), reg=reg)[0]
        return losses


def near(theirs, right, relative):
    """Return whether every entry is near enough, relative to itself and to the array's largest."""
    right = np.asarray(right)
    return np.shape(theirs) == right.shape and np.allclose(
        theirs, right, rtol=relative, atol=relative * np.abs(right).max()
    )


# ---------------------------------------------------------------- the forward pass and the gradients


def scores(exam):
    """Compare the scores."""
    for identity in exam.family("scores"):
        assert near(exam.reply(identity)[0], exam.expected(identity)["scores"], exam.tolerances["scores"])


def data_loss(exam):
    """Compare the loss without regulariser."""
    for identity in exam.family("loss"):
        right = exam.expected(identity)
        assert right["reg"] or near(exam.reply(identity)[0][0], right["data_loss"], exam.tolerances["loss"])


def convention(exam):
    """Return the factor of the regulariser that the losses show: a half or one, both of which are accepted."""
    for factor in (0.5, 1.0):
        found = []
        for identity in exam.family("loss"):
            right = exam.expected(identity)
            whole = right["data_loss"] + factor * right["reg"] * right["penalty"]
            found.append(near(exam.reply(identity)[0][0], whole, exam.tolerances["loss"]))
        if all(found):
            return factor
    raise AssertionError("the regulariser is neither half nor full")


def stability(exam):
    """Shift all scores by a thousand: the loss must not change."""
    for identity in exam.family("stability"):
        assert near(exam.reply(identity)[0][0], exam.expected(identity)["data_loss"], exam.tolerances["loss"])


def purity(exam):
    """Ask the same twice, then look whether anything given was changed."""
    (first, grads), (second, again), params, arguments = exam.reply("purity")
    right = exam.expected("purity")
    assert first == second
    for name, value in exam.given("purity").items():
        assert np.array_equal(grads[name], again[name])
        assert np.array_equal(params[name], value)
    assert np.array_equal(arguments["X"], right["X"])
    assert np.array_equal(arguments["y"], right["y"])


def gradient(exam, name):
    """Compare one parameter's gradient, with the regulariser that the losses show."""
    factor = convention(exam)
    for identity in exam.family("loss"):
        right = exam.expected(identity)
        whole = right[f"data_{name}"] + factor * right["reg"] * right[f"penalty_{name}"]
        assert near(exam.reply(identity)[0][1][name], whole, exam.tolerances["gradient"]), name


def numeric_gradient(exam):
    """Hold the gradients to the central differences of the student's own loss."""
    (identity,) = exam.family("sweep")
    grads = exam.reply(identity.replace("sweep", "loss"))[0][1]
    for name, (above, below) in exam.reply(identity)[0].items():
        numeric = (above - below) / (2 * exam.tolerances["step"])
        assert near(grads[name], numeric, exam.tolerances["numeric"]), name


# ---------------------------------------------------------------- train(), predict(), the digits


def rates(exam):
    """Return each iteration's learning rate, of which each parameter must have moved along its own gradient."""
    arguments, seen, _, last = exam.training()
    found = []
    for now, after in pairwise([*seen, {"params": last}]):
        before, grads = now["params"], now["grads"]
        steps = {name: before[name] - after["params"][name] for name in before}
        moved = sum(float((steps[name] * grads[name]).sum()) for name in steps)
        taken = moved / sum(float((grads[name] ** 2).sum()) for name in steps)
        for name, step in steps.items():
            allowed = exam.tolerances["update"] * arguments["learning_rate"] * np.abs(grads[name]).max()
            assert np.abs(step - taken * grads[name]).max() <= allowed, name
        found.append(taken / arguments["learning_rate"])
    assert len(found) == arguments["num_iters"]
    return np.array(found)


def update_rule(exam):
    """Look at the first step: -learning_rate times the student's own gradient."""
    assert np.isclose(rates(exam)[0], 1.0, rtol=1e-4)


def decay(exam):
    """Look at the rates of all iterations: the rate decays once an epoch, after its first iteration or its last."""
    arguments, *_ = exam.training()
    steps = np.arange(arguments["num_iters"])
    epoch = len(arguments["X"]) // arguments["batch_size"]
    accepted = arguments["learning_rate_decay"] ** np.array([steps // epoch, (steps + epoch - 1) // epoch])
    assert (np.abs(rates(exam) - accepted).max(axis=1) < 1e-4).any()


def minibatch(exam):
    """Look at each batch: rows of X with their own labels, as many as asked for, and not always the same."""
    arguments, seen, *_ = exam.training()
    for one in seen:
        rows = [int(np.flatnonzero((arguments["X"] == row).all(axis=1))[0]) for row in one["X"]]
        assert len(rows) == arguments["batch_size"]
        assert np.array_equal(arguments["y"][rows], one["y"])
    assert not all(np.array_equal(one["X"], seen[0]["X"]) for one in seen)


def histories(exam):
    """Compare the histories with the student's own losses, and the accuracies with being fractions."""
    _, seen, trained, _ = exam.training()
    assert np.allclose(trained["loss_history"], [one["loss"] for one in seen], rtol=1e-4)
    for name in ("train_acc_history", "val_acc_history"):
        assert len(trained[name]) in {1, 2, 3}
        assert all(0 <= accuracy <= 1 for accuracy in trained[name])


def learns_toy(exam):
    """Look whether the toy is learnt by heart."""
    z, y = exam.reply("toy")[2], exam.expected("toy")["y"]
    shifted = z - z.max(axis=1, keepdims=True)
    assert np.mean(np.log(np.exp(shifted).sum(axis=1)) - shifted[np.arange(len(y)), y]) <= exam.thresholds["toy"]


def recognised(exam, identity):
    """Return the share of held-out digits that the trained network's scores recognise."""
    return np.mean(exam.reply(identity)[-1].argmax(axis=1) == exam.expected(identity)["y"])


def learns_digits(exam):
    """Look whether the digits are learnt."""
    assert recognised(exam, "digits") >= exam.thresholds["digits"]


def best_hyperparameters(exam):
    """Look whether the digits are learnt with the student's hyperparameters."""
    assert recognised(exam, "tuned") >= exam.thresholds["tuned"]


def predict(exam):
    """Compare the labels."""
    for identity in exam.family("predict"):
        assert np.array_equal(exam.reply(identity)[0], exam.expected(identity)["labels"])


CHECKS = {
    "scores": scores,
    "data_loss": data_loss,
    "regularised_loss": convention,
    "stability": stability,
    "purity": purity,
    **{f"gradient_{name}": lambda exam, name=name: gradient(exam, name) for name in ("W1", "b1", "W2", "b2")},
    "numeric_gradient": numeric_gradient,
    "update_rule": update_rule,
    "decay": decay,
    "minibatch": minibatch,
    "histories": histories,
    "learns_toy": learns_toy,
    "learns_digits": learns_digits,
    "predict": predict,
    "best_hyperparameters": best_hyperparameters,
}


_exams = {}  # by class: a kernel has one, and each of its test cells goes on where the one before ended


def check(group, make, hyperparameters):
    """Run one group of checks on the student's class, as a test cell does; an AssertionError is a failed test."""
    if make not in _exams:
        _exams[make] = Exam(make, hyperparameters, QUESTIONS)
    for name in GROUPS[group]:
        CHECKS[name](_exams[make])


def run_checks(make, hyperparameters, path):
    """Run all checks on one submission."""
    exam = Exam(make, hyperparameters, path)
    for judge in CHECKS.values():
        judge(exam)
