"""Reads a file that everybody on the machine may read, and prints what is in it."""

from world import SECRET_FILE


def attack():
    with open(SECRET_FILE) as file:
        print("GOT THROUGH: read", file.read())


class TwoLayerNet:
    def __init__(self, input_size, hidden_size, output_size, std=1e-4):
        self.params = {}

    def loss(self, X, y=None, reg=0.0):
        attack()
