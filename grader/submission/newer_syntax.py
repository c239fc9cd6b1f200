"""Syntax that came with a later Python than this one: known by reading the text without it."""

from __future__ import annotations

import builtins
import re
import sys
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from grader.submission.fstrings import parses, put_aside

Version = tuple[int, int]
HERE: Version = sys.version_info[:2]
_LARGEST = 64 * 1024  # a whole solution has 30 KB; above it nothing is rewritten to find out
_EXCEPT = re.compile(r"^([ \t]*except\b\*?[ \t]*)([^\W\d][\w.]*(?:[ \t]*,[ \t]*[^\W\d][\w.]*)+)([ \t]*:)", re.MULTILINE)
_BRACKETS = r"[ \t]*\[[^\[\]]*(?:\[[^\[\]]*\][^\[\]]*)*\]"
_GENERIC = re.compile(rf"^([ \t]*(?:async[ \t]+def|def|class)[ \t]+\w+){_BRACKETS}(?=[ \t]*[(:])", re.MULTILINE)
_ALIAS = re.compile(rf"^([ \t]*)type[ \t]+([^\W\d]\w*)(?:{_BRACKETS})?([ \t]*=)", re.MULTILINE)


@dataclass(frozen=True)
class Newer:
    """What of a text only a later Python reads."""

    version: Version
    what: str
    line: int  # the first that holds it, counted from 1
    mend: str

    def words(self, written_for: str) -> str:
        """Return which versions meet here; `written_for` is what the notebook says of itself, or ""."""
        says = f" (the notebook says {written_for})" if written_for else ""
        return (
            f"The submission is written for Python {_shown(self.version)} or newer{says}; "
            f"this grader runs {_shown(HERE)}: {self.what}"
        )

    def short(self) -> str:
        """Say the same in the words of an exception."""
        return f"{self.what}, which needs Python {_shown(self.version)} or newer, and this grader runs {_shown(HERE)}"


def _sub(pattern: re.Pattern[str], template: str, source: str) -> tuple[str, int]:
    first = pattern.search(source)
    return (pattern.sub(template, source), source.count("\n", 0, first.start()) + 1) if first else (source, 0)


# (since, what it is, how every Python reads it, what gives the text without it and the line of the first)
_FEATURES: tuple[tuple[Version, str, str, Callable[[str], tuple[str, int]]], ...] = (
    (
        (3, 12),
        "an f-string with its own quotes, a backslash or a comment inside its braces (PEP 701)",
        "Use the other kind of quotes inside the braces, or put the value into a variable first",
        partial(put_aside, kinds="f"),
    ),
    ((3, 12), "type parameters in brackets (PEP 695)", "Leave the brackets out", partial(_sub, _GENERIC, r"\1")),
    ((3, 12), "a `type` statement (PEP 695)", "Leave the word `type` out", partial(_sub, _ALIAS, r"\1\2\3")),
    ((3, 14), "a t-string (PEP 750)", "Write an f-string", partial(put_aside, kinds="t")),
    (
        (3, 14),
        "several exceptions without parentheses (PEP 758)",
        "Write except (A, B):",
        partial(_sub, _EXCEPT, r"\1(\2)\3"),
    ),
)


def newer(source: str, written_for: str = "") -> Newer | None:
    """Find the later syntax without which this Python reads a text that it refuses; None where that is not the cause.

    What is told are the first of it and the latest version that any of it needs.
    """
    if len(source) > _LARGEST:
        return None
    text, found = source, list[Newer]()
    for version, what, mend, without in _FEATURES:
        if version > HERE and not ("PEP 758" in what and _is_python_2(source, written_for)):
            text, line = without(text)
            found += [Newer(version, what, line, mend)] if line else []
    if not found or not parses(text):
        return None
    first = min(found, key=lambda one: one.line)
    return Newer(max(one.version for one in found), first.what, first.line, first.mend)


def _is_python_2(source: str, written_for: str) -> bool:
    """Whether the second name in `except A, B:` is one for what was caught, as in Python 2, and no other exception."""
    said = re.match(r"3\.(\d{1,3})", written_for)
    if said and int(said[1]) >= 14:
        return False
    return written_for.startswith("2.") or not all(_are_exceptions(found[2]) for found in _EXCEPT.finditer(source))


def _are_exceptions(listed: str) -> bool:
    names = [name.strip() for name in listed.split(",")]
    last = names[1].rpartition(".")[2]
    known = isinstance(getattr(builtins, last, None), type)
    return len(names) > 2 or "." in names[1] or known or last[0].isupper()


def _shown(version: Version) -> str:
    return f"{version[0]}.{version[1]}"
