"""What a well-meant submission gets back: its own numbers, exactly, and an honest account of how they were had."""

import os
import signal
import socket
import stat
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from examples import in_part
from grader.model import OpaqueValue, Step
from grader.sandbox import child, forkserver, scratch_files
from grader.sandbox.forkserver import ForkServer, IsolationError
from grader.sandbox.host import StudentHost
from grader.sandbox.policy import LAYERS


@pytest.fixture
def direct(network, question):
    """Return the same class, in this process, with the question's parameters set."""
    namespace = {}
    exec(network(), namespace)  # noqa: S102 -- the tests' own text

    def make(seed=3, given=question.params):
        np.random.seed(seed)  # noqa: NPY002 -- what the network under test draws from
        net = namespace["TwoLayerNet"](4, 5, 3)
        net.params.update({name: value.copy() for name, value in given.items()})
        return net

    return make


def test_the_replies_are_what_the_class_computes(ask, network, question, direct):
    """Bit for bit: nothing is lost between the student's process and ours."""
    steps = (
        Step("loss", {"X": question.X}),
        Step("loss", {"X": question.X, "y": question.y, "reg": 0.25}),
        Step("predict", {"X": question.X}),
        Step("params"),
    )
    reply = ask(network(), question("q", *steps)).replies["q"]
    net = direct()
    assert reply.outcome == "returned"
    scores, (loss, grads), labels, params = reply.results
    right_loss, right_grads = net.loss(question.X, question.y, 0.25)
    np.testing.assert_array_equal(scores, net.loss(question.X))
    assert loss == right_loss
    assert grads.keys() == right_grads.keys()
    for name, right in right_grads.items():
        np.testing.assert_array_equal(grads[name], right)
    np.testing.assert_array_equal(labels, net.predict(question.X))
    for name, right in question.params.items():
        np.testing.assert_array_equal(params[name], right)
    assert reply.own_shapes == {"W1": (4, 5), "b1": (5,), "W2": (5, 3), "b2": (3,)}


def test_training_uses_the_calls_seed(ask, network, question, direct):
    """The global generator is seeded before the network is made: two runs agree, and another seed does not."""
    arguments = {
        "X": question.X,
        "y": question.y,
        "X_val": question.X,
        "y_val": question.y,
        "num_iters": 7,
        "batch_size": 3,
    }
    calls = [
        question(name, Step("train", arguments), Step("params"), seed=seed, given={})
        for name, seed in (("a", 5), ("b", 6))
    ]
    first, second = ask(network(), *calls), ask(network(), *reversed(calls))
    net = direct(seed=5, given={})
    right = net.train(**arguments)
    assert first.replies["a"].results[0]["loss_history"] == right["loss_history"]
    np.testing.assert_array_equal(first.replies["a"].results[1]["W1"], net.params["W1"])
    assert second.replies["a"].results[0] == first.replies["a"].results[0]
    assert first.replies["b"].results[0] != first.replies["a"].results[0]


def test_generators_without_a_seed_repeat_too(ask, network, question):
    """default_rng(), RandomState() and random.seed() draw from the call's seed, so that an appeal gives the same report."""
    top = "import random\nrng = np.random.default_rng()"
    misdeed = """
    random.seed()
    fresh = np.random.default_rng().random(), np.random.RandomState().rand(), np.random.Generator(np.random.PCG64()).random()
    return [random.random(), rng.random(), *fresh]
    """
    calls = [question(name, reg=666, seed=seed) for name, seed in (("a", 1), ("b", 2))]
    first, second = (ask(network(misdeed, top=top), *calls).replies for _ in range(2))
    assert first["a"].results == second["a"].results
    assert first["b"].results == second["b"].results
    assert len({*first["a"].results[0], *first["b"].results[0]}) == 10


