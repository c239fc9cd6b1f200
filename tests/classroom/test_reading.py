"""Whoever only reads a gradebook needs no right to write: an archived class, another's folder, a read-only disk."""

from __future__ import annotations

import os
import shutil
import sqlite3
import subprocess
import sys
import threading
import time
from contextlib import closing
from pathlib import Path

import pytest

from classroom.books import RUBRIC, SOMEBODY, decision, everything, filled, line, listed, rows, somebody, version_1
from classroom.conftest import command, quiet
from classroom.once import graded_once, say
from grader.classroom import schema, storage
from grader.classroom.gradebook import FILE, Gradebook, GradebookError
from grader.classroom.storage import COPY as SAFETY_COPY

COPY = "You may not write to it or its folder: copy the folder to a place of your own, and name that one."


def reading(folder: Path) -> Gradebook:
    """Open it to read."""
    return Gradebook(folder, reading=True)


def archived(folder: Path) -> None:
    """Take away the right to write, from every file and folder."""
    for path in (*folder.rglob("*"), folder):
        path.chmod(0o555 if path.is_dir() else 0o444)


def given_back(folder: Path) -> None:
    """Return it back."""
    for path in (folder, *folder.rglob("*")):
        path.chmod(0o755 if path.is_dir() else 0o644)


@pytest.fixture
def place():
    """Return a folder, and be somebody whom its modes concern."""
    with somebody() as parent:
        folder = parent / "graded"
        folder.mkdir()
        yield folder
        given_back(folder)


# ------------------------------------------------------------ where nobody may write


def test_all_of_it_is_read_where_nobody_may_write(place):
    """Each method that reads gives what it gives a writer, nothing is made beside the file, and not a byte changes."""
    before = filled(place)
    content = (place / FILE).read_bytes()
    archived(place)
    for _ in range(2):
        with reading(place) as book:
            assert everything(book) == before
            assert listed(place) == [SAFETY_COPY, FILE]
    assert (place / FILE).read_bytes() == content
    with pytest.raises(GradebookError, match="you may write there"):
        Gradebook(place)


def test_what_is_only_read_cannot_be_written(tmp_path):
    """Neither by mistake, nor behind the gradebook's back: SQLite refuses, too."""
    before = filled(tmp_path)
    with reading(tmp_path) as book:
        with pytest.raises(GradebookError, match="opened only for reading"):
            book.decide_all([("s1", decision())])
        with pytest.raises(sqlite3.OperationalError, match="readonly database"):
            book._storage._database.execute("DELETE FROM decision")
        assert everything(book) == before


def test_an_older_gradebook_has_to_be_copied_first(place):
    """Its tables can be brought up to date only where that can be kept: what was found, and how to mend it."""
    version_1(place)
    archived(place)
    with pytest.raises(GradebookError) as caught:
        reading(place)
    assert str(caught.value) == (
        f"{place / FILE}: an older grader wrote it, so its tables must be updated before it can be read. {COPY}"
    )
    copied = place.with_name("copied")
    shutil.copytree(place, copied)
    given_back(copied)
    with reading(copied) as book:
        assert list(book.last()) == ["alice", "bob"]


def test_what_a_killed_grader_left_has_to_be_copied_first(place):
    """Its last gradings stand in a file beside it, which only a writer takes in: they are not left out silently."""
    left_behind(place)
    archived(place)
    with pytest.raises(GradebookError) as caught:
        reading(place)
    assert "the last grader did not close it (it was stopped, or is an older version)" in str(caught.value)
    assert str(caught.value).endswith(COPY)
    given_back(place)
    with reading(place) as book:
        assert list(book.last()) == ["alice"]
    assert listed(place) == [FILE]


def left_behind(folder: Path) -> None:
    """Leave a gradebook as a killed grader does: all that was kept still stands in the file beside it."""
    with Gradebook(folder, create=True) as book:
        book.insert([line("alice")], RUBRIC)
        for name in (FILE, f"{FILE}-wal"):
            shutil.copy(folder / name, folder / f"{name}.killed")
    for name in (FILE, f"{FILE}-wal"):
        (folder / f"{name}.killed").rename(folder / name)
    assert (folder / f"{FILE}-wal").stat().st_size


