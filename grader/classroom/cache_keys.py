"""Keys of everything that a grading depends on. With the same key there is no reason to grade again."""

from __future__ import annotations

import ast
import hashlib
import json
import platform
import re
from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from pathlib import Path

import numpy as np

from grader import __version__
from grader.disk_cache import keep
from grader.model import Assignment, Call, Questions, seed_id
from grader.packing import lay_out
from grader.records import dataclass, fields, replace

JUDGING = "judging"
_SENTENCE = re.compile(r"\w \w.*[.?!]$", re.DOTALL)
# Of an assignment: what scoring reads, and judging does not; and tolerances, of which findings say where they may lie.
_IN_WORDS = {"folder", "title", "digest", "late", "checks", "tolerances"}
_HERE = Path(__file__).resolve().parents[1]
_MISTAKES = _HERE.parent / "reference" / "mistakes"  # where the known mistakes have their titles and hints


@dataclass(frozen=True)
class CacheKey:
    """Everything that one grading depended on; digests are in hexadecimal."""

    submission_digest: str  # "" where nothing could be read
    assignment_digest: str
    seed_id: str  # tells seeds apart without giving them away
    questions: str  # digest of all that the student's process was asked, and of its limits
    versions: str  # JSON: grader, python, numpy, and "judging", which changes with any line that judges
    isolated: bool  # false where --unsafe was given

    def same_run(self, other: CacheKey) -> bool:
        """Return whether a run would ask the same questions; then saved replies need only be judged again."""
        return self._of_the_run() == other._of_the_run()

    def _of_the_run(self) -> CacheKey:
        kept = {name: version for name, version in json.loads(self.versions).items() if name != JUDGING}
        return replace(self, assignment_digest="", versions=dump_versions(kept))


def cache_key(assignment: Assignment, seed: int, calls: Sequence[Call], *, isolated: bool) -> CacheKey:
    """Return the key of a grading, still without a submission."""
    return CacheKey("", assignment.digest, seed_id(seed), digest_questions(assignment, calls), versions(), isolated)


def digest_questions(assignment: Assignment, calls: Sequence[Call]) -> str:
    """Return the digest of what the replies depend on besides the submission: calls, limits, and names that students are given."""
    methods = assignment.variant.methods
    asked = (tuple(calls), assignment.limits, assignment.class_name, methods, assignment.notebook)
    return hashlib.sha256(lay_out(asked)).hexdigest()


def versions() -> str:
    """Return this system's versions of everything that a grading depends on."""
    found = {"grader": __version__, "numpy": np.__version__, "python": platform.python_version()}
    return dump_versions({**found, JUDGING: _judging()})


@cache
def _judging() -> str:
    """Return the digest of the judging code: the checks, the known mistakes with their hints, and the reference."""
    files = [*_finding_files(), _HERE / "score.py", _HERE / "compose.py", _HERE / "remarks.py"]
    return _digest((file, file.read_bytes()) for file in files)[:12]


def questions_key(assignment: Assignment, seed: int) -> Sequence[object]:
    """Return all that questions and their right answers depend on."""
    data = {file.name: file.read_bytes() for file in sorted(assignment.folder.glob("data/*.npz"))}
    held = [(name, hashlib.sha256(content).hexdigest()) for name, content in data.items()]
    return ["questions", seed_id(seed), _in_numbers(assignment), held, versions()]


def _in_numbers(assignment: Assignment) -> list[object]:
    """Return what judging reads of an assignment; of its tolerances those that errors are not held to."""
    numbers = [getattr(assignment, field.name) for field in fields(assignment) if field.name not in _IN_WORDS]
    return [*numbers, assignment.tolerances.floor, assignment.tolerances.step]


def findings_key(assignment: Assignment, questions: Questions) -> str:
    """Return the digest of all that findings depend on besides replies, questions, and the tolerances that have ranges.

    While it stays the same, and these tolerances in their ranges, saved findings are still right. An edit of points, of the
    late policy, or of a mistake's title or hint does not change it; any other edit does.
    """
    families = questions.catalogue.families if questions.catalogue else ()
    forms = (*(questions.catalogue.forms if questions.catalogue else ()), *(one.form for one in families))
    known = [
        (one.id, one.stage, one.charged, one.about, sorted(one.steps), one.harmless, one.shows_in) for one in forms
    ]
    numbers = [(one.low, one.high, one.guesses) for one in families]
    rows = [row.id for row in assignment.checks]
    depends = (rows, _in_numbers(assignment), known, numbers, _found_by_code(), _others())
    return hashlib.sha256(lay_out(depends)).hexdigest()


@cache
def _found_by_code() -> str:
    """Return the digest of all code that makes findings, without the texts of known mistakes."""
    files = {file: file.read_bytes() for file in _finding_files()}

    def make() -> str:
        return _digest(
            (file, _without_sentences(source) if file.parent == _MISTAKES else source) for file, source in files.items()
        )

    # To parse the mistakes takes 70 ms; what comes of it depends on Python, which parses and dumps.
    kept: str = keep(["code that makes findings", platform.python_version(), _digest(files.items())], make)
    return kept


def _others() -> dict[str, str]:
    return {name: version for name, version in json.loads(versions()).items() if name != JUDGING}


def _finding_files() -> list[Path]:
    rooms = [_HERE / "checks", _HERE / "diagnosis", _HERE / "locate", _HERE.parent / "reference"]
    return [_HERE / "grading.py", _HERE / "compare.py", *(one for room in rooms for one in room.rglob("*.py"))]


def _without_sentences(source: bytes) -> bytes:
    """Return the source of a file of mistakes without titles and hints.

    These are texts of several words that are assigned to a name, or passed to a function that the file defines. A text
    such as "ij, jk -> ik" that is passed to numpy stays.
    """
    tree = ast.parse(source)
    named = [statement.value for statement in tree.body if isinstance(statement, ast.Assign)]
    handed = [
        argument
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)
        for argument in (*node.args, *(keyword.value for keyword in node.keywords))
    ]
    for text in (*named, *handed):
        if isinstance(text, ast.Constant) and isinstance(text.value, str) and _SENTENCE.search(text.value):
            text.value = " "
    return ast.dump(tree).encode()


def _digest(files: Iterable[tuple[Path, bytes]]) -> str:
    """Return the digest of files with their names."""
    digest = hashlib.sha256()
    for file, content in sorted(files):
        digest.update(file.relative_to(_HERE.parent).as_posix().encode() + b"\0" + content + b"\0")
    return digest.hexdigest()


def dump_versions(versions: Mapping[str, str]) -> str:
    """Return versions as the text that the gradebook keeps."""
    return json.dumps(dict(sorted(versions.items())))
