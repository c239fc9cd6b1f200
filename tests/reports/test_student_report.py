"""What students may see: each check is hidden in turn, and every format of theirs is searched for what it found."""

import html
import io
import json
import re
import urllib.parse
from dataclasses import fields, is_dataclass, replace
from pathlib import Path
from xml.etree import ElementTree as ET
from zipfile import ZipFile

import pytest

from classroom.once import graded_once
from grader.grading import grade
from grader.model import Diagnosis, Place, StepRow, Student
from grader.reports.export_rows import ExportOptions
from grader.reports.formats import CLASS_FORMATS, REPORT_FORMATS
from grader.reports.report_json import from_json
from grader.reports.student_report import student_report
from reports import factory

TESTS = Path(__file__).resolve().parent.parent
MISTAKEN = sorted((TESTS / "benchmarks" / "mistaken").glob("*.py"))
# What mending a mistake returns, and where: in words, and as Gradescope's data.
COSTS = re.compile(
    r"(?:returns|may return up to) [\d.,]+\s+points?:\s+((?:\w+ [\d.,]+\s*)+)|(?<=costs )((?:\w+ [\d.]+ )*)"
)
ANN = Student("Ann", email="ann@x.edu")


def strings(value):
    """Return every string in a JSON value, keys included."""
    if isinstance(value, dict):
        return [text for key, one in value.items() for text in (key, *strings(one))]
    return [text for one in value for text in strings(one)] if isinstance(value, list) else [str(value)]


def squeezed(text):
    """Return a text without what formats put between its words: blanks, frames, marks and quotes."""
    return re.sub(r"\W+|_", "", text)


def read_html(text):
    """Return what a page shows, and what its attributes say."""
    return html.unescape(re.sub(r"<[^>]*>", "", text) + " ".join(re.findall(r'="([^"]*)"', text)))


def read_xml(text):
    """Return the texts and attributes of an XML file."""
    return " ".join(
        part
        for one in ET.fromstring(text.encode()).iter()  # noqa: S314 -- our own
        for part in (one.text or "", *one.attrib.values())
    )


def read_json(text):
    """Return the strings and numbers of a JSON file."""
    return " ".join(strings(json.loads(text)))


READ = {
    "html": read_html,
    "pages": read_html,
    "moodle-feedback": read_html,
    "junit": read_xml,
    "github": urllib.parse.unquote,
    "gradescope": read_json,
}


def unzipped(data):
    """Return the text of a file, and of all that a zip holds."""
    if isinstance(data, str):
        return data
    with ZipFile(io.BytesIO(data)) as file:
        return " ".join(file.read(name).decode() for name in file.namelist())


def seen_by_students(report):
    """Return the text of each format that students see, as they read it."""
    seen = {one.name: READ.get(one.name, str)(one.write(report)) for one in REPORT_FORMATS.values() if one.for_students}
    of_moodle = replace(report, source="class/Ann Lee_101_assignsubmission_file")
    for one in CLASS_FORMATS.values():
        if one.for_students:
            handed_in = of_moodle if one.name == "moodle-feedback" else report
            sheet = factory.sheet(handed_in, students={report.submission: ANN})
            written = " ".join(map(unzipped, one.write(sheet, ExportOptions()).values()))
            seen[f"class {one.name}"] = READ.get(one.name, str)(written)
    return seen


def words_of(*told):
    """Return the sentences and lines that records hold, as they are searched for; short ones say nothing."""
    found = set()
    for one in told:
        if isinstance(one, str):
            found |= {squeezed(line) for line in one.split("\n")}
        elif is_dataclass(one):
            found |= words_of(*(getattr(one, field.name) for field in fields(one)))
        elif isinstance(one, tuple):
            found |= words_of(*one)
    return {one for one in found if len(one) > 11}


