"""Where loss() goes wrong: small wrong programs are run and recorded, and the line that is told is the one that was changed."""

import pytest

from grader.model import Cause, Place
from locate.programs import (
    ATTACHED,
    CLASSIC,
    IN_TWO_FILES,
    LAYERS,
    LOOPED,
    OBJECTS,
    RIGHT,
    SHARED,
    TERSE,
    changed,
    line_of,
)

# Nothing is learnt here from which lines are taken: the finders' lines are proved by what they tell.
pytestmark = pytest.mark.untraced

KEEP = "        keep = np.random.RandomState(3).rand(*a1.shape) < 0.7\n        a1 = a1 * keep\n"
# What is wrong: the program, its change, and a text of the line that is told first.
WRONG = {
    "one line": (CLASSIC, [("np.sum(correct) / N", "np.sum(correct)")], "data_loss = np.sum"),
    "the first value of a long way": (CLASSIC, [("z1 = X.dot(W1) + b1\n        a1", "z1 = X.dot(W1) - b1\n        a1")], "- b1"),
    "what a layer lacks": (CLASSIC, [("a1.dot(W2) + b2\n        if", "a1.dot(W2)\n        if")], "scores = a1.dot(W2)"),
    "probabilities by sums that are wrong": (
        CLASSIC,
        [("sums = np.sum(e, axis=1, keepdims=True)", "sums = np.ones((N, 1)) * np.sum(e)")],
        "sums = np.ones",
    ),
    "a mask of the wrong value": (CLASSIC, [("dhidden[z1 <= 0]", "dhidden[dhidden <= 0]")], "dhidden[dhidden <= 0]"),
    # Traps.
    "an alias changes two names at once": (
        CLASSIC,
        [("        dhidden = dscores", "        dW2 = W2\n        dW2 *= 2 * reg\n        dhidden = dscores"), ("2 * reg * W2", "dW2")],
        "dW2 *= 2 * reg",
    ),
    "an alias of a parameter": (
        CLASSIC,
        [("        shifted = scores - most", "        other = W1\n        other *= 0.5\n        shifted = scores - most")],
        "other *= 0.5",
    ),
    "a step is missing: told where it is used as it is": (CLASSIC, [("        dhidden[z1 <= 0] = 0\n", "")], "X.T.dot(dhidden)"),
    "a line that ran and changed nothing": (CLASSIC, [("[z1 <= 0] = 0", "[z1 < -1e9] = 0")], "[z1 < -1e9] = 0"),
    "a factor of all gradients is told upstream": (CLASSIC, [("dscores /= N", "dscores /= 2 * N")], "dscores /= 2 * N"),
    "a factor that is missing upstream": (CLASSIC, [("        dscores /= N\n", "")], "dscores[np.arange(N), y] -= 1"),
    "half a regulariser": (CLASSIC, [("+= 2 * reg * W1", "+= reg * W1")], "+= reg * W1"),
    "a key that is misspelt": (CLASSIC, [("grads['b1'] = np", "grads['B1'] = np")], "grads['B1']"),
    "a key that is missing": (CLASSIC, [("        grads['b1'] = np.sum(dhidden, axis=0)\n", "")], "grads['W1'] += 2"),
    "dropout with fixed chance": (CLASSIC, [("        scores = a1.dot(W2) + b2\n        if", f"{KEEP}        scores = a1.dot(W2) + b2\n        if")], "keep = np.random"),
    "an exception: the line that lost an axis": (CLASSIC, [("np.max(scores, axis=1, keepdims=True)", "np.max(scores, axis=1)")], "most = np.max"),
    "infinite: the first value that is": (CLASSIC, [("e = np.exp(shifted)", "e = np.exp(shifted + 1000)")], "e = np.exp"),
    # Functions that both layers share.
    "a shared helper": (SHARED, [("db = d.sum(axis=0)", "db = d.mean(axis=0)")], "db = d.mean"),
    "a shared helper, called wrongly": (SHARED, [("affine(X, W1, b1)", "affine(X, W1, b1 * 2)")], "b1 * 2"),
    "a shared helper, called with the wrong value": (SHARED, [("affine_back(du,", "affine_back(dh,")], "affine_back(dh,"),
    "a step that is missing in a helper": (SHARED, [("    d /= len(y)\n", "")], "] -= 1"),
    "a step between two helpers": (SHARED, [("dh * (u > 0)", "dh * (dh > 0)")], "dh * (dh > 0)"),
    # Other hands.
    "loops: an entry": (LOOPED, [("max(0.0, X[i].dot(W1[:, j]) + b1[j])", "X[i].dot(W1[:, j]) + b1[j]")], "hidden[i, j] = X[i]"),
    "loops: a row": (LOOPED, [("d[y[i]] -= 1", "d[y[i]] -= 0.5")], "d[y[i]] -= 0.5"),
    "loops: a sum": (LOOPED, [("np.log(p[y[i]])", "np.log(p[0])")], "np.log(p[0])"),
    "loops: the last row instead of all": (LOOPED, [("dW2 += np.outer", "dW2 = np.outer")], "dW2 = np.outer"),
    "objects: nothing is done": (OBJECTS, [("return d * self.on", "return d")], "        return d\n"),
    "objects: an attribute": (OBJECTS, [("self.on = x > 0", "self.on = x > 0.5")], "self.on = x > 0.5"),
    "objects: a shared method": (OBJECTS, [("self.db = d.sum(axis=0)", "self.db = d.mean(axis=0)")], "self.db = d.mean"),
    "objects: an entry of a dict over several lines": (OBJECTS, [("one.dw + 2 * reg", "one.dw + reg")], "'W1': one.dw"),
    "one-liners: two statements in a line": (TERSE, [("q / q.sum(1)[:, None]", "q / q.sum()")], "q = np.exp"),
    "one-liners: a factor": (TERSE, [("[y]) / n; g", "[y]); g")], "d = (q - np.eye"),
    "one-liners: a missing step": (TERSE, [(" * (h > 0)", "")], "g.update("),
    "methods attached later": (ATTACHED, [("dscores /= N", "dscores /= 2 * N")], "dscores /= 2 * N"),
}  # fmt: skip


