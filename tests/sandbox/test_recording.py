"""Recording: after each line of the student's text what it made is noted, within caps, and nothing of the student's is asked."""

import sys
from dataclasses import dataclass

import numpy as np
import pytest

from grader.sandbox import recording
from grader.sandbox.recording import ARGUMENT, KINDS, RETURNED, VARIABLE, Recording, StoppedError

# A tracer cannot be traced: where it is set, coverage's is not.
pytestmark = pytest.mark.untraced


@pytest.fixture(autouse=True)
def _tracer_is_kept():
    before = sys.gettrace()
    yield
    sys.settrace(before)


@dataclass
class Told:
    """The notes of one run, as people read them. events : (label, line, name, value, what it is)."""

    notes: dict
    events: list
    error: BaseException | None
    answer: object = None

    def of(self, name, how=VARIABLE):
        """Return what a name held, one after another, each with its line."""
        return [(line, value) for _, line, own, value, kind in self.events if own == name and kind == how]

    @property
    def names(self):
        """Return all names."""
        return {name for _, _, name, _, _ in self.events}


def told(notes, error=None, answer=None):
    """Take notes apart."""
    texts, values, start = notes["texts"], [], 0
    for kind, *sizes in notes["values"].tolist():
        shape = tuple(size for size in sizes if size >= 0)
        end = start + int(np.prod(shape))
        value = notes["data"][start:end].reshape(shape).tolist()
        values.append({"f": value, "c": value, "i": value, "b": value}[KINDS[kind]])
        start = end
    assert start == len(notes["data"])
    events = [
        (texts[label], line, texts[name], values[value], how)
        for label, line, _, name, value, how in notes["events"].tolist()
    ]
    return Told(notes, events, error, answer)


def recorded(text, *arguments, files=(), **names):
    """Record f(*arguments) of a text whose first line is line 1; files : texts that it may use, run before it by label."""
    own = {"np": np, **names}
    sources = {**dict(files), "net.py": text}
    for label, source in sources.items():
        exec(compile(source, label, "exec"), own)  # noqa: S102 -- our own text
    one = Recording(frozenset(sources))
    error = answer = None
    try:
        with one.recording():
            answer = own["f"](*arguments)
    except (Exception, StoppedError) as raised:  # noqa: BLE001 -- a test looks at it
        error = raised
    assert sys.gettrace() is None
    return told(one.notes(), error, answer)


# ---------------------------------------------------------------- what is noted


def test_each_line_has_what_it_made():
    """Arguments, new values and what is returned are noted, each at its line, and what stays as it is only once."""
    one = recorded("def f(x):\n    a = x * 2\n    b = a + 1\n    c = a\n    return b - a", np.array([1.0, 2.0]))
    assert one.events == [
        ("net.py", 1, "x", [1.0, 2.0], ARGUMENT),
        ("net.py", 2, "a", [2.0, 4.0], VARIABLE),
        ("net.py", 3, "b", [3.0, 5.0], VARIABLE),
        ("net.py", 4, "c", [2.0, 4.0], VARIABLE),
        ("net.py", 5, "return", [1.0, 1.0], RETURNED),
    ]
    assert one.notes["whole"]
    assert one.notes["stopped"] == ("", 0)
    assert {line: times for _, line, times in one.notes["ran"].tolist()} == dict.fromkeys((2, 3, 4, 5), 1)


def test_what_is_changed_in_place_is_noted_where_it_changes():
    """An entry that is stored, also through another name, is a new value of the array under the name that the line has."""
    one = recorded(
        "def f(x):\n    a = x.copy()\n    a[0] = 5\n    b = a\n    b += 1\n    c = a * 1", np.array([1.0, 2.0])
    )
    assert one.of("a") == [(2, [1.0, 2.0]), (3, [5.0, 2.0]), (6, [6.0, 3.0])]
    assert one.of("b") == [(4, [5.0, 2.0]), (5, [6.0, 3.0])]


