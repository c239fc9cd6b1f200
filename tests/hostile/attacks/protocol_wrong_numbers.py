"""Replies with the numbers of other calls, negative, true, fractional, huge and textual ones."""

import json
import os
import struct


def frame(message, arrays=(), data=b""):
    header = json.dumps({"arrays": list(arrays), "message": message}).encode()
    return struct.pack("<4sI", b"2LN1", len(header)) + header + data


def say(data):
    for descriptor in range(3, 16):
        try:
            os.write(descriptor, data)
        except OSError:
            pass


NUMBERS = [-1, True, False, 2**63, 10**300, 1.0, "1", None, [1], {"number": 1}, 999, 2]


def attack(net, X, reg):
    number = NUMBERS[int(1e6 * abs(X).sum() + 1e3 * reg) % len(NUMBERS)]
    say(frame({"number": number, "results": [["float", 0.0]], "error": None}) * 2)


class TwoLayerNet:
    def __init__(self, D, H, C):
        self.params = {}

    def loss(self, X, y=None, reg=0.0):
        return attack(self, X, reg)