def test_two_runs_give_equal_replies(ask, network, question):
    """Whatever has an address or an order in it: prints, warnings, errors and sets."""
    misdeed = "print(object(), {'a', 'b', 'c'})\nnp.log(np.zeros(1))\nraise ValueError(lambda: 1)"
    first, second = (ask(network(misdeed), question("q", reg=666)).replies["q"] for _ in range(2))
    assert first == second
    assert "0x..." in first.printed
    assert "0x..." in first.error.message


def test_the_run_says_how_it_was_done(host, ask, network, question):
    """Layers, versions and times come from our side of the process, before any student code."""
    run = ask(network(), question("q"))
    assert set(run.isolation) == set(LAYERS) - set(host.server.missing)
    assert {"process", "rlimits", "no_new_privs"} <= set(run.isolation)
    assert run.versions["numpy"] == np.__version__
    assert run.seconds > 0
    assert 0 < run.cpu_seconds < 5
    assert run.load.outcome == "returned"


def test_processor_time_is_the_students(ask, network, question):
    """A process that is killed in a loop has its time counted too."""
    run = ask(network("while True: pass"), question("q", reg=666, seconds=2))
    assert run.cpu_seconds > 0.1


SPOILS_X = """
right = TwoLayerNet.loss
def loss(self, X, y=None, reg=0.0):
    result = right(self, X, y, reg)
    X *= 0
    return result
TwoLayerNet.loss = loss
"""


def test_each_step_gets_its_own_arrays(ask, network, question):
    """A loss that writes into its inputs spoils neither a later step nor the next call, and can be told."""
    step = Step("loss", {"X": question.X, "y": question.y, "reg": 0.1})
    reply = ask(network(bottom=SPOILS_X), question("q", step, Step("params"), step, Step("arguments"))).replies["q"]
    assert reply.results[0][0] == reply.results[2][0]
    assert not reply.results[3]["X"].any()
    np.testing.assert_array_equal(reply.results[3]["y"], question.y)


def test_the_same_question_twice_comes_with_the_same_arrays(ask, network, question):
    """What a loss writes into its inputs shows in its own next answer, which it cannot hide as it can the inputs."""
    step = Step("loss", {"X": question.X, "y": question.y, "reg": 0.1})
    reply = ask(network(bottom=SPOILS_X), question("q", step, step, step)).replies["q"]
    assert reply.results[0][0] != reply.results[1][0]
    assert reply.results[0][0] == reply.results[2][0]


def test_a_sweep_is_the_loss_at_each_side(ask, network, question, direct):
    """Central differences of the student's own loss, against the same done here."""
    h = 1e-5
    step = Step("sweep", {"X": question.X, "y": question.y, "reg": 0.1, "h": h})
    (losses,) = ask(network(), question("q", step)).replies["q"].results
    for name, value in question.params.items():
        assert losses[name].shape == (2, *value.shape)
        for entry in np.ndindex(*value.shape):
            for side, move in enumerate((h, -h)):
                net = direct()
                net.params[name][entry] += move
                assert losses[name][(side, *entry)] == net.loss(question.X, question.y, 0.1)[0]


def test_a_sweep_survives_a_loss_that_changes_what_it_gets(ask, network, question, direct):
    """Each loss of a sweep has fresh inputs and parameters, so that the slopes are those of one function."""
    spoil = """
    right = TwoLayerNet.loss
    def loss(self, X, y=None, reg=0.0):
        result = right(self, X, y, reg)
        X *= 0
        self.params["W1"] += 1
        return result
    TwoLayerNet.loss = loss
    """
    step = Step("sweep", {"X": question.X, "y": question.y, "reg": 0.1, "h": 1e-5})
    (losses,) = ask(network(bottom=spoil), question("q", step)).replies["q"].results
    (right,) = ask(network(), question("q", step)).replies["q"].results
    for name, sides in right.items():
        np.testing.assert_array_equal(losses[name], sides)


