"""Bytes of a notebook or .py file to its cells of Python; a file that cannot be read keeps its fault for later."""

from __future__ import annotations

import io
import json
import tokenize
from collections import Counter
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import PurePosixPath

from grader.model import Problem
from grader.submission.cells import Cell, Translated, translate
from grader.submission.errors import SubmissionError
from grader.submission.name_submissions import printable
from grader.submission.notebooks import cells_of, content_of, is_notebook, no_cells, written_for
from grader.submission.read_files import File
from grader.submission.syntax import LARGEST, LARGEST_IN_ALL


@dataclass(frozen=True)
class Document:
    """One notebook or .py file."""

    path: PurePosixPath
    cells: tuple[Cell, ...]  # a .py file is one
    is_notebook: bool = False
    notes: tuple[str, ...] = ()
    magics: int = 0
    prose: str = ""  # Markdown, raw cells and what is cut off, in which a class is sometimes lost
    fault: Problem | None = None  # why there are no cells
    cut: Problem | None = None  # why there are no more cells: the file ends in the middle

    @property
    def shown(self) -> str:
        """Its path inside the submission, fit for a message."""
        return printable(str(self.path))


def documents(files: Sequence[File]) -> list[Document]:
    """Read every file, and the helper modules that notebooks write with ``%%writefile``."""
    found: dict[PurePosixPath, Document] = {}
    written: dict[PurePosixPath, Document] = {}
    alike = Counter(file.path.name for file in files)
    for file in files:
        text, notes = _decode(file)
        misnamed = (
            text.lstrip()[:1] == "{" and '"cells"' in text and '"nbformat"' in text
        )  # a notebook with the ending .py
        if misnamed or file.path.suffix.lower() == ".ipynb":
            found[file.path] = _notebook(file.path, text, notes, written)
        else:
            # The path where the name alone would not tell two files apart.
            label = file.path.name if alike[file.path.name] == 1 else str(file.path)
            found[file.path] = Document(file.path, (Cell(printable(label), text),), notes=notes)
    return list((found | written).values())


def _decode(file: File) -> tuple[str, tuple[str, ...]]:
    """Turn bytes into text: by their mark or by where they are null, by a .py file's own declaration, or as UTF-8."""
    encoding: str = json.detect_encoding(file.data)
    if encoding == "utf-8" and file.path.suffix.lower() == ".py":
        with suppress(SyntaxError):  # an encoding that Python does not know
            encoding = tokenize.detect_encoding(io.BytesIO(file.data).readline)[0]
    notes: tuple[str, ...] = ()
    try:
        text = file.data.decode(encoding)
    except (UnicodeError, LookupError):
        text = file.data.decode("cp1252", errors="replace")
        notes = (f"{printable(str(file.path))} is not UTF-8; it was read as Windows-1252",)
    return _with_plain_ends(text), notes


def _with_plain_ends(text: str) -> str:
    return text.replace("\r\n", "\n").replace("\r", "\n")


def _notebook(
    path: PurePosixPath, text: str, notes: tuple[str, ...], written: dict[PurePosixPath, Document]
) -> Document:
    """Read a notebook's cells; what %%writefile makes of one goes into `written`."""
    shown = printable(str(path))
    try:
        content, cut = content_of(shown, text)
        if not is_notebook(content):
            return Document(path, (), is_notebook=True, fault=no_cells(shown))
        code, prose, strange = cells_of(shown, content)
    except SubmissionError as error:
        return Document(path, (), is_notebook=True, prose=text, fault=error.problem)
    if cut:
        which = "one whole cell was" if len(content["cells"]) == 1 else f"{len(content['cells'])} whole cells were"
        notes += (f"{cut.message} Its {which} read all the same",)
    if strange:
        notes += (f"{shown} breaks the notebook format ({printable(strange)}); its cells were read all the same",)
    # JSON can hold half a surrogate pair, which no UTF-8 can, so that it could be neither compiled nor sent on.
    clean = [source.encode(errors="replace").decode() for source in code]
    if clean != code:
        notes += (f"{shown} holds broken characters, now question marks",)
    cells, magics = _translated(
        path.parent, [_with_plain_ends(source) for source in clean], written_for(content), written
    )
    prose = [_with_plain_ends(source) for source in ([text] if cut else []) + prose]
    return Document(path, cells, is_notebook=True, notes=notes, magics=magics, prose="\n".join(prose), cut=cut)


def _translated(
    folder: PurePosixPath, sources: list[str], version: str, written: dict[PurePosixPath, Document]
) -> tuple[tuple[Cell, ...], int]:
    """Replace magics in each code cell, count them, and set aside what %%writefile writes."""
    code: list[Cell] = []
    magics = size = 0
    for number, source in enumerate(sources, start=1):
        size += len(source) if len(source) <= LARGEST else 0
        # Beyond the caps it is never parsed, and a million lines would take a second.
        found = translate(source) if len(source) <= LARGEST and size <= LARGEST_IN_ALL else Translated(source, 0)
        magics += found.magics
        cell = Cell(f"code cell {number}", found.source, version)
        target = PurePosixPath(found.writes.replace("\\", "/"))
        if target.suffix == ".py":
            # A name inside the submission: nothing is ever written.
            path = folder.joinpath(*(part for part in target.parts if part not in {"/", "..", "."}))
            if found.appends and path in written:
                cell = Cell(printable(path.name), f"{written[path].cells[0].source}\n{cell.source}", version)
            written[path] = Document(path, (cell,))
        elif not found.writes:
            code.append(cell)
    return tuple(code), magics
