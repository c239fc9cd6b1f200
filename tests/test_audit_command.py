"""`grader audit`: a sound rubric passes, an instructor's edit that hides a mistake is told, and the page can be read."""

import json
import shutil

import pytest
from click.testing import CliRunner

import reference.catalogue
from classroom.once import at_hand
from grader.audit.matrix import SOLUTION, Trial, audit
from grader.audit.view import conclusion, to_html, to_json
from grader.cli import main
from grader.model import Diagnosis, Environment, Report, Verdict
from reference.catalogue import LECTURES, describe_form, list_forms

# One for each check, and another right way.
FEW = [
    "bias_forgotten_layer1",
    "relu_otherwise_1",
    "loss_summed_1",
    "regulariser_left_out_1",
    "regulariser_gradient_halved",
    "bias_gradient_averaged_layer2",
    "nothing_subtracted",
    "inputs_changed",
    "uphill",
    "decay_every_iteration",
    "labels_of_other_rows_1",
    "losses_not_kept_1",
    "predict_lowest_score",
]
KNOWN = {form.name: form for form in list_forms()}


@pytest.fixture(autouse=True)
def _at_hand(monkeypatch):
    """Let the commands of this process remember what they drew."""
    at_hand(monkeypatch)


@pytest.fixture
def few(monkeypatch):
    """Audit with a dozen ways instead of all: a whole audit takes two minutes."""
    monkeypatch.setattr(reference.catalogue, "forms_of", lambda _: tuple(KNOWN[name] for name in FEW))


def assignment_with(folder, assignment, *edits):
    """Copy the bundled assignment with its toml edited."""
    shutil.copytree(assignment.folder, folder)
    text = (folder / "assignment.toml").read_text(encoding="utf-8")
    for old, new in edits:
        assert old in text
        text = text.replace(old, new)
    (folder / "assignment.toml").write_text(text, encoding="utf-8")
    return folder


@pytest.mark.slow
@pytest.mark.untraced  # a dozen gradings, whose lines other tests trace: a tracer doubles the time and learns nothing
def test_the_bundled_rubric_is_sound(few, tmp_path):
    """Each mistake is run as a submission, loses points and is named; the other right way loses nothing."""
    result = CliRunner().invoke(main, ["audit", "--programs", "--out", str(tmp_path / "out"), "--jobs", "1"])
    assert result.exit_code == 0, result.output
    assert "12 mistakes in 12 ways: 12 of them lose points where they should and are named correctly." in result.output
    data = json.loads((tmp_path / "out" / "audit.json").read_text(encoding="utf-8"))
    rows = {row["name"]: row for row in data["rows"]}
    assert set(rows) == {SOLUTION, *FEW}
    assert rows[SOLUTION]["score"] == rows["relu_otherwise_1"]["score"] == 100
    assert rows["bias_forgotten_layer1"]["checks"]["scores"] == "charged"
    assert rows["bias_forgotten_layer1"]["checks"]["gradient_b1"] == "credited"
    assert rows["bias_forgotten_layer1"]["named"] == ["bias_forgotten"]
    page = (tmp_path / "out" / "audit.html").read_text(encoding="utf-8")
    assert "<title>bias_forgotten_layer1, gradient_b1: fails, charged elsewhere</title>" in page


@pytest.mark.slow
@pytest.mark.untraced
def test_zero_biases_hide_what_is_wrong_about_biases(monkeypatch, tmp_path, assignment):
    """The classic toy check's fault: with zero biases nobody sees that they are forgotten, and the audit says why."""
    monkeypatch.setattr(reference.catalogue, "forms_of", lambda _: (KNOWN[FEW[0]],))
    folder = assignment_with(tmp_path / "mine", assignment, ("biases = 0.6", "biases = 0"))
    result = CliRunner().invoke(main, ["audit", "--programs", "--assignment", str(folder), "--jobs", "1"])
    assert result.exit_code == 1, result.output
    told = " ".join(result.output.split())
    assert "Wrong: bias_forgotten_layer1" in told
    assert "Set biases = 0.6" in told or "should lose points at scores" in told


def test_a_folder_that_is_none_is_bad_usage(tmp_path):
    """A misspelt --assignment ends before anything is run."""
    result = CliRunner().invoke(main, ["audit", "--assignment", str(tmp_path / "none")])
    assert result.exit_code == 2
    assert "--assignment takes a folder that holds an assignment.toml" in result.output


# ---------------------------------------------------------------- the matrix, from reports made by hand


