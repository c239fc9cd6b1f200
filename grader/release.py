"""Build what students get from the solution: the notebook with its marked regions and stored outputs taken out."""

import json
from pathlib import Path
from typing import Any

BEGIN, END = "### BEGIN SOLUTION", "### END SOLUTION"
PLACEHOLDER = "# YOUR CODE"


class ReleaseError(Exception):
    """The solution notebook cannot be stripped; the text says where and why."""


def strip_regions(source: str, where: str) -> str:
    """Take the marked regions out of one cell's source.

    Raises ReleaseError where a region is not closed, not opened, or opened twice: a half-stripped solution
    would be handed to a whole class.
    """
    kept: list[str] = []
    opened = 0
    for number, line in enumerate(source.splitlines(), start=1):
        mark = line.strip()
        if mark == BEGIN:
            if opened:
                raise ReleaseError(f"{where}, line {number}: {BEGIN} again, before the region of line {opened} ended.")
            opened = number
            kept.append(line[: len(line) - len(line.lstrip())] + PLACEHOLDER)
        elif mark == END:
            if not opened:
                raise ReleaseError(f"{where}, line {number}: {END} without {BEGIN} before it.")
            opened = 0
        elif "BEGIN SOLUTION" in line or "END SOLUTION" in line:
            raise ReleaseError(f"{where}, line {number}: found {mark!r}; a mark is exactly {BEGIN!r} or {END!r}.")
        elif not opened:
            kept.append(line)
    if opened:
        raise ReleaseError(f"{where}: the region of line {opened} has no {END}.")
    return "\n".join(kept)


def build_release(solution: Path) -> str:
    """Return the text of the students' notebook."""
    try:
        notebook = json.loads(solution.read_text(encoding="utf-8"))
        cells = [strip_cell(cell, f"cell {number}") for number, cell in enumerate(notebook["cells"], start=1)]
    except OSError as error:
        raise ReleaseError(f"{solution}: cannot be read ({error.strerror}).") from error
    except (ValueError, KeyError, TypeError) as error:
        raise ReleaseError(f"{solution}: this is not a notebook of version 4. Save it with JupyterLab.") from error
    # Laid out as Jupyter does, so that a student's first save changes nothing.
    return json.dumps({**notebook, "cells": cells}, indent=1, ensure_ascii=False, sort_keys=True) + "\n"


def strip_cell(cell: dict[str, Any], where: str) -> dict[str, Any]:
    """Return a cell without its marked regions and its outputs."""
    if cell["cell_type"] != "code":
        return cell
    source = strip_regions("".join(cell["source"]), where).splitlines(keepends=True)
    return {**cell, "source": source, "outputs": [], "execution_count": None}
