"""Signals whole groups: every process that it may, the grader's group, and that of its own parent."""

import os
import signal

from world import GRADER


def attack():
    # Nobody ends by this signal: an attack that works must not end whoever runs the suite.
    if os.geteuid() != 0:
        try:
            os.kill(
                -1, signal.SIGURG
            )  # succeeds where there is nobody to signal, too: the stranger says whether it came
        except OSError:
            pass
    refusal = None
    ways = {
        "the grader's group": lambda: os.killpg(os.getpgid(GRADER), 0),
        "the grader as a group": lambda: os.killpg(GRADER, 0),
        "its parent's group": lambda: os.killpg(os.getppid(), signal.SIGURG),
    }
    for whom, send in ways.items():
        try:
            send()
        except OSError as error:
            refusal = error
            continue
        print("GOT THROUGH: could signal", whom)
        return
    raise refusal


class TwoLayerNet:
    def __init__(self, input_size, hidden_size, output_size, std=1e-4):
        self.params = {}

    def loss(self, X, y=None, reg=0.0):
        attack()
