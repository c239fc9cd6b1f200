"""The folders of a class in which students have different variants of the assignment."""

from pathlib import Path

from grader.model import Assignment, Variant
from grader.rubric import FILE as RUBRIC
from grader.rubric import load
from grader.score import KNOWN

ROSTER = "roster.csv"


def list_variants(folder: Path) -> dict[str, Path]:
    """Return the folder of each variant by its name; the folder itself, without a name, where it holds one assignment."""
    found = {path.parent.name: path.parent for path in sorted(folder.glob(f"*/{RUBRIC}"))}
    return found if found and (folder / ROSTER).is_file() and not (folder / RUBRIC).exists() else {"": folder}


def other_variants(assignment: Assignment) -> dict[str, Variant]:
    """Return the variants that others of the class have, by name. Raises AssignmentError."""
    found = {name: path for name, path in list_variants(assignment.folder.parent).items() if name}
    return {name: load(path, KNOWN).variant for name, path in found.items() if path != assignment.folder}
