"""The gradebook: one row each, everything that is known, and no cell that a spreadsheet would compute."""

import csv
import io
import re
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from grader.model import Sheet, Standing, Student
from grader.reports.export_rows import ExportOptions
from grader.reports.formats import CLASS_FORMATS
from grader.reports.gradebook_csv import COLUMNS, to_gradebook
from reports import factory

ANN = factory.student("Doe, Ann", id="0012", sis_id="00345", login="ann", email="ann@x.edu")
CHECKS = [row[0] for row in factory.RUBRIC]


def rows(sheet):
    """Read a gradebook back, as a program does."""
    return list(csv.DictReader(io.StringIO(to_gradebook(sheet, ExportOptions()), newline="")))


def is_formula(text):
    """Return whether a cell's text would be computed, once blanks and quotes before it are stripped."""
    return re.sub(r'^[\s"]+', "", text).startswith((*"=+-@\t\r", *"\uff1d\uff0b\uff0d\uff20\u2212"))


def test_a_row_holds_all_that_is_known():
    """Who, from where, the score with what made it, what people decided, and the points of each check."""
    report = factory.report(
        "ann", {"loss": 0, "grad_W1": 12.5}, adjusted={"grad_W1": 0.0, "loss": 20.0}, penalty=7.5, late_days=1.5
    )
    (row,) = rows(factory.sheet(report, students={"ann": ANN}))
    assert row == {
        "submission": "ann",
        "student": "Doe, Ann",
        "id": "0012",
        "sis_id": "00345",
        "login": "ann",
        "email": "ann@x.edu",
        "source": "handed_in/ann.ipynb",
        "score": "65",
        "max_score": "100",
        "raw_score": "72.5",
        "late_days": "1.5",
        "penalty": "7.5",
        "excused": "",
        "status": "graded",
        "adjusted": "loss (was 20); grad_W1 (was 0)",
        "carried": "",
        "scores": "20",
        "loss": "0",
        "grad_W1": "12.5",
        "grad_hidden": "10",
        "train_digits": "20",
        "predict": "10",
    }


def test_an_excused_student_keeps_the_score():
    """The gradebook is for who teaches: that it does not count is said beside it."""
    (row,) = rows(factory.sheet(factory.report("bob", excused=True)))
    assert (row["excused"], row["score"]) == ("yes", "100")


def test_without_a_roster_a_submission_is_nobodys():
    """The person's columns are there and empty: a script finds the same header for every class."""
    (row,) = rows(factory.sheet(factory.report("ann")))
    assert [row[name] for name in ("submission", "student", "id", "sis_id", "login", "email")] == ["ann", *[""] * 5]


def test_who_handed_nothing_in_has_a_row_without_a_score():
    """No submission is not a zero: nobody decided that."""
    table = rows(factory.sheet(factory.report("bob"), missing=[ANN]))
    assert [row["submission"] for row in table] == ["bob", ""]
    known = {"student": "Doe, Ann", "id": "0012", "sis_id": "00345", "login": "ann", "email": "ann@x.edu"}
    assert {name: text for name, text in table[1].items() if text} == {**known, "status": "missing"}


def test_what_could_not_be_graded_says_so():
    """A score of nothing stands beside the reason for it."""
    (row,) = rows(factory.sheet(factory.report("bob", status="failed_to_load")))
    assert (row["score"], row["status"], row["loss"]) == ("0", "failed_to_load", "0")


def test_a_check_that_a_report_lacks_is_an_empty_cell():
    """A class may hold reports of two rubrics; columns stand in the order in which they are met."""
    whole, short = factory.report("ann"), factory.report("bob")
    short = replace(short, checks=short.checks[1:2])
    table = rows(factory.sheet(short, whole))
    assert [list(row) for row in table] == [[*COLUMNS, *CHECKS]] * 2
    assert [row["predict"] for row in table] == ["10", ""]


def test_an_empty_class_is_a_header():
    """A script that reads no rows need not ask whether there is a file."""
    assert to_gradebook(Sheet("Class", 100, ()), ExportOptions()) == ",".join(COLUMNS) + "\n"


def test_numbers_of_ours_are_numbers():
    """No apostrophe makes a text of a number, negative ones included, and nothing is written as -0."""
    report = replace(factory.report("ann"), score=-3.0, penalty=-0.0)
    (row,) = rows(factory.sheet(report))
    assert (row["score"], row["raw_score"], row["penalty"]) == ("-3", "-3", "0")


@pytest.mark.parametrize(
    "text", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "\n=1", " =1", '"=1"', "a;=1", "=cmd|' /C calc'!A0"]
)
def test_nothing_that_others_wrote_is_a_formula(text):
    """Names of submissions and paths are a student's, the rest is a roster's, which students may fill in themselves."""
    student = Student(text, "", "", text, text, text, text)
    report = replace(factory.report("x"), submission=text, source=text)
    table = to_gradebook(Sheet("Class", 100, (Standing(report, student),), (student,)), ExportOptions())
    for delimiter in ",;\t":
        cells = [one for row in csv.reader(io.StringIO(table, newline=""), delimiter=delimiter) for one in row]
        assert [one for one in cells if is_formula(one)] == []
    assert len(table.splitlines()) == 3


@given(st.text(st.characters(), max_size=30) | st.text(";,=+-@\"' \t\r\n\ud800\0a", max_size=12))
def test_any_text_stays_in_its_row(text):
    """Quotes, line ends, control characters and halves of characters neither break a row nor the file's encoding."""
    student = Student(text, "", "", text, text, text, text)
    report = replace(factory.report("x"), submission=text, source=text)
    table = to_gradebook(Sheet("Class", 100, (Standing(report, student),), (student,)), ExportOptions())
    table.encode()
    found = list(csv.reader(io.StringIO(table, newline="")))
    assert [len(row) for row in found] == [len(COLUMNS) + len(CHECKS)] * 3
    assert not any(map(is_formula, (one for row in found for one in row)))


def test_the_same_class_gives_the_same_bytes():
    """One file, named as it always was, with newlines for rows' ends."""
    sheet = factory.sheet(factory.report("ann"), students={"ann": ANN})
    first, second = (CLASS_FORMATS["gradebook"].write(sheet, ExportOptions()) for _ in range(2))
    assert first == second == {"gradebook.csv": to_gradebook(sheet, ExportOptions())}
    assert "\r" not in first["gradebook.csv"]
