"""The reference trains with a student's hyperparameters in the program's place, where nobody gains or loses points by it."""

from __future__ import annotations

import ast
from dataclasses import replace

import numpy as np
import pytest

from conftest import BEST
from grader.checks import CHECKS, GradingContext
from grader.checks.tuning import CHOSEN, TUNED, may_train_in_its_place
from grader.checks.watched_training import LARGE, ROWS, SAME
from grader.checks.whole_runs import RUNS
from grader.grading import find
from grader.model import QuestionId, Reply, Segment, Submission
from grader.packing import pack
from reference.cases import network_of
from reference.digits import digits, digits_settings, digits_start
from reference.oracle import train_silently

STEP = "self.params[name] -= learning_rate * grads[name]"
DRAWN = "indices = np.random.choice(num_train, batch_size)"
LOOP = "for it in range(num_iters):\n"
END = '        return {\n            "loss_history"'
# Of each what is replaced in a right program. The short runs cannot show all of them; what they cost may not depend on that.
TRAINS_ITSELF = {
    "prints now and then": ((STEP, STEP + "\n                if it == 150 and name == 'b2': print(it)"),),
    "warns of something": ((STEP, STEP + "\n                np.log(0.0 * (it > 150) + (it <= 150))"),),
    "clips large gradients": ((STEP, STEP.replace("grads[name]", "np.clip(grads[name], -5, 5)")),),
    "keeps the best parameters": (
        (LOOP, "kept = []\n        " + LOOP),
        (
            "learning_rate *=",
            "kept.append((val_acc_history[-1], it, {n: p.copy() for n, p in self.params.items()}))\n                learning_rate *=",
        ),
        (END, "        self.params.update(max(kept)[2])\n" + END),
    ),
    "momentum": (
        (LOOP, "v = {n: 0 * p for n, p in self.params.items()}\n        " + LOOP),
        (STEP, "v[name] = 0.9 * v[name] - learning_rate * grads[name]\n                self.params[name] += v[name]"),
    ),
    "a constructor of zeros": (("std * np.random.randn(input_size", "0 * np.random.randn(input_size"),),
    "never decays": (("learning_rate *= learning_rate_decay", "pass"),),
    "the same rows for ever": ((DRAWN, "indices = np.arange(batch_size)"),),
    "a softmax that overflows": (("scores - scores.max(axis=1, keepdims=True)", "scores - 0 * scores"),),
    "dropout": (
        ("dhidden = dscores", "hidden = hidden * (np.random.rand(*hidden.shape) > 0.5)\n        dhidden = dscores"),
    ),
}
TRAINED_IN_ITS_PLACE = {
    "right": (),
    "raises after two hundred iterations": ((DRAWN, DRAWN + "\n            assert it < 200"),),
    "stops learning after two hundred": ((STEP, STEP.replace("learning_rate", "learning_rate * (it < 200)")),),
    "one row for ever after ten epochs": (
        (DRAWN, DRAWN + "\n            indices[:] = indices if it < 10 * iterations_per_epoch else 0"),
    ),
}


@pytest.fixture(scope="module")
def submission_of():
    """Return a function that makes a submission of a class's source and its hyperparameters."""

    def make(source, best=BEST):
        program = "import numpy as np\n" + source
        segments = (Segment("test.py", program, tuple(range(len(ast.parse(program).body)))),)
        return Submission("test", "test.py", "", "test.py", segments=segments, extras=(Segment("best", best, (0,)),))

    return make


@pytest.fixture(scope="module")
def run_of(assignment, questions, host, submission_of):
    """Return a function that runs a program; tuned : whether it is asked to train with its hyperparameters in any case."""

    def run(source, best=BEST, *, tuned=False):
        def is_needless(before):
            with np.errstate(all="ignore"):
                return may_train_in_its_place(GradingContext(assignment, questions, before))

        asked = questions.calls, assignment.variant.methods, {} if tuned else {TUNED: is_needless}
        return host.run(submission_of(source, best), "TwoLayerNet", *asked)

    return run


