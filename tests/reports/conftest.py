"""Reports made by hand: one as rich as they come, one for each way of not being graded; and what reads them."""

import io
import json
import re
from dataclasses import replace
from importlib import resources

import jsonschema
import numpy as np
import pytest
from rich.console import Console

from grader.apply_decisions import decide
from grader.model import (
    Curves,
    Decision,
    Diagnosis,
    Environment,
    HeatMap,
    LatePolicy,
    Place,
    Report,
    Sheet,
    Standing,
    StepRow,
    Verdict,
)
from grader.reports.class_page import to_index
from grader.reports.export_rows import ExportOptions
from grader.reports.formats import REPORT_FORMATS
from grader.reports.gradebook_csv import to_gradebook
from reports.written import render, summary


def sheet_of(*reports):
    """Return a class of these reports, without a roster."""
    return Sheet("Class", 100.0, tuple(map(Standing, reports)))


def _error(rng, rows, columns):
    """Errors of a ReLU mask that was forgotten: whole columns wrong, one entry not finite."""
    error = 10.0 ** rng.uniform(-4, -0.5, size=(rows, columns))
    for column in range(columns):
        if column % 5 in {1, 3}:
            error[:, column] = 10.0 ** rng.normal(4.5, 0.9, size=rows)
    error[min(5, rows - 1), min(6, columns - 1)] = 3.2e7
    return error


def _curves(rng):
    steps = np.arange(400)
    mine = 2.3 * np.exp(-steps / 260) + 0.08 * rng.random(400)
    reference = 2.3 * np.exp(-steps / 45) + 0.015 * rng.random(400) + 0.012
    mine[300:304] = np.nan
    return Curves("Loss while training on the digits", (("yours", mine), ("reference", reference)))


def _checks():
    rng = np.random.default_rng(7)
    w1 = _error(rng, 64, 32)
    w1[20, 8] = np.nan
    b1 = _error(rng, 1, 32)
    return (
        Verdict("scores", "Scores are those of a two-layer net", "loss", "passed", 8, 8, False, ""),
        Verdict("loss", "The loss is softmax cross-entropy", "loss", "passed", 10, 10, False,
                "Relative difference 3.1e-16 on three sets of sizes."),
        Verdict("loss_stable", "The loss stays finite for large scores", "loss", "failed", 0, 3, False,
                "With 1,000 added to every score your loss is `nan`; it should be 2.3026.\n"
                "Subtract each row's maximum from the scores before `np.exp`: softmax does not change.",
                places=(Place("code cell 5", 31, "    exp_scores = np.exp(scores)"),)),
        Verdict("loss_hidden", "The loss copes with an absent class", "loss", "passed", 4, 4, True, "secret answer"),
        Verdict("grad_W1", "Gradient of W1", "gradients", "failed", 0, 10, False,
                "`grads['W1']` differs from the reference in 833 of 2,048 entries, and from the numeric gradient of "
                "your own loss in the same ones.\nThe wrong entries fill whole columns: those of hidden units that are "
                "off for some inputs. Look at how `dh` is masked.",
                figures=(HeatMap("W1 (64, 32)", w1, (5, 6)), HeatMap("b1 (32,)", b1, (6,))),
                places=(Place("code cell 5", 47, "    dh = dscores.dot(W2.T)"),
                        Place("code cell 5", 48, "    dh[dh <= 0] = 0"))),
        Verdict("grad_b1", "Gradient of b1", "gradients", "failed", 0, 5, False,
                "`grads['b1']` has shape (1, 32); (32,) is expected, and its values differ too."),
        Verdict("grad_W2", "Gradient of W2", "gradients", "passed", 10, 10, False, ""),
        Verdict("grad_b2", "Gradient of b2", "gradients", "passed", 5, 5, False, ""),
        Verdict("grad_hidden", "Gradients at other sizes", "gradients", "failed", 0, 5, True, "secret sizes 7, 11, 13",
                places=(Place("secret cell", 1, "secret line"),),
                figures=(HeatMap("secret heat map", np.ones((2, 2)) * 9, (0, 0)),)),
        Verdict("train_rule", "Each step moves against the gradient", "train", "passed", 12, 12, False, ""),
        Verdict("train_digits", "Training learns the digits", "train", "partial", 5, 8, False,
                "Accuracy 0.81 on the held-out digits; 0.90 is asked for.",
                figures=(_curves(rng),)),
        Verdict("train_decay", "The learning rate decays once an epoch", "train", "skipped", 0, 5, False,
                "Not judged: `train` stopped in its second epoch."),
        Verdict("predict", "Predictions are the classes with the largest scores", "predict", "failed", 0, 10, False,
                "`predict` raised ValueError: operands could not be broadcast together with shapes (30,32) (30,) ",
                places=(Place("code cell 7", 3, "    z1 = relu(X.dot(self.params['W1']), self.params['b1'])"),
                        Place("neural_net.py", 12, "\treturn np.maximum(0, a + b)"))),
        Verdict("style_loops", "No loop over the inputs", "style", "passed", 5, 5, False, ""),
    )  # fmt: skip


