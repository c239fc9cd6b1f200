"""The only way from the grader to the reference, which is in a clone and never installed."""

import hashlib
from collections.abc import Callable, Iterable, Mapping
from functools import cache, partial
from typing import Any

from grader.classroom.cache_keys import findings_key, questions_key
from grader.classroom.variant_folders import other_variants
from grader.disk_cache import keep
from grader.model import Assignment, MistakeForm, Questions
from grader.packing import lay_out
from grader.records import dataclass, replace

REFERENCE_MISSING = (
    "The reference solution is missing. Grading needs it, and the installed package does not contain it."
    " Clone the repository and install from there with `pip install -e .`. To check your own notebook, run `grader check`."
)


class ReferenceMissingError(Exception):
    """The reference solution is missing, so there are no answers to judge by."""

    def __init__(self) -> None:
        super().__init__(REFERENCE_MISSING)


@dataclass(frozen=True)
class Author:
    """Writes programs as students would."""

    forms: Mapping[str, MistakeForm]  # every way of every mistake, by its name
    # Names of ways -> the source of a program with these mistakes; none: a right one.
    write: Callable[[Iterable[str]], str]
    left_out: tuple[str, ...] = ()  # names of ways that change nothing in this network


_drawn: tuple[Assignment, int, Questions] | None = None


def build_questions(assignment: Assignment, seed: int) -> Questions:
    """Return the questions of this grading; the same object for the same arguments.

    A command needs them to plan, and the worker in the same process to grade. This saves 0.1 s and what was simulated.

    Raises ReferenceMissingError.
    """
    global _drawn  # noqa: PLW0603 -- the command and its worker have no other place in common
    try:
        from reference import oracle, questions  # noqa: PLC0415 -- the wheel has no reference, and other commands must work there
    except ImportError as error:
        raise ReferenceMissingError from error
    drawn = _drawn
    if drawn is None or drawn[:2] != (assignment, seed):
        key = questions_key(assignment, seed)
        kept = questions.draw(assignment, seed, lambda what, make: keep([key, what], make))
        if kept.oracle and (others := other_variants(assignment)):
            known = replace(kept.oracle, answers_as=partial(oracle.find_variant, others, kept.calls))
            kept = replace(kept, oracle=known)
        drawn = _drawn = (assignment, seed, _identify(kept, assignment))
    return drawn[2]


def _identify(questions: Questions, assignment: Assignment) -> Questions:
    """Return the questions with a catalogue that says what its answers depend on, so that they are kept between runs."""

    @cache
    def identity() -> str:
        return findings_key(assignment, questions) + hashlib.sha256(lay_out(questions.calls)).hexdigest()

    known = questions.catalogue
    return replace(questions, catalogue=replace(known, identity=identity) if known else None)


def author(assignment: Assignment) -> Author:
    """Return the author of programs with known mistakes; raise ReferenceMissingError."""
    try:
        from reference.cases import network_of  # noqa: PLC0415 -- the same
        from reference.catalogue import describe_form, forms_of, left_out  # noqa: PLC0415 -- the same
        from reference.settings import first_std, tuned_settings  # noqa: PLC0415 -- as above
        from reference.student_program import write_program  # noqa: PLC0415 -- as above
    except ImportError as error:
        raise ReferenceMissingError from error
    network = network_of(assignment)
    known = {form.name: form for form in forms_of(assignment.variant)}
    best, std = tuned_settings(assignment.variant), first_std(assignment.variant)

    def write(names: Iterable[str]) -> str:
        mistakes, methods = [known[name] for name in names], assignment.variant.methods
        return write_program(
            network,
            mistakes,
            class_name=assignment.class_name,
            names=network.names,
            methods=methods,
            best=best,
            std=std,
        )

    described = {name: describe_form(form, assignment.variant) for name, form in known.items()}
    return Author(described, write, left_out(assignment.variant))


def calibrate(assignment: Assignment, runs: int, begin: Callable[[], Callable[[int], object]]) -> dict[str, Any]:
    """Return the values of [digits] that fit the assignment's network, measured by training it so many times.

    begin : is called first, and what it returns with the number of each run that is done. Raises ReferenceMissingError.
    """
    try:
        from reference import calibrate as reference  # noqa: PLC0415 -- as above
    except ImportError as error:
        raise ReferenceMissingError from error
    return reference.choose_values(assignment, runs, begin())


def write_lesson(assignment: Assignment, questions: str) -> str:
    """Return the solution notebook of an assignment; questions : the file beside it by which students check themselves.

    Raises ReferenceMissingError.
    """
    try:
        from reference.lesson import write_lesson as reference  # noqa: PLC0415 -- as above
    except ImportError as error:
        raise ReferenceMissingError from error
    return reference.write_lesson(assignment, questions)
