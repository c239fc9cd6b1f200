"""A plain child process where fork is missing: right programs get their points, a loop ends, a crash is told, nothing stays."""

import os
import re
import signal
import subprocess
import sys
import threading
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from examples import in_part
from grader.model import Step
from grader.sandbox import child, forkserver, output_file, scratch_files, self_test, spawn
from grader.sandbox.forkserver import Ending, IsolationError, ServerLostError
from grader.sandbox.host import StudentHost
from grader.sandbox.policy import FILE_BYTES, LAYERS, DisabledLayers, ResourceLimits
from grader.sandbox.spawn import SpawnServer
from hanging import must_end

FORGE = """
import json, os, struct
def forge(number, times=1):
    header = json.dumps({"arrays": [], "message": {"number": number, "results": [["int", 42]]}}).encode()
    os.write(4, (struct.pack("<4sI", b"2LN1", len(header)) + header) * times)
"""


@pytest.fixture(scope="module")
def spawning(limits):
    """Return a host that spawns."""
    with StudentHost(limits, server=SpawnServer()) as host:
        yield host


@pytest.fixture
def misbehave(spawning, submission, network, question):
    """Ask a right network that misbehaves in the second of three calls; give that reply, when the others are right."""

    def run(misdeed, *, seconds=2.0, top=""):
        calls = question("before"), question("bad", reg=666, seconds=seconds), question("after")
        result = spawning.run(submission(network(misdeed, top=top)), "TwoLayerNet", calls)
        assert result.load.outcome == "returned", result.load
        for name in ("before", "after"):
            assert result.replies[name].outcome == "returned", (name, result.replies[name])
        return result.replies["bad"]

    return run


def left_over():
    """Return this process's children, descriptors and threads, once what is on its way out has gone."""
    deadline = time.monotonic() + 5
    while threading.active_count() > 1 and time.monotonic() < deadline:
        time.sleep(0.01)
    children = Path(f"/proc/self/task/{threading.get_native_id()}/children").read_text(encoding="ascii")
    return children, sorted(entry.name for entry in Path("/proc/self/fd").iterdir()), threading.active_count()


def same(one, other):
    """Whether two replies say the same, arrays bit for bit."""
    np.testing.assert_equal(vars(one) | {"error": None}, vars(other) | {"error": None})
    return one.error == other.error


def test_it_answers_what_a_forked_process_answers(spawning, host, submission, network, question):
    """Numbers, prints, warnings, errors and their lines are the same, bit for bit, whichever way the process came about."""
    data = {"X": question.X, "y": question.y}
    training = data | {"X_val": question.X, "y_val": question.y, "num_iters": 7, "batch_size": 3}
    calls = [
        question("loss"),
        question("sweep", Step("sweep", {**data, "reg": 0.1, "h": 1e-5})),
        question("train", Step("train", training), Step("params"), seed=5, given={}),
        question("predict", Step("predict", {"X": question.X})),
        question("raises", reg=666),
        question("none", Step("variable", {"name": "nothing"})),
    ]
    misdeed = (
        "print(object())\nnp.exp(np.array([1e4]))\nimport matplotlib.pyplot as plt\nraise ValueError(plt.plot([1]))"
    )
    source = submission("import tkinter.font\nx = np.load('no/such/file')", network(misdeed), extras="print('tuned')")
    here, there = (one.run(source, "TwoLayerNet", calls) for one in (spawning, host))
    assert same(here.load, there.load)
    for name, reply in there.replies.items():
        assert same(here.replies[name], reply), name
    assert there.replies["raises"].outcome == "raised"
    assert here.versions == there.versions


