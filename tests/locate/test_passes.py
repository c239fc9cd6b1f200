"""Programs without a backward pass: they are noticed, told, and charged where the rubric asks for one; others never are."""

import ast
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from examples import in_part
from grader.checks import CHECKS, GradingContext
from grader.diagnosis.backward_pass import differences_of_losses, withhold_points
from grader.grading import find, judge_run
from grader.locate.located import LOSS, QUESTION
from grader.locate.passes import find_many_passes
from grader.model import Credit, Finding, Findings, Rules, Segment, Sheet, Standing, Submission
from grader.reports.class_page import to_index
from grader.rubric import bundled, load
from grader.submission import read, reduce
from judging import RUBRIC, judge
from locate.differences import (
    CENTRAL_IN_PLACE,
    COMPLEX_STEP,
    FIRST_LAYER_ONLY,
    ROUGH,
    TEN,
    WITH,
    WITHOUT,
    program,
)

TESTS = Path(__file__).resolve().parent.parent
RIGHT = [
    *sorted((TESTS / "submissions").glob("right_*")),
    *sorted((TESTS / "benchmarks" / "styles").glob("*.py")),
    *sorted((TESTS / "benchmarks" / "mistaken").glob("*.py")),
]
GRADIENTS = ("gradient_W1", "gradient_b1", "gradient_W2", "gradient_b2")
# By differences of a loss that is itself asked for each entry, and by training, a question takes its whole time limit.
ASKED = ("loss", "scores", "purity", "stability", QUESTION.kind)


@pytest.fixture(scope="module")
def required(assignment):
    """Return the assignment that asks for a backward pass."""
    return replace(assignment, rules=Rules("required"))


@pytest.fixture(scope="module")
def run_of(assignment, questions, host, solution_class):
    """Return a function that runs the solution with another loss(), once, and gives the submission with its replies."""
    known = {}
    calls = [call for call in questions.calls if call.id.kind in ASKED]

    def run(loss):
        if loss not in known:
            source = program(solution_class, loss)
            whole = Segment("test.py", source, tuple(range(len(ast.parse(source).body))))
            submission = Submission("test", "test.py", "", "test.py", segments=(whole,))
            known[loss] = submission, host.run(submission, assignment.class_name, calls)
        return known[loss]

    return run


@pytest.mark.untraced
@pytest.mark.parametrize("name", in_part(WITHOUT, 6))
def test_gradients_from_many_forward_passes_are_noticed(name, assignment, questions, run_of):
    """Differences of every build, the complex step and random directions: how, of which parameters, and at which line."""
    loss, kind, names = WITHOUT[name]
    submission, run = run_of(loss)
    found = find_many_passes(GradingContext(assignment, questions, run))
    assert found is not None
    assert (found.kind, found.names) == (kind, names)
    here = [number for number, line in enumerate(submission.segments[0].source.splitlines(), 1) if "# HERE" in line]
    # Steps into all entries at once are told by the answers: no value is a parameter but for one entry.
    assert found.spot == (None if name == "all at once" else ("test.py", *here))
    assert found.count >= 20


@pytest.mark.untraced
@pytest.mark.parametrize("name", WITH)
def test_a_check_beside_a_backward_pass_is_no_such_thing(name, assignment, questions, run_of):
    """A few entries checked, or all of them, by differences or the complex step: the gradients come from elsewhere."""
    assert find_many_passes(GradingContext(assignment, questions, run_of(WITH[name])[1])) is None


@pytest.mark.slow
@pytest.mark.untraced
def test_no_other_program_is_taken_for_one(assignment, questions, host):
    """Right and mistaken programs in all styles: scalar loops, row by row, tapes, layers, helpers."""
    taken, asked = [], [call for call in questions.calls if call.id == QUESTION]
    for path in RIGHT:
        submission = reduce(read(path), path.stem, "", class_name=assignment.class_name, notebook=assignment.notebook)
        run = host.run(submission, assignment.class_name, asked)
        assert len(run.replies[QUESTION].results) > LOSS or path.parent.name == "mistaken", path
        taken += [path.name] if find_many_passes(GradingContext(assignment, questions, run)) else []
    assert taken == []


@pytest.mark.parametrize("part", ["texts", "data", "values", "events", "calls", "ran"])
def test_a_recording_that_does_not_fit_is_no_evidence(part, assignment, questions, run_of):
    """It comes from the student's process: numbers that point to nothing, and no numbers at all, end in nothing found."""
    _, run = run_of(CENTRAL_IN_PLACE)
    reply = run.replies[QUESTION]
    whole = reply.results[LOSS]
    for spoilt in (None, "?", np.zeros(3), np.full((4, 6), 10**17), whole[part][:5], [], np.full((900, 5), 9000)):
        results = (reply.results[0], {**whole, part: spoilt}, *reply.results[2:])
        spoilt_run = replace(run, replies={**run.replies, QUESTION: replace(reply, results=results)})
        find_many_passes(GradingContext(assignment, questions, spoilt_run))


