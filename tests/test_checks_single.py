"""Single precision and cut-off digits cost a right program nothing, and excuse no wrong one."""

import ast
from pathlib import Path

import numpy as np
import pytest

from examples import in_part
from grader.checks import CHECKS, GradingContext
from grader.checks.read_losses import is_rounded, quantisation_step
from grader.model import QuestionId, Segment, Submission
from judging import judge
from reference.questions import draw

SUBMISSIONS = Path(__file__).resolve().parent / "submissions"
STEP = 1e-5
# Found by grading with many seeds: each cost a right program points in stability or numeric_gradient.
SEEDS = (1, 104, 117, 135)
END = "        return loss, grads\n"
RIGHT = {
    "single precision throughout": (SUBMISSIONS / "right_float32.py", ()),
    "single precision inside, double outside": (SUBMISSIONS / "right_float32_inside.py", ()),
    "one layer in single precision": (
        None,
        (("X.dot(W1) + b1", 'X.astype("f").dot(W1.astype("f")) + b1.astype("f")'),),
    ),
    "a loss with six decimals": (None, ((END, "        return round(loss, 6), grads\n"),)),
    "a loss with four decimals": (None, ((END, "        return round(loss, 4), grads\n"),)),
}


def submission_of(source):
    """Make a submission of a file that may hold best_hyperparameters."""
    body = ast.parse(source).body
    extra = tuple(i for i, one in enumerate(body) if ast.unparse(one).startswith("best_hyperparameters"))
    kept = tuple(i for i in range(len(body)) if i not in extra)
    segments = (Segment("test.py", source, kept),)
    return Submission("test", "test.py", "", "test.py", segments=segments, extras=(Segment("test.py", source, extra),))


@pytest.fixture(scope="module")
def drawn(assignment):
    """Return the questions of each seed."""
    return {seed: draw(assignment, seed) for seed in SEEDS}


@pytest.mark.untraced  # the same lines over and over: a tracer doubles the time and learns nothing
@pytest.mark.parametrize("seed", [SEEDS[0], *(pytest.param(seed, marks=pytest.mark.slow) for seed in SEEDS[1:])])
@pytest.mark.parametrize("name", in_part(RIGHT, 3))
def test_a_right_program_that_rounds_loses_nothing(name, seed, assignment, drawn, host, edited):
    """Whatever is drawn, noise of the student's own arithmetic is not taken for a mistake."""
    path, edits = RIGHT[name]
    source = path.read_text(encoding="utf-8") if path else "import numpy as np\n" + edited(*edits)
    submission = submission_of(source)
    run = host.run(submission, "TwoLayerNet", drawn[seed].calls)
    lost = {
        v.id: v.message for v in judge(assignment, drawn[seed], run, submission).verdicts if v.points < v.max_points
    }
    assert set(lost) == (set() if path else {"best_hyperparameters"}), lost


WRONG = {
    "half the regulariser's gradient": (("2 * reg * W1", "reg * W1"),),
    "no mask": (("        dhidden[hidden <= 0] = 0\n", ""),),
    "a bias gradient too large by a tenth": (
        ('grads["b2"] = dscores.sum(axis=0)', 'grads["b2"] = 1.1 * dscores.sum(axis=0)'),
    ),
    "half the regulariser in the loss, a third in the gradient": (
        ("data_loss + reg *", "data_loss + reg / 4 *"),
        ("2 * reg * W1", "reg / 3 * W1"),
    ),
    "a quarter of the regulariser in the loss, a little less in the gradient": (
        ("data_loss + reg *", "data_loss + reg / 4 *"),
        ("2 * reg * W2", "reg / 2 * W2"),
        ("2 * reg * W1", "0.45 * reg * W1"),
    ),
}
HIDDEN_BY = {
    "single precision": "np.float32(loss)",
    "single precision as a double": "float(np.float32(loss))",
    "six decimals": "round(float(loss), 6)",
    "four decimals": "round(float(loss), 4)",
    "noise of 1e-7": "loss + 1e-7 * np.sin(1e9 * loss)",
    "noise of 1e-6": "loss + 1e-6 * np.sin(1e9 * loss)",
    # Nothing can be seen of a slope in the sweep, which asks for four rows more often than for one.
    "noise of 1e-3 where it is swept": "loss * (1 + 1e-3 * np.sin(1e9 * loss) * (reg == 0.05))",
}


