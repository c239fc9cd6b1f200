"""Turns warnings into errors, takes the recursion limit away, and leaves finalisers that exit."""

import gc
import signal
import sys
import warnings

import numpy as np


class Exits:
    def __del__(self):
        sys.exit("in a finaliser")


def attack():
    warnings.simplefilter("error")
    warnings.showwarning = warnings.warn = None
    np.seterr(all="raise")
    sys.setrecursionlimit(max(60, 40 + len(list(iter_frames()))))
    gc.set_threshold(1, 1, 1)
    gc.callbacks.append(lambda phase, info: sys.exit("in the collector"))
    sys.excepthook = sys.unraisablehook = lambda *args: sys.exit("in a hook")
    sys.stdout = sys.stderr = sys.__stdout__ = None
    signal.signal(signal.SIGALRM, lambda *args: sys.exit("in a signal"))
    signal.setitimer(signal.ITIMER_REAL, 0.001, 0.001)
    cycle = [Exits()]
    cycle.append(cycle)


def iter_frames():
    frame = sys._getframe()
    while frame := frame.f_back:
        yield frame


class TwoLayerNet:
    def __init__(self, D, H, C):
        self.params = {"W1": np.zeros((D, H)), "b1": np.zeros(H), "W2": np.zeros((H, C)), "b2": np.zeros(C)}

    def loss(self, X, y=None, reg=0.0):
        attack()
        return 0.0, {name: np.zeros_like(value) for name, value in self.params.items()}

    def predict(self, X):
        return Exits()
