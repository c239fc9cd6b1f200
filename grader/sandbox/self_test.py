"""The self-test: before a class is graded, a test process like a student's tries everything that is forbidden.

A sandbox that only claims to be in force is worse than none, so each thing is tried. A sandbox that kept right programs
from Python's library and numpy would cost them points, so the test process also imports what they need.
"""

import ast
import contextlib
import ctypes
import os
import secrets
import shutil
import socket
import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from grader.model import Call, Limits, QuestionId, Segment, Step, Submission

from . import isolation_tests
from .host import StudentHost
from .isolation_tests import NEEDS, REFUSED, TESTS

SECONDS = 10.0
ON_LINUX = "Grade on Linux 5.13 or newer."
_CONTAINER = (
    'a container isolates it as well: in the folder that holds the clone and the submissions, `docker run --rm -it -v "${PWD}:/class"'
    " -w /class python:3.13 bash`, then in it `pip install -e CLONE` and `grader grade submissions --out graded`."
)
# By sys.platform: how to come to a Linux from there.
ADVICE = {
    "win32": f"{ON_LINUX} On Windows that is WSL 2: run `wsl --install`, open Ubuntu, run `sudo apt install git python3-venv`"
    f" and then the commands under Start in README.md; {_CONTAINER}",
    "darwin": f"{ON_LINUX} On macOS {_CONTAINER}",
}


class NotIsolatedError(RuntimeError):
    """Student code can do what is forbidden, or lacks what it needs; the text says how to mend that."""


@dataclass(frozen=True)
class Trial:
    """One thing that was tried: what student code must not do, or what it must be able to do."""

    id: str
    what: str  # a sentence
    wrong: bool  # it got through, or could not be done
    said: str  # what came of it


@dataclass(frozen=True)
class Findings:
    """The results of all tests."""

    tests: tuple[Trial, ...]  # of what is forbidden
    needs: tuple[Trial, ...]


def run(host: StudentHost, limits: Limits) -> Findings:
    """Try everything forbidden and everything needed in a process of `host`, started under `limits` as a student's is.

    Raises NotIsolatedError where the test process gives no result.
    """
    source = Path(isolation_tests.__file__).read_text(encoding="utf-8")
    kept = tuple(range(len(ast.parse(source).body)))
    submission = Submission("canary", "", "", "isolation_tests.py", (Segment("isolation_tests.py", source, kept),))
    with _targets(limits.memory_mb) as targets:
        # What is needed comes first: a test may leave the process with less than a student's has.
        steps = (Step("fetch", {}), Step("attempt", {"targets": targets}))
        asked = Call(QuestionId("canary"), (1, 1, 1), {}, steps, 0, SECONDS)
        replied = host.run(submission, "Canary", (asked,))
        reply = replied.replies[QuestionId("canary")]
    match reply.results:
        case (list(unmet), list(said)) if (len(unmet), len(said)) == (len(NEEDS), len(TESTS)):
            return Findings(
                tuple(
                    _trial(test, text, not str(text).startswith(REFUSED))
                    for test, (_, text) in zip(TESTS, said, strict=True)
                ),
                tuple(_trial(need, why, str(why) != "") for need, (_, why) in zip(NEEDS, unmet, strict=True)),
            )
    error = replied.load.error or reply.error
    why = f"{error.type}: {error.message}" if error else f"its answer was {reply.results!r}"
    raise NotIsolatedError(f"The test process, which tries what student code must not do, gave no result: {why}")


def _trial(tried: Callable[..., Any], said: object, wrong: bool) -> Trial:  # noqa: FBT001 -- of two callers here
    return Trial(tried.__name__, str(tried.__doc__).rstrip("."), wrong, str(said))


def assess(host: StudentHost, limits: Limits) -> tuple[str, str]:
    """Return why strangers' code is refused here, and the note for reports if it runs all the same; both "" if it is safe."""
    try:
        found = run(host, limits)
    except NotIsolatedError as error:
        return str(error), "Graded with --unsafe: it is not known whether student code was isolated."
    return refusal_reason(found), _warning(found)


def refusal_reason(found: Findings) -> str:
    """Return why strangers' code is refused here; "" where all tests were refused and all needs are met."""
    through, unmet = _got_through(found), _unmet(found)
    said = []
    if through:
        said.append(
            f"Student code is not isolated on this system: a test process could {through}. `grader doctor` shows which layers"
            f" are missing and why. {ADVICE.get(sys.platform, ON_LINUX)} Use --unsafe only if you trust all of this code."
        )
    if unmet:
        said.append(
            f"Right programs would lose points on this system: a test process could not {unmet}. Install Python and numpy in"
            " folders that every user may enter and read, or run the grader as an ordinary user."
        )
    return " ".join(said)


def _warning(found: Findings) -> str:
    through, unmet = _got_through(found), _unmet(found)
    said = []
    if through:
        said.append(f"student code was not isolated, and could {through}")
    if unmet:
        said.append(f"student code could not {unmet}, so points may be missing")
    return f"Graded with --unsafe: {'; '.join(said)}." if said else ""


def _got_through(found: Findings) -> str:
    """Return the forbidden things that succeeded, as part of a sentence."""
    return "; ".join(lower_first(test.what) for test in found.tests if test.wrong)


def _unmet(found: Findings) -> str:
    """Return what student code needs and cannot do, as part of a sentence."""
    return "; ".join(f"{lower_first(need.what)} ({need.said})" for need in found.needs if need.wrong)


def lower_first(sentence: str) -> str:
    """Return a sentence with a small first letter, as part of another one."""
    return sentence[0].lower() + sentence[1:]


@contextlib.contextmanager
def _targets(memory_mb: int) -> Iterator[dict[str, Any]]:
    """Make the targets of the tests: files that everybody may use, listening sockets, a secret in our memory."""
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
                "memory_mb": memory_mb,
                "grader": os.getpid(),
                "source": str(Path(__file__).resolve()),
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
