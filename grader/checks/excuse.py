"""When a wrong gradient is excused by a wrong loss: it is then the derivative of the loss that the student computes.

What that loss is near a question is told by a sweep, which runs beside the student's code and may be made up: any
gradient is the derivative of a loss that is linear along it wherever it is asked. So a sweep is believed only as far as
it agrees with what plain calls gave, and with what holds for every loss of such a network.
"""

from __future__ import annotations

import numpy as np

from grader.checks.evidence import Evidence, fact, given, own_gradient, read_loss
from grader.checks.losses import (
    allowed_conventions,
    convention,
    data_loss_right,
    loss_tolerance,
    numeric_gradients,
    resembles_the_loss,
    rounded,
)
from grader.checks.rounding import SURE
from grader.compare import Difference, as_array, compare
from grader.records import Array, Call, Floats

SLOPE_LIKENESS = 0.3  # cosine, for each parameter
# How much of a slope the rounding of the losses may explain: a loss of 10^9 would explain any. Measured: 2e-9 in double
# precision, 0.06 in single.
NOISE_DOUBLE, NOISE_SINGLE = 1e-4, 0.2
# Of the sums below, relative. In double precision tighter than what tells a right regulariser's factor from a wrong one.
SUM_DOUBLE, SUM_SINGLE = 5e-6, 0.2
# Scores this much like the right ones come from a network with the right activation, whatever else is wrong.
SAME_NETWORK = 0.95


def home(call: Call) -> str:
    """Name the plain loss call at the point that a sweep moves around."""
    return call.id.replace("sweep", "loss")


def difference(evidence: Evidence, call: Call, name: str) -> Difference | None:
    """Compare their gradient with the central differences of their loss; None where either is missing."""
    own = own_gradient(evidence, home(call), 0, name, call.params[name].shape)
    return None if own is None else _against_sweep(evidence, call, name, own)


def _against_sweep(evidence: Evidence, call: Call, name: str, gradient: Array) -> Difference | None:
    numeric = numeric_gradients(evidence, call.id)
    if numeric is None:
        return None
    values, noise = numeric[name]
    tolerances = evidence.assignment.tolerances
    largest = float(np.abs(values).max())
    if largest <= noise:
        return None
    # The noise of the differences is allowed on top; for a loss in double precision it is a thousandth of the rest.
    relative = tolerances.numeric + min(noise / largest, _by_precision(evidence, NOISE_DOUBLE, NOISE_SINGLE))
    return compare(gradient, values, relative=relative, floor=tolerances.floor)


def agrees(evidence: Evidence, call: Call, name: str, gradient: Array) -> bool:
    """Tell whether the sweep says nothing against a gradient, entry by entry, as far as rounding lets it say anything.

    No proof where the rounding is large: only for a gradient that is the right one besides.
    """
    numeric = numeric_gradients(evidence, call.id)
    if numeric is None:
        return False
    slope, noise = numeric[name]
    tolerances, size = evidence.assignment.tolerances, np.abs(slope)
    allowed = noise + tolerances.numeric * (size + tolerances.floor * size.max())
    return bool((np.abs(gradient - slope) <= allowed).all())


def consistent(evidence: Evidence, call: Call, name: str) -> bool:
    """Tell whether their gradient is what the sweep of their loss says."""
    found = difference(evidence, call, name)
    return found is not None and found.within and _on_the_whole(evidence, call, name)


def _on_the_whole(evidence: Evidence, call: Call, name: str) -> bool:
    """Tell whether all entries together say so, too: rounding hides much of one slope, and little of what many share."""
    own, numeric = (
        own_gradient(evidence, home(call), 0, name, call.params[name].shape),
        numeric_gradients(evidence, call.id),
    )
    if own is None or numeric is None:
        return False
    slope, noise = numeric[name]
    deviation, size = noise / SURE, float(np.linalg.norm(own))
    if not size:
        return True
    along = float((slope * own).sum()) / size - size
    left = float(np.sqrt(np.square(slope - own).mean()))
    return abs(along) <= 4 * deviation + NOISE_DOUBLE * size and left <= 1.5 * deviation + NOISE_DOUBLE * size


def _by_precision(evidence: Evidence, double: float, single: float) -> float:
    return single if loss_tolerance(evidence) == evidence.assignment.tolerances.single else double


