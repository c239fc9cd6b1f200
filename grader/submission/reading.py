"""A path to the bytes of its notebooks and .py files: one file, a folder, or a zip; nothing is ever unpacked to disk."""

from __future__ import annotations

import hashlib
import os
import stat
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

from grader.submission.archive import members
from grader.submission.fault import SubmissionError, failed, nothing_to_grade
from grader.submission.naming import ENDINGS, listed, printable
from grader.submission.quota import MEMBER_BYTES, Quota

if TYPE_CHECKING:
    from typing import BinaryIO

    from grader.records import Problem

_SKIPPED_FOLDERS = {"__MACOSX", "__pycache__", "node_modules", "site-packages", "dist-packages", "venv", "virtualenv"}
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
    digest: (
        str  # SHA-256 of the paths inside the submission and the bytes, in hexadecimal; "" where nothing could be read
    )
    problem: Problem | None = None  # why it could not be read


@dataclass
class _Reader:
    """Collects the files of one submission, within one quota."""

    quota: Quota = field(default_factory=Quota)
    files: dict[PurePosixPath, bytes] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    other: list[str] = field(default_factory=list)  # names of what is neither notebook nor Python

    def take(self, opened: BinaryIO, path: PurePosixPath, folder_of_zip: PurePosixPath) -> None:
        """Read one open file; what a zip holds goes under `folder_of_zip`."""
        shown = printable(str(path))
        if path.suffix.lower() == ".zip":
            found = members(opened, shown, self.quota, wanted)
            self.files.update((folder_of_zip / inner, data) for inner, data in found.read.items())
            self.notes += found.notes(shown)
            self.other += found.other
        else:
            self.files[path] = opened.read(MEMBER_BYTES + 1)
            self.quota.take(shown, len(self.files[path]))


def receive(path: Path) -> HandIn:
    """Read what was handed in, so that it can be understood elsewhere; whatever is wrong with it is its `problem`."""
    try:
        return read(path)
    except SubmissionError as error:
        return HandIn((), (), "", error.problem)


def read(path: Path) -> HandIn:
    """Read what was handed in.

    Raises
    ------
    SubmissionError
        Nothing there is a notebook or Python, or it cannot be read; its message tells the student which.
    """
    reader = _Reader()
    shown = printable(path.name)
    try:
        if path.is_dir():
            _read_folder(path, reader)
        elif not path.exists():
            raise nothing_to_grade(f"There is no file or folder at {printable(str(path))}.")
        elif path.name.lower().endswith(ENDINGS):
            with _open_regular(path, shown, follow=True) as opened:
                reader.take(opened, PurePosixPath(path.name), PurePosixPath())
        else:
            raise nothing_to_grade(
                f"{shown} is neither a notebook (.ipynb) nor Python (.py) nor a zip of these. Hand in one of them."
            )
    except (OSError, ValueError) as error:
        # ValueError: a path with a null character in it.
        reason = getattr(error, "strerror", None) or str(error)
        raise failed(f"{shown} cannot be read: {reason}. Hand in a file that can be opened.") from error
    if not reader.files:
        raise nothing_to_grade(_nothing_found(shown, reader, is_folder=path.is_dir()))
    files = tuple(File(name, data) for name, data in sorted(reader.files.items()))
    return HandIn(files, tuple(reader.notes), _digest(files))


def wanted(path: PurePosixPath) -> bool:
    """Tell whether a path inside a submission is one to read or open, and not what tools leave behind."""
    hidden = any(part.startswith(".") or part in _SKIPPED_FOLDERS for part in path.parts)
    return not hidden and path.name.lower().endswith(ENDINGS)


def _read_folder(folder: Path, reader: _Reader) -> None:
    links = []
    for here, folders, names in os.walk(folder):  # os.walk does not follow links to folders
        inside = PurePosixPath(Path(here).relative_to(folder).as_posix())
        links += [str(inside / name) for name in folders + names if (Path(here) / name).is_symlink()]
        if "pyvenv.cfg" in names or len(inside.parts) >= _DEEPEST:
            folders.clear()
            continue
        folders[:] = sorted(name for name in folders if not name.startswith(".") and name not in _SKIPPED_FOLDERS)
        for name in sorted(names):
            path = inside / name
            if (Path(here) / name).is_symlink() or name.startswith("."):
                continue
            if wanted(path):
                _read_entry(Path(here) / name, path, reader)
            else:
                reader.other.append(name)
    if links:
        reader.notes.append(
            f"not followed, because a link may lead out of the submission: {listed(sorted(links))}. "
            "Hand in the file itself if your class needs it."
        )


def _read_entry(path: Path, inside: PurePosixPath, reader: _Reader) -> None:
    """Read one file of a folder; what cannot be opened is noted, since another file may hold all that is needed."""
    try:
        with _open_regular(path, printable(str(inside)), follow=False) as opened:
            reader.take(opened, inside, inside.with_suffix(""))
    except OSError as error:
        reader.notes.append(f"{printable(str(inside))} cannot be read: {error.strerror}")
    except SubmissionError as fault:
        # A pipe or a device beside a good notebook costs nothing; a file over the caps costs as it does anywhere.
        if stat.S_ISREG(path.lstat().st_mode):
            raise
        reader.notes.append(fault.problem.message)


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


def _nothing_found(shown: str, reader: _Reader, *, is_folder: bool) -> str:
    kind = "folder" if is_folder else "zip"
    found = [f"it holds {listed(sorted(reader.other))}"] if reader.other else []
    found += [note.rstrip(".") for note in reader.notes]
    asked = "no notebook (.ipynb) and no .py file" + (" that can be read" if reader.notes else "")
    return f"The {kind} {shown} holds {asked}: {'; '.join(found) or 'it is empty'}. Hand in the notebook."


def _digest(files: tuple[File, ...]) -> str:
    whole = hashlib.sha256()
    for file in files:
        name = str(file.path).encode(errors="surrogatepass")
        # Lengths in front, so that no two hand-ins run into the same bytes.
        whole.update(len(name).to_bytes(8) + name + len(file.data).to_bytes(8) + file.data)
    return whole.hexdigest()
