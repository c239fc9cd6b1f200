"""Sends arrays whose kinds, shapes and byte counts are wrong, doubled, missing or of 2^80 entries."""

import json
import os
import struct
import sys


def frame(message, arrays=(), data=b""):
    header = json.dumps({"arrays": list(arrays), "message": message}).encode()
    return struct.pack("<4sI", b"2LN1", len(header)) + header + data


def say(data):
    for descriptor in range(3, 16):
        try:
            os.write(descriptor, data)
        except OSError:
            pass


SPECS = [
    [["<f8", [-1]]],
    [["<f8", [True]]],
    [["<f8", [1.5]]],
    [["<f8", [float("nan")]]],
    [["<f8", [0, 1 << 40, 1 << 40]]],
    [["<f8", [1] * 9]],
    [["O", [1]], ["<M8[s]", [1]], ["<c16", [1]]],
    [["<f8", [3]], ["<f8", [3]]],
    [["|b1", [2]]],
    [],
]


def asked():
    frame = sys._getframe()
    while frame := frame.f_back:
        if "call" in frame.f_locals:
            return frame.f_locals["call"].message["number"]
    return 0


def attack(net, X, reg):
    kind = int(1e6 * abs(X).sum() + 1e3 * reg)
    specs = SPECS[kind % len(SPECS)]
    reply = {"number": asked(), "results": [["array"]] * 2, "error": None, "own_shapes": {"W1": [-1, True, 1e9]}}
    say(frame(reply, specs, b"\xff" * 48))


class TwoLayerNet:
    def __init__(self, D, H, C):
        self.params = {}

    def loss(self, X, y=None, reg=0.0):
        return attack(self, X, reg)
