"""Makes one call into C that no signal handler of Python's can interrupt: a regular expression, a large eigenproblem."""

import os
import re
import time

import numpy as np

LIMIT = 2.0  # processor seconds; the suite allows fewer


def attack(first):
    started = time.process_time()
    if first:
        re.match(r"(a|a)*b", "a" * 30)
    else:
        np.linalg.eigvals(np.sin(np.arange(1500.0**2)).reshape(1500, 1500))
    if time.process_time() > started + LIMIT:
        os.write(1, b"GOT THROUGH: ran for longer than its limit\n")


class TwoLayerNet:
    def __init__(self, input_size, hidden_size, output_size, std=1e-4):
        self.params = {}

    def loss(self, X, y=None, reg=0.0):
        attack(y is None)
