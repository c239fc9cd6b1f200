"""Without names: what a grader of the staff is shown tells no student of the class, and each keeps one pseudonym."""

from __future__ import annotations

import re

import pytest

from classroom.conftest import BARE
from classroom.once import graded_once, say
from grader.classroom.find_student import pseudonyms
from grader.classroom.gradebook import Gradebook

STUDENTS = (
    ("Doe, Jane", "jdoe7", "jane.doe@x.org", "1234567", "bare.py"),
    ("Max Muster", "mm0815", "max@x.org", "7654321", "Muster_Max_hw1.py"),
    ("Özil, Ana-Maria", "aozil", "aozil@x.org", "555", "wrong_half_the_gradient.py"),
    ("Kim Lee", "klee1", "kim@x.org", "", "right_einsum.py"),
    ("Roe, Bob", "broe1", "bob@x.org", "", "broken_syntax.ipynb"),
    ("\u738b\u660e", "wming1", "wm@x.org", "", ""),
    ("Poe, Zoe", "zpoe1", "zoe@x.org", "99999", ""),
)
# A part of a name counts as it is written: np.max is no student.
NAMES = re.compile(
    r"(?<![^\W_])(Doe|Jane|Muster|Max|Özil|Ana|Maria|Poe|Zoe|Lee|Kim|Roe|Bob|(?i:jane.doe|muster.max)|jdoe7|mm0815|aozil|zpoe1"
    r"|klee1|broe1|wming1|\u738b\u660e|1234567|7654321|99999|right_einsum|broken_syntax|wrong_half_the_gradient)(?![^\W_])"
)


@pytest.fixture
def here(tmp_path_factory, tmp_path, monkeypatch):
    """Return a graded class with a roster, in which names stand wherever somebody can write one."""
    folder = graded_once(tmp_path_factory, tmp_path, monkeypatch)
    own = "# Name: Max Muster (mm0815), with jane doe\n"
    (folder.path / "class" / "Muster_Max_hw1.py").write_text(f"{own}{BARE}    def loss(self): return Muster\n", "utf-8")
    rows = [",".join(f'"{cell}"' for cell in row) for row in STUDENTS]
    (folder.path / "roster.csv").write_text("name,login,email,sis_id,submission\n" + "\n".join(rows), "utf-8")
    folder.grade("--roster", "roster.csv", "--force")
    (folder.path / "words.csv").write_text("login,request\njdoe7,Jane Doe here; Max copied.\n", "utf-8")
    say("adjust", "graded", "--from", "words.csv", "--by", "ada")
    say(
        "adjust",
        "graded",
        "--failed",
        "scores",
        "--comment",
        "Dear Jane, dear Zoe, ask max@x.org, \u738b\u660e.",
        "--by",
        "ada",
    )
    return folder


def codes(here) -> dict[str, str]:
    """Return the pseudonym of each submission."""
    with Gradebook(here.out, reading=True) as book:
        return pseudonyms(book)


def leaks(text: str) -> list[str]:
    """Return what names a student in a text."""
    return NAMES.findall(text)


def test_no_file_that_is_written_without_names_holds_one(here):
    """Every format for people, and every form of one report; with names the same commands do tell them."""
    for form in ("class", "gradebook", "pages", "decisions"):
        assert not leaks(say("export", "graded", "--format", form, "--blind"))
        say("export", "graded", "--format", form, "--to", "named")
    for number, form in enumerate(("html", "json", "terminal", "junit", "github", "gradescope")):
        file = here.out / "blind" / f"{number}.{form}"
        say("show", "graded", codes(here)["Muster_Max_hw1"], "--blind", "--format", form, "--to", file)
    written = [path for path in (here.out / "blind").rglob("*") if path.is_file()]
    assert len(written) > 15
    for path in written:
        assert not leaks(f"{path.relative_to(here.out)} {path.read_text(encoding='utf-8')}"), path
    assert all(leaks(path.read_text(encoding="utf-8")) for path in (here.path / "named").glob("*.csv"))


def test_pages_without_names_lead_to_each_other(here):
    """The class page's links, in an order that tells nothing, and the same pseudonyms after another grading."""
    before = codes(here)
    say("export", "graded", "--format", "class", "--blind")
    page = here.text("blind/class/index.html")
    links = list(dict.fromkeys(re.findall(r'href="(submissions/[^"]+)"', page)))
    assert sorted(links) == sorted(f"submissions/{code}/report.html" for code in before.values())
    assert all((here.out / "blind" / "class" / link).exists() for link in links)
    here.grade("--seed", 7, "--force")
    assert codes(here) == before
    with Gradebook(here.path, create=True) as another, here.book() as book:
        assert another.secret_key() != book.secret_key()
    assert all(re.fullmatch("[a-z2-7]{8}", code) for code in before.values())


def test_a_pseudonym_is_a_name_for_every_command(here):
    """With --blind no other name is taken, so that nobody looks a pseudonym up; without it, it finds its student."""
    code = codes(here)["bare"]
    for words in (("show",), ("history",), ("adjust", "--comment", "Good, Jane.", "--by", "ada")):
        said = say(words[0], "graded", code, "--blind", *words[1:])
        assert code in said
        assert not leaks(said)
        said = say(words[0], "graded", "bare", "--blind", *words[1:], status=2)
        assert "bare: --blind takes a pseudonym" in said
        assert not leaks(said)
    assert "Doe, Jane" in say("show", "graded", code)
    assert "there is no such submission" in say("show", "graded", code[:5], status=2)
    (here.path / "by_code.csv").write_text(f"submission,comment\n{code},Seen.\n", "utf-8")
    assert not leaks(say("adjust", "graded", "--from", "by_code.csv", "--by", "ada", "--blind"))
    assert "Seen." in here.page("bare")


def test_platforms_need_names(here):
    """Their formats refuse --blind and say which do not; whole-class deeds of adjust do as well; without it all is as ever."""
    said = say("export", "graded", "--format", "canvas-comments", "--blind", status=2)
    assert (
        "canvas-comments is for platforms, which need names. Without names: gradebook, pages, decisions, class." in said
    )
    assert "Doe, Jane" in say("adjust", "graded", "jdoe7", "--comment", "x", "--by", "ada")
    assert "--forget goes with" in say("adjust", "graded", "jdoe7", "--forget", "--blind", status=2)
    say("export", "graded", "--format", "canvas")
    assert "Doe, Jane" in here.text("exports/canvas.csv")


def test_what_is_forgotten_is_not_left_without_names(here):
    """The folder for graders held the student's program and answers, too."""
    say("export", "graded", "--format", "class", "--blind")
    say("adjust", "graded", "--forget", "jdoe7", "--yes", "--by", "ada")
    assert not (here.out / "blind").exists()
