"""Who was late by how many days: by a due date and the platforms' times, or by a table. The policy stays a person's."""

from __future__ import annotations

import os
from datetime import datetime

import pytest

from classroom.books import line
from classroom.once import graded_once, say
from grader.classroom.find_student import DecisionError
from grader.classroom.gradebook import Gradebook
from grader.classroom.lateness import compare_times, is_marked_late, read_days, read_due
from grader.classroom.roster import Roster
from grader.model import Student

JANE, MUSTER = Student("Doe, Jane", "Jane", "Doe", login="jdoe", email="j@x.org"), Student("Max Muster", login="mm")
BLACKBOARD = "Net_{}_attempt_{}_net.py"


@pytest.fixture
def book(tmp_path):
    """Return a gradebook of two students, by Blackboard's names."""
    with Gradebook(tmp_path, create=True) as opened:
        names = {
            "jane": BLACKBOARD.format("jdoe", "2024-03-01-12-00-59"),
            "max": BLACKBOARD.format("mm", "2024-03-03-08-00-00"),
        }
        opened.insert([line(name, source=f"class/{file}") for name, file in names.items()], "title = 'x'\n")
        opened.set_roster(Roster((JANE, MUSTER), source="r.csv"))
        yield opened


@pytest.mark.parametrize(
    ("due", "days"),
    [
        ("2024-03-01T23:59", {"jane": 0, "max": 2}),
        ("2024-03-01 12:00", {"jane": 1, "max": 2}),
        ("2024-03-03 08:00:00", {"jane": 0, "max": 0}),
        ("2024-02-28", {"jane": 3, "max": 5}),
    ],
)
def test_a_due_date_and_the_times_in_names(book, due, days):
    """Days that have begun count; the very second is in time."""
    assert compare_times(book, read_due(due)).days == days


def test_times_of_moodles_files_and_those_that_nobody_knows(tmp_path):
    """Moodle's zip keeps when each file came; a name without a time tells nothing, and is said."""
    folder = tmp_path / "Jane Doe_7_assignsubmission_file_"
    folder.mkdir()
    (folder / "net.py").touch()
    at = datetime(2024, 3, 3, 12).timestamp()  # noqa: DTZ001 -- of this place
    os.utime(folder / "net.py", (at, at))
    with Gradebook(tmp_path, create=True) as book:
        book.insert([line("a", source=str(folder)), line("b", source="class/doejane_101_5551_net.py")], "title = 'x'\n")
        found = compare_times(book, read_due("2024-03-01 23:59"))
    assert (found.days, found.unknown) == ({"a": 2}, ("b",))


@pytest.mark.parametrize(
    ("table", "due"),
    [
        ("name,late days\nJane Doe,0\nMax Muster,2\n", ""),
        ("login;Days late\njdoe;0\nmm;1.5\nnobody;0\n", ""),
        ("First Name,Last Name,Email,Lateness (H:M:S)\nJane,Doe,j@x.org,00:00:00\nMax,Muster,,24:00:01\n", ""),
        (
            (
                "Identifier,Full name,Email address,Status\nParticipant 101,Jane Doe,j@x.org,Submitted for grading\n"
                "Participant 102,Max Muster,m@x.org,Submitted for grading - 1 day 3 hours late\n"
            ),
            "",
        ),
        ("submission,timestamp\njane,2024-03-01T10:00:00\nmax,2024-03-03T10:00:00\n", "2024-03-01T23:59"),
    ],
)
def test_a_table_of_days_or_of_times(book, tmp_path, table, due):
    """Typed by a person, or exported by Gradescope, Moodle and GitHub Classroom."""
    (tmp_path / "late.csv").write_text(table, encoding="utf-8")
    found = read_days(book, tmp_path / "late.csv", read_due(due) if due else None)
    assert (found.days, found.unknown) == ({"jane": 0, "max": 2}, ())


@pytest.mark.parametrize(
    ("table", "said"),
    [
        ("name,colour\nJane Doe,red\n", "late.csv: no column tells how late anybody was."),
        ("name,late days\nJane Doe,many\n", 'late.csv, line 2: "many" tells no days from 0 to 10,000.'),
        ("name,late days\nJane Doe,-1\n", 'late.csv, line 2: "-1" tells no days'),
        ("name,late days\nJane Doe,99999\n", 'late.csv, line 2: "99999" tells no days'),
        ("name,timestamp\nJane Doe,2024-03-01T10:00:00\n", "or times together with --due."),
    ],
)
def test_a_table_that_tells_nothing_is_refused(book, tmp_path, table, said):
    """With its line, before anything is noted."""
    (tmp_path / "late.csv").write_text(table, encoding="utf-8")
    with pytest.raises(DecisionError) as caught:
        read_days(book, tmp_path / "late.csv", None)
    assert said in str(caught.value)


def test_a_late_person_who_is_not_there_is_told(book, tmp_path):
    """A line that names nobody is not passed over where it says that somebody was late."""
    (tmp_path / "late.csv").write_text("name,late days\nZoe Z,1\nMax Muster,1\n", encoding="utf-8")
    found = read_days(book, tmp_path / "late.csv", None)
    assert (found.days, found.unknown) == ({"max": 1}, ("line 2",))


def test_moodles_dash_is_no_time(book, tmp_path):
    """Its worksheet writes one for whoever handed in nothing."""
    rows = '"Sunday, 3 March 2024, 1:59 AM"\nEve Low,-\n'
    (tmp_path / "ws.csv").write_text(f"Full name,Last modified (submission)\nMax Muster,{rows}", encoding="utf-8")
    assert read_days(book, tmp_path / "ws.csv", read_due("2024-03-01T23:59")).days == {"max": 2}


def test_canvas_mark():
    """It stands behind the name, and nowhere else."""
    assert is_marked_late("doejane_LATE_101_5551_net.ipynb")
    assert is_marked_late("anon_LATE_e9Fgh_5551_net.ipynb")
    assert not is_marked_late("doejane_101_5551_LATE_1_2_net.ipynb")
    assert not is_marked_late("LATE_101.ipynb")


def test_what_is_noted_is_a_decision(tmp_path_factory, tmp_path, monkeypatch):
    """It has an author and a reason, is not noted twice, and a time overrules no person."""
    here = graded_once(tmp_path_factory, tmp_path, monkeypatch)
    (here.path / "late.csv").write_text("submission,late_days\nbare.py,2\nright_einsum,0\nnobody,1\n", encoding="utf-8")
    words = ("adjust", "graded", "--from", "late.csv", "--by", "ada")
    said = say(*words)
    assert "bare: 0 of 100 points. 1. Late by 2 days" in said
    assert "2 known, 1 noted." in said
    assert "Not known: line 4." in said
    assert "2 known, 0 noted." in say(*words)
    assert "decision 1 by ada: late by 2 days: By late.csv." in say("history", "graded", "bare")
    assert "0 known, 0 noted." in say("adjust", "graded", "--due", "2024-03-01", "--by", "ada")
    assert "--due soon: this is not a time." in say("adjust", "graded", "--due", "soon", "--by", "ada", status=2)
    assert "apply to everybody" in say("adjust", "graded", "bare", "--due", "2024-03-01", status=2)
