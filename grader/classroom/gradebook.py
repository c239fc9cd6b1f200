"""The gradebook: an SQLite database that holds a grading completely or not at all, and deletes only what `forget` is told to."""

from __future__ import annotations

import sqlite3
from collections.abc import Collection, Mapping, Sequence
from contextlib import suppress
from dataclasses import astuple
from pathlib import Path
from typing import Literal, TypeVar

from grader.classroom.grading_rows import ROWS, GradingRow, NewGrading, insert_grading, now, read_row
from grader.classroom.roster import Claim, Roster
from grader.classroom.safety_copy import CopyError, DecisionRecord, read_copy, write_copy
from grader.classroom.storage import COPY, FILE, GradebookError, NoSpaceError, Storage, decode_path, encode_path
from grader.model import Decision, Report, Student
from grader.packing import DamagedError, pack, unpack

# What goes wrong with the file is the gradebook's to say, so its errors are here for whoever opens one.
__all__ = ["FILE", "DecisionRecord", "Gradebook", "GradebookError", "GradingRow", "NewGrading", "NoSpaceError", "now"]

T = TypeVar("T")

_DECISION = "number, kind, check_id, value, comment, made_by, at, submission_digest, worth"


class Gradebook:
    """An open gradebook. Nobody else can write it meanwhile; while it is open for writing, nobody else can read it."""

    def __init__(self, folder: Path, *, create: bool = False, reading: bool = False) -> None:
        """Open folder/gradebook.db and migrate it to this version's tables.

        create : make it if there is none. reading : open it read-only. Raises GradebookError.
        """
        self._storage = Storage(folder, create=create, reading=reading)
        self.path = self._storage.path
        if not reading:
            # A killed grader may have left the safety copy behind the gradebook, and an older one wrote none. It is a
            # second copy: no grading depends on it.
            with suppress(OSError, GradebookError):
                self.write_copy()

    def __enter__(self) -> Gradebook:  # noqa: PYI034 -- one class, never subclassed
        return self

    def __exit__(self, *_error: object) -> None:
        self.close()

    def close(self) -> None:
        """Close it, so that others can open it."""
        self._storage.close()

    # ------------------------------------------------------------ gradings

    def insert(self, gradings: Sequence[NewGrading], assignment_text: str, folder: Path | None = None) -> None:
        """Insert gradings: all of them or, if that fails, none.

        assignment_text : the assignment.toml that they were graded with. folder : where it is.
        """
        place = encode_path(str(folder.resolve())) if folder else ""
        with self._storage.transaction() as database:
            for grading in gradings:
                insert_grading(database, grading, assignment_text, place)

    def last(self) -> dict[str, GradingRow]:
        """Return the last grading of each submission, by name, in the names' order."""
        rows = self._storage.rows(f"{ROWS} WHERE id IN (SELECT max(id) FROM grading GROUP BY name)")  # noqa: S608 -- as above
        return {row.name: row for row in sorted(map(read_row, rows), key=lambda row: row.name)}

    def gradings(self, name: str) -> list[GradingRow]:
        """Return all gradings of one submission, the oldest first."""
        return [read_row(row) for row in self._storage.rows(f"{ROWS} WHERE name = ? ORDER BY id", name)]

    def sources(self) -> dict[str, str]:
        """Return the latest path of each submission, by name."""
        rows = self._storage.rows("SELECT name, source FROM submission ORDER BY name")
        with self._storage.explain_errors():
            return {name: decode_path(source) for name, source in rows}

    def report(self, name: str) -> Report:
        """Return the last report of a submission, with figures: the grader's own, before any decision."""
        what = f"report of {name}"
        packed = self._storage.one(what, "SELECT record FROM grading WHERE name = ? AND record IS NOT NULL", name)
        return self._unpacked(packed, Report, f"the {what}")

    def findings(self, grading: int) -> tuple[bytes, bytes] | None:
        """Return the report and the findings of a submission's last grading, both packed; None if they are not kept."""
        query = "SELECT record, findings FROM grading WHERE id = ? AND record IS NOT NULL AND findings IS NOT NULL"
        rows = self._storage.rows(query, grading)
        return (rows[0][0], rows[0][1]) if rows else None

    def published(self, grading: int) -> str:
        """Return the report.json of a grading."""
        return str(self._storage.one(f"grading {grading}", "SELECT report FROM grading WHERE id = ?", grading))

    def replies(self, number: int) -> bytes:
        """Return the replies of a run, packed."""
        return bytes(self._storage.one(f"replies {number}", "SELECT packed FROM replies WHERE id = ?", number))

    def assignment_text(self, digest: str) -> str:
        """Return the assignment.toml of that digest."""
        return str(self._storage.one(f"rubric {digest}", "SELECT text FROM assignment WHERE digest = ?", digest))

    def rubric_folder(self) -> Path | None:
        """Return the folder of the rubric of the last grading; None if there is none."""
        rows = self._storage.rows(
            "SELECT folder FROM assignment JOIN grading ON digest = assignment_digest ORDER BY id DESC LIMIT 1"
        )
        return Path(decode_path(rows[0][0])) if rows and rows[0][0] else None

    # ------------------------------------------------------------ people

    def decide_all(self, made: Sequence[tuple[str, Decision]]) -> None:
        """Insert decisions, each with its submission: all of them or, if that fails, none. Each gets the next number."""
        with self._storage.transaction() as database:
            for name, decision in made:
                _insert_decision(database, DecisionRecord(name, decision, ""), None)

    def withdraw(self, number: int, said: str) -> None:
        """Take a decision back; said : who, when and why, for the history.

        Raises ValueError where there is no such decision in force, or `said` is empty.
        """
        put = "UPDATE decision SET withdrawn = ? WHERE number = ? AND withdrawn = ''"
        with self._storage.transaction() as database:
            if not said or database.execute(put, (said, number)).rowcount != 1:
                raise ValueError(f"decision {number} is not in force, or no reason was given")

    def decision_records(self, name: str | None = None) -> list[DecisionRecord]:
        """Return all decisions, even those taken back, oldest first; of one submission or of all."""
        query = f"SELECT name, withdrawn, {_DECISION} FROM decision WHERE ? IS NULL OR name = ? ORDER BY number"  # noqa: S608 -- as above
        return [DecisionRecord(row[0], Decision(*row[2:]), row[1]) for row in self._storage.rows(query, name, name)]

    def decisions(self, *, taken_back: bool = False) -> dict[str, tuple[Decision, ...]]:
        """Return the decisions in force, by the submission's name.

        taken_back : also those that were taken back, or made before a gradebook was damaged, as the safety copy has them.
        """
        records: Sequence[DecisionRecord] = self.decision_records()
        with suppress(CopyError):
            records = read_copy(self.path.with_name(COPY)).records if taken_back else records
        found: dict[str, tuple[Decision, ...]] = {}
        for record in records:
            if taken_back or not record.withdrawn:
                found[record.name] = (*found.get(record.name, ()), record.decision)
        return found

    def merge_decisions(
        self, records: Sequence[DecisionRecord], withdrawn: Mapping[int, str], numbers: Mapping[int, int]
    ) -> None:
        """Add decisions of another gradebook under their own numbers, after this one's have been renumbered.

        withdrawn : number -> who took it back, for decisions in force here. numbers : old number -> new one, for the
        decisions here.
        """
        with self._storage.transaction() as database:
            put = database.execute
            for number, said in withdrawn.items():
                put("UPDATE decision SET withdrawn = ? WHERE number = ?", (said, number))
            # Out of each other's way first: no two may have one number, not even in between.
            for number in numbers:
                put("UPDATE decision SET number = -number WHERE number = ?", (number,))
            for number, other in numbers.items():
                put("UPDATE decision SET number = ? WHERE number = ?", (other, -number))
            for one in records:
                _insert_decision(database, one, one.decision.number)

    def forget(self, names: Collection[str], student: Student | None, who: str) -> None:
        """Take submissions, all that belongs to them, and a student of the roster out; note when that was and by whom."""
        self._storage.erase(names, student, (now(), who))

    def forgotten(self) -> list[tuple[str, str]]:
        """Return when submissions were taken out of this class, and by whom."""
        return [(at, who) for at, who in self._storage.rows("SELECT at, made_by FROM forgotten ORDER BY rowid")]

    def write_copy(self) -> None:
        """Write all decisions and the roster into the safety copy, which also keeps what the gradebook lacks.

        Raises OSError.
        """
        records, roster = self.decision_records(), self.roster()
        if records or roster:
            write_copy(self.path.with_name(COPY), records, roster)

    def set_roster(self, roster: Roster) -> None:
        """Replace the roster, in the safety copy too."""
        claims = {claim.student: claim for claim in roster.claims}
        lines = [
            (place, pack(student), encode_path(roster.source), claim.line if claim else 0, claim.entry if claim else "")
            for place, student in enumerate(roster.students)
            for claim in [claims.get(student)]
        ]
        with self._storage.transaction() as database:
            database.execute("DELETE FROM student")
            database.executemany("INSERT INTO student VALUES (?, ?, ?, ?, ?)", lines)
        with self._storage.explain_errors():
            self.write_copy()

    def set_attempt(self, attempt: str) -> None:
        """Set which of a student's hand-ins counts."""
        with self._storage.transaction() as database:
            database.execute("INSERT OR REPLACE INTO setting VALUES ('attempt', ?)", (attempt,))

    def attempt(self) -> Literal["latest", "first", "best"]:
        """Return which of a student's hand-ins counts."""
        rows = self._storage.rows("SELECT value FROM setting WHERE name = 'attempt'")
        found: Literal["latest", "first", "best"] = rows[0][0] if rows else "latest"
        return found

    def secret_key(self) -> bytes:
        """Return the class's own key, which makes its pseudonyms."""
        return str(self._storage.one("key", "SELECT value FROM setting WHERE name = 'pseudonyms'")).encode()

    def roster(self) -> Roster | None:
        """Return the roster, or None if none was given."""
        rows = self._storage.rows("SELECT packed, roster, line, claims FROM student ORDER BY position")
        if not rows:
            return None
        students = [self._unpacked(row[0], Student, "a student of the roster") for row in rows]
        claims = [Claim(student, row[3], row[2]) for student, row in zip(students, rows, strict=True) if row[3]]
        with self._storage.explain_errors():
            return Roster(tuple(students), source=decode_path(rows[0][1]), claims=tuple(claims))

    def _unpacked(self, packed: bytes, kind: type[T], what: str) -> T:
        try:
            found = unpack(packed)
        except DamagedError as error:
            raise self._storage.damaged(f"{what} cannot be read ({error})") from error
        if not isinstance(found, kind):
            raise self._storage.damaged(f"{what} is a {type(found).__name__}")
        return found


def _insert_decision(database: sqlite3.Connection, one: DecisionRecord, number: int | None) -> None:
    """Insert a decision under this number or the next one."""
    values = (number, *astuple(one.decision)[1:], one.name, one.withdrawn)
    put = f"INSERT INTO decision ({_DECISION}, name, withdrawn) VALUES ({', '.join('?' * len(values))})"  # noqa: S608 -- as above
    database.execute(put, values)
