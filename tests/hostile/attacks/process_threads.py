"""Starts threads, which would go on working after the call has been answered."""

import _thread
import ctypes
import threading
import time

started = threading.Event()


def by_pthread():
    libc = ctypes.CDLL(None)
    begin = ctypes.CFUNCTYPE(ctypes.c_void_p, ctypes.c_void_p)(lambda _: started.set())
    thread = ctypes.c_ulong()
    if libc.pthread_create(ctypes.byref(thread), None, begin, None) == 0:
        libc.pthread_join(thread, None)


WAYS = (
    lambda: threading.Thread(target=started.set, daemon=True).start(),
    lambda: _thread.start_new_thread(started.set, ()),
    lambda: threading.Timer(0.0, started.set).start(),
    by_pthread,
)


def attack():
    refusal = None
    for start in WAYS:
        try:
            start()
        except (RuntimeError, OSError) as error:
            refusal = error
            continue
        for _ in range(20):
            if started.is_set():
                print("GOT THROUGH: a second thread ran")
                return
            time.sleep(0.001)
    raise refusal


class TwoLayerNet:
    def __init__(self, input_size, hidden_size, output_size, std=1e-4):
        self.params = {}

    def loss(self, X, y=None, reg=0.0):
        attack()
