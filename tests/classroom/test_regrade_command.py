"""`grader regrade`: saved replies are judged again, and it is said who moved and why."""

from __future__ import annotations

import csv
import platform
import re
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from classroom.conftest import contents, timeless
from classroom.once import BROKEN, SMALL, UNFINISHED, WRONG, Folder, graded_once, points, remembered, say
from grader import __version__
from grader.classroom.executors import Workers
from grader.classroom.regrade_class import Regraded, regrade_class
from grader.classroom.worker import GradingSession
from grader.rubric import load
from grader.sandbox.host import StudentHost
from grader.score import KNOWN

ALREADY = "had already been judged by this rubric (--force judges them again)"
BOTH = ("right_einsum", "wrong_half_the_gradient")


@pytest.fixture
def here(tmp_path_factory, tmp_path, monkeypatch):
    """Return a class that is graded, and a machine on which no student code can run."""
    folder = graded_once(tmp_path_factory, tmp_path, monkeypatch)

    def refuse(*_, **__):
        raise AssertionError("student code was to be run")

    monkeypatch.setattr(StudentHost, "__init__", refuse)
    return folder


def table(folder: Folder, name: str = "regraded.csv") -> dict[str, dict[str, str]]:
    """Return a table of the graded folder by submission."""
    return {row["submission"]: row for row in csv.DictReader(folder.text(name).splitlines())}


def moves(folder: Folder) -> dict[str, tuple[str, str, str]]:
    """Return who moved, from where to where, and why."""
    return {name: (row["before"], row["after"], row["why"]) for name, row in table(folder).items()}


# ---------------------------------------------------------------- what changes


def test_changed_points_move_scores_and_everything_is_written_anew(here):
    """Who has the check gains two points, and reports, table, page, list and gradebook all say so."""
    here.change(points("scores", 8, 10))
    said = here.regrade()
    assert "checks.scores.points: 8 -> 10" in said
    assert "right_einsum 100 / 100 102 / 102 scores 8 -> 10" in said
    assert "4 judged again. 2 scores changed; see graded/regraded.csv." in said
    assert moves(here) == {
        "right_einsum": ("100", "102", "scores 8 -> 10"),
        "wrong_half_the_gradient": ("86", "88", "scores 8 -> 10"),
    }
    assert [here.report(name)["score"] for name in (*BOTH, "bare")] == [102, 88, 0]
    assert "102" in here.page("right_einsum")
    assert {name: row["score"] for name, row in table(here, "gradebook.csv").items()} == {
        "bare": "0",
        "broken_syntax": "0",
        "right_einsum": "102",
        "wrong_half_the_gradient": "88",
    }
    assert "102" in here.text("index.html")
    with here.book() as book:
        assert [kept.made for kept in book.gradings("right_einsum")] == ["grade", "regrade"]
        assert [kept.score for kept in book.gradings("right_einsum")] == [100, 102]
        assert len({kept.replies for kept in book.gradings("right_einsum")}) == 1


def test_another_numpy_than_before_is_noticed(here):
    """A right program may be wrong under it, or the other way round; the next time all is of one version again."""
    before, now = (
        f"grader {__version__}, Python {platform.python_version()} and numpy {version}"
        for version in ("1.26.4", np.__version__)
    )
    notice = f"This class was begun with {before}; {now} runs now."
    assert "was begun with" not in here.regrade()
    here.damage("UPDATE grading SET versions = json_set(versions, '$.numpy', '1.26.4') WHERE id = 2")
    assert notice in here.regrade()
    assert "was begun with" not in here.regrade()


@pytest.mark.untraced
def test_a_changed_threshold_moves_who_is_below_it(here):
    """Nobody reaches 99 % in forty iterations, and the check that says so is named with its points."""
    here.change(("\nthreshold = 0.5\n", "\nthreshold = 0.99\n"))
    said = here.regrade()
    assert "digits.threshold: 0.5 -> 0.99" in said
    assert moves(here)["right_einsum"] == ("100", "96", "learns_digits 4 -> 0")
    assert here.report("right_einsum")["score"] == 96


