"""Where the statements of a text that Python refuses begin and end, as its indentation tells."""

from __future__ import annotations

import re
from dataclasses import dataclass

from grader.submission.lines import HEADER, state_after, width

# `dfe predict(self, X):` and `predict(self, X):` were to be methods.
MISSPELT = re.compile(
    r"\s*(?!(?:if|elif|while|for|with|return|assert|lambda|case|match|except|not)\b)"
    r"(?:\w+[ \t]+)?(?P<name>[^\W\d]\w*)[ \t]*\([ \t]*self\b.*\)[ \t]*:[ \t]*(?:#.*)?$"
)
_GOES_ON = re.compile(r"\s*(?:(?:else|elif|except|finally)\b|[)\]}])")
_PIECE = re.compile(r"<{7}|={7}|>{7}|\|{7}|return\b|.*\bself\.")
# Of one text, to find out where brackets and quotes are closed.
_MOST_LOOKED_AHEAD = 20_000
_LONGEST_OPEN = 400


@dataclass(frozen=True)
class Block:
    """Some lines that seem to be one statement, with the comments and empty lines below it."""

    first: int  # index of the first line
    end: int  # and of the one after the last
    is_definition: bool  # of a function, method or class, decorators included
    is_spaced: bool  # an empty line, or nothing, comes before
    is_stray: bool = False  # it begins further left than its neighbours
    is_piece: bool = False  # a line of a method, or the mark of a Git merge


class Reader:
    """Finds the blocks of one text; what it may look ahead is bounded for all of them together."""

    def __init__(self, lines: list[str]) -> None:
        self.lines = lines
        self.widths = [width(line) for line in lines]
        self._left = _MOST_LOOKED_AHEAD

    def blocks(self, first: int, end: int, margin: int) -> list[Block]:
        """Split lines into what begins at the margin; in a class also where a method is indented amiss."""
        starts = self._starts(first, end, margin)
        return [
            Block(
                start,
                after,
                is_definition=self._is_definition(start, margin),
                is_spaced=start == first or not self.lines[start - 1].strip(),
                is_stray=self.widths[start] < margin,
                is_piece=_PIECE.match(self.lines[start]) is not None,
            )
            for start, after in zip(starts, [*starts[1:], end], strict=True)
        ]

    def is_open_text(self, first: int, end: int) -> bool:
        """Whether a text in triple quotes is open after these lines, read by themselves."""
        depth, quote = 0, ""
        for line in self.lines[first:end]:
            depth, quote, _ = state_after(line, depth, quote)
        return bool(quote)

    def _is_definition(self, number: int, margin: int) -> bool:
        line = self.lines[number]
        return bool(HEADER.match(line) or (margin and MISSPELT.match(line)))

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
                    closed_at = self._closed(number, end, margin, depth, quote)
                    depth, quote = (depth, quote) if closed_at > number else (0, "")
                if not (starts and (depth or quote or continued or is_decorated or _GOES_ON.match(line))):
                    starts.append(number)
                    inner = -1
                if not (depth or quote):
                    is_decorated = line.lstrip()[:1] == "@"
            elif inner < 0 <= wide and not (depth or quote or continued):
                inner = wide
            depth, quote, continued = state_after(line, depth, quote)
        return starts

    def _is_amiss(self, number: int, margin: int, inner: int) -> bool:
        """Whether a method begins here, though not at the margin: left of the body above it, or with other blanks."""
        line = self.lines[number]
        if not margin or not HEADER.match(line) or line.lstrip()[0] == "@":
            return False
        return self.widths[number] < inner or (
            inner >= 0 and self._has_tabs(number) != self._has_tabs(number, back=True)
        )

    def _has_tabs(self, number: int, *, back: bool = False) -> bool:
        if back:
            number -= 1
            while number > 0 and self.widths[number] < 0:
                number -= 1
        line = self.lines[number]
        return "\t" in line[: len(line) - len(line.lstrip())]

    def _closed(self, number: int, end: int, margin: int, depth: int, quote: str) -> int:
        """Return after which line all is closed that is open before this one, or -1: no definition stands inside."""
        for at in range(number, min(end, number + _LONGEST_OPEN)):
            self._left -= 1
            if self._left < 0 or (0 <= self.widths[at] <= margin and HEADER.match(self.lines[at])):
                return -1
            depth, quote, _ = state_after(self.lines[at], depth, quote)
            if not (depth or quote):
                return at + 1
        return -1
