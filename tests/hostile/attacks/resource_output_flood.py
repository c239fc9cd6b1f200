"""Writes a gigabyte past Python's own standard output, and prints as much."""

import os
import sys

CAP = 1 << 20
LINE = "x" * CAP


def attack():
    refusal = None
    for descriptor in (1, 2):
        try:
            while os.write(descriptor, LINE.encode()):
                if os.fstat(descriptor).st_size > CAP:
                    os.pwrite(1, b"GOT THROUGH: wrote more than 1 MiB\n", 0)
                    return
        except OSError as error:
            refusal = error
    for _ in range(500):
        print(LINE)
        print(LINE, file=sys.stderr)
    raise refusal


class TwoLayerNet:
    def __init__(self, input_size, hidden_size, output_size, std=1e-4):
        self.params = {}

    def loss(self, X, y=None, reg=0.0):
        attack()
