"""Watching train() and predict(): stand-ins are set where the methods are defined, and are gone afterwards, whatever happens."""

import collections
import inspect
from typing import NamedTuple

import numpy as np
import pytest

from grader.model import CLASSIC
from grader.sandbox.method_stand_ins import Form, Watch, in_layout
from grader.sandbox.stand_in_replies import StandIn

SHAPES = {"W1": (4, 5), "b1": (5,), "W2": (5, 3), "b2": (3,)}
X, Y = np.random.default_rng(0).normal(size=(6, 4)), np.arange(6) % 3


class Net:
    """A network of no use."""

    def __init__(self, shapes=None):
        shapes = shapes or SHAPES
        self.params = {name: np.full(shape, 0.5) for name, shape in shapes.items()}

    def loss(self, X, y=None, reg=0.0):
        """Do nothing of use."""
        return "own"

    def predict(self, X):
        """Do nothing of use."""
        return "own"


class Below(Net):
    """A network whose loss() calls its base's."""

    def loss(self, X, y=None, reg=0.0):
        """Ask the base."""
        return super().loss(X, y, reg)


class Inherits(Net):
    """A network that inherits everything."""


class Slotted:
    """A network without a dict of its own."""

    __slots__ = ("params",)
    __init__, loss, predict = Net.__init__, Net.loss, Net.predict


class Careful(Net):
    """A network that refuses attributes."""

    def __setattr__(self, name, value):
        if name != "params":
            raise TypeError(name)
        object.__setattr__(self, name, value)


def watch(form=None):
    """Return a watch."""
    return Watch(StandIn(3, SHAPES, 3, [(X, Y)]), SHAPES, form, vars(CLASSIC))


@pytest.mark.parametrize("make", [Net, Below, Inherits, Slotted, Careful])
def test_stand_ins_answer_and_are_gone_afterwards(make):
    """By method, by class, by super(), with slots and with a __setattr__: all come to the stand-in, and only inside."""
    net = make()
    before = {base: dict(vars(base)) for base in type(net).__mro__}
    with watch().replacing(net, ["loss", "predict"]):
        loss, grads = net.loss(X, Y, reg=0.1)
        assert loss > 0
        assert {name: value.shape for name, value in grads.items()} == SHAPES
        assert make.loss(net, X, y=Y)[0] == loss
        assert net.loss(X).shape == (6, 3)
        assert net.predict(X).shape == (6,)
        assert make().loss(X, Y)[0] > 0  # a copy, or another network of the class
    assert net.loss(X, Y) == net.predict(X) == "own"
    assert {base: dict(vars(base)) for base in type(net).__mro__} == before


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt, SystemExit])
def test_methods_are_put_back_whatever_happens(error):
    """Also where train() raises, or ends the program."""
    net = Below()
    with pytest.raises(error), watch().replacing(net, ["loss", "predict"]):
        raise error
    assert net.loss(X, Y) == "own"
    assert inspect.getsource(Below.loss) != inspect.getsource(Net.loss)


def test_methods_that_an_instance_hides_are_put_back_too():
    """A constructor may set self.loss: it is taken away while watched, and is there afterwards."""
    net = Net()
    net.loss = own = lambda *_, **__: "instance"
    with watch().replacing(net, ["loss"]):
        assert net.loss(X, Y)[0] > 0
    assert net.loss is own


def test_a_method_that_is_not_there_is_made_and_taken_away():
    """Where predict() is not written at all, train() is answered all the same."""

    class Bare:
        def __init__(self):
            self.params = Net().params

    net = Bare()
    with watch().replacing(net, ["predict", "loss"]):
        assert net.predict(X).shape == (6,)
        assert net.loss(X, Y, 0.1)[0] > 0
    assert not hasattr(Bare, "predict")
    assert not hasattr(Bare, "loss")


@pytest.mark.parametrize("kind", [staticmethod, property])
def test_what_is_no_plain_method_is_left_alone(kind):
    """A static method or a property is called in a way of its own."""

    class Odd(Net):
        loss = kind(lambda *_: "odd")

    with watch().replacing(Odd(), ["loss"]):
        assert type(vars(Odd)["loss"]) is kind


def gradients(**changed):
    """Return plain gradients."""
    return {name: np.zeros(shape) for name, shape in SHAPES.items()} | changed


class Answer(NamedTuple):
    """What a careful student returns."""

    loss: float
    grads: dict
    scores: np.ndarray | None


FORMS = {
    "a tuple": ((1.0, gradients()), lambda a: a),
    "a list": ([1.0, gradients()], lambda a: a),
    "a tuple of three": ((1.0, gradients(), np.zeros((6, 3))), lambda a: a[:2]),
    "gradients first": ((gradients(), 1.0), lambda a: (a[1], a[0])),
    "a named tuple": (Answer(1.0, gradients(), None), lambda a: (a.loss, a.grads)),
    "other keys": (
        (1.0, {f"d{k}": v for k, v in gradients().items()}),
        lambda a: (a[0], {k[1:]: v for k, v in a[1].items()}),
    ),
    "an ordered dict": ((1.0, collections.OrderedDict(gradients())), lambda a: a),
}


