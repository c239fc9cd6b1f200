"""Whatever a submission's process does, it costs its own call: the reply says so, and the next call is answered."""

import re
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest

from examples import in_part
from grader.model import Step
from grader.sandbox.host import StudentHost
from grader.sandbox.policy import DisabledLayers
from hanging import must_end

FORGE = """
import json, os, struct
def forge(number, results=(["int", 42],), times=1, arrays=(), **more):
    header = json.dumps({"arrays": list(arrays), "message": {"number": number, "results": list(results), **more}}).encode()
    frame = struct.pack("<4sI", b"2LN1", len(header)) + header
    for descriptor in range(3, 32):
        try:
            os.write(descriptor, frame * times)
        except OSError:
            pass
"""


@pytest.mark.parametrize(
    ("misdeed", "message"),
    [
        ("import os; os._exit(0)", r"ended the process with os\._exit\(0\) or sys\.exit"),
        ("import os; os._exit(7)", r"ended the process with os\._exit\(7\) or sys\.exit"),
        ("import faulthandler; faulthandler._sigsegv()", r"killed by signal SIGSEGV \(segmentation fault\)"),
        ("import ctypes; ctypes.string_at(1)", r"killed by signal SIGSEGV \(segmentation fault\)"),
        ("import os; os.abort()", r"killed by signal SIGABRT \(aborted\)"),
        ("import os, signal; os.kill(os.getpid(), signal.SIGTERM)", r"killed by signal SIGTERM \(terminated\)"),
    ],
)
def test_a_process_that_ends_is_a_crash_in_words(misbehave, misdeed, message):
    """The student reads how the process ended, not a number."""
    reply = misbehave(misdeed)
    assert reply.outcome == "crashed"
    assert reply.error.type == ""
    assert reply.error.during == "loss"
    assert re.fullmatch(message, reply.error.message), reply.error.message


def test_a_segfault_names_the_students_line(misbehave):
    """Faulthandler's words name a line; the quotation is from our copy of the text."""
    reply = misbehave("import ctypes\nctypes.string_at(1)")
    (place,) = reply.error.places
    assert place.label == "code cell 1"
    assert place.text.strip() == "ctypes.string_at(1)"


@pytest.mark.parametrize(
    ("misdeed", "kind", "message"),
    [
        ("import sys; sys.exit(3)", "SystemExit", "called sys.exit()"),
        ("raise KeyboardInterrupt", "KeyboardInterrupt", "raised KeyboardInterrupt"),
        ("raise ValueError('a\\x1b[31mb')", "ValueError", "a\N{REPLACEMENT CHARACTER}[31mb"),
        (
            "input('ready? ')",
            "EOFError",
            "input() has nobody to ask: the grader runs the submission without a keyboard",
        ),
        ("import grader", "ModuleNotFoundError", "No module named 'grader'"),
        ("import reference.network", "ModuleNotFoundError", "No module named 'reference'"),
    ],
)
def test_an_exception_is_reported_with_type_message_and_line(misbehave, misdeed, kind, message):
    """BaseExceptions too, without control characters, and with the line as the student wrote it."""
    reply = misbehave(misdeed)
    assert reply.outcome == "raised"
    assert (reply.error.type, reply.error.message) == (kind, message)
    assert reply.error.places[-1].text.strip() == misdeed


@pytest.mark.parametrize(
    "misdeed",
    [
        "class Bad(Exception):\n    def __str__(self): raise SystemExit\nraise Bad",
        "class Bad(Exception):\n    def __str__(self): return 7\nraise Bad",
        "class Bad(Exception):\n    __traceback__ = 5\nraise Bad",
    ],
)
def test_an_exception_that_will_not_be_described_is_an_answer_all_the_same(misbehave, misdeed):
    """An exception's own methods cannot kill the reply."""
    assert misbehave(misdeed).error.type == "Bad"


@pytest.mark.parametrize(
    "misdeed",
    [
        "np.ones(10 * 2**30 // 8)",
        "kept = []\nwhile True: kept.append(bytearray(2**20))",
        "global kept\nkept = []\nwhile True: kept.append(bytes(1000))",
    ],
)
def test_too_much_memory_is_an_error_in_words(misbehave, misdeed):
    """The budget is what the process may ask for on top of numpy; what it keeps costs later calls nothing."""
    reply = misbehave(misdeed, seconds=15)
    assert reply.outcome == "raised"
    assert reply.error.type == "MemoryError"
    assert reply.error.message.startswith("asked for more memory than the 512 MB allowed")


