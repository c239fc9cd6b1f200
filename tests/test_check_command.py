"""`grader check` as a student uses it: a verdict on one's own program, without any reference at hand."""

import ast
import json
import os
import re
import subprocess
import sys
import time
import webbrowser
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from examples import in_part
from grader import check_program
from grader.cli import check as command
from grader.cli import main
from grader.frozen import FILE, load_frozen
from grader.rubric import bundled
from grader.sandbox.forkserver import ForkServer, ServerLostError
from grader.sandbox.host import StudentHost
from grader.score import KNOWN
from grader.submission import read
from judging import RUBRIC

ROOT = Path(__file__).resolve().parent.parent
SAMPLES = ROOT / "tests" / "submissions"
SOLUTION = ROOT / "reference" / "two_layer_net_solution.ipynb"
SKELETON = ROOT / "assignment" / "two_layer_net.ipynb"


def run(*words):
    """Run the command and give its exit status and all that it says."""
    done = CliRunner().invoke(main, ["check", *map(str, words)], catch_exceptions=False)
    return done.exit_code, done.output


@pytest.fixture(scope="module")
def frozen():
    """Return the public questions."""
    return load_frozen(bundled())


@pytest.fixture(scope="module")
def checked(frozen):
    """Return a function that checks a file in this process, with a zygote as the command starts it."""
    with StudentHost(frozen.assignment.limits, server=ForkServer(lean=True)) as host:
        yield lambda path, part="": check_program.check_program(read(path), path.name, str(path), frozen, host, part)


# ---------------------------------------------------------------- what it says


def test_the_solution_passes_all_public_checks():
    """Exit status 0, the points at a glance, and that the instructor's questions are others."""
    status, said = run(SOLUTION)
    assert status == 0
    assert "Public checks: 18 of 18 pass; the instructor's grading asks other questions of the same kind." in said
    assert "Backward pass  ✓✓✓✓✓   30 / 30" in said
    assert "Next steps" not in said


def test_an_untouched_notebook_is_told_what_to_write_next():
    """What is not written yet is no failure: the parts stand in the order of the notebook, each with its points."""
    status, said = run(SKELETON)
    assert status == 1
    steps = said[said.index("Next steps, in the order of the notebook") :]
    titles = [part.title for part in check_program.PARTS.values()]
    assert [steps.index(f"{number}. {title}: ") for number, title in enumerate(titles, 1)] == sorted(
        steps.index(f"{number}. {title}: ") for number, title in enumerate(titles, 1)
    )
    assert "✗" not in said
    assert "failed" not in said


def test_a_mistake_is_named_with_its_line_and_the_table_of_steps():
    """As `grader show` does, and without the reference."""
    status, said = run(SAMPLES / "wrong_half_the_gradient.py")
    assert status == 1
    assert "Public checks: 15 of 18 pass" in said
    assert "The mistake, named: The regulariser's part of the gradient of W1 and W2 is half" in said
    assert '58 │         grads["W1"] = X.T.dot(dhidden) + reg * W1' in said
    assert "✗  line 54  grads['W2'] (9, 4)  differs from the gradient of W2: the regulariser's part is" in said


@pytest.mark.slow
def test_one_part_is_checked_by_itself(frozen):
    """Of loss() only what loss() is about, and train() is never run: one that never ends holds up nothing."""
    status, said = run(SAMPLES / "unfinished_train.ipynb", "--part", "backward")
    assert status == 0
    assert "Public checks: 5 of 5 pass" in said
    asked = {call.id.kind for call in check_program.select_calls(frozen.questions.calls, "loss")}
    assert not asked & {"watched", "whole", "alone", "toy", "digits", "tuned"}
    assert run(SAMPLES / "unfinished_train.ipynb", "--part", "train")[0] == 1


def test_every_check_belongs_to_one_part():
    """So that no check is left out at a glance, and the command's own list is that of the parts."""
    assert sorted(one for part in check_program.PARTS.values() for one in part.checks) == sorted(KNOWN)
    assert tuple(check_program.PARTS) == command.PARTS


@pytest.mark.parametrize("part", in_part(check_program.PARTS, 3))
def test_each_part_of_a_right_program_passes(part, checked):
    """The questions of a part are enough to judge it by."""
    report = checked(SAMPLES / "right_einsum.py", part)
    assert {one.id for one in report.checks} == set(check_program.PARTS[part].checks) & {*RUBRIC}
    assert [one.id for one in report.checks if one.status != "passed"] == []


@pytest.mark.parametrize(
    "path",
    [
        pytest.param(path, marks=[] if place % 20 == 0 else [pytest.mark.slow])
        for place, path in enumerate(sorted(SAMPLES.glob("right_*")))
    ],
    ids=lambda path: path.name,
)
def test_right_programs_that_are_written_differently_pass(path, checked):
    """Without the reference's forward pass nobody is accused of what it alone could tell."""
    assert [(one.id, one.message) for one in checked(path).checks if one.status != "passed"] == []