def test_a_changed_tolerance_moves_who_was_outside_it(here):
    """With a tolerance in which half a gradient lies, the wrong one is right, and its mistake is no longer named."""
    here.change(("gradient = 1e-6\nnumeric", "gradient = 1.9\nnumeric"))
    said = here.regrade()
    assert "tolerances.gradient: 1e-06 -> 1.9" in said
    (move,) = moves(here).items()
    assert move[0] == "wrong_half_the_gradient"
    assert "gradient_W1 0 -> 7, gradient_W2 0 -> 7" in move[1][2]
    assert "no longer named: The regulariser's part of the gradient of W1 and W2 is half" in move[1][2]
    assert here.report("wrong_half_the_gradient")["score"] == float(move[1][1]) > 90


@pytest.mark.untraced
def test_a_check_that_is_hidden_moves_nobody_and_changes_what_is_told(here):
    """Nobody's points change, the message goes out of the student's page, and the command says that reports changed."""
    told = here.page("bare").count("Could not be judged")
    here.change(('id = "scores"\npoints = 8\n', 'id = "scores"\npoints = 8\nhidden = true\n'))
    said = here.regrade()
    assert "checks.scores.hidden: not there -> True" in said
    assert "4 judged again. No score changed. 4 keep their points, but their report has new wording." in said
    check = next(one for one in here.report("bare")["checks"] if one["id"] == "scores")
    assert check["hidden"]
    assert 0 < here.page("bare").count("Could not be judged") < told
    assert moves(here) == {}


@pytest.mark.slow
def test_a_changed_hint_is_told_to_whom_it_concerns(here, monkeypatch):
    """Hints stand in the reference and not in the rubric, so it takes --force; one report says something else by it."""

    def rehinted(assignment, seed):
        questions = remembered(assignment, seed)
        forms = tuple(replace(one, hint="Look at the lecture's slide 12.") for one in questions.catalogue.forms)
        return replace(questions, catalogue=replace(questions.catalogue, forms=forms))

    monkeypatch.setattr("grader.classroom.worker.build_questions", rehinted)
    said = here.regrade("--force")
    assert "4 judged again. No score changed. 1 keep their points, but their report has new wording." in said
    assert "slide 12" in here.page("wrong_half_the_gradient")


def test_a_changed_late_policy_moves_who_was_late(here):
    """The grader's own score stays, and the one that counts does not: both are shown."""
    say("adjust", "graded", "right_einsum", "--late-days", 1, "--comment", "Monday.", "--by", "ada")
    here.change(("percent_a_day = 10", "percent_a_day = 20"))
    said = here.regrade()
    assert "late.percent_a_day: 10 -> 20" in said
    assert moves(here) == {"right_einsum": ("90", "80", "points off for lateness 10 -> 20")}
    row = table(here)["right_einsum"]
    assert (row["grader_before"], row["grader_after"]) == ("100", "100")
    assert "submission before after by the grader why" in said
    assert "90 / 100 80 / 100 100 -> 100 points off for lateness" in said
    assert here.report("right_einsum")["score"] == 80


def test_before_and_after_are_what_counted_and_the_graders_own_stands_beside(here):
    """Points that a person gave stay: the grader's score moves, what counts moves by the rest."""
    say("adjust", "graded", "bare", "--check", "scores", "--points", 8, "--comment", "Seen.", "--by", "ada")
    here.change(points("scores", 8, 6))
    here.regrade()
    row = table(here)["bare"]
    assert (row["before"], row["after"], row["grader_before"], row["grader_after"]) == ("8", "6", "0", "0")
    assert row["why"] == "decision 1 by ada: scores 8 of 8 counts as 6 of 6 now"
    assert "8 of 8 was given, and the check is now worth 6" in here.report("bare")["rulings"][0]["effect"]


