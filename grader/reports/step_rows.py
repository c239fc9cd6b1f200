"""Words that several formats share about the table of steps: the values of the student's own lines."""

from collections import Counter
from collections.abc import Sequence
from itertools import groupby

from grader.model import StepRow, StepStatus
from grader.text.phrases import join_words, plural

TITLE = "Your values, step by step"
_SIZES = (("input", "inputs"), ("feature", "features"), ("hidden unit", "hidden units"), ("class", "classes"))
# The word that stands for a status wherever its colour or its sign does not.
WORDS: dict[StepStatus, str] = {
    "right": "right",
    "differs": "differs",
    "given": "right for its input",
    "unknown": "not recognised",
}
# The same of several values; a student looks for what differs first.
_MANY: dict[StepStatus, str] = {
    "differs": "differ",
    "right": "right",
    "given": "right for their inputs",
    "unknown": "not recognised",
}
STOPPED = "stopped here"  # a line raised, or did not end: no value is there that could differ
SIZES = 6  # of a shape; nobody's network needs more
BEFORE, AFTER = 2, 1  # rows beside the first that differs, where there is room for a few only


def explain(sizes: Sequence[int]) -> str:
    """Return how the values of the table were made; sizes : of the grader's example, () if unknown."""
    counts = [plural(size, *nouns) for size, nouns in zip(sizes, _SIZES, strict=False)]
    example = f"a small example of its own ({join_words(counts)})" if counts else "a small example of its own"
    return (
        f"The grader ran each of your methods once on {example}, and compared each value that your lines computed with"
        " the right one."
    )


def find_first(steps: Sequence[StepRow]) -> StepRow | None:
    """Return the first row that differs, which most likely holds the mistake; None if none does."""
    return next((row for row in steps if row.status == "differs"), None)


def around(steps: Sequence[StepRow]) -> Sequence[StepRow]:
    """Return the first row that differs and its neighbours; no rows if none differs."""
    at = next((index for index, row in enumerate(steps) if row.status == "differs"), None)
    return () if at is None else steps[max(0, at - BEFORE) : at + AFTER + 1]


def split_verdict(row: StepRow) -> tuple[str, str]:
    """Return a row's verdict in two parts: the word for its status, and what follows it, as in ("right", ": the scores")."""
    if row.verdict.startswith(STOPPED):
        return STOPPED, row.verdict.removeprefix(STOPPED)
    word = WORDS[row.status]
    if row.status == "given" and row.verdict.startswith("right,"):
        return "right", row.verdict.removeprefix("right")
    if row.verdict.startswith(word):
        return word, row.verdict.removeprefix(word)
    return word, f": {row.verdict}" if row.verdict else ""


def format_shape(row: StepRow) -> str:
    """Return a shape as numpy writes it, as in "(7, 3)" or "(3,)"; "" of a single number."""
    sizes = [*map(str, row.shape[:SIZES]), *(["..."] if len(row.shape) > SIZES else [])]
    return f"({', '.join(sizes)}{',' if len(sizes) == 1 else ''})" if sizes else ""


def group_by_label(steps: Sequence[StepRow]) -> list[tuple[str, list[StepRow]]]:
    """Put neighbouring rows of one cell or file under its label."""
    return [(label, list(rows)) for label, rows in groupby(steps, key=lambda row: row.place.label)]


def sentence(row: StepRow) -> str:
    """Return a row as a sentence: its line with the code, name, shape and verdict."""
    return f"{row.place}: {f'{row.name} {format_shape(row)}'.strip()} {''.join(split_verdict(row))}"


def count_rows(steps: Sequence[StepRow]) -> str:
    """Return the numbers of rows by status, differing ones first: "1 differs, 4 right, 2 not recognised"."""
    numbers = Counter(row.status for row in steps)
    return ", ".join(
        f"{numbers[status]} {WORDS[status] if numbers[status] == 1 else many}"
        for status, many in _MANY.items()
        if numbers[status]
    )
