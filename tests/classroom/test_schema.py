"""An older gradebook becomes a newer one, all the way or not at all; another program's is not touched."""

from __future__ import annotations

import shutil
import sqlite3
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from classroom.books import (
    NEWEST,
    decision,
    filled,
    listed,
    rows,
    version_1,
)
from grader.classroom import schema
from grader.classroom.gradebook import FILE, Gradebook, GradebookError
from grader.classroom.results import ClassResults
from grader.classroom.storage import COPY
from grader.packing import unpack


def test_an_older_gradebook_becomes_a_newer_one(tmp_path):
    """Its rows are there, the new tables too, and the old file is beside it as it was."""
    version_1(tmp_path)
    with Gradebook(tmp_path) as book:
        assert book._storage.rows("PRAGMA user_version") == [(NEWEST,)]
        assert list(book.last()) == ["alice", "bob"]
        assert book.report("bob").submission == "bob"
        book.decide_all([("alice", decision())])
    assert listed(tmp_path) == [FILE, f"{FILE}.version-1"]
    with closing(sqlite3.connect(tmp_path / f"{FILE}.version-1")) as old:
        assert old.execute("PRAGMA user_version").fetchone() == (1,)
        assert old.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        assert old.execute("SELECT name FROM grading ORDER BY id").fetchall() == [("alice",), ("bob",)]
        assert old.execute("SELECT name FROM sqlite_schema WHERE name = 'decision'").fetchall() == []
    shutil.copy(tmp_path / f"{FILE}.version-1", tmp_path / FILE)
    with Gradebook(tmp_path) as again:
        assert again.decision_records() == []
        assert list(again.last()) == ["alice", "bob"]


@pytest.mark.parametrize(
    "broken", ["CREATE TABLE more (x); CREATE TABLE grading (x);", "CREATE TABLE more (x); nonsense;"]
)
@pytest.mark.parametrize("start", range(1, NEWEST + 1))
def test_a_migration_that_fails_changes_nothing(tmp_path, monkeypatch, broken, start):
    """However many versions it is behind, a gradebook is at the newest one or as it was."""
    if start == len(schema.MIGRATIONS):
        filled(tmp_path)
    else:
        version_1(tmp_path)
        with closing(sqlite3.connect(tmp_path / FILE, isolation_level=None)) as database:
            database.create_function("carried", 1, schema._carried)
            database.executescript("".join(schema.MIGRATIONS[1:start]) + f"PRAGMA user_version = {start};")
    dump = "SELECT * FROM grading, sqlite_schema ORDER BY 1"
    before = rows(tmp_path, dump)
    monkeypatch.setattr(schema, "MIGRATIONS", (*schema.MIGRATIONS, broken))
    for _ in range(2):
        with pytest.raises(GradebookError):
            Gradebook(tmp_path)
        assert rows(tmp_path, "PRAGMA user_version") == [(start,)]
        assert rows(tmp_path, dump) == before
    assert set(listed(tmp_path)) - {COPY} == {FILE, f"{FILE}.version-{start}"}
    monkeypatch.undo()
    with Gradebook(tmp_path) as book:
        assert book.last()
        assert book._storage.rows("PRAGMA user_version") == [(NEWEST,)]


def test_a_first_table_that_cannot_be_made_leaves_nothing(tmp_path, monkeypatch):
    """A gradebook that could not be made is an empty file, and the next grading makes it."""
    monkeypatch.setattr(schema, "MIGRATIONS", (schema.MIGRATIONS[0], "nonsense;"))
    with pytest.raises(GradebookError):
        Gradebook(tmp_path, create=True)
    assert rows(tmp_path, "SELECT name FROM sqlite_schema") == []
    monkeypatch.undo()
    filled(tmp_path)


