"""Run a program, as root, under what Docker gives a container by default.

Usage: `python in_docker.py PROFILE new|old PROGRAM ARGUMENT...`; "old" is a Docker that knows nothing of Landlock.

PROFILE is a seccomp profile in the container tools' common JSON form; Docker's own differences from the one that
Debian ships (golang-github-containers-common) are made here, as its documentation lists them. libseccomp compiles it.
"""

from __future__ import annotations

import ctypes
import errno
import json
import os
import sys
from pathlib import Path

# https://docs.docker.com/engine/security/seccomp/: refused without CAP_SYS_ADMIN, and since version 25 io_uring.
_REFUSED = (
    "acct add_key bpf clock_adjtime clock_settime clone3 delete_module finit_module get_mempolicy init_module"
    " io_uring_enter io_uring_register io_uring_setup ioperm iopl kcmp kexec_file_load kexec_load keyctl lookup_dcookie"
    " mbind mount move_pages name_to_handle_at open_by_handle_at perf_event_open pivot_root quotactl reboot request_key"
    " set_mempolicy setns settimeofday swapon swapoff sysfs umount umount2 unshare uselib userfaultfd ustat"
)
REFUSED = set(_REFUSED.split())
# The namespaces' flags of clone.
NEW_NAMESPACES = 0x7E020000
# https://docs.docker.com/engine/containers/run/#runtime-privilege-and-linux-capabilities, by number.
CAPABILITIES = {0, 1, 3, 4, 5, 6, 7, 8, 10, 13, 18, 27, 29, 31}

ALLOW, ERRNO = 0x7FFF0000, 0x00050000
EQUAL, MASKED_EQUAL = 4, 7
CTL_NNP = 3


class Compare(ctypes.Structure):
    """libseccomp's scmp_arg_cmp."""

    _fields_ = (("arg", ctypes.c_uint), ("op", ctypes.c_int), ("a", ctypes.c_uint64), ("b", ctypes.c_uint64))


def load_profile(path: Path, *, landlock: bool) -> None:
    """Have the kernel run Docker's default profile from now on."""
    seccomp = ctypes.CDLL("libseccomp.so.2", use_errno=True)
    seccomp.seccomp_init.restype = ctypes.c_void_p
    context = ctypes.c_void_p(seccomp.seccomp_init(ctypes.c_uint32(ERRNO | errno.EPERM)))

    def add(name: str, action: int, *compares: Compare) -> None:
        number = seccomp.seccomp_syscall_resolve_name(name.encode())
        if number >= 0:
            array = (Compare * max(1, len(compares)))(*compares)
            answer = seccomp.seccomp_rule_add_array(context, ctypes.c_uint32(action), number, len(compares), array)
            assert answer in {0, -errno.EEXIST, -errno.EACCES}, (name, answer)

    for rule in json.loads(path.read_text(encoding="utf-8"))["syscalls"]:
        wanted = rule["action"] == "SCMP_ACT_ALLOW" and not rule.get("args") and "caps" not in rule.get("includes", {})
        for name in rule["names"] if wanted else ():
            if name not in REFUSED | {"clone", "personality", "socket"} and (landlock or "landlock" not in name):
                add(name, ALLOW)
    add("clone", ALLOW, Compare(0, MASKED_EQUAL, NEW_NAMESPACES, 0))
    add("clone3", ERRNO | errno.ENOSYS)
    add("socket", ALLOW)
    for value in (0, 8, 0x20000, 0x20008, 0xFFFFFFFF):
        add("personality", ALLOW, Compare(0, EQUAL, value, 0))
    # Docker leaves setuid programs their rights. A root without CAP_SYS_ADMIN, such as a container's, has to take them.
    for no_new_privs in (0, 1):
        seccomp.seccomp_attr_set(context, CTL_NNP, ctypes.c_uint32(no_new_privs))
        if seccomp.seccomp_load(context) == 0:
            return
    raise OSError("the kernel refuses the profile")


def drop_capabilities() -> None:
    """Keep the capabilities that a container's root has."""
    libc = ctypes.CDLL(None, use_errno=True)
    for number in range(64):
        if number not in CAPABILITIES:
            libc.prctl(24, ctypes.c_ulong(number), 0, 0, 0)  # PR_CAPBSET_DROP
    bits = sum(1 << number for number in CAPABILITIES)
    low, high = bits & 0xFFFFFFFF, bits >> 32
    data = (ctypes.c_uint32 * 6)(low, low, 0, high, high, 0)
    assert libc.capset((ctypes.c_uint32 * 2)(0x20080522, 0), data) == 0


if __name__ == "__main__":
    load_profile(Path(sys.argv[1]), landlock=sys.argv[2] == "new")
    drop_capabilities()
    os.execv(sys.argv[3], sys.argv[3:])  # noqa: S606 -- that is what it is for
