"""The other way to a student's process, for systems without fork: a fresh interpreter for each, limited but not isolated.

It costs 0.2 s a process, for Python and numpy to load. What it has of limits is what the system gives any program: on macOS
and other POSIX systems `spawn_main` sets resource limits, and the process has a group of its own to be killed as; on Windows
there is a job object. No system call is refused and no file is hidden: that is told as "not isolated", never kept quiet.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from dataclasses import asdict
from pathlib import Path

import numpy as np

from . import output_file, pipe_relay, protocol
from .forkserver import ENVIRONMENT, START_SECONDS, Ending, Nursery, UnsupportedPlatformError, ZygoteLostError, lacking
from .policy import CPU_MARGIN_SECONDS, FULL, MEBIBYTE, Allowance, Weakening
from .windows_job import Job, RefusedError

WINDOWS = sys.platform == "win32"
# Where subprocess has nothing to start.
WITHOUT_PROCESSES = {"emscripten", "wasi", "ios", "tvos", "watchos"}
SPAWN_MAIN = Path(__file__).with_name("spawn_main.py")

# Apple's BLAS is told in a word of its own to keep to one thread.
_ENVIRONMENT = ENVIRONMENT | {"VECLIB_MAXIMUM_THREADS": "1"}
# Windows starts no program without the first (see subprocess.Popen), and conda's numpy finds its libraries by the second.
_OF_WINDOWS = ("SYSTEMROOT", "PATH")
_WITHOUT = {
    "namespaces": "only Linux has it",
    "uid": "only done on Linux",
    "no_new_privs": "only Linux has it",
    "landlock": "only Linux has it",
    "seccomp": "only Linux has it",
}
# For the process that is tried out: it has no more to do than to load and to say so.
_TRIAL = Allowance(memory_mb=256, cpu_seconds=60)
# How long a process may take to end after it was told that nothing follows, and how long its last output may take to come.
PARTING_SECONDS = 5.0
OUTPUT_SECONDS = 1.0


def nursery_for(weakening: Weakening = FULL) -> Nursery | Spawned:
    """Return the best way that this system has to students' processes: forked and locked down, or spawned."""
    return Spawned(weakening) if lacking() else Nursery(weakening)


class Spawned:
    """Starts a fresh interpreter for each submission; to be used like `Nursery`.

    `missing` says of each layer that is not in force why, and of each limit that could not be set; `facts` of the others
    what there is to know.

    Parameters
    ----------
    weakening
        Of its layers only rlimits can be left out: the others are not there.
    pipes
        Whether to talk to a process over pipes: Windows cannot give it a socket. Elsewhere a socket is more robust, since
        it can be shut whoever else holds it.
    job
        The kind of job object that holds a process together; None where a process group does.
    """

    def __init__(
        self,
        weakening: Weakening = FULL,
        *,
        pipes: bool = WINDOWS,
        job: type[Job] | None = Job if WINDOWS else None,
    ) -> None:
        if sys.platform in WITHOUT_PROCESSES:
            raise UnsupportedPlatformError(
                f"running students' code needs processes, and {sys.platform} has none: grade on Linux, macOS or Windows."
            )
        self._pipes = pipes
        self._make_job = job
        self._process: subprocess.Popen[bytes] | None = None
        self._job: Job | None = None
        self._prints: threading.Thread | None = None
        self._born_bytes: int | None = None
        self._owner = os.getpid()
        self._absent = {**_WITHOUT, **dict.fromkeys(weakening.without, "switched off")}
        self.missing: dict[str, str] = {}
        self.facts: dict[str, str] = {}
        self.versions: dict[str, str] = {}
        self._try_out()

    def _try_out(self) -> None:
        """Start a process to see that it can be done, what limits can be set, and how much memory it is born with."""
        ours, theirs = socket.socketpair()
        output = output_file.create()
        try:
            with ours, theirs:
                self.fork(theirs, output, _TRIAL)
                theirs.close()
                try:
                    frame = protocol.receive(ours, protocol.Reader(), time.monotonic() + START_SECONDS)
                except TimeoutError:
                    frame = None
                if frame is not None and self._job is not None:
                    self._born_bytes = self._job.peak_bytes()
            self.end(PARTING_SECONDS)
            if frame is None:
                said = output_file.read(output, 0, 1 << 16)[-2000:].decode(errors="replace").strip()
                raise ZygoteLostError(f"a student's process could not be started: {said or 'it wrote nothing'}")
        finally:
            self.end(0)
            os.close(output)
        told = frame.message
        self.versions, self.missing, self.facts = (dict(told[name]) for name in ("versions", "missing", "facts"))

    @property
    def alive(self) -> bool:
        """Whether this process may start others: one that was forked from it may not end what is not its own."""
        return self._owner == os.getpid()

    @property
    def pid(self) -> int:
        """The process that students' processes are children of: this one."""
        return os.getpid()

    def replace(self) -> None:
        """Be rid of the present process, however it is."""
        self.close()
        self._owner = os.getpid()

    def fork(self, channel: socket.socket, output: int, allowance: Allowance) -> None:
        """Start a student's process, which gets its end of the channel and the file for its outputs."""
        self.end(0)
        try:
            self._job = self._new_job(allowance)
            self._process = self._start(channel, output, allowance)
            if self._job is not None:
                # Until now it has run without: it has seen nothing but our own code.
                self._job.take(int(self._process._handle))  # type: ignore[attr-defined]  # noqa: SLF001 -- as asyncio does
        except RefusedError as error:
            self.end(0)
            self._absent["rlimits"] = f"no job object: {error.strerror}"
            self.fork(channel, output, allowance)
            return
        except OSError as error:
            self.end(0)
            raise ZygoteLostError(f"a student's process cannot be started: {error}") from error
        if self._pipes:
            self._prints = pipe_relay.start(self._process, channel, output)

    def _new_job(self, allowance: Allowance) -> Job | None:
        if self._make_job is None or "rlimits" in self._absent:
            return None
        memory = None if self._born_bytes is None else self._born_bytes + allowance.memory_mb * MEBIBYTE
        return self._make_job(memory, allowance.cpu_seconds + CPU_MARGIN_SECONDS)

    def _start(self, channel: socket.socket, output: int, allowance: Allowance) -> subprocess.Popen[bytes]:
        terms = {"allowance": asdict(allowance), "missing": self._absent, "job": self._job is not None}
        numpy_folder = Path(np.__file__).resolve().parent.parent
        command = [_interpreter(), "-I", "-B", "-S", str(SPAWN_MAIN), str(numpy_folder), json.dumps(terms)]
        return subprocess.Popen(  # noqa: S603 -- our own script, by our own interpreter
            command,
            env=_environment(),
            cwd=_folder(),
            stdin=subprocess.PIPE if self._pipes else channel.fileno(),
            stdout=subprocess.PIPE if self._pipes else channel.fileno(),
            stderr=subprocess.PIPE if self._pipes else output,
            bufsize=0,
            # A group of its own, to be killed as one, and out of reach of Ctrl-C, which is for the grader. On Windows no
            # console does the latter; a hidden one would be a second process in the job (see "Creation of a Console").
            start_new_session=True,
            creationflags=getattr(subprocess, "DETACHED_PROCESS", 0),
        )

    def poke(self) -> None:
        """Have the student's process write where it is; nothing says that it does, and on Windows it cannot be asked."""
        if sys.platform != "win32" and self._process is not None:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self._process.pid, signal.SIGUSR1)

    def end(self, patience: float) -> Ending:
        """End the student's process, and what it started where that is in its group; it may end by itself first."""
        process, self._process = self._process, None
        job, self._job = self._job, None
        prints, self._prints = self._prints, None
        try:
            if process is None or self._owner != os.getpid():
                return Ending(None, 0.0)
            ending = _end_group(process, patience) if self._make_job is None else _end_job(process, job, patience)
        finally:
            if job is not None:
                job.close()
        if prints is not None:
            prints.join(OUTPUT_SECONDS)
        elif self._pipes:
            _close_pipes(process)
        return ending

    def close(self) -> None:
        """End what there is."""
        self.end(0)