def test_a_sweep_of_no_number_says_so(ask, network, question):
    """An unfinished loss returns None; the check reads what was expected."""
    step = Step("sweep", {"X": question.X, "y": question.y, "reg": 666, "h": 1e-5})
    reply = ask(network("return None"), question("q", step)).replies["q"]
    assert (reply.error.during, reply.error.message) == ("loss", "loss returned None, expected a number")


@pytest.mark.parametrize("layout", ["row", "column", "transposed"])
def test_parameters_are_set_in_the_students_layout(ask, network, question, layout, direct):
    """(1, H) biases and (H, D) weights are an interface difference: the maths can still be judged."""
    weights = "randn(hidden_size, input_size)" if layout == "transposed" else "randn(input_size, hidden_size)"
    shape = {"row": "(1, hidden_size)", "column": "(hidden_size, 1)", "transposed": "hidden_size"}[layout]
    product = "X.dot(W1.T)" if layout == "transposed" else "X.dot(W1)"
    bias = "b1.T" if layout == "column" else "b1"
    source = (
        network()
        .replace("randn(input_size, hidden_size)", weights)
        .replace('"b1"] = np.zeros(hidden_size)', f'"b1"] = np.zeros({shape})')
        .replace("X.dot(W1) + b1", f"{product} + {bias}")
        .replace("2 * reg * W1,", "0,")
    )
    sweep = Step("sweep", {"X": question.X, "y": question.y, "reg": 0.0, "h": 1e-5})
    reply = ask(source, question("q", Step("loss", {"X": question.X}), sweep)).replies["q"]
    expected = {"row": ("b1", (1, 5)), "column": ("b1", (5, 1)), "transposed": ("W1", (5, 4))}[layout]
    assert reply.own_shapes[expected[0]] == expected[1]
    np.testing.assert_allclose(reply.results[0], direct().loss(question.X), rtol=1e-12)
    # The losses are laid out as the question's parameters are.
    assert {name: losses.shape for name, losses in reply.results[1].items()} == {
        name: (2, *value.shape) for name, value in question.params.items()
    }


def test_float32_parameters_are_set_in_float64(ask, network, question, direct):
    """The question is asked in full precision whatever the constructor chose."""
    source = network().replace("np.zeros(hidden_size)", "np.zeros(hidden_size, dtype=np.float32)")
    reply = ask(source, question("q", Step("loss", {"X": question.X}))).replies["q"]
    np.testing.assert_array_equal(reply.results[0], direct().loss(question.X))


@pytest.mark.parametrize(
    ("init", "message"),
    [
        ("self.W1 = 1\nreturn", "the network needs a dict `params` with W1, b1, W2, b2, but has only: W1"),
        ("self.params = [1]\nreturn", "the network needs a dict `params` with W1, b1, W2, b2, but `params` is a list"),
    ],
)
def test_no_params_says_what_there_is(ask, network, question, init, message):
    """A network without `params` cannot be asked; the message names what it has instead."""
    reply = ask(network(init=init), question("q")).replies["q"]
    assert (reply.error.during, reply.error.message) == ("params", message)


def test_a_constructor_that_fails_is_named(ask, network, question):
    """`during` tells a failing constructor from a failing loss, and so for one that loops."""
    reply = ask(network(init="1 / 0"), question("q")).replies["q"]
    assert (reply.error.during, reply.error.type) == ("TwoLayerNet(...)", "ZeroDivisionError")
    reply = ask(network(init="while True: pass"), question("q", seconds=0.3)).replies["q"]
    assert (reply.error.during, reply.outcome) == ("TwoLayerNet(...)", "timed_out")


