"""Answers with endless generators, mappings, weak references, modules, frames and the grader's own objects."""

import collections
import itertools
import sys
import weakref


class Endless(collections.abc.Mapping):
    def __iter__(self):
        return itertools.count()

    def __len__(self):
        return 3

    def __getitem__(self, name):
        return self


def attack(number):
    frame = sys._getframe()
    owner = next(f.f_locals["self"] for f in iter(lambda: walk(frame), None) if "self" in f.f_locals)
    return [itertools.count(), Endless(), weakref.ref(Endless), sys, frame, owner, range(1 << 60), memoryview(b"abc")]


def walk(frame):
    return frame.f_back


class TwoLayerNet:
    def __init__(self, D, H, C):
        self.params = Endless()

    def loss(self, X, y=None, reg=0.0):
        return (attack(1), Endless())

    def predict(self, X):
        return attack(1)
