"""`%check` and `grader.check(TwoLayerNet)`: what was defined in a kernel, held against the public questions."""

from __future__ import annotations

import atexit
import inspect
import shlex
import sys
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import replace
from functools import cache, lru_cache
from importlib import import_module
from pathlib import Path
from threading import Thread
from typing import TYPE_CHECKING, Any

from grader.check_program import (
    PARTS,
    NothingToCheckError,
    check_program,
    judge_program,
    refuse_old_numpy,
    select_calls,
)
from grader.frozen import FILE, Frozen, FrozenError, load_frozen
from grader.integrations.exercises import EXERCISES, judge_exercise
from grader.integrations.kernel_source import KernelSource, last_cell_with, read_kernel
from grader.integrations.shown_check import ShownCheck
from grader.model import Problem, Report, Submission
from grader.rubric import bundled
from grader.submission import HandIn, read
from grader.text.nearest import lookup
from grader.text.phrases import describe_failure

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell

    from grader.sandbox.host import StudentHost

# What a first check needs, imported while the student reads on.
_MEANWHILE = ("grader.sandbox.host", "grader.grading", "grader.reports.page")
KERNEL = "defined in this kernel"
USAGE = "%check, or %check PART, with --questions FILE for questions that your instructor gave you"


class RefusedError(Exception):
    """There is nothing to check as it was asked; the text says why and how to mend it, in one line."""


def add_magic(shell: InteractiveShell) -> None:
    """Add `%check` to a kernel, and start in peace what its first check would wait for."""

    def check(line: str) -> None:
        """Check what was defined in this kernel: `%check` for all of it, `%check loss` for one part."""
        from IPython.display import display  # noqa: PLC0415 -- here it is there; a student's install has none

        display(_check_line(shell, line))  # type: ignore[no-untyped-call]

    # IPython's own way; what it notes of the type of its first argument is that of a decorated method.
    with suppress(RuntimeError):  # a browser's Python has no threads, and waits at its first check
        Thread(target=lambda: [import_module(name) for name in _MEANWHILE], daemon=True).start()
    shell.magics_manager.register_function(check, "line", "check")


def check_class(made: Any = None, part: str = "", questions: Path | str | None = None) -> ShownCheck:
    """Return how a class does in the public checks; see `grader.check`."""
    return _check(_running_shell(), made, part, questions)


def _check_line(shell: InteractiveShell, line: str) -> ShownCheck:
    try:
        words = shlex.split(line)
    except ValueError:
        return ShownCheck(problem=f"This cannot be read: %check {line}. Write {USAGE}.")
    questions = None
    if "--questions" in words[:-1]:
        at = words.index("--questions")
        questions = words[at + 1]
        del words[at : at + 2]
    if len(words) > 1 or any(word.startswith("-") for word in words):
        return ShownCheck(problem=f"This cannot be read: %check {line}. Write {USAGE}.")
    return _check(shell, None, "".join(words), questions)


def _running_shell() -> InteractiveShell | None:
    """Return IPython where this process runs in it: it is there already then."""
    module = sys.modules.get("IPython")
    found: InteractiveShell | None = module.get_ipython() if module else None
    return found


def _check(shell: InteractiveShell | None, made: Any, part: str, questions: Path | str | None) -> ShownCheck:
    """Return the verdict, or in one line why there is none."""
    try:
        refuse_old_numpy()
        if part in EXERCISES and shell is not None:
            return ShownCheck(problem=judge_exercise(part, shell.user_ns))
        if part:
            _refuse_unknown(part)
        frozen = _load(Path(questions) if questions else bundled())
        made = _find_class(shell, made, frozen.assignment.class_name)
        return ShownCheck(_report(shell, made, part, frozen))
    except (RefusedError, NothingToCheckError, FrozenError) as error:
        return ShownCheck(problem=str(error))
    except Exception as error:  # noqa: BLE001 -- a student can do nothing about a traceback of ours
        problem = describe_failure(error)
        return ShownCheck(problem=problem[0].upper() + problem[1:])


def _refuse_unknown(part: str) -> None:
    try:
        lookup(dict.fromkeys((*PARTS, *EXERCISES)), part, "part")
    except ValueError as error:
        raise RefusedError(f"{error}.") from error


def _load(path: Path) -> Frozen:
    try:
        file = path / FILE if path.is_dir() else path
        changed = file.stat().st_mtime_ns if file.is_file() else 0
    except OSError:
        return load_frozen(path)  # which says why it cannot
    return _load_once(file, changed)


@lru_cache(maxsize=2)
def _load_once(file: Path, _changed: int) -> Frozen:
    """Return frozen questions, which are read once and checked against many times."""
    frozen = load_frozen(file)
    return replace(frozen, read_mistakes=cache(frozen.read_mistakes))


