"""Find where statements begin and end in Python that may not parse, by following brackets and quotes."""

import keyword
import re
from itertools import pairwise

from grader.records import dataclass

_TOKEN = re.compile(
    r"""(?P<comment>\#.*)|(?P<triple>\"{3}|'{3})|(?P<string>"(?:\\.|[^"\\])*+"|'(?:\\.|[^'\\])*+')"""
    # An escaped character is taken as one: else a line of \" would be searched for its end again at each of them.
    r"""|(?P<open>[\[({])|(?P<close>[\])}])|(?P<continued>\\$)|(?P<escaped>\\.)"""
)
_TRIPLE_END = {quote: re.compile(rf"\\.|(?P<end>{quote})") for quote in ('"""', "'''")}
_HEADER = re.compile(r"\s*(?:(?:async[ \t]+)?def|class)\b[ \t]+[^\W\d]|\s*@[ \t]*[^\W\d]")
_DEFINED = re.compile(r"[ \t]*(?:async[ \t]+)?(?P<kind>def|class)[ \t]+(?P<name>[^\W\d]\w*)")
# `dfe predict(self, X):` and `predict(self, X):` were to be methods.
_MISSPELT = re.compile(
    r"\s*(?!(?:if|elif|while|for|with|return|assert|lambda|case|match|except|not)\b)"
    r"(?:\w+[ \t]+)?(?P<name>[^\W\d]\w*)[ \t]*\([ \t]*self\b.*\)[ \t]*:[ \t]*(?:#.*)?$"
)
_GOES_ON = re.compile(r"\s*(?:(?:else|elif|except|finally)\b|[)\]}])")
_PIECE = re.compile(r"<{7}|={7}|>{7}|\|{7}|return\b|.*\bself\.")
# Of one text, to find out where brackets and quotes are closed.
_MOST_LOOKED_AHEAD = 20_000
_LONGEST_OPEN = 400


def track_brackets(line: str, depth: int, quote: str) -> tuple[int, str, bool]:
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


def indent_of(line: str) -> str:
    """Return the indentation of a line."""
    return line[: len(line) - len(line.lstrip(" \t"))]


def usable_name(name: str) -> str:
    """Return a name, or "" if it is not a valid Python name."""
    return name if name.isidentifier() and not keyword.iskeyword(name) else ""


def indent_width(line: str) -> int:
    """Return how far a line is indented, a tab being eight columns, or -1 where it holds no code."""
    text = line.lstrip(" \t\f")
    if not text or text[0] == "#":
        return -1
    indent = line[: len(line) - len(text)]
    return len(indent.replace("\f", "").expandtabs(8))


@dataclass(frozen=True)
class Block:
    """Some lines that seem to be one statement, with the comments and empty lines below it."""

    first: int  # index of the first line
    end: int  # and of the one after the last
    at: int  # of the `def` or `class` after its decorators
    kind: str  # "def" or "class"
    name: str  # that it defines; "" where none can be told
    is_definition: bool  # of a function, method or class, decorators included
    is_spaced: bool  # an empty line, or nothing, comes before
    is_stray: bool  # it begins further left than its neighbours
    is_piece: bool  # a line of a method, or the mark of a Git merge


class BlockReader:
    """Finds the blocks of one text; all of them together may look ahead only so far."""

    def __init__(self, lines: list[str]) -> None:
        self.lines = lines
        self.widths = [indent_width(line) for line in lines]
        self._left = _MOST_LOOKED_AHEAD

    def blocks(self, first: int, end: int, margin: int) -> list[Block]:
        """Split lines into blocks that begin at the margin; in a class also at a method with wrong indentation."""
        starts = self._starts(first, end, margin)
        return [
            Block(
                start,
                after,
                *self._definition(start, after),
                is_definition=self._is_definition(start, margin),
                is_spaced=start == first or not self.lines[start - 1].strip(),
                is_stray=self.widths[start] < margin,
                is_piece=_PIECE.match(self.lines[start]) is not None,
            )
            for start, after in pairwise([*starts, end])  # none in a cell of comments alone
        ]

    def is_open_text(self, first: int, end: int) -> bool:
        """Return whether a text in triple quotes is still open after these lines."""
        depth, quote = 0, ""
        for line in self.lines[first:end]:
            depth, quote, _ = track_brackets(line, depth, quote)
        return bool(quote)

    def _definition(self, first: int, end: int) -> tuple[int, str, str]:
        for number in range(first, end):
            if found := _DEFINED.match(self.lines[number]):
                return number, found["kind"], usable_name(found["name"])
        found = _MISSPELT.match(self.lines[first])
        return first, "def", usable_name(found["name"]) if found else ""

    def _is_definition(self, number: int, margin: int) -> bool:
        line = self.lines[number]
        return bool(_HEADER.match(line) or (margin and _MISSPELT.match(line)))

    def _starts(self, first: int, end: int, margin: int) -> list[int]:
        starts: list[int] = []
        depth, quote, continued = 0, "", False
        closed_at, is_decorated, inner = first, False, -1
        for number in range(first, end):
            line, wide = self.lines[number], self.widths[number]
            begins_amiss = (wide >= 0 and not starts) or (
                wide > margin and number >= closed_at and self._is_amiss(number, margin, inner)
            )
            if 0 <= wide <= margin or begins_amiss:
                if (depth or quote) and number >= closed_at:
                    closed_at = self._find_close(number, end, margin, depth, quote)
                    depth, quote = (depth, quote) if closed_at > number else (0, "")
                if not (starts and (depth or quote or continued or is_decorated or _GOES_ON.match(line))):
                    starts.append(number)
                    inner = -1
                if not (depth or quote):
                    is_decorated = line.lstrip()[:1] == "@"
            elif inner < 0 <= wide and not (depth or quote or continued):
                inner = wide
            depth, quote, continued = track_brackets(line, depth, quote)
        return starts

    def _is_amiss(self, number: int, margin: int, inner: int) -> bool:
        """Return whether a method begins here away from the margin: left of the body above it, or with other blanks."""
        line = self.lines[number]
        if not margin or not _HEADER.match(line) or line.lstrip()[0] == "@":
            return False
        if inner < 0 or self.widths[number] < inner:
            return inner >= 0
        above = next((n for n in range(number - 1, 0, -1) if self.widths[n] >= 0), 0)
        return ("\t" in indent_of(line)) != ("\t" in indent_of(self.lines[above]))

    def _find_close(self, number: int, end: int, margin: int, depth: int, quote: str) -> int:
        """Return the line after which everything open before this one is closed, or -1; no definition may be inside."""
        for at in range(number, min(end, number + _LONGEST_OPEN)):
            self._left -= 1
            if self._left < 0 or (0 <= self.widths[at] <= margin and _HEADER.match(self.lines[at])):
                return -1
            depth, quote, _ = track_brackets(self.lines[at], depth, quote)
            if not (depth or quote):
                return at + 1
        return -1
