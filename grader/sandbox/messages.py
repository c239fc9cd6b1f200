"""Encode what a student's process is sent, and decode its replies; nothing in a reply is trusted before it is checked."""

import re
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from grader.model import Call, Methods, OpaqueValue, QuestionId, Reply, Segment, StudentError, Submission

from . import protocol, values
from .source_map import SourceMap

MAX_MESSAGE = 600
MAX_WARNINGS = 64
MAX_SHAPES = 64  # an own network has four parameters, or a dozen
MAX_NDIM = 64  # what numpy itself allows
# What all replies of one submission may take in memory together, in bytes: as much as the largest single one, its arrays
# and what its header can become. They are kept until they are judged, and thirty of the largest took 2 GiB.
MAX_KEPT = protocol.MAX_BYTES + 16 * protocol.MAX_HEADER
ARRAY_BYTES = 128  # of an array's object, besides its numbers
NUMBER_BYTES = 40  # of a number in a list: the object and the list's pointer to it
_NUMBERS = frozenset({int, float, bool})
# An address in a text ("<Net object at 0x7f31...>") differs from run to run, and reports must not.
_ADDRESS = re.compile(r"0x[0-9a-fA-F]{6,}")
_UNPRINTABLE = r"[^\t\n\x20-\x7e\xa0-\ud7ff\ue000-\U0010ffff]"  # 5 ms to compile, and most programs need it not


@dataclass(frozen=True)
class Awaited:
    """What a process replies to next: the submission (number 0), or a call."""

    id: QuestionId
    number: int
    seconds: float
    during: str
    steps: int = 0
    source: Sequence[memoryview] = ()  # what is sent to the process before


def clean(text: str, most: int) -> str:
    """Return a student's text without terminal codes, lone surrogates and addresses, at most `most` characters of it."""
    if text.isascii() and text.isprintable() and "0x" not in text:  # as the names of parameters, 500 a submission
        return text[:most]
    return _ADDRESS.sub("0x...", re.sub(_UNPRINTABLE, "\N{REPLACEMENT CHARACTER}", text[: 2 * most]))[:most]


def pack_submission(
    submission: Submission,
    class_name: str,
    methods: Methods,
    printed_characters: int,
    asked: Sequence[tuple[int, int]] = (),
) -> list[memoryview]:
    """Lay out a submission for its process; asked : where in the file of questions those are that it answers, in order."""
    message = {
        "segments": [_describe_segment(segment) for segment in submission.segments],
        "extras": [_describe_segment(segment) for segment in submission.extras],
        "modules": [
            {"name": module.name, "segment": _describe_segment(module.segment), "package": module.is_package}
            for module in submission.modules
        ],
        "class_name": class_name,
        "methods": vars(methods),
        "printed_characters": printed_characters,
        "asked": asked,
    }
    return protocol.pack(message, (), protocol.MAX_OWN_HEADER)


def _describe_segment(segment: Segment) -> dict[str, Any]:
    return {"label": segment.label, "source": segment.source, "kept": list(segment.kept)}


def pack_call(number: int, call: Call) -> list[memoryview]:
    """Lay out one call for the student's process; raise TypeError where a value of it cannot travel."""
    packing = values.Packing()
    message: dict[str, Any] = {
        "number": number,
        "sizes": [int(size) for size in call.sizes],
        "seed": int(call.seed),
        "params": packing.describe({name: np.asarray(value) for name, value in call.params.items()}),
        "steps": [[step.method, packing.describe(dict(step.arguments))] for step in call.steps],
    }
    if _has_opaque(message["params"]) or any(_has_opaque(described) for _, described in message["steps"]):
        raise TypeError(
            f"call {call.id}: an argument is neither None, bool, number, text, array, nor a container of these"
        )
    return protocol.pack(message, packing.arrays, protocol.MAX_OWN_HEADER)


def _has_opaque(described: Any) -> bool:
    match described:
        case ["opaque", _, _]:
            return True
        case ["list" | "tuple", list(entries)]:
            return any(_has_opaque(one) for one in entries)
        case ["dict", list(pairs)]:
            return any(_has_opaque(one) for _, one in pairs)
    return False


