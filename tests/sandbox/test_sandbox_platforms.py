"""Which way to a student's process is taken on which system, and a whole run on a Linux whose fork was taken away."""

import json
import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from grader import health
from grader.sandbox import output_file, policy, self_test, spawn
from grader.sandbox.forkserver import ForkServer, UnsupportedPlatformError
from grader.sandbox.host import StudentHost
from grader.sandbox.policy import DisabledLayers, ResourceLimits
from grader.sandbox.source_map import ending_in_words
from grader.sandbox.spawn import SpawnServer

SAMPLE = Path(__file__).parents[1] / "submissions" / "right_einsum.py"


# ---------------------------------------------------------------- which way is taken


@pytest.mark.parametrize(
    ("module", "name"), [(os, "fork"), (os, "wait4"), (socket, "send_fds"), (socket, "SOCK_SEQPACKET")]
)
def test_where_forking_is_not_possible_processes_are_spawned(monkeypatch, module, name):
    """Any one thing that the fork server needs and lacks is enough."""
    monkeypatch.setattr(spawn, "SpawnServer", lambda disabled: ("spawned", disabled))
    monkeypatch.delattr(module, name)
    assert spawn.open_server() == ("spawned", DisabledLayers())


@pytest.mark.parametrize("system", ["darwin", "win32", "freebsd14"])
def test_elsewhere_processes_are_spawned(monkeypatch, system):
    """Not even where the system has fork and passes descriptors: the lock-down is made of Linux's own calls."""
    monkeypatch.setattr(spawn, "SpawnServer", lambda _: "spawned")
    monkeypatch.setattr(sys, "platform", system)
    assert spawn.open_server() == "spawned"


def test_here_processes_are_forked():
    """Where the lock-down can be had it is had: nothing but the lack of it leads to the other way."""
    chosen = spawn.open_server()
    chosen.close()
    assert type(chosen) is ForkServer


def test_without_any_processes_it_is_refused_in_words(monkeypatch, limits):
    """In a browser there is nothing to start, and the error says where there is."""
    monkeypatch.setattr(sys, "platform", "emscripten")
    with pytest.raises(UnsupportedPlatformError, match="emscripten has none: grade on Linux, macOS or Windows"):
        StudentHost(limits)


@pytest.mark.slow
def test_without_memfd_processes_are_forked_all_the_same(monkeypatch, limits, submission, network, question):
    """Pythons built for old systems lack it, and a temporary file does as well: no reason to go without the lock-down."""
    monkeypatch.delattr(os, "memfd_create")
    with StudentHost(limits) as host:
        misdeed = "import os; os.write(1, b'seen'); return 1.0"
        run = host.run(submission(network(misdeed)), "TwoLayerNet", [question("q", reg=666)])
        assert type(host.server) is ForkServer
    assert run.replies["q"].printed == "seen"


# ---------------------------------------------------------------- commands, without fork


WITHOUT_FORK = """
import os
import socket
import sys
from grader.cli import main
del os.fork, os.waitid, os.memfd_create, socket.send_fds
if "--no-groups" in sys.argv:  # as Windows
    sys.argv.remove("--no-groups")
    del os.killpg, os.wait4, os.setsid
main()
"""


@pytest.mark.slow
@pytest.mark.parametrize("groups", [True, pytest.param(False, marks=pytest.mark.slow)])
def test_strangers_code_is_refused_without_fork_and_ones_own_is_graded_with_unsafe(tmp_path, groups):
    """The command refuses and says why; with --unsafe a right program gets its points, and its report says "not isolated"."""
    words = ["grade", "--seed", "231", str(SAMPLE), "--out", str(tmp_path), *([] if groups else ["--no-groups"])]
    environment = os.environ | {"COLUMNS": "500"}
    refused, done = (
        subprocess.run(
            [sys.executable, "-c", WITHOUT_FORK, *words, *more],
            check=False,
            capture_output=True,
            text=True,
            env=environment,
        )
        for more in ([], ["--unsafe"])
    )
    assert refused.returncode == 1
    assert "Student code is not isolated on this system: a test process could" in refused.stderr
    assert done.returncode == 0, done.stderr
    report = json.loads((tmp_path / "submissions" / SAMPLE.stem / "report.json").read_text(encoding="utf-8"))
    assert report["score"] == report["max_score"]
    assert report["environment"]["isolation"] == ["process", "rlimits"]
    assert [note for note in report["notes"] if note.startswith("Graded with --unsafe: student code was not isolated")]


@pytest.mark.parametrize(
    ("system", "told", "not_told"),
    [
        ("win32", ["WSL 2: run `wsl --install`", "`sudo apt install git python3-venv`", "`docker run --rm -it -v"], []),
        ("darwin", ["On macOS a container", "`docker run --rm -it -v", "`pip install -e CLONE`"], ["wsl"]),
        ("linux", ["Grade on Linux 5.13 or newer. Use --unsafe only"], ["wsl", "docker"]),
    ],
)
def test_instructors_without_linux_are_told_how_to_get_one(monkeypatch, system, told, not_told):
    """`grader grade` refuses with these words, and `grader doctor` ends with them."""
    got_through = self_test.Findings((self_test.Trial("read", "Read a file.", wrong=True, said=""),), ())
    monkeypatch.setattr(sys, "platform", system)
    said = self_test.refusal_reason(got_through)
    assert said == health.Checkup({}, {}, {}, got_through).advice
    assert all(words in said for words in told)
    assert not any(words in said for words in not_told)


# ---------------------------------------------------------------- limits, files, words


def test_limits_that_a_system_lacks_are_not_named(monkeypatch):
    """A Mac has no message queues, and keeps no limit on memory."""
    monkeypatch.delattr(policy.resource, "RLIMIT_MSGQUEUE")
    monkeypatch.setattr(sys, "platform", "darwin")
    named = ["processor time", "file size", "descriptors", "core files", "locked memory", "processes"]
    assert policy.available_limits() == named
    assert SpawnServer().facts["rlimits"] == ", ".join(named)


def test_without_any_limits_a_report_names_none(monkeypatch):
    """Windows has only the grader's clock."""
    monkeypatch.setattr(sys, "platform", "win32")
    assert policy.available_limits() == []
    policy.limit_resources(ResourceLimits(100, 7))
    spawned = SpawnServer()
    assert spawned.missing["rlimits"] == "this system has none"
    assert list(spawned.facts) == ["process"]


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
