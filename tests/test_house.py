"""The house holds: imports go down, files and functions are short, names and docstrings are plain, and the top level is small."""

import ast
import re
from collections import Counter
from functools import cache
from pathlib import Path

import pytest

from grader import __version__

ROOT = Path(__file__).resolve().parent.parent

# The higher the number, the more a file may import; rooms of one floor keep to themselves.
FLOORS = {
    "grader": 0,
    "grader.records": 0.5,
    "grader.model": 1,
    "grader.text": 2,
    "grader.limited_process": 2,
    "grader.compare": 3,
    "grader.rubric": 3,
    "grader.rubric_values": 2,
    "grader.submission": 3,
    "grader.sandbox": 3,
    "grader.release": 3,
    "grader.similarity": 3,
    "grader.apply_decisions": 3,
    "grader.checks": 4,
    "grader.packing": 4,
    "grader.disk_cache": 4.5,
    "grader.diagnosis": 6,
    "grader.score": 5,
    "grader.remarks": 5,
    "grader.reports": 5,
    "grader.frozen": 5,
    "grader.locate": 7,
    "grader.compose": 7,
    "grader.health": 7,
    "grader.grading": 8,
    "grader.classroom": 9,
    "grader.check_program": 9,
    "grader.integrations": 10,
    "grader.audit": 10,
    "grader.new_assignment": 10,
    "grader.demo": 10,
    "grader.cli": 11,
    "grader.__main__": 12,
}
# What stands in for loss() and predict() is run with the student, and works out here what it must have answered.
STAND_IN = "grader.sandbox.stand_in_replies"
# Alone with the student: nothing of ours but each other.
ALONE = {
    "worker_main",
    "lockdown",
    "landlock",
    "seccomp",
    "policy",
    "deadline",
    "preloaded_library",
    "protocol",
    "zygote",
    "loaded_submission",
    "memory_file",
    "scratch_files",
    "stubs",
    "replacements",
    "stub_modules",
    "bind_arguments",
    "older_names",
    "signatures",
    "dispatch",
    "exec_submission",
    "recording",
    "capture",
    "real_numbers",
    "values",
    "stand_in_replies",
    "method_stand_ins",
}
# Inside a room: each file may import those before it.
DIAGNOSIS = [
    "signature",
    "candidates",
    "signature_tables",
    "fitting",
    "compatibility_matrix",
    "match_block",
    "explanations",
    "attribute",
    "changed_names",
    "causes",
    "backward_pass",
    "diagnose",
    "__init__",
]
LOCATE = [
    "source_statements",
    "recorded_values",
    "recorded_case",
    "recognise",
    "outputs",
    "replacing",
    "read_loss",
    "wrong_values",
    "find_in_loss",
    "training_lines",
    "find_in_epochs",
    "find_in_train",
    "find_in_predict",
    "located",
    "differences",
    "kept_rows",
    "wrong_in_loss",
    "rows_of_loss",
    "rows_of_train",
    "rows_of_predict",
    "step_table",
    "passes",
    "locate",
    "__init__",
]
CHECKS = [
    "context",
    "registry",
    "formulas",
    "read_losses",
    "solved_arrays",
    "own_units",
    "given_gradients",
    "array_differences",
    "describe_difference",
    "forward",
    "gradients",
    "watched_training",
    "whole_runs",
    "preconditions",
    "minibatch",
    "prediction",
    "parameter_updates",
    "histories",
    "learning",
    "tuning",
    "__init__",
]

# Files above 300 lines, each with its reason. The list may only shrink.
LONG_FILES = {
    "grader/sandbox/recording.py": "one tracer that runs alone with the student",
    "reference/network.py": "the network and its steps",
}
LINES, FUNCTION_LINES = 300, 50
# A function does something, so its name is a verb phrase: `score`, not `scored`.
PARTICIPLES = re.compile(
    "_?(answered|asked|attached|chosen|closed|compared|counted|cut|decided|drawn|explained|fitted|followed|found|gathered"
    "|given|graded|joined|judged|kept|known|laid|led|listed|looked|made|matched|meant|moved|named|opened|packed|reached"
    "|restored|retold|rewritten|ruled|said|scored|seen|settled|shown|stopped|strayed|taken|told|traced|wrapped|written)"
)
# A docstring opens with what comes back ("Return ...") or with what is done; these words say neither.
RIDDLES = {"Give", "Gives", "Have", "Say", "Says", "Tell", "Tells", "What", "Whether", "Which", "Who", "Whose", "Why"}


