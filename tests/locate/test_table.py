"""The table of steps: from what was recorded of a program to the rows that its student reads."""

import ast
import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from examples import examples
from grader.checks import GradingContext
from grader.grading import find
from grader.locate.differences import Words
from grader.locate.located import Located
from grader.locate.step_table import table
from grader.model import Finding, Findings, Place, QuestionId, Segment, StepRow, Submission
from grader.score import methods_of, score
from judging import RUBRIC
from locate.programs import SHARED, changed

SUBMISSIONS = Path(__file__).resolve().parent.parent / "submissions"
ALL = ("loss", "predict", "train")


@pytest.fixture(scope="module")
def recorded_of(assignment, questions, host):
    """Return a function that runs one program and gives its evidence with the submission; of the calls all or those for a table."""

    def run(source, *, whole=False):
        program = "import numpy as np\n" + source
        statements = tuple(range(len(ast.parse(program).body)))
        submission = Submission("t", "t.py", "", "t.py", segments=(Segment("t.py", program, statements),))
        kinds = ("recorded", "loss", "scores")
        calls = tuple(call for call in questions.calls if whole or call.id.kind in kinds)
        outcome = host.run(submission, "TwoLayerNet", calls)
        assert outcome.load.outcome == "returned", outcome.load
        if not whole:
            assert outcome.replies[QuestionId("recorded")].results
        return GradingContext(assignment, questions, outcome), submission

    return run


@pytest.fixture(scope="module")
def rows_of(recorded_of):
    """Return a function that gives the rows of one method of a program."""

    def rows(source, method="loss"):
        with np.errstate(all="ignore"):  # as `find` has it
            return table(Located(*recorded_of(source)), (method,), "relu").get(method, ())

    return rows


def told(rows):
    """Return what stands in a table, a line each."""
    return [f"{row.place.text.strip()} | {row.name} {row.shape} | {row.status} | {row.verdict}" for row in rows]


def the(rows, text, name=None):
    """Return the one row of a line, by the beginning of its text."""
    found = [row for row in rows if row.place.text.strip().startswith(text) and name in {None, row.name}]
    assert len(found) == 1, "\n".join(told(rows))
    return found[0]


# ---------------------------------------------------------------- the rows of loss

U, H = "the hidden layer before the ReLU", "the hidden layer after the ReLU"
STILL = "it is still the probabilities minus 1 at the true class, not divided by N"
# What is edited in the solution; the line that differs, and how; a line that is right given that mistake.
WRONG = {
    "mask of the gradient": (
        [("dhidden[hidden <= 0]", "dhidden[dhidden <= 0]")],
        "dhidden[dhidden", rf"differs from the gradient of {U}: \d+ of 63 entries should be 0, \d+ more are 0 and should not be",
        'grads["W1"]',
    ),
    "no mask": (
        [("dhidden[hidden <= 0] = 0", "pass")],
        'grads["W1"]', rf"differs from the gradient of {U}: it is still the gradient of {H}, \d+ of 63 entries should be 0",
        'grads["b1"]',
    ),
    "not divided": ([("dscores /= N", "pass")], "dscores[np", f"differs from the gradient of the scores: {STILL}", "dhidden ="),
    "divided twice": (
        [("dscores /= N", "dscores /= N * N")],
        "dscores /=", "differs from the gradient of the scores: 1/N of what it should be", "dhidden =",
    ),
    "no minus one": (
        [("dscores[np.arange(N), y] -= 1", "pass")],
        "dscores /=", "differs from the gradient of the scores: only the entry of each row's true class differs", "dhidden =",
    ),
    "one row only": (
        [("dscores /= N", "dscores /= N\n        dscores[2] *= 3")],
        "dscores[2]", r"differs from the gradient of the scores: 1 of 7 rows differs \(2\)", "dhidden =",
    ),
    "second bias forgotten": (
        [("hidden.dot(W2) + b2", "hidden.dot(W2)")],
        "scores = hidden", "differs from the scores: it is still the hidden layer times W2, before b2 is added", "exp_scores =",
    ),
    "sigmoid": (
        [("np.maximum(0, X.dot(W1) + b1)", "1 / (1 + np.exp(-X.dot(W1) - b1))")],
        "hidden =", f"differs from {H}: all 63 entries differ", "scores = hidden",
    ),
    "ReLU on the scores": (
        [("hidden.dot(W2) + b2", "np.maximum(0, hidden.dot(W2) + b2)")],
        "scores = np", r"differs from the scores: \d+ of 28 entries are 0 and should not be", "exp_scores =",
    ),
    "minus": (
        [("dscores /= N", "dscores /= -N")],
        "dscores /=", "differs from the gradient of the scores: with the other sign", "dhidden =",
    ),
    "sum for mean": ([("np.mean(np.log", "np.sum(np.log")], "data_loss =", "differs: it is the sum of the rows' losses", None),
    "no regulariser": (
        [("data_loss + reg * (np.sum(W1 * W1) + np.sum(W2 * W2))", "data_loss")],
        "data_loss =", "differs from the whole loss: the regulariser is missing", None,
    ),
    "one weight": ([("np.sum(W1 * W1) + np.sum(W2 * W2)", "np.sum(W1 * W1)")], "loss = data", "differs from the whole loss: W2 is missing in the regulariser", None),
    "half of the gradient": (
        [("X.T.dot(dhidden) + 2 * reg * W1", "X.T.dot(dhidden) + reg * W1")],
        'grads["W1"]', "differs from the gradient of W1: the regulariser's part is half as large", None,
    ),
    "bias regularised": (
        [('grads["b2"] = dscores.sum(axis=0)', 'grads["b2"] = dscores.sum(axis=0) + reg * b2')],
        'grads["b2"]', "differs from the gradient of b2: a bias has no regulariser", None,
    ),
    "shape": (
        [("X.T.dot(dhidden) + 2 * reg * W1", "X.T.dot(dhidden)[:1]")],
        'grads["W1"]', r"differs from the gradient of W1: its shape should be \(8, 9\)", None,
    ),
    "zeros": (
        [("X.T.dot(dhidden) + 2 * reg * W1", "np.zeros_like(W1)")],
        'grads["W1"]', "differs from the gradient of W1: nothing of the data is in it, the regulariser's part is missing", None,
    ),
    "NaN": ([("probabilities = exp_scores / sums", "probabilities = exp_scores / (sums - sums)")], "probabilities =", "differs: holds inf", None),
}  # fmt: skip


