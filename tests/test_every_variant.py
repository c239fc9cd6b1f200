"""Every network that an assignment may ask for: its mistakes are caught and named, and no other network passes for it."""

import warnings
from itertools import combinations, product
from types import MappingProxyType

import numpy as np
import pytest

from deep import write_deep
from grader.audit.matrix import SOLUTION
from grader.audit.mistake_class import run
from grader.checks import CHECKS, GradingContext
from grader.checks.read_losses import accepted_factors
from grader.classroom.reference_api import author
from grader.model import QuestionId, Reply, Run, Variant
from grader.records import replace
from grader.rubric import load
from reference.calibrate import choose_values
from reference.cases import network_of
from reference.catalogue import LECTURES, forms_of, left_out, list_forms, mistakes_of, wrong_network
from reference.network import network_of_variant
from reference.questions import draw
from reference.same_network import agree, alike, returns_loss
from reference.simulate import perform
from reference.student_program import write_program

NAMES = ("W1", "b1", "W2", "b2"), ("W", "c", "w", "b")
ACTIVATIONS = (
    *({"activation": name} for name in ("relu", "leaky_relu", "sigmoid", "tanh", "elu", "maxout")),
    {"activation": "leaky_relu", "slope": 0.3},
    {"activation": "elu", "alpha": 2.0},
)
LOSSES = ({"loss": "softmax"}, {"loss": "svm"}, {"loss": "sigmoid"}, {"loss": "svm", "margin": 0.5})
AXES = (ACTIVATIONS, LOSSES, tuple({"regulariser": one} for one in ("half", "full", "either", "every")), NAMES)
# What judges loss() alone, without a training.
OF_ANSWERS = {"scores", "loss", "gradients", "predict"}
OF_LOSS = ("scores", "data_loss", "regularised_loss", "gradient_W1", "gradient_b1", "gradient_W2", "gradient_b2")


def cover():
    """Return choices, as positions on the axes, in which each two choices of different axes meet; each adds the most."""
    wanted = {pair for choice in product(*map(range, map(len, AXES))) for pair in combinations(enumerate(choice), 2)}
    chosen = []
    while wanted:
        best = max(
            product(*map(range, map(len, AXES))), key=lambda one: len(wanted & set(combinations(enumerate(one), 2)))
        )
        chosen.append(best)
        wanted -= set(combinations(enumerate(best), 2))
    return chosen


def variant_of(choice):
    """Return the variant of a choice on each axis."""
    activation, loss, regulariser, names = (axis[at] for axis, at in zip(AXES, choice, strict=True))
    return Variant(**activation, **loss, **regulariser, names=names)


# Several hidden layers: each depth, activation, loss and regulariser. An audit takes a minute of processor time and more.
DEEP = (
    (3, {"activation": "maxout", "loss": "svm", "regulariser": "full"}),
    (4, {"activation": "sigmoid", "loss": "softmax", "regulariser": "half"}),
    (4, {"activation": "leaky_relu", "loss": "sigmoid", "regulariser": "every"}),
    (5, {"activation": "relu", "loss": "svm", "regulariser": "either"}),
    (5, {"activation": "elu", "loss": "softmax", "regulariser": "every"}),
    (6, {"activation": "tanh", "loss": "sigmoid", "regulariser": "half"}),
)
COVER = [variant_of(choice) for choice in cover()]
# All others of two layers. Names change no number: who differs in them alone is audited once.
REST = [
    variant_of((*choice, number % 2))
    for number, choice in enumerate(product(*map(range, map(len, AXES[:3]))))
    if choice not in {one[:3] for one in cover()}
]


def name_of(variant):
    """Return a short name: what is chosen, and the numbers that are not the lectures'."""
    numbers = [f"{name}={getattr(variant, name)}" for name in ("slope", "alpha", "margin")]
    own = [one for one in numbers if one not in {"slope=0.1", "alpha=1.0", "margin=1.0"}]
    return "-".join([variant.activation, variant.loss, variant.regulariser, variant.names[0], *own])


def assignment_for(assignment, variant):
    """Return the bundled assignment with another network, and thresholds that fit it."""
    return calibrated(replace(assignment, variant=variant, digest=name_of(variant)))


def calibrated(other):
    """Return an assignment with thresholds that fit its network."""
    found = choose_values(other, 4, lambda _: None)
    # Few runs: what 200 of them would find lies lower, most of all of sigmoid units under an SVM.
    found |= {name: found[name] - 0.08 for name in ("threshold", "tuned_threshold")}
    return replace(other, digits=replace(other.digits, **found))


