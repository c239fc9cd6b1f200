"""A class has a secret seed of its own: drawn once, kept for its owner alone, and never left without a word."""

from __future__ import annotations

import os
import stat
from dataclasses import replace
from pathlib import Path

import pytest

from classroom.books import KEY, RUBRIC, SOMEBODY, line
from classroom.conftest import BARE, write_rubric
from classroom.once import remembered, say
from grader.classroom import seed_file, storage
from grader.classroom.gradebook import Gradebook, GradebookError
from grader.classroom.seed_file import FILE, choose_to_grade, choose_to_judge
from grader.model import seed_id
from grader.reports.formats import CLASS_FORMATS, REPORT_FORMATS

PUBLIC, SECRET = 231, 81_547_114_711_815_471_147_118


@pytest.fixture
def book(tmp_path):
    """Return the gradebook of a class that is not graded yet."""
    with Gradebook(tmp_path, create=True) as opened:
        yield opened


def graded(book, seed, *names):
    """Put gradings from a seed into the gradebook."""
    key = replace(KEY, seed_id=seed_id(seed))
    book.insert([replace(line(name), key=key) for name in names], RUBRIC)


def file_of(book) -> Path:
    """Return where the seed is kept."""
    return book.path.with_name(FILE)


def mode_of(path: Path) -> int:
    """Return a file's permissions."""
    return stat.S_IMODE(path.stat().st_mode)


def to_grade(book, given=None, names=("ann", "ben")):
    """Choose the seed as `grader grade` does."""
    return choose_to_grade(book, PUBLIC, given, set(names))


def test_a_class_draws_a_seed_that_nobody_guesses(book):
    """The system draws it, from 2^128; it is kept for the owner alone, and everything later uses it."""
    umask = os.umask(0)
    try:
        chosen = to_grade(book)
    finally:
        os.umask(umask)
    assert chosen.seed.bit_length() > 64
    assert chosen.remarks == (
        f"The questions are drawn from this class's own secret seed. It is saved in {file_of(book)}.",
    )
    assert mode_of(file_of(book)) == 0o600
    graded(book, chosen.seed, "ann")
    again = (to_grade(book), to_grade(book, chosen.seed), choose_to_judge(book, PUBLIC, None))
    assert {(one.seed, one.remarks) for one in again} == {(chosen.seed, ())}
    file_of(book).unlink()
    graded_twice = choose_to_judge(book, PUBLIC, chosen.seed)  # named by hand, it is kept again
    assert graded_twice.seed == to_grade(book).seed == chosen.seed


def test_another_class_draws_another(book, tmp_path):
    """What a student has seen of one class helps in no other."""
    (tmp_path / "other").mkdir()
    with Gradebook(tmp_path / "other", create=True) as other:
        assert to_grade(book).seed != to_grade(other).seed


def test_another_seed_grades_the_whole_class_again_or_nobody(book):
    """It is said; where some are missing nothing changes; afterwards the plain command uses the new one."""
    assert to_grade(book, SECRET).remarks == ()
    graded(book, SECRET, "ann", "ben")
    with pytest.raises(ValueError, match=r"all of it must be graded again. Missing here: ben. Name these"):
        to_grade(book, 7, ["ann"])
    assert to_grade(book, names=["ann"]).seed == SECRET
    chosen = to_grade(book, 7)
    assert chosen == replace(
        chosen, seed=7, remarks=("Graded with another seed before, and graded again now: 2 submissions.",)
    )
    # Stopped after one: the class stays with the new seed, and what is left is named.
    graded(book, 7, "ann")
    assert to_grade(book).remarks == ("Graded with another seed before, and graded again now: 1 submission.",)
    alone = to_grade(book, names=["ann"])
    assert alone.seed == 7
    assert alone.remarks == ("Graded with another seed, and not among these: ben. Grade them again, too.",)
    assert choose_to_judge(book, PUBLIC, SECRET).seed == SECRET
    assert to_grade(book).seed == 7  # judging again changes no class's seed


@pytest.mark.parametrize("choose", [to_grade, lambda book, given=None: choose_to_judge(book, PUBLIC, given)])
def test_an_older_class_keeps_the_seed_that_it_was_graded_from(book, choose):
    """Without a file it was graded from the public seed, which is said each time, or from one that somebody has to name."""
    graded(book, PUBLIC, "ann", "ben")
    chosen = choose(book)
    assert chosen.seed == to_grade(book).seed == PUBLIC
    for _ in range(2):
        (said,) = to_grade(book).remarks
        assert "the public seed, which students may know" in said
    file_of(book).unlink()
    graded(book, SECRET, "ann", "ben")
    with pytest.raises(
        GradebookError, match=r"graded with its own seed, but secret-seed.txt, where it is saved, is missing"
    ):
        choose(book)
    assert not file_of(book).exists()
    assert choose(book, SECRET).seed == choose(book).seed == SECRET
    assert mode_of(file_of(book)) == 0o600


@pytest.mark.parametrize(
    "spoil",
    [
        lambda text: b"",
        lambda text: text[1:],
        lambda text: text[:6],
        lambda text: b"\xff" + text,
        lambda text: b"9" * 9999,
    ],
    ids=["empty", "a digit lost", "cut off", "no text", "endless"],
)
def test_a_damaged_file_is_said_and_nothing_else_taken(book, spoil):
    """A lost digit would be another seed: the ID beside it tells."""
    to_grade(book, SECRET)
    spoiled = spoil(file_of(book).read_bytes())
    file_of(book).write_bytes(spoiled)
    for choose in (to_grade, lambda book: choose_to_judge(book, PUBLIC, None)):
        with pytest.raises(GradebookError, match=r"secret-seed.txt is damaged: .* Restore it from a copy"):
            choose(book)
    assert file_of(book).read_bytes() == spoiled


