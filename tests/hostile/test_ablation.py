"""Each layer is needed, and the suite can fail: with the layer switched off an attack gets through, with it on it does not."""

from __future__ import annotations

import os
import shutil
from contextlib import ExitStack

import pytest

from grader.sandbox.host import StudentHost
from grader.sandbox.policy import LAYERS, DisabledLayers
from hostile.arena import ATTACKS, LIMITS, Arena

# The layer, what must be off besides it for anybody to notice (it stands behind those as a second wall), the attack.
CASES = [
    ("process", (), "secrets_descriptors"),
    ("namespaces", ("seccomp",), "network_udp"),
    ("rlimits", (), "resource_memory"),
    ("uid", ("seccomp",), "process_fork"),
    ("landlock", (), "files_read_secret"),
    ("seccomp", (), "kernel_keyring"),
]
MORE = [
    ("rlimits", (), "resource_descriptors"),
    ("seccomp", (), "kernel_sysv_ipc"),
    ("seccomp", (), "kernel_young_parts"),
    ("seccomp", (), "kernel_memfd"),
]
# Of each layer one attack is in the default run.
every_case = pytest.mark.parametrize(
    ("layer", "also", "name"),
    [
        pytest.param(*case, id=f"{case[0]} {case[2]}", marks=[pytest.mark.slow] if case in MORE else [])
        for case in CASES + MORE
    ],
)


@pytest.fixture
def won(brief, world, tmp_path):
    """Return a function that lets an attack loose with layers switched off, and gives what it won."""
    with ExitStack() as stack:

        def attack(name, without, needed):
            host = stack.enter_context(StudentHost(LIMITS, DisabledLayers(without)))
            lacking = [layer for layer in needed if layer in host.server.missing]
            if lacking:
                pytest.skip(f"this system has no {', '.join(lacking)}: {host.server.missing[lacking[0]]}")
            outcome = Arena(*brief, host, world, tmp_path).attack(next(path for path in ATTACKS if path.stem == name))
            return outcome.breaches

        yield attack


@every_case
def test_without_the_layer_the_attack_gets_through(won, layer, also, name):
    """So the layer is needed; and an attack that cannot succeed would prove nothing."""
    assert won(name, (layer, *also), ())


@pytest.mark.slow
@every_case
def test_with_the_layer_alone_the_attack_is_stopped(won, layer, also, name):
    """So it is this layer that stops it, where the others stand or not."""
    assert won(name, also, (layer,)) == ()


def test_every_layer_is_among_the_cases():
    """A new layer comes with an attack that only it stops; no_new_privs has a test of its own below."""
    assert {layer for layer, _, _ in CASES} | {"no_new_privs"} == set(LAYERS)


@pytest.mark.slow
def test_nobody_becomes_root_again(arena, brief, world, tmp_path):
    """A program that belongs to root and is marked to run as root does so without no_new_privs, and not with it."""
    if os.geteuid() != 0:
        pytest.skip("needs root, to make such a program")
    program = world.folder / "id"
    shutil.copy("/usr/bin/id", program)
    program.chmod(0o4755)
    source = (
        f"import os\nclass TwoLayerNet:\n    def __init__(self, *sizes):\n        os.execv('{program}', ['id', '-u'])\n"
    )
    try:
        seen = {}
        for without in (("landlock", "seccomp", "no_new_privs"), ("landlock", "seccomp")):
            with StudentHost(LIMITS, DisabledLayers(without)) as host:
                grading = Arena(*brief, host, world, tmp_path).grade("exec", source)
            seen[without] = next(reply.printed for reply in grading.run.replies.values() if reply.printed).split()[0]
    finally:
        program.unlink()
        world.breaches()
    as_root, as_somebody = seen.values()
    assert as_root == "0"
    assert int(as_somebody) > 0
