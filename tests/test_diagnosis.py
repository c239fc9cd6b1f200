"""Mistakes are called by their names, alone and in pairs, and each costs once; what is not known gets no name."""

from dataclasses import dataclass, replace

import numpy as np
import pytest

import judging
from examples import in_part
from grader.checks import CHECKS
from grader.checks.context import GradingContext
from grader.checks.watched_training import SAME
from grader.diagnosis.attribute import attribute, charge_at_least_once
from grader.model import MistakeCatalogue, MistakeForm, QuestionId, Reply, Run, Submission
from judging import judge
from reference.cases import network_of
from reference.catalogue import MISTAKES, list_forms
from reference.mistakes.entry import Mistake
from reference.simulate import build_catalogue, perform

FORMS = list(list_forms())
POSITION = {form.name: position for position, form in enumerate(FORMS)}
# Training on the digits takes a tenth of a second, and the student's own numbers are no step of a network.
LEFT_OUT = ("digits", "tuned")
RUBRIC = tuple(check for check in judging.RUBRIC if check not in {"learns_digits", "best_hyperparameters"})


@pytest.fixture(autouse=True)
def _numbers_may_overflow():
    """Wrong networks overflow, as in judge()."""
    with np.errstate(all="ignore"):
        yield


@pytest.fixture(scope="module")
def answered(assignment, questions):
    """Return a function that answers all calls as a program with some mistakes would, or as another network does."""

    def answer(*names, network=None, factor=0.5):
        chosen = frozenset(POSITION[name] for name in names)
        calls = [call for call in questions.calls if call.id.kind not in LEFT_OUT]
        replies = {
            call.id: perform(network, call) if network else questions.catalogue.simulate(chosen, factor, call.id)
            for call in calls
        }
        return GradingContext(
            assignment, questions, Run(Reply(QuestionId("load"), "returned"), replies, (), {}, 0.0, 0.0)
        )

    return answer


@dataclass(frozen=True)
class Told:
    """One named mistake, with what is said of it."""

    form: MistakeForm
    alternatives: tuple
    explains: tuple
    costs: dict


@dataclass(frozen=True)
class Attributed:
    """What a diagnosis comes to, each mistake with its words."""

    named: tuple[Told, ...]
    credited: dict
    unexplained: tuple


def account_of(evidence, rubric=RUBRIC):
    """Judge by every check, and attribute what fails."""
    findings = charge_at_least_once({check: CHECKS[check].function(evidence) for check in rubric})
    (charges, credited), line = attribute(evidence, findings), evidence.questions.catalogue
    told = tuple(Told(line.form_of(one.mistake), one.alternatives, one.explains, one.costs) for one in charges)
    explained = {check for one in charges for check in one.explains} | credited.keys()
    # What is carried has its explanation in the check already.
    unexplained = tuple(check for check in rubric if check in failing(findings) - carried(findings) - explained)
    return Attributed(told, credited, unexplained), findings


def named(account):
    """Return the ids that were named."""
    return [one.form.id for one in account.named]


def carried(findings):
    """Return the checks whose failure is charged elsewhere by themselves."""
    return {check for check, one in findings.items() if one.carried}


def failing(findings):
    """Return the checks that did not simply pass."""
    return {check for check, one in findings.items() if one.share < 1 or one.skipped or one.carried}


FIRST_WAYS = {}
for _way in FORMS:
    FIRST_WAYS.setdefault(_way.mistake.id, _way.name)


REAL = [name for name in FIRST_WAYS.values() if not FORMS[POSITION[name]].mistake.harmless]


# Every eighth is in the default run.
@pytest.mark.untraced  # the same lines over and over: a tracer doubles the time and learns nothing
@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=[pytest.mark.slow] if at % 30 else []) for at, name in enumerate(REAL)]
)
def test_a_mistake_is_named_and_charged_once(name, answered):
    """One mistake gets one name, without alternatives, explains all that failed, and costs points where it is made."""
    form, evidence = FORMS[POSITION[name]], answered(name)
    account, findings = account_of(evidence)
    assert named(account) == [form.mistake.id]
    assert account.unexplained == ()
    (only,) = account.named
    # Another way of the same mistake may show the same.
    assert {evidence.questions.catalogue.form_of(one).id for one in only.alternatives} <= {form.mistake.id}
    assert sum(only.costs.values()) > 0
    assert set(only.form.charged) <= set(only.costs)
    assert set(only.explains) == failing(findings)


