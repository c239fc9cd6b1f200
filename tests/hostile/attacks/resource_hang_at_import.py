"""Sleeps while it is imported, and catches whatever would wake it."""

import os
import time

LIMIT = 4.0  # seconds; the suite allows fewer


def attack():
    started = time.monotonic()
    while True:
        try:
            time.sleep(1000)
        except BaseException:
            pass
        if time.monotonic() > started + LIMIT:
            os.write(1, b"GOT THROUGH: ran for longer than its limit\n")


class TwoLayerNet:
    asleep = attack()

    def __init__(self, input_size, hidden_size, output_size, std=1e-4):
        self.params = {}