@pytest.mark.parametrize(
    ("signature", "positional"),
    [
        ("X, y=None, reg=0.0", ()),
        ("X, y=None, reg=0.0, verbose=False", ()),
        ("X, **rest", ()),
        ("data, labels, strength", ("loss",)),
        ("*everything", ("loss",)),
    ],
)
def test_arguments_go_by_name_where_they_can_else_by_position(ask, question, signature, positional):
    """Other names are an interface difference, told once and apart from the maths."""
    body = f"def __init__(self, *sizes): self.params = {{}}\n    def loss(self, {signature}): return 1.5"
    reply = ask(f"class TwoLayerNet:\n    {body}", question("q")).replies["q"]
    assert reply.results == (1.5,)
    assert reply.positional == positional


@pytest.mark.parametrize(
    ("signature", "takes"),
    [
        ("X, y", "self, X, y"),
        ("X, reg, labels", "self, X, reg, labels"),
        ("X, y, reg, extra", "self, X, y, reg, extra"),
        ("data, labels=None", "self, data, labels=None"),
    ],
)
def test_arguments_that_do_not_fit_are_told_both_ways(ask, question, signature, takes):
    """What the method takes and how it is asked; a value is never passed in another's place."""
    body = f"def __init__(self, *sizes): self.params = {{}}\n    def loss(self, {signature}): return 1.5"
    reply = ask(f"class TwoLayerNet:\n    {body}", question("q")).replies["q"]
    assert reply.error.type == "TypeError"
    assert reply.error.message == f"loss() takes ({takes}) but is asked as loss(X, y, reg=0.1)"


def test_a_missing_method_is_named_with_what_there_is(ask, question):
    """`predict` forgotten: the message lists the methods of the class."""
    source = "class TwoLayerNet:\n    def __init__(self, *sizes): self.params = {}\n    def loss(self): pass"
    reply = ask(source, question("q", Step("predict", {"X": question.X}))).replies["q"]
    assert reply.error.message == "TwoLayerNet has no method predict; it has: loss"


BOUNDS = {"hidden_size": [1, 50, True], "learning_rate": [1e-6, 10, False], "num_iters": [1, 100, True]}


def _tuning(question, name="best_hyperparameters"):
    arguments = {
        "name": name,
        "bounds": BOUNDS,
        "X": question.X,
        "y": question.y,
        "X_val": question.X,
        "y_val": question.y,
    }
    return question("tune", Step("train_with", arguments), Step("params"), given={})


def test_training_with_the_students_hyperparameters(ask, network, question):
    """The variable comes from a cell that is run only now; the network has the chosen size; its history comes back."""
    numbers = "hidden_size=np.int64(7), learning_rate=np.array(1e-2), num_iters=__import__('decimal').Decimal(4), std=1"
    extras = f"print('tuning')\nbest_hyperparameters = dict({numbers})"
    source = network().replace("batch_size=200", "batch_size=3")
    run = ask(source, question("first"), _tuning(question), extras=extras)
    reply = run.replies["tune"]
    assert run.load.printed == run.replies["first"].printed == ""
    (chosen, history), params = reply.results
    assert chosen == {"hidden_size": 7, "learning_rate": 0.01, "num_iters": 4}
    assert len(history) == 4
    assert params["W1"].shape == (4, 7)
    assert reply.printed == "tuning\n"
    assert reply.own_shapes["b1"] == (7,)


COUNT, REAL = "is no whole number from 1 to 50", "is no number from 1e-06 to 10"
ITERATIONS = "is no whole number from 1 to 100"
REFUSED = {
    "x = 1": "there is no best_hyperparameters; write best_hyperparameters = ... in a cell of its own",
    "best_hyperparameters = None": f'best_hyperparameters: "hidden_size" {COUNT}',
    "best_hyperparameters = dict(hidden_size=51)": f'best_hyperparameters: "hidden_size" {COUNT}',
    "best_hyperparameters = dict(hidden_size=5, learning_rate='a')": f'best_hyperparameters: "learning_rate" {REAL}',
    "best_hyperparameters = dict(hidden_size=5, learning_rate=float('nan'))": f'best_hyperparameters: "learning_rate" {REAL}',
    "best_hyperparameters = dict(hidden_size=5, learning_rate=float('inf'))": f'best_hyperparameters: "learning_rate" {REAL}',
    "best_hyperparameters = dict(hidden_size=5, learning_rate=1, num_iters=2.5)": f'best_hyperparameters: "num_iters" {ITERATIONS}',
    "best_hyperparameters = dict(hidden_size=5, learning_rate=1, num_iters=True)": f'best_hyperparameters: "num_iters" {ITERATIONS}',
    "best_hyperparameters = dict(hidden_size=5, learning_rate=1)": f'best_hyperparameters: "num_iters" {ITERATIONS}',
}


