"""The gradebook keeps what it is given, all of it or nothing, and says in words what is wrong with a file."""

from __future__ import annotations

import os
import random
import shutil
import sqlite3
import tempfile
import time
from contextlib import closing, contextmanager, suppress
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from grader.classroom import gradebook, schema, storage
from grader.classroom.basis import Basis
from grader.classroom.gradebook import FILE, Gradebook, GradebookError, Kept, Line, NoSpaceError, Ruled
from grader.classroom.packing import pack
from grader.classroom.roster import Claim, Roster
from grader.records import Decision, Environment, HeatMap, Report, Student, Verdict

RUBRIC = "title = 'x'\n"
BASIS = Basis("digest", "rubric", "seed", "asked", '{"python": "3.11"}', isolated=True)
SOMEBODY = "somebody else has it open"
NOBODY = 65_534


def reported(name, score=1.0):
    """Give a report with a figure."""
    figure = HeatMap("W1", np.arange(6.0).reshape(2, 3), (1, 2))
    verdict = Verdict("loss", "Loss", "loss", "passed", score, 2.0, False, "good", figures=(figure,))
    return Report(name, f"class/{name}.py", score, 2.0, "graded", (verdict,), (), (), Environment({}, ()), {})


def line(name, score=1.0, replies=b"replies", **other):
    """Give one grading to be kept."""
    report = reported(name, score)
    given = {
        "source": f"class/{name}.py",
        "made": "grade",
        "basis": BASIS,
        "published": f'{{"score": {score}}}\n',
        "record": pack(report),
        "findings": b"findings",
        "found_by": "all that finds",
    } | other
    return Line(name=name, report=report, replies=replies, **given)


def decision(kind="points", value=1.0, **other):
    """Give a decision without a number."""
    given = {
        "check": "loss",
        "comment": "seen",
        "by": "ta",
        "at": "2026-11-22T15:00:00Z",
        "submission_digest": "digest",
    }
    return Decision(0, kind, value=value, **(given | other))


@pytest.fixture
def book(tmp_path):
    """Give a gradebook that is open and empty."""
    with Gradebook(tmp_path, create=True) as opened:
        yield opened


def rows(folder, query):
    """Ask the file as any tool of SQLite's would."""
    with closing(sqlite3.connect(folder / FILE)) as database:
        return database.execute(query).fetchall()


def listed(folder):
    """Give the names in a folder."""
    return sorted(path.name for path in folder.iterdir())


def everything(opened):
    """Call each method that reads, and give what it says."""
    last = opened.last()
    return (
        last,
        opened.sources(),
        opened.decisions(),
        opened.ruled(),
        opened.roster(),
        {name: opened.gradings(name) for name in last},
        {name: opened.last_id(name) for name in last},
        {name: str(opened.report(name)) for name in last},
        {name: opened.published(kept.id) for name, kept in last.items()},
        {name: kept.replies and opened.replies(kept.replies) for name, kept in last.items()},
        {name: opened.assignment_text(kept.basis.assignment_digest) for name, kept in last.items()},
    )


def filled(folder):
    """Make a gradebook with something of everything in it."""
    with Gradebook(folder, create=True) as opened:
        opened.keep([line(f"s{number}", replies=os.urandom(3000)) for number in range(8)], RUBRIC)
        opened.decide("s1", decision())
        opened.set_roster(Roster((Student("Doe, Jane", id="1"),), source="class.csv"))
        return everything(opened)


# ------------------------------------------------------------ kept and given back


def test_a_grading_comes_back(book, tmp_path):
    """All that is kept of a grading is there after the gradebook was closed and opened again."""
    book.keep([line("bob", 0.5), line("alice", 1.5, replies=None, basis=replace(BASIS, isolated=False))], RUBRIC)
    book.close()
    with Gradebook(tmp_path) as again:
        last = again.last()
        assert list(last) == ["alice", "bob"]
        at = last["bob"].at
        assert time.strptime(at, "%Y-%m-%dT%H:%M:%SZ")
        assert last["bob"] == Kept(1, "bob", "grade", at, "graded", 0.5, 2.0, 1, "all that finds", BASIS)
        assert last["alice"].basis == replace(BASIS, isolated=False)
        assert last["alice"].replies is None
        assert again.replies(1) == b"replies"
        assert again.sources() == {"alice": "class/alice.py", "bob": "class/bob.py"}
        assert again.published(1) == '{"score": 0.5}\n'
        assert again.assignment_text("rubric") == RUBRIC
        assert str(again.report("alice")) == str(reported("alice", 1.5))


