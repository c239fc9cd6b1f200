"""Work on a student's text ends at its limits, whatever it is doing, and costs nobody else anything."""

import os
import signal
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import PurePosixPath

import pytest

from grader import limited_process
from grader.limited_process import MEBIBYTES, LimitedProcess, OverLimitError
from grader.submission import reduce_limited
from grader.submission.read_files import File, HandIn

NET = "class TwoLayerNet:\n    def loss(self, X): return X\n"


@pytest.fixture(autouse=True)
def short(monkeypatch):
    """Give the processes of a test little time."""
    monkeypatch.setattr(limited_process, "SECONDS", 0.1)


@pytest.fixture
def process():
    """Yield a process that does one of the tasks."""
    made = LimitedProcess(lambda what, *given: TASKS[what](*given))
    yield made
    made.close()


def spin():
    """Never end."""
    while True:
        pass


def recurse(depth):
    """Call itself for ever."""
    return recurse(depth + 1) + 1


def work_for(end):
    """Use the processor until it has done so much."""
    while time.process_time() < end:
        pass


TASKS = {
    "double": lambda number: (2 * number, os.getpid()),
    "spin in Python": spin,
    "spin where nothing is caught": lambda: pow(3, 1 << 28),
    "fill the memory at once": lambda: bytearray((MEBIBYTES + 32) << 20),
    "fill the memory slowly": lambda: [[] for _ in range(10**9)],
    "return much": lambda: b"x" * (limited_process._LARGEST_RESULT + 1),
    "crash": lambda: os.kill(os.getpid(), signal.SIGSEGV),
    "go deep": lambda: recurse(0),
    "wait": lambda: time.sleep(0.2),
    "work": lambda seconds: work_for(time.process_time() + seconds),
    "fail": lambda: 1 // 0,
    "keep much": lambda: setattr(limited_process, "kept", bytes(64 << 20)),
    "leave": lambda: os._exit(3),
}


@pytest.mark.parametrize(
    ("what", "said"),
    [
        ("spin in Python", "took more than 0.1 s of processor time"),
        ("spin where nothing is caught", "took more than 0.1 s of processor time"),
        ("fill the memory at once", f"took more than {MEBIBYTES} MiB of memory"),
        ("fill the memory slowly", "took more than"),
        ("return much", f"took more than {MEBIBYTES} MiB of memory"),
        ("go deep", "went deeper than Python's stack"),
        ("crash", r"ended the process that did it \(SIGSEGV\)"),
    ],
)
def test_whatever_it_does_it_ends_at_its_limit(process, what, said):
    """Neither a loop in C nor one that catches everything escapes, and the next call is answered."""
    with pytest.raises(OverLimitError, match=said):
        process(what)
    assert process("double", 21)[0] == 42


def test_one_process_serves_many_calls_each_with_the_limits_anew(process):
    """What one call used is not taken from the next; waiting costs nothing, so a busy machine decides nothing."""
    first = process("double", 1)
    process("wait")
    for _ in range(2):
        process("work", 0.06)
    assert process("double", 1) == first


def test_a_thread_may_call_as_well(process):
    """Workers of a cluster run their tasks in threads, and the limits hold there."""
    with ThreadPoolExecutor(1) as threads:
        with pytest.raises(OverLimitError):
            threads.submit(process, "spin in Python").result()
        assert threads.submit(process, "double", 2).result()[0] == 4


def test_a_process_that_has_grown_is_replaced(process):
    """What a call leaves behind is not there for the next."""
    _, before = process("double", 1)
    process("keep much")
    _, after = process("double", 1)
    assert before != after
    with pytest.raises(ProcessLookupError):
        os.kill(before, 0)


def test_a_fault_of_ours_is_no_limit(process):
    """An exception, or an exit, is raised as what it is: nobody's submission is refused for it."""
    with pytest.raises(RuntimeError, match=r"1 // 0[\s\S]*ZeroDivisionError"):
        process("fail")
    with pytest.raises(RuntimeError, match="ended with 3"):
        process("leave")
    assert process("double", 1)[0] == 2


def hand_in(**files):
    """Return files as they were handed in."""
    return HandIn(tuple(File(PurePosixPath(f"{name}.py"), text.encode()) for name, text in files.items()), (), "0")


def reduce_files(**files):
    """Return the submission that these files are."""
    return reduce_limited(hand_in(**files), "a", "a", class_name="TwoLayerNet", notebook="two_layer_net.ipynb")


def test_a_text_that_costs_too_much_is_refused_with_the_reason(monkeypatch):
    """What was found, the limit, and how to mend it; the next submission is read."""
    monkeypatch.setattr("grader.submission._reducer", LimitedProcess(lambda *_, **__: spin()))
    problem = reduce_files(net=NET, other="x = 1\n" * 200).problem
    assert problem.status == "failed_to_load"
    assert problem.message == (
        "Reading what was handed in took more than 0.1 s of processor time, and a solution takes a fiftieth of that. It"
        " holds 1.2 KiB in 2 files, the largest other.py. Hand in your own notebook and the .py files that it imports,"
        " without generated code, and without files that import each other in a circle."
    )
    monkeypatch.undo()
    assert reduce_files(net=NET).problem is None
