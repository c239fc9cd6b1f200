"""`grader demo`: forty made-up students, graded like any class."""

import csv

import pytest
from click.testing import CliRunner

import grader.demo.made_up_class as made_up
from classroom.once import at_hand
from grader.cli import main
from grader.demo import students
from grader.submission import load

WHOLE = 40


@pytest.fixture(autouse=True)
def _at_hand(monkeypatch):
    """Let the commands of this process remember what they drew."""
    at_hand(monkeypatch)


def test_a_class_of_forty_is_written(tmp_path, assignment):
    """Right, wrong, unfinished, hostile and broken ones; each program loads unless it is there to be refused."""
    assert made_up.write_class(assignment, tmp_path) == WHOLE == len(list(tmp_path.iterdir()))
    refused = set()
    for path in tmp_path.iterdir():
        found = load(path, class_name="TwoLayerNet", notebook=assignment.notebook, name=path.stem)
        refused |= {path.name} if found.problem else set()
    assert refused == {"aalto_mika.py", "diallo_awa.py", "hughes_owen.ipynb", "nguyen_linh.py"}


@pytest.mark.untraced  # gradings like any other, whose lines other tests trace
def test_the_demo_is_graded_and_its_page_is_named(tmp_path, monkeypatch):
    """The first command of a newcomer ends in the address of a page; nothing is opened where there is no screen."""
    chosen = ("abara_chidi", "okafor_adaeze", "schmidt_lena")
    monkeypatch.setattr(made_up, "PROGRAMS", {name: students.PROGRAMS[name] for name in chosen})
    monkeypatch.setattr(made_up, "SHEETS", {"aalto_mika.py": students.SHEETS["aalto_mika.py"]})
    monkeypatch.setattr(made_up, "UNTOUCHED", students.UNTOUCHED[:1])
    result = CliRunner().invoke(main, ["demo", "--out", str(tmp_path / "d"), "--jobs", "1", "--no-open"])
    assert result.exit_code == 0, result.output
    page = tmp_path / "d" / "graded" / "index.html"
    assert f"Open {page}" in result.output
    with (tmp_path / "d" / "graded" / "gradebook.csv").open(encoding="utf-8") as file:
        scores = {row["submission"]: float(row["score"]) for row in csv.DictReader(file)}
    assert scores["abara_chidi"] == 100
    assert 80 < scores["okafor_adaeze"] < 100
    assert scores["aalto_mika"] == scores["young_harper"] == 0
    assert "overflows where they are large" in page.read_text(encoding="utf-8")


@pytest.mark.slow
@pytest.mark.parametrize("show", [True, False])
def test_the_page_is_opened_if_asked(tmp_path, monkeypatch, show):
    """--open opens the page in the browser, --no-open never does."""
    opened = []
    monkeypatch.setattr("webbrowser.open", opened.append)
    # One submission that is refused when it is read: nothing is run.
    monkeypatch.setattr(made_up, "write_class", lambda _, folder: (folder / "one.py").write_text("print 1"))
    option = "--open" if show else "--no-open"
    CliRunner().invoke(main, ["demo", "--out", str(tmp_path / "d"), "--jobs", "1", option])
    assert opened == ([(tmp_path / "d" / "graded" / "index.html").resolve().as_uri()] if show else [])


def test_a_demo_overwrites_nothing(tmp_path):
    """A folder with submissions in it may be somebody's."""
    (tmp_path / "submissions").mkdir()
    (tmp_path / "submissions" / "mine.py").write_text("precious", encoding="utf-8")
    result = CliRunner().invoke(main, ["demo", "--out", str(tmp_path)])
    assert result.exit_code == 2
    assert "Name another folder, or remove it" in " ".join(result.output.split())
    assert (tmp_path / "submissions" / "mine.py").read_text(encoding="utf-8") == "precious"
