"""Tasks given to an executor's workers. Whatever happens to one submission, the others are graded."""

from collections import deque
from collections.abc import Generator, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, BrokenExecutor, CancelledError, Future, wait

from grader.classroom.executors import ClusterError, Pool, Workers, cluster_lost, open_pool, worker_died
from grader.classroom.worker import Graded, GradingSession, Task, report_failure, run_task, shutdown
from grader.reports.page import read_templates


def grade_tasks(tasks: Iterable[Task], session: GradingSession, workers: Workers) -> Generator[Graded, None, None]:
    """Yield each graded task as it ends, in any order.

    tasks : read as workers become free, so that the class need not be in memory at once.
    Raises ClusterError, NotIsolatedError, ReferenceMissingError, and whatever iterating over the tasks raises.
    """
    rest = iter(tasks)
    suspects: deque[Task] = deque()
    broken = True
    read_templates()  # which workers that are forked have from here on
    try:
        while broken:
            # A process pool of which one worker died is of no more use; what it had in hand is looked at alone, below.
            with open_pool(workers) as pool:
                broken = yield from _through(pool, rest, suspects, session)
        for task in suspects:
            yield _alone(task, session, workers.alone)
    finally:
        shutdown()  # the worker of this very process, where there is one job only


def _through(
    pool: Pool, rest: Iterator[Task], suspects: deque[Task], session: GradingSession
) -> Generator[Graded, None, bool]:
    """Grade until there are no more tasks or the pool breaks; return whether it broke."""
    waiting: dict[Future[Graded], Task] = {}
    broken = False
    try:
        while True:
            while not broken and len(waiting) < pool.ahead and (task := next(rest, None)) is not None:
                try:
                    waiting[pool.executor.submit(run_task, session, task)] = task
                except BrokenExecutor:
                    suspects.append(task)
                    broken = True
            if not waiting:
                return broken
            for future in wait(waiting, return_when=FIRST_COMPLETED).done:
                task, death = waiting.pop(future), _death(future)
                if death is None:
                    yield future.result()
                else:
                    suspects.append(task)
                    broken = broken or isinstance(death, BrokenExecutor)
    except BaseException:
        # Ctrl-C, or no room on the disk: nobody waits for what is still being graded.
        pool.stop()
        raise


def _death(future: Future[Graded]) -> BaseException | None:
    """Return how the worker died, or None if it did not; raise any other error."""
    error = CancelledError() if future.cancelled() else future.exception()
    if error is None or worker_died(error):
        return error
    if cluster_lost(error):
        raise ClusterError("The cluster was lost during grading.") from error
    raise error


def _alone(task: Task, session: GradingSession, workers: Workers) -> Graded:
    """Grade one submission in a new worker of its own, after a worker died (out of memory, or killed)."""
    with open_pool(workers) as pool:
        try:
            return pool.executor.submit(run_task, session, task).result()
        except Exception as error:
            if not worker_died(error):
                raise
    return report_failure(task, session.assignment, "the grader's process was killed twice while it graded this")
