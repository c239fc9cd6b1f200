"""The list of mistakes: each is one step replaced, says what it should say, and shows in what a program answers."""

from dataclasses import replace
from itertools import combinations

import numpy as np
import pytest

from grader.checks import CHECKS
from grader.compare import Tolerance
from grader.diagnosis.candidates import simulate_context
from grader.diagnosis.signature import TRAIN_PARTS, core_parts, same, signature_of
from grader.model import Family
from judging import RUBRIC
from reference.cases import network_of
from reference.catalogue import LECTURES, MISTAKES, describe_form, families, list_forms, wrong_network
from reference.mistakes.entry import SOURCES
from reference.network import build
from simulated import LOSS_PARTS, alike, parts, parts_beside
from simulated import TRAIN_PARTS as SHOWN_IN_TRAINING

OWN_NAMES = replace(LECTURES, names=("V", "c", "U", "d"))
NEAR = Tolerance(1e-6)
PARTS = ("purity", "scores", *core_parts(("W1", "b1", "W2", "b2")), "labels", *TRAIN_PARTS)
FORMS = list(list_forms())


def test_there_are_enough_and_each_has_an_id_of_its_own():
    """At least sixty mistakes, over all five methods' stages; ids and the names of ways are unique."""
    real = [one for one in MISTAKES if not one.harmless]
    assert len(real) >= 60
    assert {one.stage for one in real} == {"purity", "scores", "loss", "gradients", "train", "predict"}
    assert len({one.id for one in MISTAKES}) == len(MISTAKES)
    assert len({form.name for form in FORMS}) == len(FORMS)


@pytest.mark.parametrize("entry", MISTAKES, ids=lambda entry: entry.id)
def test_an_entry_says_what_it_should(entry):
    """Title, hint, formula, a known source, and checks that exist; a hint asks or points, and is no second title."""
    assert all((entry.title, entry.hint, entry.formula, entry.source, entry.shows_in or entry.harmless))
    assert bool(entry.forms) != bool(entry.number)
    assert ("{c}" in entry.title) == bool(entry.number)
    assert entry.title.endswith(".")
    assert set(entry.source) <= set(SOURCES)
    assert entry.harmless == (not entry.charged)
    for form in (form for form in FORMS if form.mistake is entry):
        shown = describe_form(form, OWN_NAMES)
        assert set(shown.charged) <= set(CHECKS)
        assert "{" not in shown.title + shown.hint + shown.about
        assert shown.hint != shown.title


def test_texts_speak_of_the_assignments_own_parameters():
    """An assignment may call its parameters otherwise; which layer it is about is told by them."""
    forgotten = [describe_form(form, OWN_NAMES) for form in FORMS if form.mistake.id == "bias_gradient_averaged"]
    assert [one.title.split(" is ")[0] for one in forgotten] == [
        "The gradient of c and d",
        "The gradient of c",
        "The gradient of d",
    ]
    assert [one.charged for one in forgotten] == [("gradient_b1", "gradient_b2"), ("gradient_b1",), ("gradient_b2",)]


def test_two_mistakes_in_one_step_exclude_each_other():
    """One step cannot be wrong in two ways at once; in two layers it can."""
    by_name = {form.name: form for form in FORMS}
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


@pytest.fixture(scope="module")
def right(assignment, questions):
    """Return what the right network shows in each part."""
    return parts(network_of(assignment), questions.calls)


@pytest.fixture(scope="module")
def shown(assignment, questions, right):
    """Return what each way shows in each part."""
    network = network_of(assignment)
    return {form.name: parts_beside(network, right, wrong_network(network, [form]), questions.calls) for form in FORMS}


@pytest.mark.slow
@pytest.mark.untraced  # the same lines for every way
def test_mistakes_show_in_the_parts_that_they_name(right, shown):
    """No way changes an answer in a part that its suspect does not name, and each part that an entry names is changed."""
    told = {*LOSS_PARTS, *SHOWN_IN_TRAINING}
    seen = {entry.id: set() for entry in MISTAKES}
    for form in FORMS:
        changed = {part for part in right if not alike(right[part], shown[form.name][part])}
        assert changed <= set(describe_form(form, OWN_NAMES).shows_in), form.name
        seen[form.mistake.id] |= changed
    for entry in MISTAKES:
        assert seen[entry.id] == set(entry.shows_in) & told, entry.id


