"""The table of steps, the student's own values: in report.json, on the page, in the terminal and in Gradescope."""

import json
from dataclasses import replace

import pytest

from grader.records import Place
from grader.report import from_json
from grader.report.exchange import to_json
from grader.report.untrusted import readable

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
    *way, last = path
    inside = data
    for key in way:
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
    assert len(readable(replace(sample, steps=(nowhere, *sample.steps))).steps) == len(sample.steps)


@pytest.mark.parametrize("shape", [(7, -1), (1,) * 65])
def test_what_is_no_shape_is_refused(sample, shape):
    """Shapes come from the grader: one that no array has is its own mistake."""
    with pytest.raises(ValueError, match=r"the shape of h is \(.*\): an array has at most 64 sizes, 0 or more"):
        to_json(replace(sample, steps=(replace(sample.steps[0], shape=shape),)))


def test_the_largest_shapes_are_read_back_to_the_last_digit(sample):
    """A size beyond 2 ** 53 is no float's, and is the same size again."""
    row = replace(sample.steps[0], shape=(2**62 + 1,) * 64)
    assert from_json(to_json(replace(sample, steps=(row,)))).steps == (row,)
