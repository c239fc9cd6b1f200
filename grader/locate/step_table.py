"""The table of steps: what the student's own lines made in the recorded question, and how each value stands."""

from collections.abc import Mapping, Sequence

import numpy as np

from grader.locate import rows_of_predict
from grader.locate.differences import Words
from grader.locate.kept_rows import Row, limit_rows
from grader.locate.located import PREDICT, Located
from grader.locate.rows_of_loss import LossRows
from grader.locate.rows_of_train import TrainRows
from grader.locate.wrong_in_loss import WrongInLoss
from grader.model import StepRow


def table(located: Located, methods: Sequence[str], activation: str) -> Mapping[str, tuple[StepRow, ...]]:
    """Return the rows of each of these methods, at most 25 each, in the order in which their values were made.

    methods : those in which something is wrong, of "loss", "predict" and "train"; one that was not recorded has no rows.
    activation : of the hidden layer, as the assignment names it.
    """
    with np.errstate(all="ignore"):  # a recording holds what the student's process likes
        # What fails in other methods as well may only follow from the first: they have rows where a line of theirs is wrong.
        chosen = [one for at, one in enumerate(methods) if not at or located.spotted(one)]
        made = {method: limit_rows(_rows(located, method, activation), located.statements) for method in chosen}
    return {method: rows for method, rows in made.items() if rows}


def _rows(located: Located, method: str, activation: str) -> list[Row]:
    case, mistakes = located.case, located.spotted(method)
    if case is None:
        return []
    words = Words(case.names, activation)
    if method == "loss":
        reading = located.reading
        return LossRows(WrongInLoss(reading, mistakes, words, located.base.right)).rows() if reading else []
    if method == "train":
        return TrainRows(located.training, mistakes).rows() if located.training else []
    recorded = located.recorded(PREDICT)
    return rows_of_predict.rows(case, recorded, located.base, mistakes, words, located.statements) if recorded else []
