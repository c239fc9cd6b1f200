"""What people write about a hand-in, and what a student asks: kept once, with who and when, shown as words, and answered."""

from __future__ import annotations

import csv
import io
import json
import shutil
import sqlite3
import zipfile
from contextlib import closing
from pathlib import Path
from typing import get_args

import pytest

from classroom.books import decision, line
from classroom.conftest import BARE
from classroom.once import graded_once, points, say
from grader.classroom import safety_copy, schema
from grader.classroom.gradebook import FILE, Gradebook
from grader.classroom.storage import COPY
from grader.model import DecisionKind
from grader.reports import report_json
from grader.submission import read

HOSTILE = "Look </script><img src=x onerror=alert(1)> \x1b[2J \u202e ::error::x =1+1"
ROSTER = """Student,ID,SIS User ID,SIS Login ID,Section,submission
"Doe, Ann",101,s101,ann,1,bare.py
"Roe, Bob",102,s102,bob,1,right_einsum.py
"""


@pytest.fixture
def here(tmp_path_factory, tmp_path, monkeypatch):
    """Return a class that is graded."""
    return graded_once(tmp_path_factory, tmp_path, monkeypatch)


def adjust(*words: object, status: int = 0) -> str:
    """Decide or write."""
    return say("adjust", "graded", *words, "--by", "ada", status=status)


def table(here, text: str | bytes) -> str:
    """Write a table and return its name."""
    (here.path / "table.csv").write_bytes(text if isinstance(text, bytes) else text.encode())
    return "table.csv"


def rulings(here, name: str) -> list[tuple[str, str, bool]]:
    """Return kind, words and force of what stands in a report."""
    return [(one["kind"], one["comment"], one["applies"]) for one in here.report(name).get("rulings", [])]


def ask(here, name: str, words: str | bytes) -> str:
    """Hand a program and a request in, in a folder, and grade the class."""
    folder = here.path / "class" / name
    folder.mkdir(exist_ok=True)
    (folder / "net.py").write_text(BARE, encoding="utf-8")
    (folder / "regrade_request.txt").write_bytes(words if isinstance(words, bytes) else words.encode())
    return here.grade()


# ---------------------------------------------------------------- comments


def test_a_comment_alone_changes_no_points_and_replaces_none(here):
    """Two stand side by side in the page, the terminal and report.json; the history tells who wrote them."""
    said = adjust("bare", "--comment", "Come and see me.")
    assert said == "bare: 0 of 100 points. 1. Comment"
    assert "2. Comment on scores" in adjust("bare", "--check", "scores", "--comment", "Softmax is missing.")
    assert rulings(here, "bare") == [("comment", "Come and see me.", True), ("comment", "Softmax is missing.", True)]
    assert "Comment on scores by ada on " in say("show", "graded", "bare")
    for part in ("Come and see me.", "Softmax is missing.", "Comment on scores"):
        assert part in here.page("bare")
        assert part in say("show", "graded", "bare")
    assert "comment 2 by" not in (told := say("history", "graded", "bare"))
    assert "decision 2 by ada: comment on scores: Softmax is missing." in told
    assert "2. Comment on scores" not in adjust("bare", "--withdraw", 2, "--comment", "Wrong.")
    assert "Softmax" not in here.page("bare")


def test_everybody_who_fails_a_check_or_made_a_mistake_is_told_once(here):
    """The same command twice says it once; who fails nothing is told nothing."""
    for _ in range(2):
        adjust("--failed", "gradient_W1", "--check", "gradient_W1", "--comment", "See lecture 4.")
        adjust("--mistake", "regulariser_gradient_halved", "--comment", "Half of it.")
    assert rulings(here, "wrong_half_the_gradient") == [
        ("comment", "See lecture 4.", True),
        ("comment", "Half of it.", True),
    ]
    assert rulings(here, "right_einsum") == []


def test_a_table_of_comments(here):
    """Students are named as in a roster; a line that names nobody is told, and a wrong check refuses the whole table."""
    (here.path / "roster.csv").write_text(ROSTER, encoding="utf-8")
    say("export", "graded", "--format", "decisions", "--roster", "roster.csv")
    rows = 'login,check,comment\nann,scores,"Two\nlines"\nbob,,Well done.\nzoe,,Who?\nann,,\nbob,,Well done.\n'
    assert "Not known: line 5." in adjust("--from", table(here, rows))
    assert rulings(here, "bare") == [("comment", "Two\nlines", True)]
    assert rulings(here, "right_einsum") == [("comment", "Well done.", True)]
    said = adjust("--from", table(here, "login,check,comment\nbob,,New.\nann,scoers,x\n"), status=2)
    assert "table.csv, line 3: scoers: the rubric has no such check: did you mean scores?" in said
    assert "New." not in here.page("right_einsum")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("login,remark\nann,x\n", "table.csv: no column tells how late anybody was. Expected `comment`, `request`, "),
        (
            f"login,comment\nann,{'x' * 4001}\n",
            "table.csv, line 2: 4,001 characters, and a report shows at most 4,000.",
        ),
        (b"\x00\x01\x02", "table.csv, line 1: the character U+0000"),
        ("", "table.csv: the file is empty."),
    ],
)
def test_what_is_no_table_of_words_is_refused(here, text, said):
    """With its line, and nothing is saved."""
    assert said in adjust("--from", table(here, text), status=2)
    assert "apply to everybody" in adjust("bare", "--from", "table.csv", status=2)
    with here.book() as book:
        assert book.decision_records() == []


