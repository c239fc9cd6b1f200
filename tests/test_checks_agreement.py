"""The short way to a finding gives what the long way gives, and is taken only by answers that are the right ones."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from grader.checks import CHECKS, Evidence
from grader.checks.agreement import EQUAL, Way, agrees, finding
from grader.checks.losses import allowed_conventions
from grader.records import Reply, Run
from grader.submission import receive, understand

TESTS = Path(__file__).resolve().parent
BY_CHANCE = {"minibatch", "learns_toy", "learns_digits", "best_hyperparameters"}
CHEAP = {"stability", "purity"}  # what makes them up is asked for elsewhere
SHORT = [check for check in CHECKS.values() if check.looks_at]
RIGHT = Way(1.0, frozenset())
WRITTEN = sorted(
    [
        *TESTS.glob("submissions/right_*.py"),
        *TESTS.glob("submissions/right_*.ipynb"),
        *TESTS.glob("submissions/wrong_*.py"),
        *TESTS.glob("hostile/attacks/grading_*.py"),
    ]
)


class Poisoned(dict):
    """Replies that may be looked at, where any other raises."""

    def get(self, call, *_):
        """Give a reply that is there, else fail the test."""
        return self[call]

    def __missing__(self, call):
        raise AssertionError(f"it looked at {call}")


def run_of(replies):
    """Make a run of replies."""
    return Run(Reply("load", "returned"), replies, (), {}, 0.0, 0.0)


def rehearsed(probes, mistakes=frozenset(), factor=1.0):
    """Give the replies of a program with some mistakes."""
    return {call.id: probes.line_up.rehearse(frozenset(mistakes), factor, call.id) for call in probes.calls}


def shown(found):
    """Give what can be compared of a finding."""
    figures = tuple((type(figure).__name__, figure.title) for figure in found.figures)
    return found.share, found.message, found.skipped, found.about, found.places, figures


def assert_both_ways_agree(assignment, probes, run):
    """Judge a run both ways; give how many checks took the short one."""
    taken = 0
    with np.errstate(all="ignore"):
        for check in SHORT:
            theirs = Evidence(assignment, probes, run)
            asked = []

            def worked_out(evidence, check=check, asked=asked):
                asked.append(evidence)
                return check.function(evidence)

            short = finding(theirs, worked_out, check.looks_at)
            taken += not any(evidence is theirs for evidence in asked)
            assert shown(short) == shown(check.function(Evidence(assignment, probes, run))), check.id
    return taken


def changed(value, change):
    """Change every float array of an answer."""
    if isinstance(value, np.ndarray):
        return change(value) if value.dtype == np.float64 and value.size else value
    if isinstance(value, dict):
        return {key: changed(one, change) for key, one in value.items()}
    if isinstance(value, tuple | list):
        return type(value)(changed(one, change) for one in value)
    return value


def changed_at(replies, call, step, change):
    """Change one step's answer among replies."""
    results = list(replies[call].results)
    results[step] = changed(results[step], change)
    return {**replies, call: replace(replies[call], results=tuple(results))}


def questions_of(probes, family):
    """Give (call, step) of a family's questions that are answered with real numbers."""
    return [
        (call.id, index)
        for call in probes.calls
        if call.id.partition("/")[0] == ("train" if family == "kept" else family)
        for index, step in enumerate(call.steps)
        if (step.method == "train") == (family == "kept") and step.method != "predict"
    ]


# ---------------------------------------------------------------- what is declared


def test_every_check_that_chance_has_no_say_in_declares_what_it_reads():
    """A check without a declaration is worked out each time; that is said here on purpose of each."""
    assert {check.id for check in CHECKS.values() if not check.looks_at} == BY_CHANCE | CHEAP


