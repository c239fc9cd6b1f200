"""The questions that a grading asks, drawn from a seed, and the reference's answers to them.

What hides a mistake is kept out of the draw: biases are never zero, N D H C differ within a case, one case misses a
class, every pre-activation keeps away from its kink, the two best scores are apart, and train() is asked on identical
rows, where sampling cannot matter. Only the calls reach a student's process; the answers stay with the grader.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np

from grader.model import Array, Assignment, Call, Expectation, Floats, Oracle, Params, QuestionId, Questions, Step
from grader.sandbox.stand_in_replies import StandIn
from reference.digits import digits, digits_settings, digits_start, stream
from reference.network import Network, build
from reference.recompute import follow
from reference.simulate import build_catalogue

KINK_MARGIN = 0.01  # smallest |u| of a case: a thousand steps of the central differences away from the kink
RANK_MARGIN = 0.3  # smallest singular value of X and h, so that the gradient that reached a layer can be solved for
SCORE_MARGIN = 0.05  # between the two best scores of a row, so that argmax cannot turn on rounding
SHIFTS = (1000.0, -1000.0)  # exp(1000) overflows; right code subtracts the row's maximum and sees no difference

# train() on one row six times over, half a set a batch: two iterations an epoch, decay 0.5. Which rows are drawn cannot
# matter, so two programs that train alike take the same steps, digit for digit.
# Right programs show the rates 1, 0.5, 0.5, 0.25 of the learning rate (or 1, 1, 0.5, 0.5 if they decay at the end).
# N_val, the batch and C are equal (3 in both), so that a predict() along the wrong axis does not stop train().
SAME_SIZES, SAME_ROWS, SAME_BATCH, SAME_ITERATIONS = (3, 6, 9, 3), 6, 3, 4
SAME = {"learning_rate": 0.05, "learning_rate_decay": 0.5, "reg": 0.02}
LARGE = 1e4  # times a real gradient: what a clipping that never bites otherwise cuts off
WHOLE_RUNS = (1, 2, 3)  # iterations of the runs with the program's own loss()
# train() on rows that all differ, five iterations an epoch. No two of its numbers are equal, so that none can stand in
# for another unseen; inputs and classes are fewer than rows, so that indices drawn from them show; a share of seven is no
# share of nine, so that accuracies that are exchanged show.
ROWS_SIZES, ROWS_BATCH, ROWS_ITERATIONS, ROWS_VAL = (35, 4, 11, 3), 7, 6, 9
ROWS = {"learning_rate": 0.4, "learning_rate_decay": 0.8, "reg": 0.3}
# One iteration of train() with nothing replaced, on rows whose gradients are linearly independent, so that the step tells
# which of them were in the batch: for the programs that stand-ins cannot watch. Three times, each with other chance.
ALONE_SIZES, ALONE_BATCH, ALONE_RUNS, ALONE_RATE = (12, 5, 14, 3), 3, (1, 2, 3), 0.05
# Fewer hidden units than classes: scores that come from such a layer tell what its units were.
NARROW_SIZES = ((5, 9, 3, 6), (4, 8, 3, 7))
# What is recorded line by line: small, since each line's values travel; all sizes differ, and a class is absent.
RECORDED_SIZES = (7, 8, 9, 4)
RECORDED_BATCH, RECORDED_ITERATIONS, RECORDED_VAL = 6, 5, 10  # three iterations an epoch, and two of the next
RECORDED = {"learning_rate": 0.3, "learning_rate_decay": 0.7}
SINGLE_ROWS = 12
MANY_ROWS = 200  # a forgotten bias turns one label in twenty
WATCHED_ROWS = 20
# The published toy case, but drawn without the constructor: a student's own initialisation differs.
# Each row stands ten times: of five rows that are drawn from five, some miss one for so long that chance cost two points.
TOY = {"learning_rate": 1e-1, "learning_rate_decay": 0.95, "reg": 5e-6, "num_iters": 100, "batch_size": 25}
TOY_COPIES = 10
# iterations x batch x hidden units that the grader spends itself on a second opinion of hyperparameters: about 1 s.
TRIAL_BUDGET = 2e7


@dataclass(frozen=True)
class Case:
    """One set of sizes with its inputs, labels and parameters."""

    name: str
    X: Floats  # (N, D)
    y: Array  # (N,) int64
    params: Params
    classes: int

    @property
    def sizes(self) -> tuple[int, int, int]:
        """D, H, C."""
        first = next(iter(self.params.values()))
        return self.X.shape[1], first.shape[-1], self.classes


def network_of(assignment: Assignment) -> Network:
    """Build the network that the assignment asks for; "either" is judged from its parts, so full stands in."""
    variant = assignment.variant
    regulariser = "full" if variant.regulariser == "either" else variant.regulariser
    w1, b1, w2, b2 = variant.names
    return build(activation=variant.activation, loss=variant.loss, regulariser=regulariser, names=((w1, b1), (w2, b2)))


def draw(assignment: Assignment, seed: int) -> Questions:
    """Draw all calls from `seed` and answer them with the reference."""
    network = network_of(assignment)
    calls: list[Call] = []
    expected: dict[QuestionId, Expectation] = {}
    for call, answer in _all(assignment, network, seed):
        calls.append(call)
        expected[call.id] = answer
    recorded = _recorded(assignment, network, seed)
    expected[recorded.id] = {}
    calls.append(recorded)
    oracle = _oracle(assignment, network, seed, recorded)
    return Questions(tuple(calls), expected, oracle, build_catalogue(assignment, network, calls))


def _all(assignment: Assignment, network: Network, seed: int) -> Iterator[tuple[Call, Expectation]]:
    letters = "abcdefghijklmnopqrstuvwxyz"
    cases = [
        draw_case(
            network,
            letters[index],
            sizes,
            stream(seed, f"case {index}"),
            absent=index == len(assignment.sizes) - 1,
            biases=assignment.biases,
            solved=True,
        )
        for index, sizes in enumerate(assignment.sizes)
    ]
    seconds = assignment.limits.call_seconds
    # First: the right losses are those of the first plain calls, which a loss that overflows could have kept to replay.
    yield from _stability(assignment, network, cases[0])
    for case in cases:
        yield from _forward(assignment, network, case, seconds)
    yield _many_labels(network, cases, seed, seconds)
    yield _numeric(assignment, network, cases[0])
    yield _purity(assignment, cases[0])
    yield _single_rows(assignment, network, cases[0], stream(seed, "single rows"))
    yield from _narrow(assignment, network, seed)
    # Before the runs with the program's own loss(): where that never ends, no more of train() would be asked.
    yield _different_rows(assignment, network, seed)
    yield _watched_predict(assignment, network, cases[1], seed)
    yield from _same_rows(assignment, network, seed)
    yield from _alone(assignment, network, seed)
    yield _toy(assignment, network)
    yield _digits(assignment, network, seed)
    yield from _tuned(assignment, seed)


def draw_case(
    network: Network,
    name: str,
    sizes: tuple[int, int, int, int],
    rng: np.random.Generator,
    *,
    absent: bool,
    biases: float = 0.6,
    solved: bool = False,
) -> Case:
    """Draw inputs, labels and parameters of one case.

    sizes : N, D, H, C. absent : leave the last class out of the labels, which programs that count classes
    from the labels get wrong. biases : their standard deviation. solved : what reached a layer is to be solved for.
    """
    rows, inputs, hidden, classes = sizes
    for _ in range(2_000):
        X = rng.normal(size=(rows, inputs))
        params = {
            key: rng.normal(scale=1.2 / np.sqrt(shape[-2]) if len(shape) > 1 else biases, size=shape)
            for key, shape in network.shapes((inputs, hidden, classes)).items()
        }
        scores = network.scores(params, X)
        best = np.sort(scores, axis=1)
        if (
            _kink_distance(network, params, X) > KINK_MARGIN
            and (best[:, -1] - best[:, -2]).min() > SCORE_MARGIN
            and np.ptp(scores.argmax(axis=1))  # else a predict() that returns one number would be right
            and (not solved or _can_be_solved(network, params, X))
        ):
            labels = rng.permutation(np.arange(rows) % (classes - 1 if absent else classes))
            return Case(name, X, labels.astype(np.int64), params, classes)
    raise ValueError(f"no case of sizes {sizes} keeps {KINK_MARGIN} away from every kink: use fewer rows or units")


def _kink_distance(network: Network, params: Params, X: Floats) -> float:
    weights, bias = network.names[0]
    return float(np.abs(X @ params[weights] + params[bias]).min())


def _can_be_solved(network: Network, params: Params, X: Floats) -> bool:
    """Return whether each row has an active unit, and X and h have full rank with a margin where their sizes allow it."""
    h = network.forward(params, X)[0].h
    if not (h > 0).any(axis=1).all():
        return False
    wide = [array for array in (X, h) if array.shape[0] <= array.shape[1]]
    return all(np.linalg.svd(array, compute_uv=False)[-1] > RANK_MARGIN for array in wide)


def hashed(seed: int, purpose: str) -> int:
    """Return the seed, 32 bits, of one question's random numbers: from it nobody finds the seed of the grading."""
    return int.from_bytes(hashlib.blake2b(f"{seed} {purpose}".encode(), digest_size=4).digest(), "big")