@pytest.mark.parametrize(
    ("misdeed", "outcome", "message"),
    in_part([
        ("1 / 0", "raised", "division by zero"),
        ("import sys; sys.exit(3)", "raised", r"called sys\.exit\(\)"),
        ("input()", "raised", "input\\(\\) has nobody to ask.*"),
        ("import grader", "raised", "No module named 'grader'"),
        ("import os; os._exit(7)", "crashed", r"ended the process with os\._exit\(7\) or sys\.exit"),
        ("import os; os.abort()", "crashed", r"killed by signal SIGABRT \(aborted\)"),
        ("import os; os.kill(os.getpid(), 15)", "crashed", r"killed by signal SIGTERM \(terminated\)"),
        ("np.ones(10 * 2**30 // 8)", "raised", "asked for more memory than the 512 MB allowed: .*"),
        ("kept = []\nwhile True: kept.append(bytearray(2**20))", "raised", "asked for more memory than the 512 MB allowed"),
        ("def deep(n): return sorted([n], key=deep)\ndeep(0)", "raised", "maximum recursion depth exceeded.*"),
        ("return np.broadcast_to(0.0, 10**9)", "raised", "loss returned 8,000,000,000 bytes; at most 64 MiB travel"),
        ("import os\nos.closerange(3, 32)", "broke_protocol", "its process closed the channel to the grader"),
        ("import os, time\nos.closerange(3, 32)\ntime.sleep(60)", "broke_protocol", "its process closed the channel to .*"),
        ("import os\nos.write(4, b'hello')", "broke_protocol", "its process sent bytes that do not begin a frame"),
    ], 3),
)  # fmt: skip
def test_what_goes_wrong_costs_its_own_call(misbehave, misdeed, outcome, message):
    """Errors, ends, crashes, memory and lies are told as they are of a forked process, and the next call is answered."""
    reply = misbehave(misdeed, seconds=15)
    assert reply.outcome == outcome
    assert re.fullmatch(message, reply.error.message), reply.error.message


@pytest.mark.parametrize(
    "misdeed",
    in_part(
        ["while True: pass", "import time\ntime.sleep(60)", "try:\n    while True: pass\nexcept BaseException: pass"], 4
    ),
)
def test_a_loop_without_end_is_stopped_and_its_line_named(misbehave, misdeed):
    """The clock is the grader's; before the end the process is asked where it is."""
    with must_end(30):
        reply = misbehave(misdeed, seconds=0.3)
    took = "0.3 s, most of them asleep" if "sleep" in misdeed else "0.3 processor seconds"
    assert (reply.outcome, reply.error.message) == ("timed_out", f"still running after {took}")
    assert reply.error.places[-1].text.strip() in misdeed


@pytest.mark.slow
@pytest.mark.parametrize(
    "misdeed", ["signal.pthread_sigmask(signal.SIG_BLOCK, range(1, 65))", "os.kill(os.getpid(), 19)"]
)
def test_ignored_signals_and_a_stopped_process_change_nothing(misbehave, misdeed):
    """Only SIGKILL is relied on."""
    assert misbehave(f"import os, signal\n{misdeed}\nwhile True: pass", seconds=0.3).outcome == "timed_out"


@pytest.mark.slow
def test_a_process_that_has_us_trace_it_is_ended_all_the_same(misbehave):
    """It is our own child, so what it may ask for is ours to trace it: then it stops at a signal, and has not ended."""
    reply = misbehave("import ctypes, os\nctypes.CDLL(None).ptrace(0, 0, 0, 0)\nos.abort()", seconds=0.3)
    assert reply.outcome == "timed_out"


def test_a_segfault_names_the_students_line(misbehave):
    """What faulthandler wrote in the last moment comes home, over a pipe as well."""
    reply = misbehave("import ctypes\nctypes.string_at(1)")
    assert reply.error.message == "killed by signal SIGSEGV (segmentation fault)"
    assert [place.text.strip() for place in reply.error.places] == ["ctypes.string_at(1)"]


@pytest.mark.slow
def test_the_last_output_is_waited_for(monkeypatch, misbehave):
    """However late the thread that carries it is, what a process wrote before it ended is told."""
    really = output_file.append
    monkeypatch.setattr(output_file, "append", lambda *given: (time.sleep(0.3), really(*given)))
    assert misbehave("import os; os.write(1, b'last words'); os._exit(1)").printed == "last words"


def test_floods_are_cut_and_cost_nothing(misbehave):
    """What is printed is cut; what is written past Python ends at the file's cap, by a limit or by the one who carries it."""
    misdeed = "import os\nfor _ in range(50): print('x' * 1_000_000)\nfor _ in range(10_000): os.write(1, b'y' * 1000)"
    reply = misbehave(misdeed, seconds=15)
    assert reply.printed.startswith("x" * 400 + "\n... and 49,999,650 more charactersyyyy")
    assert len(reply.printed) <= 500


@pytest.mark.slow
@pytest.mark.parametrize("forgery", ["forge(2, times=2)", "forge(2)"])
def test_two_replies_to_one_call_are_noticed(misbehave, forgery):
    """A forged frame breaks the protocol over a pipe as over a socket."""
    reply = misbehave(forgery, top=FORGE)
    assert (reply.outcome, reply.error.message) == ("broke_protocol", "its process sent two replies to one call")


