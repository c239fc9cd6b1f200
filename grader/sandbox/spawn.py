"""A plain child process for one's own code, for systems without fork: limited as far as the system can, not isolated.

It costs 0.2 s a process, for Python and numpy to load. No system call is refused and no file is hidden, so the self-test
refuses strangers' code here. The child sets what resource limits there are; Windows has none, only the grader's clock.
The channel is the child's standard input and output, and what it prints is its standard error: the three descriptors that
any system lets a process inherit.
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
from collections.abc import Callable
from dataclasses import asdict
from typing import IO

import numpy as np

from . import output_file, protocol
from .deadline import Deadline
from .forkserver import (
    ENVIRONMENT,
    Ending,
    ForkServer,
    SandboxError,
    ServerLostError,
    UnsupportedPlatformError,
    can_fork,
    start_command,
)
from .policy import FILE_BYTES, LAYERS, NONE_DISABLED, DisabledLayers, ResourceLimits, available_limits

# Where subprocess has nothing to start.
WITHOUT_PROCESSES = {"emscripten", "wasi", "ios", "tvos", "watchos"}
START_WORKER = """
standard = list(sys.path)
sys.path.append(sys.argv[2])
from _sandbox import worker_main
worker_main.run_spawned(json.loads(sys.argv[3]), standard)
"""
# How long the last output of a process that has ended may take to come.
OUTPUT_TIMEOUT = 1.0


def open_server(disabled: DisabledLayers = NONE_DISABLED) -> ForkServer | SpawnServer:
    """Return the best source of students' processes that this system has: forked and locked down, or spawned."""
    return ForkServer(disabled) if can_fork() else SpawnServer(disabled)


def open_own_server() -> ForkServer | SpawnServer:
    """Return the quickest source of processes for one's own code, for which the lock-down may be missing."""
    if can_fork():
        with contextlib.suppress(SandboxError):
            return ForkServer(lean=True)
    return SpawnServer()


class SpawnServer:
    """A source of students' processes like `ForkServer`: each is a fresh interpreter.

    Of the disabled's layers only rlimits can be left out: the others are not there.
    """

    streams = False  # what comes through the pipe of the outputs must be known to belong to one question

    def __init__(self, disabled: DisabledLayers = NONE_DISABLED) -> None:
        if sys.platform in WITHOUT_PROCESSES:
            raise UnsupportedPlatformError(
                f"running students' code needs processes, and {sys.platform} has none: grade on Linux, macOS or Windows."
            )
        self._process: subprocess.Popen[bytes] | None = None
        self._output: threading.Thread | None = None
        self._owner = os.getpid()
        facts = {"process": "a fresh interpreter for each", "rlimits": ", ".join(available_limits())}
        self.missing = {layer: "only done on Linux, with fork" for layer in LAYERS if layer not in facts}
        if not facts["rlimits"]:
            self.missing["rlimits"] = "this system has none"
        self.missing |= dict.fromkeys(disabled.layers, "switched off")
        self.facts = {layer: fact for layer, fact in facts.items() if layer not in self.missing}
        self.versions = {"python": sys.version.split()[0], "numpy": np.__version__}

    @property
    def alive(self) -> bool:
        """Return True in the process that made this: one that was forked from it may not end what is not its own."""
        return self._owner == os.getpid()

    @property
    def pid(self) -> int:
        """The process that students' processes are children of: this one."""
        return os.getpid()

    def replace(self) -> None:
        """End the present process, and start the next ones from here."""
        self.close()
        self._owner = os.getpid()

    def fork(self, channel: socket.socket, output: int, questions: int, limits: ResourceLimits) -> int:
        """Start a student's process, whose three pipes are connected to `channel` and the file `output`; return its process id.

        What the file `questions` holds is sent before anything else: nothing but pipes can be inherited everywhere.
        """
        self.end(0)
        content = output_file.read(questions, 0, os.fstat(questions).st_size)
        terms = {"limits": asdict(limits), "layers": list(self.facts), "questions": len(content)}
        # In a virtual environment of Windows, python.exe is a launcher that starts the real one as a process of its own.
        python = getattr(sys, "_base_executable", sys.executable) if sys.platform == "win32" else sys.executable
        # Windows starts no program without the first (see subprocess.Popen), and conda's numpy finds its libraries by the second.
        needed = [name for name in ("SYSTEMROOT", "PATH") if sys.platform == "win32" and name in os.environ]
        try:
            self._process = subprocess.Popen(  # noqa: S603 -- our own file, by our own interpreter
                start_command(python, START_WORKER, json.dumps(terms)),
                env={**ENVIRONMENT, "VECLIB_MAXIMUM_THREADS": "1", **{name: os.environ[name] for name in needed}},
                cwd=os.environ.get("SYSTEMROOT", "/"),  # holds nothing of ours, and an ordinary user cannot write to it
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                bufsize=0,
                # A group of its own, to be killed as one, and out of reach of Ctrl-C, which is for the grader. On Windows
                # a process without a console does the latter.
                start_new_session=True,
                creationflags=getattr(subprocess, "DETACHED_PROCESS", 0),
            )
        except OSError as error:
            raise ServerLostError(f"a student's process cannot be started: {error}") from error
        self._output = _connect(self._process, channel, output, content)
        return self._process.pid

    def dump_traceback(self) -> None:
        """Ask the student's process for a traceback on its output; it may not answer, and Windows has no signal to ask with."""
        if self._process is not None and hasattr(signal, "SIGUSR1"):
            with contextlib.suppress(ProcessLookupError):
                os.kill(self._process.pid, signal.SIGUSR1)

    def end(self, timeout: float) -> Ending:
        """End the student's process, and what it started where that is in its group; it may end by itself first."""
        process, self._process = self._process, None
        if process is None or self._owner != os.getpid():
            return Ending(None, 0.0)
        ending = _end_group(process, timeout) if hasattr(os, "killpg") else _end_process(process, timeout)
        if self._output is not None:
            self._output.join(OUTPUT_TIMEOUT)
        return ending

    def close(self) -> None:
        """End the student's process."""
        self.end(0)


