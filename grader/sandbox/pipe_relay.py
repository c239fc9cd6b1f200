"""Between our socket and a process's three pipes, for systems where a process cannot be given a socket.

The process speaks over its standard input and output, and what it prints comes as its standard error. Three threads carry
it, one pipe each, so that our end talks to a socket here as everywhere. They end by themselves when either side is closed.
"""

from __future__ import annotations

import contextlib
import os
import socket
import subprocess
import threading
from typing import IO

from . import output_file, protocol
from .policy import FILE_BYTES


def start(process: subprocess.Popen[bytes], channel: socket.socket, output: int) -> threading.Thread:
    """Begin to carry; give the thread with whose end all that the process printed is in the file `output`."""
    if process.stdin is None or process.stdout is None or process.stderr is None:
        raise ValueError("the process has no pipes")
    prints = _thread(_carry_prints, process.stderr, os.dup(output))
    _thread(_carry_questions, channel.dup(), process.stdin)
    _thread(_carry_answers, process.stdout, channel.dup())
    return prints


def _thread(function: object, *given: object) -> threading.Thread:
    # A daemon: a student's process that will not die must not keep the grader from ending.
    thread = threading.Thread(target=function, args=given, daemon=True)  # type: ignore[arg-type]
    thread.start()
    return thread


def _carry_questions(ours: socket.socket, stdin: IO[bytes]) -> None:
    # An error means that one side has gone; the other is then told by the closed end.
    with ours, stdin, contextlib.suppress(OSError):
        while data := ours.recv(protocol.CHUNK):
            protocol.write(stdin.fileno(), [memoryview(data)])


def _carry_answers(stdout: IO[bytes], ours: socket.socket) -> None:
    with stdout, ours, contextlib.suppress(OSError):
        with contextlib.suppress(OSError):
            while data := os.read(stdout.fileno(), protocol.CHUNK):
                ours.sendall(data)
        # The other thread holds this end open too, so closing it would tell nobody.
        ours.shutdown(socket.SHUT_WR)


def _carry_prints(stderr: IO[bytes], output: int) -> None:
    room = FILE_BYTES
    try:
        with stderr:
            # On past the cap: the limit is on the file, and a process that is not read from would stand still.
            while data := os.read(stderr.fileno(), protocol.CHUNK):
                output_file.append(output, data[:room])
                room -= min(room, len(data))
    finally:
        os.close(output)
