"""The questions: nothing in them hides a mistake, nothing of the answers is in them, and the seed decides all."""

from dataclasses import replace

import numpy as np
import pytest

from grader.model import QuestionId
from reference import calibrate
from reference.cases import KINK_MARGIN, RANK_MARGIN, SCORE_MARGIN, network_of
from reference.catalogue import LECTURES
from reference.digits import DIGITS_SPLIT, digits
from reference.questions import draw
from reference.settings import tuned_settings


def test_the_same_seed_asks_the_same(assignment, questions):
    """An appeal is answered by running it again: calls and answers repeat to the last bit."""
    again = draw(assignment, assignment.seed)
    assert [call.id for call in again.calls] == [call.id for call in questions.calls]
    for one, two in zip(again.calls, questions.calls, strict=True):
        for name in one.params:
            np.testing.assert_array_equal(one.params[name], two.params[name])
    for identity, answer in questions.expected.items():
        for name, value in answer.items():
            np.testing.assert_array_equal(again.expected[identity][name], value)


def test_another_seed_asks_otherwise(assignment, questions):
    """A secret seed draws questions that no student has seen."""
    other = draw(assignment, assignment.seed + 1)
    for one, two in zip(other.calls, questions.calls, strict=True):
        if one.id.kind != "toy" and one.params:
            assert not np.array_equal(next(iter(one.params.values())), next(iter(two.params.values())))


@pytest.mark.parametrize("seed", [0, 1, 231, 2**32 - 1])
def test_no_question_hides_a_mistake(assignment, seed):
    """Biases are not zero, sizes differ, kinks and ties are away, a class is absent, reg is zero, small and large."""
    network = network_of(assignment)
    questions = draw(assignment, seed)
    loss_calls = [call for call in questions.calls if call.id.kind == "loss"]
    absent = 0
    for call in loss_calls:
        X, y = call.steps[0].arguments["X"], call.steps[0].arguments["y"]
        inputs, hidden, classes = call.sizes
        assert len({len(y), inputs, hidden, classes}) == 4
        assert all(np.abs(call.params[name]).max() > 0.1 for name in ("b1", "b2"))
        assert np.abs(X @ call.params["W1"] + call.params["b1"]).min() > KINK_MARGIN
        best = np.sort(network.scores(call.params, X), axis=1)
        assert (best[:, -1] - best[:, -2]).min() > SCORE_MARGIN
        assert len(set(network.predict(call.params, X).tolist())) > 1
        absent += len(set(y.tolist())) < classes
    assert absent
    assert len({call.sizes for call in loss_calls}) == len(assignment.sizes) >= 2
    assert {call.steps[0].arguments["reg"] for call in loss_calls} == set(assignment.regs)


@pytest.mark.slow
@pytest.mark.untraced  # the same lines over and over: a tracer doubles the time and learns nothing
@pytest.mark.parametrize("seeds", [range(6), pytest.param(range(60), marks=pytest.mark.slow)], ids=["few", "many"])
def test_every_seed_has_its_questions(assignment, seeds):
    """A class draws its seed by chance: with twelve rows and fourteen units, every fourth seed once ended the grading."""
    asked = {tuple(call.id for call in draw(assignment, seed).calls) for seed in seeds}
    assert len(asked) == 1


def test_every_case_can_be_solved_for_what_reached_its_layers(assignment, questions):
    """Fewer rows than inputs and units, full rank with a margin, and an active unit in each row: so dW2 tells d, and dW1 du."""
    plain = [call for call in questions.calls if call.id.kind == "loss"]
    assert len({call.id.case for call in plain}) >= 2
    for call in plain:
        X, h = call.steps[0].arguments["X"], questions.expected[call.id]["h1"]
        assert len(X) <= min(X.shape[1], h.shape[1])
        assert (h > 0).any(axis=1).all()
        assert min(np.linalg.svd(one, compute_uv=False)[-1] for one in (X, h)) > RANK_MARGIN
    for call in (one for one in questions.calls if one.id.kind == "narrow"):
        h = questions.expected[call.id]["h1"]
        assert h.shape[1] < call.sizes[2]
        assert np.linalg.matrix_rank(call.params["W2"]) == h.shape[1]


@pytest.mark.parametrize("seed", [0, 1, 2, 3, 231])
def test_no_class_wins_most_of_the_many_rows(assignment, seed):
    """Labels tell mistakes apart only where they vary: the commonest stands at fewer than four of five rows."""
    expected = draw(assignment, seed).expected
    many = [answer["labels"] for call, answer in expected.items() if call.kind == "labels"]
    assert max(np.bincount(labels).max() / len(labels) for labels in many) < 0.8


