"""Gradescope: each results.json by the rules of its specification, and a folder of them for a class."""

import json
import re
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from grader.model import Place
from grader.reports.export_rows import ExportError, ExportOptions
from grader.reports.formats import CLASS_FORMATS, REPORT_FORMATS
from grader.reports.gradescope import to_no_grade
from reports import factory
from reports.written import to_gradescope

FORMS = {"text", "html", "simple_format", "md", "ansi"}
VISIBILITIES = {"hidden", "after_due_date", "after_published", "visible"}
WHOLE = {
    "score", "execution_time", "output", "output_format", "test_output_format", "test_name_format", "visibility",
    "stdout_visibility", "extra_data", "tests", "leaderboard",
}  # fmt: skip
TEST = {
    "score", "max_score", "status", "name", "name_format", "number", "output", "output_format", "tags", "visibility",
    "extra_data",
}  # fmt: skip


def results(report):
    """Read a results.json, and hold it against Gradescope's specification."""
    data = json.loads(to_gradescope(report), parse_constant=pytest.fail)
    hold_to_specification(data)
    return data


def hold_to_specification(data):
    """Hold what a results.json with a grade holds against Gradescope's specification."""
    assert set(data) <= WHOLE
    assert isinstance(data["score"], float)
    assert isinstance(data["output"], str)
    assert isinstance(data["extra_data"], dict)
    assert {data[key] for key in ("output_format", "test_output_format", "test_name_format")} <= FORMS
    assert data["stdout_visibility"] in VISIBILITIES
    for test in data["tests"]:
        assert set(test) <= TEST
        assert test["status"] in {"passed", "failed"}
        assert test["visibility"] in VISIBILITIES
        assert isinstance(test["number"], str)
        assert all(isinstance(tag, str) for tag in test["tags"])


def test_a_test_is_a_check():
    """Points, whether it is whole, a number within its group, and what the report says of it."""
    data = results(factory.report("a", {"loss": 7.5, "train_digits": None, "predict": 0}))
    seen = [tuple(test[key] for key in ("number", "name", "score", "max_score", "status")) for test in data["tests"]]
    assert seen == [
        ("1.1", "Scores are those of a two-layer net", 20.0, 20.0, "passed"),
        ("1.2", "The loss is softmax cross-entropy", 7.5, 20.0, "failed"),
        ("2.1", "Gradient of W1", 20.0, 20.0, "passed"),
        ("2.2", "Gradients at other sizes", 10.0, 10.0, "passed"),
        ("3.1", "Training learns the digits", 0.0, 20.0, "failed"),
        ("4.1", "Predictions are the classes with the largest scores", 0.0, 10.0, "failed"),
    ]
    assert data["tests"][1]["output"] == "Partly passed. 7.5 of 20 points.\n`loss` is not what it should be."
    assert data["tests"][4]["output"].startswith("Not judged. 0 of 20 points.")
    assert data["tests"][1]["tags"] == ["loss", "loss"]
    assert data["score"] == 57.5 == sum(test["score"] for test in data["tests"])
    assert data["output"] == ""


def test_hidden_checks_are_shown_with_the_grades():
    """Gradescope's "hidden" is for tests without points; until grades are published nothing tells of one of ours."""
    report = factory.report(
        "a",
        {"grad_hidden": 0, "loss": 0},
        penalty=3,
        late_days=1,
        diagnoses=[
            factory.mistake("both", "Both", loss=20, grad_hidden=10),
            factory.mistake("only", "secret", grad_hidden=10),
            factory.mistake("dear", "Dear", loss=0, grad_hidden=10),
        ],
        rulings=[factory.ruling("points", 4, "grad_hidden", comment="secret"), factory.ruling("late_days", 1)],
    )
    report = replace(
        report, checks=tuple(replace(one, message="secret") if one.hidden else one for one in report.checks)
    )
    data = results(report)
    assert [test["visibility"] for test in data["tests"]] == [*["visible"] * 3, "after_published", *["visible"] * 2]
    assert data["tests"][3]["output"] == "Failed. 0 of 10 points (hidden check)."
    assert "secret" not in to_gradescope(report)
    assert "hidden" not in data["output"]
    assert "Fixing it returns 20 points: loss 20." in data["output"]
    # Neither the sum nor the score, from which what hidden tests gave could be told.
    assert data["output"].startswith(
        "The score is the sum of the tests minus 3 points, because this was late by 1 day.\n\n"
    )


def test_what_people_decided_is_explained():
    """The whole says who decided what, the test what the grader gave; enough points make it pass."""
    rulings = [factory.ruling("points", 20, "loss", comment="fine by me")]
    report = factory.report("a", adjusted={"loss": 2.5}, rulings=rulings)
    report = replace(
        report, checks=tuple(replace(one, status="failed") if one.id == "loss" else one for one in report.checks)
    )
    data = results(report)
    assert "by teacher on 22 November 2026" in data["output"]
    assert '"fine by me"' in data["output"]
    assert (data["tests"][1]["status"], data["tests"][1]["score"]) == ("passed", 20.0)
    assert "20 of 20 points (adjusted: 2.5 by the grader)." in data["tests"][1]["output"]
    assert [test["status"] for test in results(factory.report("a", {"loss": 4}, adjusted={"loss": 0}))["tests"]][
        1
    ] == "failed"


