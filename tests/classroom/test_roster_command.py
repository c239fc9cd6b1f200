"""`grader grade --roster`: whose each submission is, who is missing, and what is no roster."""

from __future__ import annotations

import csv
import io

import pytest

from classroom.conftest import write_rubric
from classroom.once import Folder, at_hand, graded_once, say
from grader.classroom import grading_loop

ROSTER = """name,id,email,submission
"Doe, Ann",101,ann@example.org,bare.py
"Roe, Bob",102,bob@example.org,right_einsum.py
"Low, Eve",105,eve@example.org,
"""


@pytest.fixture
def here(tmp_path_factory, tmp_path, monkeypatch):
    """Return a class that is graded, and its roster."""
    folder = graded_once(tmp_path_factory, tmp_path, monkeypatch)
    (folder.path / "roster.csv").write_text(ROSTER, encoding="utf-8")
    return folder


@pytest.fixture
def fresh(tmp_path, monkeypatch):
    """Return a class of two that is not graded yet, named as a platform names its downloads."""
    at_hand(monkeypatch)
    monkeypatch.chdir(tmp_path)
    write_rubric(tmp_path / "rubric")
    (tmp_path / "class").mkdir()
    for name in ("doeann_101_9001_two_layer_net.py", "roebob_102_9002_two_layer_net.py"):
        (tmp_path / "class" / name).write_text("x = 1\n", encoding="utf-8")
    (tmp_path / "roster.csv").write_text(
        'Student,ID,SIS User ID,SIS Login ID,Section\n"Doe, Ann",101,s101,ann,1\n"Roe, Bob",102,s102,bob,1\n'
        '"Low, Eve",105,s105,eve,1\n',
        encoding="utf-8",
    )
    return Folder(tmp_path)


def students(here) -> dict[str, str]:
    """Return gradebook.csv's students by their submissions."""
    return {row["submission"]: row["student"] for row in csv.DictReader(io.StringIO(here.text("gradebook.csv")))}


@pytest.mark.slow
def test_a_grading_that_was_stopped_waits_for_those_whom_the_roster_names(fresh, monkeypatch):
    """What the roster gives to somebody may not be graded yet: nothing else is refused for that, and it is theirs later."""
    names = [f"{name}_two_layer_net.py" for name in ("doeann_101_9001", "roebob_102_9002")]
    (fresh.path / "roster.csv").write_text(
        f'name,id,submission\n"Doe, Ann",101,{names[0]}\n"Roe, Bob",102,{names[1]}\n', encoding="utf-8"
    )
    written = grading_loop.write_submission

    def stopped(out, name, files):
        if name.startswith("roebob"):
            raise KeyboardInterrupt
        written(out, name, files)

    with monkeypatch.context() as patched:
        patched.setattr(grading_loop, "write_submission", stopped)
        words = ("class", "--out", "graded", "--assignment", "rubric", "--roster", "roster.csv", "--seed", 231)
        assert "Stopped. 1 of 2 are graded and saved." in say("grade", *words, status=130)
    first = names[0].removesuffix(".py")
    assert students(fresh) == {first: "Doe, Ann", "": "Roe, Bob"}
    assert "Late by 1 day" in say("adjust", "graded", first, "--late-days", 1, "--comment", "x", "--by", "ada")
    say("export", "graded", "--format", "gradebook")
    assert "1 new, 1 unchanged" in fresh.grade()
    assert students(fresh) == {first: "Doe, Ann", names[1].removesuffix(".py"): "Roe, Bob"}


def test_whose_each_is_is_told_and_who_is_missing(here):
    """What was matched, what is nobody's with how to mend it, and who handed nothing in."""
    said = here.grade("--roster", "roster.csv")
    assert "4 unchanged" in said
    assert "write its name beside its student in a roster column `submission`" in said
    assert "Low, Eve" in said
    assert students(here) == {
        "bare": "Doe, Ann",
        "broken_syntax": "",
        "right_einsum": "Roe, Bob",
        "wrong_half_the_gradient": "",
        "": "Low, Eve",
    }
    for name in ("Doe, Ann", "Roe, Bob", "Low, Eve"):
        assert name in here.text("index.html")


