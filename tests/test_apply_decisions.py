"""Decisions: what holds, what overtakes what, what lateness costs, and that each says so in words."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from grader.apply_decisions import decide
from grader.model import Decision, Diagnosis, Environment, LatePolicy, Report, Verdict

HERE, BEFORE = "digest of this hand-in", "digest of another"
TENTH = LatePolicy(0, 10, "maximum", 50)
CHECKS = (
    Verdict("scores", "Scores", "loss", "passed", 8, 8, False, ""),
    Verdict("gradient_W1", "Gradient of W1", "gradients", "partial", 3, 7, False, "One column differs.", credited=1.0),
    Verdict("gradient_b1", "Gradient of b1", "gradients", "failed", 0, 5, True, "secret"),
    Verdict("decay", "Decay", "train", "skipped", 0, 80, False, "Not judged."),
)
REPORT = Report(
    "ann",
    "ann.ipynb",
    11.0,
    100.0,
    "graded",
    CHECKS,
    (Diagnosis("mask", "A mask", "Look.", "notes", ("gradient_W1", "gradient_b1"), {"gradient_W1": 4.0}),),
    ("a note",),
    Environment({}, ()),
    {},
)


def decision(number, kind="points", value=0.0, check="", digest=HERE):
    """Make a decision."""
    return Decision(number, kind, check, value, "why", "Ada Lovelace", "2026-11-22T15:19:03Z", digest)


def points(number, check, value, digest=HERE):
    """Make a decision about a check."""
    return decision(number, "points", value, check, digest)


def after(*decisions, policy=TENTH, report=REPORT):
    """Return the report after decisions, with its verdicts by id and what is said of each decision."""
    result = decide(report, decisions, policy, HERE)
    return result, {one.id: one for one in result.checks}, [one.effect for one in result.rulings]


def with_full_marks():
    """Return a report of 100 points."""
    checks = tuple(replace(one, status="passed", points=one.max_points) for one in CHECKS)
    return replace(REPORT, score=100.0, checks=checks)


# ---------------------------------------------------------------- points


def test_without_a_decision_the_report_is_the_grader_s():
    """Nothing is decided, nothing is changed: the very report comes back."""
    assert decide(REPORT, (), TENTH, HERE) is REPORT


@pytest.mark.parametrize(
    ("value", "status", "given"),
    [
        (7, "passed", "now 7 of 7"),
        (5.5, "partial", "now 5.5 of 7"),
        (0, "failed", "now 0 of 7"),
        (3, "partial", "confirmed"),
    ],
)
def test_points_set_a_check(value, status, given):
    """Points and status are the decision's, the grader's points are kept beside them, and the score follows."""
    report, checks, said = after(points(1, "gradient_W1", value))
    verdict = checks["gradient_W1"]
    assert (verdict.points, verdict.status, verdict.adjusted_from) == (value, status, 3)
    assert verdict.credited == 0
    assert report.score == 8 + value
    assert said == [f"gradient_W1: 3 of 7 by the grader, {given}"]
    assert report.rulings[0].applies
    assert all(one == before for one, before in zip(report.checks, CHECKS, strict=True) if one.id != "gradient_W1")


def test_a_later_decision_overtakes_the_earlier_one_of_its_check():
    """The order is that of the numbers, not that in which they come; the earlier one stays listed and says by what."""
    report, checks, said = after(points(4, "gradient_W1", 6), points(2, "gradient_W1", 1), points(3, "scores", 2))
    assert (checks["gradient_W1"].points, checks["scores"].points) == (6, 2)
    assert [(one.decision.number, one.applies) for one in report.rulings] == [(2, False), (3, True), (4, True)]
    assert said[0] == "gradient_W1: 1 point. Replaced by decision 4"


def test_points_are_about_one_hand_in():
    """What was decided of another program does not count for this one, and says so."""
    report, checks, said = after(points(1, "gradient_W1", 7, BEFORE))
    assert (checks["gradient_W1"], report.score) == (CHECKS[1], REPORT.score)
    assert not report.rulings[0].applies
    assert said == [
        "gradient_W1: 7 points. It was made for an earlier hand-in and does not count for this one: decide again"
    ]


def test_a_decision_about_another_hand_in_overtakes_none_about_this_one():
    """Who hands in the first program again gets back what was decided of it."""
    report, checks, said = after(points(1, "gradient_W1", 7), points(2, "gradient_W1", 0, BEFORE))
    assert checks["gradient_W1"].points == 7
    assert [one.applies for one in report.rulings] == [True, False]
    assert "earlier hand-in" in said[1]
    _, checks, said = after(points(1, "gradient_W1", 0, BEFORE), points(2, "gradient_W1", 7))
    assert checks["gradient_W1"].points == 7
    assert said[0].endswith("Replaced by decision 2")  # and not "decide again", which has been done


def test_what_overtakes_is_what_counts():
    """An overtaken decision names the one that counts now, not a later one that does not."""
    _, _, said = after(points(1, "scores", 1), points(2, "scores", 2), points(3, "scores", 3, BEFORE))
    assert said[0].endswith("Replaced by decision 2")
    _, _, said = after(points(1, "scores", 1, BEFORE), points(2, "scores", 2, BEFORE))
    assert said[0].endswith("Replaced by decision 2")
    assert said[1].endswith("decide again")


def test_a_check_that_the_rubric_lost_changes_nothing():
    """A decision outlives its check; it is listed, and the score is the grader's."""
    report, _, said = after(points(1, "purity", 4))
    assert (report.score, report.checks) == (REPORT.score, CHECKS)
    assert said == ["purity: 4 points. The rubric no longer has this check, so it changes nothing"]
    assert not report.rulings[0].applies


