"""A network written out as a student's file is the same network: it answers alike, mistake by mistake."""

from __future__ import annotations

import ast
import difflib
import hashlib
import os
import subprocess
import sys
import warnings
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from grader.model import TAKEN, Array, Family, Step
from reference.catalogue import LECTURES, MISTAKES, Form, families, list_forms, wrong_network
from reference.network import build
from reference.simulate import perform
from reference.student_program import write_program

RIGHT = build()
FORMS = {form.name: form for form in list_forms()}
# What reg is multiplied by stands in loss() alone.
ASKED = {1.0: ("scores/a", "loss/b/3", "train", "predict/c"), 0.5: ("loss/b/3",)}
# Chance in loss() and the drawing of batches share one generator in a student's program, not in a network.
BY_CHANCE = {"answers_change"}
TEXTS = {}


def answers(source, call):
    """Return what the class in a source answers, step by step, and what it raised in the end."""
    namespace, first = {}, {}
    exec(compile(source, "<written>", "exec"), namespace)  # noqa: S102 -- our own text
    net = namespace["TwoLayerNet"](*call.sizes)
    net.params = {name: np.array(value, dtype=np.float64) for name, value in call.params.items()}
    np.random.seed(call.seed)  # noqa: NPY002 -- students draw from numpy's global generator
    results = []
    for step in call.steps:
        given = {
            name: value.copy() if isinstance(value, np.ndarray) else value for name, value in step.arguments.items()
        }
        first = first or given
        try:
            with np.errstate(all="ignore"):
                if step.method == "params":
                    results.append({name: np.array(value) for name, value in net.params.items()})
                elif step.method == "arguments":
                    results.append({name: value for name, value in first.items() if isinstance(value, np.ndarray)})
                else:
                    results.append(getattr(net, step.method)(**given))
        except Exception as error:  # noqa: BLE001 -- a wrong program raises what it likes
            return results, type(error).__name__
    return results, None


def text(network, *mistakes):
    """Return a program's text; that of one way of the right network is written once."""
    listed = len(mistakes) == 1 and FORMS.get(mistakes[0].name) is mistakes[0]
    if not listed:
        return write_program(network, mistakes)
    key = network.coefficient, mistakes[0].name
    TEXTS[key] = TEXTS.get(key) or write_program(network, mistakes)
    return TEXTS[key]


def same(one, other):
    """Return whether two answers are alike: in kind, in shape, and to nine digits."""
    if isinstance(one, dict) or isinstance(other, dict):
        both = isinstance(one, dict) and isinstance(other, dict) and set(one) == set(other)
        return both and all(same(one[key], other[key]) for key in one)
    if isinstance(one, tuple) or isinstance(other, tuple):
        both = isinstance(one, tuple) and isinstance(other, tuple) and len(one) == len(other)
        return both and all(same(a, b) for a, b in zip(one, other, strict=True))
    if one is None or other is None:
        return one is other
    one, other = np.asarray(one), np.asarray(other)
    if one.shape != other.shape or one.dtype.kind != other.dtype.kind:
        return False
    return np.allclose(one, other, rtol=1e-9, atol=1e-9, equal_nan=True)


def differing(network, mistakes, calls):
    """Return the calls to which the written program answers otherwise than the network."""
    source, wrong = text(network, *mistakes), wrong_network(network, mistakes)
    found = []
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # means of nothing, as wrong programs take them
        for call in calls:
            np.random.seed(call.seed)  # noqa: NPY002 -- for steps that draw from it
            expected = perform(wrong, call)
            results, error = answers(source, call)
            if error != (expected.error.type if expected.error else None) or not same(tuple(results), expected.results):
                found.append(str(call.id))
    return found


def made(layer=None, /, **steps):
    """Return a way of a mistake that is in no list: these steps."""
    return Form(replace(MISTAKES[0], forms=(steps,)), steps, layer)


def changed_lines(source):
    """Return the lines that a source has and the right program has not."""
    lines = difflib.ndiff(write_program(RIGHT).splitlines(), source.splitlines())
    return [line[2:].strip() for line in lines if line.startswith("+ ") and line.strip("+ ")]


@pytest.fixture(scope="module")
def calls_by_name(questions):
    """Return a few of the assignment's questions by their names: of each kind one."""
    asked = {*ASKED[1.0], "purity"}
    chosen = {str(call.id): call for call in questions.calls if str(call.id) in asked}
    (watched,) = [call for call in questions.calls if str(call.id) == "watched/rows"]
    given = {name: value for name, value in watched.steps[0].arguments.items() if name not in {"method", "replaced"}}
    # The same training with nothing in the place of loss() and predict(), and what it leaves behind.
    chosen["train"] = replace(watched, id="train", steps=(Step("train", given), Step("params")))
    assert set(chosen) == asked
    return chosen


