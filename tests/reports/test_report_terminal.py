"""The terminal: one submission in full, many as a table."""

import io
from dataclasses import replace

import pytest
from rich.console import Console

from reports.written import render, summary


def _printed(renderable, width=120):
    console = Console(width=width, file=io.StringIO(), color_system=None)
    console.print(renderable)
    return console.file.getvalue()


def test_a_report_reads_top_to_bottom(sample):
    """Name, score, mistake, groups, verdicts with points, quoted lines, notes and isolation stand in this order."""
    text = render(sample)
    said = [
        "okafor_adaeze_hw2", "59 / 100", "The mistake, named: The ReLU mask", "Explains: Gradient of W1",
        "Loss", "✗ The loss stays finite for large scores  failed", "31 │     exp_scores = np.exp(scores)",
        "✓ Scores are those of a two-layer net  passed", "Gradients", "✗ Gradients at other sizes  failed  (hidden check)",
        "Training", "◐ Training learns the digits  partly passed", "- The learning rate decays once an epoch  not judged",
        "Prediction", "Style", "Notes (they cost no points)", "Run in a separate process with resource limits",
    ]  # fmt: skip
    position = 0
    for one in said:
        position = text.index(one, position) + len(one)


@pytest.mark.parametrize("width", [40, 72, 120])
def test_no_line_is_wider_than_asked(sample, width):
    """Messages, paths and long words are wrapped, and nothing of a message is lost by it."""
    text = render(replace(sample, source="a/very/long/path/" * 12), width=width)
    assert max(map(len, text.split("\n"))) <= width
    assert "operandscouldnotbebroadcasttogetherwithshapes(30,32)(30,)" in "".join(text.split())


def test_colour_marks_the_verdicts_and_is_never_the_only_sign(sample):
    """With colour there are codes; without them every verdict still has its word and mark."""
    assert "\x1b[31m✗" in render(sample, colour=True)
    assert "\x1b" not in render(sample)


def test_a_submission_that_was_not_graded_is_one_reason(unloadable):
    """The reason comes instead of the checks."""
    text = render(unloadable)
    assert "The submission could not be loaded" in text
    assert text.count("is Python 2.") == 1
    assert "Gradient of W1" not in text


def test_the_summary_keeps_the_order_and_names_what_cost_points(sample, unloadable):
    """One line each: named mistakes first, then the dearest of the other lost checks."""
    perfect = replace(
        sample,
        submission="aa",
        score=100.0,
        diagnoses=(),
        checks=tuple(replace(check, points=check.max_points, status="passed") for check in sample.checks),
    )
    lines = _printed(summary([sample, unloadable, perfect]), width=240).splitlines()
    assert lines[0].split() == ["submission", "score", "what", "cost", "points"]
    assert lines[1].split("  ")[0] == "okafor_adaeze_hw2"
    assert (
        lines[1]
        .rstrip()
        .endswith(
            "59 / 100  ◐  The ReLU mask is taken from the gradient, not from the hidden layer; "
            "predict -10; grad_hidden -5; train_decay -5 and 2 more"
        )
    )
    assert "!  The submission could not be loaded: Code cell 5, line 12" in lines[2]
    assert lines[3].split() == ["aa", "100", "/", "100", "✓"]


def test_a_long_name_leaves_room_for_the_score(sample):
    """However long a name, the score stays on its line."""
    text = _printed(summary([replace(sample, submission="n" * 300)]), width=80)
    assert "59 / 100" in text.splitlines()[1]