@cache
def functions() -> list[tuple[str, ast.FunctionDef | ast.AsyncFunctionDef]]:
    """Return each function of the product with the name of its place, `grader.score:total`."""
    return [
        (f"{dotted(path)}:{node.name}", node)
        for path in (*modules("grader"), *modules("reference"))
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    ]


def imports(path: Path) -> set[str]:
    """Return the dotted names that a file imports from the project, wherever in the file they stand."""
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
    """Return the room in which a dotted name lives."""
    parts = name.split(".")
    return ".".join(parts[:2]) if ".".join(parts[:2]) in FLOORS else parts[0]


def modules(folder: str) -> list[Path]:
    """Return the Python files of a top-level folder."""
    return sorted((ROOT / folder).rglob("*.py"))


def dotted(path: Path) -> str:
    """Return a file's dotted name."""
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
        if (here, there) == ("grader", "grader.integrations"):
            continue  # `grader.check` and `%load_ext grader`: users' own door, which opens when it is asked for
        if there == "reference":
            assert dotted(path) == "grader.classroom.reference_api", f"{dotted(path)} imports the answers: {name}"
            continue
        assert FLOORS[there] < FLOORS[here], f"{dotted(path)} imports {name}, which is no floor below"


@pytest.mark.parametrize("path", [path for path in modules("grader/sandbox") if path.stem in ALONE], ids=dotted)
def test_what_is_alone_with_the_student_imports_nothing_else(path):
    """The student's process must hold no answer and no secret, so its files may not even name one."""
    for name in imports(path):
        assert room(name) == "grader.sandbox", f"{path.name} imports {name}"
        assert name.split(".")[2:3] == [] or name.split(".")[2] in ALONE, f"{path.name} imports {name}"


@pytest.mark.parametrize("path", modules("reference"), ids=dotted)
def test_the_reference_imports_records_only(path):
    """The reference knows records, words, and how stand-ins answer; calibrate is a command and may read the assignment."""
    allowed = {"grader.records", "grader.model"} | (
        {"grader.rubric", "grader.checks"} if path.stem == "calibrate" else set()
    )
    for name in imports(path):
        known = name.startswith(("reference", STAND_IN, "grader.text.variant_words")) or room(name) in allowed
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


def test_the_visible_top_level_holds_only_what_design_says():
    """Whoever opens the repository sees few things, each with a purpose of its own."""
    visible = {path.name for path in ROOT.iterdir() if not path.name.startswith(".")}
    built = {"graded", "demo", "dist", "build"}
    expected = {"README.md", "LICENSE", "pyproject.toml", "grader", "assignment", "reference", "findings", "tests"}
    assert visible - built == expected


def test_the_changelog_begins_with_the_version_of_today():
    """A new version has its entry."""
    assert (
        re.findall(r"^## \[(.+)\] - ", (ROOT / "grader" / "CHANGELOG.md").read_text(), re.MULTILINE)[0] == __version__
    )


def test_no_two_files_have_one_name():
    """Whoever looks for a file finds one; commands, which bear the user's words, are a room of their own."""
    paths = (*modules("grader"), *modules("reference"))
    names = Counter(
        path.stem for path in paths if path.stem not in {"__init__", "__main__"} and path.parent.name != "cli"
    )
    assert {name: count for name, count in names.items() if count > 1} == {}


def test_a_file_is_one_idea():
    """Whatever is longer than that stands in the list with its reason; what got shorter leaves the list."""
    paths = (*modules("grader"), *modules("reference"))
    lines = {str(path.relative_to(ROOT)): len(path.read_text(encoding="utf-8").splitlines()) for path in paths}
    assert {path for path, count in lines.items() if count > LINES} == set(LONG_FILES)


def test_a_function_fits_on_a_screen():
    """A longer one is two."""
    lengths = {place: node.end_lineno - node.lineno + 1 for place, node in functions()}
    assert {place: lines for place, lines in lengths.items() if lines > FUNCTION_LINES} == {}


def test_a_function_is_named_by_a_verb():
    """A participle says what a thing is, and a function does something."""
    found = {place for place, node in functions() if PARTICIPLES.fullmatch(node.name)}
    assert sorted(found) == []


def test_a_docstring_opens_with_what_comes_back():
    """The first word of a public function's docstring is no riddle."""
    documented = {
        place: ast.get_docstring(node) or "Private" for place, node in functions() if not node.name.startswith("_")
    }
    found = {place for place, text in documented.items() if text.split()[0] in RIDDLES}
    assert sorted(found) == []
