"""Causes that are no numbers, from findings made by hand: who is told together, in what words, and what is left to a name."""

import pytest

from grader.checks import GradingContext
from grader.diagnosis.causes import find_causes, refer_to_cause
from grader.model import Charge, Finding, Place, QuestionId, Reply, Run, Segment, StudentError, Submission

SOURCE = """import numpy as np
class TwoLayerNet:
    def loss(self, X, y=None, reg=0.0):
        def inner():
            return X / 0
        return inner()

    def train(self, X):
        return self.loss(X)
"""
SUBMISSION = Submission("s", "s.py", "", "s.py", segments=(Segment("s.py", SOURCE, (0, 1)),))
IN_LOSS, IN_TRAIN = Place("s.py", 6, "        return inner()"), Place("s.py", 9, "        return self.loss(X)")


def failed(error=None, share=0.0, *, carried=False, skipped=False):
    """Make a finding."""
    return Finding(share, "Failed.", error=error, carried=carried, skipped=skipped)


def error(kind="ValueError", message="shapes (4,3) and (5,3)", during="loss", places=(IN_LOSS,)):
    """Make an error."""
    return StudentError(during, kind, message, places)


@pytest.fixture
def told(assignment, questions):
    """Return a function that tells the causes of findings."""
    run = Run(Reply(QuestionId("load"), "returned"), {}, (), {"numpy": "2.9.9", "python": "3.12.1"}, 0.0, 0.0)
    evidence = GradingContext(assignment, questions, run)
    return lambda findings, named=(): find_causes(evidence, SUBMISSION, findings, named)


def test_errors_of_one_line_are_one_cause(told):
    """The sizes in a message differ from question to question; the line does not."""
    findings = {
        "scores": failed(error(message="shapes (4,3) and (5,3)")),
        "data_loss": failed(error(message="shapes (7,2) and (9,2)")),
        "predict": Finding(1.0, "Right."),
    }
    (cause,) = told(findings)
    assert cause.id == "exception"
    assert cause.explains == ("scores", "data_loss")
    assert cause.costs == {"scores": 1.0, "data_loss": 1.0}
    assert cause.place == IN_LOSS
    assert "ValueError (line 6)" in cause.title


def test_errors_of_two_lines_are_two_causes_and_the_dearer_comes_first(told):
    """Each is told once."""
    other = error("NameError", "name 'z' is not defined", "train", (IN_TRAIN,))
    first, second = told({"update_rule": failed(other), "scores": failed(error()), "data_loss": failed(error())})
    assert first.explains == ("scores", "data_loss")
    assert second.explains == ("update_rule",)


def test_an_error_without_a_line_is_told_by_its_words(told):
    """Numbers in the words do not make two of one."""
    asked = [
        error("TypeError", f"loss() takes (self, X) but is asked as loss(X, y, reg={reg})", places=())
        for reg in (0.0, 0.05)
    ]
    (cause,) = told({"data_loss": failed(asked[0]), "regularised_loss": failed(asked[1])})
    assert cause.explains == ("data_loss", "regularised_loss")


def test_a_time_limit_is_one_cause_for_each_method(told):
    """What timed out, and what was not asked after it, is told of the method that did not end."""
    still, after = (
        error("", "still running after 5 s", places=()),
        error("", "not asked: loss used up its time", places=()),
    )
    findings = {"scores": failed(still), "data_loss": failed(after, skipped=True)}
    (cause,) = told({**findings, "update_rule": failed(error("", "still running", "train", (IN_TRAIN, IN_LOSS)))})
    assert cause.id == "time_limit"
    assert cause.title.startswith("loss() did not end within its time")
    assert cause.explains == ("scores", "data_loss", "update_rule")


