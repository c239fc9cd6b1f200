"""Run a program, as root, where every user may enter the folders that lead to this Python, its packages and this project.

Usage: `python open_way.py PROGRAM ARGUMENT...`. They often lie in a home that its owner alone may enter. Nobody's rights are
changed: in a mount namespace of its own, each such folder is covered by an empty one that holds just the way on.
"""

from __future__ import annotations

import ctypes
import os
import stat
import sys
from collections.abc import Iterable
from pathlib import Path

CLONE_NEWNS = 0x20000
MS_BIND, MS_REC, MS_PRIVATE = 0x1000, 0x4000, 0x40000
ROOT = Path(__file__).resolve().parents[2]

_libc = ctypes.CDLL(None, use_errno=True)


def main() -> None:
    """Open the way, then be the program."""
    check(_libc.unshare(CLONE_NEWNS), "unshare")
    mount("none", Path("/"), "", MS_REC | MS_PRIVATE)  # so that nobody else sees what follows
    here = [sys.prefix, sys.base_prefix, sys.executable, str(Path(sys.executable).resolve()), *filter(None, sys.path)]
    goals = [ROOT, *(Path(path) for path in here if Path(path).exists())]
    while closed := next(filter(is_closed, on_the_way(goals)), None):
        cover(closed, goals)
    os.execv(sys.argv[1], sys.argv[1:])  # noqa: S606 -- that is what it is for


def on_the_way(goals: Iterable[Path]) -> list[Path]:
    """Return every folder that leads to a goal or is one, the upper ones first."""
    return sorted({folder for goal in goals for folder in (goal, *goal.parents) if folder.is_dir()})


def is_closed(folder: Path) -> bool:
    """Whether others than its owner may not enter a folder."""
    return not folder.stat().st_mode & stat.S_IXOTH


def cover(folder: Path, goals: Iterable[Path]) -> None:
    """Put an open folder in its place, with what leads to the goals, or with all that is in it where it is one itself."""
    goals = list(goals)
    names = {goal.relative_to(folder).parts[0] for goal in goals if folder in goal.parents}
    if folder in goals:
        names.update(entry.name for entry in folder.iterdir())
    held = {name: os.open(folder / name, os.O_PATH) for name in names}
    mount("none", folder, "tmpfs", 0, b"mode=0755")
    for name, descriptor in held.items():
        place = folder / name
        if stat.S_ISDIR(os.fstat(descriptor).st_mode):
            place.mkdir()
        else:
            place.touch()
        mount(f"/proc/self/fd/{descriptor}", place, "", MS_BIND)
        os.close(descriptor)


def mount(source: str, place: Path, kind: str, flags: int, data: bytes | None = None) -> None:
    """Call mount(2), and raise OSError where the kernel refuses."""
    answer = _libc.mount(source.encode(), os.fsencode(place), kind.encode(), ctypes.c_ulong(flags), data)
    check(answer, f"mount on {place}")


def check(answer: int, what: str) -> None:
    """Raise OSError where a call failed."""
    if answer != 0:
        number = ctypes.get_errno()
        raise OSError(number, f"{what}: {os.strerror(number)}")


if __name__ == "__main__":
    main()
