"""Recognise syntax of a later Python than this one: the text can be read without it."""

import ast
import builtins
import re
import sys
from collections.abc import Callable
from functools import partial

from grader.records import dataclass

Version = tuple[int, int]
HERE: Version = sys.version_info[:2]
_LARGEST = 64 * 1024  # a whole solution has 30 KB; above it nothing is rewritten to find out
_EXCEPT = re.compile(r"^([ \t]*except\b\*?[ \t]*)([^\W\d][\w.]*(?:[ \t]*,[ \t]*[^\W\d][\w.]*)+)([ \t]*:)", re.MULTILINE)
_BRACKETS = r"[ \t]*\[[^\[\]]*(?:\[[^\[\]]*\][^\[\]]*)*\]"
_GENERIC = re.compile(rf"^([ \t]*(?:async[ \t]+def|def|class)[ \t]+\w+){_BRACKETS}(?=[ \t]*[(:])", re.MULTILINE)
_ALIAS = re.compile(rf"^([ \t]*)type[ \t]+([^\W\d]\w*)(?:{_BRACKETS})?([ \t]*=)", re.MULTILINE)
# Strings as of Python 3.12, and what stands in their braces
_STRING = r"""(?P<comment>\#.*)|(?:\b(?P<prefix>[A-Za-z]{1,2}))?(?P<quote>\"{3}|'{3}|"|')"""
_BEGINS = re.compile(_STRING)
_IN_BRACES = re.compile(_STRING + r"|(?P<open>[\[({])|(?P<close>[\])}])|(?P<conversion>!(?!=))|(?P<spec>:)")
_CONVERTED = re.compile(r"[rsa]\s*(?:(?P<close>\})|(?P<spec>:))")
_IN_SPEC = re.compile(r"(?P<open>\{)|(?P<close>\})|\n")
_DEEPEST = 8
_MOST = 400  # strings of one text
# Each cell is parsed where IPython's syntax is looked for, and again where its statements are taken.
_parsed: dict[str, list[ast.stmt]] = {}


class _NoStringError(Exception):
    """The text is no f-string of any Python, or a longer one than anybody writes."""


def put_aside(source: str, kinds: str) -> tuple[str, int]:
    """Replace texts of these kinds ("f", "t") that this Python refuses by empty ones of as many lines.

    Return the new text and the line of the first, or 0.
    """
    parts: list[str] = []
    at = copied = first = 0
    for _ in range(_MOST):
        found = _BEGINS.search(source, at)
        if found is None:
            break
        at = found.end()
        if found["comment"] is not None:
            continue
        try:
            at = _end(source, found, 0)
        except _NoStringError:
            continue
        literal, kind = source[found.start() : at], _kind(found)
        if kind and kind in kinds and (kind == "t" or not parses(literal)):
            lines = literal.count("\n")
            parts += [source[copied : found.start()], "'''" + "\n" * lines + "'''" if lines else "''"]
            first = first or source.count("\n", 0, found.start()) + 1
            copied = at
    return "".join([*parts, source[copied:]]), first


def parse_once(source: str) -> list[ast.stmt]:
    """Return the statements of a text, the same objects where it was parsed just before; see ast.parse."""
    body = _parsed.get(source)
    if body is None:
        body = ast.parse(source).body
        if sum(map(len, _parsed)) + len(source) > _LARGEST:
            _parsed.clear()
        _parsed[source] = body
    return body


def parses(source: str) -> bool:
    """Return whether this Python can parse a text."""
    try:
        parse_once(source)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return False
    return True


def _kind(begun: re.Match[str]) -> str:
    letters = (begun["prefix"] or "").lower()
    return "f" if "f" in letters else "t" if "t" in letters else ""


def _end(source: str, begun: re.Match[str], depth: int) -> int:
    """Return where a text ends by the rules of Python 3.12, its braces' contents being Python by themselves."""
    if depth > _DEEPEST:
        raise _NoStringError
    quote, at = begun["quote"], begun.end()
    # A brace after a backslash counts, but not that of a character's name, \N{DIGIT ONE}.
    name = "" if "r" in (begun["prefix"] or "").lower() else r"N\{[\w -]{1,90}\}|"
    marks = re.compile(rf"(?P<end>{quote})|\\(?:{name}[^{{])?|(?P<newline>\n)|\{{\{{|(?P<brace>\{{)", re.DOTALL)
    while found := marks.search(source, at):
        at = found.end()
        if found["end"]:
            return at
        if found["newline"] and len(quote) == 1:
            break
        if found["brace"] and _kind(begun):
            at = _end_of_braces(source, at, depth)
    raise _NoStringError


