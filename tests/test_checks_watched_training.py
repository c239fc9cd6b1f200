"""What is noted of a watched training is the student's word: any notes are read or refused, and none ends the judging."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from examples import examples
from grader.checks import CHECKS, GradingContext
from grader.checks.minibatch import judge_rows
from grader.checks.preconditions import observation
from grader.checks.watched_training import (
    MOST_COLUMNS,
    ROWS,
    SAME,
    arguments_of,
    read_watched_run,
    stand_in_of,
    step_rate,
)
from grader.model import Finding, QuestionId, Reply, Run
from grader.sandbox.stand_in_replies import MOST_NOTES, MOST_ROWS

OF_TRAIN = ("update_rule", "decay", "minibatch", "histories")


@pytest.fixture(scope="module")
def evidence_with(assignment, questions):
    """Return a function that makes evidence of a right program whose notes are changed by a function of (call, notes)."""
    right = {call.id: questions.catalogue.simulate(frozenset(), 1.0, call.id) for call in questions.calls}

    def make(change):
        replies = dict(right)
        for call in (SAME, ROWS):
            (notes,) = right[call].results
            replies[call] = replace(right[call], results=(change(call, notes),))
        return GradingContext(
            assignment, questions, Run(Reply(QuestionId("load"), "returned"), replies, (), {}, 0.0, 0.0)
        )

    return make


def judged(evidence):
    """Return the shares of what is asked of train()."""
    with np.errstate(all="ignore"):
        findings = {check: CHECKS[check].function(evidence) for check in OF_TRAIN}
    assert all(isinstance(finding, Finding) and 0 <= finding.share <= 1 for finding in findings.values())
    return {check: finding.share for check, finding in findings.items()}


GARBAGE = st.recursive(
    st.none()
    | st.booleans()
    | st.floats()
    | st.text(max_size=5)
    | arrays.arrays(
        st.sampled_from(["f8", "f4", "i8", "u1", "?"]),
        arrays.array_shapes(min_dims=0, max_dims=3, min_side=0, max_side=5),
    ),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3) | st.tuples(inner)
    ),
    max_leaves=4,
)
KEYS = ("answer", "states", "asked", "gradients", "X", "y", "misfit")


@pytest.mark.untraced
@examples(60)
@given(st.dictionaries(st.sampled_from(KEYS), GARBAGE, min_size=1))
def test_any_garbage_in_the_notes_ends_in_findings(evidence_with, garbage):
    """Each key may hold anything: there is a finding for every check, and no exception."""
    judged(evidence_with(lambda _, notes: {**notes, **garbage}))


@pytest.mark.untraced
@examples(60)
@given(st.sampled_from(["states", "asked", "gradients", "X", "y"]), st.data())
def test_any_number_in_the_notes_ends_in_findings(evidence_with, key, data):
    """One entry may be any number: NaN, infinite, negative or huge, also where it counts rows or moments."""
    number = data.draw(st.sampled_from([np.nan, np.inf, -np.inf, -1.0, 0.5, 1e300, 2.0**63, 1e18]) | st.floats())

    def change(_, notes):
        value = np.array(notes[key], dtype=np.float64)
        value.reshape(-1)[data.draw(st.integers(0, value.size - 1))] = number
        return {**notes, key: value}

    judged(evidence_with(change))


@pytest.mark.untraced
@examples(30)
@given(GARBAGE)
def test_garbage_for_the_notes_earns_nothing(evidence_with, garbage):
    """Where there are no notes at all, and no whole runs to judge from, nothing is earned."""
    evidence = evidence_with(lambda _, __: garbage)
    evidence = replace(
        evidence,
        run=replace(
            evidence.run,
            replies={name: one for name, one in evidence.run.replies.items() if name.kind != "whole"},
        ),
    )
    assert set(judged(evidence).values()) == {0.0}


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("states", np.zeros((MOST_NOTES + 10, 3))),
        ("states", None),
        ("asked", np.full((4, 4), np.nan)),
        ("asked", np.zeros((4, 4))),  # questions of no row
        ("gradients", np.zeros((1, 2))),
        ("X", np.zeros((MOST_ROWS + 1, 2))),
        ("X", np.zeros((12, MOST_COLUMNS + 1))),
        ("y", np.zeros((12, 2))),
        ("y", np.zeros(3)),
    ],
)
def test_notes_that_are_not_whole_are_none(key, value, evidence_with):
    """What the stand-in cannot have written is not read in part."""
    assert read_watched_run(evidence_with(lambda _, notes: {**notes, key: value}), SAME) is None


def test_right_notes_are_read_exactly(evidence_with):
    """Each step has the question that explains it, its rates, and the rows that it was asked about."""
    evidence = evidence_with(lambda _, notes: notes)
    assert judged(evidence) == dict.fromkeys(OF_TRAIN, 1.0)
    assert observation(evidence) == "watched"
    for call in (SAME, ROWS):
        seen, given_to = read_watched_run(evidence, call), arguments_of(evidence.call(call))
        assert len(seen.steps) == given_to["num_iters"]
        assert not seen.anew
        assert seen.misfit == ""
        for step in seen.steps:
            assert step.explained
            assert step.question.reg == given_to["reg"]
            assert len(step.question.y) == given_to["batch_size"]
    rates = [step.rates["W1"] for step in read_watched_run(evidence, SAME).steps]
    assert rates == pytest.approx([1.0, 0.5, 0.5, 0.25])


def test_the_answers_are_worked_out_again_outside(evidence_with):
    """The grader's own stand-in knows what it must have answered: notes of other gradients are not needed for that."""
    evidence = evidence_with(lambda _, notes: notes)
    call = evidence.call(ROWS)
    one, step = stand_in_of(call), read_watched_run(evidence, ROWS).steps[0]
    loss, gradients = one.loss(call.params, step.question.X, step.question.y.astype(int), 0.0)
    assert loss == step.question.loss
    assert all(np.array_equal(gradients[name], step.question.gradients[name]) for name in gradients)


