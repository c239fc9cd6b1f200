"""Answers with arrays of objects, records, raw bytes, dates, texts, complex and extended numbers."""

import itertools

import numpy as np

RECORD = np.dtype([("a", "f8"), ("b", "O"), ("c", "i4", (2, 2))])
KINDS = ["O", RECORD, "V16", "M8[ns]", "m8[D]", "S8", "U8", "c16", "c8", "g", "G", ">f8", ">i2", "?", "f2"]
NEXT = itertools.cycle(KINDS)


def attack(*shape):
    return np.zeros(shape, dtype=next(NEXT))


class TwoLayerNet:
    def __init__(self, D, H, C):
        self.params = {name: attack(D, H) for name in ("W1", "b1", "W2", "b2", "W3", "W4", "W5")}

    def loss(self, X, y=None, reg=0.0):
        return attack(len(X), 3) if y is None else (attack(), {n: attack(*np.shape(v)) for n, v in self.params.items()})

    def train(self, X, y, X_val, y_val, **settings):
        return {name: attack(4) for name in ("loss_history", "train_acc_history", "val_acc_history")}

    def predict(self, X):
        return attack(len(X))
