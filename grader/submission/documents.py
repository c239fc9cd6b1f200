"""Bytes of a notebook or .py file to its cells of Python; a file that cannot be read keeps its fault for later."""

from __future__ import annotations

import codecs
import io
import json
import re
import tokenize
from dataclasses import dataclass, replace
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any

from grader.records import Problem
from grader.submission.cells import Cell, Translated, translate
from grader.submission.naming import printable
from grader.submission.syntax import LARGEST, LARGEST_IN_ALL
from grader.submission.undecoded import AGAIN, is_cut_off, no_json, whole_cells

if TYPE_CHECKING:
    from collections.abc import Sequence

    from grader.submission.reading import File

_BOMS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_CLEAR = "Clear the outputs, save it, and hand in that file."
# Real notebooks have some 100 cells and 10,000 values, stored outputs included. 24 MiB of "[]," would be 8 million
# lists, which take 650 MB of the grader.
_MOST_CELLS = 5_000
_MOST_VALUES = 300_000
# A text in JSON, or what is left of one that has no end: then nothing is looked at twice.
_TEXT = re.compile(r'"[^"\\]*+(?:\\.[^"\\]*+)*+(?:"|\\?\Z)', re.DOTALL)


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
    labels = _labels([file.path for file in files])
    for file in files:
        text, notes = _decode(file)
        if file.path.suffix.lower() == ".ipynb" or _is_notebook_text(text):
            found[file.path] = _notebook(file.path, text, notes, written)
        else:
            found[file.path] = Document(file.path, (Cell(labels[file.path], text),), notes=notes)
    return list((found | written).values())


def _labels(paths: list[PurePosixPath]) -> dict[PurePosixPath, str]:
    """Label each file with its name, or with its path where the name alone would not tell two apart."""
    names = [path.name for path in paths]
    return {path: printable(str(path) if names.count(path.name) > 1 else path.name) for path in paths}


def _decode(file: File) -> tuple[str, tuple[str, ...]]:
    """Turn bytes into text, by mark, by a .py file's own declaration, or as UTF-8."""
    data = file.data
    encoding = next((name for mark, name in _BOMS if data.startswith(mark)), "")
    if not encoding and b"\0" in data[:4]:
        encoding = "utf-16-be" if data[0] == 0 else "utf-16-le"
    if not encoding and file.path.suffix.lower() == ".py":
        try:
            encoding = tokenize.detect_encoding(io.BytesIO(data).readline)[0]
        except SyntaxError:  # an encoding that Python does not know
            encoding = "utf-8"
    notes: tuple[str, ...] = ()
    try:
        text = data.decode(encoding or "utf-8")
    except (UnicodeError, LookupError):
        text = data.decode("cp1252", errors="replace")
        notes = (f"{printable(str(file.path))} is not UTF-8; it was read as Windows-1252",)
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    return text, notes


def _is_notebook_text(text: str) -> bool:
    """Tell a notebook that was given the ending .py."""
    return text.lstrip()[:1] == "{" and '"cells"' in text and '"nbformat"' in text


def _notebook(
    path: PurePosixPath, text: str, notes: tuple[str, ...], written: dict[PurePosixPath, Document]
) -> Document:
    shown = printable(str(path))
    if not text.strip():
        return Document(path, (), is_notebook=True, fault=Problem("no_submission", f"{shown} is empty. {AGAIN}"))
    if _values(text) > _MOST_VALUES and _values(_TEXT.sub("", text)) > _MOST_VALUES:
        message = f"{shown} holds more than {_MOST_VALUES:,} values, and a notebook has some thousands. {_CLEAR}"
        return Document(path, (), is_notebook=True, prose=text, fault=Problem("failed_to_load", message))
    cut: Problem | None = None
    try:
        content = json.loads(text)
    except (ValueError, RecursionError) as error:
        fault = no_json(shown, text, error)
        whole = whole_cells(text) if is_cut_off(text, error) else []
        if not whole:
            return Document(path, (), is_notebook=True, prose=text, fault=fault)
        content, cut = {"cells": whole, "metadata": {}, "nbformat": 4, "nbformat_minor": 5}, fault
        which = "one whole cell was" if len(whole) == 1 else f"{len(whole)} whole cells were"
        notes += (f"{fault.message} Its {which} read all the same",)
    if isinstance(content, dict) and len(_raw_cells(content) or ()) > _MOST_CELLS:
        message = f"{shown} holds more than {_MOST_CELLS:,} cells. Hand in a notebook with your own work only."
        return Document(path, (), is_notebook=True, prose=text, fault=Problem("failed_to_load", message))
    cells, repaired = _cells_of(content)
    if cells is None:
        message = f"{shown} is JSON, but no notebook: it has no list of cells. {AGAIN}"
        return Document(path, (), is_notebook=True, fault=Problem("failed_to_load", message))
    if repaired:
        notes += (f"{shown} breaks the notebook format ({repaired}); its cells were read all the same",)
    empty = Document(path, (), is_notebook=True, notes=notes, cut=cut, prose=text if cut else "")
    return _translated(empty, cells, _written_for(content), written)


