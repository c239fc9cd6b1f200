"""`decisions.db`: every decision and every roster comes back as it was, and nothing in it is ever written over."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from classroom.books import RUBRIC, decision, line, listed
from grader.classroom import safety_copy
from grader.classroom.gradebook import DecisionRecord, Gradebook
from grader.classroom.roster import Roster, read_roster
from grader.classroom.safety_copy import CopyError, SafetyCopy, missing, read_copy, write_copy
from grader.classroom.storage import COPY
from grader.model import Student

PLAIN = 'name,email,submission\n"Doe, Jane",jane@x.org,jane.py\nJ\u00f6rg van der Berg,,\n"Roe, ""Bob""",bob@x.org,"a, b.zip"\n'
CANVAS = (
    "Student,ID,SIS User ID,SIS Login ID,Section\nPoints Possible,,,,\n"
    '"Doe, Ann",101,0012,ann,"A, B"\n"Student, Test",102,,test,A\n'
)
MOODLE = "First name,Surname,ID number,Email address,Groups\nAnn,Doe,007,ann@x.org,\nBob,Roe,008,bob@x.org,two\n"
GITHUB = "identifier,github_username\nann@x.org,annie\nBob Roe,bobby\n"
HOSTILE = Student('=HYPERLINK("http://x")', login="@ann", section="\x1b[2J")
# Half a character cannot be kept by the gradebook itself.
TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=60)


def recorded(number=1, name="alice", withdrawn="", **other):
    """Return a decision as the history has it."""
    return DecisionRecord(name, replace(decision(**other), number=number), withdrawn)


@pytest.fixture
def path(tmp_path):
    """Return where a safety copy is kept."""
    return tmp_path / COPY


@given(TEXTS, TEXTS, st.floats(0, 1e9), st.none() | st.floats(0, 1e9))
def test_every_text_and_number_comes_back(tmp_path_factory, comment, said, value, of):
    """Whatever a person wrote, quotes, zero bytes, commands of SQL: it is the same after it was written and read."""
    path = tmp_path_factory.mktemp("copy") / COPY
    one = recorded(comment=comment, by=said, value=value, of=of, withdrawn=said)
    write_copy(path, [one], Roster((Student(comment, section=said), HOSTILE), source=said))
    assert read_copy(path) == SafetyCopy((one,), Roster((Student(comment, section=said), HOSTILE), source=said))


@pytest.mark.parametrize("text", [PLAIN, CANVAS, MOODLE, GITHUB, "Ann Doe\nBob Roe\n", "login,github\nann,\n,bobby\n"])
def test_every_kind_of_roster_comes_back(tmp_path, text):
    """Students in their order, with every field, and the entries that are theirs."""
    (tmp_path / "given.csv").write_text(text, encoding="utf-8")
    roster = read_roster(tmp_path / "given.csv")
    with Gradebook(tmp_path, create=True) as book:
        book.set_roster(roster)
    assert read_copy(tmp_path / COPY).roster == replace(roster, notes=())


# ------------------------------------------------------------ what cannot be read


def altered(path, query):
    """Change a copy behind the grader's back."""
    write_copy(path, [recorded()], None)
    with closing(sqlite3.connect(path)) as database, database:
        database.executescript(query)


@pytest.mark.parametrize(
    "query",
    [
        "CREATE TABLE more (x)",
        "DROP TABLE student",
        "CREATE TRIGGER t AFTER INSERT ON student BEGIN SELECT 1; END",
        "PRAGMA ignore_check_constraints = ON; UPDATE decision SET kind = 'mercy'",
        "PRAGMA ignore_check_constraints = ON; UPDATE decision SET value = -1",
        "PRAGMA ignore_check_constraints = ON; UPDATE decision SET value = 9e999",
        "PRAGMA writable_schema = ON; UPDATE sqlite_schema SET sql = replace(sql, 'kind TEXT', 'kind BLOB')",
    ],
)
def test_a_copy_that_somebody_altered_is_refused(path, query):
    """Other tables, and values that no decision has."""
    altered(path, query)
    with pytest.raises(CopyError, match=r"decisions\.db: .*Expected a decisions\.db as the grader writes it"):
        read_copy(path)


@pytest.mark.parametrize("content", [b"", b"my own notes\n", bytes(4096), b"SQLite format 3\0" + bytes(4080)])
def test_what_is_no_copy_is_told(path, content):
    """Whatever stands in a file of that name."""
    path.write_bytes(content)
    with pytest.raises(CopyError, match=r"decisions\.db: .*Expected a decisions\.db as the grader writes it"):
        read_copy(path)


@pytest.mark.slow
def test_no_damage_gets_through(path):
    """A copy cut short or with a byte changed is refused, or reads as decisions: nothing else is raised."""
    write_copy(path, [recorded(number) for number in range(1, 60)], Roster((HOSTILE,)))
    whole = path.read_bytes()
    assert len(read_copy(path).records) == 59
    for at in range(0, len(whole), 37):
        for damaged in (whole[:at], whole[:at] + bytes([whole[at] ^ 0x55]) + whole[at + 1 :]):
            path.write_bytes(damaged)
            try:
                found = read_copy(path)
            except CopyError:
                continue
            for one in found.records:
                assert isinstance(one, DecisionRecord)
                assert isinstance(one.decision.value, float)
                assert isinstance(one.decision.comment, str)


