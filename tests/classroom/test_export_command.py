"""`grader export`: the class in each platform's format, whole, where it was asked for."""

from __future__ import annotations

import csv
import hashlib
import io
import json
import re
import zipfile
from dataclasses import replace
from xml.etree import ElementTree as ET

import pytest

from classroom.once import Folder, graded_once, say
from grader.classroom.results import ClassResults
from grader.cli import export as export_command
from grader.reports.export_rows import ExportOptions
from grader.reports.formats import CLASS_FORMATS

ROSTER = """Student,ID,SIS User ID,SIS Login ID,Email,Section,submission
"Doe, Ann",101,s101,ann,ann@example.org,1,bare.py
"Roe, Bob",102,s102,bob,bob@example.org,1,right_einsum.py
"Poe, Cleo",103,s103,cleo,cleo@example.org,1,wrong_half_the_gradient.py
"Moe, Dan",104,s104,dan,dan@example.org,1,broken_syntax.ipynb
"Low, Eve",105,s105,eve,eve@example.org,1,
"""


@pytest.fixture
def here(tmp_path_factory, tmp_path, monkeypatch):
    """Return a class that is graded, and its roster."""
    folder = graded_once(tmp_path_factory, tmp_path, monkeypatch)
    (folder.path / "roster.csv").write_text(ROSTER, encoding="utf-8")
    return folder


def export(name: str, *words: object, status: int = 0) -> str:
    """Export."""
    return say("export", "graded", "--format", name, *words, status=status)


def rows(text: str) -> list[dict[str, str]]:
    """Read a table."""
    return list(csv.DictReader(io.StringIO(text)))


def files(folder) -> list[str]:
    """List a folder's files."""
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


@pytest.mark.parametrize("name", [name for name, one in CLASS_FORMATS.items() if not one.here])  # a class's
def test_every_format_is_written_whole(here, name):
    """To exports/ and to a folder that has to be made; the files are the same, and nothing else is left there."""
    if name == "moodle-feedback":
        assert "bare.py, broken_syntax.ipynb" in export(name, "--roster", "roster.csv", status=2)
        return
    said = export(name, "--roster", "roster.csv")
    where = CLASS_FORMATS[name].file_name
    assert f"Wrote graded/exports/{where}" in said
    said = export(name, "--to", "new/folder")
    assert f"Wrote new/folder/{where}" in said
    exports, elsewhere = here.out / "exports", here.path / "new" / "folder"
    assert files(exports) == files(elsewhere)
    for file in [one for one in files(exports) if not one.startswith(".")]:
        text = (exports / file).read_text(encoding="utf-8")
        assert text == (elsewhere / file).read_text(encoding="utf-8")
        assert text.endswith(("\n", "}", ">"))
        if file.endswith(".csv"):
            assert len(rows(text)) >= (0 if name == "decisions" else 4)  # nobody decided anything here
        elif file.endswith(".html"):
            assert text.startswith("<!doctype html>")
        elif name == "class":
            assert json.loads(text)["schema"]
        elif name == "gradescope":
            assert json.loads(text)["score"] >= 0
        elif name == "codequality":
            assert len(json.loads(text)) > 4
        elif name == "github":
            assert "The regulariser" in text
        else:
            assert ET.fromstring(text).get("tests")  # noqa: S314 -- we wrote it ourselves
    if name == "gradescope":
        assert len(files(exports)) == 5  # with the list of what was written
        assert "4 files." in said


def test_the_scores_of_an_export_are_those_of_the_reports(here):
    """Each student has the score of the submission that the roster says is theirs."""
    export("canvas", "--roster", "roster.csv")
    grades = {row["Student"]: [*row.values()][-1] for row in rows(here.text("exports/canvas.csv"))}
    scores = {name: here.report(name)["score"] for name in ("bare", "right_einsum", "wrong_half_the_gradient")}
    assert scores == {"bare": 0, "right_einsum": 100, "wrong_half_the_gradient": 86}
    assert {name: float(grades[name]) for name in ("Doe, Ann", "Roe, Bob", "Poe, Cleo")} == {
        "Doe, Ann": 0,
        "Roe, Bob": 100,
        "Poe, Cleo": 86,
    }
    assert "Low, Eve" not in grades


