"""The questions of a class stand in one file that nobody can change, and the replies stream back, each with what is its own."""

import mmap
import os
import time

import pytest

from grader.sandbox import protocol
from grader.sandbox.child import Child
from grader.sandbox.question_file import QuestionFile

# Finds the mapping of the questions among the objects of its process, and writes into it.
SPOIL = """
import ctypes, gc, sys
frame = sys._getframe()
while "questions" not in frame.f_locals:
    frame = frame.f_back
mapped = frame.f_locals["questions"].obj
import numpy
address = numpy.frombuffer(mapped, numpy.uint8).ctypes.data
libc = ctypes.CDLL(None, use_errno=True)
if libc.mprotect(ctypes.c_void_p(address), ctypes.c_size_t(4096), 3) == 0:
    ctypes.memset(address, 255, 4096)
    raise ValueError("changed")
raise PermissionError(ctypes.get_errno(), "refused")
"""


def test_a_frame_stands_at_each_place(question):
    """The places cover the file, and each is the frame of its call."""
    file = QuestionFile([question("one"), question("two", reg=0.5)])
    with mmap.mmap(file.descriptor, 0, prot=mmap.PROT_READ) as mapped:
        numbers = [protocol.unpack(mapped[start:end]).message["number"] for start, end in file.places]
        assert file.places[-1][1] == len(mapped)
    assert numbers == [1, 2]
    file.close()


def test_the_file_cannot_be_written_by_whoever_has_it(question):
    """Neither written, nor cut, nor mapped so that it could be written."""
    file = QuestionFile([question("one")])
    for change in (
        lambda: os.pwrite(file.descriptor, b"x", 0),
        lambda: os.ftruncate(file.descriptor, 0),
        lambda: mmap.mmap(file.descriptor, 0, prot=mmap.PROT_READ | mmap.PROT_WRITE),
    ):
        with pytest.raises(PermissionError):
            change()
    file.close()


def test_no_submission_changes_what_the_next_is_asked(host, submission, network, question):
    """A process that has found its questions cannot make them writable, and the next submission is asked the same."""
    calls = [question("before"), question("bad", reg=666)]
    first, second = (host.run(submission(network(SPOIL)), "TwoLayerNet", calls) for _ in range(2))
    assert first.replies["bad"].error.type == "PermissionError"
    assert first.replies["before"].results[0][0] == second.replies["before"].results[0][0]


def test_each_reply_has_its_own_output_however_late_our_end_looks(monkeypatch, ask, network, question):
    """All replies have come before the first is read; what each call wrote to descriptor 1 is still told apart."""
    hear = Child.hear

    def late(self, number, deadline):
        time.sleep(0.3 if number == 1 else 0.0)
        return hear(self, number, deadline)

    monkeypatch.setattr(Child, "hear", late)
    body = network().replace("        W1, b1, W2", "        import os; os.write(1, b'%g' % reg)\n        W1, b1, W2")
    run = ask(body, *(question(f"{reg}", reg=reg) for reg in (0.25, 0.5, 2.0)))
    assert [reply.printed for reply in run.replies.values()] == ["0.25", "0.5", "2"]
