"""What can be read of a cell or file that Python refuses: whole statements and methods, never a part of one."""

from __future__ import annotations

import ast
import re
from collections import Counter
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from itertools import islice

from grader.submission import stubs
from grader.submission.binding import within
from grader.submission.blocks import Block, Reader
from grader.submission.fault import SubmissionError, failed
from grader.submission.stubs import Kind, Loss
from grader.submission.syntax import Complaint, complaint, explain, parse

# A student's file has some hundred statements, and a few mistakes; with more it is no longer worth the while.
_MOST_ATTEMPTS = 4_000
_MOST_COMPLAINTS = 100
_LONGEST_HEADER = 12  # lines of a class's header
_MOST_JOINED = 4
_WORD = re.compile(r"[^\W\d]\w*")
_METHOD = re.compile(r"[ \t]+(?:async[ \t]+)?def[ \t]+\w+[ \t]*\([ \t]*self\b")


@dataclass(frozen=True)
class Read:
    """A text as Python reads it."""

    source: str  # of as many lines as the student's; what could not be read raises an error
    body: list[ast.stmt]
    losses: tuple[Loss, ...] = ()
    refused: Mapping[str, SubmissionError] = field(
        default_factory=dict
    )  # names that a lost import may have bound, and what is wrong


class _HopelessError(Exception):
    """More is broken than anybody breaks by mistake."""


