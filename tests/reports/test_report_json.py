"""report.json: the schema refuses what is broken, reading and writing agree with it, and the bytes never vary."""

import copy
import json
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from grader.model import Environment, Verdict
from grader.reports.report_json import from_json
from grader.text.sanitise import sanitise_report
from reports.written import to_json


def test_the_samples_are_valid(sample, unloadable, ruled, read_by_hand, validator):
    """What is written is what is published."""
    for report in (sample, unloadable, ruled, read_by_hand):
        validator.validate(json.loads(to_json(report)))


def test_keys_stand_in_the_contract_s_order(sample):
    """Readers that stream, and diffs, rely on one order; figures are not there."""
    data = json.loads(to_json(sample))
    assert list(data) == [
        "schema", "submission", "student", "source", "score", "max_score", "status",
        "checks", "diagnoses", "steps", "review", "notes", "environment", "timing",
    ]  # fmt: skip
    assert data["schema"] == "grader/report/2"
    assert list(data["checks"][0]) == [
        "id", "title", "group", "status", "points", "max_points", "hidden", "message", "places",
    ]  # fmt: skip
    assert list(data["diagnoses"][0]) == ["id", "title", "hint", "source", "checks", "costs", "places"]
    assert data["checks"][12]["places"] == [
        {"cell": 7, "line": 3, "text": "    z1 = relu(X.dot(self.params['W1']), self.params['b1'])"},
        {"file": "neural_net.py", "line": 12, "text": "    return np.maximum(0, a + b)"},
    ]
    assert list(data["steps"][2].items()) == [
        ("cell", 5), ("line", 36), ("text", "    loss = data_loss + reg * reg_loss"), ("name", "loss"), ("shape", []),
        ("status", "right"), ("verdict", "right: the loss"),
    ]  # fmt: skip
    assert [step["name"] for step in data["steps"]] == [row.name for row in sample.steps]


def test_what_people_decided_stands_where_they_did(sample, ruled):
    """After a decision there are keys for it; before one the bytes are those of a grader that knows no decisions."""
    before, after = json.loads(to_json(sample)), json.loads(to_json(ruled))
    decided = ["rulings", "penalty", "late_days", "excused"]
    assert list(after) == [*before, *decided]
    assert [after[key] for key in decided[1:]] == [20, 2, True]
    assert after["rulings"][1] == {
        "number": 2,
        "kind": "points",
        "check": "grad_W1",
        "value": 10,
        "comment": "Right in the maths: `dh` is masked <b>later</b>.",
        "by": "Ada Lovelace",
        "at": "2026-11-22T15:19:03Z",
        "submission_digest": "digest",
        "effect": "grad_W1: 0 of 10 by the grader, now 10 of 10",
        "applies": True,
    }
    found = {check["id"]: check.get("adjusted_from") for check in after["checks"]}
    assert {name: points for name, points in found.items() if points is not None} == {
        "grad_W1": 0,
        "train_digits": 5,
        "grad_hidden": 0,
    }
    assert not [check for check in before["checks"] if "adjusted_from" in check]


def test_a_report_from_before_mistakes_had_costs_is_read(sample, validator):
    """An older grader wrote no `costs`; its reports are read."""
    data = json.loads(to_json(sample))
    del data["diagnoses"][0]["costs"]
    validator.validate(data)
    assert from_json(json.dumps(data)).diagnoses[0].costs == {}


def test_a_report_may_leave_out_what_nobody_decided(ruled, validator):
    """Each key of the decisions is optional by itself."""
    for key, nothing in {"rulings": (), "penalty": 0, "late_days": 0, "excused": False}.items():
        data = json.loads(to_json(ruled))
        del data[key]
        validator.validate(data)
        assert getattr(from_json(json.dumps(data)), key) == nothing


@pytest.mark.parametrize("which", ["sample", "ruled"])
def test_what_was_written_is_read_back(request, which):
    """Nothing but figures is lost, and writing again gives the same bytes."""
    sample = request.getfixturevalue(which)
    text = to_json(sample)
    back = from_json(text)
    shown = sanitise_report(sample)
    bare = tuple(replace(check, figures=()) for check in shown.checks)
    timing = {name: round(seconds, 6) for name, seconds in sample.timing.items()}
    assert back == replace(shown, checks=bare, timing=timing)
    assert to_json(back) == text


def test_the_order_of_a_mapping_does_not_matter(sample):
    """Versions and timing come from dicts whose order may differ from run to run."""
    turned = replace(
        sample,
        environment=Environment(dict(reversed(sample.environment.versions.items())), sample.environment.isolation),
        timing=dict(reversed(sample.timing.items())),
    )
    assert to_json(turned) == to_json(sample)


