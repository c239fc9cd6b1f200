"""Find the submissions of some paths: a class's folder, a platform's zip, or one person's work."""

import os
import re
import shutil
import time
import zipfile
from collections.abc import Sequence
from itertools import takewhile
from pathlib import Path, PurePosixPath

from grader.classroom.match_entries import count_people
from grader.model import Assignment
from grader.records import dataclass, field
from grader.submission import list_ignored, list_submissions, read, safe_names
from grader.submission.companions import is_request, list_companions, whose
from grader.submission.errors import SubmissionError
from grader.submission.name_submissions import is_wanted, plain_stem, without_ending
from grader.submission.zip_members import DAMAGE, open_zip, read_member, refuse_member
from grader.text.phrases import join_some
from grader.text.sanitise import one_line

HANDED_IN = "handed-in"  # the folder beside the gradebook into which a class's zip is unpacked
# Of a class's zip; a person's part of it has the limits of any submission.
ENTRIES = 50_000
DIRECTORY_BYTES = 20 << 20
TOTAL_BYTES = 8 << 30
FEW = 5  # entries of a folder that may hold nothing but one folder with the whole class in it
# What people call the folder of a class in a repository.
_CLASS = re.compile(
    r"(?:.*[-_ ])?submissions?|hand-?ins?|handed[-_ ]in|students|abgaben|rendus|entregas", re.IGNORECASE
)


@dataclass
class _Found:
    """The submissions that were found so far."""

    out: Path
    assignment: Assignment
    submissions: list[Path] = field(default_factory=list)
    ignored: list[str] = field(default_factory=list)

    def add_class(self, folder: Path) -> None:
        """Add each submission of a class's folder."""
        entries = [
            entry
            for entry in list_submissions(folder)
            if not _is_output(entry) and entry.resolve() != self.out.resolve()
        ]
        parts = list_companions(entries)
        entries = [entry for entry in entries if entry not in parts]
        # Beside others, or under a platform's name, it is one person's: the names inside are of that person's choice, and
        # could be those of others, whose hand-ins they would replace.
        whole = [one for one in entries if not count_people([one.name]) and count_people(_names_in(one)) > 1]
        whole = whole if whole == entries else []
        if not whole:
            whole = [one for one in entries if one.is_dir() and _CLASS.fullmatch(one.name) and self._people(one)][:1]
            beside = [one for one in entries if whole and one not in whole and self._definers(one)]
            if len(beside) > 1:  # a class, in which one person's folder has such a name
                whole = []
            if whole:  # a repository: what lies beside that folder is nobody's
                self.ignored += [entry.name for entry in entries if entry not in whole]
                entries = whole
        if not whole and len(entries) <= FEW:
            self._refuse_hidden_class(entries)
        owners = {whose(entry.name) for entry in entries} - {""}
        others = (entry.name for entry in list_ignored(folder))
        self.ignored += [name for name in others if not (is_request(name) and whose(name) in owners)]
        for entry in entries:
            if entry in whole:
                self.add_class(self._unwrap(entry))
            else:
                self.submissions.append(entry)

    def add_one(self, path: Path, *, alone: bool) -> None:
        """Add a file, or the class in a zip; alone : no other path is named."""
        is_class = alone and path.suffix.lower() == ".zip" and not count_people([path.name])
        if is_class and (count_people(_names_in(path)) > 1 or (_CLASS.fullmatch(path.stem) and self._people(path))):
            self.add_class(self._unwrap(path))
        else:
            if is_class:
                self._refuse_hidden_class([path])
            self.submissions.append(path)

    def _unwrap(self, path: Path) -> Path:
        """Return the folder that holds the people's entries; a zip is unpacked beside the gradebook."""
        folder = path if path.is_dir() else unpack(path, self.out / HANDED_IN / safe_names([path])[path])
        while (
            len(inside := [one for one in list_submissions(folder) if one.is_dir()])
            == 1
            == len(list_submissions(folder))
        ):
            (folder,) = inside
        return folder

    def _refuse_hidden_class(self, entries: Sequence[Path]) -> None:
        """Refuse a single folder or zip that would count as one submission and holds several people's programs."""
        holding = [entry for entry in entries if self._definers(entry)]
        if len(holding) != 1 or not (people := self._people(holding[0])):
            return
        (path,) = holding
        shown, out = one_line(str(path)), one_line(str(self.out))
        where = shown if path.is_dir() else without_ending(shown)
        first = "" if path.is_dir() else f"`unzip {shown} -d {where}` and "
        raise ValueError(
            f"{shown} holds programs of several people, it seems ({join_some(people, 5, 80)}), and would be graded as one"
            f" submission. To grade each of them, use {first}`grader grade {where} --out {out}`; where all is one"
            f" person's, use `grader grade {shown} --one --out {out}`."
        )

    def _definers(self, path: Path) -> list[PurePosixPath]:
        """Return the files in a path that define the class."""
        defines = re.compile(rf"class\s+{re.escape(self.assignment.class_name)}\b".encode())
        return [file.path for file in read(path).files if defines.search(file.data)]

    def _people(self, path: Path) -> list[str]:
        """Return the names of the programs that lie side by side in a path, if they are not one person's tries."""
        if path.is_file() and path.suffix.lower() != ".zip":
            return []
        definers = self._definers(path)
        if len(definers) < 2:
            return []
        outer = sorted(one.parts[:-1] for one in definers)
        shared = len(list(takewhile(lambda pair: pair[0] == pair[1], zip(outer[0], outer[-1], strict=False))))
        files = {plain_stem(one.name).casefold() for one in definers if len(one.parts) == shared + 1}
        folders = {one.parts[shared] for one in definers if len(one.parts) > shared + 1}
        own = plain_stem(self.assignment.notebook).casefold() in files
        alike = any(one != other and one in other for one in files for other in files)
        return [] if own or alike or len(files) + len(folders) < 2 else sorted({one.parts[shared] for one in definers})


