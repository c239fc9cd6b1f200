"""`grader check --watch`: a verdict after each save, whatever way an editor saves, and what changed since the last one."""

import json
import os
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner

from grader.cli import check as command
from grader.cli import main
from grader.integrations import watch as watching
from grader.integrations.watch import watch_saves
from grader.model import Diagnosis, Environment, Report, Verdict
from grader.reports.self_check import describe_changes

ROOT = Path(__file__).resolve().parent.parent
RIGHT = (ROOT / "tests" / "submissions" / "right_einsum.py").read_text(encoding="utf-8")
WHOLE = json.dumps({"cells": [], "nbformat": 4})


def rename(path, text):
    """Save as vim, VS Code and Jupyter may: another file gets the name."""
    other = path.with_name(f".{path.name}.new")
    other.write_text(text, encoding="utf-8")
    other.replace(path)


@pytest.fixture
def saved(tmp_path, monkeypatch):
    """Return a function that lets things happen one after the other, and returns how many saves are seen."""
    path, clock = tmp_path / "mine.ipynb", [0.0]
    path.write_text(WHOLE, encoding="utf-8")
    monkeypatch.setattr(watching.time, "monotonic", lambda: clock[0])

    def run(*events):
        def happen(folder, *, watch_filter, **_options):
            assert folder == tmp_path
            assert watch_filter(None, str(path))
            assert not watch_filter(None, str(tmp_path / "other.ipynb"))
            for event in events:
                event(path)
                clock[0] += 0.1
                yield set()

        monkeypatch.setattr(watching, "watch", happen)
        return len(list(watch_saves(path))) - 1

    run.clock = clock
    return run


def test_each_save_is_seen_once(saved):
    """Written in place, given the name of another, or gone for a moment; where nothing changed there is nothing to check."""
    assert saved(lambda path: None) == 0
    assert saved(lambda path: path.write_text(WHOLE + "\n"), lambda path: None) == 1
    assert saved(lambda path: rename(path, WHOLE), lambda path: None, lambda path: rename(path, WHOLE + " ")) == 2
    assert saved(Path.unlink, lambda path: path.write_text(WHOLE + "   ")) == 1


def test_a_half_saved_notebook_is_waited_for(saved):
    """Empty first, then a part, then all of it: one save. One that stays broken is checked after a while, once."""
    parts = [lambda path, end=end: path.write_text((WHOLE + "\n")[:end]) for end in (0, 9, None)]
    assert saved(*parts) == 1

    def wait(_path):
        saved.clock[0] += watching.PATIENCE

    assert saved(lambda path: path.write_text(WHOLE[:12])) == 0
    assert saved(lambda path: path.write_text(WHOLE[:15]), wait, wait) == 1


def check(*words):
    """Run the command; give its exit status and all that it says."""
    done = CliRunner().invoke(main, ["check", *map(str, words)], catch_exceptions=False)
    return done.exit_code, done.output


def test_each_save_gets_a_verdict_and_what_changed(tmp_path, monkeypatch):
    """A wrong turn, a file without the class, and right again; Ctrl-C ends it with the last check's status."""
    mine = tmp_path / "mine.py"
    saves = [RIGHT, RIGHT.replace("argmax(axis=1)", "argmax(axis=0)"), "nothing = 1\n", RIGHT]
    assert saves[1] != RIGHT
    mine.write_text(RIGHT, encoding="utf-8")

    def save(_path):
        for text in saves:
            mine.write_text(text, encoding="utf-8")
            yield
        raise KeyboardInterrupt

    monkeypatch.setattr(watching, "watch_saves", save)
    status, said = check(mine, "--watch", "--part", "predict")
    assert status == 0
    assert said.count("Public checks: ") == 3
    assert said.count("waiting for the next save. Press Ctrl-C to stop.") == 3
    assert "Since the last save: from 6 to 0 of 6 points." in said
    assert "Since the last save: from 0 to 6 of 6 points." in said
    assert said.count("Worse: ") == said.count("Better: ") >= 1
    assert said.count("Error: ") == 1
    assert said.endswith("Stopped.\n")


def test_watchfiles_that_is_missing_is_named(monkeypatch):
    """In one line, with the command."""
    monkeypatch.setattr(command, "find_spec", lambda name: None if name == "watchfiles" else name)
    status, said = check(ROOT / "assignment" / "two_layer_net.ipynb", "--watch")
    assert (status, said) == (2, "Error: --watch needs watchfiles, which is missing: run `pip install watchfiles`.\n")


def test_what_got_better_and_what_got_worse_is_told():
    """Each check by its title, the mistakes by theirs, and the points; a check that was not asked before is no news."""
    one, two, three = (
        Verdict(name, f"{name.title()} is right.", "loss", "failed", 0.0, 4.0, False, "")
        for name in ("one", "two", "three")
    )
    named = Diagnosis("x", "Upside down", "Why?", "", ("one",))
    before = Report(
        "a",
        "a",
        4.0,
        8.0,
        "graded",
        (one, replace(two, status="passed", points=4.0)),
        (named,),
        (),
        Environment({}, ()),
        {},
    )
    after = replace(
        before, checks=(replace(one, status="carried", points=4.0), replace(two, status="skipped"), three), diagnoses=()
    )
    assert describe_changes(before, after) == [
        "Since the last save: from 4 to 4 of 8 points.",
        "Better: One is right (failed before, now carried)",
        "Better: no longer found: Upside down",
        "Worse: Two is right (passed before, now not judged)",
    ]
    assert describe_changes(before, before) == ["Since the last save, no verdict changed."]


@pytest.mark.slow
def test_a_real_editor_and_a_real_interrupt(tmp_path):
    """The command itself, with the system's own notices of saves, and no traceback at the end."""
    mine = tmp_path / "mine.py"
    mine.write_text(RIGHT, encoding="utf-8")
    words = [sys.executable, "-m", "grader", "check", str(mine), "--watch", "--part", "predict"]
    with subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=ROOT) as running:

        def wait():
            lines = []
            for line in running.stdout:
                lines.append(line)
                if "waiting for the next save" in line:
                    return "".join(lines)
            return "".join(lines)

        assert "1 of 1 pass" in wait()
        rename(mine, RIGHT.replace("argmax(axis=1)", "argmax(axis=0)"))
        assert "0 of 1 pass" in wait()
        mine.write_text(RIGHT, encoding="utf-8")
        assert "Since the last save: from 0 to 6 of 6 points." in wait()
        os.kill(running.pid, signal.SIGINT)
        assert running.wait(10) == 0
        assert running.stderr.read() == "Stopped.\n"
