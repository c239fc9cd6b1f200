"""Frozen questions are what the reference would ask and answer today, and a file that is not whole is refused in one line."""

import io
import zipfile
from dataclasses import fields, replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from examples import examples, in_part
from grader import __version__
from grader.check_program import judge_program
from grader.checks.read_losses import accepted_factors
from grader.frozen import FILE, FrozenError, load_frozen
from grader.frozen.freeze import describe_questions, freeze, simulate_row
from grader.frozen.load_frozen import KEPT_BACK, VERSION, checksum
from grader.grading import judge_run
from grader.model import NotFrozenError, Oracle, QuestionId, Reply, Run, Submission
from grader.packing import Apart, pack_apart
from grader.rubric import bundled
from reference.catalogue import list_forms

SUBMISSION = Submission("test", "test.py", "", "test.py")
FORMS = tuple(list_forms())
BY_CLAIM = {"histories", "learns_toy", "learns_digits"}
TAKEN_AT_ITS_WORD = {"error_rates_for_accuracies", "accuracies_exchanged"}


@pytest.fixture(scope="module")
def frozen():
    """Return the public questions that come with the grader."""
    return load_frozen(bundled())


@pytest.fixture(scope="module")
def known(frozen):
    """Return the mistakes in them."""
    return frozen.with_mistakes().catalogue


@pytest.fixture(scope="module")
def small(assignment, questions, tmp_path_factory):
    """Return a file with the questions and two mistakes."""
    catalogue = replace(questions.catalogue, forms=questions.catalogue.forms[:2])
    file = tmp_path_factory.mktemp("small") / FILE
    file.write_bytes(freeze(assignment, replace(questions, catalogue=catalogue)))
    return file


def same(one, other):
    """Return whether two values are the same, numbers but for rounding."""
    if isinstance(one, np.ndarray):
        kinds = isinstance(other, np.ndarray) and one.shape == other.shape and one.dtype.kind == other.dtype.kind
        return kinds and np.allclose(one, other, rtol=1e-6, atol=1e-9, equal_nan=True)
    if isinstance(one, dict):
        return [*one] == [*other] and all(same(one[key], other[key]) for key in one)
    if isinstance(one, list | tuple):
        return len(one) == len(other) and all(map(same, one, other))
    if isinstance(one, Reply):
        return all(same(getattr(one, part.name), getattr(other, part.name)) for part in fields(one))
    if hasattr(one, "__dataclass_fields__"):
        return type(one) is type(other) and all(
            same(getattr(one, part.name), getattr(other, part.name)) for part in fields(one)
        )
    return np.isclose(one, other, rtol=1e-6, equal_nan=True) if isinstance(one, float) else one == other


# ---------------------------------------------------------------- up to date


def test_the_public_questions_are_those_of_today(assignment, questions):
    """Freezing again gives the same inputs and answers; `grader freeze` mends it."""
    with np.load(bundled() / FILE, allow_pickle=False) as stored:
        kept = Apart(stored["questions"].tobytes()).restore(0)
    today = Apart(pack_apart([describe_questions(assignment, questions)])).restore(0)
    assert [*kept] == [*today]
    assert all(same(kept[part], today[part]) for part in kept)


@pytest.mark.untraced
@pytest.mark.parametrize("row", in_part(range(1 + len(FORMS)), every=120))
def test_the_mistakes_answer_what_they_answer_today(row, assignment, questions, known):
    """A mistake that was added, mended or moved since shows here; `grader freeze` mends it."""
    factors = accepted_factors(assignment)
    today = list(simulate_row(questions.catalogue, questions.calls, factors, row))
    ids = [(factor, call.id) for factor in factors for call in questions.calls]
    kept = [known.simulate(frozenset({row - 1} if row else ()), factor, call, 0) for factor, call in ids]
    assert [str(call) for (_, call), one, other in zip(ids, kept, today, strict=True) if not same(one, other)] == []


def test_the_mistakes_are_told_in_today_s_words(questions, known):
    """Titles, hints and sources are those of the reference, in its order."""
    assert known.forms == questions.catalogue.forms


