"""A short soak; `pytest tests/benchmarks/bench_soak.py --benchmark-enable -s` does a thousand."""

from __future__ import annotations

import pytest

from hostile.arena import ATTACKS
from hostile.soak import soak

# Each of these hangs until its limit in one call or more, which the long soak has time for.
QUICK = [path for path in ATTACKS if not path.stem.startswith("resource_")]


@pytest.mark.slow
def test_a_few_submissions_a_fifth_hostile(arena, attacked, honest_programs):
    """Every outcome is as expected, and neither descriptors nor processes pile up."""
    soaked = soak(arena, attacked, honest_programs, 10, QUICK)
    assert soaked.surprises == []
    assert soaked.hostile == 2
    assert len(set(soaked.descriptors)) == 1, soaked.descriptors