def test_platforms_get_the_comments_as_words(here):
    """Canvas and Moodle show them first, on one line, without markup; nothing that a student asked is among them."""
    (here.path / "roster.csv").write_text(ROSTER, encoding="utf-8")
    adjust("bare", "--comment", "Good <b>start</b>.\n=1+1", "--check", "scores")
    adjust("--from", table(here, "submission,request\nbare,Please look again.\n"))
    out = ("--roster", "roster.csv", "--without", "wrong_half_the_gradient", "--without", "broken_syntax")
    say("export", "graded", "--format", "canvas-comments", *out)
    rows = {row[0]: row[-1] for row in csv.reader(io.StringIO(here.text("exports/canvas-comments.csv")))}
    assert rows["Doe, Ann"].startswith("ada on scores: Good < b>start< /b>. =1+1 ")
    assert "look again" not in rows["Doe, Ann"]
    assert rows["Roe, Bob"] == "Everything is right."


def test_a_comment_on_an_earlier_hand_in_says_so(here):
    """It was about that program; the new one has to be read again."""
    adjust("bare", "--comment", "Nothing is here yet.")
    (here.path / "class" / "bare.py").write_text(f"{BARE}# more\n", encoding="utf-8")
    here.grade()
    assert rulings(here, "bare") == [("comment", "Nothing is here yet.", False)]
    assert "Comment of an earlier hand-in by ada on " in say("show", "graded", "bare")


def test_the_published_schema_knows_each_kind():
    """An older report.json still fits; one with words fits as well."""
    schema = json.loads((Path(report_json.__file__).parent / "report.schema.json").read_text(encoding="utf-8"))
    assert set(schema["$defs"]["ruling"]["properties"]["kind"]["enum"]) == set(get_args(DecisionKind))


# ---------------------------------------------------------------- requests


def test_a_request_in_the_hand_in_waits_for_an_answer(here):
    """The student's page confirms it, the class page lists it, it is asked once, and what is decided next answers it."""
    assert "To look at: asks: Regrade request: My scores are right." in ask(here, "asks", "My scores are right.")
    assert "nobody has answered it yet" in here.page("asks")
    assert "My scores are right." in here.text("index.html")
    assert "5 unchanged" in here.grade()
    here.change(points("scores", 8, 9))
    here.regrade()
    assert rulings(here, "asks") == [("request", "My scores are right.", True)]
    adjust("--mistake", "regulariser_gradient_halved", "--comment", "To many.")
    said = adjust("asks", "--check", "scores", "--points", 2, "--comment", "In part.")
    assert "1. Regrade request. Answered by decision 4 (not in force)" in said
    assert "4. Regrade request answered" in said
    assert "My scores are right." not in here.text("index.html")
    assert "To look at" not in here.grade()
    adjust("asks", "--withdraw", 4, "--comment", "Not yet.")
    assert "My scores are right." in here.text("index.html")
    adjust("asks", "--withdraw", 1, "--comment", "Spam.")
    here.grade()
    assert "My scores are right." not in here.page("asks") + here.text("index.html")
    ask(here, "asks", "And the loss?")
    assert "And the loss?" in here.page("asks")


def test_an_answered_request_stays_answered_after_a_damaged_gradebook(here):
    """The same file is handed in when the class is graded again; the copy of the decisions knows it."""
    ask(here, "asks", "My scores are right.")
    adjust("asks", "--comment", "No.")
    (here.out / FILE).unlink()
    here.grade()
    say("adjust", "graded", "--restore", "graded/decisions.db")
    assert [kind for kind, _, _ in rulings(here, "asks")] == ["request", "comment", "request"]
    assert "My scores are right." not in here.text("index.html")


def test_a_request_may_hold_anything(here):
    """Markup, a terminal's codes, a runner's commands and formulas are words; 10 MB are cut; a runner is told nothing."""
    said = ask(here, "asks", HOSTILE.encode() + b" " + b"x" * 10_000_000)
    page, index = here.page("asks"), here.text("index.html")
    for text in (said, page, index, say("history", "graded", "asks"), say("show", "graded", "asks")):
        assert not {"\x1b", "\u202e"} & set(text)
        assert "::error" not in text
        assert len(text) < 200_000
    assert "<img src=x" not in page + index
    assert "&lt;img src=x" in page
    assert "The file goes on; no more of it was read." in page
    assert index.count("x" * 100) < 12
    say("export", "graded", "--format", "decisions")
    assert "::error" not in here.text("exports/decisions.csv")


