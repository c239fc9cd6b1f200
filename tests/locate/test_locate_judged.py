"""Lines are told by the judge, and no point depends on a recording: without it, and with one that was forged, they are the same."""

import os
import sys
from dataclasses import replace

import numpy as np
import pytest

from examples import in_part
from grader.checks import GradingContext
from grader.grading import find
from grader.limited_process import LimitedProcess
from grader.locate.located import STEPS_OF, Located
from grader.locate.replacing import ANSWERS, MOST_WORK
from grader.model import OpaqueValue, QuestionId, Reply
from hanging import must_end
from judging import judge
from locate.programs import CLASSIC, LOOPED, OBJECTS, SHARED, changed

# Replies are judged again and again: a tracer would take longer than all that is looked at, and learn nothing.
pytestmark = pytest.mark.untraced

PROGRAMS = {
    "right": CLASSIC,
    "right in objects": OBJECTS,
    "half the gradient": changed(CLASSIC, ("+= 2 * reg * W1", "+= reg * W1")),
    "a mask of the wrong value": changed(SHARED, ("dh * (u > 0)", "dh * (dh > 0)")),
    "a row of a loop": changed(LOOPED, ("d[y[i]] -= 1", "d[y[i]] -= 0.5")),
    "raises in loss": changed(CLASSIC, ("np.max(scores, axis=1, keepdims=True)", "np.max(scores, axis=1)")),
    "raises in train": changed(CLASSIC, ("b1'] = np.sum(dhidden, axis=0)", "b1'] = np.sum(dhidden, axis=1)")),
    "decay at every step": changed(CLASSIC, ("                learning_rate *=", "            learning_rate *=")),
}
# Scalar loops take seconds on all questions: their program is asked these.
SHORT = {"loss", "scores", "predict", "sweep", "stability", "purity", "single", "watched", "alone", "whole", "recorded"}
ABOUT = [
    *STEPS_OF,
    *(f"{kind} {name}" for kind in ("grads", "update", "grad regulariser") for name in ("W1", "b2")),
    "layer 1",
    "x",
]


@pytest.fixture(scope="module")
def court(assignment, questions, asking, handed_in):
    """Return each program's submission and run, and a function that judges a run without naming mistakes."""
    asked = replace(questions, calls=tuple(call for call in questions.calls if call.id.kind in SHORT), catalogue=None)
    submissions = {name: handed_in(program) for name, program in PROGRAMS.items()}
    runs = {
        name: asking.run(one, "TwoLayerNet", asked.calls if "loop" in name else questions.calls)
        for name, one in submissions.items()
    }
    # What was not asked is no failure of a program's: all are judged on the same questions.
    whole = replace(questions, catalogue=None)
    return submissions, runs, lambda name, run: judge(assignment, whole, run, submissions[name]), asked


def points(judgement):
    """Return what a recording may not change."""
    return [(one.id, one.status, one.points, one.credited, one.message) for one in judgement.verdicts]


def with_recorded(run, reply):
    """Return a run with another reply to the recorded question, or without one."""
    replies = {name: one for name, one in run.replies.items() if name.kind != "recorded"}
    return replace(run, replies=replies if reply is None else {**replies, QuestionId("recorded"): reply})


@pytest.mark.parametrize("name", in_part(PROGRAMS, 3))
def test_no_point_depends_on_the_recording(court, name):
    """With no recording, one that is garbage, and another program's, the points and statuses are the same."""
    _, runs, judged, _ = court
    run = runs[name]
    before = points(judged(name, run))
    steps = run.replies[QuestionId("recorded")].results
    odd = {
        "whole": True,
        "texts": ["net.py"] * 9,
        "data": np.full(3, np.nan),
        "events": OpaqueValue("a", "b"),
        "answer": (1, 2),
    }
    for reply in (
        None,
        Reply(QuestionId("recorded"), "timed_out"),
        Reply(QuestionId("recorded"), "returned", (1, "x", None, OpaqueValue("Lie", "lie"))),
        Reply(QuestionId("recorded"), "returned", (odd,) * 4),
        Reply(QuestionId("recorded"), "returned", steps[::-1]),
        Reply(QuestionId("recorded"), "returned", runs["a row of a loop"].replies[QuestionId("recorded")].results),
    ):
        assert points(judged(name, with_recorded(run, reply))) == before


def test_lines_are_told_by_the_judge(assignment, questions, court):
    """The places of what failed are those of the lines that are wrong; an exception's origin comes before where it shows."""
    submissions, runs, judged, _ = court
    for name, told in {
        "half the gradient": "+= reg * W1",
        "a mask of the wrong value": "dh * (dh > 0)",
        "a row of a loop": "d[y[i]] -= 0.5",
    }.items():
        failed = [
            one
            for one in judged(name, runs[name]).verdicts
            if one.status == "failed" and one.places and one.id.startswith("grad")
        ]
        assert failed, name
        assert all(told in one.places[0].text for one in failed), name
    for name, told in {
        "raises in loss": "most = np.max(scores, axis=1)",
        "raises in train": "np.sum(dhidden, axis=1)",
    }.items():
        causes = find(submissions[name], runs[name], assignment, replace(questions, catalogue=None)).causes
        assert told in causes[0].origin.text, name
        assert causes[0].place != causes[0].origin


