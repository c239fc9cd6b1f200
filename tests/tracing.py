"""Where nothing is learnt from which lines are taken, the tracer stops: it doubles the time of all that runs below it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import coverage


@contextmanager
def untraced() -> Iterator[None]:
    """Trace no lines in here.

    pytest-cov's own mark fails under --no-cov, and does nothing under xdist: there one tracer waits below another.
    """
    stopped = []
    while tracing := coverage.Coverage.current():
        tracing.stop()
        stopped.append(tracing)
    try:
        yield
    finally:
        for tracing in reversed(stopped):
            tracing.start()