def test_a_roster_given_to_an_export_is_kept(here):
    """The class page and the table carry the students from then on, the matching is told, and no later command needs it."""
    said = export("canvas", "--roster", "roster.csv")
    assert "Low, Eve" in said
    assert "Doe, Ann" in here.text("index.html")
    assert {row["student"] for row in rows(here.text("gradebook.csv"))} >= {"Doe, Ann", "Moe, Dan"}
    said = export("moodle")
    assert said == (
        "Wrote graded/exports/moodle.csv: the grades of 4 students. Handed in nothing: 1 (Low, Eve)."
        " 0 points, since the program could not be loaded: 1 (Moe, Dan)."
    )
    assert "ann@example.org" in here.text("exports/moodle.csv")


def test_a_roster_is_kept_and_told_even_where_the_format_refuses_the_class(here):
    """What is nobody's is said with how to mend it, and a format that needs to know whose each is says so."""
    (here.path / "roster.csv").write_text(ROSTER.replace("bare.py", ""), encoding="utf-8")
    said = export("canvas", "--roster", "roster.csv", status=2)
    assert "write its name beside its student in a roster column `submission`" in said
    assert "1 submission has no student (bare), and Canvas needs one for each" in said
    assert not (here.out / "exports").exists()
    assert "Roe, Bob" in here.text("index.html")


def test_options_reach_the_format(here):
    """The assignment's name and Canvas's number make its column."""
    export("canvas", "--roster", "roster.csv", "--title", "Homework 2", "--canvas-id", "77")
    assert "Homework 2 (77)" in here.text("exports/canvas.csv").splitlines()[0]
    export("moodle", "--moodle-user", "idnumber")
    assert "s101" in here.text("exports/moodle.csv")


def test_canvas_own_column_is_found_or_asked_for(here, monkeypatch):
    """By the assignment's name in Canvas's gradebook; where none bears it, a person says which, and nothing is guessed."""
    head = "Section,submission,Homework 1 (11),{} (4711)"
    for title, words in (("A two-layer neural network", []), ("HW 2", ["--column", "HW 2 (4711)"])):
        lines = ROSTER.splitlines()
        lines[0] = lines[0].replace("Section,submission", head.format(title))
        (here.path / "roster.csv").write_text(
            "\n".join([lines[0], *(f"{line},," for line in lines[1:])]), encoding="utf-8"
        )
        export("canvas", "--roster", "roster.csv", *words)
        assert here.text("exports/canvas.csv").splitlines()[0].endswith(f"{title} (4711)")
    said = export("canvas", "--roster", "roster.csv", status=2)
    assert "Name one with --column: Homework 1 (11), HW 2 (4711)." in said
    assert 'finds the column "Other" by its name' in export("canvas", "--title", "Other")
    monkeypatch.setattr(export_command, "_can_ask", lambda: True)
    monkeypatch.setattr(export_command.click, "prompt", lambda *_, **__: 2)
    assert "2. HW 2 (4711)" in export("canvas", "--roster", "roster.csv")
    assert here.text("exports/canvas.csv").splitlines()[0].endswith("HW 2 (4711)")


