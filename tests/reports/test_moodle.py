"""Moodle: read back as its CSV import reads, which takes the whole file or nothing."""

import csv
import io
import re
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from grader.model import Student
from grader.reports.export_rows import ExportError, ExportOptions, describe_left_out
from grader.reports.formats import CLASS_FORMATS
from grader.reports.moodle import FEEDBACK, feedback, to_moodle
from grader.reports.student_report import student_report
from reports import factory

ANN = Student("Ann Doe", sis_id="0012", login="ann", email="Ann@x.edu")
BOB = Student("Bob Roe", sis_id="0013", login="bob", email="bob@x.edu")
USERS = {"0012", "0013", "ann", "bob", "Ann@x.edu", "bob@x.edu"}


def imported(text, users=USERS, limit=100.0):
    """Import as grade/import/csv/classes/load_data.php does: user to (grade, feedback), or ValueError for all."""
    header, *rest = csv.reader(io.StringIO(text, newline=""))
    found, user = {}, None
    for row in rest:
        assert len(row) == len(header)
        cells = [cell.strip() for cell in row]
        # A blank user, or PHP's empty "0", leaves the one of the row above.
        user = cells[0] if cells[0] not in {"", "0"} else user
        if user not in users:
            raise ValueError(f"unknown user {user}")
        grade = None if cells[2] in {"", "-"} else float(cells[2])
        if grade is not None and grade > limit:
            raise ValueError(f"grade {grade} is above {limit}")
        assert user not in found
        found[user] = (grade, cells[3])
    return found


def test_the_file_is_what_moodle_imports():
    """Who, the grade, what cost points; the columns are called as Moodle's own export calls them."""
    sheet = factory.sheet(factory.report("a", {"loss": 0.5, "grad_hidden": 0}), students={"a": ANN})
    assert to_moodle(sheet, ExportOptions(assignment="HW 2")) == (
        "Email address,Student,HW 2 (Real),HW 2 (Feedback)\n"
        "Ann@x.edu,Ann Doe,70.5,The loss is softmax cross-entropy: 0.5 of 20 points."
        " Gradients at other sizes: 0 of 10 points.\n"
    )


@pytest.mark.parametrize(
    ("by", "header", "users"),
    [
        ("idnumber", "ID number", ["0012", "0013"]),
        ("email", "Email address", ["Ann@x.edu", "bob@x.edu"]),
        ("username", "Username", ["ann", "bob"]),
    ],
)
def test_users_are_found_by_what_was_chosen(by, header, users):
    """Letters keep their case and numbers their zeros: Moodle compares them one by one."""
    sheet = factory.sheet(factory.report("a"), factory.report("b"), students={"a": ANN, "b": BOB})
    text = to_moodle(sheet, ExportOptions(moodle_user=by))
    assert text.startswith(f"{header},")
    assert list(imported(text)) == users


@pytest.mark.parametrize("nothing", ["", "0"])
def test_a_student_without_that_column_is_refused(nothing):
    """Moodle would give the grade to the student of the row above."""
    cat = Student("Cat Poe", sis_id=nothing, email="cat@x.edu")
    sheet = factory.sheet(factory.report("a"), factory.report("c"), students={"a": ANN, "c": cat})
    with pytest.raises(ExportError) as caught:
        to_moodle(sheet, ExportOptions(moodle_user="idnumber"))
    assert str(caught.value) == (
        "1 student has no ID number in the roster (Cat Poe), and Moodle finds students by it: complete the roster."
    )
    assert list(imported(to_moodle(sheet, ExportOptions()), {*USERS, "cat@x.edu"})) == ["Ann@x.edu", "cat@x.edu"]


def test_two_students_of_one_address_are_refused():
    """The second grade would overwrite the first."""
    twin = replace(BOB, email=ANN.email)
    sheet = factory.sheet(factory.report("a"), factory.report("b"), students={"a": ANN, "b": twin})
    with pytest.raises(ExportError) as caught:
        to_moodle(sheet, ExportOptions())
    assert str(caught.value) == (
        "The roster gives the same Email address to more than one student (Ann@x.edu), and Moodle would give one of"
        " them the grades of all: mend the roster."
    )


def test_of_who_has_no_grade_moodle_is_told_nothing():
    """A dash would delete the grade that Moodle has, of an excused student as well: they get no row."""
    sheet = factory.sheet(
        factory.report("a"), factory.report("b", status="grader_error"), factory.report("c", excused=True),
        factory.report("d", status="no_submission"),
        students={"a": ANN, "b": BOB, "c": Student("C", email="c@x.edu"), "d": Student("D", email="d@x.edu")},
        missing=[Student("Cat Poe", email="cat@x.edu")],
    )  # fmt: skip
    assert list(imported(to_moodle(sheet, ExportOptions()))) == ["Ann@x.edu"]
    assert describe_left_out(sheet) == [
        "Handed in nothing: 2 (Cat Poe, D).",
        "Not graded, since the grader failed: 1 (Bob Roe).",
        "Excused: 1 (C).",
    ]


