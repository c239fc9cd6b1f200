"""`grader kit`: what is handed out holds what students need, and nothing that they must not have."""

import os
import re
import shutil
import tomllib
from pathlib import Path

import pytest
from click.testing import CliRunner

from grader.cli import main
from grader.frozen import FILE
from grader.rubric import FILE as RUBRIC
from grader.rubric import bundled
from play_student import SOLUTION
from test_wheel import betrayed


def say(*words, status=0):
    """Run the command, and return what it says."""
    result = CliRunner().invoke(main, ["kit", *map(str, words)])
    assert result.exit_code == status, result.output
    return result.output


def rubric_in(text):
    """Return the lines of the rubric that are in a text, tolerances among them, its thresholds and its seed."""
    rubric = (bundled() / RUBRIC).read_text(encoding="utf-8")
    lines = {line for line in rubric.splitlines() if " = " in line and not line.startswith(("title", "class_name"))}
    table = tomllib.loads(rubric)
    numbers = {str(table["digits"][name]) for name in ("threshold", "tuned_threshold")} | {str(table["seed"])}
    return {line for line in lines if line in text} | {one for one in numbers if re.search(rf"\b{one}\b", text)}


@pytest.fixture
def own(tmp_path):
    """Return an assignment of one's own: the notebook, its data and the rubric."""
    folder = tmp_path / "own"
    shutil.copytree(bundled(), folder, ignore=shutil.ignore_patterns("*.py", "__pycache__", FILE))
    return folder


def test_the_kit_holds_the_notebook_the_data_and_how_to_check(tmp_path):
    """Nothing else; and the README has about ten lines."""
    out = tmp_path / "handout"
    said = say(out)
    files = {str(path.relative_to(out)) for path in out.rglob("*") if path.is_file()}
    assert files == {"two_layer_net.ipynb", "README.md", "data/digits.npz", "data/README.md"}
    assert all(name in said for name in files)
    readme = (out / "README.md").read_text(encoding="utf-8")
    assert len(readme.splitlines()) <= 12
    assert "`grader check two_layer_net.ipynb`" in readme


def test_no_file_of_it_holds_the_solution_the_rubric_or_the_seed(tmp_path):
    """Each file is searched for the solution's lines, the rubric's, its thresholds and the seed."""
    out = tmp_path / "handout"
    say(out)
    for path in out.rglob("*"):
        if path.is_file():
            assert betrayed(path) == set(), path
            assert rubric_in(path.read_bytes().decode("latin-1")) == set(), path
    assert rubric_in((bundled() / RUBRIC).read_text(encoding="utf-8")) >= {"231", "0.91", "scores = 1e-7"}
    assert betrayed(SOLUTION)


def test_a_folder_that_is_not_empty_is_refused(tmp_path):
    """What lies in it stays as it is; an empty one will do."""
    (tmp_path / "mine.txt").write_text("mine", encoding="utf-8")
    assert "it must be a new or an empty folder" in say(tmp_path, status=2)
    assert "it must be a new or an empty folder" in say(tmp_path / "mine.txt", status=2)
    assert [path.name for path in tmp_path.iterdir()] == ["mine.txt"]
    (tmp_path / "empty").mkdir()
    say(tmp_path / "empty")


def test_frozen_questions_of_ones_own_go_with_it(own, tmp_path):
    """Without them the checks would ask the grader's own questions."""
    (own / FILE).write_bytes(b"frozen")
    say(tmp_path / "handout", "--assignment", own)
    assert (tmp_path / "handout" / FILE).read_bytes() == b"frozen"
    assert f"--questions {FILE}`" in (tmp_path / "handout" / "README.md").read_text(encoding="utf-8")


def test_a_solution_is_never_handed_out(own, tmp_path):
    """A notebook with marks or with outputs is refused, and the mend is named."""
    shutil.copy(SOLUTION, own / "two_layer_net.ipynb")
    said = say(tmp_path / "handout", "--assignment", own, status=2)
    assert "it holds a solution or outputs. `grader build" in said
    assert not (tmp_path / "handout").exists()


def test_what_is_missing_is_named(own, tmp_path):
    """The notebook or its data."""
    (own / "two_layer_net.ipynb").write_text("{", encoding="utf-8")
    assert "there is no notebook that can be read" in say(tmp_path / "handout", "--assignment", own, status=2)
    shutil.rmtree(own / "data")
    assert "the folder `data`, which the notebook reads, is missing" in say(
        tmp_path / "handout", "--assignment", own, status=2
    )
    assert not Path(tmp_path / "handout").exists()


def test_a_folder_that_cannot_be_made_or_written_is_told_in_one_line(monkeypatch, tmp_path):
    """With the mend and exit status 2; nothing is left half written."""
    said = [say(SOLUTION / "inside", status=2), say("a" * 256, status=2)]
    monkeypatch.setattr(os, "access", lambda *_: False)  # root may write everywhere
    said.append(say(tmp_path, status=2))
    assert "this folder cannot be made (Not a directory). Name another one." in said[0]
    assert "this folder cannot be made (File name too long). Name another one." in said[1]
    assert "you may not write there. Name a folder of your own." in said[2]
    assert [one.count("\n") for one in said] == [1, 1, 1]
    assert list(tmp_path.iterdir()) == []
