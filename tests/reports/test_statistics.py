"""The class page's numbers, against numpy and against cases that are worked out by hand."""

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from grader.model import Standing, Verdict
from grader.reports.statistics import (
    BARS,
    FEWEST,
    Bar,
    chance,
    check_uses,
    compare_variants,
    counts,
    histogram,
    mistakes,
    separation,
    summary,
    tally,
    verdict_on,
)
from reports.factory import mistake, report, sheet, student

SCORES = st.lists(st.integers(0, 400).map(lambda quarters: quarters / 4), min_size=1, max_size=60)


@given(SCORES)
def test_the_summary_is_numpys(scores):
    """Mean, ends and quartiles are what numpy gives with its default way of interpolating."""
    found = summary(scores)
    expected = [np.mean(scores), *np.percentile(scores, [0, 25, 50, 75, 100])]
    got = [found.mean, found.lowest, found.lower, found.median, found.upper, found.highest]
    assert got == pytest.approx(expected)


def test_the_summary_of_none_and_of_one():
    """Without a score there is nothing to say, and one score is its own quartiles."""
    assert summary([]) is None
    one = summary([42.5])
    assert (one.mean, one.lowest, one.lower, one.median, one.upper, one.highest) == (42.5,) * 6


@given(SCORES)
def test_the_histogram_is_numpys_where_edges_are_round(scores):
    """Each bar holds its lower edge and not its upper one, save the last, which holds the full score."""
    expected, _ = np.histogram(scores, bins=BARS, range=(0, 100))
    assert [bar.count for bar in histogram(scores, 100)] == expected.tolist()


def test_the_histogram_holds_scores_beyond_its_ends():
    """A score that a person put above the maximum or below nothing is in the last or first bar, which are open."""
    bars = histogram([-5.0, 9.99, 10.0, 100.0, 120.0], 100)
    assert bars[:2] == (Bar(None, 10.0, 2), Bar(10.0, 20.0, 1))
    assert bars[-1] == Bar(90.0, None, 2)
    assert histogram([0.0], 0.0) == ()


def test_edges_part_scores_as_the_page_writes_them():
    """Where a tenth of the maximum is no round number, the edges are rounded to what can be written."""
    bars = histogram([3.33, 3.329], 33.33)
    assert [bar.low for bar in bars[1:]] == [round(3.333 * at, 2) for at in range(1, 10)]
    assert [bar.count for bar in bars[:2]] == [1, 1]


@given(st.lists(st.tuples(st.integers(0, 4), st.integers(0, 80)), min_size=FEWEST, max_size=50))
def test_the_separation_is_numpys_correlation(pairs):
    """For whatever a class did, the number is numpy's corrcoef, and None just where that is not a number."""
    shares, rests = [share / 4 for share, _ in pairs], [float(rest) for _, rest in pairs]
    found = separation(shares, rests)
    if len(set(shares)) == 1 or len(set(rests)) == 1:
        assert found is None
    else:
        assert found == pytest.approx(np.corrcoef(shares, rests)[0, 1], abs=1e-9)


def test_the_separation_by_hand():
    """Four with 0 of 0, 0, 1, 1 and four with 1 of 1, 1, 2, 2: covariance 1/4, variances 1/4 and 1/2."""
    shares, rests = [0.0] * 4 + [1.0] * 4, [0, 0, 1, 1, 1, 1, 2, 2]
    assert separation(shares, [float(rest) for rest in rests]) == pytest.approx(0.25 / math.sqrt(0.25 * 0.5))


