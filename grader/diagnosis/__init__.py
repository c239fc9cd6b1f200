"""Which named mistakes and which causes explain what a submission answered, and what each of them costs."""

from __future__ import annotations

from grader.diagnosis.attribute import NO_STEP, Account, Named, charged_somewhere, settle
from grader.diagnosis.causes import tell_causes, told_above
from grader.diagnosis.review import to_look_at

__all__ = ["NO_STEP", "Account", "Named", "charged_somewhere", "settle", "tell_causes", "to_look_at", "told_above"]
