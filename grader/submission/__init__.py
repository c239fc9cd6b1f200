"""What a student handed in, read without trust and without being run: see `load`."""

from grader.submission.load import load, understand
from grader.submission.name_submissions import entries, ignored, safe_names
from grader.submission.read_files import HandIn, receive

__all__ = [
    "HandIn",
    "entries",
    "ignored",
    "load",
    "receive",
    "safe_names",
    "understand",
]
