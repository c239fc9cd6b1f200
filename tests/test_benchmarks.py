"""What the benchmarks are made of still runs: they are started by hand, too rarely to notice by themselves."""

from importlib import import_module
from pathlib import Path

import pytest

BENCHMARKS = Path(__file__).parent / "benchmarks"


@pytest.mark.slow
@pytest.mark.untraced
@pytest.mark.parametrize("wrong", [False, True], ids=["right", "wrong"])
def test_the_checks_for_peers_find_what_ours_find(monkeypatch, tmp_path, assignment, wrong):
    """The right program passes each of our checks as they are written for peers; the wrong one fails at its gradients."""
    monkeypatch.syspath_prepend(BENCHMARKS)
    checks, classes = import_module("peer_checks"), import_module("peer_class")
    classes.write_questions(assignment, tmp_path / "questions.npz")
    space = {}
    for source in classes.handed_in("student", wrong=wrong).values():
        exec(source, space)  # noqa: S102 -- our own solution
    exam = checks.Exam(space["TwoLayerNet"], space["best_hyperparameters"], tmp_path / "questions.npz")
    failed = set()
    for group, names in checks.GROUPS.items():
        for name in names:
            try:
                checks.CHECKS[name](exam)
            except AssertionError:
                failed.add(group)
    assert failed == (set(classes.FAILED) if wrong else set())
    assert {name for names in checks.GROUPS.values() for name in names} == {row.id for row in assignment.checks}
