"""The same grading on Dask's workers: a real scheduler and real worker processes, on the loopback interface."""

from __future__ import annotations

import signal
import socket
import subprocess
import sys
import time
from contextlib import ExitStack
from pathlib import Path

import pytest

from classroom.conftest import command, contents, quiet, run
from classroom.once import at_hand, say

distributed = pytest.importorskip("distributed")


@pytest.fixture
def started():
    """Return a function that starts a process which ends with the test."""
    with ExitStack() as stack:

        def start(*words: object) -> subprocess.Popen[str]:
            process = subprocess.Popen(
                list(map(str, words)), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, text=True, env=quiet()
            )
            stack.callback(process.wait)
            stack.callback(process.kill)
            return process

        yield start


@pytest.fixture
def scheduler(started):
    """Return the address of a scheduler without workers."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    words = ["scheduler", "--host", "127.0.0.1", "--port", port, "--no-dashboard", "--no-show"]
    started(sys.executable, "-m", "distributed.cli.dask_scheduler", *words[1:])
    deadline = time.monotonic() + 60
    while not answers(port):
        assert time.monotonic() < deadline
        time.sleep(0.1)
    return f"tcp://127.0.0.1:{port}"


def answers(port: int) -> bool:
    """Return whether somebody listens there."""
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def worker(started, address: str) -> subprocess.Popen[str]:
    """Start a worker, without a nanny that would start it anew."""
    words = [address, "--nthreads", "1", "--no-nanny", "--no-dashboard", "--host", "127.0.0.1"]
    return started(sys.executable, "-m", "distributed.cli.dask_worker", *words)


def workers_of(address: str) -> int:
    """Count the workers that the scheduler knows."""
    with distributed.Client(address, set_as_default=False) as client:
        return len(client.scheduler_info()["workers"])


def wait_for_workers(address: str, count: int) -> None:
    """Wait until so many workers have come."""
    deadline = time.monotonic() + 60
    while workers_of(address) < count:
        assert time.monotonic() < deadline
        time.sleep(0.2)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")  # Dask's own, in the test's process; the grader runs in another
def test_a_worker_killed_in_the_middle_changes_nothing(
    monkeypatch, tmp_path, few_handed_in, rubric, scheduler, started
):
    """Two workers of a scheduler grade a class; one is killed while it works, and the gradebook is as ever."""
    words = ["grade", "--seed", "231", few_handed_in, "--assignment", rubric, "--out"]
    at_hand(monkeypatch)
    say(*words, tmp_path / "here")
    workers = [worker(started, scheduler) for _ in range(2)]
    wait_for_workers(scheduler, 2)
    out = tmp_path / "there"
    grading = subprocess.Popen(
        command(*words, out, "--cluster", scheduler),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env=quiet(),
    )
    deadline = time.monotonic() + 120
    while not list(out.glob("submissions/*/report.html")):
        assert grading.poll() is None, grading.stdout.read()
        assert time.monotonic() < deadline
        time.sleep(0.02)
    workers[0].send_signal(signal.SIGKILL)
    said, _ = grading.communicate(timeout=240)
    assert grading.returncode == 0, said
    assert "6 new." in said
    assert contents(out) == contents(tmp_path / "here")
    assert workers[1].poll() is None


@pytest.mark.slow
@pytest.mark.parametrize(("jobs", "workers"), [(1, 1), pytest.param(2, 2, marks=pytest.mark.slow)])
def test_a_cluster_of_this_machine_grades_as_processes_do(monkeypatch, tmp_path, few_handed_in, rubric, jobs, workers):
    """local:N starts so many workers of Dask's, which grade alike and end with the command."""
    words = ["grade", "--seed", "231", few_handed_in, "--assignment", rubric, "--out"]
    at_hand(monkeypatch)
    say(*words, tmp_path / "processes", "--jobs", jobs)
    run(*words, tmp_path / "dask", "--cluster", f"local:{workers}")
    assert contents(tmp_path / "dask") == contents(tmp_path / "processes")


@pytest.mark.slow
def test_a_killed_command_leaves_no_worker_of_dasks(tmp_path, few_handed_in, rubric):
    """Whoever kills the command has killed the cluster that it started, and goes on with another run."""
    words = ["grade", few_handed_in, "--assignment", rubric, "--out", tmp_path / "out", "--cluster", "local:2"]
    words += ["--seed", "231"]
    grading = subprocess.Popen(command(*words), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=quiet())
    deadline = time.monotonic() + 120
    while not list((tmp_path / "out").glob("submissions/*/report.html")):
        assert grading.poll() is None
        assert time.monotonic() < deadline
        time.sleep(0.05)
    family = descendants(grading.pid)
    assert len(family) >= 2
    grading.send_signal(signal.SIGKILL)
    grading.wait()
    deadline = time.monotonic() + 30
    while left := [pid for pid in family if alive(pid)]:
        assert time.monotonic() < deadline, left
        time.sleep(0.2)
    run(*words)


def alive(pid: int) -> bool:
    """Return whether a process is there, and not only waiting to be reaped."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()[0]
    except OSError:
        return False
    return state != "Z"


def descendants(pid: int) -> set[int]:
    """Return all processes below one."""
    parents = {}
    for entry in Path("/proc").glob("[0-9]*/stat"):
        try:
            text = entry.read_text(encoding="utf-8", errors="replace")
        except OSError:
            continue
        parents[int(entry.parent.name)] = int(text.rpartition(")")[2].split()[1])
    found: set[int] = set()
    fresh = {pid}
    while fresh:
        fresh = {child for child, parent in parents.items() if parent in fresh} - found
        found |= fresh
    return found


@pytest.mark.parametrize(
    ("address", "said"),
    [
        ("local:0", "--cluster local:0: expected a number of workers from 1 to 256, such as local:4."),
        ("local:many", "--cluster local:many: expected a number of workers"),
        ("10.0.0.5", "--cluster 10.0.0.5: expected local:N or a scheduler's address, such as tcp://host:8786."),
    ],
)
def test_a_cluster_that_is_none_is_said_plainly(tmp_path, few_handed_in, rubric, address, said):
    """A wrong address is bad usage, and it is said what to write."""
    words = ["grade", few_handed_in, "--assignment", rubric, "--out", tmp_path / "out", "--cluster", address]
    words += ["--seed", "231"]
    assert said in say(*words, status=2)


@pytest.mark.slow
def test_a_cluster_where_nobody_answers_is_said_plainly(tmp_path, few_handed_in, rubric):
    """That is a failure, after a while."""
    words = [
        "grade",
        "--seed",
        231,
        few_handed_in,
        "--assignment",
        rubric,
        "--out",
        tmp_path / "out",
        "--cluster",
        "tcp://127.0.0.1:1",
    ]
    assert "--cluster tcp://127.0.0.1:1: no answer within 10 seconds." in run(*words, status=1)


@pytest.mark.slow
def test_a_scheduler_without_workers_is_said_plainly(tmp_path, few_handed_in, rubric, scheduler):
    """Nobody waits for workers that never come."""
    words = ["grade", few_handed_in, "--assignment", rubric, "--out", tmp_path / "out", "--cluster", scheduler]
    words += ["--seed", "231"]
    assert f"--cluster {scheduler}: the scheduler has no workers. Start some:" in run(*words, status=1)
