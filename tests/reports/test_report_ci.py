"""JUnit XML and GitHub's annotations, as their readers take them apart."""

import re
from dataclasses import replace
from xml.etree import ElementTree as ET

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from grader.model import Curves, Environment, Place, Report, Verdict
from grader.reports.export_rows import ExportOptions
from grader.reports.formats import REPORT_FORMATS
from grader.text.sanitise import one_line, plain_text
from reports import factory
from reports.written import to_annotations, to_class_junit, to_junit


def cases(report):
    """Read the cases of a JUnit file: name to (outcome, content), as GitLab does, which ignores attributes of these."""
    suites = list(ET.fromstring(to_junit(report)).iter("testsuite"))  # noqa: S314 -- our own file, and the test's point
    assert len(suites) == 1
    found = [(case.get("name"), next(iter(case), None)) for case in suites[0].iter("testcase")]
    assert len({name for name, _ in found}) == len(found)  # of two with one name GitLab drops one
    return suites[0], {name: ("" if one is None else one.tag, "" if one is None else one.text) for name, one in found}


def annotations(report):
    """Read annotations as GitHub's runner does: (name, properties, message) of each line."""

    def restored(text, marks):
        for mark in marks:
            text = text.replace(f"%{ord(mark):02X}", mark)
        return text.replace("%25", "%")

    found = []
    for command in to_annotations(report).splitlines():
        assert command.startswith("::")
        info, _, data = command[2:].partition("::")
        name, _, written = info.partition(" ")
        pairs = (pair.split("=", maxsplit=1) for pair in written.split(","))
        found.append((name, {key: restored(value, "\r\n:,") for key, value in pairs}, restored(data, "\r\n")))
    return found


def check(number, status="failed", **parts):
    """Make a verdict that costs as many points as its number, a half if it is partial."""
    points = number / 2 if status == "partial" else 0
    made = Verdict(f"c{number}", f"Check {number}", "loss", status, points, number, False, f"message {number}")
    return replace(made, **parts)


def report_of(*checks, source="x/net.py", **parts):
    """Make a report of these checks."""
    whole = sum(one.max_points for one in checks)
    made = Report("ann", source, 0, whole, "graded", checks, (), (), Environment({}, ()), {"total_seconds": 1.5})
    return replace(made, **parts)


# ---------------------------------------------------------------- JUnit


def test_a_case_is_a_check(sample):
    """One suite, a case for each check; what cost points is a failure, and so is what is not written yet."""
    suite, found = cases(sample)
    assert list(found) == [f"{verdict.id}: {verdict.title}" for verdict in sample.checks]
    outcomes = {"passed": "", "partial": "failure", "failed": "failure", "skipped": "failure"}
    assert [outcome for outcome, _ in found.values()] == [outcomes[verdict.status] for verdict in sample.checks]
    assert {name: suite.get(name) for name in ("name", "tests", "failures", "errors", "skipped")} == {
        "name": "okafor_adaeze_hw2",
        "tests": "14",
        "failures": "7",
        "errors": "0",
        "skipped": "0",
    }
    assert {case.get("classname") for case in suite} == {"okafor_adaeze_hw2"}
    assert {case.get("file") for case in suite} == {sample.source}


def test_the_content_carries_the_message(sample):
    """Points, message and the quoted lines stand in the content; a passed check and a hidden one say no more."""
    _, found = cases(sample)
    assert found["train_digits: Training learns the digits"] == (
        "failure",
        "5 of 8 points.\nAccuracy 0.81 on the held-out digits; 0.90 is asked for.",
    )
    assert found["loss_stable: The loss stays finite for large scores"][1].endswith(
        "softmax does not change.\n  code cell 5, line 31: `exp_scores = np.exp(scores)`"
    )
    assert found["grad_hidden: Gradients at other sizes"] == ("failure", "0 of 5 points (hidden check).")
    assert found["predict: Predictions are the classes with the largest scores"][1].count("\n") == 3


