"""`grader adjust`: what people decide is looked at, kept with who, when and why, and seen wherever scores are."""

from __future__ import annotations

import csv
import io
import re

import pytest

from classroom.once import graded_once, points, say

ADA = ("--by", "ada")
EARLIER = "It was made for an earlier hand-in and does not count for this one: decide again"


@pytest.fixture
def here(tmp_path_factory, tmp_path, monkeypatch):
    """Return a class that is graded."""
    return graded_once(tmp_path_factory, tmp_path, monkeypatch)


def adjust(*words: object, status: int = 0, comment: str = "Seen in office hours.", by: str = "ada") -> str:
    """Decide."""
    return say("adjust", "graded", *words, "--comment", comment, "--by", by, status=status)


def row(here, name: str) -> dict[str, str]:
    """Return a submission's row of gradebook.csv."""
    return next(one for one in csv.DictReader(io.StringIO(here.text("gradebook.csv"))) if one["submission"] == name)


def decisions(here) -> int:
    """Count the decisions that the gradebook keeps."""
    with here.book() as book:
        return len(book.decision_records())


# ---------------------------------------------------------------- what can be decided


def test_points_of_a_check(here):
    """The score follows, and who, when and why stand in report.json, report.html, the table and the class page."""
    said = adjust("bare", "--check", "gradient_b1", "--points", 2.5, comment="Right up to the sign.", by="Ada L.")
    assert said == "bare: 2.5 of 100 points. 1. gradient_b1: 0 of 5 by the grader, now 2.5 of 5"
    report = here.report("bare")
    assert report["score"] == 2.5
    check = next(one for one in report["checks"] if one["id"] == "gradient_b1")
    assert (check["points"], check["adjusted_from"], check["status"]) == (2.5, 0, "partial")
    (ruling,) = report["rulings"]
    assert (ruling["number"], ruling["by"], ruling["comment"]) == (1, "Ada L.", "Right up to the sign.")
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", ruling["at"])
    for part in ("Right up to the sign.", "Ada L.", "now 2.5 of 5"):
        assert part in here.page("bare")
    assert (row(here, "bare")["score"], row(here, "bare")["adjusted"]) == ("2.5", "gradient_b1 (was 0)")
    assert "2.5" in here.text("index.html")


def test_late_days_cost_what_the_policy_says(here):
    """A tenth of all points a day; 0 days take it back."""
    assert "right_einsum: 80 of 100 points. 1. Late by 2 days: 20 points off" in adjust(
        "right_einsum", "--late-days", 2
    )
    report = here.report("right_einsum")
    assert (report["score"], report["late_days"], report["penalty"]) == (80, 2, 20)
    late = row(here, "right_einsum")
    assert (late["score"], late["raw_score"], late["late_days"], late["penalty"]) == ("80", "100", "2", "20")
    said = adjust("right_einsum", "--late-days", 0)
    assert "100 of 100 points. 1. Late by 2 days. Replaced by decision 2 (not in force) 2. Not late" in said


def test_without_a_policy_lateness_is_noted_and_costs_nothing(here):
    """The rubric that a submission was judged by decides, not the bundled one."""
    text = (here.path / "rubric" / "assignment.toml").read_text(encoding="utf-8")
    section = text[text.index("[late]") : text.index("[[checks]]")]
    here.change((section, ""))
    here.regrade()
    said = adjust("right_einsum", "--late-days", 2)
    assert "100 of 100 points. 1. Late by 2 days: no points off, since this assignment has no rule" in said


def test_an_excuse_and_its_end(here):
    """It stands in the report and the table; --no-excuse overtakes it."""
    assert "0 of 100 points, excused. 1. Excused: this does not count" in adjust("broken_syntax", "--excuse")
    assert here.report("broken_syntax")["excused"] is True
    assert row(here, "broken_syntax")["excused"] == "yes"
    assert "0 of 100 points. 1." in adjust("broken_syntax", "--no-excuse")
    assert here.report("broken_syntax")["excused"] is False
    assert row(here, "broken_syntax")["excused"] == ""


