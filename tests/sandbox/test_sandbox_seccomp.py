"""The filter as the kernel will run it, instruction by instruction, for both architectures; and its numbers."""

import ctypes
import ctypes.util
import errno
import os
import struct

import pytest

from grader.sandbox import seccomp

COLUMN = {"x86_64": 0, "aarch64": 1}
AUDIT = {"x86_64": 0xC000003E, "aarch64": 0xC00000B7}
PID = 4242
ALLOW, KILL = "allow", "kill"
# Those whose answer depends on their arguments, or on whether there is Landlock.
WEIGHED = (
    "open openat readlink readlinkat kill tgkill tkill prlimit64 fcntl ioctl clock_gettime clock_getres clock_nanosleep"
)


def verdict(machine, number, *arguments, audit=None, may_open=True):
    """Interpret the filter for one call, as bpf(4) defines the instructions; give "allow", "kill" or an errno."""
    program = seccomp.build(may_open=may_open, machine=machine)
    code = bytearray(program.code)
    for offset in program.own_pid:
        struct.pack_into("<I", code, offset, PID)
    padded = (*arguments, 0, 0, 0, 0, 0, 0)[:6]
    data = struct.pack("<iIQ6Q", number, AUDIT[machine] if audit is None else audit, 0, *padded)
    instructions = list(struct.iter_unpack("<HBBI", code))
    place = accumulator = 0
    while True:
        operation, yes, no, value = instructions[place]
        place += 1
        match operation:
            case 0x20:
                accumulator = struct.unpack_from("<I", data, value)[0]
            case 0x06:
                return {0x7FFF0000: ALLOW, 0x80000000: KILL}.get(value) or value & 0xFFFF
            case 0x15 | 0x35 | 0x45:
                holds = {
                    0x15: accumulator == value,
                    0x35: accumulator >= value,
                    0x45: accumulator & value != 0,
                }[operation]
                place += yes if holds else no


def named(machine, name, *arguments, **more):
    """Return the verdict on a call by its name, or None where the architecture lacks it."""
    number = seccomp.NUMBERS[name][COLUMN[machine]]
    return None if number is None else verdict(machine, number, *arguments, **more)


both = pytest.mark.parametrize("machine", COLUMN)


@both
@pytest.mark.parametrize(
    ("name", "arguments", "expected"),
    [
        ("read", (3, 0, 100), ALLOW),
        ("mmap", (0, 4096, 7, 0x22), ALLOW),
        ("socket", (2, 1, 0), errno.EPERM),
        ("sendmsg", (3, 0, 0), errno.EPERM),
        ("clone", (0,), errno.EPERM),
        ("execve", (0, 0, 0), errno.EPERM),
        ("ptrace", (16, 1), errno.EPERM),
        ("prctl", (1, 0), errno.EPERM),
        ("io_uring_setup", (8, 0), errno.EPERM),
        ("unlinkat", (0, 0, 0), errno.EACCES),
        ("fchmod", (1, 0o777), errno.EACCES),
        ("readlinkat", (0, 0, 0, 100), ALLOW),
        ("clock_gettime", (1, 0), ALLOW),
        ("clock_nanosleep", (1, 0), ALLOW),
        ("clock_gettime", (~PID << 3 & 0xFFFFFFFF | 2, 0), errno.EPERM),  # another process's processor time
        ("clock_getres", (0xFFFFFFFA, 0), errno.EPERM),
        ("openat", (0, 0, os.O_RDONLY | os.O_CLOEXEC | os.O_DIRECTORY), ALLOW),
        ("openat", (0, 0, os.O_WRONLY), errno.EACCES),
        ("openat", (0, 0, os.O_RDWR), errno.EACCES),
        ("openat", (0, 0, os.O_CREAT), errno.EACCES),
        ("openat", (0, 0, os.O_TRUNC), errno.EACCES),
        ("openat", (0, 0, os.O_PATH), errno.EACCES),
        ("openat", (0, 0, os.O_TMPFILE), errno.EACCES),
        ("open", (0, os.O_RDONLY), ALLOW),
        ("open", (0, os.O_WRONLY | os.O_CREAT), errno.EACCES),
        ("kill", (PID, 9), ALLOW),
        ("kill", (0, 9), errno.EPERM),
        ("kill", (2**64 - 1, 9), errno.EPERM),
        ("kill", (PID + 1, 0), errno.EPERM),
        ("tgkill", (PID, PID, 6), ALLOW),
        ("tgkill", (1, PID, 6), errno.EPERM),
        ("tkill", (1, 6), errno.EPERM),
        ("prlimit64", (0, 7, 0, 0x7F00), ALLOW),
        ("prlimit64", (PID, 7, 0, 0x7F00), ALLOW),
        ("prlimit64", (PID + 1, 7, 0, 0x7F00), errno.EPERM),
        ("prlimit64", (0, 7, 0x7F0000001000, 0), errno.EPERM),
        ("prlimit64", (0, 7, 0x7F00000000, 0), errno.EPERM),  # only the pointer's high half is set
        ("fcntl", (1, 3), ALLOW),
        ("fcntl", (3, 8, 1), errno.EPERM),  # F_SETOWN
        ("fcntl", (3, 10, 9), errno.EPERM),  # F_SETSIG
        ("ioctl", (1, 0x5401), ALLOW),
        ("ioctl", (0, 0x5412), errno.EPERM),  # TIOCSTI
    ],
)
def test_what_each_call_is_answered(machine, name, arguments, expected):
    """The rules hold on both architectures, by argument where they must."""
    answered = named(machine, name, *arguments)
    assert answered == expected or (answered is None and machine == "aarch64")


