"""Work on a student's text in a process that may use only so much: whatever the text holds, it costs its author alone.

Reading, reducing and locating follow trees and loops that the text lays out, and much of it happens in C (parser,
compiler, decoders), where no exception of ours gets through. So the kernel ends the process at its limit, wherever it
is; that CPython's parser crashes on a text is no more than one submission that cannot be read. The limit is of processor
time: how busy the machine is decides nothing.
"""

import gc
import os
import pickle
import signal
import socket
import struct
import sys
import traceback
import warnings
from collections.abc import Callable
from typing import Any, Generic, NoReturn, ParamSpec, TypeVar

if sys.platform == "linux":
    import resource

Given = ParamSpec("Given")
Result = TypeVar("Result")

SECONDS = 3.0  # of processor time for one call; a notebook of a hundred cells takes 0.05
# On top of what the process has when the call begins. What is read is held by three more processes at most,
# 16 MiB each (`read_files.TOTAL_BYTES`): together below 200 MiB.
MEBIBYTES = 120
_MIB = 1 << 20
_WALL_SECONDS = 300.0  # only a process that waits for what never comes takes as long
_MOST_GROWN = 32 * _MIB  # a process that has kept more of its earlier calls is replaced by a new one
_LARGEST_RESULT = 32 * _MIB
_FEW_OBJECTS = 50_000
_LENGTH = struct.Struct("<Q")


class OverLimitError(Exception):
    """A call needed more than it may have; the text says of what: "took more than 3 s of processor time"."""


class LimitedProcess(Generic[Given, Result]):
    """A function that is called in a process of its own, one call after another; each call has the limits anew.

    The process is forked at the first call and knows all that was known then; arguments and results are sent. Where there
    is no fork, or none that is safe (Windows, macOS), the function is called in this process, without limits.
    """

    def __init__(self, function: Callable[Given, Result]) -> None:
        self._function = function
        self._child = self._began_with = 0
        self._channel: socket.socket | None = None
        self._owner = 0  # the process that forked it; a copy of this object in another one has no part in it

    def __call__(self, *args: Given.args, **kwargs: Given.kwargs) -> Result:
        """Return what the function returns, or raise what it raises; raise OverLimitError where it needs too much."""
        if sys.platform != "linux" or not hasattr(os, "fork"):
            return self._function(*args, **kwargs)
        request = pickle.dumps((args, kwargs), pickle.HIGHEST_PROTOCOL)
        if self._channel is None or self._owner != os.getpid():
            self._channel, self._owner = self._fork(), os.getpid()
        try:
            _send(self._channel, request)
            kind, value = pickle.loads(_receive(self._channel))  # noqa: S301 -- of our own process
        except TimeoutError as error:
            self.close()
            raise OverLimitError(f"did not end within {_WALL_SECONDS:g} s") from error
        except (OSError, EOFError) as error:
            raise OverLimitError(self._explain_death(self._channel)) from error
        except BaseException:  # Ctrl-C: what comes now would be taken for the result of the next call
            self.close()
            raise
        if kind != "returned" or _address_space(self._child) > self._began_with + _MOST_GROWN:
            self.close()
        if kind == "over":
            raise OverLimitError(value)
        if kind == "raised":
            raise RuntimeError(value)
        return value  # type: ignore[no-any-return]

    def close(self) -> None:
        """End the process, if there is one; a later call makes another."""
        channel, self._channel = self._channel, None
        if channel is not None and self._owner == os.getpid():
            channel.close()
            os.kill(self._child, signal.SIGKILL)
            os.waitpid(self._child, 0)

    def _fork(self) -> socket.socket:
        ours, theirs = socket.socketpair()
        with warnings.catch_warnings():
            # A thread of a pool may be waiting elsewhere in this process. It holds no lock that the child needs.
            warnings.simplefilter("ignore", DeprecationWarning)
            self._child = os.fork()
        if self._child == 0:
            _serve(theirs, self._function)
        theirs.close()
        self._began_with = _address_space(self._child)
        ours.settimeout(_WALL_SECONDS)
        return ours

    def _explain_death(self, channel: socket.socket) -> str:
        """Return what the process died of, in words; raise RuntimeError where it ended by a fault of ours."""
        channel.close()
        self._channel = None
        _, status = os.waitpid(self._child, 0)
        if not os.WIFSIGNALED(status):
            raise RuntimeError(f"a limited process ended with {os.waitstatus_to_exitcode(status)}")
        by = signal.Signals(os.WTERMSIG(status))
        if by == signal.SIGPROF:
            return f"took more than {SECONDS:g} s of processor time"
        return f"ended the process that did it ({by.name})"