@pytest.mark.parametrize("factor", [0.5, 1.0])
@pytest.mark.parametrize("check", SHORT, ids=lambda check: check.id)
def test_a_check_reads_no_more_than_it_declares(check, factor, assignment, probes):
    """With all other replies poisoned, each check still gives a right program full points."""
    families = {"train" if family == "kept" else family for family in check.looks_at}
    allowed = {
        call: reply for call, reply in rehearsed(probes, factor=factor).items() if call.split("/")[0] in families
    }
    found = check.function(Evidence(assignment, probes, run_of(Poisoned(allowed))))
    assert found.share == 1
    assert not found.skipped


@pytest.mark.parametrize("check", SHORT, ids=lambda check: check.id)
def test_each_declared_family_matters(check, assignment, probes):
    """A declaration that is longer than need be would send right answers the long way for nothing it reads."""
    for family in check.looks_at:
        dropped = "train" if family == "kept" else family
        if family == "kept":
            # It travels with the other answers about train(): one of its steps is taken away alone.
            replies = changed_at(rehearsed(probes), "train/4", 0, lambda history: history + 1)
        else:
            replies = {call: reply for call, reply in rehearsed(probes).items() if call.split("/")[0] != dropped}
        try:
            found = check.function(Evidence(assignment, probes, run_of(Poisoned(replies))))
        except AssertionError:
            continue
        assert found.share < 1, (check.id, family)


# ---------------------------------------------------------------- the same findings