@pytest.mark.parametrize("name", WRONG)
def test_a_wrong_line_differs_and_what_follows_is_right_given_it(edited, rows_of, name):
    """The row of the mistake says how it differs; what comes before is right, and what comes after is not blamed."""
    pairs, line, how, after = WRONG[name]
    rows = rows_of(edited(*pairs))
    wrong = next(row for row in rows if row.status == "differs")
    assert wrong.place.text.strip().startswith(line), "\n".join(told(rows))
    assert re.fullmatch(how, wrong.verdict), wrong.verdict
    before = rows[: rows.index(wrong)]
    assert {row.status for row in before} <= {"right"}, "\n".join(told(rows))
    if after:
        given_it = the(rows, after)
        assert (given_it.status, given_it.verdict) == ("given", f"right, given the mistake in line {wrong.place.line}")
        assert [row.status for row in rows].count("differs") == 1


def test_right_values_are_told_in_words_in_the_order_in_which_they_were_made(edited, rows_of):
    """A student reads their own names beside the field's words; inputs and sizes have no row."""
    rows = rows_of(edited(("dhidden[hidden <= 0]", "dhidden[dhidden <= 0]")))
    right = [(row.name, row.shape, row.verdict) for row in rows if row.status == "right"]
    assert right[:4] == [
        ("hidden", (7, 9), "right: the hidden layer after the ReLU"),
        ("scores", (7, 4), "right: the scores"),
        ("shifted", (7, 4), "right: the scores minus their row's largest"),
        ("exp_scores", (7, 4), "right: exp of the scores minus their row's largest"),
    ]
    assert ("loss", (), "right: the whole loss") in right
    # A copy has a row, since nothing else stands on its line.
    assert ("dscores", (7, 4), "right: the probabilities (softmax of the scores)") in right
    assert not {row.name for row in rows} & {"X", "y", "reg", "N", "D", "W1", "b1", "W2", "b2"}
    assert [row.place.line for row in rows] == sorted(row.place.line for row in rows)


@pytest.mark.parametrize("name", WRONG)
def test_no_number_of_the_right_answer_is_told(edited, rows_of, name):
    """Counts, rows and shapes are whole numbers; an entry of a right value is none."""
    for row in rows_of(edited(*WRONG[name][0])):
        assert not re.search(r"\d\.\d", row.verdict), row.verdict


