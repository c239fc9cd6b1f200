"""A limit on a student's process, of the time that it takes for itself: on a processor, or asleep.

While it waits for a processor its time stands still, so that a busy machine costs nobody a point. The system measures this
from outside; nothing that the process says is asked for.
"""

from __future__ import annotations

import contextlib
import math
import random
import sys
import time
from pathlib import Path

from .policy import WALL_FACTOR

# How long until a process that says nothing is looked at again, at most; near its end less.
LOOK_SECONDS, SHORTEST_LOOK = 0.2, 0.01
_SYSTEM = random.SystemRandom()  # whose state no process can copy
# Asleep, stopped, stopped by a tracer, or dead while one that it forked holds its end of the channel; not R, which runs or
# waits for a processor, and not D, which waits for the disk.
_ASLEEP = {b"S", b"T", b"t", b"Z"}


class Deadline:
    """The end of what one process may take from now on.

    pid : the process, which must not be reaped before this is let go of: another would get its number.
    seconds : what it may take for itself.
    wall_end : a time of `time.monotonic()`, the end whatever it took; ten times `seconds` from now is another.
    after : an earlier deadline of the process, that it has kept: what it has taken since then counts.
    """

    def __init__(self, pid: int, seconds: float, wall_end: float = math.inf, after: Deadline | None = None) -> None:
        self._pid = pid
        self._seconds = seconds
        self._began = time.monotonic()
        self._wall_end = min(self._began + WALL_FACTOR * seconds, wall_end)
        self._at_first = processor_seconds(pid) if after is None else after.end
        self._busy = self._asleep = 0.0
        self._plan_look()

    @property
    def end(self) -> float | None:
        """The processor time of the process when this was last measured; None where it cannot be known."""
        return None if self._at_first is None else self._at_first + self._busy

    @property
    def spent(self) -> float:
        """The seconds that the process has taken for itself so far; the wall's where its processor time cannot be known."""
        self._busy = self._measure()
        return self._busy + self._asleep

    def _measure(self) -> float:
        now = processor_seconds(self._pid)
        if self._at_first is None:
            return time.monotonic() - self._began
        # One that is gone took no more than when it was last looked at.
        return self._busy if now is None else now - self._at_first

    def describe(self) -> str:
        """Return what the process has had, once the deadline has passed, in words that do not depend on the machine."""
        if self.spent < self._seconds:
            return f"{WALL_FACTOR * self._seconds:g} s by the clock on the wall"
        if self._asleep > self._seconds / 2:
            return f"{self._seconds:g} s, most of them asleep"
        return f"{self._seconds:g} processor seconds"

    def pause(self) -> float:
        """Return for how many seconds to wait before the process is looked at; raise TimeoutError past the end."""
        now = time.monotonic()
        if min(self._seconds - self.spent, self._wall_end - now) <= 0:
            raise TimeoutError("the deadline has passed")
        return max(0.0, self._look_at - now)

    def note_silence(self) -> None:
        """Count the time since the process was last looked at, where it is asleep; to be called when nothing has come."""
        if self._at_first is not None and is_asleep(self._pid):
            self._busy = self._measure()
            # Not all of the time that has passed: we may have waited for a processor ourselves, which is no fault of its.
            passed = min(time.monotonic() - self._looked, LOOK_SECONDS)
            self._asleep += max(0.0, passed - (self._busy - self._busy_when_looked))
        self._plan_look()

    def _plan_look(self) -> None:
        """Draw when to look next: a program that knew, or that could have itself looked at, would be awake just then."""
        self._looked, self._busy_when_looked = time.monotonic(), self._busy
        most = min(max(self._seconds - self.spent, SHORTEST_LOOK), LOOK_SECONDS)
        self._look_at = self._looked + _SYSTEM.uniform(most / 2, most)


def processor_seconds(pid: int) -> float | None:
    """Return the processor time of a process, in its own code and in the system's; None where it cannot be known."""
    if sys.platform == "linux":
        with contextlib.suppress(OSError):
            return time.clock_gettime(~pid << 3 | 2)  # clock_getcpuclockid(3), which Python lacks
    elif sys.platform in {"darwin", "win32"}:
        import psutil  # noqa: PLC0415 -- only there

        with contextlib.suppress(psutil.Error):
            taken = psutil.Process(pid).cpu_times()
            return float(taken.user + taken.system)
    return None


def is_asleep(pid: int) -> bool:
    """Return True where a process neither runs nor waits for a processor or the disk; only Linux tells."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_bytes()
    except OSError:
        return False
    # The name of a process, in brackets, may hold anything; the state is the first field after it.
    return stat.rpartition(b")")[2].split()[0] in _ASLEEP
