"""Forged programs: none earns more than its honest twin, whatever it does to look right."""

from dataclasses import dataclass

import pytest

from conftest import BEST
from examples import in_part
from grader.model import Segment, Submission
from judging import judge
from reference.questions import draw

SEEDS = [11, *(pytest.param(seed, marks=pytest.mark.slow) for seed in range(12, 21))]
OF_TRAIN = ("update_rule", "decay", "minibatch", "histories", "learns_toy", "learns_digits")
GRADIENTS = ("gradient_W1", "gradient_b1", "gradient_W2", "gradient_b2", "numeric_gradient")

START = "class TwoLayerNet:\n"
SCORES = "        if y is None:\n            return scores\n"
HIDDEN = "        scores = hidden.dot(W2) + b2\n"
DSCORES = "        dscores = probabilities.copy()\n"
DIVIDED = "        dscores /= N\n"
END = "        return loss, grads\n"
CALL = "            loss, grads = self.loss(X_batch, y=y_batch, reg=reg)\n"
UPDATE = "            for name in self.params:\n                self.params[name] -= learning_rate * grads[name]\n"
BEGIN = "        num_train = X.shape[0]\n"
DONE = '        return {\n            "loss_history"'

RIPPLE = "K * np.sin(7 * X.sum(axis=1, keepdims=True) + 3 * np.arange(b2.size))"
# A loss near an earlier question is made up along the gradient that was answered there.
SEEN = """        for X0, reg0, p0, l0, g0 in self.SEEN:
            if X0.shape == X.shape and reg0 == reg and (X0 == X).all():
                moved = [(name, self.params[name] - p0[name]) for name in p0]
                if sum((one != 0).sum() for _, one in moved) == 1 and max(abs(one).max() for _, one in moved) < 2e-5:
                    return l0 + sum((g0[name] * one).sum() for name, one in moved), g0
        if len(self.SEEN) < 40:
            self.SEEN.append((X.copy(), reg, {k: v.copy() for k, v in self.params.items()}, loss, grads))
"""


def remembering(*edits, ripple="0.0", single=False):
    """Make a program that spoils its scores by a ripple, and makes its losses up near what it was asked before."""
    spoilt = f"        K = {ripple}\n        scores = scores + {RIPPLE}\n"
    if single:
        spoilt += "        scores = scores.astype(np.float32)\n"
    return ((START, START + "    SEEN = []\n\n"), (HIDDEN, HIDDEN + spoilt), (END, SEEN + END), *edits)


MOMENTUM = (
    (BEGIN, BEGIN + "        velocity = {name: 0.0 for name in self.params}\n"),
    (
        UPDATE,
        UPDATE.replace(
            "self.params[name] -= learning_rate * grads[name]",
            "velocity[name] = 0.9 * velocity[name] - learning_rate * grads[name]\n                self.params[name] += velocity[name]",
        ),
    ),
)
SEVENFOLD = ((DIVIDED, "        dscores *= 7 / N\n"),)
NO_MINUS_ONE = (("        dscores[np.arange(N), y] -= 1\n", ""),)
ODD = (
    (DIVIDED, "        dscores *= 0.02\n"),
    ("hidden.T.dot(dscores) + 2 * reg * W2", "3 * hidden.T.dot(dscores)"),
    ("X.T.dot(dhidden) + 2 * reg * W1", "2 * X.T.dot(dhidden)"),
)


@dataclass(frozen=True)
class Twins:
    """A forged program and its honest twin, as edits of the solution."""

    forged: tuple
    honest: tuple


def made_of(expression):
    """Replace all four gradients by an expression of their shape."""
    return ((END, f"        grads = {{name: {expression} for name, value in self.params.items()}}\n{END}"),)


