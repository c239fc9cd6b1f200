"""What is decided on macOS and Windows, and that nothing of ours there asks for what only Linux has.

None of this runs on those systems: `elsewhere` takes away what they lack, and plays what they have instead.
"""

import ctypes
import json
import os
import socket
import subprocess
import sys
import time
import types
from pathlib import Path

import pytest

from grader.sandbox import output_file, policy, spawn, spawn_main, windows_job
from grader.sandbox.forkserver import Nursery
from grader.sandbox.host import StudentHost, UnsupportedPlatformError, ZygoteLostError
from grader.sandbox.policy import Allowance, Weakening
from grader.sandbox.source_map import ending_in_words
from grader.sandbox.spawn import Spawned

ELSEWHERE = Path(__file__).with_name("elsewhere.py")
ONLY_LINUX = {"namespaces", "uid", "no_new_privs", "landlock", "seccomp"}


# ---------------------------------------------------------------- which way is taken


@pytest.mark.parametrize(
    ("module", "name"), [(os, "fork"), (os, "wait4"), (socket, "send_fds"), (socket, "SOCK_SEQPACKET")]
)
def test_where_forking_is_not_possible_processes_are_spawned(monkeypatch, module, name):
    """Asked once, in one place; the first way, asked for by itself, still says what it lacks."""
    monkeypatch.setattr(spawn, "Spawned", lambda weakening: ("spawned", weakening))
    monkeypatch.delattr(module, name)
    assert spawn.nursery_for() == ("spawned", Weakening())
    with pytest.raises(UnsupportedPlatformError, match=r"needs Linux with fork and wait4; this is linux without"):
        Nursery()


@pytest.mark.parametrize("system", ["darwin", "win32", "freebsd14"])
def test_elsewhere_processes_are_spawned(monkeypatch, system):
    """Not even where the system has fork and passes descriptors: the lock-down is made of Linux's own calls."""
    monkeypatch.setattr(spawn, "Spawned", lambda _: "spawned")
    monkeypatch.setattr(sys, "platform", system)
    assert spawn.nursery_for() == "spawned"


def test_here_processes_are_forked():
    """Where the lock-down can be had it is had: nothing but the lack of it leads to the other way."""
    chosen = spawn.nursery_for()
    chosen.close()
    assert type(chosen) is Nursery


def test_without_any_processes_it_is_refused_in_words(monkeypatch, limits):
    """In a browser there is nothing to start, and the error says where there is."""
    monkeypatch.setattr(sys, "platform", "emscripten")
    with pytest.raises(UnsupportedPlatformError, match="emscripten has none: grade on Linux, macOS or Windows"):
        StudentHost(limits)


def test_without_memfd_processes_are_forked_all_the_same(monkeypatch, limits, submission, network, question):
    """Pythons built for old systems lack it, and a temporary file does as well: no reason to go without the lock-down."""
    monkeypatch.delattr(os, "memfd_create")
    with StudentHost(limits) as host:
        misdeed = "import os; os.write(1, b'seen'); return 1.0"
        run = host.run(submission(network(misdeed)), "TwoLayerNet", [question("q", reg=666)])
        assert type(host._nursery) is Nursery
    assert run.replies["q"].printed == "seen"


# ---------------------------------------------------------------- a whole run, on what is left of this system


@pytest.mark.parametrize("system", ["darwin", "win32"])
def test_nothing_asks_for_what_the_system_lacks(tmp_path, system):
    """Grader and student's process alike: right answers, prints, errors, ends, crashes, loops, without a name of Linux's."""
    told = json.loads(
        subprocess.run(
            [sys.executable, ELSEWHERE, system, "grade", tmp_path / "newborn.py"], capture_output=True, check=True
        ).stdout
    )
    assert told["where"][:3] == ["raised", [], f"{system}, {system == 'darwin'}, False"]
    assert told["right"][:4] == ["returned", [60.0], "", ""]
    assert told["prints"][:4] == ["returned", [1.0], "", "printed\nwritten"]
    assert told["raises"][:3] == ["raised", [], "name 'undefined_name' is not defined"]
    assert told["ends"][:3] == ["crashed", [], "ended the process with os._exit(3) or sys.exit"]
    assert told["crashes"][:3] == ["crashed", [], "killed by signal SIGSEGV (segmentation fault)"]
    assert told["large"][:3] == ["returned", [0.0], ""]
    assert told["loops"][:3] == ["timed_out", [], "still running after 0.5 s"]
    assert all(told[name][4] == ["process", "rlimits"] for name in ("right", "loops"))
    if system == "darwin":
        assert told["missing"].keys() == ONLY_LINUX | {"limit on memory", "limit on message queues"}
        assert told["jobs"] == []
        return
    assert told["missing"].keys() == ONLY_LINUX
    assert told["facts"]["rlimits"] == "a job object: memory, processor time, one process"
    assert told["right"][5] == 1.5, "the processor time is the job's"
    first, *later = told["limits"]
    assert first == [9, 144, 0x240A, 1, (60 + 2) * 10**7, 0]
    # 50 MiB is what the job of the first process said that it took.
    assert later == [[9, 144, 0x250A, 1, (60 + 2) * 10**7, (50 + 256) << 20]] * 8
    assert told["closed"] == told["jobs"]
    assert len(told["jobs"]) == 9