def test_memory_that_is_kept_is_gone_with_the_process(ask, network, question):
    """After running out of memory a fresh process is asked, or what fills a variable would fail all later calls."""
    needy = "right = TwoLayerNet.loss\nTwoLayerNet.loss = lambda *given: np.ones(40_000_000)[0] and right(*given)"
    source = network("np.full(30_000_000, 1.0, out=None)", bottom=f"kept = []\n{needy}")
    source = source.replace("np.full(30_000_000, 1.0, out=None)", "while True: kept.append(np.empty(5_000_000))")
    run = ask(source, question("bad", reg=666), question("after"))
    assert run.replies["bad"].error.type == "MemoryError"
    assert run.replies["after"].outcome == "returned", run.replies["after"].error


@pytest.mark.parametrize(
    "misdeed",
    [
        "while True: pass",
        "import time\ntime.sleep(60)",
        "try:\n    while True: pass\nexcept BaseException: pass",
        "np.linalg.svd(np.random.rand(1500, 1500))",
    ],
)
def test_a_loop_without_end_is_stopped_and_its_line_named(misbehave, misdeed):
    """The clock is the grader's; before the end the process is asked where it is."""
    with must_end(30):
        reply = misbehave(misdeed, seconds=0.3)
    assert reply.outcome == "timed_out"
    took = "0.3 s, most of them asleep" if "sleep" in misdeed else "0.3 processor seconds"
    assert reply.error.message == f"still running after {took}"
    assert reply.error.places[-1].text.strip() in misdeed


@pytest.mark.parametrize(
    "misdeed",
    [
        "import signal\nfor n in range(1, 65):\n    try: signal.signal(n, signal.SIG_IGN)\n    except (OSError, ValueError): pass\nwhile True: pass",
        "import signal\nsignal.pthread_sigmask(signal.SIG_BLOCK, range(1, 65))\nwhile True: pass",
        "import os, signal\nos.kill(os.getpid(), signal.SIGSTOP)",
    ],
)
def test_ignored_signals_and_a_stopped_process_change_nothing(misbehave, misdeed):
    """Only SIGKILL is relied on."""
    assert misbehave(misdeed, seconds=0.3).outcome == "timed_out"


def test_after_two_timeouts_a_method_is_not_asked_again(ask, network, question):
    """An endless loop must not hold up a class for minutes; other methods are still asked."""
    loops = [question(f"loop {n}", reg=666, seconds=0.2) for n in range(4)]
    other = question("other", Step("predict", {"X": question.X}))
    run = ask(network("while True: pass"), *loops, other)
    assert [run.replies[call.id].outcome for call in loops] == ["timed_out", "timed_out", "not_asked", "not_asked"]
    expected = "not asked: loss used up its time limit, or most of it, in 2 questions before"
    assert run.replies["loop 3"].error.message == expected
    assert run.replies["other"].outcome == "returned"


@pytest.mark.slow
def test_a_late_end_counts_as_a_timeout(ask, network, question):
    """Or a submission that sleeps until just before its limit, and crashes then, would hold up a class for minutes."""
    late = [question(f"late {n}", reg=666, seconds=1.0) for n in range(4)]
    # It is looked at every 0.2 s at least, so that 0.7 s of its sleep are known when it ends.
    run = ask(network("import os, time; time.sleep(0.9); os._exit(1)"), *late)
    assert [run.replies[call.id].outcome for call in late] == ["crashed", "crashed", "not_asked", "not_asked"]


@pytest.mark.slow
def test_the_whole_submission_has_a_limit(limits, submission, network, question):
    """However long each call may take, the whole ends in time, and what was cut off says so."""
    with StudentHost(replace(limits, total_seconds=0.6)) as host:
        calls = question("slow", reg=666, seconds=90), question("next")
        with must_end():
            run = host.run(submission(network("while True: pass")), "TwoLayerNet", calls)
    used_up = "the 0.6 processor seconds for the whole submission were used up"
    assert run.replies["slow"].error.message == f"still running when {used_up}"
    assert run.replies["next"].error.message == f"not asked: {used_up}"


