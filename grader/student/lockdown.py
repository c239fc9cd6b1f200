"""What a student's process may not do, set once, after preloading and before any student code.

The layers: "process" (a process of its own, which dies with the one that forked it and cannot be traced) and "rlimits".
Whatever locks further (another user, Landlock, seccomp) belongs into `apply`, so that one function tells the whole order.
"""

from __future__ import annotations

import ctypes
import os
import resource
import signal
from dataclasses import dataclass

PR_SET_PDEATHSIG = 1
PR_SET_DUMPABLE = 4
PR_SET_CHILD_SUBREAPER = 36

MEBIBYTE = 1 << 20
# Also the size that the file behind descriptors 1 and 2 can reach.
FILE_BYTES = MEBIBYTE
DESCRIPTORS = 32
# A CPU limit is a second net: the grader's own clock ends a submission long before.
CPU_MARGIN_SECONDS = 2


@dataclass(frozen=True)
class Allowance:
    """What one process may use: mebibytes on top of what it has when it is born, and seconds of processor time."""

    memory_mb: int
    cpu_seconds: int


# Found once, in the zygote: to look it up in each child costs more page faults than all the rest of the lock-down.
_prctl = ctypes.CDLL(None, use_errno=True).prctl


def control(option: int, value: int) -> None:
    """Call prctl(2), and raise OSError where the kernel refuses."""
    if _prctl(option, ctypes.c_ulong(value), 0, 0, 0) != 0:
        number = ctypes.get_errno()
        raise OSError(number, f"prctl({option}, {value}): {os.strerror(number)}")


def apply(limits: Allowance) -> tuple[str, ...]:
    """Lock the calling process down for good and name the layers that are in force.

    Raises OSError or ValueError where a step is refused; the caller must then end the process, since no student code
    may run in one that is locked by half.
    """
    _limit_resources(limits)
    control(PR_SET_DUMPABLE, 0)  # no core files, and no ptrace by another process of the same user
    # Last, because a change of user clears it.
    control(PR_SET_PDEATHSIG, signal.SIGKILL)
    return ("process", "rlimits")


def _limit_resources(limits: Allowance) -> None:
    _lower(resource.RLIMIT_CPU, limits.cpu_seconds + CPU_MARGIN_SECONDS)
    _lower(resource.RLIMIT_AS, _address_space() + limits.memory_mb * MEBIBYTE)
    _lower(resource.RLIMIT_FSIZE, FILE_BYTES)
    _lower(resource.RLIMIT_NOFILE, DESCRIPTORS)
    _lower(resource.RLIMIT_CORE, 0)
    _lower(resource.RLIMIT_MEMLOCK, 0)
    _lower(resource.RLIMIT_MSGQUEUE, 0)
    # Root is exempt from this one: until the user is changed, the zygote's sweep is what ends a root's forks.
    _lower(resource.RLIMIT_NPROC, 0)


def _lower(which: int, value: int) -> None:
    """Set a limit for good; one that is tighter already stays."""
    _, hard = resource.getrlimit(which)
    bound = value if hard == resource.RLIM_INFINITY else min(value, hard)
    resource.setrlimit(which, (bound, bound))


def _address_space() -> int:
    descriptor = os.open("/proc/self/statm", os.O_RDONLY)
    try:
        return int(os.read(descriptor, 200).split()[0]) * resource.getpagesize()
    finally:
        os.close(descriptor)