def reply_of(frame: protocol.Frame, call: QuestionId, steps: int, text: SourceMap, printed_characters: int) -> Reply:
    """Return the reply to a call of so many steps; raise protocol.ProtocolError where the frame is none."""
    message = frame.message
    unpacking = values.Unpacking(
        frame.arrays,
        lambda kind, said: OpaqueValue(clean(kind, values.OPAQUE_TEXT), clean(said, values.OPAQUE_TEXT)),
        lambda said: clean(said, values.MAX_TEXT),
    )
    results = tuple(unpacking.restore(one) for one in _list(message.get("results", [])))
    unpacking.finish()
    error = _error(message.get("error"), text)
    if len(results) > steps or (error is None and len(results) != steps):
        raise protocol.ProtocolError(f"{len(results)} results for {steps} steps")
    return Reply(
        call=call,
        outcome="returned" if error is None else "raised",
        results=results,
        error=error,
        # Beyond the cap there is the one line that says how much was cut.
        printed=clean(_str(message.get("printed", "")), printed_characters + 100),
        warnings=tuple(clean(_str(one), 2 * MAX_MESSAGE) for one in _list(message.get("warnings", []))[:MAX_WARNINGS]),
        own_shapes=_shapes(message.get("own_shapes", {})),
        positional=tuple(clean(_str(one), 100) for one in _list(message.get("positional", []))[:MAX_WARNINGS]),
        casts=tuple(clean(one, 100) for one in unpacking.casts)[:MAX_WARNINGS],
    )


def weight(value: Any) -> int:
    """Estimate what a value of a reply takes in memory, in bytes."""
    if isinstance(value, np.ndarray):
        return value.nbytes + ARRAY_BYTES
    if isinstance(value, list | tuple) and _NUMBERS.issuperset(map(type, value)):
        return sys.getsizeof(()) + NUMBER_BYTES * len(value)
    inside = value if isinstance(value, list | tuple) else ()
    if isinstance(value, dict):
        keys = sum(map(sys.getsizeof, value))  # texts
        # Gradients and parameters: most of what there is, and taken here it costs a third.
        arrays = [one.nbytes + ARRAY_BYTES for one in value.values() if isinstance(one, np.ndarray)]
        rest = [one for one in value.values() if not isinstance(one, np.ndarray)]
        return sys.getsizeof(value) + keys + sum(arrays) + sum(map(weight, rest))
    if isinstance(value, OpaqueValue):
        inside = value.type, value.text
    return sys.getsizeof(value) + sum(map(weight, inside))


def _error(raw: Any, text: SourceMap) -> StudentError | None:
    match raw:
        case None:
            return None
        case {"during": str(during), "type": str(kind), "message": str(message), "frames": list(frames)}:
            return StudentError(
                clean(during, 100), clean(kind, 100), clean(message, MAX_MESSAGE), _frames(frames, text)
            )
    raise protocol.ProtocolError("an error that is none")


def _frames(raw: Sequence[Any], text: SourceMap) -> Any:
    pairs = []
    for one in raw:
        match one:
            case [str(), line] if type(line) is int:  # true is an int to Python, and no line of a report
                pairs.append(one)
            case _:
                raise protocol.ProtocolError("a place that is none")
    return text.places(pairs)


def _shapes(raw: Any) -> dict[str, tuple[int, ...]]:
    if not isinstance(raw, dict):
        raise protocol.ProtocolError("shapes that are none")
    shapes = {}
    for name, shape in list(raw.items())[:MAX_SHAPES]:
        entries = _list(shape)
        if len(entries) > MAX_NDIM or any(type(n) is not int or not 0 <= n < 1 << 63 for n in entries):
            raise protocol.ProtocolError("a shape that is none")
        shapes[clean(name, 100)] = tuple(entries)
    return shapes


def _list(raw: Any) -> list[Any]:
    if not isinstance(raw, list):
        raise protocol.ProtocolError("something other than a list")
    return raw


def _str(raw: Any) -> str:
    if not isinstance(raw, str):
        raise protocol.ProtocolError("something other than text")
    return raw


def first_method(call: Call) -> str:
    """Return the student's method that a call is about: the one that is watched, else the one that it comes to first."""
    watched = next((step.arguments["method"] for step in call.steps if step.method in {"watch", "record"}), None)
    theirs = {"loss": "loss", "sweep": "loss", "train": "train", "train_with": "train", "predict": "predict"}
    return watched or next((theirs[step.method] for step in call.steps if step.method in theirs), "network")


def way_of(call: Call) -> tuple[str, bool]:
    """Return the method that a call is about, and whether labels are given: without them loss() returns much sooner."""
    return first_method(call), any("y" in step.arguments for step in call.steps)


def not_asked(call: Call, reason: str) -> Reply:
    """Return the reply to a call that was not asked."""
    return Reply(call.id, "not_asked", error=StudentError(first_method(call), "", f"not asked: {reason}"))
