"""Writes into a file that everybody may write, cuts it and grows it, by each way that Python, numpy and C have."""

import ctypes
import mmap
import os

import numpy as np
from world import TARGET_FILE

libc = ctypes.CDLL(None, use_errno=True)
libc.fopen.restype = ctypes.c_void_p
libc.truncate.argtypes = (ctypes.c_char_p, ctypes.c_long)
PATH = TARGET_FILE.encode()
WORDS = b"as I like\n"


def by_memmap():
    np.memmap(TARGET_FILE, dtype=np.uint8, mode="r+")[:2] = (65, 66)
    return "wrote"


def by_mapping():
    # Of a descriptor for reading no mapping may be written; the kernel is to see to that.
    with mmap.mmap(os.open(TARGET_FILE, os.O_RDWR), 0) as view:
        view[:2] = b"AB"
    return "wrote"


def by_fopen():
    stream = ctypes.c_void_p(libc.fopen(PATH, b"r+") or 1 / 0)
    return libc.fputs(WORDS, stream) >= 0 and libc.fclose(stream) == 0


WAYS = {
    "open": lambda: open(TARGET_FILE, "r+b").write(WORDS),
    "appending": lambda: open(TARGET_FILE, "ab").write(WORDS),
    "descriptor": lambda: os.write(os.open(TARGET_FILE, os.O_WRONLY), WORDS),
    "both ways": lambda: os.pwrite(os.open(TARGET_FILE, os.O_RDWR), WORDS, 0),
    "memmap": by_memmap,
    "mapping": by_mapping,
    "tofile": lambda: np.zeros(10, dtype=np.uint8).tofile(TARGET_FILE) or "wrote",
    "fopen": by_fopen,
    "creat": lambda: libc.write(libc.creat(PATH, 0o666), WORDS, len(WORDS)) > 0,
    "truncate": lambda: os.truncate(TARGET_FILE, 3) or "cut",
    "truncate in C": lambda: libc.truncate(PATH, 4) == 0,
    "ftruncate": lambda: os.ftruncate(os.open(TARGET_FILE, os.O_WRONLY), 5) or "cut",
    "fallocate": lambda: os.posix_fallocate(os.open(TARGET_FILE, os.O_RDWR), 0, 1000) or "grew",
    "opening to cut": lambda: os.open(TARGET_FILE, os.O_RDONLY | os.O_TRUNC),
}


def attack():
    refusal = None
    for name, way in WAYS.items():
        try:
            got = way()
        except Exception as error:
            refusal = refusal or error
            continue
        if got:
            print("GOT THROUGH:", name, got)
            return
    raise refusal or LookupError("found nothing")


class TwoLayerNet:
    def __init__(self, input_size, hidden_size, output_size, std=1e-4):
        self.params = {}

    def loss(self, X, y=None, reg=0.0):
        attack()
