"""Frozen questions: one file with inputs, right answers and what known mistakes answer, to judge by without the reference."""

from grader.frozen.load_frozen import FILE, Frozen, FrozenError, load_frozen

__all__ = ["FILE", "Frozen", "FrozenError", "load_frozen"]
