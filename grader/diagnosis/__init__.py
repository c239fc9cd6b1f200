"""Which named mistakes explain what a submission answered, and what each of them costs."""

from __future__ import annotations

from grader.diagnosis.charges import NO_STEP, Account, Named, settle

__all__ = ["NO_STEP", "Account", "Named", "settle"]
