"""`decisions.db`: a copy of people's decisions and the roster beside the gradebook, in case that is damaged.

It is a small SQLite database that is read and written as a whole, so it is never half written.
"""

import sqlite3
from collections.abc import Collection, Sequence
from contextlib import closing
from dataclasses import astuple, dataclass, fields, replace
from itertools import count
from pathlib import Path

from grader.classroom.roster import Claim, Roster
from grader.classroom.storage import COPY, decode_path, encode_path, write_whole
from grader.model import Decision, Student
from grader.text.sanitise import one_line as shown

MOST = 100_000_000  # bytes; a class of thousands with a decision each takes a few million
_MAGIC = b"SQLite format 3\0"

_STUDENT = ", ".join(f"{field.name} TEXT NOT NULL" for field in fields(Student))
_LATER = ", 'comment', 'request'"
_TABLES = f"""
CREATE TABLE decision (
    number INTEGER NOT NULL CHECK (number BETWEEN 1 AND 1000000000),  -- two gradebooks may have given the same one
    kind TEXT NOT NULL CHECK (kind IN ('points', 'late_days', 'excused'{_LATER})),
    check_id TEXT NOT NULL,
    -- What `grader adjust` takes, and no more: a file from elsewhere must not decide what no command could.
    value REAL NOT NULL CHECK (
        CASE kind
            WHEN 'late_days' THEN value BETWEEN 0 AND 10000 AND value = CAST(value AS INTEGER)
            WHEN 'excused' THEN value IN (0, 1)
            ELSE value >= 0 AND value < 9e999
        END
    ),
    comment TEXT NOT NULL,
    made_by TEXT NOT NULL,
    at TEXT NOT NULL,
    submission_digest TEXT NOT NULL,
    worth REAL CHECK (worth >= 0 AND worth < 9e999),
    name TEXT NOT NULL,       -- of the submission
    withdrawn TEXT NOT NULL
) STRICT;
CREATE TABLE student ({_STUDENT}, roster TEXT NOT NULL, line INTEGER NOT NULL, entry TEXT NOT NULL) STRICT;
"""


class CopyError(ValueError):
    """A safety copy cannot be read; the text says which file, what was found and what was expected."""


@dataclass(frozen=True)
class DecisionRecord:
    """A decision as the history shows it."""

    name: str  # of the submission
    decision: Decision
    withdrawn: str  # who took it back, when and why; "" while it stands


@dataclass(frozen=True)
class SafetyCopy:
    """What people added to a gradebook, which no grading can bring back."""

    records: tuple[DecisionRecord, ...] = ()
    roster: Roster | None = None


def missing(
    there: Sequence[DecisionRecord], here: Sequence[DecisionRecord]
) -> tuple[list[DecisionRecord], dict[int, str]]:
    """Return the decisions of `there` that are not `here`, and who took back those that are, by number here.

    Numbers are not compared, since another gradebook starts again at 1.
    """
    known: dict[tuple[str, Decision], list[DecisionRecord]] = {}
    for one in here:
        known.setdefault(_without_number(one), []).append(one)
    more, withdrawn = [], {}
    for one in there:
        if not (same := known.get(_without_number(one))):
            more.append(one)
        elif not (found := same.pop(0)).withdrawn and one.withdrawn:
            withdrawn[found.decision.number] = one.withdrawn
    return more, withdrawn


def _without_number(one: DecisionRecord) -> tuple[str, Decision]:
    return one.name, replace(one.decision, number=0)


def write_copy(path: Path, records: Sequence[DecisionRecord], roster: Roster | None) -> None:
    """Write a gradebook's decisions and roster into its safety copy, which keeps whatever else it holds.

    A new gradebook that replaces a damaged one holds no decisions yet. The first one made in it must not delete all
    others. Raises OSError.
    """
    there = None
    if path.exists():
        try:
            there = read_copy(path)
        except CopyError:
            # It is damaged, or somebody's own: it is not ours to destroy.
            path.replace(_free(path))
    before = there or SafetyCopy()
    more, withdrawn = missing(before.records, records)
    own = [replace(one, withdrawn=one.withdrawn or withdrawn.get(one.decision.number, "")) for one in records]
    copy = SafetyCopy((*more, *own), roster or before.roster)
    if copy != there:
        write_whole(path, _serialize(copy))


