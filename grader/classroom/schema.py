"""The tables of a gradebook, and how an older gradebook becomes a newer one.

Each entry of MIGRATIONS takes a database from one schema version (SQLite's `user_version`) to the next. An entry that was
once released is never edited: whoever changes the tables appends another.
"""

import os
import sqlite3
from collections.abc import Collection
from contextlib import closing, suppress
from dataclasses import replace
from pathlib import Path

from grader.model import Report, Student
from grader.packing import DamagedError, pack, unpack
from grader.reports.report_json import carried_now

# Tells our database from another program's: nbgrader calls its own gradebook.db as well.
APPLICATION = int.from_bytes(b"2LNG", "big")

# Replies are kept apart from the gradings: every regrade of a run is one more row, and its replies are there once.
_GRADINGS = """
CREATE TABLE assignment (
    digest TEXT PRIMARY KEY,
    text TEXT NOT NULL,              -- the assignment.toml, so that a regrade can tell what changed
    folder TEXT NOT NULL             -- where it stood, so that a regrade finds what became of it
) STRICT;

CREATE TABLE submission (
    name TEXT PRIMARY KEY,
    source TEXT NOT NULL             -- the path as it was given last
) STRICT;

CREATE TABLE replies (
    id INTEGER PRIMARY KEY,
    packed BLOB NOT NULL             -- (Submission, Run), as grader/packing.py lays them out
) STRICT;

CREATE TABLE grading (
    id INTEGER PRIMARY KEY,
    name TEXT NOT NULL REFERENCES submission (name),
    made TEXT NOT NULL CHECK (made IN ('grade', 'regrade')),
    at TEXT NOT NULL,                -- UTC, ISO 8601
    submission_digest TEXT NOT NULL,
    assignment_digest TEXT NOT NULL REFERENCES assignment (digest),
    seed_id TEXT NOT NULL,           -- tells seeds apart without giving them away
    questions TEXT NOT NULL,         -- digest of what was asked: replies answer these questions and no others
    versions TEXT NOT NULL,          -- JSON object: grader, python, numpy, judging
    isolated INTEGER NOT NULL,       -- 0: graded with --unsafe
    status TEXT NOT NULL,
    score REAL NOT NULL,             -- the grader's own, before any decision
    max_score REAL NOT NULL,
    report TEXT NOT NULL,            -- report.json as it was published
    record BLOB,                     -- the whole Report, packed, with its figures; of the last grading only
    replies INTEGER REFERENCES replies (id)  -- NULL where nothing could be run
) STRICT;

CREATE INDEX grading_by_name ON grading (name, id);
"""

_PEOPLE = """
CREATE TABLE decision (
    number INTEGER PRIMARY KEY,
    name TEXT NOT NULL REFERENCES submission (name),
    kind TEXT NOT NULL CHECK (kind IN ('points', 'late_days', 'excused')),
    check_id TEXT NOT NULL,
    value REAL NOT NULL CHECK (value >= 0 AND value < 9e999),  -- no formula knows what to do with anything else
    comment TEXT NOT NULL,
    made_by TEXT NOT NULL,
    at TEXT NOT NULL,
    submission_digest TEXT NOT NULL,
    withdrawn TEXT NOT NULL DEFAULT ''   -- who took it back, when and why; it stays for the history
) STRICT;

CREATE TABLE student (
    position INTEGER PRIMARY KEY,        -- in the roster
    packed BLOB NOT NULL,                -- a Student
    roster TEXT NOT NULL,                -- the file's name
    line INTEGER NOT NULL,               -- of the claim in it, 0 without one
    claims TEXT NOT NULL                 -- the entry that its column `submission` names, or ""
) STRICT;
"""

# With them a new number of points, or a new hint, is a matter of microseconds.
_FINDINGS = """
ALTER TABLE grading ADD COLUMN findings BLOB;  -- Findings, packed, without figures; of the last grading only
ALTER TABLE grading ADD COLUMN found_by TEXT NOT NULL DEFAULT '';  -- digest of all that they depend on
"""

# 3 points are one thing of 4, and another of 3: a decision says which was meant.
_WORTH = """
ALTER TABLE decision ADD COLUMN worth REAL;  -- the most that the check gave when it was decided; NULL: not noted
"""

# A check that failed by a mistake that is charged elsewhere was called passed. What older graders cannot read is kept
# from now on as well: they are to say so, and not that the file is damaged.
_CARRIED = """
UPDATE grading SET record = carried(record) WHERE record IS NOT NULL;
"""

# Reports and findings hold the table of steps from now on. Those that were packed without it read as having none; a
# grader that does not know it has to say that it is too old, and not that the file is damaged.
_STEPS = """
-- No table changes.
"""

# Whose it was is not kept: that is what was asked for.
_FORGOTTEN = """
CREATE TABLE forgotten (
    at TEXT NOT NULL,                -- UTC, ISO 8601
    made_by TEXT NOT NULL            -- who took a submission's data out of the class
) STRICT;
"""

_SETTING = """
CREATE TABLE setting (
    name TEXT PRIMARY KEY,           -- "attempt": which of a student's hand-ins counts
    value TEXT NOT NULL
) STRICT;
"""

