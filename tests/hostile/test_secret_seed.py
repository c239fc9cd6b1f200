"""The seed of a grading is not in the student's process, in any form, nor can it be had from what is there."""

from __future__ import annotations

import os
import random
import struct
from functools import partial

import numpy as np
import pytest

from grader.model import QuestionId, Segment, Submission
from grader.sandbox import protocol
from grader.sandbox.question_file import QuestionFile
from reference.cases import network_of
from reference.digits import digits_start
from reference.questions import draw

SEEDS = (3_735_928_559, 0x9E3779B97F4A7C15F39CC0605CEDC835)  # as given by hand, and as a class draws its own
ASKED = ("scores/a", "predict/a", "toy", "digits", "alone/1")
# Returns the state of each generator, and all integers that it finds in frames and objects.
THIEF = """
import gc, random, sys
import numpy as np

class TwoLayerNet:
    def __init__(self, input_size, hidden_size, output_size, std=1e-4):
        self.params = {}

    def loss(self, X, y=None, reg=0.0):
        found, frame = set(), sys._getframe()
        while frame:
            held = [*frame.f_locals.values()]
            held += [part for one in held for part in getattr(one, "__dict__", {}).values()]
            found |= {str(one) for one in held if isinstance(one, int)}
            frame = frame.f_back
        for one in gc.get_objects():
            if isinstance(one, dict):
                found |= {str(v) for k, v in list(one.items()) if isinstance(v, int) and "seed" in str(k)}
        entropy = [np.random.default_rng().bit_generator.seed_seq.entropy, np.random.PCG64().seed_seq.entropy]
        return np.random.get_state()[1], np.array(random.getstate()[1]), list(map(str, entropy)), sorted(found)[:900]

    def predict(self, X):
        return self.loss(X)

    def train(self, X, y, X_val, y_val, learning_rate, learning_rate_decay, reg, num_iters, batch_size, verbose):
        return self.loss(X)
"""


@pytest.fixture(scope="module", params=SEEDS, ids=["by hand", "drawn"])
def robbed(request, assignment, host):
    """Return a seed, all bytes that are sent to a student's process, and what the thief returns."""
    calls = draw(assignment, request.param).calls
    file = QuestionFile(calls).descriptor
    sent = [os.pread(file, os.fstat(file).st_size, 0)]
    os.close(file)
    real = protocol.send

    def listening(channel, pieces, deadline):
        sent.extend(bytes(piece) for piece in pieces)
        real(channel, pieces, deadline)

    thief = Submission("thief", "thief.py", "", "thief.py", segments=(Segment("thief.py", THIEF, tuple(range(3))),))
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(protocol, "send", listening)
        run = host.run(thief, "TwoLayerNet", [call for call in calls if str(call.id) in ASKED])
    results = [run.replies[QuestionId.parse(text)].results[0] for text in ASKED]
    return request.param, b"\0".join(sent), [one["answer"] if isinstance(one, dict) else one for one in results]


def writings(number: int) -> set[bytes]:
    """Return the bytes of a number in every form in which one is written down."""
    texts = {str(number), f"{number:x}", f"{number:X}"}
    found = {text.encode() for text in texts}
    widths = [width for width in (4, 8, 16, 32) if number < 1 << 8 * width]
    found |= {number.to_bytes(width, order) for width in widths for order in ("little", "big")}
    found |= {struct.pack(order + "d", number) for order in "<>"}
    # numpy's generators take a large seed in words of 32 bits.
    words = [number >> shift & 0xFFFFFFFF for shift in range(0, number.bit_length(), 32)]
    return found | {struct.pack(order + "I", word) for word in words for order in "<>"}


def test_nothing_that_is_sent_holds_the_seed(robbed):
    """All messages with all their arrays are searched, for integers of each width and byte order, and for text."""
    seed, sent, _ = robbed
    assert len(sent) > 100_000
    assert [form for form in writings(seed) if form in sent] == []


def test_no_state_in_the_students_process_is_that_of_the_seed(robbed):
    """Neither numpy's generators, old and new, nor Python's, nor an integer in a frame or an object."""
    seed, _, taken = robbed
    near = {(seed + step) % size for step in (-1, 0, 1) for size in (2**32, 2**128)}
    numpys = [np.random.RandomState(one % 2**32).get_state()[1] for one in near]
    pythons = [np.array(random.Random(one).getstate()[1]) for one in near]  # noqa: S311 -- as a student draws
    for legacy, python, entropy, found in taken:
        assert not any(np.array_equal(legacy, one) for one in numpys)
        assert not any(np.array_equal(python, one) for one in pythons)
        assert len(found) > 10
        assert not {str(one) for one in near} & {*entropy, *found}
    # Each question's generators are its own, but for those of which nothing random is asked.
    assert len({legacy.tobytes() for legacy, *_ in taken[2:]}) == 3


def test_what_is_drawn_is_not_what_a_generator_of_the_seed_draws(assignment):
    """Whoever tries all seeds of numpy's generators finds none that gives what was sent."""
    seed = SEEDS[0]
    network, calls = network_of(assignment), {str(call.id): call for call in draw(assignment, seed).calls}
    initialise = partial(network.initialise, calls["digits"].sizes, assignment.digits.initial_std)
    start = digits_start(assignment, network, seed)
    np.testing.assert_array_equal(calls["digits"].params["W1"], start["W1"])
    for near in (seed - 1, seed, seed + 1):
        assert not np.array_equal(initialise(np.random.RandomState(near))["W1"], start["W1"])
    X = calls["scores/a"].steps[0].arguments["X"]
    from_seed = (np.random.default_rng(seed), np.random.default_rng([seed, 0]), np.random.RandomState(seed))
    assert not any(np.array_equal(rng.normal(size=X.shape), X) for rng in from_seed)
