"""The system calls that a student's process may make, compiled to the program that the kernel runs before each call.

The list is of what is allowed. Everything else answers ENOSYS, as on a kernel that lacks the call, so that libraries fall
back; what a student may meet answers EPERM or EACCES, so that Python says PermissionError. See seccomp(2) and bpf(2).
"""

from __future__ import annotations

import ctypes
import errno
import os
import platform
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ALLOWED = (
    # descriptors that it has already: the channel, the file behind its output, what it may open
    "read write readv writev pread64 pwrite64 preadv pwritev preadv2 pwritev2 lseek close close_range dup dup2 dup3",
    # what the importer asks of paths: whether they are there, never what is in them
    "stat fstat lstat newfstatat statx access faccessat faccessat2 getcwd getdents getdents64",
    # its own memory, within RLIMIT_AS
    "mmap munmap mremap mprotect madvise brk",
    # its own signal handlers and alarms
    (
        "rt_sigaction rt_sigprocmask rt_sigreturn rt_sigpending rt_sigsuspend rt_sigtimedwait sigaltstack pause alarm"
        " setitimer getitimer restart_syscall"
    ),
    # locks inside the process
    "futex sched_yield",
    # clocks, and waiting: the deadline is the grader's
    "nanosleep gettimeofday time times getrusage poll ppoll select pselect6",
    "getrandom",
    "exit exit_group",
    # who and where it is, which tells nothing of anybody else
    (
        "getpid gettid getppid getuid geteuid getgid getegid getresuid getresgid getgroups getpgrp getrlimit uname sysinfo"
        " sched_getaffinity getcpu"
    ),
)
EPERM = (
    # the network, other processes' sockets, and passing of descriptors
    (
        "socket socketpair connect bind listen accept accept4 sendto sendmsg sendmmsg recvfrom recvmsg recvmmsg shutdown"
        " getsockname getpeername setsockopt getsockopt"
    ),
    # more processes and threads: they outlive a call, and make the limit on processes a race
    "fork vfork clone execve execveat",
    # other processes' memory and descriptors
    "ptrace process_vm_readv process_vm_writev pidfd_open pidfd_getfd pidfd_send_signal kcmp process_madvise",
    # another view of the file system
    "mount umount2 pivot_root chroot unshare setns open_tree move_mount fsopen fsconfig fsmount fspick mount_setattr",
    # large and young parts of the kernel, where most of its holes were found
    "bpf perf_event_open add_key request_key keyctl io_uring_setup io_uring_enter io_uring_register userfaultfd",
    # memory that RLIMIT_AS does not count
    "memfd_create memfd_secret",
    # what outlives its process
    (
        "shmget shmat shmctl shmdt semget semop semctl semtimedop msgget msgsnd msgrcv msgctl mq_open mq_unlink mq_timedsend"
        " mq_timedreceive mq_notify mq_getsetattr"
    ),
    # being somebody else, and undoing what the lock-down set: prctl would take PDEATHSIG and DUMPABLE back
    (
        "setuid setgid setreuid setregid setresuid setresgid setgroups setfsuid setfsgid capset prctl personality seccomp"
        " setrlimit setsid setpgid"
    ),
    # taking the processor from others
    "setpriority sched_setaffinity sched_setscheduler sched_setparam sched_setattr ioprio_set",
    # signals with a sender's word for who sent them
    "rt_sigqueueinfo rt_tgsigqueueinfo",
)
EACCES = (
    # every change to a path, or to a file's size, rights, times, attributes and locks
    (
        "creat truncate ftruncate fallocate rename renameat renameat2 mkdir mkdirat rmdir unlink unlinkat link linkat"
        " symlink symlinkat mknod mknodat chmod fchmod fchmodat fchmodat2 chown fchown lchown fchownat utime utimes"
        " utimensat futimesat setxattr lsetxattr fsetxattr removexattr lremovexattr fremovexattr flock"
    ),
    # attributes are content too, and Landlock does not guard their reading
    "getxattr lgetxattr fgetxattr listxattr llistxattr flistxattr",
    # relative paths would start where whoever wrote this program did not mean
    "chdir fchdir",
)
# Flags that open for reading and nothing else; O_PATH is not among them, since Landlock does not look at it.
OPEN_FLAGS = os.O_CLOEXEC | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_NOCTTY | getattr(os, "O_LARGEFILE", 0)
FCNTL = (0, 1, 2, 3, 1030)  # F_DUPFD F_GETFD F_SETFD F_GETFL F_DUPFD_CLOEXEC; F_SETOWN would send signals
IOCTL = (0x5401, 0x5451, 0x5450)  # TCGETS, which isatty() asks; FIOCLEX and FIONCLEX; TIOCSTI would type for others

