"""A recording is read: what each value was made of and who held it; one that does not fit together is refused."""

import copy
import sys

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from examples import examples
from grader.locate import recorded_values
from grader.locate.recorded_values import ARGUMENT, RETURNED, VARIABLE, Recorded, read
from grader.locate.source_statements import statements
from grader.model import Module, OpaqueValue, Segment, Submission
from grader.sandbox.recording import MOST_EVENTS, Recording
from hanging import must_end

# A tracer is set where a recording is made: coverage's cannot be there.
pytestmark = pytest.mark.untraced

HELPER = "import numpy as np\n\n\ndef affine(x, w):\n    y = x.dot(w)\n    return y\n"
NET = """import numpy as np
from layers import affine


def loss(X, params, reg):
    W1 = params["W1"]
    h = affine(
        X,
        W1,
    )
    h[h < 0] = 0
    again = h
    grads = {
        "W1": again + W1[0, 0],
        "b1": h.sum(axis=0),
    }
    total = 0.0
    for i in range(3):
        total += h[i].sum() * reg
    return total, grads
"""
TEXT = statements(
    Submission(
        "test",
        "net.py",
        "",
        "net.py",
        segments=(Segment("net.py", NET, (0, 1, 2)),),
        modules=(Module("layers", Segment("layers.py", HELPER, (0, 1))),),
    )
)
X, W = np.arange(6.0).reshape(3, 2) - 2, np.array([[1.0, -0.5], [0.25, 2.0]])


def result_of(*, X=X):
    """Return the result of a step that recorded loss() of these texts, as it comes through the wire."""
    layers, net = {}, {}
    exec(compile(HELPER, "layers.py", "exec"), layers)  # noqa: S102 -- our own text
    sys.modules["layers"] = type(sys)("layers")
    sys.modules["layers"].affine = layers["affine"]
    try:
        exec(compile(NET, "net.py", "exec"), net)  # noqa: S102 -- our own text
    finally:
        del sys.modules["layers"]
    one, answer, error = Recording(frozenset({"net.py", "layers.py"})), None, ""
    before = sys.gettrace()
    try:
        with one.recording():
            answer = net["loss"](X, {"W1": W}, 0.5)
    except ValueError:
        error = "ValueError"
    finally:
        sys.settrace(before)
    return {**one.notes(), "answer": answer, "error": error}


@pytest.fixture(scope="module")
def result():
    """Return one recording."""
    return result_of()


@pytest.fixture(scope="module")
def whole(result):
    """Return it read."""
    one = read(result, TEXT, "loss")
    assert isinstance(one, Recorded)
    return one


def named(one, name):
    """Return the values that were first made under a name."""
    return [made for made in one.made if made.name == name]


def holders(made):
    """Return the names that held a value, with lines and in what way."""
    return [(held.name, held.spot[1], held.how) for held in made.holders]


# ---------------------------------------------------------------- a real one


def test_values_have_the_lines_that_made_them(whole):
    """A value belongs to the statement that made it first, by its first line, and an entry of a dict to its own line."""
    (y,) = named(whole, "y")
    assert y.spot == ("layers.py", 5)
    assert holders(y) == [("y", 5, VARIABLE), ("return", 6, RETURNED), ("h", 7, VARIABLE)]
    (h,) = named(whole, "h")
    assert h.spot == ("net.py", 11)
    assert ("again", 12, VARIABLE) in holders(h)
    assert named(whole, "grads['W1']")[0].spot == ("net.py", 14)
    assert named(whole, "grads['b1']")[0].spot == ("net.py", 15)
    (given_x,) = named(whole, "X")
    assert given_x.given
    assert holders(given_x)[:2] == [("X", 5, ARGUMENT), ("x", 4, ARGUMENT)]
    np.testing.assert_array_equal(given_x.value, X)


