"""The rows of gradings in a gradebook: how one is written, and how it is read."""

import json
import sqlite3
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any, Literal

from grader.classroom.cache_keys import CacheKey
from grader.classroom.storage import encode_path
from grader.model import Ranges, Report
from grader.records import dataclass

_KEY = "submission_digest, assignment_digest, seed_id, questions, versions, isolated"
ROWS = f"SELECT id, name, made, at, status, score, max_score, replies, found_by, ranges, {_KEY} FROM grading"  # noqa: S608 -- names of columns, written above


@dataclass(frozen=True)
class GradingRow:
    """One grading in the gradebook, without its report."""

    id: int
    name: str
    made: Literal["grade", "regrade"]
    at: str  # UTC, ISO 8601
    status: str
    score: float  # the grader's own
    max_score: float
    replies: int | None
    findings_key: str  # "" where no findings are kept
    ranges: Ranges | None  # of the tolerances, for these findings; None where they cannot be read
    key: CacheKey


@dataclass(frozen=True)
class NewGrading:
    """One grading to be inserted."""

    name: str
    source: str
    made: Literal["grade", "regrade"]
    key: CacheKey
    report: Report
    published: str  # its report.json
    record: bytes  # the report with its figures, packed
    replies: bytes | int | None  # packed now, or the id of those that were judged again
    findings: bytes | None  # packed, without figures
    findings_key: str  # see `cache_keys.findings_key`
    ranges: Ranges


def now() -> str:
    """Return the time in the gradebook's form: UTC, to the second."""
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def insert_grading(database: sqlite3.Connection, new: NewGrading, assignment_text: str, place: str) -> None:
    """Insert one grading, with its submission, its rubric and its replies."""
    put, key, report = database.execute, new.key, new.report
    put(
        "INSERT INTO assignment VALUES (?, ?, ?) ON CONFLICT (digest) DO UPDATE SET folder = excluded.folder",
        (key.assignment_digest, assignment_text, place),
    )
    put(
        "INSERT INTO submission VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET source = excluded.source",
        (new.name, encode_path(new.source)),
    )
    replies = new.replies
    if isinstance(replies, bytes):
        replies = put("INSERT INTO replies (packed) VALUES (?)", (replies,)).lastrowid
    # Only the last record is drawn again; earlier ones are shown from their report.json.
    put("UPDATE grading SET record = NULL, findings = NULL WHERE name = ? AND record IS NOT NULL", (new.name,))
    put(
        f"INSERT INTO grading (name, made, at, {_KEY}, status, score, max_score, report, record, replies,"  # noqa: S608 -- as above
        " findings, found_by, ranges) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (
            *(new.name, new.made, now()),
            *(key.submission_digest, key.assignment_digest, key.seed_id, key.questions),
            *(key.versions, int(key.isolated), report.status, report.score, report.max_score),
            *(
                new.published,
                new.record,
                replies,
                new.findings,
                new.findings_key if new.findings else "",
                json.dumps(new.ranges),
            ),
        ),
    )


def read_row(row: Sequence[Any]) -> GradingRow:
    """Return a row of `ROWS`."""
    *of_grading, ranges, submission, assignment, seed, asked, versions, isolated = row
    key = CacheKey(submission, assignment, seed, asked, versions, bool(isolated))
    return GradingRow(*(*of_grading, _read_ranges(ranges), key))


def _read_ranges(text: str) -> Ranges | None:
    """Return the ranges of tolerances; None where they cannot be read, and the replies have to be judged again."""
    try:
        return {name: (float(low), float(high)) for name, (low, high) in json.loads(text).items()}
    except (ValueError, TypeError, AttributeError, RecursionError):
        return None
