"""Statistics of a class: its scores, which checks separate students, and which mistakes they share.

Submissions that could not be graded say nothing about the assignment, and a person took excused ones out. Neither counts
in any number here, except in the counts of such submissions.
"""

import math
import statistics
from bisect import bisect_right
from collections.abc import Sequence
from itertools import pairwise

from grader.model import Diagnosis, Report, Sheet, Standing, Verdict
from grader.records import dataclass
from grader.reports.wording import BEST_FIRST

BARS = 10
# Below this a correlation says next to nothing: with 8 submissions even 0.7 can be chance.
FEWEST = 8


@dataclass(frozen=True)
class Tally:
    """The number of submissions of each kind; the first three add up to all submissions."""

    graded: int  # and not excused: these count
    failed: int  # could not be graded, and not excused
    excused: int
    missing: int  # on the roster, and no submission is theirs


@dataclass(frozen=True)
class Summary:
    """The scores in five numbers; quartiles are interpolated as in numpy and Excel's QUARTILE."""

    mean: float
    lowest: float
    lower: float
    median: float
    upper: float
    highest: float


@dataclass(frozen=True)
class Bar:
    """One bar of the histogram: scores from `low` to below `high`; an open end is None."""

    low: float | None
    high: float | None
    count: int


@dataclass(frozen=True)
class CheckUse:
    """The statistics of one check in a class."""

    id: str
    title: str
    hidden: bool
    max_points: float
    counts: tuple[int, ...]  # in the order of wording.BEST_FIRST
    lost: float  # points that it cost on average
    alike: bool  # all have the same share of it, or nothing else tells them apart
    separation: float | None  # see `separation`; None where `alike`, or with fewer than FEWEST submissions


@dataclass(frozen=True)
class Mistake:
    """A named mistake and who made it."""

    diagnosis: Diagnosis  # as the submission with the shortest title has it
    standings: tuple[Standing, ...]
    excused: tuple[Standing, ...]  # made it, too, but do not count
    cost: float  # points that mending it alone would return to all of `standings` together


def counts(standing: Standing) -> bool:
    """Return whether a submission counts in the statistics: it was graded, and nobody excused it."""
    return standing.report.status == "graded" and not standing.report.excused


def tally(sheet: Sheet) -> Tally:
    """Return the number of submissions of each kind."""
    graded = sum(map(counts, sheet.standings))
    excused = sum(standing.report.excused for standing in sheet.standings)
    return Tally(graded, len(sheet.standings) - graded - excused, excused, len(sheet.missing))


def summary(scores: Sequence[float]) -> Summary | None:
    """Return mean, median, quartiles, lowest and highest; None without a score."""
    if not scores:
        return None
    inner = statistics.quantiles(scores, n=4, method="inclusive") if len(scores) > 1 else [scores[0]] * 3
    return Summary(statistics.fmean(scores), min(scores), inner[0], inner[1], inner[2], max(scores))


def histogram(scores: Sequence[float], max_score: float) -> tuple[Bar, ...]:
    """Return the scores in bars of equal width; no bars where nothing can be earned.

    The first and the last bar are open, so that any score that a person gives is in a bar.
    """
    if not max_score > 0:
        return ()
    # Rounded: the same numbers stand in the page, where they have to part the same scores.
    edges = [round(max_score * at / BARS, 2) for at in range(1, BARS)]
    found = [0] * BARS
    for score in scores:
        found[bisect_right(edges, score)] += 1
    limits = [None, *edges, None]
    return tuple(Bar(low, high, count) for (low, high), count in zip(pairwise(limits), found, strict=True))


def separation(shares: Sequence[float], rests: Sequence[float]) -> float | None:
    """Return how well a check separates strong from weak students: the corrected item-total correlation, -1 to 1.

    It is Pearson's correlation of the check's share of its points with the points of all other checks together. The
    check itself is left out of the total, since with it every check would seem to agree with the whole
    (S. Henrysson, "Correction of item-total correlations in item analysis", Psychometrika 28, 1963, 211-218).
    None where either does not vary, or where fewer than FEWEST submissions would make it chance.
    """
    if len(shares) < FEWEST or _constant(shares) or _constant(rests):
        return None
    return max(-1.0, min(1.0, statistics.correlation(shares, rests)))