@pytest.mark.parametrize(
    ("data", "words"),
    [
        ("Grüße, bitte prüfen".encode("cp1252"), "Grüße, bitte prüfen"),
        ("Grüße".encode("utf-8-sig"), "Grüße"),
        ("Grüße".encode("utf-16"), "Grüße"),
        ("ü".encode() * 9000, "ü" * 100),
        (bytes(range(256)), "(What the file holds is no text.)"),
        (b" \n", ""),
    ],
)
def test_a_request_in_any_encoding(tmp_path, data, words):
    """Whatever editor saved it; in a folder or a zip, with the name that a browser gave it."""
    (tmp_path / "net.py").write_text(BARE, encoding="utf-8")
    (tmp_path / "Regrade-Request (1).txt").write_bytes(data)
    with zipfile.ZipFile(tmp_path.parent / "net.zip", "w") as file:
        for path in tmp_path.iterdir():
            file.write(path, path.name)
    for hand_in in (read(tmp_path), read(tmp_path.parent / "net.zip")):
        assert hand_in.problem is None
        assert hand_in.request.startswith(words)
        assert bool(hand_in.request) == bool(words)
        assert len(hand_in.request) <= 4000


def test_a_request_beside_a_notebook_of_canvas(tmp_path):
    """It lies in the same folder as everybody's files, under its author's name, and is nobody else's."""
    for name in ("doejane_101_5551_net.py", "roebob_102_5553_net.py"):
        (tmp_path / name).write_text(BARE, encoding="utf-8")
    (tmp_path / "doejane_101_5552_regrade_request-1.txt").write_text("Please.", encoding="utf-8")
    assert read(tmp_path / "doejane_101_5551_net.py").request == "Please."
    assert read(tmp_path / "roebob_102_5553_net.py").request == ""


def test_a_request_without_a_program_goes_to_the_hand_in_that_counts(here):
    """A student who hands in nothing but the request keeps the grade, and a stranger's is listed as well."""
    (here.path / "roster.csv").write_text(
        ROSTER.replace(",submission", "").replace(",bare.py", "").replace(",right_einsum.py", ""), encoding="utf-8"
    )
    folder = here.path / "class"
    shutil.rmtree(folder)
    folder.mkdir()
    (folder / "Ann Doe_1_assignsubmission_file_").mkdir()
    (folder / "Ann Doe_1_assignsubmission_file_" / "net.py").write_text(BARE, encoding="utf-8")
    (folder / "Ann Doe_2_assignsubmission_file_").mkdir()
    (folder / "Ann Doe_2_assignsubmission_file_" / "regrade_request.txt").write_text("Once more.", encoding="utf-8")
    (folder / "stranger").mkdir()
    (folder / "stranger" / "regrade_request.txt").write_text("Me too.", encoding="utf-8")
    said = here.grade("--roster", "roster.csv")
    assert "Regrade request: Once more." in said
    assert "Regrade request: Me too." in said
    assert "Once more." in here.page("Ann Doe_1_assignsubmission_file_")


# ---------------------------------------------------------------- an older gradebook, and its copy


def test_an_older_gradebook_and_its_copy_are_read(tmp_path):
    """Decisions stay with their numbers, comments can be added, and a copy that knows no comments is whole."""
    with Gradebook(tmp_path, create=True) as book:
        book.insert([line("alice")], "title = 'x'\n")
        book.decide_all([("alice", decision(of=2.0))])
        before = book.decision_records()
    with closing(sqlite3.connect(tmp_path / FILE)) as database:
        old = schema._PEOPLE.partition("CREATE TABLE student")[0] + schema._WORTH
        database.executescript(f"ALTER TABLE decision RENAME TO kept; {old}")
        database.executescript("INSERT INTO decision SELECT * FROM kept; DROP TABLE kept; DELETE FROM setting;")
        database.execute("ALTER TABLE grading DROP COLUMN ranges")
        database.execute(f"PRAGMA user_version = {schema.MIGRATIONS.index(schema._MORE_KINDS + schema._WORDS)}")
    earlier = safety_copy._TABLES.replace(safety_copy._LATER, "")
    with closing(sqlite3.connect(":memory:")) as database:
        database.executescript(earlier)
        database.execute(
            "INSERT INTO decision VALUES (9, 'excused', '', 1.0, 'Ill.', 'ada', '2026-01-01T00:00:00Z', 'd', NULL, 'alice', '')"
        )
        database.commit()
        (tmp_path / COPY).write_bytes(database.serialize())
    with Gradebook(tmp_path) as book:
        assert book.decision_records() == before
        book.decide_all([("alice", decision("comment", 0.0, comment="Well done."))])
        book.write_copy()
        assert len(book.secret_key()) == 32
    kinds = [one.decision.kind for one in safety_copy.read_copy(tmp_path / COPY).records]
    assert kinds == ["excused", "points", "comment"]
