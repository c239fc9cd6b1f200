"""What the author of a submission may see of its report: the one place where anything is kept from students.

Formats that students see are given a `StudentReport`, which nothing else makes.
"""

from collections.abc import Collection
from dataclasses import replace
from pathlib import PurePath

from grader.model import Diagnosis, Report, StudentReport, Verdict
from grader.text.sanitise import one_line, sanitise_report


def student_report(report: Report) -> StudentReport:
    """Return a report with every text plain, and of hidden checks the title and verdict alone."""
    report = sanitise_report(report)
    hidden = {one.id for one in report.checks if one.hidden}
    # Where people gave points, those of the grader count.
    points = {one.id: one.points if one.adjusted_from is None else one.adjusted_from for one in report.checks}
    lost = {one.id for one in report.checks if points[one.id] < one.max_points}
    told = [one for one in report.diagnoses if _is_told(one, hidden, lost)]
    kept_back = {one.title for one in report.diagnoses} - {one.title for one in told}
    source = PurePath(report.source)
    return StudentReport(
        replace(
            report,
            source=source.name if source.is_absolute() else report.source,
            checks=tuple(_hide(one, kept_back) for one in report.checks),
            diagnoses=tuple(_of_visible(one, hidden) for one in told),
            # The table is of a whole method: it would tell what a hidden check saw that no mistake told here explains.
            steps=() if kept_back or hidden & lost - {check for one in told for check in one.checks} else report.steps,
            review=(),
        )
    )


def _is_told(diagnosis: Diagnosis, hidden: Collection[str], lost: Collection[str]) -> bool:
    """Return whether a mistake is charged at a check that is not hidden, or is charged nowhere and explains one."""
    # Where people gave the points back, no cost is left, and the checks that it lost tell where it was charged.
    charged = {check for check, points in diagnosis.costs.items() if points} or {*diagnosis.checks} & {*lost}
    where = charged or {*diagnosis.checks}
    return not where or bool(where - {*hidden})


def _of_visible(diagnosis: Diagnosis, hidden: Collection[str]) -> Diagnosis:
    return replace(
        diagnosis,
        checks=tuple(one for one in diagnosis.checks if one not in hidden),
        costs={check: points for check, points in diagnosis.costs.items() if check not in hidden},
    )


def _hide(verdict: Verdict, kept_back: Collection[str]) -> Verdict:
    """Return a verdict without what it says of mistakes that are kept back; a hidden one says nothing."""
    if verdict.hidden:
        return replace(verdict, message="", figures=(), places=())
    if not kept_back:
        return verdict
    # "Not charged here: ...", "Could not be judged: ...": what follows is the title of a mistake that is told elsewhere.
    lines = [line for line in verdict.message.split("\n") if one_line(line.partition(": ")[2]) not in kept_back]
    return replace(verdict, message="\n".join(lines))
