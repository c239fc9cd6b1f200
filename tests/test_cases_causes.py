"""What stops a method is told once and charged once, and the other methods keep their points."""

import ast

import pytest

CAUSES = {"exception", "time_limit", "removed_name", "missing_import", "other_names"}
OF_TRAIN = {"update_rule", "decay", "minibatch", "histories"}
OF_LOSS = {
    "data_loss",
    "regularised_loss",
    "gradient_W1",
    "gradient_b1",
    "gradient_W2",
    "gradient_b2",
    "numeric_gradient",
}
LABELS = "        y_pred = self.loss(X).argmax(axis=1)\n"
SIZES = "        N, D = X.shape\n"
LOSS = "        loss = None\n"
GRADS = "        grads = {}\n"
BEGIN = "        num_train = X.shape[0]\n"
KEEP = "            loss_history.append(loss)\n"
CALL = "self.loss(X_batch, y=y_batch, reg=reg)"
HEAD = "    def loss(self, X, y=None, reg=0.0):\n"
ENDLESS = "            while True:\n                pass\n"

# what is written instead | the cause's id, or "" where nothing is written yet
PREDICT = {
    "raises": ((LABELS, "        raise ValueError('not yet')\n"), "exception"),
    "works with an attribute that nobody sets": (
        (LABELS, "        y_pred = self.scores.argmax(axis=1)\n"),
        "exception",
    ),
    "multiplies shapes that do not fit": (
        (LABELS, '        y_pred = (X @ self.params["W2"]).argmax(axis=1)\n'),
        "exception",
    ),
    "calls what numpy does not have": (
        (LABELS, "        y_pred = self.loss(X).argmax(axis=1).astype(np.softmax)\n"),
        "removed_name",
    ),
    "loops for ever": ((LABELS, "        while len(X):\n            pass\n"), "time_limit"),
    "is not written, and says so": ((LABELS, "        raise NotImplementedError\n"), ""),
    "is not written": ((LABELS, ""), ""),
}
LOSES = {
    "raises in the forward pass": ((" hidden.dot(W2) + b2", " hidden.dot(W2.T) + b2"), "exception", 40),
    "raises before the loss": ((LOSS, LOSS + "        correct = score[np.arange(N), y]\n"), "exception", 48),
    "raises in the backward pass": ((GRADS, GRADS + "        hidden.dot(hidden)\n"), "exception", 48),
    "calls what numpy does not have": (
        (LOSS, LOSS + "        scores = scores.astype(np.softmax)\n"),
        "removed_name",
        48,
    ),
    "imports a file that was not handed in": (
        (SIZES, "        from .layers import affine\n" + SIZES),
        "missing_import",
        40,
    ),
    "loops for ever": ((LOSS, LOSS + "        while y is not None:\n            pass\n"), "time_limit", 34),
    "is not written": ((LOSS, "        return None, {}\n"), "", 38),
    "is not written at all": ((SIZES, "        return None\n"), "", 30),
    "is not written, and says so": ((SIZES, "        raise NotImplementedError\n"), "", 30),
}
TRAINS = {
    "raises": ((KEEP, "            loss_history.append(lost)\n"), "exception"),
    "raises before its loop": ((BEGIN, BEGIN + "        self.velocity['W1'] *= 0\n"), "exception"),
    "calls what numpy does not have": ((KEEP, KEEP + "            np.softmax(indices)\n"), "removed_name"),
    "imports a file that was not handed in": ((BEGIN, "        from .optim import sgd\n" + BEGIN), "missing_import"),
    "loops for ever": ((KEEP, KEEP + ENDLESS), "time_limit"),
}
# Told by whoever reads the call beside the line `def loss(`: one place only, in both directions.
NAMES = {
    "reg is renamed in loss()": ((HEAD, HEAD.replace("reg=", "lam=") + "        reg = lam\n"),),
    "y is renamed in loss()": ((HEAD, HEAD.replace("y=", "labels=") + "        y = labels\n"),),
    "reg is renamed in the call": ((CALL, CALL.replace("reg=reg", "lam=reg")),),
    "y is renamed in the call": ((CALL, CALL.replace("y=y_batch", "labels=y_batch")),),
    "both are renamed in the call": ((CALL, "self.loss(X_batch, labels=y_batch, lam=reg)"),),
    "X is renamed in the call": ((CALL, CALL.replace("X_batch", "x=X_batch")),),
}


