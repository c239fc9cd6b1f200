"""Read the notebooks and .py files of a path: a file, a folder or a zip. Nothing is unpacked to disk."""

from __future__ import annotations

import hashlib
import os
import stat
from collections import defaultdict
from pathlib import Path, PurePosixPath
from typing import BinaryIO

from grader.model import Problem
from grader.records import dataclass, field
from grader.submission.companions import decode_request, find_companions, find_request, is_request
from grader.submission.drop_outputs import MOST_READ
from grader.submission.errors import SubmissionError, failed, nothing_to_grade
from grader.submission.name_submissions import (
    ENDINGS,
    LARGEST_TEXT,
    SKIPPED_FOLDERS,
    drop_added,
    is_wanted,
    may_be_program,
    printable,
)
from grader.submission.text_notebooks import holds_program
from grader.submission.zip_members import (
    AGAIN,
    DAMAGE,
    MEMBER_BYTES,
    NO_DATA,
    open_zip,
    read_member,
    read_program,
    refuse_member,
)
from grader.text.phrases import join_some

# What is read of one submission at most; counted while reading, never by what a header claims.
MEMBERS = 300  # a course's whole folder has some 30
LOOKED_AT = 5_000  # entries of a folder and its zips; what is neither notebook nor Python counts too
TOTAL_BYTES = 16 * 2**20
# A student's own folders are some five deep; a path of thousands of levels would only exhaust os.walk.
_DEEPEST = 30
_LONGEST_SHOWN = 80  # characters of a name in a message


@dataclass(frozen=True)
class File:
    """One notebook or .py file that was handed in."""

    path: PurePosixPath  # inside the submission
    data: bytes


@dataclass(frozen=True)
class HandIn:
    """All files that were read of one submission."""

    files: tuple[File, ...]  # sorted by path
    notes: tuple[str, ...]
    digest: str  # SHA-256 of the paths in it and the bytes, in hexadecimal; "" where nothing could be read
    problem: Problem | None = None  # why it could not be read
    request: str = ""  # what the student asks of a person, plain


def read(path: Path) -> HandIn:
    """Return what was handed in, to be parsed elsewhere; if anything is wrong with it, `problem` says so."""
    shown, found = printable(path.name), _Contents()
    try:
        return _read(path, shown, found)
    except SubmissionError as error:
        problem = error.problem
    except (OSError, ValueError) as error:  # ValueError: a path with a null character in it
        reason = getattr(error, "strerror", None) or str(error)
        problem = failed(f"{shown} cannot be read: {reason}. Hand in a file that can be opened.").problem
    return HandIn((), (), "", problem, found.request)


def _read(path: Path, shown: str, found: _Contents) -> HandIn:
    """Return what was handed in; raise SubmissionError where it holds no notebook and no Python."""
    if path.is_dir():
        found.add_folder(path)
    elif not path.exists():
        raise nothing_to_grade(f"There is no file or folder at {printable(str(path))}.")
    elif (name := drop_added(path.name)).lower().endswith(ENDINGS) or may_be_program(name):
        found.add_entry(path, PurePosixPath(name), PurePosixPath(), follow=True)
        for plain, part in find_companions(path, found.files.get(PurePosixPath(name), b"")).items():
            found.add_entry(part, PurePosixPath(plain), PurePosixPath(), follow=False)
            found.notes.append(f"{printable(part.name)} was handed in beside it and is read as {printable(plain)}.")
        for beside in find_request(path):
            found.add_entry(beside, PurePosixPath("regrade_request.txt"), PurePosixPath(), follow=False)
    if not found.files and not path.is_dir() and not path.name.lower().endswith(".zip"):
        raise nothing_to_grade(
            f"{shown} is not a notebook (.ipynb), a Python file (.py) or a zip of these. Hand in one of them."
        )
    if not found.files:
        kind = "folder" if path.is_dir() else "zip"
        holds = [f"it holds {join_some(sorted(found.other), 5, _LONGEST_SHOWN)}"] if found.other else []
        holds += [note.rstrip(".") for note in found.notes]
        asked = "no notebook (.ipynb) and no .py file" + (" that can be read" if found.notes else "")
        holds_in_all = "; ".join(holds) or "it is empty"
        raise nothing_to_grade(f"The {kind} {shown} holds {asked}: {holds_in_all}. Hand in the notebook.")
    files = tuple(File(name, data) for name, data in sorted(found.files.items()))
    return HandIn(files, tuple(found.notes), _digest(files), request=found.request)


