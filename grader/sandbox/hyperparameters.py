"""Check the hyperparameters that a submission chose."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from .capture import ReportedError
from .values import in_short


def check_hyperparameters(name: str, found: Any, bounds: Mapping[str, Sequence[Any]]) -> dict[str, int | float]:
    """Check the submission's hyperparameters against `bounds` {name: [low, high, whole]}, and return plain numbers."""
    example = ", ".join(f'"{key}": ...' for key in bounds)
    if not isinstance(found, dict):
        raise ReportedError(
            "TypeError", f"{name} is {in_short(found)}; write it as a dict of numbers: {name} = {{{example}}}"
        )
    wrong = list(_wrong_hyperparameters(found, bounds))
    if wrong:
        raise ReportedError("ValueError", f"{name}: {'; '.join(wrong)}")
    return {key: int(found[key]) if whole else float(found[key]) for key, (_, _, whole) in bounds.items()}


def _wrong_hyperparameters(found: Mapping[Any, Any], bounds: Mapping[str, Sequence[Any]]) -> Iterator[str]:
    for key, (low, high, whole) in bounds.items():
        wanted = f"write {'a whole number' if whole else 'a number'} from {low:g} to {high:g}"
        if key not in found:
            yield f'"{key}" is missing; {wanted}'
            continue
        value = found[key]
        if value is None:
            yield f'"{key}" is still None; {wanted}'
        elif isinstance(value, bool) or not isinstance(value, int | float | np.integer | np.floating):
            yield f'"{key}" is {in_short(value)}; {wanted}'
        elif not low <= value <= high or (whole and value != int(value)):
            yield f'"{key}" is {value:g}; {wanted}'
