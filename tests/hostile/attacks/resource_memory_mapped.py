"""Asks the kernel for memory in ways that a limit might not count: shared, unreserved, grown, from a device, in a file."""

import ctypes
import mmap
import os

SIZE = 300 << 20  # more than the suite allows
MAP_NORESERVE = 0x4000


def fill(region):
    for start in range(0, SIZE, mmap.PAGESIZE):
        region[start] = 1
    return len(region)


def private(extra=0):
    return fill(mmap.mmap(-1, SIZE, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS | extra))


def grown():
    region = mmap.mmap(-1, mmap.PAGESIZE)
    region.resize(SIZE)
    return fill(region)


def device():
    descriptor = os.open("/dev/zero", os.O_RDONLY)
    try:
        return fill(mmap.mmap(descriptor, SIZE, flags=mmap.MAP_PRIVATE))
    finally:
        os.close(descriptor)


def heap():
    libc = ctypes.CDLL(None)
    libc.sbrk.restype = ctypes.c_void_p
    start = libc.sbrk(ctypes.c_long(SIZE))
    if start in (None, ctypes.c_void_p(-1).value):
        return 0
    ctypes.memset(start, 1, SIZE)
    return SIZE


def file_in_memory():
    descriptor = os.memfd_create("memory")
    try:
        return sum(os.write(descriptor, bytes(1 << 20)) for _ in range(SIZE >> 20))
    finally:
        os.close(descriptor)


WAYS = {
    "a shared map": lambda: fill(mmap.mmap(-1, SIZE)),
    "a private map": private,
    "an unreserved map": lambda: private(MAP_NORESERVE),
    "a grown map": grown,
    "a device": device,
    "the heap": heap,
    "a file in memory": file_in_memory,
}


def attack():
    refusal = None
    for name, take in WAYS.items():
        try:
            if take() >= SIZE:
                print("GOT THROUGH: too much memory by", name)
                return
        except (MemoryError, OSError, ValueError, SystemError) as error:
            refusal = error
    raise refusal


class TwoLayerNet:
    taken = attack()

    def __init__(self, input_size, hidden_size, output_size, std=1e-4):
        self.params = {}
