"""The text, the rows and the headers of a roster file, whatever program saved it."""

import csv
import io
import re
from collections.abc import Iterator, Sequence
from pathlib import Path

from grader.records import dataclass
from grader.text.sanitise import one_line

ROWS = 20_000
BYTES = 20_000_000
_CONTROLS = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x84\x86-\x9f]")
EXPECTED = (
    "Expected a line of headers such as `name,id,email`, or `Student,ID,SIS User ID,SIS Login ID,Section` as Canvas"
    " exports it. Put one above the students."
)


class RosterError(Exception):
    """A roster cannot be used; the text says where and why, what was expected, and how to mend it."""


@dataclass(frozen=True)
class Row:
    """One line of the table."""

    line: int  # where it begins, from 1
    cells: tuple[str, ...]


def decode_roster(path: Path, name: str) -> tuple[str, list[str]]:
    """Return the file's text, and a remark on its encoding."""
    try:
        if not path.is_file():
            raise RosterError(
                f"{name}: this is {'a folder' if path.is_dir() else 'not there, or no file'}. Expected a CSV file."
            )
        with path.open("rb") as file:
            data = file.read(BYTES + 1)
    except (OSError, ValueError) as error:
        reason = (getattr(error, "strerror", None) or "no file can have this name").lower()
        raise RosterError(f"{name}: cannot be read ({reason}). Check its name and who may read it.") from error
    if len(data) > BYTES:
        raise RosterError(
            f"{name}: more than {BYTES // 1_000_000} MB. Expected a list of students: is it another file?"
        )
    if data.startswith((b"PK\x03\x04", b"\xd0\xcf\x11\xe0")):
        raise RosterError(
            f"{name}: this is a workbook of Excel's or LibreOffice's, not text. Open it there and save it as"
            " `CSV UTF-8 (comma delimited)`."
        )
    text, notes = _text(data, name)
    if found := _CONTROLS.search(text):
        raise RosterError(
            f"{name}, line {text.count(chr(10), 0, found.start()) + 1}: the character U+{ord(found[0]):04X} stands"
            " there, which no text holds. Expected a CSV file: export it again, or save it as `CSV UTF-8`."
        )
    if not text.strip():
        raise RosterError(f"{name}: the file is empty. {EXPECTED}")
    return text, notes


def _text(data: bytes, name: str) -> tuple[str, list[str]]:
    start = data[:20]
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        encoding = "utf-16"
    elif len(start) > 3 and not any(start[1::2]):  # headers are ASCII, so every second byte is 0
        encoding = "utf-16-le"
    elif len(start) > 3 and not any(start[::2]):
        encoding = "utf-16-be"
    else:
        encoding = "utf-8-sig"
    try:
        return data.decode(encoding), []
    except UnicodeDecodeError as error:
        broken, failure = error.start, error
    try:
        if encoding != "utf-8-sig":
            raise failure
        text = data.decode("cp1252")
    except UnicodeDecodeError as error:
        raise RosterError(
            f"{name}, line {data.count(10, 0, broken) + 1}: the bytes there are text in neither UTF-8, UTF-16 nor"
            " Windows-1252. Export or save the roster as `CSV UTF-8`."
        ) from error
    # Every byte is one character in cp1252, so the place is the same in both.
    begin = max(text.rfind("\n", 0, broken), text.rfind("\r", 0, broken)) + 1
    example = one_line((text[begin:].splitlines() or [""])[0], 60)
    note = (
        f"{name}, line {data.count(10, 0, broken) + 1}: not in UTF-8, so the file was read as Windows-1252:"
        f' "{example}". If letters are wrong there, save it as `CSV UTF-8`.'
    )
    return text, [note]


def parse_rows(text: str, separator: str, name: str) -> Iterator[Row]:
    """Return the rows that are not empty."""
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=True)
    begin = count = 0
    try:
        for cells in reader:
            if any(cell.strip() for cell in cells):
                count += 1
                yield Row(begin + 1, tuple(cells))
            begin = reader.line_num
            if count > ROWS + 3:
                raise RosterError(f"{name}: more than {ROWS:,} rows. Expected one class: is it another file?")
    except csv.Error as error:
        raise RosterError(
            f"{name}, line {begin + 1}: the row that begins there is no CSV ({error}). Often a quotation mark is not"
            " closed: each cell has two around it or none, and one inside is written twice."
        ) from error


# ---------------------------------------------------------------- headers

# What the exports of Canvas, Moodle, Gradescope, GitHub Classroom, Blackboard, Brightspace and nbgrader call a column,
# and what people call it; spaces, case and punctuation do not count.
_HEADERS = {
    "name": "name, student, full name, student name, display name, Vollständiger Name, Nom complet, Nombre completo",
    "first_name": "first, first name, first names, given name, given names, forename, Vorname",
    "last_name": "last, last name, last names, surname, family name, Nachname",
    "id": "canvas id, canvas user id, lms id, lms user id",
    "own_id": "id, user id",  # Canvas's number in Canvas's own tables, and a school's or a Moodle worksheet's elsewhere
    "sis_id": "sis id, sis user id, sid, student id, student number, id number, org defined id, ID-Nummer, Matrikelnummer",
    "login": "login, login id, sis login id, user, username, net id, account, Anmeldename",
    "email": "email, e-mail, email address, e-mail address, mail, E-Mail-Adresse",
    "section": "section, sections, group, groups, tutorial",
    "github": "github, github username, github user, github login, github account",
    "team": "team, team name, pair, project group, group name",
    "submission": "submission",
    "role": "role, roles",
    "variant": "variant",
    "identifier": "identifier, roster identifier",
}
_CANVAS = {"sisid", "sisuserid", "sisloginid"}  # Canvas's word for what it has from the school
_ASSIGNMENT = re.compile(r".*\S \(\d+\)")


def find_columns(headers: Sequence[str]) -> dict[str, int]:
    """Return the place of each known column, by what it holds."""
    known = {squeeze(alias): field for field, aliases in _HEADERS.items() for alias in aliases.split(",")}
    squeezed = [squeeze(header) for header in headers]
    if "lmsuserid" in squeezed:  # nbgrader's own: its `id` is the name of a student's folder
        known["id"] = "login"
    elif squeezed[:2] == ["student", "id"] or _CANVAS.intersection(squeezed):
        known["id"] = "id"
    if "githubid" in squeezed and "githubusername" not in squeezed:  # Classroom 50's
        known["username"] = "github"
    columns: dict[str, int] = {}
    for at, header in enumerate(squeezed):
        if header in known:
            columns.setdefault(known[header], at)  # an assignment further right may be called "Email"
    return columns


def squeeze(header: str) -> str:
    """Return a header without case, blanks and punctuation."""
    return "".join(char for char in header.casefold() if char.isalnum())


def canvas_columns(path: Path) -> list[str]:
    """Return the columns of assignments in Canvas's own gradebook, such as "Two-layer net (4711)"; raise RosterError."""
    text, _ = decode_roster(path, one_line(path.name, 100))
    (header, *_) = (*parse_rows(text, ",", one_line(path.name, 100)), Row(1, ()))
    return [one_line(cell.strip()) for cell in header.cells if _ASSIGNMENT.fullmatch(cell.strip())]