def test_who_is_excused_reads_so():
    """Gradescope has no word for it."""
    data = results(factory.report("a", excused=True))
    assert data["output"] == "You are excused: this assignment does not count for you, whatever the score."
    assert data["extra_data"]["excused"] is True


def test_a_score_that_is_no_sum_says_so():
    """Gradescope shows both and lets the score count."""
    data = results(replace(factory.report("a"), score=90.0))
    assert data["output"] == "The score differs from the sum of the tests. The score counts."
    assert data["score"] == 90.0


def test_what_could_not_be_graded_says_why():
    """The reason is the first that a student reads; the other notes come last."""
    data = results(factory.report("a", status="failed_to_load", notes=["Cell 3 is Python 2.", "Another note."]))
    assert data["output"] == "The submission could not be loaded\nCell 3 is Python 2.\n\nAnother note."
    assert {test["status"] for test in data["tests"]} == {"failed"}


def test_the_rest_is_kept_for_who_teaches():
    """Named mistakes by id, and what made the score, as data that a script can read."""
    mistake = factory.mistake("mask", "The mask", grad_W1=10)
    data = results(factory.report("a", {"grad_W1": 10}, diagnoses=[mistake], penalty=5, late_days=2))
    assert data["extra_data"] == {
        "submission": "a",
        "status": "graded",
        "max_score": 100.0,
        "raw_score": 90.0,
        "penalty": 5.0,
        "late_days": 2.0,
        "excused": False,
        "diagnoses": [
            {"id": "mask", "title": "The mask", "source": "CS231n notes", "checks": ["grad_W1"], "costs": {"grad_W1": 10.0}}
        ],
    }  # fmt: skip


def test_the_time_is_the_report_s():
    """In seconds; without one there is none."""
    report = factory.report("a")
    assert results(replace(report, timing={"total_seconds": 1.23456}))["execution_time"] == 1.235
    assert "execution_time" not in results(replace(report, timing={}))


def test_no_grade_has_nothing_that_counts():
    """Neither a score nor tests, from which Gradescope would add one up; a reason is plain text."""
    data = json.loads(to_no_grade("Because\x1b[31m of <b>."))
    assert {*data} == {"output", "output_format", "stdout_visibility"}
    assert {*data} <= WHOLE
    assert data["output"].startswith("Infrastructure: ")
    assert "Because\\u001b[31m of <b>." in data["output"]


@pytest.mark.parametrize("number", [float("nan"), float("inf")])
def test_a_number_that_json_does_not_know_is_refused(number):
    """Gradescope would call the whole autograder failed."""
    with pytest.raises(ValueError, match="Out of range float"):
        to_gradescope(replace(factory.report("a"), score=number))


@given(st.text(st.characters(), max_size=60) | st.text("<>&*_`[]()#!\\\r\n\x1b\0\ud800a", max_size=40))
def test_student_s_text_is_declared_as_plain(text):
    """Markup, terminal codes and control characters stay text: each text has its format beside it, and it is "text"."""
    report = factory.report(text, {"loss": 0}, notes=[text])
    checks = tuple(replace(one, title=text, message=text, places=(Place(text, 1, text),)) for one in report.checks)
    written = to_gradescope(replace(report, checks=checks))
    assert written.isascii()
    data = results(replace(report, checks=checks))
    assert {data[key] for key in ("output_format", "test_output_format", "test_name_format")} == {"text"}
    assert {test[key] for test in data["tests"] for key in ("name_format", "output_format")} == {"text"}
    shown = [data["output"], *(test[key] for test in data["tests"] for key in ("name", "output"))]
    assert not re.search(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u202a-\u202e\ud800-\udfff]", "".join(shown))


def test_a_class_is_a_folder_of_them():
    """One results.json a submission; each is what `--format gradescope` writes of it."""
    reports = [factory.report("ann"), factory.report("Zoë B", {"loss": 0})]
    files = CLASS_FORMATS["gradescope"].write(factory.sheet(*reports), ExportOptions())
    assert files == {
        f"gradescope/{report.submission}/results.json": REPORT_FORMATS["gradescope"].write(report) for report in reports
    }
    assert REPORT_FORMATS["gradescope"].file_name == "results.json"


@pytest.mark.parametrize("name", ["", ".", "..", "../up", "a/b", "a\\b", "a\nb", "a\0b", "\ud800"])
def test_a_name_that_is_no_folder_s_is_refused(name):
    """Nothing is ever written outside the folder of exports."""
    with pytest.raises(
        ExportError, match=r"^The submission '.*' cannot have a folder of its own: its name is empty, st"
    ):
        CLASS_FORMATS["gradescope"].write(factory.sheet(factory.report(name)), ExportOptions())


def test_two_submissions_of_one_name_are_refused():
    """The second would lie over the first."""
    sheet = factory.sheet(factory.report("a"), factory.report("a", {"loss": 0}))
    with pytest.raises(ExportError, match="stands twice in the class"):
        CLASS_FORMATS["gradescope"].write(sheet, ExportOptions())


def test_an_empty_class_is_refused():
    """No file at all would be taken for success."""
    with pytest.raises(ExportError, match=r"^The class has no submission, so there is no result for Gradescope\.$"):
        CLASS_FORMATS["gradescope"].write(factory.sheet(missing=[factory.student("Ann")]), ExportOptions())
