"""Opens descriptors until there are no more, by dup, by a high number, and by opening files."""

import fcntl
import os

MOST = 32


def many(open_one):
    opened = []
    try:
        while len(opened) < 4 * MOST:
            opened.append(open_one())
    except OSError:
        pass
    for descriptor in opened:
        os.close(descriptor)
    return len(opened)


def high(open_it):
    try:
        descriptor = open_it()
    except OSError:
        return 0
    os.close(descriptor)
    return descriptor


def attack():
    counts = (
        many(lambda: os.dup(1)),
        many(lambda: os.open("/dev/null", os.O_RDONLY)),
        high(lambda: os.dup2(1, 10 * MOST)),
        high(lambda: fcntl.fcntl(1, fcntl.F_DUPFD, 10 * MOST)),
    )
    if max(counts) > MOST:
        print("GOT THROUGH: has descriptors beyond its limit:", max(counts))
        return
    raise OSError(f"{max(counts)} descriptors, and no more")


class TwoLayerNet:
    def __init__(self, input_size, hidden_size, output_size, std=1e-4):
        self.params = {}

    def loss(self, X, y=None, reg=0.0):
        attack()
