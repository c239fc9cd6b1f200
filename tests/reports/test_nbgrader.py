"""nbgrader: the table that its own `nbgrader export` writes."""

import csv
import io
import os
import subprocess
import venv
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from grader.model import Student
from grader.reports.export_rows import ExportError, ExportOptions
from grader.reports.formats import CLASS_FORMATS
from grader.reports.nbgrader import to_nbgrader
from reports import factory

# As nbgrader/plugins/export.py has them.
KEYS = [
    "assignment", "duedate", "timestamp", "student_id", "last_name", "first_name", "email",
    "raw_score", "late_submission_penalty", "score", "max_score",
]  # fmt: skip
ANN = Student("Doe, Ann", "Ann", "Doe", id="7", sis_id="0012", login="ann", email="ann@x.edu")


def rows(sheet, **options):
    """Read the table back."""
    return list(csv.DictReader(io.StringIO(to_nbgrader(sheet, ExportOptions(**options)), newline="")))


def test_a_row_is_nbgrader_s():
    """Its columns in its order; the score is the raw one less the penalty."""
    report = factory.report("a", {"loss": 0.5}, penalty=10, late_days=1)
    (row,) = rows(factory.sheet(report, students={"a": ANN}), assignment="ps1", due="2026-02-02 15:00:00")
    assert list(row) == KEYS
    assert list(row.values()) == [
        "ps1", "2026-02-02 15:00:00", "", "ann", "Doe", "Ann", "ann@x.edu", "80.5", "10.0", "70.5", "100.0",
    ]  # fmt: skip
    assert float(row["score"]) == float(row["raw_score"]) - float(row["late_submission_penalty"])


@pytest.mark.parametrize(
    ("student", "key"),
    [
        (Student("D", id="7", sis_id="0012", login="ann", email="e"), "ann"),
        (Student("D", id="7", sis_id="0012", email="e"), "0012"),
        (Student("D", id="7", email="e"), "e"),
        (Student("D", id="7"), "7"),
        (Student("=D"), "'=D"),
        (None, "a"),
    ],
)
def test_the_student_s_id_is_the_best_there_is(student, key):
    """The account first; without a roster the submission's name, which in nbgrader is the student's."""
    (row,) = rows(factory.sheet(factory.report("a"), students={"a": student} if student else {}))
    assert row["student_id"] == key


def test_no_cell_is_a_formula():
    """Accounts and addresses may begin as formulas do; a spreadsheet obeys them in this table, too."""
    for evil in ("=1+1", "@ann", "+441632960", "-1"):
        found = rows(
            factory.sheet(factory.report("a"), students={"a": Student(evil, evil, evil, login=evil, email=evil)}),
            due=evil,
        )
        assert not [cell for cell in found[0].values() if cell.startswith(("=", "+", "@", "-"))]


def test_who_handed_nothing_in_has_no_zeros():
    """What reads this table expects a row for each student; a zero would be a grade that nobody gave."""
    table = rows(factory.sheet(factory.report("bob"), missing=[ANN]))
    assert [row["student_id"] for row in table] == ["bob", "ann"]  # by last name, and bob's is not known
    assert [table[1][key] for key in KEYS[7:]] == ["", "", "", "100.0"]


def test_who_does_not_count_has_no_score():
    """There is no word for it in the table, and a zero would be one for "failed"."""
    for report in (factory.report("a", excused=True), factory.report("a", status="grader_error")):
        (row,) = rows(factory.sheet(report))
        assert [row[key] for key in KEYS[7:]] == ["", "", "", "100.0"]


def test_names_without_parts_are_last_names():
    """A roster may know the whole name only."""
    (row,) = rows(factory.sheet(factory.report("a"), students={"a": Student("Ann Doe", login="ann")}))
    assert (row["last_name"], row["first_name"]) == ("Ann Doe", "")


def test_an_empty_class_is_refused():
    """A table without rows would be taken for success."""
    with pytest.raises(ExportError, match=r"^The class has no submission and no student, so nbgrader's table would be"):
        rows(factory.sheet())