def test_a_regrade_is_one_more_grading_of_the_same_replies(book, tmp_path):
    """Earlier gradings stay, with their report.json; the replies are there once; only the last can be drawn again."""
    book.keep([line("alice", 0.5), line("bob")], RUBRIC)
    basis = replace(BASIS, assignment_digest="other")
    book.keep([line("alice", 1.5, replies=1, made="regrade", basis=basis, source="new/alice.py")], "title = 'y'\n")
    assert [(kept.made, kept.score, kept.replies) for kept in book.gradings("alice")] == [
        ("grade", 0.5, 1),
        ("regrade", 1.5, 1),
    ]
    assert book.last()["alice"].basis == basis
    assert book.last_id("alice") == 3
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
    book.keep([line("one", 0.5)], RUBRIC)
    before = everything(book)
    with pytest.raises(GradebookError, match=r"does not take what was to be kept.*Nothing of that was kept"):
        book.keep([line("one", 2.0), line("new"), bad], "title = 'other'\n")
    assert everything(book) == before
    book.keep([line("one", 2.0)], RUBRIC)
    assert book.last()["one"].score == 2.0


def test_a_stop_while_keeping_keeps_nothing(book, monkeypatch):
    """Ctrl-C between two of several leaves neither, and the gradebook can be used."""
    keep_one = gradebook._keep

    def stopped(*given):
        keep_one(*given)
        raise KeyboardInterrupt

    monkeypatch.setattr(gradebook, "_keep", stopped)
    with pytest.raises(KeyboardInterrupt):
        book.keep([line("one"), line("two")], RUBRIC)
    monkeypatch.undo()
    assert book.last() == {}
    book.keep([line("one")], RUBRIC)
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
    book.keep([line("alice", source=name)], RUBRIC)
    assert book.sources() == {"alice": name}
    book.set_roster(Roster((Student("Doe"),), source=name))
    assert book.roster().source == name
    book.close()
    ((stored,),) = rows(tmp_path, "SELECT source FROM submission")  # which any tool can read
    assert stored.isascii() or stored == name


# ------------------------------------------------------------ people


def test_decisions_come_back_and_can_be_taken_back(book):
    """Decisions are numbered from 1, stand by submission, and stay in the history when they are taken back."""
    book.keep([line("alice"), line("bob")], RUBRIC)
    made = [
        book.decide("alice", decision()),
        book.decide("bob", decision("late_days", 2, check="")),
        book.decide("alice", decision("excused", 1.0, check="", comment="\u00e4 'quoted'\n=1+1")),
    ]
    assert made == [
        replace(decision(), number=1),
        replace(decision("late_days", 2.0, check=""), number=2),
        replace(decision("excused", 1.0, check="", comment="\u00e4 'quoted'\n=1+1"), number=3),
    ]
    assert type(made[1].value) is float
    assert book.decisions() == {"alice": (made[0], made[2]), "bob": (made[1],)}
    book.withdraw(1, "ta: a mistake")
    assert book.decisions() == {"alice": (made[2],), "bob": (made[1],)}
    assert book.ruled("alice") == [Ruled("alice", made[0], "ta: a mistake"), Ruled("alice", made[2], "")]
    assert [one.decision.number for one in book.ruled()] == [1, 2, 3]


def test_a_decision_is_taken_back_once(book):
    """What the history says of a withdrawal is not written over, and a number that does not stand is no withdrawal."""
    book.keep([line("alice")], RUBRIC)
    book.decide("alice", decision())
    for number, said in ((2, "x"), (1, "")):
        with pytest.raises(ValueError, match="does not stand"):
            book.withdraw(number, said)
    book.withdraw(1, "first")
    with pytest.raises(ValueError, match="does not stand"):
        book.withdraw(1, "second")
    assert book.ruled()[0].withdrawn == "first"


@pytest.mark.parametrize("value", [-1.0, -0.01, float("nan"), float("inf"), float("-inf")])
def test_a_decision_has_a_value_that_a_report_can_hold(book, value):
    """JSON has no infinity and a score no negative points; neither a caller nor SQLite itself may put one in."""
    book.keep([line("alice")], RUBRIC)
    with pytest.raises(ValueError, match="can be neither points nor days"):
        book.decide("alice", decision(value=value))
    with pytest.raises(sqlite3.IntegrityError):
        book._storage._database.execute(
            "INSERT INTO decision (name, kind, check_id, value, comment, made_by, at, submission_digest)"
            " VALUES ('alice', 'points', 'loss', ?, '', '', '', '')",
            (value,),
        )
    assert book.ruled() == []


