"""What limits a student's process: our end asks for these, and the process puts them on itself, for good."""

import os
import sys
from dataclasses import dataclass

if sys.platform != "win32":
    import resource

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

# ---------------------------------------------------------------- resources, as far as the system limits them

_LIMITS = {
    "processor time": "RLIMIT_CPU",
    "memory": "RLIMIT_AS",
    "file size": "RLIMIT_FSIZE",
    "descriptors": "RLIMIT_NOFILE",
    "core files": "RLIMIT_CORE",
    "locked memory": "RLIMIT_MEMLOCK",
    "message queues": "RLIMIT_MSGQUEUE",
    "processes": "RLIMIT_NPROC",
}


def available_limits() -> list[str]:
    """Return the names of the limits that this system keeps."""
    if sys.platform == "win32":
        return []
    # Only Linux keeps the one on memory: macOS refuses the call or takes it, and keeps the limit in neither case.
    lacking = set() if sys.platform == "linux" else {"memory"}
    return [what for what, name in _LIMITS.items() if hasattr(resource, name) and what not in lacking]


def limit_resources(limits: ResourceLimits) -> None:
    """Set every limit that is available; raise OSError or ValueError where one is refused."""
    if sys.platform == "win32":
        return
    values = {
        "processor time": limits.cpu_seconds + CPU_MARGIN_SECONDS,
        "file size": FILE_BYTES,
        "descriptors": DESCRIPTORS,
    }
    for what in available_limits():
        value = _address_space() + limits.memory_mb * MEBIBYTE if what == "memory" else values.get(what, 0)
        which = getattr(resource, _LIMITS[what])
        bound = at_most(value, resource.getrlimit(which)[1])
        resource.setrlimit(which, (bound, bound))


def at_most(value: int, hard: int) -> int:
    """Return the value, or the limit that is in force where that is tighter."""
    return value if hard == resource.RLIM_INFINITY else min(value, hard)


def _address_space() -> int:
    descriptor = os.open("/proc/self/statm", os.O_RDONLY)
    try:
        return int(os.read(descriptor, 200).split()[0]) * resource.getpagesize()
    finally:
        os.close(descriptor)
