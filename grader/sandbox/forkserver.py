"""Our end of the zygote: start it, ask it for students' processes, replace it where it has died or does not answer."""

from __future__ import annotations

import importlib.util
import json
import os
import socket
import subprocess
import sys
import tempfile
from collections.abc import Callable
from contextlib import suppress
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import IO, Any

from .become_zygote import become_zygote, is_fresh
from .copied_zygote import CopiedZygote
from .policy import NONE_DISABLED, DisabledLayers, ResourceLimits

# A zygote answers in milliseconds; loading numpy on a slow disk is what takes long.
START_TIMEOUT = 60.0
ANSWER_TIMEOUT = 15.0
# One thread for OpenBLAS and its like: students are graded side by side, and a limit on processes makes it wait for ever.
ENVIRONMENT = {
    "OPENBLAS_NUM_THREADS": "1",
    "OMP_NUM_THREADS": "1",
    "MKL_NUM_THREADS": "1",
    "PYTHONHASHSEED": "0",
    "LC_ALL": "C.UTF-8",
    # Of itself, so that the time of day needs no file and is the same wherever a class is graded.
    "TZ": "UTC0",
}
# Loads this room under another name: `import grader` must fail in a student's process. What is imported stays, and is not
# looked through for garbage meanwhile.
BOOTSTRAP = """
import gc, json, sys, types
gc.disable()
package = sys.modules["_sandbox"] = types.ModuleType("_sandbox")
package.__path__ = [sys.argv[1]]
"""
START_ZYGOTE = """
from _sandbox import policy, zygote
zygote.main(sys.argv[2], int(sys.argv[3]), int(sys.argv[4]), policy.DisabledLayers(**json.loads(sys.argv[5])), lean=sys.argv[6] == "lean")
"""


def start_command(python: str, start: str, *words: str) -> list[str]:
    """Return the command that runs `start` in a fresh interpreter, with numpy's folder and then `words` as arguments 2, 3, ..."""
    room, numpy_folder = Path(__file__).resolve().parent, _numpy_folder()
    # -I: neither the user's folders nor variables count. -S: nor do the installed packages, of which the grader is one.
    return [python, "-I", "-B", "-S", "-c", BOOTSTRAP + start, str(room), str(numpy_folder), *words]


def _numpy_folder() -> Path:
    """Return the folder that numpy lies in, without importing it: the zygote starts while the grader does that."""
    found = importlib.util.find_spec("numpy")
    if found is None or found.origin is None:
        raise SandboxError("numpy is not installed")
    return Path(found.origin).resolve().parent.parent


class SandboxError(RuntimeError):
    """The sandbox failed, and nothing is known of the program; a program that fails is described in a Reply."""


class UnsupportedPlatformError(SandboxError):
    """The system lacks what running students' code needs."""


class ServerLostError(SandboxError):
    """The zygote died or does not answer, or a process could not be started."""


class IsolationError(SandboxError):
    """A student's process could not be locked down; no student code has run in it."""


def can_fork() -> bool:
    """Return True where this system has all that a zygote and its lock-down need; only Linux does."""
    has = (
        hasattr(os, "fork")
        and hasattr(os, "wait4")
        and hasattr(socket, "send_fds")
        and hasattr(socket, "SOCK_SEQPACKET")
    )
    return sys.platform == "linux" and has


@dataclass(frozen=True)
class Ending:
    """How a student's process ended; `cpu_seconds` is the processor time of it and of all that it forked."""

    # Its exit code, below zero for a signal; None where it had to be killed, or went together with the zygote.
    code: int | None
    cpu_seconds: float
    with_zygote: bool = False


