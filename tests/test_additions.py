"""Additions to the project, each made in a temporary copy by touching only what grader/README.md says."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from classroom.once import graded_once
from grader.records import replace
from reference.catalogue import LECTURES, forms_of
from reference.network import build
from reference.student_program import write_program

ROOT = Path(__file__).resolve().parent.parent

REPORT_FORMAT = '''"""A report as one line of Markdown."""

from grader.model import StudentReport


def to_markdown(report: StudentReport) -> str:
    """Return the score in one line."""
    return f"**{report.submission}**: {report.score:g}\\n"
'''
CLASS_FORMAT = '''"""A class as one line for each submission."""

from grader.model import Sheet
from grader.reports.export_rows import ExportOptions
from grader.text.sanitise import one_line


def to_lines(sheet: Sheet, _: ExportOptions) -> str:
    """Return the names, a line each."""
    return "".join(f"{one_line(one.report.submission)}\\n" for one in sheet.standings)
'''

CHECK = '''

@check("loss")
def small_loss(context: GradingContext) -> Finding:
    """The loss of random weights is small."""
    values = [read_loss(context, call.id).value or 0.0 for call, _, reg in loss_calls(context) if reg == 0]
    return Finding(float(max(values) < 6), f"The largest loss is {max(values):.3f}.", about="loss")
'''
ROW = """
[[checks]]
id = "small_loss"
points = 3
"""


MISTAKE = """\
    _activation(
        "relu_cubed",
        "The ReLU is cubed.",
        "Look at the powers.",
        {"activate": lambda u: np.maximum(u, 0) ** 3},
    ),"""
WRITE = """\
import sys
sys.path.insert(0, sys.argv[1])
from reference.catalogue import list_forms
from reference.network import build
from reference.student_program import write_program
print(write_program(build(), [form for form in list_forms() if form.mistake.id == "relu_cubed"]))
"""


@pytest.fixture
def copy(tmp_path):
    """Return a copy of the project, without its tests."""
    folder = tmp_path / "copy"
    for room in ("grader", "reference", "assignment"):
        shutil.copytree(ROOT / room, folder / room, ignore=shutil.ignore_patterns("__pycache__"))
    return folder


def insert(file, before, line):
    """Put one line into a file, above the one that begins with `before`."""
    lines = file.read_text(encoding="utf-8").splitlines(keepends=True)
    at = next(number for number, one in enumerate(lines) if one.startswith(before))
    file.write_text("".join([*lines[:at], line + "\n", *lines[at:]]), encoding="utf-8")


def run(copy, *words):
    """Return what a command of the copy prints."""
    code = f"import sys; sys.path.insert(0, {str(copy)!r}); from grader.cli import main; main({list(words)!r})"
    # -P: the folder that the tests run in holds another grader.
    done = subprocess.run([sys.executable, "-P", "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.slow
def test_a_format_of_a_report_is_one_file_and_one_line(copy, tmp_path_factory, tmp_path, monkeypatch):
    """`grader show` lists it and writes it."""
    graded = graded_once(tmp_path_factory, tmp_path, monkeypatch).out
    (copy / "grader/reports/markdown.py").write_text(REPORT_FORMAT, encoding="utf-8")
    line = '    ReportFormat("markdown", "report.md", "markdown:to_markdown", for_students=True),'
    insert(copy / "grader/reports/formats.py", "    ClassFormat(", line)
    assert "markdown" in run(copy, "show", "--help")
    assert run(copy, "show", str(graded), "right_einsum", "--format", "markdown") == "**right_einsum**: 100\n"


@pytest.mark.slow
def test_a_format_written_into_each_folder_is_one_file_and_one_line(copy, tmp_path):
    """`grader grade` writes it beside the others, if its line says so."""
    (copy / "grader/reports/markdown.py").write_text(REPORT_FORMAT, encoding="utf-8")
    line = '    ReportFormat("markdown", "report.md", "markdown:to_markdown", for_students=True, in_folder=True),'
    insert(copy / "grader/reports/formats.py", "    ClassFormat(", line)
    (tmp_path / "nothing.py").write_text("print 'Python 2'\n", encoding="utf-8")
    out = tmp_path / "graded"
    run(copy, "grade", "--seed", "231", str(tmp_path / "nothing.py"), "--out", str(out))
    assert (out / "submissions/nothing/report.md").read_text(encoding="utf-8") == "**nothing**: 0\n"


@pytest.mark.slow
def test_a_format_of_a_class_is_one_file_and_one_line(copy, tmp_path_factory, tmp_path, monkeypatch):
    """`grader export` lists it and writes it."""
    graded = graded_once(tmp_path_factory, tmp_path, monkeypatch).out
    (copy / "grader/reports/lines_of_text.py").write_text(CLASS_FORMAT, encoding="utf-8")
    line = '    ClassFormat("lines", "names.txt", "lines_of_text:to_lines"),'
    insert(copy / "grader/reports/formats.py", ")", line)
    assert "lines" in run(copy, "export", "--help")
    run(copy, "export", str(graded), "--format", "lines", "--to", str(tmp_path / "exports"))
    assert "right_einsum\n" in (tmp_path / "exports/names.txt").read_text(encoding="utf-8")


@pytest.mark.slow
def test_a_check_is_one_function_and_one_row(copy, tmp_path):
    """A new check is scored, and a known mistake that it fails by is named for it and charged once."""
    for file, text in (("grader/checks/forward.py", CHECK), ("assignment/assignment.toml", ROW)):
        with (copy / file).open("a", encoding="utf-8") as opened:
            opened.write(text)
    out = tmp_path / "graded"
    names = ("right_einsum", "wrong_sum_for_mean")
    submissions = [str(ROOT / f"tests/submissions/{name}.py") for name in names]
    run(copy, "grade", "--seed", "231", *submissions, "--assignment", str(copy / "assignment"), "--out", str(out))
    reports = [json.loads((out / f"submissions/{name}/report.json").read_text(encoding="utf-8")) for name in names]
    right, wrong = (report["checks"][-1] for report in reports)
    assert (right["title"], right["status"], right["points"]) == ("The loss of random weights is small.", "passed", 3)
    assert (wrong["status"], wrong["points"]) == ("carried", 3)
    assert "The largest loss is" in wrong["message"]
    (diagnosis,) = reports[1]["diagnoses"]
    assert "small_loss" in diagnosis["checks"]
    assert set(diagnosis["costs"]) == {"data_loss"}


def test_a_mistake_is_one_entry(copy, tmp_path):
    """Its program, which is made from the entry, is called by its name and loses points where the entry says."""
    file = copy / "reference/mistakes/activation.py"
    source = file.read_text(encoding="utf-8")
    assert source.endswith("\n)\n")
    file.write_text(f"{source.removesuffix(')' + chr(10))}{MISTAKE}\n)\n", encoding="utf-8")
    words = [sys.executable, "-P", "-c", WRITE, str(copy)]
    program = subprocess.run(words, capture_output=True, text=True, check=True).stdout
    assert "return np.maximum(u, 0) ** 3" in program
    (tmp_path / "cubed.py").write_text(program, encoding="utf-8")
    run(copy, "grade", "--seed", "231", str(tmp_path / "cubed.py"), "--out", str(tmp_path / "graded"))
    report = json.loads((tmp_path / "graded/submissions/cubed/report.json").read_text(encoding="utf-8"))
    (diagnosis,) = report["diagnoses"]
    assert (diagnosis["id"], diagnosis["title"]) == ("relu_cubed", "The ReLU is cubed.")
    assert set(diagnosis["costs"]) == {"scores"}


@pytest.mark.slow
def test_a_variant_is_one_assignment_toml(copy, tmp_path):
    """With one word of the rubric changed, another network has all points, and its wrong twin is called by its mistake."""
    rubric = copy / "assignment/assignment.toml"
    text = rubric.read_text(encoding="utf-8")
    rubric.write_text(text.replace('\nloss = "softmax"', '\nloss = "sigmoid"'), encoding="utf-8")
    assert rubric.read_text(encoding="utf-8") != text
    network = build(loss="sigmoid")
    forms = forms_of(replace(LECTURES, loss="sigmoid"))
    wrong = next(form for form in forms if form.name == "bias_gradient_averaged_layer1")
    for name, mistakes in (("right", []), ("wrong", [wrong])):
        (tmp_path / f"{name}.py").write_text(write_program(network, mistakes), encoding="utf-8")
    words = [str(tmp_path / "right.py"), str(tmp_path / "wrong.py"), "--assignment", str(copy / "assignment")]
    run(copy, "grade", "--seed", "231", *words, "--out", str(tmp_path / "graded"))
    right, wrong = (
        json.loads((tmp_path / f"graded/submissions/{name}/report.json").read_text(encoding="utf-8"))
        for name in ("right", "wrong")
    )
    assert right["score"] == right["max_score"] == 100
    assert [one["id"] for one in wrong["diagnoses"]] == ["bias_gradient_averaged"]
    assert "cross-entropy" not in next(one["title"] for one in right["checks"] if one["id"] == "data_loss")
