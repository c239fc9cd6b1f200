"""Write the questions of a grading, with all that was worked out for them by the reference, into one file."""

import io
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, fields, replace

import numpy as np

from grader.checks.read_losses import accepted_factors
from grader.compare import as_array
from grader.frozen.load_frozen import KEPT_BACK, VERSION, checksum
from grader.model import Array, Assignment, Call, MistakeCatalogue, QuestionId, Questions, Reply
from grader.packing import lay_out, pack_apart

Progress = Callable[[int], None]


def freeze(
    assignment: Assignment, questions: Questions, on_mistake: Progress = lambda _: None, *, with_hidden: bool = False
) -> bytes:
    """Return the file: an .npz without pickle. The seed does not go along.

    on_mistake : is called with the number of each mistake that is being worked out. with_hidden : keep hidden checks, for
    a file that no student gets.

    Raises ValueError for questions whose reference is not at hand.
    """
    parts = {
        "questions": pack_apart([describe_questions(assignment, questions, with_hidden=with_hidden)]),
        "mistakes": pack_apart(describe_mistakes(assignment, questions, on_mistake)),
    }
    file = io.BytesIO()
    np.savez(
        file,
        version=np.array(VERSION),
        checksums=np.array([checksum(part) for part in parts.values()]),
        questions=np.frombuffer(parts["questions"], np.uint8),
        mistakes=np.frombuffer(parts["mistakes"], np.uint8),
    )
    return file.getvalue()


def describe_questions(assignment: Assignment, questions: Questions, *, with_hidden: bool = False) -> dict[str, object]:
    """Return the assignment without seed and folder, the calls, the right answers, and those on the way to them."""
    follow = questions.oracle.follow if questions.oracle else None
    if follow is None:
        raise ValueError("these questions have no reference to be worked out by")
    kept = replace(assignment, checks=tuple(row for row in assignment.checks if with_hidden or not row.hidden))
    return {
        "assignment": {one.name: getattr(kept, one.name) for one in fields(kept) if one.name not in KEPT_BACK},
        "calls": questions.calls,
        "expected": {str(call): dict(answer) for call, answer in questions.expected.items()},
        "followed": {factor: dict(follow(factor, {}, True)) for factor in accepted_factors(assignment)},
        "answers": tuple(follow(accepted_factors(assignment)[0], {}, False)),
    }


def describe_mistakes(assignment: Assignment, questions: Questions, on_mistake: Progress) -> list[object]:
    """Return what is said of each mistake, with the table of what a program with it, and no other, answers to each call.

    The replies follow, each by itself: of some nine thousand a program with one mistake asks for a few hundred.
    """
    catalogue = questions.catalogue
    if catalogue is None:
        raise ValueError("these questions know no mistakes")
    replies: dict[bytes, int] = {}
    kept: list[Reply] = []

    def number_of(reply: Reply) -> int:
        number = replies.setdefault(lay_out(reply), len(kept))
        if number == len(kept):
            kept.append(reply)
        return number

    factors = accepted_factors(assignment)
    table = np.empty((len(factors), 1 + len(catalogue.forms), len(questions.calls)), np.int32)
    for row in range(table.shape[1]):
        on_mistake(row)
        for place, reply in enumerate(simulate_row(catalogue, questions.calls, factors, row)):
            table[place // len(questions.calls), row, place % len(questions.calls)] = number_of(reply)
    described = {
        "forms": [{**asdict(form), "steps": tuple(sorted(form.steps))} for form in catalogue.forms],
        "factors": factors,
        "calls": tuple(str(call.id) for call in questions.calls),
        "table": table,
    }
    return [described, *kept]


def simulate_row(
    catalogue: MistakeCatalogue, calls: Sequence[Call], factors: Sequence[float], row: int
) -> Iterator[Reply]:
    """Yield what a program with one mistake answers to each call, for each factor of the regulariser; row 0 : with none."""
    mistakes = frozenset({row - 1} if row else ())
    for factor in factors:
        for call in calls:
            # In a whole training the regulariser is too weak for its factor to decide anything.
            chosen = factors[0] if _is_training(call) else factor
            yield shorten(call, catalogue.simulate(mistakes, chosen, call.id, 0))


def shorten(call: Call, reply: Reply) -> Reply:
    """Return the reply without what no check and no diagnosis reads of a simulated program.

    Of a whole training only the scores at its end count; of those of the digits, only which class wins: 30 KiB each.
    """
    if not _is_training(call):
        return reply
    scores = [_as_they_count(call, one) for one in reply.results[2:]]
    return replace(reply, results=(*({},) * len(reply.results[:2]), *scores))


def _is_training(call: Call) -> bool:
    return call.steps[0].method == "train"


def _as_they_count(call: Call, scores: object) -> Array | None:
    array = as_array(scores)
    if array is None or array.ndim != 2 or not np.isfinite(array).all():
        return None
    if call.id != QuestionId("digits"):
        return array
    return np.asarray(array.argmax(axis=1)[:, None] == np.arange(array.shape[1]), np.int8)
