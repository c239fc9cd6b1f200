"""Crashes its process: a bad address, abort, a wrong instruction, a fatal error of Python's, a deadly signal."""

import ctypes
import faulthandler
import mmap
import os
import signal
import zlib


def wrong_instruction():
    page = mmap.mmap(-1, mmap.PAGESIZE, prot=mmap.PROT_READ | mmap.PROT_WRITE | mmap.PROT_EXEC)
    page[:2] = b"\x0f\x0b"
    ctypes.CFUNCTYPE(None)(ctypes.addressof(ctypes.c_char.from_buffer(page)))()


WAYS = (
    lambda: ctypes.string_at(8),
    os.abort,
    wrong_instruction,
    lambda: ctypes.pythonapi.Py_FatalError(b"the end"),
    lambda: os.kill(os.getpid(), signal.SIGKILL),
    lambda: os.kill(os.getpid(), signal.SIGSYS),
    lambda: ctypes.memset(id(type), 0, 4096),
)


def attack(question):
    signal.signal(signal.SIGABRT, signal.SIG_IGN)
    faulthandler.disable()
    WAYS[zlib.crc32(question) % len(WAYS)]()


class TwoLayerNet:
    def __init__(self, input_size, hidden_size, output_size, std=1e-4):
        self.params = {}

    def loss(self, X, y=None, reg=0.0):
        # Every question has other parameters, inputs or reg: each ends the process in one of the ways.
        attack(X.tobytes() + self.params["b2"].tobytes() + repr((y is None, reg)).encode())