def report(assignment, name, lost=(), credited=(), named=(), status="graded"):
    """Make a report in which some checks lose all their points, and some have them back."""
    checks = tuple(
        Verdict(
            row.id,
            row.id,
            "loss",
            "failed" if row.id in lost else "passed",
            0.0 if row.id in lost else row.points,
            row.points,
            hidden=False,
            message="m",
            credited=row.points if row.id in credited else 0.0,
        )
        for row in assignment.checks
    )
    diagnoses = tuple(Diagnosis(s.id, s.title, s.hint, s.source, tuple(lost)) for s in named)
    score = sum(check.points for check in checks)
    return Report(name, name, score, 100.0, status, checks, diagnoses, ("no class",), Environment({}, ()), {})


def wrong_one(name="relu_on_the_scores"):
    """Return a mistake and its trial."""
    chosen = describe_form(KNOWN[name], LECTURES)
    return chosen, Trial(name, chosen)


def audited(assignment, *pairs):
    """Audit trials with their reports."""
    found = {trial.name: one for trial, one in pairs}
    return audit(assignment, [trial for trial, _ in pairs], found)


def test_a_mistake_that_no_check_sees_is_a_problem(assignment):
    """Not seeing it is worst, and told with the mistake's title."""
    chosen, trial = wrong_one()
    found = audited(assignment, (trial, report(assignment, trial.name)))
    assert found.problems[0].startswith(
        "relu_on_the_scores: no check sees it. (A ReLU is applied to the scores as well.)"
    )
    assert chosen.id not in found.uses[0].catches


def test_a_mistake_that_is_seen_elsewhere_only_is_a_problem(assignment):
    """It should cost points where it is made."""
    chosen, trial = wrong_one()
    found = audited(assignment, (trial, report(assignment, trial.name, lost=("predict",), named=(chosen,))))
    assert "relu_on_the_scores should lose points at scores, but loses none there." in found.problems


def test_a_mistake_that_is_not_named_is_a_problem(assignment):
    """What was named instead is told."""
    _, trial = wrong_one()
    other, _ = wrong_one("uphill")
    found = audited(assignment, (trial, report(assignment, trial.name, lost=("scores",), named=(other,))))
    assert "relu_on_the_scores is not named; these were named: uphill." in found.problems


def test_a_solution_that_loses_points_is_a_problem(assignment):
    """So is another right way that does, and a check that fails and is excused."""
    found = audited(
        assignment, (Trial(SOLUTION, None), report(assignment, SOLUTION, lost=("decay",), credited=("predict",)))
    )
    assert "The solution loses 4 points at decay: m" in found.problems
    assert "The solution loses 6 points at predict: m" in found.problems


def test_a_program_that_cannot_be_graded_is_a_problem(assignment):
    """An assignment whose limits are too tight for anything is told as such."""
    found = audited(assignment, (Trial(SOLUTION, None), report(assignment, SOLUTION, status="failed_to_load")))
    assert found.problems[0] == "solution was not graded: no class"


def test_checks_are_the_only_catcher_or_redundant_or_useless(assignment):
    """A check that never catches alone is marked with those that cover it; one that catches nothing is a problem."""
    pairs = []
    for name, lost in (("relu_on_the_scores", ("scores",)), ("uphill", ("update_rule", "learns_toy"))):
        chosen, trial = wrong_one(name)
        pairs.append((trial, report(assignment, name, lost=lost, named=(chosen,))))
    found = audited(assignment, *pairs)
    uses = {use.check: use for use in found.uses}
    assert uses["scores"].alone == ("relu_on_the_scores",)
    assert (uses["learns_toy"].alone, uses["learns_toy"].covered_by) == ((), ("update_rule",))
    useless = [problem for problem in found.problems if "catches no mistake" in problem]
    assert any("The check decay catches" in problem for problem in useless)
    # The student's own numbers are no step of the network, so no mistake is about them.
    assert not any("best_hyperparameters" in problem for problem in useless)


def test_the_page_holds_no_markup_of_others(assignment):
    """Names of mistakes come from our list, but a title is escaped all the same."""
    chosen, _ = wrong_one()
    trial = Trial("<b>x</b>", chosen)
    found = audited(assignment, (trial, report(assignment, trial.name)))
    page = to_html(found)
    assert "<b>x</b>" not in page
    assert "&lt;b&gt;x&lt;/b&gt;" in page
    assert json.loads(to_json(found))["sound"] is False
    assert conclusion(found)[0].startswith("1 mistakes in 1 ways: 0 of them")
