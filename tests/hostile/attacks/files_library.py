"""Opens Python, its library, numpy and the grader for writing: what is written there runs in the next submission."""

import ctypes
import os
import sys

import numpy as np
from world import PROJECT, PYTHON

libc = ctypes.CDLL(None, use_errno=True)
FILES = (
    *(os.__file__, np.__file__, np.random.mtrand.__file__, PYTHON, "/etc/ld.so.cache"),
    *(f"{PROJECT}/grader/grading.py", f"{PROJECT}/assignment/assignment.toml", f"{PROJECT}/reference/network.py"),
)
FOLDERS = (os.path.dirname(os.__file__), os.path.dirname(np.__file__), f"{PROJECT}/grader", f"{PROJECT}/reference")


def first(paths, do):
    """Return the first path with which something can be done."""
    refusal = None
    for path in paths:
        try:
            do(path)
        except OSError as error:
            refusal = refusal or error
            continue
        return path
    raise refusal


def make(path):
    os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY))
    os.unlink(path)


def by_bytecode():
    name = f"{os.urandom(4).hex()}.{sys.implementation.cache_tag}.pyc"
    return first([f"{folder}/__pycache__/{name}" for folder in FOLDERS], make)


WAYS = {
    "open": lambda: first(FILES, lambda path: os.close(os.open(path, os.O_WRONLY))),
    "appending": lambda: first(FILES, lambda path: open(path, "ab").close()),
    "open in C": lambda: next((path for path in FILES if libc.open(path.encode(), os.O_RDWR) >= 0), ""),
    "rights": lambda: first(FILES, lambda path: os.chmod(path, os.stat(path).st_mode & 0o7777)),
    "bytecode": by_bytecode,
    "new module": lambda: first([f"{folder}/left_{os.urandom(4).hex()}.py" for folder in (*sys.path, *FOLDERS)], make),
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
