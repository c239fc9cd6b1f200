"""No room on the disk: a clear error, nothing corrupted, and once there is room the same command goes on."""

from __future__ import annotations

import os
import shutil
import sqlite3
import subprocess
import sys

import pytest

from classroom.conftest import command, contents, quiet
from classroom.once import at_hand, say
from grader.classroom.gradebook import FILE

# In a mount namespace of its own, so that the small disk is gone with the process, however that ends.
ON_A_SMALL_DISK = ["unshare", "--mount", "--propagation", "private"]
if os.geteuid():
    ON_A_SMALL_DISK.append("--map-root-user")


def possible() -> bool:
    """Return whether a small disk can be made here."""
    words = [*ON_A_SMALL_DISK, "mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", "/mnt"]
    return bool(shutil.which("unshare")) and not subprocess.run(words, capture_output=True, check=False).returncode


pytestmark = pytest.mark.skipif(not possible(), reason="no small disk can be mounted here")

# Mount, grade, keep what is there where it can be looked at, and say how grading ended.
SCRIPT = """
import os, shutil, subprocess, sys
disk, size, kept, *command = sys.argv[1:]
os.makedirs(disk)
subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", disk], check=True)
first = subprocess.run(command, capture_output=True, text=True)
shutil.copytree(disk, kept)
subprocess.run(["mount", "-o", "remount,size=100m", disk], check=True)
second = subprocess.run(command, capture_output=True, text=True)
shutil.copytree(disk, kept + "-whole")
print(repr((first.returncode, first.stdout + first.stderr, second.returncode, second.stdout + second.stderr)))
"""


@pytest.mark.slow
@pytest.mark.parametrize(
    "size", ["460k", *(pytest.param(size, marks=pytest.mark.slow) for size in ("40k", "120k", "300k", "600k", "760k"))]
)
def test_a_full_disk_costs_nothing_that_was_graded(monkeypatch, tmp_path, handed_in, rubric, size):
    """Wherever the disk is full, the gradebook is sound, an error says so, and the rest is graded once there is room."""
    words = ["grade", "--seed", "231", handed_in, "--assignment", rubric, "--out"]
    at_hand(monkeypatch)
    say(*words, tmp_path / "calm")
    disk = tmp_path / "disk"
    kept = tmp_path / "kept"
    script = [sys.executable, "-c", SCRIPT, str(disk), size, str(kept), *command(*words, disk)]
    done = subprocess.run([*ON_A_SMALL_DISK, *script], capture_output=True, text=True, check=False, env=quiet())
    assert done.returncode == 0, done.stderr
    first, said, second, said_later = eval(done.stdout)  # noqa: S307 -- what the script above printed
    assert first == 1, said
    assert "Traceback" not in said
    assert "the disk is full." in said
    assert "Graded submissions are saved. Run the same command again to grade the rest." in said
    assert not list(kept.rglob("*.part"))
    graded = sound(kept)
    assert second == 0, said_later
    if graded:
        assert f"{graded} unchanged" in said_later
    assert contents(tmp_path / "kept-whole") == contents(tmp_path / "calm")


def sound(folder) -> int:
    """Find a gradebook sound, and give the number of its gradings."""
    if not (folder / FILE).exists():
        return 0
    database = sqlite3.connect(folder / FILE)
    try:
        assert database.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        if not database.execute("SELECT 1 FROM sqlite_master WHERE name = 'grading'").fetchone():
            return 0
        (count,) = database.execute("SELECT count(*) FROM grading WHERE record IS NOT NULL").fetchone()
        return int(count)
    finally:
        database.close()
