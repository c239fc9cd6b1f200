"""What explains a submission's failing checks: known mistakes and what they cost, and causes that are no numbers."""

from __future__ import annotations

from collections.abc import Mapping

from grader.checks.context import GradingContext
from grader.diagnosis.attribute import attribute, charge_at_least_once
from grader.diagnosis.backward_pass import withhold_points
from grader.diagnosis.causes import find_causes, refer_to_cause
from grader.diagnosis.review import review_notes
from grader.model import Charge, Credit, Finding, Findings, Submission


def diagnose(context: GradingContext, submission: Submission, checked: Mapping[str, Finding]) -> Findings:
    """Return what was found with the mistakes and causes that explain it; no line is named yet.

    checked : what each check found, by its id, in the rubric's order.
    """
    found = charge_at_least_once(checked)
    account = attribute(context, found)
    causes = find_causes(context, submission, found, account.named)
    findings = Findings(
        {check: refer_to_cause(finding, check, causes) for check, finding in found.items()},
        credits={check: Credit(share, elsewhere) for check, (share, elsewhere) in account.credited.items()},
        charges=tuple(Charge(one.mistake, one.alternatives, one.explains, one.costs, None) for one in account.named),
        causes=causes,
        review=() if account.named else review_notes(context, found),
    )
    return withhold_points(findings, context)
