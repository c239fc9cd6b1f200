"""Before a class is graded, a canary goes first: a process like a student's that tries what none may do.

A lock-down that is in force by name alone would be worse than none. What gets through is found by trying it.
"""

from __future__ import annotations

import ast
import contextlib
import ctypes
import os
import secrets
import shutil
import socket
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from grader.records import Call, Limits, Segment, Step, Submission

from . import trials
from .host import StudentHost

SECONDS = 10.0


class NotIsolatedError(RuntimeError):
    """Student code is not kept from what it must not do; its text says from what, and what can be done."""


@dataclass(frozen=True)
class Trial:
    """One forbidden thing, and what came of trying it."""

    id: str
    tries: str  # a sentence
    got_through: bool
    said: str


def send(host: StudentHost, limits: Limits) -> tuple[Trial, ...]:
    """Try every forbidden thing in a process of `host`, started under `limits` as a student's is.

    Raises NotIsolatedError where the canary does not come back, since nothing is known then.
    """
    source = Path(trials.__file__).read_text(encoding="utf-8")
    kept = tuple(range(len(ast.parse(source).body)))
    submission = Submission("canary", "", "", "trials.py", (Segment("trials.py", source, kept),))
    with _targets() as targets:
        asked = Call("canary", (1, 1, 1), {}, (Step("attempt", {"targets": targets | _more(limits)}),), 0, SECONDS)
        run = host.run(submission, "Canary", (asked,))
        reply = run.replies["canary"]
    match reply.results:
        case (list(said),) if len(said) == len(trials.TRIALS):
            return tuple(_trial(*pair) for pair in zip(trials.TRIALS, said, strict=True))
    error = run.load.error or reply.error
    why = f"{error.type}: {error.message}" if error else f"its answer was {reply.results!r}"
    raise NotIsolatedError(f"The canary, which tries what student code must not do, did not come back: {why}")


def _trial(function: Any, said: Sequence[str]) -> Trial:
    text = str(said[1])
    return Trial(function.__name__, str(function.__doc__).rstrip("."), not text.startswith(trials.REFUSED), text)


def verdict(host: StudentHost, limits: Limits) -> tuple[str, str]:
    """Say why no strangers' code is run here, and what a report says where it is run all the same; "" where it may be."""
    try:
        tried = send(host, limits)
    except NotIsolatedError as error:
        return str(error), "Graded with --unsafe: it is not known what student code was kept from."
    return refusal(tried), _warning(tried)


def refusal(results: Sequence[Trial]) -> str:
    """Say why no strangers' code is run here; "" where all trials were refused."""
    found = _got_through(results)
    if not found:
        return ""
    return (
        f"Student code is not isolated on this system: the canary could {found}. `grader doctor` tells which layers are"
        " missing and why. Grade on Linux 5.13 or newer, or, where all of this code is trusted, with --unsafe."
    )


def _warning(results: Sequence[Trial]) -> str:
    found = _got_through(results)
    return f"Graded with --unsafe: student code was not isolated, and could {found}." if found else ""


def _got_through(results: Sequence[Trial]) -> str:
    """Name what got through, for a sentence; "" where nothing did."""
    return "; ".join(trial.tries[0].lower() + trial.tries[1:] for trial in results if trial.got_through)


def _more(limits: Limits) -> dict[str, Any]:
    return {"memory_mb": limits.memory_mb, "grader": os.getpid(), "source": str(Path(__file__).resolve())}


@contextlib.contextmanager
def _targets() -> Iterator[dict[str, Any]]:
    """Put up what the canary is after: files that everybody may use, listening sockets, a secret in our memory."""
    folder = Path(tempfile.mkdtemp(prefix="canary-"))
    secret = ctypes.create_string_buffer(secrets.token_bytes(8))
    try:
        folder.chmod(0o777)
        file = folder / "secret.txt"
        file.write_text(secrets.token_hex(8), encoding="ascii")
        file.chmod(0o666)
        with contextlib.ExitStack() as stack:
            tcp = stack.enter_context(socket.create_server(("127.0.0.1", 0)))
            udp = stack.enter_context(socket.socket(socket.AF_INET, socket.SOCK_DGRAM))
            udp.bind(("127.0.0.1", 0))
            yield {
                "folder": str(folder),
                "file": str(file),
                "tcp": tcp.getsockname()[1],
                "udp": udp.getsockname()[1],
                "unix": _listen(stack, folder),
                "address": ctypes.addressof(secret),
            }
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _listen(stack: contextlib.ExitStack, folder: Path) -> str:
    path = folder / "listener"
    if not hasattr(socket, "AF_UNIX"):
        return str(path)
    listener = stack.enter_context(socket.socket(socket.AF_UNIX))
    listener.bind(str(path))
    path.chmod(0o777)
    listener.listen()
    return str(path)
