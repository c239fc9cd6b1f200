"""The gradebook's file: opened for one alone, written whole or not at all, and SQLite's errors said in words."""

from __future__ import annotations

import errno
import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any
from urllib.parse import quote, unquote_to_bytes

from grader.classroom.schema import SchemaError, migrate, version_of

FILE = "gradebook.db"
# Another grader, or somebody who looks into the file with a tool of SQLite's, may be done within this.
BUSY_SECONDS = 2.0
# A file's name may hold bytes that are no character of any encoding, and SQLite's texts are UTF-8.
_BYTES = "bytes:"
# Errors of SQLite that are neither the file's fault nor a lock.
_NOT_OURS = {sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_READONLY, sqlite3.SQLITE_PERM, sqlite3.SQLITE_IOERR}
_NOT_OURS |= {sqlite3.SQLITE_AUTH, sqlite3.SQLITE_NOLFS, sqlite3.SQLITE_PROTOCOL, sqlite3.SQLITE_NOMEM}
_REFUSED = {sqlite3.SQLITE_CONSTRAINT, sqlite3.SQLITE_TOOBIG, sqlite3.SQLITE_MISMATCH, sqlite3.SQLITE_MISUSE}


class GradebookError(Exception):
    """The gradebook cannot be used; the text says why and what to do."""


class NoSpaceError(GradebookError):
    """There is no room for more."""


class Storage:
    """A gradebook's file from its opening to its closing; nobody else can open it meanwhile."""

    def __init__(self, folder: Path, *, create: bool = False) -> None:
        """Open folder/gradebook.db, bring it to this version's tables; create : make it where there is none.

        Raises GradebookError.
        """
        self.path = folder / FILE
        with self.told():
            if not create and not self.path.exists():
                raise GradebookError(
                    f"{folder}: there is no {FILE} in it. Name the folder that was given to `grader grade --out`."
                )
            self._database = sqlite3.connect(self.path, timeout=BUSY_SECONDS, isolation_level=None)
        try:
            with self.told():
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

    def close(self) -> None:
        """Let others open it."""
        self._database.close()

    def rows(self, query: str, *values: object) -> list[tuple[Any, ...]]:
        """Give what a query finds; raises GradebookError."""
        with self.told():
            return self._database.execute(query, values).fetchall()

    def one(self, what: str, query: str, *values: object) -> Any:
        """Give the one value that a query finds; where it finds none, somebody took it out.

        what : what is looked for, to say it in the GradebookError.
        """
        for (found,) in self.rows(query, *values):
            return found
        raise self.damaged(f"there is no {what} in it")

    @contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """Lend the connection to write with: all that is written is kept at the end or, where that fails, nothing.

        Raises GradebookError where SQLite refuses; any other error comes out as it was raised.
        """
        with self.told():
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
    def told(self) -> Iterator[None]:
        """Say SQLite's errors in words that help, as a GradebookError."""
        try:
            yield
        except (sqlite3.Error, OSError, UnicodeError) as error:
            raise self._in_words(error) from error

    def damaged(self, what: str) -> GradebookError:
        """Give the error to raise where the file does not hold what was kept in it; what : what was found."""
        return GradebookError(
            f"{self.path}: {what}. The file is damaged, or no gradebook. Move it away and grade again;"
            " the reports in submissions/ are not touched by that until they are graded."
        )

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
        return self.damaged(str(error))


def storable(path: str) -> str:
    """Write a path so that SQLite takes it and `restored` gives it back, whatever bytes are in it."""
    if path.isprintable() and not path.startswith(_BYTES):
        return path
    return _BYTES + quote(path.encode("utf-8", "surrogatepass"))


def restored(text: str) -> str:
    """Give the path that `storable` wrote; raises UnicodeError where it wrote none of that kind."""
    if not text.startswith(_BYTES):
        return text
    return unquote_to_bytes(text.removeprefix(_BYTES)).decode("utf-8", "surrogatepass")


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
