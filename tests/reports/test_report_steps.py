"""The table of steps, the student's own values: in report.json, on the page, in the terminal and in Gradescope."""

import json
import re
from dataclasses import replace

import pytest

from grader.model import Place, StepRow
from grader.reports import step_rows
from grader.reports.report_json import from_json
from grader.text.sanitise import sanitise_report
from reports.written import render, to_gradescope, to_html, to_json

BROKEN = [
    (("steps",), [{}], r"steps\[0\] lacks 'file', 'line', 'text', 'name', 'shape', 'status', 'verdict'"),
    (("steps",), {}, r"steps is {}: expected an array"),
    (("steps", 1), 3, r"steps\[1\] is 3: expected an object"),
    (("steps", 1, "cell"), "5", r'steps\[1\].cell is "5": expected a number'),
    (("steps", 1, "file"), "a.py", r"steps\[1\] has \"file\", which"),
    (("steps", 1, "line"), 0, r"steps\[1\].line is 0: expected a whole number, 1 or more"),
    (("steps", 1, "name"), None, r"steps\[1\].name is null: expected a string"),
    (("steps", 1, "shape"), 3, r"steps\[1\].shape is 3: expected an array"),
    (("steps", 1, "shape"), [1] * 65, r"steps\[1\].shape has 65 items: expected at most 64"),
    (("steps", 1, "shape", 0), -1, r"steps\[1\].shape\[0\] is -1: expected a finite number, 0 or more"),
    (("steps", 1, "shape", 0), 1.5, r"steps\[1\].shape\[0\] is 1.5: expected a whole number, 0 or more"),
    (("steps", 1, "status"), "wrong", r'steps\[1\].status is "wrong": expected one of right, differs, given, unknown'),
    (("steps", 1, "verdict"), [], r"steps\[1\].verdict is \[\]: expected a string"),
    (("steps", 1, "code"), "", r'steps\[1\] has "code", which'),
]


@pytest.mark.parametrize(
    ("path", "value", "said"), BROKEN, ids=[f"{'.'.join(map(str, p))}={v!r}" for p, v, _ in BROKEN]
)
def test_a_row_broken_by_hand_is_refused(sample, validator, path, value, said):
    """Schema and reader refuse the same, and the reader says where and what."""
    data = json.loads(to_json(sample))
    *form, last = path
    inside = data
    for key in form:
        inside = inside[key]
    inside[last] = value
    assert not validator.is_valid(data)
    with pytest.raises(ValueError, match=said):
        from_json(json.dumps(data))


def _rows(sample, count, differs):
    return tuple(
        replace(sample.steps[0], name=f"z{at}", status="differs" if at == differs else "right") for at in range(count)
    )


def test_more_rows_than_a_table_holds_are_refused(sample, validator):
    """25 are read, and one more is one too many, for schema and reader alike."""
    data = json.loads(to_json(replace(sample, steps=_rows(sample, 25, 3))))
    validator.validate(data)
    assert len(from_json(json.dumps(data)).steps) == 25
    data["steps"].append(data["steps"][0])
    assert not validator.is_valid(data)
    with pytest.raises(ValueError, match="steps has 26 items: expected at most 25"):
        from_json(json.dumps(data))


@pytest.mark.parametrize(("differs", "kept"), [(None, (0, 24)), (3, (0, 24)), (20, (8, 32)), (39, (15, 39))])
def test_of_too_many_rows_those_around_the_first_that_differs_are_written(sample, validator, differs, kept):
    """A caller of the formats that gives more rows still gets a report, and what matters of them is in it."""
    data = json.loads(to_json(replace(sample, steps=_rows(sample, 40, differs))))
    validator.validate(data)
    assert [data["steps"][at]["name"] for at in (0, -1)] == [f"z{at}" for at in kept]
    assert len(data["steps"]) == 25


def test_a_row_without_a_line_is_left_out(sample):
    """It would not say where to look, which is what the table is for."""
    nowhere = replace(sample.steps[0], place=Place("code cell 5", 0, ""))
    assert len(sanitise_report(replace(sample, steps=(nowhere, *sample.steps))).steps) == len(sample.steps)


