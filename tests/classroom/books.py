"""Gradebooks for tests: what is put into one, and what it says."""

from __future__ import annotations

import os
import shutil
import sqlite3
import tempfile
from contextlib import closing, contextmanager, suppress
from pathlib import Path

import numpy as np

from grader.classroom import schema
from grader.classroom.cache_keys import CacheKey
from grader.classroom.gradebook import FILE, Gradebook, NewGrading
from grader.classroom.roster import Roster
from grader.model import Decision, Environment, HeatMap, Report, Student, Verdict
from grader.packing import pack

RUBRIC = "title = 'x'\n"
KEY = CacheKey("digest", "rubric", "seed", "asked", '{"python": "3.11"}', isolated=True)
SOMEBODY = "another program has it open"
NOBODY = 65_534
NEWEST = len(schema.MIGRATIONS)


def reported(name, score=1.0):
    """Return a report with a figure."""
    figure = HeatMap("W1", np.arange(6.0).reshape(2, 3), (1, 2))
    verdict = Verdict("loss", "Loss", "loss", "passed", score, 2.0, False, "good", figures=(figure,))
    return Report(name, f"class/{name}.py", score, 2.0, "graded", (verdict,), (), (), Environment({}, ()), {})


def line(name, score=1.0, replies=b"replies", **other):
    """Return one grading to be kept."""
    report = reported(name, score)
    given = {
        "source": f"class/{name}.py",
        "made": "grade",
        "key": KEY,
        "published": f'{{"score": {score}}}\n',
        "record": pack(report),
        "findings": b"findings",
        "findings_key": "all that finds",
        "ranges": {"gradient": (1e-9, 1e-3)},
    } | other
    return NewGrading(name=name, report=report, replies=replies, **given)


def decision(kind="points", value=1.0, **other):
    """Return a decision without a number."""
    given = {
        "check": "loss",
        "comment": "seen",
        "by": "ta",
        "at": "2026-11-22T15:00:00Z",
        "submission_digest": "digest",
    }
    return Decision(0, kind, value=value, **(given | other))


def rows(folder, query):
    """Ask the file as any tool of SQLite's would."""
    with closing(sqlite3.connect(folder / FILE)) as database:
        return database.execute(query).fetchall()


def listed(folder):
    """Return the names in a folder."""
    return sorted(path.name for path in folder.iterdir())


def everything(opened):
    """Call each method that reads, and give what it says."""
    last = opened.last()
    return (
        last,
        opened.sources(),
        opened.decisions(),
        opened.decision_records(),
        opened.roster(),
        {name: opened.gradings(name) for name in last},
        {name: str(opened.report(name)) for name in last},
        {name: opened.published(kept.id) for name, kept in last.items()},
        {name: kept.replies and opened.replies(kept.replies) for name, kept in last.items()},
        {name: opened.assignment_text(kept.key.assignment_digest) for name, kept in last.items()},
    )


def filled(folder):
    """Make a gradebook with something of everything in it."""
    with Gradebook(folder, create=True) as opened:
        opened.insert([line(f"s{number}", replies=os.urandom(3000)) for number in range(8)], RUBRIC)
        opened.decide_all([("s1", decision())])
        opened.set_roster(Roster((Student("Doe, Jane", id="1"),), source="class.csv"))
        return everything(opened)


@contextmanager
def somebody():
    """Return a folder, and be somebody whom its modes concern."""
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
