"""What was recorded of one method, as values that were made one from another."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from grader.compare import as_array
from grader.locate.source_statements import Statements
from grader.model import Array, Floats
from grader.records import dataclass, field
from grader.sandbox.recording import MOST_BYTES, MOST_EVENTS, MOST_LINES, MOST_TEXTS

ARGUMENT, VARIABLE, RETURNED = 0, 1, 2
KINDS = "fibc"
Spot = tuple[str, int]  # label of a cell or file, and line


@dataclass(frozen=True)
class Holder:
    """A name that held a value, from when on, and where it was set."""

    name: str
    spot: Spot
    when: int
    how: int  # ARGUMENT, VARIABLE or RETURNED
    call: int


@dataclass(eq=False)
class Made:
    """One value, where it was first made. It grows while a recording is read."""

    number: int
    spot: Spot  # the first line of the statement
    call: int  # number of the call of the function
    name: str
    value: Floats
    kind: str  # "f" float, "i" whole number, "b" truth, "c" complex
    given: bool  # as an argument, or by a line that made nothing of it
    born: int = 0  # when, in the order of the recording
    holders: list[Holder] = field(default_factory=list)  # all that held it
    uses: set[int] = field(default_factory=set)  # what the statement reads, by number
    users: list[int] = field(default_factory=list)

    @property
    def entry(self) -> float:
        """The number that it is; NaN, which equals nothing, of more than one."""
        return float(self.value.item()) if self.value.size == 1 else math.nan


@dataclass(frozen=True, eq=False)
class Recorded:
    """One method's recording."""

    made: tuple[Made, ...]
    calls: tuple[tuple[int, Spot, str], ...]  # of each call: the call that made it, from where, and the function's name
    ran: Mapping[Spot, int]  # how often each line ran
    answer: Any
    error: str  # the exception's type
    stopped: Spot | None  # where it was raised
    returns: tuple[tuple[int, Spot], ...]  # the calls that ended, each with its last line
    notes: Mapping[str, Any]  # of the stand-ins
    method: str
    pending: frozenset[int]  # what was made in calls by a line that did not come to its end

    def callers(self, call: int) -> list[Spot]:
        """Return from where a call was made, and from where that one was, and so on outwards."""
        found: list[Spot] = []
        while 0 <= call < len(self.calls) and len(found) < DEEPEST:
            call, spot, _ = self.calls[call]
            if call >= 0:
                found.append(spot)
        return found

    def caller(self, call: int) -> Spot | None:
        """Return from where a call was made; None where that is not known."""
        return next(iter(self.callers(call)), None)

    def is_method(self, call: int) -> bool:
        """Return whether a call is of the recorded method itself, under whatever name it was written."""
        named = {number for number, (_, _, name) in enumerate(self.calls) if name == self.method}
        return call in named if named else 0 <= call < len(self.calls) and self.calls[call][0] < 0

    def end(self) -> Spot | None:
        """Return the line with which the method returned; None where it did not."""
        ends = [spot for call, spot in self.returns if self.is_method(call)]
        return ends[-1] if ends else None

    def shared_caller(self) -> Spot | None:
        """Return from where a function was called that stopped with an exception, though its line had gone well before."""
        if self.stopped is None or not self.error or self.ran.get(self.stopped, 0) < 2:
            return None
        call = len(self.calls) - 1
        return None if self.is_method(call) else self.caller(call)

    def function(self, call: int) -> str:
        """Return the name of the function that was called."""
        return self.calls[call][2] if 0 <= call < len(self.calls) else ""


def read(result: Any, statements: Statements, method: str) -> Recorded | None:
    """Return what a reply holds of one recorded method; None where it is no recording, or one with gaps."""
    parts = take_apart(result)
    try:
        return _Reader(*parts, statements).read(result, method) if parts else None
    except (IndexError, ValueError, OverflowError):  # numbers that point to nothing
        return None


def take_apart(result: Any) -> tuple[list[str], dict[str, Array], Floats] | None:
    """Return the texts of a recording, its tables by name, and its numbers (n,); None of what is none, or has gaps.

    It comes from the student's process: whatever does not fit is refused.
    """
    if not isinstance(result, dict) or result.get("whole") is not True:
        return None
    texts, data = result.get("texts"), as_array(result.get("data"))
    tables = {name: table for name, width in _WIDTHS.items() if (table := _table(result.get(name), width)) is not None}
    if not isinstance(texts, list) or data is None or data.ndim != 1 or len(tables) < len(_WIDTHS):
        return None
    if len(texts) > MOST_TEXTS + 500 or data.nbytes > MOST_BYTES:
        return None
    return [str(text) for text in texts], tables, data.astype(np.float64)


_WIDTHS = {"values": 5, "events": 6, "calls": 4, "ran": 3}
# A recording holds no more events; what does was forged, and would take long.
MOST_ROWS = 2 * MOST_EVENTS + 10
MOST_CALLS = MOST_LINES + 10  # of functions, and of lines that ran
MOST_USES = 400  # of what one value was made of
DEEPEST = 50  # calls within one another