def read(source: str, label: str, written_for: str = "") -> Read:
    """Parse a cell or file, or what can be parsed of it; `written_for` is the version that a notebook names, or "".

    Raises
    ------
    SubmissionError
        Nothing of it can be read.
    """
    try:
        body = parse(source, label, written_for).body
        if stray := _outside_function(body):
            said = _error_at("'return' outside function", stray.lineno)
            raise explain(said, source, label, written_for) from said
        return Read(source, body)
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
    """The work on one text."""

    def __init__(self, source: str, label: str, written_for: str, error: SubmissionError) -> None:
        self._source, self._label, self._written_for = source, label, written_for
        self._whole = error.problem
        self._lines = source.split("\n")
        self._new = list(self._lines)
        self._reader = Reader(self._lines)
        self._attempts = self._complaints = 0
        self._losses: list[Loss] = []
        self._refused: dict[str, SubmissionError] = {}

    def read(self) -> Read | None:
        """Return what is left; None where that is nothing."""
        kept = self._read_statements()
        if not kept and not any(loss.line for loss in self._losses):
            return None
        text = "\n".join(self._new)
        try:
            body = ast.parse(text).body
        except (SyntaxError, ValueError, RecursionError, MemoryError):
            return None
        return Read(text, body, tuple(self._losses), self._refused)

    def _read_statements(self) -> int:
        """Go through what stands at the margin; return how much of it is kept."""
        units, kept, at = self._units(0, len(self._lines), ""), 0, 0
        while at < len(units):
            unit, taken = units[at], 1
            refusal = self._refusal(unit)
            if refusal:
                taken = self._joined(units, at, "")
                if taken or self._read_class(unit):
                    kept += 1
                else:
                    self._lose_statement(unit, refusal)
            else:
                kept += 1
            at += max(taken, 1)
        return kept

    def _read_class(self, unit: Block) -> bool:
        """Keep what can be read of a class; False where its header cannot, or where nothing is left that is worth it."""
        at, kind, name = stubs.definition(self._lines, unit.first, unit.end)
        body = self._body(unit, at) if kind == "class" and name else unit.end
        if body == unit.end:
            return False
        indents = Counter(self._indent(n) for n in range(body, unit.end) if _METHOD.match(self._lines[n]))
        indent = indents.most_common(1)[0][0] if indents else self._indent(body)
        units = self._units(body, unit.end, indent)
        losses: list[tuple[Block, Complaint]] = []
        has_method, number = False, 0
        while number < len(units):
            part, taken = units[number], 1
            refusal = self._refusal(part, indent)
            if refusal and not (taken := self._joined(units, number, indent)):
                losses.append((part, refusal))
            elif part.is_definition:
                method = stubs.definition(self._lines, part.first, part.end)[2]
                has_method = has_method or not method.startswith("__")
            number += max(taken, 1)
        names = {stubs.definition(self._lines, part.first, part.end)[2] for part, _ in losses if part.is_definition}
        if not losses or not has_method or "__init__" in names:
            return False
        for part, refusal in losses:
            self._lose_member(part, refusal, indent, name)
        return True

    def _body(self, unit: Block, at: int) -> int:
        """Return the first line of a class's body, before which stands a header that Python reads, or the unit's end."""
        wide = self._reader.widths
        deeper = (n for n in range(at + 1, unit.end) if wide[n] > wide[at])
        for number in islice(deeper, _LONGEST_HEADER):
            head = [*self._lines[unit.first : number], f"{self._indent(number)}pass"]
            with suppress(SyntaxError, ValueError, RecursionError, MemoryError):
                ast.parse("\n".join(head))
                return number
        return unit.end

    def _units(self, first: int, end: int, indent: str) -> list[Block]:
        """Return the blocks of a class or of the whole text, a stray line joined to the definition in which it stands."""
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
        """Whether a block is a piece of the definition before it, whose indentation was lost; `end` is the last's."""
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

    def _joined(self, units: list[Block], at: int, indent: str) -> int:
        """Return how many units are one after all, a text in quotes running over their borders; 0 where they are not."""
        if not self._reader.is_open_text(units[at].first, units[at].end):
            return 0
        for count in range(2, min(_MOST_JOINED, len(units) - at) + 1):
            if self._refusal(replace(units[at], end=units[at + count - 1].end), indent) is None:
                return count
        return 0

    def _refusal(self, unit: Block, indent: str = "") -> Complaint | None:
        """Return what is wrong with a unit read by itself, or inside a class where it is indented; None if nothing."""
        text = "\n".join(self._lines[unit.first : unit.end])
        if not indent:
            return self._parsed(text, unit.first)
        if unit.is_stray:
            margin = _columns(indent)
            strays = [n for n in range(unit.first, unit.end) if 0 <= self._reader.widths[n] < margin]
            said = _error_at("unindent does not match any outer indentation level", 1)
            return self._complaint(said, text, strays[0] if strays else unit.first)
        return self._parsed(f"class _:\n{indent}pass\n{text}", unit.first - 2, in_class=True)

    def _parsed(self, text: str, before: int, *, in_class: bool = False) -> Complaint | None:
        """Return what is wrong with a text that has so many lines before it."""
        self._attempts += 1
        if self._attempts > _MOST_ATTEMPTS:
            raise _HopelessError
        try:
            body = ast.parse(text).body
        except SyntaxError as error:
            return self._complaint(error, text, before)
        except (ValueError, RecursionError, MemoryError):
            said = "too deeply nested, or characters that no program has"
            return self._complaint(_error_at(said, 3 if in_class else 1), text, before)
        stray = _outside_function(body)
        return self._complaint(_error_at("'return' outside function", stray.lineno), text, before) if stray else None

    def _complaint(self, error: SyntaxError, text: str, before: int) -> Complaint:
        self._complaints += 1
        if self._complaints > _MOST_COMPLAINTS:
            raise _HopelessError
        return complaint(error, self._source, self._label, before + 1, self._written_for, text)

    def _lose_statement(self, unit: Block, refusal: Complaint) -> None:
        """Put what raises an error in the place of what stands at the margin."""
        if not unit.is_definition:
            self._lose_plain(unit, refusal)
            return
        at, kind, name = stubs.definition(self._lines, unit.first, unit.end)
        lost: Kind = "class" if kind == "class" else "function"
        place = self._whole.place
        if lost == "class" and place and unit.first < place.line <= unit.end:
            refusal = Complaint(place, self._whole.message, refusal.short)
        stub = stubs.of_definition(name, "", (at, unit.end), refusal, lost) if name else None
        self._replace(unit, stub)
        self._losses.append(Loss(lost, name, "", refusal, stub.first + 1 if stub else 0))

    def _lose_plain(self, unit: Block, refusal: Complaint) -> None:
        text = "\n".join(self._lines[unit.first : unit.end])
        if re.match(r"(?:import|from)\b", text):
            error = failed(refusal.message, refusal.place)
            words = [*_WORD.findall(text[:1000]), *(["np"] if "numpy" in text else [])]
            self._refused |= dict.fromkeys(words, error)
            stub = None
        else:
            stub = stubs.of_statement(text, (unit.first, unit.end), refusal)
        self._replace(unit, stub)
        self._losses.append(Loss("statement", "", "", refusal, stub.first + 1 if stub else 0))

    def _lose_member(self, unit: Block, refusal: Complaint, indent: str, owner: str) -> None:
        """Put a method that raises an error in the place of one that cannot be read; of other statements nothing."""
        at, kind, name = stubs.definition(self._lines, unit.first, unit.end)
        stub = None
        if unit.is_definition and name:
            lost: Kind = "method" if kind == "def" else "class"
            stub = stubs.of_definition(name, indent, (at, unit.end), refusal, lost)
            self._losses.append(Loss(lost, name, owner, refusal, stub.first + 1))
        else:
            self._losses.append(Loss("statement", "", owner, refusal))
        self._replace(unit, stub)

    def _replace(self, unit: Block, stub: stubs.Stub | None) -> None:
        for number in range(unit.first, unit.end):
            self._new[number] = stub.lines.get(number, "") if stub else ""

    def _indent(self, number: int) -> str:
        line = self._lines[number]
        return line[: len(line) - len(line.lstrip(" \t"))]


def _columns(indent: str) -> int:
    return len(indent.expandtabs(8))


def _error_at(said: str, line: int) -> SyntaxError:
    error = SyntaxError(said)
    error.lineno = line
    return error


def _outside_function(body: list[ast.stmt]) -> ast.stmt | None:
    """Return a `return` that stands in a class and in no method: its indentation was lost, and no class can be made."""
    functions = (ast.FunctionDef, ast.AsyncFunctionDef)
    classes = (node for node in body if isinstance(node, ast.ClassDef))
    inner = (part for node in classes for part in within(node, but_not=functions))
    return next((part for part in inner if isinstance(part, ast.Return)), None)
