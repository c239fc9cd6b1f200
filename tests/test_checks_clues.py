"""What is said of a mistake without a name is true: each clue in answers made to bear it out, and none in answers at random."""

import re
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from examples import examples
from grader.checks import CHECKS, GradingContext
from grader.checks.array_differences import FORMULAS, ArrayPair, constant, describe_pairs, multiple
from grader.checks.describe_difference import with_details
from grader.compare import Tolerance
from grader.model import Finding, QuestionId, Reply, Run

COUNTS = {"N": 7, "D": 5, "H": 11, "C": 3}


@pytest.fixture(scope="module")
def message_of(assignment, questions):
    """Return a function that says what is known of a check where right replies are changed step by step."""
    right = {call.id: questions.catalogue.simulate(frozenset(), 1.0, call.id) for call in questions.calls}

    def message(check, change):
        replies = {}
        for call in questions.calls:
            results = right[call.id].results
            changed = (change(call, step, result) for step, result in zip(call.steps, results, strict=False))
            replies[call.id] = replace(right[call.id], results=tuple(changed))
        evidence = GradingContext(
            assignment, questions, Run(Reply(QuestionId("load"), "returned"), replies, (), {}, 0.0, 0.0)
        )
        with np.errstate(all="ignore"):
            finding = CHECKS[check].function(evidence)
        assert finding.share < 1
        return finding.message

    return message


@pytest.fixture(scope="module")
def known_of(message_of):
    """Return a function that says what is known of a check, of that message."""
    return lambda check, change: message_of(check, change).partition("\nKnown: ")[2]


def scores(change):
    """Change the scores by a function of (call, scores)."""
    return lambda call, step, result: (
        change(call, result) if step.method == "loss" and "y" not in step.arguments else result
    )


def losses(change):
    """Change the loss by a function of (call, step, loss)."""
    return lambda call, step, result: (
        (change(call, step, result[0]), result[1]) if step.method == "loss" and "y" in step.arguments else result
    )


def gradient(name, change):
    """Change one gradient by a function of (call, step, gradient)."""
    return lambda call, step, result: (
        (result[0], {**result[1], name: change(call, step, result[1][name])})
        if step.method == "loss" and "y" in step.arguments
        else result
    )


def labels(change):
    """Change the labels by a function of (labels)."""
    return lambda _, step, result: change(result) if step.method == "predict" else result


def penalty(size):
    """Replace what reg adds by a function of (call, step, reg, W1, W2)."""

    def change(call, step, loss):
        reg, W1, W2 = step.arguments["reg"], call.params["W1"], call.params["W2"]
        return loss - reg * ((W1**2).sum() + (W2**2).sum()) + size(call, step, reg, W1, W2)

    return losses(change)


def put(array, place, value):
    """Return a copy with something else in a place."""
    array = array.copy()
    array[place] = value
    return array


def wave(array):
    """Return numbers of an array's shape that follow no rule of ours."""
    return np.sin(1 + np.arange(array.size, dtype=float) ** 2).reshape(array.shape)


def rows_of(step):
    """Return how many examples a step was asked for."""
    return len(step.arguments["y"])


ALL = slice(None)
SCORES = {
    "It is 2 times the right one.": lambda _, s: 2 * s,
    "It is the right one with the opposite sign.": lambda _, s: -s,
    "It is 1/N times the right one.": lambda _, s: s / len(s),
    "It is C times the right one.": lambda _, s: s * s.shape[1],
    "with a different factor in each case": lambda _, s: s * (1 + s[0, 0] ** 2),
    "It is 0 everywhere.": lambda _, s: 0 * s,
    "Every entry is off by 0.3.": lambda _, s: s + 0.3,
    "Every entry is off by one number.": lambda _, s: s + s.std(),
    "Every row is off by a number of its own.": lambda _, s: s - s.max(axis=1, keepdims=True),
    "Every column is off by a number of its own.": lambda _, s: s + wave(s[0]),
    "It is the right one, transposed.": lambda _, s: s.T,
    "It holds the right numbers in the right order, in another shape.": lambda _, s: s.reshape(-1),
    "Averaged over its first axis it is the right one.": lambda _, s: np.stack([s, s]),
    "The rows are the right ones in reverse order.": lambda _, s: s[::-1],
    "The columns are the right ones in another order.": lambda _, s: np.roll(s, 1, axis=1),
    "It holds the right numbers in another order.": lambda _, s: s.T.reshape(s.shape),
    "It is wrong only in the column of class 0.": lambda _, s: put(s, (ALL, 0), wave(s[:, 0])),
    "It is wrong only in the column of the last class.": lambda _, s: put(s, (ALL, -1), wave(s[:, 0])),
    "It is wrong only in the rows of examples 1 and 2.": lambda _, s: put(s, slice(1, 3), wave(s[1:3])),
    "Of 3 sets of sizes, it is right only on N = 4, D = 7, H = 11, C = 3.": lambda _, s: s + (len(s) != 4) * wave(s),
    "Of 3 sets of sizes, it is wrong only on N = 6, D = 8, H = 13, C = 5.": lambda _, s: s + (len(s) == 6) * wave(s),
}


