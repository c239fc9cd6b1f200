"""Read what a student handed in without running it: from bytes to cells to the class and all that it needs."""

import atexit
import warnings
from dataclasses import replace
from pathlib import Path

from grader.limited_process import LimitedProcess, OverLimitError
from grader.model import Segment, Submission
from grader.submission import notes
from grader.submission.choose_file import choose
from grader.submission.dependencies import DependencyClosure
from grader.submission.documents import read_documents
from grader.submission.errors import SubmissionError, failed
from grader.submission.handed_in_modules import Library
from grader.submission.name_submissions import list_ignored, list_submissions, printable, safe_names
from grader.submission.read_files import HandIn, read
from grader.submission.run_files import run_files

__all__ = ["HandIn", "list_ignored", "list_submissions", "load", "read", "reduce", "reduce_limited", "safe_names"]

VARIABLE = "best_hyperparameters"  # is graded besides the class; what it alone needs goes into `Submission.extras`


def load(
    path: Path,
    *,
    class_name: str,
    notebook: str,
    name: str | None = None,
) -> Submission:
    """Return what one student handed in, reduced to what the class and the hyperparameters need.

    path : a notebook, a .py file, a zip, or a folder. class_name : of the class to be graded, "TwoLayerNet". notebook : the
    file name that the assignment asks for; preferred where several files hold the class. name : the submission's where it
    is one of a class (see `safe_names`); else it is made of the path.
    Nothing of it is run or unpacked to disk, and stored outputs are not read. Nothing that a student hands in raises an
    exception: what cannot be run has a ``problem``.
    """
    shown = name if name is not None else safe_names([path])[path]
    return reduce(read(path), shown, str(path), class_name=class_name, notebook=notebook)


def reduce(hand_in: HandIn, name: str, source: str, *, class_name: str, notebook: str) -> Submission:
    """Return the part of a hand-in that the class and the hyperparameters need; see `load` for the arguments."""
    empty = Submission(name=name, source=printable(source), digest=hand_in.digest, graded_file="")
    if hand_in.problem:
        return replace(empty, problem=hand_in.problem)
    # A student's "\d" is a DeprecationWarning of ours otherwise, printed by our process or, in our tests, an error.
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return _reduce(empty, hand_in, class_name, notebook)


_reducer = LimitedProcess(reduce)
atexit.register(_reducer.close)


def reduce_limited(hand_in: HandIn, name: str, source: str, *, class_name: str, notebook: str) -> Submission:
    """Reduce what was read as `reduce` does, in a process with limits; what needs more is refused."""
    if hand_in.problem:
        return reduce(hand_in, name, source, class_name=class_name, notebook=notebook)
    try:
        return _reducer(hand_in, name, source, class_name=class_name, notebook=notebook)
    except OverLimitError as error:
        largest = max(hand_in.files, key=lambda file: len(file.data))
        size = sum(len(file.data) for file in hand_in.files)
        files = "1 file" if len(hand_in.files) == 1 else f"{len(hand_in.files):,} files, the largest"
        message = (
            f"Reading what was handed in {error}, and a solution takes a fiftieth of that. It holds {size / 1024:,.1f} KiB in"
            f" {files} {printable(str(largest.path))}. Hand in your own notebook and the .py files that it imports, without"
            " generated code, and without files that import each other in a circle."
        )
        problem = failed(message).problem
        return Submission(name, printable(source), hand_in.digest, "", notes=hand_in.notes, problem=problem)


def _reduce(empty: Submission, hand_in: HandIn, class_name: str, notebook: str) -> Submission:
    library = Library(run_files(read_documents(hand_in.files)))
    candidates = choose(library, class_name, notebook)
    if not candidates:
        return replace(empty, notes=hand_in.notes, problem=notes.explain_missing_class(library, class_name).problem)
    chosen, on_choice = candidates[0], notes.describe_choice(candidates, class_name)
    found = replace(empty, graded_file=chosen.holder.label, notes=(*hand_in.notes, *chosen.document.notes))
    if chosen.fault:
        return replace(found, notes=(*found.notes, *on_choice), problem=chosen.fault)
    closure = DependencyClosure(library, chosen.document)
    try:
        segments = closure.main.segments(closure.want([class_name]))
    except SubmissionError as error:
        return replace(found, problem=error.problem)
    # Before the variable needs more.
    on_needs = [*notes.describe_stub_modules(closure), *notes.describe_lacking(closure)]
    extras, on_extras = _keep_variable(closure)
    on_rest = [*notes.describe_lost_parts(closure, VARIABLE), *on_choice, *notes.describe_left_out(closure)]
    return replace(
        found,
        segments=segments,
        extras=extras,
        modules=closure.modules(),
        notes=(*found.notes, *on_rest, *on_needs, *on_extras),
    )


def _keep_variable(closure: DependencyClosure) -> tuple[tuple[Segment, ...], list[str]]:
    """Keep what only the variable needs; a fault there must not cost the class its points."""
    try:
        statements = closure.want([VARIABLE])
    except SubmissionError as error:
        return (), [f"{VARIABLE} cannot be read. {error.problem.message}"]
    if lost := closure.lost(VARIABLE):
        return (), [f"{VARIABLE} cannot be read. {lost.complaint.message}"]
    return closure.main.segments(statements), notes.describe_variable(closure, statements, VARIABLE)
