"""The headers of rosters: what each platform, and people, call a column."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

from grader.classroom.roster_text import Row, decode_roster, parse_rows
from grader.text.sanitise import one_line

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
    """Return the columns of assignments in Canvas's own gradebook, such as "Two-layer net (4711)".

    Raises RosterError.
    """
    text, _ = decode_roster(path, one_line(path.name, 100))
    (header, *_) = (*parse_rows(text, ",", one_line(path.name, 100)), Row(1, ()))
    return [one_line(cell.strip()) for cell in header.cells if _ASSIGNMENT.fullmatch(cell.strip())]
