"""What a student handed in, read without trust and without being run: see `load`."""

from grader.submission.load import load, reduce
from grader.submission.name_submissions import list_ignored, list_submissions, safe_names
from grader.submission.read_files import HandIn, read

__all__ = [
    "HandIn",
    "list_ignored",
    "list_submissions",
    "load",
    "read",
    "reduce",
    "safe_names",
]
