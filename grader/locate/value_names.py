"""What a value of the right network is called in the table of steps: in the field's words that a student knows."""

from __future__ import annotations

import re
from collections.abc import Mapping

from grader.locate.recorded_case import Known

# What is taken off the scores before they go into exp.
_TAKEN_OFF = {"": "", " - row max": " minus their row's largest", " - max": " minus the largest of all"}
_SHIFTED: dict[str, str] = {}
for _tag, _text in _TAKEN_OFF.items():
    _SHIFTED |= {
        f"scores{_tag}": f"the scores{_text}",
        f"exp(scores{_tag})": f"exp of the scores{_text}",
        f"sum exp(scores{_tag})": f"each row's sum of exp of the scores{_text}",
        f"log sum exp(scores{_tag})": f"the log of each row's sum of exp of the scores{_text}",
        f"true scores{_tag}": f"each row's score of its true class{_text.replace('their row', 'the row')}",
        f"exp of true scores{_tag}": f"exp of each row's score of its true class{_text.replace('their row', 'the row')}",
    }
# {W1} and the like stand for the assignment's own names, {act} for the activation's.
WORDS: Mapping[str, str] = {
    "X W1": "X {W1}, before {b1} is added",
    "u": "the hidden layer before the {act} (X {W1} + {b1})",
    "h": "the hidden layer after the {act}",
    "h W2": "the hidden layer times {W2}, before {b2} is added",
    "row max": "the largest score of each row",
    "max": "the largest of all scores",
    **_SHIFTED,
    "centred": "the scores that go into exp",
    "e": "exp of the scores",
    "p": "the probabilities (softmax of the scores)",
    "log p": "the log of the probabilities",
    "p true": "the probability of each row's true class",
    "-log p true": "the loss of each row, minus the log of its true class's probability",
    "one-hot": "the labels as one-hot rows",
    "log p, one-hot": "the log of the probabilities at the true classes, 0 elsewhere",
    "p back": "the probabilities that the backward pass starts from",
    "p - one-hot": "the probabilities minus 1 at the true class, not divided by N",
    "sum of losses": "the sum of the rows' losses",
    "data loss": "the data loss, the mean of the rows' losses",
    "sum of squares": "the sum of squares of {W1} and {W2}",
    "regulariser": "the regulariser's part of the loss",
    "loss": "the whole loss",
    "d scores": "the gradient of the scores",
    "d h": "the gradient of the hidden layer after the {act}",
    "mask": "where the {act} lets the gradient pass",
    "d u": "the gradient of the hidden layer before the {act}",
}
# Of each parameter, and of some sets of them.
_OF_PARAMETERS = (
    (re.compile(r"data d(.+)"), "the gradient of {0}, without the regulariser"),
    (re.compile(r"regulariser d(.+)"), "the regulariser's part of the gradient of {0}"),
    (re.compile(r"d(.+)"), "the gradient of {0}"),
    (re.compile(r"sum (.+)\^2"), "the sum of squares of {0}"),
    (re.compile(r"(.+)\^2"), "{0}, each entry squared"),
    (re.compile(r"squares of (.+)"), "the sum of squares of {0}, or a multiple of it"),
)

# What a right program may leave to be done later.
_AFTER = {
    "minus ": ", with the other sign",
    "N times ": ", N times as large",
    "1/N of ": ", divided by N",
    "minus N times ": ", with the other sign and N times as large",
    "minus 1/N of ": ", with the other sign and divided by N",
}


class Words:
    """The words of one assignment. names : of its parameters. activation : of its hidden layer, as the assignment has it."""

    def __init__(self, names: tuple[str, str, str, str], activation: str) -> None:
        self.names = names
        acts = {"relu": "ReLU", "leaky_relu": "leaky ReLU", "elu": "ELU"}
        self._own = dict(zip(("W1", "b1", "W2", "b2"), names, strict=True))
        self._own["act"] = acts.get(activation, activation or "activation")

    def of(self, name: str) -> str:
        """Return the words for a value of the right network by its name; the name itself where there are none."""
        if name in WORDS:
            return WORDS[name].format(**self._own)
        biases = {f"data d{bias}" for bias in (self.names[1], self.names[3])}
        if name in biases:  # a bias has no regulariser to be without
            name = name.removeprefix("data ")
        for pattern, text in _OF_PARAMETERS:
            if found := pattern.fullmatch(name):
                return text.format(found[1])
        return name

    def told(self, known: Known) -> str:
        """Return what a value is, with its factor: "the gradient of the scores, with the other sign", "reg times W1"."""
        # Divided by N it has a name of its own.
        divided = known.name == "p - one-hot" and known.factor.endswith("1/N of ")
        name, factor = self.of("d scores" if divided else known.name), known.factor
        if divided:
            factor = "minus " if factor.startswith("minus") else ""
        if known.detail.startswith("each row moved"):
            return f"{name}, with one number taken off each row"
        if known.detail.startswith("with ones"):
            return f"{name} with a column of ones"
        if known.detail.startswith("a part"):
            return f"a part of {name}"
        if known.kind == "part":
            return f"{name}, {'one row at a time' if known.detail.startswith('row') else 'one entry at a time'}"
        return f"{name}{_AFTER[factor]}" if factor in _AFTER else f"{factor}{name}"
