"""What is kept between runs is the same as what is worked out anew, is nobody else's, and costs no grade when it is damaged."""

from __future__ import annotations

import json
import os
import stat
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from classroom.conftest import SAMPLES
from classroom.once import say
from grader import disk_cache
from grader.classroom import cache_keys, reference_api
from grader.classroom.reference_api import build_questions
from grader.disk_cache import cache_folder, keep
from grader.rubric import bundled, load
from grader.score import KNOWN
from reference import oracle
from reference.cases import network_of
from reference.settings import tuned_settings
from test_packing import same

WRONG = "wrong_half_the_gradient.py"


@pytest.fixture
def folder(monkeypatch, tmp_path):
    """Return the folder of an empty cache."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    found = cache_folder()
    assert found is not None
    return found


def fail():
    """Fail, where nothing should have been worked out."""
    raise AssertionError("worked out again")


def test_what_was_kept_is_not_worked_out_again(folder):
    """Arrays and tuples come back as they were, for the same question alone."""
    made = ("a", [(("loss", 3), np.arange(4.0))])
    assert keep(("question", 1), lambda: made) is made
    again = keep(("question", 1), fail)
    assert again[0] == "a"
    assert again[1][0][0] == ("loss", 3)
    np.testing.assert_array_equal(again[1][0][1], np.arange(4.0))
    assert keep(("question", 2), lambda: "other") == "other"
    assert len(list(folder.iterdir())) == 2


@pytest.mark.parametrize("damage", [b"", b"x", b"half"])
def test_a_damaged_file_is_made_anew(folder, damage):
    """A file that was cut or written over costs time alone."""
    keep("question", lambda: [1, 2])
    (file,) = folder.iterdir()
    file.write_bytes(file.read_bytes()[:20] if damage == b"half" else damage)
    assert keep("question", lambda: [3]) == [3]
    assert keep("question", fail) == [3]


def test_only_its_owner_may_read_and_write_it(folder):
    """It holds what follows from a secret seed."""
    keep("question", lambda: 1)
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert [stat.S_IMODE(one.stat().st_mode) for one in folder.iterdir()] == [0o600]


def test_a_folder_that_others_may_write_to_is_not_used(folder):
    """Whoever writes there could say what mistakes look like."""
    folder.chmod(0o777)
    assert cache_folder() is None
    assert keep("question", lambda: 1) == 1
    assert list(folder.iterdir()) == []


def test_a_disk_that_is_full_costs_no_grade(folder, monkeypatch):
    """The result is used, and nothing half-written stays."""

    def refuse(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fdopen", refuse)
    assert keep("question", lambda: 1) == 1
    assert list(folder.iterdir()) == []


def test_what_was_used_longest_ago_goes_first(folder, monkeypatch):
    """The folder does not grow without end; it is looked at when something large comes."""
    keep("old", lambda: 1)
    (old,) = folder.iterdir()
    os.utime(old, (1, 1))
    monkeypatch.setattr(disk_cache, "MOST_BYTES", 10 + old.stat().st_size)
    keep("small", lambda: 2)
    assert old in folder.iterdir()
    monkeypatch.setattr(disk_cache, "SMALL", 0)
    keep("new", lambda: 3)
    assert old not in folder.iterdir()
    assert keep("new", fail) == 3


def test_what_the_reference_reached_is_kept(folder, monkeypatch):
    """A training is asked for again whenever saved replies are judged; other numbers, or another start, are another training."""
    monkeypatch.setattr(reference_api, "_drawn", None)
    assignment = load(bundled(), KNOWN)
    settings = {**tuned_settings(assignment.variant), "num_iters": 3.0}
    start = network_of(assignment).initialise((64, 32, 10), 0.1, np.random.RandomState(5))
    made = build_questions(assignment, 7).oracle.trained_accuracy(settings, start, 0.5)
    assert list(folder.iterdir())
    monkeypatch.setattr(reference_api, "_drawn", None)
    monkeypatch.setattr(oracle, "train_silently", lambda *_: fail())
    again = build_questions(assignment, 7).oracle.trained_accuracy
    assert again(settings, start, 0.5) == made
    for other in (
        ({**settings, "reg": 0.5}, start, 0.5),
        (settings, {**start, "b1": start["b1"] + 1}, 0.5),
        (settings, start, 1.0),
    ):
        with pytest.raises(AssertionError, match="worked out again"):
            again(*other)


def test_what_a_stop_leaves_behind_goes_as_well(folder, monkeypatch):
    """A process that is ended while it writes leaves a part of a file, under a name that nobody asks for."""
    with monkeypatch.context() as stopped:
        stopped.setattr(Path, "replace", lambda *_: 1 / 0)
        stopped.setattr(Path, "unlink", lambda *_args, **_more: None)
        with pytest.raises(ZeroDivisionError):
            keep("stopped", lambda: 1)
    (left,) = folder.iterdir()
    monkeypatch.setattr(disk_cache, "MOST_BYTES", 0)
    disk_cache._prune(folder)
    assert not left.exists()


@pytest.mark.slow
def test_a_report_is_the_same_with_and_without(folder, tmp_path, monkeypatch):
    """Whoever grades a second time gets the same report, from tables that an earlier run laid out."""
    monkeypatch.setattr(reference_api, "_drawn", None)

    def report(name, *words):
        say("grade", SAMPLES / WRONG, "--out", tmp_path / name, "--seed", 7, *words)
        monkeypatch.setattr(reference_api, "_drawn", None)  # the next run begins without what this one knows
        file = tmp_path / name / "submissions" / "wrong_half_the_gradient" / "report.json"
        return {**json.loads(file.read_text(encoding="utf-8")), "timing": None}

    made = report("made")
    assert made["diagnoses"]
    kept = set(folder.iterdir())
    assert kept
    assert report("read") == made
    assert set(folder.iterdir()) == kept
    monkeypatch.setenv(disk_cache.SWITCH, "")
    assert report("anew", "--no-cache") == made


def test_questions_that_were_kept_are_those_that_are_drawn(folder, monkeypatch):
    """Calls and right answers come back with the same types and bits, for the same seed and the same data alone."""
    assignment = load(bundled(), KNOWN)
    found = []
    for _ in range(2):
        monkeypatch.setattr(reference_api, "_drawn", None)
        found.append(reference_api.build_questions(assignment, 5))
        assert len(list(folder.iterdir())) >= 1
    assert all(map(same, found[0].calls, found[1].calls))
    assert same(dict(found[0].expected), dict(found[1].expected))
    assert not found[1].calls[0].steps[0].arguments["X"].flags.writeable  # these were read
    seven, other = (cache_keys.questions_key(assignment, seed) for seed in (7, 8))
    assert seven != other
    assert "7" not in {str(part) for part in seven}
    moved = replace(assignment, folder=folder)
    assert cache_keys.questions_key(moved, 7) != seven


def test_another_seed_is_another_file():
    """What a file's name comes from changes with everything that the tables depend on."""
    assignment = load(bundled(), KNOWN)
    seven, eight, again = (reference_api.build_questions(assignment, seed).catalogue.identity() for seed in (7, 8, 7))
    assert seven != eight
    assert seven == again
