"""The questions about loss() and predict(), each with the reference's answer."""

from collections.abc import Iterator
from dataclasses import replace
from functools import partial

import numpy as np

from grader.model import Array, Assignment, Call, Expectation, Floats, QuestionId, Step
from reference.cases import Case, draw_case
from reference.digits import stream
from reference.network import Network
from reference.question_parts import hidden_layers, loss_parts, loss_step, make_call, to_six_digits
from reference.recompute import follow

SHIFTS = (1000.0, -1000.0)  # exp(1000) overflows; right code subtracts the row's maximum and sees no difference
# Fewer hidden units than classes: scores that come from such a layer tell what its units were.
NARROW_SIZES = ((5, 9, 3, 6), (4, 8, 3, 7))
# The same where units come before those units, which the gradients tell: of fewer rows than any layer has units.
DEEP_NARROW_SIZES = ((3, 9, 4, 7), (4, 8, 5, 9))
SINGLE_ROWS = 12
MANY_ROWS = 200  # a forgotten bias turns one label in twenty


def ask_forward(
    assignment: Assignment, network: Network, case: Case, seconds: float
) -> Iterator[tuple[Call, Expectation]]:
    """Ask for the scores, the loss and gradients with each reg, and the labels of one case."""
    scores = network.scores(case.params, case.X)
    yield make_call(QuestionId("scores", case.name), case, (Step("loss", {"X": case.X}),), seconds), {"scores": scores}
    parts = {**loss_parts(network, case.params, case.X, case.y), **hidden_layers(network, case.params, case.X)}
    for reg in assignment.regs:
        step = loss_step(case.X, case.y, reg)
        yield (
            make_call(QuestionId("loss", case.name, to_six_digits(reg)), case, (step,), seconds),
            {**parts, "reg": np.asarray(reg)},
        )
    labels = network.predict(case.params, case.X)
    yield (
        make_call(QuestionId("predict", case.name), case, (Step("predict", {"X": case.X}),), seconds),
        {"labels": labels, "scores": scores},
    )


def ask_many_labels(network: Network, cases: list[Case], seed: int, seconds: float) -> tuple[Call, Expectation]:
    """Ask for the labels of many rows: half a dozen are the same by chance for one mistake and another.

    They are asked of the case whose labels vary most: where one class wins nearly always, most mistakes leave it the winner.
    In one row of seven all scores are below zero, so that a ReLU on them shows.
    """

    def draw_rows(case: Case) -> tuple[Floats, Array]:
        X = stream(seed, "many labels").normal(size=(MANY_ROWS, case.X.shape[1]))
        return X, network.predict(case.params, X)

    case = min(cases, key=lambda one: int(np.bincount(draw_rows(one)[1]).max()))
    (X, labels), last = draw_rows(case), network.names[-1][1]
    highest = float(np.quantile(network.scores(case.params, X).max(axis=1), 0.15))
    case = replace(case, params={**case.params, last: case.params[last] - highest})
    steps = (Step("predict", {"X": X}), Step("loss", {"X": X}))
    return make_call(QuestionId("labels"), case, steps, seconds), {
        "labels": labels,
        "scores": network.scores(case.params, X),
    }


def ask_numeric(assignment: Assignment, network: Network, case: Case) -> tuple[Call, Expectation]:
    """Ask for the student's own loss around the case, at the middle reg; it is held to their gradients there."""
    reg = sorted(assignment.regs)[1]
    arguments = {"X": case.X, "y": case.y, "reg": reg, "h": assignment.tolerances.step}
    step = Step("sweep", arguments)
    # Two hundred losses, each of which a program with loops over rows and classes takes a millisecond for.
    seconds = 2 * assignment.limits.call_seconds
    return make_call(QuestionId("sweep", case.name, to_six_digits(reg)), case, (step,), seconds), {
        "reg": np.asarray(reg),
        **_swept(network, case, assignment.tolerances.step),
    }


def _swept(network: Network, case: Case, step: float) -> Expectation:
    """Return the right losses with each parameter entry moved by +h and -h: "data_NAME" and "penalty_NAME", (2, *shape)."""
    found: dict[str, Array] = {}
    for name, value in case.params.items():
        found[f"data_{name}"], found[f"penalty_{name}"] = np.empty((2, *value.shape)), np.empty((2, *value.shape))
        for entry in np.ndindex(*value.shape):
            for side, move in enumerate((step, -step)):
                moved = value.copy()
                moved[entry] += move
                params = {**case.params, name: moved}
                found[f"data_{name}"][(side, *entry)] = network.data_loss(params, case.X, case.y)
                found[f"penalty_{name}"][(side, *entry)] = network.penalty(params)
    return found


