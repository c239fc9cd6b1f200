"""The isolation tests, run in a student's process: each function tries one forbidden thing, which its docstring names.

A test that is refused raises, or returns a text that begins with "refused"; any other text says what got through.
No test may need a module that is loaded late: if that cannot be read, the test would stop there and count as refused.
NEEDS are imports that right programs need; they raise where they fail.
This file is loaded as a submission, and imports nothing of ours. A test that gets through must leave the system unchanged.
"""

import ctypes
import mmap
import os
import signal
import socket
from collections.abc import Callable, Mapping
from typing import Any

Targets = Mapping[str, Any]
REFUSED = "refused"
MEBIBYTE = 1 << 20


def read_a_file(targets: Targets) -> str:
    """Read a file that everybody on this machine may read."""
    with open(targets["file"], "rb") as file:  # noqa: PTH123 -- what a student would write
        return f"read {file.read()!r}"


def read_the_grader(targets: Targets) -> str:
    """Read the grader's own source, beside which the reference lies."""
    with open(targets["source"], "rb") as file:  # noqa: PTH123 -- the same
        return f"read {len(file.read())} bytes"


def read_the_graders_environment(targets: Targets) -> str:
    """Read the environment of the grader's process."""
    with open(f"/proc/{targets['grader']}/environ", "rb") as file:  # noqa: PTH123 -- the same
        return f"read {len(file.read())} bytes"


def read_the_graders_memory(targets: Targets) -> str:
    """Read the memory of the grader's process."""
    buffer = ctypes.create_string_buffer(8)
    ours = (ctypes.c_void_p * 2)(ctypes.addressof(buffer), 8)
    theirs = (ctypes.c_void_p * 2)(targets["address"], 8)
    got = _libc().process_vm_readv(targets["grader"], ours, 1, theirs, 1, 0)
    return f"read {buffer.raw!r}" if got == 8 else _refusal()


def list_a_folder(targets: Targets) -> str:
    """List the folder of the grader's source."""
    return f"listed {len(os.listdir(os.path.dirname(targets['source'])))} files"  # noqa: PTH120, PTH208 -- the same


def write_a_file(targets: Targets) -> str:
    """Create a file where everybody may."""
    path = os.path.join(targets["folder"], "new")  # noqa: PTH118 -- the same
    with open(path, "wb"):  # noqa: PTH123 -- the same
        os.unlink(path)  # noqa: PTH108 -- the same
    return "created a file"


def change_a_file(targets: Targets) -> str:
    """Change the rights of a file."""
    os.chmod(targets["file"], 0o644)  # noqa: PTH101 -- the same
    return "changed a file's rights"


def connect_by_tcp(targets: Targets) -> str:
    """Connect to a port on this machine."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as sender:
        sender.settimeout(1)
        sender.connect(("127.0.0.1", targets["tcp"]))  # create_connection would look for a codec first
    return "connected"


def send_a_datagram(targets: Targets) -> str:
    """Send a datagram to a port on this machine."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
        sender.sendto(b"canary", ("127.0.0.1", targets["udp"]))
    return "sent a datagram"


def connect_by_unix_socket(targets: Targets) -> str:
    """Connect to a socket in the file system."""
    with socket.socket(socket.AF_UNIX) as sender:
        sender.connect(targets["unix"])
    return "connected"


def fork(_targets: Targets) -> str:
    """Start a process that outlives the question."""
    pid = os.fork()
    if pid == 0:
        os._exit(0)
    os.waitpid(pid, 0)
    return f"forked process {pid}"


def run_a_program(_targets: Targets) -> str:
    """Run another program."""
    pid = os.posix_spawn("/bin/true", ["true"], {})
    os.waitpid(pid, 0)
    return f"ran it as process {pid}"


def signal_the_grader(targets: Targets) -> str:
    """Send a signal to the grader's process."""
    os.kill(targets["grader"], 0)
    return "may send signals"


def signal_the_parent(_targets: Targets) -> str:
    """Send a signal to the process that this one was forked from."""
    os.kill(os.getppid(), 0)
    return "may send signals"


def ask_to_be_traced(_targets: Targets) -> str:
    """Let another process trace this one."""
    return "may be traced" if _libc().ptrace(0, 0, 0, 0) == 0 else _refusal()


