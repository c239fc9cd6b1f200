"""The judge and the report, asked by hypothesis what they make of replies that hold any values at all.

A process chooses what its replies say. Here honest replies of right and wrong programs are changed where their structure is:
an odd value at one place, or at that place in all replies of a family. `FUZZ=20 pytest -m slow tests/test_judge_fuzz.py` looks
twenty times as long.
"""

import contextlib
import math
import tracemalloc
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from examples import examples, in_part
from grader.compose import compose_report
from grader.model import OpaqueValue, Place, QuestionId, Segment, StudentError, Submission
from grader.remarks import remarks
from grader.reports.formats import REPORT_FORMATS
from grader.reports.report_json import from_json
from hanging import must_end
from judging import judge

# Replies by the dozen through the same lines: a tracer would take longer than all that is looked at, and learn nothing.
pytestmark = [pytest.mark.untraced, pytest.mark.slow]

BEST = "best_hyperparameters = dict(hidden_size=32, learning_rate=1.0, learning_rate_decay=0.97, reg=1e-3, num_iters=330, batch_size=50)"
IDLE = """
class TwoLayerNet:
    def __init__(self, D, H, C, std=1e-4):
        self.params = {"W1": np.zeros((D, H)), "b1": np.zeros(H), "W2": np.zeros((H, C)), "b2": np.zeros(C)}

    def loss(self, X, y=None, reg=0.0):
        if y is None:
            return np.zeros((len(X), len(self.params["b2"])))
        return 0.0, {name: np.zeros_like(value) for name, value in self.params.items()}

    def train(self, X, y, X_val, y_val, learning_rate=1e-3, learning_rate_decay=0.95, reg=0, num_iters=100, batch_size=5, verbose=False):
        return {"loss_history": [0.0] * num_iters, "train_acc_history": [0.0] * 2, "val_acc_history": [0.0] * 2}

    def predict(self, X):
        return np.zeros(len(X), dtype=int)
"""
MISTAKES = {
    "right": [],
    "no ReLU": [("np.maximum(0, X.dot(W1) + b1)", "X.dot(W1) + b1")],
    "sum for mean": [("np.mean(np.log", "np.sum(np.log"), ("        dscores /= N\n", "")],
}


class Court:
    """The assignment, its questions, and what programs honestly replied to them."""

    def __init__(self, assignment, questions, host, edited):
        self.assignment, self.questions, self.frozen = assignment, questions, replace(questions, oracle=None)
        sources = {name: edited(*pairs) for name, pairs in MISTAKES.items()} | {"idle": IDLE}
        self.submissions = {name: submission(source) for name, source in sources.items()}
        self.runs = {name: host.run(one, "TwoLayerNet", questions.calls) for name, one in self.submissions.items()}

    def report(self, name, run, questions=None):
        """Judge a Run and write the report in every format; give it."""
        questions = questions or self.questions
        one = self.submissions[name]
        with must_end(120):
            judgement = judge(self.assignment, questions, run, one)
            notes = remarks(self.assignment, questions, run)
            report = compose_report(one, self.assignment, judgement, run, 0.0, "graded", notes)
            texts = {form: REPORT_FORMATS[form].write(report) for form in REPORT_FORMATS}
        assert from_json(texts["json"]).score == report.score
        return report


def submission(source):
    """Make a submission of a program and its hyperparameters."""
    segments = (Segment("test.py", "import numpy as np\n" + source, (0, 1)),)
    return Submission("test", "test.py", "", "test.py", segments=segments, extras=(Segment("best", BEST, (0,)),))


@pytest.fixture(scope="module")
def court(assignment, questions, host, edited):
    """Return one court for all examples."""
    return Court(assignment, questions, host, edited)


# ---------------------------------------------------------------- odd values

