"""A Windows job object around one process: it ends with the grader, starts no other, and has limits on memory and time.

Structures, constants and their meaning are Microsoft's, from winnt.h and the pages that describe it: "Job Objects",
JOBOBJECT_BASIC_LIMIT_INFORMATION, JOBOBJECT_EXTENDED_LIMIT_INFORMATION, JOBOBJECT_BASIC_ACCOUNTING_INFORMATION
(https://learn.microsoft.com/windows/win32/procthread/job-objects). A job limits resources; it hides neither files nor network.
"""

from __future__ import annotations

import ctypes
import sys
from typing import Any

BASIC_ACCOUNTING, EXTENDED_LIMITS = 1, 9  # of the enumeration JOBOBJECTINFOCLASS

PROCESS_TIME = 0x00000002
ACTIVE_PROCESS = 0x00000008
PROCESS_MEMORY = 0x00000100
DIE_ON_UNHANDLED_EXCEPTION = 0x00000400  # no dialog box that waits for somebody to click
KILL_ON_JOB_CLOSE = 0x00002000

TICKS = 10_000_000  # a second, in the job's unit of 100 ns


class RefusedError(OSError):
    """Windows did not do what was asked of it."""


# Sizes are spelt out: ctypes.wintypes takes a DWORD for 8 bytes on Linux, where the layout is tested.
class BasicLimits(ctypes.Structure):
    """JOBOBJECT_BASIC_LIMIT_INFORMATION."""

    _fields_ = (
        ("PerProcessUserTimeLimit", ctypes.c_int64),
        ("PerJobUserTimeLimit", ctypes.c_int64),
        ("LimitFlags", ctypes.c_uint32),
        ("MinimumWorkingSetSize", ctypes.c_size_t),
        ("MaximumWorkingSetSize", ctypes.c_size_t),
        ("ActiveProcessLimit", ctypes.c_uint32),
        ("Affinity", ctypes.c_size_t),
        ("PriorityClass", ctypes.c_uint32),
        ("SchedulingClass", ctypes.c_uint32),
    )


class ExtendedLimits(ctypes.Structure):
    """JOBOBJECT_EXTENDED_LIMIT_INFORMATION, which holds IO_COUNTERS as well, reserved."""

    _fields_ = (
        ("BasicLimitInformation", BasicLimits),
        ("IoInfo", ctypes.c_uint64 * 6),
        ("ProcessMemoryLimit", ctypes.c_size_t),
        ("JobMemoryLimit", ctypes.c_size_t),
        ("PeakProcessMemoryUsed", ctypes.c_size_t),
        ("PeakJobMemoryUsed", ctypes.c_size_t),
    )


class Accounting(ctypes.Structure):
    """JOBOBJECT_BASIC_ACCOUNTING_INFORMATION."""

    _fields_ = (
        ("TotalUserTime", ctypes.c_int64),
        ("TotalKernelTime", ctypes.c_int64),
        ("ThisPeriodTotalUserTime", ctypes.c_int64),
        ("ThisPeriodTotalKernelTime", ctypes.c_int64),
        ("TotalPageFaultCount", ctypes.c_uint32),
        ("TotalProcesses", ctypes.c_uint32),
        ("ActiveProcesses", ctypes.c_uint32),
        ("TotalTerminatedProcesses", ctypes.c_uint32),
    )


def kernel32() -> Any:
    """Return the library that holds the calls, told what they take: a handle has 64 bits, and ctypes would pass 32."""
    if sys.platform != "win32":
        raise OSError("only Windows has job objects")
    library = ctypes.WinDLL("kernel32", use_last_error=True)
    handle, size, pointer = ctypes.c_void_p, ctypes.c_uint32, ctypes.c_void_p
    library.CreateJobObjectW.restype = handle
    library.CreateJobObjectW.argtypes = (pointer, pointer)
    library.SetInformationJobObject.argtypes = (handle, ctypes.c_int, pointer, size)
    library.QueryInformationJobObject.argtypes = (handle, ctypes.c_int, pointer, size, pointer)
    library.AssignProcessToJobObject.argtypes = (handle, handle)
    library.TerminateJobObject.argtypes = (handle, ctypes.c_uint32)
    library.CloseHandle.argtypes = (handle,)
    return library


class Job:
    """One job object with its limits; every refusal raises RefusedError.

    memory_bytes : what the process may commit in all; None for no limit.
    """

    def __init__(self, memory_bytes: int | None, cpu_seconds: int, kernel: Any = None) -> None:
        self._kernel = kernel or kernel32()
        self._handle = self._kernel.CreateJobObjectW(None, None)
        self._check(self._handle, "CreateJobObject")
        limits = ExtendedLimits()
        basic = limits.BasicLimitInformation
        basic.LimitFlags = PROCESS_TIME | ACTIVE_PROCESS | DIE_ON_UNHANDLED_EXCEPTION | KILL_ON_JOB_CLOSE
        basic.PerProcessUserTimeLimit = cpu_seconds * TICKS
        basic.ActiveProcessLimit = 1
        if memory_bytes is not None:
            basic.LimitFlags |= PROCESS_MEMORY
            limits.ProcessMemoryLimit = memory_bytes
        try:
            self._set(limits)
        except RefusedError:
            self.close()
            raise

    def _set(self, limits: ExtendedLimits) -> None:
        done = self._kernel.SetInformationJobObject(
            self._handle, EXTENDED_LIMITS, ctypes.byref(limits), ctypes.sizeof(limits)
        )
        self._check(done, "SetInformationJobObject")

    def take(self, process: int) -> None:
        """Put a process into the job, by its handle; from then on it and the job share their fate."""
        self._check(self._kernel.AssignProcessToJobObject(self._handle, process), "AssignProcessToJobObject")

    def peak_bytes(self) -> int:
        """Return the most memory that the process has committed so far."""
        limits = ExtendedLimits()
        self._query(EXTENDED_LIMITS, limits)
        return int(limits.PeakProcessMemoryUsed)

    def cpu_seconds(self) -> float:
        """Return the processor time that the process has taken so far."""
        account = Accounting()
        self._query(BASIC_ACCOUNTING, account)
        return float(account.TotalUserTime + account.TotalKernelTime) / TICKS

    def _query(self, kind: int, answer: ctypes.Structure) -> None:
        done = self._kernel.QueryInformationJobObject(
            self._handle, kind, ctypes.byref(answer), ctypes.sizeof(answer), None
        )
        self._check(done, "QueryInformationJobObject")

    def terminate(self) -> None:
        """End the process, if it has not ended."""
        self._check(self._kernel.TerminateJobObject(self._handle, 1), "TerminateJobObject")

    def close(self) -> None:
        """Return the job back."""
        self._kernel.CloseHandle(self._handle)

    def _check(self, answer: int | None, what: str) -> None:
        if not answer:
            # ctypes keeps the number, as WinDLL was told to; there is none where a test stands in for Windows.
            number = ctypes.get_last_error() if hasattr(ctypes, "get_last_error") else 0
            raise RefusedError(number, f"{what} was refused (Windows error {number})")
