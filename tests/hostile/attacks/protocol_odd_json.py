"""Sends headers with NaN, doubled keys, a million digits, half characters, deep lists, and none of the right keys."""

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


KINDS = [
    b'{"arrays": [], "message": {"number": NaN}}',
    b'{"arrays": [], "message": {"number": 1, "results": [["float", Infinity]], "error": null, "number": 2}}',
    b'{"arrays": [], "message": {"number": 1, "results": [["int", ' + b"9" * 100_000 + b"]]}}",
    b'{"arrays": [], "message": {"number": 1, "results": [["str", "\\ud800\\u0000"]], "printed": 7}}',
    b'{"arrays": [], "message": {"number": 1, "results": ' + b"[" * 30 + b"]" * 30 + b"}}",
    b'{"arrays": [["|O8", [1]]], "message": {}}',
    b'{"arrays": {}, "message": []}',
    b"\xff\xfe",
    b"null",
]


def attack(net, X, reg):
    kind = int(1e6 * abs(X).sum() + 1e3 * reg)
    text = KINDS[kind % len(KINDS)]
    say(struct.pack("<4sI", b"2LN1", len(text)) + text)


class TwoLayerNet:
    def __init__(self, D, H, C):
        self.params = {}

    def loss(self, X, y=None, reg=0.0):
        return attack(self, X, reg)
