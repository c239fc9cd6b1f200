"""Whatever Python and numpy load late is there for a student's process, also where it cannot be read from the disk."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from grader.sandbox import isolation_tests, preloaded_library, self_test
from grader.sandbox.host import StudentHost
from grader.sandbox.policy import DisabledLayers

ROOT = Path(__file__).resolve().parents[2]
SAMPLE = ROOT / "tests" / "submissions" / "right_einsum.py"
STAR = "from numpy import *\n"
# Each reads a hundred others: written in Python and compiled to machine code, packages and codecs.
LATE_SHARE = """
import asyncio, cProfile, encodings.cp037, fileinput, graphlib, html.parser, http.client, imaplib, logging.config
import mailbox, optparse, profile, sched, tomllib, unicodedata, unittest.mock, urllib.request, wave, xmlrpc.client
import numpy.f2py, numpy.testing.overrides
"""
# Imports whatever there is of Python and numpy, and says what fails. Left out is what opens a window or a browser, is a
# program rather than a module, is only there to test others, or needs a library of the system's, which may lie anywhere.
EVERYTHING = """
def failures(names):
    import importlib, warnings
    failed = []
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for name in names:
            try:
                importlib.import_module(name)
            except Exception:
                failed.append(name)
    return sorted(failed)
"""
NOT_ASKED = {"antigravity", "this", "turtle", "idlelib", "turtledemo", "ensurepip", "lib2to3", "msilib", "venv"} | {
    *("tkinter", "curses", "readline", "sqlite3", "nis", "crypt")
}
NO_DISK = DisabledLayers(landlock=0)
NOTHING = DisabledLayers(landlock=0, library=False)


@pytest.fixture(scope="module")
def without_disk(limits):
    """Return a host whose processes may open no file, on any machine."""
    with StudentHost(limits, NO_DISK) as one:
        yield one


@pytest.fixture(params=["as it is", "without the disk"])
def either(request, host, without_disk):
    """Return each of the hosts whose processes find everything."""
    return host if request.param == "as it is" else without_disk


def everything():
    """Return the names of all modules of Python and numpy that a program may import."""
    standard = {name for name in sys.stdlib_module_names if "test" not in name and not name.startswith(("_", "xx"))}
    folder = Path(np.__file__).parent
    found = [path.relative_to(folder.parent).with_suffix("") for path in folder.rglob("*.py")]
    parts = {".".join(path.parts).removesuffix(".__init__") for path in found}
    ours = {
        name
        for name in parts
        if not {"tests", "conftest", "__main__", "_pyinstaller", "_examples"} & set(name.split("."))
    }
    return sorted((standard - NOT_ASKED) | {name for name in ours if "distutils" not in name and "setup" not in name})


@pytest.mark.slow
def test_every_module_of_python_and_numpy(either, submission, network, question):
    """It imports what an interpreter outside imports, and lacks only what that lacks."""
    names = everything()
    assert {"asyncio", "tomllib", "numpy.f2py", "numpy.ma.extras", "numpy.polynomial.legendre"} <= set(names)
    paths = [str(Path(np.__file__).resolve().parent.parent)]
    outside = f"import sys, json\nsys.path += {paths!r}\n{EVERYTHING}\nprint(json.dumps(failures({names!r})))"
    said = subprocess.run([sys.executable, "-I", "-S", "-c", outside], check=True, capture_output=True, text=True)
    lacking = json.loads(said.stdout.splitlines()[-1])
    misdeed = f"failed = failures({names!r})\nassert failed == {lacking!r}, set(failed) ^ set({lacking!r})"
    run = either.run(submission(network(misdeed, top=EVERYTHING)), "TwoLayerNet", [question("q", reg=666, seconds=20)])
    assert run.replies["q"].outcome == "returned", run.replies["q"]


def test_programs_that_import_late(either, submission, network, question):
    """Names by `from numpy import *` and modules that nobody loaded beforehand: numbers are as ever, and nothing is noted."""
    run = either.run(submission(STAR + LATE_SHARE + network()), "TwoLayerNet", [question("q")])
    plain = either.run(submission(network()), "TwoLayerNet", [question("q")])
    assert run.load.outcome == "returned", run.load
    assert not [text for text in run.load.warnings if "stand-in" in text]
    np.testing.assert_equal(run.replies["q"].results, plain.replies["q"].results)


def test_a_module_that_is_not_there(without_disk, submission, network, question):
    """A misspelt part of Python is missing, as anywhere."""
    run = without_disk.run(submission(network("import asyncio.evnets")), "TwoLayerNet", [question("q", reg=666)])
    assert run.replies["q"].error.type == "ModuleNotFoundError"


@pytest.mark.slow
def test_what_is_kept_is_nobody_s_to_change(without_disk, submission, network, question):
    """Who overwrites the memory that modules come from does it to itself."""
    overwrite = """
        import ctypes, fileinput
        memory = fileinput.__loader__._shelf._memory
        there = np.frombuffer(memory, np.uint8)
        assert ctypes.CDLL(None).mprotect(ctypes.c_void_p(there.ctypes.data), ctypes.c_size_t(len(there)), 3) == 0
        ctypes.memset(there.ctypes.data, 0, len(there))
        assert not there.any()
    """
    spoilt = without_disk.run(submission(network(overwrite)), "TwoLayerNet", [question("q", reg=666)])
    assert spoilt.replies["q"].outcome == "returned", spoilt.replies["q"]
    after = without_disk.run(submission(network("import fileinput")), "TwoLayerNet", [question("q", reg=666)])
    assert after.replies["q"].outcome == "returned", after.replies["q"]


def test_the_canary_misses_what_cannot_be_read(limits):
    """Where modules are neither on the disk nor in memory, each need is unmet and says which module it was."""
    with StudentHost(limits, NOTHING) as host:
        found = self_test.run(host, limits)
    assert [need.id for need in found.needs if need.wrong] == [need.__name__ for need in isolation_tests.NEEDS]
    assert "No module named 'cProfile'" in found.needs[0].said
    said = self_test.refusal_reason(found)
    assert said.startswith(
        "Right programs would lose points on this system: a test process could not import modules of"
    )
    assert "run the grader as an ordinary user" in said


def test_the_canary_finds_all_that_it_needs(either, limits):
    """And with either way to the modules it misses nothing."""
    assert not [need for need in self_test.run(either, limits).needs if need.wrong]


def test_no_trial_stops_at_a_module(limits):
    """Each gets as far as what refuses it, where no module can be read either; one that stops before would prove nothing."""
    with StudentHost(limits, NOTHING) as host:
        said = {trial.id: trial.said for trial in self_test.run(host, limits).tests}
    assert said["connect_by_tcp"] == "refused: PermissionError: [Errno 1] Operation not permitted"
    assert not {name: text for name, text in said.items() if "Lookup" in text or "NotFound" in text or "Import" in text}


# ---------------------------------------------------------------- a Python that only root may reach


@pytest.fixture(scope="module")
def private_python(tmp_path_factory):
    """Return what runs this Python, with its packages, out of a folder that only root may enter."""
    if os.geteuid() != 0:
        pytest.skip("needs root: nobody else becomes a user who may read less")
    private = tmp_path_factory.mktemp("private")
    private.chmod(0o700)
    (private / "python").symlink_to(sys.base_prefix)
    # The grader looks up numpy's real place, so no link does for that.
    for part in ("numpy", "numpy.libs"):
        source = Path(np.__file__).resolve().parent.with_name(part)
        if source.exists():
            shutil.copytree(source, private / "site" / part, copy_function=link_or_copy)
    # Not sys.executable: a virtual environment may hold a copy in place of a link.
    python = private / "python" / Path(sys._base_executable).resolve().relative_to(Path(sys.base_prefix).resolve())
    path = os.pathsep.join([str(private / "site"), *filter(None, sys.path)])

    def run(*words):
        return subprocess.run(
            [python, *words], check=False, cwd=ROOT, capture_output=True, text=True, timeout=120,
            env=os.environ | {"PYTHONPATH": path, "COLUMNS": "200"},
        )  # fmt: skip

    where = "import sys, os, numpy; print(os.__file__); print(numpy.__file__)"
    assert all(line.startswith(str(private)) for line in run("-c", where).stdout.split())
    return run


def link_or_copy(source, target):
    """Link a file, or copy it where the file systems are two."""
    try:
        os.link(source, target)
    except OSError:
        shutil.copy2(source, target)


@pytest.mark.slow
def test_a_private_python_costs_no_points(private_python, tmp_path):
    """The same program with `from numpy import *` and late imports on top has full points."""
    program = tmp_path / "star.py"
    text = SAMPLE.read_text(encoding="utf-8")
    assert "= max(num_train" in text
    # numpy's max(), which is in force now, takes an axis where Python's takes a second number.
    program.write_text(STAR + LATE_SHARE + text.replace("= max(num_train", "= maximum(num_train"), encoding="utf-8")
    done = private_python("-m", "grader", "grade", "--seed", "231", str(program), "--out", str(tmp_path / "out"))
    assert done.returncode == 0, done.stdout + done.stderr
    report = json.loads((tmp_path / "out" / "submissions" / "star" / "report.json").read_text(encoding="utf-8"))
    assert report["score"] == report["max_score"], report
    assert "uid" in report["environment"]["isolation"]


@pytest.mark.slow
def test_the_doctor_finds_a_private_python_in_order(private_python):
    """Everything is there, and nothing got through."""
    done = private_python("-m", "grader", "doctor")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "FAILED" not in done.stdout
    assert "It is safe to grade strangers' code here: nothing got through." in done.stdout


@pytest.mark.slow
def test_the_doctor_would_see_a_private_python_that_is_not_kept(private_python):
    """Without the library in memory the doctor names the module that cannot be read."""
    weakened = """
