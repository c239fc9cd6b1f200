"""Raises exceptions whose text, class, traceback and type's name raise others, print, or exit."""

import os


class Meta(type):
    __name__ = property(lambda cls: os.abort() if os.getpid() < 0 else 1 / 0)
    __module__ = property(lambda cls: 1 / 0)

    def __instancecheck__(cls, instance):
        raise SystemExit

    __subclasscheck__ = __instancecheck__


class Bad(BaseException, metaclass=Meta):
    kind = property(lambda self: 1 / 0)
    filename = lineno = msg = args = __traceback__ = __cause__ = __context__ = __notes__ = kind

    def __str__(self):
        raise Bad

    __repr__ = __format__ = __eq__ = __hash__ = __reduce__ = __str__

    @property
    def __class__(self):
        raise MemoryError


class Group(BaseExceptionGroup):
    def __str__(self):
        raise KeyboardInterrupt


def attack(number):
    if number % 2:
        raise Bad
    raise Group("g", [Bad(), GeneratorExit(), StopIteration(), MemoryError()])


class TwoLayerNet:
    def __init__(self, D, H, C):
        self.params = {}

    def loss(self, X, y=None, reg=0.0):
        return attack(len(X))

    def predict(self, X):
        return attack(1)