PAIRS = [
    ("relu_on_the_scores", "biases_never_updated"),
    ("bias_forgotten_layer1", "regulariser_gradient_halved"),
    ("sigmoid_for_relu_1", "predict_without_second_bias"),
    ("loss_summed_1", "mask_left_out"),
    ("biases_regularised_in_loss", "gradient_divided_twice"),
    ("minus_one_forgotten", "bias_gradient_averaged_layer1"),
    ("gradient_cut_off", "regulariser_gradient_left_out_layer2"),
    ("nothing_subtracted", "decay_every_iteration"),
    ("one_parameter_updated_twice_1", "decay_forgotten"),
    ("momentum_0.9", "decay_forgotten"),
    ("uphill", "whole_set_each_time"),
    ("reg_not_passed_on", "accuracies_in_percent"),
    ("gradient_sign_turned", "labels_of_other_rows_1"),
    ("hinge_for_cross_entropy_2", "predict_over_examples_1"),
    ("probabilities_returned_1", "tanh_for_relu_1"),
    ("inputs_changed", "predict_lowest_score"),
]


# Every fourth is in the default run.
@pytest.mark.untraced  # the same lines over and over: a tracer doubles the time and learns nothing
@pytest.mark.parametrize(
    "pair",
    [pytest.param(pair, marks=[pytest.mark.slow] if at % 16 else []) for at, pair in enumerate(PAIRS)],
    ids="+".join,
)
def test_two_mistakes_are_named_together(pair, answered):
    """Whether they show in different parts or meet in one, both are named, and neither more."""
    account, _ = account_of(answered(*pair))
    assert set(named(account)) == {FORMS[POSITION[name]].mistake.id for name in pair}
    assert account.unexplained == ()


def test_three_mistakes_in_three_methods_are_named(answered):
    """A search block by block finds what no search over all triples would be asked for."""
    account, _ = account_of(answered("bias_forgotten_layer2", "uphill", "predict_without_relu"))
    assert set(named(account)) == {"bias_forgotten", "uphill", "predict_without_relu"}


def test_what_another_mistake_keeps_from_being_judged_costs_what_mending_it_returns(answered):
    """Momentum hides the rate, so that its decay is not judged; who forgot the decay as well reads so, with the price."""
    account, findings = account_of(answered("momentum_0.9", "decay_forgotten"))
    assert findings["decay"].skipped
    costs = {one.form.id: one.costs for one in account.named}
    assert costs["momentum"] == {"update_rule": 1.0, "decay": 0.0}
    assert costs["decay_forgotten"] == {"decay": 1.0}


@pytest.mark.parametrize("draw", in_part([101, 102, 103, 104], 4))
def test_chance_does_not_decide_whether_a_mistake_explains_a_training_that_fails(draw, answered, questions):
    """With one row a batch five trainings in six do not learn; the one that is simulated first does."""
    position, toy = frozenset({POSITION["one_row_a_batch_1"]}), QuestionId("toy")
    plain = answered("one_row_a_batch_1")
    assert CHECKS["learns_toy"].function(plain).share == 1
    unlucky = questions.catalogue.simulate(position, 0.5, toy, draw)
    account, findings = account_of(replace(plain, run=replace(plain.run, replies={**plain.run.replies, toy: unlucky})))
    assert findings["learns_toy"].share == 0
    assert named(account) == ["one_row_a_batch"]
    assert account.credited["learns_toy"].share == 1
    assert account.unexplained == ()


def test_a_mistake_with_which_every_training_learns_explains_none_that_fails(answered):
    """All rows each time learn the toy case whatever chance says: a training that does not is charged by itself."""
    plain = answered("whole_set_each_time")
    toy = QuestionId("toy")
    replies = {**plain.run.replies, toy: answered("nothing_updated").run.replies[toy]}
    account, findings = account_of(replace(plain, run=replace(plain.run, replies=replies)))
    assert findings["learns_toy"].share == 0
    assert named(account) == ["whole_set_each_time"]
    assert "learns_toy" not in account.credited
    assert account.unexplained == ("learns_toy",)


def bent(network, step):
    """Replace a step that gives an array by one that bends it, entry by entry: a mistake that no list holds."""
    right = getattr(network, step)

    def wrong(*arguments):
        value = right(*arguments)
        return value + 0.4 * np.sin(3 * value) + 0.05

    return replace(network, **{step: wrong})


@pytest.mark.parametrize("step", in_part(["affine", "data_term", "d_scores", "d_activate", "d_weights", "d_bias"], 3))
def test_a_mistake_outside_the_list_gets_no_name(step, answered, assignment):
    """A value that is bent is nobody's mistake: the failing checks are left unexplained, and keep their price."""
    account, findings = account_of(answered(network=bent(network_of(assignment), step)))
    assert any(finding.share < 1 for finding in findings.values())
    assert named(account) == []
    assert account.credited == {}
    assert set(account.unexplained) == failing(findings) - carried(findings)