@pytest.mark.untraced  # the same lines over and over: a tracer doubles the time and learns nothing
@pytest.mark.parametrize(
    ("wrong", "noise"),
    [
        # Every fourth noise hides one of the wrong gradients in the default run, and the wrong ones take turns.
        pytest.param(wrong, noise, marks=[pytest.mark.slow] if below % 4 or (at - below) % len(WRONG) else [])
        for at, wrong in enumerate(WRONG)
        for below, noise in enumerate(HIDDEN_BY)
    ],
)
def test_noise_excuses_no_wrong_gradient(wrong, noise, edited, verdicts_of):
    """A gradient that is wrong gains nothing where the loss is made too rough to be differentiated."""
    honest = verdicts_of(edited(*WRONG[wrong]))
    forged = verdicts_of(edited(*WRONG[wrong], (END, END.replace("loss,", f"{HIDDEN_BY[noise]},"))))
    gained = {key: forged[key].points - honest[key].points for key in honest}
    assert sum(gained.values()) <= 0, {key: points for key, points in gained.items() if points}


SINGLE = (
    "        hidden = np.maximum(0, X.dot(W1) + b1)",
    "        X, W1, b1, W2, b2 = (a.astype(np.float32) for a in (X, W1, b1, W2, b2))\n        hidden = np.maximum(0, X.dot(W1) + b1)",
)
THROUGHOUT = {
    "sum for mean": (("np.mean(np.log", "np.sum(np.log"), ("        dscores /= N\n", "")),
    "biases regularised": (
        ("np.sum(W2 * W2))", "np.sum(W2 * W2) + np.sum(b1 * b1) + np.sum(b2 * b2))"),
        ("dscores.sum(axis=0)", "dscores.sum(axis=0) + 2 * reg * b2"),
        ("dhidden.sum(axis=0)", "dhidden.sum(axis=0) + 2 * reg * b1"),
    ),
    "b1 missing": (("X.dot(W1) + b1", "X.dot(W1)"),),
    "three times the regulariser": (("data_loss + reg", "data_loss + 3 * reg"), ("2 * reg * W", "6 * reg * W")),
}


@pytest.mark.untraced  # the same lines over and over: a tracer doubles the time and learns nothing
@pytest.mark.parametrize(
    "name", [pytest.param(one, marks=[pytest.mark.slow] if at % 4 else []) for at, one in enumerate(THROUGHOUT)]
)
def test_a_mistake_made_throughout_costs_the_same_in_single_precision(name, edited, verdicts_of):
    """What is wrong in the loss and followed by the gradients is paid for once, however many digits there are."""
    double = verdicts_of(edited(*THROUGHOUT[name]))
    single = verdicts_of(edited(SINGLE, *THROUGHOUT[name]))
    assert {key: verdict.points for key, verdict in single.items()} == {key: v.points for key, v in double.items()}


NOWHERE = (END, "        return loss + reg / 10, grads\n")
PARTLY = (END, "        return loss + 0.1 * (reg == 0.05), grads\n")


@pytest.mark.slow
@pytest.mark.untraced
@pytest.mark.parametrize("unclear", [NOWHERE, pytest.param(PARTLY, marks=pytest.mark.slow)], ids=["nowhere", "partly"])
def test_a_regulariser_that_is_unclear_in_the_loss_is_one_in_the_gradients(unclear, edited, verdicts_of):
    """Where the loss shows no factor or shows it in part, all gradients are held to one."""
    found = verdicts_of(edited(unclear))
    assert found["regularised_loss"].points == 0
    assert found["gradient_W1"].status == found["gradient_W2"].status == "passed"
    found = verdicts_of(edited(unclear, ("2 * reg * W1", "reg * W1")))
    assert (found["gradient_W1"].status == "passed") + (found["gradient_W2"].status == "passed") == 1


