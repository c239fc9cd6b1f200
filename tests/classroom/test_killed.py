"""Nothing is lost however a grading ends: a killed one goes on, and its gradebook equals that of an undisturbed one."""

from __future__ import annotations

import os
import random
import signal
import sqlite3
import subprocess
import time
from pathlib import Path

import pytest

from classroom.conftest import command, contents, quiet, run
from grader.classroom.gradebook import FILE

SQL_STEPS = 14  # statements in which one grading is kept, and some more


def looked_at(out: Path) -> int:
    """Look into a gradebook as any tool of SQLite's would, find it sound, and give the number of its gradings."""
    if not (out / FILE).exists():
        return 0
    database = sqlite3.connect(out / FILE)
    try:
        assert database.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        assert database.execute("PRAGMA foreign_key_check").fetchall() == []
        if database.execute("PRAGMA user_version").fetchone() == (0,):
            return 0
        rows = database.execute("SELECT name, report, record, replies FROM grading").fetchall()
    finally:
        database.close()
    for name, report, record, replies in rows:
        assert report.startswith("{"), name
        assert report.endswith("}\n"), name
        assert record, name
        assert replies, name
        assert (out / "submissions" / name / "report.html").exists(), name
    return len(rows)


def killed(words: list[object], seconds: float) -> bool:
    """Start the grader and kill it after some seconds; tell whether it was still at work."""
    process = subprocess.Popen(command(*words), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=quiet())
    try:
        process.wait(seconds)
    except subprocess.TimeoutExpired:
        process.send_signal(signal.SIGKILL)
        process.wait()
        return True
    return False


@pytest.mark.slow
@pytest.mark.parametrize(
    ("jobs", "kills"),
    [(1, 1), *(pytest.param(*one, marks=pytest.mark.slow) for one in ((2, 4), (1, 40), (2, 40)))],
)
def test_a_run_killed_at_random_moments_ends_as_an_undisturbed_one(tmp_path, handed_in, rubric, jobs, kills):
    """SIGKILL again and again, each time somewhere in the run; then it goes on, and nothing differs."""
    words = ["grade", "--seed", "231", handed_in, "--assignment", rubric, "--jobs", jobs, "--out"]
    started = time.monotonic()
    run(*words, tmp_path / "calm")
    whole = time.monotonic() - started
    dice = random.Random(kills + jobs)  # noqa: S311 -- moments, no secrets
    out, before = tmp_path / "killed", 0
    for _ in range(kills):
        was_at_work = killed([*words, out], dice.uniform(0.3, 1.0) * whole)
        kept = looked_at(out)
        assert kept >= before, "a grading that had been kept is gone"
        before = kept
        if not was_at_work:
            break
    said = run(*words, out)
    if before:
        assert f"{before} unchanged" in said
    assert contents(out) == contents(tmp_path / "calm")


# One process that forks another for each step: only what is forked dies, and what it needs is imported once.
KEEP_AND_DIE = """
import os, signal, sys, traceback
from pathlib import Path
from grader.classroom import gradebook
from classroom.test_killed import line

def keep(folder, step):
    seen = 0
    def die(statement):
        nonlocal seen
        seen += 1
        if seen == step:
            os.kill(os.getpid(), signal.SIGKILL)
    with gradebook.Gradebook(folder) as book:
        book._storage._database.set_trace_callback(die)
        book.insert([line("one")], "title = 'x'")
        book.insert([line("two")], "title = 'x'")

for step in range(1, int(sys.argv[2])):
    folder = Path(sys.argv[1]) / str(step)
    folder.mkdir()
    gradebook.Gradebook(folder, create=True).close()
    pid = os.fork()
    if not pid:
        try:
            keep(folder, step)
        except BaseException:
            traceback.print_exc()
            os._exit(1)
        os._exit(0)
    ended = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    print(ended, flush=True)
    if not ended:
        break
"""


def line(name: str):
    """Return something to keep."""
    from grader.classroom.cache_keys import CacheKey
    from grader.classroom.gradebook import NewGrading
    from grader.model import Environment, Report
    from grader.packing import pack

    report = Report(name, name, 1.0, 2.0, "graded", (), (), (), Environment({}, ()), {})
    key = CacheKey(name, "a", "s", "q", "{}", True)
    return NewGrading(name, name, "grade", key, report, "{}\n", pack(report), b"replies", b"findings", "by", {})


def test_a_grading_is_there_whole_or_not_at_all(tmp_path):
    """Killed at each statement in turn while it keeps two gradings, it has kept none, one or two, and never a part."""
    import sys

    from grader.classroom.gradebook import Gradebook

    done = subprocess.run(
        [sys.executable, "-c", KEEP_AND_DIE, str(tmp_path), str(2 * SQL_STEPS)],
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[1])},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    ended, counts = [int(status) for status in done.stdout.split()], []
    assert set(ended) <= {0, -signal.SIGKILL}, done.stderr
    for step in range(1, len(ended) + 1):
        with Gradebook(tmp_path / str(step)) as book:
            kept = book.last()
            counts.append(len(kept))
            for name, one in kept.items():
                assert book.report(name).submission == name
                assert book.replies(one.replies) == b"replies"
            (replies,) = book._storage.rows("SELECT count(*) FROM replies")
            assert replies == (len(kept),)
    assert counts == sorted(counts)
    assert set(counts) == {0, 1, 2}
