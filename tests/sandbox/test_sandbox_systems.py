"""The lock-down on other systems than this one: older kernels, no Landlock, an ordinary user, a container."""

import ctypes.util
import functools
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from grader.sandbox import landlock, self_test
from grader.sandbox.host import StudentHost
from grader.sandbox.policy import LAYERS, DisabledLayers

ROOT = Path(__file__).resolve().parents[2]
HELPERS = Path(__file__).parent
PACKAGES = {"site-packages", "dist-packages"}
PROFILE = Path("/usr/share/containers/seccomp.json")
ORDINARY = 52_999
HERE = landlock.version()


def got_through(limits, disabled):
    """Name what the canary could do."""
    with StudentHost(limits, disabled) as host:
        return [trial.id for trial in self_test.run(host, limits).tests if trial.wrong]


def test_nothing_gets_through_here(limits):
    """The full lock-down refuses all that the canary tries."""
    assert got_through(limits, DisabledLayers()) == []


# The oldest, the latest, and the one in the middle are in the default run.
@pytest.mark.parametrize(
    "version", [pytest.param(one, marks=[pytest.mark.slow] if one > 1 else []) for one in range(1, 8)]
)
def test_every_version_of_landlock_is_enough(limits, version):
    """Older kernels lack some rights; seccomp refuses what those are about."""
    if version > HERE:
        pytest.skip(f"this kernel has version {HERE} of Landlock")
    with StudentHost(limits, DisabledLayers(landlock=version)) as host:
        assert host.server.facts["landlock"] == f"version {version} of this kernel's {HERE}"
        assert not [trial for trial in self_test.run(host, limits).tests if trial.wrong]


def test_without_landlock_no_file_is_opened(limits, submission, network, question):
    """No-open mode: late imports come from memory, numpy computes as ever, and nothing can be read."""
    late = "import tkinter.font, imaplib"
    with StudentHost(limits, DisabledLayers(landlock=0)) as host:
        assert host.server.missing["landlock"] == "this kernel has none, so no file can be opened at all"
        assert not [trial for trial in self_test.run(host, limits).tests if trial.wrong]
        run = host.run(
            submission(network("open('/dev/null')", top=late)), "TwoLayerNet", [question("a"), question("b", reg=666)]
        )
    assert "landlock" not in run.isolation
    assert run.replies["a"].outcome == "returned"
    assert run.replies["b"].error.type == "PermissionError"


def test_with_landlock_late_imports_work(host, submission, network, question):
    """What the standard library and numpy load late is read from the disk."""
    if "landlock" in host.server.missing:
        pytest.skip("this kernel has no Landlock")
    late = "import imaplib, numpy.f2py, encodings.cp037"
    run = host.run(
        submission(network("return imaplib.__file__, 'x'.encode('cp037')", top=late)),
        "TwoLayerNet",
        [question("q", reg=666)],
    )
    assert run.replies["q"].outcome == "returned", run.replies["q"]


@pytest.mark.parametrize(
    "layer",
    [
        pytest.param(layer, marks=[] if layer == "seccomp" else [pytest.mark.slow])
        for layer in LAYERS
        if layer != "process"
    ],
)
def test_a_layer_that_is_left_out_is_not_reported(limits, submission, network, question, layer):
    """A report names the layers that were in force, and no other."""
    needed = ("landlock", "seccomp") if layer == "no_new_privs" else ()
    with StudentHost(limits, DisabledLayers((layer, *needed))) as host:
        run = host.run(submission(network()), "TwoLayerNet", [question("q")])
        assert host.server.missing[layer] == "switched off"
    assert layer not in run.isolation
    assert run.replies["q"].outcome == "returned"


def test_without_no_new_privs_the_kernel_refuses_the_rest(limits):
    """Landlock and seccomp bind no process that could regain its rights: the three stand together."""
    with StudentHost(limits, DisabledLayers(("no_new_privs",))) as host:
        missing = set(host.server.missing)
    assert {"no_new_privs"} <= missing


