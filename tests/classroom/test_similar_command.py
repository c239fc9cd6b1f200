"""`grader similar`: a graded class compared from what the gradebook keeps, and the page written beside the class page."""

from __future__ import annotations

import random
import shutil
from pathlib import Path

import pytest

from classroom.conftest import ROOT, SAMPLES, write_rubric
from classroom.once import Folder, say
from grader.classroom.cache_keys import CacheKey
from grader.classroom.gradebook import Gradebook, NewGrading
from grader.grading import judge_run
from grader.model import Questions
from grader.packing import pack
from grader.rubric import load as load_assignment
from grader.sandbox.host import StudentHost
from grader.score import KNOWN
from grader.submission import load
from similarity.disguises import FORMS

CLASS = ("right_einsum.py", "right_loops.py", "right_tensordot.py", "right_closures.py", "right_softmax_jacobian.py")


@pytest.fixture
def here(tmp_path, monkeypatch):
    """Return a gradebook with programs that were never run: what they answered is not looked at, and nothing may run."""

    def refuse(*_):
        raise AssertionError("student code was to be run")

    monkeypatch.setattr(StudentHost, "__init__", refuse)
    monkeypatch.chdir(tmp_path)
    write_rubric(tmp_path / "rubric")
    shutil.copy(ROOT / "assignment" / "two_layer_net.ipynb", tmp_path / "rubric")
    (tmp_path / "graded").mkdir()
    (tmp_path / "class").mkdir()
    source = (SAMPLES / CLASS[0]).read_text(encoding="utf-8")
    copy = FORMS["everything"](source, random.Random(1))  # noqa: S311 -- no secret
    (tmp_path / "class" / "copied.py").write_text(copy, encoding="utf-8")
    return Folder(tmp_path)


def keep(folder: Folder, *paths: Path) -> None:
    """Put submissions into the gradebook as if they had been graded."""
    assignment = load_assignment(folder.path / "rubric", KNOWN)
    lines = []
    for path in paths:
        submission = load(path, class_name=assignment.class_name, notebook=assignment.notebook)
        grading = judge_run(submission, None, assignment, Questions((), {}))
        key = CacheKey(submission.digest, assignment.digest, "seed", "asked", "{}", isolated=True)
        replies = None if submission.problem else pack((submission, None, ()))
        record = pack(grading.report)
        lines.append(
            NewGrading(path.stem, str(path), "grade", key, grading.report, "{}\n", record, replies, None, "", {})
        )
    with Gradebook(folder.out, create=True) as book:
        book.insert(lines, (assignment.folder / "assignment.toml").read_text(encoding="utf-8"), assignment.folder)


def test_a_copy_in_disguise_is_shown_as_a_place_to_look(here):
    """The pair is listed and no other, the page shows it, the class page leads there, and nobody is called anything."""
    keep(here, *(SAMPLES / name for name in CLASS), here.path / "class" / "copied.py")
    said = say("similar", "graded")
    assert "copied right_einsum" in said
    assert "6 programs compared; 1 pair stands out." in said
    assert "This is a place to look, not a verdict. Read both programs, and talk to the people." in said
    assert said.endswith("similar.html")
    page = here.text("similar.html")
    assert "copied" in page
    assert "right_einsum" in page
    assert 'href="similar.html"' in here.text("index.html")
    for word in ("plagiar", "cheat", "guilt", "copied from", "suspicio"):
        assert word not in page.lower()


def test_a_class_in_which_nobody_copied(here):
    """That is said, and the page is there all the same."""
    keep(here, *(SAMPLES / name for name in CLASS))
    assert "5 programs compared; no pair stands out." in say("similar", "graded")


def test_what_cannot_be_compared_is_named_with_the_reason(here):
    """What could not be loaded, what is damaged and what holds nothing of its own: each is left out by name."""
    samples = [SAMPLES / name for name in (*CLASS, "broken_syntax.ipynb")]
    keep(here, *samples, ROOT / "assignment" / "two_layer_net.ipynb")
    here.damage("UPDATE replies SET packed = ? WHERE id = 1", b"rot")
    said = say("similar", "graded")
    assert "1 not compared (broken_syntax): no program to compare, because the submission could not be run." in said
    assert "1 not compared (right_einsum): the saved program cannot be read" in said
    assert "1 not compared (two_layer_net): it holds next to nothing beyond the skeleton" in said
    assert "4 programs compared" in said
    for name in ("broken_syntax", "right_einsum", "two_layer_net"):
        assert name in here.text("similar.html")


def test_without_the_skeleton_nothing_is_compared(here):
    """Without it everybody would be like everybody: it is said where it was looked for, and where to name another."""
    keep(here, *(SAMPLES / name for name in CLASS))
    (here.path / "rubric" / "two_layer_net.ipynb").unlink()
    said = say("similar", "graded", status=2)
    assert (
        "rubric/two_layer_net.ipynb: there is no notebook that can be read. The comparison needs the notebook" in said
    )
    assert "Give its folder with --assignment." in said
    assert not (here.out / "similar.html").exists()


