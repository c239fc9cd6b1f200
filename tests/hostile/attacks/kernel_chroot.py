"""Takes another folder for the root of all paths (chroot, pivot_root), so that a rule about paths means another file."""

import ctypes
import os
import platform

from world import FOLDER

NEW_USER, NEW_MOUNTS = 0x10000000, 0x00020000
PIVOT_ROOT = {"x86_64": 155}.get(platform.machine(), 41)


def attack():
    refusal = None
    libc = ctypes.CDLL(None)
    folder = FOLDER.encode()
    alone = libc.unshare(NEW_USER | NEW_MOUNTS) == 0
    # Only among mounts of its own: elsewhere it would move the root of others as well.
    if alone and libc.mount(b"none", folder, b"tmpfs", 0, None) == 0:
        if libc.syscall(PIVOT_ROOT, folder, folder) == 0:
            print("GOT THROUGH: has another root")
            return
        libc.umount2(folder, 2)
    for change in (lambda: os.chroot(FOLDER), lambda: os.fchdir(os.open(FOLDER, os.O_RDONLY)) or os.chroot(".")):
        try:
            change()
        except OSError as error:
            refusal = error
            continue
        print("GOT THROUGH: has another root")
        return
    raise refusal


class TwoLayerNet:
    def __init__(self, input_size, hidden_size, output_size, std=1e-4):
        self.params = {}

    def loss(self, X, y=None, reg=0.0):
        attack()
