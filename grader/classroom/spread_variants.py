"""Who gets which variant of the assignment, and the roster that says it."""

from __future__ import annotations

import random
from collections.abc import Sequence
from itertools import product

from grader.classroom.roster import Roster
from grader.model import Student
from grader.records import fields
from grader.rubric_values import CHOICES
from grader.text.csv_text import write_csv

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