@pytest.mark.parametrize("clue", SCORES)
def test_what_is_known_of_scores(clue, known_of):
    """Scores that are wrong in one way throughout are said to be so."""
    assert clue in known_of("scores", scores(SCORES[clue]))


LOSSES = {
    "It is 2 times the right one in every wrong case.": lambda _c, _s, v: 2 * v,
    "It is N times the right one in every wrong case.": lambda _, step, v: v * rows_of(step),
    "It is 1/C times the right one in every wrong case.": lambda call, _, v: v / call.sizes[2],
    "It is 1.5 too large in every wrong case.": lambda _c, _s, v: v + 1.5,
    "It is 0.5 too small in every wrong case.": lambda _c, _s, v: v - 0.5,
    "Called with one row at a time it is right for all 12 rows": lambda _, step, v: (
        v if rows_of(step) == 1 else v**2 + 0.1
    ),
    "right, except for those with the label 0.": lambda _, step, v: v * 1.3 if 0 in step.arguments["y"] else v,
    "Of 3 sets of sizes, it is wrong only on N = 6, D = 8, H = 13, C = 5.": lambda _, step, v: v + (rows_of(step) == 6),
    "The part that reg adds is right.": lambda _, step, v: v + (rows_of(step) == 6),
}


@pytest.mark.parametrize("clue", LOSSES)
def test_what_is_known_of_the_loss(clue, known_of):
    """Losses are held against the right ones over the cases and over single rows."""
    assert clue in known_of("data_loss", losses(LOSSES[clue]))


def test_the_number_of_rows_that_are_right_is_known(known_of, questions):
    """Single rows tell how far a loss can be trusted that is wrong for every batch."""
    bad = np.sort(questions.expected[QuestionId("single")]["losses"])[5]
    change = losses(lambda _, step, v: v**2 + 0.2 if rows_of(step) > 1 or np.isclose(v, bad, rtol=1e-9) else v)
    assert "Called with single rows it is right for 11 of 12." in known_of("data_loss", change)


GRADIENTS = {
    ("W1", "It is 2 times the right one. The part that reg adds"): None,
    ("W1", "It is N times the right one."): lambda _, step, g: g * rows_of(step),
    ("b1", "It is 1/N times the right one."): lambda _, step, g: g / rows_of(step),
    ("W2", "It is right where reg is 0."): lambda _, step, g: g + step.arguments["reg"] * wave(g),
    ("W1", "It is wrong only in the columns of hidden units 3 and 7."): lambda _c, _s, g: (
        g + wave(g) * np.isin(np.arange(g.shape[1]), [3, 7])
    ),
    ("W1", "It is wrong only in the row of input 2."): lambda _c, _s, g: put(g, 2, wave(g[2])),
    ("W2", "It is wrong only in the column of the last class."): lambda _c, _s, g: put(g, (ALL, -1), wave(g[:, 0])),
    ("W1", "The columns are the right ones in reverse order."): lambda _c, _s, g: g[:, ::-1],
    ("b2", "The entries are the right ones in another order."): lambda _c, _s, g: np.roll(g, 1),
    ("b1", "Summed over its first axis it is the right one."): lambda _c, _s, g: np.outer([0.2, 0.3, 0.4, 0.1], g),
    ("b2", "Of 3 sets of sizes, it is wrong only on N = 6, D = 8, H = 13, C = 5."): (
        lambda _, step, g: g + (rows_of(step) == 6) * wave(g)
    ),
    ("W2", "The part that reg adds is right."): lambda _c, _s, g: g + wave(g),
}