def test_what_could_not_be_loaded_may_be_given_points(here):
    """The program was read on paper."""
    assert "broken_syntax: 6 of 100 points." in adjust("broken_syntax", "--check", "predict", "--points", 6)
    assert here.report("broken_syntax")["status"] == "failed_to_load"
    assert row(here, "broken_syntax")["score"] == "6"


def test_several_things_and_several_submissions_at_once(here):
    """Each of two gets each of three decisions; a name that is given twice counts once."""
    said = adjust("bare", "right_einsum", "bare", "--check", "scores", "--points", 8, "--late-days", 1, "--excuse")
    assert "bare: 8 of 100 points, excused." in said
    assert "right_einsum: 90 of 100 points, excused." in said
    assert decisions(here) == 6


def test_a_decision_is_taken_back_and_stays_in_the_history(here):
    """The score is the grader's again, and the history tells who took what back, and why."""
    adjust("bare", "--check", "scores", "--points", 8)
    said = adjust("bare", "--withdraw", 1, comment="Meant for another.", by="bob")
    assert said == "bare: 0 of 100 points."
    assert "rulings" not in here.report("bare")
    told = say("history", "graded", "bare")
    assert "decision 1 by ada: scores set to 8 of 8 points: Seen in office hours. Taken back by bob, " in told
    assert "Z: Meant for another." in told


# ---------------------------------------------------------------- what it outlives


@pytest.mark.slow
def test_decisions_outlive_a_regrade_and_a_grading(here):
    """The rubric changes, everything is run again, and they stand."""
    adjust("bare", "--check", "scores", "--points", 8, "--late-days", 1)
    adjust("right_einsum", "--late-days", 1, "--excuse")
    here.change(points("scores", 8, 10))
    here.regrade()
    assert [here.report(name)["score"] for name in ("bare", "right_einsum")] == [8, 91.8]
    here.grade("--force")
    assert [here.report(name)["score"] for name in ("bare", "right_einsum")] == [8, 91.8]
    assert row(here, "right_einsum")["excused"] == "yes"
    assert decisions(here) == 4


@pytest.mark.slow
def test_another_hand_in_keeps_lateness_and_excuse_and_not_the_points(here):
    """Points were decided for a program that is not there any more; the report says so, and they can be decided again."""
    adjust("right_einsum", "--check", "predict", "--points", 1, "--late-days", 1, "--excuse")
    with (here.path / "class" / "right_einsum.py").open("a", encoding="utf-8") as file:
        file.write("# mended\n")
    assert "1 changed" in here.grade()
    report = here.report("right_einsum")
    assert (report["score"], report["late_days"], report["excused"]) == (90, 1, True)
    assert [one["applies"] for one in report["rulings"]] == [False, True, True]
    assert EARLIER in report["rulings"][0]["effect"]
    assert EARLIER in here.page("right_einsum")
    assert f"{EARLIER} (not in force)" in say("history", "graded", "right_einsum")
    assert "85 of 100 points" in adjust("right_einsum", "--check", "predict", "--points", 1)


# ---------------------------------------------------------------- in the exports

ROSTER = """Student,ID,SIS User ID,SIS Login ID,Section,submission
"Doe, Ann",101,s101,ann,1,bare.py
"Roe, Bob",102,s102,bob,1,right_einsum.py
"Poe, Cleo",103,s103,cleo,1,wrong_half_the_gradient.py
"Moe, Dan",104,s104,dan,1,broken_syntax.ipynb
"""


def test_exports_hold_what_was_decided(here):
    """Canvas gets the score after it, and EX for who is excused."""
    (here.path / "roster.csv").write_text(ROSTER, encoding="utf-8")
    adjust("bare", "--check", "scores", "--points", 8)
    adjust("right_einsum", "--late-days", 1)
    adjust("broken_syntax", "--excuse")
    say("export", "graded", "--format", "canvas", "--roster", "roster.csv")
    grades = {line[0]: line[-1] for line in csv.reader(io.StringIO(here.text("exports/canvas.csv")))}
    assert grades["Doe, Ann"] == "8.00"
    assert grades["Roe, Bob"] == "90.00"
    assert grades["Moe, Dan"] == "EX"