def _table(value: Any, width: int) -> Array | None:
    array = as_array(value)
    if array is None or array.ndim != 2 or array.shape[1] != width or array.dtype.kind not in "iu":
        return None
    return array if len(array) <= (MOST_ROWS if width > 4 else MOST_CALLS) else None


class _Reader:
    """Puts one recording together; what it reads is in the student's hands."""

    def __init__(self, texts: Sequence[str], tables: Mapping[str, Any], data: Floats, statements: Statements) -> None:
        self.texts, self.tables, self.data, self.statements = texts, tables, data, statements
        self.made: list[Made] = []
        self.by_value: dict[int, Made] = {}
        self.held: dict[int, dict[str, int]] = {}  # by call: what each name holds
        self.bases: dict[str, str] = {}  # of a name such as grads['W1'], what is before the bracket
        self.time = 0
        self.inner: dict[int, set[int]] = {}  # by call: what was made in the calls that it made since its last own line

    def read(self, result: Mapping[str, Any], method: str) -> Recorded:
        values, functions = self._values(), self.statements.methods.name_inside(self.texts)
        calls = tuple(
            (int(caller), (self.texts[label] if label >= 0 else "", int(line)), functions[name])
            for caller, label, line, name in self.tables["calls"].tolist()
        )
        returns: list[tuple[int, Spot]] = []
        for label, line, call, name, value, how in self.tables["events"].tolist():
            spot = self.texts[label], self.statements.start(self.texts[label], line)
            if how == RETURNED:
                returns.append((call, spot))
            self._add(values[value], (value, call, self.texts[name], how), spot, calls)
        for made in self.made:
            for one in made.uses:
                self.made[one].users.append(made.number)
        ran: dict[Spot, int] = {}
        for label, line, times in self.tables["ran"].tolist():
            spot = self.texts[label], self.statements.start(self.texts[label], line)
            ran[spot] = max(ran.get(spot, 0), times)
        return Recorded(
            made=tuple(self.made),
            calls=calls,
            ran=ran,
            answer=result.get("answer"),
            error=str(result.get("error") or "")[:100],
            stopped=self._find_stop(result.get("stopped")),
            returns=tuple(returns),
            notes=result,
            method=method,
            pending=frozenset().union(*self.inner.values()),
        )

    def _values(self) -> list[tuple[Floats, str]]:
        found, start = [], 0
        for kind, *sizes in self.tables["values"].tolist():
            shape = tuple(size for size in sizes if size >= 0)
            end = start + math.prod(shape)
            found.append((self.data[start:end].reshape(shape), KINDS[kind]))
            start = end
        return found

    def _find_stop(self, value: Any) -> Spot | None:
        match value:
            case (str(label), int(line)) if label:
                return label, self.statements.start(label, line)
        return None

    def _add(
        self,
        value: tuple[Floats, str],
        event: tuple[int, int, str, int],
        spot: Spot,
        calls: Sequence[tuple[int, Spot, str]],
    ) -> None:
        number, call, name, how = event
        self.time += 1
        made = self.by_value.get(number)
        held = self.held.setdefault(call, {})
        if made is None:
            caller, (label, line), _ = calls[call]
            # An expression among the arguments: the line that calls made it.
            in_call = how == ARGUMENT and 0 <= caller < call
            at, by = ((label, self.statements.start(label, line)), caller) if in_call else (spot, call)
            at = at[0], self.statements.part_line(*at, name)
            given = how == ARGUMENT and not in_call
            made = Made(len(self.made), at, by, name, *value, given, born=self.time)
            if not made.given:
                own = "" if in_call else name
                uses = self._read_by(at, own, self.held.setdefault(by, {})) | self.inner.pop(by, set())
                made.uses = {*sorted(uses)[-MOST_USES:]} - {made.number}
            self.made.append(made)
            self.by_value[number] = made
        if how != ARGUMENT:
            outer, depth = calls[call][0], 0
            while outer >= 0 and depth < DEEPEST:
                self.inner.setdefault(outer, set()).add(made.number)
                outer, depth = calls[outer][0], depth + 1
        if how != RETURNED:
            held[name] = made.number
        made.holders.append(Holder(name, spot, self.time, how, call))

    def _read_by(self, spot: Spot, made: str, held: Mapping[str, int]) -> set[int]:
        reads = self.statements.reads(*spot, made)
        names, parts, found = reads.names, reads.parts, set[int]()
        by_key = {part.partition("[")[0] for part in parts}
        for name, number in held.items():
            if name in names or name in parts:
                found.add(number)
                continue
            base = self.bases.get(name)
            if base is None:
                base = self.bases[name] = name.partition("[")[0].partition(".")[0]
            if base != name and base in names and base != "self" and base not in by_key:
                found.add(number)
        return found
