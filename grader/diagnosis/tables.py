"""The traces of all suspects, laid out so that one submission is held against each of them in a few array operations."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass

import numpy as np

from grader.diagnosis.cast import Mistakes, evidence_of
from grader.diagnosis.traces import Trace, same, trace
from grader.records import Array, Assignment, Floats, Probes

# Two rehearsals that are this near to each other are the same but for the order of their sums.
EQUAL = 1e-9


@dataclass(frozen=True)
class Scene:
    """What all questions of one search share: the assignment, the regulariser's factor, and what is known to be wrong."""

    assignment: Assignment
    probes: Probes
    factor: float
    base: Mistakes

    def trace(self, part: str, more: Mistakes = frozenset()) -> Trace:
        """Give the trace of a program with the base's mistakes and some more."""
        return trace(evidence_of(self.assignment, self.probes, self.base | more, self.factor), part)


@dataclass(frozen=True)
class Group:
    """The suspects whose traces of one part have one shape."""

    rows: Array  # (k,) int64: positions among the table's suspects
    values: Floats  # (k, n)
    scale: Floats  # (k, n)


@dataclass(frozen=True)
class Table:
    """One part: what each suspect would show, on top of a base.

    affects : (suspects,) bool, whether a suspect changes the part at all.
    """

    groups: dict[Hashable, Group]
    affects: Array
    base: Trace

    def matches(self, own: Trace, allowed: float) -> Array:
        """Tell for each suspect, (suspects,) bool, whether it shows what was found."""
        found = np.zeros(len(self.affects), dtype=bool)
        group = self.groups.get((own.shape, own.values.size))
        if group is not None:
            near = np.abs(group.values - own.values) <= allowed * group.scale + np.finfo(np.float64).tiny
            found[group.rows] = near.all(axis=1)
        return found


def table(scene: Scene, part: str, suspects: Sequence[int], concerned: Sequence[bool]) -> Table:
    """Lay out one part; remembered for the whole run.

    suspects : positions in the line-up. concerned : whether a suspect can change this part; others are not rehearsed.
    """
    line_up = scene.probes.line_up
    if line_up is None:
        raise ValueError("these probes know no mistakes")
    key: Hashable = (
        "table",
        scene.assignment.digest,
        scene.factor,
        scene.base,
        part,
        tuple(suspects),
        tuple(concerned),
    )
    if key not in line_up.known:
        line_up.known[key] = _laid_out(scene, part, suspects, concerned)
    found: Table = line_up.known[key]
    return found


def _laid_out(scene: Scene, part: str, suspects: Sequence[int], concerned: Sequence[bool]) -> Table:
    right = scene.trace(part)
    traces = [
        scene.trace(part, frozenset({position})) if concerns else right
        for position, concerns in zip(suspects, concerned, strict=True)
    ]
    gathered: dict[Hashable, list[int]] = {}
    for row, one in enumerate(traces):
        gathered.setdefault((one.shape, one.values.size), []).append(row)
    groups = {
        shape: Group(
            np.array(rows),
            np.array([traces[row].values for row in rows]),
            np.array([traces[row].scale for row in rows]),
        )
        for shape, rows in gathered.items()
    }
    return Table(groups, np.array([not same(one, right, EQUAL) for one in traces], dtype=bool), right)