# ---------------------------------------------------------------- what is refused


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["right_einsumm", "--excuse"], "there is no such submission in graded: did you mean right_einsum?"),
        (["bear", "--excuse"], "there is no such submission in graded: did you mean bare?"),
        (["zzz", "--excuse"], "there is no such submission in graded: gradebook.csv lists the names."),
        (["bare", "zzz", "--excuse"], "zzz: there is no such submission"),
        (["bare", "--check", "gradient_w1", "--points", 1], "the rubric has no such check: did you mean gradient_W1?"),
        (["bare", "--check", "zzz", "--points", 1], "--check zzz: the rubric has no such check: there are scores, "),
        (["bare", "--check", "scores", "--points", 8.01], "--points 8.01: scores gives 0 to 8 points."),
        (["bare", "--check", "scores", "--points", -1], "--points -1: scores gives 0 to 8 points."),
        (["bare", "--check", "scores", "--points", "nan"], "--points nan: scores gives 0 to 8 points."),
        (["bare", "--check", "scores", "--points", "inf"], "--points inf: scores gives 0 to 8 points."),
        (["bare", "--check", "scores", "--points", "many"], "Invalid value for '--points'"),
        (["bare", "--check", "scores", "--excuse"], "--check ID goes with --points P, or with a --comment alone."),
        (["bare", "--points", 3], "--check ID goes with --points P, or with a --comment alone."),
        (["bare", "--check", "zzz"], "--check zzz: the rubric has no such check: there are scores, "),
        (["--failed", "gradient_w1"], "--failed gradient_w1: nobody in this class fails it: did you mean gradient_W1?"),
        (["--failed", "scores", "--mistake", "x"], "give one, and leave out NAME"),
        (["--failed", "scores", "--withdraw", 1], "give one, and leave out NAME"),
        (["bare", "--excuse", "--withdraw", 1], "Give one decision"),
        (["bare", "--late-days", -1], "Invalid value for '--late-days'"),
        (
            ["bare", "--withdraw", 1],
            "--withdraw 1: there is no decision with that number. There are no decisions in force.",
        ),
        (["bare", "right_einsum", "--withdraw", 1], "Name only that submission."),
        (["../../x", "--excuse"], "../../x: there is no such submission"),
        (["", "--excuse"], "there is no such submission"),
        (["bare\x1b[31m", "--excuse"], "bare\\u001b[31m: there is no such submission in graded: did you mean bare?"),
    ],
)
def test_what_is_no_decision_is_said_plainly_and_nothing_is_kept(here, words, said):
    """A wrong name, check, number or combination: bad usage, in words, and the folder is as it was."""
    before = sorted(here.out.rglob("*"))
    assert said in adjust(*words, status=2)
    assert decisions(here) == 0
    assert sorted(here.out.rglob("*")) == before
    assert not (here.path.parent / "x").exists()


def test_one_wrong_decision_of_several_keeps_none(here):
    """All are looked at before the first is kept."""
    said = adjust("right_einsum", "bare", "--check", "zzz", "--points", 3, "--late-days", 2, "--excuse", status=2)
    assert "no such check" in said
    assert decisions(here) == 0


@pytest.mark.parametrize("comment", ["", "   ", "\n"])
def test_a_decision_needs_its_reason(here, comment):
    """The student reads it."""
    assert 'A decision needs a reason: --comment "..."' in adjust("bare", "--excuse", comment=comment, status=2)
    assert "Give one decision" in adjust("bare", comment=comment, status=2)


def test_a_comment_that_no_report_would_show_whole_is_refused(here):
    """4,000 characters are shown, and no more are taken."""
    assert "--comment has 4,001 characters, but a report shows at most 4,000." in adjust(
        "bare", "--excuse", comment="x" * 4001, status=2
    )
    assert "--by has 401 characters" in adjust("bare", "--excuse", by="x" * 401, status=2)
    adjust("bare", "--excuse", comment="x" * 4000)
    assert here.report("bare")["rulings"][0]["comment"] == "x" * 4000
    assert "x" * 4000 in say("history", "graded", "bare").replace(" ", "")