def test_a_line_that_the_message_quotes_is_not_quoted_again():
    """Most messages name their line already."""
    place = Place("net.py", 3, "    raise KeyError")
    _, found = cases(report_of(check(1, message=f"It happened in {place}.", places=(place,))))
    assert found["c1: Check 1"][1].count("raise KeyError") == 1


def test_what_could_not_be_graded_is_a_failure(unloadable):
    """One case says why; its checks are failures, too: a job with skipped tests alone would be green."""
    suite, found = cases(unloadable)
    said = "Code cell 5, line 12: `print 'loss', loss` is Python 2.\nWrite `print('loss', loss)` instead."
    assert found["submission: It can be graded"] == ("failure", f"The submission could not be loaded\n{said}")
    assert (suite.get("errors"), suite.get("skipped"), suite.get("failures")) == ("0", "0", "15")
    assert suite.find("testcase/failure").get("message") == said.partition("\n")[0]


def test_where_the_grader_failed_nothing_is_said_of_the_submission(unloadable):
    """One error, and the checks are skipped: the run is red, and no part of the program is."""
    suite, found = cases(replace(unloadable, status="grader_error"))
    assert found["submission: It can be graded"][0] == "error"
    assert (suite.get("errors"), suite.get("skipped"), suite.get("failures")) == ("1", "14", "0")


def test_the_message_is_the_finding(sample):
    """Most readers show failure@message: its first words are what is wrong, not the points; a hidden check's are no more."""
    suite, _ = cases(sample)
    told = {case.get("name").partition(":")[0]: case.find("failure") for case in suite.iterfind("testcase")}
    messages = {name: failure.get("message") for name, failure in told.items() if failure is not None}
    assert messages["train_digits"] == "Accuracy 0.81 on the held-out digits; 0.90 is asked for."
    assert messages["grad_hidden"] == "0 of 5 points (hidden check)."
    assert all(len(message) <= 400 and "\n" not in message for message in messages.values())


def test_a_line_of_a_python_file_is_an_attribute():
    """Readers annotate that line; a cell's line is none of the notebook's file, so it stands in the text alone."""
    for source, label, line in (("x/net.py", "net.py", "7"), ("x/net.ipynb", "code cell 5", None)):
        case = cases(report_of(check(1, places=(Place(label, 7, "text"),)), source=source))[0].find("testcase")
        assert (case.get("file"), case.get("line")) == (source, line)
        assert f"{label}, line 7" in case.findtext("failure")


# What Jenkins's junit-10.xsd allows: the attributes and the children of each element; those marked "!" must be there.
JENKINS = {
    "testsuites": ("name time tests failures errors", "testsuite"),
    "testsuite": (
        "name! tests! failures! errors! group time skipped timestamp hostname id package file log url",
        "testsuite properties testcase system-out system-err",
    ),
    "testcase": (
        "name! time classname group",
        "skipped error failure rerunFailure rerunError flakyFailure flakyError system-out system-err",
    ),
    "failure": ("type message", ""),
    "error": ("type message", ""),
    "skipped": ("type message", ""),
    "properties": ("", "property"),
    "property": ("name! value!", ""),
    "system-out": ("", ""),
    "system-err": ("", ""),
}
SECONDS = re.compile(r"(([0-9]{0,3},)*[0-9]{3}|[0-9]{0,3})*(\.[0-9]*)?")  # the schema's own pattern of a time


def refused_by_jenkins(text):
    """Return what the schema does not allow: "testcase@file", "testcase/properties", "testsuite@name is missing"."""
    found = set()
    for element in ET.fromstring(text.encode()).iter():  # noqa: S314 -- our own file, and the test's point
        attributes, children = (part.split() for part in JENKINS[element.tag])
        found |= {f"{element.tag}@{one}" for one in {*element.attrib} - {one.rstrip("!") for one in attributes}}
        found |= {f"{element.tag}/{one.tag}" for one in element if one.tag not in children}
        missing = {one[:-1] for one in attributes if one.endswith("!")} - {*element.attrib}
        found |= {f"{element.tag}@{one} is missing" for one in missing}
        if not SECONDS.fullmatch(element.get("time", "")):
            found.add(f"{element.tag}@time is {element.get('time')}")
    return found


