"""Our end of one student's process: send it a call, wait for the reply until a deadline, end it."""

import contextlib
import os
import socket
import time
from collections.abc import Sequence

from grader.model import Outcome

from . import output_file, protocol
from .deadline import Deadline
from .forkserver import START_TIMEOUT, Ending, ForkServer, IsolationError, ServerLostError
from .policy import FILE_BYTES, ResourceLimits
from .source_map import ending_in_words
from .spawn import SpawnServer
from .worker_main import CHANNEL_LOST

# How long a process has to write its traceback, of its own time, and how often we look for it.
TRACEBACK_TIMEOUT = 0.2
TRACEBACK_POLL = 0.01
# How long a process may take to be gone after it closed the channel, of its own time.
EXIT_TIMEOUT = 0.3
# How much of its own output is read: the file's cap.
OUTPUT_BYTES = FILE_BYTES


class ProcessEndedError(Exception):
    """The program failed: its process closed the channel instead of answering."""


class DuplicateReplyError(Exception):
    """The program failed: its process replied twice to the call that it answered last; `number` is that call's."""

    def __init__(self, number: int) -> None:
        super().__init__(f"two replies to call {number}")
        self.number = number


class Child:
    """One student's process; `layers` names the isolation that it reported before it had seen any student code."""

    def __init__(self, server: ForkServer | SpawnServer, questions: int, limits: ResourceLimits) -> None:
        self._server = server
        self._output = output_file.create()
        self._channel, theirs = socket.socketpair()
        self._reader = protocol.Reader()
        self._shown = 0
        self._answered = -1
        self._ending: Ending | None = None
        try:
            with theirs:
                self.pid = self._fork(theirs, questions, limits)
            self.layers = self._hear_layers()
        except BaseException:
            self.release()
            raise

    def _fork(self, theirs: socket.socket, questions: int, limits: ResourceLimits) -> int:
        try:
            return self._server.fork(theirs, self._output, questions, limits)
        except ServerLostError:
            # It may have died between two submissions, of anything; a second death in a row is a fault of ours.
            self._server.replace()
            return self._server.fork(theirs, self._output, questions, limits)

    def _hear_layers(self) -> tuple[str, ...]:
        try:
            frame = protocol.receive(self._channel, self._reader, Deadline(self.pid, START_TIMEOUT))
        except TimeoutError:
            frame = None
        if frame is None:
            self.end(EXIT_TIMEOUT)
            raise IsolationError(f"a student's process could not be locked down: {self.output().strip()[-1000:]}")
        return tuple(str(layer) for layer in frame.message["ready"])

    def send(self, pieces: Sequence[memoryview], deadline: Deadline) -> None:
        """Send the one message that the process gets; raise TimeoutError where it does not take it."""
        try:
            protocol.send(self._channel, pieces, deadline)
        except TimeoutError:
            raise
        except OSError:
            pass  # it has gone, or has closed its end; perhaps it said something before

    def hear(self, number: int, deadline: Deadline) -> protocol.Frame:
        """Return the reply to a call, which the process answers once it has answered those before.

        Raises TimeoutError, ProcessEndedError, DuplicateReplyError, or protocol.ProtocolError where what comes is no reply to it.
        """
        frame = protocol.receive(self._channel, self._reader, deadline)
        if frame is None:
            raise ProcessEndedError
        replied = frame.message.get("number")
        # Before the first reply nothing is answered: -1 as the first number is a lie, and no second reply to anything.
        if type(replied) is int and 0 <= replied == self._answered:
            raise DuplicateReplyError(replied)
        if type(replied) is not int or replied != number:
            raise protocol.ProtocolError("a reply to a call that was not asked")
        self._answered = number
        return frame

    def shutdown(self, deadline: Deadline) -> None:
        """Close our direction of the channel; raise DuplicateReplyError where the process sends anything more."""
        with contextlib.suppress(OSError):
            self._channel.shutdown(socket.SHUT_WR)
        with contextlib.suppress(TimeoutError):
            try:
                frame = protocol.receive(self._channel, self._reader, deadline)
            except protocol.ProtocolError:
                raise DuplicateReplyError(self._answered) from None
            if frame is not None:
                raise DuplicateReplyError(self._answered)

    def dump_traceback(self) -> None:
        """Ask the process for a traceback, and wait a moment for it to be written to its output."""
        with contextlib.suppress(ServerLostError, TimeoutError):
            before = size = self._size()
            self._server.dump_traceback()
            deadline, last = Deadline(self.pid, TRACEBACK_TIMEOUT), before
            while not size == last != before:
                time.sleep(min(deadline.pause(), TRACEBACK_POLL))
                deadline.note_silence()
                last, size = size, self._size()

    def _size(self) -> int:
        return min(os.fstat(self._output).st_size, OUTPUT_BYTES)

    def output(self, until: object = None) -> str:
        """Return what the process wrote to descriptors 1 and 2 since this was last asked, up to a size of the file if it is one."""
        size = self._size()
        if type(until) is int:
            size = min(size, until)
        if size <= self._shown:
            self._shown = size  # nothing new, or the process cut its own output short
            return ""
        data = output_file.read(self._output, self._shown, size - self._shown)
        self._shown = size
        return data.decode("utf-8", "replace")

    def end(self, timeout: float) -> Ending:
        """End the process and all that it forked; see ForkServer.end. Where the zygote is lost, it is replaced."""
        if self._ending is None:
            try:
                self._ending = self._server.end(timeout)
            except ServerLostError:
                self._server.replace()
                self._ending = Ending(None, 0.0, with_zygote=True)
        return self._ending

    def release(self) -> None:
        """Close our descriptors."""
        self._channel.close()
        os.close(self._output)


def describe_ending(ending: Ending) -> tuple[Outcome, str]:
    """Return what became of a process that ended, or closed the channel, instead of replying."""
    if ending.with_zygote:
        return "crashed", "its process ended together with the one that it was forked from"
    if ending.code is None or ending.code == CHANNEL_LOST:
        return "broke_protocol", "its process closed the channel to the grader"
    return "crashed", ending_in_words(ending.code)