def _call(
    identity: QuestionId,
    case: Case,
    steps: tuple[Step, ...],
    seconds: float,
    *,
    params: Params | None = None,
    seed: int = 0,
) -> Call:
    return Call(identity, case.sizes, case.params if params is None else params, steps, seed, seconds)


def _to_six_digits(reg: float) -> float:
    """Return the regulariser's strength as the text of an id has it: a reply from a gradebook is found by that."""
    return float(f"{reg:g}")


def _loss_step(X: Floats, y: Array, reg: float) -> Step:
    return Step("loss", {"X": X, "y": y, "reg": reg})


def loss_parts(network: Network, params: Params, X: Floats, y: Array) -> Expectation:
    """Return loss and gradients in two parts, so that either convention of the regulariser can be put together.

    loss = data_loss + k reg penalty and gradient = data_NAME + k reg penalty_NAME, with k = 1/2 or 1 (000, 001: half;
    003, 004: full).
    """
    bare, whole = network.gradients(params, X, y, 0.0), network.gradients(params, X, y, 1.0)
    data = network.data_loss(params, X, y)
    # Taken from the whole, not from penalty(): so a wrong network's way of adding the regulariser shows as well.
    parts: dict[str, Array] = {
        "data_loss": np.asarray(data),
        "penalty": np.asarray((network.loss(params, X, y, 1.0) - data) / network.coefficient),
    }
    parts |= {f"data_{name}": value for name, value in bare.items()}
    parts |= {f"penalty_{name}": (whole[name] - bare[name]) / network.coefficient for name in bare}
    return parts