@pytest.mark.slow
@pytest.mark.untraced
def test_a_check_taken_out_and_put_back(here):
    """Its points go and come back; a decision about it stops counting and counts again."""
    say("adjust", "graded", "bare", "--check", "predict", "--points", 5, "--comment", "Seen.", "--by", "ada")
    whole = ('[[checks]]\nid = "predict"\npoints = 6\n\n', "")
    here.change(whole)
    said = here.regrade()
    assert "checks.predict.points: 6 -> not there" in said
    assert moves(here)["right_einsum"] == ("100", "94", "predict 6 -> none")
    assert moves(here)["bare"] == ("5", "0", "predict as decided 5 -> none, predict 0 -> none")
    assert "no longer has this check" in here.report("bare")["rulings"][0]["effect"]
    here.change(('[[checks]]\nid = "best', '[[checks]]\nid = "predict"\npoints = 6\n\n[[checks]]\nid = "best'))
    here.regrade()
    assert moves(here)["right_einsum"] == ("94", "100", "predict none -> 6")
    assert here.report("bare")["score"] == 5


@pytest.mark.untraced
def test_the_order_of_moves_and_all_their_reasons_are_in_the_table(here):
    """The largest move is first, and a reason that is longer than a line is not cut."""
    given = {one["id"]: one["max_points"] for one in here.report("bare")["checks"]}
    here.change(*(points(check, f"{most:g}", most + 10.25) for check, most in given.items()))
    here.regrade()
    assert [*moves(here)] == [*BOTH]
    reasons = moves(here)["right_einsum"][2]
    assert len(reasons) > 400
    assert reasons.count(" -> ") == 18


@pytest.mark.slow
def test_of_more_than_a_screenful_the_commonest_reasons_are_told(here, monkeypatch):
    """Where the list is cut, it is counted what moved how many."""
    monkeypatch.setattr("grader.cli.regrade.LISTED", 1)
    here.change(points("scores", 8, 10), points("gradient_W1", 7, 8))
    said = here.regrade()
    assert "right_einsum 100 / 100 103 / 103 scores 8 -> 10, gradient_W1 7 -> 8 and 1 more, most often:" in said
    assert "most often: scores 8 -> 10 (2), gradient_W1 7 -> 8 (1)" in said
    # What a person decided is told of each, however many there are.
    for name in ("right_einsum", "wrong_half_the_gradient"):
        say("adjust", "graded", name, "--check", "decay", "--points", 1.5, "--comment", "Seen.", "--by", "ada")
    here.change(points("decay", 4, 1))
    said = here.regrade()
    assert said.count("decay 1.5 of 4 counts as 1 of 1 now") == 2
    assert "wrong_half_the_gradient: decision 2 by ada: decay 1.5 of 4 counts as 1 of 1 now" in said


# ---------------------------------------------------------------- nothing to do


@pytest.mark.slow
@pytest.mark.untraced
def test_what_this_rubric_judged_is_left_unless_forced(here):
    """Nothing is judged twice for nothing; --force does it, and moves nobody."""
    said = here.regrade()
    assert f"0 judged again. 4 {ALREADY}. No score changed." in said
    with here.book() as book:
        assert len(book.gradings("bare")) == 1
    said = here.regrade("--force")
    assert "4 judged again. No score changed." in said
    assert ALREADY not in said
    with here.book() as book:
        assert len(book.gradings("bare")) == 2


@pytest.mark.slow
@pytest.mark.untraced
def test_the_list_of_movers_is_the_same_when_asked_again(here):
    """The second regrade judges nothing and takes nothing out of the list; with --force it tells what that very one moved."""
    here.change(points("scores", 8, 10))
    here.regrade()
    before = here.text("regraded.csv")
    said = here.regrade()
    assert f"0 judged again. 4 {ALREADY}. 2 scores changed" in said
    assert "checks.scores.points: 8 -> 10" in said
    assert here.text("regraded.csv") == before
    assert "4 judged again. No score changed." in here.regrade("--force")
    assert moves(here) == {}


@pytest.mark.untraced
def test_no_submission_is_needed(here):
    """The class's folder is gone, and the replies are still there."""
    shutil.rmtree(here.path / "class")
    here.change(points("scores", 8, 10))
    assert "2 scores changed" in here.regrade()


def test_no_student_code_can_have_run_here(here):
    """The very machine on which all of these regrades work cannot grade: what the fixture refuses is what grading needs."""
    with pytest.raises(AssertionError, match="student code was to be run"):
        here.grade("--force")


# ---------------------------------------------------------------- the same as grading


