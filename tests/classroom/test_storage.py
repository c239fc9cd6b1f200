"""The gradebook's file: whoever writes has it alone, and what is wrong with it is said in words."""

from __future__ import annotations

import os
import random
import sqlite3
import time
from contextlib import closing
from pathlib import Path

import pytest

from classroom.books import (
    RUBRIC,
    SOMEBODY,
    decision,
    everything,
    filled,
    line,
    listed,
    somebody,
)
from grader.classroom import storage
from grader.classroom.gradebook import FILE, Gradebook, GradebookError, NoSpaceError
from grader.classroom.roster import Roster
from grader.classroom.storage import COPY
from grader.model import Student


@pytest.fixture
def book(tmp_path):
    """Return a gradebook that is open and empty."""
    with Gradebook(tmp_path, create=True) as opened:
        yield opened


# ------------------------------------------------------------ one at a time


@pytest.mark.slow
def test_only_one_has_it_open(tmp_path, monkeypatch):
    """A second grader is told so after it waited a little, and opens it once the first is done."""
    monkeypatch.setattr(storage, "BUSY_SECONDS", 0.3)
    with Gradebook(tmp_path, create=True) as first:
        started = time.monotonic()
        for create in (False, True):
            with pytest.raises(GradebookError, match=SOMEBODY):
                Gradebook(tmp_path, create=create)
        assert time.monotonic() - started < 5
        first.insert([line("alice")], RUBRIC)
        with pytest.raises(GradebookError, match=SOMEBODY):
            Gradebook(tmp_path)
    with Gradebook(tmp_path) as second:
        assert list(second.last()) == ["alice"]
    with Gradebook(tmp_path), pytest.raises(GradebookError, match=SOMEBODY):
        Gradebook(tmp_path)  # one that was there before is locked by being opened, not only by being written


@pytest.mark.parametrize("lock", ["BEGIN EXCLUSIVE", "BEGIN IMMEDIATE", "BEGIN; SELECT * FROM grading"])
def test_a_tool_that_holds_it_is_told_of(tmp_path, monkeypatch, lock):
    """Somebody who looks into the file with another program is asked to close that."""
    monkeypatch.setattr(storage, "BUSY_SECONDS", 0.2)
    filled(tmp_path)
    with closing(sqlite3.connect(tmp_path / FILE, isolation_level=None)) as tool:
        for statement in lock.split("; "):
            tool.execute(statement)
        with pytest.raises(GradebookError, match=SOMEBODY):
            Gradebook(tmp_path)
    Gradebook(tmp_path).close()


def test_the_settings_are_in_force(book, tmp_path):
    """WAL, full syncs, foreign keys and the exclusive lock are what SQLite says that they are."""
    book.insert([line("alice")], RUBRIC)
    settings = {name: book._storage.rows(f"PRAGMA {name}") for name in ("journal_mode", "synchronous", "foreign_keys")}
    assert settings == {"journal_mode": [("wal",)], "synchronous": [(2,)], "foreign_keys": [(1,)]}
    assert book._storage.rows("PRAGMA locking_mode") == [("exclusive",)]
    assert listed(tmp_path) == [FILE, f"{FILE}-wal"], "no memory is shared: network drives have none"
    book.close()
    assert listed(tmp_path) == [FILE]
    Gradebook(tmp_path).close()
    assert listed(tmp_path) == [FILE]


@pytest.mark.parametrize(
    "name", ["with spaces", "\u00e4\u00f6\u00fc", "a?mode=memory", "a#b", "%41", "'quoted\"", ":memory:"]
)
def test_a_folder_may_have_any_name(tmp_path, name, monkeypatch):
    """SQLite's URIs and special names do not leak into what a folder may be called."""
    monkeypatch.chdir(tmp_path)
    folder = Path(name)
    folder.mkdir()
    before = filled(folder)
    assert listed(folder) == [COPY, FILE]
    assert listed(tmp_path) == [name]
    for reading in (False, True):
        with Gradebook(folder, reading=reading) as again:
            assert everything(again) == before


@pytest.mark.parametrize("beside", ["", "submissions", "decisions.db"])
def test_one_that_was_taken_away_is_told_from_a_wrong_folder(tmp_path, beside):
    """Where the rest of a graded class stands, the folder is right: how to get the gradebook back is said."""
    if beside:
        (tmp_path / beside).write_text("x", encoding="utf-8")
    with pytest.raises(GradebookError) as caught:
        Gradebook(tmp_path)
    assert (
        "There was one before: bring it back, or grade again, with the same --assignment" in str(caught.value)
    ) == bool(beside)
    assert ("Give the folder that you gave" in str(caught.value)) == (not beside)
    assert ("--restore" in str(caught.value)) == (beside == "decisions.db")


