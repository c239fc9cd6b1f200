"""Read notebooks and .py files into cells of Python; a file that cannot be read keeps its fault for later."""

from __future__ import annotations

import codecs
import io
import json
import re
import tokenize
from collections import Counter
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any

from grader.model import Place, Problem
from grader.submission.cells import Cell, Translated, translate
from grader.submission.errors import SubmissionError, failed, nothing_to_grade
from grader.submission.name_submissions import printable
from grader.submission.read_files import File
from grader.submission.syntax import LARGEST, LARGEST_IN_ALL, quote

_AGAIN = "Open it in Jupyter, save it there, and hand in that file."
# Real notebooks have some 100 cells and 10,000 values, stored outputs included. 12 MiB of "[]," would be 4 million
# lists, which take 320 MB.
_MOST_CELLS = 5_000
_MOST_VALUES = 300_000
# Of Python in any encoding: UTF-32 has four bytes for each of the characters that are read.
_MOST_PYTHON = 4 * LARGEST
# Encodings that a .py file may declare: UTF, Latin, Windows' (Chinese, Japanese and Korean among them), and Mac's. Each is
# decoded at once; "punycode" takes hours.
_ENCODINGS = re.compile(
    r"ascii|utf-(?:8|16|32)\S*|iso8859-\d+|cp\d+|koi8-\w|mac-\w+|gb\w+|big5\w*|shift_jis\w*|euc_\w+"
)
# A text in JSON, or what is left of one that has no end: then nothing is looked at twice.
_TEXT = re.compile(r'"[^"\\]*+(?:\\.[^"\\]*+)*+(?:"|\\?\Z)', re.DOTALL)
_CELLS = re.compile(r'"cells"\s*:\s*\[')
_BETWEEN = re.compile(r"[\s,]*")
_MERGED = re.compile(r"^(?:<<<<<<<|=======|>>>>>>>)", re.MULTILINE)
# An end inside a word or a number is noticed where that begins: "execution_count": nul
_LONGEST_WORD = 12
# What a file that is no JSON often is instead, by how it begins.
_MISTAKEN = {
    r"\s*<(?:!DOCTYPE|html)": "it is a web page. Download the notebook itself, not its page",
    r"version https://git-lfs": "it is a Git LFS pointer. Hand in the file itself",
    r"PK\x03\x04": "it is a zip. Rename it to end in .zip, or hand in the notebook inside",
    r"%PDF": "it is a PDF. Hand in the notebook itself",
}


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
    def label(self) -> str:
        """Return its path inside the submission, safe for a message."""
        return printable(str(self.path))


def read_documents(files: Sequence[File]) -> list[Document]:
    """Return a document for each file, and for each helper module that a notebook writes with ``%%writefile``."""
    found: dict[PurePosixPath, Document] = {}
    written: dict[PurePosixPath, Document] = {}
    alike = Counter(file.path.name for file in files)
    for file in files:
        is_python = file.path.suffix.lower() == ".py" and not file.data[:100].lstrip().startswith(b"{")
        if is_python and len(file.data) > _MOST_PYTHON:
            found[file.path] = _too_large(file)
            continue
        text, notes = _decode(file)
        is_misnamed = text.lstrip()[:1] == "{" and '"cells"' in text and '"nbformat"' in text  # with the ending .py
        if is_misnamed or file.path.suffix.lower() == ".ipynb":
            found[file.path] = _notebook(file.path, text, notes, written)
        else:
            # The path where the name alone would not tell two files apart.
            label = file.path.name if alike[file.path.name] == 1 else str(file.path)
            found[file.path] = Document(file.path, (Cell(printable(label), text),), notes=notes)
    return list((found | written).values())