def test_the_last_word_is_waited_for(spawning, submission, network, question):
    """A reply more, after the last call, is heard: that nothing follows is said, and what comes then is read to the end."""
    reply = spawning.run(submission(network("forge(1)", top=FORGE)), "TwoLayerNet", [question("q", reg=666)]).replies[
        "q"
    ]
    assert (reply.outcome, reply.error.message) == ("broke_protocol", "its process sent two replies to one call")


@pytest.mark.parametrize(
    ("source", "outcome", "message"),
    [
        ("class TwoLayerNet:\n    while True: pass", "timed_out", "still running after 0.5 processor seconds"),
        ("class TwoLayerNet:\n    import os; os._exit(1)", "crashed", "ended the process with os._exit.1. or sys.exit"),
        ("x = 1", "raised", "there is no class TwoLayerNet; the submission has no class at all"),
    ],
)  # fmt: skip
def test_what_does_not_load_says_why(monkeypatch, spawning, limits, submission, question, source, outcome, message):
    """The load's reply is the reason, and nothing is asked of such a submission."""
    if outcome == "timed_out":
        monkeypatch.setattr(spawning, "_limits", replace(limits, load_seconds=0.5))
    run = spawning.run(submission(source), "TwoLayerNet", [question("a")])
    assert run.load.outcome == outcome
    assert re.fullmatch(message, run.load.error.message), run.load.error.message
    assert run.replies["a"].outcome == "not_asked"


def test_large_messages_travel_both_ways(spawning, submission, network, question):
    """Megabytes each way do not stop between two ends that both write."""
    source = network("return np.zeros((1000, 1000)) + len(text)", top="text = '" + "a" * 2_000_000 + "'")
    reply = spawning.run(submission(source), "TwoLayerNet", [question("q", reg=666)]).replies["q"]
    assert reply.results[0].shape == (1000, 1000)
    assert reply.results[0][0, 0] == 2_000_000


def test_the_process_holds_nothing_of_ours(monkeypatch, limits, submission, network, question, spawning):
    """No variable, argument, descriptor or folder of the grader's, no module of it, and no file of an installed package."""
    monkeypatch.setenv("GRADER_SECRET", "seed-1234")
    misdeed = """
    import os, posix, sys
    open_ones = [n for n in range(64) if os.path.exists(f"/proc/self/fd/{n}")]
    return dict(os.environ), sys.argv, sys.path, posix.getcwd(), sorted(sys.modules), open_ones, os.getpgid(0) == os.getpid()
    """
    inherited = os.open(os.devnull, os.O_RDONLY)
    os.set_inheritable(inherited, True)
    reply = spawning.run(submission(network(misdeed)), "TwoLayerNet", [question("q", reg=666)]).replies["q"]
    os.close(inherited)
    environ, argv, path, cwd, modules, open_ones, leads = reply.results[0]
    assert environ.pop("HOME") == scratch_files.HERE  # a folder in its own memory
    assert environ.keys() <= {*forkserver.ENVIRONMENT, "VECLIB_MAXIMUM_THREADS", "LC_CTYPE"}
    assert argv == ["submission"]
    assert not [folder for folder in path if "packages" in folder or "grader" in folder]
    assert cwd == "/"
    assert not [name for name in modules if "grader" in name or "_student" in name or "reference" in name]
    assert open_ones == [0, 1, 2, 3, 4]
    assert leads


@pytest.mark.slow
def test_nothing_is_left_after_many_submissions(spawning, submission, network, question):
    """No process, zombie, descriptor or thread, after runs of which some crash, loop or close the channel."""
    misdeeds = ["return 1.0", "import os; os._exit(1)", "while True: pass", "import os; os.closerange(3, 9)"]
    sources = [submission(network(misdeed)) for misdeed in misdeeds]
    spawning.run(sources[0], "TwoLayerNet", [question("q", reg=666)])
    before = left_over()
    for source in sources:
        run = spawning.run(source, "TwoLayerNet", [question("q", reg=666, seconds=0.2), question("next")])
        assert run.replies["next"].outcome == "returned"
    assert left_over() == before
    assert spawning.server._process is None


