"""Sends its answer a byte at a time, so that there is always something new to hear."""

import os
import struct
import time

CHANNEL = 3
LIMIT = 2.0  # seconds on a processor or asleep; the suite allows fewer
ANSWER = struct.pack("<4sI", b"2LN1", 1 << 20) + b" " * (1 << 20)


def attack():
    started = time.process_time()
    for number, byte in enumerate(ANSWER):
        os.write(CHANNEL, bytes([byte]))
        time.sleep(0.001)
        if time.process_time() + 0.001 * number > started + LIMIT:
            os.write(1, b"GOT THROUGH: was heard for longer than its limit\n")
            return


class TwoLayerNet:
    def __init__(self, input_size, hidden_size, output_size, std=1e-4):
        self.params = {}

    def loss(self, X, y=None, reg=0.0):
        attack()
