"""Looks for passwords and keys in its environment and arguments, by Python, by C and in the kernel's own copy."""

import ctypes
import os
import re
import sys

from world import VARIABLE

libc = ctypes.CDLL(None, use_errno=True)
libc.getenv.restype = ctypes.c_char_p
TELLING = re.compile(rf"{VARIABLE}|[A-Z_]*(?:SECRET|TOKEN|PASSWORD|CREDENTIAL|API_KEY)[A-Z_]*=")


def telling(texts):
    return next((text for text in texts if TELLING.match(text)), "")


def by_table():
    table = ctypes.POINTER(ctypes.c_char_p).in_dll(libc, "environ")
    found = []
    while table and table[len(found)]:
        found.append(table[len(found)].decode(errors="replace"))
    return telling(found)


def by_kernel():
    with open("/proc/self/environ") as file:
        return telling(file.read().split("\0"))


def by_arguments():
    with open("/proc/self/cmdline") as file:
        return telling([*sys.argv, *sys.orig_argv, *file.read().split("\0")])


WAYS = {
    "python": lambda: telling(f"{name}={value}" for name, value in os.environ.items()),
    "name": lambda: os.getenv(VARIABLE),
    "name in C": lambda: libc.getenv(VARIABLE.encode()),
    "table": by_table,
    "kernel": by_kernel,
    "arguments": by_arguments,
    "path": lambda: telling([*sys.path, *sys.path_importer_cache, *map(str, sys._xoptions), *sys.warnoptions]),
}


def attack():
    refusal = None
    for name, way in WAYS.items():
        try:
            got = way()
        except Exception as error:
            refusal = refusal or error
            continue
        if got:
            print("GOT THROUGH:", name, got)
            return
    raise refusal or LookupError("found nothing")


class TwoLayerNet:
    def __init__(self, input_size, hidden_size, output_size, std=1e-4):
        self.params = {}

    def loss(self, X, y=None, reg=0.0):
        attack()
