"""Each mistake loses points where it should, and nowhere else: nobody pays twice."""

from dataclasses import dataclass, replace

import pytest

from examples import in_part

GRADIENTS = {"gradient_W1", "gradient_b1", "gradient_W2", "gradient_b2"}
UPDATE = "            for name in self.params:\n                self.params[name] -= learning_rate * grads[name]\n"
DRAW = "            indices = np.random.choice(num_train, batch_size)\n"
DECAY = "                learning_rate *= learning_rate_decay\n"


@dataclass(frozen=True)
class MistakeKey:
    """Edits of the solution, and the checks that must lose points by them."""

    edits: tuple[tuple[str, str], ...]
    loses: frozenset[str]  # once credit is given for what only follows
    named: tuple[str, ...]  # ids of mistakes


def mistake(*edits, loses, named=()):
    """Write a mistake down."""
    return MistakeKey(edits, frozenset(loses), named)


MISTAKES = {
    # scores
    "b1 missing": mistake(("X.dot(W1) + b1", "X.dot(W1)"), loses={"scores"}, named=("bias_forgotten",)),
    "b2 missing": mistake(("hidden.dot(W2) + b2", "hidden.dot(W2)"), loses={"scores"}, named=("bias_forgotten",)),
    "no ReLU": mistake(
        ("np.maximum(0, X.dot(W1) + b1)", "X.dot(W1) + b1"),
        loses={"scores"},
        named=("relu_left_out",),
    ),
    "scores shifted by their maximum": mistake(
        ("            return scores\n", "            return scores - scores.max(axis=1, keepdims=True)\n"),
        loses={"scores"},
        named=("scores_shifted",),
    ),
    "scores in a tuple": mistake(
        ("            return scores\n", "            return scores, hidden\n"),
        ("self.loss(X).argmax", "self.loss(X)[0].argmax"),
        loses={"scores"},
        named=("scores_in_a_tuple",),
    ),
    # loss
    "sum instead of mean, in the loss only": mistake(
        ("np.mean(np.log", "np.sum(np.log"), loses={"data_loss"}, named=("loss_summed",)
    ),
    "sum instead of mean, throughout": mistake(
        ("np.mean(np.log", "np.sum(np.log"), ("        dscores /= N\n", ""), loses={"data_loss"}, named=("loss_summed",)
    ),
    "epsilon in the logarithm is no mistake": mistake(
        (
            "np.mean(np.log(sums[:, 0]) - shifted[np.arange(N), y])",
            "np.mean(-np.log(probabilities[np.arange(N), y] + 1e-8))",
        ),
        loses=set(),
    ),
    "regulariser missing in the loss": mistake(
        ("data_loss + reg * (np.sum(W1 * W1) + np.sum(W2 * W2))", "data_loss"),
        loses={"regularised_loss"},
        named=("regulariser_left_out",),
    ),
    "W1 alone regularised in the loss": mistake(
        (" + np.sum(W2 * W2)", ""), loses={"regularised_loss"}, named=("regulariser_of_one_matrix",)
    ),
    "biases regularised, throughout": mistake(
        ("np.sum(W2 * W2))", "np.sum(W2 * W2) + np.sum(b1 * b1) + np.sum(b2 * b2))"),
        ("dscores.sum(axis=0)", "dscores.sum(axis=0) + 2 * reg * b2"),
        ("dhidden.sum(axis=0)", "dhidden.sum(axis=0) + 2 * reg * b1"),
        loses={"regularised_loss"},
        named=("biases_regularised",),
    ),
    "biases regularised in the loss only": mistake(
        ("np.sum(W2 * W2))", "np.sum(W2 * W2) + np.sum(b1 * b1) + np.sum(b2 * b2))"),
        loses={"regularised_loss"},
        named=("biases_regularised_in_loss",),
    ),
    "regulariser subtracted": mistake(
        ("data_loss + reg", "data_loss - reg"), loses={"regularised_loss"}, named=("regulariser_subtracted",)
    ),
    "regulariser divided by N": mistake(
        ("data_loss + reg *", "data_loss + reg / N *"), loses={"regularised_loss"}, named=("regulariser_divided_by_N",)
    ),
    "scores overflow": mistake(
        ("shifted = scores - scores.max(axis=1, keepdims=True)", "shifted = scores"),
        loses={"stability"},
        named=("nothing_subtracted",),
    ),
    "scores centred by the maximum of the whole batch": mistake(
        ("scores.max(axis=1, keepdims=True)\n", "scores.max()\n"), loses={"stability"}, named=("maximum_of_the_batch",)
    ),
    "sigmoid instead of the ReLU": mistake(
        ("np.maximum(0, X.dot(W1) + b1)", "1 / (1 + np.exp(-(X.dot(W1) + b1)))"),
        ("dhidden[hidden <= 0] = 0", "dhidden *= hidden * (1 - hidden)"),
        loses={"scores"},
        named=("sigmoid_for_relu",),
    ),
    "three classes written into the code": mistake(
        (
            "probabilities = exp_scores / sums",
            "probabilities = exp_scores / np.tile(exp_scores.sum(axis=1), (3, 1)).T",
        ),
        loses={"data_loss"},
        named=("classes_written_into_code",),
    ),
    "the minibatch is not written yet": mistake(
        (
            "            X_batch = X\n            y_batch = y\n"
            + DRAW
            + "            X_batch = X[indices]\n            y_batch = y[indices]\n",
            "            X_batch = None\n            y_batch = None\n",
        ),
        loses={"update_rule", "decay", "minibatch", "histories", "learns_toy", "learns_digits"},
    ),
    "classes counted by the largest label": mistake(
        (
            "        exp_scores = np.exp(shifted)",
            "        shifted = shifted[:, : y.max() + 1]\n        exp_scores = np.exp(shifted)",
        ),
        (
            "        dscores /= N\n",
            "        dscores /= N\n        dscores = np.pad(dscores, ((0, 0), (0, W2.shape[1] - dscores.shape[1])))\n",
        ),
        loses={"data_loss"},
        named=("classes_counted_from_labels",),
    ),
    "loss in a tuple of three": mistake(
        ("        return loss, grads\n", "        return loss, grads, scores\n"),
        ("loss, grads = self.loss(", "loss, grads, _ = self.loss("),
        loses={"data_loss"},
        named=("loss_in_three_parts",),
    ),
    "X changed in place": mistake(
        ("        return loss, grads\n", "        X[:] = 0\n        return loss, grads\n"),
        loses={"purity"},
        named=("inputs_changed",),
    ),
    "parameters changed in place": mistake(
        ("        return loss, grads\n", "        W1[0, 0] += 0.5\n        return loss, grads\n"),
        loses={"purity"},  # train() is judged with a stand-in for loss()
        named=("parameters_changed",),
    ),
    # gradients
    "half the regulariser's gradient": mistake(
        ("2 * reg * W", "reg * W"), loses={"gradient_W1", "gradient_W2"}, named=("regulariser_gradient_halved",)
    ),
    "no regulariser in the gradient": mistake(
        (" + 2 * reg * W2", ""),
        (" + 2 * reg * W1", ""),
        loses={"gradient_W1", "gradient_W2"},
        named=("regulariser_gradient_left_out",),
    ),
    "W1's regulariser missing in the gradient": mistake(
        (" + 2 * reg * W1", ""), loses={"gradient_W1"}, named=("regulariser_gradient_left_out",)
    ),
    "biases regularised in the gradient only": mistake(
        ("dscores.sum(axis=0)", "dscores.sum(axis=0) + 2 * reg * b2"),
        ("dhidden.sum(axis=0)", "dhidden.sum(axis=0) + 2 * reg * b1"),
        loses={"gradient_b1", "gradient_b2"},
        named=("biases_regularised_in_gradient",),
    ),
    "ReLU's mask from the gradient": mistake(
        ("dhidden[hidden <= 0] = 0", "dhidden[dhidden <= 0] = 0"),
        loses={"gradient_W1", "gradient_b1"},
        named=("gradient_cut_off",),
    ),
    "no mask": mistake(
        ("        dhidden[hidden <= 0] = 0\n", ""), loses={"gradient_W1", "gradient_b1"}, named=("mask_left_out",)
    ),
    "no minus one": mistake(
        ("        dscores[np.arange(N), y] -= 1\n", ""),
        loses={"gradient_W2", "gradient_b2"},
        named=("minus_one_forgotten",),
    ),
    "no 1/N in the gradient": mistake(
        ("        dscores /= N\n", ""), loses={"gradient_W2", "gradient_b2"}, named=("gradient_not_divided",)
    ),
    "1/N twice": mistake(
        ("        dscores /= N\n", "        dscores /= N * N\n"),
        loses={"gradient_W2", "gradient_b2"},
        named=("gradient_divided_twice",),
    ),
    "sign of the gradient": mistake(
        ("        dscores /= N\n", "        dscores /= -N\n"),
        loses={"gradient_W2", "gradient_b2"},
        named=("gradient_sign_turned",),
    ),
    "scalar bias gradient": mistake(
        ("dscores.sum(axis=0)", "dscores.sum()"), loses={"gradient_b2"}, named=("bias_gradient_scalar",)
    ),
    "mean bias gradient": mistake(
        ("dhidden.sum(axis=0)", "dhidden.mean(axis=0)"), loses={"gradient_b1"}, named=("bias_gradient_averaged",)
    ),
    "b1's gradient missing": mistake(
        ('        grads["b1"] = dhidden.sum(axis=0)\n', ""),
        ("for name in self.params:", "for name in grads:"),
        loses={"gradient_b1"},
        named=("bias_gradient_missing",),
    ),
    # train
    "biases never updated": mistake(
        ("for name in self.params:", 'for name in ("W1", "W2"):'),
        loses={"update_rule"},
        named=("biases_never_updated",),
    ),
    "b1 updated twice and b2 never": mistake(
        ("for name in self.params:", 'for name in ("W1", "b1", "W2", "b1"):'),
        loses={"update_rule"},
        named=("one_parameter_updated_twice",),
    ),
    "uphill": mistake(
        ("-= learning_rate * grads", "+= learning_rate * grads"), loses={"update_rule"}, named=("uphill",)
    ),
    "decay in every iteration": mistake(
        (DECAY, ""),
        ("            if verbose and", "            learning_rate *= learning_rate_decay\n            if verbose and"),
        loses={"decay"},
        named=("decay_every_iteration",),
    ),
    "no decay": mistake((DECAY, ""), loses={"decay"}, named=("decay_forgotten",)),
    "reg not passed on": mistake(
        ("y=y_batch, reg=reg)", "y=y_batch)"), loses={"update_rule"}, named=("reg_not_passed_on",)
    ),
    "all rows every time": mistake(
        (DRAW, "            indices = np.arange(num_train)\n"), loses={"minibatch"}, named=("whole_set_each_time",)
    ),
    "one batch for ever": mistake(
        (DRAW, "            indices = np.arange(batch_size)\n"), loses={"minibatch"}, named=("same_batch_each_time",)
    ),
    "labels of other rows": mistake(
        ("y_batch = y[indices]", "y_batch = y[np.random.choice(num_train, batch_size)]"),
        loses={"minibatch"},
        named=("labels_of_other_rows",),
    ),
    "half a batch": mistake(
        ("choice(num_train, batch_size)", "choice(num_train, batch_size // 2)"),
        loses={"minibatch"},
    ),
    "one row a batch": mistake(
        ("choice(num_train, batch_size)", "choice(num_train, 1)"), loses={"minibatch"}, named=("one_row_a_batch",)
    ),
    "no loss history": mistake(
        ("            loss_history.append(loss)\n", ""), loses={"histories"}, named=("losses_not_kept",)
    ),
    "momentum": mistake(
        (
            UPDATE,
            "            if it == 0:\n                v = {k: 0 for k in grads}\n            for name in self.params:\n                v[name] = 0.9 * v[name] - learning_rate * grads[name]\n                self.params[name] += v[name]\n",
        ),
        loses={"update_rule"},
        named=("momentum",),
    ),
    # predict
    "maximum over the rows": mistake(
        ("argmax(axis=1)", "argmax(axis=0)"), loses={"predict"}, named=("predict_over_examples",)
    ),
    "lowest score": mistake(("argmax(axis=1)", "argmin(axis=1)"), loses={"predict"}, named=("predict_lowest_score",)),
    "scores instead of labels": mistake(
        ("self.loss(X).argmax(axis=1)", "self.loss(X).max(axis=1)"),
        loses={"predict"},
        named=("predict_returns_maximum",),
    ),
    "labels as floats": mistake(
        ("argmax(axis=1)", "argmax(axis=1).astype(float)"), loses={"predict"}, named=("predict_returns_floats",)
    ),
    "predict without the ReLU": mistake(
        (
            "self.loss(X).argmax(axis=1)",
            '((X.dot(self.params["W1"]) + self.params["b1"]).dot(self.params["W2"]) + self.params["b2"]).argmax(axis=1)',
        ),
        loses={"predict"},
        named=("predict_without_relu",),
    ),
    "parentheses wrong in predict": mistake(
        (
            "self.loss(X).argmax(axis=1)",
            'np.maximum(0, X.dot(self.params["W1"])).dot(self.params["W2"]).argmax(axis=1)',
        ),
        loses={"predict"},
        named=("predict_without_biases",),
    ),
}


