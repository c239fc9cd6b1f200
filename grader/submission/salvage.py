"""Salvage what can be read of a cell or file that Python refuses: complete statements and methods only."""

import ast
import re
from collections import Counter
from collections.abc import Mapping
from contextlib import suppress
from itertools import islice
from typing import Literal

from grader.records import dataclass, field, replace
from grader.submission.blocks import Block, BlockReader, indent_of, usable_name
from grader.submission.errors import SubmissionError
from grader.submission.syntax import Complaint, explain_syntax_error, parse, parse_strictly, syntax_error_at

# A student's file has some hundred statements, and a few mistakes; with more it is no longer worth the while.
_MOST_ATTEMPTS = 4_000
_MOST_COMPLAINTS = 100
_LONGEST_HEADER = 12  # lines of a class's header
_MOST_JOINED = 4
# Where a cell begins in a .py file of VS Code, Spyder, PyCharm, jupytext, nbconvert and Databricks.
CELL_MARK = re.compile(r"#[ \t]*(?:%%(?:[ \t]|$)|In[ \t]*\[[ \d]*\]|<codecell>|\+(?:[ \t]|$)|COMMAND -{5})")
_WORD = re.compile(r"[^\W\d]\w*")
_METHOD = re.compile(r"[ \t]+(?:async[ \t]+)?def[ \t]+\w+[ \t]*\([ \t]*self\b")
_ASSIGNED = re.compile(r"^([^\W\d]\w*)[ \t]*(?::[^=\n]*)?=[^=]|^[ \t]*(?:def|class)[ \t]+([^\W\d]\w*)", re.MULTILINE)
_MOST_NAMES = 40
Kind = Literal["method", "function", "class", "statement"]


@dataclass(frozen=True)
class LostPart:
    """A part that cannot be read."""

    kind: Kind
    name: str  # "" of a statement, and where it cannot be told
    owner: str  # the class in which a method stands
    complaint: Complaint
    line: int = 0  # where its stub begins, counted from 1; 0 where nothing takes its place


def _definition_that_raises(block: Block, indent: str, complaint: Complaint, kind: Kind) -> dict[int, str]:
    """Return the lines of a function that raises the complaint, by line index."""
    wants = "self, *args, **kwargs" if kind == "method" else "*args, **kwargs"
    head = f"{indent}def {block.name}({wants}):"
    error = f"raise {_error(complaint, kind)}"
    below = min(complaint.place.line, block.end) - 1
    return {block.at: f"{head} {error}"} if below <= block.at else {block.at: head, below: f"{indent}    {error}"}


def _assignment_that_raises(block: Block, text: str, complaint: Complaint) -> dict[int, str]:
    """Return an assignment to the same names that raises when it is run; nothing where there are no names."""
    names = dict.fromkeys(usable_name(found[1] or found[2]) for found in _ASSIGNED.finditer(text))
    given = [name for name in names if name][:_MOST_NAMES]
    at = min(max(complaint.place.line - 1, block.first), block.end - 1)
    # An expression that raises: nothing but an assignment is both run and skipped alone where it fails.
    raises = f"(_ for _ in ()).throw({_error(complaint, 'statement')})"
    return {at: " = ".join([*given, raises])} if given else {}


def _error(complaint: Complaint, kind: Kind) -> str:
    text = complaint.place.text.strip()
    where = f"line {complaint.place.line}: `{text}`" if text else f"line {complaint.place.line}"
    return f"SyntaxError({f'this {kind} cannot be read: {complaint.short} ({where})'!r})"


@dataclass(frozen=True)
class ParsedText:
    """A parsed text."""

    source: str  # of as many lines as the student's; what could not be read raises an error
    body: list[ast.stmt]
    lost_parts: tuple[LostPart, ...] = ()
    refused: Mapping[str, SubmissionError] = field(default_factory=dict)  # names that a lost import may have bound


class _HopelessError(Exception):
    """Too much is broken for a mistake."""


