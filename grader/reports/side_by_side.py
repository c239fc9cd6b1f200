"""Two programs beside each other: which of their lines are shared, which stand around them, and which are folded.

What is folded is not in the view at all: the page holds each program's whole text once, however many pairs it is in.
"""

import re
from collections.abc import Iterator, Sequence

from grader.model.similar_programs import Program, Span
from grader.records import dataclass
from grader.text.sanitise import one_line

AROUND = 3  # unshared lines that are shown before and after a passage
LONG = 40  # shared lines that are shown at either end of a passage; nobody compares a thousand by eye
FEWEST = 4  # lines that are worth a fold: it takes a line itself
COLOURS = 6  # that can be told apart; the number beside them says which passage it is

# As Python counts lines. A form feed and its like, at which str.splitlines parts too, are no line ends to it.
_LINE_END = re.compile(r"\r\n|\r|\n")

Lines = tuple[str, ...]


@dataclass(frozen=True)
class LineRange:
    """Lines of one text that are shown, or folded, together."""

    first: int  # line, counted from 1
    last: int  # inclusive
    code: str  # as it is shown; "" where it is folded
    begins: tuple[int, ...]  # numbers of the passages that begin with its first line
    passage: int  # the passage that it is of, counted from 1; 0 where the two programs differ
    folded: bool

    @property
    def count(self) -> int:
        """How many lines it has."""
        return self.last - self.first + 1

    @property
    def numbers(self) -> str:
        """The lines' numbers, one a line."""
        return "\n".join(map(str, range(self.first, self.last + 1)))

    @property
    def colour(self) -> int:
        """The number of its colour, from 1; 0 for none."""
        return (self.passage - 1) % COLOURS + 1 if self.passage else 0


def lines_of(program: Program) -> tuple[Lines, ...]:
    """Return the lines of each of a program's texts, fit to be shown; a line end at the end begins no further line."""
    return tuple(_lines(text.source) for text in program.texts)


def _lines(source: str) -> Lines:
    parts = _LINE_END.split(source)
    return tuple(one_line(part) for part in (parts[:-1] if parts[-1] == "" else parts))


def shared_lines(spans: Sequence[Span]) -> int:
    """Count the lines in all these spans, each once."""
    return len({(span.text, number) for span in spans for number in range(span.first, span.last + 1)})


def split_lines(text: int, lines: Lines, spans: Sequence[Span]) -> list[LineRange]:
    """Part one text of a program into stretches, in order and without gaps.

    text : its position in the program; lines : its own; spans : of all passages, in the order of their numbers.
    Where passages overlap, a line is of the first of them.
    """
    passage = [0] * (len(lines) + 1)
    begins: dict[int, list[int]] = {}
    for number, span in enumerate(spans, 1):
        if span.text != text or span.first > len(lines):
            continue
        begins.setdefault(span.first, []).append(number)
        for at in range(span.first, min(span.last, len(lines)) + 1):
            passage[at] = passage[at] or number
    cuts = [at for at in range(1, len(lines) + 1) if at == 1 or at in begins or passage[at] != passage[at - 1]]
    found: list[LineRange] = []
    for first, after in zip(cuts, [*cuts[1:], len(lines) + 1], strict=True):
        started = tuple(begins.get(first, ()))
        found += _folded(lines, first, after - 1, started, passage[first])
    return found


def _folded(lines: Lines, first: int, last: int, begins: tuple[int, ...], passage: int) -> Iterator[LineRange]:
    """Return these lines as one stretch, or with a fold where they are many."""

    def visible(low: int, high: int, started: tuple[int, ...] = ()) -> LineRange:
        return LineRange(low, high, "\n".join(lines[low - 1 : high]), started, passage, folded=False)

    # At a text's very beginning and end there is no passage that these lines could stand around.
    head = LONG if passage else AROUND if first > 1 else 0
    tail = LONG if passage else AROUND if last < len(lines) else 0
    if last - first + 1 < head + tail + FEWEST:
        yield visible(first, last, begins)
        return
    if head:
        yield visible(first, first + head - 1, begins)
    yield LineRange(first + head, last - tail, "", (), passage, folded=True)
    if tail:
        yield visible(last - tail + 1, last)
