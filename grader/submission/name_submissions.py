"""Which entries of a class folder are submissions, and their names."""

import re
import unicodedata
from collections.abc import Iterable
from contextlib import suppress
from itertools import compress
from operator import not_
from pathlib import Path, PurePosixPath

from grader.submission.text_notebooks import MAYBE, holds_program

LARGEST_TEXT = 4 * 2**20  # of a file that may be a program
ENDINGS = (".ipynb", ".py", ".zip")
SKIPPED_FOLDERS = {"__MACOSX", "__pycache__", "node_modules", "site-packages", "dist-packages", "venv", "virtualenv"}

# 120 bytes leave room for "-12", ".html" and a temporary ending within the 255 bytes that file systems give a name.
_LONGEST = 120
_ADDED = re.compile(r"(\.(?:ipynb|py))\.(?:json|txt)$", re.IGNORECASE)
_FORBIDDEN = re.compile(r'[<>:"/\\|?*]')
_COMMAND = re.compile(r"#(?=#\w*\[)")  # `##[error]`, `##vso[...]`: a CI's runner obeys these wherever it reads them
# Windows takes these for devices, whatever ending follows.
_RESERVED = re.compile(r"(?:con|prn|aux|nul|conin\$|conout\$|com[0-9¹²³]|lpt[0-9¹²³])(?=$|[ .])", re.IGNORECASE)
# Canvas: doe_12345_98765_two_layer_net-1.ipynb, doejane_LATE_12345_98765_...; browsers: "(1)"; Jupyter: "-Copy1".
# It begins at the beginning of a word only: from each letter of a name of 60,000 it would take minutes.
_CANVAS_PREFIX = re.compile(r"(?:^|(?<=_))[^_]*+(?:_LATE)?_\d++_\d++_")
_TEXT = "_assignsubmission_onlinetext_"  # Moodle's folder for what a student typed into its page
_COPY_SUFFIX = re.compile(r"(?:[-_ ]?\(\d{1,3}\)|[-_ ]\d{1,3}|[-_ ]copy\d*+)$", re.IGNORECASE)


def list_submissions(folder: Path) -> list[Path]:
    """List the submissions of a class folder, sorted by name.

    Each notebook, .py file, zip and subfolder is one. Hidden entries, ``__MACOSX`` and symbolic links are none:
    a link could lead to another student's work. What Moodle keeps of a student's text beside their files is none either.
    """
    return _split(folder)[0]


def list_ignored(folder: Path) -> list[Path]:
    """List other files that a person put into a class folder, such as ``roster.csv``, to report them.

    What file managers leave behind (``._alice.ipynb``, ``.DS_Store``, ``__MACOSX``, ``.ipynb_checkpoints``) is not
    worth a word; ``.alice.ipynb`` may be somebody's work.
    """
    return _split(folder)[1] + [
        entry
        for entry in sorted(folder.iterdir())
        if entry.name.startswith(".") and not entry.name.startswith("._") and entry.name.lower().endswith(ENDINGS)
    ]


def is_wanted(path: PurePosixPath) -> bool:
    """Return whether a path inside a submission is one to read or open, and not what tools leave behind."""
    hidden = any(part.startswith(".") or part in SKIPPED_FOLDERS for part in path.parts)
    return not hidden and (drop_added(path.name).lower().endswith(ENDINGS) or may_be_program(path.name))


def may_be_program(name: str) -> bool:
    """Return whether only its content tells whether a file is a program, as with .txt and .md."""
    return name.lower().endswith(MAYBE) and drop_added(name) == name


def drop_added(name: str) -> str:
    """Return a file's name without the second ending that browsers and mail programs add, as in `net.ipynb.json`."""
    return _ADDED.sub(r"\1", name)


def safe_names(paths: Iterable[Path], taken: Iterable[str] = ()) -> dict[Path, str]:
    """Return a unique name for each path that is valid on any file system and not yet taken.

    The name is the entry's own, without its ending, in Unicode's NFC. Names that differ in upper and lower case
    only would meet on macOS and Windows, so the second gets ``-2``, the third ``-3``.
    """
    names: dict[Path, str] = {}
    taken = {name.casefold() for name in taken}
    next_number: dict[str, int] = {}
    for path in paths:
        base = _clean(path.name)
        name, folded = base, base.casefold()
        while name.casefold() in taken:
            number = next_number.get(folded, 2)
            next_number[folded] = number + 1
            name = f"{base}-{number}"
        taken.add(name.casefold())
        names[path] = name
    return names


def without_ending(name: str) -> str:
    """Drop .ipynb, .py or .zip, in whatever case, from a file's name."""
    name = drop_added(name)
    for ending in (*ENDINGS, *MAYBE):
        if name.lower().endswith(ending) and len(name) > len(ending):
            return name[: -len(ending)]
    return name


def plain_stem(name: str) -> str:
    """Return a file's name without its ending and without what Canvas and browsers add."""
    stem = _CANVAS_PREFIX.sub("", without_ending(name), count=1)
    for _ in range(3):  # "two_layer_net-Copy1-1 (2)"
        stem = _COPY_SUFFIX.sub("", stem) or stem
    return stem


def printable(text: str) -> str:
    """Return a text without characters that break a terminal, a page or a file name."""
    if text.isprintable():
        return text
    return "".join(char if char.isprintable() else "\N{REPLACEMENT CHARACTER}" for char in text)


def _clean(name: str) -> str:
    """Return a name that is valid on any file system; the caller makes it unique."""
    name = unicodedata.normalize("NFC", without_ending(name))
    # "C" holds control, format (bidirectional overrides would turn a listing round), surrogates and unassigned;
    # "Zl" and "Zp" are line and paragraph separators.
    name = "".join("_" if unicodedata.category(char)[0] == "C" or char in "\u2028\u2029" else char for char in name)
    name = _COMMAND.sub("_", _FORBIDDEN.sub("_", name))
    name = name.encode()[:_LONGEST].decode(errors="ignore")
    # A leading dot hides a file, a leading dash reads as an option; Windows drops trailing dots and spaces.
    name = name.lstrip(".- ").rstrip(". ")
    if _RESERVED.match(name):
        name = f"_{name}"
    return name or "submission"


def _split(folder: Path) -> tuple[list[Path], list[Path]]:
    """Return the submissions of a class folder, and what else lies there."""
    entries = sorted(one for one in folder.iterdir() if not one.name.startswith(".") and one.name != "__MACOSX")
    names = {entry.name for entry in entries}
    taken = [_is_submission(one) and _beside_text(one.name) not in names for one in entries]
    return list(compress(entries, taken)), list(compress(entries, map(not_, taken)))


def _beside_text(name: str) -> str:
    """Return the name of the folder of files that Moodle writes beside a folder of text; "" for other names."""
    return name.replace(_TEXT, "_assignsubmission_file_") if name.endswith(_TEXT) else ""


def _is_submission(entry: Path) -> bool:
    if entry.is_symlink():
        return False
    if entry.is_dir() or not entry.is_file():
        return entry.is_dir()
    if may_be_program(entry.name):
        with suppress(OSError), entry.open("rb") as opened:
            return holds_program(entry.name, opened.read(LARGEST_TEXT))
        return False
    return drop_added(entry.name).lower().endswith(ENDINGS)
