"""While tolerances stay in the ranges that were noted, everything is found again as it was."""

import re
from dataclasses import replace

import numpy as np
import pytest

from grader.checks import GradingContext, run_checks
from grader.compare import narrow_by
from grader.diagnosis import candidates
from grader.diagnosis.candidates import simulate_fresh_context
from grader.diagnosis.diagnose import diagnose
from grader.diagnosis.signature_tables import SearchState, tables
from grader.model import Submission, Tolerances
from grader.rubric import bundled


def test_tolerances_are_read_in_one_place():
    """Whoever compares with a tolerance's number, and not by its methods, notes no range."""
    held_to = {"scores", "loss", "gradient", "numeric", "update", "single"}
    assert held_to == set(Tolerances.__dataclass_fields__) - {"floor", "step"}
    for room in ("grader", "reference"):
        for file in sorted((bundled().parent / room).rglob("*.py")):
            read = re.findall(r"\btolerances\.(\w+)", file.read_text(encoding="utf-8"))
            assert not held_to.intersection(read), file


def found_by(assignment, questions, run):
    """Return what is found in a run, but for pictures, and the ranges."""
    context = GradingContext(assignment, questions, run)
    with np.errstate(all="ignore"):
        found = diagnose(context, Submission("x", "x", "", ""), run_checks(context))
    checks = {check: replace(one, figures=()) for check, one in found.checks.items()}
    return replace(found, checks=checks), context.ranges


@pytest.mark.slow
@pytest.mark.untraced
def test_at_both_ends_of_the_ranges_the_same_is_found(assignment, questions):
    """An eighth of the mistakes are looked for with the tolerances of the rubric, and with the smallest and the largest that all their ranges hold."""
    programs = [
        simulate_fresh_context(assignment, questions, frozenset({position}), 0.5).run
        for position, form in list(enumerate(questions.catalogue.forms))[::8]
        if not form.harmless
    ]
    found, ranges = [], {}
    for run in programs:
        one, narrowed = found_by(assignment, questions, run)
        found.append(one)
        narrow_by(ranges, narrowed)
    ends = (
        {name: max(low, 1e-300) for name, (low, _) in ranges.items()},
        {name: min(np.nextafter(high, 0), 1e9) for name, (_, high) in ranges.items()},
    )
    for number, end in enumerate(ends):
        other = replace(assignment, tolerances=replace(assignment.tolerances, **end), digest=f"end {number}")
        assert [found_by(other, questions, run)[0] for run in programs] == found


@pytest.mark.slow
def test_tables_that_are_kept_stand_within_their_ranges(assignment, questions, monkeypatch):
    """What was laid out with other tolerances is laid out anew where one of them lies outside."""
    asked = []

    def kept(depends_on, make):
        laid, ranges = make()
        asked.append(depends_on)
        return laid, {**ranges, "gradient": (0.0, 1e-3)} if len(asked) == 1 else ranges

    monkeypatch.setattr(candidates, "keep", kept)
    known = replace(questions, catalogue=replace(questions.catalogue, identity=lambda: "these"))
    for gradient, times in ((2e-6, 1), (2e-3, 2)):
        asked.clear()
        moved = replace(assignment.tolerances, gradient=gradient)
        other = replace(assignment, tolerances=moved, digest=f"gradient {gradient}")
        tables(SearchState(other, known, 0.5, frozenset()), ("scores",), (0,), {"scores": (True,)})
        assert len(asked) == times
    assert moved in asked[1]
