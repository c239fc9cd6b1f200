"""Names its keys, attributes and types in HTML, Markdown, spreadsheet formulas and workflow commands."""

import warnings

import numpy as np

BAD = [
    "<script>alert(1)</script>",
    "=HYPERLINK(1)",
    "::error file=a::b",
    "![x](http://x)",
    "\x1b]0;owned\x07",
    "\u202eabc",
]


def attack(params):
    params |= {name: np.zeros(1) for name in BAD}
    for name in BAD:
        warnings.warn(name, type(name, (UserWarning,), {}), stacklevel=1)
        print(name, name * 50, end="\r")
    return type(BAD[0], (dict,), {})(params)


class TwoLayerNet:
    def __init__(self, D, H, C):
        params = {"W1": np.zeros((D, H)), "b1": np.zeros(H), "W2": np.zeros((H, C)), "b2": np.zeros(C)}
        self.params = attack(params) or params

    def loss(self, X, y=None, reg=0.0):
        if y is None:
            return type(BAD[2], (), {"__repr__": lambda self: BAD[4]})()
        if reg:
            raise type(BAD[1], (Exception,), {})("\n".join(BAD))
        return 0.0, dict.fromkeys(self.params)

    def predict(self, X):
        return dict.fromkeys(BAD, BAD)
