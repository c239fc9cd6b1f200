"""Programs of one class that are built alike: where to look. See `compared`."""

from grader.similarity.pairs import compared

__all__ = ["compared"]
