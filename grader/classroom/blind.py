"""Names hidden from whoever grades, behind pseudonyms; a nickname or another spelling in a student's text stays."""

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import is_dataclass
from pathlib import PurePath
from typing import Any, cast

from grader.classroom.find_student import pseudonyms
from grader.classroom.gradebook import Gradebook
from grader.classroom.name_index import KINDS
from grader.classroom.results import match_class
from grader.model import Report, Sheet, Standing, Student
from grader.records import dataclass, field, fields, replace

_WORD = re.compile(r"[^\W_]+")
# Of a report: what no student writes, and by which things are found.
_KEPT = {"id", "check", "checks", "group", "status", "kind", "by", "at"}


@dataclass(frozen=True)
class Blind:
    """The pseudonyms of a class, and what they take the place of; without any, nothing is hidden."""

    pseudonyms: Mapping[str, str] = field(default_factory=dict)  # by submission, and by student without one
    # By the first word, in small letters: patterns, each with what replaces it.
    names: Mapping[str, set[tuple[str, str]]] = field(default_factory=dict)

    def hide(self, text: str) -> str:
        """Return a text without the names of the class."""
        found = {one for word in _WORD.findall(text) for one in self.names.get(word.lower(), ())}
        for pattern, pseudonym in sorted(found, key=lambda one: (-len(one[0]), one)):
            text = re.sub(rf"(?<![^\W_]){pattern}(?![^\W_])", pseudonym, text)
        return text

    def hide_report(self, report: Report) -> Report:
        """Return a report without the names of the class."""
        if not self.pseudonyms:
            return report
        pseudonym, hidden = self.pseudonyms[report.submission], cast("Report", self._hide_record(report))
        source = f"{pseudonym}{PurePath(report.source).suffix}"
        return replace(hidden, submission=pseudonym, source=source, student=None)

    def hide_sheet(self, sheet: Sheet) -> Sheet:
        """Return a class without names, in the order of the pseudonyms, since that of the names would tell."""
        if not self.pseudonyms:
            return sheet
        shown = [
            Standing(self.hide_report(one.report), one.student and Student(self.pseudonyms[one.report.submission]))
            for one in sheet.standings
            if not one.shared
        ]
        standings = tuple(sorted(shown, key=lambda one: one.report.submission))
        missing = sorted(self.pseudonyms[one.name] for one in sheet.missing)
        return replace(sheet, standings=standings, missing=tuple(map(Student, missing)))

    def _hide_record(self, value: Any, name: str = "") -> Any:
        if isinstance(value, tuple):
            return tuple(self._hide_record(one, name) for one in value)
        if is_dataclass(value) and not isinstance(value, type):
            held = {key.name: getattr(value, key.name) for key in fields(value)}
            return replace(value, **{key: self._hide_record(one, key) for key, one in held.items()})
        return self.hide(value) if isinstance(value, str) and name not in _KEPT else value


def hide_names(book: Gradebook, *, blind: bool) -> Blind:
    """Return the pseudonyms of a class, with the names that the roster and the hand-ins give; none where nothing is hidden."""
    if not blind:
        return Blind()
    matching, sources = match_class(book), book.sources()
    absent = {one.name: one for one in (*matching.missing, *matching.undecided)} if matching else {}
    known, names = pseudonyms(book, absent), defaultdict[str, set[tuple[str, str]]](set)
    for name, pseudonym in known.items():
        people = (absent[name],) if name in absent else matching.owners(name) if matching else ()
        texts = {name, PurePath(sources.get(name, "")).stem, *(text for one in people for text in _list_names(one))}
        for words in filter(None, map(_WORD.findall, texts)):
            whole = "".join(words)
            if len(whole) < (5 if whole.isdecimal() else 3 if whole.isascii() else 2):  # in too many texts by chance
                continue
            pattern = r"[\W_]{0,2}".join(map(re.escape, words))
            # One part of a name counts as it is written, or Max would take the place of every np.max.
            pattern = pattern if whole.istitle() and len(words) == 1 else f"(?i:{pattern})"
            for key in (words[0], whole):
                names[key.lower()].add((pattern, pseudonym))
    return Blind(known, names)


def _list_names(student: Student) -> Iterator[str]:
    """Yield all that names a student: numbers, accounts, the name in each order, and each part of it."""
    words = _WORD.findall(student.name)
    yield from words
    yield from (" ".join(words[at:] + words[:at]) for at in range(len(words)))
    yield from (getattr(student, kind) for kind in KINDS)
    yield student.email.partition("@")[0]
