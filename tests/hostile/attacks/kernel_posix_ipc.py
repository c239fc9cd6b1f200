"""Leaves a message queue, shared memory or a semaphore behind under a name that the next submission knows."""

import ctypes
import os

NAME = b"/left-by-a-submission"


def attack():
    libc = ctypes.CDLL(None, use_errno=True)
    flags = os.O_CREAT | os.O_RDWR
    ways = {
        "a message queue": (lambda: libc.mq_open(NAME, flags, 0o600, None) >= 0, lambda: libc.mq_unlink(NAME)),
        "shared memory": (lambda: libc.shm_open(NAME, flags, 0o600) >= 0, lambda: libc.shm_unlink(NAME)),
        "a semaphore": (lambda: libc.sem_open(NAME, flags, 0o600, 1) != 0, lambda: libc.sem_unlink(NAME)),
        "a file in memory": (
            lambda: os.open(f"/dev/shm{NAME.decode()}", flags) >= 0,
            lambda: os.unlink(f"/dev/shm{NAME.decode()}"),
        ),
    }
    for name, (make, remove) in ways.items():
        try:
            made = make()
        except (OSError, AttributeError):  # older C libraries have some of these elsewhere
            continue
        if made:
            remove()  # it has been shown
            print(f"GOT THROUGH: left {name} behind")
            return
    raise OSError(ctypes.get_errno(), "mq_open")


class TwoLayerNet:
    def __init__(self, input_size, hidden_size, output_size, std=1e-4):
        self.params = {}

    def loss(self, X, y=None, reg=0.0):
        attack()
