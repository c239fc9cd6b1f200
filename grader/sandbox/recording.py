"""Record what the student's lines do: after each line that has run, the values that it changed are noted.

It serves for words and lines, never for points: it lives in the student's process, and a program could forge it.
"""

import dis
import sys
import types
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]

# The caps: a program of scalar loops in three levels runs some thousand lines, each of which changes one number.
MOST_LINES = 30_000  # line events; past them the program is stopped, since it may never end
MOST_EVENTS = 3_000
MOST_BYTES = 1_000_000
MOST_VERSIONS = 60  # of one name in one line; of those after it the last is kept
MOST_LOOKS = 200  # at one line; what it changes after them is noted where another line follows
MOST_SIZE = 4_000  # entries of one array
# Different names and labels: four recordings travel in one reply, which holds 10,000 values and 100,000 characters.
MOST_TEXTS, MOST_CHARACTERS = 2_000, 20_000
MOST_INSIDE = 40  # things in one container
DEEPEST = 3  # containers in one another
MOST_AXES = 4
ARGUMENT, VARIABLE, RETURNED = 0, 1, 2
# Instructions that read or set a local name; newer Pythons have some for two names at once, four bits each.
_ONE_NAME = frozenset(
    code for code, name in enumerate(dis.opname) if name.count("FAST") == 1 or "DEREF" in name or "CLOSURE" in name
)
_TWO_NAMES = frozenset(code for code, name in enumerate(dis.opname) if name.count("FAST") == 2)
KINDS = "fibc"  # of numbers: a value's kind is its place in this text

_Array, _Scalar = np.ndarray, np.generic  # the student's code may replace numpy's own names for them
_mro, _members = type.__dict__["__mro__"].__get__, type.__dict__["__dict__"].__get__  # whatever a metaclass says
_NUMBERS = frozenset({float, int, bool})
_PLAIN = frozenset({*_NUMBERS, _Array, dict, list, tuple, np.float64})
_CODE = frozenset({types.ModuleType, types.FunctionType, types.MethodType, type, types.BuiltinFunctionType})


class StoppedError(BaseException):
    """The program has run more lines than are recorded; no `except Exception` of its own holds this up."""


class _Frame:
    """One call of one of the student's functions."""

    __slots__ = ("label", "line", "names", "seen", "serial", "unseen", "writers")

    def __init__(self, serial: int, label: str, names: Mapping[int, tuple[str, ...]]) -> None:
        self.serial, self.label = serial, label
        self.names = names  # by the line that names them
        self.line = 0  # 0: no line of it has run
        self.seen: dict[str, tuple[Any, Any]] = {}
        self.writers: dict[str, int] = {}  # the line that changed a name last
        self.unseen: set[int] = set()  # lines that have run since the last look


