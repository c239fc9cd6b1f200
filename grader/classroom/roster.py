"""The roster of a class, as a platform exports it or a person types it, read into students."""

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from grader.classroom.name_index import KINDS, Index, build_index, describe_student, find_named, normalize
from grader.classroom.roster_text import EXPECTED, RosterError, Row, decode_roster, find_columns, parse_rows
from grader.model.class_sheet import Student
from grader.records import dataclass, fields
from grader.text.phrases import join_some
from grader.text.sanitise import one_line

__all__ = ["Claim", "Roster", "RosterError", "add_groups", "read_roster"]

_UNSEEN = {"own_id", *KINDS}
_TELLING = {"name", "identifier", "own_id", *KINDS}
# What Moodle calls a student in the column "Identifier" of its grading worksheet: "Participant 101".
_PARTICIPANT = re.compile(r"(?:[^\W\d]\D*\s|Teilnehmer\D*)(\d+)")
_BY_NUMBER = "participant:"  # before that number in a claim; no safe name holds a colon
_BY_TEAM = "team:"
_STAFF = {"instructor", "teacher", "nonediting teacher", "ta", "teaching assistant", "reader", "observer", "designer"}
_BLANK = {"n/a", "#n/a", "none", "null", "nan"}  # what spreadsheets and scripts write for an ID that is not there
_ROUNDED = re.compile(r"\d[.,]\d+e\+?\d+", re.IGNORECASE)
_WRAPPED = re.compile(r'="(.*)"|[\'#](.*)')  # ="0012", '0012 and #0012 keep a spreadsheet from dropping the zeros
_POINTS = "skipped: a line of Canvas's points and settings, not a student."
_TEST_STUDENT = "skipped: Canvas's Test Student is not a person."
_STAFF_ROLE = "skipped: the role is not a student's."
_NOBODY = "skipped: it has no name, ID, login, e-mail or GitHub account."


@dataclass(frozen=True)
class Claim:
    """One line of a roster that tells its student's submission: by its name, Moodle's number, or a team."""

    student: Student
    entry: str  # the column `submission`; or, behind a word and a colon, what the line tells besides
    line: int

    @property
    def submission(self) -> str:
        """The name in the column `submission`."""
        return "" if self.participant or self.team else self.entry

    @property
    def team(self) -> str:
        """The team, which hands in one submission."""
        return self.entry.removeprefix(_BY_TEAM) if self.entry.startswith(_BY_TEAM) else ""

    @property
    def participant(self) -> str:
        """The number of "Participant 101" in Moodle's worksheet."""
        return self.entry.removeprefix(_BY_NUMBER) if self.entry.startswith(_BY_NUMBER) else ""


@dataclass(frozen=True)
class Roster:
    """A class as one file lists it."""

    students: tuple[Student, ...]  # in the file's order; no two are equal, and no two share an ID of any kind
    notes: tuple[str, ...] = ()  # what was skipped or supposed in reading
    source: str = ""  # the file's name
    claims: tuple[Claim, ...] = ()


def read_roster(path: Path) -> Roster:
    """Read a roster from a text file of comma, semicolon or tab separated columns.

    Raises RosterError, and nothing else, for whatever the file may hold.
    """
    name = one_line(path.name, 100)
    text, notes = decode_roster(path, name)
    rows, columns = _table(text, name)
    if not columns:
        rows, columns = _plain_list(rows, name)
        notes.append(
            f"{name}: there is no header line, so each line was read as one student, even the first:"
            f' "{one_line(rows[0].cells[0], 60)}".'
        )
    seen: dict[tuple[str, str], int] = {}
    students: dict[Student, int] = {}
    claims, skipped = [], dict[str, list[int]]()
    for row in rows:
        cells = {field: _cleaned(row.cells[at], field) for field, at in columns.items() if at < len(row.cells)}
        if reason := _no_student(cells, canvas={"name", "id"} <= columns.keys()):
            skipped.setdefault(reason, []).append(row.line)
            continue
        student = _student(cells)
        _check_own(student, row.line, seen, name)
        if student in students:
            raise RosterError(
                f"{name}, line {row.line}: all that stands there stands in line {students[student]} too,"
                f' "{one_line(student.name, 60)}". Delete one of them if it is the same student;'
                " if they are two, add a column `id` or `email` that tells them apart."
            )
        students[student] = row.line
        if found := _PARTICIPANT.fullmatch(_participant(cells)):
            claims.append(Claim(student, f"{_BY_NUMBER}{found[1]}", row.line))
        elif entry := cells.get("submission") or (f"{_BY_TEAM}{cells['team']}" if cells.get("team") else ""):
            claims.append(Claim(student, entry, row.line))
    if not students:
        raise RosterError(f"{name}: it lists no student. Expected one line for each student, below the headers.")
    notes += [
        f"{name}, line{'s' * (len(lines) > 1)} {join_some(list(map(str, lines)), 5)}: {reason}"
        for reason, lines in skipped.items()
    ]
    return Roster(tuple(students), tuple(notes), name, tuple(claims))