def test_a_platforms_download_needs_no_column(fresh):
    """Canvas's numbers in the files' names are the roster's."""
    said = fresh.grade("--seed", 231, "--roster", "roster.csv")
    assert "2 new" in said
    assert sorted(students(fresh).values()) == ["Doe, Ann", "Low, Eve", "Roe, Bob"]


def test_the_roster_is_kept(here):
    """A second run without it tells and shows the same; another roster takes its place."""
    first = here.grade("--roster", "roster.csv")
    page, table = here.text("index.html"), here.text("gradebook.csv")
    assert here.grade() == first
    assert (here.text("index.html"), here.text("gradebook.csv")) == (page, table)
    (here.path / "roster.csv").write_text("name,submission\nCleo Poe,bare.py\n", encoding="utf-8")
    assert here.report("bare")["student"] == "Doe, Ann"
    assert "4 unchanged" in here.grade("--roster", "roster.csv")
    assert students(here)["bare"] == here.report("bare")["student"] == "Cleo Poe"
    assert here.report("right_einsum")["student"] is None
    assert "Doe, Ann" not in here.text("index.html")


@pytest.mark.slow
def test_a_decision_and_a_regrade_keep_the_students(here):
    """Whatever writes the class page writes whose each submission is."""
    here.grade("--roster", "roster.csv")
    kept = students(here)
    say("adjust", "graded", "bare", "--excuse", "--comment", "Ill.", "--by", "ada")
    assert students(here) == kept
    assert here.report("bare")["student"] == "Doe, Ann"
    here.regrade("--force")
    assert students(here) == kept
    assert here.report("right_einsum")["student"] == "Roe, Bob"
    assert "Doe, Ann" in here.text("index.html")


@pytest.mark.parametrize(
    ("roster", "said"),
    [
        ("shoe size,colour\n43,blue\n", "roster.csv, line 1"),
        ("", "roster.csv"),
        ("name,id\nAnn,1\nBob,1\n", 'roster.csv, lines 2 and 3: both have the student number "1".'),
        ('name,id\n"Ann,1\n', "roster.csv, line 2: the row that begins there is no CSV"),
        ("name,submission\nAnn,nobody.py\n", "nobody.py"),
        (None, "roster.csv"),
    ],
)
def test_a_bad_roster_is_refused_before_anything_is_graded(fresh, roster, said):
    """Whoever mistyped it has lost a second and not an hour; the status is that of bad usage."""
    if roster is None:
        (fresh.path / "roster.csv").unlink()
    else:
        (fresh.path / "roster.csv").write_text(roster, encoding="utf-8")
    assert said in fresh.grade("--roster", "roster.csv", status=2)
    assert not list(fresh.out.rglob("report.*"))
    if (fresh.out / "gradebook.db").exists():
        with fresh.book() as book:
            assert (book.last(), book.roster()) == ({}, None)


def test_a_bad_roster_takes_no_good_one_away(here):
    """The one that was kept stays."""
    here.grade("--roster", "roster.csv")
    (here.path / "other.csv").write_text("name,submission\nAnn,nobody.py\n", encoding="utf-8")
    here.grade("--roster", "other.csv", status=2)
    with here.book() as book:
        assert [student.name for student in book.roster().students] == ["Doe, Ann", "Roe, Bob", "Low, Eve"]


def test_a_name_in_a_roster_is_harmless(here):
    """Markup, a terminal's codes and a formula in a student's name are text on the page, in the table and on the screen."""
    (here.path / "roster.csv").write_text(
        'name,id,submission\n"=1+1<script>alert(1)</script>[red]",1,bare.py\n"@evil<b>",2,\n', encoding="utf-8"
    )
    said = here.grade("--roster", "roster.csv")
    assert "<script>alert(1)" not in here.text("index.html")
    assert students(here)["bare"].startswith("'=1+1<script>")
    assert "@evil<b>" in said
    assert "'@evil<b>" in students(here).values()
