"""`grader show`: one submission's report, as it stands after all decisions, in every format of the table."""

import json
from xml.etree import ElementTree as ET

import pytest

from classroom.once import graded_once, say
from grader.reports.formats import REPORT_FORMATS


@pytest.fixture
def here(tmp_path_factory, tmp_path, monkeypatch):
    """Return a class that is graded."""
    return graded_once(tmp_path_factory, tmp_path, monkeypatch)


def test_the_terminal_is_the_default(here):
    """Name, score and the named mistake; as the table's format writes it, without colour."""
    said = say("show", "graded", "wrong_half_the_gradient")
    assert said.startswith("wrong_half_the_gradient 86 / 100 ")
    assert "The mistake, named:" in said
    assert "\x1b" not in said


@pytest.mark.parametrize("name", REPORT_FORMATS)
def test_each_format_is_printed_or_written(here, name):
    """The same text either way; --to says where it went."""
    printed = say("show", "graded", "right_einsum", "--format", name)
    assert say("show", "graded", "right_einsum", "--format", name, "--to", "one.txt") == "Wrote one.txt."
    assert " ".join((here.path / "one.txt").read_text(encoding="utf-8").split()) == printed
    if name == "json":
        assert json.loads(printed)["score"] == 100
    if name == "junit":
        assert ET.fromstring(printed).tag == "testsuites"  # noqa: S314 -- we wrote it ourselves


def test_decisions_are_in_the_report(here):
    """What a person decided is shown, whichever format is asked for."""
    say("adjust", "graded", "bare", "--late-days", "2", "--comment", "Handed in on Sunday.", "--by", "ada")
    assert "Handed in on Sunday." in say("show", "graded", "bare")
    shown = json.loads(say("show", "graded", "bare", "--format", "json"))
    assert shown["rulings"][0]["comment"] == "Handed in on Sunday."


@pytest.mark.parametrize(
    ("words", "status", "said"),
    [
        (["graded", "bare", "--format", "jsn"], 2, "unknown format 'jsn': did you mean 'json'?"),
        (["graded", "bare", "--schema", "jenkins"], 2, "--schema says who reads JUnit: give it with --format junit."),
        (["graded", "bear"], 2, "bear: there is no such submission in graded: did you mean bare?"),
        (["graded", "bare", "--to", "no/such/folder/x"], 1, "no/such/folder/x: No such file or directory"),
        (["graded", "bare", "--to", "graded"], 2, "File 'graded' is a directory"),
        (["graded", "bare", "--to", "graded/gradebook.db"], 2, "the grades are in this file. Name another one."),
        (["graded", "bare", "--to", "graded/../graded/decisions.db"], 2, "the grades are in this file."),
        (["elsewhere", "bare"], 1, "elsewhere: there is no gradebook.db in it."),
    ],
)
def test_what_cannot_be_shown_is_said_plainly(here, words, status, said):
    """A wrong format or name gets the nearest one; a wrong place is named."""
    assert said in say("show", *words, status=status)


def test_a_link_is_written_through(here):
    """What stands at --to is not replaced by a file: it may be a link, a pipe or a device."""
    target, link = here.path / "target.txt", here.path / "link.txt"
    target.touch()
    link.symlink_to(target)
    say("show", "graded", "bare", "--to", "link.txt")
    assert link.is_symlink()
    assert "bare" in target.read_text(encoding="utf-8")


def test_junit_is_written_for_its_reader(here):
    """Where CI grades, one command writes the class as JUnit; Jenkins's schema allows no file, and GitLab wants one."""
    said = say("grade", "class", "--out", "graded", "--format", "junit", "--schema", "jenkins")
    assert said.endswith("Wrote graded/exports/junit.xml.")
    written = (here.out / "exports" / "junit.xml").read_text(encoding="utf-8")
    assert "message=\"grads['W1'] of loss(" in written
    assert "file=" not in written
    say("export", "graded", "--format", "junit")
    assert 'file="' in (here.out / "exports" / "junit.xml").read_text(encoding="utf-8")
    shown = say("show", "graded", "wrong_half_the_gradient", "--format", "junit", "--schema", "jenkins")
    assert "file=" not in shown
    assert 'line="58"' in say("show", "graded", "wrong_half_the_gradient", "--format", "junit")
    assert "unknown format 'jnit': did you mean 'junit'?" in say(
        "grade", "class", "--out", "new", "--format", "jnit", status=2
    )
    assert not (here.path / "new").exists()