@pytest.mark.parametrize("extras", REFUSED)
def test_hyperparameters_that_are_no_numbers_within_their_bounds_are_refused(ask, network, question, extras):
    """Nothing is trained with them, and the first fault is told with the range that is allowed."""
    reply = ask(network(), _tuning(question), extras=extras).replies["tune"]
    assert reply.error.during == "best_hyperparameters"
    assert reply.error.message == REFUSED[extras]


def test_a_variable_is_given_as_it_is(ask, network, question):
    """Also after a cell before it fails, which is noted and skipped."""
    extras = "undefined_name\nchosen = {'lr': 0.5, 'sizes': (1, 2), 'net': TwoLayerNet}"
    reply = ask(network(), question("q", Step("variable", {"name": "chosen"})), extras=extras).replies["q"]
    assert reply.results[0]["lr"] == 0.5
    assert reply.results[0]["sizes"] == (1, 2)
    assert reply.results[0]["net"] == OpaqueValue("type", "<class 'submission.TwoLayerNet'>")
    expected = "code cell 90, line 1 failed and was skipped: NameError: name 'undefined_name' is not defined"
    assert expected in reply.warnings


def test_statements_that_fail_are_skipped_and_noted(ask, network, question):
    """A cell that needs a data set that is not there costs nothing, and the line is the student's."""
    run = ask(["import numpy as np\n\ndata = np.load('no/such/file.npy')\nx = data[0]", network()], question("q"))
    assert run.load.outcome == run.replies["q"].outcome == "returned"
    first, second = run.load.warnings
    assert first.startswith("code cell 1, line 3 failed and was skipped: FileNotFoundError")
    assert second == "code cell 1, line 4 failed and was skipped: NameError: name 'data' is not defined"


def test_only_kept_statements_are_run(host, submission, network, question):
    """Statements that the reader of the notebook dropped stay dropped."""
    whole = submission("raise SystemExit\nx = 1", network())
    first = replace(whole.segments[0], kept=(1,))
    run = host.run(replace(whole, segments=(first, whole.segments[1])), "TwoLayerNet", [question("q")])
    assert run.replies["q"].outcome == "returned"
    assert run.load.warnings == ()


def test_a_syntax_error_has_its_line(ask, submission, host):
    """Where the text changes between its reading and its running, Python's versions may differ; the line is told."""
    whole = submission("x = 1")
    broken = replace(whole.segments[0], source="x = 1\nprint 'Python 2'\n")
    run = host.run(replace(whole, segments=(broken,)), "TwoLayerNet", [])
    assert run.load.error.type == "SyntaxError"
    assert [str(place) for place in run.load.error.places] == ["code cell 1, line 2: `print 'Python 2'`"]


def test_warnings_are_recorded_with_the_students_line_and_cost_nothing(ask, network, question):
    """Numpy warns from its own lines too; each warning comes once a call, and the same in every call."""
    misdeed = "for _ in range(3): np.exp(np.array([1e4]))\nnp.mean([])\nreturn 0.0"
    source = network(misdeed)
    line = source[: source.index("for _")].count("\n") + 1
    run = ask(source, question("a", reg=666), question("b", reg=666))
    overflow, empty = run.replies["a"].warnings[:2]
    assert run.replies["a"].results == (0.0,)
    assert overflow == f"RuntimeWarning: overflow encountered in exp (code cell 1, line {line})"
    # Some versions of numpy end the sentence, others do not.
    assert empty.replace(".", "") == f"RuntimeWarning: Mean of empty slice (code cell 1, line {line + 1})"
    assert run.replies["b"].warnings == run.replies["a"].warnings


