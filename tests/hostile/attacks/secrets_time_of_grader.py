"""Reads how much processor time the grader has used, to tell from it what the grader is doing and when."""

import ctypes
import os
import time

from world import GRADER, VICTIM

libc = ctypes.CDLL(None, use_errno=True)
OTHERS = (GRADER, VICTIM, os.getppid(), 1)


def by_clock_of_process():
    clock = ctypes.c_int()
    for process in OTHERS:
        if libc.clock_getcpuclockid(process, ctypes.byref(clock)) == 0:
            return time.clock_gettime(clock.value)
    return 0


def by_waiting():
    wanted = (ctypes.c_long * 2)(0, 1)
    return any(libc.clock_nanosleep(~process << 3 | 2, 1, wanted, None) == 0 for process in OTHERS)


def by_file():
    for name in ("stat", "schedstat", "sched", "statm", "task/{0}/stat"):
        for process in OTHERS:
            try:
                with open(f"/proc/{process}/{name}".format(process)) as file:
                    return file.read()[:60]
            except OSError:
                continue
    return ""


WAYS = {
    # The kernel numbers the clock of each process: its id's complement, and 2 for "as the scheduler counts".
    "number of the clock": lambda: [time.clock_gettime(~process << 3 | 2) for process in OTHERS],
    "clock of process": by_clock_of_process,
    "waiting": by_waiting,
    "file": by_file,
}


def attack():
    refusal = None
    for name, way in WAYS.items():
        try:
            got = way()
        except Exception as error:
            refusal = refusal or error
            continue
        if got:
            print("GOT THROUGH:", name, got)
            return
    raise refusal or LookupError("found nothing")


class TwoLayerNet:
    def __init__(self, input_size, hidden_size, output_size, std=1e-4):
        self.params = {}

    def loss(self, X, y=None, reg=0.0):
        attack()
