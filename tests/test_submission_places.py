"""Lines that messages quote come from our copy, and a check's finding points at the student's statement or nowhere."""

import pytest

from grader.submission import load, place, statement_place

NET = """import numpy as np
from base import Base

class TwoLayerNet(Base):
    def loss(self, X, y=None, reg=0.0):
        grads = {}
        dscores = X
        dW1 = X.T.dot(dscores)
        dW1 += reg * X
        grads['W1'] = dW1
        grads['W2'], self.x = X * 2, 1
        b1_grad = X.sum(axis=0)
        grads['b1'] = b1_grad
        self.params['b2'] -= grads['W2']
        return grads

    def train(self):
        pass
"""


@pytest.fixture
def submission(tmp_path):
    """Load a class with a base class in a second file."""
    (tmp_path / "net.py").write_text(NET, encoding="utf-8")
    (tmp_path / "base.py").write_text("class Base:\n    def predict(self):\n        return 1\n", encoding="utf-8")
    return load(tmp_path, class_name="TwoLayerNet", notebook="x.ipynb")


@pytest.mark.parametrize(
    ("about", "where"),
    [
        ("loss", "net.py, line 5: `def loss(self, X, y=None, reg=0.0):`"),
        ("train", "net.py, line 17: `def train(self):`"),
        ("predict", "base.py, line 2: `def predict(self):`"),
        ("grads W1", "net.py, line 9: `dW1 += reg * X`"),
        ("grads W2", "net.py, line 11: `grads['W2'], self.x = X * 2, 1`"),
        ("grads b1", "net.py, line 12: `b1_grad = X.sum(axis=0)`"),
        ("grads b2", "None"),
        ("grads", "None"),
        ("style", "None"),
        ("", "None"),
    ],
)
def test_statement_place(submission, about, where):
    """The place is the line that computes what the check speaks of; where that is not sure, there is none."""
    assert str(statement_place(submission, "TwoLayerNet", about)) == where


@pytest.mark.parametrize("attach", ["TwoLayerNet.loss = my_loss", "setattr(TwoLayerNet, 'loss', my_loss)"])
def test_a_method_attached_later(tmp_path, attach):
    """Of a method that was attached to the class the function is quoted, not the one that it replaced."""
    text = f"class TwoLayerNet:\n    def loss(self): pass\ndef my_loss(self):\n    dW1 = 2\n{attach}\n"
    (tmp_path / "net.py").write_text(text, encoding="utf-8")
    submission = load(tmp_path, class_name="TwoLayerNet", notebook="x.ipynb")
    assert str(statement_place(submission, "TwoLayerNet", "loss")) == "net.py, line 3: `def my_loss(self):`"
    assert str(statement_place(submission, "TwoLayerNet", "grads W1")) == "net.py, line 4: `dW1 = 2`"


def test_bases_in_a_circle(tmp_path):
    """Classes that inherit from each other end the search."""
    (tmp_path / "net.py").write_text("class A(TwoLayerNet): pass\nclass TwoLayerNet(A): pass", encoding="utf-8")
    submission = load(tmp_path, class_name="TwoLayerNet", notebook="x.ipynb")
    assert statement_place(submission, "TwoLayerNet", "loss") is None


def test_place_gives_the_line_of_our_copy(submission):
    """A label and a line, as a traceback gives them, become the student's text; what is not there gives nothing."""
    assert str(place(submission, "net.py", 8)) == "net.py, line 8: `dW1 = X.T.dot(dscores)`"
    assert str(place(submission, "base.py", 3)) == "base.py, line 3: `return 1`"
    for label, line in (("net.py", 0), ("net.py", 999), ("net.py", -1), ("/etc/passwd", 1)):
        assert place(submission, label, line) is None


def test_quoted_text_is_printable(tmp_path):
    """A line made to move a terminal's cursor, or a megabyte long, is quoted harmlessly."""
    (tmp_path / "net.py").write_text(f"class TwoLayerNet: pass\n# \x1b[2J\u202e\n# {'x' * 9999}", encoding="utf-8")
    submission = load(tmp_path, class_name="TwoLayerNet", notebook="x.ipynb")
    assert str(place(submission, "net.py", 2)) == "net.py, line 2: `# \ufffd[2J\ufffd`"
    assert len(str(place(submission, "net.py", 3))) < 200
