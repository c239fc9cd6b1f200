"""Where submissions are graded: one `concurrent.futures.Executor` each, so that the batch need not know."""

from __future__ import annotations

import multiprocessing
from collections.abc import Callable
from concurrent.futures import Executor, Future, ProcessPoolExecutor
from typing import Any


class SerialExecutor(Executor):
    """Runs each task in this process, when it is submitted."""

    def __init__(self, initializer: Callable[..., None], initargs: tuple[Any, ...]) -> None:
        initializer(*initargs)

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        """Run the task and give its future, which has ended already."""
        future: Future[Any] = Future()
        try:
            future.set_result(fn(*args, **kwargs))
        except Exception as error:  # noqa: BLE001 -- a future carries whatever its task raised to whoever asks for it
            future.set_exception(error)
        return future


def executor(jobs: int, initializer: Callable[..., None], initargs: tuple[Any, ...]) -> Executor:
    """Give an executor for `jobs` submissions at a time; each worker is initialised once."""
    if jobs == 1:
        return SerialExecutor(initializer, initargs)
    # spawn: a fork would take the parent's threads' locks and memory along.
    context = multiprocessing.get_context("spawn")
    return ProcessPoolExecutor(jobs, mp_context=context, initializer=initializer, initargs=initargs)
