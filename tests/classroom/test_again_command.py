"""`grader grade` a second time: what is unchanged is left alone, and nothing that was found is lost."""

from __future__ import annotations

import platform
import sqlite3
import subprocess
import sys
import zlib

import numpy as np
import pytest

from classroom.conftest import BARE, contents, run, write_rubric
from classroom.once import at_hand, say
from grader import __version__
from grader.classroom import cache_keys
from grader.classroom.gradebook import FILE, Gradebook

# Gradings like any other, one after another; the first of these lines are traced by test_regrade_command.py.
pytestmark = pytest.mark.untraced


@pytest.fixture(autouse=True)
def _at_hand(monkeypatch):
    """Let the commands of this process remember what they drew."""
    at_hand(monkeypatch)


@pytest.fixture
def two(tmp_path):
    """Return a folder with two submissions that take a moment."""
    folder = tmp_path / "class"
    folder.mkdir()
    for name in ("ann", "ben"):
        (folder / f"{name}.py").write_text(f"# {name}\n{BARE}", encoding="utf-8")
    return folder


@pytest.mark.slow
def test_what_is_unchanged_is_left_alone(tmp_path, two, rubric):
    """New, changed, unchanged and forced are told apart and counted, and others stay in the class."""
    words = ["grade", "--seed", "231", two, "--assignment", rubric, "--out", tmp_path / "out"]
    assert "2 new." in say(*words)
    report = tmp_path / "out" / "submissions" / "ben" / "report.json"
    written = report.stat().st_mtime_ns
    assert "2 unchanged." in say(*words)
    assert report.stat().st_mtime_ns == written
    (two / "ann.py").write_text(f"# changed\n{BARE}", encoding="utf-8")
    (two / "cid.py").write_text(BARE, encoding="utf-8")
    assert "1 changed, 1 new, 1 unchanged." in say(*words)
    (two / "ann.py").unlink()
    assert "In the gradebook, but not graded this time: ann." in say(*words)
    assert "2 graded again." in say(*words, "--force")
    assert report.stat().st_mtime_ns > written
    page = (tmp_path / "out" / "index.html").read_text(encoding="utf-8")
    assert all(f"submissions/{name}/report.html" in page for name in ("ann", "ben", "cid"))


@pytest.mark.parametrize("changed", [pytest.param("python", marks=pytest.mark.slow), "grader"])
def test_another_release_than_before_is_noticed(tmp_path, two, rubric, changed):
    """What is graded after a stop, or an upgrade in mid-term, may be judged by another Python or grader."""
    words = ["grade", two / "ann.py", "--assignment", rubric, "--out", tmp_path / "out", "--seed", 231]
    say(*words)
    with sqlite3.connect(tmp_path / "out" / FILE) as database:
        database.execute("UPDATE grading SET versions = json_set(versions, ?, '0.0.9')", [f"$.{changed}"])
    words[1] = two / "ben.py"
    said = say(*words)
    now = {"grader": __version__, "python": platform.python_version(), "numpy": np.__version__}
    sentence = "grader {grader}, Python {python} and numpy {numpy}"
    assert f"This class was begun with {sentence.format_map(now | {changed: '0.0.9'})};" in said
    assert f"; {sentence.format_map(now)} runs now." in said


@pytest.mark.slow
def test_a_report_that_somebody_removed_is_written_again(tmp_path, two, rubric):
    """The gradebook has it whole, with its figures."""
    words = ["grade", "--seed", "231", two, "--assignment", rubric, "--out", tmp_path / "out"]
    say(*words)
    before = contents(tmp_path / "out")
    (tmp_path / "out" / "submissions" / "ann" / "report.html").unlink()
    assert "2 unchanged." in say(*words)
    assert contents(tmp_path / "out") == before


@pytest.mark.slow
def test_a_class_from_another_folder_is_the_same_class(tmp_path, two, rubric):
    """Downloaded again, it keeps its names; what changed in it is said to come from elsewhere."""
    say("grade", "--seed", "231", two, "--assignment", rubric, "--out", tmp_path / "out")
    other = two.rename(tmp_path / "downloaded-again")
    (other / "ann.py").write_text(f"# late\n{BARE}", encoding="utf-8")
    said = say("grade", "--seed", "231", other, "--assignment", rubric, "--out", tmp_path / "out")
    assert "1 changed, 1 unchanged." in said
    assert f"submissions of the same name from another folder: ann (was {two / 'ann.py'})." in said


@pytest.mark.slow
def test_saved_replies_that_cannot_be_read_cost_nobody_a_grade(tmp_path, two, rubric):
    """A changed rubric judges saved replies again; where they are damaged, the program is run instead."""
    words = ["--out", tmp_path / "out", "--assignment"]
    say("grade", "--seed", "231", two, *words, rubric)
    with sqlite3.connect(tmp_path / "out" / FILE) as database:
        database.execute("UPDATE replies SET packed = ? WHERE id = 1", (zlib.compress(b"damaged"),))
    database.close()
    other = write_rubric(tmp_path / "other", ("\nthreshold = 0.5\n", "\nthreshold = 0.6\n"))
    assert "1 graded again, 1 judged again." in say("grade", "--seed", "231", two, *words, other)
    say("grade", "--seed", "231", two, "--out", tmp_path / "fresh", "--assignment", other)
    with Gradebook(tmp_path / "out") as book, Gradebook(tmp_path / "fresh") as fresh:
        for name, kept in book.last().items():
            assert (kept.status, kept.score) == (fresh.last()[name].status, fresh.last()[name].score)
            assert kept.status == "graded"


