"""One submission in its process: its namespace, its class, and the answers to what it is asked."""

import gc
import mmap
import os
import stat
import sys
import traceback
import types
from typing import Any

import numpy as np

from . import dispatch, older_names, protocol, scratch_files, stubs, values
from .capture import OutputCapture, ReportedError
from .exec_submission import Loader, SourceText

_fstat = os.fstat  # the student's code may replace the module's own


class LoadedSubmission:
    """One submission in its process: its namespace, its class, and what it is asked."""

    def __init__(self, message: dict[str, Any], memory_mb: int, memory_reserve: mmap.mmap) -> None:
        self._segments = [SourceText.of(raw) for raw in message["segments"]]
        self._extras: list[SourceText] | None = [SourceText.of(raw) for raw in message["extras"]]
        self._modules = message["modules"]
        self._class_name: str = message["class_name"]
        self._methods: dict[str, str] = message["methods"]
        labels = {text.label for text in (*self._segments, *self._extras)}
        labels.update(module["segment"]["label"] for module in self._modules)
        self._labels = frozenset(labels)
        self._capture = OutputCapture(self._labels, message["printed_characters"])
        self._memory_mb = memory_mb
        self._memory_reserve = memory_reserve
        self._class: type = object
        self._remembered: dict[str, Any] = {}
        self.loaded = False
        self._module = types.ModuleType("submission")
        self._loader = Loader(self._modules, self._capture)

    def put_back_older_names(self) -> None:
        """Serve what numpy and Python once had, for as long as this process lives."""
        older_names.put_back(self._capture.note, self._capture.innermost_place)

    def load(self) -> list[memoryview]:
        """Run the submission's statements and find its class."""
        with self._capture.capturing():
            error = None
            try:
                self._prepare()
                for text in self._segments:
                    self._loader.run(text, self._module.__dict__)
                self._class = self._find_class()
                self.loaded = True
            except BaseException as raised:  # noqa: BLE001 -- whatever the student's text raises is the answer
                error = self._error("import", raised)
            return self._reply({"number": 0, "error": error})

    def _prepare(self) -> None:
        dispatch.make_repeatable(0)
        # Also as __main__, so that `import __main__` finds no part of this process's own.
        sys.modules["submission"] = sys.modules["__main__"] = self._module

    def _find_class(self) -> type:
        found = self._module.__dict__.get(self._class_name)
        if isinstance(found, type):
            return found
        if missing := stubs.describe_missing_class(found):
            raise ReportedError("ImportError", missing)
        if found is not None:
            raise ReportedError("TypeError", f"{self._class_name} is a {type(found).__name__}, expected a class")
        classes = [name for name, value in self._module.__dict__.items() if isinstance(value, type)]
        has = f"the classes {', '.join(classes[:10])}" if classes else "no class at all"
        raise ReportedError("NameError", f"there is no class {self._class_name}; the submission has {has}")

    def answer(self, call: protocol.Frame) -> list[memoryview]:
        """Answer one call."""
        scratch_files.forget()
        with self._capture.capturing():
            answer = dispatch.Answer(self._class, call, self._variable, self._remembered, self._labels, self._methods)
            error = None
            try:
                answer.take_steps()
            except BaseException as raised:  # noqa: BLE001 -- whatever the student's code raises is the answer
                error = self._error(answer.during, raised)
            return self._reply(answer.describe(call.message["number"], error), answer.packing)

    def _variable(self, name: str) -> Any:
        """Return a variable of the submission's, running what it needs besides the class at the first time."""
        extras, self._extras = self._extras or [], None
        for text in extras:
            self._loader.run(text, self._module.__dict__, forgiving=True)
        if name not in self._module.__dict__:
            raise ReportedError("NameError", f"there is no {name}; write {name} = ... in a cell of its own")
        return self._module.__dict__[name]

    def _error(self, during: str, raised: BaseException) -> dict[str, Any]:
        if issubclass(type(raised), MemoryError):  # isinstance would ask the exception's own __class__
            if not self._memory_reserve.closed:
                self._memory_reserve.close()
            described = self._capture.error(during, raised)
            said = described["message"]
            described["type"] = "MemoryError"
            described["message"] = f"asked for more memory than the {self._memory_mb} MB allowed" + (
                f": {said}" if said else ""
            )
            # The frames hold the arrays that filled the memory.
            traceback.clear_frames(raised.__traceback__)
            gc.collect()
            return described
        return self._capture.error(during, raised)

    def _reply(self, message: dict[str, Any], packing: values.Packing | None = None) -> list[memoryview]:
        self._loader.note_stubs()
        message |= {"printed": self._capture.printed, "warnings": self._capture.warnings, "written": _count_written()}
        try:
            return protocol.pack(message, packing.arrays if packing else ())
        except protocol.ProtocolError as error:
            message |= {"results": [], "own_shapes": {}, "positional": [], "printed": "", "warnings": []}
            message["error"] = {"during": "reply", "type": "ValueError", "message": f"returned {error}", "frames": []}
            return protocol.pack(message)


def _count_written() -> int | None:
    """Return how much was written past Python's own standard output so far: our end may look when more has come.

    None where the output is no file, or the program has closed it.
    """
    try:
        status = _fstat(1)
    except OSError:
        return None
    return status.st_size if stat.S_ISREG(status.st_mode) else None


def warm_up() -> None:
    """Answer calls of our own in the zygote, so that no student's process pays for what happens once.

    Python rewrites a function's code in its first runs (PEP 659): done before the fork, the pages stay shared.
    """
    streams = sys.stdout, sys.stderr, sys.__stdout__, sys.__stderr__
    finders, main = list(sys.meta_path), sys.modules["__main__"]
    X = np.random.default_rng(0).standard_normal((4, 3))
    packing = values.Packing()
    message = {
        "number": 1,
        "sizes": [3, 2, 2],
        "seed": 0,
        "params": packing.describe({"W1": X}),
        "steps": [["loss", packing.describe({"X": X, "y": None, "reg": 0.5})], ["params", packing.describe({})]],
    }
    source: dict[str, Any] = {"segments": [_WARM], "extras": [], "modules": [], "class_name": "Network", "methods": {}}
    source["printed_characters"] = 100
    submission = LoadedSubmission(source, 0, mmap.mmap(-1, mmap.PAGESIZE))
    submission.load()
    question = b"".join(protocol.pack(message, packing.arrays))
    for _ in range(16):
        submission.answer(protocol.unpack(question))
    sys.stdout, sys.stderr, sys.__stdout__, sys.__stderr__ = streams  # type: ignore[misc]
    sys.meta_path[:] = finders
    sys.modules["__main__"] = main
    for name in ("submission", "matplotlib", "matplotlib.pyplot"):
        del sys.modules[name]


_WARM = {
    "label": "warm",
    "source": """
import numpy as np
import matplotlib.pyplot as plt
class Network(object):
    def __init__(self, D, H, C):
        self.params = {"W1": 1e-4 * np.random.randn(D, H)}
    def loss(self, X, y=None, reg=0.0):
        h = np.maximum(0, X.dot(self.params["W1"].T))
        P = np.exp(h - h.max(axis=1, keepdims=True))
        P /= np.sum(P, axis=1, keepdims=True)
        loss = -np.mean(np.log(P[np.arange(len(X)), np.zeros(len(X), dtype=int)]))
        P[h <= 0] = 0
        return loss, {"W1": h.T @ P}
""",
    "kept": [0, 1, 2],
}
