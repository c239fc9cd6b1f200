"""Find the student's lines that an error or a traceback names, and describe how a process ended."""

import re
import signal
from collections.abc import Iterable, Sequence
from typing import Any

from grader.model import Place, Submission

# faulthandler's form: `  File "code cell 5", line 12 in loss`.
_FRAME = re.compile(r'^  File "([^"\n]{1,400})", line (\d{1,7}) in ([^\n]{1,200})$', re.MULTILINE)
_TRACE = re.compile(r"^(?:Current thread|Thread|Stack) [^\n]*\(most recent call first\):$", re.MULTILINE)
MAX_PLACES = 20


class SourceMap:
    """The submission's text by label: quotations come from here, never from what its process says."""

    def __init__(self, submission: Submission) -> None:
        modules = [module.segment for module in submission.modules]
        self._lines: dict[str, list[str]] = {}
        self._labels: dict[str, str] = {}
        for segment in (*modules, *submission.extras, *submission.segments):
            self._lines[segment.label] = segment.quoted.splitlines()
            # faulthandler writes ASCII.
            self._labels[segment.label.encode("ascii", "backslashreplace").decode()] = segment.label

    def place(self, label: str, line: int) -> Place | None:
        """Return the place with its text, or None where the submission has no such line."""
        lines = self._lines.get(label)
        if lines is None or not 1 <= line <= max(len(lines), 1):
            return None
        return Place(label, line, lines[line - 1] if lines else "")

    def places(self, claimed: Iterable[Sequence[Any]]) -> tuple[Place, ...]:
        """Return the places that a reply's [label, line] pairs name, leaving out what is not in the submission."""
        found = [self.place(label, line) for label, line in claimed]
        return tuple(place for place in found if place is not None)[:MAX_PLACES]

    def last_trace(self, output: str) -> tuple[tuple[Place, ...], str]:
        """Read the last traceback that faulthandler wrote among a process's own output.

        Gives its places in the submission, outermost first, and the name of the outermost function among them.
        """
        starts = [match.end() for match in _TRACE.finditer(output)]
        if not starts:
            return (), ""
        found = [
            (place, function)
            for label, line, function in _FRAME.findall(output[starts[-1] :])
            if (place := self.place(self._labels.get(label, ""), int(line))) is not None
        ]
        found.reverse()
        return tuple(place for place, _ in found)[:MAX_PLACES], found[0][1] if found else ""


def before_trace(output: str) -> str:
    """Return what a process wrote before the first traceback of faulthandler's."""
    first = _TRACE.search(output)
    if not first:
        return output
    before = output[: first.start()]
    # The headline is looked for in the last line alone: a pattern tried at each of its repetitions in one megabyte of
    # output took minutes, after the deadline of the call.
    last = before.rstrip("\n").rfind("\n") + 1
    headline = before.find("Fatal Python error: ", last)
    return before if headline < 0 else before[:headline]


# What Windows gives in place of a signal (NTSTATUS, ntstatus.h).
_FAULTS = {
    0xC0000005: "access violation",
    0xC0000017: "no memory",
    0xC00000FD: "stack overflow",
    0xC0000409: "abort",
}


def ending_in_words(code: int) -> str:
    """Return a description of an exit code, which is below zero for a signal."""
    if code < 0:
        name = signal.Signals(-code).name if -code in set(signal.Signals) else f"number {-code}"
        meaning = (signal.strsignal(-code) or "").lower()
        return f"killed by signal {name} ({meaning})"
    if code in _FAULTS:
        return f"killed by Windows for 0x{code:X} ({_FAULTS[code]})"
    return f"ended the process with os._exit({code}) or sys.exit"
