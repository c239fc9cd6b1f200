"""Run in a newer CPython than the tests' own, one without numpy and without fork: what of ours does not need them.

Its last expression is a JSON text for `test_sandbox_newer_python`; `HANDED_IN` is the folder of what is read.
"""

import importlib
import inspect
import json
import os
import sys
import warnings
from pathlib import Path
from unittest.mock import MagicMock

for name in ("resource", "numpy", "numpy.typing", "numpy.random", "numpy.random.bit_generator"):
    sys.modules[name] = MagicMock()
warnings.simplefilter("error")
reading = importlib.import_module("grader.submission")
running = importlib.import_module("grader.sandbox.exec_submission")
capture = importlib.import_module("grader.sandbox.capture")
binding = importlib.import_module("grader.sandbox.bind_arguments")
stand_ins = importlib.import_module("grader.sandbox.method_stand_ins")
statements = importlib.import_module("grader.locate.source_statements")


def read(path):
    """Return what is kept of a file that was handed in, and what is wrong with it."""
    found = reading.load(Path(path), class_name="TwoLayerNet", notebook="two_layer_net.ipynb")
    statements.statements(found)
    kept = [[text.label, list(text.kept)] for text in (*found.segments, *found.extras)]
    return {"kept": kept, "modules": [one.name for one in found.modules], "problem": bool(found.problem)}


def ask(path):
    """Run a file as a student's process does; return how each method is called, and whether Python itself would say so."""
    found = reading.load(Path(path), class_name="TwoLayerNet", notebook="two_layer_net.ipynb")
    kept, namespace = capture.OutputCapture(frozenset(), 100), {}
    for text in found.segments:
        running.Loader((), kept).run(running.SourceText(text.label, text.source, text.kept), namespace)
    net = namespace["TwoLayerNet"]()
    binder, answers = binding.ArgumentBinder({}), {}
    for method, names in (("loss", "X y reg"), ("train", "X y X_val y_val"), ("predict", "X")):
        function = getattr(net, method)
        try:
            told = str(inspect.signature(function))
        except Exception as error:  # noqa: BLE001 -- whatever the annotations raise
            told = type(error).__name__
        positional, keywords = binder.bind(method, function, dict.fromkeys(names.split(), 0))
        answers[method] = [told, len(positional), sorted(keywords)]
    watch = stand_ins.Watch(MagicMock(), {}, None, {"loss": "loss", "predict": "predict"})
    watch._loss(type(net).loss)  # as functools.wraps leaves it
    bound = watch._bound(stand_ins.read_signature(type(net).loss), (net, "rows"), {"y": "labels", "reg": 0.5})
    return {"methods": answers, "bound": bound[:2]}


os.chdir(HANDED_IN)  # noqa: F821 -- set by who runs this
names = sorted(path.name for path in Path().iterdir())
json.dumps(
    {
        "version": sys.version_info[:2],
        "read": {name: read(name) for name in names},
        "asked": {name: ask(name) for name in names if name.startswith("annotated")},
    }
)
