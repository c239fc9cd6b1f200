"""f-strings as of Python 3.12 (PEP 701), and t-strings (PEP 750), put aside so that an older Python reads the rest."""

from __future__ import annotations

import ast
import re

_STRING = r"""(?P<comment>\#.*)|(?:\b(?P<prefix>[A-Za-z]{1,2}))?(?P<quote>\"{3}|'{3}|"|')"""
_BEGINS = re.compile(_STRING)
_IN_BRACES = re.compile(_STRING + r"|(?P<open>[\[({])|(?P<close>[\])}])|(?P<conversion>!(?!=))|(?P<spec>:)")
_CONVERTED = re.compile(r"[rsa]\s*(?:(?P<close>\})|(?P<spec>:))")
_IN_SPEC = re.compile(r"(?P<open>\{)|(?P<close>\})|\n")
_DEEPEST = 8
_MOST = 400  # strings of one text


class _NoStringError(Exception):
    """What stands there is no f-string of any Python, or more than anybody writes."""


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


def parses(source: str) -> bool:
    """Whether this Python reads a text."""
    try:
        ast.parse(source)
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
