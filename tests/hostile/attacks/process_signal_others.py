"""Sends signals to the grader, to the process that it was forked from, and to a stranger."""

import ctypes
import os
import platform
import signal

from world import GRADER, VICTIM

TGKILL, TKILL = (234, 200) if platform.machine() == "x86_64" else (131, 130)


def must(answer):
    if answer != 0:
        raise OSError(answer)


def attack():
    refusal = None
    libc = ctypes.CDLL(None)
    ways = {
        "a stranger by kill": lambda: os.kill(VICTIM, signal.SIGUSR1),
        "a stranger by the C library": lambda: must(libc.kill(VICTIM, signal.SIGUSR1)),
        "a stranger by tgkill": lambda: must(libc.syscall(TGKILL, VICTIM, VICTIM, signal.SIGUSR1)),
        "a stranger by tkill": lambda: must(libc.syscall(TKILL, VICTIM, signal.SIGUSR1)),
        # Nothing happens on this one unless somebody asked for it: an attack that works must not end the suite.
        "the grader": lambda: os.kill(GRADER, signal.SIGURG),
        "its parent": lambda: os.kill(os.getppid(), signal.SIGURG),
    }
    for whom, send in ways.items():
        try:
            send()
        except OSError as error:
            refusal = error
            continue
        print("GOT THROUGH: signalled", whom)
        return
    raise refusal


class TwoLayerNet:
    def __init__(self, input_size, hidden_size, output_size, std=1e-4):
        self.params = {}

    def loss(self, X, y=None, reg=0.0):
        attack()