from functools import partial
from grader import health
from grader.__main__ import run
from grader.sandbox.policy import DisabledLayers
health.StudentHost = partial(health.StudentHost, disabled=DisabledLayers(library=False))
run()
"""
    done = private_python("-c", weakened, "doctor")
    assert done.returncode == 1, done.stdout + done.stderr
    assert "FAILED: ModuleNotFoundError: No module named 'cProfile'" in done.stdout
    assert "Right programs would lose points on this system" in done.stdout


# ---------------------------------------------------------------- what is kept


def test_only_what_differs_is_read_again(tmp_path):
    """A module comes from its .pyc while that is of this very source, and else from the source."""
    source = tmp_path / "kept_module.py"
    cached = Path(preloaded_library.importlib.util.cache_from_source(str(source)))
    source.write_text("VALUE = 1\n", encoding="utf-8")
    code = "import importlib, sys; sys.path.insert(0, sys.argv[1]); importlib.import_module('kept_module')"
    subprocess.run(
        [sys.executable, "-c", code, tmp_path], check=True, env={**os.environ, "PYTHONDONTWRITEBYTECODE": ""}
    )
    assert preloaded_library.PreloadedLibrary([str(source)]).read(str(cached)) == cached.read_bytes()
    with pytest.raises(FileNotFoundError):
        preloaded_library.PreloadedLibrary([str(source)]).read(str(source))
    source.write_text("VALUE = 22\n", encoding="utf-8")
    shelf = preloaded_library.PreloadedLibrary([str(source)])
    assert shelf.read(str(source)) == b"VALUE = 22\n"
    source.unlink()
    spec = shelf.find_spec("kept_module", [str(tmp_path)])
    module = preloaded_library.importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    assert module.VALUE == 22


def test_files_and_folders_out_of_reach_are_told(tmp_path, monkeypatch):
    """One file that cannot be read, or one folder that cannot be listed, is enough; nothing installed is looked at."""
    for name in ("a.py", "package/__init__.py", "site-packages/b.py", "package/tests/c.py", "notes.txt"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    found = preloaded_library.files([str(tmp_path)])
    assert found == [str(tmp_path / "a.py"), str(tmp_path / "package" / "__init__.py")]
    preloaded_library.check(found)
    for closed in (found[0], str(tmp_path / "package")):
        monkeypatch.setattr(os, "access", lambda path, _how, closed=closed: path != closed)
        with pytest.raises(PermissionError, match=closed):
            preloaded_library.check(found)