def test_the_file_is_small(frozen):
    """A few megabytes at most, to be fetched by every student; and neither seed nor a path of the instructor's is in it."""
    assert (bundled() / FILE).stat().st_size < 6e6
    assert frozen.assignment.seed == 0
    assert {"seed", "folder"} == KEPT_BACK


def test_hidden_checks_are_left_out(assignment, questions, tmp_path):
    """Students' files do not even hold their names."""
    first, *others = assignment.checks
    catalogue = replace(questions.catalogue, forms=())
    hiding = replace(assignment, checks=(replace(first, hidden=True), *others))
    (tmp_path / FILE).write_bytes(freeze(hiding, replace(questions, catalogue=catalogue)))
    assert load_frozen(tmp_path).assignment.checks == tuple(others)


# ---------------------------------------------------------------- as good as the reference


def simulated(questions, *mistakes):
    """Return the run of a program with these mistakes, by positions in the catalogue."""
    replies = {one.id: questions.catalogue.simulate(frozenset(mistakes), 0.5, one.id, 0) for one in questions.calls}
    return Run(Reply(QuestionId("load"), "returned"), replies, (), {}, 0.0, 0.0)


@pytest.mark.untraced
@pytest.mark.parametrize("index", in_part(range(len(FORMS)), every=400))
def test_a_single_mistake_is_named_and_costs_as_by_the_reference(index, assignment, questions, frozen):
    """Verdicts, points and names are the same, without any reference at hand; the two exceptions come from its absence.

    A check of what was learnt reads the scores that the program claims, so that a wrong loss(X) may decide whether it passes
    or is carried: its points are kept in both cases. A program may compute its accuracies by a forward pass of its own, and
    nobody can say what that gives: accuracies that no stand-in explains are taken at their word.
    """
    run = simulated(questions, index)
    ours = judge_program(SUBMISSION, run, frozen, "", 0.0)
    theirs = judge_run(SUBMISSION, run, assignment, questions).report
    if FORMS[index].name in TAKEN_AT_ITS_WORD:
        assert ours.diagnoses == ()
        assert [one.id for one in theirs.checks if one.status != "passed"] == ["histories", "best_hyperparameters"]
        return
    # A number that is fitted may say the same in another way; frozen mistakes have their typical numbers.
    assert all(
        mine.title == other.title or (other.title.startswith("One of: ") and mine.title in other.title)
        for mine, other in zip(ours.diagnoses, theirs.diagnoses, strict=True)
    )
    assert verdicts(ours) == verdicts(theirs)
    assert ours.score == theirs.score


def verdicts(report):
    """Return each check's verdict; of what was learnt, whether its points are kept."""
    kept = {"passed": "kept", "carried": "kept"}
    return [(one.id, kept.get(one.status, one.status) if one.id in BY_CLAIM else one.status) for one in report.checks]


def position(questions, name):
    """Return the position of a mistake's first way in the catalogue."""
    return next(at for at, form in enumerate(questions.catalogue.forms) if form.id == name)


@pytest.mark.slow
def test_two_mistakes_in_different_methods_are_both_named(questions, frozen):
    """What they answer together in a whole training is not frozen, and does not keep them from being named."""
    both = [position(questions, name) for name in ("bias_subtracted", "rate_left_out")]
    report = judge_program(SUBMISSION, simulated(questions, *both), frozen, "", 0.0)
    assert {one.id for one in report.diagnoses} == {"bias_subtracted", "rate_left_out"}


def test_what_two_mistakes_answer_together_is_said_to_be_unknown(questions, known):
    """Where only one of them shows its answer is that of both; where they meet nothing is made up."""
    pair = frozenset(position(questions, name) for name in ("bias_subtracted", "rate_left_out"))
    assert known.simulate(pair, 0.5, QuestionId("scores", "a"), 0).outcome == "returned"
    with pytest.raises(NotFrozenError):
        known.simulate(pair, 0.5, QuestionId("toy"), 0)


