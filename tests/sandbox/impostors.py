"""A student's process that is played: a thread at the other end of the channel sends what a script says.

So the host's end is asked as a whole, `StudentHost.run` and all below it, and each answer is bytes that a test chose.
"""

import contextlib
import gc
import itertools
import json
import os
import socket
import struct
import subprocess
import threading
import time
import unicodedata
from dataclasses import replace
from pathlib import Path
from typing import get_args

import numpy as np

from grader.model import OpaqueValue, Outcome, Step
from grader.sandbox import messages, protocol, values
from grader.sandbox.forkserver import Ending
from grader.sandbox.host import StudentHost

CLOSE, STALL = "close", "stall"
LOAD, TARGET = 0, 2  # numbers of the two messages that are answered with hostility; 1 and 3 are answered honestly
MARGIN = 5.0  # seconds beyond every deadline: what is asked is that nothing hangs, on the busiest machine
TRACE = b'Current thread 0x1 (most recent call first):\n  File "code cell 1", line 9 in loss\n'


class Impostors:
    """A server whose processes are threads; `script(process, number)` gives the acts that answer a message.

    An act is bytes for the channel, ("print", bytes) for the process's own output, CLOSE, or STALL.
    """

    alive, pid, streams = True, 0, True
    versions, missing, facts = {"python": "3"}, {}, {}

    def __init__(self, script):
        self.script = script
        self.sent = 0
        self._born = itertools.count()
        self._gone = threading.Event()
        self._asleep = subprocess.Popen(["sleep", "600"])

    def fork(self, channel, output, questions, _limits):
        """Start a thread in place of a process; return the id of one that uses no processor time."""
        self._gone = threading.Event()
        self._channel, self._output = channel.dup(), os.dup(output)
        self._questions = os.pread(questions, os.fstat(questions).st_size, 0)
        self._thread = threading.Thread(target=self._live, args=(next(self._born),))
        self._thread.start()
        return self._asleep.pid

    def dump_traceback(self):
        """Say where it is, as a process does that is asked by a signal."""
        os.write(self._output, TRACE)

    def end(self, _patience):
        """Kill it: its end of the channel is closed, whatever it is doing."""
        self._gone.set()
        with contextlib.suppress(OSError):
            self._channel.shutdown(socket.SHUT_RDWR)
        self._thread.join(20)
        assert not self._thread.is_alive()
        self._channel.close()
        os.close(self._output)
        return Ending(None, 0.0)

    def close(self):
        """End the process whose id was given."""
        self._asleep.kill()
        self._asleep.wait()

    def _live(self, process):
        reader = protocol.Reader(protocol.MAX_OWN_HEADER)
        with contextlib.suppress(OSError):
            self._say(b"".join(protocol.pack({"ready": ["process"]})))
            told = protocol.read(self._channel.fileno(), reader)
            if told is None:
                return
            asked = [
                protocol.unpack(self._questions[start:end]).message["number"] for start, end in told.message["asked"]
            ]
            for act in (act for number in (LOAD, *asked) for act in self.script(process, number)):
                self._act(act)
            protocol.read(self._channel.fileno(), reader)
            self._act(CLOSE)

    def _act(self, act):
        if act == CLOSE:
            self._channel.shutdown(socket.SHUT_RDWR)
        elif act == STALL:
            self._gone.wait(60)
        elif isinstance(act, tuple):
            os.write(self._output, act[1])
        else:
            self._say(act)

    def _say(self, data):
        rest = memoryview(data)
        while rest:
            written = self._channel.send(rest)
            self.sent += written
            rest = rest[written:]


# ---------------------------------------------------------------- frames, made by hand


def prefix(length):
    """Make the first eight bytes of a frame."""
    return struct.pack("<4sI", b"2LN1", length)


def framed(header, body=b""):
    """Make a frame's bytes, of a header as text or as a tree."""
    encoded = (header if isinstance(header, str) else json.dumps(header)).encode("utf-8", "surrogatepass")
    return prefix(len(encoded)) + encoded + body


def reply(number, results=(), arrays=(), **more):
    """Make the frame of a reply, but for its arrays' bytes."""
    return framed({"arrays": list(arrays), "message": {"number": number, "results": list(results), **more}})


def spoken(answer, number):
    """Return header and body of the frame in which a process would send a Reply."""
    packing = values.Packing()
    message = {
        "number": number,
        "error": None,
        "results": [packing.describe(result) for result in answer.results],
        "own_shapes": {name: list(shape) for name, shape in answer.own_shapes.items()},
        "positional": ["predict"],
        "printed": "epoch 1",
        "warnings": ["RuntimeWarning: overflow"],
    }
    arrays = [[array.dtype.str, list(array.shape)] for array in packing.arrays]
    return {"arrays": arrays, "message": message}, b"".join(array.tobytes() for array in packing.arrays)


# ---------------------------------------------------------------- one submission, played again and again


