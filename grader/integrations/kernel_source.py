"""The text of what was defined in a kernel: the cells that were run, as a notebook that lies in memory alone."""

from __future__ import annotations

import ast
import hashlib
import json
import re
import sys
import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path, PurePosixPath
from types import FunctionType
from typing import TYPE_CHECKING, Any

from grader.records import dataclass
from grader.submission.read_files import File, HandIn

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell

_GRADER = Path(__file__).resolve().parent.parent
_MOST_TEXT = 100 * 1024  # of all cells: the lesson has 30 KiB, and 300 KiB more took a second and a half to read
_LARGEST = 256 * 1024  # of one module; more than that is no program of a student's


@dataclass(frozen=True)
class KernelSource:
    """What a class and all that it needs was made of.

    hand_in : the cells, In [1] first. files : under which name Python knows each cell, by its label. failed : the cells
    that would define the class anew and ended in an error before they did.
    """

    hand_in: HandIn
    files: Mapping[str, str]
    failed: Sequence[int]


def read_kernel(shell: InteractiveShell, made: type, class_name: str, notebook: str) -> KernelSource:
    """Return the cells that were run, and the modules of the student's own that are mentioned in them.

    made : the class as it is in the kernel.
    """
    cells = list(shell.history_manager.input_hist_raw) if shell.history_manager else []
    codes = {n: code for n, cell in enumerate(cells) if n and (code := _as_python(shell, cell)) is not None}
    names = {n: shell.compile.get_code_name(cells[n], code, n) for n, code in codes.items()}
    lives_in = _defining_cells(made, names)
    begun = [n for n, cell in enumerate(cells) if re.search(rf"^class\s+{class_name}\b", cell, re.MULTILINE)]
    failed = [n for n in begun if lives_in and n > max(lives_in)]
    left_out = {*failed, *_superseded(codes)}
    kept = ["" if n in left_out or n not in codes else cell for n, cell in enumerate(cells)][1:]
    content = {"nbformat": 4, "cells": [{"cell_type": "code", "source": cell} for cell in kept]}
    files = [File(PurePosixPath(notebook), json.dumps(content).encode()), *_own_modules("\n".join(kept))]
    digest = hashlib.sha256(b"".join(file.data for file in files)).hexdigest()
    labels = {f"code cell {number}": name for number, name in names.items()}
    return KernelSource(HandIn(tuple(files), (), digest), labels, failed)


def last_cell_with(shell: InteractiveShell, class_name: str) -> int:
    """Return the number of the last cell that was to define a class; 0 where there is none."""
    cells = shell.history_manager.input_hist_raw if shell.history_manager else []
    found = [n for n, cell in enumerate(cells) if re.search(rf"^\s*class\s+{class_name}\b", cell, re.MULTILINE)]
    return found[-1] if found else 0


def _as_python(shell: InteractiveShell, cell: str) -> str | None:
    """Return a cell without IPython's own syntax; None where it never ran, since Python cannot read it."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of "\\d" in a student's text
        try:
            code = str(shell.transform_cell(cell))  # type: ignore[no-untyped-call]
            ast.parse(code)
        except (SyntaxError, ValueError, RecursionError, MemoryError):
            return None
    return code


def _superseded(codes: Mapping[int, str]) -> set[int]:
    """Return the cells that define what a later one defines again, in a kernel where cells were run so often that all are too much."""
    if sum(map(len, codes.values())) <= _MOST_TEXT:
        return set()
    last: dict[tuple[str, ...], int] = {}
    old = set()
    for number, code in codes.items():
        body = ast.parse(code).body
        defined = tuple(one.name for one in body if isinstance(one, ast.FunctionDef | ast.ClassDef))
        key = defined or (code,)
        old |= {last[key]} if key in last else set()
        last[key] = number
    return old


def _defining_cells(made: type, names: Mapping[int, str]) -> list[int]:
    """Return the numbers of the cells whose text the methods of a class are; those that were set on it later do not count."""
    codes = {function.__code__.co_filename for function in _functions(made) if "." in function.__qualname__}
    return [number for number, name in names.items() if name in codes]


def _functions(made: type) -> Iterator[FunctionType]:
    for value in vars(made).values():
        inner: Any = getattr(value, "__func__", value)  # of a static method or a class method
        if isinstance(inner, FunctionType):
            yield inner


def _own_modules(text: str) -> Iterator[File]:
    """Yield the .py files of the working folder that the cells mention or that the kernel has imported."""
    words = set(re.findall(r"\w+", text))
    with suppress(OSError):  # no folder, or no files at all
        here = Path.cwd()
        loaded = {getattr(module, "__file__", None) for module in list(sys.modules.values())}
        for path in sorted([*here.glob("*.py"), *here.glob("*/*.py")]):
            if path.parent == _GRADER:
                continue  # as where a kernel runs in a clone of it
            if str(path) in loaded or {path.stem, path.parent.name if path.parent != here else path.stem} <= words:
                with suppress(OSError):
                    if path.stat().st_size <= _LARGEST:
                        yield File(PurePosixPath(path.relative_to(here).as_posix()), path.read_bytes())