def _end_of_braces(source: str, first: int, depth: int) -> int:
    """Return where the braces end that were opened just before; what they hold must be an expression."""
    at, opened = first, 0
    while found := _IN_BRACES.search(source, at):
        at = found.end()
        if found["quote"]:
            at = _end(source, found, depth + 1)
        elif found["open"]:
            opened += 1
        elif opened:
            opened -= bool(found["close"])
        elif not found["comment"]:
            break
    if found is None or not _is_expression(source[first : found.start()], depth):
        raise _NoStringError
    if found["conversion"]:
        found = _CONVERTED.match(source, at)
    if found is None or (found["close"] or "}") != "}":
        raise _NoStringError
    return found.end() if found["close"] else _end_of_spec(source, found.end(), depth)


def _end_of_spec(source: str, at: int, depth: int) -> int:
    """Return where the braces end after a format such as `.3f`, which may hold braces of its own."""
    while (found := _IN_SPEC.search(source, at)) and depth <= _DEEPEST:
        at = found.end()
        if found["close"]:
            return at
        if not found["open"]:
            break
        at = _end_of_braces(source, at, depth + 1)
    raise _NoStringError


def _is_expression(text: str, depth: int) -> bool:
    text = re.sub(r"(?<![=!<>])=\s*\Z", "", text)  # f"{loss=}"
    if not text.strip():
        return False
    if depth <= _DEEPEST and ('"' in text or "'" in text):
        text = put_aside(text, "ft")[0]
    return parses(f"({text}\n)")


@dataclass(frozen=True)
class NewerSyntax:
    """The part of a text that only a later Python reads."""

    version: Version
    what: str
    line: int  # the first that holds it, counted from 1
    mend: str

    def words(self, written_for: str) -> str:
        """Return a sentence on both versions; `written_for` is the version that the notebook names, or ""."""
        says = f" (the notebook says {written_for})" if written_for else ""
        return (
            f"The submission is written for Python {_version_text(self.version)} or newer{says}; "
            f"this grader runs {_version_text(HERE)}: {self.what}"
        )

    def short(self) -> str:
        """Return the same in the words of an exception."""
        return f"{self.what}, which needs Python {_version_text(self.version)} or newer, and this grader runs {_version_text(HERE)}"


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


def find_newer_syntax(source: str, written_for: str = "") -> NewerSyntax | None:
    """Return the later syntax that makes this Python refuse a text; None where that is not the cause.

    It holds the first such place, and the latest version that any of them needs.
    """
    if len(source) > _LARGEST:
        return None
    text, found = source, list[NewerSyntax]()
    for version, what, mend, without in _FEATURES:
        if version > HERE and not ("PEP 758" in what and _is_python_2(source, written_for)):
            text, line = without(text)
            found += [NewerSyntax(version, what, line, mend)] if line else []
    if not found or not parses(text):
        return None
    first = min(found, key=lambda one: one.line)
    return NewerSyntax(max(one.version for one in found), first.what, first.line, first.mend)


def _is_python_2(source: str, written_for: str) -> bool:
    """Return whether the second name in `except A, B:` is one for what was caught, as in Python 2, and no other exception."""
    said = re.match(r"3\.(\d{1,3})", written_for)
    if said and int(said[1]) >= 14:
        return False
    return written_for.startswith("2.") or not all(_are_exceptions(found[2]) for found in _EXCEPT.finditer(source))


def _are_exceptions(listed: str) -> bool:
    names = [name.strip() for name in listed.split(",")]
    last = names[1].rpartition(".")[2]
    known = isinstance(getattr(builtins, last, None), type)
    return len(names) > 2 or "." in names[1] or known or last[0].isupper()


def _version_text(version: Version) -> str:
    return f"{version[0]}.{version[1]}"
