"""Answers with lists and dicts that contain themselves, and with a hundred thousand lists inside each other."""

DEEP = [[0.5]]


def attack(number):
    if number == 0:
        cycle = {"W1": [], "b1": ()}
        cycle["W1"] += [cycle, cycle["W1"], (cycle,)]
        return cycle
    while len(DEEP) < 100_000:
        DEEP.append([DEEP[-1]])
    return DEEP[-1]


class TwoLayerNet:
    def __init__(self, D, H, C):
        self.params = {}

    def loss(self, X, y=None, reg=0.0):
        return attack(len(X)) if y is None else (attack(0), attack(1))

    def predict(self, X):
        return ({"W1": attack(1)}, attack(1))
