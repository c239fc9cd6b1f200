"""Calls sys.exit while it is imported, so that whatever imports it ends with it."""

import sys


def attack():
    sys.exit(0)


class TwoLayerNet:
    ended = attack()

    def __init__(self, input_size, hidden_size, output_size, std=1e-4):
        self.params = {}