def _table(text: str, name: str) -> tuple[list[Row], dict[str, int]]:
    """Return the students' rows and the column of each field; no columns where no header is known."""
    separators = ",;\t"
    first = text.lstrip().split("\n", 1)[0].strip()
    if marked := first[:4].lower() == "sep=":  # for Excel alone
        separators = first[4:5] if first[4:5] in tuple(separators) else separators
    best: tuple[int, int] = (-1, -1)
    for separator in separators:
        try:
            rows = parse_rows(text, separator, name)
            head = next(rows)
            head = next(rows) if marked else head
        except (RosterError, StopIteration):
            continue
        if (score := (len(find_columns(head.cells)), len(head.cells))) > best:
            best, chosen, header = score, separator, head
    if best < (0, 0):
        next(parse_rows(text, separators[0], name), None)  # raises what was the matter
        raise RosterError(f"{name}: there is nothing below the first line. {EXPECTED}")
    columns = find_columns(header.cells)
    rows = (row for row in parse_rows(text, chosen, name) if row.line >= header.line + bool(columns))
    if not columns:
        return list(rows), {}
    if not columns.keys() & _TELLING and not {"first_name", "last_name"} <= columns.keys():
        raise RosterError(
            f"{name}, line {header.line}: the known headers are not enough to tell students apart:"
            f" {_quoted([header.cells[at] for at in columns.values()])}. Expected a column `name`, `id`, `login`,"
            " `email` or `github`, or both `first name` and `last name`."
        )
    return [_fit_row(row, header, columns, name) for row in rows], columns


def _fit_row(row: Row, header: Row, columns: dict[str, int], name: str) -> Row:
    """Return the row with as many cells as the header; raise RosterError where it has others."""
    have, expected = len(row.cells), len(header.cells)
    if (have, expected) == (2, 1) and "name" in columns:  # a list of `Doe, Jane` without quotation marks
        return Row(row.line, (", ".join(cell.strip() for cell in row.cells),))
    if any(cell.strip() for cell in row.cells[expected:]) or (
        # What Canvas writes above the students may be shorter.
        have < expected and not (row.cells[0].strip() in {"", "Points Possible"} and {"name", "id"} <= columns.keys())
    ):
        raise RosterError(
            f"{name}, line {row.line}: {have} cells, and {expected} headers in line {header.line}:"
            f" {_quoted(row.cells)}. Expected a cell for each header; one that holds the separator itself, as"
            ' "Doe, Jane" may, needs quotation marks around it.'
        )
    return row


def _plain_list(rows: list[Row], name: str) -> tuple[list[Row], dict[str, int]]:
    """Return the students of a list without a header, if it is simple enough: one student per line."""
    if any(len(row.cells) > 1 or len(row.cells[0]) > 100 for row in rows):
        first = rows[0]
        raise RosterError(f"{name}, line {first.line}: no header is known: {_quoted(first.cells)}. {EXPECTED}")
    return rows, {"identifier": 0}


def _cleaned(cell: str, field: str) -> str:
    cell = " ".join(unicodedata.normalize("NFC", cell).split())
    if field not in _UNSEEN:
        return cell
    # What was copied from a page brings unseen characters along, and no ID holds any.
    cell = "".join(char for char in cell if unicodedata.category(char) != "Cf")
    if found := _WRAPPED.fullmatch(cell):
        cell = (found[1] or found[2] or "").strip()
    return "" if cell.casefold() in _BLANK or not any(map(str.isalnum, cell)) else cell


