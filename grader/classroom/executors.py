"""Executors behind one interface: this process, processes on this machine, or a Dask cluster."""

from __future__ import annotations

import logging
import multiprocessing
import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import BrokenExecutor, Executor, Future, ProcessPoolExecutor
from contextlib import contextmanager, suppress
from typing import Any

from grader.classroom.cache_keys import versions
from grader.records import dataclass

LOCAL = "local:"
REMOTE = ("tcp://", "tls://")
CONNECT_SECONDS = 10


class ClusterError(Exception):
    """The cluster cannot be used, or was lost; the text says why and what to do."""


@dataclass(frozen=True)
class Workers:
    """Where to grade: the number of processes, or a cluster's address."""

    jobs: int = 1  # processes on this machine; 1: in this process
    cluster: str = ""  # "local:N" or "tcp://host:port": Dask's, in place of `jobs`

    @property
    def alone(self) -> Workers:
        """Return the same place for one submission, in a process of its own that may die."""
        return self if self.cluster else Workers(jobs=2)


@dataclass(frozen=True)
class Pool:
    """An executor that is open."""

    executor: Executor
    ahead: int  # tasks to hand in beforehand, to keep it busy
    stop: Callable[[], None]  # end what is running, without waiting


class SerialExecutor(Executor):
    """Runs each task in this process as soon as it is submitted."""

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        """Run the task and return its future, which is already done."""
        future: Future[Any] = Future()
        try:
            future.set_result(fn(*args, **kwargs))
        except Exception as error:  # noqa: BLE001 -- a future carries whatever its task raised to whoever asks for it
            future.set_exception(error)
        return future


@contextmanager
def open_pool(workers: Workers) -> Iterator[Pool]:
    """Open an executor, and close it at the end.

    Raises ClusterError where there is no such cluster, or its versions differ from those here.
    """
    if workers.cluster:
        with _dask(workers.cluster) as pool:
            yield pool
    elif workers.jobs == 1:
        # Each result is used before the next task begins.
        yield Pool(SerialExecutor(), 1, lambda: None)
    else:
        with _processes(workers.jobs) as pool:
            yield pool


def worker_died(error: BaseException) -> bool:
    """Return whether a task's error means that its worker died."""
    # By name: Dask is an extra, and is not imported where nobody asked for it.
    return isinstance(error, BrokenExecutor) or type(error).__name__ == "KilledWorker"


def cluster_lost(error: BaseException) -> bool:
    """Return whether a task's error means that the cluster itself is gone."""
    return type(error).__name__ in {
        "CancelledError",
        "FutureCancelledError",
        "CommClosedError",
        "FuturesCancelledError",
    }


# ---------------------------------------------------------------- processes of this machine


@contextmanager
def _processes(jobs: int) -> Iterator[Pool]:
    # A fork knows all that is imported and drawn here, which takes a second otherwise. Of threads it would take the locks
    # along: where there are any, each worker is a fresh Python.
    context = multiprocessing.get_context("fork" if _may_fork() else "spawn")
    with ProcessPoolExecutor(jobs, mp_context=context, initializer=_live_as_a_worker) as executor:

        def stop() -> None:
            executor.shutdown(wait=False, cancel_futures=True)
            for worker in multiprocessing.active_children():
                worker.terminate()

        yield Pool(executor, 2 * jobs, stop)


def _may_fork() -> bool:
    return sys.platform == "linux" and len(os.listdir("/proc/self/task")) == 1  # noqa: PTH208 -- numpy's threads count, too


def _live_as_a_worker() -> None:
    """Make this process end with the command, however that ends: a killed grader must leave nothing running."""
    # Ctrl-C reaches the whole terminal; it is the command's to answer.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    parent = multiprocessing.parent_process()

    def wait_for_the_end() -> None:
        if parent is not None:
            parent.join()
        os._exit(1)  # the zygote, whose control socket this closes, goes as well

    threading.Thread(target=wait_for_the_end, daemon=True).start()


# ---------------------------------------------------------------- Dask


@contextmanager
def _dask(address: str) -> Iterator[Pool]:
    try:
        from distributed import Client  # noqa: PLC0415 -- an extra, and 0.5 s to import
    except ImportError as error:
        raise ClusterError(
            "--cluster needs Dask, which is not installed: pip install -e '.[cluster]' in the clone."
        ) from error
    with _cluster(address) as where:
        try:
            client = Client(where, timeout=CONNECT_SECONDS, set_as_default=False)
        except OSError as error:
            raise ClusterError(
                f"--cluster {address}: no answer within {CONNECT_SECONDS} seconds."
                " Start a scheduler with `dask scheduler` and workers with `dask worker ADDRESS --nthreads 1`."
            ) from error
        try:
            slots = _looked_at(client, address)
            executor = client.get_executor(pure=False)
            # What is with a worker when Ctrl-C is pressed is graded to its end there, and not waited for.
            yield Pool(executor, 2 * slots, lambda: executor.shutdown(wait=False))
        finally:
            with suppress(OSError, TimeoutError):
                client.close(timeout=2)


@contextmanager
def _cluster(address: str) -> Iterator[Any]:
    """Return what a client connects to: the address, or a new cluster on this machine that ends with the command."""
    if address.startswith(REMOTE):
        yield address
        return
    from distributed import LocalCluster  # noqa: PLC0415 -- as above

    count = int(address.removeprefix(LOCAL))
    with LocalCluster(
        n_workers=count,
        threads_per_worker=1,
        processes=True,
        # Whoever reaches a scheduler's port may run code as its owner: this one takes its own certificate only.
        security=True,
        dashboard_address=None,
        memory_limit=0,  # Dask would end a worker for what numpy takes; the student's process has a limit of its own
        silence_logs=logging.CRITICAL,
    ) as cluster:
        yield cluster


def _looked_at(client: Any, address: str) -> int:
    """Return the number of workers, after a check that all of them have the same versions."""
    found = client.run(versions)
    if not found:
        raise ClusterError(f"--cluster {address}: the scheduler has no workers. Start some: `dask worker {address}`.")
    here = versions()
    for worker, there in sorted(found.items()):
        if there != here:
            raise ClusterError(
                f"--cluster {address}: the worker {worker} has {there}, but this machine has {here}."
                " Reports would depend on the worker. Install the same versions there."
            )
    if address.startswith(LOCAL):
        client.run(_leave_ctrl_c)
    return len(found)


def _leave_ctrl_c() -> None:
    import ctypes  # noqa: PLC0415 -- for this alone

    # Not signal.signal, which works in a process's first thread only, and Dask calls from another: SIG_IGN is 1.
    ctypes.CDLL(None).signal(signal.SIGINT, ctypes.c_void_p(1))