NOTHING = made_of("None")
TWINS = {
    "a gradient too large, a ripple in the scores": Twins(remembering(*SEVENFOLD, ripple="0.001"), SEVENFOLD),
    "the same in single precision": Twins(remembering(*SEVENFOLD, ripple="0.001", single=True), SEVENFOLD),
    "the same with momentum": Twins(
        remembering(*SEVENFOLD, *MOMENTUM, ripple="0.001", single=True), (*SEVENFOLD, *MOMENTUM)
    ),
    "wrong gradients for spoilt scores": Twins(remembering(*ODD, ripple="1.7"), ODD),
    "wrong gradients for scores that are a little off": Twins(remembering(*ODD, ripple="1e-5"), ODD),
    "no minus one, and losses to fit": Twins(remembering(*NO_MINUS_ONE, ripple="0.3"), NO_MINUS_ONE),
    "gradients of zeros": Twins(made_of("np.zeros_like(value)"), NOTHING),
    "gradients of 1e-22": Twins(made_of("1e-22 * np.random.RandomState(1).randn(*value.shape)"), NOTHING),
    "gradients of 1e-9": Twins(made_of("1e-9 * np.random.RandomState(1).randn(*value.shape)"), NOTHING),
    "gradients at random": Twins(made_of("np.random.randn(*value.shape)"), NOTHING),
    "gradients at random, always the same": Twins(made_of("np.random.RandomState(1).randn(*value.shape)"), NOTHING),
    "constant gradients": Twins(made_of("np.full(value.shape, 0.1)"), NOTHING),
    "gradients like the parameters": Twins(made_of("value.copy()"), NOTHING),
    "gradients of one row": Twins(((DIVIDED, "        dscores /= N\n        dscores[1:] = 0\n"),), NOTHING),
    "gradients of a loss of nothing": Twins(
        ((DSCORES, "        dscores = 0 * probabilities\n"), ("        dscores[np.arange(N), y] -= 1\n", "")), NOTHING
    ),
}


@pytest.fixture(scope="module")
def points_of(assignment, host, edited):
    """Return a function that runs a program with the questions of a seed, and gives each check's points."""
    drawn, known = {}, {}

    def points(edits, seed):
        if (edits, seed) not in known:
            questions = drawn.setdefault(seed, draw(assignment, seed))
            program = "import numpy as np\n" + edited(*edits)
            whole, best = Segment("test.py", program, (0, 1)), Segment("best", BEST, (0,))
            submission = Submission("test", "test.py", "", "test.py", segments=(whole,), extras=(best,))
            run = host.run(submission, "TwoLayerNet", questions.calls)
            known[edits, seed] = {one.id: one.points for one in judge(assignment, questions, run, submission).verdicts}
        return known[edits, seed]

    return points


@pytest.mark.untraced  # the same lines over and over: a tracer doubles the time and learns nothing
@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize(
    "name", [pytest.param(one, marks=[pytest.mark.slow] if at % 6 else []) for at, one in enumerate(TWINS)]
)
def test_a_forged_program_earns_no_more_than_its_honest_twin(name, seed, points_of):
    """The honest twin makes the same mistake and hides nothing, or has no gradients at all where those are made up."""
    forged, honest = points_of(TWINS[name].forged, seed), points_of(TWINS[name].honest, seed)
    # Steps along gradients that are made up are steps; where there are none, train() has nothing to step along.
    compared = [check for check in forged if TWINS[name].honest is not NOTHING or check not in OF_TRAIN]
    assert sum(forged[check] for check in compared) <= sum(honest[check] for check in compared)


@pytest.mark.untraced
@pytest.mark.parametrize("name", in_part([one for one in TWINS if TWINS[one].honest is NOTHING], 9))
def test_made_up_gradients_earn_no_gradients_points(name, points_of):
    """Zero, tiny, constant, random and one-row gradients are none: neither by themselves nor given what reached them."""
    found = points_of(TWINS[name].forged, 11)
    assert {check: found[check] for check in GRADIENTS if found[check]} == {}


# Programs that train only while they are watched: what each does where loss() is the program's own.
ORIGINAL = "\nORIGINAL = TwoLayerNet.loss\n"
IF_WATCHED = "            if type(self).loss is {}ORIGINAL:\n"
WATCHED_ONLY = {
    "does not move": IF_WATCHED.format("") + "                continue\n",
    "moves uphill": IF_WATCHED.format("") + "                grads = {k: -v for k, v in grads.items()}\n",
    "moves at random": IF_WATCHED.format("")
    + "                grads = {k: np.random.randn(*v.shape) for k, v in grads.items()}\n",
    "moves by half": IF_WATCHED.format("") + "                grads = {k: v / 2 for k, v in grads.items()}\n",
    "raises": IF_WATCHED.format("") + "                raise ValueError('nobody looks')\n",
    "looks for the stand-in's name": "            if 'watching' not in type(self).loss.__globals__['__name__'] or not hasattr(type(self).loss, '__wrapped__'):\n                continue\n",
}


@pytest.mark.untraced
@pytest.mark.parametrize(
    "name", [pytest.param(one, marks=[pytest.mark.slow] if at % 3 else []) for at, one in enumerate(WATCHED_ONLY)]
)
def test_a_training_that_takes_place_only_while_it_is_watched_earns_nothing(name, solution_class, judgement_of):
    """One short run with the program's own loss() must agree with what was watched; else all of train() is withheld."""
    assert CALL in solution_class
    source = solution_class.replace(CALL, CALL + WATCHED_ONLY[name]) + ORIGINAL
    found = {one.id: one for one in judgement_of(source).verdicts}
    # Half a step is a training, by which the digits are learnt.
    withheld = OF_TRAIN[:4] if name == "moves by half" else OF_TRAIN
    assert {check: found[check].points for check in withheld if found[check].points} == {}
    assert found["data_loss"].points == found["data_loss"].max_points


