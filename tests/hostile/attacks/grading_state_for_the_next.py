"""Leaves modules, environment variables, patches and a file behind for the submission that comes after it."""

import builtins
import os
import sys
import types

import numpy as np
from world import FOLDER

TRACE = "left_behind_by_an_attack"


def attack():
    if hasattr(builtins, TRACE) or hasattr(np, TRACE) or TRACE in sys.modules or TRACE in os.environ:
        os.write(1, b"GOT THROUGH: found what an earlier process had left")
    try:
        with open(f"{FOLDER}/{TRACE}", "x"):
            os.write(1, b"GOT THROUGH: left a file")
        os.unlink(f"{FOLDER}/{TRACE}")
    except OSError:
        pass
    os.environ[TRACE] = "1"
    sys.modules[TRACE] = sys.modules["grader"] = sys.modules["reference"] = types.ModuleType(TRACE)
    for place in (builtins, np, sys):
        setattr(place, TRACE, True)
    builtins.sum = builtins.len = np.dot = np.maximum = None
    # Calls are answered in one process as long as nothing goes wrong; the next one must know nothing of this.
    os._exit(1)


class TwoLayerNet:
    def __init__(self, D, H, C):
        self.params = {}

    def loss(self, X, y=None, reg=0.0):
        attack()

    def predict(self, X):
        attack()