@pytest.mark.parametrize("shape", [(7, -1), (1,) * 65])
def test_what_is_no_shape_is_refused(sample, shape):
    """Shapes come from the grader: one that no array has is its own mistake."""
    with pytest.raises(ValueError, match=r"steps\[0\]\.shape.*: expected (at most 64|a finite number, 0 or more)"):
        to_json(replace(sample, steps=(replace(sample.steps[0], shape=shape),)))


def test_the_largest_shapes_are_read_back_to_the_last_digit(sample):
    """A size beyond 2 ** 53 is no float's, and is the same size again."""
    row = replace(sample.steps[0], shape=(2**62 + 1,) * 64)
    assert from_json(to_json(replace(sample, steps=(row,)))).steps == (row,)


# ---------------------------------------------------------------- for people


def row(status="right", verdict="right: the scores", **parts):
    """Make a row."""
    made = StepRow(Place("code cell 5", 29, "    scores = h @ W2"), "scores", (7, 3), status, verdict)
    return replace(made, **parts)


def table(report):
    """Return the page's section of the table, as it stands between its neighbours; "" where there is none."""
    found = re.search(r'<section class="card steps".*?</section>', to_html(report), re.DOTALL)
    return found[0] if found else ""


@pytest.mark.parametrize(
    ("shape", "said"),
    [
        ((), ""),
        ((7,), "(7,)"),
        ((7, 3), "(7, 3)"),
        ((0, 3), "(0, 3)"),
        ((1, 2, 3, 4, 5, 6), "(1, 2, 3, 4, 5, 6)"),
        ((1,) * 64, "(1, 1, 1, 1, 1, 1, ...)"),
    ],
)
def test_a_shape_is_said_as_numpy_writes_it(shape, said):
    """A number has none, and one that goes on and on is cut."""
    assert step_rows.format_shape(row(shape=shape)) == said


@pytest.mark.parametrize(
    ("status", "verdict", "said"),
    [
        ("right", "right: the scores", ("right", ": the scores")),
        ("right", "the scores", ("right", ": the scores")),
        ("differs", "differs from the scores", ("differs", " from the scores")),
        ("given", "right for its input: dW1", ("right for its input", ": dW1")),
        ("unknown", "", ("not recognised", "")),
    ],
)
def test_every_verdict_has_its_word(status, verdict, said):
    """It is said once, whether the sentence begins with it or not."""
    assert step_rows.split_verdict(row(status, verdict)) == said


def test_rows_are_counted_in_words():
    """What differs comes first, and one value is not several."""
    assert step_rows.count_rows([row(), row("differs"), row("unknown")]) == "1 differs, 1 right, 1 not recognised"
    assert step_rows.count_rows([row("given"), row("differs")] * 2) == "2 differ, 2 right for their inputs"


def test_the_page_has_the_whole_table(sample):
    """After the mistakes and before the groups, folded; each row has its line, code, name, shape, sign and word."""
    html = to_html(sample)
    assert html.index("The mistake, named") < html.index(step_rows.TITLE) < html.index('<section class="group"')
    told = table(sample)
    assert '<details id="steps">' in told
    assert "1 differs, 4 right, 1 right for its input, 1 not recognised" in told
    assert step_rows.explain(()) in told
    assert told.count("<tr class=") == len(sample.steps) + 2  # and the labels of two cells
    assert [told.count(f'href="#icon-{sign}"') for sign in ("passed", "failed", "carried", "unknown")] == [4, 1, 1, 1]
    assert all(f'<symbol id="icon-{sign}"' in html for sign in ("passed", "failed", "carried", "unknown"))
    assert '<td class="at">29</td>\n<td class="code"><code>h = np.maximum(0, X.dot(W1) + b1)</code></td>' in told
    assert '<td class="name"><code>loss</code></td>\n<td class="shape">number</td>' in told
    assert "<b>differs</b> from the gradient before the ReLU: 40 of 77 entries should be 0 where <code>h</code>" in told
    assert set(re.findall(r'scope="(\w+)"', told)) == {"col", "rowgroup"}


