"""The process that student processes are forked from: it has numpy loaded, and nothing of the grader's.

`forkserver` starts it by exec, in a fresh interpreter, and loads the room as `_sandbox`: `import grader` must fail here.
It is told {"do": "start" | "dump_traceback" | "end" | "copy", ...} and answers each with one message. It sees limits and process ids only: a
submission's text and answers go from the grader to the student's process directly.
"""

import contextlib
import gc
import importlib
import importlib.machinery
import importlib.util
import json
import os
import platform
import signal
import socket
import sys
import time
import types
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any, NoReturn

from . import lockdown, preloaded_library
from .deadline import Deadline
from .policy import DisabledLayers, ResourceLimits

# Loaded before the first fork, so that no student's process loads them again: what one program in a hundred has a use for.
# The others, such as ssl or numpy.testing, are loaded where they are imported, in 5 to 20 ms.
PRELOADED = """
abc array ast bisect collections collections.abc contextlib copy csv dataclasses datetime decimal enum errno functools
glob heapq inspect io itertools json logging math operator os os.path pathlib pickle platform pprint random re shutil
statistics string struct sys tempfile textwrap threading time timeit traceback types typing urllib.parse uuid warnings
weakref
"""
NUMPY = "numpy numpy.exceptions numpy.fft numpy.lib numpy.lib.stride_tricks numpy.linalg numpy.random"
# What most programs need. For a single program, the rest takes longer to load beforehand than it is ever waited for.
LEAN = "json numpy numpy.linalg numpy.random"
NUMPY_FOLDERS = ("numpy", "numpy.libs")
# Shared libraries as Debian and its like lay them out; nothing but public packages is there.
_SHARED = f"lib/{platform.machine()}-linux-gnu"
# Besides Python and numpy: what programs read without being told to.
DATA = (
    *("/usr/share/zoneinfo", "/dev/null", "/dev/zero", "/dev/urandom"),
    *(f"/{_SHARED}", f"/usr/{_SHARED}", "/etc/ld.so.cache"),
)
SETUP_FAILED = 82
# How long a fork bomb is chased before the grader is told that this zygote is lost.
REAP_TIMEOUT = 5.0


def main(numpy_folder: str, descriptor: int, parent: int, disabled: DisabledLayers, *, lean: bool) -> None:
    """Prepare, then serve the grader, whose process id is `parent`, until it closes the control socket `descriptor`.

    lean : whether it serves a single program, and loads only what most need.
    """
    standard = list(sys.path)
    # Before numpy, whose libraries may start threads: a process with threads may not enter a user namespace.
    readable = [*_library(standard), *(str(Path(numpy_folder, name)) for name in NUMPY_FOLDERS), *DATA]
    plan = lockdown.prepare(readable, disabled)
    # Before numpy as well: it is tried in a process forked for that.
    folders = [*filter(os.path.isdir, standard), str(Path(numpy_folder, "numpy"))]
    modules = preloaded_library.files(folders)
    out_of_reach = not plan.may_open or not lockdown.allows(plan, lambda: preloaded_library.check(modules))
    worker = _load_rest(standard, numpy_folder, *(("", LEAN) if lean else (PRELOADED, NUMPY)))
    if out_of_reach and disabled.library:
        sys.meta_path.insert(
            sys.meta_path.index(importlib.machinery.PathFinder), preloaded_library.PreloadedLibrary(modules)
        )
    if not plan.may_open:
        # What is not loaded or kept by now cannot be: a stub takes its place, where the finder would raise PermissionError.
        sys.meta_path.remove(importlib.machinery.PathFinder)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    worker.arrange_interpreter()
    # Frozen objects are not touched by a child's collections, so their pages stay shared.
    gc.freeze()
    _live(descriptor, parent, worker, plan)


def _live(descriptor: int, parent: int, worker: types.ModuleType, plan: lockdown.Plan) -> NoReturn:
    """Serve whoever has the other end of a socket, and end with them, or with the parent."""
    try:
        # The grader's end is noticed by the closed socket too; the signal is for while a child is being waited for.
        lockdown.control(lockdown.PR_SET_PDEATHSIG, signal.SIGTERM)
        # What a student's process forked and let go of comes back to us, to be killed.
        lockdown.control(lockdown.PR_SET_CHILD_SUBREAPER, 1)
        if os.getppid() == parent:
            _serve(socket.socket(fileno=descriptor), worker, plan)
    finally:
        reap_all()
    os._exit(0)  # the grader waits for this, and to take apart what was imported takes 30 ms


def _copy(control: socket.socket, descriptors: list[int], worker: types.ModuleType, plan: lockdown.Plan) -> None:
    """Fork a zygote for another worker, which has the other end of the first descriptor; the second takes its errors."""
    parent = os.getpid()
    if os.fork():
        return
    try:
        control.close()
        theirs, errors = descriptors
        os.dup2(errors, 2)
        os.close(errors)
        own = lockdown.renew(plan)
        if own is not None:
            _live(theirs, parent, worker, own)
    finally:
        os._exit(SETUP_FAILED)


