"""Limit which files a student's process may read: a Landlock domain, which no child and no exec can leave. See landlock(7).

The ruleset is made once, in the zygote; each student's process enters it by the descriptor that it inherits.
"""

import ctypes
import os
import struct
from collections.abc import Iterable

# The same numbers on every architecture.
_CREATE, _ADD, _RESTRICT = 444, 445, 446
_VERSION = 1
_PATH_BENEATH = 1

_READ_FILE, _READ_DIR = 1 << 2, 1 << 3
# Each version of Landlock adds rights that it can refuse. A right that is named here and given by no rule is refused.
_FILE_RIGHTS = {
    1: (1 << 13) - 1,  # execute, write, read, list, remove, make
    2: 1 << 13,  # link and rename from one folder to another
    3: 1 << 14,  # truncate
    5: 1 << 15,  # ioctl on devices
}
_NETWORK = {4: 0b11}  # bind and connect TCP
_SCOPES = {6: 0b11}  # abstract unix sockets, and signals, of processes outside

_syscall = ctypes.CDLL(None, use_errno=True).syscall
_syscall.restype = ctypes.c_long


def version() -> int:
    """Return the version of Landlock that this kernel speaks, or 0. It is asked, since /sys may show another kernel's."""
    return max(0, int(_syscall(_CREATE, None, ctypes.c_size_t(0), ctypes.c_uint(_VERSION))))


def make_ruleset(abi: int, readable: Iterable[str]) -> int:
    """Return the descriptor of a new ruleset, of at most version `abi`.

    readable : files, and folders with all below them, that may be read. What is not there is left out.
    """
    rights = (_up_to(abi, _FILE_RIGHTS), _up_to(abi, _NETWORK), _up_to(abi, _SCOPES))
    # A kernel that knows a shorter structure takes this one where the rest is zero.
    attributes = struct.pack("=QQQ", *rights)
    ruleset = _call(_CREATE, attributes, ctypes.c_size_t(len(attributes)), ctypes.c_uint(0))
    for path in readable:
        _allow(ruleset, path)
    return ruleset


def _allow(ruleset: int, path: str) -> None:
    try:
        descriptor = os.open(path, os.O_PATH | os.O_CLOEXEC)
    except OSError:
        return
    try:
        rights = _READ_FILE | (_READ_DIR if os.path.isdir(path) else 0)  # noqa: PTH112 -- pathlib is slower, and there are 200
        rule = struct.pack("=Qi", rights, descriptor)
        _call(_ADD, ruleset, ctypes.c_int(_PATH_BENEATH), rule, ctypes.c_uint(0))
    finally:
        os.close(descriptor)


def restrict(ruleset: int) -> None:
    """Enter the domain of a ruleset, for good. Raises OSError where the kernel refuses; without no_new_privs it does."""
    _call(_RESTRICT, ruleset, ctypes.c_uint(0))


def _up_to(abi: int, rights: dict[int, int]) -> int:
    return sum(bits for since, bits in rights.items() if since <= abi)


def _call(number: int, first: int | bytes, *rest: object) -> int:
    answer = int(_syscall(ctypes.c_long(number), first, *rest))
    if answer < 0:
        code = ctypes.get_errno()
        raise OSError(code, f"landlock: {os.strerror(code)}")
    return answer
