"""Mistakes with a free number: the number is found on one case, and must hold on the others and in every part."""

from dataclasses import replace

import numpy as np
import pytest

from grader.checks import GradingContext
from grader.diagnosis import signature_tables
from grader.diagnosis.candidates import cache_of
from grader.diagnosis.explanations import explain
from grader.diagnosis.fitting import fit_number
from grader.diagnosis.signature import signature_of, tolerance
from grader.diagnosis.signature_tables import SearchState
from grader.model import Fitted, QuestionId, Reply, Run
from reference.cases import network_of
from reference.catalogue import LECTURES, MISTAKES, families, wrong_network
from reference.simulate import perform

NAMES = ("W1", "b1", "W2", "b2")
FAMILIES = families(MISTAKES, LECTURES)
LEFT_OUT = ("digits", "tuned", "toy")


@pytest.fixture(autouse=True)
def _numbers_may_overflow():
    with np.errstate(all="ignore"):
        yield


def index_of(identity, steps=None):
    """Return the position of a family; steps : where there is one for each layer, how many steps it replaces."""
    return next(
        at for at, (one, _) in enumerate(FAMILIES) if one.form.id == identity and steps in {None, len(one.form.steps)}
    )


@pytest.fixture(scope="module")
def evidence_of(assignment, questions):
    """Return a function that answers as a network with the mistake of a family, for any number, would."""

    def make(index, number, also=None):
        network = wrong_network(network_of(assignment), [FAMILIES[index][1](number)])
        network = replace(network, **also) if also else network
        replies = {call.id: perform(network, call) for call in questions.calls if call.id.kind not in LEFT_OUT}
        return GradingContext(
            assignment, questions, Run(Reply(QuestionId("load"), "returned"), replies, (), {}, 0.0, 0.0)
        )

    return make


def found(evidence, index, part):
    """Fit a family's number to one part of the evidence."""
    scene = SearchState(evidence.assignment, evidence.questions, 1.0, frozenset())
    return fit_number(scene, index, [(part, signature_of(evidence, part), tolerance(evidence, part))])


# family | number that no list holds | the part that it is fitted on
NUMBERS = {
    "gradient_wrong_factor": (3.7, "gradient/b2/bare"),
    "epsilon_in_the_denominator": (4.3e-3, "loss/bare"),
    "regulariser_wrong_factor": (0.73, "loss/whole"),
    "momentum": (0.63, "moved/1"),
    "leaky_relu_for_relu": (0.07, "scores"),
    "running_mean_of_gradients": (0.37, "moved/1"),
    "regulariser_gradient_wrong_factor": (2.9, "gradient/W2/whole"),
}


@pytest.mark.untraced
@pytest.mark.parametrize("name", NUMBERS)
def test_a_number_is_found_to_six_digits(name, evidence_of):
    """A factor, an epsilon, a momentum: whatever number it is."""
    number, part = NUMBERS[name]
    index = index_of(name)
    (one,) = found(evidence_of(index, number), index, part)
    assert one.family == index
    assert one.number == pytest.approx(number, rel=1e-6)


@pytest.mark.untraced
@pytest.mark.parametrize("name", ["gradient_wrong_factor", "epsilon_in_the_denominator"])
def test_a_number_is_confirmed_in_every_other_part(name, evidence_of):
    """The explanation holds all parts of loss(): the number that was found in one shows in all of them."""
    number, _ = NUMBERS[name]
    index = index_of(name)
    (one, *_) = explain(evidence_of(index, number), {})
    (mistake,) = one.mistakes
    assert mistake == Fitted(index, pytest.approx(number, rel=1e-6))
    assert one.unexplained == ()


@pytest.mark.untraced
def test_a_number_that_holds_in_one_case_alone_is_no_number(evidence_of, assignment):
    """A factor of 3.7 with seven columns of scores and another elsewhere is not called a factor of 3.7."""
    right = network_of(assignment)
    index = index_of("gradient_wrong_factor")

    def uneven(z, y):
        return (3.7 if len(y) == 4 else 2.9) * right.d_scores(z, y)

    evidence = evidence_of(index, 3.7, also={"d_scores": uneven})
    assert found(evidence, index, "gradient/b2/bare") == []
    assert not any(isinstance(one, Fitted) for each in explain(evidence, {}) for one in each.mistakes)


@pytest.mark.untraced
def test_a_whole_number_is_found_as_one(evidence_of):
    """7.0000000001 is meant as 7."""
    index = index_of("gradient_wrong_factor")
    (one,) = found(evidence_of(index, 7.0), index, "gradient/W2/bare")
    assert one.number == 7.0


@pytest.mark.untraced
def test_nothing_times_a_gradient_is_no_factor(evidence_of):
    """Zero leaves nothing, and what is nothing has no factor: it is another mistake, or none that is known."""
    index = index_of("gradient_wrong_factor")
    assert found(evidence_of(index, 0.0), index, "gradient/b2/bare") == []
    assert found(evidence_of(index, 1e-9), index, "gradient/b2/bare") == []


@pytest.mark.untraced
def test_a_number_outside_its_bounds_is_none(evidence_of):
    """A momentum of fifty is no momentum."""
    index = index_of("momentum")
    assert FAMILIES[index][0].high < 50
    assert found(evidence_of(index, 50.0), index, "moved/1") == []


def test_an_answer_without_numbers_is_not_fitted(evidence_of, questions):
    """Where a part has no numbers there is nothing to fit."""
    index = index_of("momentum")
    evidence = evidence_of(index, 0.5)
    silent = replace(evidence, run=replace(evidence.run, replies={}))
    assert found(silent, index, "moved/1") == []


def test_a_class_of_many_mistakes_does_not_fill_the_memory(assignment, questions, monkeypatch):
    """The tables that were used longest ago are forgotten, and laid out again where they are needed."""
    monkeypatch.setattr(signature_tables, "MOST_TABLES", 1)
    own = replace(questions, catalogue=replace(questions.catalogue))  # with tables of its own
    state = SearchState(assignment, own, 1.0, frozenset())
    first, second, again = (
        signature_tables.tables(state, [part], (0, 1), {part: (True, True)})[0]
        for part in ("scores", "stability", "scores")
    )
    assert list(cache_of(own.catalogue, "tables").values()) == [again]
    assert again is not first
    np.testing.assert_array_equal(again.affects, first.affects)
    assert second.groups.keys() != first.groups.keys()
