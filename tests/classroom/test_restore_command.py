"""A damaged gradebook costs no decision and no roster: `grader adjust DIR --restore` takes them from the copy beside it."""

from __future__ import annotations

import os
import re
import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from classroom.once import graded_once, points, say
from grader.classroom import restore as restoring
from grader.classroom.gradebook import FILE, DecisionRecord
from grader.classroom.roster import Claim, Roster
from grader.classroom.safety_copy import read_copy, write_copy
from grader.classroom.storage import COPY
from grader.model import Decision, Student

ROSTER = """Student,ID,SIS User ID,SIS Login ID,Section,submission
"Doe, Ann",101,s101,ann,1,bare.py
"Roe, Bob",102,s102,bob,1,right_einsum.py
"Poe, Cleo",103,s103,cleo,1,wrong_half_the_gradient.py
"Moe, Dan",104,s104,dan,1,broken_syntax.ipynb
"""
HOSTILE = "=1+1 \\u001b <b>; @x\n- ::error::x\n\u00e4 'quoted', \"twice\""


@pytest.fixture
def here(tmp_path_factory, tmp_path, monkeypatch):
    """Return a class that is graded, and its roster."""
    folder = graded_once(tmp_path_factory, tmp_path, monkeypatch)
    (folder.path / "roster.csv").write_text(ROSTER, encoding="utf-8")
    return folder


@pytest.fixture
def at(monkeypatch):
    """Return a function that sets the clock by which people decide."""

    def be(moment: str) -> None:
        monkeypatch.setattr("grader.cli.adjust.now", lambda: moment)

    return be


def adjust(*words: object, comment: str = "Seen.", by: str = "ada", status: int = 0) -> str:
    """Decide."""
    return say("adjust", "graded", *words, "--comment", comment, "--by", by, status=status)


def restore(file: str = f"graded/{COPY}", status: int = 0) -> str:
    """Take decisions over."""
    return say("adjust", "graded", "--restore", file, status=status)


def decided(here) -> None:
    """Decide something of every kind, one of it taken back."""
    adjust("bare", "--check", "scores", "--points", 3, comment=HOSTILE)
    adjust("bare", "--check", "scores", "--points", 5.5)
    adjust("right_einsum", "--late-days", 2)
    adjust("wrong_half_the_gradient", "--check", "gradient_W1", "--points", 7)
    adjust("wrong_half_the_gradient", "--withdraw", 4, comment="Meant for another.", by="bob")
    adjust("broken_syntax", "--excuse")


def told(here) -> dict[str, object]:
    """Return all that reports, history and exports say, but for the gradings themselves: those are made again."""
    found: dict[str, object] = {}
    with here.book() as book:
        found["decisions"] = book.decision_records()
        names = list(book.last())
    for name in names:
        report = here.report(name)
        report.pop("timing")
        found[name] = report
        found[f"history of {name}"] = re.sub(r"\S+ graded: .*?\] ", "", say("history", "graded", name))
    for form in ("gradebook", "canvas", "moodle", "nbgrader", "gradescope", "junit", "decisions"):
        shutil.rmtree(here.out / "exports", ignore_errors=True)
        say("export", "graded", "--format", form, "--moodle-user", "idnumber")
        for path in (here.out / "exports").rglob("[!.]*.*"):
            found[f"{form}: {path.name}"] = re.sub(
                r'"execution_time": [\d.]+|time="[\d.]+"', "", path.read_text(encoding="utf-8")
            )
    found["table"] = here.text("gradebook.csv")
    return found


