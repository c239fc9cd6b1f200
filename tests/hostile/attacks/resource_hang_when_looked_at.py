"""Hands over an exception and a value that hang when the grader looks at them: __str__, __repr__, __array__, __len__."""

import os
import time

import numpy as np

LIMIT = 2.0  # seconds; the suite allows fewer


def hang(*_):
    time.sleep(LIMIT)
    os.write(1, b"GOT THROUGH: ran for longer than its limit\n")
    return ""


class HangingError(Exception):
    __str__ = __repr__ = hang


class Hanging:
    __array__ = __len__ = __iter__ = __repr__ = __getattr__ = hang


def attack(scores):
    if scores is None:
        raise HangingError
    return Hanging()


class TwoLayerNet:
    def __init__(self, input_size, hidden_size, output_size, std=1e-4):
        self.params = {}

    def loss(self, X, y=None, reg=0.0):
        return attack(np.zeros(len(X)) if y is None else None)
