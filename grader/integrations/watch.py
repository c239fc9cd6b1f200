"""Saves of a file, one after the other, as `grader check --watch` checks them."""

import json
import time
from collections.abc import Iterator
from pathlib import Path

from watchfiles import watch

PATIENCE = 2.0  # seconds for a notebook to be whole; one that stays broken is checked as it is, and told why
# Milliseconds: without a change, of changes taken for one save, until it is looked at anyway.
_STEP, _MOST, _LOOK = 30, 300, 500


def watch_saves(path: Path) -> Iterator[None]:
    """Yield at once, and then after each save, whether an editor writes the file anew or renames another to its name.

    Several writes of one save are one. A notebook of which only a part is saved is waited for. What the system does not tell
    of, such as saves on a network drive, is seen by the file's time and size.
    """
    checked = found = _stamp(path)
    yield
    since = time.monotonic()
    told = watch(
        path.absolute().parent,
        watch_filter=lambda _change, changed: Path(changed).name == path.name,
        debounce=_MOST,
        step=_STEP,
        rust_timeout=_LOOK,
        yield_on_timeout=True,
        recursive=False,
    )
    for _ in told:
        stamp = _stamp(path)
        if stamp in {checked, None}:
            continue  # or the editor is just about to give another file its name
        if stamp != found:
            found, since = stamp, time.monotonic()
        if _is_whole(path) or time.monotonic() - since > PATIENCE:
            checked = stamp
            yield


def _stamp(path: Path) -> tuple[int, int, int] | None:
    """Return what changes with each save; None where there is no such file now."""
    try:
        status = path.stat()
    except OSError:
        return None
    return status.st_mtime_ns, status.st_size, status.st_ino


def _is_whole(path: Path) -> bool:
    """Return whether a file is no notebook that is cut off."""
    try:
        data = path.read_bytes()
        return bool(data.strip()) and (path.suffix != ".ipynb" or bool(json.loads(data)))
    except (OSError, ValueError, RecursionError):
        return False
