"""A class in which students have different variants of the assignment: who gets which, and how each is graded.

Its folder holds an assignment in each subfolder, and a roster whose column `variant` names each student's subfolder.
"""

import random
from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import product
from pathlib import Path
from typing import Any

from grader.classroom.compare_reports import to_csv
from grader.classroom.executors import Workers
from grader.classroom.grade_class import Outcome, grade_class
from grader.classroom.gradebook import Gradebook
from grader.classroom.match_roster import Matching
from grader.classroom.plan import Entry
from grader.classroom.regrade_class import TABLE, Regraded, regrade_class
from grader.classroom.results import class_attempts, match_class, match_sources
from grader.classroom.roster import Roster, RosterError, add_groups, read_roster
from grader.classroom.storage import write_whole
from grader.classroom.variant_folders import ROSTER
from grader.classroom.worker import Graded, GradingSession
from grader.model import Student
from grader.records import fields, replace
from grader.rubric_values import CHOICES
from grader.text.csv_text import write_csv

WITHOUT = "no student with a variant was found for it. Write the hand-in's name beside the student in the roster's column `submission`."


def read_class(roster: Path | None, groups: Path | None) -> Roster | None:
    """Return the class's list with who works together, None where there is none; raise RosterError."""
    if groups and not roster:
        raise RosterError("--groups needs the roster, too: give --roster FILE.")
    listed = read_roster(roster) if roster else None
    return add_groups(listed, groups) if listed and groups else listed


def variant_of(name: str, matching: Matching | None) -> str:
    """Return which variant a submission's student has; "" where the roster does not tell."""
    student = matching.students.get(matching.superseded.get(name, name)) if matching else None
    return student.variant if student else ""


def grade_variants(
    entries: Sequence[Entry],
    sessions: Mapping[str, GradingSession],
    book: Gradebook,
    workers: Workers,
    *,
    roster: Roster | None,
    on_result: Callable[[Graded | None], None],
    **options: Any,
) -> tuple[Outcome, dict[str, str]]:
    """Grade each entry against its student's variant; return what came of it, and why others were left out.

    sessions : by the variants' names. options, and what is raised: see `grade_class`.
    """
    if "" in sessions:
        return grade_class(entries, sessions[""], book, workers, roster=roster, on_result=on_result, **options), {}
    beside = next(iter(sessions.values())).assignment.folder.parent / ROSTER
    roster, paths = roster or read_roster(beside), {entry.name: str(entry.path) for entry in entries}
    match_sources(roster, {**book.sources(), **paths})
    book.set_roster(roster)
    matching = match_class(book, class_attempts(book, paths))
    whose = {entry.name: variant_of(entry.name, matching) for entry in entries}
    left = {name: _why(variant, sessions) for name, variant in whose.items() if variant not in sessions}
    outcomes: list[Outcome] = []
    for variant, session in sessions.items():
        own = [entry for entry in entries if whose[entry.name] == variant]
        if (own or not outcomes) and not (outcomes and outcomes[-1].stopped):
            outcomes.append(grade_class(own, session, book, workers, on_result=on_result, **options))
    for _ in left:
        on_result(None)
    return _join(outcomes, {entry.name for entry in entries}), left


def _why(variant: str, known: Iterable[str]) -> str:
    """Return why a submission of a variant, "" for none, is not graded."""
    if not variant:
        return WITHOUT
    return f"the roster's variant {variant!r} is no folder of the assignment. There are {', '.join(known)}."


def _join(outcomes: Sequence[Outcome], here: set[str]) -> Outcome:
    """Return the outcomes of several variants as that of one class; the last has the whole class's sheet."""
    last = outcomes[-1]
    return replace(
        last,
        reports=tuple(report for one in outcomes for report in one.reports),
        actions={name: action for one in outcomes for name, action in one.actions.items()},
        moved={name: before for one in outcomes for name, before in one.moved.items()},
        others=tuple(name for name in last.others if name not in here),
        other_versions=next((one.other_versions for one in outcomes if one.other_versions), ""),
    )


def regrade_variants(
    sessions: Mapping[str, GradingSession], book: Gradebook, workers: Workers, **options: Any
) -> Regraded:
    """Judge the saved replies again, each by its student's variant; options, and what is raised: see `regrade_class`."""
    if "" in sessions:
        return regrade_class(sessions[""], book, workers, **options)
    matching, found = match_class(book), list[Regraded]()
    for variant, session in sessions.items():

        def has_it(name: str, variant: str = variant) -> bool:
            return variant_of(name, matching) == variant

        found.append(regrade_class(session, book, workers, of=has_it, **options))
        if found[-1].stopped:
            break
    changes = sorted((one for each in found for one in each.changes), key=lambda one: -abs(one.after - one.before))
    write_whole(book.path.parent / TABLE, to_csv(changes))
    return replace(
        found[-1],
        count=sum(one.count for one in found),
        todo=sum(one.todo for one in found),
        current=sum(one.current for one in found),
        changes=tuple(changes),
        reworded=sum(one.reworded for one in found),
        causes=tuple(dict.fromkeys(cause for one in found for cause in one.causes)),
        left={name: why for one in found for name, why in one.left.items()},
        failed=tuple(name for one in found for name in one.failed),
        other_versions=next((one.other_versions for one in found if one.other_versions), ""),
    )


# ---------------------------------------------------------------- who gets which

# What the columns are called, so that a roster that is read and written stays the same.
HEADERS = {"id": "canvas id", "sis_id": "student id", "first_name": "first name", "last_name": "last name"}


def choose_variants(count: int, given: dict[str, str], seed: int) -> list[dict[str, str]]:
    """Return so many different choices; neighbours differ in their activation as far as there are enough.

    given : what is the same in all. Raises ValueError where the family has too few.
    """
    axes = {axis: [given[axis]] if axis in given else list(choices) for axis, choices in CHOICES.items()}
    every = [dict(zip(axes, choice, strict=True)) for choice in product(*axes.values())]
    if count > len(every):
        raise ValueError(
            f"--variants {count}: the options leave {len(every)} different networks. Ask for fewer, or leave an option out."
        )
    random.Random(seed).shuffle(every)  # noqa: S311 -- no secret: the folders tell what was chosen
    before = [one["activation"] for one in every]
    order = sorted(range(len(every)), key=lambda at: before[:at].count(before[at]))
    return [every[at] for at in order[:count]]


def spread_variants(roster: Roster, variants: Sequence[str], seed: int) -> tuple[str, dict[str, int]]:
    """Return the roster with a column `variant`, as CSV, and how many students have each; a team has one together."""
    claims = {claim.student: claim for claim in roster.claims}
    teams = {one: claims[one].team if one in claims else "" for one in roster.students}
    groups = list(dict.fromkeys(teams[one] or one for one in roster.students))
    random.Random(seed).shuffle(groups)  # noqa: S311 -- the same
    whose = {group: variants[at % len(variants)] for at, group in enumerate(groups)}
    names = [field.name for field in fields(Student) if field.name != "variant"]
    rows, counts = [], dict.fromkeys(variants, 0)
    for one in roster.students:
        variant, claim = whose[teams[one] or one], claims.get(one)
        counts[variant] += 1
        told = (
            (claim.submission, claim.team, f"Participant {claim.participant}" if claim.participant else "")
            if claim
            else ("", "", "")
        )
        rows.append([*(getattr(one, name) for name in names), *told, variant])
    header = [*(HEADERS.get(name, name) for name in names), "submission", "team", "identifier", "variant"]
    return write_csv(header, rows), counts