def test_nothing_is_located_of_a_right_program(assignment, questions, judgement_of, monkeypatch):
    """A program that loses nothing costs no reading of its recording."""

    def refuse(*_):
        raise AssertionError("located")

    search = sys.modules["grader.locate.locate"]
    monkeypatch.setattr(search, "Located", refuse)
    search._close()  # one that was forked before would not refuse
    judgement = judgement_of(CLASSIC)
    assert {one.status for one in judgement.verdicts} == {"passed"}
    with pytest.raises(RuntimeError, match="AssertionError: located"):
        judgement_of(PROGRAMS["half the gradient"])


def test_one_process_searches_a_whole_class(assignment, questions, court, monkeypatch):
    """The process is forked once for a class, and what it finds does not depend on what it searched before."""
    submissions, runs, *_ = court
    names, forks, asked = ["half the gradient", "a mask of the wrong value"], [], replace(questions, catalogue=None)
    fork = LimitedProcess._fork
    monkeypatch.setattr(LimitedProcess, "_fork", lambda process: (forks.append(process), fork(process))[1])
    sys.modules["grader.locate.locate"]._close()
    there, back = (
        [
            {check: one.places for check, one in find(submissions[name], runs[name], assignment, asked).checks.items()}
            for name in order
        ]
        for order in (names, names[::-1])
    )
    assert len(forks) == 1
    assert there == back[::-1]
    assert there[0] != there[1]


EXAMPLES = 30 * int(os.environ.get("FUZZ", "1"))  # `FUZZ=20 pytest tests/locate/test_locate_judged.py` looks longer
WRONG = [name for name in PROGRAMS if not name.startswith("right")]
ODD_NUMBERS = [-(2**63), 2**63 - 1, 10**6, *range(-3, 60)]
ODD_FLOATS = [0.0, -0.0, np.inf, -np.inf, np.nan, 1e308, 5e-324, 1.0, -2.5]
ODD_ANSWERS = [
    None,
    1.5,
    np.zeros(0),
    (np.nan, {}),
    (1.0, {"W1": np.zeros((0, 3)), "b1": 1.0}),
    [],
    (),
    {"loss_history": []},
]


def spoiled(results, rng):
    """Return the results of the recorded question with some numbers changed, and now and then another answer."""
    found = []
    for result in results:
        one = {key: value.copy() if isinstance(value, np.ndarray) else value for key, value in result.items()}
        tables = [value for value in one.values() if isinstance(value, np.ndarray) and value.size]
        for _ in range(rng.integers(0, 4)):
            table = tables[rng.integers(len(tables))]
            table.ravel()[rng.integers(table.size)] = rng.choice(ODD_FLOATS if table.dtype.kind == "f" else ODD_NUMBERS)
        if rng.integers(6) == 0:
            one["answer"] = ODD_ANSWERS[rng.integers(len(ODD_ANSWERS))]
        found.append(one)
    return tuple(found)


@pytest.mark.parametrize("seed", range(EXAMPLES))
def test_no_recording_stops_the_judge(assignment, court, seed):
    """Whatever numbers a process says that its lines made or that it answered, every role is told a line or none."""
    submissions, runs, _, asked = court
    rng = np.random.default_rng(seed)
    name = WRONG[rng.integers(len(WRONG))]
    run = with_recorded(
        runs[name],
        Reply(QuestionId("recorded"), "returned", spoiled(runs[name].replies[QuestionId("recorded")].results, rng)),
    )
    with must_end(), np.errstate(all="ignore"):
        found = Located(GradingContext(assignment, asked, run), submissions[name])
        for about in ABOUT:
            found.place(about)


def test_a_forged_recording_of_thousands_of_values_costs_no_more_than_others(assignment, court):
    """Values in the shapes of scores and hidden units stand for many steps; the search among them ends after so much work."""
    submissions, runs, _, asked = court
    reply = runs["half the gradient"].replies[QuestionId("recorded")]
    loss, rng = reply.results[1], np.random.default_rng(0)
    call = next(call for call in asked.calls if call.id.kind == "recorded")
    N, C = len(call.steps[1].arguments["y"]), call.params["b2"].size
    shapes = [(N, C), (N, call.params["b1"].size)] * 1300
    forged = {
        **loss,
        "data": rng.normal(size=sum(rows * columns for rows, columns in shapes)),
        "values": np.array([(0, *shape, -1, -1) for shape in shapes]),
        "events": np.array([(*loss["events"][0][:4], number, 1) for number in range(len(shapes))]),
        "answer": (1.0, {name: rng.normal(size=value.shape) for name, value in call.params.items()}),
    }
    followed = []

    def follow(*form):
        followed.append(form)
        return asked.oracle.follow(*form)

    questions = replace(asked, oracle=replace(asked.oracle, follow=follow))
    answered = Reply(QuestionId("recorded"), "returned", (rng.normal(size=(N, C)), forged))
    run = with_recorded(runs["half the gradient"], answered)
    found = Located(GradingContext(assignment, questions, run), submissions["half the gradient"])
    assert len(found.recorded(1).made) == len(shapes)
    assert found.reading is not None
    assert 100 < len(followed) <= MOST_WORK / ANSWERS + 10