def _forward(
    assignment: Assignment, network: Network, case: Case, seconds: float
) -> Iterator[tuple[Call, Expectation]]:
    scores = network.scores(case.params, case.X)
    yield _call(QuestionId("scores", case.name), case, (Step("loss", {"X": case.X}),), seconds), {"scores": scores}
    parts = {**loss_parts(network, case.params, case.X, case.y), "h": network.forward(case.params, case.X)[0].h}
    for reg in assignment.regs:
        step = _loss_step(case.X, case.y, reg)
        yield (
            _call(QuestionId("loss", case.name, _to_six_digits(reg)), case, (step,), seconds),
            {**parts, "reg": np.asarray(reg)},
        )
    labels = network.predict(case.params, case.X)
    yield (
        _call(QuestionId("predict", case.name), case, (Step("predict", {"X": case.X}),), seconds),
        {"labels": labels, "scores": scores},
    )


def _many_labels(network: Network, cases: list[Case], seed: int, seconds: float) -> tuple[Call, Expectation]:
    """Ask for the labels of many rows: half a dozen are the same by chance for one mistake and another.

    They are asked of the case whose labels vary most: where one class wins nearly always, most mistakes leave it the winner.
    In one row of seven all scores are below zero, so that a ReLU on them shows.
    """

    def asked(case: Case) -> tuple[Floats, Array]:
        X = stream(seed, "many labels").normal(size=(MANY_ROWS, case.X.shape[1]))
        return X, network.predict(case.params, X)

    case = min(cases, key=lambda one: int(np.bincount(asked(one)[1]).max()))
    (X, labels), last = asked(case), network.names[-1][1]
    highest = float(np.quantile(network.scores(case.params, X).max(axis=1), 0.15))
    case = replace(case, params={**case.params, last: case.params[last] - highest})
    steps = (Step("predict", {"X": X}), Step("loss", {"X": X}))
    return _call(QuestionId("labels"), case, steps, seconds), {
        "labels": labels,
        "scores": network.scores(case.params, X),
    }