@pytest.fixture(scope="module")
def told(assignment, questions, run_of):
    """Return a function that judges a loss() by an assignment: the report."""
    return lambda loss, by=assignment: judge_run(*run_of(loss), by, questions).report


def points(report_or_judgement):
    """Return each check's points."""
    verdicts = getattr(report_or_judgement, "verdicts", None) or report_or_judgement.checks
    return {one.id: one.points for one in verdicts}


@pytest.mark.untraced
def test_without_the_rule_it_is_told_and_costs_nothing(assignment, questions, told):
    """The student reads it among the notes, the instructor among what to look at, and right gradients keep their points."""
    report = told(CENTRAL_IN_PLACE)
    (note,) = [one for one in report.notes if "forward passes" in one]
    (review,) = report.review
    said = "No backward pass: loss() works out its gradients by finite differences, from at least 242 forward passes (test.py, line 77)."
    assert note.startswith(said)
    assert review.startswith(said)
    most = {row.id: row.points for row in assignment.checks}
    assert all(points(report)[check] == most[check] for check in GRADIENTS)
    assert [one.id for one in report.diagnoses if one.id == "no_backward_pass"] == []


@pytest.mark.untraced
def test_the_class_page_lists_it(told):
    """The sentence stands under "To look at", with the submission's name."""
    report = told(CENTRAL_IN_PLACE)
    page = to_index(Sheet("A class", report.max_score, (Standing(report),)))
    assert 'id="review"' in page
    assert "from at least 242 forward passes" in page.partition('id="review"')[2]


# ---------------------------------------------------------------- the rule, which rests on answers alone


@pytest.mark.parametrize("name", in_part([name for name in WITHOUT if name != "complex step"], 3))
@pytest.mark.untraced
def test_answers_show_differences_of_losses(name, assignment, questions, run_of):
    """Each entry of such a gradient is a whole number of the loss's last digit, divided by the step."""
    loss, _, names = WITHOUT[name]
    assert differences_of_losses(GradingContext(assignment, questions, run_of(loss)[1])) == names


@pytest.mark.parametrize("step", ["1e-3", "1e-4", "5e-6", "1e-6", "1e-8"])
@pytest.mark.untraced
def test_every_usual_step_is_known(step, assignment, questions, run_of):
    """The step is not told, and found."""
    loss = CENTRAL_IN_PLACE.replace("2e-5", f"(2 * {step})").replace("1e-5", step)
    assert differences_of_losses(GradingContext(assignment, questions, run_of(loss)[1])) == assignment.variant.names


@pytest.mark.parametrize("name", [*WITH, *ROUGH])
@pytest.mark.untraced
def test_no_backward_pass_is_taken_for_differences(name, assignment, questions, run_of):
    """However rough its gradients are: in single precision, rounded, off by a small factor, noisy, or zero."""
    loss = {**WITH, **ROUGH}[name]
    assert differences_of_losses(GradingContext(assignment, questions, run_of(loss)[1])) == ()


@pytest.mark.untraced
def test_with_the_rule_the_gradients_earn_nothing_and_all_else_keeps_its_points(assignment, required, told):
    """A cause says why, where, and what it costs; the checks say it too; no other check moves."""
    before, after = told(CENTRAL_IN_PLACE), told(CENTRAL_IN_PLACE, required)
    assert {check for check in RUBRIC if points(before)[check] != points(after)[check]} == set(GRADIENTS)
    assert {check: points(after)[check] for check in GRADIENTS} == dict.fromkeys(GRADIENTS, 0)
    for verdict in after.checks:
        if verdict.id in GRADIENTS:
            assert (verdict.status, [place.line for place in verdict.places]) == ("failed", [77])
            assert "the rubric asks for a backward pass" in verdict.message
    (cause,) = [one for one in after.diagnoses if one.id == "no_backward_pass"]
    assert cause.costs == {
        row.id: row.points for row in assignment.checks if row.id in GRADIENTS
    }  # the sweep was not asked
    assert [place.line for place in cause.places] == [77]
    assert "from at least 242 forward passes" in cause.hint
    assert "they earn no points" in after.review[-1]
    assert not any("forward passes" in one for one in after.notes)


@pytest.mark.untraced
def test_what_comes_from_a_backward_pass_keeps_its_points(required, told):
    """Where the first layer's gradients alone come from differences, the second layer's are paid for."""
    before, after = told(FIRST_LAYER_ONLY), told(FIRST_LAYER_ONLY, required)
    moved = {check for check in RUBRIC if points(before)[check] != points(after)[check]}
    assert moved == {"gradient_W1", "gradient_b1"}
    assert "gradients of W1 and b1 by finite differences" in after.review[-1]


