"""Grows the file behind its standard output: far seeks, truncation upwards, allocation, a map beyond its end."""

import ctypes
import mmap
import os

CAP = 1 << 20


def by_map():
    # Beyond the end a write is a crash, unless the kernel grows the file.
    region = mmap.mmap(1, 0, access=mmap.ACCESS_WRITE)
    region.resize(4 * CAP)
    region[3 * CAP] = 1


WAYS = (
    lambda: os.pwrite(1, b"x", 1 << 40),
    lambda: os.pwrite(1, b"x" * 4096, CAP - 1),
    lambda: os.lseek(1, 4 * CAP, os.SEEK_SET) and os.write(1, b"x"),
    lambda: os.pwritev(1, [b"x" * CAP, b"x" * CAP], 0),
    lambda: os.ftruncate(1, 4 * CAP),
    lambda: os.posix_fallocate(1, 0, 4 * CAP),
    lambda: ctypes.CDLL(None).fallocate(1, 0, 0, ctypes.c_long(4 * CAP)),
    by_map,
)


def attack():
    refusal = None
    for grow in WAYS:
        try:
            grow()
        except (OSError, ValueError, SystemError) as error:
            refusal = error
            continue
        if (size := os.fstat(1).st_size) > CAP:
            print(f"GOT THROUGH: the file behind its output has {size} bytes")
            return
    raise refusal


class TwoLayerNet:
    def __init__(self, input_size, hidden_size, output_size, std=1e-4):
        self.params = {}

    def loss(self, X, y=None, reg=0.0):
        attack()
