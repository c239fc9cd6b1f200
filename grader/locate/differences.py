"""How a value differs from the right one, in the field's words: no right number is told, so none can be copied."""

import re
from collections.abc import Mapping, Sequence

import numpy as np

from grader.locate.outputs import Form
from grader.locate.recorded_case import Case, Known, laid_out, multiple
from grader.model import Array, Floats
from grader.text.phrases import join_words
from grader.text.variant_words import ACTIVATIONS

MOST_ROWS = 3  # rows or columns that are told by number


def difference(case: Case, value: Floats, right: Floats) -> str:
    """Return how a value differs from the right one: "N times as large", "40 of 63 entries should be 0", "2 of 7 rows differ"."""
    laid = value if value.size == right.size == 1 else laid_out(value, right.shape)
    if laid is None:
        return f"its shape should be {right.shape}"
    if not np.isfinite(laid).all():
        return not_finite(laid)
    laid, right = laid.reshape(right.shape), np.asarray(right, np.float64)
    if right.size > 1 and right.any() and not laid.any():
        return "all its entries are 0"
    c = multiple(laid, right, case.fine)
    if c is not None and not case.close(c, 1.0) and (told := times(case, c)):
        return told
    if right.size == 1:
        return ""
    size = float(np.abs(right).max(initial=0.0))
    bad = np.abs(laid - right) > 10 * case.fine * np.maximum(np.abs(right), 1e-3 * size)
    return _of_entries(case, laid, right, bad) if bad.any() else ""


def wrong_entries(case: Case, value: Floats, right: Floats) -> int:
    """Return how many entries differ; all of them where the shape is another."""
    laid = laid_out(value, right.shape)
    if laid is None:
        return int(right.size)
    close = np.isclose(laid, right, rtol=case.fine, atol=1e-12)
    return int(right.size - np.count_nonzero(close))


def not_finite(value: Array) -> str:
    """Return what a value holds that is no number: "holds NaN", "holds inf" or "holds NaN and inf"."""
    found = [word for word, there in (("NaN", np.isnan(value).any()), ("inf", np.isinf(value).any())) if there]
    return f"holds {' and '.join(found)}"


def times(case: Case, c: float) -> str:
    """Return a factor that has a name in the assignment's terms; "" of any other: with it the right value could be had."""
    N = case.N
    sign, size = ("with the other sign, and " if c < 0 else ""), abs(c)
    named = (
        (N, "N times as large"), (1 / N, "1/N of what it should be"), (2.0, "twice as large"), (0.5, "half as large"),
        (N * N, "N^2 times as large"), (1 / N**2, "1/N^2 of what it should be"),
    )  # fmt: skip
    if case.close(size, 1.0):
        return "with the other sign" if c < 0 else ""
    return next((f"{sign}{text}" for factor, text in named if case.close(size, factor)), "")


def loss_in_words(case: Case, form: Form) -> str:
    """Return what a wrong loss is made of: "its data part is N times as large", "the regulariser is missing"."""
    if form.form is None or len(form.form) != 3:
        return ""
    a, k, chosen = form.form
    found = [f"its data part is {text}"] if (text := times(case, a)) else []
    if not k:
        found.append("the regulariser is missing")
    elif biases := [name for name in chosen if name in case.names[1::2]]:
        found.append(f"{' and '.join(biases)} should not be in the regulariser")
    elif missing := {*case.names[::2]} - {*chosen}:
        found.append(f"{' and '.join(sorted(missing))} is missing in the regulariser")
    elif k not in case.factors:
        found.append("the regulariser has another factor")
    return ", ".join(found)


def gradient_in_words(case: Case, name: str, form: Form) -> str:
    """Return what a wrong gradient is made of; "" where that has no simple form."""
    if form.missing:
        return "it is missing"
    if form.form is None or len(form.form) != 2:
        return ""
    a, k = form.form
    bias = name in case.names[1::2]
    found = []
    if not a:
        found.append("nothing of the data is in it")
    elif not case.close(a, 1.0):
        found.append(f"the data's part is {text}" if (text := times(case, a)) else "the data's part has another factor")
    if bias and k:
        found.append("a bias has no regulariser")
    elif not bias and not k:
        found.append("the regulariser's part is missing")
    elif not bias and not any(case.close(k, factor) for factor in case.factors):
        how = times(case, k / case.factors[0]) if len(case.factors) == 1 else ""
        found.append(f"the regulariser's part is {how or 'not that of the loss'}")
    return ", ".join(found)


