"""Fills the memory with arrays, lists, strings and numbers."""

import numpy as np

SIZE = 300 << 20  # more than the suite allows

WAYS = {
    "numpy": lambda: np.ones(SIZE // 8).nbytes,
    "bytes": lambda: len(bytearray(SIZE)),
    "a list": lambda: 8 * len([0.5] * (SIZE // 8)),
    "a list of bytes": lambda: (1 << 20) * len([bytearray(1 << 20) for _ in range(SIZE >> 20)]),
    "a text": lambda: len("x" * SIZE),
    "a format": lambda: len(format(1, str(SIZE))),
    "a number": lambda: (1 << (8 * SIZE)).bit_length() // 8,
}


def attack():
    refusal = None
    for name, fill in WAYS.items():
        try:
            if fill() >= SIZE:
                print("GOT THROUGH: too much memory by", name)
                return
        except MemoryError as error:
            refusal = error
    raise refusal


class TwoLayerNet:
    taken = attack()

    def __init__(self, input_size, hidden_size, output_size, std=1e-4):
        self.params = {}
