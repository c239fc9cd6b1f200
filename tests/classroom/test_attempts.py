"""What a student hands in several times: one counts, and decisions follow the student."""

from __future__ import annotations

import csv
import io
import os
from dataclasses import replace

import pytest

from classroom.books import KEY, RUBRIC, decision, line
from classroom.conftest import write_rubric
from classroom.once import Folder, at_hand, say
from grader.classroom.attempts import Attempts
from grader.classroom.gradebook import Gradebook
from grader.classroom.results import ClassResults
from grader.classroom.roster import Roster
from grader.model import Student

BROKEN = "class TwoLayerNet(:\n"  # it is the student's try, and nothing of it is run
ROSTER = "name,email\nJane Doe,j@x.org\nMax Muster,m@x.org\n"


@pytest.fixture
def here(tmp_path, monkeypatch):
    """Return a class of nobody yet, and its roster."""
    at_hand(monkeypatch)
    monkeypatch.chdir(tmp_path)
    write_rubric(tmp_path / "rubric")
    (tmp_path / "class").mkdir()
    (tmp_path / "roster.csv").write_text(ROSTER, encoding="utf-8")
    return Folder(tmp_path)


def hand_in(here, name, text=BROKEN, at=None):
    """Hand a file in."""
    path = here.path / "class" / name
    path.parent.mkdir(exist_ok=True)
    path.write_text(text, encoding="utf-8")
    if at is not None:
        os.utime(path, (at, at))
    return path


def whose(here):
    """Return gradebook.csv's students by their submissions."""
    return {row["submission"]: row["student"] for row in csv.DictReader(io.StringIO(here.text("gradebook.csv")))}


def test_decisions_follow_the_student(tmp_path):
    """Lateness is the student's; points were given to another hand-in. Which one counts is kept in the gradebook."""
    old, new = "doejane_101_999_net", "doejane_101_1000_net"
    with Gradebook(tmp_path, create=True) as book:
        again = replace(KEY, submission_digest="another")
        book.insert([line(old, 2.0), line(new, 1.0, key=again)], RUBRIC)
        book.set_roster(Roster((Student("Doe, Jane"),), source="r.csv"))
        book.decide_all([(old, decision(value=2.0))])
        book.decide_all([(old, decision("late_days", 3.0, check=""))])
        report = ClassResults(book).report(new)
        assert (report.late_days, report.score, report.student) == (3.0, 1.0, "Doe, Jane")
        assert [ruling.applies for ruling in report.rulings] == [False, True]
        assert "made for an earlier hand-in" in report.rulings[0].effect
        counting = {}
        for attempt in ("latest", "first", "best"):
            book.set_attempt(attempt)
            (standing,) = ClassResults(book).sheet().standings
            counting[attempt] = standing.report.submission
    assert counting == {"latest": new, "first": old, "best": old}


@pytest.mark.slow
def test_a_new_file_of_a_student_replaces_the_old_one_and_decisions_follow(here):
    """Canvas calls a second hand-in otherwise: it is the same student's, late as before, and points are decided again."""
    hand_in(here, "doejane_101_5551_two_layer_net.py")
    here.grade("--roster", "roster.csv", "--seed", 231)
    decide = ("adjust", "graded", "doejane_101_5551_two_layer_net", "--by", "ada", "--comment", "Seen.")
    say(*decide, "--late-days", 2)
    by_student = ("adjust", "graded", "jane d", "--by", "ada", "--comment", "Seen.", "--check", "scores", "--points", 3)
    assert "doejane_101_5551_two_layer_net (Jane Doe): 3 of 100 points." in say(*by_student)
    assert "scores set to 3 of 8 points" in say("history", "graded", "Doe, Jane")
    assert say("show", "graded", "J@x.org").startswith("Jane Doe")
    assert "<h1>Jane Doe</h1>" in here.page("doejane_101_5551_two_layer_net")
    hand_in(here, "doejane_101_5559_two_layer_net-1.py", f"# again\n{BROKEN}")
    said = here.grade()
    new = "doejane_101_5559_two_layer_net-1"
    assert f"{new} counts for Jane Doe (e-mail j@x.org), and not doejane_101_5551_two_layer_net" in said
    assert "submission score what cost points Jane Doe 0 / 100" in said
    assert ">Jane Doe</a>" in here.text("index.html")
    assert "1 new." in said
    assert f"Points that a person gave for an earlier hand-in do not count for the new one: {new}." in said
    assert whose(here) == {new: "Jane Doe", "": "Max Muster"}
    assert "Late by 2 days" in here.page(new)
    assert "made for an earlier hand-in" in here.page(new)
    say("export", "graded", "--format", "moodle")
    assert len(here.text("exports/moodle.csv").splitlines()) == 2