_AUDIT = {"x86_64": (0, 0xC000003E), "aarch64": (1, 0xC00000B7)}
_X32 = 0x40000000

_RET_ALLOW, _RET_ERRNO, _RET_KILL = 0x7FFF0000, 0x00050000, 0x80000000
_LOAD, _EQUAL, _AT_LEAST, _ANY_BIT, _RETURN = 0x20, 0x15, 0x35, 0x45, 0x06
_NUMBER, _ARCHITECTURE, _ARGUMENTS = 0, 4, 16  # where in struct seccomp_data; an argument's low half comes first
_INSTRUCTION = struct.Struct("<HBBI")
_PR_SET_SECCOMP, _MODE_FILTER = 22, 2

Instruction = tuple[int, int, int, int]


def _read_numbers() -> dict[str, tuple[int | None, ...]]:
    """Return the numbers of each system call, by architecture; None where the younger one never had the call.

    The kernel never renumbers one. A test compares every number with libseccomp's.
    """
    rows = Path(__file__).with_name("syscalls.csv").read_text(encoding="ascii").split()[1:]
    return {
        name: tuple(int(number) if number else None for number in numbers)
        for name, *numbers in (row.split(",") for row in rows)
    }


NUMBERS = _read_numbers()


class _Filter(ctypes.Structure):
    _fields_ = (("length", ctypes.c_ushort), ("instructions", ctypes.c_void_p))