@pytest.fixture(scope="module")
def whole(run_of, solution_class):
    """Return the replies of a right program that trained itself as well."""
    return run_of(solution_class, tuned=True)


@pytest.fixture(scope="module")
def judge_tuned(assignment, questions):
    """Return a function that gives the finding about the hyperparameters in a run."""

    def judge(run, threshold=assignment.digits.tuned_threshold):
        asked = replace(assignment, digits=replace(assignment.digits, tuned_threshold=threshold))
        with np.errstate(all="ignore"):
            return CHECKS["best_hyperparameters"].function(GradingContext(asked, questions, run))

    return judge


@pytest.fixture(scope="module")
def may(assignment, questions):
    """Return a function that says whether the reference may train in a program's place, by its replies."""

    def ask(run):
        with np.errstate(all="ignore"):
            return may_train_in_its_place(GradingContext(assignment, questions, run))

    return ask


def with_reply(run, call, change):
    """Return a run in which one reply is another."""
    return replace(run, replies={**run.replies, call: change(run.replies[call])})


def not_asked(_reply):
    """Return a reply of a question that was needless."""
    return Reply(TUNED, "not_asked")


def test_a_right_program_is_not_asked_and_loses_nothing(run_of, solution_class, judge_tuned, whole):
    """Its points are those that it gets where it trains itself, and the report says who trained."""
    run = run_of(solution_class)
    assert (run.replies[TUNED].outcome, run.replies[TUNED].error) == ("not_asked", None)
    assert run.replies[QuestionId("recorded")].outcome == "returned"
    found, own = judge_tuned(run), judge_tuned(whole)
    assert found.share == own.share == 1
    assert "the reference recognises" in found.message
    assert "the network recognises" in own.message


def test_the_reference_begins_where_the_program_does(whole):
    """The first parameters that the program tells are those that its training would begin with: the chance is the same."""
    _, first = whole.replies[CHOSEN].results
    assert {name: value.shape for name, value in first.items()} == {
        "W1": (64, 32),
        "b1": (32,),
        "W2": (32, 10),
        "b2": (10,),
    }
    assert 0 < first["W1"].std() < 1.1e-4


@pytest.mark.parametrize(
    "name",
    [name if name == "clips large gradients" else pytest.param(name, marks=pytest.mark.slow) for name in TRAINS_ITSELF],
)
def test_what_the_comparisons_show_trains_itself(name, run_of, edited):
    """Another update, other batches, another start, or something to be seen: then the program's own training counts."""
    assert run_of(edited(*TRAINS_ITSELF[name])).replies[TUNED].outcome != "not_asked"


@pytest.mark.slow
@pytest.mark.parametrize("name", TRAINED_IN_ITS_PLACE)
def test_what_no_short_run_shows_costs_and_earns_the_same(name, run_of, edited, judge_tuned):
    """A training that changes later has its points either way: the reference's result earns them where its own does not."""
    source = edited(*TRAINED_IN_ITS_PLACE[name])
    run, asked = run_of(source), run_of(source, tuned=True)
    assert run.replies[TUNED].outcome == "not_asked"
    assert judge_tuned(run).share == judge_tuned(asked).share == 1


@pytest.mark.slow
@pytest.mark.parametrize("settings", ["learning_rate=1e-3", "num_iters=20", "learning_rate=50.0", "reg=10.0"])
def test_a_bad_choice_is_the_programs_own_to_show(settings, run_of, solution_class, judge_tuned):
    """Where the reference does badly, or not surely well, the program trains, and is told of its own accuracy."""
    best = BEST.replace("dict(", "{**dict(").rstrip() + f", **dict({settings})}}\n"
    run, asked = run_of(solution_class, best), run_of(solution_class, best, tuned=True)
    assert run.replies[TUNED].outcome == "returned"
    assert judge_tuned(run) == judge_tuned(asked)
    assert judge_tuned(run).share == 0