def test_any_two_choices_meet_in_a_variant_that_is_audited():
    """The set is small, and covers all pairs; every number of a variant's own is in it."""
    assert len(COVER) < 2 * len(ACTIVATIONS) * len(LOSSES)
    for one, other in combinations(range(len(AXES)), 2):
        met = {(choice[one], choice[other]) for choice in cover()}
        assert met == set(product(range(len(AXES[one])), range(len(AXES[other]))))


@pytest.mark.slow
@pytest.mark.untraced  # three hundred judgements a variant, whose lines other tests trace
@pytest.mark.parametrize("variant", [*COVER, *REST], ids=name_of)
def test_a_variants_audit_is_sound(assignment, variant):
    """The solution is run and has all points; each mistake of the variant costs points where it should and is named."""
    see_that_it_is_sound(assignment_for(assignment, variant))


@pytest.mark.slow
@pytest.mark.untraced  # as above
@pytest.mark.parametrize(
    ("depth", "chosen"), DEEP, ids=lambda one: str(one) if isinstance(one, int) else one["activation"]
)
def test_the_audit_of_a_deep_network_is_sound(tmp_path, depth, chosen):
    """As of two layers, with the rubric that `grader new` writes."""
    see_that_it_is_sound(calibrated(load(write_deep(tmp_path / "deep", depth, **chosen), tuple(CHECKS))))


def see_that_it_is_sound(mine):
    """Audit an assignment."""
    found = run(mine, mine.seed, jobs=1, programs=False, began=lambda _: None, told=lambda _: None)
    assert found.problems == ()
    assert found.rows[0].trial.name == SOLUTION
    assert found.rows[0].score == mine.max_score
    assert len(found.mistakes) > 250
    told = " ".join(f"{row.trial.form.title} {row.trial.form.hint} {row.trial.form.formula}" for row in found.rows[1:])
    assert "{" not in told
    if mine.variant.activation not in {"relu", "leaky_relu", "elu"}:
        assert "the ReLU" not in told


@pytest.mark.parametrize("variant", [COVER[0], COVER[-1]], ids=name_of)
def test_the_mistakes_of_a_variant_are_told_apart_by_what_it_computes(variant):
    """Each form that is kept changes an answer of the network; each that is left out changes none, and is told."""
    network, kept = network_of_variant(variant), forms_of(variant)
    every = {form.name: form for form in list_forms(mistakes_of(variant), variant.depth)}
    for name in left_out(variant):
        wrong = wrong_network(network, [every[name]])
        assert agree(wrong, network) or not returns_loss(wrong)
    of_loss = [
        form for form in kept if form.mistake.stage in {"scores", "loss", "gradients"} and not form.mistake.harmless
    ]
    assert not [form.name for form in of_loss[::7] if agree(wrong_network(network, [form]), network)]


def answers_of(program, network, form):
    """Return what a written program and a network with the same mistake answer: scores, loss with gradients, and labels."""
    rng, module = np.random.RandomState(0), {}
    params = {name: rng.standard_normal(shape) for name, shape in network.shapes((5, 6, 4)).items()}
    X, y, wrong = rng.standard_normal((7, 5)), np.arange(7) % 3, wrong_network(network, [form])
    exec(compile(program, "<written>", "exec"), module)  # noqa: S102 -- our own text
    made = [module["TwoLayerNet"](5, 6, 4) for _ in range(3)]
    for one in made:
        one.params = {name: value.copy() for name, value in params.items()}
    return (
        (answer(lambda: made[0].loss(X.copy())), answer(lambda: wrong.scores(params, X))),
        (
            answer(lambda: made[1].loss(X.copy(), y, 0.3)),
            answer(lambda: wrong.report_loss(*wrong.evaluate(params, X, y, 0.3))),
        ),
        (answer(lambda: made[2].predict(X.copy())), answer(lambda: wrong.predict(params, X))),
    )


@pytest.mark.untraced  # the same lines for every form
@pytest.mark.parametrize(
    ("variant", "every"),
    [
        pytest.param(one, 60 if at == 4 else 3, marks=[pytest.mark.slow] if at != 4 else [])
        for at, one in enumerate(COVER)
    ],
    ids=lambda one: name_of(one) if isinstance(one, Variant) else str(one),
)
def test_a_program_with_a_mistake_answers_as_its_network(variant, every):
    """The audit judges what networks answer; written programs answer that."""
    network = network_of_variant(variant)
    for form in [form for form in forms_of(variant) if form.mistake.stage in OF_ANSWERS][::every]:
        for mine, theirs in answers_of(write_program(network, [form], names=network.names), network, form):
            assert alike(mine, theirs), form.name


def answer(ask):
    """Return an answer, or the name of what was raised."""
    with np.errstate(all="ignore"), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            return ask()
        except Exception as error:  # noqa: BLE001 -- a wrong program raises what it likes
            return type(error).__name__


