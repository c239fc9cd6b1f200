"""Files in the process's own memory, for what a student's program writes: checkpoints, logs, pictures.

The lock-down refuses every change to a real file, and must; an honest program that saves its weights would stop there. So
`open` and the functions of `os` take such paths to a few bytearrays that end with the call. This guards nothing and opens
nothing: whoever goes past it meets the lock-down. What is there in reality is left to it too, a file or the folder of one.
"""

from __future__ import annotations

import builtins
import errno
import glob
import io
import os
import posixpath
import shutil
import stat
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .memory_file import FORBIDDEN, Content, MemoryFile, wrap

# Where a program seems to be; no such folder is there.
HERE = "/submission"
# Folders that are there in reality, in which programs make files of their own.
_SHARED = frozenset({"/", "/tmp", "/var/tmp"})  # noqa: S108 -- nothing is written there
_NEVER = ("/proc/", "/sys/", "/dev/")

_open, _lstat = io.open, os.lstat


_contents: dict[str, Content] = {}
_folders: set[str] = {HERE}


def forget() -> None:
    """Start with no file: what one call leaves must not change the answer to the next."""
    if _contents or len(_folders) > 1:
        _contents.clear()
        _folders.clear()
        _folders.add(HERE)


def install() -> None:
    """Put the functions of this file in the place of Python's."""
    os.environ.setdefault("HOME", HERE)  # Path.home() stops without one
    builtins.open = io.open = open_file
    os.getcwd = lambda: HERE
    os.mkdir = _in_memory_or(os.mkdir, _may_make, _make_folder)
    for place, name, work in (
        (os, "stat", _describe),
        (os, "lstat", _describe),
        (os, "remove", _remove),
        (os, "unlink", _remove),
        (os, "rmdir", _remove),
        (shutil, "rmtree", _remove),
        (os, "rename", _rename),
        (os, "replace", _rename),
        (os, "listdir", _list),
        (os, "access", lambda *_, **__: True),
        (os, "chmod", lambda *_, **__: None),
        (os, "utime", lambda *_, **__: None),
    ):
        setattr(place, name, _in_memory_or(getattr(place, name), _is_here, work))
    os.scandir = _scan_or(os.scandir)
    if globber := getattr(glob, "_StringGlobber", None):
        globber.scandir = staticmethod(os.scandir)  # Path.glob of Python 3.13 keeps the one that it found
    Path.touch = _touch  # type: ignore[method-assign, assignment]
    tempfile._get_default_tempdir = lambda: HERE  # type: ignore[attr-defined] # noqa: SLF001 -- asked for each
    for name in ("NamedTemporaryFile", "TemporaryFile"):
        setattr(tempfile, name, _open_temporary)
    tempfile.mkstemp = _refuse_descriptor
    # np.savetxt and np.loadtxt keep the one that they found when numpy was loaded.
    if openers := getattr(sys.modules.get("numpy.lib._datasource"), "_file_openers", None):
        openers._file_openers[None] = open_file  # noqa: SLF001 -- it has no other name


def _scan_or(real: Callable[..., Any]) -> Callable[..., Any]:
    def scan(path: Any = ".") -> Any:
        key = _key(path)
        return _Listing(key, os.fsdecode(path)) if key and _is_here(key) else real(path)

    return scan


def _touch(path: Path, mode: int = 0, exist_ok: bool = True) -> None:  # noqa: ARG001, FBT001, FBT002 -- as Path.touch
    open_file(path, "a" if exist_ok else "x").close()


def _open_temporary(
    mode: str = "w+b",
    buffering: int = -1,
    encoding: str | None = None,
    newline: str | None = None,
    suffix: str | None = None,
    prefix: str | None = None,
    dir: Any = None,  # noqa: A002 -- as tempfile has it
    delete: bool = True,  # noqa: ARG001, FBT001, FBT002 -- the same; what is in memory ends with the call
    **_more: Any,
) -> Any:
    name = f"{os.fsdecode(prefix or 'tmp')}{len(_contents)}_{len(_folders)}{os.fsdecode(suffix or '')}"
    return open_file(posixpath.join(os.fsdecode(dir or HERE), name), mode, buffering, encoding, None, newline)


def _refuse_descriptor(*_arguments: Any, **_options: Any) -> Any:
    raise PermissionError(
        errno.EACCES, f"{FORBIDDEN}, with tempfile.mkstemp too; NamedTemporaryFile has some in memory"
    )


def _in_memory_or(
    real: Callable[..., Any], is_ours: Callable[[str], bool], work: Callable[..., Any]
) -> Callable[..., Any]:
    """Return a function that does `work` where the path is ours, and the real one where it is not."""

    def call(path: Any = ".", *rest: Any, **named: Any) -> Any:
        key = _key(path)
        return work(key, *rest, **named) if key and is_ours(key) else real(path, *rest, **named)

    return call


# ---------------------------------------------------------------- paths


