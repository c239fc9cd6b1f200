"""One student's data taken out of a class: from the gradebook, its copies, and every file of the class's folder."""

from __future__ import annotations

import csv
import io
import re
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from grader.classroom.gradebook import Gradebook
from grader.classroom.output import PAGE, SIMILAR, TABLE, explain_full_disk, folder_of, write_overview
from grader.classroom.regrade_class import TABLE as REGRADED
from grader.classroom.results import ClassResults
from grader.classroom.safety_copy import forget_in_copy
from grader.classroom.schema import erase
from grader.classroom.storage import COPY, FILE, write_text
from grader.model import Student
from grader.reports.formats import CLASS_FORMATS

EXPORTS = "exports"  # where `grader export` writes, unless it is told otherwise


@dataclass(frozen=True)
class Forgotten:
    """What was taken out, and what is left that the grader does not own or cannot change."""

    source: Path  # what was handed in: it stays where it is
    student: Student | None  # whose line of the roster was taken out as well
    removed: tuple[Path, ...]  # files of the whole class, which the same commands write anew
    left: tuple[Path, ...]  # files of the folder that still hold the name


def forget(book: Gradebook, name: str, who: str) -> Forgotten:
    """Take a submission and its student's line of the roster out of a class, and keep a note of when and by whom.

    Files come first and the gradebook last: where it is stopped in between, the same command goes on.
    """
    out, source = book.path.parent, Path(book.sources()[name])
    standings = ClassResults(book).sheet({})[0].standings
    student = next((one.student for one in standings if one.report.submission == name), None)
    with explain_full_disk(out):
        whole = [out / EXPORTS / form.file_name for form in CLASS_FORMATS.values()]
        removed = [path for path in (*whole, out / SIMILAR) if path.exists()]
        for path in (*removed, out / PAGE, out / CLASS_FORMATS[TABLE].file_name, folder_of(out, name)):
            _remove(path)
        _drop_row(out / REGRADED, name)
        forget_in_copy(out / COPY, name, student)
        for path in out.glob(f"{FILE}.version-*"):
            with closing(sqlite3.connect(path, isolation_level=None)) as database:
                erase(database, name, student)
        book.forget(name, student, who)
        write_overview(out, ClassResults(book).sheet({})[0])
    return Forgotten(source, student, tuple(removed), tuple(_still_named(out, name, student)))


def _remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def _drop_row(path: Path, name: str) -> None:
    """Write a table of the folder without a submission's row."""
    if path.exists():
        rows = csv.reader(io.StringIO(path.read_text(encoding="utf-8"), newline=""))
        text = io.StringIO(newline="")
        csv.writer(text, lineterminator="\n").writerows(row for row in rows if row[:1] != [name])
        write_text(path, text.getvalue())


def _still_named(out: Path, name: str, student: Student | None) -> Iterator[Path]:
    """Return the files that hold a name of the student's: what a person wrote or put there is not ours to change."""
    names = {name, *((student.name, student.login, student.email, student.github) if student else ())} - {""}
    named = re.compile(b"|".join(rb"(?<!\w)%b(?!\w)" % re.escape(one.encode("utf-8", "replace")) for one in names))
    yield from (path for path in sorted(out.rglob("*")) if path.is_file() and named.search(path.read_bytes()))
