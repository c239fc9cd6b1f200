"""The gradebook keeps what it is given, all of it or nothing."""

from __future__ import annotations

import sqlite3
import time
from dataclasses import replace

import pytest

from classroom.books import (
    KEY,
    RUBRIC,
    decision,
    everything,
    line,
    reported,
    rows,
)
from grader.classroom import gradebook
from grader.classroom.gradebook import DecisionRecord, Gradebook, GradebookError, GradingRow
from grader.classroom.roster import Claim, Roster
from grader.model import Student


@pytest.fixture
def book(tmp_path):
    """Return a gradebook that is open and empty."""
    with Gradebook(tmp_path, create=True) as opened:
        yield opened


# ------------------------------------------------------------ kept and given back


def test_a_grading_comes_back(book, tmp_path):
    """All that is kept of a grading is there after the gradebook was closed and opened again."""
    book.insert([line("bob", 0.5), line("alice", 1.5, replies=None, key=replace(KEY, isolated=False))], RUBRIC)
    book.close()
    with Gradebook(tmp_path) as again:
        last = again.last()
        assert list(last) == ["alice", "bob"]
        at = last["bob"].at
        assert time.strptime(at, "%Y-%m-%dT%H:%M:%SZ")
        ranges = {"gradient": (1e-9, 1e-3)}
        assert last["bob"] == GradingRow(1, "bob", "grade", at, "graded", 0.5, 2.0, 1, "all that finds", ranges, KEY)
        assert last["alice"].key == replace(KEY, isolated=False)
        assert last["alice"].replies is None
        assert again.replies(1) == b"replies"
        assert again.sources() == {"alice": "class/alice.py", "bob": "class/bob.py"}
        assert again.published(1) == '{"score": 0.5}\n'
        assert again.assignment_text("rubric") == RUBRIC
        assert str(again.report("alice")) == str(reported("alice", 1.5))


def test_a_regrade_is_one_more_grading_of_the_same_replies(book, tmp_path):
    """Earlier gradings stay, with their report.json; the replies are there once; only the last can be drawn again."""
    book.insert([line("alice", 0.5), line("bob")], RUBRIC)
    key = replace(KEY, assignment_digest="other")
    book.insert([line("alice", 1.5, replies=1, made="regrade", key=key, source="new/alice.py")], "title = 'y'\n")
    assert [(kept.made, kept.score, kept.replies) for kept in book.gradings("alice")] == [
        ("grade", 0.5, 1),
        ("regrade", 1.5, 1),
    ]
    assert book.last()["alice"].key == key
    assert [book.published(number) for number in (1, 3)] == ['{"score": 0.5}\n', '{"score": 1.5}\n']
    assert book.report("alice").score == 1.5
    assert book.report("bob").score == 1.0
    assert book.sources()["alice"] == "new/alice.py"
    assert (book.assignment_text("rubric"), book.assignment_text("other")) == (RUBRIC, "title = 'y'\n")
    book.close()
    assert rows(tmp_path, "SELECT id, record IS NULL, findings IS NULL FROM grading ORDER BY id") == [
        (1, 1, 1),
        (2, 0, 0),
        (3, 0, 0),
    ]
    assert rows(tmp_path, "SELECT count(*) FROM replies") == [(2,)]


@pytest.mark.parametrize(
    "bad",
    [
        line("two", replies=99),
        line("two", made="guess"),
        line("two", record=None, published=None),
        line("two", score=float("nan")),
        line("two", published="\ud800"),
    ],
    ids=["replies that are not there", "made otherwise", "no report", "no number", "no text"],
)
def test_gradings_are_kept_together_or_not_at_all(book, bad):
    """Where one of several cannot be kept, none is, the one before stays the last, and the text says so."""
    book.insert([line("one", 0.5)], RUBRIC)
    before = everything(book)
    with pytest.raises(GradebookError, match=r"the new data cannot be saved.*None of it was saved"):
        book.insert([line("one", 2.0), line("new"), bad], "title = 'other'\n")
    assert everything(book) == before
    book.insert([line("one", 2.0)], RUBRIC)
    assert book.last()["one"].score == 2.0


def test_a_stop_while_keeping_keeps_nothing(book, monkeypatch):
    """Ctrl-C between two of several leaves neither, and the gradebook can be used."""
    insert_one = gradebook.insert_grading

    def stopped(*given):
        insert_one(*given)
        raise KeyboardInterrupt

    monkeypatch.setattr(gradebook, "insert_grading", stopped)
    with pytest.raises(KeyboardInterrupt):
        book.insert([line("one"), line("two")], RUBRIC)
    monkeypatch.undo()
    assert book.last() == {}
    book.insert([line("one")], RUBRIC)
    assert list(book.last()) == ["one"]


