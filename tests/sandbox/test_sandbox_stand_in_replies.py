"""A stand-in for loss() and predict(): its answers follow from the question, and its notes have their caps."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from examples import examples
from grader.sandbox.stand_in_replies import GRADIENT_SIZE, MOST_NOTES, MOST_ROWS, StandIn

SHAPES = {"W1": (4, 5), "b1": (5,), "W2": (5, 3), "b2": (3,)}
SIZE = sum(int(np.prod(shape)) for shape in SHAPES.values())
RNG = np.random.default_rng(0)
X, Y = RNG.normal(size=(40, 4)), np.arange(40) % 3


def params(seed=0):
    """Return parameters."""
    rng = np.random.default_rng(seed)
    return {name: rng.normal(size=shape) for name, shape in SHAPES.items()}


def stand_in(seed=7):
    """Return a stand-in that knows the rows."""
    return StandIn(seed, SHAPES, 3, [(X, Y)])


def flat(gradients):
    """Return all gradients in one row."""
    return np.concatenate([one.reshape(-1) for one in gradients.values()])


def asked(one, rows, labels=None, at=None, reg=0.1):
    """Ask for loss and gradients, and give both in one row."""
    loss, gradients = one.loss(at or params(), X[rows], Y[rows] if labels is None else labels, reg)
    return np.append(flat(gradients), loss)


def test_the_same_question_has_the_same_answer():
    """Asked twice, by the same network or by another with the same seed, it answers alike."""
    one = stand_in()
    first = asked(one, [1, 2, 3])
    assert np.array_equal(first, asked(one, [1, 2, 3]))
    assert np.array_equal(first, asked(stand_in(), [1, 2, 3]))
    assert not np.array_equal(first, asked(stand_in(8), [1, 2, 3]))


def test_an_answer_is_the_students_to_change():
    """Gradients that are changed in place change no later answer and no note."""
    one = stand_in()
    _, gradients = one.loss(params(), X[:2], Y[:2], 0.0)
    before = flat(gradients).copy()
    for value in gradients.values():
        np.negative(value, out=value)
    assert np.array_equal(flat(one.loss(params(), X[:2], Y[:2], 0.0)[1]), before)
    assert np.array_equal(one.notes(params(), None)["gradients"][0], before)


@pytest.mark.parametrize("reg", [0.0, 1.0, -1.0, float("nan"), float("inf")])
def test_the_regulariser_changes_no_answer(reg):
    """So that a program that forgets reg trains as one that does not, and only its questions show it."""
    assert np.array_equal(asked(stand_in(), [1, 2], reg=reg), asked(stand_in(), [1, 2], reg=0.1))


@examples(50)
@given(st.lists(st.integers(0, 39), min_size=1, max_size=8), st.randoms(use_true_random=False))
def test_copies_and_order_of_rows_change_no_answer(rows, random):
    """Training on one row many times over gives the same steps, whatever rows a program draws."""
    shuffled = [*rows, *random.choices(rows, k=3)]
    random.shuffle(shuffled)
    assert np.array_equal(asked(stand_in(), rows), asked(stand_in(), shuffled))


def test_another_question_has_another_answer():
    """Other rows, other labels and other parameters are other questions."""
    one = stand_in()
    first = asked(one, [1, 2])
    others = [asked(one, [1, 3]), asked(one, [1, 2], labels=np.array([0, 0])), asked(one, [1, 2], at=params(5))]
    assert len({tuple(answer) for answer in [first, *others]}) == 4


def test_losses_fall_and_are_all_different():
    """A training that looks at its losses goes on: each is positive and below the one before."""
    one = stand_in()
    losses = [one.loss(params(seed), X[[seed % 40]], Y[[seed % 40]], 0.0)[0] for seed in range(60)]
    assert all(value > 0 for value in losses)
    assert len(set(losses)) == len(losses)
    assert all(later < sooner for sooner, later in pairwise(losses[:21]))
    assert losses[-1] < losses[0] / 2


def test_gradients_have_the_size_of_real_ones():
    """Together they are shorter than what any usual clipping bites, and no entry is nearly nothing for all of them."""
    one = stand_in()
    made = np.array([asked(one, [row])[:-1] for row in range(40)])
    assert 0.8 * GRADIENT_SIZE < made.std() < 1.2 * GRADIENT_SIZE
    assert np.linalg.norm(made, axis=1).max() < 1.0


def test_accuracies_rise():
    """The share of rows labelled rightly never falls as the parameters change, and rises from below half."""
    one = stand_in()
    shares = [float((one.labels(moment, X) == Y).mean()) for moment in range(12)]
    assert shares == sorted(shares)
    assert shares[0] < 0.6
    assert shares[-1] > 0.8
    assert len(set(shares)) > 4


def test_predict_rises_with_the_parameters_changes_and_row_by_row():
    """Labels are those of the moment, and a row asked alone has the label that it has among others."""
    one = stand_in()
    together = one.predict(params(), X)
    assert np.array_equal(together, [one.predict(params(), row[None])[0] for row in X])
    for seed in range(1, 8):
        one.loss(params(seed), X[:2], Y[:2], 0.0)
    assert (one.predict(params(7), X) == Y).mean() > (together == Y).mean()


def test_the_largest_score_stands_at_the_label():
    """loss(X) and predict(X) agree, for rows that are known and for others."""
    one = stand_in()
    for rows in (X, RNG.normal(size=(50, 4))):
        scores = one.scores(params(), rows)
        assert scores.shape == (len(rows), 3)
        assert np.array_equal(scores.argmax(axis=1), one.predict(params(), rows))


def test_notes_hold_what_was_asked():
    """States, questions, gradients and rows, in the order in which they came."""
    one = stand_in()
    asked(one, [1, 2], reg=0.25)
    asked(one, [3], at=params(1), reg=0.5)
    notes = one.notes(params(2), "answer")
    assert notes["answer"] == "answer"
    assert notes["states"].shape == (3, SIZE)
    assert np.array_equal(notes["states"][1], flat(params(1)))
    assert notes["asked"][:, :3].tolist() == [[0, 2, 0.25], [1, 1, 0.5]]
    assert np.array_equal(notes["X"], X[[1, 2, 3]])
    assert notes["y"].tolist() == Y[[1, 2, 3]].tolist()


def test_what_was_asked_cannot_be_changed_afterwards():
    """A batch that the program overwrites after its question is noted as it was asked."""
    one, rows = stand_in(), X[:2].copy()
    one.loss(params(), rows, Y[:2], 0.0)
    rows[:] = 0
    assert np.array_equal(one.notes(params(), None)["X"], X[:2])


def test_notes_have_their_caps():
    """A program that asks for ever is answered for ever, and noted up to the caps."""
    one = stand_in()
    for seed in range(MOST_NOTES + 50):
        last = one.loss(params(seed), X[[0]], Y[[0]], 0.0)
    notes = one.notes(params(), None)
    assert last[0] > 0
    assert len(notes["asked"]) == len(notes["gradients"]) == MOST_NOTES
    assert len(notes["states"]) == MOST_NOTES + 1


def test_rows_have_their_cap():
    """A question of too many rows is answered and not noted."""
    one, many = stand_in(), np.zeros((MOST_ROWS + 1, 4))
    one.loss(params(), many, np.zeros(len(many), dtype=int), 0.0)
    notes = one.notes(params(), None)
    assert len(notes["X"]) == len(notes["asked"]) == 0


def test_parameters_that_are_missing_or_of_another_size_are_noted_as_no_numbers():
    """They cannot be read back as parameters that stayed."""
    one = stand_in()
    notes = one.notes({"W1": np.zeros((4, 5)), "b1": np.zeros(9)}, None)
    (state,) = notes["states"]
    assert np.isfinite(state[:20]).all()
    assert np.isnan(state[20:]).all()
