"""f-strings as Python 3.12 reads them (PEP 701), and t-strings (PEP 750), put aside so that an older Python reads the rest."""

from __future__ import annotations

import ast
import re

_STRING = re.compile(r"""(?P<comment>\#.*)|(?:\b(?P<prefix>[A-Za-z]{1,2}))?(?P<quote>\"{3}|'{3}|"|')""")
_IN_BRACES = re.compile(
    r"""(?P<open>[\[({])|(?P<close>[\])}])|(?P<conversion>!(?!=))|(?P<spec>:)|(?P<quote>["'])|\#.*"""
)
_DEEPEST = 8
_MOST = 400  # strings of one text


class _NoStringError(Exception):
    """What stands there is no f-string of any Python, or more than anybody writes."""


def put_aside(source: str, *, f_too: bool, t_too: bool) -> tuple[str, set[str], int]:
    """Replace what an older Python refuses by empty texts of as many lines.

    Return the new text, the letters of what was replaced ("f", "t"), and the line of the first, or 0.
    """
    parts: list[str] = []
    letters: set[str] = set()
    at = copied = first = 0
    for _ in range(_MOST):
        found = _STRING.search(source, at)
        if found is None:
            break
        at = found.end()
        if found["comment"] is not None:
            continue
        kind = _kind(found["prefix"])
        try:
            end = _end(source, found, 0)
        except _NoStringError:
            continue
        at = end
        literal = source[found.start() : end]
        if (kind == "t" and t_too) or (kind == "f" and f_too and not _is_read(literal)):
            lines = literal.count("\n")
            parts += [source[copied : found.start()], "'''" + "\n" * lines + "'''" if lines else "''"]
            first = first or source.count("\n", 0, found.start()) + 1
            letters.add(kind)
            copied = end
    return "".join([*parts, source[copied:]]), letters, first


def _kind(prefix: str | None) -> str:
    letters = (prefix or "").lower()
    return "f" if "f" in letters else "t" if "t" in letters else ""


def _is_read(literal: str) -> bool:
    try:
        ast.parse(literal)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return False
    return True


def _end(source: str, begun: re.Match[str], depth: int) -> int:
    """Return where a text ends by the rules of Python 3.12, its braces' contents being Python by themselves."""
    quote, at = begun["quote"], begun.end()
    has_braces = bool(_kind(begun["prefix"]))
    is_raw = "r" in (begun["prefix"] or "").lower()
    if depth > _DEEPEST:
        raise _NoStringError
    marks = re.compile(rf"(?P<escaped>\\)|(?P<end>{quote})|(?P<newline>\n)|(?P<twice>{{{{)|(?P<brace>{{)", re.DOTALL)
    while found := marks.search(source, at):
        at = found.end()
        if found["end"]:
            return at
        if found["escaped"]:
            at = _after_backslash(source, at, is_raw=is_raw)
        elif found["newline"] and len(quote) == 1:
            break
        elif found["brace"] and has_braces:
            at = _after_braces(source, at, depth)
    raise _NoStringError


def _after_backslash(source: str, at: int, *, is_raw: bool) -> int:
    """Return where a text goes on; a brace after a backslash counts, but not that of a character's name (N, brace)."""
    if source[at : at + 2] == "N{" and not is_raw:
        return max(source.find("}", at), at) + 1
    return at if source[at : at + 1] == "{" else at + 1


def _after_braces(source: str, at: int, depth: int) -> int:
    """Return where the braces end that were opened just before; what they hold must be an expression."""
    last = _end_of_expression(source, at, depth)
    if not _is_expression(source[at : last.start()], depth):
        raise _NoStringError
    if last["conversion"]:
        said = re.compile(r"[rsa]\s*(?P<next>[:}])").match(source, last.end())
        if said is None:
            raise _NoStringError
        return said.end() if said["next"] == "}" else _after_spec(source, said.end(), depth)
    if last["spec"]:
        return _after_spec(source, last.end(), depth)
    if last["close"] != "}":
        raise _NoStringError
    return last.end()


def _end_of_expression(source: str, at: int, depth: int) -> re.Match[str]:
    opened = 0
    while found := _IN_BRACES.search(source, at):
        at = found.end()
        if found["quote"]:
            at = _after_text(source, found.start(), depth)
        elif found["open"]:
            opened += 1
        elif opened:
            opened -= bool(found["close"])
        elif found["close"] or found["conversion"] or found["spec"]:
            return found
    raise _NoStringError


def _after_text(source: str, at: int, depth: int) -> int:
    """Return where a text inside braces ends, its prefix standing before `at`."""
    prefix = re.search(r"(?<![^\W])[A-Za-z]{0,2}\Z", source[max(0, at - 3) : at])
    begun = _STRING.match(source, at - len(prefix[0]) if prefix else at)
    if begun is None or begun["quote"] is None:
        raise _NoStringError
    return _end(source, begun, depth + 1)


def _after_spec(source: str, at: int, depth: int) -> int:
    """Return where the braces end after a format such as `.3f`, which may hold braces of its own."""
    while found := re.compile(r"[{}\n]").search(source, at):
        at = found.end()
        if found[0] == "}":
            return at
        if found[0] == "\n" or depth > _DEEPEST:
            break
        at = _after_braces(source, at, depth + 1)
    raise _NoStringError


def _is_expression(text: str, depth: int) -> bool:
    text = re.sub(r"(?<![=!<>])=\s*\Z", "", text)  # f"{loss=}"
    if not text.strip():
        return False
    if depth <= _DEEPEST:
        text = put_aside(text, f_too=True, t_too=True)[0] if '"' in text or "'" in text else text
    return _is_read(f"({text}\n)")