SHOWN = {
    "a right batch shown, all rows used": (
        (CALL, CALL.replace("loss, grads =", "_ =") + CALL.replace("X_batch, y=y_batch", "X, y=y")),
    ),
    "all rows used, a right batch shown afterwards": (
        (CALL, CALL.replace("X_batch, y=y_batch", "X, y=y") + CALL.replace("loss, grads =", "_ =")),
    ),
    "a right batch shown, the first rows used": (
        (
            CALL,
            CALL.replace("loss, grads =", "_ =")
            + CALL.replace("X_batch, y=y_batch", "X[:batch_size], y=y[:batch_size]"),
        ),
    ),
    "a right batch shown after the step": (
        (CALL, CALL.replace("X_batch, y=y_batch", "X, y=y")),
        (UPDATE, UPDATE + "            self.loss(X_batch, y=y_batch, reg=reg)\n"),
    ),
}


@pytest.mark.untraced
@pytest.mark.parametrize(
    "name", [pytest.param(one, marks=[pytest.mark.slow] if at % 4 else []) for at, one in enumerate(SHOWN)]
)
def test_a_batch_is_judged_at_the_question_that_explains_the_step(name, edited, judgement_of):
    """A right batch that is shown in one call hides nothing in the next: the rows that were trained on count."""
    found = {one.id: one for one in judgement_of(edited(*SHOWN[name])).verdicts}
    assert found["minibatch"].points <= 0.25 * found["minibatch"].max_points
    assert found["update_rule"].points == found["update_rule"].max_points


SECRETS = {
    "reg is not what is asked": (
        (CALL, CALL.replace("reg=reg", "reg=reg / 2") + "            self.loss(X_val, y_val, reg)\n"),
    ),
    "losses are made up": (("loss_history.append(loss)", "loss_history.append(2.0 / (1 + it))"),),
    "losses of the step before are kept": (
        (BEGIN, BEGIN + "        last = 2.3\n"),
        ("loss_history.append(loss)", "loss_history.append(last)\n            last = loss"),
    ),
    "accuracies are made up": (("np.mean(self.predict(X_val) == y_val)", "0.5 + 0.001 * it"),),
    "labels are mixed up after a right question": ((CALL, CALL + CALL.replace("y=y_batch", "y=y_batch[::-1]")),),
}
COSTS = {
    "reg is not what is asked": "update_rule",
    "losses are made up": "histories",
    "losses of the step before are kept": "histories",
    "accuracies are made up": "histories",
    "labels are mixed up after a right question": "minibatch",
}


@pytest.mark.untraced
@pytest.mark.parametrize("name", in_part(SECRETS, 6))
def test_what_is_done_beside_a_right_question_is_charged(name, edited, judgement_of):
    """reg, the kept losses, the accuracies and the labels are held against the question that explains the step."""
    found = {one.id: one for one in judgement_of(edited(*SECRETS[name])).verdicts}
    lost = {check for check in OF_TRAIN[:4] if found[check].points < found[check].max_points}
    assert lost == {COSTS[name]}


CENTRAL = """    def loss(self, X, y=None, reg=0.0):
        if y is None:
            return self.honest(X)
        grads = {}
        for name, value in self.params.items():
            grads[name] = np.zeros(value.shape)
            for entry in np.ndindex(value.shape):
                kept = value[entry]
                value[entry] = kept + 1e-5
                above = self.honest(X, y, reg)[0]
                value[entry] = kept - 1e-5
                below = self.honest(X, y, reg)[0]
                value[entry] = kept
                grads[name][entry] = (above - below) / 2e-5
        return self.honest(X, y, reg)[0], grads

    def train(
"""


@pytest.mark.slow  # ten thousand losses a training
@pytest.mark.untraced
def test_right_gradients_by_central_differences_are_right(edited, judgement_of):
    """No backward pass exists, and the answers are right all the same: points are for answers."""
    source = edited(
        ("def loss(self, X, y=None, reg=0.0):", "def honest(self, X, y=None, reg=0.0):"), ("    def train(\n", CENTRAL)
    )
    found = {one.id: one for one in judgement_of(source).verdicts}
    assert all(found[check].points == found[check].max_points for check in ("scores", "data_loss", "update_rule"))
