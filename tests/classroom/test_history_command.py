"""`grader history`: all that was ever said of one submission, in the order in which it was said."""

from __future__ import annotations

import itertools
import re
from datetime import UTC, datetime, timedelta

import pytest

from classroom.once import graded_once, points, say

MINUTES = itertools.count()


@pytest.fixture
def here(tmp_path_factory, tmp_path, monkeypatch):
    """Return a class that is graded, and a clock that goes on by a minute whenever it is read.

    It is a day ahead and goes on through all tests: the class was graded once, by the clock of whichever test came first.
    """

    def now():
        moment = datetime.now(UTC) + timedelta(days=1, minutes=next(MINUTES))
        return moment.strftime("%Y-%m-%dT%H:%M:%SZ")

    monkeypatch.setattr("grader.classroom.grading_rows.now", now)
    monkeypatch.setattr("grader.cli.adjust.now", now)
    return graded_once(tmp_path_factory, tmp_path, monkeypatch)


def history(name: str, status: int = 0) -> str:
    """Ask for it."""
    return say("history", "graded", name, status=status)


def in_order(text: str, *parts: str) -> None:
    """See that the parts stand in the text one after another."""
    place = 0
    for part in parts:
        found = text.find(part, place)
        assert found >= 0, f"{part!r} is not in {text[place:]!r}"
        place = found + len(part)


@pytest.mark.slow
def test_all_that_was_said_in_its_order(here):
    """Gradings, regrades with what moved, decisions with their numbers, what was taken back, and how it stands now."""
    say("adjust", "graded", "wrong_half_the_gradient", "--late-days", 1, "--comment", "Monday.", "--by", "ada")
    here.change(points("scores", 8, 10))
    here.regrade()
    two = ("--check", "decay", "--points", 1, "--comment", "A guess.", "--by", "bob")
    say("adjust", "graded", "wrong_half_the_gradient", *two)
    say("adjust", "graded", "wrong_half_the_gradient", "--withdraw", 1, "--comment", "A holiday.", "--by", "cleo")
    with (here.path / "class" / "wrong_half_the_gradient.py").open("a", encoding="utf-8") as file:
        file.write("# mended\n")
    here.grade()
    text = history("wrong_half_the_gradient")
    in_order(
        text,
        "wrong_half_the_gradient, from class/wrong_half_the_gradient.py",
        "graded: 86 of 100 [submission ",
        "decision 1 by ada: late by 1 day: Monday. Taken back by cleo, ",
        "Z: A holiday.",
        "judged again: 88 of 102; scores 8 -> 10 [submission ",
        "decision 2 by bob: decay set to 1 of 4 points: A guess.",
        "graded: 88 of 102; no change [submission ",
        "Now: wrong_half_the_gradient: 88 of 102 points. 2. decay: 1 point. It was made for an earlier hand-in",
    )
    moments = re.findall(r"(\d{4}-\d\d-\d\dT[\d:]{8}Z) (?:graded|judged|decision)", text)
    assert moments == sorted(moments)
    assert len(moments) == 5


@pytest.mark.slow
def test_a_hand_in_from_elsewhere_is_told(here):
    """Where a name comes from another folder than before, both paths stand at the grading that changed it, and only there."""
    (here.path / "class").rename(here.path / "monday")
    say("grade", "monday", "--assignment", "rubric", "--out", "graded", "--force")
    text = history("bare")
    assert text.count("; from monday/bare.py, earlier from class/bare.py") == 1
    here.change(points("scores", 8, 10))
    here.regrade()
    assert history("bare").count("earlier from") == 1


def test_another_hand_in_and_another_rubric_are_told_apart(here):
    """The same submission has the same digest, and a changed rubric another one."""
    here.change(points("scores", 8, 10))
    here.regrade()
    found = re.findall(r"submission ([0-9a-f]{12}), rubric ([0-9a-f]{12}), seed [0-9a-f]{6}", history("bare"))
    assert len(found) == 2
    assert found[0][0] == found[1][0]
    assert found[0][1] != found[1][1]


def test_what_could_not_be_graded_and_what_ran_unsafely(here):
    """Both stand beside the grading that they belong to."""
    here.damage("UPDATE grading SET isolated = 0 WHERE name = 'broken_syntax'")
    assert "graded: 0 of 100 (failed to load), with --unsafe [submission" in history("broken_syntax")
    assert "--unsafe" not in history("bare")


def test_a_reason_of_many_words_is_told_whole(here):
    """A comment is not cut at the length of a line."""
    reason = " ".join(f"word{number}" for number in range(300))
    say("adjust", "graded", "bare", "--excuse", "--comment", reason, "--by", "ada")
    assert reason in history("bare")


def test_a_path_and_a_comment_that_would_command_a_terminal_do_not(here):
    """A folder may be named by a student, and a gradebook written by another program: nothing unseen is printed."""
    say("adjust", "graded", "bare", "--excuse", "--comment", "Ill.", "--by", "ada")
    here.damage("UPDATE submission SET source = ? WHERE name = 'bare'", "class/\x1b]0;owned\x07[red]bare.py")
    here.damage("UPDATE decision SET comment = ?, made_by = ?", "\x1b[2J[bold]::error::x", "\u202eada")
    text = history("bare")
    assert "class/\\u001b]0;owned\\u0007[red]bare.py" in text
    assert "by \\u202eada: excused: \\u001b[2J[bold]: :error: :x" in text
    assert not {"\x1b", "\x07", "\u202e"} & set(text)


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("bear", "there is no such submission in graded: did you mean bare?"),
        ("../../x", "../../x: there is no such submission in graded"),
        ("\x1b[2J", "\\u001b[2J: there is no such submission in graded: gradebook.csv lists the names."),
    ],
)
def test_a_wrong_name_is_said_plainly(here, name, said):
    """What is there is suggested, and no path is made of it."""
    assert said in history(name, status=2)


def test_a_folder_without_a_gradebook_is_said_plainly(here):
    """It is not made."""
    assert "elsewhere: there is no gradebook.db in it." in say("history", "elsewhere", "bare", status=1)
    assert not (here.path / "elsewhere").exists()