def test_points_above_the_maximum_are_capped():
    """Where the rubric has become smaller, the decision gives all that there is, and says what was decided."""
    _, checks, said = after(points(1, "gradient_W1", 9))
    assert (checks["gradient_W1"].points, checks["gradient_W1"].status) == (7, "passed")
    assert said == ["gradient_W1: 3 of 7 by the grader, now 7 of 7 (9 was given, but the rubric allows at most 7)"]


@pytest.mark.parametrize(
    ("value", "of", "said"),
    [
        (1.5, 4, "1.5 of 4 was given, and the check is now worth 7: the same points are a smaller part of it"),
        (9, 20, "9 of 20 was given, and the check is now worth 7: this counts for less, and is full marks"),
        (20, 20, "20 of 20 was given, and the check is now worth 7: this counts for less, and is still full marks"),
        (7, 20, "7 of 20 was given, and the check is now worth 7: the same points are full marks"),
        (5, 20, "5 of 20 was given, and the check is now worth 7: the same points are a larger part of it"),
        (2, 4, "2 of 4 was given, and the check is now worth 7: the same points are a smaller part of it"),
        (4, 4, "4 of 4 was given, and the check is now worth 7: what was full marks is a part of it"),
        (0, 4, ""),
        (5, 7, ""),
        (5, None, ""),
    ],
)
def test_a_decision_about_a_check_that_is_worth_something_else_now_says_so(value, of, said):
    """What was meant, of how much then, and what comes of it now; nothing where it means what it meant, or nobody knows."""
    _, _, effects = after(replace(points(1, "gradient_W1", value), of=of))
    counts = f"now {min(value, 7)} of 7"
    assert effects == [f"gradient_W1: 3 of 7 by the grader, {counts}{f' ({said})' if said else ''}"]


def test_what_could_not_be_graded_may_be_read_by_hand():
    """A report without a grading takes points too, and stays what it is."""
    checks = tuple(replace(one, status="skipped", points=0.0) for one in CHECKS)
    report, found, said = after(
        points(1, "scores", 6), report=replace(REPORT, status="failed_to_load", score=0.0, checks=checks)
    )
    assert (report.status, report.score, found["scores"].status) == ("failed_to_load", 6, "partial")
    assert said == ["scores: 0 of 8 by the grader, now 6 of 8"]


