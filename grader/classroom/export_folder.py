"""The files of an export. Where a format writes a folder, none of an earlier export stays among those of today."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

from grader.classroom.storage import write_whole


def write_export(target: Path, name: str, files: Mapping[str, str | bytes]) -> list[str]:
    """Write an export's files, by their places in the folder `target`. Raises OSError.

    name : of the format's one file, or of the folder that all its files are in. What an earlier export wrote into this
    folder is removed, unless somebody changed it since. Returns the names of all other files in it.
    """
    if name not in files:
        _remove_earlier(target, name, files)
    for place, text in files.items():
        (target / place).parent.mkdir(parents=True, exist_ok=True)
        write_whole(target / place, text)
    found = (path for path in sorted((target / name).rglob("*")) if path.is_file())
    return [str(path.relative_to(target / name)) for path in found if path.relative_to(target).as_posix() not in files]


def list_records(target: Path) -> list[Path]:
    """Return the files that tell what was written into the folder of exports."""
    return [*target.glob(".*.written.json")]


def _remove_earlier(target: Path, name: str, files: Mapping[str, str | bytes]) -> None:
    """Remove what the last export wrote and this one does not, and note what this one writes."""
    folder, record = target / name, target / f".{name}.written.json"
    for place, digest in _read_record(record).items():
        path = target / place
        # Whoever may write here could name files elsewhere in the record.
        ours = path.parent.resolve().is_relative_to(folder.resolve()) and path.is_file() and not path.is_symlink()
        if place not in files and ours and _digest(path.read_bytes()) == digest:
            path.unlink()
            with suppress(OSError):  # other files are in it
                path.parent.rmdir()
    written = {place: _digest(text.encode() if isinstance(text, str) else text) for place, text in files.items()}
    write_whole(record, json.dumps(written))


def _read_record(record: Path) -> dict[str, str]:
    """Return the digest of each file that the last export wrote; nothing is known where the record is gone or damaged."""
    try:
        found = json.loads(record.read_bytes())
    except (FileNotFoundError, ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def _digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()
