"""Replace IPython's own syntax in a code cell line by line, so that line numbers stay the same."""

from __future__ import annotations

import re
from contextlib import suppress
from dataclasses import dataclass

from grader.submission.bindings import FUNCTIONS
from grader.submission.blocks import indent_of, track_brackets
from grader.submission.errors import SubmissionError
from grader.submission.salvage import parse_or_salvage

# Cell magics whose body is Python that runs in the notebook's own namespace.
_BODY_STAYS = {"time", "timeit", "capture", "prun", "memit", "mprun", "lprun"}
# The class that a cell's functions are added to, with jdc's `%%add_to TwoLayerNet`.
_DOTTED = re.compile(r"[^\W\d]\w*+(?:\.[^\W\d]\w*+)*+")
_CELL_MAGIC = re.compile(r"\s*%%(?P<name>\w+)(?P<rest>.*)")
# None of these can begin a statement of Python. The last alternative is IPython's help, `np.dot?`.
_LINE_MAGIC = re.compile(r"[ \t]*+(?:[%!?]|[^\s\"'#?][^\"'#?]*+\?{1,2}[ \t]*+$)")
_ASSIGNED_MAGIC = re.compile(r"(?P<to>[ \t]*+[^\W\d]\w*+(?:[ \t]*+,[ \t]*+[^\W\d]\w*+)*+)[ \t]*+=[ \t]*+(?:!|%(?!=))")


@dataclass(frozen=True)
class Cell:
    """One code cell, or a whole .py file, as Python."""

    label: str
    source: str
    written_for: str = ""  # the version of Python that its notebook names
    original: str = ""  # what was handed in, where a part was replaced by what raises an error


@dataclass(frozen=True)
class Translated:
    """A cell's text without IPython's own syntax."""

    source: str
    magics: int  # how many lines were replaced
    writes: str = ""  # the file that %%writefile makes of this cell
    appends: bool = False  # %%writefile -a


def translate(source: str) -> Translated:
    """Return a code cell with IPython's own syntax replaced by Python.

    A line magic (``%``, ``!``, ``?``) becomes ``pass``, ``x = !ls`` becomes ``x = None``. ``%%time`` and its like keep
    their body, ``%%writefile`` gives a file's text, ``%%add_to TwoLayerNet`` adds lines at the end that make methods of
    the cell's functions, any other cell magic drops the cell.
    """
    lines = source.split("\n")
    first = next((number for number, line in enumerate(lines) if line.strip()), 0)
    # As IPython does with a method pasted into a cell of its own.
    indent = indent_of(lines[first])
    lines = [line.removeprefix(indent) for line in lines]
    magics, added_to = 0, ""
    while cell_magic := _CELL_MAGIC.match(lines[first]) if first < len(lines) else None:
        magics += 1
        lines[first] = ""
        name, rest = cell_magic["name"], cell_magic["rest"].split()
        if name in {"writefile", "file"} and rest:
            return Translated("\n".join(lines), magics, writes=rest[-1].strip("\"'"), appends="-a" in rest)
        if name == "add_to" and _DOTTED.fullmatch(" ".join(rest)):
            added_to = rest[0]
        elif name not in _BODY_STAYS:
            return Translated("\n" * (len(lines) - 1), magics)
        first = next((number for number, line in enumerate(lines) if line.strip()), len(lines))
    magics += _replace_line_magics(lines)
    if added_to:
        with suppress(SubmissionError):  # told when it is parsed again
            names = [node.name for node in parse_or_salvage("\n".join(lines), "").body if isinstance(node, FUNCTIONS)]
            lines += [f"{added_to}.{name} = {name}" for name in dict.fromkeys(names)]
    return Translated("\n".join(lines), magics)


def _replace_line_magics(lines: list[str]) -> int:
    """Replace magics only where a statement begins: `% b` may continue an expression or be part of a text."""
    replaced, depth, quote, continued, in_magic = 0, 0, "", False, False
    for number, line in enumerate(lines):
        if in_magic:
            lines[number], in_magic = "", line.endswith("\\")
            continue
        if not (depth or quote or continued):
            python = _python_in_place_of(line)
            if python is not None:
                lines[number], in_magic = python, line.endswith("\\")
                replaced += 1
                continue
        depth, quote, continued = track_brackets(line, depth, quote)
    return replaced


def _python_in_place_of(line: str) -> str | None:
    """Return the Python line in a magic's place, or None where the line is none."""
    if assigned := _ASSIGNED_MAGIC.match(line):
        return assigned["to"].replace(",", " =") + " = None"
    if _LINE_MAGIC.match(line):
        return indent_of(line) + "pass"
    return None
