"""A file that says who works together, such as Canvas's list of groups, added to the roster."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from grader.classroom.name_index import KINDS, Index, build_index, describe_student, find_named, normalize
from grader.classroom.roster import BY_TEAM, Claim, Roster, RosterError, read_roster
from grader.model import Student


def add_groups(roster: Roster, path: Path) -> Roster:
    """Return the roster with the teams of a file: a column with the group, and columns that tell its students.

    Raises RosterError, and for somebody who is not in the roster too.
    """
    groups = read_roster(path)
    index = build_index(roster.students)
    teams = {claim.student: claim.team for claim in groups.claims if claim.team}
    found: dict[Student, Claim] = {}
    for line, student in enumerate(groups.students, 2):
        if team := teams.get(student) or student.section:
            member = _find_member(student, index, groups.source)
            found[member] = Claim(member, f"{BY_TEAM}{team}", line)
    if not found:
        raise RosterError(f"{groups.source}: no group stands in it. Expected a column `team` or `group`.")
    kept = tuple(claim for claim in roster.claims if claim.student not in found or claim.submission)
    taken = {claim.student for claim in kept}
    return replace(roster, claims=(*kept, *(claim for one, claim in found.items() if one not in taken)))


def _find_member(student: Student, index: Index, source: str) -> Student:
    """Return the roster's student whom a line of the file means."""
    keys = [(kind, normalize(getattr(student, kind)).casefold()) for kind in KINDS]
    exact = {index.exact[key] for key in keys if key in index.exact}
    fitting = exact or set(find_named(student.name, index))
    if len(fitting) != 1:
        what = "is nobody in the roster" if not fitting else "may be several students of the roster"
        raise RosterError(f"{source}: {describe_student(student)} {what}. Correct the line.")
    return fitting.pop()