class Recording:
    """One run of one method. labels : the names under which the student's text was compiled."""

    def __init__(self, labels: frozenset[str]) -> None:
        self._labels = labels
        self._frames: dict[int, _Frame] = {}  # by the identity of the frame, which lives as long as it is here
        self._callers: list[
            tuple[int, int, int, int]
        ] = []  # of each frame: the frame that called it, with label and line
        self._events: list[tuple[int, ...]] = []
        self._last: dict[tuple[int, int, int], tuple[int, ...]] = {}  # by label, line and name
        self._versions: dict[tuple[int, int, int], int] = {}
        self._values: dict[tuple[bytes, tuple[int, ...], str], int] = {}
        self._texts: dict[str, int] = {}
        self._ran: dict[tuple[str, int], int] = {}
        self._paths: dict[tuple[str, Any], str] = {}
        self._lines = 0
        self._noted = 0
        self._bytes = 0
        self._characters = 0
        self._crowded = False  # there are more names than travel
        self._stopped = ("", 0)
        self._raised: BaseException | None = None
        self._whole = True

    @contextmanager
    def recording(self) -> Iterator[None]:
        """Record what runs in this block."""
        tracer = self._trace
        sys.settrace(tracer)
        try:
            yield
        finally:
            # A program that sets a tracer of its own, or none, has gone on unseen.
            self._whole = self._lines > MOST_LINES or sys.gettrace() == tracer
            sys.settrace(None)

    def notes(self) -> dict[str, Any]:
        """Return all that was noted, as plain arrays.

        "texts": labels of cells and files, and names, by number. "data": (n,) float64, all different values one after
        another; "values" (v, 5): the kind and up to four sizes of each, -1 where there are fewer. "events" (e, 6): label,
        line, number of the call, name, value, and what it is. "calls" (c, 4): of each call of a function the call that
        made it, the label and line in it, and the function's name. "ran" (r, 3): label, line and how often it ran.
        "stopped": (label, line) that ran last where an exception came through, else ("", 0). "whole": False where
        something went on unseen.
        """
        arrays = [np.frombuffer(data, dtype=np.float64) for data, _, _ in self._values]
        described = [(KINDS.index(kind), *shape, *[-1] * (MOST_AXES - len(shape))) for _, shape, kind in self._values]
        events = sorted([*self._events, *self._last.values()])
        ran = [(self._number(label), line, times) for (label, line), times in self._ran.items()]
        return {
            "texts": list(self._texts),
            "data": np.concatenate(arrays) if arrays else np.zeros(0),
            "values": np.array(described, dtype=np.int64).reshape(-1, 1 + MOST_AXES),
            "events": np.array([event[1:] for event in events], dtype=np.int64).reshape(-1, 6),
            "calls": np.array(self._callers, dtype=np.int64).reshape(-1, 4),
            "ran": np.array(ran, dtype=np.int64).reshape(-1, 3),
            "stopped": self._stopped,
            "whole": self._whole and not self._crowded,
        }

    # ---------------------------------------------------------------- the tracer

    def _trace(self, frame: types.FrameType, _what: str, _argument: Any) -> Callable[..., Any] | None:
        """Answer for every call of a Python function: those outside of the student's text go on untraced."""
        code = frame.f_code
        if code.co_filename not in self._labels:
            return None
        self._callers.append((*self._caller(frame), self._number(code.co_name)))
        mine = self._frames[id(frame)] = _Frame(len(self._callers) - 1, code.co_filename, _names_of(code))
        have = frame.f_locals
        for name in code.co_varnames[: code.co_argcount + code.co_kwonlyargcount]:
            # An object, such as self, is looked into where a line names it.
            if type(have.get(name)) in _PLAIN:
                self._look(mine, frame.f_lineno, name, have[name], ARGUMENT)
        return self._step

    def _caller(self, frame: types.FrameType) -> tuple[int, int, int]:
        outer = frame.f_back
        while outer is not None:
            known = self._frames.get(id(outer))
            if known is not None:
                return known.serial, self._number(known.label), outer.f_lineno
            outer = outer.f_back
        return -1, -1, 0

    def _step(self, frame: types.FrameType, what: str, argument: Any) -> Callable[..., Any] | None:
        mine = self._frames.get(id(frame))
        if mine is None:
            return None
        if mine.line:
            self._look_after_line(frame, mine)
        if what == "line":
            self._lines += 1
            mine.line = frame.f_lineno
            place = mine.label, mine.line
            self._ran[place] = self._ran.get(place, 0) + 1
            if self._lines > MOST_LINES:
                self._stopped = place
                raise StoppedError
        elif what == "return":
            self._look(mine, mine.line, "return", argument, RETURNED)
            del self._frames[id(frame)]
        elif what == "exception" and argument[1] is not self._raised:
            # The same exception comes through every caller; the innermost line tells.
            self._raised, self._stopped = argument[1], (mine.label, frame.f_lineno)
        return self._step

    def _look_after_line(self, frame: types.FrameType, mine: _Frame) -> None:
        """Note what has changed among the names of the line that has run: all names would take five times as long.

        What a line changes under another name is the same value, and is noted under the name that the line has for it.
        """
        if self._ran[mine.label, mine.line] > MOST_LOOKS:
            mine.unseen.add(mine.line)
            return
        names = mine.names.get(mine.line, ())
        if mine.unseen:
            others = (name for line in sorted(mine.unseen) for name in mine.names.get(line, ()))
            names = tuple(dict.fromkeys((*names, *others)))
        have = frame.f_locals
        for name in names:
            if name in have:
                self._look(mine, mine.line, name, have[name], VARIABLE)
        mine.unseen.clear()

    def _look(self, mine: _Frame, line: int, name: str, value: Any, kind: int, depth: int = 0) -> None:
        """Note the numbers and arrays in a value, each under what the student would write for it."""
        of = type(value)
        if self._crowded or (of is _Array and value.size > MOST_SIZE):  # a broadcast array has any size, and no room
            return
        if of is _Array:
            content = value.tobytes()
            before = mine.seen.get(name)
            if before is None or before[0] != content or before[1] != value.shape:
                self._note(mine, line, name, value, (content, value.shape), kind)
        elif of in _NUMBERS:
            before = mine.seen.get(name)
            if before is None or before[0] != value or before[1] is not of:
                self._note(mine, line, name, value, (value, of), kind)
        elif value is None or of is str or of in _CODE:
            return
        elif issubclass(of, _Array | _Scalar):  # isinstance would ask the value for its __class__
            self._look(mine, line, name, np.asarray(value), kind, depth)
        elif depth < DEEPEST and name[0] != "." and name[:2] != "__":
            for path, part in self._parts(name, value):
                self._look(mine, line, path, part, kind, depth + 1)

    def _parts(self, name: str, value: Any) -> list[tuple[str, Any]]:
        """Return what a container or an object of the student's own holds, without asking any method of its class."""
        kind, path = type(value), self._path
        if issubclass(kind, dict):
            items = list(dict.items(value)) if dict.__len__(value) <= MOST_INSIDE else []
            return [(path(name, key, "[{!r}]"), part) for key, part in items if type(key) is str or type(key) is int]
        if kind is list or kind is tuple:
            if len(value) > 1 and {*map(type, value)} == {int} and max(map(abs, value)) < 1 << 60:  # numbers of rows
                return [(name, np.array(value))]
            return [(path(name, key, "[{!r}]"), part) for key, part in enumerate(value[:MOST_INSIDE])]
        inside = next((_members(base)["__dict__"] for base in _mro(kind) if "__dict__" in _members(base)), None)
        own = inside.__get__(value) if type(inside) is types.GetSetDescriptorType else None
        items = list(own.items()) if type(own) is dict and len(own) <= MOST_INSIDE else []
        return [(path(name, key, ".{}"), part) for key, part in items if type(key) is str]

    def _path(self, name: str, key: Any, form: str) -> str:
        path = self._paths.get((name, key))
        if path is None:
            path = self._paths[name, key] = (name + form.format(key))[:120]
        return path

    # ---------------------------------------------------------------- what is kept

    def _note(self, mine: _Frame, line: int, name: str, value: Any, seen: tuple[Any, Any], kind: int) -> None:
        mine.seen[name] = seen
        plain = np.asarray(value)
        letter = plain.dtype.kind.replace("u", "i")
        if plain.size > MOST_SIZE or plain.ndim > MOST_AXES or letter not in KINDS:
            return
        writer = mine.writers.get(name)
        line = mine.writers[name] = writer if writer in mine.unseen else line
        number = self._value(plain, letter, seen[0])
        label, text = self._number(mine.label), self._number(name)
        site = label, line, text
        times = self._versions[site] = self._versions.get(site, 0) + 1
        self._noted += 1
        event = self._noted, label, line, mine.serial, text, number, kind
        if times <= MOST_VERSIONS and len(self._events) < MOST_EVENTS:
            self._events.append(event)
        else:
            self._last[site] = event
            self._crowded = self._crowded or len(self._last) > MOST_EVENTS

    def _value(self, value: Array, letter: str, content: Any) -> int:
        """Return the number of a value, the same for the same value."""
        if value.dtype != np.float64 or type(content) is not bytes:
            plain = value.real if letter == "c" else value
            content = np.array(plain, dtype=np.float64, order="C").tobytes()
        key = content, value.shape, letter
        number = self._values.get(key)
        if number is None:
            self._bytes += len(key[0])
            if self._bytes > MOST_BYTES:
                key = b"", (0,), letter  # no room: something was made, and nobody knows what
                return self._values.setdefault(key, len(self._values))
            number = self._values[key] = len(self._values)
        return number

    def _number(self, text: str) -> int:
        number = self._texts.get(text)
        if number is None:
            self._characters += len(text)
            self._crowded = self._crowded or len(self._texts) >= MOST_TEXTS or self._characters > MOST_CHARACTERS
            number = self._texts[text] = len(self._texts)
        return number


