"""Alone with the student: the life of one process, from its start to its last answer.

The process is forked by `zygote` and speaks frames of `protocol` over descriptor 3; where it cannot be forked, `spawn` starts
it, and the frames come over standard input and output. Nothing that it says is believed: our end is `host`. Only read(2) and
write(2) are used on the channel, since the lock-down refuses all socket calls.
"""

import builtins
import faulthandler
import gc
import mmap
import os
import signal
import site
import sys
import traceback
import warnings
from typing import Any, NoReturn

from . import protocol, scratch_files
from .loaded_submission import LoadedSubmission, warm_up
from .policy import WALL_FACTOR, ResourceLimits, limit_resources
from .stubs import SilentStub

if sys.platform == "linux":  # it is made of Linux's own calls, and looks them up as it is loaded
    from . import lockdown

CHANNEL = 3
RECURSION_LIMIT = 5_000
# Freed when memory runs out, so that there is some left to say so.
RESERVE_BYTES = 16 << 20
# Seconds of wall time beyond the whole submission's, after which a spawned process that nobody ended ends itself.
ORPHAN_SECONDS = 3

SETUP_FAILED = 82
CHANNEL_LOST = 83


def finish_loading(standard: list[str]) -> None:
    """Take our modules out of the student's sight, leave the standard library alone on the path, and warm up."""
    for name in [name for name in sys.modules if name.partition(".")[0] == "_sandbox"]:
        del sys.modules[name]
    sys.path[:] = standard
    for folder in set(sys.path_importer_cache) - set(standard):
        del sys.path_importer_cache[folder]
    # exit() and quit(), which `site` would have put there had it run.
    site.setquit()
    # What happens once, such as OpenBLAS taking its buffer, is not to come out of the student's memory.
    warm_up()


def run_spawned(terms: dict[str, Any], standard: list[str]) -> NoReturn:
    """Run as a student's process in a fresh interpreter; `standard` is the path without our folders."""
    try:
        inward, outward = _move_channel()
        limits = ResourceLimits(**terms["limits"])
        finish_loading(standard)
        # By a thread in C that needs no lock of Python's. It is for when the grader was killed: no signal tells us.
        faulthandler.dump_traceback_later(WALL_FACTOR * limits.cpu_seconds + ORPHAN_SECONDS, exit=True, file=2)
        arrange_interpreter()
        _reset_signals()
        memory_reserve = mmap.mmap(-1, RESERVE_BYTES)
        if "rlimits" in terms["layers"]:
            limit_resources(limits)
        questions = memoryview(_read_all(inward, terms["questions"]))
        protocol.write(outward, protocol.pack({"ready": terms["layers"]}))
    except BaseException:  # noqa: BLE001 -- whatever went wrong: no student code runs without the limits that a report names
        traceback.print_exc(file=_stderr())
        os._exit(SETUP_FAILED)
    serve(inward, outward, limits, memory_reserve, questions)


def _read_all(descriptor: int, size: int) -> bytes:
    """Return so many bytes from a pipe."""
    data = bytearray()
    while len(data) < size and (more := os.read(descriptor, size - len(data))):
        data += more
    return bytes(data)


def _move_channel() -> tuple[int, int]:
    """Move the channel away, so that 0 is empty and 1 and 2 are the outputs; return both its directions."""
    if sys.platform == "win32":
        import msvcrt  # noqa: PLC0415 -- only there

        for descriptor in range(3):
            msvcrt.setmode(descriptor, os.O_BINARY)  # else 10 would be written as 13 10
    inward, outward = os.dup(0), os.dup(1)
    null = os.open(os.devnull, os.O_RDONLY)
    os.dup2(null, 0)
    os.close(null)
    os.dup2(2, 1)
    return inward, outward


