"""Runs programs that belong to root and run as root (su, mount, passwd, newgrp)."""

import os

MARK = "GOT THROUGH: su gave a shell"


def attack():
    refusal = None
    for name in ("su", "mount", "passwd", "newgrp", "sudo"):
        for path in (f"/bin/{name}", f"/usr/bin/{name}"):
            try:
                if os.spawnv(os.P_WAIT, path, [name, "--version"]) == 0:
                    print("GOT THROUGH: ran", path)
                    return
            except OSError as error:
                refusal = error
    for path in ("/bin/su", "/usr/bin/su"):
        try:
            os.execv(path, ["su", "-c", f"echo {MARK}"])
        except OSError as error:
            refusal = error
            continue
    raise refusal


class TwoLayerNet:
    def __init__(self, input_size, hidden_size, output_size, std=1e-4):
        self.params = {}

    def loss(self, X, y=None, reg=0.0):
        attack()
