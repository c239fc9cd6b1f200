"""The pages and tables in the folder of a graded class. Each file is written completely or not at all."""

from __future__ import annotations

import errno
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from grader.classroom.gradebook import NoSpaceError
from grader.classroom.storage import write_whole
from grader.classroom.worker import FAULT
from grader.model import Sheet
from grader.reports.class_page import to_index
from grader.reports.export_rows import ExportOptions
from grader.reports.formats import CLASS_FORMATS
from grader.reports.similar_page import compared_of

PAGE = "index.html"
EXPORTS, BLIND = "exports", "blind"  # folders of what `grader export` writes, unless it is told otherwise
SIMILAR = "similar.html"  # once somebody asked for it
ANNOTATED = "notebook.html"  # beside a report, where `grader grade --annotate` wrote it
TABLE = "gradebook"  # the one of CLASS_FORMATS that is always written


def folder_of(out: Path, name: str) -> Path:
    """Return the folder of a submission's reports."""
    return out / "submissions" / name


def write_submission(out: Path, name: str, files: Mapping[str, str]) -> None:
    """Write a submission's files."""
    folder = folder_of(out, name)
    if folder.is_symlink():
        folder.unlink()  # whoever may write here could have files elsewhere overwritten, with the grader's rights
    folder.mkdir(parents=True, exist_ok=True)
    if FAULT not in files:
        (folder / FAULT).unlink(missing_ok=True)
    (folder / ANNOTATED).unlink(missing_ok=True)  # it tells of the report before this one
    for file_name, text in files.items():
        write_whole(folder / file_name, text)


def write_overview(out: Path, sheet: Sheet) -> Path:
    """Write the class page and the table; return the page's path."""
    for name, text in CLASS_FORMATS[TABLE].write(sheet, ExportOptions()).items():
        write_whole(out / name, text)
    compared = _beginning(out / SIMILAR)
    stale = compared_of(sheet) not in compared
    write_whole(out / PAGE, to_index(sheet, similar=SIMILAR if compared else "", stale=stale))
    return out / PAGE


def _beginning(path: Path) -> str:
    """Return the beginning of a page, which says which hand-ins it is about; "" if there is no page."""
    if not path.is_file():
        return ""
    with path.open(encoding="utf-8", errors="replace") as file:
        return file.read(4096)


@contextmanager
def explain_full_disk(out: Path) -> Iterator[None]:
    """Raise NoSpaceError in place of an OSError that means a full disk."""
    try:
        yield
    except OSError as error:
        if error.errno in {errno.ENOSPC, errno.EDQUOT}:
            raise NoSpaceError(f"{out}: the disk is full.") from error
        raise