@pytest.mark.untraced
def test_the_rule_costs_a_backward_pass_nothing(assignment, required, questions, run_of):
    """A program that checks ten entries has the same findings with the rule and without."""
    submission, run = run_of(TEN)
    assert find(submission, run, required, questions) == find(submission, run, assignment, questions)


def with_recording(run, result):
    """Return replies with another recording of loss()."""
    reply = run.replies[QUESTION]
    results = (*reply.results[:LOSS], result, *reply.results[LOSS + 1 :])
    return replace(run, replies={**run.replies, QUESTION: replace(reply, results=results)})


@pytest.mark.slow
@pytest.mark.untraced
def test_no_recording_takes_points_or_saves_them(required, questions, run_of):
    """A program that forges the recording of another one, and one that leaves none, have the points of their answers."""
    submission, differences = run_of(CENTRAL_IN_PLACE)
    forged = differences.replies[QUESTION].results[LOSS]
    honest, judged = run_of(TEN)[1], {}
    for name, run in (
        ("honest", honest),
        ("forged", with_recording(honest, forged)),
        ("differences", differences),
        ("unseen", with_recording(differences, {})),
    ):
        judged[name] = judge(required, questions, run, submission)
    assert points(judged["forged"]) == points(judged["honest"])
    assert points(judged["unseen"]) == points(judged["differences"])
    assert all(points(judged["unseen"])[check] == 0 < points(judged["forged"])[check] for check in GRADIENTS)
    assert judged["forged"].review == judged["honest"].review


@pytest.mark.untraced
def test_what_answers_do_not_show_is_for_a_person_to_look_at(assignment, required, told):
    """The complex step is as exact as a backward pass: it keeps its points, and is listed."""
    before, after = told(COMPLEX_STEP), told(COMPLEX_STEP, required)
    assert points(before) == points(after)
    assert "by the complex step" in after.review[-1]
    assert "no points are taken. Please look." in after.review[-1]


@pytest.mark.slow
@pytest.mark.untraced
def test_wrong_differences_are_told_once_and_never_carried(required, questions, run_of):
    """Where half of a gradient is a mistake that is charged elsewhere, nothing of it is credited without a backward pass."""
    submission, run = run_of(CENTRAL_IN_PLACE.replace("2e-5", "4e-5"))
    judgement = judge(required, questions, run, submission)
    verdicts = {one.id: one for one in judgement.verdicts}
    assert all(verdicts[check].points == verdicts[check].credited == 0 for check in GRADIENTS)
    assert [one.id for one in judgement.diagnoses].count("no_backward_pass") == 1
    charged = [one for one in judgement.diagnoses if one.id != "no_backward_pass"]
    assert not any({*GRADIENTS} & {*one.costs} for one in charged)


@pytest.mark.untraced
@pytest.mark.parametrize("credited", [True, False])
def test_neither_what_is_carried_nor_what_is_credited_keeps_points(required, questions, run_of, credited):
    """Each gradient and the numeric check lose what they have, by themselves or by credit; a check of the loss does not."""
    finding = Finding(0.0, "Off.") if credited else Finding(1.0, "Right given it.", carried=True)
    checks = {row.id: finding for row in required.checks}
    credit = {check: Credit(0.5, (0,)) for check in checks} if credited else {}
    after = withhold_points(Findings(checks, credit), GradingContext(required, questions, run_of(CENTRAL_IN_PLACE)[1]))
    lost = {*GRADIENTS, "numeric_gradient"}
    assert {check for check, one in after.checks.items() if one != finding} == lost
    assert not any(after.checks[check].share or after.checks[check].carried for check in lost)
    assert {*after.credits} == {*credit} - lost
    assert after.causes[-1].costs == dict.fromkeys(after.causes[-1].explains, 0.5 if credited else 1.0)
    assert {*after.causes[-1].explains} == lost


def test_the_rule_is_read_and_may_be_left_out(tmp_path):
    """Without the section right answers are enough; a wrong word is refused with its line."""
    text = (bundled() / "assignment.toml").read_text(encoding="utf-8")
    old = 'backpropagation = "any"\n'
    assert text.count(old) == 1
    shutil.copytree(bundled(), tmp_path / "mine")
    path, known = tmp_path / "mine" / "assignment.toml", tuple(CHECKS)
    assert load(bundled(), known).rules == Rules("any")
    path.write_text(text.replace(old, 'backpropagation = "required"\n'), encoding="utf-8")
    assert load(path.parent, known).rules == Rules("required")
    head, _, tail = text.partition("# How the answers must come about")
    path.write_text(head + tail.partition(old)[2], encoding="utf-8")
    assert load(path.parent, known).rules == Rules("any")