def _decode(file: File) -> tuple[str, tuple[str, ...]]:
    """Return a file's text, decoded by its byte order mark or null bytes, by a .py file's own declaration, or as UTF-8."""
    encoding: str = json.detect_encoding(file.data)
    if encoding == "utf-8" and file.path.suffix.lower() == ".py":
        with suppress(SyntaxError):  # an encoding that Python does not know
            declared = codecs.lookup(tokenize.detect_encoding(io.BytesIO(file.data).readline)[0]).name
            encoding = declared if _ENCODINGS.fullmatch(declared) else encoding
    notes: tuple[str, ...] = ()
    try:
        text = file.data.decode(encoding)
    except (UnicodeError, LookupError):
        text = file.data.decode("cp1252", errors="replace")
        notes = (f"{printable(str(file.path))} is not UTF-8; it was read as Windows-1252",)
    return _with_plain_ends(text), notes


def _too_large(file: File) -> Document:
    """Return a .py file that is not even decoded; a class that is named in it counts as lost there."""
    label = printable(str(file.path))
    fault = failed(
        f"{label} holds {len(file.data) >> 10:,} KiB, and at most {LARGEST >> 10} KiB of code are read. "
        "Load data from files instead of writing them into the code."
    )
    return Document(file.path, (), prose=file.data[:_MOST_PYTHON].decode("ascii", "replace"), fault=fault.problem)


def _with_plain_ends(text: str) -> str:
    return text.replace("\r\n", "\n").replace("\r", "\n")


def _notebook(
    path: PurePosixPath, text: str, notes: tuple[str, ...], written: dict[PurePosixPath, Document]
) -> Document:
    """Return a notebook's cells; files from %%writefile go into `written`."""
    shown = printable(str(path))
    try:
        content, cut = _read_json(shown, text)
        code, prose, strange = _split_cells(shown, content)
    except SubmissionError as error:
        return Document(path, (), is_notebook=True, prose=text, fault=error.problem)
    if cut:
        which = "one whole cell was" if len(content["cells"]) == 1 else f"{len(content['cells'])} whole cells were"
        notes += (f"{cut.message} Its {which} read anyway",)
    if strange:
        notes += (f"{shown} breaks the notebook format ({printable(strange)}), but its cells were read",)
    # JSON can hold half a surrogate pair, which no UTF-8 can, so that it could be neither compiled nor sent on.
    clean = [source.encode(errors="replace").decode() for source in code]
    if clean != code:
        notes += (f"{shown} holds broken characters, which became question marks",)
    sources = [_with_plain_ends(source) for source in clean]
    cells, magics = _translate_cells(path.parent, sources, _python_version(content), written)
    prose = [_with_plain_ends(source) for source in ([text] if cut else []) + prose]
    return Document(path, cells, is_notebook=True, notes=notes, magics=magics, prose="\n".join(prose), cut=cut)


def _read_json(shown: str, text: str) -> tuple[Any, Problem | None]:
    """Return a notebook's JSON and, if it is cut off, the fault; only its complete cells are there then.

    Raises SubmissionError for what cannot be read or is too large.
    """
    if not text.strip():
        raise nothing_to_grade(f"{shown} is empty. {_AGAIN}")
    if _count_values(text) > _MOST_VALUES and _count_values(_TEXT.sub("", text)) > _MOST_VALUES:
        raise failed(
            f"{shown} holds more than {_MOST_VALUES:,} values, while a notebook has a few thousand. "
            "Clear the outputs, save it, and hand in that file."
        )
    try:
        return json.loads(text), None
    except json.JSONDecodeError as error:
        is_merged = _MERGED.search(text) is not None
        at_end = len(text[error.pos :].strip()) < _LONGEST_WORD or error.msg.startswith("Unterminated string")
        is_cut_off = at_end and not is_merged
        mend = "It holds marks of a Git merge (<<<<<<<): resolve the merge first." if is_merged else _AGAIN
        if is_cut_off:
            mend = f"It seems to be cut off. {_AGAIN}"
        said = f"{shown} is not valid JSON at line {error.lineno}, column {error.colno}: {error.msg}. {mend}"
        fault = failed(said, Place(shown, error.lineno, quote(_line_at(text, error.pos))))
        what = next((what for begins, what in _MISTAKEN.items() if re.match(begins, text, re.IGNORECASE)), "")
        if what:
            fault = failed(f"{shown} is not a notebook: {what}.")
        whole = _whole_cells(text) if is_cut_off else []
        if not whole:
            raise fault from error
        return {"cells": whole, "nbformat": 4}, fault.problem
    except RecursionError as error:
        raise failed(f"{shown} is nested too deeply: a notebook's JSON has about ten levels. {_AGAIN}") from error
    except ValueError as error:  # a number of more digits than Python reads
        raise failed(f"{shown} cannot be read as JSON: {error}. {_AGAIN}") from error


