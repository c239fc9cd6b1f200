"""The gradebook's file: one writer or many readers, complete transactions, and SQLite's errors in plain words."""

import errno
import os
import sqlite3
from collections.abc import Collection, Iterator
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import quote, unquote_to_bytes

from grader.classroom.schema import SchemaError, erase, is_newest, migrate, version_of
from grader.model import Student
from grader.text.sanitise import one_line

FILE = "gradebook.db"
COPY = "decisions.db"  # beside it: people's decisions and the roster once more
# Another grader, or somebody who looks into the file with a tool of SQLite's, may be done within this.
BUSY_SECONDS = 2.0
# A file's name may hold bytes that are no character of any encoding, and SQLite's texts are UTF-8.
_BYTES = "bytes:"
# Errors of SQLite that are neither the file's fault nor a lock.
_NOT_OURS = {sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_READONLY, sqlite3.SQLITE_PERM, sqlite3.SQLITE_IOERR}
_NOT_OURS |= {sqlite3.SQLITE_AUTH, sqlite3.SQLITE_NOLFS, sqlite3.SQLITE_PROTOCOL, sqlite3.SQLITE_NOMEM}
# What SQLite says where it would have to write before it can read, or may not write at all.
_UNWRITABLE = {sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_READONLY, sqlite3.SQLITE_PERM}
_REFUSED = {sqlite3.SQLITE_CONSTRAINT, sqlite3.SQLITE_TOOBIG, sqlite3.SQLITE_MISMATCH, sqlite3.SQLITE_MISUSE}

_OLD = "an older grader wrote it, so its tables must be updated before it can be read"
_LEFT = "the last grader did not close it (it was stopped, or is an older version), and that must be done before it can be read"
_AGAIN = "grade again, with the same --assignment and --seed as before"
_COPY = "You may not write to it or its folder: copy the folder to a place of your own, and name that one."


class GradebookError(Exception):
    """The gradebook cannot be used; the text says why and what to do."""


class NoSpaceError(GradebookError):
    """The disk is full."""


