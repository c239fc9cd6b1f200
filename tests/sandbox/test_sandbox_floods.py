"""Too much of everything, and what has been found: floods end at the cap, memory stays flat, attacks are named in time."""

import copy
import itertools
import json
import re
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from grader.model import Call, Limits, Segment, Step, Submission
from grader.sandbox import protocol, values
from grader.sandbox.host import StudentHost
from sandbox.impostors import CLOSE, LOAD, STALL, TARGET, Impostors, Stage, framed, prefix, reply

TESTS = Path(__file__).resolve().parents[1]
ZEROS = bytes(1 << 20)
SLACK = 2 << 20  # what the kernel's buffers take on top of what is read


@pytest.fixture(scope="module")
def stage(host, submission, network, question, limits):
    """Return a submission that is played again and again."""
    return Stage(host, submission, network, question, limits)


def zeros(number, times, kind="<f8", node="array"):
    """Make a right reply to a call of one step, in portions: 64 MiB of zeros in so many arrays."""
    side = protocol.MAX_BYTES // times // np.dtype(kind).itemsize
    yield reply(number, [["list", [[node]] * times]], [[kind, [side]]] * times)
    yield from itertools.repeat(ZEROS, protocol.MAX_BYTES // len(ZEROS))


FLOODS = {
    "noise": (lambda: itertools.repeat(b"\xff" * 4096), 0),
    "a header of 4 GiB": (lambda: itertools.chain([prefix(2**32 - 1)], itertools.repeat(b"[" * 4096)), 0),
    "brackets": (
        lambda: itertools.chain([prefix(protocol.MAX_HEADER)], itertools.repeat(b"[" * 4096)),
        protocol.MAX_HEADER,
    ),
    "right frames": (lambda: itertools.repeat(reply(TARGET)), 0),
    "empty arrays": (lambda: itertools.repeat(reply(TARGET, [], [["|u1", [0]]] * protocol.MAX_ARRAYS)), 1 << 17),
    "one large frame": (lambda: itertools.chain(zeros(TARGET, 1), itertools.repeat(ZEROS)), protocol.MAX_BYTES),
    "large frames": (
        lambda: (part for n in itertools.count(TARGET) for part in zeros(n, 4096)),
        protocol.MAX_BYTES + (1 << 17),
    ),
}


@pytest.mark.parametrize("name", FLOODS)
def test_a_flood_is_read_to_the_cap_and_no_further(stage, name):
    """Whatever comes without end, no more is read than a frame may have; then the process is ended."""
    acts, most = FLOODS[name]
    run = stage.play(acts())
    assert run.replies["target"].outcome == "broke_protocol"
    assert stage.sent <= most + SLACK
    stage.must_be_honest(run.replies, ["before", "after"])


def heavy(number):
    """Make the heaviest right replies to calls of one step: most to keep, objects, lists, arrays, and numbers."""
    tiny = '{"":{"":{}}},' * (protocol.MAX_HEADER // 13 - 20) + "{}"  # 37 bytes of objects for each byte
    match number:
        case 0:
            return [reply(0)]
        case 2:
            return [framed(f'{{"arrays": [], "message": {{"number": 2, "results": [["none"]], "more": [{tiny}]}}}}')]
        case 3:
            return [reply(3, [["list", [["list", []]] * (protocol.MAX_HEADER // 14 - 20)]])]
        case 4:
            return zeros(4, protocol.MAX_ARRAYS)
        case 5:
            arrays = [["<f8", [values.MAX_NUMBERS]]] * 10
            return [reply(5, [["list", [["numbers", "list"]] * 10]], arrays), bytes(8 * values.MAX_ALL_NUMBERS)]
    return zeros(number, 1)


def peaks(rounds):
    """Ask a process that gives the heaviest replies, so many times; give outcomes, and the peak of memory in bytes."""
    text = Submission("n", "n", "", "n", (Segment("n", "", ()),))
    calls = [Call(str(number), (1, 1, 1), {}, (Step("params"),), 0, 60.0) for number in range(1, 9)]
    limits = Limits(60, 60, 60, 600, 100, 100)
    for _ in range(rounds):
        with StudentHost(limits, server=Impostors(lambda _process, number: heavy(number))) as host:
            outcomes = [answer.outcome for answer in host.run(text, "TwoLayerNet", calls).replies.values()]
        yield outcomes, peak_memory()


def peak_memory():
    """Return this program's largest resident size in bytes; getrusage would tell that of the one that started it, too."""
    status = Path("/proc/self/status").read_text(encoding="ascii")
    return 1024 * int(re.search(r"VmHWM:\s*(\d+) kB", status)[1])


MEASURE = """
import json, sys
sys.path[:0] = sys.argv[1:]
from sandbox.test_sandbox_floods import peak_memory, peaks
before = peak_memory()
print(json.dumps([[outcomes, peak - before] for outcomes, peak in peaks(2)]))
"""


@pytest.mark.slow
@pytest.mark.untraced
def test_the_heaviest_replies_cost_five_times_the_cap_however_many_there_are():
    """Memory is bounded for a submission whatever its replies hold, and the next submission needs no more."""
    command = [sys.executable, "-c", MEASURE, str(TESTS), str(TESTS.parent)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    (first, peak), (again, later) = json.loads(done.stdout)
    assert first == again == ["returned"] * 3 + ["broke_protocol"] * 5
    # 80 MiB are kept, a frame is 72 of bytes and 64 of arrays, a header's objects 40, and malloc keeps some of what was
    # freed: measured were 200 to 265 MiB, and 64 more for each large reply when all of them were kept.
    assert peak < 5 * protocol.MAX_BYTES
    # What malloc keeps differs by 40 MiB from run to run; a large reply that was not let go would be 64 more.
    assert later < min(peak + protocol.MAX_BYTES, 5 * protocol.MAX_BYTES)


# ---------------------------------------------------------------- what was found, and what has a name


def blame(*places):
    """Make a reply that says that an exception was raised at these places."""
    return reply(TARGET, error={"during": "loss", "type": "E", "message": "", "frames": list(places)})


def nested(levels):
    """Describe a list in a list in a list."""
    return ["list", [nested(levels - 1)]] if levels else ["none"]


HEADLINES = b"Fatal Python error: " * 10_000 + b"\nno\nCurrent thread 0x1 (most recent call first):\n"
ATTACKS = {
    # It was taken for a second reply to a call -1, and the grader stopped.
    "the number before the first": (LOAD, [reply(-1)], "its process sent a reply to a call that was not asked"),
    # Each of these quotes was looked at as the beginning of a string without end: 18 seconds, and hours for a megabyte.
    "a string without end": (TARGET, [framed("[" * 300 + '"' + '\\"' * 30_000)], "nested more than 32 deep"),
    # Each of these headlines was held against all that follows: 15 seconds, and seven minutes for a megabyte.
    "headlines": (TARGET, [("print", HEADLINES), CLOSE], "its process closed the channel to the grader"),
    "true for a line": (
        TARGET,
        [blame(["code cell 1", 3], ["code cell 1", True])],
        "its process sent a place that is none",
    ),
    "a deep value": (TARGET, [reply(TARGET, [nested(9)])], "its process sent a value nested more than 6 deep"),
}


@pytest.mark.parametrize("name", ATTACKS)
def test_an_attack_is_named_in_time(stage, name):
    """Attacks that hung or stopped the grader once, or whose answer should say what came."""
    number, acts, message = ATTACKS[name]
    run = stage.play(acts, number, seconds=0.3)
    assert message in (run.load if number == LOAD else run.replies["target"]).error.message


def test_a_slow_drip_gains_no_time(stage):
    """The deadline is one point in time, however often a byte comes."""

    def drip():
        for byte in stage.frames[TARGET]:
            time.sleep(0.01)
            yield bytes([byte])

    reply = stage.play(drip(), seconds=0.3).replies["target"]
    assert reply.error.message == "still running after 0.3 s, most of them asleep"


def test_names_of_parameters_without_end_are_cut(stage):
    """Each would be sorted and named in a remark."""
    shapes = {f"W{n}": [1] for n in range(50_000)}
    header, body = copy.deepcopy(stage.parts[TARGET])
    header["message"]["own_shapes"] = shapes
    run = stage.play([framed(header, body)])
    assert list(run.replies["target"].own_shapes) == list(shapes)[:64]


def test_a_process_that_stays_after_its_last_answer_is_not_waited_for(stage):
    """It has half a second to go, and its answers count."""
    stage.must_be_honest(stage.play([stage.frames[3], STALL], 3).replies)