@pytest.mark.slow
def test_what_it_forked_dies_with_it(limits, submission, network, question):
    """A process in the same group is killed with it, even where it holds the pipes that we read from."""
    misdeed = "import os, time\npid = os.fork()\nif pid == 0: time.sleep(60)\nreturn pid"
    with StudentHost(limits, server=SpawnServer(DisabledLayers(("rlimits",)))) as host:
        reply = host.run(submission(network(misdeed)), "TwoLayerNet", [question("q", reg=666)]).replies["q"]
    deadline = time.monotonic() + 5
    while Path(f"/proc/{reply.results[0]}").exists() and time.monotonic() < deadline:
        time.sleep(0.01)  # it is init's to reap
    assert not Path(f"/proc/{reply.results[0]}").exists()


@pytest.mark.slow
def test_a_process_that_got_away_costs_no_time(limits, submission, network, question):
    """Nothing finds one in a session of its own, and it holds the channel: the grader goes on all the same."""
    misdeed = """
    import os, time
    pid = os.fork()
    if pid == 0:
        os.setsid()
        time.sleep(60)
        os._exit(0)
    os.write(1, b'%d' % pid)
    os._exit(5)
    """
    with StudentHost(limits, server=SpawnServer(DisabledLayers(("rlimits",)))) as host:
        began = time.monotonic()
        calls = question("q", reg=666, seconds=2.0), question("next")
        replies = host.run(submission(network(misdeed)), "TwoLayerNet", calls).replies
    assert time.monotonic() - began < 20
    os.kill(int(replies["q"].printed), signal.SIGKILL)
    # Its end of the channel is still open, so nothing came and nothing was closed.
    assert [reply.outcome for reply in replies.values()] == ["timed_out", "returned"]


@pytest.mark.slow
def test_a_killed_grader_leaves_nothing_running_for_long(tmp_path):
    """No signal tells the process here: a limit on its time ends it, whether it computes or sleeps."""
    script = tmp_path / "grade.py"
    script.write_text(
        "import sys\nfrom grader.model import *\nfrom grader.sandbox.host import StudentHost\n"
        "from grader.sandbox.spawn import SpawnServer\n"
        "host = StudentHost(Limits(3, 3, 3, 3, 512, 100), server=SpawnServer())\nprint('tried out', flush=True)\n"
        "segment = Segment('n', sys.argv[1], (0,))\n"
        "host.run(Submission('n', 'n', '', 'n', (segment,)), 'TwoLayerNet', [])\n",
        encoding="utf-8",
    )
    orphans = []
    graders = [
        subprocess.Popen([sys.executable, script, doing], stdout=subprocess.PIPE, text=True)
        for doing in ("while True: pass", "__import__('time').sleep(60)")
    ]
    for grader in graders:
        assert grader.stdout.readline() == "tried out\n"
    for grader in graders:
        children = Path(f"/proc/{grader.pid}/task/{grader.pid}/children")
        while not (child := children.read_text(encoding="ascii").strip()):
            time.sleep(0.01)
        orphans.append(Path(f"/proc/{child}"))
    time.sleep(0.8)
    for grader in graders:
        grader.kill()
        grader.wait()
        grader.stdout.close()
    assert all(map(_runs, orphans))
    deadline = time.monotonic() + 60  # the sleeper ends after ten times 3 s and 3 s more
    while any(map(_runs, orphans)) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not [orphan for orphan in orphans if _runs(orphan)]


def _runs(process):
    """Return whether a process in /proc runs; where a container's first process waits for nobody, what ended stays listed."""
    try:
        return (process / "stat").read_text(encoding="utf-8").rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


def test_every_report_names_what_was_in_force(spawning, submission, network, question):
    """The layers that the process told of, why the others are missing, and in words that it is not isolated."""
    run = spawning.run(submission(network()), "TwoLayerNet", [question("q")])
    assert run.isolation == ("process", "rlimits")
    assert spawning.server.missing == dict.fromkeys(LAYERS[1:2] + LAYERS[3:], "only done on Linux, with fork")
    assert spawning.server.facts["rlimits"].startswith("processor time, memory, file size, descriptors, core files")
    assert 0 < run.cpu_seconds < 5
    assert spawning.server.pid == os.getpid()


def test_the_canary_comes_back_with_what_it_could_do(spawning, limits):
    """So grading strangers' code is refused here, and the refusal names what got through."""
    said = self_test.refusal_reason(self_test.run(spawning, limits))
    assert said.startswith("Student code is not isolated on this system: a test process could ")