# ---------------------------------------------------------------- between our socket and a child's pipes


def _connect(
    process: subprocess.Popen[bytes], channel: socket.socket, output: int, questions: bytes
) -> threading.Thread:
    """Carry bytes on three threads, which end when either side closes; return the one that fills the file `output`."""
    if process.stdin is None or process.stdout is None or process.stderr is None:
        raise ValueError("the process has no pipes")
    _start_thread(_carry_questions, questions, channel.dup(), process.stdin)
    _start_thread(_carry_answers, process.stdout, channel.dup())
    return _start_thread(_carry_output, process.stderr, os.dup(output))


def _start_thread(carry: Callable[..., None], *ends: object) -> threading.Thread:
    # A daemon: a student's process that will not die must not keep the grader from ending.
    thread = threading.Thread(target=carry, args=ends, daemon=True)
    thread.start()
    return thread


def _carry_questions(questions: bytes, ours: socket.socket, stdin: IO[bytes]) -> None:
    # An error means that one side has gone; the other learns it from the closed end.
    with ours, stdin, contextlib.suppress(OSError):
        protocol.write(stdin.fileno(), [memoryview(questions)])
        while data := ours.recv(protocol.CHUNK):
            protocol.write(stdin.fileno(), [memoryview(data)])


def _carry_answers(stdout: IO[bytes], ours: socket.socket) -> None:
    with stdout, ours, contextlib.suppress(OSError):
        with contextlib.suppress(OSError):
            while data := os.read(stdout.fileno(), protocol.CHUNK):
                ours.sendall(data)
        # The other thread holds this end open too, so closing it would tell nobody.
        ours.shutdown(socket.SHUT_WR)


def _carry_output(stderr: IO[bytes], output: int) -> None:
    room = FILE_BYTES
    try:
        with stderr:
            # On past the cap: the limit is on the file, and a process that is not read from would stand still.
            while data := os.read(stderr.fileno(), protocol.CHUNK):
                output_file.append(output, data[:room])
                room -= min(room, len(data))
    finally:
        os.close(output)


# ---------------------------------------------------------------- the end of a child


def _end_process(process: subprocess.Popen[bytes], timeout: float) -> Ending:
    code: int | None = None
    with contextlib.suppress(subprocess.TimeoutExpired):
        code = process.wait(timeout)
    process.kill()
    process.wait()
    return Ending(code, 0.0)


def _end_group(process: subprocess.Popen[bytes], timeout: float) -> Ending:
    deadline = Deadline(process.pid, timeout)
    with contextlib.suppress(TimeoutError):
        while (ended := _reap(process.pid, os.WNOHANG)) is None:
            time.sleep(min(deadline.pause(), 0.001))
            deadline.note_silence()
    by_itself = ended is not None
    # A number is given to no new process while a group still has it, so this meets only what it left behind.
    # macOS says EPERM where all that is left of a group is waiting to be reaped.
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)
    while ended is None:
        ended = _reap(process.pid, 0)
    process.returncode, seconds = ended
    return Ending(process.returncode if by_itself else None, seconds)


def _reap(pid: int, options: int) -> tuple[int, float] | None:
    """Return exit code and processor time of a child that has ended; None where it has not."""
    # wait4, for the processor time, which Popen would not give. macOS has no waitid before Python 3.13.
    found, status, usage = os.wait4(pid, options)
    # One that asked to be traced by its parent, which is us, is reported whenever it stops.
    if found == 0 or os.WIFSTOPPED(status):
        return None
    return os.waitstatus_to_exitcode(status), usage.ru_utime + usage.ru_stime
