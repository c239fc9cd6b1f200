"""A class in one JUnit file, as GitLab reads it: content counts, doubles are dropped, 30 MB is the end."""

from dataclasses import replace
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given
from hypothesis import strategies as st

from grader.reports.export_rows import ExportError, ExportOptions
from grader.reports.formats import CLASS_FORMATS
from grader.reports.junit import LIMIT, SHORTENED
from reports import factory
from reports.written import to_class_junit, to_junit


def suites(text):
    """Parse a file and give its suites."""
    return list(ET.fromstring(text.encode()))  # noqa: S314 -- our own file, and the test's point


def gitlab(text):
    """Read as GitLab does: (classname, name) to (outcome, content), the first of each only."""
    found = {}
    for suite in suites(text):
        for case in suite.iter("testcase"):
            child = next(iter(case), None)
            told = ("", "") if child is None else (child.tag, child.text or "")
            found.setdefault((case.get("classname"), case.get("name")), told)
    return found


def with_message(report, message):
    """Return a report whose every check failed with this message."""
    return replace(
        report,
        checks=tuple(replace(one, status="failed", points=0.0, hidden=False, message=message) for one in report.checks),
    )


def test_a_suite_is_a_submission():
    """Each is what the submission's own file holds; the root adds them up."""
    reports = [factory.report("ann", {"loss": 0}), factory.report("bob", status="failed_to_load", notes=["No."])]
    text = to_class_junit(factory.sheet(*reports), ExportOptions())
    assert [(one.get("name"), len(one)) for one in suites(text)] == [("ann", 6), ("bob", 7)]
    assert gitlab(text) == gitlab(to_junit(reports[0])) | gitlab(to_junit(reports[1]))
    root = ET.fromstring(text.encode())  # noqa: S314 -- as above
    assert root.attrib == {"tests": "13", "failures": "8", "errors": "0", "time": "0.000"}
    assert text.startswith("<?xml version='1.0' encoding='utf-8'?>\n")


def test_no_case_is_dropped():
    """Submissions whose names look alike once they are readable are told apart by a number, in every case."""
    names = ["a\x1b", "a\\u001b", "x" * 500 + "y" + "x" * 500, "x" * 500 + "z" + "x" * 500, "a\\u001b (2)"]
    reports = [replace(factory.report("s"), submission=name) for name in names]
    text = to_class_junit(factory.sheet(*reports), ExportOptions())
    assert len(gitlab(text)) == 5 * 6
    assert len({one.get("name") for one in suites(text)}) == 5
    assert all(case.get("classname") == one.get("name") for one in suites(text) for case in one)


def test_messages_stay_whole_where_there_is_room():
    """Nothing is shortened in a class of the usual size."""
    text = to_class_junit(factory.sheet(with_message(factory.report("a"), "m" * 3_900)), ExportOptions())
    assert all(content.endswith("m" * 3_900) for _, content in gitlab(text).values())
    assert SHORTENED not in text


def test_a_large_class_s_messages_are_shortened_and_say_so():
    """All alike, as little as is needed, and counted from what the messages were."""
    sheet = factory.sheet(*(with_message(factory.report(f"s{number}"), "m" * 3_900) for number in range(20)))
    whole = len(to_class_junit(sheet, ExportOptions()).encode())
    text = to_class_junit(sheet, ExportOptions(), limit=whole // 3)
    assert len(text.encode()) < whole // 3
    contents = [content for _, content in gitlab(text).values()]
    # 3,900 and the line above it were 3,917 characters; 500 are left, with the remark that says so among them.
    assert len(contents) == 120
    assert {len(content.removesuffix(f"\n{SHORTENED}")) for content in contents} <= {500, 501, 502}
    assert all("... (3,4" in content and content.startswith("0 of ") for content in contents)
    assert text.count(SHORTENED) == 20
    assert text == to_class_junit(sheet, ExportOptions(), limit=whole // 3)


def test_a_class_beyond_the_last_resort_is_refused():
    """Without any message it is still too long: the number is said, and what to do."""
    sheet = factory.sheet(*(with_message(factory.report(f"s{number}"), "m" * 900) for number in range(200)))
    with pytest.raises(ExportError) as caught:
        to_class_junit(sheet, ExportOptions(), limit=100_000)
    assert str(caught.value) == (
        "200 submissions make a JUnit file of 0.3 MB even without their messages, but CI reads less than 0.1. Export"
        " a part of the class at a time."
    )


def test_the_limit_is_gitlab_s():
    """It refuses 30 MB, and its manual does not say of which kind: the smaller ones are safe."""
    assert LIMIT == 30_000_000


def test_an_empty_class_is_an_empty_file():
    """A job that grades nobody is green."""
    assert suites(to_class_junit(factory.sheet(missing=[factory.student("Ann")]), ExportOptions())) == []


@given(
    st.text(st.characters(), max_size=20) | st.text("<>&\"']]>!-\r\n\t\0\x1b\ufffe\ud800", max_size=20),
    st.sampled_from([LIMIT, 30_000]),
)
def test_any_text_at_all_is_well_formed_xml(text, limit):
    """Whatever students wrote, whole or shortened, the file parses and its cases are all there."""
    reports = [
        replace(with_message(factory.report("s"), f"{text}{'m' * 3_000}{text}"), submission=f"{text}{end}", source=text)
        for end in "ab"
    ]
    written = to_class_junit(factory.sheet(*reports), ExportOptions(), limit=limit)
    written.encode()
    assert len(gitlab(written)) == 12
    assert {tag for tag, _ in gitlab(written).values()} == {"failure"}


def test_the_file_s_name():
    """GitLab reads files that end in .xml."""
    assert list(CLASS_FORMATS["junit"].write(factory.sheet(factory.report("a")), ExportOptions())) == ["junit.xml"]
