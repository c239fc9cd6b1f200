"""assignment.toml: what is refused, with the line and the mend."""

import re
from pathlib import Path

import pytest

from grader.checks import CHECKS
from grader.model import LatePolicy
from grader.rubric import AssignmentError, bundled, load

TEXT = (bundled() / "assignment.toml").read_text(encoding="utf-8")
KNOWN = tuple(CHECKS)


def refused(folder: Path, text: str) -> str:
    """Return the text with which an assignment is refused."""
    (folder / "assignment.toml").write_text(text, encoding="utf-8")
    with pytest.raises(AssignmentError) as caught:
        load(folder, KNOWN)
    return str(caught.value)


def line_of(text: str, part: str) -> int:
    """Return the line on which a part stands."""
    return text[: text.index(part)].count("\n") + 1


def test_the_bundled_assignment_is_read():
    """The bundled file holds every check once, but for the gradients of deeper networks, worth 100 points."""
    assignment = load(bundled(), KNOWN)
    known = [check for check in KNOWN if not re.fullmatch(r"gradient_[Wb][3-6]", check)]
    assert sorted(row.id for row in assignment.checks) == sorted(known)
    assert assignment.max_score == 100
    assert assignment.hyperparameters["hidden_size"].whole
    assert not assignment.hyperparameters["reg"].whole
    assert assignment.late == LatePolicy(free_days=0, percent_a_day=10, of="maximum", lowest_percent=50)


def test_a_variant_has_the_numbers_of_its_choices(tmp_path):
    """Slope, alpha and margin are the lectures' where the file says nothing."""
    chosen = TEXT.replace('activation = "relu"\nloss = "softmax"', 'activation = "elu"\nalpha = 2.0\nloss = "svm"')
    (tmp_path / "assignment.toml").write_text(chosen, encoding="utf-8")
    variant = load(tmp_path, KNOWN).variant
    assert (variant.activation, variant.alpha, variant.loss, variant.margin) == ("elu", 2.0, "svm", 1.0)


@pytest.mark.parametrize(
    ("chosen", "number", "said"),
    [
        ('activation = "leaky_relu"', "slope = 1", "1 leaves the network linear"),
        ('activation = "leaky_relu"', "slope = 0.0", "0 is the ReLU"),
        ('activation = "elu"', "alpha = 0", "0 is the ReLU, and below 0 the unit rises"),
        ('loss = "svm"', "margin = -1.0", "at 0 and below equal scores cost nothing"),
        ('loss = "svm"', "margin = 0", "at 0 and below equal scores cost nothing"),
        (
            'loss = "softmax"',
            "margin = 2.0",
            'margin is the number of loss = "svm", but loss is "softmax". Leave it out',
        ),
    ],
)
def test_a_degenerate_number_of_a_variant_is_refused_with_the_reason(tmp_path, chosen, number, said):
    """Each is refused on its line: it would be another network, or would hide mistakes."""
    axis = chosen.split()[0]
    text = re.sub(rf'^{axis} = ".*"$', f"{chosen}\n{number}", TEXT, flags=re.MULTILINE)
    message = refused(tmp_path, text)
    assert said in message
    assert f"line {line_of(text, number)}" in message


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("seed = 231", "seeds = 231", "unknown key 'seeds': did you mean 'seed'?"),
        ("seed = 231", "seed = -1", "seed is -1; it must be a whole number from 0 to 4294967295"),
        ("call_seconds = 5", "call_seconds = 0", "call_seconds is 0; it must be a number above 0"),
        ("call_seconds = 5", "call_second = 5", "unknown key 'call_second' in [limits]: did you mean 'call_seconds'?"),
        (
            'regulariser = "either"',
            'regulariser = "l2"',
            """regulariser is 'l2'; it must be one of "half", "full", "either", "every\"""",
        ),
        ("[4, 7, 11, 3]", "[4, 7, 4, 3]", "at least two cases [N, D, H, C] of different whole numbers"),
        ("[6, 8, 13, 5]", "[6, 8, 13, 7]", "3 <= C < N: each class needs a row"),
        ("regs = [0.0, 0.05, 3.0]", "regs = [0.05, 3.0]", "at least three different numbers, 0 among them"),
        ("batch_size = [1, 200]", "batch_size = [200, 1]", "[low, high]: two numbers, the smaller first"),
        (
            'names = ["W1", "b1", "W2", "b2"]',
            'names = ["W1", "b1", "W1", "b2"]',
            "different names, weights and bias of each layer",
        ),
        ('names = ["W1", "b1", "W2", "b2"]', 'names = ["W1", "b1", "W2", "h"]', "none of N, X, "),
        ('names = ["W1", "b1", "W2", "b2"]', 'names = ["W1", "b1", "W2", "u1"]', "with a number or without"),
        (
            'names = ["W1", "b1", "W2", "b2"]',
            'names = ["W1", "b1", "W2", "2b"]',
            "different names, weights and bias of each layer",
        ),
        ('id = "purity"\npoints = 4', 'id = "purity"\npoints = "4"', "points is '4'; it must be a number above 0"),
        ('id = "purity"', 'id = "puriti"', "unknown check 'puriti': did you mean 'purity'?"),
        ('id = "purity"', 'id = "scores"', "the check 'scores' stands here a second time"),
        (
            'id = "purity"\npoints = 4',
            'id = "purity"\npoint = 4',
            "unknown key 'point' in [[checks]]: did you mean 'points'?",
        ),
        ('class_name = "TwoLayerNet"', 'class_name = "Two Layer"', "which is no Python name"),
        ("free_days = 0\n", "free_days = 0.5\n", "free_days is 0.5; it must be a whole number, 0 or above"),
        ("free_days = 0\n", "free_days = -1\n", "free_days is -1; it must be a whole number, 0 or above"),
        ("free_days = 0\n", "free_days = true\n", "free_days is True; it must be a whole number, 0 or above"),
        ("percent_a_day = 10", "percent_a_day = 110", "percent_a_day is 110; it must be a number from 0 to 100"),
        ("percent_a_day = 10", "percent_a_day = -1", "percent_a_day is -1; it must be a number from 0 to 100"),
        ("lowest_percent = 50", 'lowest_percent = "50"', "lowest_percent is '50'; it must be a number from 0 to 100"),
        ('of = "maximum"', 'of = "max"', """of is 'max'; it must be one of "maximum", "earned\""""),
        (
            "percent_a_day = 10",
            "percent_per_day = 10",
            "unknown key 'percent_per_day' in [late]: did you mean 'percent_",
        ),
        ("[late]", "[[late]]", "it must be a section, [late]"),
        ("threshold = 0.9", "threshold = 90", "threshold is 90; it must be a number above 0 and at most 1"),
    ],
)
def test_a_wrong_key_or_value_is_refused_with_its_line(tmp_path, old, new, said):
    """Each refusal names the file, the line, what was found and what was expected."""
    if old == "threshold = 0.9":
        text = re.sub(r"^threshold = .*$", new, TEXT, flags=re.MULTILINE)
        old = new
    else:
        assert TEXT.count(old) == 1
        text = TEXT.replace(old, new)
    message = refused(tmp_path, text)
    assert said in message
    number = int(re.search(r"line (\d+)", message)[1])
    changed = [i for i, (a, b) in enumerate(zip(TEXT.splitlines(), text.splitlines(), strict=True), start=1) if a != b]
    assert number == changed[0]