def test_only_what_stands_for_that_submission_can_be_taken_back(here):
    """Another's number, and one that was taken back already, are told apart from one that never was."""
    adjust("bare", "--excuse")
    adjust("right_einsum", "--excuse")
    said = adjust("bare", "--withdraw", 2, status=2)
    assert "--withdraw 2: that decision is about another submission. Decisions in force: 1." in said
    adjust("bare", "--withdraw", 1)
    said = adjust("bare", "--withdraw", 1, status=2)
    assert "--withdraw 1: it has already been taken back by ada, " in said
    assert "There are no decisions in force." in said
    assert here.report("right_einsum")["excused"] is True


def test_a_folder_without_a_gradebook_is_said_plainly(here):
    """It is not made."""
    assert "elsewhere: there is no gradebook.db in it." in say(
        "adjust", "elsewhere", "bare", "--excuse", "--comment", "Ill.", *ADA, status=1
    )
    assert not (here.path / "elsewhere").exists()


def test_a_login_without_a_name_has_to_be_told(here, monkeypatch):
    """In a container nobody may know who decides; otherwise the login does."""
    monkeypatch.setattr("getpass.getuser", lambda: "grace")
    say("adjust", "graded", "bare", "--excuse", "--comment", "Ill.")
    assert here.report("bare")["rulings"][0]["by"] == "grace"

    def nobody():
        raise KeyError

    monkeypatch.setattr("getpass.getuser", nobody)
    assert "Give your name with --by NAME" in say("adjust", "graded", "bare", "--excuse", "--comment", "Ill.", status=2)


# ---------------------------------------------------------------- what a comment may hold

HOSTILE = "=1+1 \x1b[2J<script>alert(1)</script>\u202e ::set-output name=x::1\r\n=HYPERLINK(1)\udcff\x00"


def test_a_comment_is_harmless_wherever_it_is_read(here):
    """A terminal's codes, markup, a runner's commands, a formula, half a character: plain text in the gradebook and every format."""
    (here.path / "roster.csv").write_text(ROSTER, encoding="utf-8")
    said = adjust("bare", "--excuse", "--check", "scores", "--points", 8, comment=HOSTILE, by=HOSTILE)
    said += say("history", "graded", "bare") + here.text("submissions/bare/report.json")
    with here.book() as book:
        said += "".join(one.decision.comment + one.decision.by for one in book.decision_records())
    for form in ("gradebook", "canvas", "nbgrader", "gradescope", "junit"):
        say("export", "graded", "--format", form, "--roster", "roster.csv")
    texts = [
        path.read_text(encoding="utf-8")
        for path in here.out.rglob("*.*")
        if path.suffix in {".html", ".csv", ".xml", ".json"}
    ]
    assert len(texts) > 12
    for text in (said, *texts):
        assert not {"\x1b", "\u202e", "\x00", "\r", "\udcff"} & set(text)
        assert "::set-output" not in text
    for path in here.out.rglob("*.html"):
        assert "<script>alert" not in path.read_text(encoding="utf-8")
    assert "&lt;script&gt;alert(1)" in here.page("bare")
    for path in here.out.rglob("*.csv"):
        for cells in csv.reader(io.StringIO(path.read_text(encoding="utf-8"))):
            assert not [cell for cell in cells if cell.startswith(("=", "+", "@"))], path


# ---------------------------------------------------------------- everybody who made a mistake


def test_a_decision_about_all_who_made_a_mistake(here):
    """By the mistake's id, as in report.json; whoever did not make it keeps what they have."""
    words = ("--mistake", "regulariser_gradient_halved", "--check", "gradient_W1", "--points", 5)
    assert "wrong_half_the_gradient: 91 of 100 points." in adjust(*words)
    assert decisions(here) == 1


def test_a_mistake_that_nobody_made_is_refused(here):
    """With those that were made; nothing is saved, and names beside it are refused."""
    said = adjust("--mistake", "regulariser_gradient", "--excuse", status=2)
    assert "nobody in this class made it: did you mean regulariser_gradient_halved?" in said
    assert "give one, and leave out NAME" in adjust("bare", "--mistake", "x", "--excuse", status=2)
    assert decisions(here) == 0
