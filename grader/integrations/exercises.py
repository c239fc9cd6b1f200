"""The lesson's small exercises by hand: numbers that a student works out, held against the right ones. They earn no points."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from grader.compare import as_array

TOLERANCE = 5e-4  # the figures are published with four digits after the point
# Exercise -> name in the notebook -> right values. gates and worked are Lecture 4's; graph is its SVM on worked's numbers.
EXERCISES: Mapping[str, Mapping[str, Any]] = {
    "gates": {"and_h": [0, 0, 0, 1], "or_h": [0, 1, 1, 1], "xnor_h": [1, 0, 0, 1]},
    "worked": {
        "dy": [0.02659, 0.00665, 0.20999, -0.00005],
        "dx": [0.46651, 0.25643, 0.28958],
        "dW": np.outer([2, 1, -3], [0.02659, 0.00665, 0.20999, -0.00005]),
    },
    "graph": {
        "m": [0, 4, 0, 0],
        "L": 9,
        "dL_dy": [0, 1, -1, 0],
        "dL_dW": [[0.2, 2.6, -1.6, 0], [0.4, 0.8, -0.8, 0.4], [0.6, -3, 3.2, 0.8]],
    },
}


def judge_exercise(name: str, answers: Mapping[str, Any]) -> str:
    """Return in one line how a student's numbers do; answers : what the kernel's names stand for."""
    said = [f"{one}: {_judge(answers.get(one), np.asarray(right))}" for one, right in EXERCISES[name].items()]
    return f"{name}: " + "; ".join(said) + "."


def _judge(found: Any, right: Any) -> str:
    if found is None:
        return "not written yet"
    values = as_array(found)
    if values is None:
        return "no numbers"
    if values.shape != right.shape:
        return f"has the shape {values.shape} and should have {right.shape}"
    wrong = np.argwhere(~(np.abs(values - right) <= TOLERANCE))
    if not len(wrong):
        return "right"
    return f"{len(wrong)} of {right.size} wrong, the first at {wrong[0].tolist()}" if right.ndim else "wrong"