def test_two_students_of_one_id_are_refused():
    """A submission of someone unknown may be called as somebody's account."""
    sheet = factory.sheet(factory.report("a"), factory.report("ann"), students={"a": ANN})
    with pytest.raises(
        ExportError, match=r"same login, SIS User ID, .* to more than one student \(ann\), and nbgrader"
    ):
        rows(sheet)


@given(st.text(st.characters(), min_size=1, max_size=60) | st.text(';,=+-@"\r\n\0\ud800a', min_size=1, max_size=30))
def test_any_name_is_one_row(text):
    """Whatever a student is called, there are two rows of eleven cells, and none is a formula."""
    report = replace(factory.report("x"), submission=f"s{text}")
    text_table = to_nbgrader(factory.sheet(report, missing=[Student(text, text, text, login="ann")]), ExportOptions())
    text_table.encode()
    cells = list(csv.reader(io.StringIO(text_table, newline="")))
    assert [len(row) for row in cells] == [11] * 3
    assert not [one for row in cells for one in row if one.lstrip(' "').startswith(tuple("=+-@\t\r"))]


def test_the_file_s_name():
    """It lies among the other exports, so it is not called grades.csv."""
    assert list(CLASS_FORMATS["nbgrader"].write(factory.sheet(factory.report("a")), ExportOptions())) == [
        "nbgrader.csv"
    ]


# ---------------------------------------------------------------- the same bytes

IMPORT = """
import csv, sys
from nbgrader.api import Gradebook
with open(sys.argv[1], newline="", encoding="utf-8") as file, Gradebook("sqlite:///gradebook.db") as book:
    rows = list(csv.DictReader(file))
    book.add_assignment(rows[0]["assignment"], duedate=rows[0]["duedate"])
    book.add_notebook("all", rows[0]["assignment"])
    book.add_grade_cell("all", "all", rows[0]["assignment"], max_score=float(rows[0]["max_score"]), cell_type="code")
    for row in reversed(rows):
        book.add_student(row["student_id"], **{key: row[key] for key in ("last_name", "first_name", "email")})
        if row["raw_score"]:
            which = (row["assignment"], row["student_id"])
            book.add_submission(*which)
            book.find_submission_notebook("all", *which).late_submission_penalty = float(row["late_submission_penalty"])
            book.find_grade("all", "all", *which).manual_score = float(row["raw_score"])
    book.db.commit()
"""


@pytest.mark.slow
def test_nbgrader_writes_the_same_bytes(tmp_path):
    """Our scores are put into its gradebook through its API; what it exports then is our file, but for who has no score."""
    ours, theirs = tmp_path / "ours.csv", tmp_path / "grades.csv"
    students = {
        name: Student(last, first, last, login=name, email=f"{name}@x.edu")
        for name, last, first in (
            ("b", "Łukasz", "Ann"),
            ("c", "Łukasz", "Änn"),
            ("d", "O'Neil", ""),
            ("e", "Zoé", "X"),
        )
    }
    reports = (
        factory.report("b", {"loss": 0.1}, penalty=8.817, late_days=1),  # raw - penalty is no short number
        factory.report("c", {"loss": 0.123456789}),
        factory.report("d", {"loss": 0.0}, penalty=80, late_days=9),
        factory.report("e", excused=True),
    )
    missing = [Student("Abe Doe", login="a", email="")]
    sheet = factory.sheet(*reports, students=students, missing=missing)
    options = ExportOptions(assignment="ps1", due="2026-02-02 15:00:00")
    ours.write_text(to_nbgrader(sheet, options), encoding="utf-8")
    venv.create(tmp_path / "venv", with_pip=True)
    programs = tmp_path / "venv" / "bin"
    subprocess.run([programs / "pip", "install", "-q", "nbgrader==0.9.6"], check=True, timeout=900)
    env = {**os.environ, "HOME": str(tmp_path), "PATH": f"{programs}:{os.environ['PATH']}"}
    for words in ([programs / "python", "-c", IMPORT, ours], [programs / "nbgrader", "export"]):
        subprocess.run(words, check=True, cwd=tmp_path, env=env, timeout=300)
    expected = ours.read_bytes()
    assert expected.count(b",,,,100.0\n") == 2
    assert theirs.read_bytes() == expected.replace(b",,,,100.0\n", b",0.0,0.0,0.0,100.0\n")