def test_a_file_in_wal_mode_that_was_closed_has_to_be_copied_too(place):
    """A tool may have left it so; without the right to write, nobody can tell whether anybody is writing it."""
    filled(place)
    with closing(sqlite3.connect(place / FILE)) as database:
        database.execute("PRAGMA journal_mode = WAL")
    archived(place)
    with pytest.raises(GradebookError, match="copy the folder to a place of your own"):
        reading(place)


@pytest.mark.parametrize("mode", ["folder", "file"])
def test_what_may_not_even_be_read_is_told_so(place, mode):
    """Nobody is told to copy what they may not look into."""
    filled(place)
    (place if mode == "folder" else place / FILE).chmod(0)
    with pytest.raises(GradebookError, match=r"it cannot be opened \(.*\)\. Check that you may read the file\.$"):
        reading(place)


@pytest.mark.parametrize("content", [b"name,score\n" * 100, bytes(4096), b"SQLite format 3\0" + bytes(range(256)) * 40])
def test_what_is_no_gradebook_is_told_and_not_touched(tmp_path, content):
    """Whoever reads finds out as whoever writes does."""
    (tmp_path / FILE).write_bytes(content)
    with pytest.raises(GradebookError, match="The file is damaged, or it is not a gradebook"):
        reading(tmp_path)
    assert (tmp_path / FILE).read_bytes() == content


def test_where_there_is_none_none_is_made(tmp_path):
    """A mistyped folder stays as it is."""
    with pytest.raises(GradebookError, match=r"there is no gradebook\.db in it"):
        reading(tmp_path)
    assert listed(tmp_path) == []


# ------------------------------------------------------------ at the same time


def test_several_read_at_the_same_time_and_nobody_writes_meanwhile(tmp_path, monkeypatch):
    """What is read is of one moment; a grader that wants to write is told to wait, and may once they are done."""
    monkeypatch.setattr(storage, "BUSY_SECONDS", 0.2)
    before = filled(tmp_path)
    with reading(tmp_path) as first, reading(tmp_path) as second:
        assert everything(first) == everything(second) == before
        with pytest.raises(GradebookError, match=SOMEBODY):
            Gradebook(tmp_path)
    with Gradebook(tmp_path) as book:
        book.insert([line("alice")], RUBRIC)


def test_nobody_reads_while_a_grader_writes(tmp_path, monkeypatch):
    """It has the file alone, so that no drive has to share memory: a reader is told who has it, and waits."""
    monkeypatch.setattr(storage, "BUSY_SECONDS", 0.2)
    with Gradebook(tmp_path, create=True) as book:
        book.insert([line("alice")], RUBRIC)
        with pytest.raises(GradebookError, match=SOMEBODY):
            reading(tmp_path)
        assert listed(tmp_path) == [FILE, f"{FILE}-wal"]
        book.insert([line("bob")], RUBRIC)
    with reading(tmp_path) as again:
        assert list(again.last()) == ["alice", "bob"]


def test_of_two_that_open_it_to_write_one_gets_it(tmp_path, monkeypatch):
    """Both at the same moment: neither holds a part of the lock for which the other waits, or both would be refused."""
    monkeypatch.setattr(storage, "BUSY_SECONDS", 0.3)
    filled(tmp_path)
    inside, refused, done = threading.Event(), [], threading.Event()

    def second() -> None:
        try:
            Gradebook(tmp_path).close()
        except GradebookError as error:
            refused.append(str(error))
        done.set()

    def version_of(database):
        if threading.current_thread() is threading.main_thread():
            other.start()
            while not (inside.is_set() or done.is_set()):
                time.sleep(0.01)
            return schema.version_of(database)
        found = schema.version_of(database)
        inside.set()
        time.sleep(1)
        return found

    other = threading.Thread(target=second)
    monkeypatch.setattr(storage, "version_of", version_of)
    with Gradebook(tmp_path) as book:
        assert book.last()
        other.join()
    assert len(refused) == 1
    assert SOMEBODY in refused[0]