# Comments and requests are kept among the decisions. The key makes each submission's pseudonym; the seed may change.
_DECISION = _PEOPLE.partition("CREATE TABLE student")[0].replace("TABLE decision", "TABLE decision_now")
_MORE_KINDS = _DECISION.replace("'excused')", "'excused', 'comment', 'request')")
_WORDS = """
ALTER TABLE decision_now ADD COLUMN worth REAL;
INSERT INTO decision_now SELECT * FROM decision;
DROP TABLE decision;
ALTER TABLE decision_now RENAME TO decision;
INSERT INTO setting VALUES ('pseudonyms', hex(randomblob(16)));
"""

# A tolerance that changes within its range changes nothing that was found. What is kept without ranges stands under no other.
_RANGES = """
ALTER TABLE grading ADD COLUMN ranges TEXT NOT NULL DEFAULT '{}';  -- JSON object: tolerance -> [from, to below]
"""

MIGRATIONS = (
    _GRADINGS,
    _PEOPLE,
    _FINDINGS,
    _WORTH,
    _CARRIED,
    _STEPS,
    _FORGOTTEN,
    _SETTING,
    _MORE_KINDS + _WORDS,
    _RANGES,
)


def is_newest(version: int) -> bool:
    """Return whether a database of this version needs no migration."""
    return version == len(MIGRATIONS)


class SchemaError(Exception):
    """A database that this grader cannot use; the text says why."""


def version_of(database: sqlite3.Connection) -> int:
    """Return the version of a database's tables, 0 for an empty one.

    Raises SchemaError for another program's, and for one that a newer grader wrote: before anything of it is changed.
    """
    (version,) = database.execute("PRAGMA user_version").fetchone()
    (application,) = database.execute("PRAGMA application_id").fetchone()
    (tables,) = database.execute("SELECT count(*) FROM sqlite_schema").fetchone()
    if application != APPLICATION and (version or application or tables):
        raise SchemaError(
            "it is the database of another program (nbgrader's has the same name). Name another folder with --out."
        )
    if version > len(MIGRATIONS):
        raise SchemaError(
            f"its tables have version {version}, and this grader knows versions up to {len(MIGRATIONS)}."
            " A newer grader wrote it: install that one."
        )
    return int(version)


def migrate(database: sqlite3.Connection, version: int, path: Path) -> None:
    """Migrate the database at `path` from this version to the newest, completely or not at all.

    The old one stays beside it as gradebook.db.version-1. Raises sqlite3.Error and OSError; closing the database then
    undoes what was begun.
    """
    if is_newest(version):
        return
    if version:
        _copy_aside(database, path.with_name(f"{path.name}.version-{version}"))
    database.create_function("carried", 1, _carried)
    steps = "".join(MIGRATIONS[version:])
    marks = f"PRAGMA application_id = {APPLICATION};PRAGMA user_version = {len(MIGRATIONS)};"
    database.executescript(f"BEGIN IMMEDIATE;{steps}{marks}COMMIT;")


def erase(
    database: sqlite3.Connection, names: Collection[str], student: Student | None, note: tuple[str, str] | None = None
) -> None:
    """Take submissions and a student out of a database of any version, so that no byte of them stays in its file.

    note : when and by whom, for the table of those that were taken out. Raises sqlite3.Error: nothing is taken out then.
    """
    put = database.execute
    tables = {table for (table,) in put("SELECT name FROM sqlite_schema WHERE type = 'table'")}
    put("PRAGMA secure_delete = ON")
    put("BEGIN IMMEDIATE")
    try:
        for table in ("decision", "grading", "submission"):
            for name in names if table in tables else ():
                put(f"DELETE FROM {table} WHERE name = ?", (name,))  # noqa: S608 -- names of tables, written above
        put("DELETE FROM replies WHERE id NOT IN (SELECT replies FROM grading WHERE replies IS NOT NULL)")
        rows = put("SELECT position, packed FROM student").fetchall() if student and "student" in tables else []
        for position in [position for position, packed in rows if _is_student(packed, student)]:
            put("DELETE FROM student WHERE position = ?", (position,))
        if note:
            database.executemany("INSERT INTO forgotten VALUES (?, ?)", [note] * len(names))
        put("COMMIT")
    except BaseException:
        put("ROLLBACK")
        raise
    # What was deleted lies in free pages, and in the log beside the file.
    put("VACUUM")
    put("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()


def _is_student(packed: bytes, student: Student | None) -> bool:
    with suppress(DamagedError):
        return bool(unpack(packed) == student)
    return False


def _carried(packed: bytes) -> bytes:
    """Return a packed report in this version's form; one that cannot be read is left as it is."""
    with suppress(DamagedError):
        report = unpack(packed)
        if isinstance(report, Report):
            return pack(replace(report, checks=tuple(map(carried_now, report.checks))))
    return packed


def _copy_aside(database: sqlite3.Connection, aside: Path) -> None:
    partial = aside.with_name(f".{aside.name}.{os.getpid()}.part")
    try:
        with closing(sqlite3.connect(partial)) as copy:
            database.backup(copy)
        partial.replace(aside)
    finally:
        partial.unlink(missing_ok=True)
