"""Sends a made-up reply before the worker's, another one after it, and a third while it ends."""

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


class Late:
    def __del__(self):
        say(frame({"number": 1, "results": [["int", 100]], "error": None}))


def asked():
    frame = sys._getframe()
    while frame := frame.f_back:
        if "call" in frame.f_locals:
            return frame.f_locals["call"].message["number"]
    return 0


def attack(net, X, reg):
    net.late = Late()
    number = asked()
    say(frame({"number": number, "results": [["float", 0.0]], "error": None}) * (1 + number % 3))
    return 0.0, {"W1": Late()}


class TwoLayerNet:
    def __init__(self, D, H, C):
        self.params = {}

    def loss(self, X, y=None, reg=0.0):
        return attack(self, X, reg)
