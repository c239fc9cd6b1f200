"""Raises its own limits on memory, files, processes, time and stack."""

import ctypes
import resource

NAMES = ("RLIMIT_AS", "RLIMIT_NPROC", "RLIMIT_NOFILE", "RLIMIT_FSIZE", "RLIMIT_CPU", "RLIMIT_STACK")
MORE = 1 << 40


def limit(which):
    soft, _ = resource.getrlimit(which)
    return MORE if soft == resource.RLIM_INFINITY else soft


def attack():
    refusal = None
    libc = ctypes.CDLL(None)
    wanted = (ctypes.c_ulong * 2)(1 << 20, 1 << 20)
    for name in NAMES:
        which = getattr(resource, name)
        before = limit(which)
        for change in (
            lambda which: resource.setrlimit(which, (resource.RLIM_INFINITY, resource.RLIM_INFINITY)),
            lambda which: resource.setrlimit(which, (1 << 20, 1 << 20)),
            lambda which: resource.prlimit(0, which, (1 << 20, 1 << 20)),
            lambda which: libc.setrlimit(which, wanted),
            lambda which: libc.prlimit(0, which, wanted, None),
        ):
            try:
                change(which)
            except (OSError, ValueError) as error:
                refusal = error
                continue
            if limit(which) > before:
                print(f"GOT THROUGH: raised {name} from {before} to {limit(which)}")
                return
    raise refusal


class TwoLayerNet:
    def __init__(self, input_size, hidden_size, output_size, std=1e-4):
        self.params = {}

    def loss(self, X, y=None, reg=0.0):
        attack()
