"""Whatever is handed in, `load` gives segments or a problem with a message, and raises nothing."""

import ast
import json
import tempfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from examples import examples
from grader.locate.source_statements import statements
from grader.submission import load

# The same lines over and over: a tracer doubles the time and learns nothing.
pytestmark = pytest.mark.untraced

CELLS = [
    "%matplotlib inline\nimport numpy as np\nfrom layers import *\n",
    "def relu(x): return np.maximum(0, x)\nEPS = 1e-8\n",
    "class TwoLayerNet:\n    def loss(self, X):\n        dW1 = relu(X) + EPS\n        return dW1\n",
    "net = TwoLayerNet()\nfor i in range(3):\n    best = i\n",
    "TwoLayerNet.train = lambda self: None\nbest_hyperparameters = {'lr': best}\n",
]
NOTEBOOK = {
    "cells": [
        {"cell_type": "code", "source": cell, "metadata": {}, "outputs": [], "execution_count": None} for cell in CELLS
    ],
    "metadata": {"kernelspec": {"name": "python3"}},
    "nbformat": 4,
    "nbformat_minor": 2,
}
OLD = {
    "worksheets": [
        {"cells": [{"cell_type": "code", "input": cell, "outputs": [], "language": "python"} for cell in CELLS]}
    ],
    "metadata": {"name": "x"},
    "nbformat": 3,
    "nbformat_minor": 0,
}
FEW = settings(examples(35), suppress_health_check=[HealthCheck.too_slow, HealthCheck.differing_executors])

junk = st.recursive(
    st.none() | st.booleans() | st.integers(-9, 99) | st.floats() | st.text(max_size=9) | st.sampled_from(CELLS),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["cells", "source", "input", "x"]), inner)
    ),
    max_leaves=5,
)


def check(files):
    """Load these files as a folder, and hold the promise to every reader of a Submission."""
    with tempfile.TemporaryDirectory() as folder:
        for name, data in files.items():
            (Path(folder) / name).write_bytes(data)
        submission = load(Path(folder), class_name="TwoLayerNet", notebook="two_layer_net.ipynb")
    if submission.problem is None:
        assert submission.segments
    else:
        assert len(submission.problem.message) > 20
        assert submission.problem.status in {"no_submission", "failed_to_load"}
    for segment in (*submission.segments, *submission.extras, *(m.segment for m in submission.modules)):
        body = ast.parse(segment.source).body
        assert all(0 <= index < len(body) for index in segment.kept)
        assert list(segment.kept) == sorted(set(segment.kept))
        segment.source.encode()
    for text in (*submission.notes, submission.graded_file, submission.problem.message if submission.problem else ""):
        text.encode()
    statements(submission)
    return submission


def paths_in(value, path=()):
    """List the places in a JSON value."""
    found = [path]
    if isinstance(value, (dict, list)):
        for key, inner in value.items() if isinstance(value, dict) else enumerate(value):
            found += paths_in(inner, (*path, key))
    return found


def changed(content, path, new, *, delete):
    """Replace or delete one place in a copy of a JSON value."""
    content = json.loads(json.dumps(content))
    if not path:
        return new
    inner = content
    for key in path[:-1]:
        inner = inner[key]
    if delete:
        del inner[path[-1]]
    else:
        inner[path[-1]] = new
    return content


def test_the_untouched_notebooks_are_gradable():
    """The examples below are changed from something that loads."""
    for content in (NOTEBOOK, OLD):
        assert check({"two_layer_net.ipynb": json.dumps(content).encode()}).problem is None


@FEW
@given(st.sampled_from([NOTEBOOK, OLD]), st.data())
def test_notebooks_with_changed_json(content, data):
    """Values of other types, deleted keys and nested junk, anywhere in a notebook."""
    for _ in range(data.draw(st.integers(1, 3))):
        path = data.draw(st.sampled_from(paths_in(content)))
        content = changed(content, path, data.draw(junk), delete=data.draw(st.booleans()))
    check({"two_layer_net.ipynb": json.dumps(content).encode()})


