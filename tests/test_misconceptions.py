"""The list of mistakes: each is one step replaced, says what it should say, and shows in what a program answers."""

import numpy as np
import pytest

from grader.checks import CHECKS
from grader.diagnosis.cast import evidence_of
from grader.diagnosis.traces import TRAIN_PARTS, core_parts, same, trace
from reference.misconceptions import MISCONCEPTIONS, suspect, ways, wrong_network
from reference.mistakes.entry import SOURCES
from reference.network import build

NAMES = ("V", "c", "U", "d")
PARTS = ("purity", "scores", *core_parts(("W1", "b1", "W2", "b2")), "labels", *TRAIN_PARTS)
WAYS = list(ways())


def test_there_are_enough_and_each_has_an_id_of_its_own():
    """At least sixty mistakes, over all five methods' stages; ids and the names of ways are unique."""
    real = [one for one in MISCONCEPTIONS if not one.harmless]
    assert len(real) >= 60
    assert {one.stage for one in real} == {"purity", "scores", "loss", "gradients", "train", "predict"}
    assert len({one.id for one in MISCONCEPTIONS}) == len(MISCONCEPTIONS)
    assert len({way.name for way in WAYS}) == len(WAYS)


@pytest.mark.parametrize("entry", MISCONCEPTIONS, ids=lambda entry: entry.id)
def test_an_entry_says_what_it_should(entry):
    """Title, hint, formula, a known source, and checks that exist; a hint asks or points, and is no second title."""
    assert all((entry.title, entry.hint, entry.formula, entry.source, entry.ways))
    assert entry.title.endswith(".")
    assert set(entry.source) <= set(SOURCES)
    assert entry.harmless == (not entry.charged)
    for way in (way for way in WAYS if way.misconception is entry):
        shown = suspect(way, NAMES)
        assert set(shown.charged) <= set(CHECKS)
        assert "{" not in shown.title + shown.hint + shown.about
        assert shown.hint != shown.title


def test_texts_speak_of_the_assignments_own_parameters():
    """An assignment may call its parameters otherwise; which layer it is about is told by them."""
    forgotten = [suspect(way, NAMES) for way in WAYS if way.misconception.id == "bias_gradient_averaged"]
    assert [one.title.split(" is ")[0] for one in forgotten] == [
        "The gradient of c and d",
        "The gradient of c",
        "The gradient of d",
    ]
    assert [one.charged for one in forgotten] == [("gradient_b1", "gradient_b2"), ("gradient_b1",), ("gradient_b2",)]


def test_two_mistakes_in_one_step_exclude_each_other():
    """One step cannot be wrong in two ways at once; in two layers it can."""
    by_name = {way.name: way for way in WAYS}
    with pytest.raises(ValueError, match=r"two mistakes replace d_bias@0: choose one of them"):
        wrong_network(build(), [by_name["bias_gradient_averaged_layer1"], by_name["bias_gradient_zero"]])
    both = wrong_network(build(), [by_name["bias_gradient_averaged_layer1"], by_name["bias_gradient_zero_layer2"]])
    rng = np.random.default_rng(0)
    params = {name: rng.normal(size=shape) for name, shape in build().shapes((4, 5, 3)).items()}
    X, y = rng.normal(size=(6, 4)), np.array([0, 1, 2, 0, 1, 2])
    found, right = both.gradients(params, X, y, 0.1), build().gradients(params, X, y, 0.1)
    assert np.allclose(found["b1"] * 6, right["b1"])
    assert not found["b2"].any()
    assert all(np.array_equal(found[name], right[name]) for name in ("W1", "W2"))


@pytest.mark.slow
def test_every_mistake_shows_and_no_other_right_way_does(assignment, probes):
    """A mistake changes what a program answers; what is listed as harmless changes nothing that a check would see."""
    right = evidence_of(assignment, probes, frozenset(), 1.0)
    with np.errstate(all="ignore"):
        for position, way in enumerate(WAYS):
            found = evidence_of(assignment, probes, frozenset({position}), 1.0)
            if way.misconception.harmless:
                lost = [check for check in CHECKS if check != "best_hyperparameters" and _share(found, check) < 1]
                assert not lost, f"{way.name} is right, and loses points at {lost}"
            else:
                assert any(not same(trace(found, part), trace(right, part), 1e-6) for part in PARTS), way.name


def _share(evidence, check):
    return CHECKS[check].function(evidence).share
