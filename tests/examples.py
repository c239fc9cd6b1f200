"""How much the default run tries: a part of hypothesis's examples and of long families; the slow tests try all."""

from __future__ import annotations

import os
from collections.abc import Iterable

import pytest
from hypothesis import HealthCheck, settings

SHARE = 4  # the default run tries one example of so many


def register_profiles() -> None:
    """Register `few` and `many`: by neither is an example timed, since a busy machine says nothing of our speed."""
    times = int(os.environ.get("FUZZ", "1"))
    for name, count in (("few", 100 // SHARE), ("many", 100 * times)):
        settings.register_profile(name, max_examples=count, deadline=None, suppress_health_check=[HealthCheck.too_slow])


def examples(count: int) -> settings:
    """Return the settings of a test for which 100 examples, hypothesis's own number, are too many or too few."""
    return settings(max_examples=max(1, count * settings.default.max_examples // 100))


def in_part(cases: Iterable[object], every: int) -> list[object]:
    """Return cases for `parametrize`: the first of so many runs by default, the others with the slow tests.

    A tuple holds the values of several arguments.
    """
    values = [case if isinstance(case, tuple) else (case,) for case in cases]
    return [pytest.param(*one, marks=[pytest.mark.slow] if at % every else []) for at, one in enumerate(values)]