def run(
    channel: int, output: int, questions: int, limits: ResourceLimits, plan: lockdown.Plan, parent: int
) -> NoReturn:
    """Run as a student's process, from just after the fork; `channel`, `output` and `questions` are descriptors."""
    try:
        asked = _map(questions)
        _arrange_descriptors(channel, output, plan)
        _reset_signals()
        memory_reserve = mmap.mmap(-1, RESERVE_BYTES)
        sys.setrecursionlimit(RECURSION_LIMIT)
        layers = lockdown.apply(limits, plan)
        if os.getppid() != parent:
            os._exit(SETUP_FAILED)  # the zygote died before its death could be noticed
        protocol.write(CHANNEL, protocol.pack({"ready": layers}))
    except BaseException:  # noqa: BLE001 -- whatever went wrong: no student code runs in a process that is locked by half
        traceback.print_exc(file=_stderr())
        os._exit(SETUP_FAILED)
    serve(CHANNEL, CHANNEL, limits, memory_reserve, asked)


def _map(questions: int) -> memoryview:
    """Return a file's content, to be read only; see `question_file` for why all of it may be seen at once."""
    if not os.fstat(questions).st_size:  # what is empty cannot be mapped
        return memoryview(b"")
    return memoryview(mmap.mmap(questions, 0, prot=mmap.PROT_READ))


def serve(
    inward: int, outward: int, limits: ResourceLimits, memory_reserve: mmap.mmap, questions: memoryview
) -> NoReturn:
    """Serve, once everything is arranged, until the grader closes the channel; it may be two descriptors, or one twice."""
    try:
        _answer_calls(inward, outward, limits, memory_reserve, questions)
    except OSError:
        os._exit(CHANNEL_LOST)
    # No interpreter shutdown: a student's atexit functions and finalisers would hang there.
    os._exit(0)


def _arrange_descriptors(channel: int, output: int, plan: lockdown.Plan) -> None:
    """Leave four descriptors: nothing to read, the memory file for both outputs, the channel; Landlock's goes later."""
    null = os.open(os.devnull, os.O_RDONLY)
    os.dup2(output, 1)
    os.dup2(output, 2)
    os.dup2(null, 0)
    os.dup2(channel, CHANNEL)
    if "process" in plan.layers:
        os.setsid()
        lockdown.close_all_but({0, 1, 2, CHANNEL} | ({plan.ruleset} if plan.ruleset is not None else set()))


def _reset_signals() -> None:
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def _stderr() -> Any:
    return os.fdopen(2, "w", closefd=False, errors="replace")


def _answer_calls(
    inward: int, outward: int, limits: ResourceLimits, memory_reserve: mmap.mmap, questions: memoryview
) -> None:
    """Load the submission, and answer the questions that come with it, and those of later messages, one after another."""
    reader = protocol.Reader(protocol.MAX_OWN_HEADER)
    first = protocol.read(inward, reader)
    if first is None:
        return
    gc.enable()
    submission = LoadedSubmission(first.message, limits.memory_mb, memory_reserve)
    submission.put_back_older_names()
    protocol.write(outward, submission.load())
    told: protocol.Frame | None = first
    while told is not None:
        for start, end in told.message["asked"] if submission.loaded else ():
            protocol.write(outward, submission.answer(protocol.unpack(questions[start:end])))
        told = protocol.read(inward, reader)


def arrange_interpreter() -> None:
    """Arrange Python as in a notebook, where that is safe: once, before a process is forked that has to copy what it changes."""
    # A crash, or the grader's SIGUSR1 where a process has run for too long, makes it write a traceback to its output.
    # Windows has no signal to ask with.
    faulthandler.enable(2, all_threads=False)
    if sys.platform != "win32":
        faulthandler.register(signal.SIGUSR1, 2, all_threads=False)
    warnings.resetwarnings()
    warnings.simplefilter("default")
    builtins.input = _no_input
    # The one leftover of Python 2 that stands in otherwise right Python 3 programs; the loader's note tells of it.
    builtins.xrange = range  # type: ignore[attr-defined]
    # As in a notebook; nbconvert writes the second into its scripts too.
    for name in ("display", "get_ipython"):
        setattr(builtins, name, SilentStub(f"IPython.{name}"))
    scratch_files.install()
    # The zygote's own name the folder of the grader.
    sys.argv[:] = sys.orig_argv[:] = ["submission"]


def _no_input(_prompt: object = "", /) -> str:
    raise EOFError("input() has nobody to ask: the grader runs the submission without a keyboard")
