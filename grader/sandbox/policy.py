"""What limits a student's process: our end asks for these, and the process puts them on itself."""

from __future__ import annotations

from dataclasses import dataclass

MEBIBYTE = 1 << 20
# The size that the file behind descriptors 1 and 2 can reach, and any other.
FILE_BYTES = MEBIBYTE
# What a program may hold in files that are in its memory only.
SCRATCH_BYTES = 3 * MEBIBYTE

DESCRIPTORS = 32
# The limit of wall time lies so many times beyond that of the process's own, for sleep that is not seen: a program may be
# awake whenever it is looked at, and some systems do not tell.
WALL_FACTOR = 10
# A second net: the grader measures the processor time as well, and ends a submission before.
CPU_MARGIN_SECONDS = 2

# In the order in which they are put on; see `lockdown`.
LAYERS = ("process", "namespaces", "rlimits", "uid", "no_new_privs", "landlock", "seccomp")


@dataclass(frozen=True)
class ResourceLimits:
    """The memory that a process may use, in mebibytes on top of what it has when it starts, and its seconds of processor time."""

    memory_mb: int
    cpu_seconds: int


@dataclass(frozen=True)
class DisabledLayers:
    """Layers to leave out, so that a test can see what each of them stops; grading leaves out none."""

    layers: tuple[str, ...] = ()
    landlock: int | None = None  # the newest version of Landlock to make use of; 0 for a kernel that has none
    library: bool = True  # False: modules that cannot be read from the disk are not kept in memory either


NONE_DISABLED = DisabledLayers()
