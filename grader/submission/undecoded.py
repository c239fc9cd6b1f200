"""A notebook that is no JSON: what it is instead, and the whole cells of one that is cut off."""

from __future__ import annotations

import json
import re
from typing import Any

from grader.records import Place, Problem
from grader.submission.syntax import quote

AGAIN = "Open it in Jupyter, save it there, and hand in that file."
_CELLS = re.compile(r'"cells"\s*:\s*\[')
_BETWEEN = re.compile(r"[\s,]*")
_MERGED = re.compile(r"^(?:<<<<<<<|=======|>>>>>>>)", re.MULTILINE)
# An end inside a word or a number is noticed where that begins: "execution_count": nul
_LONGEST_WORD = 12
# What a file that is no JSON often is instead, by how it begins.
_MISTAKEN = (
    (
        re.compile(r"\s*<(?:!DOCTYPE|html)", re.IGNORECASE),
        "it is a web page. Download the notebook itself, not its page",
    ),
    (re.compile(r"version https://git-lfs"), "it is a Git LFS pointer. Hand in the file that it stands for"),
    (re.compile(r"PK\x03\x04"), "it is a zip. Give it the ending .zip, or hand in the notebook inside"),
    (re.compile(r"%PDF"), "it is a PDF. Hand in the notebook itself"),
)


def no_json(shown: str, text: str, error: Exception) -> Problem:
    """Return where a notebook stops being JSON, and what it may be instead."""
    for pattern, what in _MISTAKEN:
        if pattern.match(text):
            return Problem("failed_to_load", f"{shown} is no notebook: {what}.")
    if isinstance(error, RecursionError):
        return Problem(
            "failed_to_load", f"{shown} is nested too deeply: a notebook's JSON has some ten levels. {AGAIN}"
        )
    if not isinstance(error, json.JSONDecodeError):
        return Problem("failed_to_load", f"{shown} cannot be read as JSON: {error}. {AGAIN}")
    line = text.split("\n")[error.lineno - 1]
    place = Place(shown, error.lineno, quote(line))
    if _MERGED.search(text):
        mend = "It holds the marks of a Git merge (<<<<<<<): settle the merge first."
    elif is_cut_off(text, error):
        mend = f"It seems to be cut off. {AGAIN}"
    else:
        mend = AGAIN
    where = f"line {error.lineno}, column {error.colno}"
    return Problem("failed_to_load", f"{shown} is no valid JSON at {where}: {error.msg}. {mend}", place)


def is_cut_off(text: str, error: Exception) -> bool:
    """Whether a text stops being JSON at its end."""
    if not isinstance(error, json.JSONDecodeError) or _MERGED.search(text):
        return False
    return len(text[error.pos :].strip()) < _LONGEST_WORD or error.msg.startswith("Unterminated string")


def whole_cells(text: str) -> list[Any]:
    """Return the cells of a notebook that are complete, as far as the first that is not."""
    begun = _CELLS.search(text)
    found: list[Any] = []
    decoder = json.JSONDecoder()
    at = begun.end() if begun else len(text)
    while at < len(text):
        at = between.end() if (between := _BETWEEN.match(text, at)) else at
        if text[at : at + 1] != "{":
            break
        try:
            cell, at = decoder.raw_decode(text, at)
        except (ValueError, RecursionError):
            break
        found.append(cell)
    return found
