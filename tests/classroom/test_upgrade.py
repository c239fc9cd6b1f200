"""An upgrade in mid-term: a class that an older grader began goes on, and nobody loses points or words by it."""

from __future__ import annotations

import json
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from classroom.books import rows
from classroom.conftest import SAMPLES
from classroom.once import Folder, at_hand, class_of, graded_once, say
from grader import __version__
from grader.classroom.gradebook import FILE

# What the tables lacked when they had version 2, and what any older grader wrote.
TO_VERSION_2 = """
DROP TABLE setting;
DROP TABLE forgotten;
ALTER TABLE decision DROP COLUMN worth;
ALTER TABLE grading DROP COLUMN findings;
ALTER TABLE grading DROP COLUMN found_by;
ALTER TABLE grading DROP COLUMN ranges;
UPDATE grading SET versions = json_set(versions, '$.grader', '0.0.9', '$.judging', 'older');
PRAGMA user_version = 2;
"""
RULED = "wrong_half_the_gradient"


def test_a_regrade_after_an_upgrade_keeps_points_decisions_and_comments(tmp_path_factory, tmp_path, monkeypatch):
    """Rubric and saved replies are the same, so only the notice is new; the older gradebook stays beside the new one."""
    here = graded_once(tmp_path_factory, tmp_path, monkeypatch)
    say("adjust", "graded", RULED, "--check", "gradient_W1", "--points", 5, "--comment", "Right up to the factor.")
    before = here.report(RULED)
    with closing(sqlite3.connect(here.out / FILE)) as database:
        database.executescript(TO_VERSION_2)
    said = here.regrade()
    assert "This class was begun with grader 0.0.9," in said
    assert f"; grader {__version__}," in said
    assert "4 judged again. No score changed." in said
    after = here.report(RULED)
    assert after | {"timing": 0} == before | {"timing": 0}
    assert after["score"] == 91
    assert "Right up to the factor." in json.dumps(after)
    assert "Right up to the factor." in here.page(RULED)
    assert "Right up to the factor." in say("history", "graded", RULED)
    assert (here.out / f"{FILE}.version-2").is_file()


@pytest.mark.slow
def test_a_class_that_0_1_0_began_is_graded_again(tmp_path, monkeypatch):
    """It wrote this gradebook: regrade says that the questions are others, and grade asks them; decisions stay."""
    at_hand(monkeypatch)
    monkeypatch.chdir(tmp_path)
    here = Folder(tmp_path)
    class_of(tmp_path, ())
    (tmp_path / "class" / "bare.py").unlink()
    shutil.copy(SAMPLES / "wrong_relu_mask.py", tmp_path / "class")
    here.out.mkdir()
    shutil.copy(Path(__file__).parent / "gradebook_of_version_4.db", here.out / FILE)
    say("adjust", "graded", "wrong_relu_mask", "--check", "gradient_W1", "--points", 3, "--comment", "Seen by hand.")
    decided = rows(here.out, "SELECT name, check_id, value, comment FROM decision")
    said = here.regrade("--seed", 231, status=1)
    assert "the questions changed" in said
    said = here.grade("--seed", 231)
    assert "This class was begun with grader 0.1.0," in said
    assert "1 graded again." in said
    assert rows(here.out, "SELECT made FROM grading ORDER BY id") == [("grade",), ("grade",)]
    assert rows(here.out, "SELECT name, check_id, value, comment FROM decision") == decided
    assert "Seen by hand." in here.page("wrong_relu_mask")
