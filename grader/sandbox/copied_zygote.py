"""A zygote that another one forked, seen by the worker that it serves."""

import os
import select
import signal
import subprocess


class CopiedZygote:
    """What is needed of subprocess.Popen, for a process that is no child of this one."""

    pid = 0
    _handle = -1  # of the process while it is known to be there

    def know(self, pid: int) -> None:
        """Take its id, which it tells."""
        self.pid, self._handle = pid, os.pidfd_open(pid)

    def poll(self) -> int | None:
        """Return None while it runs."""
        return 0 if self._handle < 0 or select.select([self._handle], [], [], 0)[0] else None

    def wait(self, timeout: float | None = None) -> None:
        """Wait until it has ended; raise subprocess.TimeoutExpired after so many seconds."""
        if self._handle >= 0:
            if not select.select([self._handle], [], [], timeout)[0]:
                raise subprocess.TimeoutExpired("zygote", timeout or 0)
            os.close(self._handle)
            self._handle = -1

    def kill(self) -> None:
        """End it at once."""
        signal.pidfd_send_signal(self._handle, signal.SIGKILL)