def test_an_older_one_is_brought_up_to_date_where_that_is_possible(tmp_path):
    """Whoever may write reads it without being asked for anything; the old file stays beside it."""
    version_1(tmp_path)
    with reading(tmp_path) as book:
        assert list(book.last()) == ["alice", "bob"]
    assert listed(tmp_path) == [FILE, f"{FILE}.version-1"]
    assert rows(tmp_path, "PRAGMA journal_mode") == [("delete",)]


# ------------------------------------------------------------ the commands


@pytest.fixture
def here(tmp_path_factory, tmp_path, monkeypatch):
    """Return a class that is graded, with a decision."""
    folder = graded_once(tmp_path_factory, tmp_path, monkeypatch)
    say("adjust", "graded", "bare", "--excuse", "--comment", "Ill.", "--by", "ada")
    return folder


READ_ONLY = ["unshare", "--mount", "--propagation", "private"]
if os.geteuid():
    READ_ONLY.append("--map-root-user")
# Mount the folder over itself, read-only: for root, too.
SCRIPT = """
import subprocess, sys
folder, *command = sys.argv[1:]
subprocess.run(["mount", "--bind", folder, folder], check=True)
subprocess.run(["mount", "-o", "remount,bind,ro", folder], check=True)
done = subprocess.run(command, capture_output=True, text=True)
print(done.returncode, done.stdout, done.stderr)
"""


def possible() -> bool:
    """Return whether anything can be mounted here."""
    words = [*READ_ONLY, "mount", "-t", "tmpfs", "tmpfs", "/mnt"]
    return bool(shutil.which("unshare")) and not subprocess.run(words, capture_output=True, check=False).returncode


def on_a_read_only_disk(here, *words: object) -> str:
    """Run a command while the graded folder stands on a read-only disk."""
    script = [sys.executable, "-c", SCRIPT, str(here.out), *command(*words)]
    done = subprocess.run([*READ_ONLY, *script], capture_output=True, text=True, check=False, env=quiet())
    assert done.returncode == 0, done.stderr
    assert "Traceback" not in done.stdout, done.stdout
    return " ".join(done.stdout.split())


@pytest.mark.slow
@pytest.mark.skipif(not possible(), reason="nothing can be mounted here")
def test_history_and_export_of_an_archived_class(here):
    """On a read-only disk, as root: all is told, an export goes elsewhere, and what cannot be done is said with what to do."""
    said = on_a_read_only_disk(here, "history", "graded", "bare")
    assert said.startswith("0 bare, from class/bare.py")
    assert "decision 1 by ada: excused: Ill." in said
    said = on_a_read_only_disk(here, "export", "graded", "--format", "gradebook", "--to", "mine")
    assert said == "0 Wrote mine/gradebook.csv."
    assert (here.path / "mine" / "gradebook.csv").read_bytes() == (here.out / "gradebook.csv").read_bytes()
    said = on_a_read_only_disk(here, "export", "graded", "--format", "gradebook")
    assert "2 Usage:" in said
    assert "this folder cannot be made (Read-only file system). Name another one." in said
    (here.out / "exports").mkdir()
    said = on_a_read_only_disk(here, "export", "graded", "--format", "gradebook")
    assert said.startswith("1 Error: graded/exports: you may not write there, so gradebook.csv cannot be written.")
    said = on_a_read_only_disk(here, "similar", "graded")
    assert said.startswith("1 Error: graded: you may not write there, so similar.html cannot be written.")
    assert "Name a folder of your own with --to." in said
    said = on_a_read_only_disk(here, "adjust", "graded", "bare", "--no-excuse", "--comment", "Well.")
    assert said.startswith("1 Error: graded/gradebook.db: it cannot be opened for writing")


def test_commands_that_read_hold_nobody_up(here):
    """While one reads, another reads as well: history, and an export that keeps no roster."""
    with Gradebook(here.out, reading=True):
        assert "decision 1 by ada" in say("history", "graded", "bare")
        assert "Wrote" in say("export", "graded", "--format", "gradebook")


def test_a_command_that_reads_waits_for_a_grading(here, monkeypatch):
    """While a grading runs, it says so."""
    monkeypatch.setattr(storage, "BUSY_SECONDS", 0.2)
    with here.book():
        assert SOMEBODY in say("history", "graded", "bare", status=1)
