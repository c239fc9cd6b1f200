"""What a grading depends on is told apart; what it does not depend on is not."""

from __future__ import annotations

import hashlib
import json
import platform
import re
from dataclasses import fields, replace

import numpy as np
import pytest

import grader
from grader.classroom.cache_keys import CacheKey, cache_key, digest_questions, dump_versions, versions
from grader.model import Bounds, CheckRow, Limits, Step, derive_number, seed_id
from reference.questions import draw

SEEDS = (0, 1, 2, 10, 231, 2**31, 2**32 - 1)


def test_seeds_are_told_apart():
    """Each seed has an ID of its own, the same in every process and release: a gradebook keeps it for years."""
    found = {seed: seed_id(seed) for seed in SEEDS}
    assert len(set(found.values())) == len(SEEDS)
    assert all(re.fullmatch("[0-9a-f]{16}", one) for one in found.values())
    assert found[231] == seed_id(231) == "c5cf6426271e9bf5"


def test_a_seed_is_not_found_by_trying_all(monkeypatch):
    """A seed takes a pass over 16 MiB, tens of milliseconds: the 2^32 of them take years, and no question is given away."""
    asked = []
    real = hashlib.scrypt
    monkeypatch.setattr(hashlib, "scrypt", lambda *of, **work: asked.append(work) or real(*of, **work))
    assert derive_number(4711_4711, "digits", 4) != derive_number(4711_4711, "digits start", 4)
    assert seed_id(4711_4711)
    (work,) = asked  # once for the ID and for all that is derived
    assert 128 * work["n"] * work["r"] * work["p"] >= 16 << 20


def test_the_versions_are_those_in_use():
    """Grader, Python and numpy decide a grading; they are kept as JSON whose order says nothing."""
    found = json.loads(versions())
    assert re.fullmatch("[0-9a-f]{12}", found.pop("judging"))
    assert found == {
        "grader": grader.__version__,
        "numpy": np.__version__,
        "python": platform.python_version(),
    }
    assert dump_versions({"b": "2", "a": "1"}) == dump_versions({"a": "1", "b": "2"}) == '{"a": "1", "b": "2"}'


def test_a_basis_names_all_that_decides(assignment, questions):
    """Each part comes from where it should, and the submission is still to come."""
    found = cache_key(assignment, assignment.seed, questions.calls, isolated=False)
    assert found == CacheKey(
        *("", assignment.digest, seed_id(assignment.seed), digest_questions(assignment, questions.calls), versions()),
        isolated=False,
    )
    assert cache_key(assignment, assignment.seed, questions.calls, isolated=True) == replace(found, isolated=True)


def test_only_the_rubric_may_differ_where_replies_are_judged_again():
    """Replies are the answer to another rubric's questions where nothing else differs, and to nothing else."""
    one = CacheKey("s", "a", "i", "q", '{"numpy": "1"}', isolated=True)
    assert one.same_run(one)
    others = {"isolated": False, "versions": '{"numpy": "2"}'}
    for field in fields(CacheKey):
        other = replace(one, **{field.name: others.get(field.name, "other")})
        assert one.same_run(other) == (field.name == "assignment_digest"), field.name


# ------------------------------------------------------------ questions


@pytest.fixture(scope="module")
def asked(assignment, questions):
    """Return the digest of the bundled questions."""
    return digest_questions(assignment, questions.calls)


def test_the_same_questions_have_the_same_digest(assignment, asked):
    """Drawn anew they are the same, bit for bit, or every gradebook would be run again."""
    assert re.fullmatch("[0-9a-f]{64}", asked)
    assert digest_questions(assignment, draw(assignment, assignment.seed).calls) == asked
    assert digest_questions(assignment, list(draw(assignment, assignment.seed).calls)) == asked


@pytest.mark.parametrize("field", ["sizes", "regs", "biases", "digits", "tolerances"])
def test_other_questions_have_another(assignment, asked, field):
    """Whatever of the rubric reaches the student's process as a number shows in the digest."""
    changed = {
        "sizes": (*assignment.sizes[:-1], (5, 4, 9, 3)),
        "regs": (*assignment.regs[:-1], 0.123),
        "biases": assignment.biases * 1.5,
        "digits": replace(assignment.digits, num_iters=assignment.digits.num_iters + 1),
        "tolerances": replace(assignment.tolerances, step=2 * assignment.tolerances.step),
    }
    other = replace(assignment, **{field: changed[field]})
    assert digest_questions(other, draw(other, other.seed).calls) != asked


def test_another_seed_asks_other_questions(assignment, asked):
    """The digest follows what is drawn."""
    assert digest_questions(assignment, draw(assignment, assignment.seed + 1).calls) != asked


@pytest.mark.parametrize("field", [field.name for field in fields(Limits)])
def test_other_limits_have_another(assignment, questions, asked, field):
    """What timed out under one limit may return under another, so its replies are no answer."""
    limits = replace(assignment.limits, **{field: getattr(assignment.limits, field) + 1})
    assert digest_questions(replace(assignment, limits=limits), questions.calls) != asked


def test_other_names_have_another(assignment, questions, asked):
    """The class that is looked for and the notebook that is chosen decide what is run."""
    assert digest_questions(replace(assignment, class_name="Net"), questions.calls) != asked
    assert digest_questions(replace(assignment, notebook="net.ipynb"), questions.calls) != asked


def test_each_part_of_a_call_counts(assignment, questions, asked):
    """One bit of one parameter, one argument, one second: any part of a question makes it another."""
    call = next(one for one in questions.calls if one.params and one.steps)
    name, array = next(iter(call.params.items()))
    nudged = np.array(array)
    nudged.flat[0] = np.nextafter(nudged.flat[0], np.inf)
    others = [
        replace(call, id="other"),
        replace(call, sizes=(9, 9, 9)),
        replace(call, params={**call.params, name: nudged}),
        replace(call, params={**call.params, name: np.asarray(array, np.float32)}),
        replace(call, steps=call.steps[:-1]),
        replace(call, steps=(Step("predict", {"X": np.zeros((1, 1))}),)),
        replace(call, seed=call.seed + 1),
        replace(call, seconds=call.seconds + 1),
    ]
    found = {
        digest_questions(assignment, [other if one is call else one for one in questions.calls])
        for other in (call, *others)
    }
    assert len(found) == len(others) + 1
    assert asked in found
    assert digest_questions(assignment, questions.calls[::-1]) not in found
    assert digest_questions(assignment, questions.calls[1:]) not in found


def test_what_only_judges_is_no_question(assignment, questions, asked):
    """Points, tolerances, thresholds, texts and late rules are applied to saved replies: no student code runs for them."""
    other = replace(
        assignment,
        title="Other",
        tolerances=replace(assignment.tolerances, loss=0.5),
        digits=replace(assignment.digits, threshold=0.1, tuned_threshold=0.2, calibration="guessed"),
        checks=(CheckRow(assignment.checks[0].id, 99.0),),
        digest="other",
        late=None,
    )
    assert digest_questions(other, questions.calls) == asked
    assert digest_questions(other, draw(other, other.seed).calls) == asked


def test_the_bounds_of_a_hyperparameter_are_asked(assignment, asked):
    """Tuned training is refused outside its bounds in the student's process already."""
    name = next(iter(assignment.hyperparameters))
    other = replace(assignment, hyperparameters={**assignment.hyperparameters, name: Bounds(0.5, 0.75, whole=False)})
    assert digest_questions(other, draw(other, other.seed).calls) != asked