def test_entries_of_containers_have_names_of_their_own():
    """Dicts, lists, tuples and what they hold are noted as the student would write them; whole numbers of rows as one."""
    one = recorded(
        "def f(x):\n    g = {'W1': x, 3: 1.5}\n    g['W1'] = x + 1\n    l = [0.5, (x, 2.5)]\n    r = [3, 1, 2]",
        np.ones(2),
    )
    assert one.of("g['W1']") == [(2, [1.0, 1.0]), (3, [2.0, 2.0])]
    assert one.of("g[3]") == [(2, 1.5)]
    assert one.of("l[0]") == [(4, 0.5)]
    assert one.of("l[1][0]") == [(4, [1.0, 1.0])]
    assert one.of("l[1][1]") == [(4, 2.5)]
    assert one.of("r") == [(5, [3.0, 1.0, 2.0])]


def test_attributes_of_the_students_objects():
    """What a line changes in an object that it names is noted under that name."""
    text = "class Layer:\n    pass\nN = Layer()\ndef f(x):\n    n = N\n    n.h = x + 1\n    n.h[0] = 9\n    return n"
    one = recorded(text, np.ones(2))
    assert one.of("n.h") == [(6, [2.0, 2.0]), (7, [9.0, 2.0])]
    assert one.of("return.h", RETURNED) == [(8, [9.0, 2.0])]


def test_calls_comprehensions_and_closures():
    """Every function of the text is a call of its own, which names its caller; free variables are names of its lines."""
    text = (
        "def add(a, b):\n    return a + b\ndef f(x):\n    y = add(x, 1)\n    z = sum([v * 2 for v in x])\n"
        "    g = lambda q: q * y[0]\n    def inner():\n        nonlocal y\n        y = y * 3\n    inner()\n    return g(2.0)"
    )
    one = recorded(text, np.array([1.0, 2.0]))
    assert one.of("return", RETURNED)[0] == (2, [2.0, 3.0])
    inlined = sys.version_info >= (3, 12)  # a comprehension is no call of its own there (PEP 709)
    assert one.of("return[1]", RETURNED) == ([] if inlined else [(5, 4.0)])
    assert (9, [6.0, 9.0]) in one.of("y")
    assert one.of("return", RETURNED)[-2:] == [(6, 12.0), (11, 12.0)]
    texts = one.notes["texts"]
    calls = [(caller, line, texts[name]) for caller, _, line, name in one.notes["calls"].tolist()]
    comprehension = [] if inlined else [(0, 5, "<listcomp>")]
    assert calls == [(-1, 0, "f"), (0, 4, "add"), *comprehension, (0, 10, "inner"), (0, 11, "<lambda>")]


def test_several_files_are_told_apart():
    """Each line has the label under which its text was compiled; what is compiled under another label goes unseen."""
    files = {"layers.py": "def twice(a):\n    b = a * 2\n    return b"}
    one = recorded("def f(x):\n    b = twice(x)\n    return b", np.ones(1), files=files)
    assert [event[:3] for event in one.events if event[2] == "b"] == [("layers.py", 2, "b"), ("net.py", 2, "b")]
    elsewhere = recorded("def f(x):\n    return make(x)", 1.5, make=lambda x: x * 2)
    assert [event[1:4] for event in elsewhere.events] == [(1, "x", 1.5), (2, "return", 3.0)]
    assert len(elsewhere.notes["calls"]) == 1


def test_versions_are_counted_for_each_file(monkeypatch):
    """The same name at the same line of two files is two places: neither takes the other's versions."""
    monkeypatch.setattr(recording, "MOST_VERSIONS", 1)
    files = {"layers.py": "def g(a):\n    b = a * 2\n    return b"}
    text = "def f(x):\n    b = x + 1; g(b); b = 3.5\n    b = g(4.0)"
    one = recorded(text, 1.0, files=files)
    assert [event[:2] for event in one.events if event[2] == "b" and event[3] == 8.0] == [
        ("layers.py", 2),
        ("net.py", 3),
    ]
    assert ("net.py", 2, "b", 3.5, VARIABLE) in one.events


def test_kinds_of_numbers():
    """Truths, whole numbers of any width and single precision keep what kind they are; of complex numbers the real part."""
    one = recorded(
        "def f(x):\n    a = x > 1\n    b = np.uint8(3)\n    c = np.float32(0.5)\n    d = np.array([1 + 2j])\n    e = True"
        "\n    f = np.array(1.5)\n    g = np.zeros((0, 3))",
        np.array([1.0, 2.0]),
    )
    kinds = [KINDS[kind] for kind in one.notes["values"][:, 0].tolist()]
    assert kinds == ["f", "b", "i", "f", "c", "b", "f", "f"]
    assert [one.of(name)[0][1] for name in "abcdefg"] == [[0.0, 1.0], 3.0, 0.5, [1.0], 1.0, 1.5, []]