class Storage:
    """An open gradebook file.

    A writer has it alone. Several readers can have it at once, and keep writers away meanwhile.
    """

    def __init__(self, folder: Path, *, create: bool = False, reading: bool = False) -> None:
        """Open folder/gradebook.db and migrate it to this version's tables.

        create : make it if there is none. reading : it need not be writable, unless it must be migrated.
        Raises GradebookError.
        """
        self.path = folder / FILE
        self._reading = reading
        with self.explain_errors():
            if not create and not self.path.exists():
                raise GradebookError(f"{folder}: there is no {FILE} in it. {self._elsewhere()}")
            # SQLite takes it for a database without tables, and a class would be written over by an empty one.
            if not create and not self.path.stat().st_size:
                raise self.damaged("it is empty")
            if reading:
                self._open_to_read()
            else:
                self._open_to_write()

    def _open_to_read(self) -> None:
        """Open it as it is. Only a writer can migrate it, or finish what a killed writer left behind."""
        # readonly_shm: no file is made beside it for that.
        address = f"{self.path.absolute().as_uri()}?mode=ro&readonly_shm=1"
        self._database = sqlite3.connect(address, uri=True, timeout=BUSY_SECONDS, isolation_level=None)
        why = ""
        try:
            # One transaction until it is closed: all that is read is of one moment.
            self._database.execute("BEGIN")
            why = "" if is_newest(self._version()) else _OLD
        except BaseException as error:
            self._database.close()
            if not isinstance(error, sqlite3.Error) or _code(error) not in _UNWRITABLE:
                raise
            why = _LEFT
        if why:
            self._database.close()
            self._bring_up_to_date(why)

    def _bring_up_to_date(self, why: str) -> None:
        """Open it for writing, although it will only be read; raise GradebookError with `why` where that is not allowed."""
        try:
            self._open_to_write()
        except sqlite3.Error as error:
            # In WAL mode, the lock of a writer is refused to who may not write, as if the disk were at fault.
            lock = getattr(error, "sqlite_errorname", "") == "SQLITE_IOERR_LOCK"
            if lock or _code(error) in _UNWRITABLE:
                raise GradebookError(f"{self.path}: {why}. {_COPY}") from error
            raise

    def _open_to_write(self) -> None:
        self._database = sqlite3.connect(self.path, timeout=BUSY_SECONDS, isolation_level=None)
        try:
            # Nobody else meanwhile: two gradings would do the work twice, and their pages would mix. It is given up when
            # the process ends, however it ends. Set before the first access, it needs no memory shared with others, which
            # network drives do not have.
            self._database.execute("PRAGMA locking_mode = EXCLUSIVE")
            # At once: two that read first and lock later would wait for each other.
            self._database.execute("BEGIN EXCLUSIVE")
            version = self._version()
            self._database.execute("COMMIT")
            self._database.execute("PRAGMA journal_mode = WAL")
            # FULL: what is committed outlives a power failure; 2 to 5 ms a submission, of 300.
            self._database.execute("PRAGMA synchronous = FULL")
            migrate(self._database, version, self.path)
            # After the migration: one that builds a table anew takes the old one away for a moment.
            self._database.execute("PRAGMA foreign_keys = ON")
        except BaseException:
            self._database.close()
            raise
        self._reading = False

    def _version(self) -> int:
        try:
            return version_of(self._database)
        except SchemaError as error:
            raise GradebookError(f"{self.path}: {error}") from error

    def close(self) -> None:
        """Let others open it."""
        if not self._reading:
            # A file in WAL mode can be read by nobody who may not write beside it: an archive, another's class. Where
            # this fails, the next writer finds all that was kept as after a kill.
            with suppress(sqlite3.Error):
                self._database.execute("PRAGMA journal_mode = DELETE")
        self._database.close()

    def rows(self, query: str, *values: object) -> list[tuple[Any, ...]]:
        """Return the rows that a query finds; raises GradebookError."""
        with self.explain_errors():
            return self._database.execute(query, values).fetchall()

    def one(self, what: str, query: str, *values: object) -> Any:
        """Return the one value that a query finds; raise GradebookError if there is none, since somebody removed it.

        what : names the value in the error.
        """
        for (found,) in self.rows(query, *values):
            return found
        raise self.damaged(f"there is no {what} in it")

    def erase(self, names: Collection[str], student: Student | None, note: tuple[str, str]) -> None:
        """Take submissions and a student out, so that no byte of them stays; raises GradebookError."""
        with self.explain_errors():
            erase(self._database, names, student, note)

    @contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """Yield the connection for writing: at the end everything is saved or, if that fails, nothing.

        Raises GradebookError where SQLite refuses; any other error is passed on.
        """
        with self.explain_errors():
            if self._reading:
                raise GradebookError(f"{self.path}: it was opened only for reading, so nothing can be saved.")
            self._database.execute("BEGIN IMMEDIATE")
            try:
                yield self._database
                self._database.execute("COMMIT")
            except BaseException:
                # SQLite ends the transaction itself where the disk is full; there is nothing left to roll back then.
                with suppress(sqlite3.Error):
                    self._database.execute("ROLLBACK")
                raise

    @contextmanager
    def explain_errors(self) -> Iterator[None]:
        """Raise SQLite's errors as GradebookError, in helpful words."""
        try:
            yield
        except (sqlite3.Error, OSError, UnicodeError) as error:
            raise self._in_words(error) from error

    def damaged(self, what: str) -> GradebookError:
        """Return the error to raise where the file lacks what was saved in it; what : what was found."""
        return GradebookError(
            f"{self.path}: {what}. The file is damaged, or it is not a gradebook. Move it away and {_AGAIN}."
            f" The reports in submissions/ stay until their submissions are graded.{self._saved()}"
        )

    def _elsewhere(self) -> str:
        """Return what to do if there is no gradebook: it was moved away, or is in another folder."""
        if not any(self.path.with_name(name).exists() for name in ("submissions", COPY)):
            return "Give the folder that you gave to `grader grade --out`."
        return f"There was one before: bring it back, or {_AGAIN}.{self._saved()}"

    def _saved(self) -> str:
        """Return what the safety copy beside a damaged gradebook holds, and how to restore it."""
        copy = self.path.with_name(COPY)
        if not copy.exists():
            return ""
        return (
            f" People's decisions and the roster are also in {COPY}. Grade the class again, then restore them with"
            f" `grader adjust {one_line(str(self.path.parent))} --restore {one_line(str(copy))}`."
        )

    def _in_words(self, error: sqlite3.Error | OSError | UnicodeError) -> GradebookError:
        code = _code(error)
        no_room = code == sqlite3.SQLITE_IOERR and not _room_at(self.path.parent)
        if code == sqlite3.SQLITE_FULL or means_full(error) or no_room:
            return NoSpaceError(f"{self.path}: the disk is full.")
        if code in {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED}:
            return GradebookError(
                f"{self.path}: another program has it open: a grader, or a tool that reads it."
                " Close that program, or wait until it is done."
            )
        if code in _NOT_OURS or isinstance(error, OSError):
            if self._reading:
                return GradebookError(f"{self.path}: it cannot be opened ({error}). Check that you may read the file.")
            return GradebookError(
                f"{self.path}: it cannot be opened for writing ({error}). Check that the folder exists"
                " and that you may write there."
            )
        if code in _REFUSED or isinstance(error, UnicodeEncodeError | sqlite3.ProgrammingError):
            return GradebookError(
                f"{self.path}: the new data cannot be saved ({error}). None of it was saved;"
                " what was there before is complete."
            )
        return self.damaged(str(error))


