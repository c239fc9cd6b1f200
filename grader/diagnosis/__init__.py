"""Which known mistakes and which causes explain what a submission answered, and what each of them costs."""

from grader.diagnosis.diagnose import diagnose

__all__ = ["diagnose"]