def test_a_limit_that_is_left_out_is_not_reported(limits, submission, network, question):
    """Without rlimits the process says so, and may take what it likes."""
    with StudentHost(limits, server=SpawnServer(DisabledLayers(("rlimits",)))) as host:
        misdeed = "return float(np.zeros(600 * 2**20 // 8).sum())"
        run = host.run(submission(network(misdeed)), "TwoLayerNet", [question("q", reg=666)])
        assert host.server.missing["rlimits"] == "switched off"
    assert run.isolation == ("process",)
    assert run.replies["q"].results == (0.0,)


@pytest.mark.parametrize(
    ("start", "message"),
    [
        ("raise RuntimeError('no numpy here')", "(?s)could not be locked down: .*no numpy here"),
        ("import os; os._exit(0)", "could not be locked down: $"),
        ("import time; time.sleep(60)", "could not be locked down: $"),
    ],
)
def test_a_process_that_cannot_begin_is_our_own_fault(
    monkeypatch, limits, submission, network, question, start, message
):
    """The sandbox failed, not the program: an error with the last words of the process, and nothing is left."""
    monkeypatch.setattr(spawn, "START_WORKER", start)
    monkeypatch.setattr(child, "START_TIMEOUT", 0.7)
    before = left_over()
    with StudentHost(limits, server=SpawnServer()) as host, pytest.raises(IsolationError, match=message):
        host.run(submission(network()), "TwoLayerNet", [question("q")])
    assert left_over() == before


def test_an_interpreter_that_is_not_there_is_said(monkeypatch, limits, submission, network, question):
    """One clear error, of the kind that every fault of this side has."""
    monkeypatch.setattr(sys, "executable", "/no/such/python")
    with (
        StudentHost(limits, server=SpawnServer()) as host,
        pytest.raises(ServerLostError, match=r"started: .*No such file"),
    ):
        host.run(submission(network()), "TwoLayerNet", [question("q")])


def test_a_process_that_fails_at_its_limits_runs_nothing(monkeypatch, limits, submission, network, question):
    """A failed step is a fault of ours, said aloud; no student code has run."""
    with StudentHost(limits, server=SpawnServer()) as host:
        monkeypatch.setattr(spawn, "asdict", lambda _: {"memory_mb": "much", "cpu_seconds": 1})
        with pytest.raises(IsolationError, match=r"(?s)could not be locked down: .*TypeError"):
            host.run(submission(network()), "TwoLayerNet", [question("q")])


def test_another_process_ends_nothing_of_ours(limits, submission, network, question):
    """A host that was taken along by a fork starts processes of its own, and leaves ours alone."""
    with StudentHost(limits, server=SpawnServer()) as host:
        host.server._owner = -1
        assert not host.server.alive
        assert host.server.end(0) == Ending(None, 0.0)
        run = host.run(submission(network()), "TwoLayerNet", [question("q")])
        assert host.server.alive
    assert run.replies["q"].outcome == "returned"


def test_what_is_carried_past_the_cap_is_dropped():
    """A process that floods its pipe neither fills the file nor stands still."""
    output = output_file.create()
    process = subprocess.Popen(
        [sys.executable, "-c", "import os\nfor _ in range(64): os.write(2, b'z' * 65536)"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        bufsize=0,
    )
    ours, theirs = spawn.socket.socketpair()
    with ours, theirs:
        spawn._connect(process, theirs, output, b"").join(20)
        assert process.wait(20) == 0
    assert os.fstat(output).st_size == FILE_BYTES
    os.close(output)


def test_a_process_without_pipes_is_no_process_to_carry_for():
    """A mistake of ours is said, before a thread could fail where nobody sees it."""
    with subprocess.Popen([sys.executable, "-c", ""]) as process, pytest.raises(ValueError, match="no pipes"):
        spawn._connect(process, None, 0, b"")


def test_a_second_process_ends_the_first(spawning):
    """One at a time: nothing that was forgotten stays behind."""
    one = spawning.server
    ours, theirs = spawn.socket.socketpair()
    output = output_file.create()
    with ours, theirs:
        one.fork(theirs, output, output, ResourceLimits(64, 5))
        first = one._process
        one.fork(theirs, output, output, ResourceLimits(64, 5))
        assert first.returncode == -signal.SIGKILL
        assert one.end(0).code is None
    os.close(output)
