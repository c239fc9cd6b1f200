"""Findings to verdicts: the rubric's points, and the texts of the named mistakes. Nothing is judged here."""

from collections.abc import Iterable, Mapping
from dataclasses import replace

from grader.checks import CHECKS
from grader.model import (
    CLASSIC,
    Assignment,
    Cause,
    Charge,
    CheckRow,
    Diagnosis,
    Finding,
    Findings,
    Judgement,
    MistakeCatalogue,
    Place,
    StepRow,
    Variant,
    Verdict,
    VerdictStatus,
)
from grader.text.variant_words import in_words_of, with_own_methods

KNOWN = tuple(CHECKS)
MOST_STEPS = 25  # rows of the table of steps
_GROUPS: Mapping[str, frozenset[str]] = {
    "loss": frozenset({"loss", "gradients"}),
    "predict": frozenset({"predict"}),
    "train": frozenset({"train"}),
}


def score(findings: Findings, assignment: Assignment, catalogue: MistakeCatalogue | None) -> Judgement:
    """Return the verdicts with the rubric's points, and the named mistakes with the catalogue's titles and hints.

    A mistake that stops a whole method comes first: until it is fixed, nothing else about that method can be seen.
    """
    points = {row.id: row.points for row in assignment.checks}
    causes = tuple(_of_cause(cause, points) for cause in findings.causes)
    named = tuple(_of_charge(charge, points, catalogue) for charge in findings.charges) if catalogue else ()
    verdicts = _in_words(assignment.variant, (_verdict(row, findings, catalogue) for row in assignment.checks))
    told = sorted(causes + named, key=lambda one: _of_training(one.checks))
    judgement = Judgement(verdicts, tuple(told), findings.review, _steps(findings), findings.example, findings.notes)
    return judgement if assignment.variant.methods == CLASSIC else _name_methods(judgement, assignment, findings)


def _name_methods(judgement: Judgement, assignment: Assignment, findings: Findings) -> Judgement:
    """Return a judgement with the assignment's names of methods in all words of ours."""
    errors = [finding.error.message for finding in findings.checks.values() if finding.error]
    # The longest first: where an exception's text begins with that of another.
    quoted = sorted({line.rstrip(".") for error in errors for line in error.splitlines()}, key=len, reverse=True)

    def own(text: str) -> str:
        return with_own_methods(text, assignment.variant.methods, quoted)

    return replace(
        judgement,
        verdicts=tuple(replace(one, message=own(one.message)) for one in judgement.verdicts),
        diagnoses=tuple(
            replace(one, title=own(one.title), hint=own(one.hint), source=own(one.source))
            for one in judgement.diagnoses
        ),
        review=tuple(map(own, judgement.review)),
        steps=tuple(replace(one, verdict=own(one.verdict)) for one in judgement.steps),
        notes=tuple(map(own, judgement.notes)),
    )


def lost(finding: Finding) -> bool:
    """Return whether a check found something wrong or could not be judged."""
    return finding.share < 1 or finding.carried or finding.skipped


def methods_of(checks: Iterable[str]) -> tuple[str, ...]:
    """Return the methods that these checks are about, in the order in which a student should fix them."""
    groups = {CHECKS[check].group for check in checks if CHECKS[check].of_network}
    return tuple(method for method, own in _GROUPS.items() if groups & own)


def _steps(findings: Findings) -> tuple[StepRow, ...]:
    """Return the table of steps: of the first method that differs from the right one, with what differs in others."""
    methods = methods_of(check for check, finding in findings.checks.items() if lost(finding))
    tables = [rows for method in methods if (rows := findings.steps.get(method))]
    differing = [rows for rows in tables if any(row.status == "differs" for row in rows)]
    found = (differing or tables or [()])[0]
    for rows in differing[1:]:
        first = next(at for at, row in enumerate(rows) if row.status == "differs")
        beside = rows[max(first - 2, 0) : first + 4]
        found += beside if len(found) + len(beside) <= MOST_STEPS else ()
    return found