DTYPES = ["|b1", "|i1", "|u1", "<i2", "<u2", "<i4", "<u4", "<i8", "<u8", "<f2", "<f4", "<f8"]
SHAPES = [(), (0,), (1,), (2,), (3,), (1, 1), (0, 5), (5, 0), (2, 3), (1,) * 8, (4, 1, 2), (100_000,)]
NUMBERS = st.sampled_from(
    [0, 1, -1, 2, 3, 2**53 + 1, 2**63, 2**64, 2**1023, 2**1024 - 1, -(2**1024) + 1, True, False]
) | st.sampled_from([0.0, -0.0, 0.5, 1e-300, 5e-324, 1e308, -1e308, math.nan, math.inf, -math.inf])
TEXTS = st.sampled_from(["", "W1", "NoneType", "<b>", "\u202e", "{0}", "%s", "x" * 2000, "`a`", "\ufffd\n\t"])
FOREIGN = st.sampled_from(
    [
        OpaqueValue("ellipsis", "Ellipsis"),
        OpaqueValue("set", "{1}"),
        OpaqueValue("ndarray", "dtype object"),
        OpaqueValue("", ""),
    ]
)
FILLS = st.sampled_from([0, 1, -1, 7, 1e-320, 1e38, 1e154, 1e308, -1e308, math.nan, math.inf, -math.inf])


def full(dtype, shape, fill):
    """Make an array of one number, or of the nearest that its dtype has."""
    with np.errstate(all="ignore"):
        return np.full(shape, fill, dtype=np.float64).astype(dtype)


ARRAYS = st.builds(full, st.sampled_from(DTYPES), st.sampled_from(SHAPES), FILLS)
LEAVES = st.none() | NUMBERS | TEXTS | FOREIGN | ARRAYS
ODD = st.recursive(
    LEAVES,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.lists(inner, max_size=3).map(tuple)
        | st.dictionaries(TEXTS | st.sampled_from(["W1", "b2", "loss_history", "hidden_size"]), inner, max_size=3)
    ),
    max_leaves=5,
) | st.sampled_from([[0.5] * 100_000, ["x" * 2000, *[1] * 5000], [[[[[[]]]]]], [np.zeros((2, 3)), np.zeros((2, 4))]])


def spoilt(array, fill):
    """Change one entry."""
    array = array.copy()
    if array.size:
        with np.errstate(all="ignore"):
            array.reshape(-1)[array.size // 2] = np.float64(fill).astype(array.dtype)
    return array


def cast(array, dtype):
    """Return the same numbers as another dtype, as far as it has them."""
    with np.errstate(all="ignore"):
        return array.astype(dtype)


def scaled(array, factor):
    """Return so many times the numbers; some may overflow."""
    with np.errstate(all="ignore"):
        return array * factor


@st.composite
def twisted(draw, value):
    """Make another value out of one, of its own kind: another shape, dtype, order or number."""
    if isinstance(value, np.ndarray):
        made = [
            lambda: cast(value, draw(st.sampled_from(DTYPES))),
            lambda: full("<f8", value.shape, draw(FILLS)),
            lambda: full(draw(st.sampled_from(DTYPES)), value.shape, draw(FILLS)),
            lambda: spoilt(value, draw(FILLS)),
            lambda: scaled(value, draw(st.sampled_from([-1.0, 1e300, 1e-300, 2.0, 1 + 1e-9]))),
            value.T.copy,
            lambda: value.reshape(-1),
            lambda: value.reshape(*value.shape, 1),
            value[..., None, None].copy,
            lambda: np.concatenate([value.reshape(-1), value.reshape(-1)]),
            lambda: value[::-1].copy() if value.ndim else value,
            lambda: value[:0] if value.ndim else value,
            value.tolist,
            lambda: tuple(value.tolist()) if value.ndim else value.tolist(),
        ]
    elif isinstance(value, dict) and value:
        keys = list(value)
        one, two = draw(st.sampled_from(keys)), draw(st.sampled_from(keys))
        made = [
            lambda: {key: inner for key, inner in value.items() if key != one},
            lambda: {**value, one: value[two], two: value[one]},
            lambda: {**value, draw(TEXTS): draw(ODD)},
            lambda: {key.lower(): inner for key, inner in value.items()},
            lambda: dict(reversed(value.items())),
            lambda: list(value.items()),
            lambda: dict.fromkeys(value, draw(ODD)),
            lambda: dict.fromkeys(value),
        ]
    elif isinstance(value, list | tuple) and len(value):
        kind = type(value)
        made = [
            lambda: value[:-1],
            lambda: kind([*value, draw(ODD)]),
            lambda: kind([draw(ODD), *value]),
            lambda: kind(reversed(value)),
            lambda: tuple(value) if kind is list else list(value),
            lambda: [value, value],
            lambda: kind([None, *value[1:]]),
            lambda: value[0],
        ]
    elif isinstance(value, int | float):
        made = [
            lambda: draw(NUMBERS),
            lambda: [value],
            lambda: full("<f8", (1,) * draw(st.integers(0, 8)), value),
            lambda: np.float32(value).reshape(()),
        ]
    else:
        made = [lambda: draw(ODD)]
    return draw(st.sampled_from(made))()


def paths(value, here=()):
    """Return the places in a reply's results, the whole first; of long lists the first entries."""
    yield here
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list | tuple) else ()
    for key, inner in list(items)[:8]:
        yield from paths(inner, (*here, key))


