"""Looks for the answers among all that Python knows: frames, modules, every object of the collector, thawed first."""

import gc
import importlib
import sys
import threading

from world import VARIABLE

PACKAGES = ("grader", "reference", "assignment", "hostile")
KINDS = {"Expectation", "Probes", "Oracle", "Assignment", "Verdict", "Report", "Network", "ForkServer", "StudentHost"}
NAMES = {"expected", "expectation", "probes", "oracle", "answers", "solution", "token", "secret", VARIABLE}
TRIED = []


def of_the_grader(kind):
    module = str(kind.__dict__.get("__module__", "")).partition(".")[0]
    return module in PACKAGES or (kind.__name__ in KINDS and module != "submission")


def by_frames():
    frames = [*sys._current_frames().values(), sys._getframe()]
    try:
        raise ValueError
    except ValueError as error:
        frames.append(error.__traceback__.tb_frame)
    for frame in frames:
        while frame is not None:
            for name, value in frame.f_locals.items():
                if name in NAMES or of_the_grader(type(value)):
                    return f"{frame.f_code.co_name}: {name} = {value!r:.100}"
            frame = frame.f_back
    return ""


def by_import():
    for name in PACKAGES:
        try:
            return importlib.import_module(name)
        except ImportError:
            continue
    return ""


def by_collector():
    if TRIED:
        return ""
    TRIED.append(True)
    gc.unfreeze()
    values = gc.get_objects()
    kinds = {kind for kind in set(map(type, values)) if of_the_grader(kind)}
    for value in values:
        if type(value) in kinds or (type(value) is dict and value is not globals() and VARIABLE in value):
            return f"{value!r:.100}"
    return ""


WAYS = {
    "frames": by_frames,
    "modules": lambda: next((name for name in sys.modules if name.partition(".")[0] in PACKAGES), ""),
    "import": by_import,
    "collector": by_collector,
    "threads": lambda: [thread.name for thread in threading.enumerate() if thread is not threading.main_thread()],
}


def attack():
    refusal = None
    for name, way in WAYS.items():
        try:
            got = way()
        except Exception as error:
            refusal = refusal or error
            continue
        if got:
            print("GOT THROUGH:", name, got)
            return
    raise refusal or LookupError("found nothing")


class TwoLayerNet:
    def __init__(self, input_size, hidden_size, output_size, std=1e-4):
        self.params = {}

    def loss(self, X, y=None, reg=0.0):
        attack()