@pytest.mark.parametrize(
    "forgotten",
    [pytest.param(["doejane_101_5551_net"], marks=pytest.mark.slow), ["doejane_101_5552_net", "doejane_101_5551_net"]],
)
def test_a_student_is_forgotten_with_all_hand_ins(here, forgotten):
    """Whichever is named: the other one's report, and what was decided about it, are the student's as well."""
    hand_in(here, "doejane_101_5551_net.py")
    hand_in(here, "mustermax_102_5553_net.py")
    here.grade("--roster", "roster.csv", "--seed", 231)
    say("adjust", "graded", "doejane_101_5551_net", "--late-days", 2, "--by", "ada", "--comment", "Jane Doe was ill.")
    hand_in(here, "doejane_101_5552_net.py", f"# again\n{BROKEN}")
    here.grade()
    said = say("adjust", "graded", "--forget", *forgotten, "--yes", "--by", "ada")
    assert "and the student's line of the roster" in said
    assert said.count("stays: class/doejane") == 2
    holding = [path for path in here.out.rglob("*") if path.is_file() and b"doejane" in path.read_bytes().lower()]
    holding += [path for path in here.out.rglob("*") if path.is_file() and b"Jane Doe" in path.read_bytes()]
    assert not holding
    assert whose(here) == {"mustermax_102_5553_net": "Max Muster"}


@pytest.mark.slow
def test_the_first_the_latest_and_the_best(here):
    """The order is that of the platform's numbers and not of the alphabet; the best needs all to be graded."""
    old, new = "doejane_101_999_net.py", "doejane_101_1000_net.py"
    hand_in(here, old, f"# first\n{BROKEN}")
    hand_in(here, new)
    assert "1 new." in here.grade("--roster", "roster.csv", "--seed", 231)
    assert "doejane_101_1000_net" in whose(here)
    here.grade("--attempt", "first")
    assert "doejane_101_999_net" in whose(here)
    here.damage("UPDATE grading SET score = 50 WHERE name = ?", "doejane_101_1000_net")
    here.grade("--attempt", "best")
    assert "doejane_101_1000_net" in whose(here)
    say("export", "graded", "--format", "gradebook")
    assert "doejane_101_1000_net" in here.text("exports/gradebook.csv")


def test_what_holds_no_program_never_competes(here):
    """A second file of the student's, a folder of text, a picture in a folder: none of them hides the program."""
    hand_in(here, "doejane_101_5551_net.py")
    hand_in(here, "doejane_101_5552_helper.py", "x = 1\n")
    hand_in(here, "Max Muster_7_assignsubmission_file_/n.py")
    hand_in(here, "Max Muster_7_assignsubmission_onlinetext_/onlinetext.html", "<p>done</p>")
    said = here.grade("--roster", "roster.csv", "--seed", 231)
    assert whose(here) == {"doejane_101_5551_net": "Jane Doe", "Max Muster_7_assignsubmission_file_": "Max Muster"}
    assert "Ignored, because they are not submissions: Max Muster_7_assignsubmission_onlinetext_." in said
    assert "2 new." in said


@pytest.mark.slow
def test_text_alone_is_what_was_handed_in(here):
    """Where no folder of files lies beside it, it is the student's, with nothing to grade."""
    hand_in(here, "Max Muster_7_assignsubmission_onlinetext_/onlinetext.html", "<p>done</p>")
    here.grade("--roster", "roster.csv", "--seed", 231)
    assert whose(here)["Max Muster_7_assignsubmission_onlinetext_"] == "Max Muster"


