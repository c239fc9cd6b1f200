"""Standard output and errors that take any text: plain signs where an encoding has no others, and no failure where nobody reads."""

from __future__ import annotations

import codecs
import errno
import io
import os
import sys
from typing import TYPE_CHECKING, TextIO

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer

# What stands for our signs where they cannot be written, one character for one, so that columns stay straight.
SIGNS = dict(zip("✓✗◐→·│…▁▂▃▄▅▆▇█━╸╺", "+x~>.|.12345678---", strict=True))
PLAIN = "plain_signs"  # the name of the error handler


def open_streams() -> None:
    """Make standard output and errors take any text, and be there where the caller closed them."""
    # A file that is opened later, such as the gradebook, must not become the one that others print to.
    for descriptor in range(3):
        try:
            os.fstat(descriptor)
        except OSError:
            os.open(os.devnull, os.O_RDWR)
    codecs.register_error(PLAIN, _write_plainly)
    sys.stdout, sys.stderr = _open(sys.stdout, 1), _open(sys.stderr, 2)


def _write_plainly(error: UnicodeError) -> tuple[str, int]:
    """Return what is written in place of characters that an encoding lacks: a plain sign, or the character's escape."""
    if not isinstance(error, UnicodeEncodeError):
        raise error
    lacking = error.object[error.start : error.end]
    return "".join(SIGNS.get(one) or one.encode("ascii", "backslashreplace").decode() for one in lacking), error.end


def _open(stream: TextIO | None, descriptor: int) -> TextIO:
    encoding = stream.encoding if stream else "utf-8"
    kind = _AsciiText if codecs.lookup(encoding).name == "ascii" else io.TextIOWrapper
    raw = _Unheard(stream.fileno() if stream else descriptor, "w", closefd=False)
    by_line = stream is None or stream.isatty() or bool(stream.line_buffering)
    return kind(io.BufferedWriter(raw), encoding, errors=PLAIN, line_buffering=by_line)


def find_lost_output() -> OSError | None:
    """Return why the standard output could not be written, such as a full disk; None where nothing was lost."""
    sys.stdout.flush()
    return _lost.get(sys.stdout.fileno())


_lost: dict[int, OSError] = {}  # by descriptor


class _Unheard(io.FileIO):
    """A file to write to, whose reader may have gone, or disk be full: the work goes on, and what is said is dropped."""

    def write(self, data: ReadableBuffer, /) -> int:
        """Write the data, or drop it where nobody can read it."""
        try:
            return super().write(data)
        except OSError as error:
            if error.errno not in {errno.EPIPE, errno.EBADF}:
                _lost.setdefault(self.fileno(), error)
            return memoryview(data).nbytes


class _AsciiText(io.TextIOWrapper):
    """A text file in ASCII that does not say so: click takes that for a mistake, and writes UTF-8 all the same."""

    encoding = "plain-ascii"