@FEW
@given(st.lists(st.tuples(st.integers(0, 10**4), st.integers(0, 255)), min_size=1, max_size=8), st.integers(0, 10**4))
def test_notebooks_with_flipped_bytes(flips, end):
    """Bytes flipped, and the end cut off."""
    data = bytearray(json.dumps(NOTEBOOK).encode())
    for at, byte in flips:
        data[at % len(data)] = byte
    check({"two_layer_net.ipynb": bytes(data[: end if end < len(data) else None])})


@FEW
@given(st.sampled_from(CELLS), st.integers(0, 200), st.text(max_size=12))
def test_cells_with_inserted_text(cell, at, text):
    """Anything typed anywhere into the class, its helpers, or the training."""
    cells = [c[:at] + text + c[at:] if c == cell else c for c in CELLS]
    content = NOTEBOOK | {"cells": [{"cell_type": "code", "source": c} for c in cells]}
    check({"n.ipynb": json.dumps(content).encode(), "layers.py": b"from n import *\ndef affine(): pass"})


@FEW
@given(st.binary(max_size=60) | st.text(max_size=60).map(lambda t: t.encode(errors="surrogatepass")))
def test_any_bytes_as_python(data):
    """Random bytes and random text as a .py file, before and after the class."""
    net = CELLS[2].encode()
    for content in (data, data + b"\n" + net, net + b"\n" + data):
        check({"net.py": content, "two_layer_net.ipynb": data})


@FEW
@given(st.binary(max_size=80), st.integers(0, 400), st.integers(0, 255))
def test_any_bytes_as_a_zip(data, at, byte):
    """Random bytes, and a good zip with one byte changed."""
    import io
    import zipfile

    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as archive:
        archive.writestr("two_layer_net.ipynb", json.dumps(NOTEBOOK))
        archive.writestr("layers.py", "a = 1")
    good = bytearray(made.getvalue())
    good[-(at % 300) - 1] = byte
    check({"a.zip": bytes(good)})
    check({"a.zip": data})


STATEMENTS = [
    "x = x",
    "def f(): return g() + x",
    "def g(): return f()",
    "TwoLayerNet.loss = f",
    "class TwoLayerNet(TwoLayerNet): pass",
    "class TwoLayerNet:\n    y = f()",
    "from a import *",
    "from b import TwoLayerNet as T, f",
    "import a.b as x",
    "from . import a, b",
    "from ..a import (f,\n g)",
    "try:\n    import b\nexcept ImportError:\n    b = f",
    "for x in []: f = x",
    "global x",
    "del f",
    "x: int = f(); f.y = 1; setattr(f, 'x', g)",
    "from __future__ import annotations",
    "def broken(",
    "%%writefile b.py",
    "@g\nasync def f(a, a): nonlocal b",
    "match x:\n    case [f, *g]: TwoLayerNet = f",
    "type(x)\nlambda: (y := 1)",
    "best_hyperparameters = f(x=x)",
]


@FEW
@given(st.lists(st.lists(st.sampled_from(STATEMENTS), max_size=5).map("\n".join), min_size=3, max_size=6))
def test_any_web_of_names(cells):
    """Statements that define, redefine, import and shadow each other in any order, across files that import in circles."""
    content = NOTEBOOK | {"cells": [{"cell_type": "code", "source": c} for c in cells[2:]]}
    check({"n.ipynb": json.dumps(content).encode(), "a.py": cells[0].encode(), "b.py": cells[1].encode()})


@pytest.mark.parametrize("name", ["TwoLayerNet", "a.b", "", "x y", "[", "class"])
def test_odd_class_names(tmp_path, name):
    """An assignment may ask for any class; its name is never taken for a pattern."""
    (tmp_path / "n.py").write_text("def f(", encoding="utf-8")
    assert load(tmp_path, class_name=name, notebook="x.ipynb").problem is not None