@pytest.mark.parametrize(("name", "clue"), GRADIENTS)
def test_what_is_known_of_a_gradient(name, clue, known_of, questions):
    """The data's part is held against the right one, and what reg adds against the parameter."""

    def doubled_data(call, step, g):
        return 2 * g - 2 * step.arguments["reg"] * call.params["W1"]

    assert clue in known_of(f"gradient_{name}", gradient(name, GRADIENTS[name, clue] or doubled_data))


LABELS = {
    "Every row gets the label 0.": lambda right: 0 * right,
    "The wrong rows are exactly those with the right label 0. It never predicts class 0.": lambda right: np.where(
        right == 0, 1, right
    ),
}


@pytest.mark.parametrize("clue", LABELS)
def test_what_is_known_of_labels(clue, known_of):
    """Labels are held against what a slip in predict() would make of the right ones."""
    assert clue in known_of("predict", labels(LABELS[clue]))


@pytest.mark.parametrize(
    ("mistake", "clue"),
    [
        ("momentum", "The second iteration is the first wrong one."),
        ("biases_never_updated", "W1 and W2 are updated correctly in all iterations."),
    ],
)
def test_it_is_known_which_step_goes_wrong_first(mistake, clue, assignment, questions):
    """Parameters that train() moves rightly are told, and the iteration from which on the others are not."""
    index = next(i for i, form in enumerate(questions.catalogue.forms) if form.id == mistake)
    replies = {call.id: questions.catalogue.simulate(frozenset({index}), 1.0, call.id) for call in questions.calls}
    evidence = GradingContext(
        assignment, questions, Run(Reply(QuestionId("load"), "returned"), replies, (), {}, 0.0, 0.0)
    )
    assert clue in CHECKS["update_rule"].function(evidence).message.partition("\nKnown: ")[2]


# ---------------------------------------------------------------- nothing is said that does not hold


NEAR_MISSES = {
    "a factor but for one entry": scores(lambda _, s: put(2 * s, (0, 0), 2.001 * s[0, 0])),
    "a factor but for a thousandth": scores(lambda _, s: 2 * s * (1 + 1e-3 * wave(s))),
    "a difference but for a thousandth": scores(lambda _, s: s + 0.3 + 1e-3 * wave(s)),
    "cut off but for one entry": scores(lambda _, s: put(np.maximum(s, 0), np.unravel_index(s.argmax(), s.shape), 9)),
    "another order but for one entry": scores(lambda _, s: put(s[::-1], (0, 0), 9)),
    "rows shifted but for one entry": scores(lambda _, s: put(s - s.max(axis=1, keepdims=True), (0, 0), 9)),
    "negative ones, and one that is not": scores(
        lambda _, s: put(np.where(s < 0, s * s, s), np.unravel_index(s.argmax(), s.shape), 9)
    ),
}


@pytest.mark.parametrize("name", NEAR_MISSES)
def test_what_nearly_holds_is_not_said(name, known_of):
    """One entry, or a thousandth, is enough to take a statement on the whole array back."""
    assert known_of("scores", NEAR_MISSES[name]) == ""


def test_a_factor_that_nearly_holds_is_not_said_of_losses(known_of):
    """Three losses that are 2, 2 and 2.001 times the right ones are no double; nor is one row of twelve forgotten."""
    known = known_of("data_loss", losses(lambda call, _, v: v * (2.001 if call.sizes[2] == 5 else 2)))
    assert "in every wrong case" not in known
    known = known_of("data_loss", losses(lambda _, step, v: v * (1.3 if 0 in step.arguments["y"] and v > 0.02 else 1)))
    assert "whose label" not in known or "label is 0" in known


def test_two_numbers_of_the_case_are_told_apart():
    """A factor that is the same in all cases is that number, one that goes with N is N; a number that is near is neither."""
    other = {**COUNTS, "N": 6}
    assert multiple([7.0, 6.0], [COUNTS, other], Tolerance(1e-6)) == "N times the right one"
    assert multiple([1 / 7, 1 / 6], [COUNTS, other], Tolerance(1e-6)) == "1/N times the right one"
    assert multiple([7.0, 7.0], [COUNTS, other], Tolerance(1e-6)) == "7 times the right one"
    assert multiple([7.0001, 6.0], [COUNTS, other], Tolerance(1e-6)) == ""
    assert constant([2.0, 2.0001], Tolerance(1e-6)) == ""


