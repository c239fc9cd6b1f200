"""The terms on which a student's process runs, as our end asks for them and the process's end keeps them."""

from __future__ import annotations

from dataclasses import dataclass

MEBIBYTE = 1 << 20
# The size that the file behind descriptors 1 and 2 can reach, and any other.
FILE_BYTES = MEBIBYTE

DESCRIPTORS = 32
# A CPU limit is a second net: the grader's own clock ends a submission long before.
CPU_MARGIN_SECONDS = 2

# In the order in which they are put on; see `lockdown`.
LAYERS = ("process", "namespaces", "rlimits", "uid", "no_new_privs", "landlock", "seccomp")


@dataclass(frozen=True)
class Allowance:
    """What one process may use: mebibytes on top of what it has when it is born, and seconds of processor time."""

    memory_mb: int
    cpu_seconds: int


@dataclass(frozen=True)
class Weakening:
    """Layers to leave out, so that a test can see what each of them stops; grading leaves out none."""

    without: tuple[str, ...] = ()
    landlock: int | None = None  # the newest version of Landlock to make use of; 0 for a kernel that has none
    library: bool = True  # False: modules that cannot be read from the disk are not kept in memory either


FULL = Weakening()