def _key(path: Any) -> str:
    """Return the absolute path; "" for a descriptor, and for what is no path."""
    if isinstance(path, int) or not isinstance(path, str | bytes | os.PathLike):
        return ""
    text = os.fsdecode(path).replace(os.sep, "/")
    return posixpath.normpath(posixpath.join(HERE, "/" + text.lstrip("/") if text.startswith("/") else text))


def _is_here(key: str) -> bool:
    return key in _contents or _is_folder(key)


def _is_folder(key: str) -> bool:
    return key in _folders or any(name.startswith(f"{key}/") for name in (*_contents, *_folders) if key not in _SHARED)


def _may_make(key: str) -> bool:
    """Return whether a file or folder of this path is made in memory: nothing real is there, nor its folder."""
    if key.startswith(_NEVER) or _is_real(key):
        return False
    return posixpath.dirname(key) in _SHARED or not _is_real(posixpath.dirname(key))


def _is_real(path: str) -> bool:
    try:
        _lstat(path)
    except (FileNotFoundError, NotADirectoryError):
        return False
    except OSError:
        pass
    return True


# ---------------------------------------------------------------- what os does


def _make_folder(key: str, *_mode: Any, **_options: Any) -> None:
    if _is_here(key):
        raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), key)
    _folders.add(key)


def _describe(key: str, **_options: Any) -> os.stat_result:
    content = _contents.get(key)
    if content is None:
        return os.stat_result((stat.S_IFDIR | 0o755, 0, 0, 1, 0, 0, 0, 0, 0, 0))
    changed = int(content.changed)
    return os.stat_result((stat.S_IFREG | 0o644, 0, 0, 1, 0, 0, len(content), changed, changed, changed))


def _remove(key: str, *_arguments: Any, **_options: Any) -> None:
    for name in [name for name in _contents if name == key or name.startswith(f"{key}/")]:
        del _contents[name]
    _folders.difference_update([name for name in _folders if f"{name}/".startswith(f"{key}/") and name != HERE])


def _rename(key: str, to: Any, **_options: Any) -> None:
    new = _key(to)
    if not _may_make(new):
        raise PermissionError(errno.EACCES, FORBIDDEN, to)
    for name in [name for name in _contents if name == key or name.startswith(f"{key}/")]:
        _contents[new + name[len(key) :]] = _contents.pop(name)
    if key in _folders:
        _folders.add(new)
        _folders.discard(key)


def _list(key: str) -> list[str]:
    start = f"{key}/"
    inside = [name[len(start) :] for name in (*_contents, *_folders) if name.startswith(start)]
    return sorted({name.partition("/")[0] for name in inside})


@dataclass(frozen=True)
class _Entry:
    """As os.DirEntry."""

    name: str
    path: str

    def is_dir(self, **_options: Any) -> bool:
        return _key(self.path) not in _contents

    def is_file(self, **_options: Any) -> bool:
        return _key(self.path) in _contents

    def is_symlink(self) -> bool:
        return False

    is_junction = is_symlink

    def stat(self, **_options: Any) -> os.stat_result:
        return _describe(_key(self.path))

    def __fspath__(self) -> str:
        return self.path


class _Listing:
    """As what os.scandir returns."""

    def __init__(self, key: str, path: str) -> None:
        self._entries = iter([_Entry(name, posixpath.join(path, name)) for name in _list(key)])

    def __iter__(self) -> Iterator[_Entry]:
        return self._entries

    def __next__(self) -> _Entry:
        return next(self._entries)

    def __enter__(self) -> _Listing:  # noqa: PYI034 -- one class, never subclassed
        return self

    def __exit__(self, *_error: object) -> None:
        """Nothing to close."""


# ---------------------------------------------------------------- what open does


def open_file(
    file: Any,
    mode: str = "r",
    buffering: int = -1,
    encoding: str | None = None,
    errors: str | None = None,
    newline: str | None = None,
    closefd: bool = True,  # noqa: FBT001, FBT002 -- the same
    opener: Any = None,
) -> Any:
    """Open a file, in memory where it is there or may be made there; see open()."""
    key = _key(file)
    letters = set(mode) if isinstance(mode, str) else set()
    writes = bool(letters & set("wax+"))
    if not key or opener or not letters <= set("rwaxbt+") or not (_is_here(key) or (writes and _may_make(key))):
        try:
            return _open(file, mode, buffering, encoding, errors, newline, closefd, opener)
        except PermissionError as error:
            if writes:
                raise PermissionError(errno.EACCES, FORBIDDEN, file) from error
            raise
    raw = MemoryFile(file, mode, _content_for(key, file, letters), _contents)
    return wrap(raw, buffering, encoding, errors, newline)


def _content_for(key: str, file: Any, letters: set[str]) -> Content:
    """Return what is in a file, made or emptied as its mode says."""
    if key not in _contents and _is_folder(key):
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), file)
    if "x" in letters and key in _contents:
        raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), file)
    if "r" in letters and key not in _contents:
        raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), file)
    content = _contents.setdefault(key, Content())
    if "w" in letters:
        del content[:]
    content.changed = time.time()
    return content
