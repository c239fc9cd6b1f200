"""Whatever becomes of a worker, every submission is graded or said to be not, and the others go on."""

from __future__ import annotations

import multiprocessing
import os
import signal
from concurrent.futures import Executor, Future
from concurrent.futures.process import BrokenProcessPool
from pathlib import Path

import pytest

from grader.classroom import batch, executors
from grader.classroom.batch import grade_tasks
from grader.classroom.executors import ClusterError, Pool, SerialExecutor, Workers, open_pool
from grader.classroom.worker import Graded, GradingSession, Task
from grader.submission import read

BARE = "class TwoLayerNet:\n    pass\n"


@pytest.fixture
def tasks(tmp_path):
    """Return six submissions that take a moment."""
    paths = [tmp_path / f"{letter}.py" for letter in "abcdef"]
    for path in paths:
        path.write_text(f"# {path.stem}\n{BARE}", encoding="utf-8")
    return [Task(path.stem, str(path), read(path)) for path in paths]


def die_of(session: GradingSession, task: Task) -> Graded:
    """Grade as ever; but where a submission's name says so, the worker is killed, once or each time."""
    mark = Path(task.source).with_suffix(".died")
    if (task.name == "b" and not mark.exists()) or task.name == "d":
        mark.touch()
        os.kill(os.getpid(), signal.SIGKILL)
    return real(session, task)


real = batch.run_task


@pytest.mark.slow
def test_a_killed_worker_costs_only_whom_it_was_killed_by(tasks, assignment, monkeypatch):
    """Killed once: graded after all. Killed twice by the same: said in its report. The others are graded in a new pool."""
    monkeypatch.setattr(batch, "run_task", die_of)
    opening: list[Workers] = []
    monkeypatch.setattr(batch, "open_pool", lambda workers: opening.append(workers) or open_pool(workers))
    found = {one.name: one for one in grade_tasks(tasks, GradingSession(assignment, 1), Workers(2))}
    assert sorted(found) == list("abcdef")
    assert found["d"].report.status == "grader_error"
    assert "the grader's process was killed twice while it graded this" in found["d"].report.notes[0]
    assert found["d"].submission_digest == tasks[3].hand_in.digest
    assert {name for name, one in found.items() if one.report.status == "graded"} == set("abcef")
    assert not multiprocessing.active_children()


class Wrecked(Executor):
    """Breaks at its second task, and takes none after that."""

    def __init__(self) -> None:
        self.taken = 0

    def submit(self, function, /, *args, **kwargs):
        """Do the first; the second takes the pool along."""
        self.taken += 1
        if self.taken > 2:
            raise BrokenProcessPool
        future: Future[Graded] = Future()
        if self.taken == 2:
            future.set_exception(BrokenProcessPool())
        else:
            future.set_result(function(*args, **kwargs))
        return future


@pytest.mark.slow
def test_a_pool_that_breaks_while_tasks_are_handed_in_loses_none(tasks, assignment, monkeypatch):
    """A task that a broken pool refused is graded with the others."""
    pools = iter([Wrecked(), SerialExecutor(), SerialExecutor(), SerialExecutor()])

    class Opened:
        def __enter__(self):
            return Pool(next(pools), 3, lambda: None)

        def __exit__(self, *_):
            return None

    monkeypatch.setattr(batch, "open_pool", lambda _: Opened())
    assert sorted(one.name for one in grade_tasks(tasks, GradingSession(assignment, 1), Workers(1))) == list("abcdef")


def test_a_cluster_that_has_gone_ends_the_run_in_words(tasks, assignment, monkeypatch):
    """Where the scheduler is lost, there is nobody to wait for."""

    class Gone(SerialExecutor):
        def submit(self, function, /, *args, **kwargs):
            future: Future[Graded] = Future()
            future.cancel()
            future.set_running_or_notify_cancel()
            return future

    stopped = []

    class Opened:
        def __enter__(self):
            return Pool(Gone(), 1, lambda: stopped.append(True))

        def __exit__(self, *_):
            return None

    monkeypatch.setattr(batch, "open_pool", lambda _: Opened())
    with pytest.raises(ClusterError, match=r"The cluster was lost during grading\."):
        list(grade_tasks(tasks, GradingSession(assignment, 1), Workers(1)))
    assert stopped == [True]


def test_an_error_of_a_task_is_raised_as_it_is(tasks, assignment, monkeypatch):
    """What is no worker's death is not taken for one."""

    def refuse(session, task):
        raise ZeroDivisionError("planted by this test")

    monkeypatch.setattr(batch, "run_task", refuse)
    with pytest.raises(ZeroDivisionError, match="planted"):
        list(grade_tasks(tasks, GradingSession(assignment, 1), Workers(1)))


def test_tasks_are_looked_at_as_workers_become_free(tasks, assignment):
    """A class need not be in memory at once."""
    looked = []

    def lazily():
        for task in tasks:
            looked.append(task.name)
            yield task

    stream = grade_tasks(lazily(), GradingSession(assignment, 1), Workers(1))
    next(stream)
    assert looked == ["a"]
    stream.close()


def test_dask_is_asked_for_only_where_it_is_wanted(monkeypatch):
    """Without the extra, --cluster says how to install it."""
    monkeypatch.setitem(__import__("sys").modules, "distributed", None)
    with pytest.raises(ClusterError, match=r"pip install -e '.\[cluster\]'"), open_pool(Workers(cluster="local:1")):
        pass


def test_workers_of_other_versions_are_refused(monkeypatch):
    """A report must not depend on which worker wrote it."""

    class Client:
        def run(self, function):
            return {"tcp://10.0.0.7:1": '{"numpy": "1.26.0"}'}

    with pytest.raises(
        ClusterError, match=r"the worker tcp://10.0.0.7:1 has .*1.26.0.*Install the same versions there"
    ):
        executors._looked_at(Client(), "tcp://10.0.0.5:8786")
