"""What can be told of a student's values without running anything: what each is made of, and where it was made."""

from __future__ import annotations

import ast
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from grader.records import Segment
from grader.submission.definitions import Definitions, Function

# Marks of a value. X, y, reg and the four parameters are what it was made from; "exp" and "log" what was done to the
# scores; "dh" that it came back through W2; "test" that it compares hidden units; in train "loss", "gradient",
# "labels" what the student's own methods gave, "drawn" that chance had a part, "rate" and "decay" the learning rate's.
PARAMETERS = frozenset({"W1", "b1", "W2", "b2", "other"})
PENALTY = PARAMETERS | {"reg"}
Key = str | int
Names = dict[str, "Value"]
MOST_STEPS = 30_000  # nodes of the tree; a whole solution's loss takes some 600
_MOST_EVENTS = 2_000  # statements run; each is a bit of every value's trail
_MOST_PARTS = 32  # of a dict or tuple that are told apart


class Unsure(Exception):  # noqa: N818 -- it is no error: the code is too long or too deep to be sure of anything
    """The search has reached its limit."""


@dataclass(frozen=True, slots=True)
class Value:
    """What is known of one value.

    trail : the events that had a part in it, as bits
    last, main, penalty : the event that computed it last; the same with the regulariser's addition left aside; the
        event that added the regulariser; each -1 where there is none
    parts : what a dict, tuple or list holds; None for an array or a number
    keys : what a constant may be, so that it can be used as a key
    """

    marks: frozenset[str] = frozenset()
    trail: int = 0
    last: int = -1
    main: int = -1
    penalty: int = -1
    parts: Mapping[Any, Value] | None = None  # by key
    keys: tuple[Key, ...] = ()
    code: Function | None = None
    around: Names | None = None  # what that function sees of the function in which it stands


NOTHING = Value()


@dataclass(frozen=True, slots=True)
class Event:
    """A statement that is run; one in a loop or in a function may be run more than once."""

    segment: Segment
    line: int
    caller: int  # the event that called the function in which it stands; -1 in the method itself


@dataclass(frozen=True, slots=True)
class Guard:
    """A loop, or an if that is open while a statement is run."""

    event: int
    is_loop: bool
    test: Value = NOTHING


@dataclass(frozen=True, slots=True)
class Note:
    """Something that a statement does and that a role may be read from."""

    kind: str
    event: int
    of: tuple[Value, ...] = ()  # the values it does it to
    key: Key | None = None
    guards: tuple[Guard, ...] = ()


@dataclass
class Walk:
    """One walk through a method: what was seen so far, and how much may still be looked at."""

    known: Definitions
    method: str
    names: Mapping[str, str]  # of the parameters, to what they are called here: W1, b1, W2, b2
    call: Callable[[Walk, Names, ast.Call], Value]  # follows a call
    run: Callable[[Walk, Function, Sequence[Value], Names], Value]  # follows what is called
    steps: int = field(default_factory=lambda: MOST_STEPS)  # that are left
    depth: int = 150  # of nested blocks, expressions and calls together; each costs Python some three frames
    calls: int = 3  # how deep calls are followed
    events: list[Event] = field(default_factory=list)
    notes: list[Note] = field(default_factory=list)
    guards: list[Guard] = field(default_factory=list)
    attributes: dict[str, Value] = field(default_factory=dict)  # of self
    returned: list[tuple[int, Value]] = field(default_factory=list)  # by the method itself
    now: int = -1  # the event under way
    caller: int = -1  # the event whose call is followed

    def begin(self, segment: Segment, line: int) -> None:
        """Start an event: a statement, or a part of one that stands on its own line."""
        if len(self.events) >= _MOST_EVENTS:
            raise Unsure
        self.now = len(self.events)
        self.events.append(Event(segment, line, self.caller))

    def spend(self) -> None:
        """Count a node."""
        self.steps -= 1
        if self.steps < 0:
            raise Unsure

    def note(self, kind: str, *of: Value, key: Key | None = None) -> None:
        """Write down what the statement under way does."""
        self.notes.append(Note(kind, self.now, of, key, tuple(self.guards)))


def made(walk: Walk, *operands: Value) -> Value:
    """Give what the statement under way computes from some values."""
    marks, trail, penalty = frozenset[str](), 1 << walk.now, -1
    for operand in operands:
        marks |= operand.marks
        trail |= operand.trail
        penalty = max(penalty, operand.penalty)
    # What is made of sizes and constants only, such as zeros to be filled, is computed nowhere.
    return Value(marks, trail, walk.now, walk.now, penalty) if marks else NOTHING


def joined(walk: Walk, first: Value, second: Value, levels: int = 2) -> Value:
    """Give what a value is after an if, one branch of which gave the first and one the second."""
    if first is second:
        return first
    walk.spend()
    parts = second.parts or first.parts
    if levels and first.parts and second.parts:
        parts = {**first.parts, **second.parts}
        for key in first.parts.keys() & second.parts.keys():
            parts[key] = joined(walk, first.parts[key], second.parts[key], levels - 1)
    return Value(
        first.marks | second.marks,
        first.trail | second.trail,
        max(first.last, second.last),
        max(first.main, second.main),
        max(first.penalty, second.penalty),
        parts,
        tuple(dict.fromkeys(first.keys + second.keys))[:_MOST_PARTS],
        second.code or first.code,
        second.around if second.code else first.around,
    )


def holding(walk: Walk, parts: Mapping[Any, Value]) -> Value:
    """Give a dict, tuple or list of some values; of a very long one it is not told what stands where."""
    return Value(parts=parts) if len(parts) <= _MOST_PARTS else made(walk, *parts.values())


def whole(walk: Walk, value: Value) -> Value:
    """Give a dict, tuple or list as one value, made of all that it holds."""
    if value.parts is None:
        return value
    # All the parameters together are parameters, but no longer the dict that an update goes to.
    result = Value(value.marks - {"params"}, value.trail, value.last, value.main, value.penalty)
    for part in value.parts.values():
        result = joined(walk, result, part, 0)
    return Value(result.marks, result.trail, result.last, result.main, result.penalty)


def changed(walk: Walk, holder: Value, keys: tuple[Key, ...], given: Value) -> Value:
    """Give a dict, list or array after something was put into it."""
    if holder.parts is not None and keys:
        parts = dict(holder.parts)
        for key in keys:
            # One of several keys: the others keep what they had.
            parts[key] = given if len(keys) == 1 or key not in parts else joined(walk, parts[key], given)
        return Value(holder.marks, holder.trail, parts=parts)
    return made(walk, whole(walk, holder), whole(walk, given))
