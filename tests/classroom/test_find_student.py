"""A submission is named as people name it: by its student, an account, a number, or a beginning that is one's only."""

from __future__ import annotations

import pytest

from classroom.books import line
from classroom.once import say
from grader.classroom.find_student import DecisionError, find_submission
from grader.classroom.gradebook import Gradebook
from grader.classroom.roster import _BY_NUMBER, Claim, Roster
from grader.model import Student

JANE = Student("Doe, Jane", "Jane", "Doe", "101", "s001", "jdoe", "jane@x.org", github="jane-gh")
JANET = Student("Janet Roe", "Janet", "Roe", "102", "s002", "jroe", "janet@x.org")
MUSTER = Student("Max Müller", login="mm", email="max@x.org")
EVE = Student("Eve Low", login="elow")


@pytest.fixture
def book(tmp_path):
    """Return a gradebook of a small class, one of whom handed in nothing, and a pair."""
    with Gradebook(tmp_path, create=True) as opened:
        names = ("doejane_101_5551_net", "roejanet_102_5552_net", "alice", "alice-2")
        opened.insert([line(name) for name in names], "title = 'x'\n")
        pair = tuple(Claim(one, "alice", at) for at, one in ((4, MUSTER), (5, Student("Bob B"))))
        opened.set_roster(Roster((JANE, JANET, MUSTER, Student("Bob B"), EVE), source="r.csv", claims=pair))
        yield opened


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("doejane_101_5551_net", "doejane_101_5551_net"),
        ("Jane Doe", "doejane_101_5551_net"),
        ("doe, jane", "doejane_101_5551_net"),
        ("jdoe", "doejane_101_5551_net"),
        ("JDOE", "doejane_101_5551_net"),
        ("s001", "doejane_101_5551_net"),
        ("101", "doejane_101_5551_net"),
        ("jane@x.org", "doejane_101_5551_net"),
        ("jane-gh", "doejane_101_5551_net"),
        ("roej", "roejanet_102_5552_net"),
        ("Janet", "roejanet_102_5552_net"),
        ("max muller", "alice"),
        ("Bob", "alice"),
        ("alice", "alice"),
    ],
)
def test_all_that_a_submission_may_be_called(book, text, name):
    """A whole name wins over a beginning; a pair's is found by either."""
    assert find_submission(book, text) == name


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (
            "jan",
            "jan: this may be doejane_101_5551_net (Doe, Jane) or roejanet_102_5552_net (Janet Roe). Give more of the name.",
        ),
        ("ali", "ali: this may be alice (Max Müller and Bob B) or alice-2. Give more of the name."),
        ("Eve Low", "Eve Low: Eve Low (login elow) is on the roster, and has no submission in "),
        ("Jane Deo", "Jane Deo: there is no such submission in "),
        ("zzz", "gradebook.csv lists the names."),
    ],
)
def test_what_is_not_one_submission_is_proposed(book, text, said):
    """Nothing is guessed: a beginning of two, a typing error, and somebody who handed in nothing are told apart."""
    with pytest.raises(DecisionError) as caught:
        find_submission(book, text)
    assert said in str(caught.value)


def test_no_beginning_is_enough_where_nothing_can_be_undone(book):
    """A whole name of the student's is."""
    assert find_submission(book, "Janet Roe", exact=True) == "roejanet_102_5552_net"
    with pytest.raises(DecisionError):
        find_submission(book, "Janet", exact=True)


def test_commands_take_a_students_name(book):
    """What may be two is bad usage."""
    out = book.path.parent
    book.close()
    assert "this may be" in say("history", out, "jan", status=2)
    assert "this may be" in say("show", out, "jan", status=2)
    assert "this may be" in say("adjust", out, "jan", "--excuse", "--comment", "Ill.", status=2)


def test_a_beginning_of_who_handed_in_nothing_is_told(book):
    """A person of the roster without a submission is named by a beginning as well, and is no misspelling."""
    with pytest.raises(DecisionError, match=r"Eve Low .*is on the roster, and has no submission"):
        find_submission(book, "eve")


@pytest.mark.parametrize("text", ["7102", "Participant 7102"])
def test_moodles_number_of_a_participant_names_a_submission(tmp_path, text):
    """Of its worksheet, which stands in the names of its folders behind the student's."""
    with Gradebook(tmp_path, create=True) as opened:
        folder = "Max Muster_7102_assignsubmission_file"
        opened.insert([line(folder, source=f"class/{folder}")], "title = 'x'\n")
        claim = Claim(Student("Max Muster"), f"{_BY_NUMBER}7102", 2)
        opened.set_roster(Roster((claim.student,), source="ws.csv", claims=(claim,)))
        assert find_submission(opened, text) == folder