def _find_class(shell: InteractiveShell | None, made: Any, name: str) -> type:
    """Return the class to be checked; raise RefusedError where there is none."""
    if made is None and shell is None:
        raise RefusedError(f"Say which class is to be checked: grader.check({name}).")
    if made is None and shell is not None:
        made = shell.user_ns.get(name)
        if made is None:
            begun = last_cell_with(shell, name)
            raise RefusedError(
                f"Cell [{begun}] begins the class {name}, but ended in an error: mend what it says, and run it again."
                if begun
                else f"There is no class {name} here yet: run the cell that defines it, and check again."
            )
    if not isinstance(made, type):
        raise RefusedError(
            f"What is to be checked is the class itself, as in grader.check({name}); this is of the type {type(made).__name__}."
        )
    if made.__name__ != name:
        raise RefusedError(f"The class is called {made.__name__}, and the assignment asks for {name}: rename it.")
    return made


def _report(shell: InteractiveShell | None, made: type, part: str, frozen: Frozen) -> Report:
    """Return the report on a class: its text is run in a process of its own, or it is asked here where that cannot be."""
    assignment = frozen.assignment
    source = _read_source(shell, made, assignment.class_name, assignment.notebook)
    notes = tuple(
        f"Cell [{cell}] would define {made.__name__} anew, but ended in an error: what was defined before it was checked."
        for cell in source.failed
    )
    report = None
    with suppress(NothingToCheckError):  # a class that no cell spells out, such as one out of exec()
        report = _check_apart(source.hand_in, made.__name__, frozen, part)
    if report is None:
        report = _check_here(source, made, _variables(shell, made), frozen, part)
    # That a cell was run twice is nothing to tell in a kernel.
    told = ("left out: ", "Graded: ", f"{made.__name__} is defined ")
    left = tuple(note for note in report.notes if not note.startswith(told))
    return replace(report, notes=(*notes, *left))


def _read_source(shell: InteractiveShell | None, made: type, name: str, notebook: str) -> KernelSource:
    """Return the text of a class; a problem where nobody knows it, as of what was typed at Python's own prompt."""
    if shell is not None:
        return read_kernel(shell, made, name, notebook)
    with suppress(TypeError, OSError):  # a class of no file
        if file := inspect.getsourcefile(made):
            return KernelSource(read(Path(file)), {}, [])
    return KernelSource(HandIn((), (), "", Problem("no_submission", f"Nobody knows the text of {name}.")), {}, [])


def _variables(shell: InteractiveShell | None, made: type) -> Mapping[str, Any]:
    return shell.user_ns if shell is not None else vars(sys.modules[made.__module__])


# ---------------------------------------------------------------- in a process of its own


_hosts: list[StudentHost] = []  # one at most, kept from check to check: starting it takes most of a check's time


def _check_apart(hand_in: HandIn, name: str, frozen: Frozen, part: str) -> Report | None:
    """Return the report on the text, run in a process of its own; None where no process can be had."""
    try:
        if not _hosts:
            _hosts.append(start_host(frozen))
        return check_program(hand_in, name, KERNEL, frozen, _hosts[0], part)
    except (ImportError, OSError, RuntimeError):  # a browser's Python has neither processes nor threads
        close()
        return None
    except BaseException:
        close()  # interrupted in the middle of a question: what comes next would be taken for its answer
        raise


def start_host(frozen: Frozen) -> StudentHost:
    """Return what runs one's own program in a process of its own, locked down where this system can."""
    from grader.sandbox.host import StudentHost  # noqa: PLC0415 -- a browser may lack sockets
    from grader.sandbox.spawn import open_own_server  # noqa: PLC0415 -- the same

    return StudentHost(frozen.assignment.limits, server=open_own_server())


@atexit.register
def close() -> None:
    """End the process that programs' processes come from."""
    while _hosts:
        _hosts.pop().close()


# ---------------------------------------------------------------- in this process


def _check_here(source: KernelSource, made: type, variables: Mapping[str, Any], frozen: Frozen, part: str) -> Report:
    """Return the report on the class itself, asked in this process."""
    from grader.sandbox.same_process import SameProcessHost  # noqa: PLC0415 -- where there are processes it is not needed

    host = SameProcessHost(made, variables, source.files, frozen.assignment.limits.printed_characters)
    with suppress(NothingToCheckError):
        return check_program(source.hand_in, made.__name__, KERNEL, frozen, host, part)
    started = time.perf_counter()
    submission = Submission(made.__name__, KERNEL, "", made.__name__)
    calls = select_calls(frozen.questions.calls, part)
    run = host.run(submission, made.__name__, calls, frozen.assignment.variant.methods)
    return judge_program(submission, run, frozen, part, started)
