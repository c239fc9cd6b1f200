"""The gradebook: an SQLite database in which a grading is whole or not at all, and from which nothing is taken away."""

from __future__ import annotations

import errno
import os
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Any, Literal, TypeVar

from grader.classroom.basis import Basis
from grader.classroom.packing import DamagedError, pack, unpack
from grader.classroom.roster import Claim, Roster
from grader.classroom.schema import MIGRATIONS, VERSION
from grader.records import Decision, Report, Student

T = TypeVar("T")

FILE = "gradebook.db"
# Another grader, or somebody who looks into the file with a tool of SQLite's, may be done within this.
BUSY_SECONDS = 2.0
_BASIS = "submission_digest, assignment_digest, seed_id, questions, versions, isolated"
_KEPT = f"id, name, made, at, status, score, max_score, replies, {_BASIS}"


class GradebookError(Exception):
    """The gradebook cannot be used; the text says why and what to do."""


class NoSpaceError(GradebookError):
    """There is no room for more."""


@dataclass(frozen=True)
class Kept:
    """What the gradebook says of one grading, without its report."""

    id: int
    name: str
    made: Literal["grade", "regrade"]
    at: str  # UTC, ISO 8601
    status: str
    score: float  # the grader's own
    max_score: float
    replies: int | None
    basis: Basis


@dataclass(frozen=True)
class Line:
    """One grading to be kept."""

    name: str
    source: str
    made: Literal["grade", "regrade"]
    basis: Basis
    report: Report
    published: str  # its report.json
    record: bytes  # the report with its figures, packed
    replies: bytes | int | None  # packed now, or the id of those that were judged again


@dataclass(frozen=True)
class Ruled:
    """A decision as the history shows it."""

    name: str
    decision: Decision
    withdrawn: str  # who took it back, when and why; "" while it stands


def now() -> str:
    """Give the time as it is kept: UTC, to the second."""
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