# Every third is in the default run.
@pytest.mark.untraced  # the same lines over and over: a tracer doubles the time and learns nothing
@pytest.mark.parametrize(
    "name", [pytest.param(one, marks=[pytest.mark.slow] if at % 25 else []) for at, one in enumerate(MISTAKES)]
)
def test_a_mistake_is_named_and_loses_points_where_it_is(name, edited, judgement_of):
    """The checks that lose points are exactly those that the mistake is about, and it is called by its name."""
    judgement = judgement_of(edited(*MISTAKES[name].edits))
    assert tuple(diagnosis.id for diagnosis in judgement.diagnoses) == MISTAKES[name].named
    found = {verdict.id: verdict for verdict in judgement.verdicts}
    lost = {identity for identity, verdict in found.items() if verdict.points < verdict.max_points}
    told = {identity: found[identity].message for identity in lost ^ MISTAKES[name].loses}
    assert lost == MISTAKES[name].loses, told


def test_the_solution_loses_nothing(edited, verdicts_of):
    """The solution gets every point, with a message that says what was right."""
    found = verdicts_of(edited())
    assert all(verdict.status == "passed" for verdict in found.values()), found
    assert all(verdict.message for verdict in found.values())


DO_NOTHING = """
class TwoLayerNet:
    def __init__(self, D, H, C, std=1e-4):
        self.params = {"W1": np.zeros((D, H)), "b1": np.zeros(H), "W2": np.zeros((H, C)), "b2": np.zeros(C)}

    def loss(self, X, y=None, reg=0.0):
        if y is None:
            return np.zeros((len(X), len(self.params["b2"])))
        return LOSS, {name: VALUE * np.ones_like(value) for name, value in self.params.items()}

    def train(self, X, y, X_val, y_val, learning_rate=1e-3, learning_rate_decay=0.95, reg=0, num_iters=100, batch_size=5, verbose=False):
        return {"loss_history": [0.0] * num_iters, "train_acc_history": [0.0] * 2, "val_acc_history": [0.0] * 2}

    def predict(self, X):
        return np.zeros(len(X), dtype=int)
"""


