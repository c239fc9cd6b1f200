"""Paths of the grader's machine, taken out of what a report tells: students need not know where Python lies there."""

import os
import re
import sys
import sysconfig
import tempfile
from functools import cache
from pathlib import Path

# Folders that every machine has: they tell nothing, and students name them as well.
_COMMON = {"/", "/usr", "/usr/local", "/tmp", "/var/tmp"}  # noqa: S108 -- nothing is written there
# Where Python lay on another machine, whose replies are judged here; looked for where a word begins, so once a word.
_ELSEWHERE = re.compile(r"(?<![^\s'\"(\[=,:])/[^\s'\"<>]*?(?=/lib(?:64)?/python3\.\d|/(?:site|dist)-packages)")


def name_paths(text: str) -> str:
    """Return the text with "<python>", "<grader>", "<home>" and "<temp>" in place of this machine's folders."""
    if "/" not in text and "\\" not in text:
        return text
    names = _names()
    text = _pattern().sub(lambda found: names[found[0].replace("\\\\", "\\")], text)
    return _ELSEWHERE.sub("<python>", text) if "/python3." in text or "-packages" in text else text


@cache
def _names() -> dict[str, str]:
    """Return the name of each folder, under its path as it is set and as it is once links are followed."""
    paths = sysconfig.get_paths()
    libraries = [paths["purelib"], paths["platlib"], *(one for one in sys.path if one.endswith("-packages"))]
    prefixes = [sys.prefix, sys.exec_prefix, sys.base_prefix, sys.base_exec_prefix]
    named = {
        "<python>/site-packages": libraries,
        f"<python>/lib/{Path(paths['stdlib']).name}": [paths["stdlib"], paths["platstdlib"]],
        "<python>": [*prefixes, str(Path(os.path.realpath(sys.executable)).parent.parent)],
        "<grader>": [str(Path(__file__).parents[2])],
        "<temp>": [tempfile.gettempdir()],
        "<home>": [os.path.expanduser("~"), *_home_of_user()],  # noqa: PTH111 -- Path.home() raises where there is none
    }
    found: dict[str, str] = {}
    for name, folders in named.items():
        for folder in folders:
            for form in (folder, os.path.realpath(folder)):
                if form not in _COMMON and Path(form).is_absolute():
                    found.setdefault(form, name)
    return found


def _home_of_user() -> list[str]:
    """Return the home that the system knows, which HOME need not name; [] on systems without a list of users."""
    try:
        from pwd import getpwuid  # noqa: PLC0415 -- Unix has it alone

        return [getpwuid(os.getuid()).pw_dir]
    except (ImportError, KeyError):
        return []


@cache
def _pattern() -> re.Pattern[str]:
    # The longest first; a backslash stands twice in what `repr` writes.
    forms = {form for path in _names() for form in (path, path.replace("\\", "\\\\"))}
    return re.compile(f"(?:{'|'.join(map(re.escape, sorted(forms, key=len, reverse=True)))})(?![\\w-])")