def at(value, path):
    """Return the value at a place, or raise LookupError where there is no such place."""
    for key in path:
        inside = dict(enumerate(value)) if isinstance(value, list | tuple) else value
        value = inside[key] if isinstance(inside, dict) else {}[key]
    return value


def swapped(value, path, new):
    """Return the value with another one at a place."""
    if not path:
        return new
    inside = swapped(value[path[0]], path[1:], new)
    if isinstance(value, dict):
        return {**value, path[0]: inside}
    return type(value)([*value[: path[0]], inside, *value[path[0] + 1 :]])


class Lie:
    """A Run that is not what came back; its repr tells what was changed in it, since the whole would fill a book."""

    def __init__(self, run, told=()):
        self.run, self.told = run, told

    def __repr__(self):
        return "\n".join(self.told)

    def with_answers(self, answers, told):
        """Return one more lie on top."""
        return Lie(replace(self.run, replies=answers), (*self.told, told))


@st.composite
def changed(draw, lie):
    """Put an odd value at one to four places, each in one reply or in all replies of its family."""
    for _ in range(draw(st.integers(1, 4))):
        answers = dict(lie.run.replies)
        chosen = draw(st.sampled_from(list(answers)))
        path = draw(st.sampled_from([path for path in paths(answers[chosen].results) if path] or [None]))
        if path is None:
            continue
        new = draw(twisted(at(answers[chosen].results, path)) | ODD)
        family = [chosen]
        if draw(st.integers(0, 2)) == 0:
            family = [name for name in answers if name.kind == chosen.kind]
        for name in family:
            with contextlib.suppress(LookupError):
                at(answers[name].results, path)
                answers[name] = replace(answers[name], results=swapped(answers[name].results, path, new))
        lie = lie.with_answers(answers, f"{family} {path}: {new!r:.200}")
    return lie


@st.composite
def broken(draw, lie):
    """Change what else is in the replies: cut results short with an error, add remarks."""
    for _ in range(draw(st.integers(1, 3))):
        answers = dict(lie.run.replies)
        name = draw(st.sampled_from(list(answers)))
        kept = draw(st.integers(0, len(answers[name].results)))
        place = draw(st.sampled_from([(), (Place("test.py", 3, "    pass"),)]))
        error = StudentError(draw(METHODS | TEXTS), draw(KINDS | TEXTS), draw(TEXTS), place)
        answers[name] = replace(
            answers[name],
            outcome=draw(st.sampled_from(["raised", "timed_out", "crashed", "broke_protocol", "not_asked"])),
            results=answers[name].results[:kept],
            error=error,
            own_shapes=draw(st.dictionaries(TEXTS, st.sampled_from([*SHAPES, (2**63 - 1,), (1,) * 64]), max_size=3)),
            positional=draw(st.lists(TEXTS, max_size=2).map(tuple)),
            warnings=draw(st.lists(TEXTS, max_size=2).map(tuple)),
            printed=draw(TEXTS),
        )
        lie = lie.with_answers(answers, f"{name}: {answers[name].outcome} after {kept}, {error}")
    return lie


