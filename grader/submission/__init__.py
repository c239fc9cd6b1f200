"""What a student handed in, read without trust and without being run: see `load`."""

from grader.submission.loading import load, understand
from grader.submission.naming import entries, ignored, safe_names
from grader.submission.reading import HandIn, receive

__all__ = [
    "HandIn",
    "entries",
    "ignored",
    "load",
    "receive",
    "safe_names",
    "understand",
]
