"""Read a notebook's JSON, whole or cut off, into the texts of its cells; stored outputs are not looked at."""

import json
import re
from typing import Any

from grader.model import Place, Problem
from grader.submission.errors import failed, nothing_to_grade
from grader.submission.syntax import quote

_AGAIN = "Open it in Jupyter, save it there, and hand in that file."
# Real notebooks have some 100 cells and 10,000 values, stored outputs included. 12 MiB of "[]," would be 4 million
# lists, which take 320 MB.
_MOST_CELLS = 5_000
_MOST_VALUES = 300_000
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


def read_json(shown: str, text: str) -> tuple[Any, Problem | None]:
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


def split_cells(shown: str, content: Any) -> tuple[list[str], list[str], str]:
    """Return the code cells' texts, the others', and in what way the format is broken, or "".

    Stored outputs are not read: they prove nothing.
    """
    raw, strange = list_cells(shown, content)
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


def list_cells(shown: str, content: Any) -> tuple[list[Any], str]:
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


def python_version(content: Any) -> str:
    """Return the version of Python that a notebook says it was last run with, or ""."""
    for key in ("metadata", "language_info", "version"):
        content = content.get(key) if isinstance(content, dict) else None
    return content if isinstance(content, str) and re.fullmatch(r"[\d.]{1,12}", content, re.ASCII) else ""