def find_submissions(
    paths: Sequence[Path], out: Path, assignment: Assignment, *, one: bool
) -> tuple[list[Path], list[str]]:
    """Return the submissions at these paths, and the names of ignored files; a folder is a class, unless `one`.

    Raises ValueError where there is none, and where a path that would count as one holds several people's programs.
    """
    found = _Found(out, assignment)
    for path in paths:
        if not path.exists():
            raise ValueError(f"{one_line(str(path))}: there is no such file or folder.")
        if one:
            found.submissions.append(path)
        elif path.is_dir():
            found.add_class(path)
        else:
            found.add_one(path, alone=len(paths) == 1)
    if not found.submissions:
        raise ValueError(
            f"{join_some([str(path) for path in paths])}: nothing to grade here. A submission is an .ipynb, .py or .zip"
            " file, or a folder."
        )
    return list(dict.fromkeys(found.submissions)), found.ignored


def _names_in(path: Path) -> list[str]:
    """Return the names of what lies side by side in a folder or a zip, without folders around all of it."""
    if path.is_dir():
        names = [one.name for one in path.iterdir() if not one.name.startswith(".")]
        return _names_in(path / names[0]) if len(names) == 1 and (path / names[0]).is_dir() else names
    if path.suffix.lower() != ".zip":
        return []
    try:
        with path.open("rb") as opened, open_zip(opened, path.name, ENTRIES, DIRECTORY_BYTES) as archive:
            members = [PurePosixPath(name) for name in archive.namelist() if not name.startswith("__MACOSX")]
    except (SubmissionError, *DAMAGE):
        return []  # what is wrong with it is told where it is graded
    parts = [member.parts for member in members if member.parts]
    while len({one[0] for one in parts}) == 1 and any(len(one) > 1 for one in parts):
        parts = [one[1:] for one in parts if len(one) > 1]
    return sorted({one[0] for one in parts})


def unpack(path: Path, folder: Path) -> Path:
    """Write a class's zip into a folder, with its files' times, and return the folder.

    Of what is neither notebook, Python nor zip only the name is written; a file beyond the limits of a submission is
    cut there, and refused where it is read. Raises ValueError for a zip that cannot be read.
    """
    left = TOTAL_BYTES
    if folder.exists():
        shutil.rmtree(folder)  # what an earlier zip of this name held
    try:
        with path.open("rb") as opened, open_zip(opened, path.name, ENTRIES, DIRECTORY_BYTES) as archive:
            for info in archive.infolist():
                inside = PurePosixPath(info.filename.replace("\\", "/"))
                why = refuse_member(info, info.filename, inside)
                if info.is_dir() or (why and "zip within" not in why[0]):
                    continue
                data = read_member(archive, info, inside.name)[0] if is_wanted(inside) else b""
                left -= len(data)
                if left < 0:
                    raise ValueError(f"{one_line(str(path))} holds more than {TOTAL_BYTES >> 30} GiB of programs.")
                _write(folder / inside, data, info)
    except SubmissionError as error:
        raise ValueError(error.problem.message) from error
    except (zipfile.BadZipFile, EOFError, NotImplementedError) as error:
        raise ValueError(f"{one_line(str(path))} is damaged: {one_line(str(error))}. Download it again.") from error
    return folder


def _write(target: Path, data: bytes, info: zipfile.ZipInfo) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_bytes(data)
    at = time.mktime((*info.date_time, 0, 0, -1))
    os.utime(target, (at, at))


def _is_output(entry: Path) -> bool:
    """Return whether an earlier grading wrote this folder."""
    return all((entry / part).exists() for part in ("index.html", "gradebook.csv", "submissions"))