def test_warnings_raise_where_the_student_asks(ask, network, question):
    """np.seterr(all="raise") is the student's own wish."""
    run = ask(network("np.exp(np.array([1e4]))", top="np.seterr(all='raise')"), question("q", reg=666))
    assert run.replies["q"].error.type == "FloatingPointError"


def test_the_process_holds_nothing_of_ours(monkeypatch, limits, submission, network, question):
    """No variable, no argument, no descriptor, no folder of the grader's reaches a student's process."""
    monkeypatch.setenv("GRADER_SECRET", "seed-1234")
    misdeed = """
    import os, posix, sys
    modes = {}
    for descriptor in range(64):
        try:
            modes[str(descriptor)] = os.fstat(descriptor).st_mode
        except OSError:
            pass
    return dict(os.environ), sys.argv, sys.path, posix.getcwd(), sorted(sys.modules), modes
    """
    inherited = os.open(os.devnull, os.O_RDONLY)
    os.set_inheritable(inherited, True)
    with StudentHost(limits) as host:
        reply = host.run(submission(network(misdeed)), "TwoLayerNet", [question("q", reg=666)]).replies["q"]
    os.close(inherited)
    environ, argv, path, cwd, modules, modes = reply.results[0]
    assert environ.keys() <= {*forkserver.ENVIRONMENT, "LC_CTYPE", "HOME"}
    assert environ["HOME"] == scratch_files.HERE  # a folder in its own memory
    assert argv == ["submission"]
    assert not [folder for folder in path if "packages" in folder or "grader" in folder]
    assert list(modes) == ["0", "1", "2", "3"]
    assert stat.S_ISSOCK(modes["3"])
    assert cwd == "/"
    assert not [name for name in modules if "grader" in name or "_student" in name or "reference" in name]


@pytest.mark.slow
@pytest.mark.parametrize("blow", in_part([signal.SIGKILL, signal.SIGSTOP], 2))
def test_a_zygote_that_is_dead_or_mute_is_replaced(monkeypatch, limits, submission, network, question, blow):
    """Between two submissions, of anything."""
    monkeypatch.setattr(forkserver, "ANSWER_TIMEOUT", 1.0)
    with StudentHost(limits) as host:
        for _ in range(2):
            first = host.server.pid
            os.kill(first, blow)
            run = host.run(submission(network()), "TwoLayerNet", [question("q")])
            assert run.replies["q"].outcome == "returned"
            assert host.server.pid != first


def test_a_process_that_cannot_be_locked_down_runs_nothing(monkeypatch, limits, submission, network, question):
    """A failed step of the lock-down is a fault of ours, said aloud; no student code has run."""
    monkeypatch.setattr(child, "EXIT_TIMEOUT", 1.0)
    with StudentHost(limits) as host:
        monkeypatch.setattr(forkserver, "asdict", lambda _: {"memory_mb": "much", "cpu_seconds": 1})
        with pytest.raises(IsolationError, match=r"(?s)could not be locked down: .*TypeError") as caught:
            host.run(submission(network()), "TwoLayerNet", [question("q")])
    assert "Traceback" in str(caught.value)


def test_a_call_that_cannot_travel_is_our_own_fault(host, submission, network, question):
    """An object among the arguments raises here, and the host goes on."""
    with pytest.raises(TypeError, match="call q: an argument is neither"):
        host.run(submission(network()), "TwoLayerNet", [question("q", Step("loss", {"X": socket}))])
    assert host.run(submission(network()), "TwoLayerNet", [question("q")]).replies["q"].outcome == "returned"