def test_a_missing_section_or_key_is_named(tmp_path):
    """What is not there has no line, so the section is named."""
    head, tail = TEXT.split("[digits]", 1)
    cut = head + tail[tail.index("# [low, high]") :]
    assert "the section [digits] is missing" in refused(tmp_path, cut)
    without = TEXT.replace("memory_mb = 1024\n", "")
    assert "the key 'memory_mb' is missing in [limits]" in refused(tmp_path, without)
    assert "the key 'title' is missing at the top" in refused(
        tmp_path, re.sub(r"^title.*\n", "", TEXT, flags=re.MULTILINE)
    )


def test_lateness_may_be_left_out_but_not_in_part(tmp_path):
    """Without the section late days cost nothing; with it every key is asked for, and it must be a section."""
    head, tail = TEXT.split("[late]", 1)
    without = head + tail[tail.index("[[checks]]") :]
    (tmp_path / "assignment.toml").write_text(without, encoding="utf-8")
    assert load(tmp_path, KNOWN).late is None
    assert "the key 'of' is missing in [late]. Add it: one of" in refused(
        tmp_path, TEXT.replace('of = "maximum"\n', "")
    )
    message = refused(tmp_path, without.replace("seed = 231", "seed = 231\nlate = 3"))
    assert f"line {line_of(TEXT, 'seed = 231') + 1}: late is 3; it must be a section, [late]" in message


def test_a_folder_of_variants_is_told_from_an_assignment(tmp_path):
    """What takes one assignment names those that there are."""
    (tmp_path / "leaky").mkdir()
    (tmp_path / "leaky" / "assignment.toml").write_text(TEXT, encoding="utf-8")
    with pytest.raises(AssignmentError, match=r"This takes one assignment: .*leaky"):
        load(tmp_path, ())


def test_what_is_no_toml_is_said_so(tmp_path):
    """The parser's own line and column are passed on; a missing file and wrong bytes have their own words."""
    assert "this is not TOML" in refused(tmp_path, TEXT + "\n[[[")
    with pytest.raises(AssignmentError, match="cannot be read"):
        load(tmp_path / "nowhere", KNOWN)
    (tmp_path / "assignment.toml").write_bytes(b"title = '\xff'")
    with pytest.raises(AssignmentError, match="byte 9 is not UTF-8"):
        load(tmp_path, KNOWN)
