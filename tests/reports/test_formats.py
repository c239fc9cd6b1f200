"""The one table of formats: what it lists, what each entry writes, and what a wrong name gets."""

import re
from dataclasses import replace
from pathlib import PurePosixPath

import pytest

from grader.model import Student
from grader.reports.export_rows import ExportError, ExportOptions
from grader.reports.formats import CLASS_FORMATS, FORMATS, IN_FOLDER, REPORT_FORMATS
from grader.text.nearest import lookup
from reports import factory

ANN = Student("Doe, Ann", id="1", sis_id="2", login="ann", email="ann@x.edu")


def test_the_table_lists_every_format_once():
    """Each format is one of a submission's or one of a class's, and no two of a kind share a name or a file."""
    assert list(REPORT_FORMATS) == ["terminal", "html", "json", "junit", "github", "gradescope"]
    assert list(CLASS_FORMATS) == [
        "gradebook", "canvas", "moodle", "nbgrader", "gradescope", "junit", "github", "classroom50", "codequality",
        "pages", "moodle-feedback", "canvas-comments", "decisions", "class",
    ]  # fmt: skip
    assert len(REPORT_FORMATS) + len(CLASS_FORMATS) == len(FORMATS)
    assert len({one.file_name for one in FORMATS}) == len(FORMATS)
    assert [one.file_name for one in IN_FOLDER] == ["report.html", "report.json"]


@pytest.mark.parametrize(
    ("formats", "name", "hint"),
    [
        (REPORT_FORMATS, "htm", "did you mean 'html'?"),
        (REPORT_FORMATS, "zzz", "there are 'terminal', 'html', 'json', 'junit', 'github', 'gradescope'"),
        (CLASS_FORMATS, "canvass", "did you mean 'canvas'?"),
        (CLASS_FORMATS, "Moodle", "did you mean 'moodle'?"),
        (CLASS_FORMATS, "gradscope", "did you mean 'gradescope'?"),
        (CLASS_FORMATS, "xyz", f"there are {', '.join(map(repr, CLASS_FORMATS))}"),
    ],
)
def test_another_name_is_refused_with_the_nearest(formats, name, hint):
    """Or with all of them, where none is near."""
    with pytest.raises(ValueError, match="unknown format") as caught:
        lookup(formats, name, "format")
    assert str(caught.value) == f"unknown format {name!r}: {hint}"


@pytest.mark.parametrize("name", REPORT_FORMATS)
def test_what_only_the_instructor_may_know_is_in_no_format_for_students(sample, name):
    """What a person should look at, and what a hidden check found, stay out of what students see; the others hold all."""
    from dataclasses import replace

    told = replace(sample, review=("Look at this one: it trains in another process.",))
    text = REPORT_FORMATS[name].write(told)
    assert "Gradients at other sizes" in text
    assert ("secret" in text) == ("Look at this one" in text) == (not REPORT_FORMATS[name].for_students)


@pytest.mark.parametrize("name", CLASS_FORMATS)
def test_each_writes_files_below_its_own_name(name):
    """Texts by relative places, the same for the same class, which any file system and UTF-8 take."""
    handed_in = replace(factory.report("ann", {"loss": 0}), source="class/Ann Doe_101_assignsubmission_file")
    sheet = factory.sheet(handed_in, students={"ann": ANN}, missing=[Student("Roe", id="3", login="roe")])
    files = CLASS_FORMATS[name].write(sheet, ExportOptions())
    assert files
    for place, text in files.items():
        assert PurePosixPath(place).parts[0] == CLASS_FORMATS[name].file_name
        assert not {"..", "/"} & set(PurePosixPath(place).parts)
        if isinstance(text, str):  # not a zip
            assert text.encode().endswith(b"\n")
            assert "\r" not in text
    assert list(files.items()) == list(CLASS_FORMATS[name].write(sheet, ExportOptions()).items())


def test_an_export_error_is_a_value_error():
    """Whoever knows the commands' errors catches it with the others."""
    assert issubclass(ExportError, ValueError)


@pytest.mark.parametrize("name", ["terminal", "html", "json"])
def test_a_report_names_python_and_numpy(name, sample):
    """A program may be right under one version and fail under another."""
    versions = {"python": "3.98.1", "numpy": "2.97.5"}
    text = REPORT_FORMATS[name].write(replace(sample, environment=replace(sample.environment, versions=versions)))
    assert all(re.search(rf"{package}\W.{{,20}}{version}", text) for package, version in versions.items())