def test_a_file_that_is_no_program_is_told_with_its_student(here):
    """Who handed in a text or a picture is not simply missing."""
    hand_in(here, "doejane_101_5551_two_layer_net.ipynb.json", '{"cells": []}')
    hand_in(here, "mustermax_102_5552_report.docx", "x")
    said = here.grade("--roster", "roster.csv", "--seed", 231)
    assert whose(here)["doejane_101_5551_two_layer_net"] == "Jane Doe"
    assert "not submissions: mustermax_102_5552_report.docx, which Max Muster handed in." in said


def test_a_pair_shares_one_hand_in(here):
    """Both are in every table with the grade, and the report names both; a file of groups says who is a pair."""
    hand_in(here, "alice.py")
    hand_in(here, "bob.py")
    (here.path / "roster.csv").write_text(
        "name,email,submission\nJane Doe,j@x.org,alice\nMax Muster,m@x.org,alice\nBob B,b@x.org,\n", encoding="utf-8"
    )
    said = here.grade("--roster", "roster.csv", "--seed", 231)
    assert "Handed in together: alice: Jane Doe (e-mail j@x.org), Max Muster (e-mail m@x.org)" in said
    assert here.report("alice")["student"] == "Jane Doe and Max Muster"
    say("export", "graded", "--format", "moodle", "--without", "bob")
    assert [line.split(",")[:2] for line in here.text("exports/moodle.csv").splitlines()[1:]] == [
        ["j@x.org", "Jane Doe"],
        ["m@x.org", "Max Muster"],
    ]
    (here.path / "roster.csv").write_text("name,login\nJane Doe,alice\nBob B,bob\nMax Muster,mm\n", encoding="utf-8")
    groups = here.path / "groups.csv"
    groups.write_text("name,login_id,group_name\nJane Doe,alice,Owls\nMuster Max,mm,Owls\n", encoding="utf-8")
    said = here.grade("--roster", "roster.csv", "--groups", "groups.csv")
    assert "Of 3 students on the roster, 3 have a submission." in said
    assert here.report("alice")["student"] == "Jane Doe and Max Muster"
    groups.write_text("name,group\nZoe Z,Owls\n", encoding="utf-8")
    assert "groups.csv: Zoe Z is nobody in the roster." in here.grade(
        "--roster", "roster.csv", "--groups", "groups.csv", status=2
    )


def chosen(tmp_path, policy, *names):
    """Return which of these files counts; the later ones in the list are the older ones by their times."""
    for age, name in enumerate(names):
        (tmp_path / name).write_text("x", encoding="utf-8")
        os.utime(tmp_path / name, (10_000 - age, 10_000 - age))
    return Attempts(policy, {name: str(tmp_path / name) for name in names}, {}).choose(names)


@pytest.mark.parametrize(
    ("early", "late"),
    [
        ("doejane_LATE_101_999_a.ipynb", "doejane_LATE_101_1000_a-1.ipynb"),
        ("Net_jdoe_attempt_2024-03-01-12-00-59_a.ipynb", "Net_jdoe_attempt_2024-03-02-09-00-00_a.ipynb"),
        ("1-2 - Jane Doe - Mar 1, 2024 900 AM - a.ipynb", "1-2 - Jane Doe - Mar 1, 2024 1200 PM - a.ipynb"),
    ],
)
def test_each_platforms_order(tmp_path, early, late):
    """Its numbers and times count before those of the files, which a copy changes."""
    assert chosen(tmp_path, "latest", early, late) == late
    assert chosen(tmp_path, "first", early, late) == early


def test_other_names_go_by_the_files_times(tmp_path):
    """Where there is no number, or not in each, the file that was written last is the latest."""
    assert chosen(tmp_path, "latest", "jane.py", "doe_jane.py") == "jane.py"
    assert chosen(tmp_path, "first", "jane.py", "doejane_101_999_a.py") == "doejane_101_999_a.py"