@pytest.mark.slow
def test_a_regulariser_that_the_loss_does_not_show_is_the_one_that_fits(edited, verdicts_of):
    """Half of it in all gradients is a regulariser as well."""
    assert verdicts_of(edited(NOWHERE, ("2 * reg * W", "reg * W")))["gradient_W2"].status == "passed"


# ---------------------------------------------------------------- how rounding is measured


def swept(noise, slope=0.3, size=60):
    """Make the losses of a sweep: 2.3 + slope h + curvature, through a function that rounds them."""
    slopes = slope * np.sin(1 + np.arange(size) ** 2)
    return noise(np.array([2.3 + slopes * STEP + 5e-11, 2.3 - slopes * STEP + 5e-11 * np.cos(np.arange(size))]))


ROUNDED = {
    "float32": lambda pair: pair.astype(np.float32),
    "float32 as doubles": lambda pair: pair.astype(np.float32).astype(np.float64),
    "float32 and a double added": lambda pair: (pair - 0.7).astype(np.float32) + 0.7,
    "six decimals": lambda pair: np.round(pair, 6),
    "four decimals": lambda pair: np.round(pair, 4),
}


@pytest.mark.parametrize("name", ROUNDED)
def test_rounding_shows_in_a_sweep(name):
    """Single precision and cut-off digits scatter the losses of a sweep, in whatever type they are returned."""
    assert is_rounded([swept(ROUNDED[name])])


def test_double_precision_is_not_taken_for_rounding():
    """Curvature alone is no rounding: the tolerance of an honest double stays what it was."""
    assert not is_rounded([swept(lambda pair: pair)])


@pytest.mark.parametrize(
    ("values", "step"),
    [
        ([0.1234567891, 1.7320508075, 2.2360679774], 0.0),
        ([1.0, 2.0, 3.0], 0.0),  # whole numbers tell nothing
        ([0.0, 0.0, 0.0], 0.0),
        ([0.5, 0.25], 0.0),  # two numbers tell nothing
        ([0.123457, 1.732051, 2.236068], 1e-6),
        ([0.1235, 1.7321, 2.2361], 1e-4),
        ([0.12, 1.73, 2.24], 1e-4),  # coarser than that is another loss, and no wider tolerance is given for it
        ([np.nan, 1.7, 2.2], 0.0),
        ([float(np.float32(value)) for value in (0.1, 0.2, 0.3)], 0.3 * 2**-23),
    ],
)
def test_the_step_of_losses_is_read_off(values, step):
    """Losses that are multiples of a step show it, others do not."""
    with np.errstate(invalid="ignore"):
        assert quantisation_step([np.asarray(value) for value in values]) == pytest.approx(step, rel=1e-6)


def test_every_check_still_answers_where_a_sweep_is_odd(assignment, questions):
    """Losses of one number, of none and of another kind in the sweep end in a finding, and prove no gradient."""
    from dataclasses import replace

    from grader.model import Reply, Run

    right = {call.id: questions.catalogue.simulate(frozenset(), 1.0, call.id) for call in questions.calls}
    sweep = next(call for call in questions.calls if call.id.kind == "sweep")
    for fill in (0.0, 1e308, np.inf, np.nan):
        odd = {name: np.full((2, *value.shape), fill) for name, value in sweep.params.items()}
        replies = {**right, sweep.id: replace(right[sweep.id], results=(odd,))}
        evidence = GradingContext(
            assignment, questions, Run(Reply(QuestionId("load"), "returned"), replies, (), {}, 0.0, 0.0)
        )
        with np.errstate(all="ignore"):
            finding = CHECKS["numeric_gradient"].function(evidence)
        assert finding.share == 0 or finding.carried