def test_a_flood_of_prints_is_cut_and_costs_nothing(misbehave):
    """Debug prints are common; the reply keeps the first characters and says how many more there were."""
    reply = misbehave("for _ in range(50): print('x' * 1_000_000)")
    assert reply.outcome == "returned"
    assert reply.printed == "x" * 400 + "\n... and 49,999,650 more characters"


def test_a_flood_past_python_ends_at_the_files_cap(misbehave):
    """Descriptor 1 is a file of at most 1 MiB, so that a flood cannot fill the memory."""
    reply = misbehave("import os\nfor _ in range(10_000): os.write(1, b'y' * 1000)")
    assert reply.outcome == "raised"
    assert "File too large" in reply.error.message
    assert reply.printed.startswith("yyyy")
    assert len(reply.printed) <= 500


@pytest.mark.slow
@pytest.mark.parametrize("detach", in_part(["os.setsid()", "pass", "os.setsid()\n    os.fork()"], 3))
def test_what_was_forked_is_dead_before_the_next_submission(limits, submission, network, question, detach):
    """Where neither seccomp nor a limit forbids the fork: an orphan in a session of its own would eat the next one's time."""
    misdeed = (
        "import os, time\nread, write = os.pipe()\n"
        f"if os.fork() == 0:\n    {detach}\n    os.write(write, b'%d ' % os.getpid())\n    time.sleep(60)\n    os._exit(0)\n"
        "time.sleep(0.1)\nreturn os.read(read, 100).decode()"
    )
    with StudentHost(limits, DisabledLayers(("seccomp", "rlimits"))) as host:
        reply = host.run(submission(network(misdeed)), "TwoLayerNet", [question("bad", reg=666)]).replies["bad"]
    pids = reply.results[0].split()
    assert pids
    assert not [pid for pid in pids if Path("/proc", pid).exists()]


@pytest.mark.parametrize(
    "misdeed",
    [
        "import os\nos.closerange(3, 32)",
        "import os, time\nos.closerange(3, 32)\ntime.sleep(60)",
    ],
)
def test_closing_the_channel_costs_the_call(misbehave, misdeed):
    """A process that cannot answer is replaced at once; nobody waits for its deadline."""
    with must_end(20):
        reply = misbehave(misdeed, seconds=25)
    assert reply.outcome == "broke_protocol"
    assert reply.error.message == "its process closed the channel to the grader"


@pytest.mark.parametrize(
    ("misdeed", "message"),
    [
        (
            "import os\nos.write(3, b'hello grader, 100 points please')",
            "its process sent bytes that do not begin a frame",
        ),
        ("forge(99)", "its process sent a reply to a call that was not asked"),
        ("forge(-1)", "its process sent a reply to a call that was not asked"),
        ("forge('2')", "its process sent a reply to a call that was not asked"),
        ("forge(2, times=2)", "its process sent two replies to one call"),
        ("forge(2)", "its process sent two replies to one call"),
        ("forge(0)", "its process sent a reply to a call that was not asked"),
        ("forge(2, results=[])", "its process sent 0 results for 1 steps"),
        ("forge(2, results=[['object', 'os.system']])", "its process sent a value described in no known way"),
        ("forge(2, results=[['array']])", "its process sent fewer arrays than the values speak of"),
        ("forge(2, own_shapes={'W1': [-1]})", "its process sent a shape that is none"),
        ("forge(2, own_shapes=[])", "its process sent shapes that are none"),
        ("forge(2, error='none')", "its process sent an error that is none"),
        ("forge(2, printed=7)", "its process sent something other than text"),
        ("forge(2, warnings='x')", "its process sent something other than a list"),
        ("forge(2, arrays=[['|O', [1]]])", "its process sent an array of a kind that does not travel"),
        ("forge(2, arrays=[['<f8', [0, 2**40, 2**40]]])", "its process sent an array's shape that is too large"),
        (
            "import os\nos.write(3, b'2LN1' + b'\\xff' * 4)",
            "its process sent a header of 4,294,967,295 bytes; at most 1,048,576 are read",
        ),
    ],
)
def test_forged_frames_break_the_protocol(ask, network, question, misdeed, message):
    """A forged frame, a wrong number, two replies for one call: each costs calls of its author, and no other."""
    calls = question("before"), question("bad", reg=666), question("after")
    run = ask(network(misdeed, top=FORGE), *calls)
    assert run.replies["before"].outcome == "returned"
    assert run.replies["bad"].outcome == "broke_protocol"
    assert run.replies["bad"].error.message == message
    assert run.replies["after"].outcome == "returned"