def test_jenkins_s_schema_allows_the_whole_file(sample, unloadable, ruled):
    """What it does not allow, the usual file has: each element and attribute is held against a table of the schema."""
    reports = [sample, unloadable, ruled, replace(unloadable, status="grader_error")]
    reports.append(report_of(check(1, "carried", points=1), check(2, places=(Place("net.py", 7, "text"),))))
    for report in reports:
        assert refused_by_jenkins(REPORT_FORMATS["junit"].write(report, schema="jenkins")) == set()
    sheet = factory.sheet(*(replace(one, submission="same") for one in reports))
    assert refused_by_jenkins(to_class_junit(sheet, ExportOptions(schema="jenkins"))) == set()
    usual = set().union(*(refused_by_jenkins(to_junit(report)) for report in reports))
    assert usual == {"testcase@file", "testcase@line", "testcase/properties"}


@given(st.text(st.characters(), max_size=60) | st.text("<>&\"']]>!-\r\n\t\0\x1b\ufffe\ud800", max_size=30))
def test_any_text_at_all_is_well_formed_xml(text):
    """Whatever a student wrote, the file parses, its cases are the same, and the text is data in them."""
    written = report_of(check(1, message=f"a{text}", places=(Place(text, 1, text),)), source=text, submission=text)
    suite, found = cases(written)
    assert [element.tag for element in suite.iter()] == ["testsuite", "testcase", "failure"]
    assert found["c1: Check 1"][1].startswith("0 of 1 points.\na")
    # XML 1.0 forbids these even as references such as &#0;.
    assert not re.search(r"[^\t\n\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]|&#", to_junit(written))


# ---------------------------------------------------------------- GitHub


def test_what_cost_points_is_an_annotation(sample):
    """Named mistakes and failed checks are errors, dearest first; the rest are warnings; the score is a notice."""
    found = annotations(sample)
    assert [(name, properties["title"]) for name, properties, _ in found] == [
        ("error", "The ReLU mask is taken from the gradient, not from the hidden layer"),
        ("error", "Gradient of W1"),
        ("error", "Predictions are the classes with the largest scores"),
        ("error", "Gradient of b1"),
        ("error", "Gradients at other sizes"),
        ("error", "The loss stays finite for large scores"),
        ("warning", "The learning rate decays once an epoch"),
        ("warning", "Training learns the digits"),
        ("notice", "okafor_adaeze_hw2: 59 of 100 points"),
    ]
    assert found[0][2].endswith(
        "whatever the sign of `dh`.\nFixing it returns 11 points: grad_W1 8, grad_b1 3.\nSee: CS231n notes, Optimization 2, Patterns in backward flow"
    )
    assert found[4][2] == "0 of 5 points (hidden check)."
    assert found[7][2] == "5 of 8 points.\nAccuracy 0.81 on the held-out digits; 0.90 is asked for."
    assert found[8][2] == "7 passed, 1 partly passed, 5 failed, 1 not judged"


def test_the_dearest_ten_of_each_kind_are_shown():
    """GitHub shows ten errors and ten warnings of a step: the cheapest are left out, and the notice counts them."""
    many = [check(n) for n in range(1, 14)] + [check(n, "partial") for n in range(20, 32)]
    found = annotations(report_of(*many))
    shown = [int(properties["title"].split()[1]) for _, properties, _ in found[:-1]]
    assert shown == [*range(13, 3, -1), *range(31, 21, -1)]
    assert found[-1][2] == "12 partly passed, 13 failed\n5 more cost points. The full report lists them."


def test_all_points_leave_the_notice_alone():
    """What cost nothing is not annotated."""
    perfect = report_of(check(3, "passed", points=3), check(0), score=3)
    assert annotations(perfect) == [("notice", {"title": "ann: 3 of 3 points"}, "1 passed, 1 failed")]