def _line_at(text: str, at: int) -> str:
    begins = text.rfind("\n", 0, at) + 1
    ends = text.find("\n", begins)
    return text[begins : ends if ends >= 0 else len(text)][:1000]


def _count_values(text: str) -> int:
    """Return an upper bound for the number of values in JSON: each but the first follows a comma or a bracket."""
    return text.count(",") + text.count("[") + text.count("{")


def _whole_cells(text: str) -> list[Any]:
    """Return the complete cells of a notebook, up to the first that is not."""
    begun = _CELLS.search(text)
    found: list[Any] = []
    decoder = json.JSONDecoder()
    at = begun.end() if begun else len(text)
    while at < len(text):
        at = between.end() if (between := _BETWEEN.match(text, at)) else at
        try:
            cell, at = decoder.raw_decode(text, at)
        except (ValueError, RecursionError):
            break
        found.append(cell)
    return found


def _split_cells(shown: str, content: Any) -> tuple[list[str], list[str], str]:
    """Return the code cells' texts, the others', and in what way the format is broken, or "".

    Stored outputs are not read: they prove nothing.
    """
    raw, strange = _raw_cells(shown, content)
    if len(raw) > _MOST_CELLS:
        raise failed(f"{shown} holds more than {_MOST_CELLS:,} cells. Hand in a notebook with only your own work.")
    code: list[str] = []
    prose: list[str] = []
    for cell in raw:
        source = cell.get("source", cell.get("input")) if isinstance(cell, dict) else None
        if isinstance(source, list) and all(isinstance(line, str) for line in source):
            source = "".join(source)
        if isinstance(source, str):
            (code if cell.get("cell_type", "code") == "code" else prose).append(source)
        else:
            strange = strange or "a cell without a source"
    return code, prose, strange


def _raw_cells(shown: str, content: Any) -> tuple[list[Any], str]:
    """Return the cells of version 4 ("cells") or earlier ("worksheets"), whatever else is wrong with the notebook."""
    content = content if isinstance(content, dict) else {}
    if isinstance(cells := content.get("cells"), list):
        version = content.get("nbformat")
        return cells, "" if version == 4 else f"nbformat is {str(version)[:20]}, and only version 4 has its cells there"
    if not isinstance(sheets := content.get("worksheets"), list):
        raise failed(f"{shown} is JSON but not a notebook: it has no list of cells. {_AGAIN}")
    held = [sheet.get("cells") if isinstance(sheet, dict) else None for sheet in sheets]
    strange = "" if all(isinstance(cells, list) for cells in held) else "a worksheet without cells"
    return [cell for cells in held if isinstance(cells, list) for cell in cells], strange


def _python_version(content: Any) -> str:
    """Return the version of Python that a notebook says it was last run with, or ""."""
    for key in ("metadata", "language_info", "version"):
        content = content.get(key) if isinstance(content, dict) else None
    return content if isinstance(content, str) and re.fullmatch(r"[\d.]{1,12}", content, re.ASCII) else ""


def _translate_cells(
    folder: PurePosixPath, sources: list[str], version: str, written: dict[PurePosixPath, Document]
) -> tuple[tuple[Cell, ...], int]:
    """Return the code cells without magics, and how many there were; set aside what %%writefile writes."""
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