# ---------------------------------------------------------------- job objects


def test_structures_are_laid_out_as_windows_reads_them():
    """Offsets and sizes as a C compiler for 64-bit Windows gives them to winnt.h's structures."""
    basic, extended, account = windows_job.BasicLimits, windows_job.ExtendedLimits, windows_job.Accounting
    assert [getattr(basic, name).offset for name, _ in basic._fields_] == [0, 8, 16, 24, 32, 40, 48, 56, 60]
    assert [getattr(extended, name).offset for name, _ in extended._fields_] == [0, 64, 112, 120, 128, 136]
    assert [getattr(account, name).offset for name, _ in account._fields_] == [0, 8, 16, 24, 32, 36, 40, 44]
    assert [ctypes.sizeof(one) for one in (basic, extended, account)] == [64, 144, 48]


CALLS = [
    "CreateJobObjectW",
    "SetInformationJobObject",
    "AssignProcessToJobObject",
    "QueryInformationJobObject",
    "TerminateJobObject",
    "CloseHandle",
]


@pytest.mark.parametrize("refused", CALLS[:5])
def test_every_refusal_of_windows_is_an_error_with_its_name(refused):
    """No call's answer goes unread, and a job that was made is given back."""
    closed = []
    kernel = types.SimpleNamespace(**{name: lambda *_, name=name: name != refused for name in CALLS})
    kernel.CloseHandle = closed.append

    def use():
        job = windows_job.Job(None, 1, kernel)
        job.take(5)
        job.cpu_seconds()
        job.terminate()

    with pytest.raises(windows_job.RefusedError, match=f"{refused.removesuffix('W')} was refused"):
        use()
    assert len(closed) == (refused == "SetInformationJobObject")


def test_there_are_no_job_objects_here():
    """Without a stand-in, Windows itself is needed."""
    with pytest.raises(OSError, match="only Windows has job objects"):
        windows_job.Job(None, 1)


class Refused:
    """A job object that Windows does not give, or not for this process."""

    made, closed, at_once = 0, 0, True

    def __init__(self, _memory, _seconds):
        if Refused.at_once:
            raise windows_job.RefusedError(5, "CreateJobObject was refused")
        Refused.made += 1

    def take(self, _handle):
        """Refuse."""
        raise windows_job.RefusedError(5, "AssignProcessToJobObject was refused")

    def cpu_seconds(self):
        """Return none."""
        return 0.0

    def terminate(self):
        """Refuse this too: nothing is in the job."""

    def close(self):
        """Count."""
        Refused.closed += 1


@pytest.mark.parametrize("at_once", [True, False])
def test_a_refused_job_object_is_done_without_and_told(monkeypatch, limits, submission, network, question, at_once):
    """Such as where the grader runs in a job of an old Windows itself: no limits, and every report says so."""
    monkeypatch.setattr(Refused, "at_once", at_once)
    monkeypatch.setattr(Refused, "made", 0)
    monkeypatch.setattr(Refused, "closed", 0)
    monkeypatch.setattr(subprocess.Popen, "_handle", 7, raising=False)
    what = "CreateJobObject" if at_once else "AssignProcessToJobObject"
    began = time.monotonic()
    with StudentHost(limits, nursery=Spawned(pipes=True, job=Refused)) as host:
        run = host.run(submission(network()), "TwoLayerNet", [question("q")])
        assert host.missing["rlimits"] == f"no job object: {what} was refused"
    assert run.isolation == ("process",)
    assert run.replies["q"].outcome == "returned"
    assert Refused.made == Refused.closed == (not at_once)
    assert time.monotonic() - began < 10, "a process that is not in the job is ended too"


# ---------------------------------------------------------------- limits, files, words


def resources(refused=()):
    """Play the module `resource` of a system that refuses some of its limits, and note those that are set."""
    found = {}

    def setrlimit(which, limits):
        if which in refused:
            raise ValueError("current limit exceeds maximum limit")
        found[which] = limits

    names = ["RLIMIT_CPU", "RLIMIT_AS", "RLIMIT_FSIZE", "RLIMIT_NOFILE", "RLIMIT_CORE", "RLIMIT_NPROC"]
    module = types.SimpleNamespace(
        RLIM_INFINITY=-1,
        getpagesize=lambda: 4096,
        getrlimit=lambda which: (0, 16 if which == "RLIMIT_NOFILE" else -1),
        setrlimit=setrlimit,
        **{name: name for name in names},
    )
    return module, found