def test_whole_points_and_float_points_are_the_same_bytes(sample):
    """8 and 8.0 are one number; so are 0.1 + 0.2 and 0.3, and -0.0 and 0."""
    assert '"points": 8.0' in to_json(sample)
    assert to_json(replace(sample, score=0.1 + 0.2)) == to_json(replace(sample, score=0.3))
    assert to_json(replace(sample, score=-0.0)) == to_json(replace(sample, score=0))


@pytest.mark.parametrize("broken", [float("nan"), float("inf"), -1.0, 1e308])
def test_a_number_that_is_no_amount_is_refused(sample, broken):
    """No NaN ever stands in a report; the error names the field and the value."""
    with pytest.raises(ValueError, match=rf"score is {broken}: a report holds finite numbers only".replace("+", r"\+")):
        to_json(replace(sample, score=broken))
    checks = (replace(sample.checks[0], points=broken), *sample.checks[1:])
    with pytest.raises(ValueError, match=r"checks\[0\]\.points is "):
        to_json(replace(sample, checks=checks))


def test_the_instructor_reads_what_a_hidden_check_found(sample):
    """The file is not for students: a hidden check's message and places stand in it."""
    checks = {check["id"]: check for check in json.loads(to_json(sample))["checks"]}
    assert (checks["grad_hidden"]["status"], checks["grad_hidden"]["message"]) == ("failed", "secret sizes 7, 11, 13")
    assert checks["grad_hidden"]["places"] == [{"file": "secret cell", "line": 1, "text": "secret line"}]


def _put(data, path, value):
    *form, last = path
    for key in form:
        data = data[key]
    data[last] = value


def _drop(data, path):
    *form, last = path
    for key in form:
        data = data[key]
    del data[last]


BROKEN = [
    (
        ("schema",),
        "grader/report/3",
        "the report's schema is \"grader/report/3\": this grader reads 'grader/report/2'",
    ),
    (("schema",), None, "the report's schema is null"),
    (("student",), 3, "student is 3: expected a string"),
    (("review",), [1], r"review\[0\] is 1: expected a string"),
    (("submission",), 3, "submission is 3: expected a string"),
    (("score",), "59", 'score is "59": expected a number'),
    (("score",), True, "score is true: expected a number"),
    (("score",), -1, "score is -1: expected a finite number, 0 or more"),
    (("status",), "great", 'status is "great": expected one of graded, no_submission'),
    (("status",), [], r"status is \[\]: expected one of"),
    (("checks",), {}, r"checks is {}: expected an array"),
    (("checks", 1), "x", r'checks\[1\] is "x": expected an object'),
    (("checks", 1, "group"), "lose", r'checks\[1\].group is "lose": expected one of loss, gradients'),
    (("checks", 1, "status"), "pass", r'checks\[1\].status is "pass": expected one of passed'),
    (("checks", 1, "hidden"), 0, r"checks\[1\].hidden is 0: expected true or false"),
    (("checks", 1, "points"), None, r"checks\[1\].points is null: expected a number"),
    (("checks", 2, "places", 0, "cell"), 0, r"checks\[2\].places\[0\].cell is 0: expected a whole number, 1 or more"),
    (("checks", 2, "places", 0, "file"), "a.py", r"checks\[2\].places\[0\] has \"file\", which"),
    (("diagnoses", 0, "places", 0, "line"), "1", r'diagnoses\[0\].places\[0\].line is "1": expected a number'),
    (("checks", 1, "figures"), [], r'checks\[1\] has "figures", which'),
    (("diagnoses", 0, "checks"), ["a", 1], r"diagnoses\[0\].checks\[1\] is 1: expected a string"),
    (("notes",), "none", 'notes is "none": expected an array'),
    (("environment", "isolation"), "process", 'environment.isolation is "process": expected an array'),
    (("environment", "versions"), [], r"environment.versions is \[\]: expected an object"),
    (("environment", "versions", "numpy"), 2.4, r"environment.versions\['numpy'\] is 2.4: expected a string"),
    (("timing", "run"), "fast", r"timing\['run'\] is \"fast\": expected a number"),
    (("more",), 1, 'the report has "more", which'),
]


@pytest.mark.parametrize(
    ("path", "value", "said"), BROKEN, ids=[f"{'.'.join(map(str, p))}={v!r}" for p, v, _ in BROKEN]
)
def test_a_report_broken_by_hand_is_refused(sample, validator, path, value, said):
    """Schema and reader refuse the same, and the reader says where and what."""
    data = json.loads(to_json(sample))
    _put(data, path, value)
    assert not validator.is_valid(data)
    with pytest.raises(ValueError, match=said):
        from_json(json.dumps(data))