def test_a_folder_without_a_gradebook_is_refused(here):
    """Nothing is made where there is nothing to compare."""
    assert "gradebook.db" in say("similar", "graded", status=1)
    assert list(here.out.iterdir()) == []


def test_the_class_page_keeps_its_link(here):
    """Whatever is written anew later leads to the page as before; without the page there is no link."""
    keep(here, *(SAMPLES / name for name in CLASS))
    say("adjust", "graded", "right_loops", "--late-days", 1, "--comment", "x", "--by", "ada")
    assert "similar.html" not in here.text("index.html")
    say("similar", "graded")
    say("adjust", "graded", "right_loops", "--late-days", 2, "--comment", "x", "--by", "ada")
    assert 'href="similar.html"' in here.text("index.html")


def test_a_page_of_earlier_hand_ins_says_so(here):
    """A page about people must not show what somebody has replaced as if it stood; comparing again puts it right."""
    keep(here, *(SAMPLES / name for name in CLASS))
    say("similar", "graded")
    say("adjust", "graded", "right_loops", "--excuse", "--comment", "x", "--by", "ada")
    assert "before later hand-ins" not in here.text("index.html")
    keep(here, here.path / "class" / "copied.py")
    say("adjust", "graded", "right_loops", "--no-excuse", "--comment", "x", "--by", "ada")
    assert "before later hand-ins" in here.text("index.html")
    say("similar", "graded")
    assert "before later hand-ins" not in here.text("index.html")


def test_it_takes_two(here):
    """One program, or none, is no class to compare; what could not be loaded is none."""
    keep(here, SAMPLES / "broken_syntax.ipynb")
    assert "There is no program, so there is nothing to compare." in say("similar", "graded")
    keep(here, SAMPLES / CLASS[0])
    assert "There is one program, so there is nothing to compare." in say("similar", "graded")


def test_without_the_rubric_s_folder_none_is_taken_in_its_place(here):
    """The rubric that comes with the grader would give another class's points: each command asks where it is now."""
    keep(here, *(SAMPLES / name for name in CLASS))
    (here.path / "rubric").rename(here.path / "moved")
    for words in (("similar", "graded"), ("regrade", "graded"), ("grade", SAMPLES / CLASS[0], "--out", "graded")):
        said = say(*words, status=2)
        assert "rubric, which no longer exists. Give its new location with --assignment." in said
    assert "programs compared" in say("similar", "graded", "--assignment", "moved")


def test_the_page_goes_where_it_is_wanted(here):
    """Of another's class, or an archived one: the page alone is written, to a folder that is made, and the class is as it was."""
    keep(here, *(SAMPLES / name for name in CLASS))
    say("similar", "graded")
    before = {path: path.read_bytes() for path in here.out.iterdir()}
    said = say("similar", "graded", "--to", "mine/pages")
    assert said.endswith("mine/pages/similar.html")
    assert [path.name for path in (here.path / "mine" / "pages").iterdir()] == ["similar.html"]
    assert here.text("../mine/pages/similar.html") == here.text("similar.html")
    assert {path: path.read_bytes() for path in here.out.iterdir()} == before
    said = say("similar", "graded", "--to", "rubric/assignment.toml", status=2)
    assert "--to rubric/assignment.toml: this folder cannot be made (File exists). Name another one." in said


def test_a_class_is_compared_with_programs_from_elsewhere(here):
    """A copy of last year's is listed with its file; two of last year's are never a pair, and none is a student's."""
    keep(here, *(SAMPLES / name for name in CLASS[1:]), here.path / "class" / "copied.py")
    last = here.path / "last year"
    last.mkdir()
    for name in (CLASS[0], "broken_syntax.ipynb"):
        shutil.copy(SAMPLES / name, last)
    shutil.copy(SAMPLES / CLASS[0], last / "again.py")
    said = say("similar", "graded", "--against", "last year")
    assert "copied last year/again.py" in said
    assert "copied last year/right_einsum.py" in said
    assert "7 programs compared, 2 of them from outside the class; 2 pairs stand out." in said
    assert "broken_syntax" in said
    assert "the same apart from names" not in said
    page = here.text("similar.html")
    assert page.count("not of this class") > 2
    assert "submissions/last" not in page
    assert "again.py" not in here.text("index.html")


@pytest.mark.parametrize("given", ["nothing", "empty", "others"])
def test_a_folder_without_programs_is_refused(here, given):
    """Whoever mistypes a folder is told, before a page says that nobody copied from it."""
    keep(here, *(SAMPLES / name for name in CLASS))
    if given != "nothing":
        (here.path / given).mkdir()
    if given == "others":
        (here.path / given / "a.py").write_text("print(1)\n", encoding="utf-8")
    said = say("similar", "graded", "--against", given, status=2)
    assert f"--against {given}: " in said
    assert ("holds the class TwoLayerNet" in said) == (given == "others")
    assert not (here.out / "similar.html").exists()