class ForkServer:
    """One zygote, started by exec so that it inherits none of the grader's memory.

    original : the server of the process that forked this one. Where its zygote can, it forks one for us, which saves all loading.
    lean : it serves a single program, and loads what most need. forked : it is a fork of this process where that has loaded
    little yet, which saves a second Python and numpy: for one's own program alone, which may see our memory.
    meanwhile : called while the zygote starts.

    `missing` says of each layer of the lock-down that is not in force why, `facts` of others what there is to know.

    It lives as long as the thread that made it: when that ends, the kernel tells the zygote to go.
    """

    streams = True  # its processes are told all of their questions at once

    def __init__(
        self,
        disabled: DisabledLayers = NONE_DISABLED,
        *,
        lean: bool = False,
        forked: bool = False,
        original: ForkServer | None = None,
        meanwhile: Callable[[], object] = lambda: None,
    ) -> None:
        self._original = original
        self._lean = lean
        self._forked = forked
        self.versions: dict[str, str] = {}
        self.missing: dict[str, str] = {}
        self.facts: dict[str, str] = {}
        self._disabled = disabled
        self._control: socket.socket
        self._process: subprocess.Popen[bytes] | CopiedZygote
        self._errors: IO[bytes]
        self._owner = 0
        self._asked = 0
        self._start(meanwhile)

    def _start(self, meanwhile: Callable[[], object] = lambda: None) -> None:
        self._control, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self._errors = tempfile.TemporaryFile()  # noqa: SIM115 -- closed with the zygote
        self._owner = os.getpid()
        original, self._original = self._original, None
        with theirs:
            if original is None:
                self._process = self._execute(theirs)
            else:
                self._process = CopiedZygote()
                with suppress(OSError):
                    descriptors = [theirs.fileno(), self._errors.fileno()]
                    socket.send_fds(original._control, [b'{"do": "copy"}'], descriptors)  # noqa: SLF001 -- of its own kind
        try:
            meanwhile()
            told = self._hear(START_TIMEOUT)
            self.versions, self.missing, self.facts = (dict(told[name]) for name in ("versions", "missing", "facts"))
            if isinstance(self._process, CopiedZygote):
                self._process.know(told["pid"])
        except BaseException as error:
            self.close(timeout=1.0)
            if original is None or not isinstance(error, ServerLostError):
                raise
            self._start()  # the original has ended, or may not fork one here

    def _execute(self, theirs: socket.socket) -> subprocess.Popen[bytes]:
        words = [
            str(theirs.fileno()),
            str(os.getpid()),
            json.dumps(asdict(self._disabled)),
            "lean" if self._lean else "whole",
        ]
        command = start_command(sys.executable, START_ZYGOTE, *words)
        forked = self._forked and is_fresh()
        if forked:
            importlib.import_module("numpy.random")
        return subprocess.Popen(  # noqa: S603 -- our own script, by our own interpreter
            command,
            preexec_fn=partial(become_zygote, command, ENVIRONMENT) if forked else None,  # noqa: PLW1509 -- there is no thread
            env=ENVIRONMENT,
            cwd="/",
            pass_fds=[theirs.fileno()],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=self._errors,
            # Ctrl-C in a terminal is for the grader, which then ends us in order.
            start_new_session=True,
        )

    @property
    def alive(self) -> bool:
        """Return True where the zygote runs and is a child of this very process, not of one that this was forked from."""
        return self._owner == os.getpid() and self._process.poll() is None

    @property
    def pid(self) -> int:
        """The zygote's process id."""
        return self._process.pid

    def replace(self) -> None:
        """End this zygote, however it is, and start another."""
        self.close(timeout=1.0)
        self._start()

    def fork(self, channel: socket.socket, output: int, questions: int, limits: ResourceLimits) -> int:
        """Fork a student's process, which gets its end of the channel and two files, for its outputs and with its questions.

        Returns its process id.
        """
        descriptors = [channel.fileno(), output, questions]
        pid = self._ask({"do": "start", "limits": asdict(limits)}, descriptors).get("pid")
        if type(pid) is not int:
            raise ServerLostError("the zygote did not say which process it forked")
        return pid

    def dump_traceback(self) -> None:
        """Ask the student's process for a traceback on its output; it may not answer."""
        self._ask({"do": "dump_traceback"})

    def end(self, timeout: float) -> Ending:
        """End the student's process and all that it forked; it has `timeout` seconds of its own time to end by itself."""
        answer = self._ask({"do": "end", "timeout": timeout})
        status, seconds = answer.get("status"), answer.get("cpu_seconds")
        if not (status is None or type(status) is int) or type(seconds) not in {int, float}:
            raise ServerLostError("the zygote did not say how the process ended")
        return Ending(None if status is None else os.waitstatus_to_exitcode(status), float(seconds or 0))

    def close(self, timeout: float = ANSWER_TIMEOUT) -> None:
        """End the zygote, which ends what is left of the student's processes; kill it after `timeout` seconds."""
        if self._owner == os.getpid():
            with suppress(OSError):  # for its copies' owners have it, too
                self._control.shutdown(socket.SHUT_RDWR)
        self._control.close()
        if self._owner == os.getpid():
            try:
                self._process.wait(timeout)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
        self._errors.close()

    def _ask(self, message: dict[str, Any], descriptors: list[int] | None = None) -> dict[str, Any]:
        self._asked += 1
        try:
            self._control.settimeout(ANSWER_TIMEOUT)
            numbered = json.dumps(message | {"number": self._asked}).encode()
            socket.send_fds(self._control, [numbered], descriptors or [])
        except OSError as error:
            raise ServerLostError(f"the zygote cannot be asked: {error}") from error
        answer = self._hear(ANSWER_TIMEOUT)
        # A student's process that got hold of this socket can speak on it; a zygote that is out of step is replaced.
        if answer.get("number") != self._asked:
            raise ServerLostError("the zygote answered something else than it was asked")
        return answer

    def _hear(self, seconds: float) -> dict[str, Any]:
        try:
            self._control.settimeout(seconds)
            data = self._control.recv(1 << 16)
        except OSError as error:
            raise ServerLostError(f"the zygote does not answer: {error}") from error
        if not data:
            raise ServerLostError(f"the zygote ended: {self._last_words()}")
        try:
            message = json.loads(data)
        except ValueError as error:
            raise ServerLostError("the zygote's answer is no JSON") from error
        if not isinstance(message, dict):
            raise ServerLostError("the zygote's answer is no object")
        return message

    def _last_words(self) -> str:
        self._errors.seek(0)
        return self._errors.read()[-2000:].decode(errors="replace").strip() or "it wrote nothing"
