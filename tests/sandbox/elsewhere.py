"""Makes this Python look like one on macOS or Windows, as far as our own code can tell, and runs our code in it.

What such a system lacks is taken away before ours is loaded; what it has instead is played. numpy and the standard library
are loaded before that, since they are told apart by how they were built. So it proves what our code asks a system for, and
says nothing about what that system would answer.

    python elsewhere.py SYSTEM grade SCRIPT                a grader: runs what stands in SUBMISSIONS, and prints what came of it;
                                                           SCRIPT is written, to do the next line as a student's process does
    python elsewhere.py SYSTEM SPAWN_MAIN FOLDER TERMS        a student's process
"""

import ast
import base64
import concurrent.futures
import ctypes
import faulthandler
import importlib
import json
import logging
import mmap
import os
import pathlib
import platform
import random
import runpy
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import types
import warnings
from functools import partial

# Loaded here, while the system is what it is.
LOADED = (base64, concurrent.futures, faulthandler, logging, mmap, platform, random, tempfile, threading, warnings)

LINUX_ONLY = ["library", "lockdown", "landlock", "seccomp", "syscalls", "zygote"]
OF_LINUX = {
    os: "memfd_create waitid pidfd_open sched_setaffinity sched_getaffinity setresuid setresgid getresuid prlimit O_PATH",
}
OF_POSIX = {
    os: """
    fork forkpty memfd_create waitid wait3 wait4 WIFSIGNALED WIFEXITED WIFSTOPPED WTERMSIG WEXITSTATUS WNOHANG WNOWAIT
    P_PID setsid getsid getpgid setpgid killpg pread pwrite preadv pwritev geteuid getuid getgid getegid getgroups
    setuid setgid setgroups setresuid setresgid uname sysconf posix_spawn nice chroot mkfifo chown getloadavg
    set_blocking get_blocking openpty posix_fadvise sched_setaffinity sched_getaffinity sched_yield
    """,
    signal: """
    SIGKILL SIGUSR1 SIGUSR2 SIGALRM SIGHUP SIGQUIT SIGXCPU SIGXFSZ SIGSTOP SIGCONT SIGPIPE alarm setitimer pthread_sigmask
    pthread_kill sigwait siginterrupt
    """,
    socket: "AF_UNIX SOCK_SEQPACKET send_fds recv_fds CMSG_SPACE",
    faulthandler: "register unregister",
}
# What a system lacks: names, modules, and what else is not there.
SYSTEMS = {
    "darwin": (OF_LINUX, []),
    "win32": (OF_POSIX, ["resource", "fcntl", "pwd", "grp", "termios", "pty", "syslog"]),
}
_really_kill = os.kill
# Python's own module goes on as it was built.
subprocess.os, subprocess.signal = (types.SimpleNamespace(**vars(module)) for module in (os, signal))


def become(system):
    """Take away what the system lacks, and say that this is it."""
    names, modules = SYSTEMS[system]
    for module, lacked in names.items():
        for name in lacked.split():
            if hasattr(module, name):
                delattr(module, name)
    for name in [*modules, *(f"{package}.{name}" for package in ("_student", "grader.sandbox") for name in LINUX_ONLY)]:
        sys.modules[name] = None  # its import raises ImportError
    ctypes.CDLL = _no_library
    {"darwin": _play_macos, "win32": _play_windows}[system]()
    sys.platform = system


def _no_library(name, *_arguments, **_keywords):
    raise OSError(f"no library {name} here")


def _play_macos():
    import resource

    really_read, really_set = pathlib.Path.read_bytes, resource.setrlimit

    def read(path):
        if path.is_relative_to("/proc"):
            raise FileNotFoundError(path)
        return really_read(path)

    def setrlimit(which, limits):
        if which == resource.RLIMIT_AS:
            raise ValueError("current limit exceeds maximum limit")
        really_set(which, limits)

    del resource.RLIMIT_MSGQUEUE
    pathlib.Path.read_bytes, resource.setrlimit = read, setrlimit


def _play_windows():
    os.O_BINARY = 0x8000
    sys.modules["msvcrt"] = types.SimpleNamespace(setmode=_setmode)
    ctypes.WinDLL = lambda name, use_last_error: {("kernel32", True): KERNEL}[name, use_last_error]
    ctypes.get_last_error = lambda: 5
    socket.socketpair = _pair
    subprocess.Popen._handle = property(lambda self: self.pid)  # what stands for a handle here
    os.environ["SYSTEMROOT"] = "/"


def _setmode(descriptor, mode):
    assert (descriptor in {0, 1, 2}, mode) == (True, os.O_BINARY)