def _numeric(assignment: Assignment, network: Network, case: Case) -> tuple[Call, Expectation]:
    """Ask for the student's own loss around the case, at the middle reg; it is held to their gradients there."""
    reg = sorted(assignment.regs)[1]
    arguments = {"X": case.X, "y": case.y, "reg": reg, "h": assignment.tolerances.step}
    step = Step("sweep", arguments)
    # Two hundred losses, each of which a program with loops over rows and classes takes a millisecond for.
    seconds = 2 * assignment.limits.call_seconds
    return _call(QuestionId("sweep", case.name, _to_six_digits(reg)), case, (step,), seconds), {
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


def _stability(assignment: Assignment, network: Network, case: Case) -> Iterator[tuple[Call, Expectation]]:
    """Shift all scores of a row by one constant, through the last bias: probabilities do not change by it (004)."""
    last = network.names[-1][1]
    parts = loss_parts(network, case.params, case.X, case.y)
    for shift in SHIFTS:
        shifted = {**case.params, last: case.params[last] + shift}
        step = _loss_step(case.X, case.y, 0.0)
        yield (
            _call(QuestionId("stability", f"{shift:g}"), case, (step,), assignment.limits.call_seconds, params=shifted),
            {**parts, "reg": np.asarray(0.0)},
        )
    yield _one_row_shifted(assignment, network, case)


def _one_row_shifted(assignment: Assignment, network: Network, case: Case) -> tuple[Call, Expectation]:
    """Shift the scores of the first row alone, through a hidden unit that only this row reaches.

    Subtracting the maximum of the whole batch, as every seventh student does, leaves the other rows exp(-1000) = 0.
    """
    (w1, b1), (w2, _) = network.names
    X, params = case.X.copy(), {name: value.copy() for name, value in case.params.items()}
    X[:, 0] = 0.0
    X[0, 0] = SHIFTS[0]
    params[w1][0, :], params[w1][:, 0] = 0.0, 0.0
    params[w1][0, 0], params[b1][0], params[w2][0, :] = 1.0, 0.0, 1.0
    answer = {**loss_parts(network, params, X, case.y), "reg": np.asarray(0.0)}
    step = _loss_step(X, case.y, 0.0)
    return _call(QuestionId("stability", "row"), case, (step,), assignment.limits.call_seconds, params=params), answer


def _purity(assignment: Assignment, case: Case) -> tuple[Call, Expectation]:
    """Ask the same twice, then look at what was handed over."""
    step = _loss_step(case.X, case.y, sorted(assignment.regs)[1])
    steps = (step, step, Step("params"), Step("arguments"))
    given = {f"param_{name}": value for name, value in case.params.items()}
    return _call(QuestionId("purity"), case, steps, assignment.limits.call_seconds), {"X": case.X, "y": case.y, **given}


def _single_rows(
    assignment: Assignment, network: Network, case: Case, rng: np.random.Generator
) -> tuple[Call, Expectation]:
    """Ask for the loss of single rows: what is wrong with one row, and what with putting rows together."""
    X, y = rng.normal(size=(SINGLE_ROWS, case.X.shape[1])), np.arange(SINGLE_ROWS) % case.classes
    steps = tuple(_loss_step(X[i : i + 1], y[i : i + 1], 0.0) for i in range(SINGLE_ROWS))
    losses = [network.data_loss(case.params, X[i : i + 1], y[i : i + 1]) for i in range(SINGLE_ROWS)]
    return _call(QuestionId("single"), case, steps, assignment.limits.call_seconds), {
        "y": y,
        "losses": np.array(losses),
    }


def _narrow(assignment: Assignment, network: Network, seed: int) -> Iterator[tuple[Call, Expectation]]:
    """Ask a network with fewer hidden units than classes for its scores, its loss and its gradients, without regulariser."""
    for letter, sizes in zip("ab", NARROW_SIZES, strict=True):
        rng = stream(seed, f"narrow {letter}")
        case = draw_case(network, letter, sizes, rng, absent=False, biases=assignment.biases, solved=True)
        steps = (Step("loss", {"X": case.X}), _loss_step(case.X, case.y, 0.0))
        answer = {
            **loss_parts(network, case.params, case.X, case.y),
            "scores": network.scores(case.params, case.X),
            "h": network.forward(case.params, case.X)[0].h,
        }
        yield _call(QuestionId("narrow", letter), case, steps, assignment.limits.call_seconds), answer


def _watch_train(data: Mapping[str, Array], settings: Mapping[str, float], replaced: list[str], **counts: int) -> Step:
    return Step("watch", {"method": "train", "replaced": replaced, **data, **settings, **counts, "verbose": False})


def _same_rows(assignment: Assignment, network: Network, seed: int) -> Iterator[tuple[Call, Expectation]]:
    """Ask for train() on one row many times over: with stand-ins, and then with the program's own loss()."""
    rng = stream(seed, "same rows")
    case = draw_case(network, "same", SAME_SIZES, rng, absent=False, biases=assignment.biases)
    # The row with the label 0: programs that count classes from the labels of a batch do not stop at it.
    row = int(case.y.argmin())
    X, y = np.repeat(case.X[row : row + 1], SAME_ROWS, axis=0), np.repeat(case.y[row], SAME_ROWS)
    data = {"X": X, "y": y, "X_val": case.X, "y_val": case.y}
    seconds, chance = assignment.limits.call_seconds, hashed(seed, "same rows")
    answer: Expectation = {f"param_{name}": value for name, value in case.params.items()}
    both = ["loss", "predict"]
    watch = _watch_train(data, SAME, both, num_iters=SAME_ITERATIONS, batch_size=SAME_BATCH)
    yield _call(QuestionId("watched", "same"), case, (watch,), seconds, seed=chance), answer
    large = _watch_train(data, {**SAME, "times": LARGE}, both, num_iters=1, batch_size=SAME_BATCH)
    yield _call(QuestionId("watched", "large"), case, (large,), seconds, seed=chance), answer
    own = _loss_step(X[:SAME_BATCH], y[:SAME_BATCH], SAME["reg"])
    answer = {**answer, **loss_parts(network, case.params, X[:SAME_BATCH], y[:SAME_BATCH])}
    for count in WHOLE_RUNS:
        train = _watch_train(data, SAME, ["predict"], num_iters=count, batch_size=SAME_BATCH)
        before, after = (own,) if count == WHOLE_RUNS[0] else (), (own,) if count < WHOLE_RUNS[-1] else ()
        yield _call(QuestionId("whole", str(count)), case, (*before, train, *after), seconds, seed=chance), answer


def _different_rows(assignment: Assignment, network: Network, seed: int) -> tuple[Call, Expectation]:
    """Ask for train() with stand-ins on rows that all differ: which of them are used, with which labels and settings."""
    rng = stream(seed, "different rows")
    case = draw_case(network, "rows", ROWS_SIZES, rng, absent=False, biases=assignment.biases)
    X_val = rng.normal(size=(ROWS_VAL, ROWS_SIZES[1]))
    data = {"X": case.X, "y": case.y, "X_val": X_val, "y_val": np.arange(ROWS_VAL) % case.classes}
    watch = _watch_train(data, ROWS, ["loss", "predict"], num_iters=ROWS_ITERATIONS, batch_size=ROWS_BATCH)
    call = _call(
        QuestionId("watched", "rows"),
        case,
        (watch,),
        assignment.limits.call_seconds,
        seed=hashed(seed, "different rows"),
    )
    return call, {f"param_{name}": value for name, value in case.params.items()}


def _watched_predict(assignment: Assignment, network: Network, case: Case, seed: int) -> tuple[Call, Expectation]:
    """Ask for predict() with a stand-in for loss(): the labels of the scores that it is given, if it asks for them."""
    X = stream(seed, "watched rows").normal(size=(WATCHED_ROWS, case.X.shape[1]))
    step = Step("watch", {"method": "predict", "replaced": ["loss"], "X": X})
    call = _call(
        QuestionId("watched", "predict"),
        case,
        (step,),
        assignment.limits.call_seconds,
        seed=hashed(seed, "watched rows"),
    )
    given = StandIn(call.seed, {name: value.shape for name, value in case.params.items()}, case.classes).labels(0, X)
    return call, {"given": given, "labels": network.predict(case.params, X)}


def _alone(assignment: Assignment, network: Network, seed: int) -> Iterator[tuple[Call, Expectation]]:
    """Ask for one iteration of train() as it is, for the programs that stand-ins cannot watch."""
    case = draw_case(network, "alone", ALONE_SIZES, stream(seed, "alone"), absent=False, biases=assignment.biases)
    data = {"X": case.X, "y": case.y, "X_val": case.X[:ALONE_BATCH], "y_val": case.y[:ALONE_BATCH]}
    rates = {"learning_rate": ALONE_RATE, "learning_rate_decay": 1.0, "reg": 0.0}
    step = _watch_train(data, rates, ["predict"], num_iters=1, batch_size=ALONE_BATCH)
    single = [network.gradients(case.params, case.X[i : i + 1], case.y[i : i + 1], 0.0) for i in range(len(case.y))]
    answer: Expectation = {
        **{f"row_{name}": np.array([one[name] for one in single]) for name in case.params},
        **{f"param_{name}": value for name, value in case.params.items()},
    }
    for run in ALONE_RUNS:
        chance = hashed(seed, f"alone {run}")
        yield _call(QuestionId("alone", str(run)), case, (step,), assignment.limits.call_seconds, seed=chance), answer


def toy_case(network: Network) -> Case:
    """Draw the published toy case: numpy's legacy seeds 0 for the network and 1 for the data."""
    rng = np.random.RandomState(0)
    params = {
        name: 0.1 * rng.randn(*shape) if len(shape) > 1 else np.zeros(shape)
        for name, shape in network.shapes((4, 10, 3)).items()
    }
    X = 10 * np.random.RandomState(1).randn(5, 4)
    return Case("toy", X, np.array([0, 1, 2, 2, 1]), params, 3)


def _toy(assignment: Assignment, network: Network) -> tuple[Call, Expectation]:
    case = toy_case(network)
    X, y = np.tile(case.X, (TOY_COPIES, 1)), np.tile(case.y, TOY_COPIES)
    data = {"X": X, "y": y, "X_val": case.X, "y_val": case.y}
    steps = (
        Step("train", {**data, **TOY, "verbose": False}),
        Step("params"),
        Step("loss", {"X": case.X}),
    )
    trained = _train(network, case.params, data, TOY, seed=0)
    answer = {"X": case.X, "y": case.y, "loss_history": trained}
    return _call(QuestionId("toy"), case, steps, assignment.limits.train_seconds), answer


def _train(
    network: Network, params: Params, data: Mapping[str, Array], settings: Mapping[str, float], seed: int
) -> Floats:
    rng = np.random.RandomState(seed % 2**32)
    history = network.train(params, **data, **settings, rng=rng).loss_history  # type: ignore[arg-type]  # counts are whole in every caller's table
    return np.asarray(history, dtype=np.float64)


def _digits(assignment: Assignment, network: Network, seed: int) -> tuple[Call, Expectation]:
    split = digits(assignment.folder, seed)
    params = digits_start(assignment, network, seed)
    settings = digits_settings(assignment)
    steps = (
        Step("train", {**split.data, **settings, "verbose": False}),
        Step("params"),
        Step("loss", {"X": split.X_test}),
    )
    call = Call(
        QuestionId("digits"),
        (64, assignment.digits.hidden_size, 10),
        params,
        steps,
        hashed(seed, "digits"),
        assignment.limits.train_seconds,
    )
    history = _train(network, params, split.data, settings, seed)
    return call, {"X": split.X_test, "y": split.y_test, "loss_history": history}


def _tuned(assignment: Assignment, seed: int) -> Iterator[tuple[Call, Expectation]]:
    """Ask for the chosen hyperparameters, and then for a network that is trained with them."""
    split = digits(assignment.folder, seed)
    bounds = {name: [bound.low, bound.high, bound.whole] for name, bound in assignment.hyperparameters.items()}
    name, sizes, chance = {"name": "best_hyperparameters"}, (64, 1, 10), hashed(seed, "tuned")
    yield Call(QuestionId("chosen"), sizes, {}, (Step("variable", name),), chance, assignment.limits.load_seconds), {}
    steps = (
        Step("train_with", {**name, "bounds": bounds, **split.data}),
        Step("params"),
        Step("loss", {"X": split.X_test}),
    )
    answer: Expectation = {"X": split.X_test, "y": split.y_test}
    yield Call(QuestionId("tuned"), sizes, {}, steps, chance, assignment.limits.train_seconds), answer


def _recorded(assignment: Assignment, network: Network, seed: int) -> Call:
    """Ask for all that the program's lines make, once; last, so that no tracer is near anything that is judged."""
    case = draw_case(
        network, "recorded", RECORDED_SIZES, stream(seed, "recorded"), absent=True, biases=assignment.biases
    )
    rng = stream(seed, "recorded training")
    X, y = rng.normal(size=(3 * RECORDED_BATCH, case.X.shape[1])), np.arange(3 * RECORDED_BATCH) % case.classes
    reg = sorted(assignment.regs)[1]
    asked = {"method": "loss", "replaced": []}
    settings = {
        **RECORDED,
        "reg": reg,
        "num_iters": RECORDED_ITERATIONS,
        "batch_size": RECORDED_BATCH,
        "verbose": False,
    }
    training = {"X": X, "y": y, "X_val": X[:RECORDED_VAL] + 1, "y_val": y[:RECORDED_VAL], **settings}
    steps = (
        Step("record", {**asked, "X": case.X}),
        Step("record", {**asked, "X": case.X, "y": case.y, "reg": reg}),
        Step("record", {"method": "predict", "replaced": [], "X": case.X}),
        Step("record", {"method": "train", "replaced": ["loss", "predict"], **training}),
    )
    seconds = assignment.limits.call_seconds
    return Call(QuestionId("recorded"), case.sizes, case.params, steps, hashed(seed, "recorded"), seconds)


def _oracle(assignment: Assignment, network: Network, seed: int, recorded: Call) -> Oracle:
    def trained_accuracy(settings: Mapping[str, float]) -> float:
        return trial(tuple(sorted(settings.items())))

    # Classmates try the same few numbers; each trial costs as much as grading a submission.
    @lru_cache(maxsize=256)
    def trial(items: tuple[tuple[str, float], ...]) -> float:
        settings = dict(items)
        if settings["num_iters"] * settings["batch_size"] * settings["hidden_size"] > TRIAL_BUDGET:
            return 0.0
        split = digits(assignment.folder, seed)
        rng = np.random.RandomState(seed % 2**32)
        params = network.initialise((64, int(settings["hidden_size"]), 10), assignment.digits.initial_std, rng)
        arguments = {name: value for name, value in settings.items() if name != "hidden_size"}
        arguments |= {name: int(arguments[name]) for name in ("num_iters", "batch_size")}
        with np.errstate(all="ignore"):  # a learning rate that is too large runs away, and that is the answer
            trained = network.train(params, **split.data, **arguments, rng=rng)  # type: ignore[arg-type]  # made whole above
            return float((network.predict(trained.params, split.X_test) == split.y_test).mean())

    asked = recorded.steps[1].arguments

    with_factor = {factor: replace(network, coefficient=factor) for factor in (0.5, 1.0)}

    def followed(factor: float, replaced: Mapping[str, Floats], whole: bool) -> Mapping[str, Floats]:  # noqa: FBT001 -- of the record's type
        right = with_factor[factor]
        return follow(right, recorded.params, asked["X"], asked["y"], asked["reg"], replaced, whole=whole)

    return Oracle(scores=network.scores, trained_accuracy=trained_accuracy, follow=followed)