@dataclass(frozen=True)
class Program:
    """A compiled filter; the process's own number is put in after the fork."""

    code: bytes
    own_pid: tuple[int, ...]  # offsets of the 32-bit fields that hold it

    def load(self, pid: int) -> None:
        """Install this program: the kernel runs it before every system call of this process, for good.

        Raises OSError where the kernel refuses; without no_new_privs it does.
        """
        code = ctypes.create_string_buffer(self.code, len(self.code))
        for offset in self.own_pid:
            struct.pack_into("<I", code, offset, pid)
        program = _Filter(len(self.code) // _INSTRUCTION.size, ctypes.addressof(code))
        if _prctl(_PR_SET_SECCOMP, ctypes.c_ulong(_MODE_FILTER), ctypes.byref(program), 0, 0) != 0:
            number = ctypes.get_errno()
            raise OSError(number, f"seccomp: {os.strerror(number)}")


_prctl = ctypes.CDLL(None, use_errno=True).prctl


def machine_is_known(machine: str = "") -> bool:
    """Return True where the system calls of this architecture are in the table."""
    return (machine or platform.machine()) in _AUDIT


def build(*, may_open: bool, machine: str = "") -> Program:
    """Compile the filter.

    may_open : whether files may be opened for reading; where Landlock does not say which, they may not.
    machine : architecture, as platform.machine() names it; this one by default.
    """
    column, audit = _AUDIT[machine or platform.machine()]
    writer = _Writer(column)
    # A 32-bit call (int 0x80) has other numbers: what is read here as one call would be done as another.
    writer.add((_LOAD, 0, 0, _ARCHITECTURE), (_EQUAL, 1, 0, audit), (_RETURN, 0, 0, _RET_KILL))
    writer.add((_LOAD, 0, 0, _NUMBER))
    if column == 0:
        writer.add((_AT_LEAST, 0, 1, _X32), (_RETURN, 0, 0, _RET_KILL))
    writer.each(ALLOWED, _RET_ALLOW)
    _weigh(writer, may_open=may_open)
    for names, number in ((EPERM, errno.EPERM), (EACCES, errno.EACCES)):
        writer.each(names, _RET_ERRNO | number)
    # clone3 passes its flags by pointer, where no filter can look; ENOSYS has libraries try clone.
    writer.add((_RETURN, 0, 0, _RET_ERRNO | errno.ENOSYS))
    return writer.program()


def _weigh(writer: _Writer, *, may_open: bool) -> None:
    """Add the calls that depend on their arguments."""
    no, denied = _RET_ERRNO | errno.EPERM, _RET_ERRNO | errno.EACCES
    for name, place in (("open", 1), ("openat", 2)):
        if may_open:
            writer.when(name, ((place, _ANY_BIT, 0xFFFFFFFF & ~OPEN_FLAGS, denied),), _RET_ALLOW)
        else:
            writer.each((name,), denied)
    # Landlock keeps other processes' links in /proc closed; where it is missing, no link is read.
    writer.each(("readlink readlinkat",), _RET_ALLOW if may_open else denied)
    # A number below zero is the clock of a process, and the kernel tells anybody how much time any process has used.
    for name in ("clock_gettime", "clock_getres", "clock_nanosleep"):
        writer.when(name, ((0, _ANY_BIT, 0x80000000, no),), _RET_ALLOW)
    # To itself alone: raise(), abort() and os.kill(os.getpid(), ...) work, and no other process hears of it.
    for name in ("kill", "tgkill", "tkill"):
        writer.when(name, ((0, _EQUAL, None, _RET_ALLOW),), no)
    # To read its own limits, never to set any: the new limits' pointer (argument 2, both halves) is null.
    no_pointer = ((2, _ANY_BIT, 0xFFFFFFFF, no), (2.5, _ANY_BIT, 0xFFFFFFFF, no))
    writer.when("prlimit64", (*no_pointer, (0, _EQUAL, 0, _RET_ALLOW), (0, _EQUAL, None, _RET_ALLOW)), no)
    writer.when("fcntl", tuple((1, _EQUAL, command, _RET_ALLOW) for command in FCNTL), no)
    writer.when("ioctl", tuple((1, _EQUAL, command, _RET_ALLOW) for command in IOCTL), no)


# Which argument (a half more is its high half), how to compare it, with what (None: the process's own number), and
# what is returned where that holds.
Condition = tuple[float, int, int | None, int]


class _Writer:
    """A filter while it is written."""

    def __init__(self, column: int) -> None:
        self._column = column
        self._instructions: list[Instruction] = []
        self._own_pid: list[int] = []

    def add(self, *instructions: Instruction) -> None:
        """Add instructions as they are."""
        self._instructions += instructions

    def each(self, groups: tuple[str, ...], answer: int) -> None:
        """Answer each of the calls named in `groups` alike."""
        for number in self._numbers(groups):
            self.add((_EQUAL, 0, 1, number), (_RETURN, 0, 0, answer))

    def when(self, name: str, conditions: tuple[Condition, ...], otherwise: int) -> None:
        """Answer one call by the first of `conditions` that holds."""
        for number in self._numbers((name,)):
            self.add((_EQUAL, 0, 3 * len(conditions) + 1, number))
            for argument, how, value, answer in conditions:
                if value is None:
                    self._own_pid.append(_INSTRUCTION.size * (len(self._instructions) + 1) + 4)
                self.add((_LOAD, 0, 0, _ARGUMENTS + int(8 * argument)))
                self.add((how, 0, 1, value or 0), (_RETURN, 0, 0, answer))
            self.add((_RETURN, 0, 0, otherwise))

    def _numbers(self, groups: tuple[str, ...]) -> Iterator[int]:
        for name in " ".join(groups).split():
            number = NUMBERS[name][self._column]
            if number is not None:
                yield number

    def program(self) -> Program:
        """Return what was written."""
        return Program(b"".join(_INSTRUCTION.pack(*one) for one in self._instructions), tuple(self._own_pid))
