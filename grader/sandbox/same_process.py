"""Ask a class that is defined in this very process, for its author alone: no process, no thread and no file is needed.

Nothing is isolated, and nothing ends an endless loop but its author. What the questions change in this process (random
generators, outputs, warnings) is put back.
"""

import random
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np
import numpy.random.bit_generator

from grader.model import CLASSIC, Call, Methods, QuestionId, Reply, Run, StudentError, Submission

from . import dispatch, protocol
from .capture import OutputCapture, ReportedError
from .messages import first_method, pack_call, reply_of
from .source_map import SourceMap

LAYER = "same_process"


class SameProcessHost:
    """Asks one class, as `host.StudentHost` asks a program.

    made : the class. variables : what stands beside it. files : under which name each cell was compiled, by its label.
    """

    def __init__(
        self, made: type, variables: Mapping[str, Any], files: Mapping[str, str], printed_characters: int
    ) -> None:
        self._made = made
        self._variables = variables
        self._files = files
        self._most = printed_characters
        self._remembered: dict[str, Any] = {}
        self._methods = vars(CLASSIC)

    def run(self, submission: Submission, _class_name: str, calls: Sequence[Call], methods: Methods = CLASSIC) -> Run:
        """Return the replies to the calls; what interrupts the kernel ends them."""
        self._methods = vars(methods)
        text = SourceMap(submission)
        labels = {file: label for label, file in self._files.items()}
        capture = OutputCapture(frozenset(labels), self._most)
        started, cpu = time.monotonic(), time.process_time()
        with _put_back():
            replies = {
                call.id: self._reply(number, call, capture, text, labels) for number, call in enumerate(calls, start=1)
            }
        return Run(
            load=Reply(QuestionId("load"), "returned"),
            replies=replies,
            isolation=(LAYER,),
            versions={"python": sys.version.split()[0], "numpy": np.__version__},
            seconds=time.monotonic() - started,
            cpu_seconds=time.process_time() - cpu,
        )

    def _reply(
        self, number: int, call: Call, capture: OutputCapture, text: SourceMap, labels: Mapping[str, str]
    ) -> Reply:
        # Laid out and read again as on the way to another process: the class gets arrays of its own, and gives checked ones.
        question = protocol.unpack(b"".join(pack_call(number, call)))
        with capture.capturing():
            known = frozenset(labels)
            answer = dispatch.Answer(self._made, question, self._variable, self._remembered, known, self._methods)
            error = None
            try:
                answer.take_steps()
            except KeyboardInterrupt:
                raise  # the student's own, at the kernel: without a time limit it is what ends an endless loop
            except BaseException as raised:  # noqa: BLE001 -- whatever the student's code raises is the answer
                error = capture.error(answer.during, raised)
        message = answer.describe(number, error) | {
            "printed": capture.printed,
            "warnings": [_name_cells(text, labels) for text in capture.warnings],
        }
        try:
            frame = protocol.unpack(b"".join(protocol.pack(_rename(message, labels.get), answer.packing.arrays)))
            return reply_of(frame, call.id, len(call.steps), text, self._most)
        except protocol.ProtocolError as refused:
            told = StudentError(first_method(call), "ValueError", f"returned {refused}")
            return Reply(call.id, "raised", error=told)

    def _variable(self, name: str) -> Any:
        if name not in self._variables:
            raise ReportedError("NameError", f"there is no {name}; write {name} = ... in a cell of its own")
        return self._variables[name]


def _name_cells(text: str, labels: Mapping[str, str]) -> str:
    for file, label in labels.items():
        text = text.replace(file, label)
    return text


def _rename(described: Any, label_of: Callable[[str], str | None]) -> Any:
    """Return a described reply in which cells have their labels: Python knows them by the names of files that are none."""
    if isinstance(described, str):
        return label_of(described) or described
    if isinstance(described, dict):
        return {key: _rename(value, label_of) for key, value in described.items()}
    if isinstance(described, list | tuple):
        return [_rename(one, label_of) for one in described]
    return described


@contextmanager
def _put_back() -> Iterator[None]:
    """Leave this process afterwards as it was before."""
    streams = {name: getattr(sys, name) for name in ("stdout", "stderr", "__stdout__", "__stderr__")}
    generators = np.random.get_state(), random.getstate()  # noqa: NPY002 -- students use the global generator
    seeding, entropy = random.seed, numpy.random.bit_generator.randbits  # type: ignore[attr-defined]
    tracer = sys.gettrace()
    try:
        yield
    finally:
        sys.settrace(tracer)
        random.seed = seeding
        numpy.random.bit_generator.randbits = entropy  # type: ignore[attr-defined]
        np.random.set_state(generators[0])  # noqa: NPY002 -- the same
        random.setstate(generators[1])
        for name, stream in streams.items():
            setattr(sys, name, stream)