def _steps():
    loss, predict = "code cell 5", "code cell 7"
    return (
        StepRow(Place(loss, 29, "    h = np.maximum(0, X.dot(W1) + b1)"), "h", (7, 11), "right",
                "right: the hidden activation"),
        StepRow(Place(loss, 31, "    exp_scores = np.exp(scores)"), "exp_scores", (7, 3), "unknown", "not recognised"),
        StepRow(Place(loss, 36, "    loss = data_loss + reg * reg_loss"), "loss", (), "right", "right: the loss"),
        StepRow(Place(loss, 47, "    dh = dscores.dot(W2.T)"), "dh", (7, 11), "right",
                "right: the gradient of the hidden activation"),
        StepRow(Place(loss, 48, "    dh[dh <= 0] = 0"), "dh", (7, 11), "differs",
                "differs from the gradient before the ReLU: 40 of 77 entries should be 0 where `h` is 0"),
        StepRow(Place(loss, 50, "    grads['W1'] = X.T.dot(dh)"), 'grads["W1"]', (5, 11), "given",
                "right for its input: the gradient of W1"),
        StepRow(Place(predict, 2, "\tscores = self.loss(X)"), "scores", (7, 3), "right", "right: the scores"),
    )  # fmt: skip


@pytest.fixture(scope="session")
def sample():
    """Return a student with a wrong mask, slow training and a predict that raises."""
    checks = _checks()
    return Report(
        submission="okafor_adaeze_hw2",
        source="submissions/okafor_adaeze_hw2/two_layer_net.ipynb",
        score=sum(check.points for check in checks),
        max_score=sum(check.max_points for check in checks),
        status="graded",
        checks=checks,
        diagnoses=(
            Diagnosis(
                "relu_mask_of_gradient",
                "The ReLU mask is taken from the gradient, not from the hidden layer",
                "A unit that was off in the forward pass lets no gradient through: mask where `h <= 0`, whatever the "
                "sign of `dh`.",
                "CS231n notes, Optimization 2, Patterns in backward flow",
                ("grad_W1", "grad_b1", "grad_hidden"),
                {"grad_W1": 8.0, "grad_b1": 3.0},
                (Place("code cell 5", 31, "        dh[dh <= 0] = 0"),),
            ),
        ),
        notes=(
            "Three cells were not run: 4 (`%matplotlib inline`), 9 (does not parse), 11 (tunes hyperparameters).",
            "`cs231n.data_utils` is not installed here; a stub stood in for it, and nothing that was graded used it.",
            "Warning while running: RuntimeWarning: overflow encountered in exp",
        ),
        environment=Environment({"python": "3.11.9", "numpy": "2.4.6", "grader": "0.1.0"}, ("process", "rlimits")),
        timing={"run": 0.4123456789, "judge": 0.0312, "cpu": 0.398},
        steps=_steps(),
    )