@fact
def loss_right_in(evidence: Evidence, call: str) -> bool:
    """Tell whether the loss is right in one plain call, its regulariser included."""
    case, expected = call.split("/")[1], evidence.expected(call)
    if not data_loss_right(evidence, case) or not float(expected["reg"]):
        return data_loss_right(evidence, case)
    own, bare = read_loss(evidence, call).value, read_loss(evidence, f"loss/{case}/0").value
    if own is None or bare is None:
        return False
    factor = (own - bare) / float(expected["reg"] * expected["penalty"])
    return any(abs(factor - k) <= 10 * loss_tolerance(evidence) * k for k in allowed_conventions(evidence))


def excused(evidence: Evidence, name: str, wrong: list[Call]) -> bool:
    """Tell whether a gradient that is wrong in some plain calls is charged with the loss already.

    Where the loss is right its derivative is known, and nothing excuses another; where the data loss is right, a sweep
    around a case with a wrong one says nothing of it.
    """
    homes = [home(call).split("/")[1] for call in evidence.calls("sweep")]
    return (
        not any(loss_right_in(evidence, call.id) for call in wrong)
        and all(
            data_loss_right(evidence, case)
            for call in wrong
            if data_loss_right(evidence, call.id.split("/")[1])
            for case in homes
        )
        and right_for_own_loss(evidence, name)
        and all(_share_adds_up(evidence, call) for call in wrong)
    )


def _share_adds_up(evidence: Evidence, call: Call) -> bool:
    """Hold what a wrong regulariser adds to the gradients, where the data loss is right, against what it adds to the loss.

    As `_regulariser_adds_up` does with a sweep; but plain calls have all their digits where a sweep is drowned by rounding.
    """
    case = call.id.split("/")[1]
    if not rounded(evidence) or not data_loss_right(evidence, case):
        return True
    expected, given = evidence.expected(call.id), call.params
    whole, bare = (read_loss(evidence, one).value for one in (call.id, f"loss/{case}/0"))
    own = {name: own_gradient(evidence, call.id, 0, name, given[name].shape) for name in given}
    if whole is None or bare is None:
        return False
    total = sum(
        float(((theirs - expected[f"data_{name}"]) * given[name]).sum())
        for name, theirs in own.items()
        if theirs is not None
    )
    allowed = evidence.assignment.tolerances.single
    return any(
        abs(total - degree * (whole - bare)) <= allowed * (degree * abs(whole - bare) + abs(bare)) for degree in (1, 2)
    )


def right_for_own_loss(evidence: Evidence, name: str) -> bool:
    """Tell whether the gradient is the derivative of a loss of the right kind."""
    return resembles_the_loss(evidence) and all(
        consistent(evidence, call, name) and _slopes_alike(evidence, call) and sound(evidence, call.id)
        for call in evidence.calls("sweep")
    )


def right_gradient(evidence: Evidence, call: Call, name: str, factor: float) -> Floats:
    """Give the right gradient at a call, with `factor` times the regulariser; call : a plain one, or a sweep."""
    return _right_gradient(evidence, home(call), name, factor)


@given
def _right_gradient(evidence: Evidence, plain: str, name: str, factor: float) -> Floats:
    expected = evidence.expected(plain)
    return np.asarray(expected[f"data_{name}"] + factor * expected["reg"] * expected[f"penalty_{name}"], np.float64)


def _slopes_alike(evidence: Evidence, call: Call) -> bool:
    """Tell whether the student's loss slopes as the right one does, at least roughly, along each parameter.

    A loss that is made up around the point where it is asked can have any derivative: noise from the input, for one,
    handed in as "its own gradient". A mistaken loss still points the same way: a sum for a mean, another factor of the
    regulariser and a hinge reach 0.6 and more; noise stays near 0 for the weights. A bias that is forgotten in the scores
    has no slope at all, and says nothing.
    """
    numeric = numeric_gradients(evidence, call.id)
    if numeric is None:
        return False
    likenesses = []
    for name, (slope, noise) in numeric.items():
        right = right_gradient(evidence, call, name, 1.0)
        size = float(np.linalg.norm(slope) * np.linalg.norm(right))
        if np.abs(slope).max() > noise and size:
            likenesses.append(float((slope * right).sum()) / size)
    return len(likenesses) >= 2 and min(likenesses) >= SLOPE_LIKENESS


# ---------------------------------------------------------------- is the sweep of one function, and is it that loss?