def test_two_mistakes_are_told_apart(edited, rows_of):
    """Each is held against what the one before it leaves, and what comes of both names both."""
    rows = rows_of(edited(("dscores /= N", "dscores /= -N"), ("dhidden[hidden <= 0] = 0", "dhidden *= 3")))
    first, second = (row for row in rows if row.status == "differs")
    assert first.verdict == "differs from the gradient of the scores: with the other sign"
    assert second.place.text.strip() == "dhidden *= 3"
    both = f"right, given the mistakes in lines {first.place.line} and {second.place.line}"
    assert the(rows, 'grads["b1"]').verdict == both
    assert the(rows, 'grads["b2"]').verdict == f"right, given the mistake in line {first.place.line}"


def test_what_an_exception_leaves_is_told_to_where_it_stopped(edited, rows_of):
    """Rows up to the line that stopped, then that line; what it could not use is told where it was made."""
    rows = rows_of(edited(("exp_scores.sum(axis=1, keepdims=True)", "exp_scores.sum(axis=1)")))
    assert the(rows, "sums =").verdict == f"differs: line {rows[-1].place.line} stops on it with ValueError"
    assert rows[-1].verdict == "stopped here: ValueError"
    assert rows[-1].place.text.strip().startswith("probabilities =")
    assert {row.status for row in rows[:-2]} == {"right"}


def test_unfinished_work_shows_how_far_it_got(edited, rows_of, solution_class):
    """All that is written is right, and the last row says what is missing."""
    loss = solution_class[
        solution_class.index("        # The loss: the mean") : solution_class.index("        return loss, grads")
    ]
    rows = rows_of(edited((loss, "        loss, grads = None, {}\n")))
    assert [row.name for row in rows[:-1]] == ["hidden", "scores"]
    assert rows[-1].place.text.strip() == "return loss, grads"
    assert rows[-1].verdict == "differs: loss(X, y, reg) should return the loss and a dict of gradients"


def test_a_loop_has_one_row_for_a_line(rows_of):
    """334 values in scalar loops: each line once, its pieces in one row, the mistake among them."""
    source = (SUBMISSIONS / "right_loops.py").read_text(encoding="utf-8")
    right = "                if hidden[i, j] > 0:\n"
    assert right in source
    rows = rows_of(source.replace(right, "                if True:\n"))
    by_line = [(row.place.line, row.name) for row in rows]
    assert len(rows) <= 25
    assert len(by_line) == len({*by_line}), "\n".join(told(rows))
    assert the(rows, "hidden[i, j] =").verdict == f"right: {H}"
    assert the(rows, "f = scores[i]").verdict == "right: the scores minus their row's largest, one row at a time"
    assert the(rows, "db1[j] +=").status == "differs"


MANY = "\n".join(f"        t{i} = scores * {i}.5 + np.sin(scores)" for i in range(40))


def test_of_too_many_rows_the_mistake_the_answers_and_what_is_near_stay(edited, rows_of):
    """What was not recognised goes first; the loss and the gradients stay to the last."""
    rows = rows_of(
        edited(
            ("dhidden[hidden <= 0]", "dhidden[dhidden <= 0]"),
            ("        loss = None\n", f"        loss = None\n{MANY}\n"),
        )
    )
    assert len(rows) == 25
    assert "differs" in {row.status for row in rows}
    assert {"loss", "grads['W1']", "grads['b1']", "grads['W2']", "grads['b2']"} <= {row.name for row in rows}
    assert len([row for row in rows if row.status == "unknown"]) < 15
    assert [row.place.line for row in rows] == sorted(row.place.line for row in rows)


KEPT = """
        self.hidden = np.maximum(0, X.dot(W1) + b1)
        hidden = self.hidden
"""


def test_what_an_object_holds_from_before_is_told_at_the_line_that_sets_it(edited, rows_of):
    """loss(X) left it in the object: the first line that names `self` shows it, and did not make it."""
    rows = rows_of(
        edited(("        hidden = np.maximum(0, X.dot(W1) + b1)", KEPT), ("dhidden[hidden <= 0] = 0", "dhidden *= 1"))
    )
    assert the(rows, "self.hidden = np").verdict == f"right: {H}"
    assert not [row for row in rows if row.name == "self.hidden" and "np.maximum" not in row.place.text]


def test_a_change_in_place_is_told(edited, rows_of):
    """The line that writes into X is wrong whatever it makes."""
    rows = rows_of(edited(("        N, D = X.shape", "        N, D = X.shape\n        X -= X.mean(axis=0)")))
    assert the(rows, "X -=").status == "differs"


def test_a_line_that_makes_two_gradients_wrong_has_a_row_for_each(rows_of):
    """A helper of both layers makes b1 wrong, and b2: the later of them does not take the row of the other."""
    rows = [row for row in rows_of(changed(SHARED, ("db = d.sum(axis=0)", "db = d.mean(axis=0)"))) if row.name == "db"]
    assert {row.status for row in rows} == {"differs"}
    assert [[name for name in ("b1", "b2") if f"gradient of {name}" in row.verdict] for row in rows] == [["b2"], ["b1"]]