def _written_for(content: dict[str, Any]) -> str:
    """Return the version of Python that a notebook was last run with, as it says itself, or ""."""
    metadata = content.get("metadata")
    language = metadata.get("language_info") if isinstance(metadata, dict) else None
    version = language.get("version") if isinstance(language, dict) else None
    return version if isinstance(version, str) and re.fullmatch(r"[\d.]{1,12}", version, re.ASCII) else ""


def _values(text: str) -> int:
    """Count what stands in JSON at most: each value but the first has a comma or a bracket before it."""
    return text.count(",") + text.count("[") + text.count("{")


def _translated(
    empty: Document, cells: list[tuple[bool, str]], written_for: str, written: dict[PurePosixPath, Document]
) -> Document:
    """Replace magics in each code cell, and set aside what %%writefile writes."""
    code: list[Cell] = []
    prose, magics, count, size, lost = [empty.prose], 0, 0, 0, False
    for is_code, raw in cells:
        source = raw.replace("\r\n", "\n").replace("\r", "\n")
        if not is_code:
            prose.append(source)
            continue
        count += 1
        # JSON can hold half a surrogate pair, which no UTF-8 can, so that it could be neither compiled nor sent on.
        clean = source.encode(errors="replace").decode()
        lost = lost or clean != source
        label = f"code cell {count}"
        size += len(clean) if len(clean) <= LARGEST else 0
        # Beyond the caps it is never parsed, and a million lines would take a second.
        translated = translate(clean) if len(clean) <= LARGEST and size <= LARGEST_IN_ALL else Translated(clean, 0)
        magics += translated.magics
        target = PurePosixPath(translated.writes.replace("\\", "/"))
        if target.suffix == ".py":
            _write(
                empty.path.parent,
                target,
                Cell(label, translated.source, written_for),
                written,
                appends=translated.appends,
            )
        elif not translated.writes:
            code.append(Cell(label, translated.source, written_for))
    notes = empty.notes + ((f"{empty.shown} holds broken characters, now question marks",) if lost else ())
    return replace(empty, cells=tuple(code), notes=notes, magics=magics, prose="\n".join(prose))


def _write(
    folder: PurePosixPath, target: PurePosixPath, cell: Cell, written: dict[PurePosixPath, Document], *, appends: bool
) -> None:
    """Make a helper module of a cell; its path is a name inside the submission, and nothing is ever written."""
    parts = [part for part in target.parts if part not in {"/", "..", "."}]
    path = folder.joinpath(*parts)
    if appends and path in written:
        cell = Cell(printable(path.name), f"{written[path].cells[0].source}\n{cell.source}", cell.written_for)
    written[path] = Document(path, (cell,))


def _cells_of(content: Any) -> tuple[list[tuple[bool, str]] | None, str]:
    """Give (is code, source) of each cell, and in what way the notebook had to be repaired ("" if it had not)."""
    if not isinstance(content, dict):
        return None, ""
    repaired = ""
    raw = _raw_cells(content)
    for cell in raw or []:
        if isinstance(cell, dict):
            cell["outputs"] = []  # stored outputs prove nothing, and may be megabytes
    try:
        raw = _by_nbformat(content)
    except Exception as error:  # noqa: BLE001 -- nbformat raises whatever it stumbles over in a broken notebook
        repaired = printable(f"{type(error).__name__}: {error}".split("\n")[0][:120])
    if raw is None:
        return None, ""
    cells = []
    for cell in raw:
        source = _source(cell)
        if source is None:
            repaired = repaired or "a cell without a source"
        else:
            kind = cell.get("cell_type", "code")
            cells.append((kind == "code", source))
    return cells, repaired


def _by_nbformat(content: dict[str, Any]) -> list[Any]:
    """Read a notebook of any version with the library that defines the format, unvalidated."""
    import nbformat  # noqa: PLC0415 -- 0.15 s that a .py file need not pay
    from nbformat import reader  # noqa: PLC0415 -- the same

    if "cells" in content and content.get("nbformat") != 4:
        # Taken for a notebook of version 1, it would lose every cell without a word.
        raise ValueError(f"nbformat is {content.get('nbformat')!r}, and only version 4 has its cells there")
    notebook = nbformat.convert(reader.reads(json.dumps(content)), 4)
    return list(notebook["cells"])


def _raw_cells(content: dict[str, Any]) -> list[Any] | None:
    """Find the cells of a notebook of version 4 ("cells") or earlier ("worksheets"), whatever else is wrong with it."""
    cells = content.get("cells")
    if isinstance(cells, list):
        return cells
    sheets = content.get("worksheets")
    if not isinstance(sheets, list):
        return None
    found: list[Any] = []
    for sheet in sheets:
        inside = sheet.get("cells") if isinstance(sheet, dict) else None
        found += inside if isinstance(inside, list) else []
    return found


def _source(cell: Any) -> str | None:
    if not isinstance(cell, dict):
        return None
    source = cell.get("source", cell.get("input"))
    if isinstance(source, list) and all(isinstance(line, str) for line in source):
        return "".join(source)
    return source if isinstance(source, str) else None