def slow(table):
    """Return the names of a table; those of programs that are stopped by the clock belong to the slow tests, but for one."""
    return [pytest.param(one, marks=[pytest.mark.slow] if "for ever" in one else []) for one in table]


def causes(judgement):
    """Return the ids of what was told."""
    return [one.id for one in judgement.diagnoses]


def lost(judgement):
    """Return the checks that do not have all their points."""
    return {one.id for one in judgement.verdicts if one.points < one.max_points}


@pytest.mark.untraced  # the same lines over and over: a tracer doubles the time and learns nothing
@pytest.mark.parametrize("name", slow(PREDICT))
def test_a_predict_that_does_not_answer_costs_its_own_points_alone(name, edited, judgement_of):
    """94: training is watched with a stand-in for predict(), and what it would have learnt is carried."""
    edit, cause = PREDICT[name]
    judgement = judgement_of(edited(edit))
    assert lost(judgement) == {"predict"}
    assert sum(one.points for one in judgement.verdicts) == 94
    assert causes(judgement) == [cause] * bool(cause)


@pytest.mark.untraced
@pytest.mark.parametrize("name", slow(LOSES))
def test_a_loss_that_does_not_answer_leaves_train_and_predict_their_points(name, edited, judgement_of):
    """Both are asked with a stand-in for loss(), and do what is asked of them."""
    edit, cause, least = LOSES[name]
    judgement = judgement_of(edited(edit))
    assert not lost(judgement) & (OF_TRAIN | {"predict"})
    assert lost(judgement) >= OF_LOSS
    assert sum(one.points for one in judgement.verdicts) >= least
    assert causes(judgement) == [cause] * bool(cause)


@pytest.mark.untraced
@pytest.mark.parametrize("name", slow(TRAINS))
def test_what_stops_train_is_told_once(name, edited, judgement_of):
    """Six checks fail by one exception: one diagnosis says so, and the checks point to it."""
    edit, cause = TRAINS[name]
    judgement = judgement_of(edited(edit))
    assert lost(judgement) == OF_TRAIN | {"learns_toy", "learns_digits"}
    assert causes(judgement) == [cause]
    told = {one.message for one in judgement.verdicts if one.id in OF_TRAIN}
    assert told == {f"Could not be judged: {judgement.diagnoses[0].title}"}


@pytest.mark.untraced
@pytest.mark.parametrize("name", NAMES)
def test_a_parameter_renamed_in_one_place_is_told_and_charged_once(name, edited, judgement_of):
    """Everything that train() does besides is judged and right; what it cannot learn is carried."""
    judgement = judgement_of(edited(*NAMES[name]))
    assert causes(judgement) == ["other_names"]
    assert lost(judgement) == {"update_rule"}


OLDER = "np.in1d(y, [0]), np.trapz(scores), np.product(scores), np.asfarray(scores) + np.NaN, time.clock()"


def test_what_only_older_versions_have_costs_nothing(edited, judgement_of):
    """A program that is right under another numpy or Python than ours is right."""
    source = "import time\nfrom collections import Mapping\n" + edited((LOSS, f"{LOSS}        {OLDER}\n"))
    judgement = judgement_of(source)
    assert not lost(judgement)
    assert not judgement.diagnoses


def test_a_name_that_numpy_does_not_have_says_the_version(edited, judgement_of):
    """Whoever runs another numpy sees it at once."""
    import numpy as np

    (one,) = judgement_of(edited(LOSES["calls what numpy does not have"][0])).diagnoses
    assert one.title.startswith(f"numpy {np.__version__} has no np.softmax (line ")
    assert one.hint.startswith("Look it up in numpy's reference")


def test_a_cause_points_to_its_line(edited, judgement_of):
    """The line that is told is the one in the student's own text."""
    source = edited(TRAINS["raises"][0])
    (one,) = judgement_of(source).diagnoses
    line = 1 + ("import numpy as np\n" + source).splitlines().index("            loss_history.append(lost)")
    assert f"(line {line})" in one.title
    assert ast.parse(source)


def test_a_cause_and_a_mistake_elsewhere_are_both_told(edited, judgement_of):
    """A predict() that raises does not hide that the rate never decays."""
    decay = ("                learning_rate *= learning_rate_decay\n", "")
    judgement = judgement_of(edited(decay, PREDICT["raises"][0]))
    assert sorted(causes(judgement)) == ["decay_forgotten", "exception"]
    assert lost(judgement) == {"decay", "predict"}
