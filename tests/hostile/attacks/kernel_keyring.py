"""Leaves a key in the kernel's keyring of its user, where the next submission finds it."""

import ctypes
import platform

ADD_KEY, KEYCTL = (248, 250) if platform.machine() == "x86_64" else (217, 219)
JOIN_SESSION, UNLINK = 1, 9
USER_KEYRING, USER_SESSION_KEYRING, SESSION_KEYRING = -4, -5, -3


def attack():
    libc = ctypes.CDLL(None, use_errno=True)
    for keyring in (USER_KEYRING, USER_SESSION_KEYRING, SESSION_KEYRING):
        key = libc.syscall(ADD_KEY, b"user", b"left by a submission", b"message", 7, keyring)
        if key > 0:
            libc.syscall(KEYCTL, UNLINK, key, keyring)
            print("GOT THROUGH: left key", key)
            return
    if libc.syscall(KEYCTL, JOIN_SESSION, None) > 0:
        print("GOT THROUGH: has a keyring of its own")
    raise OSError(ctypes.get_errno(), "keyctl")


class TwoLayerNet:
    def __init__(self, input_size, hidden_size, output_size, std=1e-4):
        self.params = {}

    def loss(self, X, y=None, reg=0.0):
        attack()
