"""Syntax that came with a later Python than this one: known by reading the text without it."""

from __future__ import annotations

import ast
import builtins
import re
import sys
from collections.abc import Callable
from dataclasses import dataclass

from grader.submission.fstrings import put_aside

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


def _f_strings(source: str) -> tuple[str, int]:
    text, _, line = put_aside(source, f_too=True, t_too=False)
    return text, line


def _t_strings(source: str) -> tuple[str, int]:
    text, _, line = put_aside(source, f_too=False, t_too=True)
    return text, line


def _generics(source: str) -> tuple[str, int]:
    return _sub(_GENERIC, lambda found: found[1] + "\n" * found[0].count("\n"), source)


def _aliases(source: str) -> tuple[str, int]:
    return _sub(_ALIAS, lambda found: f"{found[1]}{found[2]}{found[3]}", source)


def _excepts(source: str) -> tuple[str, int]:
    return _sub(_EXCEPT, lambda found: f"{found[1]}({found[2]}){found[3]}", source)


def _sub(pattern: re.Pattern[str], write: Callable[[re.Match[str]], str], source: str) -> tuple[str, int]:
    first = pattern.search(source)
    return (pattern.sub(write, source), source.count("\n", 0, first.start()) + 1) if first else (source, 0)


# (since, what it is, how every Python reads it, the text without it)
_FEATURES: tuple[tuple[Version, str, str, Callable[[str], tuple[str, int]]], ...] = (
    (
        (3, 12),
        "an f-string with its own quotes, a backslash or a comment inside its braces (PEP 701)",
        "Use the other kind of quotes inside the braces, or put the value into a variable first",
        _f_strings,
    ),
    ((3, 12), "type parameters in brackets (PEP 695)", "Leave the brackets out", _generics),
    ((3, 12), "a `type` statement (PEP 695)", "Leave the word `type` out", _aliases),
    ((3, 14), "a t-string (PEP 750)", "Write an f-string", _t_strings),
    ((3, 14), "several exceptions without parentheses (PEP 758)", "Write except (A, B):", _excepts),
)


def newer(source: str, written_for: str = "") -> Newer | None:
    """Find the later syntax without which this Python reads a text that it refuses; None where that is not the cause.

    What is told are the first of it and the latest version that any of it needs.
    """
    if len(source) > _LARGEST:
        return None
    text, found = source, list[Newer]()
    for version, what, mend, without in _FEATURES:
        if version <= HERE or (without is _excepts and not _is_no_python_2(source, written_for)):
            continue
        changed, line = without(text)
        if line:
            text = changed
            found.append(Newer(version, what, line, mend))
    if not found or not _parses(text):
        return None
    first = min(found, key=lambda one: one.line)
    return Newer(max(one.version for one in found), first.what, first.line, first.mend)


def _is_no_python_2(source: str, written_for: str) -> bool:
    """Whether `except A, B:` lists exceptions; in Python 2 the second is a name for what was caught."""
    if written_for.startswith("2."):
        return False
    said = re.match(r"3\.(\d{1,3})", written_for)
    if said and int(said[1]) >= 14:
        return True
    return all(_are_exceptions(found[2]) for found in _EXCEPT.finditer(source))


def _are_exceptions(listed: str) -> bool:
    names = [name.strip() for name in listed.split(",")]
    last = names[1].rpartition(".")[2]
    known = isinstance(getattr(builtins, last, None), type)
    return len(names) > 2 or "." in names[1] or known or last[0].isupper()


def _parses(source: str) -> bool:
    try:
        ast.parse(source)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return False
    return True


def _shown(version: Version) -> str:
    return f"{version[0]}.{version[1]}"
