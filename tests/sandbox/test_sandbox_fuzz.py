"""The host's end as a whole, asked by hypothesis what it makes of a process that sends anything.

What the process sends grows from right replies, changed where their structure is, since noise alone never gets past the
first four bytes. `FUZZ=20 pytest tests/sandbox/test_sandbox_fuzz.py` looks twenty times as long.
"""

import json
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from examples import examples
from grader.sandbox import messages, protocol, values
from sandbox.impostors import CLOSE, LOAD, STALL, TARGET, Stage
from sandbox.lies import OUTPUT, damaged, lying

# The same lines over and over: a tracer doubles the time and learns nothing.
pytestmark = pytest.mark.untraced


@pytest.fixture(scope="module")
def stage(host, submission, network, question, limits):
    """Return a submission that is played again and again."""
    return Stage(host, submission, network, question, limits)


# ---------------------------------------------------------------- what a right reply is, told a second time


def right_reply(sent, number, steps):
    """Tell, by rules written for this test, whether bytes are a right reply without an error, or begin with one."""
    if sent[:4] != b"2LN1" or len(sent) < 8:
        return False
    start = 8 + int.from_bytes(sent[4:8], "little")
    if start > 8 + protocol.MAX_HEADER or len(sent) < start:
        return False
    try:
        header = json.loads(sent[8:start].decode())
        assert type(header["arrays"]) is list
        arrays = [shaped(spec) for spec in header["arrays"]]
        message = header["message"]
        left = len(sent) - start - sum(size for *_, size in arrays)
        whole = set(header) == {"arrays", "message"} and left >= 0
        results = message.get("results", [])
        told = type(message["number"]) is int and message["number"] == number and message.get("error") is None
        extras = plain_extras(message)
        described = [read(result, arrays) for result in results]
        flat = few_levels(sent[8:start].decode())
    except (ValueError, LookupError, TypeError, AttributeError, AssertionError):
        return False
    few = type(results) is list and len(described) == steps and not arrays
    return whole and told and extras and few and flat and all(described)


def few_levels(text):
    """Return whether a header is nested no deeper than is read, or holds so few brackets that nobody counts."""
    depth, levels, inside, escaped = 0, [0], False, False
    for character in text:
        if inside:
            inside, escaped = escaped or character != '"', not escaped and character == "\\"
        elif character == '"':
            inside = True
        elif character in "[]{}":
            depth += 1 if character in "[{" else -1
            levels.append(depth)
    return max(levels) <= protocol.MAX_DEPTH or text.count("[") + text.count("{") <= protocol.FEW_BRACKETS


def shaped(spec):
    """Return dtype, shape and bytes of an array's entry in a header."""
    kind, shape = spec
    assert type(spec) is type(shape) is list
    assert kind in protocol.DTYPES
    assert len(shape) <= 8
    assert all(type(side) is int and side >= 0 for side in shape)
    return kind, shape, math.prod(shape) * np.dtype(kind).itemsize


def plain_extras(message):
    """Return whether what travels besides the values is text where it should be, and shapes."""
    lists = message.get("warnings", []), message.get("positional", [])
    shapes = message.get("own_shapes", {})
    sides = [side for shape in shapes.values() for side in shape]
    return (
        type(message.get("printed", "")) is str
        and all(type(texts) is list and all(type(text) is str for text in texts[:64]) for texts in lists)
        and all(type(shape) is list and len(shape) <= messages.MAX_NDIM for shape in shapes.values())
        and all(type(side) is int and 0 <= side < 2**63 for side in sides)
    )


def read(node, arrays, level=0):
    """Return whether a node describes a value, taking the arrays that it speaks of off the list."""
    kind, *rest = node
    assert type(node) is list
    assert level <= values.MAX_DEPTH or kind in {"none", "bool", "int", "float", "str", "opaque"}
    match kind:
        case "none":
            return not rest
        case "bool" | "int" | "float" | "str":
            (x,) = rest
            return type(x).__name__ == kind and (kind != "int" or x.bit_length() <= 1024)
        case "opaque":
            return [type(x) for x in rest] == [str, str]
        case "array" | "numbers":
            dtype, shape, _ = arrays.pop(0)
            numbers = rest in (["list"], ["tuple"]) and len(shape) == 1 and dtype in {"<i8", "<f8"}
            return not rest if kind == "array" else numbers and shape[0] <= values.MAX_NUMBERS
        case "list" | "tuple" | "dict":
            (entries,) = rest
            assert type(entries) is list
            if kind == "dict":
                assert all(type(entry) is list and len(entry) == 2 and type(entry[0]) is str for entry in entries)
            return all(read(entry[1] if kind == "dict" else entry, arrays, level + 1) for entry in entries)
    return False


# ---------------------------------------------------------------- properties


@pytest.mark.parametrize("number", [LOAD, TARGET])
def test_a_frame_that_lies_is_an_answer_only_if_it_is_one(stage, number):
    """A well-formed frame costs its own call, unless it is a right reply by a second telling of the rules."""

    @given(lying(stage, number))
    @examples(40)
    def holds(frame):
        run = stage.play([frame, CLOSE], number)
        if number == LOAD:
            assert (run.load.outcome == "returned") == right_reply(frame, LOAD, 0)
        elif not stage.blamed_before(run):
            reply = run.replies["target"]
            assert (reply.outcome == "returned") == right_reply(frame, TARGET, len(stage.steps))
            if reply.outcome not in {"returned", "raised"}:
                stage.must_be_honest(run.replies, ["before", "after"])

    holds()


@pytest.mark.parametrize("number", [LOAD, TARGET])
def test_damaged_bytes_are_an_answer_only_if_they_begin_with_one(stage, number):
    """The same for bytes that are flipped, cut, joined and sent in any portions."""

    @given(damaged(stage, number))
    @examples(40)
    def holds(portions):
        run, sent = stage.play([*portions, CLOSE], number), b"".join(portions)
        if number == LOAD:
            assert run.load.outcome != "returned" or right_reply(sent, LOAD, 0)
        elif not stage.blamed_before(run):
            reply = run.replies["target"]
            assert reply.outcome != "returned" or right_reply(sent, TARGET, len(stage.steps))
            if reply.outcome not in {"returned", "raised"}:
                stage.must_be_honest(run.replies, ["before", "after"])

    holds()


@given(st.lists(OUTPUT, max_size=6).map(b"".join))
@examples(40)
def test_what_a_process_writes_becomes_places_of_the_submission_only(stage, output):
    """A process that fakes tracebacks in its own output, and ends, names no line that the submission has not."""
    stage.play([("print", output), CLOSE])


@given(st.data())
@examples(6)
def test_a_process_that_stops_anywhere_is_waited_for_until_its_deadline(stage, data):
    """However much of a frame has come, the time is the call's own."""
    whole = stage.frames[TARGET]
    run = stage.play([whole[: data.draw(st.integers(0, len(whole) - 1))], STALL], seconds=0.1)
    assert run.replies["target"].outcome == "timed_out"
    stage.must_be_honest(run.replies, ["before", "after"])