def test_the_check_itself_is_not_in_the_total():
    """A check that has nothing to do with the rest separates nothing, though it is part of every score."""
    reports = [report(f"s{at}", {"loss": 20.0 * (at % 2), "predict": 10.0 * (at // 2 % 2)}) for at in range(16)]
    use = {use.id: use for use in check_uses(reports)}["loss"]
    assert use.separation == pytest.approx(0.0)
    with_itself = np.corrcoef([one.checks[1].points for one in reports], [one.score for one in reports])[0, 1]
    assert with_itself > 0.8
    assert verdict_on(use) == "does not separate"


def test_lateness_is_no_part_of_the_total():
    """Who handed in late knows no less: the correlation is that of the points before the deduction."""
    points = [{"loss": 20.0 * (at % 2), "predict": 10.0 * (at % 2)} for at in range(10)]
    late = [report(f"s{at}", one, penalty=90.0 * (at % 2)) for at, one in enumerate(points)]
    assert {use.id: use.separation for use in check_uses(late)}["loss"] == pytest.approx(1.0)


def test_too_few_and_all_alike_are_told_apart():
    """Where no number can be given, the words say why."""
    few = [report(f"s{at}", {"loss": 20.0 * (at % 2), "predict": at}) for at in range(FEWEST - 1)]
    many = [*few, report("last", {"loss": 0.0})]
    of_few, of_many = ({use.id: use for use in check_uses(some)} for some in (few, many))
    assert (of_few["loss"].separation, verdict_on(of_few["loss"])) == (None, "not known: too few submissions")
    assert (of_many["grad_W1"].separation, verdict_on(of_many["grad_W1"])) == (
        None,
        "not known: all have the same result",
    )
    assert of_many["loss"].separation is not None


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (0.3, "separates well"),
        (0.29, "separates weakly"),
        (0.1, "separates weakly"),
        (0.09, "does not separate"),
        (-0.09, "does not separate"),
        (-0.1, "separates the wrong way"),
        (-1.0, "separates the wrong way"),
    ],
)
def test_the_words_for_a_separation(value, words):
    """The limits belong to the side that the page's legend says."""
    use = check_uses([report("a")])[0]
    assert verdict_on(replace(use, separation=value)) == words


def test_chance_is_what_unrelated_numbers_give():
    """Of many pairs of unrelated samples about one in twenty exceeds it."""
    rng = np.random.default_rng(5)
    found = [abs(np.corrcoef(rng.normal(size=(2, 30)))[0, 1]) for _ in range(4_000)]
    assert np.mean(np.array(found) > chance(30)) == pytest.approx(0.05, abs=0.012)


def test_a_check_is_counted_by_its_verdicts():
    """Passed, carried, partly, failed and not judged are counted, and points lost averaged, in the rubric's order."""
    reports = [
        report("a"), report("b", {"loss": 5.0}), report("c", {"loss": 0.0}), report("d", {"loss": None}), report("e"),
    ]  # fmt: skip
    use = check_uses(reports)[1]
    assert (use.id, use.counts) == ("loss", (2, 0, 1, 1, 1))
    assert use.lost == pytest.approx((0 + 15 + 20 + 20 + 0) / 5)
    assert check_uses([]) == ()


def test_a_check_that_a_report_lacks_says_nothing_of_it():
    """A report of an older rubric takes no part in a check that it does not have; worthless checks divide nothing."""
    older = replace(report("b"), checks=report("b").checks[:2])
    extra = replace(report("a"), checks=(*report("a").checks, Verdict("x", "X", "style", "passed", 0, 0, False, "")))
    uses = {use.id: use for use in check_uses([extra, older])}
    assert sum(uses["predict"].counts) == 1
    assert sum(uses["loss"].counts) == 2
    assert (uses["x"].counts, uses["x"].separation) == ((1, 0, 0, 0, 0), None)


def test_variants_are_compared_by_check():
    """How many of each variant passed; of one variant alone there is nothing to compare."""
    marks = ((1.0, "a"), (0.0, "a"), (1.0, "b"), (1.0, ""))
    standings = [
        Standing(report(str(at), {"scores": 20 * share}), student(str(at), variant=variant))
        for at, (share, variant) in enumerate(marks)
    ]
    found = compare_variants(standings)
    assert {variant: shares["scores"] for variant, shares in found.items()} == {"a": 50.0, "b": 100.0}
    assert compare_variants(standings[:2]) == {}


def test_what_is_carried_counts_as_not_passed():
    """It keeps its points, and tells strong from weak as the failure that it is."""
    weak = report("weak", {"scores": 0.0})
    kept = replace(
        weak, checks=tuple(replace(one, status="carried") if one.id == "loss" else one for one in weak.checks)
    )
    strong = [report(str(number), {"predict": float(number)}) for number in range(8)]
    failed, passed = (check_uses([*strong, one, one])[1] for one in (kept, weak))
    assert (failed.counts, passed.counts) == ((8, 2, 0, 0, 0), (10, 0, 0, 0, 0))
    assert (failed.lost, failed.alike, passed.alike) == (0, False, True)
    assert failed.separation > 0.9


def test_causes_of_one_kind_are_told_apart_by_what_happened():
    """Two exceptions are two mistakes; a named mistake is one, whatever its title."""
    causes = [replace(mistake("exception", f"{name}() stops", loss=5.0), source="") for name in ("loss", "train")]
    named = [mistake("half", title, loss=5.0) for title in ("Half", "One of: Half Or: Twice")]
    found = mistakes(
        [Standing(report(str(at), diagnoses=two)) for at, two in enumerate(zip(causes, named, strict=True))]
    )
    assert [(one.diagnosis.title, len(one.standings)) for one in found] == [
        ("Half", 2),
        ("loss() stops", 1),
        ("train() stops", 1),
    ]


def test_who_counts():
    """Graded and not excused: each submission is in one of three numbers, the roster's absent in a fourth."""
    made = sheet(
        report("a"),
        report("b", excused=True),
        report("c", status="failed_to_load", excused=True),
        report("d", status="grader_error"),
        report("e", status="no_submission"),
        missing=[student("Nobody")],
    )
    assert [counts(one) for one in made.standings] == [True, False, False, False, False]
    found = tally(made)
    assert (found.graded, found.failed, found.excused, found.missing) == (1, 2, 2, 1)


def test_mistakes_are_ranked_and_priced():
    """The most frequent first, then the dearest; excused ones are named and not counted."""
    half, mask, axis = mistake("half", "Half.", loss=5.0, grad_W1=1.0), mistake("mask", "Mask.", grad_W1=13.0), mistake("axis", "Axis.", predict=2.0)  # fmt: skip
    made = sheet(
        report("a", diagnoses=[half, axis]),
        report("b", diagnoses=[half]),
        report("c", diagnoses=[mask]),
        report("d", diagnoses=[mask, half], excused=True),
        report("e", diagnoses=[half], status="grader_error"),
    )
    found = mistakes(made.standings)
    assert [(one.diagnosis.id, len(one.standings), len(one.excused), one.cost) for one in found] == [
        ("half", 2, 1, 12.0),
        ("mask", 1, 1, 13.0),
        ("axis", 1, 0, 2.0),
    ]


def test_a_mistake_costs_no_more_than_a_person_left():
    """Points that a person gave back are not lost to the mistake any more; the plainest title stands for it."""
    half = mistake("half", "Half.", loss=20.0, grad_W1=4.0)
    either = replace(half, title="One of: Half. Or: A quarter.")
    made = sheet(
        report("a", {"loss": 15.0, "grad_W1": 16.0}, diagnoses=[either], adjusted={"loss": 0.0}),
        report("b", {"loss": 0.0, "grad_W1": 16.0}, diagnoses=[half]),
    )
    (found,) = mistakes(made.standings)
    assert (found.cost, found.diagnosis.title) == (5.0 + 4.0 + 24.0, "Half.")