def test_no_form_is_a_mistake_of_its_own_network():
    """A leaky ReLU is none where one is asked for, and nothing of the lectures' network is left out."""
    assert left_out(LECTURES) == ()
    right = network_of_variant(LECTURES)
    for one in list(list_forms())[::9]:
        if one.mistake.stage in {"scores", "loss", "gradients"} and not one.mistake.harmless:
            assert not agree(wrong_network(right, [one]), right), one.name
    assert "sigmoid_for_sigmoid_1" in left_out(replace(LECTURES, activation="sigmoid"))
    names = {form.name for form in forms_of(replace(LECTURES, loss="svm", margin=2.0))}
    assert {"wrong_margin_0.5", "margin_forgotten_1", "no_gradient_at_the_true_class"} <= names
    assert "wrong_margin_2" not in names


def loses(assignment, questions, network):
    """Return the checks of loss() at which a program that is another network loses points in an assignment."""
    replies = {
        call.id: perform(network, call)
        for call in questions.calls
        if call.id.kind in {"scores", "loss", "single", "narrow", "sweep", "predict", "labels", "purity"}
    }
    made = Run(Reply(QuestionId("load"), "returned"), MappingProxyType(replies), (), {}, 0.0, 0.0)
    context = GradingContext(assignment, questions, made)
    with np.errstate(all="ignore"):
        found = {check: CHECKS[check].function(context) for check in OF_LOSS}
    return [check for check, finding in found.items() if finding.share < 1 or finding.skipped]


def accepts(asked, other):
    """Return whether an assignment that asks for one variant takes another for right: "either" is half or full."""
    if replace(asked, regulariser=other.regulariser) != other:
        return False
    return asked.regulariser == other.regulariser or {asked.regulariser, other.regulariser} in (
        {"either", "full"},
        *([{"either", "half"}] if asked.regulariser == "either" else []),
    )


@pytest.mark.untraced
@pytest.mark.parametrize("every", [pytest.param(1, marks=pytest.mark.slow), 31], ids=["each variant", "a few"])
def test_a_program_that_is_right_for_one_variant_loses_points_in_every_other(assignment, every):
    """Whatever knob differs: activation, loss, regulariser, a parameter's name, slope, alpha or margin."""
    knobs = [{"slope": 0.05}, {"alpha": 0.5}, {"margin": 2.0}]
    moved = [
        replace(one, **knob)
        for one in COVER
        for knob in knobs
        if (one.activation, *knob) == ("leaky_relu", "slope")
        or (one.activation, *knob) == ("elu", "alpha")
        or (one.loss, *knob) == ("svm", "margin")
    ]
    for asked in COVER[::every]:
        mine = replace(assignment, variant=asked, digest=name_of(asked), checks=assignment.checks)
        questions = draw(mine, mine.seed)
        assert not loses(mine, questions, replace(network_of(mine), coefficient=accepted_factors(mine)[-1]))
        for other in (*COVER, *moved)[:: 1 if every == 1 else 5]:
            if not accepts(asked, other):
                assert loses(mine, questions, network_of_variant(other)), (name_of(asked), name_of(other))


@pytest.mark.slow
def test_mistakes_are_written_in_words_of_the_variant(assignment):
    """Names of parameters and of the activation are the assignment's own."""
    other = replace(assignment, variant=replace(LECTURES, activation="tanh", names=NAMES[1]))
    forms = author(other).forms
    assert forms["tanh_left_out_1"].title == "There is no tanh between the layers."
    assert forms["bias_forgotten_layer1"].formula == "h = tanh(u), u = X W + c; z = h w + b"
    assert not any(
        "ReLU" in form.title and "uses a" not in form.title for form in forms.values() if "relu" not in form.id
    )


def test_the_hint_for_a_maxout_layers_gradients_is_that_of_weights_or_bias(assignment):
    """Its arrays have a further axis for the two maps; what to look at goes by the parameter."""
    variant = replace(LECTURES, activation="maxout")
    mine = replace(assignment, variant=variant)
    questions, forms = draw(mine, mine.seed), [form.name for form in forms_of(variant)]
    for name, check, hint in (
        ("weights_gradient_wrong_factor_2_layer1", "gradient_W1", "the input of this layer, transposed"),
        ("bias_gradient_averaged_layer1", "gradient_b1", "summed over the rows of the batch"),
    ):
        chosen = frozenset({forms.index(name)})
        asked = [call.id for call in questions.calls if call.id.kind in {"scores", "loss", "narrow"}]
        replies = {one: questions.catalogue.simulate(chosen, 1.0, one) for one in asked}
        made = Run(Reply(QuestionId("load"), "returned"), MappingProxyType(replies), (), {}, 0.0, 0.0)
        finding = CHECKS[check].function(GradingContext(mine, questions, made))
        assert finding.share == 0
        assert hint in finding.message