class Stage:
    """A submission of three calls, and what an honest process replied to them; `sent` counts the bytes of the last play."""

    def __init__(self, host, submission, network, question, limits):
        self.text, self.limits, self.sent = submission(network()), limits, 0
        data = {"X": question.X, "y": question.y, "X_val": question.X, "y_val": question.y}
        # The target's reply holds every kind of value.
        self.steps = (
            Step("loss", {"X": question.X}),
            Step("loss", {"X": question.X, "y": question.y, "reg": 0.1}),
            Step("predict", {"X": question.X}),
            Step("train", {**data, "num_iters": 4, "batch_size": 2}),
            Step("params"),
        )
        self.calls = question("before"), question("target", *self.steps), question("after")
        self.run = host.run(self.text, "TwoLayerNet", self.calls)
        assert {answer.outcome for answer in self.run.replies.values()} == {"returned"}
        answers = enumerate([self.run.load, *self.run.replies.values()])
        self.parts = {number: spoken(answer, number) for number, answer in answers}
        self.frames = {number: framed(*part) for number, part in self.parts.items()}

    def play(self, acts, at=TARGET, seconds=10.0):
        """Run the submission where the first process answers message `at` with these acts; give the Run.

        It must come in time, hold nothing but plain values, and leave no trace in the next submission.
        """
        honest = {number: [frame] for number, frame in self.frames.items()}
        server = Impostors(lambda process, number: acts if (process, number) == (0, at) else honest[number])
        calls = [replace(call, seconds=seconds) if call.id == "target" else call for call in self.calls]
        before = descriptors()
        with StudentHost(self.limits, server=server) as played:
            began = time.monotonic()
            run = played.run(self.text, "TwoLayerNet", calls)
            assert time.monotonic() - began < seconds + MARGIN
            self.sent = server.sent
            server.script = lambda _process, number: honest[number]
            self.must_be_honest(played.run(self.text, "TwoLayerNet", self.calls).replies)
        assert descriptors() == before
        self.must_be_plain(run)
        return run

    def blamed_before(self, run):
        """Return whether what came was a second reply to the call before, so that another process was asked the rest."""
        if run.replies["before"].outcome == "returned":
            return False
        assert run.replies["before"].error.message == "its process sent two replies to one call"
        self.must_be_honest(run.replies, ["target", "after"])
        return True

    def must_be_honest(self, found, names=("before", "target", "after")):
        """Compare with what an honest process answered."""
        for name in names:
            assert found[name].outcome == "returned", found[name]
            assert same(found[name].results, self.run.replies[name].results)

    def must_be_plain(self, run):
        """Look at all that is in a Run: known outcomes, plain values, places of the submission's own."""
        assert list(run.replies) == [call.id for call in self.calls]
        lines = self.text.segments[0].source.splitlines()
        for answer in (run.load, *run.replies.values()):
            must_be_plain_reply(answer, self.limits.printed_characters)
            for place in answer.error.places if answer.error else ():
                assert place.label == "code cell 1"
                assert type(place.line) is int
                assert place.text == lines[place.line - 1]


def descriptors():
    """Count this process's open descriptors, without those of objects that nobody holds any more."""
    gc.collect()
    return len(list(Path("/proc/self/fd").iterdir()))


def same(a, b):
    """Return whether two values are alike in type and content."""
    if isinstance(a, np.ndarray):
        return isinstance(b, np.ndarray) and a.dtype == b.dtype and a.shape == b.shape and a.tobytes() == b.tobytes()
    if isinstance(a, list | tuple):
        return type(a) is type(b) and len(a) == len(b) and all(map(same, a, b))
    if isinstance(a, dict):
        return isinstance(b, dict) and list(a) == list(b) and all(same(a[key], b[key]) for key in a)
    return type(a) is type(b) and a == b


# ---------------------------------------------------------------- what may come out


def must_be_plain_reply(answer, printed_characters):
    """Assert that a reply holds nothing but what a report can show."""
    assert answer.outcome in get_args(Outcome)
    assert (answer.error is None) == (answer.outcome == "returned")
    must_be_plain(answer.results)
    must_be_fit(answer.printed, printed_characters + 100)
    assert len(answer.warnings) <= messages.MAX_WARNINGS
    assert len(answer.positional) <= messages.MAX_WARNINGS
    assert len(answer.own_shapes) <= messages.MAX_SHAPES
    for text in (*answer.warnings, *answer.positional, *answer.own_shapes):
        must_be_fit(text, 2 * messages.MAX_MESSAGE)
    for shape in answer.own_shapes.values():
        assert all(type(side) is int and 0 <= side < 2**63 for side in shape)
    if answer.error:
        for text in (answer.error.during, answer.error.type, answer.error.message):
            must_be_fit(text, messages.MAX_MESSAGE + 100)


def must_be_plain(value):
    """Assert that a value is of the kinds that a Reply may hold, all the way down."""
    if type(value) in {list, tuple}:
        for one in value:
            must_be_plain(one)
    elif type(value) is dict:
        for key, one in value.items():
            must_be_fit(key, values.MAX_TEXT)
            must_be_plain(one)
    elif type(value) is np.ndarray:
        assert value.dtype.str in protocol.DTYPES
        assert value.ndim <= protocol.MAX_NDIM
        assert value.dtype.kind != "b" or value.view(np.uint8).max(initial=0) <= 1
    elif type(value) is OpaqueValue:
        must_be_fit(value.type, values.OPAQUE_TEXT)
        must_be_fit(value.text, values.OPAQUE_TEXT)
    elif type(value) is str:
        must_be_fit(value, values.MAX_TEXT)
    elif type(value) is int:
        assert value.bit_length() <= values.MAX_INT_BITS
    else:
        assert value is None or type(value) in {bool, float}


def must_be_fit(text, most):
    """Assert that a text is short, can be written to a file, and says nothing to a terminal."""
    assert type(text) is str
    assert len(text) <= most
    assert not [c for c in text if unicodedata.category(c) in {"Cc", "Cs"} and c not in "\t\n"]
