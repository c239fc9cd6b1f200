"""What a grading depends on: with the same basis there is no reason to grade again."""

from __future__ import annotations

import hashlib
import json
import platform
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from grader import __version__
from grader.classroom.packing import laid_out
from grader.records import Assignment, Call

# A seed has 32 bits: a plain hash of it would be undone in seconds, by trying all. This one takes 50 ms a seed, 7 years for all.
_SLOW = {"n": 2**14, "r": 8, "p": 1, "maxmem": 64 << 20, "dklen": 8}
_SALT = b"twolayer-grader seed id"


@dataclass(frozen=True)
class Basis:
    """What one grading depended on; digests are in hexadecimal."""

    submission_digest: str  # "" where nothing could be read
    assignment_digest: str
    seed_id: str  # tells seeds apart without giving them away
    questions: str  # digest of all that the student's process was asked, and of its limits
    versions: str  # JSON: grader, python, numpy
    isolated: bool  # false where --unsafe was given

    def same_run(self, other: Basis) -> bool:
        """Tell whether the student's process would be asked the same: then saved replies need only be judged again."""
        return replace(self, assignment_digest="") == replace(other, assignment_digest="")


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
    return in_json({"grader": __version__, "numpy": np.__version__, "python": platform.python_version()})


def in_json(versions: Mapping[str, str]) -> str:
    """Write versions as the gradebook keeps them."""
    return json.dumps(dict(sorted(versions.items())))
