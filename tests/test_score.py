"""Findings to verdicts: what is carried keeps its points, a cause stands first, and a fitted mistake says its number."""

from dataclasses import replace

import pytest

from grader.model import (
    Cause,
    Charge,
    Credit,
    Family,
    Finding,
    Findings,
    Fitted,
    MistakeCatalogue,
    MistakeForm,
    Place,
    StepRow,
)
from grader.score import score

PLACE = Place("code cell 3", 7, "return loss")
FACTOR = MistakeForm("factor", "loss", "The loss is {c} times the right one", "Count again.", "L", "CS231n", (), "loss",
                 frozenset())  # fmt: skip


def found(assignment, *, catalogue=None, others=None, **parts):
    """Score findings that are all right but for `others`."""
    checks = {row.id: Finding(1.0, "Right.") for row in assignment.checks} | (others or {})
    return score(Findings(checks, **parts), assignment, catalogue)


def by_id(judgement):
    """Return verdicts by their checks."""
    return {verdict.id: verdict for verdict in judgement.verdicts}


@pytest.mark.parametrize("own", [0.0, 0.5])
def test_what_is_credited_in_full_is_carried(assignment, own):
    """It has all its points, and says which of them it did not earn and why; in part it is partial."""
    catalogue = MistakeCatalogue((replace(FACTOR, title="Wrong."),), lambda *_: None, (Family(FACTOR, 0, 9, (1.0,)),))
    given = {"scores": Credit(1.0, (0, Fitted(0, 0.25))), "data_loss": Credit(0.75, (0,))}
    others = {check: Finding(own, "Off.") for check in given}
    verdicts = by_id(found(assignment, catalogue=catalogue, others=others, credits=given))
    whole, part = verdicts["scores"], verdicts["data_loss"]
    assert (whole.status, whole.points, whole.credited) == ("carried", 8, 8 - 8 * own)
    assert whole.message.splitlines() == [
        "Not charged here: Wrong.",
        "Not charged here: The loss is 0.25 times the right one",
        "Off.",
    ]
    assert (part.status, part.points, part.credited) == ("partial", 6, 6 - 8 * own)


def test_what_a_check_calls_carried_keeps_its_points(assignment):
    """Also where no mistake has a name, and where nothing is known of mistakes at all."""
    verdict = by_id(found(assignment, others={"scores": Finding(0.0, "Off.", carried=True)}))["scores"]
    assert (verdict.status, verdict.points, verdict.credited, verdict.message) == ("carried", 8, 8, "Off.")


def test_what_is_wrong_first_is_told_first(assignment):
    """A mistake of loss() comes before what stops train(), which may follow from it; what to look at is handed on."""
    catalogue = MistakeCatalogue((), lambda *_: None, (Family(FACTOR, 0, 9, (1.0,)),))
    charge = Charge(Fitted(0, 1 / 3), (Fitted(0, 0.5),), ("data_loss",), {"data_loss": 1.0}, None)
    cause = Cause("exception", "train() stops.", "Look at b1.", ("decay", "histories"), {"decay": 0.5}, PLACE)
    judgement = found(assignment, catalogue=catalogue, charges=(charge,), causes=(cause,), review=("Look at it.",))
    second, first = judgement.diagnoses
    assert (first.id, first.title, first.source, first.places) == ("exception", "train() stops.", "", (PLACE,))
    assert (first.checks, first.costs) == (("decay", "histories"), {"decay": 2})
    assert second.title == "One of: The loss is 0.3333 times the right one Or: The loss is 0.5 times the right one"
    assert second.source == "L (CS231n)"
    assert judgement.review == ("Look at it.",)


def test_the_table_of_steps_is_handed_on(assignment):
    """Points and words change nothing of it: the rows and their order are those that were found."""
    steps = tuple(StepRow(PLACE, name, (7, 3), "right", "right: the scores") for name in ("z2", "scores", "a1"))
    others = {"scores": Finding(0.0, "Off.")}
    assert found(assignment, others=others, steps={"loss": steps}).steps == steps
