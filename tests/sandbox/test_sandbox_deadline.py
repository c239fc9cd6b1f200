"""Limits are of a process's own time: a busy machine takes nothing from a program, and sleep gains nothing."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from contextlib import contextmanager
from pathlib import Path

import psutil
import pytest

from grader.sandbox import deadline, protocol
from grader.sandbox.deadline import LOOK_SECONDS, Deadline

ROOT = Path(__file__).resolve().parents[2]
SPIN, SLEEP, WAITS = "while True: pass", "import time; time.sleep(600)", "input()"
BEST = """
best_hyperparameters = dict(
    hidden_size=32, learning_rate=1.0, learning_rate_decay=0.97, reg=1e-3, num_iters=330, batch_size=50)
"""


@pytest.fixture
def process():
    """Return a function that starts a Python with this text, and returns its process id."""
    started = []

    def start(text):
        one = subprocess.Popen([sys.executable, "-I", "-S", "-c", f"print(flush=True)\n{text}"], stdin=-1, stdout=-1)
        started.append(one)
        one.stdout.readline()
        return one.pid

    yield start
    for one in started:
        with one:
            one.kill()


class Clock:
    """A machine's clocks: `passes` lets wall time go by, in which the process is on a processor for `busy` of it."""

    def __init__(self, monkeypatch):
        self.wall, self.busy, self.asleep = 100.0, 7.0, False
        monkeypatch.setattr(deadline.time, "monotonic", lambda: self.wall)
        monkeypatch.setattr(deadline, "processor_seconds", lambda _pid: self.busy)
        monkeypatch.setattr(deadline, "is_asleep", lambda _pid: self.asleep)

    def run_out(self, limit, share):
        """Let it go on in silence, on a processor for this share of the time; return the wall time at its end."""
        began = self.wall
        try:
            while True:
                passed = limit.pause()
                self.wall += passed
                self.busy += share * passed
                limit.note_silence()
        except TimeoutError:
            return pytest.approx(self.wall - began, abs=2 * LOOK_SECONDS)


@pytest.fixture
def clock(monkeypatch):
    """Return clocks that a test moves."""
    return Clock(monkeypatch)


@pytest.mark.parametrize(
    ("share", "asleep", "ends", "said"),
    [
        (1.0, False, 5, "5 processor seconds"),
        (1 / 6, False, 30, "5 processor seconds"),  # beside five others on one core
        (0.0, True, 5, "5 s, most of them asleep"),
        (0.2, True, 5, "5 s, most of them asleep"),
        (0.0, False, 50, "50 s by the clock on the wall"),  # asleep, on a system that does not tell
    ],
)
def test_what_counts_is_the_processs_own_time(clock, share, asleep, ends, said):
    """On a processor or asleep; waiting for a processor is neither."""
    limit = Deadline(1, 5.0)
    clock.asleep = asleep
    assert clock.run_out(limit, share) == ends
    assert limit.describe() == said


def test_who_is_awake_at_times_of_its_choice_sleeps_all_the_same(clock):
    """It sends a byte every fifth of a second, and is awake just then: what comes brings no look forward."""
    ours, theirs = socket.socketpair()
    limit, began = Deadline(1, 5.0), clock.wall

    class Channel:
        settimeout = ours.settimeout
        byte = began + 0.19

        def recv(self, _size):
            """Let time pass until the look that is due, or until the next byte comes."""
            look = clock.wall + ours.gettimeout()
            clock.asleep = look < self.byte
            clock.wall = min(look, self.byte)
            if clock.asleep:
                raise TimeoutError
            self.byte += 0.19
            return b" "

    reader = protocol.Reader()
    reader.feed(protocol.PREFIX.pack(protocol.MAGIC, 1 << 20))
    with ours, theirs, pytest.raises(TimeoutError):
        protocol.receive(Channel(), reader, limit)
    assert clock.wall - began < 10


def test_our_own_waiting_is_not_the_processs(clock):
    """Where the grader was kept from looking for a minute, a sleeping process has slept for one look's time."""
    limit = Deadline(1, 5.0)
    clock.asleep = True
    limit.pause()
    clock.wall += 60
    limit.note_silence()
    assert limit.spent == LOOK_SECONDS


