"""The formats of a class: found by name, and each writes its files the same way."""

from pathlib import PurePosixPath

import pytest

from grader.model import Student
from grader.reports.class_formats import SHEETS, ExportError, ExportOptions, sheet_format_named
from reports import factory

ANN = Student("Doe, Ann", id="1", sis_id="2", login="ann", email="ann@x.edu")


def test_a_format_is_found_by_name():
    """The six that there are."""
    assert list(SHEETS) == ["gradebook", "canvas", "moodle", "nbgrader", "gradescope", "junit"]
    assert all(sheet_format_named(name) is form for name, form in SHEETS.items())


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("canvass", "did you mean 'canvas'?"),
        ("Moodle", "did you mean 'moodle'?"),
        ("gradscope", "did you mean 'gradescope'?"),
        ("xyz", "there are 'gradebook', 'canvas', 'moodle', 'nbgrader', 'gradescope', 'junit'"),
    ],
)
def test_another_name_is_refused_with_the_nearest(name, hint):
    """Or with all of them, where none is near."""
    with pytest.raises(ValueError, match="unknown format") as caught:
        sheet_format_named(name)
    assert str(caught.value) == f"unknown format {name!r}: {hint}"


@pytest.mark.parametrize("name", SHEETS)
def test_each_writes_files_below_its_own_name(name):
    """Texts by relative places, the same for the same class, which any file system and UTF-8 take."""
    sheet = factory.sheet(
        factory.report("ann", {"loss": 0}), students={"ann": ANN}, missing=[Student("Roe", id="3", login="roe")]
    )
    files = SHEETS[name].write(sheet, ExportOptions())
    assert files
    for place, text in files.items():
        assert PurePosixPath(place).parts[0] == SHEETS[name].file_name
        assert not {"..", "/"} & set(PurePosixPath(place).parts)
        assert text.encode().endswith(b"\n")
        assert "\r" not in text
    assert list(files.items()) == list(SHEETS[name].write(sheet, ExportOptions()).items())


def test_an_export_error_is_a_value_error():
    """Whoever knows the commands' errors catches it with the others."""
    assert issubclass(ExportError, ValueError)
