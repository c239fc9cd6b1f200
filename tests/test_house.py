"""The house holds: a file imports from lower floors only, and the visible top level is what design says."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent

# The higher the number, the more a file may import; rooms of one floor keep to themselves.
FLOORS = {
    "grader": 0,
    "grader.records": 1,
    "grader.compare": 2,
    "grader.decisions": 2,
    "grader.assignment": 2,
    "grader.submission": 2,
    "grader.student": 2,
    "grader.report": 2,
    "grader.checks": 2,
    "grader.kit": 2,
    "grader.similarity": 2,
    "grader.diagnosis": 3,
    "grader.locate": 3,
    "grader.sheets": 3,
    "grader.scoring": 3,
    "grader.judge": 4,
    "grader.checkup": 4,
    "grader.pipeline": 5,
    "grader.classroom": 6,
    "grader.audit": 7,
    "grader.demo": 7,
    "grader.cli": 8,
    "grader.__main__": 9,
}
# What stands in for loss() and predict() is run with the student, and works out here what it must have answered.
STAND_IN = "grader.student.stand_in"
# What a room of floor 2 may import besides records: comparing is the checks' trade.
ALSO = {"grader.checks": {"grader.compare", STAND_IN}, "grader.locate": {STAND_IN}}
# Alone with the student: nothing of ours but each other.
ALONE = {
    "worker",
    "lockdown",
    "landlock",
    "seccomp",
    "syscalls",
    "terms",
    "wire",
    "zygote",
    "newborn",
    "standins",
    "answering",
    "loading",
    "recording",
    "witness",
    "values",
    "stand_in",
    "watching",
}
# Inside a room: each file may import those before it.
DIAGNOSIS = ["traces", "cast", "tables", "fitting", "inquiry", "search", "charges", "causes", "review", "__init__"]
LOCATE = [
    "statements",
    "recorded",
    "case",
    "recognise",
    "outputs",
    "replacing",
    "spotted",
    "ancestry",
    "reading",
    "shared_lines",
    "missing_steps",
    "changed_inputs",
    "stopping",
    "answers",
    "loss",
    "iterations",
    "training_lines",
    "batches",
    "decay",
    "histories",
    "train",
    "predict",
    "locate",
    "differences",
    "words",
    "rows",
    "wrong_in_loss",
    "rows_of_loss",
    "rows_of_train",
    "rows_of_predict",
    "table",
    "passes",
    "withholding",
    "__init__",
]
CHECKS = [
    "rounding",
    "evidence",
    "losses",
    "given",
    "array_differences",
    "describe_difference",
    "forward",
    "gradients",
    "final_scores",
    "watched",
    "whole_runs",
    "trainable",
    "minibatch",
    "prediction",
    "training",
    "histories",
    "learning",
    "tuning",
    "__init__",
]


def imports(path: Path) -> set[str]:
    """Give the dotted names that a file imports from the project, wherever in the file they stand."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            # `worker` and its like import each other relatively: the zygote loads them under another name.
            base = ".".join(path.relative_to(ROOT).parts[: -node.level]) if node.level else ""
            module = ".".join(part for part in (base, node.module or "") if part)
            found.add(module)
            found |= {
                f"{module}.{alias.name}" for alias in node.names if f"{module}.{alias.name}" in FLOORS or node.level
            }
    return {name for name in found if name.split(".")[0] in {"grader", "reference", "assignment"}}


def room(name: str) -> str:
    """Give the room in which a dotted name lives."""
    parts = name.split(".")
    return ".".join(parts[:2]) if ".".join(parts[:2]) in FLOORS else parts[0]


def modules(folder: str) -> list[Path]:
    """Give the Python files of a top-level folder."""
    return sorted((ROOT / folder).rglob("*.py"))


def dotted(path: Path) -> str:
    """Give a file's dotted name."""
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


@pytest.mark.parametrize("path", modules("grader"), ids=dotted)
def test_a_file_imports_from_lower_floors_only(path):
    """Data goes one way; an import upwards or sideways would let it go back."""
    here = room(dotted(path))
    for name in imports(path):
        there = room(name)
        if there in {here, "grader"}:
            continue
        if there == "reference":
            assert dotted(path) == "grader.classroom.answers", f"{dotted(path)} imports the answers: {name}"
            continue
        lower, also = FLOORS[there] < FLOORS[here], tuple(ALSO.get(here, ()))
        assert lower or name.startswith(also), f"{dotted(path)} imports {name}, which is no floor below"


@pytest.mark.parametrize("path", modules("grader/student"), ids=dotted)
def test_what_is_alone_with_the_student_imports_nothing_else(path):
    """The student's process must hold no answer and no secret, so its files may not even name one."""
    if path.stem not in ALONE:
        pytest.skip("our end of the wire")
    for name in imports(path):
        assert room(name) == "grader.student", f"{path.name} imports {name}"
        assert name.split(".")[2:3] == [] or name.split(".")[2] in ALONE, f"{path.name} imports {name}"


@pytest.mark.parametrize("path", modules("reference"), ids=dotted)
def test_the_reference_imports_records_only(path):
    """The reference knows records, and how stand-ins answer; calibrate is a command and may read the assignment."""
    allowed = {"grader.records"} | ({"grader.assignment", "grader.checks"} if path.stem == "calibrate" else set())
    for name in imports(path):
        known = name.startswith(("reference", STAND_IN)) or room(name) in allowed
        assert known, f"{dotted(path)} imports {name}"


@pytest.mark.parametrize(
    "path", [*modules("grader/checks"), *modules("grader/diagnosis"), *modules("grader/locate")], ids=dotted
)
def test_files_of_a_room_import_those_before_them(path):
    """Inside these rooms there is one order as well: evidence first, tuning last; traces first, charges last."""
    order = {"checks": CHECKS, "diagnosis": DIAGNOSIS, "locate": LOCATE}[path.parent.name]
    place = order.index(path.stem)
    for name in imports(path):
        if room(name) == room(dotted(path)) and len(name.split(".")) > 2:
            assert order.index(name.split(".")[2]) < place, f"{path.name} imports {name}"


def test_the_visible_top_level_is_six_things():
    """Whoever opens the repository sees six things."""
    visible = {path.name for path in ROOT.iterdir() if not path.name.startswith(".")}
    built = {"graded", "demo", "dist", "build"}
    assert visible - built == {"README.md", "pyproject.toml", "grader", "assignment", "reference", "tests"}
