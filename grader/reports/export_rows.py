"""What the exports share: their options, who has which grade, and what a cell may hold."""

import re
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import Literal

from grader.model import Place, Report, Sheet, Student
from grader.records import dataclass, field
from grader.text.phrases import join_some, plural
from grader.text.sanitise import csv_cell, one_line

# Accounts may begin as formulas do, such as "@ann" and "+441632960": a platform finds them as they are or not at all.
# Without brackets, blanks and an equals sign they do nothing in a spreadsheet but look odd.
_ACCOUNT = re.compile(r"[\w.@+-]*")

JUnitSchema = Literal["gitlab", "jenkins"]


class ExportError(ValueError):
    """A format cannot hold this class; the message says why and how to mend it."""


@dataclass(frozen=True)
class ExportOptions:
    """What some formats need besides the class."""

    assignment: str = ""  # what the platform calls the assignment; "" is the sheet's title
    canvas_id: str = ""  # the number that Canvas gave it: the last one in its page's address
    moodle_user: Literal["idnumber", "email", "username"] = "email"  # by which Moodle finds its users
    due: str = ""  # when it was due, in UTC, for nbgrader's table
    schema: JUnitSchema = "gitlab"  # whose reader takes the JUnit file
    # (source of a report, place) -> file, line and column of that place in what was handed in, where they can be told
    find_line: Callable[[str, Place], tuple[str, int, int] | None] = lambda _source, _place: None
    values: Mapping[str, str] = field(default_factory=dict)  # what Classroom 50 says of the submission


def by_student(sheet: Sheet, platform: str, *, excused: bool = True) -> list[tuple[Student, Report]]:
    """Return each student who has a grade, with their report, sorted by name.

    Students who handed nothing in are left out, and so are those on whose submission the grader failed: a platform
    reads an empty grade as an order to delete its own, and changes nothing where a row is missing.
    excused : whether the platform has a word for excused students; otherwise they are left out too.

    Raises ExportError where nobody has a grade, a submission belongs to no student, or a student has two.
    """
    nobodys = [one.report.submission for one in sheet.standings if one.student is None]
    if nobodys:
        raise ExportError(
            f"{plural(len(nobodys), 'submission has', 'submissions have')} no student ({name_few(nobodys)}),"
            f" and {platform} needs one for each: give --roster FILE with a line for everyone who handed in."
        )
    rows = [(one.student, one.report) for one in sheet.standings if one.student is not None]
    twice = [student.name for student, times in Counter(student for student, _ in rows).items() if times > 1]
    if twice:
        raise ExportError(
            f"{plural(len(twice), 'student has', 'students have')} more than one submission ({name_few(twice)}),"
            f" and {platform} takes one grade each: keep one submission of each student, or mend the roster."
        )
    rows = [row for row in rows if is_grade(row[1]) and (excused or not row[1].excused)]
    if not rows:
        raise ExportError(f"The class has no graded submission, so there is nothing for {platform} to import.")
    return sorted(rows, key=lambda row: (row[0].name.casefold(), row[1].submission))


def describe_left_out(sheet: Sheet) -> list[str]:
    """Return sentences on who has no grade, and on whose 0 points are those of a program that could not be read."""
    people: dict[str, list[str]] = {"Handed in nothing": [student.name for student in sheet.missing]}
    for one in sheet.standings:
        name = one.student.name if one.student else one.report.submission
        if one.report.excused:
            people.setdefault("Excused", []).append(name)
        elif not is_grade(one.report):
            nothing = one.report.status == "no_submission"
            people.setdefault("Handed in nothing" if nothing else "Not graded, since the grader failed", []).append(
                name
            )
        elif one.report.status == "failed_to_load" and not one.report.score:
            people.setdefault("0 points, since the program could not be loaded", []).append(name)
    return [f"{why}: {len(names)} ({name_few(sorted(names))})." for why, names in people.items() if names]


def is_grade(report: Report) -> bool:
    """Return whether a report's score is a grade, given by people or by the grader: it may fail or find nothing to grade."""
    decided = any(check.adjusted_from is not None for check in report.checks)
    return decided or report.status not in {"grader_error", "no_submission"}


def mean_score(reports: Sequence[Report]) -> float:
    """Return the mean of a class's grades, 0 where there is none; who is excused counts only where all are."""
    grades = [one for one in reports if is_grade(one)]
    scores = [one.score for one in grades if not one.excused] or [one.score for one in grades]
    return sum(scores) / len(scores) if scores else 0.0


def all_differ(keys: Sequence[str], names: Sequence[str], platform: str, what: str) -> None:
    """Raise ExportError where a student's key is empty or two students have the same one.

    keys : by which the platform finds the students called `names`; what : the keys' name, for the message.
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
    """Return a number, user name or address from the roster unchanged, since a platform finds nobody by a changed one.

    Raises ExportError where it is not safe in a CSV file: a formula, or invisible characters.
    """
    if _ACCOUNT.fullmatch(text) or csv_cell(text) == text:
        return text
    raise ExportError(
        f"The roster says {one_line(repr(text))} of {one_line(student.name)}. That is a formula to a spreadsheet, or it"
        " holds invisible characters. Mend the roster."
    )


def title_of(sheet: Sheet, options: ExportOptions) -> str:
    """Return the name of the assignment's column, on one line."""
    return one_line(" ".join((options.assignment or sheet.title).split()))


def name_few(names: Sequence[str]) -> str:
    """Return the first few names for an error message; more would hide how to mend it."""
    return join_some(names, most=5, length=80)