def forbidden(report, check):
    """Return what a report says because of one check alone, with a name for each."""
    verdict = next(one for one in report.checks if one.id == check)
    others = [one for one in report.checks if one.id != check]
    alone = [one for one in report.diagnoses if {at for at, lost in one.costs.items() if lost} == {check}]
    open_ = [one for one in report.diagnoses if one not in alone]
    told = [(one.message, one.places) for one in others]
    # A carried check names the mistake that it is not charged for, and that is what must not be told.
    for one in alone:
        told = [(message.replace(one.title, ""), places) for message, places in told]
    may = words_of(report.notes, *(one.title for one in report.checks), *told, *open_)
    may |= words_of(*report.steps) if not alone and verdict.points >= verdict.max_points else set()
    may |= words_of(*(row.place for row in report.steps)) if not alone else set()
    must_not = words_of(
        verdict.message, verdict.places, *((one.title, one.hint, one.source, one.places) for one in alone)
    )
    if alone:
        must_not |= words_of(*(row.verdict for row in report.steps if row.status == "differs"))
    return {one for one in must_not if not any(one in other for other in may)}


def leaks(report, check):
    """Return what of a hidden check stands in what students see, by format."""
    checks = tuple(replace(one, hidden=one.id == check) for one in report.checks)
    words = forbidden(report, check)
    if not words and not any(check in one.costs for one in report.diagnoses):
        return {}, 0
    found = {}
    for name, text in seen_by_students(replace(report, checks=checks)).items():
        flat = squeezed(text)
        hits = [one for one in words if one in flat]
        hits += [one for one in map("".join, COSTS.findall(text)) if re.search(rf"\b{check}\b", one)]
        if hits:
            found[name] = hits
    return found, len(words)


def sweep(report):
    """Hide each check in turn; return how many words were looked for."""
    looked_for = 0
    for verdict in report.checks:
        found, words = leaks(report, verdict.id)
        assert not found, (report.submission, verdict.id, found)
        looked_for += words
    return looked_for


@pytest.mark.untraced
def test_a_hidden_check_says_nothing(sample, tmp_path_factory, tmp_path, monkeypatch):
    """Of a program with one mistake, and of all that a report can hold."""
    here = graded_once(tmp_path_factory, tmp_path, monkeypatch)
    text = (here.out / "submissions" / "wrong_half_the_gradient" / "report.json").read_text(encoding="utf-8")
    assert sweep(sample) + sweep(from_json(text)) > 20


@pytest.mark.slow
@pytest.mark.untraced
@pytest.mark.parametrize("path", MISTAKEN, ids=lambda path: path.stem)
def test_no_mistake_makes_a_hidden_check_speak(path, assignment, questions, host):
    """Whatever the mistake, and whichever check is hidden."""
    assert sweep(grade(path, path.stem, assignment, questions, host).report)


def charged(**costs):
    """Return a mistake that explains the loss and the hidden gradients."""
    return Diagnosis(
        "m", "The mask is missing", "Mask.", "notes", ("loss", "grad_hidden"), costs, (Place("a.py", 1, ""),)
    )


ROWS = (StepRow(Place("a.py", 1, "dh = 1"), "dh", (), "differs", "differs from dh"),)


@pytest.mark.parametrize(
    ("points", "costs", "told", "steps"),
    [
        ({"grad_hidden": 0}, {"grad_hidden": 10}, None, False),
        ({"grad_hidden": 0}, {"grad_hidden": 10, "loss": 0}, None, False),
        ({"grad_hidden": 0}, {}, None, False),  # a person gave the points, and no cost is left
        ({"grad_hidden": 0, "loss": 0}, {"grad_hidden": 10, "loss": 20}, {"loss": 20}, True),
        ({"loss": 0}, {"loss": 20}, {"loss": 20}, True),
        ({}, {}, {}, True),
    ],
)
def test_a_mistake_is_told_where_it_is_charged_at_a_check_that_is_not_hidden(points, costs, told, steps):
    """Its cost at the hidden check is left out; what is kept back is named in no other check, and no table tells it."""
    report = factory.report("a", points, diagnoses=[charged(**costs)])
    first = replace(report.checks[0], message="Not charged here: The mask is missing\nYour scores differ.")
    seen = student_report(replace(report, checks=(first, *report.checks[1:]), steps=ROWS, review=("Look.",)))
    assert [(one.checks, one.costs) for one in seen.diagnoses] == ([] if told is None else [(("loss",), told)])
    assert ("mask" in seen.checks[0].message) == (told is not None)
    assert seen.checks[0].message.endswith("Your scores differ.")
    assert (seen.steps == ROWS) == steps
    assert seen.review == ()
