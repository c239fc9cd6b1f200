"""Results kept between runs, such as what each known mistake would answer: seconds that each run would take again.

A file is named by a digest of everything that its content depends on, so a stale one is never met. It holds what follows
from a secret seed, and it decides which mistakes are named: only its owner may read or write it.
"""

import hashlib
import os
import tempfile
import zlib
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

from grader.packing import DamagedError, lay_out, unpack

SWITCH = "GRADER_CACHE"  # "off" keeps nothing; `--no-cache` sets it
MOST_BYTES = 256 << 20  # of the folder; a class takes some 13 MB
# Bytes of a result, of which a class may keep one for each student: looking at all files each time adds up.
SMALL = 4096
ENDING = ".kept"
_OF_OTHERS = 0o077


def keep(depends_on: object, make: Callable[[], Any]) -> Any:
    """Return the result of an earlier run, or make it and keep it for later runs.

    depends_on : all that the result depends on. Both are what `grader.packing` packs. A cache that cannot be used costs
    time, never a grade: what is damaged, in another's hands or on a full disk is made anew.
    """
    folder = cache_folder()
    if folder is None:
        return make()
    file = folder / (hashlib.sha256(lay_out(depends_on)).hexdigest() + ENDING)
    found = _read(file)
    if found is None:
        found = make()
        with suppress(OSError):  # a full disk, or a quota
            if _write(file, found) > SMALL:
                _prune(folder)
    return found


def cache_folder() -> Path | None:
    """Return the folder of the cache, made where it is missing; None where it is switched off or not this user's alone."""
    if os.environ.get(SWITCH) == "off" or os.name != "posix":
        return None
    try:
        base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
        folder = Path(base) / "twolayer-grader"
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        found = folder.lstat()
    except (OSError, RuntimeError):  # no home, or one that cannot be written
        return None
    # In a folder that others may write to, somebody else could say what mistakes look like.
    return folder if found.st_uid == os.getuid() and not found.st_mode & _OF_OTHERS else None


def _read(file: Path) -> Any:
    """Return what a file holds; None where there is none, or a damaged one."""
    try:
        found = unpack(file.read_bytes())
        os.utime(file)  # what is used last goes last
    except (OSError, DamagedError):
        return None
    return found


def _write(file: Path, result: Any) -> int:
    """Write a file that is there whole or not at all, whoever else writes the same; return its size."""
    data = zlib.compress(lay_out(result), 0)  # floats shrink by a tenth, and that takes 0.3 s
    descriptor, name = tempfile.mkstemp(ENDING, dir=file.parent)  # mode 600; one that a stop leaves behind is pruned
    try:
        with os.fdopen(descriptor, "wb") as stream:
            stream.write(data)
        Path(name).replace(file)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
    return len(data)


def _prune(folder: Path) -> None:
    """Remove what was used longest ago until the folder is small enough."""
    files = sorted(
        ((file.stat(), file) for file in folder.glob(f"*{ENDING}")), key=lambda one: one[0].st_mtime, reverse=True
    )
    total = 0
    for found, file in files:
        total += found.st_size
        if total > MOST_BYTES:
            file.unlink(missing_ok=True)
