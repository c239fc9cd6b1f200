"""A path to the bytes of its notebooks and .py files: a file, a folder, or a zip; nothing is ever unpacked to disk."""

from __future__ import annotations

import hashlib
import os
import stat
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import BinaryIO

from grader.model import Problem
from grader.submission.archive import unpack
from grader.submission.errors import SubmissionError, failed, nothing_to_grade
from grader.submission.name_submissions import ENDINGS, SKIPPED_FOLDERS, is_wanted, listed, printable
from grader.submission.quota import MEMBER_BYTES, Taken

# A student's own folders are some five deep; a path of thousands of levels would only exhaust os.walk.
_DEEPEST = 30


@dataclass(frozen=True)
class File:
    """One notebook or .py file that was handed in."""

    path: PurePosixPath  # inside the submission
    data: bytes


@dataclass(frozen=True)
class HandIn:
    """All that was read of one submission."""

    files: tuple[File, ...]  # sorted by path
    notes: tuple[str, ...]
    digest: str  # SHA-256 of the paths in it and the bytes, in hexadecimal; "" where nothing could be read
    problem: Problem | None = None  # why it could not be read


def read(path: Path) -> HandIn:
    """Read what was handed in, so that it can be understood elsewhere; whatever is wrong with it is its `problem`."""
    try:
        return _read(path)
    except SubmissionError as error:
        return HandIn((), (), "", error.problem)


def _read(path: Path) -> HandIn:
    """Read what was handed in; refuse it where nothing is a notebook or Python, or where it cannot be read."""
    taken = Taken()
    shown = printable(path.name)
    try:
        if path.is_dir():
            _read_folder(path, taken)
        elif not path.exists():
            raise nothing_to_grade(f"There is no file or folder at {printable(str(path))}.")
        elif path.name.lower().endswith(ENDINGS):
            with _open_regular(path, shown, follow=True) as opened:
                _take(opened, PurePosixPath(path.name), PurePosixPath(), taken)
        else:
            raise nothing_to_grade(
                f"{shown} is neither a notebook (.ipynb) nor Python (.py) nor a zip of these. Hand in one of them."
            )
    except (OSError, ValueError) as error:
        # ValueError: a path with a null character in it.
        reason = getattr(error, "strerror", None) or str(error)
        raise failed(f"{shown} cannot be read: {reason}. Hand in a file that can be opened.") from error
    if not taken.files:
        kind = "folder" if path.is_dir() else "zip"
        found = [f"it holds {listed(sorted(taken.other))}"] if taken.other else []
        found += [note.rstrip(".") for note in taken.notes]
        asked = "no notebook (.ipynb) and no .py file" + (" that can be read" if taken.notes else "")
        found_in_all = "; ".join(found) or "it is empty"
        raise nothing_to_grade(f"The {kind} {shown} holds {asked}: {found_in_all}. Hand in the notebook.")
    files = tuple(File(name, data) for name, data in sorted(taken.files.items()))
    return HandIn(files, tuple(taken.notes), _digest(files))


def _take(opened: BinaryIO, path: PurePosixPath, folder_of_zip: PurePosixPath, taken: Taken) -> None:
    """Read one open file; what a zip holds goes under `folder_of_zip`."""
    shown = printable(str(path))
    if path.suffix.lower() == ".zip":
        unpack(opened, shown, taken, folder_of_zip)
    else:
        taken.take(path, opened.read(MEMBER_BYTES + 1), shown)


def _read_folder(folder: Path, taken: Taken) -> None:
    links = []
    for here, folders, names in os.walk(folder):  # os.walk does not follow links to folders
        inside = PurePosixPath(Path(here).relative_to(folder).as_posix())
        links += [str(inside / name) for name in folders + names if (Path(here) / name).is_symlink()]
        if "pyvenv.cfg" in names or len(inside.parts) >= _DEEPEST:
            folders.clear()
            continue
        folders[:] = sorted(name for name in folders if not name.startswith(".") and name not in SKIPPED_FOLDERS)
        for name in sorted(names):
            if (Path(here) / name).is_symlink() or name.startswith("."):
                continue
            if is_wanted(inside / name):
                _read_entry(Path(here) / name, inside / name, taken)
            else:
                taken.other.append(name)
    if links:
        taken.notes.append(
            f"not followed, because a link may lead out of the submission: {listed(sorted(links))}. "
            "Hand in the file itself if your class needs it."
        )


def _read_entry(path: Path, inside: PurePosixPath, taken: Taken) -> None:
    """Read one file of a folder; what cannot be opened is noted, since another file may hold all that is needed."""
    try:
        with _open_regular(path, printable(str(inside)), follow=False) as opened:
            _take(opened, inside, inside.with_suffix(""), taken)
    except OSError as error:
        taken.notes.append(f"{printable(str(inside))} cannot be read: {error.strerror}")
    except SubmissionError as fault:
        # A pipe or a device beside a good notebook costs nothing; a file over the caps costs as it does anywhere.
        if stat.S_ISREG(path.lstat().st_mode):
            raise
        taken.notes.append(fault.problem.message)


def _open_regular(path: Path, shown: str, *, follow: bool) -> BinaryIO:
    """Open a regular file, without following a link there and without waiting for a pipe's other end."""
    flags = os.O_RDONLY | getattr(os, "O_BINARY", 0) | getattr(os, "O_NONBLOCK", 0)
    if not follow:
        flags |= getattr(os, "O_NOFOLLOW", 0)
    opened = os.fdopen(os.open(path, flags), "rb")
    if not stat.S_ISREG(os.fstat(opened.fileno()).st_mode):
        opened.close()
        raise failed(f"{shown} is no regular file, but a pipe or a device. Hand in the file itself.")
    return opened


def _digest(files: tuple[File, ...]) -> str:
    whole = hashlib.sha256()
    for file in files:
        name = str(file.path).encode(errors="surrogatepass")
        # Lengths in front, so that no two hand-ins run into the same bytes.
        whole.update(len(name).to_bytes(8) + name + len(file.data).to_bytes(8) + file.data)
    return whole.hexdigest()
