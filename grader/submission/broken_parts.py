"""What takes the place of a part that Python cannot read: it has the part's name and raises an error that says why."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

from grader.submission.blocks import Block, usable
from grader.submission.syntax import Complaint

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


def of_definition(block: Block, indent: str, complaint: Complaint, kind: Kind) -> dict[int, str]:
    """Return the lines of a function that raises, at the line of the complaint, by index."""
    wants = "self, *args, **kwargs" if kind == "method" else "*args, **kwargs"
    head = f"{indent}def {block.name}({wants}):"
    error = f"raise {_error(complaint, kind)}"
    below = min(complaint.place.line, block.end) - 1
    return {block.at: f"{head} {error}"} if below <= block.at else {block.at: head, below: f"{indent}    {error}"}


def of_statement(block: Block, text: str, complaint: Complaint) -> dict[int, str]:
    """Return an assignment to the same names that raises when it is run; nothing where there are no names."""
    names = dict.fromkeys(usable(found[1] or found[2]) for found in _ASSIGNED.finditer(text))
    given = [name for name in names if name][:_MOST_NAMES]
    at = min(max(complaint.place.line - 1, block.first), block.end - 1)
    # An expression that raises: nothing but an assignment is both run and skipped alone where it fails.
    raises = f"(_ for _ in ()).throw({_error(complaint, 'statement')})"
    return {at: " = ".join([*given, raises])} if given else {}


def _error(complaint: Complaint, kind: Kind) -> str:
    text = complaint.place.text.strip()
    where = f"line {complaint.place.line}: `{text}`" if text else f"line {complaint.place.line}"
    return f"SyntaxError({f'this {kind} cannot be read: {complaint.short} ({where})'!r})"