# ---------------------------------------------------------------- the rows of predict and train


@pytest.mark.parametrize(
    ("new", "line", "how"),
    [
        ("self.loss(X).argmax(axis=0)", "y_pred = self", r"differs: the labels should have the shape \(7,\)"),
        ("self.loss(X).argmin(axis=1)", "y_pred = self", r"differs: in \d of 7 rows the label is not the class with the largest score"),
        (
            "X.dot(self.params['W1'])\n        s = y_pred.dot(self.params['W2'])\n        y_pred = s.argmax(axis=1)",
            "s = y_pred", "differs from the scores: all 28 entries differ",
        ),
        ("1 / 0", "y_pred = 1", "stopped here: ZeroDivisionError"),
    ],
)  # fmt: skip
def test_predict(edited, rows_of, new, line, how):
    """The scores on the way, and the labels."""
    rows = rows_of(edited(("self.loss(X).argmax(axis=1)", new)), "predict")
    assert re.fullmatch(how, the(rows, line).verdict), told(rows)
    assert [row.status for row in rows].count("differs") == 1


STEP = "self.params[name] -= learning_rate * grads[name]"
TRAIN = {
    "plus": ([(STEP, STEP.replace("-=", "+="))], "self.params[name]", r"W1, b1, W2 and b2 are moved by \+learning_rate times the gradient"),
    "twice": ([(STEP, STEP.replace("-=", "-= 2 *"))], "self.params[name]", r"W1, b1, W2 and b2 are moved by -2 \* learning_rate times the gradient"),
    "one alone": ([("for name in self.params:", 'for name in ["W1", "b1", "b2"]:')], "for name in", "W2 is not moved"),
    "no decay": ([("learning_rate *= learning_rate_decay", "learning_rate *= 1.0")], "if it % iterations", "the learning rate of the steps never decays"),
    "labels": ([("y_batch = y[indices]", "y_batch = y[:batch_size]")], "y_batch = y[:", r"\d of 6 labels do not belong to the rows that were drawn"),
    "all rows": ([("X_batch = X[indices]", ""), ("y_batch = y[indices]", "")], "X_batch = X", "a batch should have 6 rows, but this one has 18"),
    "first rows": ([("choice(num_train, batch_size)", "choice(batch_size, batch_size)")], "indices =", "rows are drawn only from the first 6 of 18"),
    "reg": ([("y=y_batch, reg=reg)", "y=y_batch)")], "loss, grads = self.loss(", "reg is not handed on to loss()"),
    "one loss": ([("loss_history.append(loss)", "loss_history = [loss]")], "loss_history = [loss]", "1 loss is kept of 5 iterations"),
}  # fmt: skip


@pytest.mark.parametrize("name", TRAIN)
def test_train(edited, rows_of, name):
    """The batch, the step, the learning rate and what is kept; what is right of them is told as right."""
    pairs, line, how = TRAIN[name]
    rows = rows_of(edited(*pairs), "train")
    wrong = [row for row in rows if row.status == "differs"]
    assert [row.place.text.strip().startswith(line) for row in wrong] == [True], told(rows)
    assert re.fullmatch(f"differs: {how}".replace("()", r"\(\)"), wrong[0].verdict), wrong[0].verdict
    right = {row.name: row.verdict for row in rows if row.status == "right"}
    assert right["grads['W1']"] == "right: the gradient of W1 from loss()"
    if name in {"no decay", "reg"}:
        assert right["indices"] == "right: the numbers of the 6 rows that were drawn"
        assert right["self.params['b2']"] == "right: b2 moved by -learning_rate times its gradient"


# ---------------------------------------------------------------- which methods have rows


@pytest.mark.slow
def test_findings_have_rows_where_something_is_wrong(recorded_of, assignment, questions, edited, solution_class):
    """A right program has none; of a wrong one the method that is wrong has, and the report shows them."""
    for source, methods in (
        (solution_class, set()),
        (edited(("self.loss(X).argmax(axis=1)", "self.loss(X).argmin(axis=1)")), {"predict"}),
        (edited(("dscores /= N", "pass")), {"loss"}),
    ):
        evidence, submission = recorded_of(source, whole=True)
        findings = find(submission, evidence.run, assignment, questions)
        assert set(findings.steps) == methods
        judgement = score(findings, assignment, questions.catalogue)
        assert judgement.steps == tuple(row for rows in findings.steps.values() for row in rows)