# By identity, with the code itself, which so stays what it is: a code's hash goes through all of its constants. A program's
# functions are the same in each of its recordings.
_KNOWN: dict[int, tuple[types.CodeType, Mapping[int, tuple[str, ...]]]] = {}


def _names_of(code: types.CodeType) -> Mapping[int, tuple[str, ...]]:
    known = _KNOWN.get(id(code))
    if known is None:
        known = _KNOWN[id(code)] = code, _names_by_line(code)
    return known[1]


def _names_by_line(code: types.CodeType) -> dict[int, tuple[str, ...]]:
    """Return the local names that each line of a function reads or sets, in order, read off its instructions.

    From the syntax tree it would take a millisecond; these are some thirty microseconds.
    """
    # Not sets: their order differs from process to process, and with it would the report.
    names: dict[int, dict[str, None]] = {}
    content = code.co_code  # made anew each time it is asked for
    local = (*code.co_varnames, *(name for name in code.co_cellvars if name not in code.co_varnames), *code.co_freevars)
    for start, end, line in code.co_lines():
        if line is None:
            continue
        here = names.setdefault(line, {})
        for place in range(start, end, 2):
            operation, argument = content[place], content[place + 1]
            if operation in _ONE_NAME and argument < len(local):
                here[local[argument]] = None
            elif operation in _TWO_NAMES:
                here |= dict.fromkeys(local[one] for one in (argument >> 4, argument & 15) if one < len(local))
    return {line: tuple(found) for line, found in names.items()}
