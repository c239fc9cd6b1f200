"""How many days late each submission is: by a due date and the platform's times, or by a table. What a day costs is not here."""

import math
import re
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

from grader.classroom.attempts import handed_in_at
from grader.classroom.find_student import DecisionError
from grader.classroom.gradebook import Gradebook
from grader.classroom.results import ClassResults
from grader.classroom.student_table import read_table
from grader.records import dataclass
from grader.text.sanitise import one_line

MOST = 10_000
_DAYS = {"latedays", "dayslate", "lateness", "days", "dayslateused"}
_TIMES = {"submissiontimestamp", "submissiontime", "submittedat", "datetime", "timestamp", "lastmodifiedsubmission"}
_CANVAS_LATE = re.compile(r"[^_]*_LATE_\w+_\d+_.*", re.DOTALL)
# Moodle's worksheet says it in its status: "Submitted for grading - 2 days 3 hours late".
_MOODLE_LATE = re.compile(r"(?:(\d+) days? ?)?(?:(\d+) hours? ?)?(?:(\d+) min\w* ?)?(?:(\d+) sec\w* ?)?late")
_FORMS = ("%Y-%m-%d %H:%M", "%Y-%m-%d %H:%M:%S %Z", "%A, %d %B %Y, %I:%M %p", "%A, %B %d, %Y, %I:%M %p")


@dataclass(frozen=True)
class Lateness:
    """What is known of who was late."""

    days: Mapping[str, int]  # by submission; 0 for who was in time
    unknown: tuple[str, ...] = ()  # submissions without a time, or lines of the table that name none


def is_marked_late(original: str) -> bool:
    """Return whether Canvas put LATE into a hand-in's name."""
    return bool(_CANVAS_LATE.fullmatch(original))


def read_due(text: str) -> datetime:
    """Return a due date in UTC; one that names no zone is of this place. Raises DecisionError."""
    if (found := _read_time(text)) is None:
        raise DecisionError(f"--due {one_line(text)}: this is not a time. Write it as 2026-03-01T23:59.")
    return found


def compare_times(book: Gradebook, due: datetime) -> Lateness:
    """Return the lateness by the times that platforms put into names, or into the zips that they make."""
    times = {name: handed_in_at(Path(source)) for name, source in book.sources().items()}
    known = {name: _days((at - due.timestamp()) / 86_400) for name, at in times.items() if at}
    return Lateness(known, tuple(name for name in times if name not in known))


def read_days(book: Gradebook, path: Path, due: datetime | None) -> Lateness:
    """Return the lateness that a table tells: days, Gradescope's H:M:S, Moodle's status, or times and a due date.

    Raises RosterError for what is no table, and DecisionError for one that tells no lateness.
    """
    table, heads, rows = read_table(book, path)
    tell = _find_teller(heads, due)
    if tell is None:
        raise DecisionError(
            f"{table}: no column tells how late anybody was. Expected `comment`, `request`, `late_days`, Gradescope's `Lateness (H:M:S)`, Moodle's"
            " `Status`, or times together with --due."
        )
    at, read = tell
    days: dict[str, int] = {}
    unknown = []
    for row, found in rows:
        cell = row.cells[at].strip() if at < len(row.cells) else ""
        if cell in {"", "-"}:  # Moodle's dash: no submission
            continue
        if (late := read(cell)) is None or not 0 <= late <= MOST:
            raise DecisionError(f'{table}, line {row.line}: "{one_line(cell, 40)}" tells no days from 0 to {MOST:,}.')
        if found:
            days[found] = late
        elif late:
            unknown.append(f"line {row.line}")
    return Lateness(days, tuple(unknown))


def find_news(book: Gradebook, found: Lateness, *, by_hand: bool) -> dict[str, int]:
    """Return the days that change something. by_hand : a person's; a time overrules no person who decided before."""
    results = ClassResults(book)
    decided = {name for name, made in results.decisions.items() if any(one.kind == "late_days" for one in made)}
    late = {name: days for name, days in found.days.items() if by_hand or name not in decided}
    return {name: days for name, days in late.items() if days != results.report(name).late_days}


def _find_teller(heads: Sequence[str], due: datetime | None) -> tuple[int, Callable[[str], int | None]] | None:
    """Return the column that tells the lateness, and how it is read."""
    for at, head in enumerate(heads):
        if head in _DAYS:
            return at, lambda cell: _days(float(cell)) if re.fullmatch(r"\d{1,5}([.]\d{1,6})?", cell) else None
        if head == "latenesshms":
            return at, _read_hours
        if head in _TIMES and due:
            return at, lambda cell: _days((time - due).total_seconds() / 86_400) if (time := _read_time(cell)) else None
    return (heads.index("status"), _read_status) if "status" in heads else None


def _read_hours(cell: str) -> int | None:
    found = re.fullmatch(r"(\d{1,6}):(\d\d):(\d\d)", cell)
    return _days((int(found[1]) * 60 + int(found[2])) / 1440 + int(found[3]) / 86_400) if found else None


def _read_status(cell: str) -> int:
    found = _MOODLE_LATE.search(cell)
    days, hours, minutes, seconds = (int(part or 0) for part in found.groups()) if found else (0, 0, 0, 0)
    return _days(days + hours / 24 + minutes / 1440 + seconds / 86_400)


def _days(days: float) -> int:
    """Return the days that have begun."""
    return max(0, math.ceil(round(days, 6)))


def _read_time(text: str) -> datetime | None:
    text = text.strip()
    with suppress(ValueError, OverflowError):
        return datetime.fromisoformat(text).astimezone(UTC)
    for form in _FORMS:
        with suppress(ValueError, OverflowError):
            return datetime.strptime(text, form).astimezone(UTC)
    return None
