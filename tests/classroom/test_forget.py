"""`grader adjust --forget`: nothing in the folder of a class holds a student's name or text any more."""

from __future__ import annotations

import shutil
import sqlite3
from contextlib import closing

import pytest

from classroom.once import graded_once, say
from grader.classroom.storage import COPY, FILE
from grader.rubric import bundled

NAME, TEXT = "wrong_half_the_gradient", "self.params['W1'] = std * np.random.randn"
PERSON = "Quillfeather, Xanthippe"
ROSTER = f'name,email,submission\n"{PERSON}",xq@uni.example,{NAME}\n"Other, One",one@uni.example,right_einsum\n'


@pytest.fixture
def here(tmp_path_factory, tmp_path, monkeypatch):
    """Return a class that is graded."""
    return graded_once(tmp_path_factory, tmp_path, monkeypatch)


@pytest.fixture
def full(here):
    """Return the class with a roster, decisions, exports and similar programs, and the gradebook of an older grader beside it."""
    (here.path / "roster.csv").write_text(ROSTER, encoding="utf-8")
    say("export", "graded", "--format", "gradebook", "--roster", "roster.csv")
    say("adjust", "graded", NAME, "--excuse", "--comment", f"{PERSON} is ill.", "--by", "ada")
    say("similar", "graded", "--assignment", bundled())
    (here.out / "regraded.csv").write_text(
        f"submission,before,after\n{NAME},86,88\nright_einsum,100,102\n", encoding="utf-8"
    )
    shutil.copy(here.out / FILE, here.out / f"{FILE}.version-4")
    return here


def contents(folder) -> dict[str, bytes]:
    """Return all files of the graded folder."""
    return {str(path.relative_to(folder.out)): path.read_bytes() for path in folder.out.rglob("*") if path.is_file()}


def unchanged(folder) -> tuple[dict[str, bytes], list[str]]:
    """Return what must stay; SQLite counts in the gradebook's first bytes how often it was opened."""
    with folder.book() as book:
        return {name: data for name, data in contents(folder).items() if name != FILE}, list(book.last())


def holding(folder, *needles: bytes) -> list[str]:
    """Return the files, and the rows of databases, that hold one of these."""
    return [name for name, data in contents(folder).items() if any(needle in data for needle in needles)]


def pieces(folder) -> list[bytes]:
    """Return pieces of all that the gradebook packed of the student: a page of SQLite's holds some 4,000 bytes of it.

    Pieces that others have as well are left out: equal answers may be packed into equal bytes.
    """
    query = "SELECT record, findings, packed FROM grading JOIN replies ON replies = replies.id WHERE name"
    with closing(sqlite3.connect(folder.out / FILE)) as database:
        blobs = [one for row in database.execute(f"{query} = ?", (NAME,)) for one in row if one]
        others = b"".join(one for row in database.execute(f"{query} != ?", (NAME,)) for one in row if one)
    assert len(blobs) >= 3
    found = [blob[at : at + 48] for blob in blobs for at in range(64, len(blob) - 48, 500)]
    return [one for one in found if one not in others]


def test_nothing_of_the_student_stays_in_the_folder(full):
    """Name, address, text and answers are in no file; the others keep theirs, and what was handed in is named and left."""
    words = [word.encode() for word in (NAME, PERSON, "xq@uni.example")]
    before = holding(full, *words)
    assert {FILE, COPY, f"{FILE}.version-4", "index.html", "gradebook.csv", "exports/gradebook.csv"} <= set(before)
    kept = pieces(full)
    assert FILE in holding(full, *kept)
    others = contents(full)["submissions/right_einsum/report.json"]

    said = say("adjust", "graded", "--forget", NAME, "--yes", "--by", "ada")

    assert f"Removed {NAME}: the submission, its answers, reports and decisions, and the student's line" in said
    assert f"stays: class/{NAME}.py" in said
    assert "still contain the name" not in said
    assert "exports/gradebook.csv" in said
    assert holding(full, *words) == []
    assert holding(full, *kept) == []
    assert not (full.out / "submissions" / NAME).exists()
    assert (full.path / "class" / f"{NAME}.py").exists()
    assert full.text("regraded.csv") == "submission,before,after\nright_einsum,100,102\n"
    assert contents(full)["submissions/right_einsum/report.json"] == others
    assert "right_einsum" in full.text("gradebook.csv")
    with full.book() as book:
        assert [one.name for one in book.roster().students] == ["Other, One"]
        assert not book.decision_records()
        ((at, who),) = book.forgotten()
    assert who == "ada"
    assert f"ada took one submission&#39;s data out of this class: {at}." in full.text("index.html")


@pytest.mark.slow
def test_the_class_goes_on_without_the_student(here):
    """Every command works, and a hand-in that is named again is a new one."""
    say("adjust", "graded", "--forget", NAME, "--yes", "--by", "ada")
    here.regrade("--force")
    say("similar", "graded", "--assignment", bundled())
    assert "there is no such submission" in say("history", "graded", NAME, status=2)
    assert "1 new, 3 unchanged." in here.grade()


def test_it_is_asked_for_first(here):
    """Whoever does not agree has lost nothing."""
    before = unchanged(here)
    assert "This cannot be undone." in say("adjust", "graded", "--forget", NAME, "--by", "ada", status=1)
    assert unchanged(here) == before


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--forget"], "No submission is named"),
        (["--forget", "nobody", "--yes", "--by", "a"], "nobody: there is no such submission"),
        (["--forget", NAME, "--comment", "asked", "--yes"], "a comment could name the student"),
        (["--forget", NAME, "--excuse", "--yes"], "--forget goes with NAMEs, --by and --yes only"),
        ([NAME, "--excuse", "--comment", "x", "--yes"], "--yes goes with --forget only"),
    ],
)
def test_what_does_not_fit_is_refused(here, words, said):
    """Nothing is taken out by a slip."""
    before = unchanged(here)
    assert said in say("adjust", "graded", *words, status=2)
    assert unchanged(here) == before


def test_what_a_person_wrote_elsewhere_is_named(here):
    """The grader does not change people's files: it says where the name is left."""
    (here.out / "notes.txt").write_text(f"ask {NAME} about it", encoding="utf-8")
    said = say("adjust", "graded", "--forget", NAME, "--yes", "--by", "ada")
    assert "These files still contain the name, in a person's comment or file, or by chance: graded/notes.txt." in said
