"""Puts a seccomp filter that allows everything over the lock-down's, and forks."""

import ctypes
import os
import platform
import struct

PR_SET_SECCOMP, PR_SET_NO_NEW_PRIVS, MODE_FILTER = 22, 38, 2
SECCOMP = {"x86_64": 317}.get(platform.machine(), 277)
ALLOW_ALL = ctypes.create_string_buffer(struct.pack("<HBBI", 0x06, 0, 0, 0x7FFF0000), 8)


class Filter(ctypes.Structure):
    _fields_ = (("length", ctypes.c_ushort), ("instructions", ctypes.c_void_p))


def attack():
    libc = ctypes.CDLL(None)
    program = ctypes.byref(Filter(1, ctypes.addressof(ALLOW_ALL)))
    libc.prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
    libc.prctl(PR_SET_SECCOMP, MODE_FILTER, program, 0, 0)
    libc.syscall(SECCOMP, 1, 0, program)
    pid = os.fork()
    if pid == 0:
        os._exit(0)
    print("GOT THROUGH: forked", pid)


class TwoLayerNet:
    def __init__(self, input_size, hidden_size, output_size, std=1e-4):
        self.params = {}

    def loss(self, X, y=None, reg=0.0):
        attack()
