"""No report tells where Python or the grader lie on this machine, whatever exception, warning or module a program shows."""

import os
import sys
import sysconfig
import tempfile
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from grader.grading import grade
from grader.reports.formats import REPORT_FORMATS
from grader.text import machine_paths
from grader.text.machine_paths import name_paths
from reports import factory

SITE = sysconfig.get_paths()["purelib"]
FOLDERS = [
    sys.prefix,
    sys.base_prefix,
    SITE,
    os.path.realpath(SITE),
    sysconfig.get_paths()["stdlib"],
    str(Path(np.__file__).parent),
    str(Path(machine_paths.__file__).parent),
]
NAMES = ("<python>", "<grader>", "<home>", "<temp>")
# What programs say where they stop: each shows a path of Python's in another way.
TELLING = """
import sys, os, warnings, traceback
import numpy as np

class TwoLayerNet:
    def __init__(self, input_size, hidden_size, output_size, std=1e-4):
        self.params = {"W1": np.zeros((input_size, hidden_size)), "b1": np.zeros(hidden_size),
                       "W2": np.zeros((hidden_size, output_size)), "b2": np.zeros(output_size)}

    def loss(self, X, y=None, reg=0.0):
        warnings.warn(f"see {np.__file__}")
        if y is None:
            from numpy import nothing_of_this_name
        raise ValueError(f"{np!r} {sys.path} {sys.prefix} {sys.base_prefix} {os.getcwd()} {os.__file__!r}")

    def train(self, X, y, X_val, y_val, **others):
        open(np.__file__ + ".txt")

    def predict(self, X):
        try:
            np.linalg.inv(np.ones((2, 3)))
        except Exception:
            raise RuntimeError(traceback.format_exc()) from None
"""


def assert_silent(text):
    """Assert that no folder of this machine stands in a text."""
    assert not [folder for folder in FOLDERS if folder.rstrip("/") not in {"", "/usr", "/usr/local"} and folder in text]


@pytest.mark.untraced
def test_a_program_that_shows_paths_tells_none(tmp_path, assignment, questions, host):
    """Exceptions, the repr of a module, warnings and a traceback's text: every format has short names in their place."""
    path = tmp_path / "telling.py"
    path.write_text(TELLING, encoding="utf-8")
    report = grade(path, "telling", assignment, questions, host).report
    texts = [form.write(replace(report, source="telling.py")) for form in REPORT_FORMATS.values()]
    for text in texts:
        assert_silent(text)
    assert "nothing_of_this_name" in texts[0]
    assert "numpy/__init__.py" in texts[0].replace("\n", "")
    at_import = tmp_path / "at_import.py"
    at_import.write_text("import sys\nraise ValueError(sys.path)\n", encoding="utf-8")
    note = grade(at_import, "at_import", assignment, questions, host).report
    assert_silent(REPORT_FORMATS["html"].write(note))


@pytest.mark.parametrize(
    ("text", "named"),
    [
        (f"(in {SITE}/numpy/__init__.py)", "(in <python>/site-packages/numpy/__init__.py)"),
        (f"{['', sys.prefix]}", "['', '<python>']"),
        (f"{sys.base_prefix}/bin:{sys.prefix}.", "<python>/bin:<python>."),
        (f"file://{SITE}/a.py", "file://<python>/site-packages/a.py"),
        (f"{Path(machine_paths.__file__).parents[2]}/x", "<grader>/x"),
        (
            "/srv/conda/lib/python3.12/os.py and '/srv/uv/site-packages/x'",
            "<python>/lib/python3.12/os.py and '<python>/site-packages/x'",
        ),
        ("(Windows) a/b 1/2 /usr/share/dict /tmp/x.npy", "(Windows) a/b 1/2 /usr/share/dict /tmp/x.npy"),
    ],
)
def test_each_folder_has_a_short_name(text, named):
    """What is no folder of this machine stays; twice changes nothing more."""
    assert name_paths(text) == named
    assert name_paths(named) == named


@pytest.fixture
def elsewhere(monkeypatch, tmp_path):
    """Return a folder under which Python, home and the folder for temporary files lie, and a link to it."""
    real, link = tmp_path / "real", tmp_path / "link"
    real.mkdir()
    link.symlink_to(real)
    monkeypatch.setattr(sys, "prefix", f"{link}/venv")
    monkeypatch.setattr(sys, "base_prefix", r"C:\Users\Ann\python")
    monkeypatch.setattr(tempfile, "gettempdir", lambda: f"{link}/temp")
    monkeypatch.setattr(machine_paths.Path, "is_absolute", lambda _: True)
    monkeypatch.setenv("HOME", f"{link}/ann")
    for cached in (machine_paths._names, machine_paths._pattern):
        cached.cache_clear()
    yield real, link
    for cached in (machine_paths._names, machine_paths._pattern):
        cached.cache_clear()


def test_links_are_followed_and_kept(elsewhere):
    """A folder is known by the path that was set and by the one that links lead to, and as `repr` writes it."""
    for folder in elsewhere:
        assert name_paths(f"{folder}/venv/bin {folder}/temp/a {folder}/ann/b") == "<python>/bin <temp>/a <home>/b"
        assert name_paths(f"{folder}/venv-of-another {folder}/annie") == f"{folder}/venv-of-another {folder}/annie"
    assert name_paths(r"C:\Users\Ann\python\x" + " " + repr(r"C:\Users\Ann\python\x")) == r"<python>\x '<python>\\x'"


@pytest.mark.parametrize(
    "text", ["/a" * 100_000, "/" * 200_000, "/x/python3." * 20_000, "'" + "/lib" * 50_000 + "-packages"]
)
def test_no_text_takes_long(text):
    """Each character is looked at a few times: hundreds of thousands take no second."""
    assert len(name_paths(text)) <= len(text)


def test_an_absolute_source_is_a_name_to_students():
    """The instructor reads where it was handed in."""
    report = replace(factory.report("a"), source="/srv/class/ann/a.py")
    for form in REPORT_FORMATS.values():
        assert ("/srv/class" in form.write(report)) == (form.name == "json")