# ---------------------------------------------------------------- the caps


def test_the_last_version_is_kept():
    """Of a name that one line changes more often than MOST_VERSIONS, what comes after is forgotten but for the last."""
    one = recorded("def f(n):\n    t = 0.0\n    for i in range(n):\n        t += i\n    return t", 150)
    seen = [value for line, value in one.of("t") if line == 4]
    assert len(seen) == recording.MOST_VERSIONS + 1
    assert seen[-1] == sum(range(150))


@pytest.mark.parametrize("after", ["return t", "return t * 2", "u = 1.5\n    return u + t"])
def test_a_line_that_runs_for_ever_keeps_its_last_value(after):
    """Past MOST_LOOKS a line is not looked at; the sum that it made is still its own and not of the line after the loop."""
    text = f"def f(n):\n    t = 0.0\n    for i in range(n):\n        w = i * 0.5\n        t += w\n    {after}"
    one = recorded(text, recording.MOST_LOOKS + 300)
    line, value = [pair for pair in one.of("t") if pair[0] > 2][-1]
    assert (line, value) == (5, 0.5 * sum(range(recording.MOST_LOOKS + 300)))
    assert {line for line, _ in one.of("t")} == {2, 5}


def test_events_beyond_the_cap(monkeypatch):
    """Past MOST_EVENTS one value of each name and line is kept: the last."""
    monkeypatch.setattr(recording, "MOST_EVENTS", 5)
    one = recorded("def f(n):\n    for i in range(n):\n        a = i + 0.5\n        b = i + 0.25\n    return a", 20)
    assert len(one.events) == 5 + 4
    assert one.of("a")[-1] == (3, 19.5)
    assert one.of("b")[-1] == (4, 19.25)


def test_bytes_beyond_the_cap(monkeypatch):
    """Past MOST_BYTES a new value is one that nobody knows: of no entries, so that it is taken for nothing."""
    monkeypatch.setattr(recording, "MOST_BYTES", 100)
    one = recorded("def f(x):\n    a = x + 1\n    b = x + 2\n    c = b + 0\n    return a", np.zeros(6))
    assert one.of("a") == [(2, [1.0] * 6)]
    assert one.of("b") == [(3, [])]
    assert one.of("c") == [(4, [])]
    assert one.notes["data"].nbytes <= 100


def test_large_arrays_are_left_out():
    """An array of more than MOST_SIZE entries is not noted, one with as many is; one that was broadcast is not written out."""
    one = recorded(
        "def f(n):\n    a = np.zeros(n)\n    b = np.zeros(n + 1)\n    c = np.broadcast_to(1.5, (1 << 30, 1 << 20))\n"
        "    d = c[0, :2]\n    e = np.zeros((1, 1, 1, 1, 1))",
        recording.MOST_SIZE,
    )
    assert one.error is None
    assert one.names == {"n", "a", "d"}


def test_an_endless_program_is_stopped():
    """After MOST_LINES lines it ends with StoppedError at the line that ran, and that is whole."""
    one = recorded("def f(x):\n    while True:\n        x = x + 1", 1)
    assert type(one.error) is StoppedError
    assert one.notes["stopped"][0] == "net.py"
    assert one.notes["stopped"][1] in {2, 3}
    assert one.notes["whole"]
    assert sum(one.notes["ran"][:, 2].tolist()) == recording.MOST_LINES + 1


def test_an_endless_program_cannot_hold_up_its_end():
    """A program that catches every Exception is stopped all the same."""
    text = "def f(x):\n    while True:\n        try:\n            while True:\n                x = x + 1\n        except Exception:\n            pass"
    assert type(recorded(text, 1).error) is StoppedError