def _code(error: Exception) -> int:
    # Python's own module raises some of its errors, and those have no code.
    return int(getattr(error, "sqlite_errorcode", 0)) & 0xFF


def encode_path(path: str) -> str:
    """Return a path as text for SQLite, from which `decode_path` makes the same path, whatever bytes it holds."""
    if path.isprintable() and not path.startswith(_BYTES):
        return path
    return _BYTES + quote(path.encode("utf-8", "surrogatepass"))


def decode_path(text: str) -> str:
    """Return the path that `encode_path` encoded; raises UnicodeError for any other text."""
    if not text.startswith(_BYTES):
        return text
    return unquote_to_bytes(text.removeprefix(_BYTES)).decode("utf-8", "surrogatepass")


def write_whole(path: Path, content: str | bytes, *, secret: bool = False) -> None:
    """Write a file completely or not at all. Raises OSError.

    secret : only its owner can read it, at any time, and it outlives a power failure.
    """
    partly = path.with_name(f".{path.name}.{os.getpid()}.part")
    partly.unlink(missing_ok=True)
    try:
        with open(partly, "xb", opener=partial(os.open, mode=0o600 if secret else 0o666)) as file:
            file.write(content.encode("utf-8") if isinstance(content, str) else content)
            if secret:
                file.flush()
                os.fsync(file.fileno())
        partly.replace(path)
    except OSError:
        partly.unlink(missing_ok=True)
        raise


def means_full(error: Exception) -> bool:
    """Return whether an error of the system says that the disk, or what this user may have of it, is full."""
    return isinstance(error, OSError) and error.errno in {errno.ENOSPC, errno.EDQUOT}


def _room_at(folder: Path) -> bool:
    """Return whether a file can still grow: SQLite sometimes calls a full disk an input/output error."""
    probe = folder / f".room.{os.getpid()}"
    try:
        probe.write_bytes(bytes(65_536))
    except OSError as error:
        return not means_full(error)
    finally:
        with suppress(OSError):
            probe.unlink()
    return True