def test_no_two_formulas_are_the_same_over_the_cases(assignment):
    """Over the assignment's sizes each formula gives numbers of its own."""
    sizes = [dict(zip("NDHC", size, strict=True)) for size in assignment.sizes]
    found = [tuple(round(formula(**one), 9) for one in sizes) for formula in FORMULAS.values()]
    assert len(set(found)) == len(found)


def test_what_is_right_within_the_tolerance_is_no_multiple_of_itself():
    """An array may be wrong by more digits than can be told apart here: then nothing is said of it."""
    right = np.arange(1.0, 22.0).reshape(7, 3)
    assert describe_pairs([ArrayPair(right * (1 + 1e-9), right, Tolerance(1e-6), COUNTS)]) == []
    assert describe_pairs([ArrayPair(right, right, Tolerance(1e-6), COUNTS)]) == []


def test_at_most_three_facts_are_said_and_none_of_what_is_right():
    """The most telling come first; empty and repeated ones do not count; a finding that costs nothing is left alone."""
    finding = with_details(Finding(0.0, "Wrong."), lambda: ["", "A.", "A.", "B.", "C.", "D."])
    assert finding.message == "Wrong.\nKnown: A. B. C."
    assert with_details(Finding(0.0, "Wrong."), lambda: [""]).message == "Wrong."
    assert with_details(Finding(1.0, "Right."), lambda: ["A."]).message == "Right."
    assert with_details(Finding(0.0, "Not started.", skipped=True), lambda: ["A."]).message == "Not started."


def pairs_at_random(seed, share):
    """Make three wrong arrays beside right ones: a share of the entries is wrong, by numbers at random."""
    rng = np.random.default_rng(seed)
    made = []
    for shape in ((7, 3), (6, 4), (4, 6)):
        right = rng.normal(size=shape)
        wrong = rng.random(shape) < share
        wrong[0, 0] = True
        theirs = right + wrong * rng.normal(size=shape)
        made.append(ArrayPair(theirs, right, Tolerance(1e-6), {"N": shape[0], "D": 5, "H": 11, "C": shape[1]}))
    return made


@pytest.mark.untraced  # the same lines over and over: a tracer doubles the time and learns nothing
@given(st.integers(0, 2**32 - 1))
@examples(200)
def test_nothing_is_said_of_arrays_that_are_wrong_at_random(seed):
    """Where every entry is wrong by a number at random there is nothing to say."""
    with np.errstate(all="ignore"):
        assert describe_pairs(pairs_at_random(seed, 1.0)) == []


@given(st.integers(0, 2**32 - 1), st.floats(0.05, 0.9))
@examples(200)
def test_what_is_said_of_some_wrong_entries_is_true(seed, share):
    """Where entries at random are wrong, lines that are named hold all wrong ones."""
    pairs = pairs_at_random(seed, share)
    with np.errstate(all="ignore"):
        facts = describe_pairs(pairs)
    for fact in facts:
        assert "wrong only in the" in fact
        axis = 0 if "the row" in fact else 1
        for pair in pairs:
            lines = set(np.nonzero(pair.wrong_entries())[axis].tolist())
            last = {pair.right.shape[axis] - 1}
            assert lines == (last if "the last" in fact else set(map(int, re.findall(r"\d+", fact)))), fact


@pytest.mark.untraced  # the same lines over and over: a tracer doubles the time and learns nothing
@given(st.integers(0, 2**32 - 1))
@examples(30)
def test_nothing_is_said_of_answers_that_are_wrong_at_random(known_of, seed):
    """Losses, gradients and regularisers that are off by numbers at random, each by its own, are not explained."""
    rng = np.random.default_rng(seed)
    bare = {}

    def anyhow(call, _step, loss):
        # The same for all regs of a case, so that what reg adds stays right.
        key = call.id.case if call.id.kind == "loss" else rng.random()
        return loss + bare.setdefault(key, rng.normal())

    assert known_of("data_loss", losses(anyhow)) in {"", "The part that reg adds is right."}
    assert known_of("gradient_W1", gradient("W1", lambda _c, _s, g: g + rng.normal(size=g.shape))) == ""
    assert known_of("regularised_loss", penalty(lambda _c, _s, reg, _W1, _W2: reg * rng.uniform(1, 9))) == ""
