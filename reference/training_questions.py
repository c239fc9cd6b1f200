"""The questions about train() and about what comes of it, each with the reference's answer."""

from collections.abc import Iterator, Mapping

import numpy as np

from grader.model import Array, Assignment, Call, Expectation, Floats, Params, QuestionId, Step
from grader.sandbox.stand_in_replies import StandIn
from reference.cases import Case, draw_case, with_hidden
from reference.digits import digits, digits_settings, digits_sizes, digits_start, hash_seed, stream
from reference.network import Network
from reference.question_parts import loss_parts, loss_step, make_call
from reference.simulate import perform

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
# What is recorded line by line: small, since each line's values travel; all sizes differ, and a class is absent.
RECORDED_SIZES = (7, 8, 9, 4)
RECORDED_BATCH, RECORDED_ITERATIONS, RECORDED_VAL = 6, 5, 10  # three iterations an epoch, and two of the next
RECORDED = {"learning_rate": 0.3, "learning_rate_decay": 0.7}
WATCHED_ROWS = 20


def _watch_train(data: Mapping[str, Array], settings: Mapping[str, float], replaced: list[str], **counts: int) -> Step:
    return Step("watch", {"method": "train", "replaced": replaced, **data, **settings, **counts, "verbose": False})


def ask_same_rows(assignment: Assignment, network: Network, seed: int) -> Iterator[tuple[Call, Expectation]]:
    """Ask for train() on one row many times over: with stand-ins, and then with the program's own loss()."""
    rng = stream(seed, "same rows")
    seconds, chance = assignment.limits.call_seconds, hash_seed(seed, "same rows")
    both = ["loss", "predict"]
    while True:
        sizes = with_hidden(SAME_SIZES, network.depth)
        case = draw_case(network, "same", sizes, rng, absent=False, biases=assignment.biases)
        # The row with the label 0: programs that count classes from the labels of a batch do not stop at it.
        row = int(case.y.argmin())
        X, y = np.repeat(case.X[row : row + 1], SAME_ROWS, axis=0), np.repeat(case.y[row], SAME_ROWS)
        data = {"X": X, "y": y, "X_val": case.X, "y_val": case.y}
        watch = _watch_train(data, SAME, both, num_iters=SAME_ITERATIONS, batch_size=SAME_BATCH)
        watched = make_call(QuestionId("watched", "same"), case, (watch,), seconds, seed=chance)
        kept = perform(network, watched).results[0]["answer"]
        # Accuracies that are 0, or the same for both sets of rows, hide that they are in percent, or exchanged.
        if kept["val_acc_history"].any() and (kept["train_acc_history"] != kept["val_acc_history"]).any():
            break
    answer: Expectation = {f"param_{name}": value for name, value in case.params.items()}
    yield watched, answer
    large = _watch_train(data, {**SAME, "times": LARGE}, both, num_iters=1, batch_size=SAME_BATCH)
    yield make_call(QuestionId("watched", "large"), case, (large,), seconds, seed=chance), answer
    own = loss_step(X[:SAME_BATCH], y[:SAME_BATCH], SAME["reg"])
    answer = {**answer, **loss_parts(network, case.params, X[:SAME_BATCH], y[:SAME_BATCH])}
    for count in WHOLE_RUNS:
        train = _watch_train(data, SAME, ["predict"], num_iters=count, batch_size=SAME_BATCH)
        before, after = (own,) if count == WHOLE_RUNS[0] else (), (own,) if count < WHOLE_RUNS[-1] else ()
        yield make_call(QuestionId("whole", str(count)), case, (*before, train, *after), seconds, seed=chance), answer


def ask_different_rows(assignment: Assignment, network: Network, seed: int) -> tuple[Call, Expectation]:
    """Ask for train() with stand-ins on rows that all differ: which of them are used, with which labels and settings."""
    rng = stream(seed, "different rows")
    case = draw_case(
        network, "rows", with_hidden(ROWS_SIZES, network.depth), rng, absent=False, biases=assignment.biases
    )
    X_val = rng.normal(size=(ROWS_VAL, ROWS_SIZES[1]))
    data = {"X": case.X, "y": case.y, "X_val": X_val, "y_val": np.arange(ROWS_VAL) % case.classes}
    watch = _watch_train(data, ROWS, ["loss", "predict"], num_iters=ROWS_ITERATIONS, batch_size=ROWS_BATCH)
    call = make_call(
        QuestionId("watched", "rows"),
        case,
        (watch,),
        assignment.limits.call_seconds,
        seed=hash_seed(seed, "different rows"),
    )
    return call, {f"param_{name}": value for name, value in case.params.items()}