# Every third is in the default run.
@pytest.mark.parametrize(
    ("program", "pairs", "told"),
    [
        pytest.param(*case, id=name, marks=[pytest.mark.slow] if at % 3 else [])
        for at, (name, case) in enumerate(WRONG.items())
    ],
)
def test_the_line_that_is_wrong(located, program, pairs, told):
    """What the changed line makes is the first thing told of loss(); train() and predict() have nothing of their own."""
    text = changed(program, *pairs)
    found = located(text)
    wrong = found.spotted("loss")
    assert wrong, "nothing was told"
    quoted = found.statements.place(*wrong[0].spot).text
    assert told.strip("\n") in quoted, (wrong[0].step, quoted)
    assert not told.endswith("\n") or quoted.endswith(told.strip("\n"))
    assert not found.spotted("predict")


@pytest.mark.parametrize("name", RIGHT)
def test_nothing_is_told_of_a_right_program(located, name):
    """All three methods of a right program are recorded, and nothing of them is told."""
    found = located(RIGHT[name])
    assert all(found.recorded(number) is not None for number in range(4))
    assert [found.spotted(method) for method in ("loss", "train", "predict")] == [(), (), ()]


def test_nothing_is_told_of_single_precision(located):
    """A right program that works in single precision is right."""
    cast = "        X, W1, b1, W2, b2 = (v.astype(np.float32) for v in (X, W1, b1, W2, b2))\n"
    found = located(
        changed(CLASSIC, ("        z1 = X.dot(W1) + b1\n        a1", f"{cast}        z1 = X.dot(W1) + b1\n        a1"))
    )
    assert found.case.fine == 1e-4
    assert [found.spotted(method) for method in ("loss", "train", "predict")] == [(), (), ()]


# ---------------------------------------------------------------- what a check or a mistake asks for


def test_a_role_is_told_its_line(located):
    """Where nothing is wrong, a role is the line that does it; a wrong step comes before it, whichever role it goes with."""
    found = located(CLASSIC)
    for about, text in {
        "hidden": "z1 = X.dot(W1)",
        "activation": "a1 = np.maximum",
        "scores": "scores = a1.dot(W2)",
        "probabilities": "probs = e / sums",
        "dscores": "dscores /= N",
        "dhidden": "dhidden = dscores",
        "mask": "dhidden[z1 <= 0] = 0",
        "grads b1": "grads['b1'] = ",
        "grads W1": "grads['W1'] += 2",
        "regulariser": "reg_loss = reg",
        "total loss": "loss = data_loss",
        "labels": "labels = np.argmax",
        "batch": "rows = np.random.choice",
        "loss call": "loss, grads = self.loss",
        "update W2": "self.params['W2'] -=",
        "decay": "learning_rate *=",
    }.items():
        assert text in found.place(about).text, about
    assert found.place("nothing of the kind") is None
    wrong = located(changed(CLASSIC, ("dscores /= N", "dscores /= 2 * N")))
    for about in ("dscores", "grads W1", "grads b2", "probabilities"):
        assert "dscores /= 2 * N" in wrong.place(about).text


