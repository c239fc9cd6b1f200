"""Networks of other depths: a linear classifier, and networks with several hidden layers."""

import itertools
import re

import numpy as np
import pytest
from click.testing import CliRunner

from deep import write_deep
from grader.checks import CHECKS, GradingContext
from grader.checks.given_gradients import judge_given_gradients
from grader.checks.own_units import hidden_layer_found
from grader.checks.read_losses import scores_alike
from grader.classroom.reference_api import author
from grader.cli import main
from grader.diagnosis.attribute import attribute, charge_at_least_once
from grader.model import LEARNT, QuestionId, Reply, Run
from grader.records import replace
from grader.rubric import AssignmentError, bundled, load
from reference.cases import network_of
from reference.catalogue import LECTURES, list_forms
from reference.network import network_of_variant
from reference.questions import draw
from reference.simulate import perform
from reference.toy import toy_case, toy_settings, train_toy

DEPTHS = (1, 3)
# What takes longest to train, and the student's own numbers, which no network has.
LEFT_OUT = {"digits": "learns_digits", "tuned": "best_hyperparameters", "chosen": "best_hyperparameters"}


@pytest.fixture(scope="module", params=DEPTHS)
def asked(request, tmp_path_factory):
    """Return an assignment of one depth with its questions."""
    assignment = load(write_deep(tmp_path_factory.mktemp("depth"), request.param), tuple(CHECKS))
    return assignment, draw(assignment, 7)


def judged(asked, position):
    """Return the checks that a program with one mistake fails, what is named, and whether it stops; position : None for none."""
    assignment, questions = asked
    chosen = frozenset() if position is None else frozenset({position})
    with np.errstate(all="ignore"):
        replies = {
            call.id: questions.catalogue.simulate(chosen, 1.0, call.id)
            for call in questions.calls
            if call.id.kind not in LEFT_OUT
        }
        context = GradingContext(
            assignment, questions, Run(Reply(QuestionId("load"), "returned"), replies, (), {}, 0.0, 0.0)
        )
        rubric = [row.id for row in assignment.checks if row.id not in LEFT_OUT.values()]
        found = charge_at_least_once({check: CHECKS[check].function(context) for check in rubric})
        charges, _ = attribute(context, found)
    assert all(0 <= one.share <= 1 for one in found.values())
    stops = any(reply.outcome == "raised" for reply in replies.values())
    told = [{one.mistake, *one.alternatives} for one in charges]
    return (
        {check for check, one in found.items() if one.share < 1},
        [{questions.catalogue.form_of(mistake).id for mistake in one} for one in told],
        stops,
    )


def test_the_right_network_passes_every_check(asked):
    """Of any depth, right answers lose nothing."""
    assert judged(asked, None) == (set(), [], False)


@pytest.mark.parametrize("asked", [3], indirect=True)
def test_what_is_no_gradient_of_the_scores_carries_no_layer(asked):
    """A constant goes back through weights and mask, and would be a gradient by its looks; nor are scores without X scores."""
    assignment, questions = asked
    right = network_of(assignment)

    def evidence(network):
        kinds = {"scores", "loss", "narrow", "single"}
        replies = {call.id: perform(network, call) for call in questions.calls if call.id.kind in kinds}
        return GradingContext(
            assignment, questions, Run(Reply(QuestionId("load"), "returned"), replies, (), {}, 0.0, 0.0)
        )

    def verdicts(network):
        return set(judge_given_gradients(evidence(network)).verdicts.values())

    assert verdicts(replace(right, d_scores=lambda z, y: 7 * right.d_scores(z, y))) == {"found", "carried"}
    assert verdicts(replace(right, d_scores=lambda z, _: np.full(z.shape, 0.1))) == {"wrong"}
    assert scores_alike(evidence(replace(right, activate=lambda u: 0.5 * np.maximum(u, 0))))
    assert not scores_alike(evidence(replace(right, activate=lambda u: 0 * u + 0.3)))


def answering(asked, network, plain=None):
    """Return the evidence of a program that is one network, or another one in plain questions about the loss."""
    assignment, questions = asked
    replies = {
        call.id: perform(plain if plain and call.id.kind == "loss" else network, call)
        for call in questions.calls
        if call.id.kind in {"scores", "loss", "narrow"}
    }
    return GradingContext(assignment, questions, Run(Reply(QuestionId("load"), "returned"), replies, (), {}, 0.0, 0.0))


@pytest.mark.parametrize("layer", [0, 1])
@pytest.mark.parametrize("activation", ["relu", "tanh"])
def test_all_that_follows_from_wrong_units_of_any_layer_is_carried(tmp_path, activation, layer):
    """The units are solved for from scores and gradients; a way back that ends in plain questions earns nothing."""
    assignment = load(write_deep(tmp_path / "assignment", 3, activation=activation), tuple(CHECKS))
    asked, right = (assignment, draw(assignment, 7)), network_of(assignment)
    units = (lambda u: 2 * np.maximum(u, 0)) if activation == "relu" else (lambda u: np.tanh(u + 0.3))
    wrong = replace(right, activate_in=((layer, units),))
    assert hidden_layer_found(answering(asked, wrong))
    assert set(judge_given_gradients(answering(asked, wrong)).verdicts.values()) <= {"right", "carried"}
    assert not hidden_layer_found(answering(asked, right))
    lazy = replace(wrong, d_activate=lambda dh, _: 0.3 * dh)
    assert not hidden_layer_found(answering(asked, wrong, plain=lazy))