def test_a_limit_that_is_refused_or_unknown_is_left_out_and_told(monkeypatch):
    """A Mac has no message queues and refuses some; what is tighter already stays."""
    module, found = resources(refused={"RLIMIT_NPROC"})
    monkeypatch.setitem(sys.modules, "resource", module)
    limits, left_out = spawn_main.limit_resources(Allowance(100, 7), policy)
    assert limits == ["processor time", "file size", "descriptors", "core files", "memory"]
    assert left_out == {
        "locked memory": "this system has none",
        "message queues": "this system has none",
        "processes": "refused: current limit exceeds maximum limit",
    }
    assert found["RLIMIT_CPU"] == (9, 9)
    assert found["RLIMIT_NOFILE"] == (16, 16)
    assert found["RLIMIT_AS"][0] > 100 << 20


def test_memory_is_not_limited_where_its_size_is_not_told(monkeypatch):
    """A limit below what the process has already would end it, and macOS keeps none at all."""
    module, found = resources()
    monkeypatch.setitem(sys.modules, "resource", module)
    monkeypatch.setattr(spawn_main, "_address_space", lambda _: None)
    _, left_out = spawn_main.limit_resources(Allowance(100, 7), policy)
    assert left_out["memory"] == "this system keeps none, or does not tell how large a process is"
    assert "RLIMIT_AS" not in found


def test_windows_has_none_of_these_limits(monkeypatch):
    """Without a job object there is none at all, and nothing is asked of a module that is not there."""
    monkeypatch.setitem(sys.modules, "resource", None)
    monkeypatch.setattr(sys, "platform", "win32")
    assert spawn_main.limit_resources(Allowance(100, 7), policy) == ([], {})


@pytest.mark.parametrize("pread", [True, False])
@pytest.mark.parametrize("memfd", [True, False])
def test_the_file_is_read_while_it_is_written(monkeypatch, pread, memfd):
    """What is written goes to the end, wherever it was read last, also where there is one place for both."""
    if not pread:
        monkeypatch.delattr(os, "pread")
    if not memfd:
        monkeypatch.delattr(os, "memfd_create")
    output = output_file.create()
    output_file.append(output, b"one")
    assert output_file.read(output, 0, 2) == b"on"
    output_file.append(output, b"two")
    assert output_file.read(output, 1, 100) == b"netwo"
    os.close(output)


def test_a_file_of_windows_can_be_written_in_pieces(monkeypatch):
    """write(2) may take less than it is given, and the rest is not lost."""
    really = os.write
    monkeypatch.setattr(os, "write", lambda descriptor, data: really(descriptor, data[:2]))
    output = output_file.create()
    output_file.append(output, b"abcde")
    assert output_file.read(output, 0, 100) == b"abcde"
    os.close(output)


@pytest.mark.parametrize(
    ("code", "words"),
    [
        (0xC0000005, "killed by Windows for 0xC0000005 (access violation)"),
        (0xC00000FD, "killed by Windows for 0xC00000FD (stack overflow)"),
        (3, "ended the process with os._exit(3) or sys.exit"),
        (-9, "killed by signal SIGKILL (killed)"),
        (-34, "killed by signal SIGRTMIN (real-time signal 0)"),
        (-63, "killed by signal number 63 (real-time signal 29)"),
    ],
)
def test_the_end_of_a_process_is_told_in_words(code, words):
    """The exit code is a signal's number below zero on POSIX, and a fault's on Windows."""
    assert ending_in_words(code) == words


def test_windows_gets_the_variables_that_it_needs(monkeypatch):
    """Without SYSTEMROOT Python does not start there, and conda's numpy finds its libraries by PATH; no other goes along."""
    monkeypatch.setattr(spawn, "WINDOWS", True)
    monkeypatch.setattr(sys, "_base_executable", "C:\\Python\\python.exe", raising=False)
    monkeypatch.setenv("SYSTEMROOT", "C:\\Windows")
    monkeypatch.setenv("GRADER_SECRET", "seed-1234")
    found = spawn._environment()
    assert (found["SYSTEMROOT"], found["PATH"]) == ("C:\\Windows", os.environ["PATH"])
    assert not [name for name in found if name.startswith("GRADER")]
    assert (spawn._folder(), spawn._interpreter()) == ("C:\\Windows", "C:\\Python\\python.exe")


def test_what_posix_has_is_refused_on_windows(monkeypatch):
    """A mistake of ours would be said, and not end in an AttributeError."""
    monkeypatch.setattr(sys, "platform", "win32")
    with pytest.raises(OSError, match="no groups of processes"):
        spawn._end_group(None, 0)
    with pytest.raises(OSError, match="no wait4"):
        spawn._reaped(0, 0)


def test_a_process_that_cannot_be_started_is_our_fault_without_a_job_too(monkeypatch):
    """Once a job was refused the second try has none to blame, and there is no third."""
    monkeypatch.setattr(Refused, "at_once", True)
    monkeypatch.setattr(sys, "executable", "/no/such/python")
    with pytest.raises(ZygoteLostError, match="cannot be started"):
        Spawned(pipes=True, job=Refused)