def test_several_files(located):
    """A line of a helper module is told under the module's label, and a call of it under the program's."""
    wrong = located(IN_TWO_FILES, layers="import numpy as np\n" + changed(LAYERS, ("d.sum(axis=0)", "d.mean(axis=0)")))
    place = wrong.place("grads b1")
    assert (place.label, place.line, place.text.strip()) == ("layers.py", 9, "db = d.mean(axis=0)")
    text = changed(IN_TWO_FILES, ("affine_back(du,", "affine_back(dh,"))
    place = located(text, layers="import numpy as np\n" + LAYERS).place("mask")
    assert (place.label, place.line) == ("net.py", line_of(text, "affine_back(dh,"))


def test_a_program_that_sets_a_tracer_of_its_own(located):
    """Its recording has gaps, so that the text is read: the last line that sets a gradient, else the method's first."""
    text = changed(
        CLASSIC,
        ("        grads = {}", "        sys.settrace(None)\n        grads = {}"),
        ("import numpy", "import sys\nimport numpy"),
    )
    found = located(changed(text, ("dscores /= N", "dscores /= 2 * N")))
    assert found.recorded(1) is None
    assert found.spotted("loss") == ()
    assert found.place("grads b1").text.strip() == "grads['b1'] = np.sum(dhidden, axis=0)"
    assert found.place("dscores").text.strip() == "def loss(self, X, y=None, reg=0.0):"
    assert found.place("labels").text.strip() == "labels = np.argmax(scores, axis=1)"


# ---------------------------------------------------------------- what stops a program


def cause(kind, text, quoted):
    """Return a cause that shows at a line."""
    return Cause(kind, "it stops", "look", (), {}, Place("net.py", line_of(text, quoted), quoted))


def test_an_endless_loop_is_told_at_its_head(located):
    """Where it was stopped is chance: what goes on is the `while`; what is in no such loop has no other line."""
    loop = "        n = 0\n        while n < 1:\n            for it in range(2):\n                m = it + n\n"
    text = changed(CLASSIC, ("        num_train = X.shape[0]\n", loop + "        num_train = X.shape[0]\n"))
    found = located(text)
    assert found.origin(cause("time_limit", text, "m = it + n")).text.strip() == "while n < 1:"
    assert found.origin(cause("time_limit", text, "while n < 1")) is None
    assert found.origin(cause("time_limit", text, "per_epoch = max")) is None
    assert found.spotted("train")[0].spot[1] in range(line_of(text, "n = 0"), line_of(text, "m = it + n") + 1)


def test_the_origin_of_an_exception(located):
    """An exception's origin is the line that made what its line could not use; the same line is none of its own."""
    text = changed(CLASSIC, ("np.max(scores, axis=1, keepdims=True)", "np.max(scores, axis=1)"))
    found = located(text)
    assert (
        found.origin(cause("exception", text, "shifted = scores - most")).text.strip()
        == "most = np.max(scores, axis=1)"
    )
    assert found.origin(cause("exception", text, "most = np.max")) is None
    assert found.origin(cause("removed_name", text, "shifted = scores - most")) is None
    here = changed(CLASSIC, ("X.T.dot(dhidden)", "X.dot(dhidden)"))
    assert located(here).origin(cause("exception", here, "X.dot(dhidden)")) is None


def test_an_exception_in_train_that_comes_from_loss(located):
    """train() goes well with the stand-ins: what stops it otherwise is the line of loss() that is wrong."""
    text = changed(CLASSIC, ("grads['b1'] = np.sum(dhidden, axis=0)", "grads['b1'] = np.sum(dhidden, axis=1)"))
    origin = located(text).origin(cause("exception", text, "self.params['b1'] -="))
    assert origin.text.strip() == "grads['b1'] = np.sum(dhidden, axis=1)"