@pytest.mark.parametrize(
    "bad", [decision("mercy"), decision(comment=None), decision(comment="\ud800"), decision(check=b"x")]
)
def test_a_decision_that_cannot_be_kept_is_told(book, bad):
    """A kind that there is not, or a text that is none, is refused in words, and nothing of it is kept."""
    book.keep([line("alice")], RUBRIC)
    with pytest.raises(GradebookError, match="does not take what was to be kept"):
        book.decide("alice", bad)
    assert book.ruled() == []


def test_foreign_keys_are_in_force(book):
    """A decision about a submission that there is not would show nowhere: it is refused."""
    with pytest.raises(GradebookError, match="FOREIGN KEY"):
        book.decide("nobody", decision())


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


# ------------------------------------------------------------ one at a time


def test_only_one_has_it_open(tmp_path, monkeypatch):
    """A second grader is told so after it waited a little, and opens it once the first is done."""
    monkeypatch.setattr(storage, "BUSY_SECONDS", 0.3)
    with Gradebook(tmp_path, create=True) as first:
        started = time.monotonic()
        for create in (False, True):
            with pytest.raises(GradebookError, match=SOMEBODY):
                Gradebook(tmp_path, create=create)
        assert time.monotonic() - started < 5
        first.keep([line("alice")], RUBRIC)
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
    book.keep([line("alice")], RUBRIC)
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
    assert listed(folder) == [FILE]
    assert listed(tmp_path) == [name]
    with Gradebook(folder) as again:
        assert everything(again) == before


def test_it_is_made_only_where_that_is_wanted(tmp_path):
    """A folder that was mistyped gets no empty gradebook."""
    for folder in (tmp_path, tmp_path / "missing"):
        with pytest.raises(GradebookError, match=r"there is no gradebook\.db in it\. Name the folder"):
            Gradebook(folder)
    assert listed(tmp_path) == []


def test_it_can_be_closed_twice_and_says_so_afterwards(book):
    """Using it after it was closed is told as every other error is."""
    book.close()
    book.close()
    with pytest.raises(GradebookError):
        book.last()


# ------------------------------------------------------------ versions


def version_1(folder):
    """Make a gradebook as the first version of the tables had it, with two gradings."""
    folder.mkdir(exist_ok=True)
    with closing(sqlite3.connect(folder / FILE, isolation_level=None)) as database:
        database.executescript(schema.MIGRATIONS[0])
        database.execute(f"PRAGMA application_id = {schema.APPLICATION}")
        database.execute("PRAGMA user_version = 1")
        database.execute("INSERT INTO assignment VALUES ('rubric', ?, '')", (RUBRIC,))
        for name in ("alice", "bob"):
            database.execute("INSERT INTO submission VALUES (?, ?)", (name, f"class/{name}.py"))
            number = database.execute("INSERT INTO replies (packed) VALUES (?)", (b"replies",)).lastrowid
            values = (
                *(name, "grade", "2026-11-22T15:00:00Z", "digest", "rubric", "seed", "asked", "{}"),
                *(1, "graded", 1.0, 2.0, "{}\n", pack(reported(name)), number),
            )
            database.execute("INSERT INTO grading VALUES (NULL, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", values)
    return (folder / FILE).read_bytes()


def test_an_older_gradebook_becomes_a_newer_one(tmp_path):
    """Its rows are there, the new tables too, and the old file is beside it as it was."""
    version_1(tmp_path)
    with Gradebook(tmp_path) as book:
        assert book._storage.rows("PRAGMA user_version") == [(3,)]
        assert list(book.last()) == ["alice", "bob"]
        assert book.report("bob").submission == "bob"
        book.decide("alice", decision())
    assert listed(tmp_path) == [FILE, f"{FILE}.version-1"]
    with closing(sqlite3.connect(tmp_path / f"{FILE}.version-1")) as old:
        assert old.execute("PRAGMA user_version").fetchone() == (1,)
        assert old.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        assert old.execute("SELECT name FROM grading ORDER BY id").fetchall() == [("alice",), ("bob",)]
        assert old.execute("SELECT name FROM sqlite_schema WHERE name = 'decision'").fetchall() == []
    shutil.copy(tmp_path / f"{FILE}.version-1", tmp_path / FILE)
    with Gradebook(tmp_path) as again:
        assert again.ruled() == []
        assert list(again.last()) == ["alice", "bob"]