def test_where_no_clock_can_be_read_the_walls_counts(monkeypatch, clock):
    """As before there were others: a program may be stopped too soon there, never too late."""
    monkeypatch.setattr(deadline, "processor_seconds", lambda _pid: None)
    assert clock.run_out(Deadline(1, 5.0), 0.0) == 5


def test_the_whole_has_an_end_of_its_own(clock):
    """Whatever each question may take."""
    assert clock.run_out(Deadline(1, 5.0, clock.wall + 8), 0.0) == 8


def test_the_system_tells_who_sleeps_and_for_how_long_who_does_not(process, monkeypatch):
    """Of another process, by its number: a spinning one is awake, a sleeping and a stopped one are not."""
    spins, sleeps, waits = map(process, (SPIN, SLEEP, WAITS))
    time.sleep(0.2)
    assert not deadline.is_asleep(spins)
    assert deadline.is_asleep(sleeps)
    assert deadline.is_asleep(waits)
    assert deadline.processor_seconds(sleeps) < deadline.processor_seconds(spins)
    os.kill(spins, signal.SIGSTOP)
    os.waitid(os.P_PID, spins, os.WSTOPPED | os.WNOWAIT)
    assert deadline.is_asleep(spins)
    taken = deadline.processor_seconds(spins)
    assert psutil.LINUX  # what is asked on macOS and Windows answers here too
    monkeypatch.setattr(deadline.sys, "platform", "darwin")
    assert deadline.processor_seconds(spins) == pytest.approx(taken, abs=0.03)
    monkeypatch.setattr(deadline.sys, "platform", "emscripten")
    assert deadline.processor_seconds(spins) is None


def test_a_process_that_is_gone_takes_no_more(process):
    """Its last time stays, and its number tells nothing."""
    limit = Deadline(pid := process("pass"), 5.0)
    os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT)
    before = limit.spent  # it waits to be reaped, and has its clock still
    os.waitpid(pid, 0)
    assert limit.spent == before > 0
    assert deadline.processor_seconds(pid) is None


BUSY = "began = time.process_time()\nwhile time.process_time() < began + {}: pass"


@contextmanager
def one_core(*pids):
    """Run these processes, and what they start from now on, on one and the same core."""
    before = os.sched_getaffinity(pids[0])
    for pid in pids:
        os.sched_setaffinity(pid, {min(before)})
    yield
    os.sched_setaffinity(pids[0], before)


def test_a_busy_machine_takes_no_time_from_a_program(process, host, submission, network, question):
    """Its process shares one core with four that spin, and needs more of the wall's time than its limit."""
    program = submission(network(BUSY.format(0.12), top="import time"))
    with one_core(host.server.pid, *(process(SPIN) for _ in range(4))):
        run = host.run(program, "TwoLayerNet", [question("q", reg=666, seconds=0.2)])
    assert run.replies["q"].outcome == "returned"
    assert run.seconds > 0.2


@pytest.mark.slow
@pytest.mark.untraced
def test_six_copies_at_a_time_on_one_core_all_get_all_points(tmp_path, edited):
    """A right program of ten processor seconds: by the clock on the wall, training takes longer than it may."""
    slow = "        if len(X) == 50 and y is not None:\n            for n in range(2_000_000):\n                n * n\n"
    sizes = "        N, D = X.shape\n"
    for number in range(6):
        program = f"# copy {number}\nimport numpy as np\n{edited((sizes, sizes + slow))}\n{BEST}"
        (tmp_path / f"copy{number}.py").write_text(program, encoding="utf-8")
    command = [sys.executable, "-m", "grader", "grade", tmp_path, "--out", tmp_path / "out", "--jobs", "6"]
    command += ["--seed", "231"]
    with one_core(os.getpid()):
        subprocess.run(command, check=True, cwd=ROOT, timeout=900)
    reports = [json.loads(path.read_text(encoding="utf-8")) for path in tmp_path.glob("out/submissions/*/report.json")]
    assert [report["score"] for report in reports] == [100] * 6
    assert all(report["timing"]["student_cpu_seconds"] > 5 for report in reports)
    assert all(report["timing"]["student_seconds"] > 30 for report in reports)