@pytest.mark.parametrize("name", FORMS)
def test_an_answer_has_the_form_of_one_plain_answer(name):
    """The same type, length, order, names and keys: what train() takes apart is what its own loss() gives."""
    plain, apart = FORMS[name]
    made = {k: np.full(shape, 2.0) for k, shape in SHAPES.items()}
    answer = Form.of(plain, SHAPES).answer(7.5, made, Net())
    assert type(answer) is type(plain)
    assert len(answer) == len(plain)
    loss, grads = apart(answer)
    assert loss == 7.5
    assert {k: v.shape for k, v in grads.items()} == SHAPES
    assert all((v == 2.0).all() for v in grads.values())
    assert (apart(plain)[0], apart(plain)[1]["W1"].any()) == (1.0, False)  # the plain answer stays what it was


LAYOUTS = {"b1": (1, 5), "b2": (3, 1), "W1": (5, 4), "W2": (3, 5)}


@pytest.mark.parametrize("name", LAYOUTS)
def test_gradients_have_the_students_own_layout(name):
    """(1, H) biases and transposed weights: of the plain answer, or else of the parameter."""
    made = {k: np.arange(float(np.prod(shape))).reshape(shape) for k, shape in SHAPES.items()}
    own = LAYOUTS[name]
    from_answer = Form.of((1.0, gradients(**{name: np.zeros(own)})), SHAPES).answer(1.0, made, Net())[1][name]
    from_params = Form.of(None, SHAPES).answer(1.0, made, Net({**SHAPES, name: own}))[1][name]
    right = made[name].T if name.startswith("W") else made[name].reshape(own)
    assert np.array_equal(from_answer, right)
    assert np.array_equal(from_params, right)


@pytest.mark.parametrize("form", [None, 3, "text", (), (1,), ({},), (None, None), (1.0, {}), [[]], {"W1": 1}])
def test_an_answer_of_no_form_is_answered_as_a_pair(form):
    """Where loss() was never answered, or by garbage, (loss, grads) is what the assignment asks for."""
    made = {name: np.ones(shape) for name, shape in SHAPES.items()}
    loss, grads = Form.of(form, SHAPES).answer(2.0, made, Net())
    assert loss == 2.0
    assert set(grads) == set(SHAPES)


@pytest.mark.parametrize(
    ("own", "given", "laid"),
    [
        ((5,), (5,), (5,)),
        ((1, 5), (5,), (1, 5)),
        ((5,), (1, 5), (5,)),
        ((5, 4), (4, 5), (5, 4)),
        ((9,), (4, 5), (4, 5)),
    ],
)
def test_a_layout_is_taken_where_it_is_one(own, given, laid):
    """What is neither an axis of one nor a transposition stays as it was."""
    assert in_layout(np.zeros(given), own).shape == laid


CALLS = {
    "by position": lambda net: net.loss(X, Y, 0.25),
    "by name": lambda net: net.loss(X=X, y=Y, reg=0.25),
    "reg under another name": lambda net: net.loss(X, Y, lam=0.25),
    "labels under another name": lambda net: net.loss(X, labels=Y, reg=0.25),
    "all under other names": lambda net: net.loss(rows=X, labels=Y, lam=0.25),
}


@pytest.mark.parametrize("name", CALLS)
def test_arguments_are_bound_by_the_students_own_signature(name):
    """What does not fit is answered all the same, as far as it can be told what it is, and noted as a misfit."""
    one, net = watch(), Net()
    with one.replacing(net, ["loss"]):
        CALLS[name](net)
    notes = one.notes(net, None)
    assert notes["asked"][:, 1:3].tolist() == [[6, 0.25]]
    assert np.array_equal(notes["X"], X)
    assert notes["y"].tolist() == Y.tolist()
    assert bool(notes["misfit"]) == ("other" in name)


def test_other_names_in_loss_itself_are_no_misfit():
    """loss(self, inputs, labels, lam) called by those names is what it is."""

    class Other(Net):
        def loss(self, inputs, labels=None, lam=0.0):
            return "own"

    one, net = watch(), Other()
    with one.replacing(net, ["loss"]):
        net.loss(X, labels=Y, lam=0.5)
        net.loss(X, Y)
    notes = one.notes(net, None)
    assert notes["misfit"] == ""
    assert notes["asked"][:, 2].tolist() == [0.5, 0.0]


def test_what_is_no_question_goes_to_the_students_own_loss():
    """None for a batch, or labels of another length: the program's own loss() says what is wrong with that."""
    net = Net()
    with watch().replacing(net, ["loss", "predict"]):
        assert net.loss(None, Y) == "own"
        assert net.loss(X, Y[:2]) == "own"
        assert net.loss("text", Y) == "own"
        assert net.predict(None) == "own"
        assert np.ndim(net.predict(X[0])) == 0
