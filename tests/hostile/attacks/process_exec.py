"""Replaces its process with another program, which the lock-down might not follow."""

import ctypes
import os
import platform

from world import PYTHON

MARK = "GOT THROUGH: another program runs"
PROGRAMS = (
    [PYTHON, "-I", "-S", "-c", f"print({MARK!r})"],
    ["/bin/echo", MARK],
    ["/bin/sh", "-c", f"echo '{MARK}'"],
    ["/lib64/ld-linux-x86-64.so.2", "/bin/echo", MARK],
)


def by_descriptor(program):
    os.execve(os.open(program[0], os.O_RDONLY), program, {})


def by_system_call(program):
    number = {"x86_64": 322}.get(platform.machine(), 281)  # execveat
    texts = [one.encode() for one in program]
    arguments = (ctypes.c_char_p * (len(texts) + 1))(*texts, None)
    ctypes.CDLL(None).syscall(number, -100, texts[0], arguments, (ctypes.c_char_p * 1)(None), 0)


def attack():
    refusal = None
    for program in PROGRAMS:
        for replace in (lambda program: os.execve(program[0], program, {}), by_descriptor, by_system_call):
            try:
                replace(program)
            except OSError as error:
                refusal = error
    raise refusal


class TwoLayerNet:
    def __init__(self, input_size, hidden_size, output_size, std=1e-4):
        self.params = {}

    def loss(self, X, y=None, reg=0.0):
        attack()