LOOPS = """def f(X, W, b, y):
    N, D, H = 7, 5, 9
    h = [[0.0] * H for _ in range(N)]
    total = 0.0
    G = np.zeros((D, H))
    for i in range(N):
        for j in range(H):
            s = b[j]
            for d in range(D):
                s += X[i][d] * W[d][j]
            h[i][j] = max(0.0, s)
            for d in range(D):
                G[d, j] += X[i][d] * h[i][j]
            total += h[i][j] ** 2
    return total, {'W': G, 'h': h}"""


@pytest.mark.parametrize("lists", [False, True])
def test_scalar_loops_stay_within_the_caps(lists):
    """A program of loops in three levels, on arrays or on lists of lists, is recorded whole, and its notes are small."""
    rng = np.random.default_rng(1)
    given = [rng.normal(size=shape) for shape in ((7, 5), (5, 9), 9, 7)]
    one = recorded(LOOPS, *([value.tolist() for value in given] if lists else given))
    assert one.error is None
    assert one.notes["whole"]
    size = sum(value.nbytes for value in one.notes.values() if isinstance(value, np.ndarray))
    assert size + sum(map(len, one.notes["texts"])) < 1_500_000
    assert one.of("total")[-1] == (14, pytest.approx(one.answer[0]))
    assert one.of("G")[-1][0] == 13
    np.testing.assert_array_equal(one.of("G")[-1][1], one.answer[1]["W"])


def test_more_names_than_travel():
    """A table of lists in three levels has 64,000 names: nothing more is noted, the recording is not whole, and small."""
    one = recorded("def f(x):\n    a = np.zeros((40, 40, 40)).tolist()\n    b = a\n    return x", 1)
    assert one.error is None
    assert not one.notes["whole"]
    assert len(one.notes["texts"]) < recording.MOST_TEXTS + 50
    assert sum(map(len, one.notes["texts"])) < recording.MOST_CHARACTERS + 1_000
    assert len(one.events) < 2 * recording.MOST_TEXTS


# ---------------------------------------------------------------- programs with tracers


@pytest.mark.parametrize("tracer", ["None", "lambda *_: None"])
def test_a_program_that_sets_a_tracer_of_its_own(tracer):
    """What went on unseen makes a recording that is not whole, whatever was noted before."""
    one = recorded(f"def f(x):\n    y = x + 1\n    sys.settrace({tracer})\n    return y", 1.0, sys=sys)
    assert one.answer == 2.0
    assert not one.notes["whole"]


# ---------------------------------------------------------------- exceptions


def test_an_exception_is_told_at_its_innermost_line():
    """Of the lines that an exception comes through, the one counts that raised it, also where numpy did for it."""
    text = "def g(a):\n    b = a + 1\n    return a.dot(b[:1])\ndef f(x):\n    y = g(x)\n    return y"
    one = recorded(text, np.ones(3))
    assert isinstance(one.error, ValueError)
    assert one.notes["stopped"] == ("net.py", 3)


def test_an_exception_that_was_caught_is_not_the_one():
    """An earlier exception that the program caught gives way to the one that ended it; one raised on is told where it began."""
    text = "def f(x):\n    try:\n        x['a']\n    except IndexError:\n        y = x + 1\n    return g(y)\ndef g(y):\n    return y + 'a'"
    assert recorded(text, np.ones(3)).notes["stopped"] == ("net.py", 8)
    again = (
        "def g(x):\n    return x / {}\ndef f(x):\n    try:\n        return g(x)\n    except TypeError:\n        raise"
    )
    assert recorded(again, np.ones(3)).notes["stopped"] == ("net.py", 2)


# ---------------------------------------------------------------- hostile values