@pytest.mark.parametrize(
    "name",
    [
        "class/\u00e4\u00f6 \u4e2d.py",
        "class/caf\udce9.py",
        "\udced\udca0\udc80",
        "bytes:%41",
        "bytes:x\udcff",
        "a\nb\x1b",
        "100 %.py",
        "C:\\class\\x.py",
        "",
    ],
)
def test_a_path_of_any_bytes_comes_back(book, tmp_path, name):
    """File names of a zip from elsewhere may be no text at all; unless they come back the same, all is graded anew."""
    book.insert([line("alice", source=name)], RUBRIC)
    assert book.sources() == {"alice": name}
    book.set_roster(Roster((Student("Doe"),), source=name))
    assert book.roster().source == name
    book.close()
    ((stored,),) = rows(tmp_path, "SELECT source FROM submission")  # which any tool can read
    assert stored.isascii() or stored == name


# ------------------------------------------------------------ people


def test_decisions_come_back_and_can_be_taken_back(book):
    """Decisions are numbered from 1, stand by submission, and stay in the history when they are taken back."""
    book.insert([line("alice"), line("bob")], RUBRIC)
    book.decide_all([("alice", decision()), ("bob", decision("late_days", 2, check=""))])
    book.decide_all([("alice", decision("excused", 1.0, check="", comment="\u00e4 'quoted'\n=1+1"))])
    made = [one.decision for one in book.decision_records()]
    assert made == [
        replace(decision(), number=1),
        replace(decision("late_days", 2.0, check=""), number=2),
        replace(decision("excused", 1.0, check="", comment="\u00e4 'quoted'\n=1+1"), number=3),
    ]
    assert type(made[1].value) is float
    assert book.decisions() == {"alice": (made[0], made[2]), "bob": (made[1],)}
    book.withdraw(1, "ta: a mistake")
    assert book.decisions() == {"alice": (made[2],), "bob": (made[1],)}
    assert book.decision_records("alice") == [
        DecisionRecord("alice", made[0], "ta: a mistake"),
        DecisionRecord("alice", made[2], ""),
    ]
    assert [one.decision.number for one in book.decision_records()] == [1, 2, 3]


def test_a_decision_is_taken_back_once(book):
    """What the history says of a withdrawal is not written over, and a number that is not in force is no withdrawal."""
    book.insert([line("alice")], RUBRIC)
    book.decide_all([("alice", decision())])
    for number, said in ((2, "x"), (1, "")):
        with pytest.raises(ValueError, match="is not in force"):
            book.withdraw(number, said)
    book.withdraw(1, "first")
    with pytest.raises(ValueError, match="is not in force"):
        book.withdraw(1, "second")
    assert book.decision_records()[0].withdrawn == "first"


@pytest.mark.parametrize("value", [-1.0, -0.01, float("nan"), float("inf"), float("-inf")])
def test_a_decision_has_a_value_that_a_report_can_hold(book, value):
    """JSON has no infinity and a score no negative points; neither a caller nor SQLite itself may put one in."""
    book.insert([line("alice")], RUBRIC)
    with pytest.raises(GradebookError, match="the new data cannot be saved"):
        book.decide_all([("alice", decision(value=value))])
    with pytest.raises(sqlite3.IntegrityError):
        book._storage._database.execute(
            "INSERT INTO decision (name, kind, check_id, value, comment, made_by, at, submission_digest)"
            " VALUES ('alice', 'points', 'loss', ?, '', '', '', '')",
            (value,),
        )
    assert book.decision_records() == []


@pytest.mark.parametrize(
    "bad", [decision("mercy"), decision(comment=None), decision(comment="\ud800"), decision(check=b"x")]
)
def test_a_decision_that_cannot_be_kept_is_told(book, bad):
    """A kind that there is not, or a text that is none, is refused in words, and nothing of it is kept."""
    book.insert([line("alice")], RUBRIC)
    with pytest.raises(GradebookError, match="the new data cannot be saved"):
        book.decide_all([("alice", bad)])
    assert book.decision_records() == []


def test_foreign_keys_are_in_force(book):
    """A decision about a submission that there is not would show nowhere: it is refused."""
    with pytest.raises(GradebookError, match="FOREIGN KEY"):
        book.decide_all([("nobody", decision())])


def test_a_roster_comes_back_and_replaces_the_one_before(book, tmp_path):
    """Students stay in the file's order with every field; claims stay with their students and lines."""
    assert book.roster() is None
    jane = Student("Doe, Jane", *"abcdefgh")
    john = Student("van der Berg, J\u00f6rg", email="j@x.org")
    first = Roster((john, jane), source="one.csv", claims=(Claim(jane, "jane.py", 3),))
    book.set_roster(first)
    book.close()
    with Gradebook(tmp_path) as again:
        assert again.roster() == first
        again.set_roster(Roster((jane,), notes=("read but not kept",), source="two.csv"))
        assert again.roster() == Roster((jane,), source="two.csv")
        with pytest.raises(TypeError):
            again.set_roster(Roster((john, replace(jane, id={1}))))
        assert again.roster() == Roster((jane,), source="two.csv")
