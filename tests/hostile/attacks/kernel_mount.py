"""Mounts a file system of its own, over a folder or as a descriptor: a place to write that nobody counts."""

import ctypes

from world import FOLDER

NEW_USER, NEW_MOUNTS = 0x10000000, 0x00020000
MNT_DETACH = 2
FSOPEN, FSCONFIG, FSMOUNT = 430, 431, 432
FSCONFIG_CREATE = 6


def attack():
    libc = ctypes.CDLL(None, use_errno=True)
    folder = FOLDER.encode()
    # In mounts of its own where it may have some, so that nobody else sees what follows.
    libc.unshare(NEW_USER | NEW_MOUNTS)
    if libc.mount(b"none", folder, b"tmpfs", 0, None) == 0:
        libc.umount2(folder, MNT_DETACH)
        print("GOT THROUGH: mounted a file system")
        return
    context = libc.syscall(FSOPEN, b"tmpfs", 0)
    if context >= 0 and libc.syscall(FSCONFIG, context, FSCONFIG_CREATE, None, None, 0) == 0:
        mounted = libc.syscall(FSMOUNT, context, 0, 0)
        if mounted >= 0:
            print("GOT THROUGH: made a file system")
    raise OSError(ctypes.get_errno(), "fsopen")


class TwoLayerNet:
    def __init__(self, input_size, hidden_size, output_size, std=1e-4):
        self.params = {}

    def loss(self, X, y=None, reg=0.0):
        attack()
