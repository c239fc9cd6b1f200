"""Programs of one class that are built alike: where to look. See `compare_programs`."""

from grader.similarity.pairs import compare_programs

__all__ = ["compare_programs"]