RULED = [
    (("rulings",), None, "rulings is null: expected an array"),
    (("rulings", 0), 3, r"rulings\[0\] is 3: expected an object"),
    (("rulings", 0, "number"), 0, r"rulings\[0\].number is 0: expected a whole number, 1 or more"),
    (("rulings", 0, "number"), 1.5, r"rulings\[0\].number is 1.5: expected a whole number"),
    (("rulings", 0, "number"), True, r"rulings\[0\].number is true: expected a number"),
    (("rulings", 0, "kind"), "grace", r'rulings\[0\].kind is "grace": expected one of points, excused, late_days'),
    (("rulings", 0, "value"), -1, r"rulings\[0\].value is -1: expected a finite number, 0 or more"),
    (("rulings", 0, "by"), None, r"rulings\[0\].by is null: expected a string"),
    (("rulings", 0, "applies"), 1, r"rulings\[0\].applies is 1: expected true or false"),
    (("rulings", 0, "mood"), "good", r'rulings\[0\] has "mood", which'),
    (("penalty",), -2, "penalty is -2: expected a finite number"),
    (("late_days",), "two", 'late_days is "two": expected a number'),
    (("excused",), 1, "excused is 1: expected true or false"),
    (("checks", 4, "adjusted_from"), None, r"checks\[4\].adjusted_from is null: expected a number"),
]


@pytest.mark.parametrize(("path", "value", "said"), RULED, ids=[f"{'.'.join(map(str, p))}={v!r}" for p, v, _ in RULED])
def test_a_decision_broken_by_hand_is_refused(ruled, validator, path, value, said):
    """Schema and reader refuse the same of what people decided."""
    data = json.loads(to_json(ruled))
    _put(data, path, value)
    assert not validator.is_valid(data)
    with pytest.raises(ValueError, match=said):
        from_json(json.dumps(data))


@pytest.mark.parametrize("path", [("schema",), ("notes",), ("checks", 0, "hidden"), ("diagnoses", 0, "hint"),
                                  ("environment", "isolation")])  # fmt: skip
def test_a_missing_key_is_refused(sample, validator, path):
    """A key that is left out is named."""
    data = json.loads(to_json(sample))
    _drop(data, path)
    assert not validator.is_valid(data)
    with pytest.raises(ValueError, match=f"lacks '{path[-1]}'"):
        from_json(json.dumps(data))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "the report is not JSON: Expecting value: line 1 column 1"),
        ("[]", r"the report is \[\]: expected an object"),
        ('{"score": NaN}', "it holds NaN, which JSON does not know"),
        ('{"score": 1, "score": 2}', '"score" stands twice in one object'),
        ("[" * 100_000, "nested too deeply"),
    ],
)
def test_what_is_no_report_is_refused(text, said):
    """Text that is not even a JSON object gets a reason too, whatever Python's parser does with it."""
    with pytest.raises(ValueError, match=said):
        from_json(text)


VALUES = st.one_of(
    st.none(), st.booleans(), st.integers(-3, 10**400), st.floats(allow_nan=False, allow_infinity=False),
    st.sampled_from(["passed", "graded", "loss", "grader/report/2", "", "x"]), st.lists(st.text(max_size=2), max_size=2),
    st.dictionaries(st.text(max_size=2), st.text(max_size=2), max_size=2),
)  # fmt: skip


def _paths(data, form=()):
    items = data.items() if isinstance(data, dict) else enumerate(data) if isinstance(data, list) else ()
    for key, value in items:
        yield (*form, key)
        yield from _paths(value, (*form, key))


@pytest.mark.untraced  # the same lines over and over: a tracer doubles the time and learns nothing
@given(data=st.data())
def test_reader_and_schema_agree(ruled, validator, data):
    """Whatever one value is replaced by, the reader takes the report exactly if the schema does."""
    broken = copy.deepcopy(json.loads(to_json(ruled)))
    _put(broken, data.draw(st.sampled_from(list(_paths(broken)))), data.draw(VALUES))
    try:
        from_json(json.dumps(broken))
        read = True
    except ValueError:
        read = False
    assert read == validator.is_valid(broken)


@given(text=st.text(st.characters(), max_size=60))
def test_any_text_of_a_student_is_written_and_read(sample, validator, text):
    """Surrogates, controls and all: the JSON stays ASCII, valid, and the same when written again."""
    check = Verdict("a", text, "loss", "failed", 0, 1, False, text)
    written = to_json(replace(sample, submission=text, source=text, notes=(text,), checks=(check,)))
    validator.validate(json.loads(written))
    assert written.isascii()
    assert not any("\ud800" <= character <= "\udfff" for character in json.loads(written)["notes"][0])
    assert to_json(from_json(written)) == written