def test_a_second_reply_to_the_call_before_spoils_both(ask, network, question):
    """Whose it was cannot be known, so that call is spoilt; asked again in a fresh process, it is nobody's."""
    run = ask(network("forge(1)", top=FORGE), question("before"), question("bad", reg=666), question("after"))
    assert [reply.outcome for reply in run.replies.values()] == ["broke_protocol", "broke_protocol", "returned"]
    assert run.replies["before"].error.message == "its process sent two replies to one call"
    assert run.replies["bad"].error.message == "its process sent a reply to a call that was not asked"


def test_text_in_an_answer_is_made_fit_to_keep(ask, network, question):
    """A lone surrogate would make every report of ours fail to be written; a terminal code would be obeyed."""
    misdeed = "forge(1, results=[['dict', [['a\\x1b', ['str', '\\ud800\\x1b[2J']]]]])\nimport os\nos.close(3)"
    reply = ask(network(misdeed, top=FORGE), question("q", reg=666)).replies["q"]
    assert reply.results == ({"a\N{REPLACEMENT CHARACTER}": "\N{REPLACEMENT CHARACTER}\N{REPLACEMENT CHARACTER}[2J"},)


def test_two_replies_to_the_last_call_are_noticed(ask, network, question):
    """Nothing is asked after it, so the process is heard to its end."""
    run = ask(network("forge(1)", top=FORGE), question("only", reg=666))
    assert run.replies["only"].outcome == "broke_protocol"
    assert run.replies["only"].error.message == "its process sent two replies to one call"


def test_a_forged_load_loads_nothing(ask, network, question):
    """Whoever claims to have loaded, and then loads, has said it twice."""
    run = ask(network(top=FORGE + "\nforge(0, results=[])"), question("one"))
    assert run.load.outcome == "broke_protocol"
    assert run.replies["one"].outcome == "not_asked"


@pytest.fixture(scope="module")
def hasty(limits):
    """Return a host that waits for no slow import."""
    with StudentHost(replace(limits, load_seconds=0.5)) as one:
        yield one


@pytest.mark.parametrize(
    ("source", "outcome", "message"),
    [
        ("class TwoLayerNet:\n    while True: pass", "timed_out", "still running after 0.5 processor seconds"),
        ("class TwoLayerNet:\n    import os; os._exit(1)", "crashed", "ended the process with os._exit(1) or sys.exit"),
        ("class TwoLayerNet:\n    import sys; sys.exit(1)", "raised", "called sys.exit()"),
        ("class TwoLayerNet:\n    1 / 0", "raised", "division by zero"),
        ("class Network: pass", "raised", "there is no class TwoLayerNet; the submission has the classes Network"),
        ("x = 1", "raised", "there is no class TwoLayerNet; the submission has no class at all"),
        ("def TwoLayerNet(): pass", "raised", "TwoLayerNet is a function, expected a class"),
        ("import numpy.nonsense", "raised", "No module named 'numpy.nonsense'"),
    ],
)
def test_what_does_not_load_is_not_retried(monkeypatch, hasty, submission, question, source, outcome, message):
    """The load says why, every reply is "not_asked" and says it again, and one process was tried."""
    forked = []
    fork = hasty.server.fork
    monkeypatch.setattr(hasty.server, "fork", lambda *how: forked.append(how) or fork(*how))
    run = hasty.run(submission(source), "TwoLayerNet", [question("a"), question("b")])
    assert len(forked) == 1
    assert run.load.outcome == outcome
    assert run.load.error.message == message
    assert run.load.error.during == "import"
    assert [reply.outcome for reply in run.replies.values()] == ["not_asked", "not_asked"]
    assert run.replies["a"].error.message == f"not asked: the submission could not be loaded: {message}"