def _pair():
    """Return two connected sockets as Python does on Windows, where there is no pair: over the loopback."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        one = socket.create_connection(server.getsockname())
        return one, server.accept()[0]


class Kernel:
    """Plays kernel32 as far as `winjob` asks it: a job is a list of process ids."""

    def __init__(self):
        self.jobs = {}
        self.limits = []
        self.closed = []

    def create(self, _security, _name):
        """Return a handle past 32 bits, as they may be."""
        handle = (1 << 40) + len(self.limits)
        self.jobs[handle] = []
        return handle

    def limit(self, _handle, kind, limits, size):
        """Note the limits."""
        basic = limits._obj.BasicLimitInformation
        self.limits.append(
            (
                kind,
                size,
                basic.LimitFlags,
                basic.ActiveProcessLimit,
                basic.PerProcessUserTimeLimit,
                limits._obj.ProcessMemoryLimit,
            )
        )
        return 1

    def assign(self, handle, process):
        """Put a process into a job."""
        self.jobs[handle].append(process)
        return 1

    def query(self, _handle, kind, answer, _size, _length):
        """Say that it took 50 MiB, or 1.5 s."""
        if kind == 9:
            answer._obj.PeakProcessMemoryUsed = 50 << 20
        else:
            answer._obj.TotalUserTime, answer._obj.TotalKernelTime = 10_000_000, 5_000_000
        return 1

    def terminate(self, handle, _code):
        """End what is in the job."""
        for process in self.jobs[handle]:
            try:
                _really_kill(process, 9)
            except ProcessLookupError:
                continue
        return 1

    def close(self, handle):
        """Note it."""
        self.closed.append(handle)
        return 1


PLAYED = Kernel()
# As ctypes' functions, and unlike methods, these have attributes that can be set.
KERNEL = types.SimpleNamespace(
    CreateJobObjectW=partial(PLAYED.create),
    SetInformationJobObject=partial(PLAYED.limit),
    AssignProcessToJobObject=partial(PLAYED.assign),
    QueryInformationJobObject=partial(PLAYED.query),
    TerminateJobObject=partial(PLAYED.terminate),
    CloseHandle=partial(PLAYED.close),
)

NETWORK = """
import numpy as np
import matplotlib.pyplot as plt
class TwoLayerNet:
    def __init__(self, D, H, C):
        self.params = {"W1": np.random.randn(D, H)}
    def loss(self, X, y=None, reg=0.0):
        DOES
"""
SUBMISSIONS = {
    "where": 'import os, sys; raise OSError(f\'{sys.platform}, {hasattr(os, "fork")}, {hasattr(os, "memfd_create")}\')',
    "right": "return float(X.dot(self.params['W1']).sum())",
    # What is written past Python is carried by a thread of its own, and a reply does not wait for that.
    "prints": "import os, time; print('printed'); os.write(1, b'written'); time.sleep(0.3); return 1.0",
    "raises": "return undefined_name",
    "ends": "import os; os._exit(3)",
    "crashes": "import faulthandler; faulthandler._sigsegv()",
    "large": "return np.zeros((1000, 1000))",
    "loops": "while True: pass",
}


def grade(script):
    """Run the submissions, each with one question, and print what came of them."""
    import numpy as np

    from grader.model import Call, Limits, Segment, Step, Submission
    from grader.sandbox import spawn
    from grader.sandbox.host import StudentHost

    # A student's process is to see the same system.
    change = f"import sys\nsys.argv[:1] = [{__file__!r}, {sys.platform!r}, {str(spawn.SPAWN_MAIN)!r}]"
    script.write_text(f"{change}\nimport runpy\nrunpy.run_path({__file__!r}, run_name='__main__')", encoding="utf-8")
    spawn.SPAWN_MAIN = script
    X = np.arange(6.0).reshape(2, 3)
    told = {}
    with StudentHost(Limits(20, 20, 20, 60, 256, 400)) as host:
        told["missing"], told["facts"] = host.missing, host.facts
        for name, does in SUBMISSIONS.items():
            source = NETWORK.replace("DOES", does)
            segment = Segment("cell", source, tuple(range(len(ast.parse(source).body))))
            step = Step("loss", {"X": X, "y": None, "reg": 0.0})
            call = Call("q", (3, 4, 2), {"W1": np.ones((3, 4))}, (step,), 0, 0.5 if name == "loops" else 20)
            run = host.run(Submission(name, "", "", "", (segment,)), "TwoLayerNet", [call])
            reply = run.replies["q"]
            number = [float(np.sum(result)) for result in reply.results]
            error = reply.error.message if reply.error else ""
            told[name] = [reply.outcome, number, error, reply.printed, run.isolation, run.cpu_seconds]
    told["limits"], told["jobs"], told["closed"] = PLAYED.limits, sorted(PLAYED.jobs), sorted(PLAYED.closed)
    sys.stdout.write(json.dumps(told))


def main():
    """Be a grader, or a student's process."""
    system, script, *terms = sys.argv[1:]
    newborn = len(terms) == 2
    if newborn:
        sys.argv[:] = [script, *terms]
        sys.path.append(terms[0])
    importlib.import_module("numpy.random")  # before it could wonder what system this is
    if newborn:
        sys.path.pop()
        become(system)
        runpy.run_path(script, run_name="__main__")
    else:
        become(system)
        grade(pathlib.Path(terms[0]))


if __name__ == "__main__":
    main()