@pytest.mark.slow
@pytest.mark.untraced
def test_a_damaged_gradebook_costs_no_decision(here):
    """Decide, break the file, move it away as the error says, grade again, restore: all is as it was before."""
    say("export", "graded", "--format", "canvas", "--roster", "roster.csv")
    (here.path / "roster.csv").unlink()
    decided(here)
    before = told(here)
    assert "Doe, Ann" in str(before)
    (here.out / FILE).write_bytes(os.urandom(5000))
    said = say("history", "graded", "bare", status=1)
    assert (
        "People's decisions and the roster are also in decisions.db. Grade the class again, then restore them with"
        " `grader adjust graded --restore graded/decisions.db`." in said
    )
    (here.out / FILE).rename(here.path / "damaged.db")
    assert here.grade().endswith(
        "graded/decisions.db holds 5 decisions and a roster that the gradebook lacks and that do not count yet."
        " To restore them, run `grader adjust graded --restore graded/decisions.db`."
    )
    assert here.report("bare")["score"] == 0
    said = restore()
    assert (
        "bare (Doe, Ann): 5.5 of 100 points. 1. scores: 3 points. Replaced by decision 2 (not in force) 2. scores: 0 of 8"
        in said
    )
    assert said.endswith("Decisions in graded/decisions.db: 5 restored. Roster: 4 students restored.")
    after = told(here)
    assert after.keys() == before.keys()
    for what, text in before.items():
        assert after[what] == text, what


@pytest.mark.slow
def test_taking_them_over_again_changes_nothing(here):
    """The second time all are there already, and not a byte of report, table or file differs."""
    decided(here)
    before = {path: path.read_bytes() for path in here.out.rglob("*") if path.suffix in {".html", ".csv", ".json"}}
    assert restore() == "Decisions in graded/decisions.db: 5 already there."
    assert before == {path: path.read_bytes() for path in before}
    with here.book() as book:
        assert len(book.decision_records()) == 5


@pytest.mark.slow
def test_what_was_decided_meanwhile_stays_and_stays_the_later(here, at):
    """Old decisions come before newer ones, which overtake them, and it is said which number became which."""
    at("2020-01-01T00:00:00Z")
    adjust("bare", "--check", "scores", "--points", 3)
    adjust("bare", "--late-days", 1)
    fresh(here)
    at("2021-01-01T00:00:00Z")
    adjust("bare", "--check", "scores", "--points", 8)
    assert len(read_copy(here.out / COPY).records) == 3
    said = restore()
    assert "Decisions in graded/decisions.db: 2 restored, 1 already there. Some decisions have new numbers, in the order of their dates: 1 is now 3." in said  # fmt: skip
    assert "1. scores: 3 points. Replaced by decision 3 (not in force)" in said
    assert here.report("bare")["checks"][0]["points"] == 8
    with here.book() as book:
        assert [(one.decision.number, one.decision.value) for one in book.decision_records()] == [
            (1, 3),
            (2, 1),
            (3, 8),
        ]
    assert restore() == "Decisions in graded/decisions.db: 3 already there."


@pytest.mark.parametrize(
    ("taken", "here", "numbers", "moved"),
    [
        ([(2, 21), (5, 22)], [], [2, 5], {}),
        ([(1, 22), (2, 23)], [(1, 21)], [2, 3], {}),
        ([(1, 21), (2, 23)], [(1, 22), (2, 24)], [1, 3], {1: 2, 2: 4}),
        ([(1, 23), (2, 21)], [(1, 22)], [2, 3], {}),
        ([(1, 24), (1, 21), (2, 25), (2, 22)], [(1, 23)], [1, 2, 4, 5], {1: 3}),
        ([(3, 22)], [(1, 21), (2, 21), (4, 23)], [3], {}),
    ],
)
def test_what_is_taken_over_finds_its_place_in_time(taken, here, numbers, moved):
    """By when each was decided, and each gradebook's own in its own order, though a clock went back; kept where they fit."""

    def made(pairs):
        return [
            DecisionRecord("x", Decision(number, "excused", "", 1, "", "", f"20{year}-01-01T00:00:00Z", ""), "")
            for number, year in pairs
        ]

    given, renumbered = restoring._number(made(taken), made(here))
    assert [one.decision.number for one in given] == numbers
    assert renumbered == moved


def fresh(here) -> None:
    """Lose the gradebook, and grade again."""
    (here.out / FILE).unlink()
    here.grade()


