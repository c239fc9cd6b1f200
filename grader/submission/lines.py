"""Lines of Python that may not parse: brackets and quotes followed from one to the next, and how far each is indented."""

from __future__ import annotations

import re

_TOKEN = re.compile(
    r"""(?P<comment>\#.*)|(?P<triple>\"{3}|'{3})|(?P<string>"(?:\\.|[^"\\])*+"|'(?:\\.|[^'\\])*+')"""
    # An escaped character is taken as one: else a line of \" would be searched for its end again at each of them.
    r"""|(?P<open>[\[({])|(?P<close>[\])}])|(?P<continued>\\$)|(?P<escaped>\\.)"""
)
_TRIPLE_END = {quote: re.compile(rf"\\.|(?P<end>{quote})") for quote in ('"""', "'''")}
HEADER = re.compile(r"\s*(?:(?:async[ \t]+)?def|class)\b[ \t]+[^\W\d]|\s*@[ \t]*[^\W\d]")


def state_after(line: str, depth: int, quote: str) -> tuple[int, str, bool]:
    """Follow brackets, triple quotes and backslashes over one line of Python."""
    at, continued = 0, False
    while at < len(line):
        found = (_TRIPLE_END[quote] if quote else _TOKEN).search(line, at)
        if found is None:
            break
        at = found.end()
        kind = found.lastgroup
        if kind == "end":
            quote = ""
        elif kind == "triple":
            quote = found[0]
        elif kind == "open":
            depth += 1
        elif kind == "close":
            depth = max(0, depth - 1)
        elif kind == "continued":
            continued = True
    return depth, quote, continued


def width(line: str) -> int:
    """Return how far a line is indented, a tab being eight columns, or -1 where it holds no code."""
    text = line.lstrip(" \t\f")
    if not text or text[0] == "#":
        return -1
    indent = line[: len(line) - len(text)]
    return len(indent.replace("\f", "").expandtabs(8))