@both
def test_without_landlock_nothing_is_opened(machine):
    """Where no layer says which files may be read, none may; nor may links, which tell of other processes."""
    assert named(machine, "readlinkat", 0, 0, 0, may_open=False) == errno.EACCES
    assert named(machine, "openat", 0, 0, os.O_RDONLY, may_open=False) == errno.EACCES
    assert named(machine, "open", 0, os.O_RDONLY, may_open=False) in {errno.EACCES, None}


@both
@pytest.mark.parametrize("number", [0, 11, 39, 57, 59, 435])
def test_calls_of_another_architecture_kill(machine, number):
    """A call by int 0x80 has other numbers: what reads as one call here would be done as another."""
    assert verdict(machine, number, audit=0x40000003) == KILL


def test_x32_calls_kill():
    """x32 calls come under the same architecture, with a bit set in their number."""
    for number in (0x40000000, 0x40000000 | 59, 0x7FFFFFFF):
        assert verdict("x86_64", number) == KILL


@both
def test_whatever_is_not_listed_is_not_there(machine):
    """An allowlist: calls that are not in the table, and those still to be invented, answer ENOSYS."""
    known = {numbers[COLUMN[machine]] for numbers in seccomp.NUMBERS.values()}
    groups = (*seccomp.ALLOWED, *seccomp.EPERM, *seccomp.EACCES, WEIGHED)
    listed = {seccomp.NUMBERS[name][COLUMN[machine]] for name in " ".join(groups).split()}
    assert known == listed, "every number in the table is used"
    for number in set(range(600)) - known:
        assert verdict(machine, number) == errno.ENOSYS, number


def test_no_call_is_in_two_lists():
    """The first list wins, so a name in two of them would hide a mistake."""
    names = " ".join(sum((seccomp.ALLOWED, seccomp.EPERM, seccomp.EACCES), ())).split()
    assert len(names) == len(set(names))


@both
def test_the_numbers_are_the_kernels(machine):
    """Each number is compared with libseccomp's own table."""
    path = ctypes.util.find_library("seccomp")
    if path is None:
        pytest.skip("libseccomp is not installed")
    resolve = ctypes.CDLL(path).seccomp_syscall_resolve_name_arch
    for name, numbers in seccomp.NUMBERS.items():
        theirs = resolve(ctypes.c_uint32(AUDIT[machine]), name.encode())
        ours = numbers[COLUMN[machine]]
        # Below zero: this libseccomp does not know the name, or the architecture lacks the call.
        assert theirs == ours or (theirs < 0 and (ours is None or name == "fchmodat2")), name


def test_a_machine_that_is_not_in_the_table_is_not_known():
    """Wrong numbers would allow the wrong calls: there is no filter then, and the canary gets through."""
    assert not seccomp.machine_is_known("riscv64")