def _row(name, status="differs"):
    return StepRow(Place("t.py", 1, "x = 1"), name, (), status, f"{status}: {name}")


def _scored(assignment, failing, steps=None):
    checks = {check: Finding(0.0 if check in failing else 1.0, "") for check in RUBRIC}
    steps = steps or {method: (_row(method, "right"), _row(method)) for method in ALL}
    return [row.name for row in score(Findings(checks, steps=steps), assignment, None).steps if row.status == "differs"]


def test_the_first_wrong_method_comes_first_and_the_table_holds_25_rows(assignment):
    """Of further methods there is what differs, as far as there is room."""
    assert _scored(assignment, {"decay", "scores"}) == ["loss", "train"]
    long = {"loss": (_row("loss"),) * 24, "train": (_row("before", "right"), _row("train"))}
    assert _scored(assignment, {"decay", "scores"}, steps=long) == ["loss"] * 24
    assert _scored(assignment, set()) == []


def test_what_belongs_to_no_method_has_no_rows(assignment):
    """Numbers that were chosen badly are no line of train()."""
    assert methods_of(["best_hyperparameters"]) == ()
    assert methods_of(["update_rule", "gradient_W1", "predict"]) == ALL


# ---------------------------------------------------------------- words, and odd recordings


def test_every_value_of_the_right_network_has_words(questions):
    """A name of reference/recompute.py that a student reads is one that they know."""
    words = Words(("W1", "b1", "W2", "b2"), "relu")
    for name in questions.oracle.follow(0.5, {}, True):
        assert words.of(name) != name, name
        assert "{" not in words.of(name)
    assert Words(("A", "a", "B", "b"), "tanh").of("u") == "the hidden layer before the tanh (X A + a)"


ODD = st.sampled_from([0.0, -1.0, 7.0, np.nan, np.inf, 1e308, 1e-300])


@st.composite
def forged(draw, results):
    """Change a few things in the recordings, each in a way that still looks like a recording."""
    lies = [dict(one) if isinstance(one, dict) else one for one in results]
    for _ in range(draw(st.integers(1, 4))):
        one = draw(st.sampled_from([lie for lie in lies if isinstance(lie, dict)]))
        key = draw(st.sampled_from(sorted(one)))
        value = one[key]
        if isinstance(value, np.ndarray) and value.size and draw(st.integers(0, 5)):
            new = value.copy()
            at = draw(st.integers(0, len(new) - 1))
            if new.dtype.kind == "f":
                new[at : at + draw(st.integers(1, 50))] = draw(ODD)
            elif new.ndim == 2:
                column = draw(st.integers(0, new.shape[1] - 1))
                new[at, column] = draw(st.sampled_from(new[:, column].tolist()) | st.integers(-2, 60))
            one[key] = new if draw(st.integers(0, 3)) else new[:at]
        else:
            odd = [
                None,
                [],
                {},
                "return",
                ("t.py", 5),
                ("", 0),
                ("t.py", -3),
                np.zeros((0, 6), np.int64),
                np.zeros(3),
                1.5,
            ]
            one[key] = draw(st.sampled_from([*odd, ["return"] * 9, {"loss_history": np.array([np.nan])}]))
    return tuple(lies)


def _wrong_everywhere(edited):
    return edited(
        ("dscores /= N", "pass"), ("dhidden[hidden <= 0]", "dhidden[dhidden <= 0]"),
        (STEP, STEP.replace("-=", "+=")), ("self.loss(X).argmax(axis=1)", "self.loss(X).argmin(axis=1)"),
    )  # fmt: skip


@pytest.mark.slow
def test_odd_recordings_make_tables(edited, recorded_of):
    """A recording is in the student's hands: whatever it holds, there is a table of at most 25 whole rows, or none."""
    evidence, submission = recorded_of(_wrong_everywhere(edited))
    before = evidence.run.replies[QuestionId("recorded")]

    @given(st.data())
    @examples(60)
    def holds(data):
        answer = replace(before, results=data.draw(forged(before.results)))
        run = replace(evidence.run, replies={**evidence.run.replies, QuestionId("recorded"): answer})
        with np.errstate(all="ignore"):  # as `find` has it
            lines = Located(GradingContext(evidence.assignment, evidence.questions, run), submission)
        for method in ALL:
            for rows in table(lines, (method,), "relu").values():
                assert len(rows) <= 25
                for row in rows:
                    assert row.place.line > 0
                    assert all(isinstance(size, int) and size >= 0 for size in row.shape)
                    assert row.verdict.startswith(("right", "differs", "stopped")) or row.status == "unknown"

    holds()
