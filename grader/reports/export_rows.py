"""What the exports share: what each needs to be told, who has which grade, and what a cell may hold."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from grader.model import Report, Sheet, Student
from grader.text.phrases import join_some, plural
from grader.text.sanitise import csv_cell, one_line

# Accounts may begin as formulas do, such as "@ann" and "+441632960": a platform finds them as they are or not at all.
# Without brackets, blanks and an equals sign they do nothing in a spreadsheet but look odd.
_ACCOUNT = re.compile(r"[\w.@+-]*")


class ExportError(ValueError):
    """A class that cannot be written in a format as it is; the message says how to mend it."""


@dataclass(frozen=True)
class ExportOptions:
    """What some formats need to know besides the class."""

    assignment: str = ""  # what the platform calls the assignment; "" is the sheet's title
    canvas_id: str = ""  # the number that Canvas gave it: the last one in its page's address
    moodle_user: Literal["idnumber", "email", "username"] = "email"  # by what Moodle is to find its users
    moodle_limit: float = 100.0  # Moodle imports no grade above it, unless its administrator has raised it
    due: str = ""  # when it was due, for nbgrader's table


def by_student(sheet: Sheet, platform: str) -> list[tuple[Student, Report]]:
    """Return each student of whom there is something to import, with their report, in the order of their names.

    Whoever handed nothing in is left out, and whoever the grader itself failed on: platforms take an empty grade for
    the order to delete the one that they have. Of a row that is not there they change nothing.

    Raises ExportError, in the platform's name, where there is nobody, where submissions are nobody's, and where a
    student has two.
    """
    nobodys = [one.report.submission for one in sheet.standings if one.student is None]
    if nobodys:
        raise ExportError(
            f"{plural(len(nobodys), 'submission has', 'submissions have')} no student ({name_few(nobodys)}),"
            f" and {platform} needs a student for each: give --roster FILE, with a line for everyone who handed in."
        )
    rows = [(one.student, one.report) for one in sheet.standings if one.student is not None]
    twice = [student.name for student, times in Counter(student for student, _ in rows).items() if times > 1]
    if twice:
        raise ExportError(
            f"{plural(len(twice), 'student has', 'students have')} more than one submission ({name_few(twice)}),"
            f" and {platform} takes one grade each: leave one submission of each in the class, or mend the roster."
        )
    rows = [row for row in rows if is_grade(row[1])]
    if not rows:
        raise ExportError(f"The class has no graded submission, so there is nothing for {platform} to import.")
    return sorted(rows, key=lambda row: (row[0].name.casefold(), row[1].submission))


def is_grade(report: Report) -> bool:
    """Return whether a report's score says something of the submission: not where the grader failed, unless people did."""
    return report.status != "grader_error" or any(check.adjusted_from is not None for check in report.checks)


def all_differ(keys: Sequence[str], names: Sequence[str], platform: str, what: str) -> None:
    """See to it that a platform finds each student, and no two as one: `keys` are what it finds those `names` by.

    Raises ExportError where a key is empty or stands twice; `what` the keys are is said in it.
    """
    lost = [name for key, name in zip(keys, names, strict=True) if not key]
    if lost:
        raise ExportError(
            f"{plural(len(lost), 'student has', 'students have')} no {what} in the roster ({name_few(lost)}),"
            f" and {platform} finds students by it: complete the roster."
        )
    twice = [key for key, times in Counter(keys).items() if times > 1]
    if twice:
        raise ExportError(
            f"The roster gives the same {what} to more than one student ({name_few(twice)}),"
            f" and {platform} would give one of them the grades of all: mend the roster."
        )


def safe_identifier(text: str, student: Student) -> str:
    """Return a number, user name or address of a roster's as it is: platforms find nobody by one that is changed.

    Raises ExportError where it cannot stand in a CSV file as it is: a formula, or characters that nobody sees.
    """
    if _ACCOUNT.fullmatch(text) or csv_cell(text) == text:
        return text
    raise ExportError(
        f"The roster says {one_line(repr(text))} of {one_line(student.name)}: a spreadsheet takes that for a formula, or it"
        " holds characters that nobody sees. Mend the roster."
    )


def title_of(sheet: Sheet, options: ExportOptions) -> str:
    """Return the name of the assignment's column, on one line."""
    return one_line(" ".join((options.assignment or sheet.title).split()))


def name_few(names: Sequence[str]) -> str:
    """Return the first few of those that an error concerns; more would hide how to mend it."""
    return join_some(names, most=5, length=80)
