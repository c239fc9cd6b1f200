"""What takes the place of a part that Python cannot read: it has the part's name and raises an error that says why."""

from __future__ import annotations

import keyword
import re
from dataclasses import dataclass
from typing import Literal

from grader.records import Place, Problem
from grader.submission.blocks import MISSPELT
from grader.submission.syntax import Complaint

_DEFINED = re.compile(r"[ \t]*(?:async[ \t]+)?(?P<kind>def|class)[ \t]+(?P<name>[^\W\d]\w*)")
_ASSIGNED = re.compile(r"^([^\W\d]\w*)[ \t]*(?::[^=\n]*)?=[^=]|^[ \t]*(?:def|class)[ \t]+([^\W\d]\w*)", re.MULTILINE)
_MOST_NAMES = 40
Kind = Literal["method", "function", "class", "statement"]


@dataclass(frozen=True)
class Loss:
    """A part that cannot be read."""

    kind: Kind
    name: str  # "" of a statement, and where it cannot be told
    owner: str  # the class in which a method stands
    complaint: Complaint
    line: int = 0  # where its stub begins, counted from 1; 0 where nothing takes its place

    @property
    def problem(self) -> Problem:
        """The same as what is wrong with a submission."""
        return Problem("failed_to_load", self.complaint.message, self.complaint.place)


@dataclass(frozen=True)
class Stub:
    """Lines for those of the part, by index."""

    lines: dict[int, str]
    first: int


def definition(lines: list[str], first: int, end: int) -> tuple[int, str, str]:
    """Return the line of a definition after its decorators, "def" or "class", and its name; the name may be ""."""
    for number in range(first, end):
        found = _DEFINED.match(lines[number])
        if found:
            return number, found["kind"], _usable(found["name"])
    found = MISSPELT.match(lines[first])
    return first, "def", _usable(found["name"]) if found else ""


def of_definition(name: str, indent: str, span: tuple[int, int], complaint: Complaint, kind: Kind) -> Stub:
    """Return a function that raises, at the line of the complaint; `span` is from its `def` to behind its last line."""
    at, end = span
    wants = "self, *args, **kwargs" if kind == "method" else "*args, **kwargs"
    head = f"{indent}def {name}({wants}):"
    error = f"raise {_error(complaint, kind)}"
    below = min(complaint.place.line, end) - 1
    if below <= at:
        return Stub({at: f"{head} {error}"}, at)
    return Stub({at: head, below: f"{indent}    {error}"}, at)


def of_statement(text: str, span: tuple[int, int], complaint: Complaint) -> Stub | None:
    """Return an assignment to the same names that raises when it is run; None where there are no names."""
    names = dict.fromkeys(_usable(found[1] or found[2]) for found in _ASSIGNED.finditer(text))
    given = [name for name in names if name][:_MOST_NAMES]
    if not given:
        return None
    at = min(max(complaint.place.line - 1, span[0]), span[1] - 1)
    # An expression that raises: nothing but an assignment is both run and skipped alone where it fails.
    raises = f"(_ for _ in ()).throw({_error(complaint, 'statement')})"
    return Stub({at: " = ".join([*given, raises])}, at)


def _error(complaint: Complaint, kind: Kind) -> str:
    where = _where(complaint.place)
    return f"SyntaxError({f'this {kind} cannot be read: {complaint.short} ({where})'!r})"


def _where(place: Place) -> str:
    quoted = f": `{place.text.strip()}`" if place.text.strip() else ""
    return f"line {place.line}{quoted}"


def _usable(name: str) -> str:
    return name if name.isidentifier() and not keyword.iskeyword(name) else ""
