"""Is a class whose metaclass, __new__ and attributes give something else whenever they are asked."""

import numpy as np


class Meta(type):
    def __call__(cls, *sizes):
        return attack(object.__new__(cls))

    def __getattribute__(cls, name):
        if name in {"__name__", "__qualname__", "__module__", "__dict__"}:
            raise SystemExit(f"there is no {name}")
        return super().__getattribute__(name)

    def __dir__(cls):
        return iter([b"loss", 1, None])

    def __instancecheck__(cls, instance):
        return True

    __subclasscheck__ = __instancecheck__


def attack(net):
    return Everything()


class Everything:
    params = type("Params", (dict,), {"get": lambda self, name: np.zeros(1), "__setitem__": lambda *all: None})()

    def __getattr__(self, name):
        return lambda *args, **keywords: self

    def __call__(self, *args, **keywords):
        return self

    def __iter__(self):
        return iter([self, self])

    def __array__(self, *args, **keywords):
        return np.zeros(3)

    __class__ = property(lambda self: np.ndarray)


class TwoLayerNet(metaclass=Meta):
    def __new__(cls, *sizes):
        return Everything()