# ---------------------------------------------------------------- other systems, in a process of their own


def doctor(*before, python=sys.executable):
    """Run `grader doctor` under another program, and return its exit status and what it says."""
    done = subprocess.run(
        [*before, python, "-m", "grader", "doctor"],
        check=False,
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
    )
    return done.returncode, done.stdout + done.stderr


def in_docker(age, first=(), become=(), python=sys.executable):
    """Run it under Docker's default profile and capabilities; `first` runs before those bind."""
    if os.geteuid() != 0 or ctypes.util.find_library("seccomp") is None or not PROFILE.exists():
        pytest.skip("needs root, libseccomp and a container profile (golang-github-containers-common)")
    profile = (sys.executable, HELPERS / "in_docker.py", PROFILE, age)
    return doctor(*first, *profile, *become, python=python)


# As the grader does, the interpreter starts itself once more: setpriv's own first step may still use root's rights.
REACHES = "import subprocess, sys, grader.health; subprocess.run([sys.executable, '-c', 'import numpy'], check=True)"


@functools.cache
def as_ordinary_user():
    """Return what root runs first, the words that run a program as a user without any right, and a Python for that user.

    Where that user cannot reach this Python, the way to it is opened; where that may not be, the system's own Python of
    the same version runs what is installed for this one.
    """
    if os.geteuid() != 0:
        return (), (), sys.executable
    if shutil.which("setpriv") is None:
        pytest.skip("needs setpriv, to become another user")
    become = (shutil.which("setpriv"), f"--reuid={ORDINARY}", f"--regid={ORDINARY}", "--clear-groups")
    version = f"python3.{sys.version_info.minor}"
    system = shutil.which(version, path=os.defpath)
    packages = ("env", f"PYTHONPATH={os.pathsep.join(path for path in sys.path if Path(path).name in PACKAGES)}")
    forms = [((), become, sys.executable), ((sys.executable, HELPERS / "open_way.py"), become, sys.executable)]
    forms += [((), (*become, *packages), system)] if system else []
    for form in forms:
        first, words, python = form
        tried = subprocess.run([*first, *words, python, "-c", REACHES], check=False, cwd=ROOT, capture_output=True)
        if tried.returncode == 0:
            return form
    pytest.skip(
        f"an ordinary user cannot reach {sys.executable}, its packages or {ROOT}; root may not mount here, to open the way"
        f" to them; and there is no {version} in {os.defpath} that could run what is installed for this one"
    )


def in_force(said):
    """Return the layers that the doctor found in force."""
    return [line.split()[0] for line in said.splitlines() if "  in force" in line]


@pytest.mark.slow
def test_an_ordinary_user(host):
    """Without root there is no other user to become; nothing gets through all the same."""
    first, become, python = as_ordinary_user()
    status, said = doctor(*first, *become, python=python)
    assert status == 0, said
    assert "uid           missing   not started as root" in said
    assert {"process", "rlimits", "no_new_privs", "seccomp"} <= set(in_force(said))
    assert "It is safe to grade strangers' code here: nothing got through." in said


@pytest.mark.slow
@pytest.mark.parametrize("age", ["new", pytest.param("old", marks=pytest.mark.slow)])
def test_a_container_s_root(age):
    """Docker's default profile has no namespaces for us, and an old one no Landlock."""
    status, said = in_docker(age)
    assert status == 0, said
    assert "namespaces    missing   not allowed here" in said
    assert ("landlock" in in_force(said)) == (age == "new" and HERE > 0)
    assert {"uid", "seccomp"} <= set(in_force(said))


@pytest.mark.slow
def test_a_container_s_ordinary_user():
    """The least that a system may offer: neither root nor namespaces nor Landlock."""
    status, said = in_docker("old", *as_ordinary_user())
    assert status == 0, said
    assert in_force(said) == ["process", "rlimits", "no_new_privs", "seccomp"]
