"""What failed by a mistake that is charged elsewhere has a sign and a word of its own in every format."""

import csv
import io
import json
import re
from dataclasses import replace
from xml.etree import ElementTree as ET

import pytest

from grader.model import Diagnosis, Place, Verdict
from grader.reports.export_rows import ExportOptions
from grader.reports.gradebook_csv import to_gradebook
from grader.reports.report_json import carried_now, from_json
from grader.reports.terminal import costs
from grader.reports.wording import CARRIED, KEPT
from reports.conftest import sheet_of
from reports.written import render, to_annotations, to_gradescope, to_html, to_json, to_junit

REASON = "Not charged here: The ReLU mask is taken from the gradient"


@pytest.fixture(scope="module")
def carried(sample):
    """Return the sample with two such checks, one of them hidden, a cause before the named mistake, and a line to look at."""
    shown = Verdict(
        "numeric", "Agrees with your loss", "gradients", "carried", 6, 6, False, f"{REASON}\nOff by 0.3.", credited=6.0
    )
    hidden = replace(shown, id="numeric_hidden", hidden=True, message="secret")
    cause = Diagnosis(
        "exception", "predict() stops with a ValueError", "Add the bias outside.", "", ("predict",), {"predict": 10.0},
        (Place("neural_net.py", 12, "    return a"),),
    )  # fmt: skip
    return replace(
        sample,
        checks=(*sample.checks, shown, hidden),
        diagnoses=(cause, *sample.diagnoses),
        score=sample.score + 12,
        max_score=sample.max_score + 12,
        steps=(),
        review=("The gradients are right for a loss that nobody named.",),
        student="Okafor, Adaeze",
    )


def test_the_terminal_and_the_page_say_what_it_means(carried):
    """The word stands at the check, and under it once why it keeps its points, even of a hidden check; the icon is its own."""
    text, page = render(carried), to_html(carried)
    assert "→ Agrees with your loss  carried" in text
    assert text.count(CARRIED) == page.count(CARRIED) == 1  # of the hidden one; the other names the mistake
    assert text.count(KEPT) == page.count(KEPT) == 2
    assert "2 carried" in text
    assert "secret" not in text + page
    assert '<symbol id="icon-carried"' in page
    assert page.count('href="#icon-carried"') == 2
    # One striped piece each, with no other colour over it.
    assert len(re.findall(r'class="carried lost"/><rect [^>]*class="slanted"/>\n', page)) == 2


def test_a_ci_job_is_green_with_the_reason(carried):
    """JUnit has a case that fails nothing, with a property and a line of text; annotations count it."""
    cases = {case.get("name"): case for case in ET.fromstring(to_junit(carried)).iter("testcase")}  # noqa: S314 -- our own file
    shown, hidden = cases["numeric: Agrees with your loss"], cases["numeric_hidden: Agrees with your loss"]
    assert [one.tag for one in shown] == [one.tag for one in hidden] == ["properties", "system-out"]
    assert shown.find("properties/property").attrib == {"name": "carried", "value": REASON}
    assert hidden.find("properties/property").attrib == {"name": "carried", "value": CARRIED}
    assert shown.findtext("system-out").splitlines() == ["6 of 6 points.", KEPT, REASON, "Off by 0.3."]
    assert "2 carried" in to_annotations(carried)


def test_platforms_and_tables_get_full_points_and_the_reason(carried):
    """Gradescope passes it and says why; the class's table names the check."""
    tests = {test["tags"][0]: test for test in json.loads(to_gradescope(carried))["tests"]}
    assert (tests["numeric"]["status"], tests["numeric"]["score"]) == ("passed", 6)
    assert tests["numeric"]["output"].startswith(f"Carried. 6 of 6 points.\n{KEPT}\n{REASON}")
    (row,) = csv.DictReader(io.StringIO(to_gradebook(sheet_of(carried), ExportOptions())))
    assert row["carried"] == "numeric; numeric_hidden"


def test_one_sentence_tells_a_cause(carried):
    """It comes first, and its checks are not counted up after it; what mending it returns is not promised."""
    first, *others = costs(carried).split("; ")
    assert first == "predict() stops with a ValueError"
    assert not [other for other in others if other.startswith("predict ")]
    assert "Fixing it may return up to 10 points: predict 10." in render(carried)
    assert "Fixing it returns 11 points: grad_W1 8, grad_b1 3." in render(carried)


def test_no_student_is_told_what_the_instructor_should_look_at(carried):
    """It stands in the data alone."""
    (told,) = carried.review
    formats = (render, to_html, to_junit, to_gradescope, to_annotations)
    assert not [form for form in formats if told in form(carried)]
    back = from_json(to_json(carried))
    assert (back.review, back.student) == (carried.review, carried.student)


@pytest.mark.parametrize(
    ("status", "message", "now"),
    [
        ("passed", f"{REASON}\nOff by 0.3.", "carried"),
        ("passed", "12.0% are recognised.\nNot charged again: mend what has lost points elsewhere.", "carried"),
        ("passed", "Yours does not, which is charged elsewhere.\nTrained with them.", "carried"),
        ("passed", "Right in all 9 cases.", "passed"),
        ("partial", f"{REASON}\nOff by 0.3.", "partial"),
    ],
)
def test_a_report_of_the_first_schema_is_read(carried, status, message, now):
    """It has neither student nor places, and called passed what is carried."""
    data = json.loads(to_json(carried))
    for key in ("student", "steps", "review"):
        del data[key]
    for one in (*data["checks"], *data["diagnoses"]):
        del one["places"]
    data["schema"] = "grader/report/1"
    data["checks"][0] |= {"status": status, "message": message}
    report = from_json(json.dumps(data))
    assert (report.checks[0].status, report.student, report.review) == (now, None, ())
    assert report.diagnoses[0].places == ()
    # What a person let pass is passed.
    assert carried_now(replace(report.checks[0], status="passed", adjusted_from=0.0)).status == "passed"
