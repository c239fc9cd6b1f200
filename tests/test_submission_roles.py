"""A finding points at the statement that plays the part it speaks of, however the student writes it, or nowhere."""

import ast
from pathlib import Path

import pytest

from grader.records import Segment, Submission
from grader.submission import load, statement_place
from handwritten import CLASSIC, PROGRAMS
from labelled import LABELS, NAMES, ROWS, SOLUTION

SUBMISSIONS = Path(__file__).parent / "submissions"


def written(text):
    """Give a submission of one file, all of which is run."""
    return Submission(
        "student", "net.py", "", "net.py", segments=(Segment("net.py", text, tuple(range(len(ast.parse(text).body)))),)
    )


def quoted(submission, about, **more):
    """Give the text of the line that is found, or None."""
    place = statement_place(submission, "TwoLayerNet", about, **more)
    return place.text.strip() if place else None


@pytest.mark.parametrize(("program", "about", "line"), ROWS)
def test_the_statement_of_a_role(program, about, line):
    """Each role's statement is found by what is computed, in eight hands; what is not there or not sure is None."""
    names = ("A", "a", "B", "b") if program == "greek" else NAMES
    assert str(quoted(written(PROGRAMS[program]), about, names=names)) == line


@pytest.mark.parametrize("name", LABELS)
def test_the_submissions(name):
    """Of every submission that is kept, every role's line is the one that a person marked."""
    submission = load(SUBMISSIONS / name, class_name="TwoLayerNet", notebook="two_layer_net.ipynb")
    expected = SOLUTION | LABELS[name]
    assert {about: quoted(submission, about) for about in expected} == expected


def test_where_the_regulariser_enters_a_gradient():
    """A regulariser's gradient that has a statement of its own is quoted there, not where it is only added."""
    apart = CLASSIC.replace("        dW1 += reg * W1\n", "        rW1 = reg * W1\n        dW1 += rW1\n")
    assert quoted(written(apart), "grad regulariser W1") == "rW1 = reg * W1"


def test_the_decay_is_not_just_any_use_of_the_rate():
    """What is computed from the rate alone is the decay only where the decay's own factor is used nowhere."""
    more = CLASSIC.replace(
        "        return {'loss_history'", "        last = learning_rate * 2\n        return {'loss_history'"
    )
    assert quoted(written(more), "decay") == "learning_rate *= learning_rate_decay"
    constant = CLASSIC.replace("learning_rate *= learning_rate_decay", "learning_rate *= 0.95")
    assert quoted(written(constant), "decay") == "learning_rate *= 0.95"


def test_a_helper_is_followed_into_its_file():
    """A helper module that was handed in beside is read too, and the place names its file."""
    submission = load(SUBMISSIONS / "right_helper_modules", class_name="TwoLayerNet", notebook="two_layer_net.ipynb")
    assert str(statement_place(submission, "TwoLayerNet", "activation")).startswith("layers.py, line 9: ")


LOSS = "class TwoLayerNet:\n    def loss(self, X, y=None, reg=0.0):\n"
EDITS = [
    # The sigmoid's slope stands where the ReLU's mask would.
    ("dhidden[hidden <= 0] = 0", "dhidden *= hidden * (1 - hidden)", "mask"),
    ("indices = np.random.choice(num_train, batch_size)", "indices = np.arange(batch_size)", "batch"),
    ("hidden = np.maximum(0, X.dot(W1) + b1)", "hidden = X.dot(W1)", "hidden"),
    ("return scores", "return scores, hidden", "returned scores"),
    ("hidden.dot(W2) + b2", "np.add(hidden.dot(W2), b2)", "scores"),
    ("argmax(axis=1)", "argmin(axis=1)", "labels"),
    # The parameters made anew, and under keys that are not told.
    (
        "self.params[name] -= learning_rate * grads[name]",
        "self.params = {k: self.params[k] - learning_rate * grads[k] for k in self.params}",
        "update b1",
    ),
    (
        "for name in self.params:\n                self.params[name] -= learning_rate * grads[name]",
        "for name in keys():\n                self.params[name] -= learning_rate * 2",
        "update b1",
    ),
]