def test_a_file_that_cannot_be_read_is_said(book):
    """Somebody else's, or no file at all: the public seed is not taken in its place."""
    file_of(book).mkdir()
    with pytest.raises(
        GradebookError, match=r"secret-seed.txt: Is a directory. It holds the secret seed of this class"
    ):
        to_grade(book)


def test_a_file_that_others_can_read_is_closed_and_told_of(book, monkeypatch):
    """Whoever had an account could have read it; where nobody may close it, it is said each time."""
    seed = to_grade(book).seed
    file_of(book).chmod(0o644)
    with monkeypatch.context() as patched:
        patched.setattr(Path, "chmod", lambda *_: (_ for _ in ()).throw(PermissionError()))
        (remark,) = to_grade(book).remarks
        assert "others can read it, and this file system does not let you change that. Keep students out" in remark
    chosen = to_grade(book)
    assert chosen.seed == seed
    assert "others could read it. Now only you can." in chosen.remarks[0]
    assert "`grader grade --seed N` gives the class a new seed" in chosen.remarks[0]
    assert mode_of(file_of(book)) == 0o600
    assert to_grade(book).remarks == ()


def test_a_seed_that_cannot_be_kept_is_not_used(book, monkeypatch):
    """A full disk: nothing is graded from a seed that would be forgotten, and no half a file is left."""
    monkeypatch.setattr(os, "fsync", lambda _: (_ for _ in ()).throw(OSError(28, "No space left on device")))
    with pytest.raises(OSError, match="No space left"):
        to_grade(book)
    assert not [path.name for path in book.path.parent.iterdir() if "seed" in path.name]


# ---------------------------------------------------------------- by the commands


@pytest.fixture
def here(tmp_path, monkeypatch):
    """Return a folder with a class of two that takes a moment; commands draw SECRET, and ask what they have at hand."""
    for module in ("worker", "grading_loop"):
        monkeypatch.setattr(f"grader.classroom.{module}.build_questions", lambda rubric, _: remembered(rubric, PUBLIC))
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(seed_file.secrets, "randbits", lambda _: SECRET)
    write_rubric(tmp_path / "rubric")
    (tmp_path / "class").mkdir()
    for name in ("ann", "ben"):
        (tmp_path / "class" / f"{name}.py").write_text(f"# {name}\n{BARE}", encoding="utf-8")
    return tmp_path


@pytest.mark.slow
@pytest.mark.untraced
def test_no_file_but_its_own_holds_the_seed(here):
    """Not the gradebook or its copies, no report, page, export or safety copy; nor what commands print."""
    said = say("grade", "class", "--assignment", "rubric", "--out", "graded")
    assert "this class's own secret seed. It is saved in graded/secret-seed.txt. " in said
    assert (here / "graded" / FILE).read_text(encoding="ascii") == f"{SECRET} {seed_id(SECRET)}\n"
    (here / "roster.csv").write_text("name,email,submission\nAnn,a@example.org,ann.py\nBen,b@example.org,ben.py\n")
    said += say("grade", "class", "--out", "graded", "--roster", "roster.csv")
    said += say("adjust", "graded", "ann", "--late-days", 1, "--comment", "late")
    said += say("regrade", "graded", "--force")
    more = {"canvas": ["--roster", "roster.csv"], "classroom50": ["--without", "ben"]}
    for name in CLASS_FORMATS.keys() - {"moodle-feedback"}:  # a zip of the same pages, for Moodle's own names
        said += say("export", "graded", "--format", name, *more.get(name, []))
    for name in REPORT_FORMATS:
        said += say("show", "graded", "ann", "--format", name)
    said += say("history", "graded", "ann")
    forms = {str(SECRET).encode(), f"{SECRET:x}".encode(), SECRET.to_bytes(16, "little"), SECRET.to_bytes(16, "big")}
    files = [path for path in (here / "graded").rglob("*") if path.is_file() and path.name != FILE]
    assert len(files) > 12
    texts = {str(path): path.read_bytes() for path in files} | {"said": said.encode()}
    assert [name for name, text in texts.items() if any(form in text for form in forms)] == []


@pytest.mark.slow
@pytest.mark.untraced
def test_another_seed_by_the_command(here, monkeypatch):
    """Once given, it stays without being named; another grades all again, and says so; a part of the class is refused."""
    words = ("grade", "class", "--assignment", "rubric", "--out", "graded")
    say(*words, "--seed", 4711)
    assert "2 unchanged." in say(*words)
    assert "No score changed." in say("regrade", "graded")
    said = say("grade", "class/ann.py", "--out", "graded", "--seed", 4712, status=2)
    assert "all of it must be graded again. Missing here: ben." in said
    said = say(*words, "--seed", 4712)
    assert "Graded with another seed before, and graded again now: 2 submissions." in said
    assert "2 graded again." in said
    assert "2 unchanged." in say(*words)
    assert "2 left: its questions were drawn from another seed." in say("regrade", "graded", "--seed", 4711, status=1)
    # Two graders at once: the second neither draws nor changes one.
    monkeypatch.setattr(storage, "BUSY_SECONDS", 0.1)
    before = (here / "graded" / FILE).read_bytes()
    with Gradebook(here / "graded"):
        assert SOMEBODY in say(*words, "--seed", 4713, status=1)
    assert (here / "graded" / FILE).read_bytes() == before
