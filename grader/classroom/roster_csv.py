"""`roster-kept.csv`: the roster once more, beside the gradebook, as a file that `--roster` takes."""

from __future__ import annotations

import csv
import io
from pathlib import Path

from grader.classroom.roster import Roster
from grader.classroom.storage import write_text
from grader.text.sanitise import csv_cell

# By the names that reading knows them by; a student's field -> its column.
_COLUMNS = {
    "name": "name",
    "first_name": "first name",
    "last_name": "last name",
    "id": "id",
    "sis_id": "sis id",
    "login": "login",
    "email": "email",
    "section": "section",
    "github": "github",
}


def write(path: Path, roster: Roster) -> None:
    """Write a roster, with the entries that its column `submission` names, whole or not at all. Raises OSError."""
    # With a column `id` it would be taken for Canvas's, in which a line that has no ID is no student's.
    kept = [field for field in _COLUMNS if any(getattr(student, field) for student in roster.students)]
    claims = {claim.student: claim.entry for claim in roster.claims}
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    writer.writerow([*(_COLUMNS[field] for field in kept), *["submission"][: len(claims)]])
    for student in roster.students:
        cells = [csv_cell(getattr(student, field)) for field in kept]
        writer.writerow([*cells, *[csv_cell(claims.get(student, ""))][: len(claims)]])
    write_text(path, buffer.getvalue())