def forget_in_copy(path: Path, names: Collection[str], student: Student | None) -> None:
    """Take all decisions about these submissions, and a student, out of a safety copy. Raises CopyError and OSError."""
    if not path.exists():
        return
    copy = read_copy(path)
    records = tuple(one for one in copy.records if one.name not in names)
    roster = copy.roster
    if roster:
        students = tuple(one for one in roster.students if one != student)
        claims = tuple(one for one in roster.claims if one.student != student)
        roster = replace(roster, students=students, claims=claims) if students else None
    write_whole(path, _serialize(SafetyCopy(records, roster)))


def _free(path: Path) -> Path:
    """Return a file name that is not in use."""
    names = (path.with_name(f"{path.stem}.unreadable-{number}{path.suffix}") for number in count(1))
    return next(name for name in names if not name.exists())


def _serialize(copy: SafetyCopy) -> bytes:
    decisions = [(*astuple(one.decision), one.name, one.withdrawn) for one in copy.records]
    students = []
    if roster := copy.roster:
        claims = {claim.student: (claim.line, claim.entry) for claim in roster.claims}
        source = encode_path(roster.source)
        students = [(*astuple(student), source, *claims.get(student, (0, ""))) for student in roster.students]
    with closing(sqlite3.connect(":memory:")) as database:
        database.executescript(_TABLES)
        for table, rows in (("decision", decisions), ("student", students)):
            for row in rows:
                database.execute(f"INSERT INTO {table} VALUES ({', '.join('?' * len(row))})", row)  # noqa: S608 -- our names
        database.commit()
        return database.serialize()


def read_copy(path: Path) -> SafetyCopy:
    """Return what `write_copy` wrote.

    Raises CopyError, and nothing else, for whatever the file may hold.
    """
    where, expected = shown(str(path)), f"Expected a {COPY} as the grader writes it beside a gradebook."
    try:
        with path.open("rb") as file:
            data = file.read(MOST + 1)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or "no file can have this name"
        raise CopyError(f"{where}: it cannot be read ({reason}). {expected}") from error
    if not data.startswith(_MAGIC) or len(data) > MOST:
        what = f"it has more than {MOST // 1_000_000} MB" if len(data) > MOST else "this is not an SQLite database"
        raise CopyError(f"{where}: {what}. {expected}")
    try:
        with closing(sqlite3.connect(":memory:")) as database, closing(sqlite3.connect(":memory:")) as empty:
            empty.executescript(_TABLES)
            database.deserialize(data)
            # The same tables, and rows that keep to their types and checks: all that follows may rely on those.
            same = _tables_of(database) == _tables_of(empty)
            if not same or database.execute("PRAGMA quick_check").fetchone() != ("ok",):
                raise CopyError(f"{where}: it is damaged, or another kind of file. {expected}")
            return _deserialize(database)
    except (sqlite3.Error, UnicodeError, OverflowError) as error:
        raise CopyError(f"{where}: it cannot be read ({error}). {expected}") from error


def _tables_of(database: sqlite3.Connection) -> list[tuple[str]]:
    # Those of graders that knew neither comments nor requests are the same otherwise.
    return database.execute("SELECT replace(sql, ?, '') FROM sqlite_schema ORDER BY name", (_LATER,)).fetchall()


def _deserialize(database: sqlite3.Connection) -> SafetyCopy:
    decisions = database.execute("SELECT * FROM decision ORDER BY rowid").fetchall()
    rows = database.execute("SELECT * FROM student ORDER BY rowid").fetchall()
    students = [Student(*row[:-3]) for row in rows]
    claims = [Claim(student, row[-1], row[-2]) for student, row in zip(students, rows, strict=True) if row[-1]]
    return SafetyCopy(
        tuple(DecisionRecord(row[-2], Decision(*row[:-2]), row[-1]) for row in decisions),
        Roster(tuple(students), source=decode_path(rows[0][-3]), claims=tuple(claims)) if rows else None,
    )