@pytest.mark.slow
@pytest.mark.untraced
@pytest.mark.parametrize(
    ("by", "class_"),
    [
        ("regrade", SMALL),
        pytest.param("grade", SMALL, marks=pytest.mark.slow),
        # Each of two workers works out anew what is known of mistakes, unless there is none.
        pytest.param("regrade --jobs 2", (BROKEN,), marks=pytest.mark.slow),
        pytest.param("regrade --jobs 2", (WRONG,), marks=pytest.mark.slow),
        pytest.param("regrade", (*SMALL, UNFINISHED), marks=pytest.mark.slow),
    ],
)
def test_judging_again_equals_grading_anew(tmp_path_factory, tmp_path, monkeypatch, by, class_):
    """Byte for byte but for times and for who trained: right, wrong, broken and unfinished, by either command and so many at once.

    A program that passed everything was never asked to train with its hyperparameters. By a rubric that it does not pass it
    would be asked; its kept replies cannot tell, and the reference's training still counts.
    """
    here = graded_once(tmp_path_factory, tmp_path, monkeypatch, class_)
    fresh = Folder(tmp_path / "fresh")
    shutil.copytree(here.path, fresh.path, ignore=shutil.ignore_patterns("graded"))
    for folder in (here, fresh):
        folder.change(points("scores", 8, 10), ("\nthreshold = 0.5\n", "\nthreshold = 0.99\n"))
        folder.change(('id = "decay"\npoints = 4\n', 'id = "decay"\npoints = 4\nhidden = true\n'))
    who_trained = re.compile(r"Trained with them.*? required\.( It was trained in place of .*? steps\.)?")
    command, *words = by.split()
    # Workers draw the questions themselves; this process remembers what it found about them.
    said = here.regrade(*words) if command == "regrade" else here.grade()
    assert f"{len(class_) + 1} judged again" in said
    monkeypatch.chdir(fresh.path)
    fresh.grade("--seed", 231)
    for name in ("bare", *(Path(file).stem for file in class_)):
        for file in ("report.json", "report.html"):
            place = f"submissions/{name}/{file}"
            again, anew = (who_trained.sub("", timeless(one.text(place))) for one in (here, fresh))
            assert again == anew, place
    assert here.text("gradebook.csv") == fresh.text("gradebook.csv")
    with here.book() as book, fresh.book() as other:
        for name, kept in book.last().items():
            assert kept.key == other.last()[name].key
            assert kept.score == other.last()[name].score


def test_a_report_of_an_unsafe_grading_still_says_so(here, monkeypatch):
    """What was graded without isolation was, whoever judges it again."""
    here.damage("UPDATE grading SET isolated = 0 WHERE name = 'bare'")
    here.change(points("scores", 8, 10))
    here.regrade()
    with here.book() as book:
        assert not book.last()["bare"].key.isolated
        assert book.last()["right_einsum"].key.isolated
    assert "with --unsafe" in say("history", "graded", "bare")


# ---------------------------------------------------------------- questions


@pytest.mark.untraced
def test_other_questions_have_to_be_asked(here):
    """New sizes are new questions, which only student code can answer."""
    here.change(("[4, 7, 11, 3]", "[4, 7, 12, 3]"))
    said = here.regrade(status=1)
    assert "4 left: the questions changed, because of the rubric" in said
    assert "`grader grade` asks the new ones" in said
    with here.book() as book:
        assert len(book.gradings("bare")) == 1


@pytest.mark.untraced
def test_those_of_another_seed_are_left_and_the_others_judged(here):
    """One that was graded from another seed keeps its grading, and is named."""
    here.damage("UPDATE grading SET seed_id = 'another' WHERE name = 'bare'")
    here.change(points("scores", 8, 10))
    before = here.report("bare")
    said = here.regrade()
    assert "3 judged again. 2 scores changed" in said
    assert "1 not changed (bare): its questions were drawn from another seed." in said
    assert here.report("bare") == before
    assert table(here, "gradebook.csv")["right_einsum"]["score"] == "102"