def _interpreter() -> str:
    # In a virtual environment of Windows, python.exe is a launcher that starts the real one as a process of its own.
    return str(getattr(sys, "_base_executable", sys.executable)) if WINDOWS else sys.executable


def _environment() -> dict[str, str]:
    return _ENVIRONMENT | {name: os.environ[name] for name in _OF_WINDOWS if WINDOWS and name in os.environ}


def _folder() -> str:
    """Return a folder that holds nothing of ours and that an ordinary user cannot write to."""
    return os.environ.get("SYSTEMROOT", "C:\\Windows") if WINDOWS else "/"


def _end_group(process: subprocess.Popen[bytes], patience: float) -> Ending:
    if sys.platform == "win32":
        raise OSError("Windows has no groups of processes to kill")
    deadline = time.monotonic() + patience
    ended = _reaped(process.pid, os.WNOHANG)
    while ended is None and time.monotonic() < deadline:
        time.sleep(0.001)
        ended = _reaped(process.pid, os.WNOHANG)
    by_itself = ended is not None
    # A number is given to no new process while a group still has it, so this meets only what it left behind.
    # macOS says EPERM where all that is left of a group is waiting to be reaped.
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)
    while ended is None:
        ended = _reaped(process.pid, 0)
    process.returncode, seconds = ended
    return Ending(process.returncode if by_itself else None, seconds)


def _reaped(pid: int, options: int) -> tuple[int, float] | None:
    """Return exit code and processor time of a process of ours that has ended; None where it has not."""
    if sys.platform == "win32":
        raise OSError("Windows has no wait4")
    # wait4, for the processor time, which Popen would not give. macOS has no waitid before Python 3.13.
    found, status, usage = os.wait4(pid, options)
    # One that asked to be traced by its parent, which is us, is told of whenever it stops.
    if found == 0 or os.WIFSTOPPED(status):
        return None
    return os.waitstatus_to_exitcode(status), usage.ru_utime + usage.ru_stime


def _end_job(process: subprocess.Popen[bytes], job: Job | None, patience: float) -> Ending:
    code: int | None = None
    with contextlib.suppress(subprocess.TimeoutExpired):
        code = process.wait(patience)
    # By itself as well: where Windows refused to put it into the job, it is in none.
    process.kill()
    if job is not None:
        job.terminate()
    process.wait()
    return Ending(code, 0.0 if job is None else job.cpu_seconds())


def _close_pipes(process: subprocess.Popen[bytes]) -> None:
    for pipe in (process.stdin, process.stdout, process.stderr):
        if pipe is not None:
            pipe.close()