LIES = {
    "a step that no answer explains": (lambda notes: {**notes, "states": notes["states"] * 1.01}, "update_rule"),
    "a batch of all rows": (None, "minibatch"),
    "labels of other rows": (lambda notes: {**notes, "y": notes["y"][::-1]}, "minibatch"),
    "rows that are none": (lambda notes: {**notes, "X": notes["X"] + 1.0}, "minibatch"),
    "a loss that was not given": (
        lambda notes: {**notes, "answer": {**notes["answer"], "loss_history": np.ones(4)}},
        "histories",
    ),
    "an accuracy that was at no time": (
        lambda notes: {**notes, "answer": {**notes["answer"], "val_acc_history": np.full(2, 0.123)}},
        "histories",
    ),
}


@pytest.mark.parametrize("name", [name for name, (change, _) in LIES.items() if change])
def test_what_the_notes_show_is_held_against_what_was_asked(name, evidence_with):
    """Each part of the notes is looked at: what is wrong there costs the check that it is about."""
    change, check = LIES[name]
    assert judged(evidence_with(lambda _, notes: change(notes)))[check] < 1


@examples(100)
@given(st.floats(-3, 3).filter(lambda rate: abs(rate) > 1e-3), st.integers(0, 1000))
def test_a_rate_is_read_off_a_step(rate, seed):
    """A step along the gradient has its rate, to five digits; one entry that is off has none."""
    rng = np.random.default_rng(seed)
    before, downhill = rng.normal(size=(3, 4)), 0.05 * rng.normal(size=(3, 4))
    after = before - rate * downhill
    assert step_rate(after - before, downhill, before, after) == pytest.approx(rate, rel=1e-5)
    after[1, 2] += 1e-2
    assert np.isnan(step_rate(after - before, downhill, before, after))


def test_no_rate_is_read_off_no_gradient():
    """Where the answer was nothing, nothing explains a step."""
    zero = np.zeros((2, 2))
    assert np.isnan(step_rate(zero, zero, zero, zero))


def test_few_draws_from_the_first_rows_are_chance(questions):
    """Steps of one iteration show nine rows: a right program may meet only the first eight of twelve."""
    call = next(call for call in questions.calls if call.id.kind == "alone")
    rng = np.random.RandomState(0)
    batches = [rng.choice(8, 3) for _ in range(12)]
    assert judge_rows(call, batches[:3]).kind == "right"
    assert judge_rows(call, batches).kind == "narrow"
