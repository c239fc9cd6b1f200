"""A student's own program held against frozen questions: what the command, the notebook and other doors share."""

import time
from collections.abc import Mapping, Sequence
from typing import Protocol

import numpy as np

from grader.frozen import Frozen
from grader.model import CLASSIC, Call, Methods, QuestionId, Report, Run, Submission
from grader.records import dataclass, replace
from grader.submission import HandIn, reduce
from grader.text.variant_words import with_own_methods

OLDEST_NUMPY = (1, 26)


@dataclass(frozen=True)
class Part:
    """One part of the notebook.

    checks : of the rubric. asks : the kinds of questions that they are judged by. recorded : steps of the recorded question.
    """

    title: str
    checks: tuple[str, ...]
    asks: frozenset[str]
    recorded: int


_LOSS = frozenset({"stability", "scores", "loss", "sweep", "purity", "single", "narrow", "recorded"})
_PREDICT = _LOSS | {"predict", "labels", "watched"}
_TRAIN = _PREDICT | {"whole", "alone", "toy", "digits"}
# Those of a network as deep as may be; an assignment has the rows of its own layers.
_GRADIENTS = tuple(f"gradient_{parameter}{layer}" for layer in range(1, 7) for parameter in "Wb")
# In the order of the notebook.
PARTS: Mapping[str, Part] = {
    "forward": Part("Forward pass", ("scores",), _LOSS, 2),
    "loss": Part("Loss", ("data_loss", "regularised_loss", "stability", "purity"), _LOSS, 2),
    "backward": Part("Backward pass", (*_GRADIENTS, "numeric_gradient"), _LOSS, 2),
    "train": Part(
        "Training",
        ("update_rule", "decay", "minibatch", "histories", "learns_toy", "learns_digits"),
        _TRAIN,
        4,
    ),
    "predict": Part("Prediction", ("predict",), _PREDICT, 3),
    "tuning": Part("Tuning", ("best_hyperparameters",), _TRAIN | {"chosen", "tuned"}, 4),
}
BY_TITLE: Mapping[str, tuple[str, ...]] = {part.title: part.checks for part in PARTS.values()}


class NothingToCheckError(Exception):
    """There is no program in what was named, or none can be checked here; the text says why and how to mend it."""


def refuse_old_numpy() -> None:
    """Raise NothingToCheckError where this version of numpy is too old."""
    if tuple(int(digits) for digits in np.__version__.split(".")[:2]) < OLDEST_NUMPY:
        oldest = ".".join(map(str, OLDEST_NUMPY))
        raise NothingToCheckError(f"numpy {np.__version__} is too old: {oldest} is needed. Run `pip install -U numpy`.")


class Host(Protocol):
    """What runs a program and asks it: `grader.sandbox.host.StudentHost`, or what takes its place in a notebook."""

    def run(self, submission: Submission, class_name: str, calls: Sequence[Call], methods: Methods = CLASSIC) -> Run:
        """Return the replies to the calls."""


def check_program(hand_in: HandIn, name: str, source: str, frozen: Frozen, host: Host, part: str = "") -> Report:
    """Return the report on a program, by its author's own public checks.

    name : what the report calls it. source : where it stands. part : a key of PARTS; "" for all of them.

    Raises FrozenError where the mistakes in the frozen questions are damaged, and what `run_program` raises.
    """
    started = time.perf_counter()
    submission, run = run_program(hand_in, name, source, frozen, host, part)
    return judge_program(submission, run, frozen, part, started)


def run_program(
    hand_in: HandIn, name: str, source: str, frozen: Frozen, host: Host, part: str = ""
) -> tuple[Submission, Run | None]:
    """Return a program with its replies to the questions of a part; None for the replies where it cannot be run.

    Raises NothingToCheckError, and what the host raises.
    """
    assignment = frozen.assignment
    submission = reduce(hand_in, name, source, class_name=assignment.class_name, notebook=assignment.notebook)
    if submission.problem and not submission.graded_file:
        raise NothingToCheckError(with_own_methods(submission.problem.message, assignment.variant.methods))
    asked = select_calls(frozen.questions.calls, part)
    methods = assignment.variant.methods
    return submission, None if submission.problem else host.run(submission, assignment.class_name, asked, methods)


def judge_program(submission: Submission, run: Run | None, frozen: Frozen, part: str, started: float) -> Report:
    """Return the report on the replies of a program; started : when it was begun, by `time.perf_counter`."""
    from grader.grading import judge_run  # noqa: PLC0415 -- what judges is imported while the program runs, where that helps

    rows = frozen.assignment.checks
    chosen = tuple(row for row in rows if not part or row.id in PARTS[part].checks)
    assignment = replace(frozen.assignment, checks=chosen)
    report = judge_run(submission, run, assignment, frozen.questions, started).report
    if all(verdict.status == "passed" for verdict in report.checks) or report.status != "graded":
        return report
    return judge_run(submission, run, assignment, frozen.with_mistakes(), started).report


def select_calls(calls: Sequence[Call], part: str) -> tuple[Call, ...]:
    """Return the calls that a part is judged by: a train() that never ends must not hold up what is told of loss()."""
    if not part:
        return tuple(calls)
    chosen = PARTS[part]
    asked = [call for call in calls if call.id.kind in chosen.asks]
    if part == "predict":
        asked = [call for call in asked if call.id.kind != "watched" or call.id.case == "predict"]
    return tuple(
        replace(call, steps=call.steps[: chosen.recorded]) if call.id == QuestionId("recorded") else call
        for call in asked
    )
