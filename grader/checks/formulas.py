"""Numbers found in a student's answers, put into words: which constant or formula of the sizes they equal."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import product

import numpy as np

from grader.compare import number

MEANING = {"N": "examples", "D": "inputs", "H": "hidden units", "C": "classes"}
NUMBERS = {"log 2": np.log(2), "log 10": np.log(10), "1 / log 2": 1 / np.log(2), "1 / log 10": 1 / np.log(10)}


def multiple(ratios: Sequence[float], counts: Sequence[Mapping[str, int]], near: float) -> str:
    """Put factors into words, "2 times the right one", naming the counts that they equal."""
    name, formula = constant(ratios, near), expression(ratios, counts, near)
    if name == "-1":
        return "the right one with its sign turned"
    if name and formula:  # one case only, or cases of one size
        return f"{name} times the right one, and {formula} is {name} here, {explained(formula)}"
    if name:
        return f"{name} times the right one"
    if formula:
        return f"{formula} times the right one, {explained(formula)}"
    return f"a multiple of the right one, by another factor in each case: {', '.join(map(number, ratios))}"


def constant(values: Sequence[float], near: float) -> str:
    """Name the number that all values are; "" where they are not one."""
    first = values[0]
    if any(abs(value - first) > near * abs(first) for value in values):
        return ""
    for name, exact in NUMBERS.items():
        for sign, prefix in ((1, ""), (-1, "-")):
            if abs(first - sign * exact) <= near * abs(exact):
                return f"{prefix}{name}" if "/" not in name else f"{prefix}({name})"
    return number(first)


def expression(values: Sequence[float], counts: Sequence[Mapping[str, int]], near: float) -> str:
    """Name the formula of N, D, H, C that all values follow, such as "1/N"; "" where none does."""
    for sign, (name, formula) in product((1.0, -1.0), FORMULAS.items()):
        if all(
            abs(value - sign * formula(**one)) <= near * abs(value) for value, one in zip(values, counts, strict=True)
        ):
            return name if sign > 0 else f"-{name}"
    return ""


def multiples(factors: Sequence[float], counts: Sequence[Mapping[str, int]], near: float) -> Iterator[tuple[str, str]]:
    """Give the formulas, with half or twice in front, that all factors follow."""
    for k, words in ((1.0, ""), (0.5, "1/2 "), (2.0, "2 ")):
        formula = expression([factor / k for factor in factors], counts, near)
        if formula:
            yield words, formula


FORMULAS: Mapping[str, Callable[..., float]] = {
    "N": lambda N, **_: N,
    "1/N": lambda N, **_: 1 / N,
    "C": lambda C, **_: C,
    "1/C": lambda C, **_: 1 / C,
    "H": lambda H, **_: H,
    "1/H": lambda H, **_: 1 / H,
    "D": lambda D, **_: D,
    "1/D": lambda D, **_: 1 / D,
    "N^2": lambda N, **_: N * N,
    "1/N^2": lambda N, **_: 1 / (N * N),
    "N C": lambda N, C, **_: N * C,
    "1/(N C)": lambda N, C, **_: 1 / (N * C),
    "N/C": lambda N, C, **_: N / C,
    "C/N": lambda N, C, **_: C / N,
    "N/(N - 1)": lambda N, **_: N / (N - 1),
    "(N - 1)/N": lambda N, **_: (N - 1) / N,
    "2N": lambda N, **_: 2 * N,
    "1/(2N)": lambda N, **_: 1 / (2 * N),
    "2/N": lambda N, **_: 2 / N,
    "N/2": lambda N, **_: N / 2,
    "the root of N": lambda N, **_: N**0.5,
    "1 over the root of N": lambda N, **_: N**-0.5,
}


def explained(formula: str) -> str:
    """Say what the letters of a formula count."""
    return ", ".join(
        f"{letter} being the number of {meaning}" for letter, meaning in MEANING.items() if letter in formula
    )


def listed(items: Iterable[object]) -> str:
    """Write items as "0, 3 and 7"."""
    texts = [str(item) for item in items]
    return texts[0] if len(texts) == 1 else f"{', '.join(texts[:-1])} and {texts[-1]}"