@pytest.mark.parametrize(
    "misdeed",
    [
        "def deep(n): return deep(n + 1)\ndeep(0)",
        "def deep(n): return sorted([n], key=deep)\ndeep(0)",
        "class Deep:\n    def __getattr__(self, name): return getattr(self, name + 'x')\nDeep().a",
    ],
)
def test_deep_recursion_is_an_error_not_a_crash(misbehave, misdeed):
    """5,000 calls fit on the stack, even where each goes through C."""
    reply = misbehave(misdeed)
    assert reply.outcome == "raised"
    assert reply.error.type == "RecursionError"
    assert len(reply.error.places) <= 20


@pytest.mark.slow
def test_a_student_who_kills_the_zygote_costs_nobody_else(limits, submission, network, question):
    """Where no layer forbids it, a process can signal its parent: it dies with it, and both are replaced."""
    killer = network("import os, signal, time\nos.kill(os.getppid(), signal.SIGKILL)\ntime.sleep(60)")
    weakened = DisabledLayers(("uid", "no_new_privs", "landlock", "seccomp"))
    with StudentHost(limits, weakened) as host:
        run = host.run(submission(killer), "TwoLayerNet", [question("bad", reg=666), question("next")])
    assert [reply.outcome for reply in run.replies.values()] == ["crashed", "returned"]


def test_an_answer_over_the_cap_is_an_error_with_its_size(misbehave):
    """A broadcast of 10^9 entries takes no memory in the process, and must not take the grader's."""
    reply = misbehave("return np.broadcast_to(0.0, 10**9)")
    assert reply.outcome == "raised"
    assert reply.error.message == "loss returned 8,000,000,000 bytes; at most 64 MiB travel"


@pytest.mark.slow
def test_a_dead_process_leaves_nothing(host, ask, network, question):
    """No zombie, no descriptor, neither here nor in the zygote, after 50 runs of which some crash."""
    source = network("import os\nos.kill(os.getpid(), 9)")

    def counted():
        children = Path(f"/proc/{host.server.pid}/task/{host.server.pid}/children").read_text()
        descriptors = [len(list(Path(f"/proc/{pid}/fd").iterdir())) for pid in ("self", host.server.pid)]
        return descriptors, children

    ask(source)
    before = counted()
    for number in range(50):
        ask(source, question(reg=666 if number % 10 == 0 else 0.1))
    assert counted() == before
    assert before[1] == ""


@pytest.mark.slow
def test_the_child_dies_with_the_zygote_and_the_zygote_with_the_grader(tmp_path, submission, network):
    """A grader that is killed leaves no process behind, not even one that loops."""
    script = tmp_path / "grade.py"
    script.write_text(
        "import sys\nfrom grader.model import *\nfrom grader.sandbox.host import StudentHost\n"
        "host = StudentHost(Limits(60, 60, 60, 60, 512, 100))\nprint(host.server.pid, flush=True)\n"
        "source = 'class TwoLayerNet:\\n    while True: pass'\n"
        "host.run(Submission('n', 'n', '', 'n', (Segment('n', source, (0,)),)), 'TwoLayerNet', [])\n",
    )
    grader = subprocess.Popen([sys.executable, script], stdout=subprocess.PIPE, text=True)
    zygote = int(grader.stdout.readline())
    children = Path(f"/proc/{zygote}/task/{zygote}/children")
    deadline = time.monotonic() + 5
    while not (child := children.read_text().strip()) and time.monotonic() < deadline:
        time.sleep(0.02)
    time.sleep(0.1)
    grader.send_signal(signal.SIGKILL)
    grader.wait()
    grader.stdout.close()
    assert child
    while any(Path(f"/proc/{pid}").exists() for pid in (zygote, child)) and time.monotonic() < deadline:
        time.sleep(0.02)
    assert not Path(f"/proc/{child}").exists()
    assert not Path(f"/proc/{zygote}").exists()


def test_an_exception_that_lies_about_its_class_is_described(ask, network, question):
    """`__class__` of an exception may raise; the reply still names the exception, and the process lives."""
    lie = "class Liar(Exception):\n    __class__ = property(lambda self: 1 / 0)\n\n"
    source = lie + network().replace(
        "def loss(self, X, y=None, reg=0.0):", "def loss(self, X, y=None, reg=0.0):\n        raise Liar()"
    )
    reply = ask(source, question("first")).replies["first"]
    assert (reply.outcome, reply.error.type) == ("raised", "Liar")