@dataclass
class _Contents:
    """What has been read so far of one submission."""

    files: dict[PurePosixPath, bytes] = field(default_factory=dict)  # of two with one name the last, as on extraction
    notes: list[str] = field(default_factory=list)
    other: list[str] = field(default_factory=list)  # names of what is neither notebook nor Python
    count: int = 0
    size: int = 0
    looked_at: int = 0
    texts_left: int = TOTAL_BYTES  # that are read to find out whether they are programs
    bytes_left: int = MOST_READ  # of notebooks with their outputs
    request: str = ""

    def add_folder(self, folder: Path) -> None:
        links = []
        for here, folders, names in os.walk(folder):  # os.walk does not follow links to folders
            inside = PurePosixPath(Path(here).relative_to(folder).as_posix())
            links += [str(inside / name) for name in folders + names if (Path(here) / name).is_symlink()]
            if "pyvenv.cfg" in names or len(inside.parts) >= _DEEPEST:
                folders.clear()
                continue
            folders[:] = sorted(name for name in folders if not name.startswith(".") and name not in SKIPPED_FOLDERS)
            self._look_at(len(names) + len(folders))
            for name in sorted(names):
                path = Path(here) / name
                if path.is_symlink() or name.startswith("."):
                    continue
                if is_wanted(inside / name):
                    self._add_if_readable(path, inside / drop_added(name))
                else:
                    self.other.append(name)
        if links:
            self.notes.append(
                f"links are not followed, because they may lead out of the submission: {join_some(sorted(links), 5, _LONGEST_SHOWN)}. "
                "Hand in the file itself if your class needs it."
            )

    def add_entry(self, path: Path, inside: PurePosixPath, folder_of_zip: PurePosixPath, *, follow: bool) -> None:
        """Read one file; what a zip holds goes under `folder_of_zip`."""
        shown = printable(str(inside))
        with _open_regular(path, shown, follow=follow) as opened:
            if inside.suffix.lower() == ".zip":
                self._add_zip(opened, shown, folder_of_zip)
            else:
                limit = self.texts_left if may_be_program(inside.name) else MEMBER_BYTES
                self._add(inside, self._count(read_program(opened, inside, limit, shown, self.bytes_left)), shown)

    def _add_if_readable(self, path: Path, inside: PurePosixPath) -> None:
        """Read one file of a folder, or note why it cannot be opened: another file may hold all that is needed."""
        try:
            self.add_entry(path, inside, inside.with_suffix(""), follow=False)
        except OSError as error:
            self.notes.append(f"{printable(str(inside))} cannot be read: {error.strerror}")
        except SubmissionError as fault:
            # A pipe or a device beside a good notebook costs nothing; a file over the caps costs as it does anywhere.
            if stat.S_ISREG(path.lstat().st_mode):
                raise
            self.notes.append(fault.problem.message)

    def _add(self, path: PurePosixPath, data: bytes, shown: str) -> None:
        """Keep one file that is a program; raise SubmissionError where it or the submission is too large."""
        if is_request(path.name):
            self.request = self.request or decode_request(data)
            return
        if may_be_program(path.name):
            self.texts_left = max(0, self.texts_left - len(data))
            if len(data) > LARGEST_TEXT or not holds_program(path.name, data):
                self.other.append(path.name)
                return
        self.files[path] = data
        self.count += 1
        self.size += len(data)
        mend = f"{NO_DATA} and without outputs of that size."
        if len(data) > MEMBER_BYTES:
            raise failed(f"{shown} is larger than {MEMBER_BYTES >> 20} MiB. {mend}")
        if self.size > TOTAL_BYTES:
            raise failed(f"The submission holds more than {TOTAL_BYTES >> 20} MiB of notebooks and Python. {mend}")
        if self.count > MEMBERS:
            raise failed(f"The submission holds more than {MEMBERS:,} notebooks and .py files. {mend}")

    def _count(self, read: tuple[bytes, int]) -> bytes:
        """Return the data that were kept, of so many that were read."""
        data, count = read
        self.bytes_left = max(0, self.bytes_left - count)
        return data

    def _look_at(self, entries: int) -> None:
        self.looked_at += entries
        if self.looked_at > LOOKED_AT:
            raise failed(f"The submission holds more than {LOOKED_AT:,} files and folders. {NO_DATA}.")

    def _add_zip(self, opened: BinaryIO, shown: str, folder: PurePosixPath) -> None:
        """Add a zip's notebooks and .py files as if they were in this folder; refuse a damaged, locked or too large zip."""
        refused: defaultdict[tuple[str, str], list[str]] = defaultdict(list)
        try:
            with open_zip(opened, shown) as archive:
                self._look_at(len(archive.infolist()))
                for info in archive.infolist():
                    name = info.filename.replace("\\", "/")  # as some Windows tools write it
                    path = PurePosixPath(name)
                    if name.endswith("/") or not path.parts:
                        continue
                    if why := refuse_member(info, name, path):
                        refused[why].append(name)
                    elif is_wanted(path):
                        member = printable(path.name[:80])
                        data = self._count(read_member(archive, info, member, self.bytes_left))
                        self._add(folder / path.with_name(drop_added(path.name)), data, member)
                    elif not any(part.startswith(".") or part == "__MACOSX" for part in path.parts):
                        self.other.append(path.name)
        except DAMAGE as error:
            raise failed(f"{shown} is damaged: {printable(str(error)[:200])}. {AGAIN}") from error
        self.notes += [
            f"not read from {shown}, because {why}: {join_some(names, 5, _LONGEST_SHOWN)}. {mend}"
            for (why, mend), names in refused.items()
        ]


def _open_regular(path: Path, shown: str, *, follow: bool) -> BinaryIO:
    """Return an open regular file, without following a link and without waiting for a pipe's other end."""
    flags = os.O_RDONLY | getattr(os, "O_BINARY", 0) | getattr(os, "O_NONBLOCK", 0)
    if not follow:
        flags |= getattr(os, "O_NOFOLLOW", 0)
    opened = os.fdopen(os.open(path, flags), "rb")
    if not stat.S_ISREG(os.fstat(opened.fileno()).st_mode):
        opened.close()
        raise failed(f"{shown} is not a regular file but a pipe or a device. Hand in the file itself.")
    return opened


def _digest(files: tuple[File, ...]) -> str:
    whole = hashlib.sha256()
    for file in files:
        name = str(file.path).encode(errors="surrogatepass")
        # Lengths in front, so that no two hand-ins run into the same bytes.
        whole.update(len(name).to_bytes(8) + name + len(file.data).to_bytes(8) + file.data)
    return whole.hexdigest()
