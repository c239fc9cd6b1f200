"""Where a quoted line stands in the file that was handed in, for readers that know files and no cells."""

import json
import re
from collections.abc import Iterator
from pathlib import Path

from grader.model import Place

LARGEST = 8 << 20  # bytes of a file
MOST_FILES = 200  # in a folder that is one submission
_CODE_CELL = re.compile(r'\s*"cell_type":\s*"code"')


def find_line(source: str, place: Place) -> tuple[str, int, int] | None:
    """Return file, line and column of a place, counted from 1; None where the file does not show it, or two do.

    The file is read by its lines, never as a notebook: its text is a student's. Only a line that holds what the report
    quotes counts.
    """
    cell = re.fullmatch(r"code cell (\d+)", place.label)
    found = []
    for path in _files(Path(source), ".ipynb" if cell else f"/{place.label}"):
        lines = path.read_text(encoding="utf-8", errors="replace").split("\n")
        number = _notebook_line(lines, int(cell[1]), place.line) if cell else place.line
        text = lines[number - 1].rstrip() if 0 < number <= len(lines) else ""
        column = len(text) - len(text.lstrip()) + 1
        if cell:
            inner = _string(text)
            column += 1 + len(inner) - len(inner.lstrip())
            text = inner.rstrip()
        if text.strip() and text.expandtabs(4).strip() == place.text.expandtabs(4).strip():
            found.append((path.as_posix(), number, column))
    return found[0] if len(found) == 1 else None


def _files(source: Path, end: str) -> Iterator[Path]:
    """Yield the files of a submission whose paths end so; no links, which could lead anywhere."""
    paths = sorted(source.rglob("*"))[: MOST_FILES * 10] if source.is_dir() else [source]
    few = [one for one in paths if f"/{one.as_posix()}".endswith(end) and one.is_file() and not one.is_symlink()]
    # Without Jupyter's copies, which lie in a hidden folder.
    few = [one for one in few if not any(part.startswith(".") for part in one.relative_to(source).parts)]
    yield from (one for one in few[:MOST_FILES] if one.stat().st_size <= LARGEST)


def _notebook_line(lines: list[str], cell: int, line: int) -> int:
    """Return the number of the line that should hold a line of a code cell; 0 where there is none."""
    starts = [number for number, text in enumerate(lines, 1) if _CODE_CELL.match(text)]
    if cell > len(starts):
        return 0
    for number in range(starts[cell - 1], len(lines)):
        if lines[number].strip() == '"source": [':
            return number + 1 + line
    return 0


def _string(text: str) -> str:
    """Return the text of a line that is one of a notebook's strings; "" of any other."""
    written = text.strip().removesuffix(",")
    if not (written.startswith('"') and written.endswith('"')):
        return ""
    try:
        return str(json.loads(written)).rstrip("\n")
    except ValueError:
        return ""