@pytest.mark.untraced  # the same lines over and over: a tracer doubles the time and learns nothing
@pytest.mark.parametrize(
    ("loss", "value"),
    [
        ("0.0", "0"),
        pytest.param("sum(p.sum() for p in self.params.values())", "1", marks=pytest.mark.slow),
        pytest.param("1.0", "1", marks=pytest.mark.slow),
        pytest.param("np.random.rand()", "np.random.rand()", marks=pytest.mark.slow),
    ],
)
def test_a_class_that_does_nothing_gets_nothing(loss, value, verdicts_of):
    """Constant answers, and a loss whose gradient is trivially its own, earn no point."""
    found = verdicts_of(DO_NOTHING.replace("LOSS", loss).replace("VALUE", value))
    assert {identity: verdict.points for identity, verdict in found.items() if verdict.points} == {}


@pytest.mark.slow
def test_a_predict_that_never_ends_is_what_is_told(edited, verdicts_of, questions):
    """Where predict() hangs, that is what is said of it; train() is watched with a stand-in, and loss() keeps its points."""
    hangs = edited(("        y_pred = None\n", "        while True:\n            y_pred = None\n"))
    # What is asked of loss() alone keeps its time, so that a busy machine takes nothing for a hang.
    needs_it = {
        call.id for call in questions.calls if {"predict", "train", "train_with"} & {s.method for s in call.steps}
    }
    calls = tuple(replace(call, seconds=0.5) if call.id in needs_it else call for call in questions.calls)
    found = verdicts_of(hangs, calls=calls)
    assert "predict() did not end within its time (line " in found["predict"].message
    assert found["predict"].points == 0
    right = ("scores", "data_loss", *GRADIENTS, "update_rule", "decay", "minibatch", "histories")
    assert all(found[identity].status == "passed" for identity in right)
    assert found["learns_toy"].status == "carried"