def test_what_is_no_file_or_too_large_is_told(tmp_path, monkeypatch):
    """A wrong path, a folder, and a file that would fill the memory."""
    for path in (tmp_path / "none.db", tmp_path):
        with pytest.raises(CopyError, match=r"cannot be read \(.*\)\. Expected a decisions\.db as the grader"):
            read_copy(path)
    monkeypatch.setattr(safety_copy, "MOST", 1_000_000)
    (tmp_path / COPY).write_bytes(bytes(1_000_001))
    with pytest.raises(CopyError, match="more than 1 MB"):
        read_copy(tmp_path / COPY)


# ------------------------------------------------------------ nothing in it is lost


def test_what_another_gradebook_decided_stays_in_the_copy(path):
    """A new gradebook in a damaged one's place knows none of it, and its first decision must not cost the others."""
    old = [recorded(1, comment="old"), recorded(2, comment="both"), recorded(3, comment="back", withdrawn="ada: no")]
    write_copy(path, old, Roster((HOSTILE,)))
    new = [recorded(1, comment="both"), recorded(2, comment="new"), recorded(3, comment="back")]
    write_copy(path, new, None)
    kept = (old[0], new[0], new[1], replace(new[2], withdrawn="ada: no"))
    assert read_copy(path) == SafetyCopy(kept, Roster((HOSTILE,)))
    assert listed(path.parent) == [COPY]


def test_the_same_decision_twice_is_two():
    """Numbers tell nothing between gradebooks, and a decision that was made twice in a second is there twice."""
    one = recorded(7)
    assert missing([one, recorded(8)], [recorded(1)]) == ([recorded(8)], {})
    assert missing([one, recorded(8)], [recorded(1), recorded(2)]) == ([], {})


def test_a_file_that_cannot_be_read_is_put_aside(path):
    """It may be somebody's notes, or a damaged copy; each is kept under a name of its own."""
    for text in ("my own notes\n", "more notes\n"):
        path.write_text(text)
        write_copy(path, [recorded()], None)
        assert read_copy(path).records == (recorded(),)
    assert (path.parent / "decisions.unreadable-1.db").read_text() == "my own notes\n"
    assert (path.parent / "decisions.unreadable-2.db").read_text() == "more notes\n"


def test_a_missing_copy_is_written_by_whoever_opens_next(tmp_path, path):
    """Older graders wrote none, and somebody may have removed it; without decisions and a roster there is none."""
    with Gradebook(tmp_path, create=True) as book:
        book.insert([line("alice")], RUBRIC)
    Gradebook(tmp_path).close()
    assert not path.exists()
    with Gradebook(tmp_path) as book:
        book.decide_all([("alice", decision(of=2.0))])
        (made,) = book.decisions()["alice"]
    Gradebook(tmp_path).close()
    assert read_copy(path) == SafetyCopy((DecisionRecord("alice", made, ""),))
    with Gradebook(tmp_path) as book:
        book.set_roster(Roster((HOSTILE,)))
    path.unlink()
    Gradebook(tmp_path).close()
    assert read_copy(path) == SafetyCopy((DecisionRecord("alice", made, ""),), Roster((HOSTILE,)))


def test_a_copy_that_is_behind_catches_up(tmp_path, path):
    """A grader that was killed kept a decision and wrote no copy: the next one does; then it rests."""
    with Gradebook(tmp_path, create=True) as book:
        book.insert([line("alice")], RUBRIC)
        book.decide_all([("alice", decision())])
        book.write_copy()
        book.decide_all([("alice", decision("excused", 1.0, check=""))])
        book.withdraw(1, "ta: no")
    Gradebook(tmp_path).close()
    with Gradebook(tmp_path, reading=True) as book:
        assert list(read_copy(path).records) == book.decision_records()
    before = path.stat().st_ino
    Gradebook(tmp_path).close()
    assert path.stat().st_ino == before, "it is not written for nothing"


def test_a_copy_that_cannot_be_written_keeps_nobody_from_grading(tmp_path, path, monkeypatch):
    """It is a second copy: where it fails, the gradebook opens all the same."""
    with Gradebook(tmp_path, create=True) as book:
        book.insert([line("alice")], RUBRIC)
        book.decide_all([("alice", decision())])

    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(safety_copy, "write_whole", full)
    with Gradebook(tmp_path) as book:
        assert len(book.decision_records()) == 1
    assert not path.exists()


@pytest.mark.parametrize(
    "forged",
    [
        "kind = 'late_days', value = 1.7e308", "kind = 'late_days', value = 1.5", "kind = 'excused', value = 7",
        "value = 9e999", "worth = -3", "worth = 9e999", "number = 9223372036854775807", "number = -1",
    ],
)  # fmt: skip
def test_a_decision_that_no_command_could_make_is_refused(path, forged):
    """Such a number would stop every report of the class, or give points that nobody decided."""
    write_copy(path, [recorded()], None)
    with closing(sqlite3.connect(path)) as database:
        database.execute("PRAGMA ignore_check_constraints = ON")
        database.execute(f"UPDATE decision SET {forged}")  # noqa: S608 -- our own words
        database.commit()
    with pytest.raises(CopyError, match="is damaged, or another kind of file"):
        read_copy(path)
