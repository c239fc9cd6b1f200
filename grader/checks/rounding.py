"""How far a student's losses are rounded: measured, not assumed.

Single precision inside leaves steps of 1e-7 in a loss, whatever type is returned; round(loss, 6) leaves larger ones. Both
are no mistake, but they drown what central differences could show.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from grader.compare import is_single
from grader.model import Array

DECIMALS = range(4, 9)  # fewer digits than four are another loss; more are as good as all
# Of a swept loss, relative: the middles of its pairs scatter by 6e-12 in double precision, which is curvature (wrong
# losses reach 2e-11), by 8e-10 and more where one layer of two is single, and by 2e-8 where both are.
ROUGH = 2e-10


def quantisation_step(values: Sequence[Array]) -> float:
    """Return the step that all these losses are multiples of; 0 where they are not rounded.

    values : at least three numbers, or nothing can be said.
    """
    if sum(value.size for value in values) < 3:
        return 0.0
    if is_single(*values):
        return float(np.finfo(np.float32).eps) * max(float(np.abs(value).max()) for value in values)
    every = np.concatenate([value.reshape(-1).astype(np.float64) for value in values])
    if not np.isfinite(every).all() or (every == np.round(every)).all():
        return 0.0
    near = 8 * np.finfo(np.float64).eps * np.abs(every)
    return next((10.0**-k for k in DECIMALS if (np.abs(every - np.round(every, k)) <= near).all()), 0.0)


def is_rounded(swept: Sequence[Array]) -> bool:
    """Return whether a sweep shows rounding far above that of double precision.

    The middles of its pairs L(+h), L(-h) are apart by curvature, or by rounding. swept : arrays (2, ...), one a parameter.
    """
    largest = max(float(np.abs(pair.astype(np.float64)).max()) for pair in swept)
    apart = max(float(pair.astype(np.float64).mean(axis=0).std()) for pair in swept)
    return quantisation_step(swept) > 0 or apart > ROUGH * largest