def test_what_is_known_is_named_beside_what_is_not(answered, assignment):
    """A named mistake in predict() explains its own check, not the gradients that fail for another reason."""
    network = bent(network_of(assignment), "d_scores")
    network = replace(network, label=lambda z: z.argmin(axis=1))
    account, _ = account_of(answered(network=network))
    assert named(account) == ["predict_lowest_score"]
    assert account.named[0].explains == ("predict",)
    assert "gradient_b2" in account.unexplained


def test_a_batch_whose_gradient_is_wrong_is_not_accused_of_its_labels(answered, assignment):
    """A softmax over the batch makes a batch's gradient no mean of its rows'; train() is judged by itself all the same."""

    def odd(z, y):
        dz = np.exp(z) / np.exp(z).sum(axis=0) ** 1.1
        dz[np.arange(len(y)), y] -= 1
        return dz / len(y)

    account, findings = account_of(answered(network=replace(network_of(assignment), d_scores=odd)))
    assert {check for check, one in findings.items() if one.share < 1} >= {"gradient_W2", "gradient_b2"}
    assert all(findings[check].share == 1 for check in ("update_rule", "decay", "minibatch", "histories"))
    assert named(account) == []


@pytest.mark.slow
def test_single_rows_tell_classes_counted_from_labels_from_classes_in_the_code(answered):
    """Both raise in the case with a class absent; one row holds one label, and stops only who counts labels."""
    for name in ("one_hot_of_the_labels_seen_1", "one_hot_of_the_labels_seen_2", "classes_written_into_code_3"):
        account, _ = account_of(answered(name))
        ids = {FORMS[one].mistake.id for one in account.named[0].alternatives} | set(named(account))
        assert ids == {FORMS[POSITION[name]].mistake.id}
        assert account.unexplained == ()


def test_what_is_said_of_scores_is_taken_back_where_the_loss_does_not_follow(answered, assignment):
    """Scores without b1 beside a loss of scores with it, wrong in a way of its own: the bias was not the mistake."""
    alike = answered("bias_forgotten_layer1").run.replies
    other = answered(network=bent(bent(network_of(assignment), "data_term"), "d_scores"))
    replies = {**other.run.replies, **{call: reply for call, reply in alike.items() if call.kind == "scores"}}
    account, _ = account_of(replace(other, run=replace(other.run, replies=replies)))
    assert named(account) == []
    assert {"scores", "data_loss"} <= set(account.unexplained)


def test_nobody_is_told_a_mistake_that_would_have_lost_what_was_earned(answered):
    """A training that learns with the mistakes that keep another from learning is not that training: it is not named."""
    plain = answered("uphill")
    account, findings = account_of(plain)
    assert named(account) == ["uphill"]
    assert findings["decay"].share == 1
    # It moves uphill as before, and keeps no histories where that mistake alone keeps right ones.
    right = answered().run.replies
    (watched,) = [one.results[0] for name, one in plain.run.replies.items() if name == SAME]
    forged = {**watched, "states": watched["states"] * 1.5}
    replies = {**plain.run.replies, SAME: replace(right[SAME], results=(forged,))}
    account, _ = account_of(replace(plain, run=replace(plain.run, replies=replies)))
    assert named(account) == []


@pytest.mark.slow
def test_mistakes_that_nothing_tells_apart_are_told_as_one_of(assignment, questions):
    """Two entries with the same numbers: the student reads both, as alternatives."""

    def entry(identity):
        ways_of_it = ({"d_bias@1": _averaged},)
        texts = (f"{identity} title.", f"{identity} hint", "f", ("001",))
        return Mistake(identity, "gradients", *texts, ("gradient_b2",), "grads b2", ways_of_it, shows_in=("gradient",))

    line = build_catalogue(assignment, network_of(assignment), questions.calls, [entry("one"), entry("other")])
    replies = {c.id: line.simulate(frozenset({0}), 1.0, c.id) for c in questions.calls if c.id.kind not in LEFT_OUT}
    run = Run(Reply(QuestionId("load"), "returned"), replies, (), {}, 0.0, 0.0)
    judgement = judge(assignment, replace(questions, catalogue=line), run, Submission("s", "s.py", "", "s.py"))
    (diagnosis,) = judgement.diagnoses
    assert diagnosis.title == "One of: one title. Or: other title."


def _averaged(du, _layer):
    return du.mean(axis=0)


def test_what_only_follows_reaches_the_verdicts_as_carried(answered, assignment, questions):
    """No 1/N: charged at the scores' own layer; the first layer's gradients, right given it, keep their points and say so."""
    run = answered("gradient_not_divided").run
    verdicts = {one.id: one for one in judge(assignment, questions, run, Submission("s", "s.py", "", "s.py")).verdicts}
    for check in ("gradient_W1", "gradient_b1"):
        assert verdicts[check].status == "carried"
        assert verdicts[check].points == verdicts[check].max_points
        assert verdicts[check].message.startswith("Right for the values that reach this step")
    assert verdicts["gradient_W2"].points == verdicts["gradient_b2"].points == 0


