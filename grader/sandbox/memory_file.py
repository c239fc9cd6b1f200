"""A file that is open in memory, as `scratch_files` has them: what is in it, and the layers that open() puts over it."""

import errno
import io
import time
from collections.abc import Mapping
from typing import Any

from .policy import SCRATCH_BYTES

FORBIDDEN = "the grader forbids writing files"


class Content(bytearray):
    """What is in a file, and when it was last changed."""

    changed = 0.0


class MemoryFile(io.RawIOBase):
    """A file that is open; what it holds is shared by all that have it open. everything : what all files hold, for the limit."""

    def __init__(self, name: Any, mode: str, content: Content, everything: Mapping[str, Content]) -> None:
        super().__init__()
        self.name, self.mode = name, mode
        self._content, self._everything, self._at = content, everything, 0

    def readable(self) -> bool:
        """Return whether it can be read."""
        return "r" in self.mode or "+" in self.mode

    def writable(self) -> bool:
        """Return whether it can be written."""
        return "r" not in self.mode or "+" in self.mode

    def seekable(self) -> bool:
        """Return True: it can be read anywhere."""
        return True

    def fileno(self) -> int:
        """Refuse: it has no descriptor."""
        raise io.UnsupportedOperation(f"{FORBIDDEN}: {self.name!r} is in memory only")

    def readinto(self, buffer: Any, /) -> int:
        """Read as much as there is room for; return how much that was."""
        piece = self._content[self._at : self._at + len(buffer)]
        buffer[: len(piece)] = piece
        self._at += len(piece)
        return len(piece)

    def write(self, data: Any, /) -> int:
        """Write all of it."""
        data = memoryview(data).cast("B")
        start = len(self._content) if "a" in self.mode else self._at
        self._resize(max(len(self._content), start + len(data)))
        self._content[start : start + len(data)] = data
        self._at = start + len(data)
        return len(data)

    def seek(self, offset: int, whence: int = 0, /) -> int:
        """Go to a place; return which that is."""
        self._at = max(0, offset + (0, self._at, len(self._content))[whence])
        return self._at

    def truncate(self, size: int | None = None, /) -> int:
        """Cut or lengthen the file; return its size."""
        self._resize(self._at if size is None else size)
        return len(self._content)

    def _resize(self, size: int) -> None:
        grows = size - len(self._content)
        if grows > 0 and grows + sum(map(len, self._everything.values())) > SCRATCH_BYTES:
            raise OSError(errno.ENOSPC, f"{FORBIDDEN}: {SCRATCH_BYTES >> 20} MiB in all is the most", self.name)
        if grows > 0:
            self._content.extend(bytes(grows))
        else:
            del self._content[size:]
        self._content.changed = time.time()


def wrap(raw: MemoryFile, buffering: int, encoding: str | None, errors: str | None, newline: str | None) -> Any:
    """Return the file as open() would: buffered, and for texts with their encoding."""
    if "b" in raw.mode and buffering == 0:
        return raw
    both = io.BufferedRandom if "+" in raw.mode else io.BufferedReader if "r" in raw.mode else io.BufferedWriter
    buffered = both(raw)
    if "b" in raw.mode:
        return buffered
    text = io.TextIOWrapper(buffered, encoding or "utf-8", errors, newline, line_buffering=buffering == 1)
    text.mode = raw.mode  # type: ignore[misc]
    return text