@pytest.mark.slow
def test_what_was_taken_back_is_taken_back_again(here):
    """A copy of the gradebook from before a withdrawal hears of it from the file."""
    adjust("bare", "--excuse")
    shutil.copy(here.out / FILE, here.path / "copy.db")
    adjust("bare", "--withdraw", 1, by="bob", comment="A slip.")
    shutil.copy(here.path / "copy.db", here.out / FILE)
    assert restore().endswith("Decisions in graded/decisions.db: 1 taken back, as in the file.")
    assert "excused" not in here.report("bare")
    assert "Taken back by bob, " in say("history", "graded", "bare")


@pytest.mark.slow
def test_decisions_about_nobody_who_is_here_are_named_and_kept(here):
    """They are not taken, the file holds them on, and once their submission is graded the same command takes them."""
    adjust("bare", "--excuse")
    adjust("right_einsum", "--late-days", 1)
    (here.out / FILE).unlink()
    (here.path / "class" / "bare.py").rename(here.path / "bare.py")
    here.grade()
    for _ in range(2):
        said = restore()
        assert "1 not restored. Not in this gradebook: bare. Grade them, and run the same command again." in said
        adjust("right_einsum", "--excuse")
    (here.path / "bare.py").rename(here.path / "class" / "bare.py")
    here.grade()
    said = restore()
    assert "bare: 0 of 100 points, excused." in said
    assert "Numbered anew" not in said
    assert here.report("bare")["excused"] is True
    with here.book() as book:
        numbers = [(one.decision.number, one.name) for one in book.decision_records()]
    assert numbers == [(1, "bare"), (2, "right_einsum"), (3, "right_einsum"), (4, "right_einsum")]


@pytest.mark.slow
def test_points_for_another_hand_in_are_taken_and_do_not_count(here):
    """As without the damage: they stand there, and the report says why they change nothing."""
    adjust("bare", "--check", "scores", "--points", 3)
    with (here.path / "class" / "bare.py").open("a", encoding="utf-8") as file:
        file.write("# mended\n")
    fresh(here)
    assert (
        "It was made for an earlier hand-in and does not count for this one: decide again (not in force)" in restore()
    )
    assert here.report("bare")["score"] == 0


@pytest.mark.slow
def test_who_forgets_it_is_reminded(here):
    """Where the gradebook lacks what the copy holds, grade, export and history say so, until it is restored."""
    adjust("bare", "--excuse")
    assert "do not count" not in say("history", "graded", "bare")
    assert "do not count" not in here.grade()
    (here.out / FILE).unlink()
    said = here.grade()
    reminder = (
        "graded/decisions.db holds 1 decision that the gradebook lacks and that do not count yet."
        " To restore them, run `grader adjust graded --restore graded/decisions.db`."
    )
    assert said.endswith(reminder)
    saved = (here.out / COPY).read_bytes()
    (here.out / COPY).write_bytes(saved[:5000])
    assert say("history", "graded", "bare").endswith("Decisions in it do not count until it can be read.")
    (here.out / COPY).write_bytes(saved)
    assert say("history", "graded", "bare").endswith(reminder)
    assert f"{reminder} Wrote graded/exports/" in say("export", "graded", "--format", "gradebook")
    restore()
    assert "do not count" not in say("history", "graded", "bare")
    (one,) = read_copy(here.out / COPY).records
    write_copy(here.out / COPY, [one, replace(one, name="gone")], None)
    assert "do not count" not in say("history", "graded", "bare"), "nobody of that name can be decided about"
    (here.out / COPY).write_text("my own notes", encoding="utf-8")
    assert "do not count" not in say("history", "graded", "bare")


@pytest.mark.slow
def test_a_roster_alone_is_remembered(here):
    """Nobody decided anything, and the gradebook is lost: the students' names come back into reports and class page."""
    here.grade("--roster", "roster.csv")
    page = here.text("index.html")
    assert here.report("bare")["student"] == "Doe, Ann"
    (here.out / FILE).unlink()
    assert "holds a roster that the gradebook lacks" in here.grade()
    assert here.report("bare")["student"] is None
    assert restore() == "Decisions in graded/decisions.db: none. Roster: 4 students restored."
    assert here.report("bare")["student"] == "Doe, Ann"
    assert here.text("index.html") == page
    assert "lacks" not in say("history", "graded", "bare")


