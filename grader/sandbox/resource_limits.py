"""The resource limits of a student's process, as far as the system has them; it sets them itself, for good."""

from __future__ import annotations

import os
import sys

from .policy import CPU_MARGIN_SECONDS, DESCRIPTORS, FILE_BYTES, MEBIBYTE, ResourceLimits

if sys.platform != "win32":
    import resource

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


def available() -> list[str]:
    """Return the names of the limits that this system keeps."""
    if sys.platform == "win32":
        return []
    # Only Linux keeps the one on memory: macOS refuses the call or takes it, and keeps the limit in neither case.
    lacking = set() if sys.platform == "linux" else {"memory"}
    return [what for what, name in _LIMITS.items() if hasattr(resource, name) and what not in lacking]


def apply(limits: ResourceLimits) -> None:
    """Set every limit that is available; raise OSError or ValueError where one is refused."""
    if sys.platform == "win32":
        return
    values = {
        "processor time": limits.cpu_seconds + CPU_MARGIN_SECONDS,
        "file size": FILE_BYTES,
        "descriptors": DESCRIPTORS,
    }
    for what in available():
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
