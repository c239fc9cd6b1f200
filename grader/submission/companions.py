"""A person's further files: helpers beside the notebook in Canvas's download, under names that Canvas made, and regrade requests."""

import codecs
import re
import sys
from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path

from grader.submission.name_submissions import drop_added, plain_stem
from grader.text.sanitise import MESSAGE, plain_text

# doejane_LATE_101_5552_helper-1.py: whose it is, the file's own number, and the student's name for it.
_CANVAS = re.compile(r"(?P<whose>[^_]*(?:_LATE)?_\d+_)(?P<number>\d+)_.+", re.DOTALL)
_IMPORTED = re.compile(rb"\b(?:import|from)\s+([\w., ]{1,500})")
# Bytes in which imports are looked for, of a file and of all that it imports together: a helper has some thousand.
_MOST = 300_000
_FILES = 20  # of one person; further ones are not looked into
# What nearly every notebook imports is no hand-in: a folder of a thousand need not be listed for it.
_INSTALLED = {*sys.stdlib_module_names, "numpy", "matplotlib", "scipy", "pandas", "sklearn", "torch", "tqdm", "IPython"}
# A student's request to look at the grade again: a small text file in the hand-in, `regrade_request.txt`.
_NAMED = re.compile(r"regrade[-_ ]?request(\.txt)?", re.IGNORECASE)
_BYTES = 4 * MESSAGE  # no character takes more in UTF-8


def find_companions(path: Path, data: bytes) -> dict[str, Path]:
    """Return the .py files of the same person that a file imports, directly or not, by the names that it knows them by.

    Of two with one name the later is taken. It is {} for a file that is not from Canvas's download.
    """
    own = _CANVAS.fullmatch(path.name)
    wanted = _imported(data[:_MOST]) if own else set()
    if own is None or not wanted:
        return {}
    beside: dict[str, tuple[int, Path]] = {}
    for one in path.parent.iterdir():
        other = _CANVAS.fullmatch(one.name)
        same = other and other["whose"] == own["whose"] and one != path and drop_added(one.name).lower().endswith(".py")
        if other and same and one.is_file() and not one.is_symlink():
            beside[plain_stem(one.name)] = max((int(other["number"]), one), beside.get(plain_stem(one.name), (0, one)))
    found: dict[str, Path] = {}
    wanted, left = wanted & beside.keys(), _MOST
    while missing := [name for name in wanted if f"{name}.py" not in found]:
        for name in missing:
            found[f"{name}.py"] = beside[name][1]
            with beside[name][1].open("rb") as opened:
                text = opened.read(left)
            left -= len(text)
            wanted |= _imported(text) & beside.keys()
    return found


def find_request(path: Path) -> list[Path]:
    """Return the regrade requests of the same person beside a file of Canvas's download, the latest first."""
    beside = path.parent.glob(f"{person}*.txt") if (person := whose(path.name)) else ()
    return sorted((one for one in beside if is_request(one.name) and not one.is_symlink()), reverse=True)


def whose(name: str) -> str:
    """Return the part of a name by which Canvas's download tells a person; "" of other names."""
    own = _CANVAS.fullmatch(name)
    return own["whose"] if own else ""


def list_companions(paths: Iterable[Path]) -> set[Path]:
    """Return those of a class's files that are read with another file of the same person, and are no hand-ins of their own."""
    people = defaultdict[str, list[Path]](list)
    for path in paths:
        if own := _CANVAS.fullmatch(path.name):
            people[own["whose"]].append(path)
    found: set[Path] = set()
    for files in people.values():
        in_order = sorted(files, key=lambda one: one.suffix.lower() == ".py")
        for path in in_order[:_FILES] if len(files) > 1 else ():
            if path.is_file() and path not in found:
                with path.open("rb") as opened:
                    found |= {*find_companions(path, opened.read(_MOST)).values()}
    return found


def _imported(data: bytes) -> set[str]:
    words = {word for found in _IMPORTED.findall(data) for word in re.findall(r"\w+", found.decode(errors="replace"))}
    return words - _INSTALLED


def is_request(name: str) -> bool:
    """Return whether a file's name is a request's, with whatever Canvas and browsers add."""
    return name.lower().endswith(".txt") and _NAMED.fullmatch(plain_stem(name)) is not None


def decode_request(data: bytes) -> str:
    """Return what is asked, plain and at most `MESSAGE` characters; "" of an empty file, as a course may hand out."""
    is_wide = data.startswith((b"\xff\xfe", b"\xfe\xff"))  # as Windows's editor saves what it calls Unicode
    try:
        # What the limit cuts off within a character is no fault.
        text = codecs.getincrementaldecoder("utf-16" if is_wide else "utf-8-sig")().decode(data[:_BYTES])
    except UnicodeDecodeError:
        text = data[:_BYTES].decode("cp1252", "replace")
    if "\0" in text:
        text = "(What the file holds is no text.)"
    more = "\n(The file goes on; no more of it was read.)" if len(data) > _BYTES else ""
    return plain_text(text.strip() + more) if text.strip() else ""
