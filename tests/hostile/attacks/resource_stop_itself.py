"""Stops its own process (SIGSTOP), so that no alarm inside it could ever ring."""

import os
import signal


def attack():
    os.kill(os.getpid(), signal.SIGSTOP)


class TwoLayerNet:
    def __init__(self, input_size, hidden_size, output_size, std=1e-4):
        self.params = {}

    def loss(self, X, y=None, reg=0.0):
        attack()