def test_a_newer_gradebook_is_refused_and_not_touched(tmp_path):
    """A grader that does not know the tables says which it knows, and what to do."""
    filled(tmp_path)
    with closing(sqlite3.connect(tmp_path / FILE)) as database:
        database.execute("PRAGMA journal_mode = DELETE")
        database.execute(f"PRAGMA user_version = {NEWEST + 1}")
    before = (tmp_path / FILE).read_bytes()
    with pytest.raises(
        GradebookError, match=rf"have version {NEWEST + 1}, .* up to {NEWEST}\. A newer grader wrote it: install"
    ):
        Gradebook(tmp_path)
    assert (tmp_path / FILE).read_bytes() == before


@pytest.mark.parametrize("version", range(NEWEST + 1))
def test_another_programs_database_is_refused_and_not_touched(tmp_path, version):
    """Not a byte of it may change: nbgrader calls its own gradebook.db as well."""
    with closing(sqlite3.connect(tmp_path / FILE)) as database:
        database.execute("CREATE TABLE assignment (id INTEGER, name TEXT)")
        database.execute(f"PRAGMA user_version = {version}")
    before = (tmp_path / FILE).read_bytes()
    with pytest.raises(GradebookError, match=r"database of another program .* Name another folder with --out"):
        Gradebook(tmp_path, create=True)
    assert (tmp_path / FILE).read_bytes() == before
    assert listed(tmp_path) == [FILE]


def test_decisions_of_an_older_gradebook_do_not_know_what_the_check_was_worth(tmp_path):
    """They stay what they were, their worth is not made up, and the next decision's is kept."""
    version_1(tmp_path)
    with closing(sqlite3.connect(tmp_path / FILE, isolation_level=None)) as database:
        database.executescript("".join(schema.MIGRATIONS[1:3]) + "PRAGMA user_version = 3;")
        database.execute(
            "INSERT INTO decision (name, kind, check_id, value, comment, made_by, at, submission_digest)"
            " VALUES ('alice', 'points', 'loss', 1.0, 'seen', 'ta', '2026-11-22T15:00:00Z', 'digest')"
        )
    with Gradebook(tmp_path) as book:
        book.decide_all([("alice", decision(of=2.0))])
        new = book.decision_records()[-1].decision
        assert book.decisions() == {"alice": (replace(decision(), number=1, of=None), new)}
        assert new == replace(decision(), number=2, of=2.0)


def test_what_an_older_grader_found_is_read_by_todays_words(tmp_path):
    """It wrote this file, of which only the replies are gone: what it called passed is carried, in reports old and new."""
    shutil.copy(Path(__file__).parent / "gradebook_of_version_4.db", tmp_path / FILE)
    with Gradebook(tmp_path) as book:
        standings = ClassResults(book)
        (kept,) = standings.last.values()
        for report in (standings.report(kept.name), standings.earlier_report(kept)):
            assert [one.id for one in report.checks if one.status == "carried"] == [
                "numeric_gradient",
                "learns_toy",
                "learns_digits",
                "best_hyperparameters",
            ]
            assert (report.score, report.review, report.student, report.steps) == (88, (), None, ())
        assert standings.report(kept.name).checks[4].figures
        found = unpack(book.findings(kept.id)[1])
    assert (found.charges[0].mistake, found.credits["numeric_gradient"].elsewhere) == (140, (140,))
    assert (found.causes, found.review, found.steps, found.notes) == ((), (), {}, ())


def test_a_report_that_cannot_be_read_stops_no_migration(tmp_path):
    """The others are brought up to date, and this one is told of when somebody asks for it."""
    shutil.copy(Path(__file__).parent / "gradebook_of_version_4.db", tmp_path / FILE)
    with closing(sqlite3.connect(tmp_path / FILE, isolation_level=None)) as database:
        database.execute("UPDATE grading SET record = x'00'")
    with Gradebook(tmp_path) as book:
        assert list(book.last()) == ["wrong_relu_mask"]
        with pytest.raises(GradebookError, match="the report of wrong_relu_mask cannot be read"):
            book.report("wrong_relu_mask")
