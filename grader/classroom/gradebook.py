"""The gradebook: an SQLite database in which a grading is whole or not at all, and from which nothing is taken away."""

from __future__ import annotations

import errno
import math
import os
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Any, Literal, TypeVar
from urllib.parse import quote, unquote_to_bytes

from grader.classroom.basis import Basis
from grader.classroom.packing import DamagedError, pack, unpack
from grader.classroom.roster import Claim, Roster
from grader.classroom.schema import SchemaError, migrate, version_of
from grader.records import Decision, Report, Student

T = TypeVar("T")

FILE = "gradebook.db"
# Another grader, or somebody who looks into the file with a tool of SQLite's, may be done within this.
BUSY_SECONDS = 2.0
_BASIS = "submission_digest, assignment_digest, seed_id, questions, versions, isolated"
_KEPT = f"id, name, made, at, status, score, max_score, replies, {_BASIS}"
_DECISION = "number, kind, check_id, value, comment, made_by, at, submission_digest"
# A file's name may hold bytes that are no character of any encoding, and SQLite's texts are UTF-8.
_BYTES = "bytes:"


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
        with self._told():
            if not create and not self.path.exists():
                raise GradebookError(
                    f"{folder}: there is no {FILE} in it. Name the folder that was given to `grader grade --out`."
                )
            self._database = sqlite3.connect(self.path, timeout=BUSY_SECONDS, isolation_level=None)
        try:
            with self._told():
                self._open()
        except BaseException:
            self._database.close()
            raise

    def _open(self) -> None:
        # Nobody else meanwhile: two gradings would do the work twice, and their pages would mix. It is given up when
        # the process ends, however it ends. Set before the first access, it needs no memory shared with others, which
        # network drives do not have.
        self._database.execute("PRAGMA locking_mode = EXCLUSIVE")
        try:
            version = version_of(self._database)
        except SchemaError as error:
            raise GradebookError(f"{self.path}: {error}") from error
        self._database.execute("PRAGMA journal_mode = WAL")
        # FULL: what is committed outlives a power failure; 2 to 5 ms a submission, of 300.
        self._database.execute("PRAGMA synchronous = FULL")
        migrate(self._database, version, self.path)
        # After the migration: one that builds a table anew takes the old one away for a moment.
        self._database.execute("PRAGMA foreign_keys = ON")

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

    def keep(self, lines: Sequence[Line], assignment_text: str, folder: Path | None = None) -> None:
        """Keep gradings, all of them or, where that fails, none.

        assignment_text : the assignment.toml that they were graded by. folder : where that stands.
        """
        place = _storable(str(folder.resolve())) if folder else ""
        with self._told(), self._transaction():
            for line in lines:
                self._keep(line, assignment_text, place)

    def _keep(self, line: Line, assignment_text: str, place: str) -> None:
        put, basis, report = self._database.execute, line.basis, line.report
        put(
            "INSERT INTO assignment VALUES (?, ?, ?) ON CONFLICT (digest) DO UPDATE SET folder = excluded.folder",
            (basis.assignment_digest, assignment_text, place),
        )
        put(
            "INSERT INTO submission VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET source = excluded.source",
            (line.name, _storable(line.source)),
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
        return int(
            self._one(f"grading of {name}", "SELECT id FROM grading WHERE name = ? ORDER BY id DESC LIMIT 1", name)
        )

    def sources(self) -> dict[str, str]:
        """Give where each submission came from last, by its name."""
        rows = self._rows("SELECT name, source FROM submission ORDER BY name")
        with self._told():
            return {name: _restored(source) for name, source in rows}

    def report(self, name: str) -> Report:
        """Give the last report of a submission, with its figures; it is the grader's own, before any decision."""
        what = f"report of {name}"
        packed = self._one(what, "SELECT record FROM grading WHERE name = ? AND record IS NOT NULL", name)
        return self._unpacked(packed, Report, f"the {what}")

    def published(self, grading: int) -> str:
        """Give the report.json of a grading."""
        return str(self._one(f"grading {grading}", "SELECT report FROM grading WHERE id = ?", grading))

    def replies(self, number: int) -> bytes:
        """Give the replies of a run, packed."""
        return bytes(self._one(f"replies {number}", "SELECT packed FROM replies WHERE id = ?", number))

    def assignment_text(self, digest: str) -> str:
        """Give the assignment.toml of that digest."""
        return str(self._one(f"rubric {digest}", "SELECT text FROM assignment WHERE digest = ?", digest))

    def rubric_folder(self) -> Path | None:
        """Give where the rubric of the last grading stood, or None where there is none or nobody said."""
        rows = self._rows(
            "SELECT folder FROM assignment JOIN grading ON digest = assignment_digest ORDER BY id DESC LIMIT 1"
        )
        return Path(_restored(rows[0][0])) if rows and rows[0][0] else None

    # ------------------------------------------------------------ people

    def decide(self, name: str, decision: Decision) -> Decision:
        """Keep a decision, and give it with its number.

        Raises ValueError where its value is negative, infinite or no number: no report can be made of that.
        """
        if not (math.isfinite(decision.value) and decision.value >= 0):
            raise ValueError(f"{decision.kind}: {decision.value} can be neither points nor days")
        with self._told(), self._transaction():
            number = self._database.execute(
                "INSERT INTO decision (name, kind, check_id, value, comment, made_by, at, submission_digest)"
                " VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
                (
                    *(name, decision.kind, decision.check, float(decision.value)),
                    *(decision.comment, decision.by, decision.at, decision.submission_digest),
                ),
            ).lastrowid
        return replace(decision, number=int(number or 0), value=float(decision.value))

    def withdraw(self, number: int, said: str) -> None:
        """Take a decision back; said : who, when and why, for the history.

        Raises ValueError where no decision of that number stands, or nothing is said.
        """
        put = "UPDATE decision SET withdrawn = ? WHERE number = ? AND withdrawn = ''"
        with self._told(), self._transaction():
            if not said or self._database.execute(put, (said, number)).rowcount != 1:
                raise ValueError(f"decision {number} does not stand, or nothing was said of taking it back")

    def ruled(self, name: str | None = None) -> list[Ruled]:
        """Give all decisions, those taken back too, the oldest first; of one submission, or of all."""
        rows = self._rows(
            f"SELECT name, withdrawn, {_DECISION} FROM decision WHERE ? IS NULL OR name = ? ORDER BY number",  # noqa: S608 -- as above
            name,
            name,
        )
        return [Ruled(row[0], Decision(*row[2:]), row[1]) for row in rows]

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
            (place, pack(student), _storable(roster.source), claim.line if claim else 0, claim.entry if claim else "")
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
        with self._told():
            return Roster(tuple(students), source=_restored(rows[0][1]), claims=tuple(claims))

    # ------------------------------------------------------------ SQLite

    def _rows(self, query: str, *values: object) -> list[tuple[Any, ...]]:
        with self._told():
            return self._database.execute(query, values).fetchall()

    def _one(self, what: str, query: str, *values: object) -> Any:
        """Give the one value that a query finds; where it finds none, somebody took it out."""
        for (found,) in self._rows(query, *values):
            return found
        raise self._damaged(f"there is no {what} in it")

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
        except (sqlite3.Error, OSError, UnicodeError) as error:
            raise self._in_words(error) from error

    def _in_words(self, error: sqlite3.Error | OSError | UnicodeError) -> GradebookError:
        # Python's own module raises some of its errors, and those have no code.
        code = getattr(error, "sqlite_errorcode", 0) & 0xFF
        if code == sqlite3.SQLITE_FULL or _means_full(error):
            return NoSpaceError(f"{self.path}: there is no room left on the disk.")
        if code == sqlite3.SQLITE_IOERR and not _room_at(self.path.parent):
            return NoSpaceError(f"{self.path}: there is no room left on the disk.")
        if code in {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED}:
            return GradebookError(
                f"{self.path}: somebody else has it open: another grader, or a tool that looks into it."
                " Close that, or wait until it is done."
            )
        if code in _NOT_OURS or isinstance(error, OSError):
            return GradebookError(
                f"{self.path}: it cannot be opened and written ({error}). Expected is a file in a folder that is there,"
                " and that you may write into."
            )
        if code in _REFUSED or isinstance(error, UnicodeEncodeError | sqlite3.ProgrammingError):
            return GradebookError(
                f"{self.path}: it does not take what was to be kept ({error}). Nothing of that was kept;"
                " what is in it already is whole."
            )
        return self._damaged(str(error))


# Errors of SQLite that are neither the file's fault nor a lock.
_NOT_OURS = {sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_READONLY, sqlite3.SQLITE_PERM, sqlite3.SQLITE_IOERR}
_NOT_OURS |= {sqlite3.SQLITE_AUTH, sqlite3.SQLITE_NOLFS, sqlite3.SQLITE_PROTOCOL, sqlite3.SQLITE_NOMEM}
_REFUSED = {sqlite3.SQLITE_CONSTRAINT, sqlite3.SQLITE_TOOBIG, sqlite3.SQLITE_MISMATCH, sqlite3.SQLITE_MISUSE}


def _means_full(error: Exception) -> bool:
    return isinstance(error, OSError) and error.errno in {errno.ENOSPC, errno.EDQUOT}


def _room_at(folder: Path) -> bool:
    """Tell whether a file can still grow: SQLite calls a full disk an input/output error in some places."""
    probe = folder / f".room.{os.getpid()}"
    try:
        probe.write_bytes(bytes(65_536))
    except OSError as error:
        return not _means_full(error)
    finally:
        with suppress(OSError):
            probe.unlink()
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


def _storable(path: str) -> str:
    """Write a path so that SQLite takes it and `_restored` gives it back, whatever bytes are in it."""
    if path.isprintable() and not path.startswith(_BYTES):
        return path
    return _BYTES + quote(path.encode("utf-8", "surrogatepass"))


def _restored(text: str) -> str:
    if not text.startswith(_BYTES):
        return text
    return unquote_to_bytes(text.removeprefix(_BYTES)).decode("utf-8", "surrogatepass")