def test_decisions_are_a_table(here):
    """One row each, those in force and those overtaken, and no comment is a formula."""
    decide = ("adjust", "graded", "bare", "--by", "ada", "--check", "scores", "--points")
    say(*decide, 3, "--comment", "=1+1")
    say(*decide, 5.5, "--comment", "Seen.")
    say("adjust", "graded", "right_einsum", "--late-days", 2, "--comment", "Late.", "--by", "bob")
    export("decisions")
    found = rows(here.text("exports/decisions.csv"))
    columns = ("submission", "number", "kind", "check", "value", "of", "comment", "by", "applies")
    assert [tuple(row[column] for column in columns) for row in found] == [
        ("bare", "1", "points", "scores", "3", "8", "'=1+1", "ada", ""),
        ("bare", "2", "points", "scores", "5.5", "8", "Seen.", "ada", "yes"),
        ("right_einsum", "3", "late_days", "", "2", "", "Late.", "bob", "yes"),
    ]
    assert found[0]["effect"] == "scores: 3 points. Replaced by decision 2"


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["canvass"], "unknown format 'canvass': did you mean 'canvas'?"),
        (["zzz"], "unknown format 'zzz': there are 'gradebook', 'canvas',"),
        (["canvas"], "4 submissions have no student (bare, broken_syntax, right_einsum"),
        (["canvas", "--roster", "none.csv"], "none.csv"),
        (["canvas", "--roster", "bad.csv"], "bad.csv, line 1"),
        (["gradebook", "--roster", "claims.csv"], "nobody.py"),
        (["moodle", "--moodle-user", "shoe size"], "Invalid value for '--moodle-user'"),
        (
            ["gradebook", "--to", "roster.csv"],
            "--to roster.csv: this folder cannot be made (File exists). Name another one.",
        ),
        (["gradebook", "--to", "roster.csv/x"], "--to roster.csv/x: this folder cannot be made (Not a directory)."),
    ],
)
def test_what_cannot_be_exported_is_said_plainly(here, words, said):
    """A wrong format, roster or folder: bad usage, in words; nothing is written, and no roster is kept."""
    (here.path / "bad.csv").write_text("shoe size,colour\n43,blue\n", encoding="utf-8")
    (here.path / "claims.csv").write_text("name,submission\nAnn,nobody.py\n", encoding="utf-8")
    before = {path: path.read_bytes() for path in here.out.rglob("*.*") if path.suffix in {".html", ".csv", ".json"}}
    assert said in export(*words, status=2)
    after = {path: path.read_bytes() for path in here.out.rglob("*.*") if path.suffix in {".html", ".csv", ".json"}}
    assert after == before
    with here.book() as book:
        assert book.roster() is None


def test_a_file_is_there_whole_or_not_at_all(here, monkeypatch):
    """Where the disk fails before all is written, the export of before is still what it was."""
    export("gradebook")
    before = here.text("exports/gradebook.csv")
    say("adjust", "graded", "bare", "--excuse", "--comment", "Ill.", "--by", "ada")
    from pathlib import Path

    def full(_partly, _path):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "replace", full)
    said = export("gradebook", status=1)
    monkeypatch.undo()
    assert "the disk is full" in said
    assert (here.out / "exports" / "gradebook.csv").read_text(encoding="utf-8") == before
    assert files(here.out / "exports") == ["gradebook.csv"]


def test_a_folder_without_a_gradebook_is_said_plainly(here):
    """Neither it nor its exports are made."""
    assert "elsewhere: there is no gradebook.db in it." in say("export", "elsewhere", "--format", "canvas", status=1)
    assert not (here.path / "elsewhere").exists()


def test_what_was_excused_or_decided_is_exported_after_a_regrade_too(here):
    """The export asks the gradebook, and not the files that lie beside it."""
    say("adjust", "graded", "bare", "--excuse", "--comment", "Ill.", "--by", "ada")
    (here.out / "gradebook.csv").unlink()
    here.regrade("--force")
    export("canvas", "--roster", "roster.csv")
    grades = {row["Student"]: [*row.values()][-1] for row in rows(Folder(here.path).text("exports/canvas.csv"))}
    assert grades["Doe, Ann"] == "EX"


def test_pages_go_back_under_the_names_that_the_platform_gave(here):
    """Named as handed in, without its ending, with the name that the roster gives."""
    export("pages", "--roster", "roster.csv")
    pages = here.out / "exports" / "pages"
    assert sorted(path.name for path in pages.iterdir()) == [
        "bare.html",
        "broken_syntax.html",
        "right_einsum.html",
        "wrong_half_the_gradient.html",
    ]
    assert "<title>Doe, Ann: 0 of 100</title>" in (pages / "bare.html").read_text(encoding="utf-8")


def test_no_page_replaces_another_s(here):
    """Names may differ in their endings alone, or be what the gradebook made of another's."""
    with here.book() as book:
        sheet = ClassResults(book).sheet()
    given = {"a_b": "a:b.ipynb", "a_b-2": "a:b.py", "a_b-3": "a_b.py", "a_b.py": "a_b.py.ipynb"}
    standings = tuple(
        replace(
            sheet.standings[0], report=replace(sheet.standings[0].report, submission=name, source=f"class/{source}")
        )
        for name, source in given.items()
    )
    pages = CLASS_FORMATS["pages"].write(replace(sheet, standings=standings), ExportOptions())
    assert {place: re.search("<title>(.*):", page)[1] for place, page in pages.items()} == {
        f"pages/{name}.html": name for name in given
    }


