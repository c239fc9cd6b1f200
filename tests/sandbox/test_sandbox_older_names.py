"""What numpy and Python once had is put back in a student's process, and noted with both versions."""

import numpy as np
import pytest

from grader.sandbox import older_names, stubs

RENAMED = {
    "np.in1d(np.eye(2), [1]).tolist()": [True, False, False, True],
    "np.trapz([1.0, 3.0])": 2.0,
    "np.product([2, 3])": 6,
    "np.cumproduct([2, 3]).tolist()": [2, 6],
    "np.alltrue([1, 0])": False,
    "np.sometrue([1, 0])": True,
    "np.row_stack(([1], [2])).shape": (2, 1),
    "np.msort(np.array([[2.0], [1.0]])).ravel().tolist()": [1.0, 2.0],
    "np.asfarray([1]).dtype.name": "float64",
    "np.Inf - 1 == np.PINF == np.infty == -np.NINF": True,
    "np.isnan(np.NaN)": True,
    "[np.float(1), np.int(2.5), np.float_(3)]": [1.0, 2, 3.0],
    "np.zeros(2, dtype=np.object).tolist()": [0, 0],
    "np.round_(2.6)": 3.0,
    "np.math.sqrt(4)": 2.0,
    "np.asscalar(np.ones(1))": 1.0,
    "hasattr(np, 'trapz')": True,
    "hasattr(np, 'softmax')": False,
    "isinstance({}, Mapping) and isinstance({}, collections.MutableMapping)": True,
    "time.clock() > 0": True,
    "gcd(4, 6)": 2,
}
HEAD = "import numpy as np, collections, time\nfrom collections import Mapping\nfrom fractions import gcd\nfrom numpy import in1d, NaN"


@pytest.fixture
def replied(ask, question):
    """Return the replies to two calls of a network whose loss() returns the list of these expressions, and the load's."""

    def run(*expressions):
        body = f"class TwoLayerNet:\n    def __init__(self, *sizes): self.params = {{}}\n    def loss(self, *rest, **more):\n        return [{', '.join(expressions)}]"
        found = ask(f"{HEAD}\n{body}", question("a"), question("b"))
        return found.load, *found.replies.values()

    return run


def test_each_name_does_what_it_did(replied):
    """All in one process; the answers are those of the releases that still had them."""
    load, first, second = replied(*RENAMED)
    assert load.error is first.error is None
    assert dict(zip(RENAMED, first.results[0], strict=True)) == RENAMED
    assert second.results == first.results


@pytest.mark.skipif(hasattr(np, "product"), reason="this numpy still has it")
def test_each_is_noted_once_with_the_version_and_the_line(replied):
    """A report does not repeat it for every call."""
    load, first, second = replied("np.product([2]) + np.product([3])")
    version = f"numpy {np.__version__} has no np.product (gone with 2.0): np.prod took its place"
    assert [one.partition(" (code cell")[0] for one in first.warnings if "np.product" in one] == [version]
    assert ", line 8)" in first.warnings[0]
    assert not second.warnings
    assert any("has no collections.Mapping (gone with 3.10): collections.abc.Mapping" in one for one in load.warnings)


def test_what_no_version_had_is_missing(replied):
    """The error is numpy's own."""
    _, first, _ = replied("np.softmax([1])")
    assert first.error.type == "AttributeError"
    assert first.error.message == "module 'numpy' has no attribute 'softmax'"


def test_numpy_itself_and_the_grader_see_no_more_names(monkeypatch):
    """Only where the student's code asks: numpy's own trials of a name must find what they found before."""
    monkeypatch.setitem(np.__dict__, "__getattr__", np.__dict__["__getattr__"])
    for module in older_names._PYTHON:
        monkeypatch.setitem(module.__dict__, "__getattr__", None)
        monkeypatch.delitem(module.__dict__, "__getattr__")
    notes = []
    older_names.put_back(notes.append, lambda: None)
    assert not hasattr(np, "in1d") or "in1d" in vars(np)
    assert not notes


@pytest.mark.parametrize("version", older_names.NUMPY)
def test_the_table_names_what_is_gone(version):
    """No name stands in it that this numpy still has, and what takes its place is there."""
    if tuple(map(int, version.split("."))) > tuple(map(int, np.__version__.split(".")[:2])):
        pytest.skip("this numpy is older")
    for name, instead in older_names.NUMPY[version].items():
        assert callable(value := older_names._value(name, instead)) or value is not None
        if version != "1.24":  # numpy 2 has np.bool and np.long again
            assert name not in vars(np)


def test_modules_that_python_lost_are_told(monkeypatch):
    """On 3.12 and later it is not for the student to hand distutils.py in."""
    monkeypatch.setattr(older_names.sys, "stdlib_module_names", frozenset({"imp"}))
    assert "has no module distutils (gone with 3.12)" in stubs.describe_missing("distutils.util")
    assert "gone with" not in stubs.describe_missing("imp.reload")
