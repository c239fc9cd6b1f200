"""Who moved and why: what is said of two reports of one submission is true, also where a check is hidden or worth less now."""

from __future__ import annotations

import csv
import io
from dataclasses import replace

import pytest

from classroom.once import graded_once, points, say
from grader.apply_decisions import decide
from grader.classroom.compare_reports import compare_reports, count_reasons, explain, to_csv
from grader.model import Decision, Diagnosis, Environment, Report, Verdict

MASK = Diagnosis("mask", "The mask is of the wrong array", "Look.", "notes", ("gradient_W1", "gradient_b1"))
CHECKS = (
    Verdict("gradient_W1", "W1", "gradients", "failed", 0, 7, False, "Differs."),
    Verdict("gradient_b1", "b1", "gradients", "failed", 0, 5, False, "Differs."),
    Verdict("decay", "Decay", "train", "failed", 0, 4, False, "Differs."),
)


def report(*changes: Verdict, named: bool = True) -> Report:
    """Return a report with some of its verdicts changed."""
    instead = {one.id: one for one in changes}
    checks = tuple(instead.get(one.id, one) for one in CHECKS)
    score, most = sum(one.points for one in checks), sum(one.max_points for one in checks)
    return Report("ann", "ann.py", score, most, "graded", checks, (MASK,) if named else (), (), Environment({}, ()), {})


def test_a_mistake_is_named_newly_or_no_longer():
    """Whether its checks are hidden is of no matter: the instructor's report names it all the same."""
    assert explain(compare_reports(report(named=False), report())) == f"now named: {MASK.title}"
    assert explain(compare_reports(report(), report(named=False))) == f"no longer named: {MASK.title}"
    hidden = report(*(replace(one, hidden=True) for one in CHECKS))
    assert explain(compare_reports(report(), hidden)) == ""
    assert compare_reports(report(), hidden).reworded


# ---------------------------------------------------------------- decisions that count otherwise


def given(number: int, check: str, value: float, of: float | None = None) -> Decision:
    """Return a decision of points."""
    return Decision(number, "points", check, value, "Seen.", "=Ada", "2026-11-22T15:19:03Z", "digest", of)


@pytest.mark.parametrize(
    ("made", "worth", "said"),
    [
        (given(3, "decay", 1.5, 4), 1, "decision 3 by =Ada: decay 1.5 of 4 counts as 1 of 1 now"),
        (given(3, "decay", 1.5, 4), 2, "decision 3 by =Ada: decay 1.5 of 4 counts as 1.5 of 2 now"),
        (given(3, "decay", 4, 4), 10, "decision 3 by =Ada: decay 4 of 4 counts as 4 of 10 now"),
        (given(3, "decay", 1.5), 1, "decision 3 by =Ada: decay 1.5 counts as 1 of 1 now"),
        (given(3, "decay", 3, 8), 4, ""),
    ],
)
def test_a_decision_of_a_check_that_is_worth_something_else_now_is_told(made, worth, said):
    """Who decided, what, of how much then, and what it counts as now: also where the points stay as they were."""
    before = decide(report(), [made], None, "digest")
    after = decide(report(replace(CHECKS[2], max_points=worth)), [made], None, "digest")
    move = compare_reports(before, after)
    assert explain(move) == said
    assert move.points == bool(said)


def test_what_was_decided_comes_first_and_is_harmless():
    """A cell is cut in its middle, and a terminal's line; a name that is a formula is none in the table."""
    before = decide(report(), [given(3, "decay", 1.5, 4)], None, "digest")
    after = decide(
        report(replace(CHECKS[2], max_points=1), replace(CHECKS[0], points=3)),
        [given(3, "decay", 1.5, 4)],
        None,
        "digest",
    )
    move = compare_reports(before, after)
    assert explain(move) == "decision 3 by =Ada: decay 1.5 of 4 counts as 1 of 1 now, gradient_W1 0 -> 3"
    # Each is told by itself.
    assert count_reasons([move, move]) == [("gradient_W1 0 -> 3", 2)]
    row = next(csv.DictReader(io.StringIO(to_csv([move]))))
    assert not row["why"].startswith("=")
    assert (row["before"], row["after"]) == ("1.5", "4")


# ---------------------------------------------------------------- as people read it


@pytest.fixture
def here(tmp_path_factory, tmp_path, monkeypatch):
    """Return a class that is graded."""
    return graded_once(tmp_path_factory, tmp_path, monkeypatch)


def test_a_check_that_is_hidden_leaves_no_mistake_unnamed(here):
    """Neither the list of who moved nor the history says of a mistake that is still found that it is not."""
    mistake = here.report("wrong_half_the_gradient")["diagnoses"][0]
    for check in mistake["checks"]:
        here.change((f'id = "{check}"\n', f'id = "{check}"\nhidden = true\n'))
    here.change(points("scores", 8, 10))
    said = here.regrade()
    assert here.report("wrong_half_the_gradient")["diagnoses"] == [mistake]
    assert mistake["title"] not in here.page("wrong_half_the_gradient")
    assert "no longer named" not in said + say("history", "graded", "wrong_half_the_gradient")


@pytest.mark.untraced
def test_a_decision_about_a_check_that_shrank_is_told_everywhere(here):
    """In the list of who moved, in regraded.csv, in the history, in the report: what was decided, of how much, what it is now."""
    say("adjust", "graded", "bare", "--check", "decay", "--points", 1.5, "--comment", "Half.", "--by", "ada")
    here.change(points("decay", 4, 1))
    said = here.regrade()
    assert "decision 1 by ada: decay 1.5 of 4 counts as 1 of 1 now" in said
    assert "decision 1 by ada: decay 1.5 of 4 counts as 1 of 1 now" in here.text("regraded.csv")
    sentence = "1.5 of 4 was given, and the check is now worth 1: this counts for less, and is full marks"
    told = say("history", "graded", "bare")
    assert "decision 1 by ada: decay set to 1.5 of 4 points: Half." in told
    assert sentence in told
    assert sentence in here.report("bare")["rulings"][0]["effect"]
    assert sentence in here.page("bare")