@pytest.mark.parametrize(("value", "left"), [(7, {}), (5, {"gradient_W1": 2.0}), (1, {"gradient_W1": 4.0})])
def test_a_mistake_costs_no_more_than_is_lost(value, left):
    """What mending returns is never promised twice: once by a person and once by the report."""
    report, *_ = after(points(1, "gradient_W1", value))
    assert report.diagnoses[0].costs == left


# ---------------------------------------------------------------- lateness and excuses


@pytest.mark.parametrize(
    ("policy", "days", "penalty", "said"),
    [
        (TENTH, 2, 20, "Late by 2 days: 20 points off"),
        (TENTH, 1, 10, "Late by 1 day: 10 points off"),
        (TENTH, 0.5, 5, "Late by 0.5 days: 5 points off"),
        (TENTH, 0, 0, "Not late: no points off"),
        (TENTH, 9, 50, "Late by 9 days: 50 points off, since lateness lowers no score below 50 points"),
        (replace(TENTH, free_days=2), 2, 0, "Late by 2 days: no points off, since the first 2 days cost nothing"),
        (replace(TENTH, free_days=1), 1, 0, "Late by 1 day: no points off, since the first day costs nothing"),
        (replace(TENTH, free_days=2), 3, 10, "Late by 3 days, 2 of them free: 10 points off"),
        (replace(TENTH, percent_a_day=1), 1, 1, "Late by 1 day: 1 point off"),
        (None, 2, 0, "Late by 2 days: no points off, since this assignment has no rule for lateness"),
    ],
)  # fmt: skip
def test_lateness_costs_what_the_assignment_says(policy, days, penalty, said):
    """The penalty is taken once, from the score and from no check, and the sentence says how it came about."""
    report, _, effects = after(decision(1, "late_days", days), policy=policy, report=with_full_marks())
    assert (report.penalty, report.score, report.late_days) == (penalty, 100 - penalty, days)
    assert effects == [said]
    assert report.checks == with_full_marks().checks


def test_a_percentage_of_what_was_earned():
    """With of = "earned" a day costs a part of the student's own points."""
    policy = LatePolicy(0, 10, "earned", 0)
    report, *_ = after(decision(1, "late_days", 2), policy=policy)
    assert (report.penalty, report.score) == (2.2, 8.8)


def test_a_score_below_the_lowest_loses_nothing_by_lateness():
    """11 points are below the lowest of 50 already; lateness takes none of them, nor does it add any."""
    report, _, said = after(decision(1, "late_days", 3))
    assert (report.penalty, report.score) == (0, 11)
    assert said == ["Late by 3 days: no points off, since lateness lowers no score below 50 points"]


def test_a_sum_of_floats_loses_no_hundredth():
    """All of 0.29 points can be taken, though 0.29 times 100 is a little less than 29."""
    checks = (replace(CHECKS[0], points=0.29, max_points=100),)
    policy = LatePolicy(0, 100, "maximum", 0)
    report, *_ = after(decision(1, "late_days", 1), policy=policy, report=replace(REPORT, checks=checks))
    assert (report.penalty, report.score) == (0.29, 0)


def test_lateness_is_taken_from_the_points_that_people_gave():
    """A penalty of what was earned is one of what is earned after all decisions."""
    policy = LatePolicy(0, 50, "earned", 0)
    report, *_ = after(points(1, "decay", 80), decision(2, "late_days", 1), policy=policy)
    assert (report.penalty, report.score) == (45.5, 45.5)