def test_the_first_wrong_row_has_an_anchor(sample):
    """The one that a link above the table leads to; where nothing differs there is neither."""
    wrong = sample.steps[4]
    told = table(replace(sample, steps=(sample.steps[0], wrong, wrong)))
    assert told.count('<tr class="differs" id="first-wrong">') == told.count('id="first-wrong"') == 1
    assert told.count('<tr class="differs"') == 2
    assert '<a href="#first-wrong">dh in code cell 5, line 48</a>' in told
    assert "first-wrong" not in table(replace(sample, steps=sample.steps[:4]))


def test_without_rows_nothing_is_said(sample, unloadable):
    """No empty section, no title, in no format."""
    for report in (replace(sample, steps=()), unloadable):
        assert table(report) == ""
        assert step_rows.TITLE not in render(report)
        assert "the first that differs" not in to_gradescope(report)


def test_twenty_five_rows_keep_the_page_small(sample):
    """The longest table adds a third of a page, however long its lines are."""
    long = row(place=Place("code cell 5", 9, "x" * 9_999), name="n" * 9_999, verdict="v" * 9_999)
    added = len(table(replace(sample, steps=(long,) * 99)))
    assert table(replace(sample, steps=(long,) * 99)).count('class="said"') == 25
    assert added < 50_000


def test_the_terminal_shows_the_first_difference_among_its_neighbours(sample):
    """Two rows before it and one after, aligned; the label stands above where all rows are of one cell."""
    lines = render(replace(sample, steps=(*sample.steps[:6], sample.steps[1]))).split("\n")
    at = lines.index("Your values, step by step  (4 of 7, code cell 5)")
    assert lines[at + 1 : at + 7] == [
        "  ✓  line 36  loss                 right: the loss",
        "  ✓  line 47  dh (7, 11)           right: the gradient of the hidden activation",
        "  ✗  line 48  dh (7, 11)           differs from the gradient before the ReLU: 40 of 77 entries",
        "                                   should be 0 where `h` is 0",
        '  →  line 50  grads["W1"] (5, 11)  right for its input: the gradient of W1',
        "",
    ]


def test_the_terminal_names_the_cell_where_there_are_several(sample):
    """Line 47 is no place by itself; with colour the word has it as well, and is there without."""
    assert "✗  code cell 5, line 48  dh (7, 11)" in render(sample)
    assert "\x1b[31mdiffers\x1b[0m from" in render(sample, colour=True)


def test_the_terminal_is_silent_where_nothing_failed_or_differs(sample):
    """Whoever passed has no use for it, and without a difference there is nothing to look at first."""
    passed = tuple(replace(check, status="passed", points=check.max_points) for check in sample.checks)
    assert step_rows.TITLE not in render(replace(sample, checks=passed))
    assert step_rows.TITLE not in render(replace(sample, steps=sample.steps[:4]))


def test_gradescope_tells_the_first_difference(sample):
    """In the text above the tests, in a sentence with its line."""
    output = json.loads(to_gradescope(sample))["output"]
    assert "code cell 5, line 48: `dh[dh <= 0] = 0`: dh (7, 11) differs from the gradient before the ReLU: 40" in output
    assert output.count("The first of your values that differs from the right one") == 1


def test_the_table_says_what_it_was_made_with(sample):
    """The sizes are the grader's own example's, as the report holds them; one of an older grading holds none."""
    html = to_html(replace(sample, example=(7, 8, 9, 4)))
    assert (
        "once on a small example of its own (7 inputs, 8 features, 9 hidden units and 4 classes), and compared" in html
    )
    assert "once on a small example of its own, and compared" in to_html(sample)


def test_a_line_that_stopped_is_not_said_to_differ(sample):
    """No value is there that could differ."""
    row = replace(sample.steps[4], verdict="stopped here: ValueError")
    assert step_rows.split_verdict(row) == ("stopped here", ": ValueError")
    assert "stopped here</b>: ValueError" in to_html(replace(sample, steps=(row,)))