@pytest.mark.slow
def test_points_for_an_earlier_hand_in_are_said_to_count_no_more(tmp_path, two, rubric):
    """Whoever decided should look at the new hand-in."""
    words = ["grade", "--seed", "231", two, "--assignment", rubric, "--out", tmp_path / "out"]
    say(*words)
    say("adjust", tmp_path / "out", "ann", "--check", "decay", "--points", 2, "--comment", "by hand")
    (two / "ann.py").write_text(f"# better\n{BARE}", encoding="utf-8")
    assert "Points that a person gave for an earlier hand-in do not count for the new one: ann." in say(*words)


@pytest.mark.slow
def test_the_rubric_is_found_again_where_it_stood(tmp_path, two, rubric):
    """`grader regrade DIR` takes the rubric that the class was graded by, as it is now."""
    say("grade", "--seed", "231", two, "--assignment", rubric, "--out", tmp_path / "out")
    text = (rubric / "assignment.toml").read_text(encoding="utf-8")
    (rubric / "assignment.toml").write_text(text.replace("gradient = 1e-6", "gradient = 3e-6"), encoding="utf-8")
    assert "tolerances.gradient: 1e-06 -> 3e-06" in say("regrade", tmp_path / "out")


def test_a_line_that_judges_differently_is_a_reason_to_judge_again(monkeypatch):
    """A hint or a check that changed in the clone leaves the run as it was, and the judgement not."""
    before = cache_keys.CacheKey("s", "a", "x", "q", cache_keys.versions(), True)
    monkeypatch.setattr(cache_keys, "_judging", lambda: "another")
    after = cache_keys.CacheKey("s", "a", "x", "q", cache_keys.versions(), True)
    assert before != after
    assert before.same_run(after)


@pytest.mark.slow
def test_the_same_command_takes_the_same_rubric(tmp_path, two, rubric):
    """One more hand-in, graded without --assignment, does not put the class back to the bundled rubric; nor does another process."""
    run("grade", "--seed", "231", two, "--assignment", rubric, "--out", tmp_path / "out")
    (two / "cid.py").write_text(BARE, encoding="utf-8")
    said = say("grade", "--seed", "231", two, "--out", tmp_path / "out")
    assert "1 new, 2 unchanged." in said
    assert f"Graded with {rubric / 'assignment.toml'}, as before. --assignment names another rubric." in said


@pytest.mark.slow
def test_a_class_of_two_rubrics_is_not_exported(tmp_path, two, rubric):
    """Points out of different sums are no grades; a regrade mends it, and --without leaves out what does not count."""
    say("grade", "--seed", "231", two, "--assignment", rubric, "--out", tmp_path / "out")
    other = write_rubric(tmp_path / "other", ('id = "scores"\npoints = 8', 'id = "scores"\npoints = 10'))
    say("grade", "--seed", "231", two / "ann.py", "--assignment", other, "--out", tmp_path / "out")
    words = ["export", tmp_path / "out", "--format", "nbgrader"]
    said = say(*words, status=2)
    assert "1 of 2 submissions were judged by another rubric than the rest (ben). To judge all by one, run" in said
    assert "Wrote" in say(*words, "--without", "ben")
    assert "ben" not in (tmp_path / "out" / "exports" / "nbgrader.csv").read_text(encoding="utf-8")
    assert "did you mean ben?" in say(*words, "--without", "bem", status=2)
    say("regrade", tmp_path / "out")
    assert "Wrote" in say(*words)


@pytest.mark.slow
def test_a_link_in_the_output_leads_nowhere(tmp_path, two, rubric):
    """Whoever may write into the output folder has no file elsewhere overwritten."""
    words = ["grade", "--seed", "231", two, "--assignment", rubric, "--out", tmp_path / "out", "--force"]
    say(*words)
    victim = tmp_path / "victim"
    (tmp_path / "out" / "submissions" / "ann").rename(victim)
    (victim / "report.html").write_text("precious", encoding="utf-8")
    (tmp_path / "out" / "submissions" / "ann").symlink_to(victim)
    say(*words)
    assert (victim / "report.html").read_text(encoding="utf-8") == "precious"
    assert (tmp_path / "out" / "submissions" / "ann" / "report.html").is_file()


def test_ctrl_c_while_it_starts_is_no_traceback(tmp_path):
    """Somebody may press it while numpy is still being imported."""
    script = "import sys, grader.__main__ as start\nclass Impatient:\n    def find_spec(self, name, *_):\n        if name == 'grader.cli': raise KeyboardInterrupt\nsys.meta_path.insert(0, Impatient())\nstart.run()"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (130, "Stopped.\n")
