"""Leaves a file for the next submission to find: in shared memory, in temporary folders, at home, among locks."""

import os
import tempfile
from importlib import import_module

FOLDERS = ("/dev/shm", "/dev/mqueue", "/tmp", "/var/tmp", "/run", "/run/lock", "/var/lock", "/root", "/", "~")


def by_file():
    refusal = None
    for folder in FOLDERS:
        name = f"{os.path.expanduser(folder)}/left_{os.urandom(4).hex()}"
        try:
            os.close(os.open(name, os.O_CREAT | os.O_EXCL | os.O_WRONLY))
        except OSError as error:
            refusal = refusal or error
            continue
        os.unlink(name)
        return name
    raise refusal


def by_shared_memory():
    block = import_module("multiprocessing.shared_memory").SharedMemory(create=True, size=4096)
    block.unlink()
    return block.name


# Temporary files of a student's are in its process's memory: what counts is one that the system knows.
def by_temporary_file():
    with tempfile.TemporaryFile() as file:
        return f"descriptor {file.fileno()}"


def by_temporary_folder():
    with tempfile.TemporaryDirectory() as folder:
        return import_module("posix").stat(folder) and folder


WAYS = {
    "file": by_file,
    "shared memory": by_shared_memory,
    "temporary file": by_temporary_file,
    "temporary folder": by_temporary_folder,
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