def test_a_grade_above_the_maximum_is_refused():
    """What people decided may add up to more than there is; Moodle would refuse the class for it."""
    sheet = factory.sheet(
        replace(factory.report("a"), score=100.01), replace(factory.report("b"), score=100.004), students={"a": ANN, "b": BOB}
    )  # fmt: skip
    with pytest.raises(ExportError) as caught:
        to_moodle(sheet, ExportOptions())
    assert str(caught.value) == (
        "1 grade is above the assignment's maximum of 100 (Ann Doe), and one such grade makes Moodle refuse the whole"
        " file. Lower the points that people gave."
    )


def test_a_grade_above_moodle_s_own_limit_is_refused():
    """Its limit is 100 whatever an assignment is worth, until its administrator raises it; the excused have no grade."""
    sheet = factory.sheet(
        replace(factory.report("a"), score=120.0), replace(factory.report("b"), score=110.0, excused=True),
        students={"a": ANN, "b": BOB},
    )  # fmt: skip
    sheet = replace(sheet, max_score=120.0)
    with pytest.raises(ExportError) as caught:
        to_moodle(sheet, ExportOptions())
    assert str(caught.value) == (
        "1 grade is above Moodle's limit of 100 (Ann Doe), and one such grade makes Moodle refuse the whole file. Enter"
        " these grades by hand, or regrade with a rubric of fewer points."
    )


def test_feedback_says_what_cost_points():
    """Lateness, named mistakes with their price, then every check that lost points or that a person decided."""
    report = factory.report(
        "a",
        {"loss": 0, "grad_W1": 15},
        adjusted={"grad_W1": 0.0, "predict": 4.0},
        penalty=5,
        late_days=2,
        diagnoses=[
            factory.mistake("mean", "The loss is a sum, not a mean.", loss=20),
            factory.mistake("mask", "Pardoned", predict=6),
        ],
    )
    assert feedback(report) == (
        "Late by 2 days: 5 points taken off."
        " The loss is a sum, not a mean. Fixing it returns 20 points: loss 20."
        " The loss is softmax cross-entropy: 0 of 20 points."
        " Gradient of W1: 15 of 20 points (adjusted: 0 by the grader)."
        " Predictions are the classes with the largest scores: 10 of 10 points (adjusted: 4 by the grader)."
    )
    assert feedback(factory.report("a")) == ""
    assert feedback(factory.report("a", status="failed_to_load")).startswith(
        "The submission could not be loaded. Scores"
    )


def test_feedback_is_short():
    """It ends with a whole sentence, and what is left out is counted."""
    many = [factory.mistake(f"m{number}", f"Mistake {number} {'x' * 90}", loss=1) for number in range(40)]
    told = feedback(factory.report("a", {"loss": 0}, diagnoses=many))
    assert len(told) < FEEDBACK + 60
    shown = len(re.findall("Mistake", told))
    assert 5 < shown < 40
    assert told.endswith(f": loss 1. The report holds {41 - shown} more remarks.")


def test_feedback_holds_nothing_of_a_student_s_and_no_markup():
    """Moodle shows feedback as HTML: messages, notes and what hidden checks hold stay out, and "<b" is no tag."""
    hidden = [factory.mistake("h", "secret", grad_hidden=10)]
    report = factory.report(
        "a", dict.fromkeys(["scores", "loss", "grad_W1", "grad_hidden"], 0), diagnoses=hidden, notes=["secret"]
    )
    titles = ("<script>x</script>", "h <= 0", "<!-- a", "</td>", "", "")
    checks = (replace(one, title=title, message="secret") for one, title in zip(report.checks, titles, strict=True))
    assert feedback(student_report(replace(report, checks=tuple(checks)))) == (
        "< script>x< /script>: 0 of 20 points. h <= 0: 0 of 20 points. < !-- a: 0 of 20 points. < /td>: 0 of 10 points."
    )


@given(st.text(st.characters(), max_size=60) | st.text(';,=+-@<"\r\n\0\ud800a', max_size=30))
def test_any_title_is_one_row(text):
    """Whatever stands in names and titles, the import finds one user with one grade, and no cell is a formula."""
    report = factory.report("a", {"loss": 0})
    report = replace(report, checks=tuple(replace(one, title=text) for one in report.checks))
    sheet = factory.sheet(report, students={"a": replace(ANN, name=text)}, title="HW")
    table = to_moodle(sheet, ExportOptions())
    table.encode()
    assert len(table.splitlines()) == 2
    assert imported(table)["Ann@x.edu"][0] == 80
    cells = [one for row in csv.reader(io.StringIO(table, newline="")) for one in row]
    assert not [one for one in cells if re.match(r'[\s"]*[=+\-@\uff1d]', one)]
    assert not re.search(r"<[A-Za-z/!?]", cells[-1])


def test_the_same_class_gives_the_same_bytes():
    """One file, with newlines for rows' ends."""
    sheet = factory.sheet(factory.report("a"), students={"a": ANN})
    files = CLASS_FORMATS["moodle"].write(sheet, ExportOptions())
    assert files == CLASS_FORMATS["moodle"].write(sheet, ExportOptions())
    assert list(files) == ["moodle.csv"]
    assert "\r" not in files["moodle.csv"]
