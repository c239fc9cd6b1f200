"""A notebook's text to its cells; of one that is no JSON, what it is instead, or its whole cells if it is cut off."""

from __future__ import annotations

import json
import re
from typing import Any

from grader.model import Place, Problem
from grader.submission.errors import SubmissionError, failed, nothing_to_grade
from grader.submission.syntax import quote

_AGAIN = "Open it in Jupyter, save it there, and hand in that file."
# Real notebooks have some 100 cells and 10,000 values, stored outputs included. 24 MiB of "[]," would be 8 million
# lists, which take 650 MB of the grader.
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
    r"version https://git-lfs": "it is a Git LFS pointer. Hand in the file that it stands for",
    r"PK\x03\x04": "it is a zip. Give it the ending .zip, or hand in the notebook inside",
    r"%PDF": "it is a PDF. Hand in the notebook itself",
}


def content_of(shown: str, text: str) -> tuple[Any, Problem | None]:
    """Return a notebook's JSON, and of one that is cut off what is wrong with it: then only its whole cells are there.

    What cannot be read at all, or is too large, is refused.
    """
    if not text.strip():
        raise nothing_to_grade(f"{shown} is empty. {_AGAIN}")
    if _values(text) > _MOST_VALUES and _values(_TEXT.sub("", text)) > _MOST_VALUES:
        raise failed(
            f"{shown} holds more than {_MOST_VALUES:,} values, and a notebook has some thousands. "
            "Clear the outputs, save it, and hand in that file."
        )
    try:
        return json.loads(text), None
    except (ValueError, RecursionError) as error:
        fault = _no_json(shown, text, error)
        whole = _whole_cells(text) if _is_cut_off(text, error) else []
        if not whole:
            raise SubmissionError(fault) from error
        return {"cells": whole, "nbformat": 4}, fault


def cells_of(shown: str, content: Any) -> tuple[list[str], list[str], str]:
    """Return the code cells' texts, the others', and in what way the format is broken, or "".

    Stored outputs are not looked at: they prove nothing.
    """
    raw, strange = _raw_cells(content)
    if len(raw) > _MOST_CELLS:
        raise failed(f"{shown} holds more than {_MOST_CELLS:,} cells. Hand in a notebook with your own work only.")
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


def is_notebook(content: Any) -> bool:
    """Whether something in JSON has a list of cells, where version 4 has it or where earlier ones do."""
    return isinstance(content, dict) and any(isinstance(content.get(key), list) for key in ("cells", "worksheets"))


def no_cells(shown: str) -> Problem:
    """Return the sentence that a file in JSON is something else."""
    return Problem("failed_to_load", f"{shown} is JSON, but no notebook: it has no list of cells. {_AGAIN}")


def written_for(content: Any) -> str:
    """Return the version of Python that a notebook was last run with, as it says itself, or ""."""
    for key in ("metadata", "language_info", "version"):
        content = content.get(key) if isinstance(content, dict) else None
    return content if isinstance(content, str) and re.fullmatch(r"[\d.]{1,12}", content, re.ASCII) else ""


def _raw_cells(content: dict[str, Any]) -> tuple[list[Any], str]:
    """Find the cells of version 4 ("cells") or earlier ("worksheets"), whatever else is wrong with the notebook."""
    if isinstance(cells := content.get("cells"), list):
        version = content.get("nbformat")
        return cells, "" if version == 4 else f"nbformat is {str(version)[:20]}, and only version 4 has its cells there"
    held = [sheet.get("cells") if isinstance(sheet, dict) else None for sheet in content["worksheets"]]
    strange = "" if all(isinstance(cells, list) for cells in held) else "a worksheet without cells"
    return [cell for cells in held if isinstance(cells, list) for cell in cells], strange


def _values(text: str) -> int:
    """Count what stands in JSON at most: each value but the first has a comma or a bracket before it."""
    return text.count(",") + text.count("[") + text.count("{")


def _no_json(shown: str, text: str, error: Exception) -> Problem:
    """Return where a notebook stops being JSON, and what it may be instead."""
    for beginning, what in _MISTAKEN.items():
        if re.match(beginning, text, re.IGNORECASE):
            return Problem("failed_to_load", f"{shown} is no notebook: {what}.")
    if isinstance(error, RecursionError):
        said = f"{shown} is nested too deeply: a notebook's JSON has some ten levels. {_AGAIN}"
        return Problem("failed_to_load", said)
    if not isinstance(error, json.JSONDecodeError):
        return Problem("failed_to_load", f"{shown} cannot be read as JSON: {error}. {_AGAIN}")
    mend = _AGAIN
    if _MERGED.search(text):
        mend = "It holds the marks of a Git merge (<<<<<<<): settle the merge first."
    elif _is_cut_off(text, error):
        mend = f"It seems to be cut off. {_AGAIN}"
    said = f"{shown} is no valid JSON at line {error.lineno}, column {error.colno}: {error.msg}. {mend}"
    place = Place(shown, error.lineno, quote(text.split("\n")[error.lineno - 1]))
    return Problem("failed_to_load", said, place)


def _is_cut_off(text: str, error: Exception) -> bool:
    """Whether a text stops being JSON at its end."""
    if not isinstance(error, json.JSONDecodeError) or _MERGED.search(text):
        return False
    return len(text[error.pos :].strip()) < _LONGEST_WORD or error.msg.startswith("Unterminated string")


def _whole_cells(text: str) -> list[Any]:
    """Return the cells of a notebook that are complete, as far as the first that is not."""
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