@pytest.mark.parametrize(("old", "new", "about"), EDITS)
def test_a_mistake_is_where_it_was_made(old, new, about):
    """A statement that is wrong still plays its part: the place is the line that was changed."""
    text = (SUBMISSIONS / "wrong_overflows.py").read_text(encoding="utf-8")
    assert new.split("\n")[-1].strip() in quoted(written(text.replace(old, new)), about)


HOSTILE = {
    "deep expression": LOSS + "        a = " + "+".join(["X"] * 700) + "\n        return a\n",
    "deep blocks": LOSS + "".join(f"{' ' * (8 + depth)}if X[{depth}]:\n" for depth in range(90)) + " " * 98 + "a = X\n",
    "loops of loops": LOSS
    + "".join(f"{' ' * (8 + depth)}for a{depth} in (1, 2, 3, 4, 5, 6, 7, 8):\n" for depth in range(19))
    + " " * 27
    + "a = X\n",
    "calls in a circle": LOSS
    + "        return self.f(X)\n    def f(self, X):\n"
    + "        X = self.f(X) + self.f(X)\n" * 300
    + "        return X\n",
    "a method of 5,000 lines": LOSS + "        X = X.dot(self.params['W1'])\n" * 5_000 + "        return X\n",
    "tuples that double": LOSS
    + "        a = (X, X)\n"
    + "        if X: a = (a, a)\n        else: a = (a, a)\n" * 300
    + "        return a\n",
    "a very long tuple": LOSS + "        a = (" + "X," * 20_000 + ")\n        return a\n",
    "names that double": LOSS
    + "        k = 'W%d'\n"
    + "        k = k + k\n" * 90
    + "        return self.params[k % 0x"
    + "f" * 9_000
    + "]\n",
    "a key of 36,000 bits": LOSS + "        return self.params['W%d' % 0x" + "f" * 9_000 + "]\n",
    "ranges without end": LOSS
    + "        for i in range(-10**9, 8): pass\n        for i in range(999999999999): pass\n",
    "no arguments": "class TwoLayerNet:\n    def loss(): return loss()\n    def train(): pass\n",
    "calls of nothing": LOSS
    + "        dict(); np.where(); X.append(); X.get(); shuffle(); np.take()\n        for a in zip(): pass\n"
    + "        for a, in {}.items(): pass\n        *a, b = ()\n        self.params.update(3, **4)\n        self.params = 3\n",
}


@pytest.mark.untraced  # the same lines over and over: a tracer doubles the time and learns nothing
@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_code_ends_the_search(name):
    """Code that is too long, too deep or goes in circles is not sure, and neither raises nor takes long."""
    submission = written(HOSTILE[name])
    for about in ("scores", "hidden", "total loss", "mask", "grads W1", "grad regulariser W1", "batch", "labels"):
        assert statement_place(submission, "TwoLayerNet", about) is None


def test_a_class_of_5000_lines():
    """The length of the rest of a class is no hindrance: only what the method itself leads to is followed."""
    submission = written(CLASSIC + "".join(f"    def method{i}(self):\n        return {i}\n" for i in range(2_500)))
    assert quoted(submission, "mask") == "dhidden[a1 <= 0] = 0"
    assert quoted(submission, "labels") == "y_pred = np.argmax(scores, axis=1)"


def test_the_limits_are_what_ends_the_search(monkeypatch):
    """A method as long as students write them is followed; with fewer steps than it has, nothing is sure."""
    assert quoted(written(CLASSIC), "scores") == "scores += b2"
    monkeypatch.setattr("grader.submission.traces.MOST_STEPS", 100)
    assert quoted(written(CLASSIC + "\n"), "scores") is None


def test_what_cannot_be_parsed_has_no_places():
    """A segment that Python refuses gives no place and raises nothing: it has been told of when it was loaded."""
    broken = Submission("student", "net.py", "", "net.py", segments=(Segment("net.py", "def (", (0,)),))
    assert statement_place(broken, "TwoLayerNet", "scores") is None
