"""A zip's notebooks and .py files, read in memory: never extracted, whatever its names say."""

from __future__ import annotations

import io
import re
import stat
import struct
import zipfile
import zlib
from collections import defaultdict
from pathlib import PurePosixPath
from typing import BinaryIO

from grader.submission.errors import failed
from grader.submission.name_submissions import is_wanted, listed, printable
from grader.submission.quota import MEMBER_BYTES, MEMBERS, Taken

_ENCRYPTED = 0x1
_AGAIN = "Make the zip again, or hand in the notebook itself."
# What zipfile raises on damaged bytes; struct.error and the ValueErrors come from fields that it does not check.
_DAMAGE = (zipfile.BadZipFile, zlib.error, EOFError, OSError, struct.error, ValueError, NotImplementedError)
# The end-of-central-directory record: see section 4.3.16 of PKWARE's APPNOTE.
_END = struct.Struct("<4s4H2LH")
_END_SIGNATURE = b"PK\x05\x06"
_ZIP64_SIGNATURE = b"PK\x06\x07"
_ZIP64_LOCATOR = 20
_LONGEST_END = 65_535 + _END.size + _ZIP64_LOCATOR  # with the longest comment
# 2,000 members with names of some 200 characters need half of this.
_DIRECTORY_BYTES = 2**20
_LONGEST_NAME = 500  # characters; a zip's may have 65,535, and Windows stops at 260
# Why a member is not read, and how to mend it.
_MENDS = {
    "the name leads out of the zip": "Zip the folder itself, so that every name stays inside it.",
    f"the name is longer than {_LONGEST_NAME} characters": "Give it a shorter name.",
    "it is a link": "Put the file itself into the zip.",
    "it is a zip within a zip": "Put its files into the one zip.",
}
_LEADS_OUT, _TOO_LONG, _IS_LINK, _IS_ZIP = _MENDS


def unpack(opened: BinaryIO, shown: str, taken: Taken, folder: PurePosixPath) -> None:
    """Take a zip's notebooks and .py files, as if they lay in this folder; refuse it damaged, locked or too large."""
    _check_directory(opened, shown)
    refused: defaultdict[str, list[str]] = defaultdict(list)
    try:
        with zipfile.ZipFile(opened) as archive:
            for info in archive.infolist():
                name = info.filename.replace("\\", "/")  # as some Windows tools write it
                path = PurePosixPath(name)
                if name.endswith("/") or not path.parts:
                    continue
                if why := _refusal(info, name, path):
                    refused[why].append(name)
                elif is_wanted(path):
                    member = printable(path.name[:80])
                    taken.take(folder / path, _content(archive, info, member), member)
                elif not any(part.startswith(".") or part == "__MACOSX" for part in path.parts):
                    taken.other.append(path.name)
    except _DAMAGE as error:
        raise failed(f"{shown} is damaged: {printable(str(error)[:200])}. {_AGAIN}") from error
    taken.notes += [
        f"not read from {shown}, because {why}: {listed(names)}. {_MENDS[why]}" for why, names in refused.items()
    ]


def _refusal(info: zipfile.ZipInfo, name: str, path: PurePosixPath) -> str:
    if path.is_absolute() or ".." in path.parts or re.match(r"[A-Za-z]:", name):
        return _LEADS_OUT
    if len(name) > _LONGEST_NAME:
        return _TOO_LONG
    if stat.S_ISLNK(info.external_attr >> 16):
        return _IS_LINK
    return _IS_ZIP if is_wanted(path) and path.suffix.lower() == ".zip" else ""


def _content(archive: zipfile.ZipFile, info: zipfile.ZipInfo, shown: str) -> bytes:
    if info.flag_bits & _ENCRYPTED:
        raise failed(f"{shown} is locked with a password. Make the zip again without one.")
    # LZMA's dictionary may ask for 4 GiB before the first byte is out, so only what every tool writes is read.
    if info.compress_type not in {zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED}:
        raise failed(f"{shown} is compressed in an uncommon way (method {info.compress_type}). {_AGAIN}")
    with archive.open(info) as member:
        return member.read(MEMBER_BYTES + 1)


def _check_directory(opened: BinaryIO, shown: str) -> None:
    """Look at the size of the list of members before zipfile reads it whole: a million members cost a gigabyte."""
    length = opened.seek(0, io.SEEK_END)
    opened.seek(max(0, length - _LONGEST_END))
    tail = opened.read(_LONGEST_END)
    at = tail.rfind(_END_SIGNATURE)
    if at < 0 or len(tail) - at < _END.size:
        what = "it is empty" if not length else "it is no zip at all, or its end is missing"
        raise failed(f"{shown} cannot be opened: {what}. {_AGAIN}")
    _, _, _, _, entries, size, _, _ = _END.unpack_from(tail, at)
    mend = "Hand in the notebook and your .py files only, without data."
    # zipfile believes a zip64 record over this one, and nobody needs one for 2,000 files.
    if tail[max(0, at - _ZIP64_LOCATOR) : at].startswith(_ZIP64_SIGNATURE):
        raise failed(f"{shown} is a zip64, which is for more than 65,535 files or 4 GiB. {mend}")
    if entries > MEMBERS:
        raise failed(f"{shown} holds more than {MEMBERS:,} files. {mend}")
    if size > _DIRECTORY_BYTES:
        raise failed(
            f"{shown} has a list of its files that is {size >> 10:,} KiB long, and at most {_DIRECTORY_BYTES >> 10:,} "
            f"are read. {mend}"
        )