LIES = """
class Lying(np.ndarray):
    def _no(self, *args, **keywords):
        asked.append('array')
        raise RuntimeError('asked')
    tobytes = copy = astype = __eq__ = __ne__ = __repr__ = __array__ = ravel = __len__ = __iter__ = _no
    size = shape = dtype = T = property(_no)

class Object:
    def __getattribute__(self, name):
        asked.append(name)
        raise RuntimeError(name)
    def __eq__(self, other):
        asked.append('eq')
        return True
    __hash__ = None
    def __repr__(self):
        asked.append('repr')
        return 'o'
    __str__ = __bool__ = __len__ = __float__ = __int__ = __array__ = __repr__

class Told:
    def __init__(self):
        self.kept = 1.5
    @property
    def value(self):
        asked.append('property')
        return 1.0
    @property
    def __dict__(self):
        asked.append('dict')
        raise RuntimeError('dict')

class Slots:
    __slots__ = ('a',)

class Pairs(dict):
    def items(self):
        asked.append('items')
        raise RuntimeError('items')
    __len__ = __iter__ = keys = values = __getitem__ = items

class Meta(type):
    def __instancecheck__(cls, one):
        asked.append('instance')
        return True
    __subclasscheck__ = __instancecheck__

class Strange(metaclass=Meta):
    def __init__(self):
        self.kept = 2.5

class Text(str):
    def __format__(self, spec):
        asked.append('format')
        return 'x'
    __repr__ = __str__ = __format__

def numbers():
    yield 1.5
    yield 2.5
"""
HOSTILE = {
    "a subclass of arrays": "np.arange(2.0).view(Lying)",
    "an object that raises": "Object()",
    "an object of properties": "Told()",
    "slots": "Slots()",
    "a dict of its own": "Pairs(a=1.5)",
    "a metaclass": "Strange()",
    "a huge number": "10 ** 5000",
    "huge numbers": "[10 ** 5000, -1]",
    "a whole number beyond int64": "2 ** 63 + 1",
    "infinite": "[float('inf'), float('nan')]",
    "objects": "np.array([1, 'a', None], dtype=object)",
    "texts": "np.array(['a', 'b'])",
    "dates": "np.array(['2020-01-01'], dtype='M8[D]')",
    "records": "np.zeros(2, dtype=[('a', float)])",
    "complex": "1 + 2j",
    "long": "np.zeros(2, dtype=np.longdouble)",
    "keys": "{'a\\x00\\n': 1.5, Text('b'): 2.5, (1, 2): 3.5, None: 4.5, 10 ** 500: 1.0}",
    "no keys": "{Text('b'): 2.5}",
    "a generator": "numbers()",
    "classes": "[Slots, len, np, numbers]",
    "many axes": "np.zeros((1,) * 9)",
    "a view": "np.lib.stride_tricks.as_strided(np.zeros(1), (1 << 20, 1 << 20), (0, 0))",
}


@pytest.mark.parametrize("value", HOSTILE.values(), ids=HOSTILE)
def test_no_value_stops_the_recording(value):
    """Whatever a program makes, its lines go on, no method of its classes is asked, and the recording is whole."""
    asked = []
    text = f"{LIES}\ndef f(x):\n    v = {value}\n    w = [v, v]\n    u = {{'k': v}}\n    t = x + 1\n    return v"
    one = recorded(text, 1.0, asked=asked)
    assert one.error is None
    assert not asked
    assert one.notes["whole"]
    assert [told for _, told in one.of("t")] == [2.0]


def test_what_hostile_values_hold_is_noted_all_the_same():
    """The numbers of an array's subclass and of a dict that lies are read past their methods."""
    text = f"{LIES}\ndef f(x):\n    a = np.arange(2.0).view(Lying)\n    d = Pairs(k=1.5)\n    s = Strange()\n    g = numbers()\n    n = next(g)"
    one = recorded(text, 1.0, asked=[])
    assert [value for _, value in one.of("a")] == [[0.0, 1.0]]
    assert [value for _, value in one.of("d['k']")] == [1.5]
    assert [value for _, value in one.of("s.kept")] == [2.5]
    assert [value for _, value in one.of("n")] == [1.5]


def test_containers_that_hold_themselves():
    """They are looked into three levels deep."""
    one = recorded("def f(x):\n    l = [x]\n    l.append(l)\n    d = {'a': l}\n    d['d'] = d\n    return x", 1.5)
    assert one.notes["whole"]
    assert {"l[0]", "l[1][0]", "l[1][1][0]", "d['a'][0]", "d['d']['d']['a']"} & one.names >= {"l[0]", "d['a'][0]"}
    assert all(name.count("[") <= recording.DEEPEST for name in one.names)


def test_keys_are_written_as_texts():
    """A key with control characters is quoted; long ones are cut."""
    one = recorded("def f(x):\n    d = {'a\\n\\x00': x, 'b' * 500: x + 1}", 1.5)
    assert "d['a\\n\\x00']" in one.names
    assert max(map(len, one.names)) == 120
