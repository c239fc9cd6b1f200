"""A class in which students have different variants: who has which, and each hand-in is judged by its own."""

import csv
import json
import shutil

import pytest
from click.testing import CliRunner

from grader import new_assignment
from grader.classroom.roster import read_roster
from grader.classroom.variant_folders import ROSTER, list_variants
from grader.classroom.variants import choose_variants, spread_variants
from grader.cli import main
from grader.records import replace
from grader.rubric import FILE as RUBRIC

LIST = """name,student id,email,team,submission,section
"Doe, Jane",0012,jane@x.org,,,A
"Roe, Rick",13,rick@x.org,,mine.ipynb,B
"Poe, Edgar",14,ed@x.org,Owls,,
"Lee, Ann",15,ann@x.org,Owls,,
"Kim, Lou",16,lou@x.org,,,A
"""


@pytest.fixture
def roster(tmp_path):
    """Return the file of a small class."""
    path = tmp_path / "class.csv"
    path.write_text(LIST, encoding="utf-8")
    return path


def say(*words, status=0):
    """Run a command, and return what it says."""
    result = CliRunner().invoke(main, [*map(str, words)])
    assert result.exit_code == status, result.output
    return result.output


def test_each_student_gets_one_and_a_team_gets_one_together(roster, tmp_path):
    """Evenly, by the seed alone; all else that the roster says stays."""
    before = read_roster(roster)
    text, counts = spread_variants(before, ("a", "b"), 3)
    (tmp_path / ROSTER).write_text(text, encoding="utf-8")
    after = read_roster(tmp_path / ROSTER)
    assert [replace(one, variant="") for one in after.students] == list(before.students)
    assert [(one.entry, one.line) for one in after.claims] == [(one.entry, one.line) for one in before.claims]
    whose = {one.name: one.variant for one in after.students}
    assert whose["Poe, Edgar"] == whose["Lee, Ann"]
    assert set(whose.values()) == {"a", "b"}
    assert sum(counts.values()) == len(before.students)
    assert max(counts.values()) - min(counts.values()) <= 1
    assert spread_variants(before, ("a", "b"), 3) == (text, counts)
    assert len({spread_variants(before, ("a", "b"), seed)[0] for seed in range(9)}) > 1


def test_variants_differ_and_what_is_chosen_stays():
    """Six have six activations; more than there are is refused."""
    assert len({one["activation"] for one in choose_variants(6, {}, 0)}) == 6
    chosen = choose_variants(18, {"loss": "svm"}, 1)
    assert {one["loss"] for one in chosen} == {"svm"}
    assert len({tuple(one.values()) for one in chosen}) == 18
    with pytest.raises(ValueError, match="--variants 19: the options leave 18 different networks"):
        choose_variants(19, {"loss": "svm"}, 1)


def test_a_folder_of_variants_is_told_from_an_assignment(tmp_path):
    """By its roster, and by what its subfolders hold."""
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        (tmp_path / name / RUBRIC).touch()
    assert list_variants(tmp_path) == {"": tmp_path}
    (tmp_path / ROSTER).touch()
    assert list_variants(tmp_path) == {"a": tmp_path / "a", "b": tmp_path / "b"}
    (tmp_path / RUBRIC).touch()
    assert list_variants(tmp_path) == {"": tmp_path}


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--variants", "2"], "--variants N and --roster FILE go together"),
        (["--roster", "{}"], "--variants N and --roster FILE go together"),
        (["--variants", "99", "--roster", "{}"], "--variants 99: the options leave 54 different networks"),
        (["--variants", "2", "--roster", "nowhere.csv"], "nowhere.csv"),
    ],
)
def test_what_cannot_be_spread_is_refused_in_one_line(words, said, roster, tmp_path):
    """Before anything is written."""
    shown = say("new", tmp_path / "new", *(word.format(roster) for word in words), status=2)
    assert said in shown
    assert shown.count("\n") == 1
    assert not (tmp_path / "new").exists()


@pytest.mark.slow
def test_each_hand_in_is_judged_by_its_student_s_variant(roster, tmp_path, monkeypatch):
    """Two variants, from the list to the class page; a neighbour's solution loses points, and a stranger's is left out."""
    monkeypatch.setattr(new_assignment, "freeze", lambda *_: b"frozen")
    folder, handed_in, out = tmp_path / "own", tmp_path / "handed_in", tmp_path / "graded"
    roster.write_text(LIST.replace("mine.ipynb", ""), encoding="utf-8")
    say("new", folder, "--variants", 2, "--roster", roster, "--runs", 10, "--methods", "loss=compute_loss,train=fit")
    variants = list_variants(folder)
    assert {path.name for path in (folder / "handouts").iterdir()} == set(variants)
    handed_in.mkdir()
    with (folder / ROSTER).open(encoding="utf-8") as lines:
        whose = {row["email"]: row["variant"] for row in csv.DictReader(lines)}
    solutions = {name: path / "two_layer_net_solution.ipynb" for name, path in variants.items()}
    del whose["ann@x.org"]  # her team hands in once
    for email, variant in whose.items():
        wrong = next(name for name in variants if name != variant)
        shutil.copy(solutions[wrong if email == "lou@x.org" else variant], handed_in / f"{email}.ipynb")
    shutil.copy(solutions[whose["jane@x.org"]], handed_in / "stranger.ipynb")
    said = say("grade", handed_in, "--assignment", folder, "--out", out)
    assert said.count("100 / 100") == 3
    assert "1 not graded (stranger): no student with a variant was found for it." in said
    assert "4 new." in said
    assert "4 unchanged." in say("grade", handed_in, "--out", out)
    told = json.loads((out / "submissions" / "lou@x.org" / "report.json").read_text(encoding="utf-8"))["review"]
    other = next(name for name in variants if name != whose["lou@x.org"])
    assert [f"Its answers are those of {other}, which others of this class have" in one for one in told] == [True]
    mine = json.loads((out / "submissions" / "jane@x.org" / "report.json").read_text(encoding="utf-8"))
    assert not mine.get("review")
    page = (out / "index.html").read_text(encoding="utf-8")
    assert "Passed, by variant of the assignment" in page
    for path in variants.values():
        text = (path / RUBRIC).read_text(encoding="utf-8")
        (path / RUBRIC).write_text(text.replace("points = 8", "points = 18", 1), encoding="utf-8")
    assert "4 judged again." in say("regrade", out)
    listed = (folder / ROSTER).read_text(encoding="utf-8")
    (folder / ROSTER).write_text(listed.replace(whose["lou@x.org"], "nothing"), encoding="utf-8")
    said = say("grade", handed_in, "--assignment", folder, "--out", out)
    assert f"the roster's variant 'nothing' is no folder of the assignment. There are {', '.join(variants)}." in said
    assert len((out / "regraded.csv").read_text(encoding="utf-8").splitlines()) >= 4