# ---------------------------------------------------------------- files that are not whole


def refusal(file):
    """Return why a file is refused; "" where it is not."""
    try:
        load_frozen(file).with_mistakes()
    except FrozenError as error:
        return str(error)
    return ""


def test_a_whole_file_is_read(small, assignment, questions):
    """What was frozen comes back, but for what students must not see."""
    thawed = load_frozen(small)
    assert replace(thawed.assignment, folder=assignment.folder, seed=assignment.seed) == assignment
    assert [call.id for call in thawed.questions.calls] == [call.id for call in questions.calls]
    assert isinstance(thawed.questions.oracle, Oracle)
    assert len(thawed.with_mistakes().catalogue.forms) == 2
    assert load_frozen(small.parent).assignment == thawed.assignment


@pytest.mark.untraced
@examples(60)
@given(st.data())
def test_a_damaged_file_is_refused(small, data):
    """Cut off anywhere, or with a byte changed: one line that names the file and the mend, or the same as before."""
    whole = small.read_bytes()
    place = data.draw(st.integers(0, len(whole) - 1))
    broken = small.with_name("broken.npz")
    broken.write_bytes(whole[:place])
    assert "Get the file again" in refusal(broken)
    changed = bytearray(whole)
    changed[place] ^= data.draw(st.integers(1, 255))
    broken.write_bytes(changed)
    said = refusal(broken)
    assert said == "" or (str(broken) in said and "\n" not in said and said.count(". ") >= 1)


@examples(60)
@given(st.binary(max_size=300))
def test_any_bytes_are_refused(tmp_path_factory, data):
    """Also an array that numpy can read, and an empty archive."""
    file = tmp_path_factory.getbasetemp() / "any.npz"
    file.write_bytes(data)
    assert "Get the file again" in refusal(file)


def rewritten(small, **members):
    """Return a copy with other members, each with the checksums that were there unless these are given too."""
    with np.load(small) as stored:
        kept = {name: stored[name] for name in stored.files}
    file = small.with_name("rewritten.npz")
    np.savez(file, **{**kept, **members})
    return file


def test_a_file_of_another_version_is_refused(small):
    """It says which, and what to update."""
    said = refusal(rewritten(small, version=np.array(VERSION + 1)))
    assert f"have version {VERSION + 1}, and this grader reads {VERSION}" in said
    assert "Install the wheel and get the file that your instructor gives out now." in said


def test_a_file_that_was_changed_is_refused(small):
    """Other answers with the old checksum are found out, in either part."""
    for part in ("questions", "mistakes"):
        assert "were changed" in refusal(rewritten(small, **{part: np.zeros(20, np.uint8)}))


def test_other_things_with_right_checksums_are_refused(small):
    """Records of another version of the grader, whose whole file is as it was written, are called that."""
    for value in (
        [1, "x"],
        [{}],
        [{"assignment": {}, "calls": ()}],
        [{"forms": [], "factors": (), "table": np.zeros(3)}],
    ):
        data = pack_apart(value)
        members = {"questions": np.frombuffer(data, np.uint8), "mistakes": np.frombuffer(data, np.uint8)}
        said = refusal(rewritten(small, **members, checksums=np.array([checksum(data)] * 2)))
        assert (
            f"another version of the grader wrote these questions, and this is {__version__}. Install the wheel" in said
        )


def test_pickles_are_not_read(small):
    """An array of objects would run what it likes when it is loaded."""
    assert "Get the file again" in refusal(rewritten(small, version=np.array([print], dtype=object)))


def test_a_missing_file_and_an_empty_archive_are_told(tmp_path):
    """Each with what to do."""
    assert "there are no frozen questions" in refusal(tmp_path)
    assert "there are no frozen questions" in refusal(tmp_path / "none.npz")
    empty = io.BytesIO()
    zipfile.ZipFile(empty, "w").close()
    (tmp_path / FILE).write_bytes(empty.getvalue())
    assert "Get the file again" in refusal(tmp_path)