def _of_training(checks: tuple[str, ...]) -> bool:
    """Return whether a cause stops only train(): it is listed after mistakes in loss(), which may have led to it."""
    return all(CHECKS[check].group in {"train", "predict"} for check in checks)


def not_run(assignment: Assignment, message: str, place: Place | None) -> tuple[Verdict, ...]:
    """Return a verdict for every row of the rubric, all skipped with the reason why the submission cannot be run."""
    finding = Finding(0.0, f"Not judged: {message}", places=(place,) if place else (), skipped=True)
    return _in_words(assignment.variant, (_row_verdict(row, finding) for row in assignment.checks))


def _in_words(variant: Variant, verdicts: Iterable[Verdict]) -> tuple[Verdict, ...]:
    """Return verdicts whose titles speak of the assignment's own network."""
    titled = ((one, in_words_of(one.title, variant)) for one in verdicts)
    return tuple(one if title == one.title else replace(one, title=title) for one, title in titled)


def _verdict(row: CheckRow, findings: Findings, catalogue: MistakeCatalogue | None) -> Verdict:
    """Return a check's verdict; it keeps the points that it lost by a mistake that is charged elsewhere."""
    finding, credit = findings.checks[row.id], findings.credits.get(row.id)
    if credit is None or catalogue is None:
        return replace(_row_verdict(row, finding), credited=row.points if finding.carried else 0.0)
    charges = {charge.mistake: _title(charge, catalogue) for charge in findings.charges}
    titles = (charges.get(mistake) or catalogue.form_of(mistake).title for mistake in credit.elsewhere)
    message = "\n".join([*(f"Not charged here: {title}" for title in titles), finding.message])
    after = replace(finding, share=credit.share, message=message, skipped=False, carried=credit.share >= 1)
    return replace(_row_verdict(row, after), credited=round((credit.share - finding.share) * row.points, 2))


def _row_verdict(row: CheckRow, finding: Finding) -> Verdict:
    check = CHECKS[row.id]
    share = 1.0 if finding.carried else min(max(finding.share, 0.0), 1.0)
    status: VerdictStatus = (
        "carried" if finding.carried else "passed" if share == 1 else "partial" if share else "failed"
    )
    return Verdict(
        id=row.id,
        title=check.title,
        group=check.group,
        status="skipped" if finding.skipped else status,
        points=0.0 if finding.skipped else round(share * row.points, 2),
        max_points=row.points,
        hidden=row.hidden,
        message=finding.message,
        figures=finding.figures,
        places=finding.places,
    )


def _of_cause(cause: Cause, points: Mapping[str, float]) -> Diagnosis:
    return Diagnosis(
        id=cause.id,
        title=cause.title,
        hint=f"Look at line {cause.origin.line} first: it made the value that this line uses. {cause.hint}"
        if cause.origin
        else cause.hint,
        source="",  # it breaks no formula
        checks=cause.explains,
        costs=_in_points(cause.costs, points),
        places=tuple(place for place in (cause.origin, cause.place) if place),
    )


def _of_charge(charge: Charge, points: Mapping[str, float], catalogue: MistakeCatalogue) -> Diagnosis:
    form = catalogue.form_of(charge.mistake)
    return Diagnosis(
        id=form.id,
        title=_title(charge, catalogue),
        hint=form.hint,
        source=f"{form.formula} ({form.source})",
        checks=charge.explains,
        costs=_in_points(charge.costs, points),
        places=(charge.place,) if charge.place else (),
    )


def _title(charge: Charge, catalogue: MistakeCatalogue) -> str:
    # Ways of one mistake are told in the same words, once.
    titles = dict.fromkeys(catalogue.form_of(one).title for one in (charge.mistake, *charge.alternatives))
    return f"One of: {' Or: '.join(titles)}" if len(titles) > 1 else next(iter(titles))


def _in_points(costs: Mapping[str, float], points: Mapping[str, float]) -> dict[str, float]:
    return {check: round(share * points[check], 2) for check, share in costs.items()}