KINDS = st.sampled_from(["NotImplementedError", "TypeError", "AttributeError", "MemoryError", ""])
METHODS = st.sampled_from(["loss", "train", "predict", "params", "TwoLayerNet(...)", "best_hyperparameters", ""])


# ---------------------------------------------------------------- properties


def test_honest_replies_are_judged_as_ever(court):
    """What the lies below are told about is right, and nothing."""
    assert court.report("right", court.runs["right"]).score == court.assignment.max_score
    assert court.report("idle", court.runs["idle"]).score == 0


# It is worked out anew for each lie what mistakes it may come from, so there are few of them.
@pytest.mark.parametrize("name", ["idle", *MISTAKES])
def test_odd_values_are_judged(court, name):
    """Whatever a reply holds, there is a report in every format; a class that does nothing earns nothing by its lies."""

    @given(st.data())
    @examples(12)
    def holds(data):
        lie = data.draw(changed(Lie(court.runs[name])))
        report = court.report(name, lie.run, data.draw(st.sampled_from([court.questions, court.frozen])))
        # One mistake may excuse another, so that a lie on top of a mistake can cost less than the mistake alone.
        assert report.score <= court.assignment.max_score
        # Histories of a training that moves the parameters anyhow may be true all the same.
        earned = {verdict.id for verdict in report.checks if verdict.points} - {"histories"}
        assert name != "idle" or not earned

    holds()


@pytest.mark.parametrize("name", ["right", "sum for mean"])
def test_broken_replies_are_judged(court, name):
    """Replies that are cut short, or are full of remarks besides, end in a report as well."""

    @given(st.data())
    @examples(12)
    def holds(data):
        lie = data.draw(changed(data.draw(broken(Lie(court.runs[name])))))
        assert court.report(name, lie.run).score <= court.assignment.max_score

    holds()


def told(court, chosen, path, value):
    """Return the right program's Run with one value in another's place."""
    answers = dict(court.runs["right"].replies)
    asked = QuestionId.parse(chosen)
    answers[asked] = replace(answers[asked], results=swapped(answers[asked].results, path, value))
    return replace(court.runs["right"], replies=answers)


@pytest.mark.parametrize(
    ("chosen", "path", "value"),
    [
        # Held against {}, an array is many answers; `return None, dW1` in a student's own code ended the judging.
        ("loss/a/0", (0,), (None, np.zeros((2, 3)))),
        ("watched/same", (0, "answer"), [None, np.zeros(2)]),
        # Bools are numbers until they are subtracted.
        ("loss/a/0", (0, 1, "W1"), np.ones((7, 11), dtype=bool)),
        # Numpy's warnings are errors here.
        ("scores/a", (0,), np.full((7, 3), 1e308)),
    ],
)
def test_what_ended_the_judging_once_is_a_wrong_answer(court, chosen, path, value):
    """Found by the tests above."""
    assert court.report("right", told(court, chosen, path, value)).score < court.assignment.max_score


@pytest.mark.parametrize(
    ("chosen", "path", "value"),
    in_part(
        [
            ("toy", (0, "loss_history"), np.zeros(16 << 20, dtype=np.uint8)),
            ("digits", (2,), np.zeros((400, 40_000), dtype=np.uint8)),
            ("scores/a", (0,), ["x" * 2000, *[1] * 10_000]),
            ("loss/a/0", (0, 1, "W1"), [*[np.zeros(16 << 10, dtype=np.uint8)] * 1024, np.zeros(16 << 10)]),
        ],
        4,
    ),
)
def test_a_reply_is_not_blown_up_in_judging(court, chosen, path, value):
    """What travels as 16 MiB takes no several times of that when it is compared and drawn: once 600 MiB, 128, 80 and 128."""
    run = told(court, chosen, path, value)
    for questions in (court.questions, court.frozen):
        tracemalloc.start()
        court.report("right", run, questions)
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        assert peak < 32 << 20