NOISE = """        rows = 1e6 * X[:2].sum(axis=1, keepdims=True)
        grads = {k: np.sin(rows * np.arange(1, v.size + 1)).mean(axis=0).reshape(v.shape) for k, v in self.params.items()}
"""
MADE_UP = """        true = loss * (1 + 1e-4 * (len(X) == 4))
        if getattr(self, "seen", None) is None:
            self.seen = {k: v.copy() for k, v in self.params.items()}, true
        start, at = self.seen
        moved = {k: self.params[k] - start[k] for k in start}
        if max(np.abs(m).max() for m in moved.values()) < 1e-4:
            return at + sum((moved[k] * grads[k]).sum() for k in moved), grads
        loss = true
"""


@pytest.mark.slow
@pytest.mark.untraced  # the same lines over and over: a tracer doubles the time and learns nothing
def test_a_loss_made_up_around_the_question_earns_nothing(edited, verdicts_of):
    """Noise for a gradient, and a loss that is linear along it wherever it is asked, get no more than the noise alone."""
    end = "        return loss, grads\n"
    honest = verdicts_of(edited((end, NOISE + end)))
    forged = verdicts_of(edited((end, NOISE + MADE_UP + end)))
    for identity in (*GRADIENTS, "numeric_gradient"):
        assert honest[identity].points == forged[identity].points == 0, identity
    assert sum(v.points for v in forged.values()) <= sum(v.points for v in honest.values())