@pytest.fixture(scope="session")
def unloadable(sample):
    """Return a submission that did not load: its checks are all skipped."""
    return replace(
        sample,
        score=0.0,
        status="failed_to_load",
        diagnoses=(),
        steps=(),
        checks=tuple(replace(check, status="skipped", points=0, message="Not run.") for check in sample.checks),
        notes=(
            "Code cell 5, line 12: `print 'loss', loss` is Python 2.\nWrite `print('loss', loss)` instead.",
            *sample.notes,
        ),
    )


def _decisions():
    """Return one of each kind that holds, and one for each reason not to hold."""
    ada, day = "Ada Lovelace", "2026-11-22T15:19:03Z"
    return (
        Decision(1, "points", "grad_W1", 5, "Half of it is right.", ada, day, "digest"),
        Decision(2, "points", "grad_W1", 10, "Right in the maths: `dh` is masked <b>later</b>.", ada, day, "digest"),
        Decision(3, "late_days", "", 2, "Handed in on Tuesday.", "Grace Hopper", "2026-12-01T00:00:00Z", "digest"),
        Decision(4, "points", "train_digits", 7, "", "", day, "digest"),
        Decision(5, "points", "predict", 10, "It was fine before.", ada, day, "digest of another"),
        Decision(6, "points", "gone", 3, "It is in the text.", ada, day, "digest"),
        Decision(7, "points", "grad_hidden", 9, "Given.", ada, "some time", "digest"),
        Decision(8, "excused", "", 1, "Ill that week.", ada, day, "digest"),
    )


@pytest.fixture(scope="session")
def ruled(sample):
    """Return the sample after people's decisions: two checks in full, one in part, late by two days, and excused."""
    return decide(sample, _decisions(), LatePolicy(0, 10, "maximum", 50), "digest")


@pytest.fixture(scope="session")
def read_by_hand(unloadable):
    """Return a submission that did not load and that a person read."""
    return decide(unloadable, _decisions(), LatePolicy(0, 10, "maximum", 10), "digest")


def _obeyed(text):
    bracketed = re.compile(r"##[A-Za-z.]*\[")
    found = []
    for line in re.split(r"\r\n|\r|\n", text):
        # GitHub: after white space, ::name properties::data; in the old form anywhere in the line.
        bare = line.lstrip()
        end = bare.find("::", 2) if bare.startswith("::") else -1
        name = bare[2:end].partition(" ")[0] if end >= 0 else ""
        found += [name] if re.fullmatch(r"[A-Za-z-]+", name) else []
        found += bracketed.findall(line)  # Azure and TeamCity have a word before the bracket
    return found


@pytest.fixture(scope="session")
def obeyed():
    """Return a function that lists the commands that a CI's runner would take from a job's output."""
    return _obeyed


@pytest.fixture(scope="session")
def everywhere():
    """Return a function that writes a report in every way there is, and wrapped at a width of its own: name to text."""

    def write(report, width=96):
        console = Console(width=width, file=io.StringIO(), color_system=None)
        console.print(summary([report]))
        return {name: form.write(report) for name, form in REPORT_FORMATS.items()} | {
            "narrow": render(report, width),
            "colour": re.sub(r"\x1b\[[\d;]*m", "", render(report, width, colour=True)),  # our own codes
            "summary": console.file.getvalue(),
            "index": to_index(sheet_of(report)),
            "gradebook": to_gradebook(sheet_of(report), ExportOptions()),
        }

    return write


@pytest.fixture(scope="session")
def validator():
    """Return the published schema, itself checked against draft 2020-12."""
    schema = json.loads(resources.files("grader.reports").joinpath("report.schema.json").read_text(encoding="utf-8"))
    jsonschema.Draft202012Validator.check_schema(schema)
    return jsonschema.Draft202012Validator(schema)