@fact
def sound(evidence: Evidence, sweep: str) -> bool:
    """Tell whether a sweep may be of the very loss that plain calls gave."""
    call = evidence.call(sweep)
    numeric = numeric_gradients(evidence, call.id)
    if numeric is None or not _level(evidence, call):
        return False
    slopes = {name: slope for name, (slope, _) in numeric.items()}
    case = home(call).split("/")[1]
    if loss_right_in(evidence, home(call)):
        return _slopes_right(evidence, call)
    if data_loss_right(evidence, case):
        return _regulariser_adds_up(evidence, call, slopes)
    return not _scores_near(evidence, case) or _layers_balance(evidence, call, slopes)


def _level(evidence: Evidence, call: Call) -> bool:
    """Hold the middle of each pair of losses to the loss that a plain call gave there."""
    plain, swept = read_loss(evidence, home(call)).value, evidence.reply(call.id).results[0]
    if plain is None:
        return False
    middles = [np.asarray(as_array(swept[name])).mean(axis=0) for name in call.params]
    return all(bool((np.abs(middle - plain) <= loss_tolerance(evidence) * abs(plain)).all()) for middle in middles)


def _slopes_right(evidence: Evidence, call: Call) -> bool:
    """Hold the slopes of a loss that is right at the point to the right gradient there."""
    fitted = convention(evidence)
    for factor in allowed_conventions(evidence) if fitted is None else (fitted,):
        if all(agrees(evidence, call, name, right_gradient(evidence, call, name, factor)) for name in call.params):
            return True
    return False


def _regulariser_adds_up(evidence: Evidence, call: Call, slopes: dict[str, Floats]) -> bool:
    """Hold what a wrong regulariser R adds to the slopes against what it adds to the loss.

    Any sum of squares has <dR/dtheta, theta> = 2 R, and a sum of sizes R, whatever its factors and whichever parameters
    are in it (Euler's theorem on homogeneous functions). Half the gradient with a made-up loss to match has not.
    """
    expected = evidence.expected(home(call))
    whole, bare = (read_loss(evidence, one).value for one in (home(call), f"loss/{home(call).split('/')[1]}/0"))
    if whole is None or bare is None:
        return False
    added = whole - bare
    total = sum(float(((slopes[name] - expected[f"data_{name}"]) * given).sum()) for name, given in call.params.items())
    allowed = _by_precision(evidence, SUM_DOUBLE, SUM_SINGLE)
    # The loss itself has its share in the rounding, which matters where nothing is added.
    return any(abs(total - degree * added) <= allowed * (degree * abs(added) + 1e-3 * abs(bare)) for degree in (1, 2))


def _layers_balance(evidence: Evidence, call: Call, slopes: dict[str, Floats]) -> bool:
    """Hold the slopes of the two layers against each other, unit by unit.

    A hidden unit's incoming weights times s and its outgoing ones over s leave the scores as they are, and so any loss of
    the scores: sum_d W1 dL/dW1 + b1 dL/db1 = sum_c W2 dL/dW2. What a regulariser adds, squares or sizes times some factor
    for each parameter, is fitted. The gradient of a wrong mask does not balance.
    """
    first, bias, second, _ = (call.params[name] for name in evidence.names)
    share = {name: call.params[name] * slope for name, slope in slopes.items()}
    incoming = share[evidence.names[0]].sum(axis=0) + share[evidence.names[1]]
    outgoing = share[evidence.names[2]].sum(axis=1)
    sizes = np.abs(first).sum(axis=0), np.abs(second).sum(axis=1)
    added = np.array([(first**2).sum(axis=0), bias**2, (second**2).sum(axis=1), *sizes]).T
    factors, *_ = np.linalg.lstsq(added, incoming - outgoing, rcond=None)
    size = float(np.abs(share[evidence.names[0]]).max() + np.abs(outgoing).max())
    allowed = _by_precision(evidence, NOISE_DOUBLE, NOISE_SINGLE) * size
    return bool((np.abs(incoming - outgoing - added @ factors) <= allowed).all())


def _scores_near(evidence: Evidence, case: str) -> bool:
    reply, right = evidence.reply(f"scores/{case}"), evidence.expected(f"scores/{case}")["scores"]
    own = as_array(reply.results[0]) if reply.results else None
    if own is None or own.shape != right.shape or not np.isfinite(own).all() or not np.ptp(own):
        return False
    return bool(np.corrcoef(own.reshape(-1).astype(np.float64), right.reshape(-1))[0, 1] >= SAME_NETWORK)
