"""Forks with each of Python's and the C library's ways."""

import ctypes
import os


def attack():
    refusal = None
    libc = ctypes.CDLL(None)
    for fork in (os.fork, libc.fork, lambda: os.forkpty()[0]):
        try:
            pid = fork()
        except OSError as error:
            refusal = error
            continue
        if pid == 0:
            os._exit(0)
        if pid > 0:
            print("GOT THROUGH: forked process", pid)
            return
    raise refusal


class TwoLayerNet:
    def __init__(self, input_size, hidden_size, output_size, std=1e-4):
        self.params = {}

    def loss(self, X, y=None, reg=0.0):
        attack()
