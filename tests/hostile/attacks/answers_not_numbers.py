"""Answers with NaN, infinities, the largest and the smallest numbers there are, and negative zeros."""

import itertools

import numpy as np

VALUES = itertools.cycle([np.nan, np.inf, -np.inf, 1.7e308, -1.7e308, 5e-324, -0.0, 1e160, np.float32(3.4e38)])


def attack(shape):
    value = next(VALUES)
    found = np.full(shape, value)
    found.reshape(-1)[::2] = next(VALUES)
    return found


class TwoLayerNet:
    def __init__(self, D, H, C):
        self.params = {"W1": attack((D, H)), "b1": attack(H), "W2": attack((H, C)), "b2": attack(C)}

    def loss(self, X, y=None, reg=0.0):
        return (
            attack((len(X), 3)) if y is None else (attack(1)[0], {n: attack(v.shape) for n, v in self.params.items()})
        )

    def train(self, X, y, X_val, y_val, **settings):
        return {name: attack(4) for name in ("loss_history", "train_acc_history", "val_acc_history")}

    def predict(self, X):
        return attack(len(X))