# As numpy 1.26 to 2.5 and Python 3.11 to 3.13 say it
BY_VERSION = [
    ("AttributeError", "module 'numpy' has no attribute 'in1d'", "numpy 2.9.9 has no np.in1d (line 6): it was removed in numpy 2.4.", "Write np.isin."),
    ("AttributeError", "module 'numpy.core' has no attribute 'umath'", "has no np.umath (line 6).", "numpy's reference"),
    ("AttributeError", "`np.cast` was removed in the NumPy 2.0 release. Use `np.asarray(arr, dtype=dtype)` instead.",
     "has no np.cast (line 6): it was removed in numpy 2.0.", "Use `np.asarray(arr, dtype=dtype)` instead."),
    ("ImportError", "cannot import name 'cast' from 'numpy' (unknown location)", "has no np.cast", "numpy's reference"),
    ("ModuleNotFoundError", "No module named 'numpy.testing.decorators'", "has no module numpy.testing.decorators", "Do without"),
    ("AttributeError", "'numpy.ndarray' object has no attribute 'ptp'", "has no array.ptp() (line 6): it was removed in numpy 2.0.", "np.ptp(array)"),
    ("AttributeError", "`itemset` was removed from the ndarray class in NumPy 2.0. Use", "no array.itemset()", "array[place] = value"),
    ("ValueError", "Unable to avoid copy while creating an array as requested.\nIf using", "numpy 2.9.9 stops here (line 6): np.array(..., copy=False)", "np.asarray"),
    ("TypeError", "only 0-dimensional arrays can be converted to Python scalars", "since numpy 2.4", "array.item()"),
    ("ValueError", "setting an array element with a sequence.", "since numpy 2.4", "array.item()"),
    ("AttributeError", "module 'inspect' has no attribute 'getargspec'", "Python 3.12.1 stops here", "getfullargspec"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("kind", "message", "identity", "words", "hint"),
    [
        *((kind, message, "removed_name", words, hint) for kind, message, words, hint in BY_VERSION),
        (
            "ModuleNotFoundError",
            "No module named 'layers'",
            "missing_import",
            "needs a module that is missing",
            "Hand in the imported file",
        ),
        ("MemoryError", "Unable to allocate 8 GiB", "memory", "too much memory", "Print the shapes"),
        ("IndexError", "index 5 is out of bounds", "exception", "stops with IndexError", "Print the index"),
        ("TypeError", "'NoneType' object is not subscriptable", "exception", "stops with TypeError", "still None"),
        (
            "SyntaxError",
            "this function cannot be read: x",
            "exception",
            "stops with SyntaxError",
            "Mend this line first",
        ),
        ("OddError", "", "exception", "stops with OddError", "just before it"),
        ("", "exited with status 3", "stopped", "ends its own process", "in its own process"),
    ],
)
def test_each_kind_has_its_words(told, kind, message, identity, words, hint):
    """Whoever reads it knows what happened, and what to do or look at."""
    (cause,) = told({"scores": failed(error(kind, message))})
    assert cause.id == identity
    assert words in cause.title
    assert hint in cause.hint


def test_what_is_not_written_is_no_cause(told):
    """NotImplementedError is how a template says that something is to be written."""
    assert told({"scores": failed(error("NotImplementedError", ""), skipped=True)}) == ()


def test_what_passed_has_no_cause(told):
    """An error in a call that costs nothing is not told; in one that is carried it is, and costs nothing there."""
    assert told({"scores": failed(error(), 1.0)}) == ()
    (cause,) = told({"scores": failed(error()), "learns_toy": failed(error(), 1.0, carried=True)})
    assert cause.explains == ("scores", "learns_toy")
    assert cause.costs == {"scores": 1.0}


def test_a_named_mistake_takes_the_place_of_its_exception(told):
    """The name tells more; the same exception in other checks is not told beside it."""
    named = Charge(0, (), ("scores",), {"scores": 1.0})
    assert told({"scores": failed(error()), "data_loss": failed(error())}, [named]) == ()
    assert len(told({"data_loss": failed(error())}, [named])) == 1


def test_checks_point_to_the_cause_that_several_share(told):
    """One sentence in place of the same message in every check; a check that is alone keeps its own."""
    findings = {"scores": failed(error()), "learns_toy": failed(error(), 1.0, carried=True)}
    causes = told(findings)
    assert refer_to_cause(findings["scores"], "scores", causes).message == f"Could not be judged: {causes[0].title}"
    assert refer_to_cause(findings["learns_toy"], "learns_toy", causes).message.endswith(
        "\nIt loses its points elsewhere."
    )
    alone = told({"scores": failed(error())})
    assert refer_to_cause(findings["scores"], "scores", alone) is findings["scores"]
    assert refer_to_cause(findings["scores"], "predict", causes) is findings["scores"]


@pytest.mark.parametrize(("line", "method"), [(5, "loss"), (6, "loss"), (9, "train")])
def test_what_does_not_end_is_told_of_the_method_around_the_line(told, line, method):
    """A function inside loss() is loss()'s affair, whoever was asked."""
    place = Place("s.py", line, SOURCE.splitlines()[line - 1])
    around = {5: (IN_TRAIN, IN_LOSS), 6: (IN_TRAIN,), 9: ()}[line]
    (cause,) = told({"update_rule": failed(error("", "still running after 5 s", "train", (*around, place)))})
    assert cause.title.startswith(f"{method}() did not end within its time (line {line})")