@pytest.mark.parametrize("reading", [False, True])
def test_an_empty_file_is_a_damaged_gradebook(tmp_path, reading):
    """To SQLite it is a database without tables, and a whole class would count as none."""
    (tmp_path / FILE).touch()
    with pytest.raises(
        GradebookError, match=r"it is empty\. The file is damaged, or it is not a gradebook\. Move it away"
    ):
        Gradebook(tmp_path, reading=reading)
    assert not (tmp_path / FILE).stat().st_size
    # A grading that was killed as it made the file goes on.
    Gradebook(tmp_path, create=True).close()


def test_it_is_made_only_where_that_is_wanted(tmp_path):
    """A folder that was mistyped gets no empty gradebook."""
    for folder in (tmp_path, tmp_path / "missing"):
        with pytest.raises(GradebookError, match=r"there is no gradebook\.db in it\. Give the folder"):
            Gradebook(folder)
    assert listed(tmp_path) == []


def test_it_can_be_closed_twice_and_says_so_afterwards(book):
    """Using it after it was closed is told as every other error is."""
    book.close()
    book.close()
    with pytest.raises(GradebookError):
        book.last()


# ------------------------------------------------------------ damage


@pytest.mark.parametrize(
    "content",
    [b"name,score\nalice,3\n" * 100, b"xy", bytes(4096), os.urandom(8192), b"SQLite format 3\0" + os.urandom(8192)],
    ids=["text", "two bytes", "zeros", "random", "random after the magic"],
)
def test_a_file_that_is_no_gradebook_is_refused_and_not_touched(tmp_path, content):
    """The text says that it is none, and what to do; the file stays as it is."""
    (tmp_path / FILE).write_bytes(content)
    with pytest.raises(GradebookError, match=r"gradebook\.db: "):
        Gradebook(tmp_path, create=True)
    assert (tmp_path / FILE).read_bytes() == content


def test_a_text_file_is_told_apart(tmp_path):
    """The whole of what a person reads who named the wrong file."""
    (tmp_path / FILE).write_text("name,score\nalice,3\n" * 100)
    with pytest.raises(GradebookError) as caught:
        Gradebook(tmp_path)
    assert str(caught.value) == (
        f"{tmp_path / FILE}: file is not a database. The file is damaged, or it is not a gradebook. Move it away and grade again, with the same --assignment and --seed as before."
        " The reports in submissions/ stay until their submissions are graded."
    )


@pytest.mark.parametrize(
    ("beside", "said"),
    [
        ((), "until their submissions are graded."),
        (
            (COPY,),
            (
                "until their submissions are graded. People's decisions and the roster are also in decisions.db. Grade the"
                " class again, then restore them with `grader adjust {} --restore {}/decisions.db`."
            ),
        ),
    ],
)
def test_a_damaged_file_names_what_stands_beside_it(tmp_path, beside, said):
    """Moving it away costs nothing that people did, and the text says how to get it back; only what is there is named."""
    (tmp_path / FILE).write_bytes(b"rot" * 1000)
    for name in beside:
        (tmp_path / name).touch()
    with pytest.raises(GradebookError) as caught:
        Gradebook(tmp_path)
    assert str(caught.value).endswith(said.replace("{}", str(tmp_path)))


def test_a_folder_in_its_place_is_told(tmp_path):
    """A folder of that name cannot be opened."""
    (tmp_path / FILE).mkdir()
    with pytest.raises(GradebookError, match=r"it cannot be opened for writing \(.*\)\. Check that the folder exists"):
        Gradebook(tmp_path)
    with pytest.raises(GradebookError, match="it cannot be opened for writing"):
        Gradebook(tmp_path / "missing", create=True)


@pytest.mark.slow
def test_whatever_is_damaged_only_our_errors_come_out(tmp_path):
    """Cut off anywhere, or with bytes turned: each method gives something or a GradebookError."""
    filled(tmp_path)
    whole = (tmp_path / FILE).read_bytes()
    dice = random.Random(11)  # noqa: S311 -- no secret
    refused = 0
    for number in range(150):
        damaged = bytearray(whole[: dice.randrange(len(whole))] if number % 3 == 0 else whole)
        for _ in range(dice.choice([1, 3, 30]) if number % 3 else 0):
            damaged[dice.randrange(len(damaged))] = dice.randrange(256)
        (tmp_path / FILE).write_bytes(damaged)
        try:
            with Gradebook(tmp_path) as book:
                everything(book)
                book.insert([line("s1"), line("new")], RUBRIC)
                book.decide_all([("s1", decision())])
                book.set_roster(Roster((Student("x"),)))
        except GradebookError as error:
            refused += str(error).startswith(f"{tmp_path / FILE}: ")
        for path in tmp_path.iterdir():
            path.unlink()
    assert refused > 30


