"""Answers with arrays, ranges, numbers, texts and lists that take no room here and gigabytes when they are copied."""

import itertools

import numpy as np

ENTRIES = 10**9


class Endless(list):
    def __iter__(self):
        while True:
            yield 0.0

    def __len__(self):
        return ENTRIES


def nested(depth=100_000):
    value = []
    for _ in range(depth):
        value = [value]
    return value


def doubled(times=60):
    value = [0.0]
    for _ in range(times):
        value = [value, value]
    return value


ANSWERS = (
    lambda: np.broadcast_to(0.0, (ENTRIES,)),
    lambda: np.broadcast_to(0.0, (1 << 31, 1 << 29)),
    lambda: range(10**15),
    lambda: 1 << 10**7,
    lambda: "x" * 10**7,
    Endless,
    nested,
    doubled,
    lambda: dict.fromkeys(range(100_000)),
    lambda: np.zeros((0, 1 << 40)),
)


turn = itertools.cycle(ANSWERS)


def attack(value):
    return next(turn)()


class TwoLayerNet:
    def __init__(self, input_size, hidden_size, output_size, std=1e-4):
        self.params = {}

    def loss(self, X, y=None, reg=0.0):
        return attack(0.0)

    def predict(self, X):
        return attack(0)