@pytest.mark.untraced  # the same checks over and over: a tracer doubles the time and learns nothing
@pytest.mark.parametrize("every", [35, pytest.param(7, marks=pytest.mark.slow)])
def test_single_mistakes_are_found_alike_both_ways(assignment, probes, every):
    """Some of the named mistakes, and as many of the harmless ones, are judged the same the short way as the long way."""
    suspects = probes.line_up.suspects
    harmless = [index for index, one in enumerate(suspects) if one.harmless]
    chosen = sorted({*range(0, len(suspects), every), *harmless[:: every // 7]})
    taken = [
        assert_both_ways_agree(assignment, probes, run_of(rehearsed(probes, {index}, factor)))
        for index, factor in zip(chosen, np.resize([0.5, 1.0], len(chosen)).tolist(), strict=True)
    ]
    assert min(taken) < len(SHORT) / 2  # else nothing was wrong
    assert np.mean(taken) > 1  # else the short way was never taken where it could be


# Every third is in the default run.
@pytest.mark.untraced
@pytest.mark.parametrize(
    "path",
    [pytest.param(path, marks=[pytest.mark.slow] if at % 3 else []) for at, path in enumerate(WRITTEN)],
    ids=lambda path: path.stem,
)
def test_programs_are_found_alike_both_ways(path, assignment, probes, host):
    """Right programs written in many ways, wrong ones, and those that answer rightly here and wrongly there."""
    submission = understand(
        receive(path), path.stem, str(path), class_name=assignment.class_name, notebook=assignment.notebook
    )
    run = host.run(submission, assignment.class_name, probes.calls)
    assert_both_ways_agree(assignment, probes, run)


@pytest.mark.parametrize("factor", [0.5, 1.0])
def test_a_right_program_goes_the_short_way_throughout(factor, assignment, probes):
    """Both factors of the regulariser, and both ends of the epoch to decay at, are known beforehand."""
    later = {i for i, one in enumerate(probes.line_up.suspects) if one.harmless and one.steps == {"decay"}}
    for harmless in (set(), later):
        run = run_of(rehearsed(probes, harmless, factor))
        assert assert_both_ways_agree(assignment, probes, run) == len(SHORT)


# ---------------------------------------------------------------- who is not taken for right


@pytest.mark.parametrize("family", [family for family in EQUAL if family != "predict"])
def test_a_millionth_is_no_agreement_and_rounding_is(family, assignment, probes):
    """One array that is off by a millionth of its largest entry, in any one answer, is enough to be judged the long way."""
    right = rehearsed(probes)
    assert agrees(Evidence(assignment, probes, run_of(right)), family, RIGHT)

    def off(by):
        def change(array):
            moved = array.copy()
            moved.reshape(-1)[-1] += by * np.abs(array).max()
            return moved

        return change

    for call, step in questions_of(probes, family):
        for by, same in ((1e-6, False), (1e-10, False), (1e-15, True)):
            replies = changed_at(right, call, step, off(by))
            assert agrees(Evidence(assignment, probes, run_of(replies)), family, RIGHT) is same, (call, step, by)


@pytest.mark.parametrize(
    "change",
    [
        lambda array: array.astype(np.float32),
        lambda array: array.reshape(1, *array.shape),
        lambda array: np.full_like(array, np.nan),
        lambda array: array.tolist(),
        lambda _: None,
    ],
    ids=["single precision", "one axis more", "no number", "lists", "nothing"],
)
def test_answers_of_another_make_go_the_long_way(change, assignment, probes):
    """Numbers that are right but of another type, shape or dress are for the check itself to judge."""
    for family in ("scores", "loss", "sweep", "train"):
        call, step = questions_of(probes, family)[-1]
        evidence = Evidence(assignment, probes, run_of(changed_at(rehearsed(probes), call, step, change)))
        assert not agrees(evidence, family, RIGHT), family


@pytest.mark.parametrize("kind", ["float64", "bool", "missing", "turned"])
def test_labels_that_are_no_whole_numbers_go_the_long_way(kind, assignment, probes):
    """Labels of another type, shape or value, and answers that never came, are not agreed with."""
    replies = rehearsed(probes)
    labels = replies["predict/a"].results[0]
    other = {
        "float64": (labels.astype(np.float64),),
        "bool": (labels.astype(bool),),
        "missing": (),
        "turned": (labels[::-1],),
    }[kind]
    replies["predict/a"] = replace(replies["predict/a"], results=other)
    assert not agrees(Evidence(assignment, probes, run_of(replies)), "predict", RIGHT)


@pytest.mark.parametrize("more", [(None,), ()], ids=["three parts", "an error besides"])
def test_a_right_loss_in_odd_company_goes_the_long_way(more, assignment, probes):
    """What comes with the right numbers is for the check to judge."""
    replies = rehearsed(probes)
    answered = replies["loss/a/0"]
    changes = {"results": ((*answered.results[0], *more),)} if more else {"outcome": "raised"}
    replies["loss/a/0"] = replace(answered, **changes)
    assert not agrees(Evidence(assignment, probes, run_of(replies)), "loss", RIGHT)
    assert_both_ways_agree(assignment, probes, run_of(replies))


def test_two_conventions_in_one_program_go_the_long_way(assignment, probes):
    """Half of the regulariser where loss() is judged and the whole where train() is: no right program does both."""
    half, whole = rehearsed(probes, factor=0.5), rehearsed(probes, factor=1.0)
    run = run_of({**half, **{call: reply for call, reply in whole.items() if call.startswith("train/")}})
    assert assert_both_ways_agree(assignment, probes, run) == len(SHORT) - 3  # update_rule, decay, histories


@pytest.mark.parametrize("name", ["scores", "loss", "gradient", "numeric", "update", "single", "floor", "step"])
def test_a_rubric_that_asks_for_more_digits_goes_the_long_way(name, assignment, probes):
    """Agreement promises eight digits; where a tolerance is finer than that, each answer is worked out."""
    finer = replace(assignment, tolerances=replace(assignment.tolerances, **{name: 1e-9}))
    assert assert_both_ways_agree(assignment, probes, run_of(rehearsed(probes))) == len(SHORT)
    evidence = Evidence(finer, probes, run_of(rehearsed(probes)))
    asked = []
    finding(evidence, lambda one: asked.append(one) or CHECKS["scores"].function(one), ("scores",))
    assert asked == [evidence]


def test_without_a_line_up_every_check_is_worked_out(assignment, probes):
    """Frozen probes know no right program to agree with."""
    frozen = replace(probes, line_up=None)
    assert assert_both_ways_agree(assignment, frozen, run_of(rehearsed(probes))) == 0
    assert allowed_conventions(Evidence(assignment, frozen, run_of({})))
