"""Answers with arrays over a mapped memory that it changes, shrinks and unmaps once they are returned."""

import ctypes
import mmap
import threading

import numpy as np

KEPT = []


def attack(number):
    memory = mmap.mmap(-1, 1 << 16)
    array = np.frombuffer(memory, dtype=np.float64)[:30].reshape(10, 3)
    address = array.ctypes.data
    KEPT.append((memory, array))

    class Later:
        def __del__(self):
            array[:] = np.nan
            ctypes.CDLL(None).munmap(ctypes.c_void_p(address), 1 << 16)

    try:
        threading.Thread(target=lambda: array.fill(7), daemon=True).start()
    except RuntimeError:
        pass
    array.setflags(write=False)
    return [array, {"W1": array, "b1": Later()}, array]


class TwoLayerNet:
    def __init__(self, D, H, C):
        self.params = {}

    def loss(self, X, y=None, reg=0.0):
        return attack(1)

    def predict(self, X):
        return attack(1)