@pytest.mark.untraced  # the same lines for every way
@pytest.mark.parametrize(
    ("coefficient", "every"),
    [(1.0, 12), pytest.param(1.0, 1, marks=pytest.mark.slow), pytest.param(0.5, 1, marks=pytest.mark.slow)],
)
def test_every_way_answers_as_its_network(calls_by_name, coefficient, every):
    """The text is the network: scores, loss, gradients, training and labels of every way agree (or of every twelfth)."""
    network, wrong = replace(RIGHT, coefficient=coefficient), {}
    assert not differing(network, [], calls_by_name.values())
    for name, form in list(FORMS.items())[::every]:
        calls = [calls_by_name[call] for call in ASKED[coefficient] if not (name in BY_CHANCE and call == "train")]
        if found := differing(network, [form], calls):
            wrong[name] = found
    assert not wrong


@pytest.mark.untraced
@pytest.mark.parametrize(
    ("family", "made"),
    families(MISTAKES, LECTURES),
    ids=lambda one: one.form.id if isinstance(one, Family) else "made",
)
def test_a_number_that_is_in_no_list_is_typed_into_the_program(calls_by_name, family, made):
    """A way of any number is written with that number, and answers as its network: 7 where it counts something."""
    number = 7.0 if family.high >= 7 and family.low >= 1 else 0.3 * family.high if family.high <= 2 else 1.75
    form = made(number)
    source = text(RIGHT, form)
    typed = {node.value for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Constant)}
    others = {node.value for node in ast.walk(ast.parse(write_program(RIGHT))) if isinstance(node, ast.Constant)}
    assert (typed - others) & {number, 2 * number}  # a product with the regulariser's 2 is worked out
    assert not differing(RIGHT, [form], calls_by_name.values())


def test_two_mistakes_at_once(calls_by_name):
    """Mistakes meet in one program, also where one is about one layer and the other changes what it reads."""
    pairs = [
        ("bias_gradient_averaged_layer1", "bias_gradient_multiplied_layer2"),
        ("relu_left_out_1", "mask_of_output"),
        ("biases_regularised", "regulariser_gradient_divided_by_N_layer2"),
        ("regulariser_of_one_matrix_3", "regulariser_gradient_without_weights"),
        ("loss_and_gradients_swapped", "probabilities_returned_1"),
        ("nesterov_momentum", "decay_compounded_1"),
        ("hinge_for_cross_entropy_1", "squared_error_4"),
    ]
    for names in pairs[:-1]:
        assert not differing(RIGHT, [FORMS[name] for name in names], calls_by_name.values()), names
    with pytest.raises(ValueError, match="two mistakes replace"):
        write_program(RIGHT, [FORMS[name] for name in pairs[-1]])


def test_biases_that_are_zero_get_no_regulariser(calls_by_name):
    """The network adds nothing to the gradient of a bias that is zero, whatever it does to the others."""
    call = calls_by_name["loss/b/3"]
    zero = replace(call, params={name: value * (name[0] == "W") for name, value in call.params.items()})
    mistakes = [FORMS["biases_regularised"], FORMS["gradient_divided_once_more"]]
    assert not differing(RIGHT, mistakes, [zero, call])


def test_a_wrong_step_is_a_function_and_the_line_that_calls_it():
    """Nothing else of the right program is changed; a function that is given a layer needs the layers."""
    assert changed_lines(write_program(RIGHT, [FORMS["decay_compounded_2"]])) == [
        "def decay(rate, factor, iteration, _per_epoch):",
        "return rate * factor ** (iteration + 1)",
        "learning_rate = decay(learning_rate, learning_rate_decay, it, per_epoch)",
    ]
    assert changed_lines(write_program(RIGHT, [FORMS["bias_gradient_averaged_layer2"]])) == [
        "from collections import namedtuple",
        'Layer = namedtuple("Layer", "k x W b u h")',
        "def d_bias_2(du, _layer):",
        "return du.mean(axis=-2)",
        "first = Layer(0, X, W1, b1, u, hidden)",
        "second = Layer(1, hidden, W2, b2, scores, scores)",
        'grads["b2"] = d_bias_2(dscores, second)',
    ]


@pytest.mark.untraced  # every program there is: a tracer doubles the time and learns nothing
@pytest.mark.parametrize("every", [9, pytest.param(1, marks=pytest.mark.slow)])
def test_no_program_gives_itself_away_or_holds_what_it_does_not_use(every):
    """No comment of ours is in them, and each function and number at the top is read."""
    for name, form in list(FORMS.items())[::every]:
        source = text(RIGHT, form)
        assert "#" not in source, name
        assert "\n\n\n\n" not in source, name
        tree = ast.parse(source)
        read = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load)}
        top = [node for node in tree.body if isinstance(node, ast.FunctionDef | ast.Assign)]
        held = {node.name if isinstance(node, ast.FunctionDef) else node.targets[0].id for node in top}
        assert held - read == {"best_hyperparameters"}, name


