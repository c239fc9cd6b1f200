"""Files of a student's process, in memory where the system can, else temporary ones: that behind 1 and 2, and its questions.

Our end reads it while it is being written, so neither may move the other's place in it.
"""

import os
import sys
import tempfile
import threading

if sys.platform == "linux":
    import fcntl

# Windows has one place for reading and writing, and no pread: there our own threads do both, one at a time.
_place = threading.Lock()


def create() -> int:
    """Return the descriptor of a new file that goes with its last descriptor."""
    if hasattr(os, "memfd_create"):
        made: int = os.memfd_create("file", os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING)
        return made
    with tempfile.TemporaryFile() as file:
        return os.dup(file.fileno())


def create_sealed(content: bytes) -> int:
    """Return the descriptor of a new file that holds this, and that nobody can change where the system can see to it."""
    made = create()
    append(made, content)
    if hasattr(os, "memfd_create"):
        # Not even a mapping of it can become writable after this.
        fcntl.fcntl(
            made, fcntl.F_ADD_SEALS, fcntl.F_SEAL_SEAL | fcntl.F_SEAL_WRITE | fcntl.F_SEAL_SHRINK | fcntl.F_SEAL_GROW
        )
    return made


def read(descriptor: int, start: int, length: int) -> bytes:
    """Read at most `length` bytes from `start` on."""
    if hasattr(os, "pread"):
        data: bytes = os.pread(descriptor, length, start)
        return data
    with _place:
        os.lseek(descriptor, start, os.SEEK_SET)
        return os.read(descriptor, length)


def append(descriptor: int, data: bytes) -> None:
    """Write at the end, for a process that cannot be given the file itself."""
    with _place:
        os.lseek(descriptor, 0, os.SEEK_END)
        rest = memoryview(data)
        while rest:
            rest = rest[os.write(descriptor, rest) :]
