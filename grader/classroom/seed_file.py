"""The secret seed of a class: drawn when the class is first graded, and saved beside the gradebook for its owner alone.

It is read and written only while the gradebook is open for writing, so two graders never draw one each.
"""

import os
import secrets
from collections.abc import Collection, Mapping
from contextlib import suppress
from pathlib import Path

from grader.classroom.gradebook import FILE as GRADEBOOK
from grader.classroom.gradebook import Gradebook, GradebookError, GradingRow
from grader.classroom.storage import write_whole
from grader.model import seed_id
from grader.records import dataclass
from grader.text.phrases import join_some, plural

FILE = "secret-seed.txt"
MOST_DIGITS = 4300  # Python takes no longer text for a number
BITS = 128  # too many to try them all, even for someone who has seen questions

_DRAWN = "The questions are drawn from this class's own secret seed. It is saved in"
_PUBLIC = (
    "This class was graded with the public seed, which students may know, and keeps it."
    " `grader grade --seed N` gives it a secret one and grades everything again."
)
_LEAKED = "Anyone who read it can work out the questions. `grader grade --seed N` gives the class a new seed."
_LOST = (
    f"This class was graded with its own seed, but {FILE}, where it is saved, is missing. Restore that file, or pass the seed"
    " with --seed. If the seed is lost, pass another one to `grader grade`: everything is graded again."
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
        given = secrets.randbits(BITS)
        remarks.append(f"{_DRAWN} {path}.")
    seed = _resume(last, kept, public) if given is None else given
    if given is None and seed == public:
        remarks.append(_PUBLIC)
    others = [name for name, row in last.items() if row.key.seed_id != seed_id(seed)]
    left = [name for name in others if name not in names]
    if left and seed != kept and _newest(last) != seed_id(seed):
        raise ValueError(
            "--seed: this class was graded with another seed, so all of it must be graded again. Missing here:"
            f" {join_some(left)}. Name these as well, or use another --out folder."
        )
    if len(others) > len(left):
        again = plural(len(others) - len(left), "submission")
        remarks.append(f"Graded with another seed before, and graded again now: {again}.")
    if left:
        remarks.append(f"Graded with another seed, and not among these: {join_some(left)}. Grade them again, too.")
    if seed != kept:
        _write(path, seed)
    return ChosenSeed(seed, tuple(remarks))


def choose_to_judge(book: Gradebook, public: int, given: int | None) -> ChosenSeed:
    """Return the seed of the questions that saved replies answer; an older class's is kept from now on.

    Raises GradebookError where the kept one cannot be read or is lost.
    """
    last, path = book.last(), book.path.with_name(FILE)
    kept, remarks = _read(path)
    seed = _resume(last, kept, public) if given is None else given
    if kept is None and _newest(last) == seed_id(seed):
        _write(path, seed)
    return ChosenSeed(seed, tuple(remarks))


def choose_to_package(folder: Path, public: int, given: int | None) -> ChosenSeed:
    """Return the seed of questions that another machine asks, and keep it in a folder: the kept, the given or a new one.

    Raises GradebookError where the kept one cannot be read, and ValueError for a public seed or another one than is kept.
    """
    path = folder / FILE
    kept, remarks = _read(path)
    if kept is not None and given not in {None, kept}:
        raise ValueError(f"--seed: {path} keeps another seed, which stays. Name a file in another folder with --out.")
    if kept is None and (folder / GRADEBOOK).exists():
        raise ValueError(f"--out: the class in {folder} has no secret seed in {FILE}. Name a file in another folder.")
    seed = next(one for one in (kept, given, secrets.randbits(BITS)) if one is not None)
    if seed == public:
        raise ValueError("--seed: students may know the assignment's own seed. Without --seed, a secret one is drawn.")
    if kept is None:
        _write(path, seed)
        remarks = [f"{_DRAWN} {path}."]
    return ChosenSeed(seed, tuple(remarks))


def _resume(last: Mapping[str, GradingRow], kept: int | None, public: int) -> int:
    """Return the kept seed; without one, the public seed where the class was graded from that, and never in its place."""
    if kept is None and last and _newest(last) != seed_id(public):
        raise GradebookError(_LOST)
    return public if kept is None else kept


def _newest(last: Mapping[str, GradingRow]) -> str:
    """Return the ID of the seed of the latest grading, "" where nothing is graded yet."""
    return max(last.values(), key=lambda row: row.id).key.seed_id if last else ""


def _read(path: Path) -> tuple[int | None, list[str]]:
    """Return the kept seed, None where there is none, and a remark where others can read it."""
    try:
        words, remarks = path.read_bytes().split(), _close_to_others(path)
    except FileNotFoundError:
        return None, []
    except OSError as error:
        raise GradebookError(
            f"{path}: {error.strerror}. It holds the secret seed of this class: make it a file that you can read."
        ) from error
    if (
        len(words) == 2
        and words[0].isdigit()
        and len(words[0]) <= MOST_DIGITS
        and _format_line(int(words[0])).split() == words
    ):
        return int(words[0]), remarks
    raise GradebookError(
        f"{path} is damaged: it should hold the secret seed of this class and the seed's ID. Restore it from a copy. If you"
        " have none, delete it and pass the seed with --seed. With another seed, `grader grade` grades everything again."
    )


def _close_to_others(path: Path) -> list[str]:
    """Let only the owner read the file; return a remark where that was not so."""
    if os.name != "posix" or not path.stat().st_mode & 0o077:
        return []
    with suppress(PermissionError):
        path.chmod(0o600)
    if path.stat().st_mode & 0o077:
        return [
            f"{path}: others can read it, and this file system does not let you change that. Keep students out. {_LEAKED}"
        ]
    return [f"{path}: others could read it. Now only you can. {_LEAKED}"]


def _write(path: Path, seed: int) -> None:
    """Keep a seed, before the first grading is kept: that one cannot be judged again without it. Raises OSError."""
    write_whole(path, _format_line(seed), secret=True)


def _format_line(seed: int) -> bytes:
    """Return what the file holds; the ID tells a seed with a lost or changed digit."""
    return f"{seed} {seed_id(seed)}\n".encode()
