"""Hangs when there are no more questions: exit functions, finalisers, collections, and the read that says so."""

import atexit
import os
import sys
import time
import weakref

LIMIT = 2.0  # seconds; the suite allows fewer after the last answer


def hang(*_):
    time.sleep(LIMIT)
    os.write(1, b"GOT THROUGH: lived on after its last answer\n")


class Hanging:
    def __del__(self):
        hang()


def attack():
    global kept
    kept = Hanging()
    atexit.register(hang)
    weakref.finalize(sys, hang)
    read = os.read

    def reluctant(descriptor, size):
        data = read(descriptor, size)
        if not data:
            hang()
        return data

    os.read = reluctant


class TwoLayerNet:
    armed = attack()

    def __init__(self, input_size, hidden_size, output_size, std=1e-4):
        self.params = {}
