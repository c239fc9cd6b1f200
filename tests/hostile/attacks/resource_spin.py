"""Spins with all signals blocked and SIGXCPU ignored, in a loop, or filling a dict whose keys all have the same hash."""

import os
import signal
import time

LIMIT = 2.0  # processor seconds; the suite allows fewer


def busy():
    started = time.process_time()
    while time.process_time() < started + LIMIT:
        pass


def collide():
    started = time.process_time()
    table = {}
    for number in range(1, 1 << 20):
        table[number * (2**61 - 1)] = None
        if time.process_time() > started + LIMIT:
            return


def attack(first):
    signal.pthread_sigmask(signal.SIG_BLOCK, range(1, 65))
    signal.signal(signal.SIGXCPU, signal.SIG_IGN)
    while True:
        try:
            busy() if first else collide()
            os.write(1, b"GOT THROUGH: ran for longer than its limit\n")
        except BaseException:
            continue


class TwoLayerNet:
    def __init__(self, input_size, hidden_size, output_size, std=1e-4):
        self.params = {}

    def loss(self, X, y=None, reg=0.0):
        attack(y is None)
