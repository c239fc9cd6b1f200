"""The pages, tables and exports of a graded class. Each file is written completely or not at all."""

import hashlib
import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path

from grader.classroom.gradebook import NoSpaceError
from grader.classroom.storage import means_full, write_whole
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


def write_overview(out: Path, sheet: Sheet) -> None:
    """Write the class page and the table."""
    for name, text in CLASS_FORMATS[TABLE].write(sheet, ExportOptions()).items():
        write_whole(out / name, text)
    compared = _beginning(out / SIMILAR)
    stale = compared_of(sheet) not in compared
    write_whole(out / PAGE, to_index(sheet, similar=SIMILAR if compared else "", stale=stale))


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
        if means_full(error):
            raise NoSpaceError(f"{out}: the disk is full.") from error
        raise


# ---------------------------------------------------------------- exports


def write_export(target: Path, name: str, files: Mapping[str, str | bytes]) -> list[str]:
    """Write an export's files, by their places in the folder `target`. Raises OSError.

    name : of the format's one file, or of the folder that all its files are in. What an earlier export wrote into this
    folder is removed, unless somebody changed it since. Returns the names of all other files in it.
    """
    if name not in files:
        _remove_earlier(target, name, files)
    for place, text in files.items():
        (target / place).parent.mkdir(parents=True, exist_ok=True)
        write_whole(target / place, text)
    found = (path for path in sorted((target / name).rglob("*")) if path.is_file())
    return [str(path.relative_to(target / name)) for path in found if path.relative_to(target).as_posix() not in files]


def list_records(target: Path) -> list[Path]:
    """Return the files that tell what was written into the folder of exports."""
    return [*target.glob(".*.written.json")]


def _remove_earlier(target: Path, name: str, files: Mapping[str, str | bytes]) -> None:
    """Remove what the last export wrote and this one does not, and note what this one writes."""
    folder, record = target / name, target / f".{name}.written.json"
    for place, digest in _read_record(record).items():
        path = target / place
        # Whoever may write here could name files elsewhere in the record.
        ours = path.parent.resolve().is_relative_to(folder.resolve()) and path.is_file() and not path.is_symlink()
        if place not in files and ours and _digest(path.read_bytes()) == digest:
            path.unlink()
            with suppress(OSError):  # other files are in it
                path.parent.rmdir()
    written = {place: _digest(text.encode() if isinstance(text, str) else text) for place, text in files.items()}
    write_whole(record, json.dumps(written))


def _read_record(record: Path) -> dict[str, str]:
    """Return the digest of each file that the last export wrote; nothing is known where the record is gone or damaged."""
    try:
        found = json.loads(record.read_bytes())
    except (FileNotFoundError, ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def _digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()