@pytest.mark.slow
@pytest.mark.untraced
def test_no_two_mistakes_answer_alike(right, shown):
    """What two entries both explain could be called by either name: each number stands in one of them alone."""
    # What tells these two apart is in no part here: scores that are moved by 1000.
    real = [form for form in FORMS if not (form.mistake.harmless or form.mistake.shows_in == ("stability",))]
    groups = {}
    for form in real:
        answers = shown[form.name]
        key = frozenset(part for part in right if not alike(right[part], answers[part]))
        groups.setdefault(key, []).append((form, {part: answers[part] for part in key}))
    # The gradients of a row's scores add up to zero, so that their sum over everything is zero as well.
    assert {
        (one.name, other.name)
        for group in groups.values()
        for (one, first), (other, second) in combinations(group, 2)
        if one.mistake.id != other.mistake.id and alike(first, second)
    } == {("bias_gradient_zero_layer2", "bias_gradient_scalar_2_layer2")}


FAMILIES = families(MISTAKES, LECTURES)


def test_there_is_a_family_for_each_number_and_layer():
    """Families stand in the order of the list; each choice of layer is one, and says so in its words."""
    assert [family.form.id for family, _ in FAMILIES] == [
        entry.id for entry in MISTAKES if entry.number for _ in ((None, 0, 1) if entry.layers == "each" else (None,))
    ]
    factors = [family.form for family, _ in FAMILIES if family.form.id == "regulariser_gradient_wrong_factor"]
    assert [one.title.split(" is ")[0] for one in factors] == [
        f"The regulariser's part of the gradient of {which}" for which in ("W1 and W2", "W1", "W2")
    ]
    assert [one.charged for one in factors] == [("gradient_W1", "gradient_W2"), ("gradient_W1",), ("gradient_W2",)]


@pytest.mark.parametrize(
    ("family", "made"), FAMILIES, ids=lambda one: one.form.id if isinstance(one, Family) else "made"
)
def test_a_family_makes_a_way_for_any_number(family, made):
    """The way of a number is the one that the list has for it, and a title with the number typed in is the same title."""
    for number in made(family.low).mistake.number.typical:
        assert family.low <= number <= family.high
        form = made(number)
        (listed,) = (one for one in FORMS if one.name == form.name)
        words = describe_form(listed, LECTURES)
        assert words.title == family.form.title.replace("{c}", f"{number:.4g}") != family.form.title
        assert replace(words, title="") == replace(family.form, title="")
    assert all(family.low <= number <= family.high for number in family.guesses)
    assert len(set(family.guesses)) > 1


def test_reports_name_mistakes_in_the_order_in_which_data_flow():
    """Stages come in order, and within one the steps of the network; what is harmless is last."""
    ids = [entry.id for entry in MISTAKES]
    for sooner, later in [
        ("answers_change", "bias_forgotten"),
        ("bias_forgotten", "relu_left_out"),
        ("relu_left_out", "softmax_twice"),
        ("labels_for_scores", "loss_summed"),
        ("loss_summed", "regulariser_left_out"),
        ("minus_one_forgotten", "mask_left_out"),
        ("mask_left_out", "bias_gradient_zero"),
        ("bias_gradient_zero", "regulariser_gradient_halved"),
        ("whole_set_each_time", "uphill"),
        ("uphill", "decay_forgotten"),
        ("predict_without_relu", "predict_lowest_score"),
    ]:
        assert ids.index(sooner) < ids.index(later), (sooner, later)
    first = next(index for index, entry in enumerate(MISTAKES) if entry.harmless)
    assert all(entry.harmless for entry in MISTAKES[first:])


@pytest.mark.slow
def test_every_mistake_shows_and_no_other_right_way_does(assignment, questions):
    """A mistake changes what a program answers; what is listed as harmless changes nothing that a check would see."""
    right = simulate_context(assignment, questions, frozenset(), 1.0)
    with np.errstate(all="ignore"):
        for position, form in enumerate(FORMS):
            found = simulate_context(assignment, questions, frozenset({position}), 1.0)
            if form.mistake.harmless:
                lost = [check for check in RUBRIC if check != "best_hyperparameters" and _share(found, check) < 1]
                assert not lost, f"{form.name} is right, and loses points at {lost}"
            else:
                assert any(not same(signature_of(found, part), signature_of(right, part), NEAR) for part in PARTS), (
                    form.name
                )


def _share(evidence, check):
    return CHECKS[check].function(evidence).share
