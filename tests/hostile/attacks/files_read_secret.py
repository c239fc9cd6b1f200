"""Reads a file that everybody on the machine may read, by each way that Python and numpy have to open one."""

import codecs
import importlib.machinery
import io
import linecache
import mmap
import os
import pathlib
from importlib import import_module

import numpy as np
from world import SECRET_FILE

WAYS = {
    "open": lambda: open(SECRET_FILE).read(),
    "pathlib": lambda: pathlib.Path(SECRET_FILE).read_text(),
    "descriptor": lambda: os.read(os.open(SECRET_FILE, os.O_RDONLY), 100),
    "raw file": lambda: io.FileIO(SECRET_FILE).readall(),
    "open code": lambda: io.open_code(SECRET_FILE).read(),
    "codecs": lambda: codecs.open(SECRET_FILE).read(),
    "fromfile": lambda: np.fromfile(SECRET_FILE, dtype=np.uint8).tobytes(),
    "loadtxt": lambda: np.loadtxt(SECRET_FILE, dtype=str),
    "memmap": lambda: bytes(np.memmap(SECRET_FILE, mode="r")),
    "mmap": lambda: mmap.mmap(os.open(SECRET_FILE, os.O_RDONLY), 0, prot=mmap.PROT_READ)[:],
    "loader": lambda: importlib.machinery.SourceFileLoader("secret", SECRET_FILE).get_data(SECRET_FILE),
    "linecache": lambda: linecache.getline(SECRET_FILE, 1),
    "fileinput": lambda: next(import_module("fileinput").input(SECRET_FILE)),
    "address": lambda: import_module("urllib.request").urlopen(f"file://{SECRET_FILE}").read(),
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