def test_moodle_gets_the_folders_that_it_made(here):
    """Whole names, with the number by which Moodle finds the student; the same class gives the same bytes."""
    with here.book() as book:
        sheet = ClassResults(book).sheet()
    names = [f"Jan\u00e9 Doe_{101 + at}_assignsubmission_file_" for at in range(len(sheet.standings))]
    given = replace(
        sheet,
        standings=tuple(
            replace(one, report=replace(one.report, source=f"class/{name}"))
            for one, name in zip(sheet.standings, names, strict=True)
        ),
    )
    files = CLASS_FORMATS["moodle-feedback"].write(given, ExportOptions())
    assert files == CLASS_FORMATS["moodle-feedback"].write(given, ExportOptions())
    with zipfile.ZipFile(io.BytesIO(files["moodle-feedback.zip"])) as file:
        assert file.namelist() == [f"{name}/report.html" for name in names]
        assert "<title>bare: 0 of 100</title>" in file.read(file.namelist()[0]).decode()


def test_comments_for_canvas_say_what_cost_points(here):
    """One for each student with a grade, found by Canvas's own number, and none for a student who is excused."""
    say("adjust", "graded", "bare", "--excuse", "--comment", "Ill.", "--by", "ada")
    export("canvas-comments", "--roster", "roster.csv")
    found = {row["ID"]: row["Comment"] for row in rows(here.text("exports/canvas-comments.csv"))}
    assert set(found) == {"102", "103", "104"}
    assert found["102"] == "Everything is right."
    assert "Fixing it returns 14 points" in found["103"]


# ---------------------------------------------------------------- again


@pytest.mark.parametrize(("name", "gone"), [("pages", "bare.html"), ("gradescope", "bare/results.json")])
def test_a_second_export_leaves_no_file_of_who_is_gone(here, name, gone):
    """What the first one wrote goes; what somebody changed or put there stays, and is named."""
    export(name)
    folder = here.out / "exports" / name
    (folder / "notes.txt").write_text("mine", encoding="utf-8")
    before = files(folder)
    assert gone in before
    assert "also holds what this export did not write: notes.txt." in export(name, "--without", "bare")
    assert files(folder) == [one for one in before if one != gone]
    assert not (folder / "bare").exists()
    export(name)
    (folder / gone).write_text("with a word of the instructor's", encoding="utf-8")
    assert gone in export(name, "--without", "bare")
    assert (folder / gone).read_text(encoding="utf-8") == "with a word of the instructor's"


def test_a_forged_record_removes_nothing_outside(here):
    """Whoever may write into the folder of exports could name files elsewhere in it, or leave no record at all."""
    export("pages")
    outside, record = here.path / "outside.txt", here.out / "exports" / ".pages.written.json"
    outside.write_text("mine", encoding="utf-8")
    digest = hashlib.sha256(b"mine").hexdigest()
    (here.out / "exports" / "pages" / "link.html").symlink_to(outside)
    places = ["../../outside.txt", "pages/../../../outside.txt", str(outside), "pages/link.html"]
    for text in (json.dumps(dict.fromkeys(places, digest)), "[]", "{", "[" * 100_000):
        record.write_text(text, encoding="utf-8")
        export("pages")
        assert outside.is_file()
        assert (here.out / "exports" / "pages" / "link.html").is_symlink()
    say("adjust", "graded", "--forget", "bare", "--yes")
    assert not record.exists()


def test_nbgrader_s_due_date_is_in_utc(here):
    """As nbgrader keeps it; what is no time is refused in one line."""
    export("nbgrader", "--due", "2026-02-02T15:00+02:00")
    assert {row["duedate"] for row in rows(here.text("exports/nbgrader.csv"))} == {"2026-02-02 13:00:00"}
    for due in ("tomorrow", "0001-01-01T00:00+14:00"):
        assert f"--due {due}: this is not a time. Write it as" in export("nbgrader", "--due", due, status=2)
