"""The tables of a gradebook, and how an older gradebook becomes a newer one.

Each entry of MIGRATIONS takes a database from one schema version (SQLite's `user_version`) to the next. An entry that was
once released is never edited: whoever changes the tables appends another.
"""

from __future__ import annotations

# Replies are kept apart from the gradings: every regrade of a run is one more row, and its replies are there once.
_GRADINGS = """
CREATE TABLE assignment (
    digest TEXT PRIMARY KEY,
    text TEXT NOT NULL               -- the assignment.toml, so that a regrade can tell what changed
) STRICT;

CREATE TABLE submission (
    name TEXT PRIMARY KEY,
    source TEXT NOT NULL             -- the path as it was given last
) STRICT;

CREATE TABLE replies (
    id INTEGER PRIMARY KEY,
    packed BLOB NOT NULL             -- (Submission, Run), as grader/classroom/packing.py lays them out
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
    versions TEXT NOT NULL,          -- JSON object: grader, python, numpy
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
    value REAL NOT NULL,
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

MIGRATIONS = (_GRADINGS, _PEOPLE)
VERSION = len(MIGRATIONS)
