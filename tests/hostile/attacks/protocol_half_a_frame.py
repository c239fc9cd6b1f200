"""Sends half a frame and ends, or the rest of it only after the worker's own reply."""

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


def asked():
    frame = sys._getframe()
    while frame := frame.f_back:
        if "call" in frame.f_locals:
            return frame.f_locals["call"].message["number"]
    return 0


def attack(net, X, reg):
    kind = int(1e6 * abs(X).sum() + 1e3 * reg)
    whole = frame({"number": asked(), "results": [["float", 0.0]], "error": None}, [["<f8", [1 << 20]]])
    say(whole[: [2, 6, 9, 40][kind % 4]])
    if kind % 3 == 0:
        os._exit(0)


class TwoLayerNet:
    def __init__(self, D, H, C):
        self.params = {}

    def loss(self, X, y=None, reg=0.0):
        return attack(self, X, reg)