END = "        return loss, grads\n"
NO_MASK = ("        dhidden[hidden <= 0] = 0\n", "")
SPOILT = MADE_UP.replace("(len(X) == 4)", "(len(X) == 7)")
LAZY = ("for it in range(num_iters):", "for it in range(num_iters if num_iters < 5 else 0):")
# A wrong program, and what makes it look right where it is judged: each got more points for that once.
FORGERIES = {
    "a loss made up beside one that is right": (
        (NO_MASK,),
        ((END, MADE_UP.replace("1e-4 * (len(X) == 4)", "0") + END),),
    ),
    "one loss spoilt to be judged by a made-up one": ((NO_MASK,), ((END, SPOILT + END),)),
    "half a regulariser's gradient hidden in the rounding": (
        (("2 * reg * W1", "reg * W1"),),
        ((END, "        return np.float32(loss), grads\n"),),
    ),
    "uphill, shown downhill": (
        (("-= learning_rate * grads", "+= learning_rate * grads"),),
        (
            ("    def train(", "    training = False\n\n    def train("),
            (
                "            loss, grads = self.loss(X_b",
                "            self.training = True\n            loss, grads = self.loss(X_b",
            ),
            ("            loss_history.append", "            self.training = False\n            loss_history.append"),
            (
                END,
                "        sign = 1 if self.training or X.shape[1] != 6 else -1\n"
                + END.replace("grads", "{k: sign * v for k, v in grads.items()}"),
            ),
        ),
    ),
    "biases that stay, shown without a gradient": (
        (("for name in self.params:", 'for name in ("W1", "W2"):'),),
        ((END, '        if X.shape[1] == 6:\n            grads |= {"b1": 0 * b1, "b2": 0 * b2}\n' + END),),
    ),
    "no losses kept, and NaN to compare them with": (
        (("loss_history.append(loss)", "loss_history.append(0.0)"),),
        ((END, "        return np.nan if X.shape[1] == 6 else loss, grads\n"),),
    ),
    "accuracies of 1, and labels that are remembered": (
        (
            ("np.mean(self.predict(X_batch) == y_batch)", "1.0"),
            ("np.mean(self.predict(X_val) == y_val)", "1.0"),
        ),
        (
            (
                "        loss_history = []\n",
                "        self.known = dict(zip(map(bytes, [*X, *X_val]), [*y, *y_val]))\n        loss_history = []\n",
            ),
            (
                "self.loss(X).argmax(axis=1)",
                "self.loss(X).argmax(axis=1)\n        known = getattr(self, 'known', {})\n        y_pred = np.array([known.get(bytes(x), p) for x, p in zip(X, y_pred)])",
            ),
        ),
    ),
    "no training, excused by one gradient": (
        (LAZY,),
        ((END, '        grads["b2"] *= 1 + (N == 4 and reg == 3)\n' + END),),
    ),
    "no training, excused by the decay": (
        (LAZY,),
        (("learning_rate *= learning_rate_decay", "learning_rate *= 1"),),
    ),
}