@pytest.mark.slow
def test_hyperparameters_wait_until_the_network_learns(checked):
    """With a wrong gradient nobody can tell what they are worth; the reference could, and it is not at hand."""
    report = checked(SAMPLES / "wrong_relu_mask.py")
    (chosen,) = (one for one in report.checks if one.id == "best_hyperparameters")
    assert chosen.status == "skipped"
    assert chosen.message.startswith("Not judged yet: mend loss() and train() first")


# ---------------------------------------------------------------- the page


def test_the_page_is_written_beside_the_notebook_and_opened(tmp_path, monkeypatch):
    """Its name is told; where there is a screen a browser opens it."""
    opened = []
    monkeypatch.setenv("DISPLAY", ":0")
    monkeypatch.setattr(webbrowser, "open", opened.append)
    mine = tmp_path / "mine.py"
    mine.write_bytes((SAMPLES / "right_einsum.py").read_bytes())
    status, said = run(mine, "--html", "--part", "forward")
    page = tmp_path / "mine.check.html"
    assert status == 0
    assert f"Wrote {page}" in said
    assert opened == [page.as_uri()]
    assert "Public checks: 1 of 1 pass" in page.read_text(encoding="utf-8")
    assert "Forward pass</h2>" in page.read_text(encoding="utf-8")


# ---------------------------------------------------------------- where it runs


def test_without_fork_a_plain_child_process_runs_it(monkeypatch):
    """As on macOS and Windows: the same verdicts, and one sentence about it."""
    monkeypatch.delattr(os, "fork")
    status, said = run(SAMPLES / "right_einsum.py")
    assert status == 0
    assert said.count("plain child process") == 1
    assert "Public checks: 18 of 18 pass" in said


def test_where_the_sandbox_does_not_start_a_plain_child_process_runs_it(monkeypatch):
    """It is one's own code: a system that refuses what the lock-down needs is no reason for no verdict."""

    def refuse(**_):
        raise ServerLostError("the zygote ended")

    monkeypatch.setattr(command, "ForkServer", refuse)
    status, said = run(SAMPLES / "right_einsum.py", "--part", "forward")
    assert (status, said.count("plain child process")) == (0, 1)


PEEK = """
import os, sys, zlib
import numpy as np
class TwoLayerNet:
    def __init__(self, D, H, C, std=1e-4):
        self.params = {'W1': np.ones((D, H)), 'b1': np.ones(H), 'W2': np.ones((H, C)), 'b2': np.ones(C)}
    def loss(self, X, y=None, reg=0.0):
        ours = sorted({name.partition(".")[0] for name in sys.modules} - set(sys.stdlib_module_names))
        finders = [getattr(one, "__name__", type(one).__name__) for one in sys.meta_path]
        descriptors = [one for one in range(200) if os.path.exists(f"/proc/self/fd/{one}")]
        seen = (ours, finders, descriptors, sys.path, dict(os.environ), sys.argv, sys.stdout.encoding, os.getcwd())
        raise ValueError(f"{zlib.crc32(repr(seen).encode())}: {ours}")
"""


def test_the_first_process_of_a_check_sees_what_any_other_does(tmp_path, checked):
    """The command forks itself before it has loaded much; its student's process finds nothing of ours all the same."""
    program = tmp_path / "peek.py"
    program.write_text(PEEK, encoding="utf-8")
    words = [sys.executable, "-m", "grader", "check", program, "--part", "forward"]
    shown = subprocess.run(words, capture_output=True, text=True, check=False).stdout
    seen = re.search(r"ValueError: (\d+): (\[.*?\])", checked(program, "forward").checks[0].message)
    assert "numpy" in seen[2]
    assert not {"grader", "click", "rich"} & set(ast.literal_eval(seen[2]))
    assert f": {seen[1]}:" in shown


def test_the_check_imports_what_it_needs():
    """Half of the grader and of its dependencies would only cost time: no class, no templates, no notebooks, no reference."""
    code = (
        f"import sys, grader.__main__ as command; sys.argv[1:] = ['check', {str(SAMPLES / 'right_einsum.py')!r}];"
        "command._leave = lambda _: print(*sys.modules); command.run()"
    )
    names = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    heavy = {"grader.classroom", "reference", "nbformat", "nbconvert", "jinja2", "sqlite3", "distributed", "jsonschema"}
    heavy |= {"numpy.ma", "numpy.testing", "multiprocessing", "concurrent.futures.process", "rich.progress", "asyncio"}
    assert "grader.grading" in names
    assert not heavy & set(names)


# ---------------------------------------------------------------- what cannot be checked