def test_values_know_what_they_were_made_of(whole):
    """A statement's value uses what the statement reads, also what a function that it called made, and is told its users."""
    (h,), (y,), (grad,) = named(whole, "h"), named(whole, "y"), named(whole, "grads['W1']")
    assert {whole.made[use].name for use in y.uses} == {"X", "params['W1']"}
    assert y.number in h.uses
    assert h.number in grad.uses
    assert grad.number in h.users
    assert all(made.number in whole.made[use].users for made in whole.made for use in made.uses)
    totals = named(whole, "total")
    assert totals[0].number in totals[1].uses


def test_calls_know_their_callers(whole):
    """The function of a value is found, and the lines that called it from the inside out."""
    (y,) = named(whole, "y")
    assert whole.function(y.call) == "affine"
    assert [spot[0] for spot in whole.callers(y.call)] == ["net.py"]
    assert whole.is_method(0)
    assert not whole.is_method(y.call)
    assert whole.end() == ("net.py", 20)
    assert whole.ran["net.py", 19] == 3
    assert whole.stopped is None
    assert whole.callers(99) == []
    assert not whole.function(99)


def test_what_stopped_is_kept():
    """An exception's line is where it was raised, and what was made until then is there."""
    one = read(result_of(X=np.ones((3, 4))), TEXT, "loss")
    assert one.error == "ValueError"
    assert one.stopped == ("layers.py", 5)
    assert one.end() is None
    assert {made.name for made in one.made} >= {"X", "params['W1']"}


# ---------------------------------------------------------------- odd ones


def without(name):
    """Return a change that takes something away."""
    return lambda one: one.pop(name)


def put(name, value):
    """Return a change that puts something in the place of something."""
    return lambda one: one.update({name: value})


REFUSED = {
    "whole is missing": without("whole"),
    "not whole": put("whole", False),
    "whole is a number": put("whole", 1),
    **{f"no {name}": without(name) for name in ("texts", "data", "values", "events", "calls", "ran")},
    "texts are none": put("texts", "net.py"),
    "data of two axes": put("data", np.zeros((2, 2))),
    "data of text": put("data", np.array(["a"])),
    "events of floats": lambda one: one.update(events=one["events"].astype(float)),
    "events too narrow": lambda one: one.update(events=one["events"][:, :5]),
    "one event": lambda one: one.update(events=one["events"][0]),
    "foreign events": put("events", OpaqueValue("Lie", "[]")),
    "an event of no value": lambda one: one["events"].__setitem__((0, 4), 10**6),
    "an event of no name": lambda one: one["events"].__setitem__((0, 3), 10**6),
    "an event of no call": lambda one: one["events"].__setitem__((-1, 2), 10**6),
    "a value of no kind": lambda one: one["values"].__setitem__((0, 0), 77),
    "a value larger than the data": lambda one: one["values"].__setitem__((0, 1), 10**9),
    "sizes beyond all measure": lambda one: one["values"].__setitem__((0, slice(1, 5)), 2**62),
    "a call of no name": lambda one: one["calls"].__setitem__((0, 3), 10**6),
    "a label that is none": lambda one: one["ran"].__setitem__((0, 0), 10**6),
    "too little data": lambda one: one.update(data=one["data"][:3]),
    "more events than there can be": lambda one: one.update(
        events=np.tile(one["events"], (2 * MOST_EVENTS // len(one["events"]) + 2, 1))
    ),
    "more data than there can be": put("data", np.zeros(1 << 20)),
    "more texts than there can be": put("texts", ["a"] * 10_000),
}


@pytest.mark.parametrize("change", REFUSED.values(), ids=REFUSED)
def test_what_does_not_fit_is_refused(result, change):
    """A recording with a part missing, of another kind, or that points to nothing is none."""
    one = copy.deepcopy(result)
    change(one)
    assert read(one, TEXT, "loss") is None


@pytest.mark.parametrize("odd", [None, 1, [], "recorded", (), {}, OpaqueValue("dict", "{}"), np.zeros(3)], ids=repr)
def test_what_is_no_recording(odd):
    """Whatever else a step may answer is no recording."""
    assert read(odd, TEXT, "loss") is None


def test_calls_that_call_each_other_in_a_ring(result):
    """Calls that were forged to be their own callers end all the same, whoever is asked for."""
    one = copy.deepcopy(result)
    rows = len(one["calls"])
    one["calls"][:, 0] = (np.arange(rows) + 1) % rows
    with must_end():
        found = read(one, TEXT, "loss")
        assert all(len(found.callers(call)) <= recorded_values.DEEPEST for call in range(rows))
    assert found.shared_caller() is None


@pytest.mark.slow
def test_the_largest_recording_is_read_in_time(result):
    """As many events and calls as there can be, each call made by the one before, all names read by one statement."""
    one, events, calls = copy.deepcopy(result), recorded_values.MOST_ROWS, recorded_values.MOST_CALLS
    names = [f"h[{number}]" for number in range(1_000)]
    texts = one["texts"] = [*one["texts"], *names]
    label, first = texts.index("net.py"), len(texts) - len(names)
    one["calls"] = np.stack([np.arange(calls) - 1, *[np.full(calls, label)] * 3], axis=1)
    one["values"] = np.full((events, 5), -1)
    one["values"][:, 0] = 0
    one["data"] = np.arange(float(events))
    rows = np.arange(events)
    one["events"] = np.stack(
        [
            np.full(events, label),
            np.full(events, 19),
            np.full(events, calls - 1),
            first + rows % 1_000,
            rows,
            rows * 0 + 1,
        ],
        axis=1,
    )
    with must_end(30):
        found = read(one, TEXT, "loss")
    assert len(found.made) == events
    assert max(len(made.uses) for made in found.made) == recorded_values.MOST_USES


ODD = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(2**70), 2**70),
    st.floats(),
    st.text(max_size=3),
    st.just(np.zeros(0)),
    st.just(np.array(np.nan)),
    st.just(np.zeros((1, 6), dtype=np.int64)),
    st.lists(st.integers(-9, 9), max_size=6),
    st.just({"a": [1]}),
    st.just(OpaqueValue("Lie", "lie")),
)
NUMBERS = st.one_of(st.integers(-3, 40), st.sampled_from([-(2**63), 2**63 - 1, 2**31, 10**6]))


