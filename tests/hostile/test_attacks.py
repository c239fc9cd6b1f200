"""Every attack is let loose on one grader: none gains a point, sees the secret or leaves anything behind."""

from __future__ import annotations

import pytest

from hostile.arena import ATTACKS, LIMITS
from hostile.world import descriptors_and_children

# Every twelfth of a family is in the default run, and its first.
FAMILIES = [
    [path for path in ATTACKS if path.stem.split("_")[0] == family]
    for family in sorted({path.stem.split("_")[0] for path in ATTACKS})
]


@pytest.mark.untraced  # a program like any other: it is graded by lines that other tests trace
@pytest.mark.parametrize(
    "path",
    [
        pytest.param(path, marks=[pytest.mark.slow] if at else [])
        for family in FAMILIES
        for at, path in enumerate(family)
    ],
    ids=lambda path: path.stem,
)
def test_an_attack_gains_nothing(arena, attacked, honest_program, path):
    """No points above its honest part, nothing seen, changed, reached or left; the next submission has full marks."""
    arena.grade("before", "class TwoLayerNet: pass")  # a zygote that an attack of before has lost is replaced by now
    before = descriptors_and_children(attacked.server.pid)
    outcome = arena.attack(path)
    assert outcome.breaches == ()
    assert outcome.gained == 0, f"{outcome.score} points, honest {outcome.honest}"
    # Not how fast, but that it ends: reading what an attack wrote has taken minutes past all its limits.
    assert outcome.seconds < 15 * LIMITS.total_seconds
    next_one = arena.grade("next", honest_program).report
    assert next_one.score == next_one.max_score, [check for check in next_one.checks if check.status != "passed"]
    assert descriptors_and_children(attacked.server.pid) == before