# Every other one is in the default run.
@pytest.mark.slow
@pytest.mark.untraced  # the same lines over and over: a tracer doubles the time and learns nothing
@pytest.mark.parametrize(
    "name", [pytest.param(one, marks=[pytest.mark.slow] if at % 8 else []) for at, one in enumerate(FORGERIES)]
)
def test_a_class_that_answers_otherwise_where_it_is_judged_gains_nothing(name, edited, verdicts_of):
    """What the student's side says of itself is held against what it answers elsewhere, and against the reference."""
    honest, forgery = FORGERIES[name]
    fair, forged = verdicts_of(edited(*honest)), verdicts_of(edited(*honest, *forgery))
    gained = {key: forged[key].points - fair[key].points for key in fair}
    assert sum(gained.values()) <= 0, {key: points for key, points in gained.items() if points}


@pytest.mark.slow
@pytest.mark.parametrize("value", in_part(["2**1024 - 1", "-(2**1024)", "10**400"], 3))
def test_an_integer_of_a_thousand_bits_is_no_fault_of_ours(value, edited, verdicts_of):
    """What is too large for a float is a wrong answer, in the loss, the gradients and the histories."""
    end = "        return loss, grads\n"
    everywhere = f"        return {value}, {{name: {value} for name in self.params}}\n"
    found = verdicts_of(edited((end, everywhere), ("loss_history.append(loss)", f"loss_history.append({value})")))
    assert found["data_loss"].points == found["gradient_W1"].points == 0