@pytest.mark.slow
@pytest.mark.untraced
@pytest.mark.parametrize("part", range(12))
def test_each_mistake_is_caught_and_named(asked, part):
    """What is wrong at one layer is found there, whichever it is."""
    forms = asked[1].catalogue.forms
    unnamed = {}
    for position in range(part, len(forms), 12):
        lost, named, stops = judged(asked, position)
        if forms[position].harmless:
            assert not lost, forms[position].id
        else:
            assert lost, forms[position].title
            if not stops and (len(named) != 1 or forms[position].id not in named[0]):
                unnamed[forms[position].id] = named
    assert not unnamed


@pytest.mark.slow
@pytest.mark.parametrize("depth", DEPTHS)
def test_a_written_solution_has_full_marks(tmp_path, depth):
    """A program of one layer or of three is run as any other."""
    folder = write_deep(tmp_path / "assignment", depth)
    program = author(load(folder, tuple(CHECKS))).write(())
    (tmp_path / "right.py").write_text(program, encoding="utf-8")
    words = ["grade", tmp_path / "right.py", "--assignment", folder, "--out", tmp_path / "out"]
    outcome = CliRunner().invoke(main, [*map(str, words)])
    assert outcome.exit_code == 0, outcome.output
    points = re.search(r"right +([\d.]+) / ([\d.]+)", outcome.output)
    assert points, outcome.output
    assert points[1] == points[2]


def test_the_check_of_a_layer_that_is_not_there_is_refused(tmp_path):
    """A row for a third layer's gradient says how many layers the names are of."""
    text = (bundled() / "assignment.toml").read_text(encoding="utf-8")
    (tmp_path / "assignment.toml").write_text(text.replace("gradient_W2", "gradient_W3"), encoding="utf-8")
    with pytest.raises(AssignmentError, match=r"'gradient_W3' is the check of layer 3, but .* of 2 layers. Remove"):
        load(tmp_path, tuple(CHECKS))


@pytest.mark.parametrize(
    ("depth", "chosen"),
    [
        (4, {"activation": "sigmoid"}),
        *(
            pytest.param(depth, {**one, **loss}, marks=pytest.mark.slow)
            for depth, one, loss in itertools.product(
                (3, 5, 6),
                ({}, {"activation": "tanh"}, {"activation": "maxout"}, {"activation": "leaky_relu", "slope": 0.9}),
                ({}, {"loss": "sigmoid"}, {"loss": "svm", "margin": 5.0}),
            )
        ),
    ],
    ids=str,
)
@pytest.mark.untraced
def test_a_right_network_learns_the_toy_case_whatever_rows_it_draws(depth, chosen):
    """Through several hidden layers, too, with room to what is asked, in runs that the settings were not chosen by."""
    names = tuple(f"{one}{k}" for k in range(1, depth + 1) for one in "Wb")
    variant = replace(LECTURES, names=names, **chosen)
    network, settings = network_of_variant(variant), toy_settings(variant)
    case = toy_case(network)
    for seed in range(100, 104):
        trained = train_toy(network, case, settings, seed)
        assert network.data_loss(trained.params, case.X, case.y) < 0.8 * LEARNT[variant.loss]


@pytest.mark.slow
@pytest.mark.parametrize("activation", ["relu", "sigmoid", "maxout"])
@pytest.mark.parametrize("depth", [4, 6])
def test_deep_networks_have_their_questions(tmp_path, depth, activation):
    """For each seed cases are found that hide nothing; of six layers of sigmoids none are asked for."""
    folder = write_deep(tmp_path / "assignment", depth, activation=activation)
    if (depth, activation) == (6, "sigmoid"):
        with pytest.raises(AssignmentError, match="Choose at most 4 layers"):
            load(folder, tuple(CHECKS))
        return
    assignment = load(folder, tuple(CHECKS))
    asked = {tuple(call.id for call in draw(assignment, seed).calls) for seed in range(4)}
    assert len(asked) == 1


@pytest.mark.parametrize("asked", [3], indirect=True)
@pytest.mark.parametrize(
    ("name", "charged"),
    [
        ("relu_left_out_in_one_layer", {"scores"}),
        ("slope_left_out_in_one_layer", {"gradient_W2", "gradient_b2"}),
        ("W2_and_b2_never_updated", {"update_rule"}),
    ],
)
def test_what_one_layer_lacks_is_named_with_the_layer(asked, name, charged):
    """The second of three layers has no activation, on both ways or one, or is never updated: each loses what it is charged."""
    at = [k for k, form in enumerate(asked[1].catalogue.forms) if form.id == name and "W2" in form.title]
    assert at
    for position in at:
        lost, named, _ = judged(asked, position)
        assert named == [{name}]
        assert lost >= charged == {*asked[1].catalogue.forms[position].charged}


def test_a_mistake_of_each_layer_has_a_form_for_each():
    """What may be wrong in one layer may be so in all at once, or in any by itself; a single layer has no other."""
    forms = [form for form in list_forms(depth=3) if form.mistake.id == "bias_gradient_averaged"]
    assert [form.layer for form in forms] == [None, 0, 1, 2]
    assert [form.layer for form in list_forms(depth=1) if form.mistake.id == "bias_gradient_averaged"] == [None]