def test_names_class_and_hyperparameters_are_the_callers():
    """Another assignment calls its parameters otherwise, and a student chooses other settings."""
    names = (("A", "a"), ("B", "c"))
    source = write_program(RIGHT, [FORMS["one_bias_never_updated_1"]], class_name="Net", names=names, best={"reg": 0.5})
    assert "class Net:" in source
    assert '(("A", "a"), ("B", "c"))' in source
    assert 'grads["A"] = X.T @ du + 2 * reg * A' in source
    assert source.endswith("best_hyperparameters = dict(\n    reg=0.5,\n)\n")
    assert "W1" not in source


def test_no_parameter_may_be_called_as_a_variable_of_the_program():
    """A parameter of such a name would be overwritten: the rubric refuses each of them."""
    method = ast.parse(write_program(RIGHT)).body[1].body[1]
    stored = {node.id for node in ast.walk(method) if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)}
    assert stored - {"W1", "b1", "W2", "b2"} <= TAKEN


@pytest.mark.parametrize("activation", ["sigmoid", "elu", "maxout"])
@pytest.mark.parametrize("loss", ["softmax", "svm", "sigmoid"])
def test_other_variants_are_written_as_well(activation, loss):
    """Steps that the class has no line for are functions, right ones too."""
    network, rng = build(activation, loss, "every"), np.random.RandomState(0)
    sizes = (5, 6, 1 if loss == "sigmoid" else 3)
    params = {name: rng.standard_normal(shape) for name, shape in network.shapes(sizes).items()}
    X, y = rng.standard_normal((7, 5)), rng.randint(0, 2, 7)
    namespace = {}
    exec(compile(write_program(network), "<written>", "exec"), namespace)  # noqa: S102 -- our own text
    net = namespace["TwoLayerNet"](*sizes)
    assert {name: value.shape for name, value in net.params.items()} == network.shapes(sizes)
    net.params = {name: value.copy() for name, value in params.items()}
    assert same(net.loss(X, y, 0.3), network.evaluate(params, X, y, 0.3))
    assert same(net.predict(X), network.predict(params, X))


# ---------------------------------------------------------------- steps that are in no list


def centres_in_place(x: Array, W: Array, b: Array, _k: int):
    """Change the inputs themselves."""
    x -= x.mean(axis=0)
    return x @ W + b


def loss_changes_scores(z: Array, y: Array):
    """Change the scores that the gradient is then made from, were they not centred anew."""
    z[np.arange(len(y)), y] -= 1
    return z.mean()


def strength_of_its_own(data, penalty, strength: float, _N: int):
    """Change a number that loss() reads again."""
    strength *= 2
    return data + strength * penalty


def borrows_names(dh: Array, layer):
    """Call locals what something else is called in loss()."""
    hidden = layer.u > 0
    grads = dh * hidden
    return grads * (hidden + 1)


@pytest.mark.parametrize(
    "steps",
    [
        {"affine": centres_in_place},
        {"data_term": loss_changes_scores},
        {"total": strength_of_its_own},
        {"d_activate": borrows_names},
    ],
    ids=lambda steps: "+".join(step.__name__ for step in steps.values()),
)
def test_what_a_step_changes_is_changed_in_the_program_and_nothing_else(calls_by_name, steps):
    """Arrays are changed in place where the step does; numbers and names of the program's own are not."""
    for coefficient in (0.5, 1.0):
        assert not differing(replace(RIGHT, coefficient=coefficient), [made(**steps)], calls_by_name.values())


def reads_a_module(z: Array):
    """Read something that is neither numpy nor ours."""
    return z * os.cpu_count()


@pytest.mark.parametrize(("step", "why"), [(np.abs, "no plain function"), (reads_a_module, "it reads os")])
def test_a_step_that_cannot_be_written_out_is_refused(step, why):
    """No program is better than one that is not the network."""
    with pytest.raises((TypeError, ValueError), match=why):
        write_program(RIGHT, [made(activate=step)])


@pytest.mark.slow
def test_the_text_does_not_depend_on_the_process():
    """A text that differed from run to run could not be compared; the order of sets is what could make it differ."""
    names = ["hinge_for_cross_entropy_2", "adaptive_steps_1", "predict_without_relu", "sigmoid_for_relu_1"]
    program = (
        "import hashlib\nfrom reference.student_program import write_program\nfrom reference.catalogue import list_forms\n"
        "from reference.network import build\n"
        f"texts = ''.join(write_program(build(), [form]) for form in list_forms() if form.name in {names})\n"
        "print(hashlib.sha256(texts.encode()).hexdigest())"
    )
    here = hashlib.sha256(
        "".join(write_program(RIGHT, [form]) for form in list_forms() if form.name in names).encode()
    ).hexdigest()
    # These two order the two functions at the top otherwise, if a set orders them.
    for seed in ("6", "7"):
        ran = subprocess.run(
            [sys.executable, "-c", program],
            cwd=Path(__file__).resolve().parent.parent,
            env={**os.environ, "PYTHONHASHSEED": seed},
            capture_output=True,
            text=True,
            check=True,
        )
        assert ran.stdout.strip() == here
