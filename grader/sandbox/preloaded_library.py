"""Python's library and numpy, held in memory for student processes that cannot read them from the disk.

A process that has become another user cannot enter a folder that only root may (pyenv under /root, say), and where Landlock is
missing no file is opened at all. What is imported late would be missing then: `from numpy import *` is enough to need some.
The zygote, which can still read everything, keeps the modules' code here, and has the C library load what is compiled to
machine code. A child inherits both: no right, no descriptor and no system call is given to it for that.
"""

import contextlib
import ctypes
import importlib.abc
import importlib.machinery
import importlib.util
import mmap
import os
import re
import struct
import sys
import types
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import NoReturn

# Installed packages are no part of the library. Tests, and programs that only lie beside it, are half of its bytes.
_LEFT_OUT = """
site-packages dist-packages test tests ensurepip idlelib lib2to3 turtledemo __pycache__
"""
LEFT_OUT = frozenset(_LEFT_OUT.split())
# Compiled ones that are there to test Python and numpy, and NIS: with the libraries that it needs, each makes a fork slower.
_NO_USE = re.compile(r"_?xx|nis\.|.*test")
_SUFFIXES = tuple(importlib.machinery.EXTENSION_SUFFIXES)
# The head of a .pyc file (PEP 552): a magic number, flags, and of the source the time of its last change and its size.
_HEAD = struct.Struct("<4sIII")


def files(folders: Iterable[str]) -> list[str]:
    """Return the paths of all modules below `folders` that this process can read, each once."""
    found = dict.fromkeys(path for folder in folders for path in _below(folder))
    return [path for path in found if os.access(path, os.R_OK)]


def _below(top: str) -> Iterator[str]:
    for folder, below, names in os.walk(top):
        below[:] = [name for name in below if name not in LEFT_OUT]
        for name in names:
            if name.endswith(".py") or (name.endswith(_SUFFIXES) and not _NO_USE.match(name)):
                yield os.path.join(folder, name)  # noqa: PTH118 -- as the importer joins them; and there are a thousand


def check(paths: Iterable[str]) -> None:
    """Raise PermissionError where one of `paths` cannot be read, or its folder not be listed, by this process."""
    for path in {os.path.dirname(path) for path in paths}.union(paths):  # noqa: PTH120 -- the same
        if not os.access(path, os.R_OK):
            raise PermissionError(path)


class PreloadedLibrary(importlib.abc.MetaPathFinder):
    """Finds the modules of `paths`, which are read here and now.

    It takes PathFinder's place, and looks for a module where that would: along sys.path or its package's __path__.
    """

    def __init__(self, paths: Iterable[str]) -> None:
        self._pieces: dict[str, slice] = {}  # where in the memory each file's bytes lie
        self._stats: dict[str, Mapping[str, int]] = {}
        self._compiled: set[str] = set()
        paths = tuple(paths)
        self._folders = frozenset(os.path.dirname(path) for path in paths)  # noqa: PTH120 -- the same
        # A file in memory, mapped for reading and for each process on its own: a student who had the mapping made
        # writable would change it for nobody else. Unlike Python's objects it costs a fork nothing.
        memory, end = os.memfd_create("library"), 0
        for path in paths:
            if path.endswith(_SUFFIXES):
                self._compiled.add(path)
                continue
            found = os.stat(path)  # noqa: PTH116 -- pathlib took half of the time
            # The importer compares whole seconds.
            self._stats[path] = {"mtime": int(found.st_mtime), "size": found.st_size}
            for name, size in _append(path, self._stats[path], memory):
                self._pieces[name] = slice(end, end := end + size)
        self._memory = mmap.mmap(memory, end, mmap.MAP_PRIVATE, mmap.PROT_READ)
        os.close(memory)
        for path in self._compiled:
            # What is loaded once is found again by its path, without a look at the disk. One that lacks a library of
            # the system's is left to the student's own import, which fails as it would anywhere.
            with contextlib.suppress(OSError):
                ctypes.CDLL(path)

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, _target: types.ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        """Answer for a module that is kept; see importlib.abc.MetaPathFinder."""
        last = fullname.rpartition(".")[2]
        folders = sys.path if path is None else path
        for folder in folders:
            base = f"{folder}/{last}"
            if f"{base}/__init__.py" in self._stats:
                loader = _Loader(fullname, f"{base}/__init__.py", self)
                return importlib.util.spec_from_file_location(
                    fullname, loader.path, loader=loader, submodule_search_locations=[base]
                )
            for suffix in _SUFFIXES:
                if base + suffix in self._compiled:
                    native = importlib.machinery.ExtensionFileLoader(fullname, base + suffix)
                    return importlib.util.spec_from_file_location(fullname, base + suffix, loader=native)
            if f"{base}.py" in self._stats:
                loader = _Loader(fullname, f"{base}.py", self)
                return importlib.util.spec_from_file_location(fullname, loader.path, loader=loader)
        # A folder without __init__.py is a package where nothing else has the name (PEP 420); numpy has such a one.
        bare = [base for folder in folders if (base := f"{folder}/{last}") in self._folders]
        if not bare:
            return None
        spec = importlib.machinery.ModuleSpec(fullname, None, is_package=True)
        spec.submodule_search_locations = bare
        return spec

    def stats(self, path: str) -> Mapping[str, int]:
        """Return size and time of last change of a source file; raises OSError where it is not kept."""
        return self._stats[path] if path in self._stats else _refuse(path)

    def read(self, path: str) -> bytes:
        """Return what was in a file; raises OSError where it is not kept."""
        return self._memory[self._pieces[path]] if path in self._pieces else _refuse(path)


def _refuse(path: str) -> NoReturn:
    raise FileNotFoundError(path)


class _Loader(importlib.machinery.SourceFileLoader):
    """Loads a module as from its files, which are those of a shelf."""

    def __init__(self, fullname: str, path: str, shelf: PreloadedLibrary) -> None:
        super().__init__(fullname, path)
        self._shelf = shelf

    def path_stats(self, path: str) -> Mapping[str, int]:
        """Return what the shelf says; see importlib.abc.SourceLoader."""
        return self._shelf.stats(path)

    def get_data(self, path: str) -> bytes:
        """Return what is on the shelf; see importlib.abc.ResourceLoader."""
        return self._shelf.read(path)


def _append(path: str, stats: Mapping[str, int], memory: int) -> Iterator[tuple[str, int]]:
    """Copy what the importer would read for a source file into the memory: it compiled, or as it was written.

    Yields the path of each file that is copied, and its size.
    """
    folder, _, name = path.rpartition("/")
    head = _HEAD.pack(importlib.util.MAGIC_NUMBER, 0, stats["mtime"] & 0xFFFFFFFF, stats["size"] & 0xFFFFFFFF)
    for one in (f"{folder}/__pycache__/{name[:-3]}.{sys.implementation.cache_tag}.pyc", path):
        try:
            descriptor = os.open(one, os.O_RDONLY)
        except OSError:
            continue
        try:
            size = left = os.fstat(descriptor).st_size
            current = os.pread(descriptor, len(head), 0) == head
            while left and (sent := os.sendfile(memory, descriptor, None, left)):
                left -= sent
        finally:
            os.close(descriptor)
        yield one, size - left
        if current:
            return
