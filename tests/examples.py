"""How many examples hypothesis tries: a part in the default run, all with the slow tests, and FUZZ times as many by hand."""

from __future__ import annotations

import os

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
