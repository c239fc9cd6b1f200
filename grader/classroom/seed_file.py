"""The secret seed of a class: drawn when the class is first graded, and kept beside the gradebook for its owner alone.

It is read and written only while the gradebook is open to be written, so that no two graders draw one each.
"""

from __future__ import annotations

import os
import secrets
from collections.abc import Collection, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from grader.classroom.gradebook import Gradebook, GradebookError, GradingRow
from grader.model import seed_id
from grader.text.phrases import join_some

FILE = "secret-seed.txt"
MOST_DIGITS = 4300  # Python takes no longer text for a number
BITS = 128  # so many seeds that nobody tries them all, whatever of their questions he has seen

_DRAWN = "The questions are drawn from a secret seed of this class's own, kept in"
_PUBLIC = (
    "This class was graded from the public seed, which students may know, and stays with it:"
    " `grader grade --seed` with a secret one asks new questions."
)
_ANEW = "Whoever has read it knows the questions: `grader grade --seed` with another seed asks the class new ones."
_LOST = (
    f"This class was graded from a seed of its own, and {FILE}, which keeps it, is not beside the gradebook. Bring it back,"
    " or name that seed with --seed. `grader grade --seed` with another seed grades everything again."
)


@dataclass(frozen=True)
class ChosenSeed:
    """The seed of a class's questions, and what people should know of it."""

    seed: int
    remarks: tuple[str, ...] = ()


def choose_to_grade(book: Gradebook, public: int, given: int | None, names: Collection[str]) -> ChosenSeed:
    """Return the seed to grade these submissions from, and keep it: the given one, the kept one, or one that is drawn.

    public : the assignment's own, from which older classes were graded. Raises GradebookError where the kept one cannot
    be read or is lost, and ValueError where another one is given and not all of the class is graded again.
    """
    last, path = book.last(), book.path.with_name(FILE)
    kept, remarks = _read(path)
    if given is None and kept is None and not last:
        given, remarks = secrets.randbits(BITS), (*remarks, f"{_DRAWN} {path}.")
    seed = _resume(last, kept, public) if given is None else given
    if kept is None and given is None:
        remarks = (*remarks, _PUBLIC)
    others = [name for name, row in last.items() if row.key.seed_id != seed_id(seed)]
    left = [name for name in others if name not in names]
    if left and seed != kept and _newest(last) != seed_id(seed):
        raise ValueError(
            f"--seed {seed}: this class was graded from another seed, so that everything has to be graded again, and"
            f" {len(left)} of it are not among these ({join_some(left)}). Name them too, or grade into another folder."
        )
    if len(others) > len(left):
        remarks = (*remarks, f"{len(others) - len(left)} were graded from another seed, and are graded again.")
    if left:
        remarks = (*remarks, f"Still graded from another seed, and not among these: {join_some(left)}. Name them too.")
    if seed != kept:
        _write(path, seed)
    return ChosenSeed(seed, remarks)


def choose_to_judge(book: Gradebook, public: int, given: int | None) -> ChosenSeed:
    """Return the seed of the questions that saved replies answer; an older class's is kept from now on.

    Raises GradebookError where the kept one cannot be read or is lost.
    """
    last, path = book.last(), book.path.with_name(FILE)
    kept, remarks = _read(path)
    seed = _resume(last, kept, public) if given is None else given
    if kept is None and _newest(last) == seed_id(seed):
        _write(path, seed)
    return ChosenSeed(seed, remarks)


def _resume(last: Mapping[str, GradingRow], kept: int | None, public: int) -> int:
    """Return the kept seed; without one, the public seed where the class was graded from that, and never in its place."""
    if kept is None and last and _newest(last) != seed_id(public):
        raise GradebookError(_LOST)
    return public if kept is None else kept


def _newest(last: Mapping[str, GradingRow]) -> str:
    """Return the ID of the seed of the latest grading, "" where nothing is graded yet."""
    return max(last.values(), key=lambda row: row.id).key.seed_id if last else ""


def _read(path: Path) -> tuple[int | None, tuple[str, ...]]:
    """Return the kept seed, None where there is none, and a remark where others can read it."""
    try:
        words, remarks = path.read_bytes().split(), _close_to_others(path)
    except FileNotFoundError:
        return None, ()
    except OSError as error:
        raise GradebookError(
            f"{path}: {error.strerror}. It keeps the secret seed of this class: make it a file that you may read and write."
        ) from error
    if (
        len(words) == 2
        and words[0].isdigit()
        and len(words[0]) <= MOST_DIGITS
        and _format_line(int(words[0])).split() == words
    ):
        return int(words[0]), remarks
    raise GradebookError(
        f"{path}: it is damaged; expected are the secret seed of this class and its ID. Bring it back from a copy. Where"
        " there is none, take it away and name the seed with --seed; with another one everything is graded again."
    )


def _close_to_others(path: Path) -> tuple[str, ...]:
    """Let only the owner read the file; return a remark where that was not so."""
    if os.name != "posix" or not path.stat().st_mode & 0o077:
        return ()
    with suppress(PermissionError):
        path.chmod(0o600)
    if path.stat().st_mode & 0o077:
        return (
            f"{path} can be read by others, and that cannot be changed here: keep students out of its folder. {_ANEW}",
        )
    return (f"{path} could be read by others, and can be no more. {_ANEW}",)


def _write(path: Path, seed: int) -> None:
    """Keep a seed: the file is there whole or not at all, and never readable for others. Raises OSError."""
    partial = path.with_name(f".{path.name}.{os.getpid()}.part")
    partial.unlink(missing_ok=True)
    try:
        with os.fdopen(os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            file.write(_format_line(seed))
            file.flush()
            os.fsync(file.fileno())  # before the first grading is kept: that one cannot be judged again without it
        partial.replace(path)
    except OSError:
        partial.unlink(missing_ok=True)
        raise


def _format_line(seed: int) -> bytes:
    """Return what the file holds; the ID tells a seed with a lost or changed digit."""
    return f"{seed} {seed_id(seed)}\n".encode()
