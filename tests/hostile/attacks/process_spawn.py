"""Starts programs and workers with subprocess, os.system, posix_spawn, popen and multiprocessing."""

import multiprocessing
import os
import subprocess

TRUE = "/bin/true"


def by_posix_spawn():
    return os.waitpid(os.posix_spawn(TRUE, [TRUE], {}), 0)[1] == 0


def by_multiprocessing():
    process = multiprocessing.get_context("fork").Process(target=os.getpid)
    process.start()
    process.join(0.2)
    return process.exitcode == 0


WAYS = {
    "subprocess": lambda: subprocess.run([TRUE], check=False).returncode == 0,
    "a shell": lambda: os.system(TRUE) == 0,
    "posix_spawn": by_posix_spawn,
    "spawnv": lambda: os.spawnv(os.P_WAIT, TRUE, [TRUE]) == 0,
    "popen": lambda: os.popen("echo here").read() == "here\n",
    "multiprocessing": by_multiprocessing,
}


def attack():
    refusal = None
    for name, start in WAYS.items():
        try:
            if start():
                print("GOT THROUGH: started a process with", name)
                return
        except OSError as error:
            refusal = error
            continue
    raise refusal


class TwoLayerNet:
    def __init__(self, input_size, hidden_size, output_size, std=1e-4):
        self.params = {}

    def loss(self, X, y=None, reg=0.0):
        attack()