class Gradebook:
    """A gradebook that is open; nobody else can open it meanwhile."""

    def __init__(self, folder: Path, *, create: bool = False) -> None:
        """Open folder/gradebook.db, bring it to this version's tables; create : make it where there is none.

        Raises GradebookError.
        """
        self.path = folder / FILE
        if not create and not self.path.exists():
            raise GradebookError(
                f"{folder}: there is no {FILE} in it. Name the folder that was given to `grader grade --out`."
            )
        with self._told():
            self._database = sqlite3.connect(self.path, timeout=BUSY_SECONDS, isolation_level=None)
        try:
            with self._told():
                # Nobody else meanwhile: two gradings would do the work twice, and their pages would mix. It is given
                # up when the process ends, however it ends.
                self._database.execute("PRAGMA locking_mode = EXCLUSIVE")
                self._database.execute("PRAGMA journal_mode = WAL")
                # FULL: what is committed outlives a power failure; 2 to 5 ms a submission, of 300.
                self._database.execute("PRAGMA synchronous = FULL")
                self._database.execute("PRAGMA foreign_keys = ON")
                self._migrate()
        except BaseException:
            self._database.close()
            raise

    def __enter__(self) -> Gradebook:  # noqa: PYI034 -- one class, never subclassed
        return self

    def __exit__(
        self, _kind: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Let others open it."""
        self._database.close()

    # ------------------------------------------------------------ gradings

    def keep(self, lines: Sequence[Line], assignment_text: str) -> None:
        """Keep gradings, all of them or, where that fails, none.

        assignment_text : the assignment.toml that they were graded by.
        """
        with self._told(), self._transaction():
            for line in lines:
                self._keep(line, assignment_text)

    def _keep(self, line: Line, assignment_text: str) -> None:
        put, basis, report = self._database.execute, line.basis, line.report
        put("INSERT OR IGNORE INTO assignment VALUES (?, ?)", (basis.assignment_digest, assignment_text))
        put(
            "INSERT INTO submission VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET source = excluded.source",
            (line.name, line.source),
        )
        replies = line.replies
        if isinstance(replies, bytes):
            replies = put("INSERT INTO replies (packed) VALUES (?)", (replies,)).lastrowid
        # Only the last record is drawn again; earlier ones are told by their report.json.
        put("UPDATE grading SET record = NULL WHERE name = ? AND record IS NOT NULL", (line.name,))
        put(
            f"INSERT INTO grading (name, made, at, {_BASIS}, status, score, max_score, report, record, replies)"  # noqa: S608 -- names of columns, written above
            " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (
                *(line.name, line.made, now()),
                *(basis.submission_digest, basis.assignment_digest, basis.seed_id, basis.questions),
                *(basis.versions, int(basis.isolated), report.status, report.score, report.max_score),
                *(line.published, line.record, replies),
            ),
        )

    def last(self) -> dict[str, Kept]:
        """Give the last grading of each submission, by name, in the names' order."""
        rows = self._rows(f"SELECT {_KEPT} FROM grading WHERE id IN (SELECT max(id) FROM grading GROUP BY name)")  # noqa: S608 -- as above
        return {kept.name: kept for kept in sorted(map(_kept, rows), key=lambda kept: kept.name)}

    def gradings(self, name: str) -> list[Kept]:
        """Give all gradings of one submission, the oldest first."""
        return [_kept(row) for row in self._rows(f"SELECT {_KEPT} FROM grading WHERE name = ? ORDER BY id", name)]  # noqa: S608 -- as above

    def last_id(self, name: str) -> int:
        """Give the number of a submission's last grading."""
        ((found,),) = self._rows("SELECT max(id) FROM grading WHERE name = ?", name)
        return int(str(found))

    def sources(self) -> dict[str, str]:
        """Give where each submission came from last, by its name."""
        return dict(self._rows("SELECT name, source FROM submission ORDER BY name"))

    def report(self, name: str) -> Report:
        """Give the last report of a submission, with its figures; it is the grader's own, before any decision."""
        ((packed,),) = self._rows("SELECT record FROM grading WHERE name = ? AND record IS NOT NULL", name)
        return self._unpacked(packed, Report, f"the report of {name}")

    def published(self, grading: int) -> str:
        """Give the report.json of a grading."""
        ((text,),) = self._rows("SELECT report FROM grading WHERE id = ?", grading)
        return str(text)

    def replies(self, number: int) -> bytes:
        """Give the replies of a run, packed."""
        ((packed,),) = self._rows("SELECT packed FROM replies WHERE id = ?", number)
        return bytes(packed)

    def assignment_text(self, digest: str) -> str:
        """Give the assignment.toml of that digest."""
        ((text,),) = self._rows("SELECT text FROM assignment WHERE digest = ?", digest)
        return str(text)

    # ------------------------------------------------------------ people

    def decide(self, name: str, decision: Decision) -> Decision:
        """Keep a decision, and give it with its number."""
        with self._told(), self._transaction():
            number = self._database.execute(
                "INSERT INTO decision (name, kind, check_id, value, comment, made_by, at, submission_digest)"
                " VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
                (
                    *(name, decision.kind, decision.check, decision.value),
                    *(decision.comment, decision.by, decision.at, decision.submission_digest),
                ),
            ).lastrowid
        return _decision((number, *_fields(decision)))

    def withdraw(self, number: int, said: str) -> None:
        """Take a decision back; said : who, when and why, for the history."""
        with self._told(), self._transaction():
            self._database.execute("UPDATE decision SET withdrawn = ? WHERE number = ?", (said, number))

    def ruled(self, name: str | None = None) -> list[Ruled]:
        """Give all decisions, those taken back too, the oldest first; of one submission, or of all."""
        rows = self._rows(
            "SELECT name, withdrawn, number, kind, check_id, value, comment, made_by, at, submission_digest"
            " FROM decision WHERE ? IS NULL OR name = ? ORDER BY number",
            name,
            name,
        )
        return [Ruled(row[0], _decision(row[2:]), row[1]) for row in rows]

    def decisions(self) -> dict[str, tuple[Decision, ...]]:
        """Give the decisions that stand, by the submission's name."""
        found: dict[str, tuple[Decision, ...]] = {}
        for ruled in self.ruled():
            if not ruled.withdrawn:
                found[ruled.name] = (*found.get(ruled.name, ()), ruled.decision)
        return found

    def set_roster(self, roster: Roster) -> None:
        """Keep a roster in place of the one before."""
        claims = {claim.student: claim for claim in roster.claims}
        lines = [
            (place, pack(student), roster.source, claim.line if claim else 0, claim.entry if claim else "")
            for place, student in enumerate(roster.students)
            for claim in [claims.get(student)]
        ]
        with self._told(), self._transaction():
            self._database.execute("DELETE FROM student")
            self._database.executemany("INSERT INTO student VALUES (?, ?, ?, ?, ?)", lines)

    def roster(self) -> Roster | None:
        """Give the roster, or None where none was given."""
        rows = self._rows("SELECT packed, roster, line, claims FROM student ORDER BY position")
        if not rows:
            return None
        students = [self._unpacked(row[0], Student, "a student of the roster") for row in rows]
        claims = [Claim(student, row[3], row[2]) for student, row in zip(students, rows, strict=True) if row[3]]
        return Roster(tuple(students), source=str(rows[0][1]), claims=tuple(claims))

    # ------------------------------------------------------------ SQLite

    def _rows(self, query: str, *values: object) -> list[tuple[Any, ...]]:
        with self._told():
            return self._database.execute(query, values).fetchall()

    def _unpacked(self, packed: bytes, kind: type[T], what: str) -> T:
        try:
            found = unpack(packed)
        except DamagedError as error:
            raise self._damaged(f"{what} cannot be read ({error})") from error
        if not isinstance(found, kind):
            raise self._damaged(f"{what} is a {type(found).__name__}")
        return found

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        self._database.execute("BEGIN IMMEDIATE")
        try:
            yield
            self._database.execute("COMMIT")
        except BaseException:
            # SQLite ends the transaction itself where the disk is full; there is nothing left to roll back then.
            with suppress(sqlite3.Error):
                self._database.execute("ROLLBACK")
            raise

    def _migrate(self) -> None:
        (found,) = self._database.execute("PRAGMA user_version").fetchone()
        if found > VERSION:
            raise GradebookError(
                f"{self.path}: its tables are of version {found}, and this grader knows those up to {VERSION}."
                " It was written by a newer grader: install that one."
            )
        if 0 < found < VERSION:
            self._copy_aside(found)
        for version in range(found, VERSION):
            script = f"BEGIN IMMEDIATE;{MIGRATIONS[version]}PRAGMA user_version = {version + 1};COMMIT;"
            try:
                self._database.executescript(script)
            except BaseException:
                with suppress(sqlite3.Error):
                    self._database.execute("ROLLBACK")
                raise

    def _copy_aside(self, version: int) -> None:
        """Keep the gradebook as it was, before its tables change."""
        aside = self.path.with_name(f"{FILE}.version-{version}")
        if not aside.exists():
            partial = aside.with_name(f".{aside.name}.{os.getpid()}.part")
            with sqlite3.connect(partial) as copy:
                self._database.backup(copy)
            copy.close()
            partial.replace(aside)

    def _damaged(self, what: str) -> GradebookError:
        return GradebookError(
            f"{self.path}: {what}. The file is damaged, or no gradebook. Move it away and grade again;"
            " the reports in submissions/ are not touched by that until they are graded."
        )

    @contextmanager
    def _told(self) -> Iterator[None]:
        """Say SQLite's errors in words that help."""
        try:
            yield
        except sqlite3.OperationalError as error:
            code = error.sqlite_errorcode & 0xFF
            if code == sqlite3.SQLITE_FULL:
                raise NoSpaceError(f"{self.path}: there is no room left on the disk.") from error
            if code in {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED}:
                raise GradebookError(
                    f"{self.path}: somebody else has it open: another grader, or a tool that looks into it."
                    " Close that, or wait until it is done."
                ) from error
            if code == sqlite3.SQLITE_IOERR and not _room_at(self.path.parent):
                raise NoSpaceError(f"{self.path}: there is no room left on the disk.") from error
            raise GradebookError(f"{self.path}: cannot be opened or written ({error}).") from error
        except sqlite3.DatabaseError as error:
            raise self._damaged(str(error)) from error


def _room_at(folder: Path) -> bool:
    """Tell whether a file can still grow: SQLite calls a full disk an input/output error in some places."""
    probe = folder / f".room.{os.getpid()}"
    try:
        probe.write_bytes(bytes(65_536))
    except OSError as error:
        return error.errno not in {errno.ENOSPC, errno.EDQUOT}
    finally:
        probe.unlink(missing_ok=True)
    return True


def _kept(row: Sequence[Any]) -> Kept:
    (
        number,
        name,
        made,
        at,
        status,
        score,
        max_score,
        replies,
        submission,
        assignment,
        seed,
        asked,
        versions,
        isolated,
    ) = row
    found = Basis(submission, assignment, seed, asked, versions, bool(isolated))
    return Kept(number, name, made, at, status, score, max_score, replies, found)


def _fields(decision: Decision) -> tuple[object, ...]:
    return (
        *(decision.kind, decision.check, decision.value),
        *(decision.comment, decision.by, decision.at, decision.submission_digest),
    )


def _decision(row: Sequence[Any]) -> Decision:
    return Decision(*row)
