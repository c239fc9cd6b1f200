"""The questions of a class in one file in memory, laid out once: each student's process maps it, and none can change it.

So a process can look at its later questions while it answers the first. It gains nothing by that:

* What is right for a question follows from what stands in this very question, whichever questions come after it. No answer,
  no seed and nothing that depends on a reply is in the file: the calls are drawn before any process is started.
* The order of the questions keeps a program from giving an earlier answer of its own once more. Ahead of it are questions
  without answers: there is nothing to repeat.
* That two questions are the same, or about the same network, could always be seen when the second one came; checks that
  hold two replies against each other hold each against the reference as well, or can only withhold points.
* The records of watched runs are the student's word, and were before; what a stand-in will answer follows from the seed of
  its own question, which stands beside it.
* Which questions are left out is our end's to say, by replies that it has compared. They may be known here all the same.
* The secret seed is there so that nobody has answers ready before the class is graded. Whoever reads ahead is being graded.

A file that could be written, or a mapping that could be made writable, would let one submission change what the next is
asked: it is sealed before anybody else has it.
"""

import os
from collections.abc import Sequence

from grader.model import Call

from . import output_file
from .messages import pack_call


class QuestionFile:
    """An open file with a frame for each call; `places` are their first bytes and ends."""

    def __init__(self, calls: Sequence[Call]) -> None:
        frames = [b"".join(pack_call(number, call)) for number, call in enumerate(calls, start=1)]
        self.places: list[tuple[int, int]] = []
        end = 0
        for frame in frames:
            self.places.append((end, end := end + len(frame)))
        self.descriptor = output_file.create_sealed(b"".join(frames))

    def close(self) -> None:
        """Close our descriptor, once; a process that has mapped the file keeps it."""
        if self.descriptor >= 0:
            os.close(self.descriptor)
        self.descriptor = -1