@pytest.mark.parametrize(
    "broken", ["CREATE TABLE more (x); CREATE TABLE grading (x);", "CREATE TABLE more (x); nonsense;"]
)
@pytest.mark.parametrize("start", [1, 2, 3])
def test_a_migration_that_fails_changes_nothing(tmp_path, monkeypatch, broken, start):
    """However many versions it is behind, a gradebook is at the newest one or as it was."""
    if start == len(schema.MIGRATIONS):
        filled(tmp_path)
    else:
        version_1(tmp_path)
        with closing(sqlite3.connect(tmp_path / FILE, isolation_level=None)) as database:
            database.executescript("".join(schema.MIGRATIONS[1:start]) + f"PRAGMA user_version = {start};")
    dump = "SELECT * FROM grading, sqlite_schema ORDER BY 1"
    before = rows(tmp_path, dump)
    monkeypatch.setattr(schema, "MIGRATIONS", (*schema.MIGRATIONS, broken))
    for _ in range(2):
        with pytest.raises(GradebookError):
            Gradebook(tmp_path)
        assert rows(tmp_path, "PRAGMA user_version") == [(start,)]
        assert rows(tmp_path, dump) == before
    assert listed(tmp_path) == [FILE, f"{FILE}.version-{start}"]
    monkeypatch.undo()
    with Gradebook(tmp_path) as book:
        assert book.last()
        assert book._storage.rows("PRAGMA user_version") == [(3,)]


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
        database.execute("PRAGMA user_version = 4")
    before = (tmp_path / FILE).read_bytes()
    with pytest.raises(GradebookError, match=r"of version 4, .* up to 3\. It was written by a newer grader: install"):
        Gradebook(tmp_path)
    assert (tmp_path / FILE).read_bytes() == before


@pytest.mark.parametrize("version", [0, 1, 2, 3])
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
        f"{tmp_path / FILE}: file is not a database. The file is damaged, or no gradebook. Move it away and grade again;"
        " the reports in submissions/ are not touched by that until they are graded."
    )


def test_a_folder_in_its_place_is_told(tmp_path):
    """A folder of that name cannot be opened."""
    (tmp_path / FILE).mkdir()
    with pytest.raises(
        GradebookError, match=r"it cannot be opened and written \(.*\)\. Expected is a file in a folder"
    ):
        Gradebook(tmp_path)
    with pytest.raises(GradebookError, match="it cannot be opened and written"):
        Gradebook(tmp_path / "missing", create=True)


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
                book.keep([line("s1"), line("new")], RUBRIC)
                book.decide("s1", decision())
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
    with Gradebook(tmp_path) as book, pytest.raises(GradebookError, match="The file is damaged, or no gradebook"):
        everything(book)


def test_what_is_not_there_is_told(book):
    """Asking for a name or a number that there is not gives no ValueError from inside."""
    for ask in (
        lambda: book.report("nobody"),
        lambda: book.last_id("nobody"),
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
        book.keep([line("alice")], RUBRIC)
    assert book.last() == {}
    book._storage._database.execute("DROP TRIGGER t")
    book.keep([line("alice")], RUBRIC)
    assert list(book.last()) == ["alice"]


# ------------------------------------------------------------ where it stands


@contextmanager
def somebody():
    """Give a folder, and be somebody whom its modes concern."""
    folder = Path(tempfile.mkdtemp())
    try:
        folder.chmod(0o777)
        if os.geteuid() == 0:
            os.seteuid(NOBODY)
        yield folder
    finally:
        with suppress(OSError):
            os.seteuid(0)
        folder.chmod(0o777)
        shutil.rmtree(folder)


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
                GradebookError, match=r"it cannot be opened and written \(.*and that you may write into"
            ):
                Gradebook(folder)
        finally:
            folder.chmod(0o700)


def test_a_full_disk_is_told(book):
    """Where SQLite has no page left, it is the disk that is full, and nothing of the grading is there."""
    book.keep([line("alice")], RUBRIC)
    ((pages,),) = book._storage.rows("PRAGMA page_count")
    book._storage._database.execute(f"PRAGMA max_page_count = {pages}")
    with pytest.raises(NoSpaceError, match="there is no room left on the disk"):
        book.keep([line("bob", replies=os.urandom(100_000))], RUBRIC)
    book._storage._database.execute(f"PRAGMA max_page_count = {pages + 100}")
    assert list(book.last()) == ["alice"]
    assert book._storage.rows("SELECT count(*) FROM replies") == [(1,)]
