"""`roster-kept.csv`: a roster outlives its gradebook, in a file that `--roster` takes."""

from __future__ import annotations

import csv

import pytest

from classroom.books import RUBRIC, line
from grader.classroom.gradebook import Gradebook
from grader.classroom.roster import Roster, read_roster
from grader.classroom.storage import ROSTER
from grader.model import Student
from grader.text.sanitise import csv_cell

PLAIN = 'name,email,submission\n"Doe, Jane",jane@x.org,jane.py\nJ\u00f6rg van der Berg,,\n"Roe, ""Bob""",bob@x.org,"a, b.zip"\n'
CANVAS = (
    "Student,ID,SIS User ID,SIS Login ID,Section\nPoints Possible,,,,\n"
    '"Doe, Ann",101,0012,ann,"A, B"\n"Student, Test",102,,test,A\n'
)
MOODLE = "First name,Surname,ID number,Email address,Groups\nAnn,Doe,007,ann@x.org,\nBob,Roe,008,bob@x.org,two\n"
GITHUB = "identifier,github_username\nann@x.org,annie\nBob Roe,bobby\n"
NAMES = "Ann Doe\nBob Roe\n"
FEW = "login,github\nann,\n,bobby\n"


def told(roster: Roster) -> tuple[object, ...]:
    """Return what a roster says, but for its file and lines."""
    return roster.students, [(claim.student, claim.entry) for claim in roster.claims]


@pytest.mark.parametrize("text", [PLAIN, CANVAS, MOODLE, GITHUB, NAMES, FEW])
def test_every_kind_of_roster_comes_back(tmp_path, text):
    """Students in their order, with every field, and the entries that are theirs; written again, it is the same file."""
    (tmp_path / "given.csv").write_text(text, encoding="utf-8")
    given = read_roster(tmp_path / "given.csv")
    with Gradebook(tmp_path, create=True) as book:
        book.set_roster(given)
    kept = read_roster(tmp_path / ROSTER)
    assert told(kept) == told(given)
    content = (tmp_path / ROSTER).read_bytes()
    with Gradebook(tmp_path) as book:
        book.set_roster(kept)
    assert (tmp_path / ROSTER).read_bytes() == content


def test_it_comes_back_where_somebody_removed_it(tmp_path):
    """Whatever opens the gradebook to write writes it anew; without a roster there is none."""
    with Gradebook(tmp_path, create=True) as book:
        book.keep([line("alice")], RUBRIC)
    Gradebook(tmp_path).close()
    assert not (tmp_path / ROSTER).exists()
    with Gradebook(tmp_path) as book:
        book.set_roster(Roster((Student("Doe, Jane"),)))
    (tmp_path / ROSTER).unlink()
    Gradebook(tmp_path).close()
    assert (tmp_path / ROSTER).read_text() == 'name\n"Doe, Jane"\n'


def test_no_name_is_a_formula(tmp_path):
    """Students may choose how a platform spells them."""
    with Gradebook(tmp_path, create=True) as book:
        book.set_roster(Roster((Student('=HYPERLINK("http://x")', login="@ann", section="\x1b[2J"),)))
    rows = list(csv.reader((tmp_path / ROSTER).read_text(encoding="utf-8").splitlines()))
    assert [[csv_cell(one) for one in row] for row in rows] == rows
    assert read_roster(tmp_path / ROSTER).students[0].login == "@ann"