@pytest.mark.parametrize(
    "damage",
    [
        "UPDATE grading SET record = x'00'",
        "UPDATE grading SET record = NULL",
        "UPDATE grading SET record = (SELECT packed FROM student)",
        "UPDATE submission SET source = CAST(x'ff' AS TEXT)",
        "UPDATE submission SET source = 'bytes:%FF'",
        "UPDATE student SET packed = x'00'",
        "UPDATE student SET packed = (SELECT record FROM grading)",
        "UPDATE grading SET report = CAST(x'ff' AS TEXT)",
        "DELETE FROM replies",
        "DELETE FROM assignment",
        "DROP TABLE student",
    ],
)
def test_what_somebody_changed_in_it_is_told(tmp_path, damage):
    """Where a tool took something out or put something else in, the gradebook says that it is damaged."""
    filled(tmp_path)
    with closing(sqlite3.connect(tmp_path / FILE, isolation_level=None)) as database:
        database.execute(damage)
    with (
        Gradebook(tmp_path) as book,
        pytest.raises(GradebookError, match="The file is damaged, or it is not a gradebook"),
    ):
        everything(book)


def test_what_is_not_there_is_told(book):
    """Asking for a name or a number that there is not gives no ValueError from inside."""
    for ask in (
        lambda: book.report("nobody"),
        lambda: book.published(7),
        lambda: book.replies(7),
        lambda: book.assignment_text("none"),
    ):
        with pytest.raises(GradebookError, match=r"there is no .* in it"):
            ask()
    assert book.gradings("nobody") == []


def test_a_commit_that_fails_is_told_and_kept_back(book):
    """An error at COMMIT itself, too, comes out in words, and nothing of it is there."""
    book._storage._database.execute(
        "CREATE TABLE late (id INTEGER REFERENCES replies (id) DEFERRABLE INITIALLY DEFERRED)"
    )
    book._storage._database.execute("CREATE TRIGGER t AFTER INSERT ON grading BEGIN INSERT INTO late VALUES (99); END")
    with pytest.raises(GradebookError, match="FOREIGN KEY"):
        book.insert([line("alice")], RUBRIC)
    assert book.last() == {}
    book._storage._database.execute("DROP TRIGGER t")
    book.insert([line("alice")], RUBRIC)
    assert list(book.last()) == ["alice"]


# ------------------------------------------------------------ where it stands


@pytest.mark.skipif(not hasattr(os, "geteuid"), reason="modes are Unix's")
@pytest.mark.parametrize("what", ["folder", "file", "closed folder", "unreadable file"])
def test_a_place_where_nobody_may_write_is_told(what):
    """A read-only folder or file, or one that may not be looked into, is named, with what is expected."""
    with somebody() as parent:
        folder = parent / "graded"
        folder.mkdir()
        filled(folder)
        path = folder if "folder" in what else folder / FILE
        path.chmod({"folder": 0o500, "file": 0o400, "closed folder": 0o000, "unreadable file": 0o000}[what])
        if what == "folder":
            (folder / FILE).chmod(0o400)
        try:
            with pytest.raises(
                GradebookError, match=r"it cannot be opened for writing \(.*and that you may write there"
            ):
                Gradebook(folder)
        finally:
            folder.chmod(0o700)


def test_a_full_disk_is_told(book):
    """Where SQLite has no page left, it is the disk that is full, and nothing of the grading is there."""
    book.insert([line("alice")], RUBRIC)
    ((pages,),) = book._storage.rows("PRAGMA page_count")
    book._storage._database.execute(f"PRAGMA max_page_count = {pages}")
    with pytest.raises(NoSpaceError, match="the disk is full"):
        book.insert([line("bob", replies=os.urandom(100_000))], RUBRIC)
    book._storage._database.execute(f"PRAGMA max_page_count = {pages + 100}")
    assert list(book.last()) == ["alice"]
    assert book._storage.rows("SELECT count(*) FROM replies") == [(1,)]