def test_no_number_of_the_watched_run_stands_in_for_another(questions):
    """Rows, inputs, units, classes, batch, iterations and validation rows all differ: a mistake about one shows as itself."""
    (call,) = [one for one in questions.calls if str(one.id) == "watched/rows"]
    given = call.steps[0].arguments
    numbers = [*call.sizes, len(given["X"]), len(given["X_val"]), given["batch_size"], given["num_iters"]]
    assert len(set(numbers)) == len(numbers)
    assert len({given[name] for name in ("learning_rate", "learning_rate_decay", "reg")}) == 3


def test_no_answer_is_in_a_question(questions):
    """What is sent to a student's process holds no expected loss, gradient or score, and no held-out label."""
    for call in questions.calls:
        sent = [call.params[name] for name in call.params]
        sent += [value for step in call.steps for value in step.arguments.values() if isinstance(value, np.ndarray)]
        secret = [
            value
            for name, value in questions.expected[call.id].items()
            if name.startswith(("data_", "penalty_", "scores", "labels", "loss_history")) and value.any()
        ]
        if call.id.kind in {"digits", "tuned"}:
            secret.append(questions.expected[call.id]["y"])
        for answer in secret:
            assert not any(array.shape == answer.shape and np.array_equal(array, answer) for array in sent)


def test_the_digits_are_split_anew_by_the_seed(assignment):
    """All 1,797 digits are used once, in another order of rows and of pixels for each seed."""
    one, two = digits(assignment.folder, 0), digits(assignment.folder, 1)
    sizes = (len(one.data["y"]), len(one.data["y_val"]), len(one.y_test))
    assert sizes == DIGITS_SPLIT
    assert sum(sizes) == 1797
    assert not np.array_equal(one.X_test, two.X_test)
    assert np.abs(one.data["X"].mean(axis=0)).max() < 1e-12
    assert np.abs(one.X_test).max() <= 1.0


@pytest.mark.parametrize("seed", [0, pytest.param(1, marks=pytest.mark.slow), pytest.param(2, marks=pytest.mark.slow)])
def test_the_thresholds_leave_room_for_chance(assignment, seed):
    """A right network passes both thresholds with room, as the stored calibration says; an untrained one is far off."""
    assert calibrate.given_accuracy(assignment, seed) >= assignment.digits.threshold + 0.01
    assert calibrate.tuned_accuracy(assignment, seed) >= assignment.digits.tuned_threshold + 0.01
    network, split = network_of(assignment), digits(assignment.folder, seed)
    start = network.initialise((64, 32, 10), 0.1, np.random.RandomState(seed))
    assert (network.predict(start, split.X_test) == split.y_test).mean() < 0.4


def test_a_second_opinion_has_a_budget(questions):
    """Hyperparameters that would keep the grader busy for minutes are not tried by the reference."""
    assert questions.oracle is not None
    huge = {
        "hidden_size": 128,
        "learning_rate": 1.0,
        "learning_rate_decay": 1.0,
        "reg": 0.0,
        "num_iters": 2000,
        "batch_size": 200,
    }
    assert questions.oracle.trained_accuracy(huge, None, None) == 0.0
    assert questions.oracle.trained_accuracy(tuned_settings(LECTURES), None, None) >= 0.9


def test_sizes_that_cannot_keep_away_from_kinks_are_refused(assignment):
    """An instructor who asks for a thousand rows is told that no case keeps its distance."""
    from dataclasses import replace

    with pytest.raises(ValueError, match="use fewer rows or units"):
        draw(replace(assignment, sizes=((60, 5, 40, 3), (6, 9, 8, 4))), 0)


def test_an_id_of_a_question_comes_back_from_its_text(assignment):
    """Gradebooks keep ids as text, those of older versions too."""
    questions = draw(assignment, assignment.seed)
    assert all(QuestionId.parse(str(call.id)) == call.id for call in questions.calls)
    old = {"loss/a/0.1": ("loss", "a", 0.1), "stability/-1000": ("stability", "-1000", None), "toy": ("toy", "", None)}
    assert {text: (one.kind, one.case, one.reg) for text in old for one in [QuestionId.parse(text)]} == old
    for wrong in ("loss/a/0/1", "loss/a/b", 3):
        with pytest.raises((ValueError, TypeError)):
            QuestionId.parse(wrong)


def test_a_regulariser_of_many_digits_has_the_id_that_its_text_has(assignment):
    """A reply that comes back from a gradebook is found by its text."""
    questions = draw(replace(assignment, regs=(0.0, 0.123456789, 3.0)), assignment.seed)
    assert all(QuestionId.parse(str(call.id)) in questions.expected for call in questions.calls)
