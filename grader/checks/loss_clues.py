"""What is known of a wrong loss: over the cases, over single rows, and of what reg adds to it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np

from grader.checks.clues import counts_of, only_some, single
from grader.checks.evidence import Evidence, loss_calls, read_loss
from grader.checks.formulas import constant, explained, expression, multiple, multiples
from grader.checks.losses import convention, data_loss_right, loss_tolerance, right_for_own_scores
from grader.compare import number
from grader.records import Array, Call, Floats

NEAR, NEAR_SINGLE = 1e-5, 1e-4  # of ratios and differences, relative: one is constant that varies by less


def of_data_loss(evidence: Evidence) -> list[str]:
    """Say what the losses without regulariser have in common, over the cases and over single rows."""
    calls = [(call, case) for call, case, reg in loss_calls(evidence) if reg == 0]
    wrong = [
        (call, case)
        for call, case in calls
        if not data_loss_right(evidence, case) and not right_for_own_scores(evidence, case)
    ]
    own = [read_loss(evidence, call.id).value for call, _ in wrong]
    values = [value for value in own if value is not None and np.isfinite(value)]
    some = only_some([call for call, _ in calls], [call for call, _ in wrong])
    if not wrong or len(values) < len(wrong):
        return [some]
    rights = [float(evidence.expected(call.id)["data_loss"]) for call, _ in wrong]
    counts = [counts_of(call) for call, _ in wrong]
    near = _near(evidence)
    fine = "What reg adds to it is right." if convention(evidence) is not None else ""
    return [
        _of_numbers(values, rights, counts, near),
        _one_row(evidence, wrong, values),
        *_single_rows(evidence),
        some,
        fine,
    ]


def _near(evidence: Evidence) -> float:
    return NEAR_SINGLE if single(evidence) else NEAR


def _of_numbers(
    values: Sequence[float], rights: Sequence[float], counts: Sequence[Mapping[str, int]], near: float
) -> str:
    """Say by what factor, or by how much, numbers of several cases differ from the right ones."""
    if len(values) < 2 or not any(values):
        return ""
    ratios = [value / right for value, right in zip(values, rights, strict=True)]
    if constant(ratios, near) or expression(ratios, counts, near):
        return f"It is {multiple(ratios, counts, near)}, in every case that is wrong."
    off = [value - right for value, right in zip(values, rights, strict=True)]
    if constant(off, near):
        return f"It is {number(abs(off[0]))} too {'large' if off[0] > 0 else 'small'}, in every case that is wrong."
    powers = [float(np.exp(one)) for one in off]
    formula = expression(off, counts, near), expression(powers, counts, near)
    if formula[0]:
        return f"It is off by {formula[0]}, {explained(formula[0])}."
    return f"It is off by log({formula[1]}), {explained(formula[1])}." if formula[1] else ""


def _one_row(evidence: Evidence, wrong: Sequence[tuple[Call, str]], values: Sequence[float]) -> str:
    """Tell whether the loss of a batch is that of one of its rows."""
    rows = [
        _row_losses(evidence.expected(f"scores/{case}")["scores"], call.steps[0].arguments["y"]) for call, case in wrong
    ]
    near = loss_tolerance(evidence)
    made: dict[str, Callable[[Floats], float]] = {
        "largest loss of all rows": np.max,
        "smallest loss of all rows": np.min,
        "median of the rows' losses": np.median,
        "first row's loss": lambda losses: losses[0],
        "last row's loss": lambda losses: losses[-1],
        "mean over all rows but the last": lambda losses: losses[:-1].mean(),
        "mean over all rows but the first": lambda losses: losses[1:].mean(),
    }
    for words, guess in made.items():
        if all(abs(value - guess(row)) <= near * abs(guess(row)) for value, row in zip(values, rows, strict=True)):
            return f"It is the {words}."
    return ""


def _row_losses(scores: Floats, y: Array) -> Floats:
    shifted = scores - scores.max(axis=1, keepdims=True)
    return np.asarray(np.log(np.exp(shifted).sum(axis=1)) - shifted[np.arange(len(y)), y])


def _single_rows(evidence: Evidence) -> list[str]:
    """Say for which single rows the loss is right, where a label or their number tells something."""
    right, y = evidence.expected("single")["losses"], evidence.expected("single")["y"]
    found = [read_loss(evidence, "single", row).value for row in range(len(y))]
    own = np.array([np.nan if value is None else value for value in found])
    if not np.isfinite(own).all():
        return []
    # The smallest losses hold few digits where some are cut off.
    size = np.abs(right).max() if single(evidence) else np.abs(right)
    wrong = np.abs(own - right) > loss_tolerance(evidence) * size
    if not wrong.any():
        return [f"Asked for one row at a time it is right, for all {len(y)} rows: look at how rows are put together."]
    if wrong.all():
        return [_of_all_rows(own, right, _near(evidence))]
    facts, labels, count = [], sorted(set(y[wrong].tolist())), int(wrong.sum())
    if np.array_equal(np.isin(y, labels), wrong):
        facts.append(f"Asked for single rows it is right but for those whose label is {' or '.join(map(str, labels))}.")
    # One order of 66 and more, so that it hardly comes by chance.
    if 1 < count < len(y) - 1 and right[wrong].min() > right[~wrong].max():
        facts.append(f"Asked for single rows it is wrong only for the {count} of {len(y)} whose right loss is largest.")
    if 1 < count < len(y) - 1 and right[wrong].max() < right[~wrong].min():
        facts.append(
            f"Asked for single rows it is wrong only for the {count} of {len(y)} whose right loss is smallest."
        )
    return facts or [f"Asked for single rows it is right for {len(y) - count} of {len(y)}."]


def _of_all_rows(own: Floats, right: Floats, near: float) -> str:
    times, off = constant((own / right).tolist(), near), constant((own - right).tolist(), near)
    if not own.any():
        return "Asked for single rows it is 0 for each."
    if times:
        return f"Asked for single rows it is {times} times the right one for each."
    return f"Asked for single rows it is off by {off} for each." if off else ""


def of_regulariser(evidence: Evidence) -> list[str]:
    """Say what the regulariser adds to the loss instead of the sum of squares."""
    added, calls, regs = [], [], []
    for call, case, reg in loss_calls(evidence):
        own, bare = read_loss(evidence, call.id).value, read_loss(evidence, f"loss/{case}/0").value
        if reg and own is not None and bare is not None and np.isfinite(own - bare):
            added.append(own - bare)
            calls.append(call)
            regs.append(reg)
    if len(added) < 3 or not np.abs(added).max():
        return []
    near = NEAR_SINGLE  # a difference of two losses carries a digit less
    facts = []
    for words, size in _sizes(evidence, calls).items():
        factors = [one / (reg * value) if value else np.nan for one, reg, value in zip(added, regs, size, strict=True)]
        name, formula = constant(factors, near), ""
        if not name:
            formula = next((f"{k}{f}" for k, f in multiples(factors, [counts_of(call) for call in calls], near)), "")
        if name or formula:
            meaning = f", {explained(formula)}" if formula else ""
            facts.append(f"It adds reg times {words}, times {name or formula}{meaning}.")
            break
    penalties = [float(evidence.expected(call.id)["penalty"]) for call in calls]
    for words, of_reg in (
        ("reg squared", np.square),
        ("the root of reg", np.sqrt),
        ("1, whatever reg is,", np.ones_like),
    ):
        ratios = (np.array(added) / of_reg(np.array(regs)) / penalties).tolist()
        name = constant(ratios, near)
        if name and not facts:
            facts.append(f"It adds {words} times the sum of squares, times {name}.")
    return facts


def _sizes(evidence: Evidence, calls: Sequence[Call]) -> dict[str, list[float]]:
    """Give what may stand for the sum of squares: words -> one number for each call."""
    first, _, second, _ = evidence.names
    weights = [(np.asarray(call.params[first]), np.asarray(call.params[second])) for call in calls]
    made: dict[str, Callable[[Array, Array], float]] = {
        f"(sum {first}^2 + sum {second}^2)": lambda one, two: (one**2).sum() + (two**2).sum(),
        f"(sum |{first}| + sum |{second}|)": lambda one, two: np.abs(one).sum() + np.abs(two).sum(),
        f"(sum {first} + sum {second})": lambda one, two: one.sum() + two.sum(),
        f"(mean of {first}^2 + mean of {second}^2)": lambda one, two: (one**2).mean() + (two**2).mean(),
        f"(norm of {first} + norm of {second})": lambda one, two: float(np.linalg.norm(one) + np.linalg.norm(two)),
        f"the root of (sum {first}^2 + sum {second}^2)": lambda one, two: ((one**2).sum() + (two**2).sum()) ** 0.5,
        f"(sum {first})^2 + (sum {second})^2": lambda one, two: one.sum() ** 2 + two.sum() ** 2,
        f"(sum {first}^2 times sum {second}^2)": lambda one, two: (one**2).sum() * (two**2).sum(),
        f"sum {first}^2 alone": lambda one, _: (one**2).sum(),
        f"sum {second}^2 alone": lambda _, two: (two**2).sum(),
    }
    return {words: [float(size(*pair)) for pair in weights] for words, size in made.items()}