def test_what_only_follows_costs_nothing(answered):
    """The named mistake costs the two gradients of its own layer, and explains what follows from them as well."""
    account, findings = account_of(answered("gradient_not_divided"))
    assert {check for check, one in findings.items() if one.carried} >= {
        "gradient_W1",
        "gradient_b1",
        "numeric_gradient",
    }
    assert set(account.named[0].costs) == {"gradient_W2", "gradient_b2"}
    assert set(account.named[0].explains) == failing(findings)


def test_credit_is_given_where_what_was_given_cannot_be_solved_for(answered, assignment, questions):
    """|x| for the ReLU: its gradients follow from units that no output tells; the simulated network tells, and they are carried."""
    account, findings = account_of(answered("absolute_value_for_relu_1"))
    assert findings["gradient_W2"].share < 1
    assert {"gradient_W1", "gradient_W2"} <= set(account.credited)
    assert all(credit.share == 1.0 for credit in account.credited.values())
    run = answered("absolute_value_for_relu_1").run
    verdicts = {one.id: one for one in judge(assignment, questions, run, Submission("s", "s.py", "", "s.py")).verdicts}
    assert verdicts["gradient_W2"].status == "carried"
    assert verdicts["gradient_W2"].points == verdicts["gradient_W2"].credited == verdicts["gradient_W2"].max_points
    assert verdicts["gradient_W2"].message.startswith("Not charged here: ")


@pytest.mark.slow
def test_a_second_mistake_in_a_carried_check_is_charged_there(answered):
    """W1 fails by the missing 1/N and by its own regulariser: the first is charged elsewhere, the second here."""
    account, findings = account_of(answered("gradient_not_divided", "regulariser_gradient_halved_layer1"))
    assert named(account)[0] == "gradient_not_divided"
    assert len(named(account)) == 2
    costs = [set(one.costs) for one in account.named]
    assert costs[0] >= {"gradient_W2", "gradient_b2"}
    assert "gradient_W1" in costs[1]
    assert findings["gradient_b1"].carried
    assert findings["gradient_W1"].share == 0


def test_where_the_rubric_lacks_a_mistakes_own_check_the_others_charge_it(answered):
    """An instructor who drops the row "scores" gives no present to who forgets a bias."""
    without = tuple(check for check in RUBRIC if check != "scores")
    account, findings = account_of(answered("bias_forgotten_layer1"), without)
    assert account.credited == {}
    assert findings["gradient_b1"].share == 0
    assert not any(finding.carried for finding in findings.values())


def test_what_did_not_run_earns_nothing(answered):
    """A program that raises for the same reason as a listed mistake gets no credit for a train() that nobody saw."""
    account, _ = account_of(answered("bias_gradient_over_units_layer1"))
    assert named(account) == ["bias_gradient_over_units"]
    assert not {"update_rule", "decay", "minibatch", "histories", "learns_toy"} & set(account.credited)


def test_a_right_submission_is_not_diagnosed(answered, questions, monkeypatch):
    """Nothing is simulated for it: a diagnosis costs a right program nothing."""

    def never(*_):
        raise AssertionError("simulated for a right program")

    right = answered()
    untouched = GradingContext(
        right.assignment, replace(questions, catalogue=MistakeCatalogue(questions.catalogue.forms, never)), right.run
    )
    account, _ = account_of(untouched)
    assert (account.named, account.unexplained) == ((), ())


def test_without_a_line_up_nothing_is_named(answered, questions):
    """Frozen questions may come without the mistakes; judging goes on as before."""
    wrong = answered("uphill")
    bare = GradingContext(wrong.assignment, replace(questions, catalogue=None), wrong.run)
    account, _ = account_of(bare)
    assert account.named == ()
    assert "update_rule" in account.unexplained


def test_every_stage_has_mistakes_that_are_the_same_as_right_code():
    """They are listed, so that whoever adds a check sees what it must not punish."""
    assert {one.stage for one in MISTAKES if one.harmless} == {"scores", "loss", "gradients", "train", "predict"}


def test_an_empty_answer_is_read_as_nothing(answered):
    """loss(X, y) that returns () ended the diagnosis once; it is a wrong answer like any other."""
    odd = answered()
    replies = {
        name: replace(one, results=((),)) if name.kind == "loss" else one for name, one in odd.run.replies.items()
    }
    account, _ = account_of(GradingContext(odd.assignment, odd.questions, replace(odd.run, replies=replies)))
    assert named(account) == []
    assert "data_loss" in account.unexplained