def test_what_the_grader_failed_on_has_no_replies(here):
    """Such a row is left, with what to do."""
    here.damage("UPDATE grading SET replies = NULL, status = 'grader_error' WHERE name = 'bare'")
    here.change(points("scores", 8, 10))
    said = here.regrade()
    assert "3 judged again." in said
    assert "1 not changed (bare): the grader failed on it, so there are no replies" in said


def test_damaged_replies_cost_nobody_a_grade(here):
    """That submission alone is reported, its grading and its report stand, and the command's status tells."""
    here.damage(
        "UPDATE replies SET packed = x'00' WHERE id = (SELECT replies FROM grading WHERE name = 'right_einsum')"
    )
    here.change(("\nthreshold = 0.5", "\nthreshold = 0.4"))
    before = here.report("right_einsum")
    said = here.regrade(status=1)
    assert "3 judged again. No score changed" in said
    assert "1 not changed (right_einsum): the grader failed on the saved replies" in said
    assert here.report("right_einsum") == before
    assert "DamagedError" in here.text("submissions/right_einsum/grader-error.txt")
    assert table(here, "gradebook.csv")["right_einsum"]["score"] == "100"
    with here.book() as book:
        assert len(book.gradings("right_einsum")) == 1
        assert book.report("right_einsum").score == 100


# ---------------------------------------------------------------- the command itself


def test_a_folder_without_a_gradebook_is_said_plainly(here):
    """A wrong DIR, or one that was never graded into, is not made."""
    assert "elsewhere: there is no gradebook.db in it. Give the folder" in say("regrade", "elsewhere", status=1)
    assert "class: there is no gradebook.db in it." in say("regrade", "class", status=1)
    assert not (here.path / "elsewhere").exists()


def stopped_after(folder: Folder, count: int, *, force: bool = False) -> Regraded:
    """Judge again, and press Ctrl-C when so many have been told of."""
    left = [count]

    def press(_):
        left[0] -= 1
        if not left[0]:
            raise KeyboardInterrupt

    session = GradingSession(load(folder.path / "rubric", KNOWN), 231)
    with folder.book() as book:
        found = regrade_class(session, book, Workers(), force=force, on_result=press)
    assert found.stopped
    return found


@pytest.mark.slow
def test_a_stopped_regrade_is_kept_and_goes_on(here):
    """What was judged is in the gradebook, the table and the page; the next run judges the rest, and nothing differs."""
    calm = here.path.parent / "calm"
    shutil.copytree(here.path, calm)
    here.change(points("scores", 8, 10))
    found = stopped_after(here, 3)
    assert (found.count, found.todo) == (3, 4)
    assert [change.name for change in found.changes] == ["right_einsum"]
    with here.book() as book:
        assert sorted(len(book.gradings(name)) for name in book.last()) == [1, 2, 2, 2]
        for name, kept in book.last().items():
            assert here.report(name)["score"] == kept.score
    assert table(here, "gradebook.csv")["right_einsum"]["score"] == "102"
    said = here.regrade()
    assert f"1 judged again. 3 {ALREADY}. 2 scores changed" in said
    import os

    os.chdir(calm)
    Folder(calm).change(points("scores", 8, 10))
    Folder(calm).regrade()
    assert contents(here.out) == contents(calm / "graded")
    assert here.text("regraded.csv") == (calm / "graded" / "regraded.csv").read_text(encoding="utf-8")


@pytest.mark.slow
def test_a_forced_regrade_that_is_stopped_tells_its_own_moves_only(here):
    """Who was moved by an earlier one is not among those whom this one moved."""
    here.change(points("scores", 8, 10))
    here.regrade()
    found = stopped_after(here, 2, force=True)
    assert (found.count, found.changes) == (2, ())


def test_ctrl_c_is_answered_in_words(here, monkeypatch):
    """What was done is told as ever, and the status is a shell's for Ctrl-C."""
    here.change(points("scores", 8, 10))
    written = []

    def write(out, name, files):
        if written:
            raise KeyboardInterrupt
        written.append(name)

    monkeypatch.setattr("grader.classroom.grading_loop.write_submission", write)
    said = here.regrade(status=130)
    assert "Stopped. 1 of 4 are judged again and saved. Run the same command again to judge the rest." in said