# ---------------------------------------------------------------- what is refused


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["bare", "--restore", "x.csv"], "--restore reads everything from its file. Leave out NAME"),
        (["--restore", "x.csv", "--excuse"], "Leave out NAME and all other options"),
        (["--restore", "x.csv", "--comment", "x"], "Leave out NAME and all other options"),
        (["--restore", "none.db"], "none.db: it cannot be read (No such file or directory). Expected a decisions.db"),
        (["--restore", "roster.csv"], "roster.csv: this is not an SQLite database. Expected a decisions.db"),
        (["--restore", "graded/gradebook.db"], "Expected a decisions.db as the grader writes it beside a gradebook."),
        (["--excuse", "--comment", "x"], "No submission is named. Usage: grader adjust DIR NAME..."),
    ],
)  # fmt: skip
def test_what_cannot_be_restored_is_said_plainly(here, words, said):
    """Bad usage, in words, and nothing is taken."""
    assert said in say("adjust", "graded", *words, status=2)
    with here.book() as book:
        assert book.decision_records() == []


@pytest.mark.slow
def test_a_damaged_copy_restores_nothing(here):
    """The copy is read whole before the first decision is kept."""
    adjust("bare", "--excuse")
    saved = (here.out / COPY).read_bytes()
    fresh(here)
    (here.path / "x.db").write_bytes(saved[:5000])
    assert "x.db: " in restore("x.db", status=2)
    with here.book() as book:
        assert book.decision_records() == []


def test_a_roster_that_names_a_submission_that_is_not_there_is_not_kept(here):
    """Kept, it would stop every later command; a decision beside it is not kept either."""
    twice = tuple(Claim(Student(name), "gone.py", line) for line, name in ((2, "Ann"), (3, "Bob")))
    roster = Roster(tuple(one.student for one in twice), source="roster.csv", claims=twice)
    write_copy(
        here.path / "x.db",
        [DecisionRecord("bare", Decision(1, "excused", "", 1.0, "Ill.", "ada", "2026-11-22T15:19:03Z", ""), "")],
        roster,
    )
    assert "is not among those handed in" in restore("x.db", status=2)
    with here.book() as book:
        assert book.roster() is None
        assert book.decision_records() == []


# ---------------------------------------------------------------- when it is written


def test_it_is_written_with_every_decision(here):
    """Made and taken back: the copy says what the gradebook says, with what the check was worth."""
    adjust("bare", "--check", "scores", "--points", 3, comment="Half.")
    adjust("bare", "--withdraw", 1, by="bob", comment="No.")
    (one,) = read_copy(here.out / COPY).records
    assert (one.name, one.decision.value, one.decision.of, one.decision.comment) == ("bare", 3.0, 8.0, "Half.")
    assert re.fullmatch(r"bob, \S+: No\.", one.withdrawn)


@pytest.mark.slow
def test_a_removed_file_comes_back(here):
    """Whatever opens the gradebook to write it finds that it is missing."""
    adjust("bare", "--excuse")
    content = (here.out / COPY).read_bytes()
    (here.out / COPY).unlink()
    here.change(points("scores", 8, 9))
    here.regrade()
    assert (here.out / COPY).read_bytes() == content


def test_one_that_cannot_be_written_is_told_and_costs_no_decision(here, monkeypatch):
    """The gradebook has it already; the disk that is full is named."""
    move = Path.replace

    def full(partly, path):
        if COPY in path.name:
            raise OSError(28, "No space left on device")
        return move(partly, path)

    monkeypatch.setattr(Path, "replace", full)
    assert "the disk is full" in adjust("bare", "--excuse", status=1)
    monkeypatch.undo()
    with here.book() as book:
        assert len(book.decision_records()) == 1
