"""Capture what the student's code prints, its warnings, and its exceptions with the lines that they came from."""

import contextlib
import io
import sys
import traceback
import types
import warnings
from collections.abc import Iterator
from typing import Any, TextIO, TypeGuard, TypeVar

from . import values

MAX_MESSAGE = 500
MAX_WARNINGS = 5
MAX_WARNING = 300
MAX_NOTES = 40
# A recursion error has thousands of frames: the outermost and the innermost tell the story.
MAX_FRAMES = 20


class ReportedError(Exception):
    """Something wrong with the submission, in our words; it is reported as an error of the type `kind`."""

    def __init__(self, kind: str, message: str) -> None:
        super().__init__(message)
        self.kind = kind


Kind = TypeVar("Kind", bound=BaseException)


class CappedStream(io.TextIOBase):
    """A standard output that keeps the first characters and counts the rest, so that megabytes of prints are cheap."""

    encoding = "utf-8"
    errors = "replace"

    def __init__(self, most: int) -> None:
        super().__init__()
        self._most = most
        self._kept: list[str] = []
        self._length = 0

    def writable(self) -> bool:
        """Return True: it can be written to."""
        return True

    def write(self, text: str, /) -> int:
        """Keep the text, or as much of it as there is room for."""
        if not isinstance(text, str):
            raise TypeError(f"write() argument must be str, not {type(text).__name__}")
        room = self._most - self._length
        if room > 0:
            self._kept.append(text[:room])
        self._length += len(text)
        return len(text)

    def text(self) -> str:
        """Return what was kept, and say how much was cut."""
        cut = self._length - self._most
        return "".join(self._kept) + (f"\n... and {cut:,} more characters" if cut > 0 else "")


class OutputCapture:
    """Captures what the student's code does in one process; `labels` are the names under which its text was compiled."""

    def __init__(self, labels: frozenset[str], printed_characters: int) -> None:
        self._labels = labels
        self._most = printed_characters
        self._stream = CappedStream(printed_characters)
        self._warnings: list[str] = []
        self._notes: list[str] = []

    @contextlib.contextmanager
    def capturing(self) -> Iterator[None]:
        """Start afresh: no text, no warnings; each warning is recorded once for each place."""
        self._stream = CappedStream(self._most)
        self._warnings = []
        self._notes = []
        for name in ("stdout", "stderr", "__stdout__", "__stderr__"):
            setattr(sys, name, self._stream)
        # Entering makes Python forget which warnings it has shown, so that a reply does not depend on earlier calls.
        with warnings.catch_warnings():
            warnings.showwarning = self._show
            yield

    @property
    def printed(self) -> str:
        """Return what was printed since `capturing` began."""
        return self._stream.text()

    @property
    def warnings(self) -> list[str]:
        """Our own notes and the first of Python's warnings since `capturing` began."""
        return self._notes + self._warnings

    def note(self, text: str) -> None:
        """Add a warning of our own, such as a statement that was skipped."""
        if len(self._notes) < MAX_NOTES:
            self._notes.append(text[: MAX_MESSAGE + MAX_WARNING])

    def _show(
        self,
        message: Warning | str,
        category: type[Warning],
        filename: str,
        lineno: int,
        file: TextIO | None = None,  # noqa: ARG002 -- the signature of warnings.showwarning
        line: str | None = None,  # noqa: ARG002 -- the same
    ) -> None:
        if len(self._warnings) >= MAX_WARNINGS:
            return
        # numpy warns from its own lines at times; the student's innermost line is the one that helps.
        place = self.innermost_place() or ((filename, lineno) if filename in self._labels else None)
        where = f" ({place[0]}, line {place[1]})" if place else ""
        text = f"{category.__name__}: {safe_text(message)[:MAX_WARNING]}{where}"
        if text not in self._warnings:
            self._warnings.append(text)

    def innermost_place(self) -> tuple[str, int] | None:
        """Return label and number of the student's line that is running; None where there is none."""
        frame: types.FrameType | None = sys._getframe(1)  # noqa: SLF001 -- the one way to see who called
        while frame is not None:
            if frame.f_code.co_filename in self._labels:
                return frame.f_code.co_filename, frame.f_lineno
            frame = frame.f_back
        return None

    def error(self, during: str, error: BaseException) -> dict[str, Any]:
        """Describe an exception as a reply carries it: type, message and the student's lines, outermost first."""
        try:
            return self._describe(during, error)
        except BaseException as worse:  # noqa: BLE001 -- an exception of the student's own may lie about all it has
            message = f"(it could not be described: {values.name_of_type(worse)})"
            return {
                "during": during,
                "type": values.name_of_type(error)[:MAX_MESSAGE],
                "message": message,
                "frames": [],
            }

    def _describe(self, during: str, error: BaseException) -> dict[str, Any]:
        kind = error.kind if _is(error, ReportedError) else values.name_of_type(error)
        frames = self.frames(error)
        if _is(error, SyntaxError) and error.filename in self._labels and error.lineno:
            frames.append([error.filename, error.lineno])
        return {"during": during, "type": kind[:MAX_MESSAGE], "message": _message(error), "frames": frames}

    def frames(self, error: BaseException) -> list[list[Any]]:
        """Return the student's lines that an exception went through, as [label, line], outermost first."""
        # From the base class: the student's own may have put anything under this name.
        trace = BaseException.__dict__["__traceback__"].__get__(error)
        places = [
            [frame.f_code.co_filename, line]
            for frame, line in traceback.walk_tb(trace)
            if frame.f_code.co_filename in self._labels
        ]
        if len(places) > MAX_FRAMES:
            places = places[: MAX_FRAMES // 2] + places[-(MAX_FRAMES // 2) :]
        return places


def _is(error: BaseException, kind: type[Kind]) -> TypeGuard[Kind]:
    """Ask the type, not the object: a student's exception may lie about, or raise from, its `__class__`."""
    return issubclass(type(error), kind)


def _message(error: BaseException) -> str:
    if _is(error, SystemExit):
        return "called sys.exit()"
    if _is(error, KeyboardInterrupt):
        return "raised KeyboardInterrupt"
    if _is(error, SyntaxError):
        return safe_text(error.msg)[:MAX_MESSAGE]
    return safe_text(error)[:MAX_MESSAGE]


def safe_text(value: object) -> str:
    """Return str(value) without control characters, whatever the student's own `__str__` does."""
    try:
        text = str.__str__(str(value))
    except BaseException as error:  # noqa: BLE001 -- the student's own __str__ may raise anything
        return f"(its __str__ raised {values.name_of_type(error)})"
    return "".join(c if c.isprintable() or c == "\n" else "\N{REPLACEMENT CHARACTER}" for c in text[: 4 * MAX_MESSAGE])
