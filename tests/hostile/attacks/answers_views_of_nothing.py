"""Answers with views of 10^12 entries without memory, arrays of 32 axes, and shapes that overflow."""

import itertools

import numpy as np

NEXT = itertools.count()


def attack(number):
    views = [
        np.broadcast_to(0.5, (10**6, 10**6)),
        np.lib.stride_tricks.as_strided(np.zeros(1), (1 << 40,), (0,)),
        np.zeros((1,) * 32),
        np.empty((0, 1 << 40, 1 << 10)),
        np.zeros((3, 3))[::-1, ::-1].T,
        np.zeros(0),
        np.broadcast_to(np.float32(1), (4096, 4096)),
    ]
    return views[next(NEXT) % len(views)]


class TwoLayerNet:
    def __init__(self, D, H, C):
        self.params = {}

    def loss(self, X, y=None, reg=0.0):
        return attack(1) if y is None else (attack(1), {n: attack(1) for n in ("W1", "b1", "W2", "b2")})

    def train(self, X, y, X_val, y_val, **settings):
        return {"loss_history": attack(1)}

    def predict(self, X):
        return attack(1)