def copy_of(questions, tmp_path, change):
    """Return a copy of the frozen questions in which a member is another."""
    with np.load(questions) as stored:
        members = {name: stored[name] for name in stored.files}
    file = tmp_path / FILE
    np.savez(file, **{**members, **change})
    return file


def refused(*words):
    """Return the one line with which the command refuses."""
    status, said = run(*words)
    assert status == 2
    assert said.count("\n") == 1
    return said


def test_a_wrong_path_is_told(tmp_path):
    """With the notebooks that are there instead."""
    (tmp_path / "two_layer_net.ipynb").write_text("{}", encoding="utf-8")
    assert "there is no such file. In its folder there is two_layer_net.ipynb." in refused(tmp_path / "tow_layer.ipynb")
    assert f"this is a folder. Name the notebook in it, such as {tmp_path / 'two_layer_net.ipynb'}." in refused(
        tmp_path
    )


def test_a_path_that_cannot_be_looked_at_is_told():
    """In one line, not by a traceback."""
    assert "it cannot be looked at (File name too long)" in refused("a" * 256 + ".ipynb")
    assert "it cannot be looked at (File name too long)" in refused(SOLUTION, "--questions", "a" * 256)
    assert "there is no such file" in refused(SOLUTION / "inside.ipynb")


@pytest.mark.skipif(not hasattr(os, "geteuid"), reason="needs rights as Unix has them")
def test_a_file_that_may_not_be_read_is_told(monkeypatch, tmp_path):
    """With the mend, and without click's lines on usage."""
    (tmp_path / "mine.ipynb").write_text("{}", encoding="utf-8")
    monkeypatch.setattr(os, "access", lambda *_: False)  # root may read everything
    assert "you may not read it. Change its rights, or check a copy of your own." in refused(tmp_path / "mine.ipynb")


def test_a_notebook_is_checked_as_it_was_saved(tmp_path):
    """What is in the editor or the kernel alone is not in it, and the report says of when it is."""
    mine = tmp_path / "two_layer_net.ipynb"
    mine.write_bytes(SOLUTION.read_bytes())
    os.utime(mine, (0, time.mktime((2026, 3, 9, 8, 7, 6, 0, 0, -1))))
    status, said = run(mine, "--part", "forward")
    assert status == 0
    assert "This is the version saved at 08:07:06 on 9 March. Later changes are not in it" in said
    assert "Graded: " not in said


@pytest.mark.slow
def test_a_file_without_the_class_is_told(tmp_path):
    """With the name that was meant, where one is near."""
    assert "Did you mean TwoLayerNetwork" in refused(SAMPLES / "broken_other_name.ipynb")
    (tmp_path / "notes.txt").write_text("no program", encoding="utf-8")
    assert "not a notebook (.ipynb), a Python file (.py)" in refused(tmp_path / "notes.txt")
    empty = {"cells": [], "metadata": {}, "nbformat": 4, "nbformat_minor": 5}
    (tmp_path / "empty.ipynb").write_text(json.dumps(empty), encoding="utf-8")
    assert "TwoLayerNet" in refused(tmp_path / "empty.ipynb")


def test_a_program_that_cannot_be_loaded_is_told_once():
    """Not once for each check."""
    status, said = run(SAMPLES / "broken_syntax.ipynb")
    assert status == 1
    assert said.count("A closing bracket does not match an opening one") == 1


def test_frozen_questions_that_cannot_be_used_are_told(tmp_path):
    """Missing, of another version, changed: each in one line, with the mend."""
    mine = SAMPLES / "right_einsum.py"
    assert "there are no frozen questions. Name the file" in refused(mine, "--questions", tmp_path)
    other = copy_of(bundled() / FILE, tmp_path, {"version": np.array(99)})
    assert "have version 99" in refused(mine, "--questions", other)
    changed = copy_of(bundled() / FILE, tmp_path, {"questions": np.zeros(8, np.uint8)})
    assert "damaged or were changed. Get the file again." in refused(mine, "--questions", changed)


def test_numpy_that_is_too_old_is_told(monkeypatch):
    """With the command that mends it."""
    monkeypatch.setattr(np, "__version__", "1.24.3")
    assert "numpy 1.24.3 is too old: 1.26 is needed. Run `pip install -U numpy`." in refused(SOLUTION)


def test_a_fault_of_the_grader_is_no_fault_of_the_program(monkeypatch):
    """Exit status 4, and a sentence that says whose fault it is."""

    def fail(*_):
        raise RuntimeError("of ours")

    monkeypatch.setattr(check_program, "judge_program", fail)
    status, said = run(SAMPLES / "right_einsum.py")
    assert status == 4
    assert said.startswith(
        "Error: the grader failed, not your program: RuntimeError: of ours (test_check_command.py, line "
    )
    assert said.endswith("). Try once more; if it fails again, send your instructor this line and your program.\n")
    assert said.count("\n") == 1