@pytest.mark.parametrize(
    "call", [CHOSEN, SAME, ROWS, LARGE, *RUNS, *map(QuestionId, ("purity", "toy", "digits"))], ids=str
)
def test_a_reply_that_is_missing_proves_nothing(call, whole, may):
    """What was not compared cannot be right: the program trains itself."""
    assert may(whole)
    assert not may(with_reply(whole, call, lambda reply: replace(reply, results=(), outcome="crashed")))


@pytest.mark.parametrize("start", ["none", "too few", "not finite", "of another size"])
def test_without_its_first_parameters_the_reference_cannot_begin(start, whole, may):
    """They are the program's word, and may be anything."""
    settings, first = whole.replies[CHOSEN].results
    told = {
        "none": None,
        "too few": {"W1": first["W1"]},
        "not finite": {**first, "W1": first["W1"] * np.nan},
        "of another size": {**first, "W1": first["W1"][:, :31]},
    }[start]
    assert not may(with_reply(whole, CHOSEN, lambda reply: replace(reply, results=(settings, told))))


def test_replies_are_judged_again_by_another_threshold(whole, judge_tuned):
    """Nobody can ask the program any more; then the reference's training is the one that counts, and no code runs."""
    run = with_reply(whole, TUNED, not_asked)
    assert judge_tuned(run, threshold=0.95).share == 1
    failed = judge_tuned(run, threshold=0.999)
    assert failed.share == 0
    assert "the reference recognises" in failed.message


def test_a_higher_threshold_takes_no_points_that_another_start_earns(questions, whole, judge_tuned):
    """A right program has no mistake that the row could be charged for, and no report says that it has one."""
    settings, _ = whole.replies[CHOSEN].results
    run, reached = with_reply(whole, TUNED, not_asked), questions.oracle.trained_accuracy(settings, None, None)
    assert "reaches" not in judge_tuned(run, threshold=reached - 0.02).message
    found = judge_tuned(run, threshold=reached)
    assert (found.share, found.carried) == (1, False)
    assert "A right network trained with them reaches" in found.message
    assert "mistake" not in found.message


def test_a_program_that_could_not_be_asked_is_not_excused(whole, judge_tuned):
    """Out of time, or without a process, is not needless: the reply says why."""
    run = with_reply(whole, TUNED, lambda reply: replace(reply, outcome="crashed", results=()))
    assert "the reference recognises" not in judge_tuned(run).message


def test_what_was_judged_before_the_end_is_judged_the_same_anew(
    assignment, questions, whole, submission_of, solution_class
):
    """The context that goes on with the run gives the findings of a new one, also where a reply was taken back."""
    before = {call: reply for call, reply in whole.replies.items() if call.kind not in {"tuned", "recorded"}}
    with np.errstate(all="ignore"):
        context = GradingContext(assignment, questions, replace(whole, replies=before))
        may_train_in_its_place(context)
        runs = whole, with_reply(whole, CHOSEN, lambda reply: replace(reply, outcome="broke_protocol", results=()))
        begun = [find(submission_of(solution_class), run, assignment, questions, context.go_on(run)) for run in runs]
    anew = [find(submission_of(solution_class), run, assignment, questions) for run in runs]
    assert list(map(pack, begun)) == list(map(pack, anew))
    assert pack(anew[0]) != pack(anew[1])


def test_the_silent_training_is_the_networks_own(assignment):
    """It ends with the same parameters, bit for bit, as the one that keeps losses and accuracies."""
    network, split = network_of(assignment), digits(assignment.folder, 5)
    start, settings = digits_start(assignment, network, 5), {**digits_settings(assignment), "num_iters": 60}
    loud = network.train(start, **split.data, **settings, rng=np.random.RandomState(3)).params
    silent = train_silently(network, start, split.data["X"], split.data["y"], settings, np.random.RandomState(3))
    assert all(np.array_equal(loud[name], silent[name]) for name in loud)