def test_late_days_and_excuses_hold_for_any_hand_in():
    """They are about the student, so another program does not end them; a later one of their kind does."""
    report, _, said = after(
        decision(1, "late_days", 9, digest=BEFORE),
        decision(2, "excused", 1, digest=BEFORE),
        decision(3, "late_days", 1, digest=BEFORE),
        report=with_full_marks(),
    )
    assert (report.late_days, report.penalty, report.excused, report.score) == (1, 10, True, 90)
    assert said == [
        "Late by 9 days. Replaced by decision 3",
        "Excused: this does not count",
        "Late by 1 day: 10 points off",
    ]


def test_an_excuse_can_be_taken_back():
    """0 after 1 counts again; both are listed."""
    report, _, said = after(decision(1, "excused", 1), decision(2, "excused", 0))
    assert not report.excused
    assert said == ["Excused. Replaced by decision 2", "Not excused: this counts"]


# ---------------------------------------------------------------- whatever is decided

AMOUNTS = st.floats(0, 120) | st.integers(0, 120).map(float)
NAMES = st.sampled_from([one.id for one in CHECKS] + ["purity"])
KINDS = st.sampled_from(["points", "late_days", "excused"])
DECISIONS = st.lists(st.tuples(KINDS, NAMES, AMOUNTS, st.sampled_from([HERE, BEFORE])), max_size=8).map(
    lambda drawn: [decision(n, kind, value, name, digest) for n, (kind, name, value, digest) in enumerate(drawn, 1)]
)
POLICIES = st.none() | st.builds(
    LatePolicy, st.integers(0, 3), st.floats(0, 100), st.sampled_from(["maximum", "earned"]), st.floats(0, 100)
)
EARNED = st.lists(st.integers(0, 100), min_size=4, max_size=4).map(
    lambda parts: replace(
        REPORT,
        checks=tuple(
            replace(one, points=round(one.max_points * part / 100, 2)) for one, part in zip(CHECKS, parts, strict=True)
        ),
    )
)


@given(EARNED, DECISIONS, POLICIES)
def test_the_score_is_what_the_checks_give_less_the_penalty(report, decisions, policy):
    """Whatever is decided, the score lies between 0 and the maximum, and can be added up from what is shown."""
    result = decide(report, decisions, policy, HERE)
    if not decisions:
        assert result is report
        return
    earned = sum(one.points for one in result.checks)
    assert 0 <= result.score <= result.max_score
    assert result.score == pytest.approx(earned - result.penalty, abs=1e-9)
    assert all(0 <= one.points <= one.max_points for one in result.checks)
    assert result.score == round(result.score, 2)
    assert result.penalty == round(result.penalty, 2) >= 0
    assert [one.decision for one in result.rulings] == list(decisions)
    assert all(one.effect for one in result.rulings)
    assert decide(report, decisions[::-1], policy, HERE) == result


@given(EARNED, DECISIONS, POLICIES)
def test_lateness_takes_no_score_below_the_lowest(report, decisions, policy):
    """Not even by the last half of a hundredth; what was earned below it stays."""
    result = decide(report, [*decisions, decision(99, "late_days", 5)], policy, HERE)
    earned = sum(one.points for one in result.checks)
    lowest = result.max_score * policy.lowest_percent / 100 if policy else 0
    assert result.score >= min(earned, lowest) - 1e-6


@given(DECISIONS, st.floats(0, 7), POLICIES)
def test_other_checks_are_left_alone(decisions, value, policy):
    """What is decided of one check moves no other, nor what is said of it; nor does lateness move any."""
    others = [one for one in decisions if one.kind != "points" or one.check != "gradient_W1"]
    without = decide(REPORT, others, policy, HERE)
    with_it = decide(REPORT, [*others, points(99, "gradient_W1", value)], policy, HERE)
    assert [one for one in with_it.checks if one.id != "gradient_W1"] == [
        one for one in without.checks if one.id != "gradient_W1"
    ]
    about = [one for one in with_it.rulings[: len(others)] if one.decision.kind != "late_days"]
    assert about == [one for one in without.rulings if one.decision.kind != "late_days"]