def _load_rest(standard: list[str], numpy_folder: str, library: str, of_numpy: str) -> types.ModuleType:
    """Load everything that a student's process needs, leave only the standard library on the path, and return `worker_main`."""
    for name in library.split():
        with contextlib.suppress(ImportError):  # a Python may be built without ssl or lzma
            importlib.import_module(name)
    sys.path.append(numpy_folder)
    for name in of_numpy.split():
        importlib.import_module(name)
    from . import worker_main  # noqa: PLC0415 -- needs numpy

    worker_main.finish_loading(standard)
    # Reads the folders' listings into memory: a student's process may not list them.
    importlib.util.find_spec("_no_module_of_this_name")
    return worker_main


def _library(standard: list[str]) -> list[str]:
    """Return the standard library's files and folders one by one: the installed packages lie in the same folder."""
    folders = [Path(folder) for folder in standard if Path(folder).is_dir()]
    packages = {"site-packages", "dist-packages"}
    entries = [entry for folder in folders for entry in folder.iterdir() if entry.name not in packages]
    return [str(entry) for entry in entries if str(entry) not in standard] + [
        folder for folder in standard if Path(folder).name not in packages and Path(folder).parent in folders
    ]


def _serve(control: socket.socket, worker: types.ModuleType, plan: lockdown.Plan) -> None:
    versions = {"python": platform.python_version(), "numpy": sys.modules["numpy"].__version__}
    _tell(control, {"versions": versions, "missing": plan.missing, "facts": plan.facts, "pid": os.getpid()})
    pid = 0
    while True:
        data, descriptors, _flags, _address = socket.recv_fds(control, 4096, 3)
        if not data:
            return
        request = json.loads(data)
        answer: dict[str, Any] = {}
        if request["do"] == "copy":
            _copy(control, descriptors, worker, plan)
            for descriptor in descriptors:
                os.close(descriptor)
            continue  # the copy answers, where it can serve
        if request["do"] == "start":
            limits = ResourceLimits(**request["limits"])
            pid = _start(control, partial(worker.run, *descriptors, limits, plan))
            for descriptor in descriptors:
                os.close(descriptor)
            answer = {"pid": pid}
        elif request["do"] == "dump_traceback":
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGUSR1)
        else:
            answer = _end(pid, request["timeout"])
        # With the request's number: a stray message on this socket must not pass for the answer to the next request.
        _tell(control, answer | {"number": request["number"]})


def _tell(control: socket.socket, message: dict[str, Any]) -> None:
    control.send(json.dumps(message).encode())


def _start(control: socket.socket, run: Callable[[int], NoReturn]) -> int:
    """Fork a student's process; it runs `run`, and nothing of it returns into the loop."""
    parent = os.getpid()
    pid = os.fork()
    if pid == 0:
        try:
            # The number is closed with all others; an object that closed it later would close something else.
            control.detach()
            run(parent)
        finally:
            os._exit(SETUP_FAILED)
    return pid


def _end(pid: int, timeout: float) -> dict[str, Any]:
    """Kill the student's process and all that it forked, reap them, and return how it had ended.

    For up to `timeout` seconds of its own time it may end by itself first: its end of the channel closes a moment before
    it is gone.
    """
    deadline = Deadline(pid, timeout)
    with contextlib.suppress(TimeoutError):
        while not (by_itself := _has_ended(pid)):
            time.sleep(min(deadline.pause(), 0.0005))
            deadline.note_silence()
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(pid, signal.SIGKILL)
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, signal.SIGKILL)
    _, status, usage = os.wait4(pid, 0)
    strays = reap_all()
    return {"status": status if by_itself else None, "cpu_seconds": usage.ru_utime + usage.ru_stime + strays}


def _has_ended(pid: int) -> bool:
    return os.waitid(os.P_PID, pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None


def reap_all() -> float:
    """Kill and reap every child there is, however it was orphaned; return their processor time in seconds."""
    seconds = 0.0
    deadline = time.monotonic() + REAP_TIMEOUT
    while time.monotonic() < deadline:
        try:
            pid, _, usage = os.wait4(-1, os.WNOHANG)
        except ChildProcessError:
            return seconds
        if pid:
            seconds += usage.ru_utime + usage.ru_stime
            continue
        for child in _children():
            with contextlib.suppress(ProcessLookupError):
                os.kill(child, signal.SIGKILL)
        time.sleep(0.0005)
    # They fork faster than they can be killed. The grader replaces a zygote that has gone.
    sys.exit("processes of a submission could not be ended")


def _children() -> list[int]:
    children = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdecimal():
            with contextlib.suppress(OSError):
                # The name of a process, in brackets, may hold anything; the parent's id is the second field after it.
                parent = (entry / "stat").read_bytes().rpartition(b")")[2].split()[1]
                if int(parent) == os.getpid():
                    children.append(int(entry.name))
    return children