@examples(150)
@given(st.data())
def test_no_recording_stops_the_reading(result, data):
    """Whatever a process says that it recorded, reading it ends, and gives a recording or nothing."""
    one = copy.deepcopy(result)
    for _ in range(data.draw(st.integers(1, 4))):
        key = data.draw(st.sampled_from(sorted(one)))
        table = one[key]
        if isinstance(table, np.ndarray) and table.size and data.draw(st.integers(0, 3)):
            place = tuple(data.draw(st.integers(0, size - 1)) for size in table.shape)
            table[place] = data.draw(st.floats() if table.dtype.kind == "f" else NUMBERS)
        elif isinstance(table, list) and table and data.draw(st.booleans()):
            table[data.draw(st.integers(0, len(table) - 1))] = data.draw(ODD)
        else:
            one[key] = data.draw(ODD)
    with must_end():
        found = read(one, TEXT, "loss")
        assert found is None or isinstance(found, Recorded)
        if found is not None:
            for made in found.made:
                assert made.value.dtype == np.float64
                assert all(0 <= use < len(found.made) for use in made.uses)
                found.callers(made.call)
                found.function(made.call)
            found.end()
            found.shared_caller()


def test_a_long_chain_is_no_name_of_anything():
    """Each of two hundred attributes in a row holds all before it: written out one by one they took seconds."""
    source = f"a = self.cache['h'] + b{'.c' * 200}\n"
    submission = Submission("n", "n.py", "", "n.py", segments=(Segment("n.py", source, (0,)),))
    found = statements(submission).reads("n.py", 1)
    assert found.names == {"self", "b"}
    assert found.parts == {"self.cache['h']", "self.cache", *(f"b{'.c' * count}" for count in range(1, 8))}