def ask_stability(assignment: Assignment, network: Network, case: Case) -> Iterator[tuple[Call, Expectation]]:
    """Shift all scores of a row by one constant, through the last bias: probabilities do not change by it (derivations)."""
    last = network.names[-1][1]
    for shift in SHIFTS:
        shifted = {**case.params, last: case.params[last] + shift}
        step = loss_step(case.X, case.y, 0.0)
        yield (
            make_call(
                QuestionId("stability", f"{shift:g}"), case, (step,), assignment.limits.call_seconds, params=shifted
            ),
            {**loss_parts(network, shifted, case.X, case.y), "reg": np.asarray(0.0)},
        )
    yield _one_row_shifted(assignment, network, case)


def _one_row_shifted(assignment: Assignment, network: Network, case: Case) -> tuple[Call, Expectation]:
    """Shift the scores of the first row alone, through a hidden unit of each layer that only this row reaches.

    Subtracting the maximum of the whole batch, as every seventh student does, leaves the other rows exp(-1000) = 0.
    """
    X, params = case.X.copy(), {name: value.copy() for name, value in case.params.items()}
    X[:, 0] = 0.0
    X[0, 0] = SHIFTS[0]
    for weights, bias in network.names[:-1]:
        params[weights][..., 0, :], params[weights][..., :, 0] = 0.0, 0.0
        params[weights][..., 0, 0], params[bias][..., 0] = 1.0, 0.0
    # What the unit is in the other rows, such as a sigmoid's 1/2, moves all of their scores by one constant, too.
    off, on = network.forward(params, X)[-1].x[1::-1, 0]
    params[network.names[-1][0]][0, :] = SHIFTS[0] / (on - off)
    answer = {**loss_parts(network, params, X, case.y), "reg": np.asarray(0.0)}
    step = loss_step(X, case.y, 0.0)
    return make_call(
        QuestionId("stability", "row"), case, (step,), assignment.limits.call_seconds, params=params
    ), answer


def ask_purity(assignment: Assignment, case: Case) -> tuple[Call, Expectation]:
    """Ask the same twice, then look at what was handed over."""
    step = loss_step(case.X, case.y, sorted(assignment.regs)[1])
    steps = (step, step, Step("params"), Step("arguments"))
    given = {f"param_{name}": value for name, value in case.params.items()}
    return make_call(QuestionId("purity"), case, steps, assignment.limits.call_seconds), {
        "X": case.X,
        "y": case.y,
        **given,
    }


def ask_single_rows(
    assignment: Assignment, network: Network, case: Case, rng: np.random.Generator
) -> tuple[Call, Expectation]:
    """Ask for the loss of single rows: what is wrong with one row, and what with putting rows together."""
    X, y = rng.normal(size=(SINGLE_ROWS, case.X.shape[1])), np.arange(SINGLE_ROWS) % case.classes
    steps = tuple(loss_step(X[i : i + 1], y[i : i + 1], 0.0) for i in range(SINGLE_ROWS))
    losses = [network.data_loss(case.params, X[i : i + 1], y[i : i + 1]) for i in range(SINGLE_ROWS)]
    return make_call(QuestionId("single"), case, steps, assignment.limits.call_seconds), {
        "y": y,
        "losses": np.array(losses),
    }


def ask_narrow(assignment: Assignment, network: Network, seed: int) -> Iterator[tuple[Call, Expectation]]:
    """Ask a network whose last layer is given less than there are classes for scores, loss and gradients, without regulariser."""
    for letter, sizes in zip("ab", NARROW_SIZES if network.depth < 3 else DEEP_NARROW_SIZES, strict=True):
        rows, inputs, hidden, classes = sizes
        layers = (rows, *range(inputs, inputs + network.depth - 1), hidden, classes)
        rng = stream(seed, f"narrow {letter}")
        draw = partial(draw_case, network, letter, layers, rng, absent=False, biases=assignment.biases)
        case = draw(solved=network.depth < 3)
        while not _tells_units(network, case):
            case = draw()
        steps = (Step("loss", {"X": case.X}), loss_step(case.X, case.y, 0.0))
        answer = {
            **loss_parts(network, case.params, case.X, case.y),
            "scores": network.scores(case.params, case.X),
            **hidden_layers(network, case.params, case.X),
        }
        yield make_call(QuestionId("narrow", letter), case, steps, assignment.limits.call_seconds), answer


def _tells_units(network: Network, case: Case) -> bool:
    """Return whether the gradients of all hidden layers but the first have as many directions as rows: x^T d then tells x."""
    made = follow(network, case.params, case.X, case.y, 0.0, {}, whole=False)
    for k in range(2, network.depth):
        d = made[f"d u{k}"]
        sizes = np.linalg.svd(d if d.ndim == 2 else np.concatenate(list(d), axis=1), compute_uv=False)
        if sizes[-1] < 1e-2 * sizes[0]:
            return False
    return True