def _no_student(cells: dict[str, str], *, canvas: bool) -> str:
    """Return why a row is no student's; "" if it is one."""
    name = cells.get("name", "").casefold()
    if canvas and not cells.get("id") and name in {"", "points possible"}:
        return _POINTS
    if canvas and not cells.get("sis_id") and name in {"student, test", "test student"}:
        return _TEST_STUDENT
    if cells.get("role", "").casefold().replace("-", "") in _STAFF:
        return _STAFF_ROLE
    telling = (*_TELLING, "first_name", "last_name")
    return "" if any(map(str.isalnum, "".join(cells.get(field, "") for field in telling))) else _NOBODY


def _student(cells: dict[str, str]) -> Student:
    cells = dict(cells)
    if participant := _participant(cells):
        cells = {"name": participant} | {field: cell for field, cell in cells.items() if cell != participant}
    elif own := cells.get("own_id"):
        cells["sis_id"] = cells.get("sis_id") or own
    if identifier := cells.get("identifier", ""):  # whatever the teacher typed into GitHub Classroom
        cells[_kind(identifier, cells)] = identifier
    name, first, last = (cells.get(field, "") for field in ("name", "first_name", "last_name"))
    if name.count(",") == 1 and not first and not last:
        last, first = (part.strip() for part in name.split(","))
    cells |= {"name": name or f"{first} {last}".strip(), "first_name": first, "last_name": last}
    return Student(**{field.name: cells.get(field.name, "") for field in fields(Student)})


def _participant(cells: dict[str, str]) -> str:
    """Return what Moodle's grading worksheet calls a student, "Participant 101"; "" in other rosters."""
    if cells.get("github"):
        return ""
    return next(
        (cell for field in ("identifier", "own_id") if _PARTICIPANT.fullmatch(cell := cells.get(field, ""))), ""
    )


def _kind(identifier: str, cells: dict[str, str]) -> str:
    """Return the field of an identifier, which may be any."""
    if "@" in identifier:
        return "email"
    if any(map(str.isdigit, identifier)) and " " not in identifier:
        return "sis_id"
    return "login" if cells.get("name") and " " not in identifier else "name"


def _check_own(student: Student, line: int, seen: dict[tuple[str, str], int], name: str) -> None:
    """Refuse a roster that would give one student's marks to another: an ID that two have, or that lost its digits."""
    for field, spoken in KINDS.items():
        value = getattr(student, field)
        if field in {"id", "sis_id"} and _ROUNDED.fullmatch(value):
            raise RosterError(
                f'{name}, line {line}: the ID "{one_line(value, 40)}" has been rounded by a spreadsheet. Export the'
                " roster again, and do not save it from there, or format the column as text first."
            )
        other = seen.setdefault((field, value.casefold()), line)
        if value and other != line:
            raise RosterError(
                f'{name}, lines {other} and {line}: both have the {spoken} "{one_line(value, 60)}". Expected'
                " one line for each student: delete one of them, or correct the wrong one."
            )


def _quoted(cells: Sequence[str]) -> str:
    return join_some([f'"{one_line(cell.strip(), 40)}"' for cell in cells], 6)


def add_groups(roster: Roster, path: Path) -> Roster:
    """Return the roster with the teams of a file: a column with the group, and columns that tell its students.

    Raises RosterError, and for somebody who is not in the roster too.
    """
    groups = read_roster(path)
    index = build_index(roster.students)
    teams = {claim.student: claim.team for claim in groups.claims if claim.team}
    found: dict[Student, Claim] = {}
    for line, student in enumerate(groups.students, 2):
        if team := teams.get(student) or student.section:
            member = _find_member(student, index, groups.source)
            found[member] = Claim(member, f"{_BY_TEAM}{team}", line)
    if not found:
        raise RosterError(f"{groups.source}: no group stands in it. Expected a column `team` or `group`.")
    kept = tuple(claim for claim in roster.claims if claim.student not in found or claim.submission)
    taken = {claim.student for claim in kept}
    return replace(roster, claims=(*kept, *(claim for one, claim in found.items() if one not in taken)))


def _find_member(student: Student, index: Index, source: str) -> Student:
    """Return the roster's student whom a line of the file means."""
    keys = [(kind, normalize(getattr(student, kind)).casefold()) for kind in KINDS]
    exact = {index.exact[key] for key in keys if key in index.exact}
    fitting = exact or set(find_named(student.name, index))
    if len(fitting) != 1:
        what = "is nobody in the roster" if not fitting else "may be several students of the roster"
        raise RosterError(f"{source}: {describe_student(student)} {what}. Correct the line.")
    return fitting.pop()