def ask_watched_predict(assignment: Assignment, network: Network, case: Case, seed: int) -> tuple[Call, Expectation]:
    """Ask for predict() with a stand-in for loss(): the labels of the scores that it is given, if it asks for them."""
    X = stream(seed, "watched rows").normal(size=(WATCHED_ROWS, case.X.shape[1]))
    step = Step("watch", {"method": "predict", "replaced": ["loss"], "X": X})
    call = make_call(
        QuestionId("watched", "predict"),
        case,
        (step,),
        assignment.limits.call_seconds,
        seed=hash_seed(seed, "watched rows"),
    )
    given = StandIn(call.seed, {name: value.shape for name, value in case.params.items()}, case.classes).labels(0, X)
    return call, {"given": given, "labels": network.predict(case.params, X)}


def ask_alone(assignment: Assignment, network: Network, seed: int) -> Iterator[tuple[Call, Expectation]]:
    """Ask for one iteration of train() as it is, for the programs that stand-ins cannot watch."""
    case = draw_case(
        network,
        "alone",
        with_hidden(ALONE_SIZES, network.depth),
        stream(seed, "alone"),
        absent=False,
        biases=assignment.biases,
    )
    data = {"X": case.X, "y": case.y, "X_val": case.X[:ALONE_BATCH], "y_val": case.y[:ALONE_BATCH]}
    rates = {"learning_rate": ALONE_RATE, "learning_rate_decay": 1.0, "reg": 0.0}
    step = _watch_train(data, rates, ["predict"], num_iters=1, batch_size=ALONE_BATCH)
    single = [network.gradients(case.params, case.X[i : i + 1], case.y[i : i + 1], 0.0) for i in range(len(case.y))]
    answer: Expectation = {
        **{f"row_{name}": np.array([one[name] for one in single]) for name in case.params},
        **{f"param_{name}": value for name, value in case.params.items()},
    }
    for run in ALONE_RUNS:
        chance = hash_seed(seed, f"alone {run}")
        yield (
            make_call(QuestionId("alone", str(run)), case, (step,), assignment.limits.call_seconds, seed=chance),
            answer,
        )


def _train(
    network: Network, params: Params, data: Mapping[str, Array], settings: Mapping[str, float], seed: int
) -> Floats:
    rng = np.random.RandomState(seed)
    history = network.train(params, **data, **settings, rng=rng).loss_history  # type: ignore[arg-type]  # counts are whole in every caller's table
    return np.asarray(history, dtype=np.float64)


def ask_digits(assignment: Assignment, network: Network, seed: int) -> tuple[Call, Expectation]:
    """Ask for a training on the digits, and the scores of the test rows after it."""
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
        digits_sizes(assignment.digits.hidden_size, network.depth),
        params,
        steps,
        hash_seed(seed, "digits"),
        assignment.limits.train_seconds,
    )
    history = _train(network, params, split.data, settings, call.seed)
    return call, {"X": split.X_test, "y": split.y_test, "loss_history": history}


def ask_chosen(assignment: Assignment, seed: int) -> tuple[Call, Expectation]:
    """Ask for the chosen hyperparameters, and for the parameters that `ask_tuned` begins with: its chance is the same."""
    name, sizes = {"name": "best_hyperparameters"}, digits_sizes(1, assignment.variant.depth)
    steps = Step("variable", name), Step("begin_with", {**name, "bounds": _bounds(assignment)})
    return Call(QuestionId("chosen"), sizes, {}, steps, hash_seed(seed, "tuned"), assignment.limits.load_seconds), {}


def ask_tuned(assignment: Assignment, seed: int) -> tuple[Call, Expectation]:
    """Ask for a network that is trained with the chosen hyperparameters."""
    split, sizes = digits(assignment.folder, seed), digits_sizes(1, assignment.variant.depth)
    given = {"name": "best_hyperparameters", "bounds": _bounds(assignment), **split.data}
    steps = Step("train_with", given), Step("params"), Step("loss", {"X": split.X_test})
    call = Call(QuestionId("tuned"), sizes, {}, steps, hash_seed(seed, "tuned"), assignment.limits.train_seconds)
    return call, {"X": split.X_test, "y": split.y_test}


def _bounds(assignment: Assignment) -> dict[str, list[float]]:
    return {name: [bound.low, bound.high, bound.whole] for name, bound in assignment.hyperparameters.items()}


def ask_recorded(assignment: Assignment, network: Network, seed: int) -> Call:
    """Ask for all that the program's lines make, once; last, so that no tracer is near anything that is judged."""
    case = draw_case(
        network,
        "recorded",
        with_hidden(RECORDED_SIZES, network.depth),
        stream(seed, "recorded"),
        absent=True,
        biases=assignment.biases,
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
    return Call(QuestionId("recorded"), case.sizes, case.params, steps, hash_seed(seed, "recorded"), seconds)
