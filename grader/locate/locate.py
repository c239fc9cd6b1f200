"""The student's own lines behind what was found. Nothing here changes a point."""

import atexit
from collections.abc import Sequence
from dataclasses import replace
from functools import partial

from grader.checks.context import GradingContext
from grader.limited_process import LimitedProcess, OverLimitError
from grader.locate.located import QUESTION, Located
from grader.locate.passes import find_many_passes, remark_on_passes
from grader.locate.step_table import table
from grader.model import (
    Assignment,
    Charge,
    Credit,
    Finding,
    Findings,
    MistakeCatalogue,
    Place,
    Questions,
    Run,
    Submission,
)
from grader.score import lost, methods_of


def locate(context: GradingContext, submission: Submission, findings: Findings) -> Findings:
    """Return the findings with the lines that they are about, and the table of steps of each wrong method.

    Of a program that loses nothing no recording is read, but for what tells whether it has a backward pass. The lines are
    looked for in a process with limits: where the text needs more, the findings stay as they are, without lines.
    """
    wrong = methods_of(check for check, finding in findings.checks.items() if lost(finding))
    loses = any(lost(finding) for finding in findings.checks.values()) or bool(findings.charges)
    if not loses and find_many_passes(context) is None:
        return findings
    try:
        return _process_for(context)(context.run, submission, findings, wrong if loses else None)
    except OverLimitError as error:
        note = (
            f"The lines of the mistakes are not shown: the search for them {error}. No points depend on it. "
            "Shorter cells, without generated code, are read to the end."
        )
        return replace(findings, notes=(*findings.notes, note))


Search = LimitedProcess[[Run, Submission, Findings, Sequence[str] | None], Findings]
_searches: list[tuple[Assignment, Questions, Search]] = []  # the last class's, at most one


def _process_for(context: GradingContext) -> Search:
    """Return the process of this class: it knows the questions, and what differs from one submission to the next is sent.

    Forked anew for each submission, it took two thirds of the search's time to copy the pages that it touches.
    """
    if _searches and _searches[0][0] is context.assignment and _searches[0][1] is context.questions:
        return _searches[0][2]
    _close()
    made: Search = LimitedProcess(partial(_locate, context.assignment, context.questions))
    _searches.append((context.assignment, context.questions, made))
    return made


@atexit.register
def _close() -> None:
    while _searches:
        _searches.pop()[2].close()


def _locate(
    assignment: Assignment,
    questions: Questions,
    run: Run,
    submission: Submission,
    findings: Findings,
    wrong: Sequence[str] | None,
) -> Findings:
    """Return the findings with their lines; wrong : the methods that lose points, None where nothing is lost."""
    context = GradingContext(assignment, questions, run)
    if wrong is not None:
        lines = Located(context, submission)
        findings = replace(
            findings,
            checks={
                check: replace(finding, places=_places(finding, findings.credits.get(check), lines))
                for check, finding in findings.checks.items()
            },
            charges=tuple(_placed(charge, context.questions.catalogue, lines) for charge in findings.charges),
            causes=tuple(replace(cause, origin=lines.origin(cause)) for cause in findings.causes),
            steps=table(lines, wrong, context.assignment.variant.activation),
            # The sizes of what was recorded: inputs, features, hidden units, classes.
            example=(lines.case.N, *lines.evidence.call(QUESTION).sizes) if lines.case else (),
        )
    return replace(remark_on_passes(findings, context, submission), ranges=context.ranges)


def _places(finding: Finding, credit: Credit | None, lines: Located) -> tuple[Place, ...]:
    """Return where a check's finding points: an exception's own places, else the line that is wrong or does what it is about.

    credit : what the check earns after all, where the mistake behind it is charged elsewhere.
    """
    whole = finding.share >= 1 or finding.skipped if credit is None else credit.share >= 1
    if finding.places or whole or not finding.about:
        return finding.places
    place = lines.place(finding.about)
    return (place,) if place else ()


def _placed(charge: Charge, catalogue: MistakeCatalogue | None, lines: Located) -> Charge:
    return replace(charge, place=lines.place(catalogue.form_of(charge.mistake).about)) if catalogue else charge