def test_what_could_not_be_graded_is_one_error(unloadable):
    """Fourteen checks that were not judged are one mistake."""
    found = annotations(unloadable)
    assert [name for name, _, _ in found] == ["error", "notice"]
    assert found[0][1]["title"] == "The submission could not be loaded"
    assert found[0][2].startswith("Code cell 5, line 12: `print 'loss', loss` is Python 2.\nWrite")


@pytest.mark.parametrize(
    ("source", "label", "where"),
    [
        ("x/net.py", "net.py", {"file": "x/net.py", "line": "7"}),
        ("x/net.py", "../../.github/workflows/ci.yml", {"file": "x/net.py"}),
        ("x/net.ipynb", "code cell 5", {"file": "x/net.ipynb"}),
        ("x/net.ipynb", "net.ipynb", {"file": "x/net.ipynb"}),
        ("x/net.zip", "net.py", {}),
        ("x/net", "net.py", {}),
        ("x/a,line=1:b.py", "a,line=1:b.py", {"file": "x/a,line=1:b.py", "line": "7"}),
    ],
)
def test_the_file_is_the_one_that_was_given(source, label, where):
    """An annotation points at the path that was graded, whatever a student calls a file; a line only where it is its."""
    found = annotations(report_of(check(1, places=(Place("x", 1, ""), Place(label, 7, "text"))), source=source))
    assert {key: value for key, value in found[0][1].items() if key != "title"} == where


@given(st.text(st.characters(), max_size=60) | st.text("%0ADC:,=\r\n;[]#abe ", max_size=40))
def test_any_text_at_all_stays_inside_its_annotation(text):
    """Whatever a student wrote, there are as many commands, with the same properties, and the text comes back whole."""
    written = report_of(check(1, message=f"a{text}"), source=f"{text}x.py", submission=text)
    found = annotations(written)
    assert [(name, list(properties)) for name, properties, _ in found] == [
        ("error", ["file", "title"]),
        ("notice", ["title"]),
    ]
    assert to_annotations(written).count("\n") == 2
    assert found[0][2] == f"0 of 1 points.\n{plain_text(f'a{text}')}"
    assert found[1][1]["title"] == f"{one_line(text)}: 0 of 1 points"
    assert not re.search(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u2028\u2029]", to_annotations(written))


def test_escapes_are_data():
    """A text that holds the escapes themselves is read back as it was."""
    text = "100%0A done, 50%25: %2C%3A ::"
    found = annotations(report_of(check(1, message=text), submission=text))
    assert found[0][2] == f"0 of 1 points.\n{text}"
    assert found[1][1]["title"] == f"{text}: 0 of 1 points"


def test_a_long_message_is_whole_within_what_github_keeps():
    """GitHub cuts a message at 4,096 characters; ours is shorter, with its end."""
    places = tuple(Place("net.py", n, "x" * 390) for n in range(1, 12))
    message = annotations(report_of(check(1, message="m" * 9_000, places=places)))[0][2]
    assert len(message) <= 4_000
    assert message.endswith("x`")
    assert "characters left out" in message


# ---------------------------------------------------------------- both


@pytest.mark.parametrize("name", ["junit", "github"])
def test_hidden_checks_leak_nothing(name):
    """Of a hidden check the title, verdict and points are told, whatever it holds and however it ended."""
    places, figures = (Place("net.py", 3, "secret line"),), (Curves("secret", (("secret", np.ones(2)),)),)
    for status in ("failed", "partial", "skipped", "passed"):
        secret = {"message": "secret message", "places": places, "figures": figures}
        hidden = check(4, status, hidden=True, points=4.0 if status == "passed" else 0.0, **secret)
        text = REPORT_FORMATS[name].write(report_of(hidden))
        assert "secret" not in text
        assert "line=" not in text
        assert ("hidden check" in text) == (status != "passed")


def test_the_files_have_names_that_ci_expects():
    """GitLab is told report.xml; the annotations are text."""
    assert (REPORT_FORMATS["junit"].file_name, REPORT_FORMATS["github"].file_name) == (
        "report.xml",
        "report.github.txt",
    )