def test_large_source_and_large_arrays_travel(ask, network, question):
    """Ten megabytes either way: source text with a long literal, and an answer."""
    source = network("return np.zeros((1000, 1000)) + len(text)", top="text = '" + "a" * 2_000_000 + "'")
    reply = ask(source, question("q", reg=666)).replies["q"]
    assert reply.results[0].shape == (1000, 1000)
    assert reply.results[0][0, 0] == 2_000_000


@pytest.mark.slow
@pytest.mark.parametrize("stray", in_part([b'{"pid": 1}garbage', b'{"pid": 1}', b"[]", b'{"pid": 1, "number": 99}'], 4))
def test_a_stray_message_of_the_zygote_costs_a_zygote(network, question, stray):
    """A student's process that gets at the control socket puts it out of step; the next submission gets a new zygote."""
    from grader.sandbox.forkserver import ForkServer, ServerLostError

    server = ForkServer()
    try:
        before = server.pid
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        real, server._control = server._control, ours
        theirs.send(stray)
        with pytest.raises(ServerLostError):
            server.dump_traceback()
        real.close()
        theirs.close()
        server.replace()
        assert server.pid != before
    finally:
        server.close()


def test_a_zygote_is_copied_for_another_worker(limits, submission, network, question):
    """As root, a copy runs programs as one does that was started anew: in namespaces and as a user that the first has not."""
    with closing(ForkServer()) as first, closing(ForkServer(original=first)) as copy:
        if os.geteuid() or "namespaces" in first.missing:
            assert _parent(copy.pid) == os.getpid()  # it may not make one that is apart from it
            return
        assert _parent(copy.pid) == first.pid
        assert (copy.versions, copy.missing) == (first.versions, first.missing)
        assert copy.facts["uid"] != first.facts["uid"]
        for space in ("net", "ipc"):
            one, other = (Path(f"/proc/{server.pid}/ns/{space}").readlink() for server in (copy, first))
            assert one != other
        for server in (copy, first):  # whose processes the other does not end
            run = StudentHost(limits, server=server).run(submission(network()), "TwoLayerNet", [question("q")])
            assert run.replies["q"].outcome == "returned"


def test_a_copy_ends_with_the_first_and_another_is_started(limits, submission, network, question):
    """Whoever has a copy is served all the same once the zygote that forked it has gone."""
    with closing(ForkServer()) as first, closing(ForkServer(original=first)) as copy:
        first.close()
        run = StudentHost(limits, server=copy).run(submission(network()), "TwoLayerNet", [question("q")])
        assert run.replies["q"].outcome == "returned"
        assert _parent(copy.pid) == os.getpid()


def _parent(pid):
    return int(Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()[1])


@pytest.mark.parametrize("dies", [False, True], ids=["one process", "one that ended before"])
def test_a_needless_question_reaches_no_process(host, submission, network, question, dies):
    """Whether it is needless is asked with the replies before it; those after it are answered as ever."""
    calls = tuple(
        question(name, reg=reg) for name, reg in (("a", 0.1), ("b", 666 if dies else 0.2), ("c", 0.3), ("d", 0.4))
    )
    program = submission(network("import os; os._exit(3)" if dies else "pass"))
    seen = []

    def is_needless(run):
        seen.append([(name, reply.outcome) for name, reply in run.replies.items()])
        return len(seen) == 1

    spared, asked = (host.run(program, "TwoLayerNet", calls, needless={"c": is_needless}) for _ in range(2))
    assert seen == [[("a", "returned"), ("b", "crashed" if dies else "returned")]] * 2
    assert (spared.replies["c"].outcome, spared.replies["c"].error) == ("not_asked", None)
    assert [spared.replies[name].outcome for name in "ad"] == ["returned"] * 2
    assert [asked.replies[name].outcome for name in "acd"] == ["returned"] * 3
    assert asked.replies["d"].results[0][0] == spared.replies["d"].results[0][0]
