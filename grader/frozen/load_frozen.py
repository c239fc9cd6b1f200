"""Read frozen questions, or say in one line why they cannot be used and how to mend it."""

import hashlib
import io
import struct
import tokenize
import zipfile
import zlib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from grader import __version__
from grader.frozen.frozen_catalogue import restore_catalogue
from grader.model import Array, Assignment, Floats, Oracle, QuestionId, Questions
from grader.packing import Apart, DamagedError
from grader.records import dataclass, replace
from grader.text.installed_files import read_installed

FILE = "public_questions.npz"
VERSION = 1  # of the file; another one is refused
KEPT_BACK = {"folder", "seed"}  # of the assignment: a path of the instructor's, and what all questions follow from
# What reading a damaged .npz raises.
_DAMAGE = (
    OSError, ValueError, TypeError, LookupError, EOFError, NotImplementedError, RuntimeError, MemoryError, SyntaxError,
    zipfile.BadZipFile, zlib.error, struct.error, tokenize.TokenError,
)  # fmt: skip


class FrozenError(Exception):
    """Frozen questions cannot be used; the text says why and how to mend it, in one line."""


@dataclass(frozen=True, eq=False)
class Frozen:
    """Frozen questions, as they were read.

    questions : without the mistakes, which only wrong programs ask for.
    """

    assignment: Assignment
    questions: Questions
    read_mistakes: Callable[[], bytes]

    def with_mistakes(self) -> Questions:
        """Return the questions with the mistakes beside them; raise FrozenError where these are damaged."""
        try:
            return replace(self.questions, catalogue=restore_catalogue(Apart(self.read_mistakes())))
        except (DamagedError, *_DAMAGE) as error:
            raise _of_another_version(self.assignment.folder / FILE) from error


def load_frozen(path: Path) -> Frozen:
    """Return the frozen questions in a file, or in a folder that `grader freeze` wrote to.

    Raises FrozenError.
    """
    try:
        file = path / FILE if path.is_dir() else path
        found = file.is_file()
    except OSError as error:
        raise FrozenError(f"{path}: it cannot be looked at ({error.strerror}). {_MEND}") from error
    if not found:
        raise FrozenError(f"{file}: there are no frozen questions. {_MEND}")
    data = _read(file, "questions")
    try:
        frozen = Apart(data).restore(0)
        assignment = Assignment(folder=file.parent, seed=0, **frozen["assignment"])
        questions = _restore(frozen)
    except (DamagedError, *_DAMAGE) as error:
        raise _of_another_version(file) from error
    return Frozen(assignment, questions, lambda: _read(file, "mistakes"))


def checksum(part: bytes) -> Array:
    """Return the SHA-256 of a part of the file, (32,) uint8."""
    return np.frombuffer(hashlib.sha256(part).digest(), np.uint8)


_FIT = "Install the wheel and get the file that your instructor gives out now."
_MEND = "Name the file that your instructor gave you with --questions, or install the grader again."


def _damaged(file: Path) -> FrozenError:
    return FrozenError(f"{file}: these frozen questions are damaged or were changed. Get the file again. {_MEND}")


def _of_another_version(file: Path) -> FrozenError:
    """Return what to say of a file whose checksums are right and whose records are not those of today."""
    return FrozenError(
        f"{file}: another version of the grader wrote these questions, and this is {__version__}. {_FIT}"
    )


def _read(file: Path, part: str) -> bytes:
    """Return one part of the file, once its version and its checksum are right."""
    try:
        # From memory: where the bytes are no archive, numpy leaves a file open.
        with np.load(io.BytesIO(read_installed(file)), allow_pickle=False) as loaded:
            version = int(loaded["version"])
            if version == VERSION:
                data = bytes(loaded[part])
                if not np.array_equal(loaded["checksums"][("questions", "mistakes").index(part)], checksum(data)):
                    raise _damaged(file)
                return data
    except PermissionError as error:
        raise FrozenError(
            f"{file}: you may not read it. Change its rights, or name another with --questions."
        ) from error
    except _DAMAGE as error:
        raise _damaged(file) from error
    raise FrozenError(f"{file}: these frozen questions have version {version}, and this grader reads {VERSION}. {_FIT}")


def _restore(found: Mapping[str, Any]) -> Questions:
    expected = {QuestionId.parse(call): answer for call, answer in found["expected"].items()}
    followed, answers = found["followed"], found["answers"]

    def follow(factor: float, replaced: Mapping[str, Floats], whole: bool) -> Mapping[str, Floats]:  # noqa: FBT001 -- of the record's type
        if replaced:
            raise ValueError("frozen questions do not know what follows from other values")
        values: Mapping[str, Floats] = followed[factor]
        return values if whole else {name: values[name] for name in answers}

    return Questions(found["calls"], expected, Oracle(follow=follow, replaces=False))
