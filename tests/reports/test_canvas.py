"""Canvas: read back as its gradebook importer reads, row by row."""

import csv
import io
import re
from dataclasses import replace

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from grader.model import Student
from grader.reports.canvas import to_canvas
from grader.reports.export_rows import ExportError, ExportOptions
from grader.reports.formats import CLASS_FORMATS
from reports import factory

ANN = Student("Doe, Ann", id="0012", sis_id="00345", login="ann@x.edu", section="S1")
BOB = Student("Roe, Bob", id="13", login="bob")


def table(sheet, **options):
    """Read the file as any CSV reader does."""
    return list(csv.reader(io.StringIO(to_canvas(sheet, ExportOptions(**options)), newline="")))


def imported(text):
    """Read a file as lib/gradebook_importer.rb does: (title, number, points possible, scores by who is found)."""
    header, *rest = csv.reader(io.StringIO(text, newline=""))
    assert "Student" in header[0]
    assert "ID" in header[1]
    assert re.search(r"SIS\s+User\s+ID", header[2])
    assert re.search(r"SIS\s+Login\s+ID", header[3])
    assert "Section" in header[4]
    (column,) = header[5:]
    match = re.fullmatch(r"(.*)\s\((\d+)\)", column)
    title, number = match.groups() if match else (column, None)
    scores, possible = {}, None
    for row in rest:
        assert len(row) == len(header)
        if "Points Possible" in row[0]:
            possible = float(row[5])
        else:
            scores[next(filter(None, (*row[1:4], row[0])))] = row[5].strip()
    return title, number, possible, scores


def test_the_file_is_what_canvas_imports():
    """Its header, the row that says what it is worth, and two decimals for each student."""
    sheet = factory.sheet(factory.report("ann", {"loss": 0.456}), students={"ann": ANN})
    assert to_canvas(sheet, ExportOptions(canvas_id="4711")) == (
        "Student,ID,SIS User ID,SIS Login ID,Section,Two-layer net (4711)\n"
        "    Points Possible,,,,,100.00\n"
        '"Doe, Ann",0012,00345,ann@x.edu,S1,80.46\n'
    )


def test_canvas_finds_assignment_and_students():
    """The number in the title is the assignment's; accounts come back as the roster has them."""
    sheet = factory.sheet(
        factory.report("a"), factory.report("b", {"scores": 0}, penalty=5, late_days=1), students={"a": ANN, "b": BOB}
    )
    text = to_canvas(sheet, ExportOptions(canvas_id="4711", assignment="HW 2"))
    assert imported(text) == ("HW 2", "4711", 100.0, {"0012": "100.00", "13": "75.00"})
    assert imported(to_canvas(sheet, ExportOptions()))[:2] == ("Two-layer net", None)


def test_students_stand_in_the_order_of_their_names():
    """As in Canvas's own file, whatever their submissions are called, and whatever the case of a letter."""
    cat = Student("de Poe, Cat", id="14")
    sheet = factory.sheet(*map(factory.report, "abc"), students={"a": BOB, "b": ANN, "c": cat})
    assert [row[0] for row in table(sheet)[2:]] == ["de Poe, Cat", "Doe, Ann", "Roe, Bob"]


def test_who_is_excused_is_excused():
    """EX, whatever the score."""
    sheet = factory.sheet(factory.report("a", excused=True), students={"a": ANN})
    assert imported(to_canvas(sheet, ExportOptions()))[3] == {"0012": "EX"}


def test_of_who_has_no_grade_canvas_is_told_nothing():
    """An empty cell would delete a score that Canvas has, and a zero would be a grade that nobody gave."""
    sheet = factory.sheet(
        factory.report("a"), factory.report("b", status="grader_error"), students={"a": ANN, "b": BOB},
        missing=[Student("Poe, Cat", id="14")],
    )  # fmt: skip
    assert imported(to_canvas(sheet, ExportOptions()))[3] == {"0012": "100.00"}


def test_what_could_not_be_loaded_is_a_grade():
    """It was handed in and earned what its report says; so is what people decided where the grader failed."""
    failed = factory.report("a", status="failed_to_load")
    error = factory.report("b", status="grader_error")
    decided = replace(error, score=20.0, checks=(replace(error.checks[0], points=20.0, adjusted_from=0.0),))
    sheet = factory.sheet(failed, decided, students={"a": ANN, "b": BOB})
    assert imported(to_canvas(sheet, ExportOptions()))[3] == {"0012": "0.00", "13": "20.00"}


@pytest.mark.parametrize(
    "login", ["@ann", "+441632960", "-ann", "007", "ann_1.b+c@x-y.edu", "Jörg", "AB 12/3", "a,b", 'a"b']
)
def test_accounts_are_not_changed(login):
    """Leading zeros, signs and quotes: Canvas finds nobody by what a spreadsheet would make of them."""
    student = Student("Doe", id=login, sis_id=login, login=login)
    assert table(factory.sheet(factory.report("a"), students={"a": student}))[2][1:4] == [login] * 3


@pytest.mark.parametrize(
    "login", ["=1+1", "@SUM(A1)", "+cmd|' /C calc'!A0", "a;=1", "a\nb", "a\u202eb", "\ud800", "\uff1d1"]
)
def test_accounts_that_are_formulas_are_refused(login):
    """They can neither stand as they are nor be changed; the roster is named, and the student."""
    with pytest.raises(ExportError) as caught:
        table(factory.sheet(factory.report("a"), students={"a": Student("Doe", login=login)}))
    assert re.fullmatch(
        r"The roster says .* of Doe\. That is a formula to a spreadsheet, or it holds invisible characters\."
        r" Mend the roster\.",
        str(caught.value),
    )
    str(caught.value).encode()