def take_more_memory(targets: Targets) -> str:
    """Take more memory than is allowed."""
    size = (targets["memory_mb"] + 64) * MEBIBYTE
    mmap.mmap(-1, size).close()
    return f"took {size} bytes"


def raise_a_limit(_targets: Targets) -> str:
    """Raise its own limits."""
    import resource  # noqa: PLC0415 -- not on every platform

    resource.setrlimit(resource.RLIMIT_CORE, resource.getrlimit(resource.RLIMIT_CORE))
    return "may set limits"


def write_without_end(_targets: Targets) -> str:
    """Write more output than is allowed."""
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    os.pwrite(1, b"x", 2 * MEBIBYTE)
    return "wrote at 2 MiB"


def find_a_descriptor(_targets: Targets) -> str:
    """Find an open descriptor other than its own four."""
    found = []
    for descriptor in range(4, 1024):
        try:
            os.fstat(descriptor)
        except OSError:
            continue
        found.append(descriptor)
    return f"found {found}" if found else f"{REFUSED}: there is none"


def keep_shared_memory(_targets: Targets) -> str:
    """Make shared memory, which outlives its process."""
    kept = _libc().shmget(0, 4096, 0o1600)  # IPC_PRIVATE, IPC_CREAT
    if kept < 0:
        return _refusal()
    _libc().shmctl(kept, 0, None)  # IPC_RMID
    return "made shared memory"


def enter_a_namespace(_targets: Targets) -> str:
    """Become root in a user namespace of its own."""
    return "became root in it" if _libc().unshare(0x10000000) == 0 else _refusal()


def import_from_python() -> None:
    """Import modules of Python's library that were not loaded beforehand."""
    # One written in Python and with it one compiled, and a codec. By exec, since in the text of a submission a stub
    # would take their place.
    exec("import cProfile, encodings.idna", {})  # noqa: S102 -- as said


def import_from_numpy() -> None:
    """Import parts of numpy that it loads when they are asked for."""
    # A few small ones: all that "*" asks for takes as long as a student's program.
    exec("import numpy.ctypeslib, numpy.polynomial.legendre", {})  # noqa: S102 -- as above


def _libc() -> Any:
    return ctypes.CDLL(None, use_errno=True)


def _refusal() -> str:
    return f"{REFUSED}: {os.strerror(ctypes.get_errno())}"


TESTS: tuple[Callable[[Targets], str], ...] = (
    read_a_file,
    read_the_grader,
    read_the_graders_environment,
    read_the_graders_memory,
    list_a_folder,
    write_a_file,
    change_a_file,
    connect_by_tcp,
    send_a_datagram,
    connect_by_unix_socket,
    fork,
    run_a_program,
    signal_the_grader,
    signal_the_parent,
    take_more_memory,
    raise_a_limit,
    write_without_end,
    find_a_descriptor,
    keep_shared_memory,
    enter_a_namespace,
    ask_to_be_traced,  # last: where it succeeds, the next signal stops this process until its parent lets it go on
)
NEEDS: tuple[Callable[[], None], ...] = (import_from_python, import_from_numpy)


class Canary:
    """The class that the grader asks for; its methods run the tests."""

    def __init__(self, *_sizes: int) -> None:
        self.params: dict[str, Any] = {}

    def fetch(self) -> list[list[str]]:
        """Return [need, why it is not met] for each; "" where it is met."""
        return [[need.__name__, _fetch(need)] for need in NEEDS]

    def attempt(self, targets: Targets) -> list[list[str]]:
        """Return [test, result] for each."""
        return [[test.__name__, _try(test, targets)] for test in TESTS]


def _try(test: Callable[[Targets], str], targets: Targets) -> str:
    try:
        return test(targets)
    except Exception as error:  # noqa: BLE001 -- a refusal takes many forms
        return f"{REFUSED}: {type(error).__name__}: {error}"


def _fetch(need: Callable[[], None]) -> str:
    try:
        need()
    except Exception as error:  # noqa: BLE001 -- an import that fails may raise anything
        return f"{type(error).__name__}: {error}"
    return ""
