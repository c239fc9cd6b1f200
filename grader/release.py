"""Build what students get from the solution: the notebook with its marked regions and stored outputs taken out."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import nbformat
from nbconvert.exporters import NotebookExporter
from nbconvert.preprocessors import ClearOutputPreprocessor, Preprocessor
from traitlets.config import Config

BEGIN, END = "### BEGIN SOLUTION", "### END SOLUTION"
PLACEHOLDER = "# YOUR CODE"


class ReleaseError(Exception):
    """The solution notebook cannot be stripped; the text says where and why."""


class StripSolution(Preprocessor):
    """Replace each marked region with a comment, at the region's indentation."""

    def preprocess_cell(self, cell: Any, resources: Any, index: int) -> tuple[Any, Any]:
        """Strip one cell; nbconvert calls this for each."""
        if cell.cell_type == "code":
            cell.source = strip_regions(cell.source, f"cell {index + 1}")
        return cell, resources


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
        notebook = nbformat.read(solution, as_version=4)
    except OSError as error:
        raise ReleaseError(f"{solution}: cannot be read ({error.strerror}).") from error
    config = Config()
    config.NotebookExporter.preprocessors = [ClearOutputPreprocessor, StripSolution]
    text, _ = NotebookExporter(config=config).from_notebook_node(notebook)
    if not isinstance(text, str):
        raise ReleaseError(f"{solution}: nbconvert gave {type(text).__name__}, not text.")
    return text.rstrip("\n") + "\n"
