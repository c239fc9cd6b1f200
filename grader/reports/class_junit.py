"""A whole class in one JUnit file: a suite is a submission.

GitLab takes a case's `classname` and `name` for its identity in the whole file and drops all but the first of one
identity; it reads no file of 30 MB or more.
"""

from __future__ import annotations

from collections.abc import Sequence
from xml.etree import ElementTree as ET

from grader.model import Sheet
from grader.reports.export_rows import ExportError
from grader.reports.junit import suite, written
from grader.text.sanitise import plain

LIMIT = 30_000_000  # bytes
LENGTHS = (2_000, 500, 100, 0)  # characters of a message: the most that let the file stay below the limit
SHORTENED = "Shortened, so that CI reads this class's file; the submission's own report has all of it."


def to_class_junit(sheet: Sheet, limit: int = LIMIT) -> str:
    """Write a class as a JUnit XML file of less than `limit` bytes.

    Where it would be longer, every message is shortened alike, and the first of each suite says so. Raises ExportError
    where even that is too long.
    """
    suites = [suite(one.report) for one in sheet.standings]
    _tell_apart(suites)
    told = [[one for one in made.iterfind("testcase/*") if one.tag != "properties"] for made in suites]
    whole = [[(one, one.text or "") for one in some] for some in told]
    text = _file(suites)
    for length in LENGTHS:
        if len(text.encode()) < limit:
            return text
        for messages in whole:
            _shorten(messages, length)
        text = _file(suites)
    if len(text.encode()) < limit:
        return text
    raise ExportError(
        f"{len(suites):,} submissions make a JUnit file of {len(text.encode()) / 1e6:,.1f} MB even without their"
        f" messages, and CI reads less than {limit / 1e6:,.1f}: write it of a part of the class at a time."
    )


def _file(suites: Sequence[ET.Element]) -> str:
    root = ET.Element("testsuites")
    root.extend(suites)
    for name in ("tests", "failures", "errors", "skipped"):
        root.set(name, str(sum(int(one.get(name, "0")) for one in suites)))
    return written(root)


def _tell_apart(suites: Sequence[ET.Element]) -> None:
    """Put numbers to suites of one name: submissions whose names differ in what is not shown, or after many letters."""
    taken: set[str] = set()
    for one in suites:
        name, number = one.get("name", ""), 1
        while (unique := name if number == 1 else f"{name} ({number})") in taken:
            number += 1
        taken.add(unique)
        one.set("name", unique)
        for case in one:
            case.set("classname", unique)


def _shorten(messages: Sequence[tuple[ET.Element, str]], length: int) -> None:
    said = ""
    for told, whole in messages:
        short = plain(whole, length)
        told.text = short if short == whole or said else f"{short}\n{SHORTENED}"
        said = said or (SHORTENED if short != whole else "")