def verdict_on(use: CheckUse) -> str:
    """Return a check's separation in words.

    From 0.3 on items are kept as they are (R. L. Ebel and D. A. Frisbie, "Essentials of Educational Measurement",
    5th ed., 1991, ch. 13, call that "reasonably good"); a tenth around zero is none, on either side.
    """
    if use.separation is None:
        return "not known: all have the same result" if use.alike else "not known: too few submissions"
    if use.separation >= 0.3:
        return "separates well"
    if use.separation >= 0.1:
        return "separates weakly"
    return "does not separate" if use.separation > -0.1 else "separates the wrong way"


def chance(number: int) -> float:
    """Return the size that correlations of unrelated values stay below in 19 of 20 classes of this size."""
    return math.tanh(1.96 / math.sqrt(number - 3))  # Fisher's z


def check_uses(reports: Sequence[Report]) -> tuple[CheckUse, ...]:
    """Return the statistics of each check in the rubric's order."""
    order = dict.fromkeys(verdict.id for report in reports for verdict in report.checks)
    totals = [sum(verdict.points for verdict in report.checks) for report in reports]
    return tuple(_use(check, reports, totals) for check in order)


def _use(check: str, reports: Sequence[Report], totals: Sequence[float]) -> CheckUse:
    # A report of an older rubric may lack the check; then it says nothing about it.
    held = [
        (verdict, total)
        for report, total in zip(reports, totals, strict=True)
        for verdict in report.checks
        if verdict.id == check
    ]
    first = held[0][0]
    shares = [_share(verdict) for verdict, _ in held]
    # Lateness is no part of it: it says when someone handed in, not what they understood.
    rests = [total - verdict.points for verdict, total in held]
    tallies = [sum(verdict.status == status for verdict, _ in held) for status in BEST_FIRST]
    return CheckUse(
        check,
        first.title,
        first.hidden,
        first.max_points,
        tuple(tallies),
        statistics.fmean(verdict.max_points - verdict.points for verdict, _ in held),
        _constant(shares) or _constant(rests),
        separation(shares, rests),
    )


def _share(verdict: Verdict) -> float:
    """Return the share of a check's points earned by passing it; a carried check was not passed."""
    own = verdict.points - verdict.credited
    return own / verdict.max_points if verdict.max_points and verdict.status != "carried" else 0.0


def compare_variants(standings: Sequence[Standing]) -> dict[str, dict[str, float]]:
    """Return the percentage of submissions that passed, variant -> check; nothing where all have the same assignment."""
    found: dict[str, list[Report]] = {}
    for standing in standings:
        if standing.student and standing.student.variant and counts(standing):
            found.setdefault(standing.student.variant, []).append(standing.report)
    shares = {
        variant: {use.id: 100 * use.counts[0] / sum(use.counts) for use in check_uses(reports)}
        for variant, reports in sorted(found.items())
    }
    return shares if len(shares) > 1 else {}


def mistakes(standings: Sequence[Standing]) -> tuple[Mistake, ...]:
    """Return the named mistakes, the most frequent first, then those that cost most."""
    made: dict[str, dict[int, tuple[Standing, Diagnosis]]] = {}
    for at, standing in enumerate(standings):
        for diagnosis in standing.report.diagnoses if standing.report.status == "graded" else ():
            made.setdefault(kind(diagnosis), {}).setdefault(at, (standing, diagnosis))
    found = []
    for pairs in map(list, map(dict.values, made.values())):
        counted = [(standing, diagnosis) for standing, diagnosis in pairs if counts(standing)]
        # Where several mistakes look alike in one submission, its title names them all.
        plainest = min((diagnosis for _, diagnosis in pairs), key=lambda one: (len(one.title), one.title))
        found.append(
            Mistake(
                plainest,
                tuple(standing for standing, _ in counted),
                tuple(standing for standing, _ in pairs if not counts(standing)),
                math.fsum(_cost(standing.report, diagnosis) for standing, diagnosis in counted),
            )
        )
    return tuple(sorted(found, key=lambda one: (-len(one.standings), -one.cost, one.diagnosis.id)))


def kind(diagnosis: Diagnosis) -> str:
    """Return the key of a named mistake: its id and, for a cause without a formula, also what happened."""
    return diagnosis.id if diagnosis.source else f"{diagnosis.id}: {diagnosis.title}"


def _cost(report: Report, diagnosis: Diagnosis) -> float:
    # Where a person gave the points back, no more than what is still missing can be had.
    left = {one.id: max(0.0, one.max_points - one.points) for one in report.checks if one.adjusted_from is not None}
    return math.fsum(min(points, left.get(check, points)) for check, points in diagnosis.costs.items())


def _constant(values: Sequence[float]) -> bool:
    # A sum of points may differ in its last digit by the order of adding alone.
    return max(values) - min(values) < 1e-9
