"""One student's data taken out of a class: from the gradebook, its copies, and every file of the class's folder."""

import csv
import re
import shutil
import sqlite3
from collections.abc import Collection, Iterator
from contextlib import closing
from pathlib import Path

from grader.classroom.find_submissions import HANDED_IN
from grader.classroom.gradebook import Gradebook
from grader.classroom.match_roster import Matching
from grader.classroom.output import (
    BLIND,
    EXPORTS,
    PAGE,
    SIMILAR,
    TABLE,
    explain_full_disk,
    folder_of,
    list_records,
    write_overview,
)
from grader.classroom.regrade_class import TABLE as REGRADED
from grader.classroom.results import ClassResults
from grader.classroom.safety_copy import forget_in_copy
from grader.classroom.schema import erase
from grader.classroom.storage import COPY, FILE, write_whole
from grader.model import Student
from grader.records import dataclass
from grader.reports.formats import CLASS_FORMATS
from grader.text.csv_text import write_csv
from grader.text.sanitise import csv_cell


@dataclass(frozen=True)
class Forgotten:
    """What was taken out, and what is left that the grader does not own or cannot change."""

    names: tuple[str, ...]  # of the submission, and of the student's other hand-ins
    sources: tuple[Path, ...]  # what was handed in: it stays where it is
    student: Student | None  # whose line of the roster was taken out as well
    removed: tuple[Path, ...]  # files of the whole class, which the same commands write anew
    left: tuple[Path, ...]  # files of the folder that still hold the name


def forget(book: Gradebook, name: str, who: str) -> Forgotten:
    """Take a submission, its student's other hand-ins and line of the roster out of a class, and keep a note of it.

    Files come first and the gradebook last: where it is stopped in between, the same command goes on.
    """
    out, sources = book.path.parent, book.sources()
    names, student = _of_one_student(ClassResults(book).matching, name)
    with explain_full_disk(out):
        whole = [out / EXPORTS / form.file_name for form in CLASS_FORMATS.values()]
        removed = [path for path in (*whole, out / SIMILAR, out / BLIND) if path.exists()]
        # A class's zip is unpacked there: such a file is a copy, and the grader's own.
        own = [
            Path(sources[one]) for one in names if (out / HANDED_IN).resolve() in Path(sources[one]).resolve().parents
        ]
        own += [folder_of(out, one) for one in names]
        for path in (*removed, *list_records(out / EXPORTS), out / PAGE, out / CLASS_FORMATS[TABLE].file_name, *own):
            _remove(path)
        _drop_rows(out / REGRADED, names)
        forget_in_copy(out / COPY, names, student)
        for path in out.glob(f"{FILE}.version-*"):
            with closing(sqlite3.connect(path, isolation_level=None)) as database:
                erase(database, names, student)
        book.forget(names, student, who)
        write_overview(out, ClassResults(book).sheet())
    left = tuple(_still_named(out, names, student))
    return Forgotten(names, tuple(Path(sources[one]) for one in names), student, tuple(removed), left)


def _of_one_student(matching: Matching | None, name: str) -> tuple[tuple[str, ...], Student | None]:
    """Return all submissions of the student who handed this one in, this one first, and the student."""
    if matching is None:
        return (name,), None
    counts = matching.superseded.get(name, name)
    others = (counts, *(earlier for earlier, one in matching.superseded.items() if one == counts))
    return tuple(dict.fromkeys((name, *others))), matching.students.get(counts)


def _remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def _drop_rows(path: Path, names: Collection[str]) -> None:
    """Write a table of the folder without these submissions' rows."""
    if path.exists():
        header, *rows = csv.reader(path.read_text(encoding="utf-8").splitlines(keepends=True))
        cells = {csv_cell(name) for name in names}
        write_whole(path, write_csv(header, (row for row in rows if not cells & {*row[:1]})))


def _still_named(out: Path, submissions: Collection[str], student: Student | None) -> Iterator[Path]:
    """Return the files that hold a name of the student's: what a person wrote or put there is not ours to change."""
    names = {*submissions, *((student.name, student.login, student.email, student.github) if student else ())} - {""}
    named = re.compile(b"|".join(rb"(?<!\w)%b(?!\w)" % re.escape(one.encode("utf-8", "replace")) for one in names))
    yield from (path for path in sorted(out.rglob("*")) if path.is_file() and named.search(path.read_bytes()))