def _serve(channel: socket.socket, function: Callable[..., Any]) -> NoReturn:
    """Answer calls until nobody asks any more; nothing of the parent's is touched, and its exit handlers do not run."""
    code = 1
    try:
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the parent's to answer
        for deadly in (signal.SIGPROF, signal.SIGTERM):
            signal.signal(deadly, signal.SIG_DFL)
        _close_all_but(channel)
        gc.freeze()  # what was there before is never looked at again, and stays shared with the parent
        gc.set_threshold(_FEW_OBJECTS)  # a usual call makes no more, and is not looked through while it does
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        most = resource.getrlimit(resource.RLIMIT_AS)[1]
        while True:
            request = _receive(channel)
            signal.setitimer(signal.ITIMER_PROF, SECONDS)
            resource.setrlimit(resource.RLIMIT_AS, (_address_space(os.getpid()) + MEBIBYTES * _MIB, most))
            result = _call(function, request)
            resource.setrlimit(resource.RLIMIT_AS, (most, most))
            signal.setitimer(signal.ITIMER_PROF, 0)
            _send(channel, result)
            del request, result
    except EOFError:
        code = 0
    finally:
        os._exit(code)


def _call(function: Callable[..., Any], request: bytearray) -> bytes:
    """Return what came of a call, packed."""
    try:
        args, kwargs = pickle.loads(request)  # noqa: S301 -- of our own process
        result = pickle.dumps(("returned", function(*args, **kwargs)), pickle.HIGHEST_PROTOCOL)
        if len(result) <= _LARGEST_RESULT:
            return result
    except RecursionError:
        return pickle.dumps(("over", "went deeper than Python's stack"))
    except MemoryError:
        pass
    except Exception:  # noqa: BLE001 -- it is raised in the parent
        return pickle.dumps(("raised", traceback.format_exc()))
    return pickle.dumps(("over", f"took more than {MEBIBYTES} MiB of memory"))


def _close_all_but(channel: socket.socket) -> None:
    """Close every file of the parent's: a lock on one would outlive the parent, and a pipe would stay open."""
    nothing = os.open(os.devnull, os.O_RDWR)
    for standard in range(3):
        os.dup2(nothing, standard)
    os.closerange(3, channel.fileno())
    os.closerange(channel.fileno() + 1, resource.getrlimit(resource.RLIMIT_NOFILE)[0])


def _address_space(process: int) -> int:
    with open(f"/proc/{process}/statm", "rb") as table:  # noqa: PTH123 -- once a submission
        return int(table.read().split()[0]) * resource.getpagesize()


def _send(channel: socket.socket, data: bytes) -> None:
    channel.sendall(_LENGTH.pack(len(data)) + data)


def _receive(channel: socket.socket) -> bytearray:
    return _receive_exactly(channel, *_LENGTH.unpack(_receive_exactly(channel, _LENGTH.size)))


def _receive_exactly(channel: socket.socket, length: int) -> bytearray:
    data = bytearray(length)
    view = memoryview(data)
    while view:
        if not (count := channel.recv_into(view)):
            raise EOFError
        view = view[count:]
    return data
