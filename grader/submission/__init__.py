"""What a student handed in, read without trust and without being run: see `load`."""

from grader.submission.loading import load
from grader.submission.naming import entries, ignored, safe_names
from grader.submission.places import place, statement_place

__all__ = ["entries", "ignored", "load", "place", "safe_names", "statement_place"]
