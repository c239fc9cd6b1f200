"""Read a zip's members, within limits: nothing that its header claims is believed, and nothing is unpacked to disk."""

import io
import re
import stat
import struct
import zipfile
import zlib
from pathlib import PurePosixPath
from typing import IO, BinaryIO

from grader.submission.drop_outputs import MOST_READ, read_without_outputs
from grader.submission.errors import failed
from grader.submission.name_submissions import drop_added, is_wanted

ENTRIES = 2000  # of one zip
MEMBER_BYTES = 12 * 2**20  # a notebook with all its plots has 0.5 MiB
_ENCRYPTED = 0x1
AGAIN = "Make the zip again, or hand in the notebook itself."
NO_DATA = "Hand in the notebook and your .py files only, without data"
# What zipfile raises on damaged bytes; struct.error and the ValueErrors come from fields that it does not check.
DAMAGE = (zipfile.BadZipFile, zlib.error, EOFError, OSError, struct.error, ValueError, NotImplementedError)
# The end-of-central-directory record: see section 4.3.16 of PKWARE's APPNOTE.
_END = struct.Struct("<4s4H2LH")
_END_SIGNATURE = b"PK\x05\x06"
_ZIP64_SIGNATURE = b"PK\x06\x07"
_ZIP64_LOCATOR = 20
_LONGEST_END = 65_535 + _END.size + _ZIP64_LOCATOR  # with the longest comment
# 2,000 members with names of some 200 characters need half of this.
_DIRECTORY_BYTES = 2**20
_LONGEST_NAME = 500  # characters; a zip's may have 65,535, and Windows stops at 260


def read_program(opened: IO[bytes], path: PurePosixPath, limit: int, shown: str, most: int) -> tuple[bytes, int]:
    """Return a file's bytes, a little more than the limit at most, and how many were read: outputs are dropped."""
    if path.suffix.lower() == ".ipynb":
        return read_without_outputs(opened, limit, shown, most)
    data = opened.read(limit + 1)
    return data, len(data)


def refuse_member(info: zipfile.ZipInfo, name: str, path: PurePosixPath) -> tuple[str, str] | None:
    """Return why a zip's member is not read, and how to mend it."""
    if path.is_absolute() or ".." in path.parts or re.match(r"[A-Za-z]:", name):
        return "the name leads out of the zip", "Zip the folder itself, so that every name stays inside it."
    if len(name) > _LONGEST_NAME:
        return f"the name is longer than {_LONGEST_NAME} characters", "Give it a shorter name."
    if stat.S_ISLNK(info.external_attr >> 16):
        return "it is a link", "Put the file itself into the zip."
    if is_wanted(path) and path.suffix.lower() == ".zip":
        return "it is a zip within a zip", "Put its files into the one zip."
    return None


def read_member(
    archive: zipfile.ZipFile, info: zipfile.ZipInfo, shown: str, most: int = MOST_READ
) -> tuple[bytes, int]:
    """Return the bytes of a zip's member as `read_program` does; refuse what only uncommon tools write."""
    if info.flag_bits & _ENCRYPTED:
        raise failed(f"{shown} is locked with a password. Make the zip again without one.")
    # LZMA's dictionary may ask for 4 GiB before the first byte is out, so only what every tool writes is read.
    if info.compress_type not in {zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED}:
        raise failed(f"{shown} is compressed in an uncommon way (method {info.compress_type}). {AGAIN}")
    with archive.open(info) as member:
        return read_program(member, PurePosixPath(drop_added(info.filename)), MEMBER_BYTES, shown, most)


def open_zip(opened: BinaryIO, shown: str, most: int = ENTRIES, longest: int = _DIRECTORY_BYTES) -> zipfile.ZipFile:
    """Return an archive; refuse a huge list of members before zipfile reads it: a million members cost a gigabyte."""
    length = opened.seek(0, io.SEEK_END)
    opened.seek(max(0, length - _LONGEST_END))
    tail = opened.read(_LONGEST_END)
    at = tail.rfind(_END_SIGNATURE)
    if at < 0 or len(tail) - at < _END.size:
        what = "it is empty" if not length else "it is not a zip, or its end is missing"
        raise failed(f"{shown} cannot be opened: {what}. {AGAIN}")
    _, _, _, _, entries, size, _, _ = _END.unpack_from(tail, at)
    # zipfile believes a zip64 record over this one, and nobody needs one for 2,000 files.
    if tail[max(0, at - _ZIP64_LOCATOR) : at].startswith(_ZIP64_SIGNATURE):
        raise failed(f"{shown} is a zip64, a format for more than 65,535 files or 4 GiB. {NO_DATA}.")
    if entries > most:
        raise failed(f"{shown} holds more than {most:,} files. {NO_DATA}.")
    if size > longest:
        raise failed(
            f"{shown} has a list of files that is {size >> 10:,} KiB long, and the grader reads at most"
            f" {longest >> 10:,}. {NO_DATA}."
        )
    return zipfile.ZipFile(opened)
