"""Gives hyperparameters whose values change from one look to the next, and fill the report when shown."""

import numpy as np


class Number(float):
    looks = 0

    def __le__(self, other):
        Number.looks += 1
        return True

    __ge__ = __lt__ = __gt__ = __le__

    def __int__(self):
        return 10 ** (Number.looks % 7)

    def __format__(self, spec):
        return "<script>alert(1)</script>" * 100

    __repr__ = __str__ = lambda self: "::error::full marks"


class Numbers(dict):
    def __contains__(self, name):
        return True

    def __getitem__(self, name):
        return Number(1e300)

    def get(self, name, default=None):
        raise SystemExit


def attack():
    return Numbers(
        hidden_size=Number(1e9), learning_rate=Number("nan"), num_iters=10**9, reg="0", batch_size=np.zeros(9)
    )


class TwoLayerNet:
    def __init__(self, D, H, C):
        self.params = {"W1": np.zeros((D, H)), "b1": np.zeros(H), "W2": np.zeros((H, C)), "b2": np.zeros(C)}

    def loss(self, X, y=None, reg=0.0):
        return 0.0, {}

    def train(self, X, y, X_val, y_val, **settings):
        return {"loss_history": [0.0], "train_acc_history": [0.0], "val_acc_history": [0.0]}


best_hyperparameters = attack()