def test_a_name_cannot_pass_for_the_row_of_points():
    """Canvas knows that row by two words in its first cell, and a student chooses what they are called."""
    student = Student("Points Possible", id="12")
    sheet = factory.sheet(factory.report("a", {"loss": 0}), students={"a": student})
    assert imported(to_canvas(sheet, ExportOptions()))[2:] == (100.0, {"12": "80.00"})


def test_names_are_no_formulas():
    """Name and section are for people to read, so they may be changed."""
    student = Student("=1+1", id="1", section="=2")
    assert table(factory.sheet(factory.report("a"), students={"a": student}))[2] == [
        "'=1+1",
        "1",
        "",
        "",
        "'=2",
        "100.00",
    ]


@pytest.mark.parametrize("title", ["Current Score", "Net: Final Grade", "Override Status", "Unposted Final Points"])
def test_a_title_that_canvas_would_pass_over_is_refused(title):
    """Canvas drops such columns without a word."""
    sheet = factory.sheet(factory.report("a"), students={"a": ANN}, title=title)
    with pytest.raises(ExportError, match=rf"called '{title}', but Canvas takes a column with .* for one of its own"):
        to_canvas(sheet, ExportOptions())


def test_a_number_that_is_none_is_refused():
    """Canvas would make a new assignment of that name."""
    sheet = factory.sheet(factory.report("a"), students={"a": ANN})
    with pytest.raises(
        ExportError, match=r"^'hw2' is not a Canvas assignment\. Give the assignment's number, the last one"
    ):
        to_canvas(sheet, ExportOptions(canvas_id="hw2"))


@pytest.mark.parametrize("name", ["canvas", "moodle"])
def test_without_a_roster_nobody_can_be_found(name):
    """The first few are named, the others counted, and the option that mends it stands there."""
    sheet = factory.sheet(*(factory.report(f"s{number}") for number in range(7)))
    with pytest.raises(ExportError) as caught:
        CLASS_FORMATS[name].write(sheet, ExportOptions())
    assert str(caught.value) == (
        f"7 submissions have no student (s0, s1, s2, s3, s4 and 2 more), and {name.capitalize()} needs one"
        " for each: give --roster FILE with a line for everyone who handed in."
    )


def test_an_error_names_people_readably():
    """Names come from students: in an error they are short, and nothing that a terminal or a CI's runner obeys."""
    sheet = factory.sheet(replace(factory.report("x"), submission=f"\x1b[31m::error::{'y' * 200}"))
    with pytest.raises(
        ExportError, match=r"no student \(\\u001b\[31m: :error: :yy.* characters left out\) \.\.\.y+\), and"
    ):
        to_canvas(sheet, ExportOptions())


@pytest.mark.parametrize("name", ["canvas", "moodle"])
def test_a_student_with_two_submissions_is_refused(name):
    """Which of the two counts is for people to say."""
    ann = replace(ANN, email="ann@x.edu")
    sheet = factory.sheet(factory.report("a"), factory.report("b"), students={"a": ann, "b": ann})
    with pytest.raises(ExportError) as caught:
        CLASS_FORMATS[name].write(sheet, ExportOptions())
    assert str(caught.value) == (
        f"1 student has more than one submission (Doe, Ann), and {name.capitalize()} takes one grade each: keep one"
        " submission of each student, or mend the roster."
    )


@pytest.mark.parametrize("name", ["canvas", "moodle"])
def test_an_empty_class_is_refused(name):
    """A file without a grade would be taken for success."""
    for sheet in (factory.sheet(), factory.sheet(missing=[ANN])):
        with pytest.raises(
            ExportError, match=f"no graded submission, so there is nothing for {name.capitalize()} to im"
        ):
            CLASS_FORMATS[name].write(sheet, ExportOptions())


def test_two_students_of_one_number_are_refused():
    """Canvas would give one of them both scores; the same in different columns is no matter."""
    twins = {"a": Student("Doe, Ann", id="7"), "b": Student("Roe, Bob", id="7")}
    sheet = factory.sheet(factory.report("a"), factory.report("b"), students=twins)
    with pytest.raises(
        ExportError, match=r"gives the same ID, SIS .* to more than one student \(7\), and Canvas would"
    ):
        to_canvas(sheet, ExportOptions())


def test_a_name_is_the_last_resort():
    """Canvas takes it where the roster knows nothing else."""
    sheet = factory.sheet(factory.report("a"), students={"a": Student("Doe, Ann")})
    assert imported(to_canvas(sheet, ExportOptions()))[3] == {"Doe, Ann": "100.00"}


def test_a_student_without_anything_is_refused():
    """Neither an account nor a name: the roster is incomplete."""
    sheet = factory.sheet(factory.report("a"), students={"a": Student("")})
    with pytest.raises(ExportError, match=r"^1 student has no ID, SIS User ID, SIS Login ID or name in the roster"):
        to_canvas(sheet, ExportOptions())


@given(
    name=st.text(st.characters(), max_size=30) | st.text(';,="\r\n\0\ud800 Points Possible', max_size=30),
    title=st.text(max_size=30),
)
def test_any_name_and_title_leave_the_table_whole(name, title):
    """Three rows of six cells, in UTF-8, on three lines: Canvas guesses the delimiter from whole lines."""
    sheet = factory.sheet(factory.report("a"), students={"a": Student(name, id="1", section=name)}, title=title)
    assume(not re.search("Score|Points|Grade|Status", title))
    text = to_canvas(sheet, ExportOptions(canvas_id="1"))
    text.encode()
    assert len(text.splitlines()) == 3
    assert imported(text)[1:] == ("1", 100.0, {"1": "100.00"})