def _of_entries(case: Case, laid: Floats, right: Floats, bad: Array) -> str:
    """Return which entries differ, by what a student would look for first."""
    of = f"of {right.size} entries"
    should, should_not = bad & (right == 0), bad & (laid == 0) & (right != 0)
    if (should | should_not)[bad].all():
        zeros = int(np.count_nonzero(should)), int(np.count_nonzero(should_not))
        told = [f"{zeros[0]} {of} should be 0"] if zeros[0] else []
        told += [f"{zeros[1]} {of if not told else 'more'} are 0 and should not be"] if zeros[1] else []
        return ", ".join(told)
    if right.ndim == 2 and right.shape == (case.N, case.params[case.names[-1]].size):
        true = np.zeros(right.shape, dtype=bool)
        true[np.arange(case.N), case.y] = True
        if (bad == true).all():
            return "only the entry of each row's true class differs"
    if right.ndim == 2:
        for kind, axis in (("row", 1), ("column", 0)):
            lines = np.flatnonzero(bad.any(axis=axis))
            if 2 * lines.size <= bad.shape[1 - axis]:
                return f"{_of_lines(kind, lines.tolist(), bad.shape[1 - axis])}"
    if bad.all():
        return f"all {right.size} entries differ"
    return f"{np.count_nonzero(bad)} {of} differ"


def _of_lines(kind: str, lines: Sequence[int], of: int) -> str:
    which = f" ({', '.join(map(str, lines))})" if len(lines) <= MOST_ROWS else ""
    return f"{len(lines)} of {of} {kind}s {'differs' if len(lines) == 1 else 'differ'}{which}"


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
# {weights} stands for all of the assignment's own names.
WORDS: Mapping[str, str] = {
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
    "sum of squares": "the sum of squares of {weights}",
    "regulariser": "the regulariser's part of the loss",
    "loss": "the whole loss",
    "d scores": "the gradient of the scores",
    "N d scores": "N times the gradient of the scores",
}
# Of a layer: "X W1", "u", "h1 W2", "d u2"... {W}, {b} and {act} stand for the assignment's own names.
_LAYER = re.compile(r"(?:X|h\d?) (W)(\d)|(u|h|d h|mask|d u)(\d?)")
_OF_LAYERS: Mapping[str, str] = {
    "W": "{given} {W}, before {b} is added",
    "u": "{layer} before the {act} ({x} {W} + {b})",
    "h": "{layer} after the {act}",
    "d h": "the gradient of {layer} after the {act}",
    "mask": "where the {act} of {layer} lets the gradient pass",
    "d u": "the gradient of {layer} before the {act}",
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

    def __init__(self, names: tuple[str, ...], activation: str) -> None:
        self.names = names
        self._act = ACTIVATIONS[activation][0] if activation else "activation"

    def _layer(self, k: int) -> str:
        return "the hidden layer" if len(self.names) == 4 else f"hidden layer {k}"

    def _of_layer(self, kind: str, k: int) -> str:
        """Return the words for a value of layer k, counted from 1."""
        x = "X" if k == 1 else f"h{k - 1 if len(self.names) > 4 else ''}"
        given = "X" if k == 1 else f"{self._layer(k - 1)} times"
        W, b = self.names[2 * k - 2 : 2 * k]
        return _OF_LAYERS[kind].format(x=x, given=given, W=W, b=b, act=self._act, layer=self._layer(k))

    def of(self, name: str) -> str:
        """Return the words for a value of the right network by its name; the name itself where there are none."""
        if name in WORDS:
            return WORDS[name].format(weights=join_words(self.names[::2]))
        if found := _LAYER.fullmatch(name):
            kind, k = (one for one in found.groups() if one is not None)
            return self._of_layer(kind, int(k or 1))
        biases = {f"data d{bias}" for bias in self.names[1::2]}
        if name in biases:  # a bias has no regulariser to be without
            name = name.removeprefix("data ")
        for pattern, text in _OF_PARAMETERS:
            if found := pattern.fullmatch(name):
                return text.format(found[1])
        return name

    def describe(self, known: Known) -> str:
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
