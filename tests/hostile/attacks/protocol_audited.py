"""Hangs hooks on imports, audit events, the collector and every thread, which raise or exit in the worker's code."""

import gc
import os
import sys
import threading


def attack():
    class Finder:
        def find_spec(self, *args, **keywords):
            sys.exit("no imports")

    sys.meta_path[:] = [Finder()]
    sys.path_hooks[:] = [lambda path: 1 / 0]
    sys.path_importer_cache.clear()
    sys.audit = None
    sys.addaudithook(lambda event, args: 1 / 0 if event in {"gc.get_objects", "sys._getframe"} else None)
    gc.callbacks.append(lambda phase, info: 1 / 0)
    threading.settrace(lambda *args: 1 / 0)
    sys.displayhook = sys.excepthook = sys.unraisablehook = sys.breakpointhook = lambda *args: os._exit(3)


class TwoLayerNet:
    done = attack()

    def __init__(self, D, H, C):
        self.params = {}

    def loss(self, X, y=None, reg=0.0):
        return __import__("colorsys").rgb_to_hsv(1, 1, 1)