def parse_or_salvage(source: str, label: str, written_for: str = "") -> ParsedText:
    """Return a parsed cell or file, or the part that can be parsed; raise SubmissionError if there is none."""
    try:
        return ParsedText(source, parse(source, label, written_for))
    except SubmissionError as error:
        if not isinstance(error.__cause__, SyntaxError):
            raise
        try:
            salvaged = _Salvage(source, label, written_for, error).read()
        except _HopelessError:
            salvaged = None
        if salvaged is None:
            raise
        return salvaged


class _Salvage:
    """The salvaging of one text."""

    def __init__(self, source: str, label: str, written_for: str, error: SubmissionError) -> None:
        self._source, self._label, self._written_for = source, label, written_for
        self._whole = error.problem
        self._lines = source.split("\n")
        self._new = list(self._lines)
        self._reader = BlockReader(self._lines)
        self._attempts = self._complaints = 0
        self._lost_parts: list[LostPart] = []
        self._refused: dict[str, SubmissionError] = {}

    def read(self) -> ParsedText | None:
        """Return what can be read; None if nothing can."""
        # An open bracket or text costs the cell that it stands in.
        starts = [0, *(number for number, line in enumerate(self._lines) if number and CELL_MARK.match(line))]
        borders = zip(starts, [*starts[1:], len(self._lines)], strict=True)
        kept, lost = self._sorted([unit for first, end in borders for unit in self._units(first, end, "")], "")
        for unit, refusal in lost:
            if self._read_class(unit):
                kept.append(unit)
            else:
                self._lose(unit, refusal)
        if not kept and not any(part.line for part in self._lost_parts):
            return None
        text = "\n".join(self._new)
        try:
            body = ast.parse(text).body
        except (SyntaxError, ValueError, RecursionError, MemoryError):
            return None
        return ParsedText(text, body, tuple(self._lost_parts), self._refused)

    def _sorted(self, units: list[Block], indent: str) -> tuple[list[Block], list[tuple[Block, Complaint]]]:
        """Return the units that Python can read, and those that it refuses with what is wrong."""
        kept: list[Block] = []
        lost: list[tuple[Block, Complaint]] = []
        at = 0
        while at < len(units):
            refusal = self._refusal(units[at], indent)
            taken = 1 if refusal is None else self._count_joined(units, at, indent)
            if refusal and not taken:
                lost.append((units[at], refusal))
            else:
                kept.append(units[at])
            at += taken or 1
        return kept, lost

    def _read_class(self, unit: Block) -> bool:
        """Keep what can be read of a class; return False where its header cannot be read or too little is left."""
        body = self._body(unit) if unit.kind == "class" and unit.name else unit.end
        if body == unit.end:
            return False
        indents = Counter(indent_of(line) for line in self._lines[body : unit.end] if _METHOD.match(line))
        indent = indents.most_common(1)[0][0] if indents else indent_of(self._lines[body])
        kept, lost = self._sorted(self._units(body, unit.end, indent), indent)
        has_method = any(part.is_definition and not part.name.startswith("__") for part in kept)
        if not lost or not has_method or any(part.is_definition and part.name == "__init__" for part, _ in lost):
            return False
        for part, refusal in lost:
            self._lose(part, refusal, indent, unit.name)
        return True

    def _body(self, unit: Block) -> int:
        """Return the first line of a class's body, below a header that Python reads, or the unit's end."""
        wide = self._reader.widths
        deeper = (n for n in range(unit.at + 1, unit.end) if wide[n] > wide[unit.at])
        for number in islice(deeper, _LONGEST_HEADER):
            head = [*self._lines[unit.first : number], f"{indent_of(self._lines[number])}pass"]
            with suppress(SyntaxError, ValueError, RecursionError, MemoryError):
                ast.parse("\n".join(head))
                return number
        return unit.end

    def _units(self, first: int, end: int, indent: str) -> list[Block]:
        """Return the blocks of a class or of the whole text, a stray line joined to the definition around it."""
        units: list[Block] = []
        around = -1  # the last definition
        for block in self._reader.blocks(first, end, _columns(indent)):
            is_next = around == len(units) - 1
            if block.is_definition:
                around = len(units)
            elif around >= 0 and self._belongs(block, units[around], indent, end, is_next=is_next):
                is_stray = any(unit.is_stray for unit in (*units[around:], block))
                units[around:] = [replace(units[around], end=block.end, is_stray=is_stray)]
                continue
            units.append(block)
        return units

    def _belongs(self, block: Block, around: Block, indent: str, end: int, *, is_next: bool) -> bool:
        """Return whether a block is a piece of the definition before it, whose indentation was lost; `end` is the last's."""
        widths, margin = self._reader.widths, _columns(indent)
        has_method = any(_METHOD.match(line) for line in self._lines[block.first : block.end])
        if margin and block.is_stray:
            return not (block.is_spaced and block.end == end) or has_method
        if is_next and (block.is_piece or not block.is_spaced):
            has_body = any(wide > margin for wide in widths[around.first + 1 : around.end])
            if margin or block.is_piece or not has_body:
                return margin > 0 or block.is_piece or self._refusal(around) is not None
        elif margin:
            return False
        goes_deeper = any(wide > 0 for wide in widths[block.first : block.end])
        return goes_deeper and (has_method or (is_next and not block.is_spaced)) and self._refusal(block) is not None

    def _count_joined(self, units: list[Block], at: int, indent: str) -> int:
        """Return how many units belong together because a text in quotes runs over their borders, or 0."""
        if not self._reader.is_open_text(units[at].first, units[at].end):
            return 0
        for count in range(2, min(_MOST_JOINED, len(units) - at) + 1):
            if self._refusal(replace(units[at], end=units[at + count - 1].end), indent) is None:
                return count
        return 0

    def _refusal(self, unit: Block, indent: str = "") -> Complaint | None:
        """Return what is wrong with a unit, read by itself or inside a class; None if nothing."""
        text, before = "\n".join(self._lines[unit.first : unit.end]), unit.first
        if indent and unit.is_stray:
            margin = _columns(indent)
            strays = [n for n in range(unit.first, unit.end) if 0 <= self._reader.widths[n] < margin]
            said = syntax_error_at("unindent does not match any outer indentation level", 1)
            return self._complaint(said, text, strays[0] if strays else unit.first)
        if indent:
            text, before = f"class _:\n{indent}pass\n{text}", before - 2
        self._attempts += 1
        if self._attempts > _MOST_ATTEMPTS:
            raise _HopelessError
        try:
            parse_strictly(text)
        except SyntaxError as error:
            return self._complaint(error, text, before)
        except (ValueError, RecursionError, MemoryError):
            said = syntax_error_at("too deeply nested, or characters that no program has", unit.first - before + 1)
            return self._complaint(said, text, before)
        return None

    def _complaint(self, error: SyntaxError, text: str, before: int) -> Complaint:
        self._complaints += 1
        if self._complaints > _MOST_COMPLAINTS:
            raise _HopelessError
        return explain_syntax_error(error, self._source, self._label, self._written_for, before + 1, text)

    def _lose(self, unit: Block, refusal: Complaint, indent: str = "", owner: str = "") -> None:
        """Replace a unit that defines a name by code that raises an error, at the margin or in a class."""
        kind: Kind = "statement"
        name, stub = "", dict[int, str]()
        if unit.is_definition:
            kind = "class" if unit.kind == "class" else "method" if owner else "function"
            name, place = unit.name, self._whole.place
            if kind == "class" and not owner and place and unit.first < place.line <= unit.end:
                refusal = Complaint(place, self._whole.message, refusal.short)
            stub = _definition_that_raises(unit, indent, refusal, kind) if name else {}
        elif not owner:
            text = "\n".join(self._lines[unit.first : unit.end])
            if re.match(r"(?:import|from)\b", text):
                words = [*_WORD.findall(text[:1000]), *(["np"] if "numpy" in text else [])]
                self._refused |= dict.fromkeys(words, SubmissionError(refusal.problem))
            else:
                stub = _assignment_that_raises(unit, text, refusal)
        for number in range(unit.first, unit.end):
            self._new[number] = stub.get(number, "")
        self._lost_parts.append(LostPart(kind, name, owner, refusal, min(stub) + 1 if stub else 0))


def _columns(indent: str) -> int:
    return len(indent.expandtabs(8))
