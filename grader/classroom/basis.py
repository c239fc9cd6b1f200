"""What a grading depends on: with the same basis there is no reason to grade again."""

from __future__ import annotations

import hashlib
import json
import platform
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

import numpy as np

from grader import __version__
from grader.classroom.packing import laid_out
from grader.records import Assignment, Call

# A seed has 32 bits: a plain hash of it would be undone in seconds, by trying all. This one takes 50 ms a seed, 7 years for all.
_SLOW = {"n": 2**14, "r": 8, "p": 1, "maxmem": 64 << 20, "dklen": 8}
_SALT = b"twolayer-grader seed id"
JUDGING = "judging"


@dataclass(frozen=True)
class Basis:
    """What one grading depended on; digests are in hexadecimal."""

    submission_digest: str  # "" where nothing could be read
    assignment_digest: str
    seed_id: str  # tells seeds apart without giving them away
    questions: str  # digest of all that the student's process was asked, and of its limits
    versions: str  # JSON: grader, python, numpy, and "judging", which changes with any line that judges
    isolated: bool  # false where --unsafe was given

    def same_run(self, other: Basis) -> bool:
        """Tell whether the student's process would be asked the same: then saved replies need only be judged again."""
        return self._of_the_run() == other._of_the_run()

    def _of_the_run(self) -> Basis:
        kept = {name: version for name, version in json.loads(self.versions).items() if name != JUDGING}
        return replace(self, assignment_digest="", versions=in_json(kept))


def basis(assignment: Assignment, seed: int, calls: Sequence[Call], *, isolated: bool) -> Basis:
    """Give the basis of a grading of no submission yet."""
    return Basis("", assignment.digest, seed_id(seed), questions(assignment, calls), versions(), isolated)


def seed_id(seed: int) -> str:
    """Give what tells a seed from another, 16 hexadecimal digits."""
    return hashlib.scrypt(str(seed).encode(), salt=_SALT, **_SLOW).hex()


def questions(assignment: Assignment, calls: Sequence[Call]) -> str:
    """Give the digest of what decides the replies besides the submission: the calls, the limits, the class's name."""
    asked = (tuple(calls), assignment.limits, assignment.class_name, assignment.notebook)
    return hashlib.sha256(laid_out(asked)).hexdigest()


def versions() -> str:
    """Give the versions that decide a grading, as they are here."""
    found = {"grader": __version__, "numpy": np.__version__, "python": platform.python_version()}
    return in_json({**found, JUDGING: _judging()})


@cache
def _judging() -> str:
    """Give the digest of all that judges: the checks, the known mistakes with their hints, the reference."""
    here = Path(__file__).resolve().parents[1]
    rooms = [here / "checks", here / "diagnosis", here.parent / "reference"]
    files = [
        here / "judge.py",
        here / "compare.py",
        here / "pipeline.py",
        *(one for room in rooms for one in room.rglob("*.py")),
    ]
    digest = hashlib.sha256()
    for file in sorted(files):
        digest.update(file.relative_to(here.parent).as_posix().encode() + b"\0" + file.read_bytes() + b"\0")
    return digest.hexdigest()[:12]


def in_json(versions: Mapping[str, str]) -> str:
    """Write versions as the gradebook keeps them."""
    return json.dumps(dict(sorted(versions.items())))
